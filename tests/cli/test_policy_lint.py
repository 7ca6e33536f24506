"""``compliance policy lint``: each kind of oddity is told with its place, in plain words; what only looks like one is not."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil

import jsonschema
import pytest

from compliance.workbench.sarif import OF_LINT
from tests.cli.conftest import ROOT, lines
from tests.lint_rules import CASES, ON, SITE, STAY, Rules, told
from tests.repositories import QUIET, WHERE, Repository

SCHEMA = ROOT / "tests" / "vectors" / "formats" / "sarif-schema-2.1.0.json"


@pytest.fixture
def rules(tmp_path):
    """An empty folder of policies."""
    folder = tmp_path / "policies"
    folder.mkdir()
    return Rules(folder)


# ---- plain to see


def test_a_literal_that_a_parameter_names(clinic, rules):
    """The same type and value; another value is not told."""
    file = rules.rule("r", STAY.format(least="duration('2h')"), message="'{param.least} are the least.'")
    codes, text = told(clinic, rules, "--no-solver")
    assert codes == ["literal-named"]
    assert text == (
        f"{file}:19:55: require: duration('2h') is what the parameter 'least' says: where the parameter is changed, this stays behind\n"
        "   19 | require: discharge.occurred_at - dose.completed_at >= duration('2h')\n"
        "      |                                                       ^^^^^^^^^^^^^^\n"
        "  remedy: write param.least, or say with another parameter what this one is\n\n"
        "1 thing to mend\n"
    )
    rules.rule("r", STAY.format(least="duration('3h')"), message="'{param.least} are the least.'")
    assert told(clinic, rules, "--no-solver") == ([], "nothing odd\n")


@pytest.mark.parametrize(
    ("unit", "codes"), [("mg", ["literal-named"]), ("mL", [])], ids=["the same unit", "another unit"]
)
def test_a_number_that_a_parameter_names_has_its_unit(clinic, rules, unit, codes):
    """84 mg is not 84 mL."""
    body = (
        f"parameters:\n  most:\n    tighten: down\n    unit: {unit}\n    values:\n      - {{from: 2019-01-01, value: 84, cites: none}}\n"
        "on: administration\nrequire: event.dose_mg <= 84\n"
    )
    rules.rule(
        "r",
        body,
        message="'{param.most}'",
        cases=CASES.replace("discharge, devices_taken: 4", "administration"),
    )
    assert told(clinic, rules, "--no-solver")[0] == codes


def test_a_window_that_a_parameter_names(clinic, rules):
    """``within: 24h`` is a literal too."""
    body = (
        "parameters:\n  window:\n    tighten: down\n    values:\n      - {from: 2019-01-01, value: 24h, cites: none}\n"
        "on: discharge\ngiven:\n  dose: {latest: administration, by: [session], within: 24h}\nrequire: dose != null\n"
    )
    rules.rule("r", body, message="'{param.window}'")
    codes, text = told(clinic, rules, "--no-solver")
    assert codes == ["literal-named"]
    assert "1 d is what the parameter 'window' says" in text
    assert "within: 24h" in text


def test_parameters_and_facts_that_nothing_uses(clinic, rules):
    """Each is told at its name; what only a message or another fact uses is used."""
    body = STAY.format(least="duration('3h')").replace(
        "when:", "  other: {any: assessment, by: [session]}\nwhen:"
    )
    file = rules.rule("r", body)
    codes, text = told(clinic, rules, "--no-solver")
    assert codes == ["unused-parameter", "unused-fact"]
    assert (
        f"{file}:11:3: parameters.least: nothing in this rule uses the parameter 'least'\n   11 |   least:\n"
        in text
    )
    assert "  remedy: name it as param.least where it is meant, or delete it\n" in text
    assert f"{file}:18:3: given.other: nothing in this rule uses the fact 'other'\n" in text
    used = body.replace(
        "by: [session]}\nwhen",
        "by: [session]}\n  third: {any: assessment, where: other != null && it.id == other.id}\nwhen",
    )
    rules.rule("r", used.replace("when: dose", "when: third == null && dose"), message="'{param.least}'")
    assert told(clinic, rules, "--no-solver")[0] == []


@pytest.mark.parametrize(
    ("start", "code", "says"),
    [
        ("2024-01-01", None, ""),
        (
            "2024-02-01",
            "date-gap",
            "from 2024-01-01 to 2024-01-31 neither 'a' nor 'b', which follows it, is in force",
        ),
        (
            "2023-12-01",
            "date-overlap",
            "from 2023-12-01 to 2023-12-31 both 'a' and 'b', which follows it, are in force",
        ),
    ],
)
def test_gaps_and_overlaps_of_rules_that_follow_one_another(clinic, rules, start, code, says):
    """One that begins on the day on which the other ends is in order."""
    rules.rule("a", ON + "require: event.devices_taken == 0\n", end="2024-01-01")
    rules.rule("b", ON + "require: event.devices_taken <= 1\n", start=start)
    codes, text = told(clinic, rules, "--no-solver")
    assert codes == ([] if code is None else [code])
    assert says in text
    assert code is None or "a.yaml:6:" in text


def test_a_gap_that_a_third_rule_fills_is_none(clinic, rules):
    """Somebody is in force."""
    rules.rule("a", ON + "require: event.devices_taken == 0\n", end="2024-01-01")
    rules.rule("b", ON + "require: event.devices_taken <= 1\n", start="2024-02-01")
    rules.rule("c", ON + "require: event.devices_taken <= 2\n")
    assert told(clinic, rules, "--no-solver")[0] == []


@pytest.mark.parametrize(("start", "codes"), [("2026-06-01", ["site-gap"]), ("2026-05-01", [])])
def test_gaps_between_the_values_of_a_site(clinic, rules, start, codes):
    """Days on which the library's value holds again."""
    rules.rule("r", STAY.format(least="param.least"))
    (rules.folder / "sites").mkdir()
    (rules.folder / "sites" / "S1.yaml").write_text(SITE.format(start=start))
    found, text = told(clinic, rules, "--no-solver")
    assert found == codes
    if codes:
        assert (
            "S1.yaml:8:16: parameters.r.least[2].from: from 2026-05-01 to 2026-05-31 S1 has no value of its own of 'least'"
            in text
        )


def test_a_single_file_is_looked_at_among_its_folder(clinic, rules):
    """Only what is odd in that file is told."""
    rules.rule("a", ON + "require: event.devices_taken == 0\n", end="2024-01-01")
    other = rules.rule("b", ON + "require: event.devices_taken <= 1\n", start="2024-02-01")
    assert (
        "date-gap"
        in clinic.run("policy", "lint", rules.folder / "a.yaml", "--no-solver", "--output", "json").stdout
    )
    assert clinic.run("policy", "lint", other, "--no-solver").exit_code == 0


def test_the_shipped_library_is_in_order_as_far_as_can_be_seen(clinic):
    """Without the solver nothing is odd in it."""
    result = clinic.run("policy", "lint", "--no-solver")
    assert (result.exit_code, result.stdout) == (0, "nothing odd\n")


def test_what_is_not_found_out_is_told_and_is_no_fault(clinic, rules, monkeypatch):
    """One line for each rule; never as clean."""
    from compliance.workbench import comparing, reasoning
    from compliance.workbench.symbolic import Unknown

    rules.rule("r", ON + "require: event.devices_taken <= 3\n")
    for module in (reasoning, comparing):
        monkeypatch.setattr(
            module, "find_case", lambda *_, **__: Unknown("no answer in the time that was given")
        )
    result = clinic.run("policy", "lint", rules.folder)
    assert result.exit_code == 0
    assert "r: not found out: can it pass (no answer in the time that was given)" in result.stdout
    assert "nothing odd; 1 rule of which something was not found out" in result.stdout
    found = lines(clinic.run("policy", "lint", rules.folder, "--output", "json"))
    assert found[0] == {
        "rule": "r",
        "question": "can it pass",
        "unknown": "no answer in the time that was given",
    }


def test_without_the_solver_the_remedy_names_what_to_install(clinic, rules, monkeypatch):
    """And the option that does without."""
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "z3" else real(name, *rest)
    )
    rules.rule("r", ON + "require: event.devices_taken <= 3\n")
    result = clinic.run("policy", "lint", rules.folder)
    assert result.exit_code == 2
    assert "the solver is not installed" in result.stderr
    assert "compliance-engine[analysis]" in result.stderr
    assert "--no-solver" in result.stderr
    assert clinic.run("policy", "lint", rules.folder, "--no-solver").exit_code == 0


def test_a_revision_is_looked_at_as_it_was_committed(clinic, rules, monkeypatch, tmp_path):
    """With its sites, a single file too; places bear the names that git gives."""
    for name in WHERE:
        monkeypatch.delenv(name, raising=False)
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    repository = Repository.made(tmp_path / "clinic")
    rules.rule("r", STAY.format(least="duration('2h')"), message="'{param.least} are the least.'")
    rules.rule("s", ON + "require: event.devices_taken <= 3\n")
    (rules.folder / "sites").mkdir()
    (rules.folder / "sites" / "S1.yaml").write_text(SITE.format(start="2026-06-01"))
    shutil.move(rules.folder, repository.path / "policies")
    repository.commit()
    monkeypatch.chdir(repository.path)
    shutil.rmtree("policies")

    def places(named):
        result = clinic.run("policy", "lint", named, "--no-solver", "--output", "json")
        assert result.exit_code in (0, 1), result.output
        return [(one["file"], one["line"], one["code"]) for one in lines(result)]

    assert places("HEAD:policies") == [
        ("HEAD:policies/r.yaml", 19, "literal-named"),
        ("HEAD:policies/sites/S1.yaml", 8, "site-gap"),
    ]
    assert places("HEAD:policies/r.yaml") == [("HEAD:policies/r.yaml", 19, "literal-named")]
    assert places("HEAD:policies/s.yaml") == []
    assert clinic.run("policy", "lint", "HEAD:policies/bundle.yaml", "--no-solver").exit_code == 2
    sarif = clinic.run("policy", "lint", "HEAD:policies", "--no-solver", "--output", "sarif")
    assert sarif.exit_code == 1
    told = json.loads(sarif.stdout)
    jsonschema.Draft4Validator(json.loads(SCHEMA.read_text())).validate(told)
    (run,) = told["runs"]
    assert [(one["ruleId"], one["level"], one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]) for one in run["results"]] == [
        ("literal-named", "warning", "policies/r.yaml"), ("site-gap", "warning", "policies/sites/S1.yaml"),
    ]  # fmt: skip


def test_sarif_knows_every_code_that_a_lint_may_give(clinic, rules):
    """What the solver proves too; one log, also where nothing is odd."""
    rules.rule(
        "r", ON + "require: event.devices_taken <= 5 || event.devices_taken > 4\n", cases=CASES.replace("fail", "pass")
    )  # fmt: skip
    result = clinic.run("policy", "lint", rules.folder, "--output", "sarif")
    told = json.loads(result.stdout)
    jsonschema.Draft4Validator(json.loads(SCHEMA.read_text())).validate(told)
    assert [(one["ruleId"], one["level"]) for one in told["runs"][0]["results"]] == [("never-fails", "error")]
    source = "".join(
        (ROOT / "compliance" / "workbench" / f"{name}.py").read_text()
        for name in ("oddities", "reasoning", "comparing", "linting")
    )
    given = set(
        re.findall(r'"((?:literal|unused|date|site|never|always)-[a-z]+|redundant|conflict)"', source)
    )
    assert given == {kind.code for kind in OF_LINT}
    rules.rule("r", ON + "require: event.devices_taken <= 3\n")
    clean = clinic.run("policy", "lint", rules.folder, "--no-solver", "--output", "sarif")
    assert (clean.exit_code, json.loads(clean.stdout)["runs"][0]["results"]) == (0, [])


@pytest.mark.parametrize("words", [["nowhere"], ["nowhere.yaml"]])
def test_what_is_not_there_exits_2(clinic, words):
    """A folder or file that does not exist is a wrong call."""
    assert clinic.run("policy", "lint", *words).exit_code == 2
