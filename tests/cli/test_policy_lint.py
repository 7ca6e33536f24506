"""``compliance policy lint``: each kind of oddity is told with its place, in plain words; what only looks like one is not."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil

import jsonschema
import pytest

from compliance.workbench.sarif import OF_LINT
from tests.cli.conftest import POLICIES, ROOT, lines
from tests.repositories import QUIET, WHERE, Repository

RULE = """id: {id}
title: A rule of the tests, not of any law
implements: [{keeps}]
cites:
  - {{source: none, read: 2026-11-22}}
in_force: {{from: {start}{end}}}
owner: tests
review_by: 2099-11-22

{body}
otherwise:
  severity: {severity}
  override: never
  message: {message}
  remedy: None.

cases:
{cases}"""
CASES = """  - name: taken
    event: {kind: discharge, devices_taken: 4, occurred_at: '2026-03-02T11:06-06:00'}
    expect: fail
"""
NOBODY = CASES.replace("devices_taken: 4", "departure_mode: escort, disposition: home, devices_taken: 4")
ON = "on: discharge\n"
STAY = """parameters:
  least:
    tighten: up
    values:
      - {{from: 2019-01-01, value: 2h, cites: none}}
on: discharge
given:
  dose: {{latest: administration, by: [session]}}
when: dose != null
require: discharge.occurred_at - dose.completed_at >= {least}
"""
SITE = """site: S1
owner: tests
review_by: 2099-01-01
parameters:
  r:
    least:
      - {{from: 2026-03-01, to: 2026-05-01, value: 3h, cites: none}}
      - {{from: {start}, value: 4h, cites: none}}
"""
SCHEMA = ROOT / "tests" / "vectors" / "formats" / "sarif-schema-2.1.0.json"


class Rules:
    """A folder of policies with rules of the test alone."""

    def __init__(self, folder):
        self.folder = folder
        for file in POLICIES.glob("*.yaml"):
            if file.name == "bundle.yaml":
                shutil.copy2(file, folder / file.name)

    def rule(
        self,
        name,
        body,
        *,
        start="2019-01-01",
        end="",
        severity="deny",
        message="No.",
        cases=CASES,
        keeps="X-TEST",
    ):
        file = self.folder / f"{name}.yaml"
        until = f", to: {end}" if end else ""
        file.write_text(
            RULE.format(
                id=name,
                body=body,
                start=start,
                end=until,
                severity=severity,
                message=message,
                cases=cases,
                keeps=keeps,
            )
        )
        return file


@pytest.fixture
def rules(tmp_path):
    """An empty folder of policies."""
    folder = tmp_path / "policies"
    folder.mkdir()
    return Rules(folder)


def told(clinic, rules, *words):
    """The codes that a lint gives, and its text."""
    result = clinic.run("policy", "lint", rules.folder, *words)
    found = lines(clinic.run("policy", "lint", rules.folder, *words, "--output", "json"))
    codes = [one["code"] for one in found if "code" in one]
    assert result.exit_code == int(bool(codes)), result.output
    return codes, result.stdout


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


# ---- proved


def test_a_condition_that_never_holds(clinic, rules):
    """The rule never applies, and nothing else need be said of it; a condition that a single event meets is in order."""
    file = rules.rule(
        "r",
        ON + "when: event.devices_taken < 2 && event.devices_taken > 1\nrequire: event.devices_taken == 4\n",
        cases=CASES.replace("fail", "not_applicable"),
    )
    codes, text = told(clinic, rules)
    assert codes == ["never-applies"]
    assert text == (
        f"{file}:11:7: when: this never holds: there is no event and no history to which the rule applies\n"
        "   11 | when: event.devices_taken < 2 && event.devices_taken > 1\n"
        "      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "  remedy: mend the condition, or delete the rule\n\n"
        "1 thing to mend\n"
    )
    rules.rule(
        "r",
        ON
        + "when: event.devices_taken < 3 && event.devices_taken > 1\nrequire: event.departure_mode == 'escort'\n",
        cases=CASES.replace("fail", "not_applicable"),
    )
    assert told(clinic, rules)[0] == []


@pytest.mark.parametrize(
    ("require", "code", "says"),
    [
        ("event.devices_taken <= 5 || event.devices_taken > 4", "never-fails", "this always holds where the rule applies: the rule can never fail"),
        ("event.devices_taken < 3 && event.devices_taken > 5", "always-fails", "this never holds where the rule applies: the rule always fails"),
        ("event.devices_taken <= 5 || event.devices_taken > 6", None, "nothing odd"),
    ],
)  # fmt: skip
def test_rules_that_can_never_fail_or_never_pass(clinic, rules, require, code, says):
    """A single number between is enough to be in order."""
    rules.rule(
        "r",
        ON + f"require: {require}\n",
        cases=CASES.replace("fail", "pass") if code != "always-fails" else CASES,
    )
    codes, text = told(clinic, rules)
    assert codes == ([] if code is None else [code])
    assert says in text


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("event.devices_taken > 3 && event.devices_taken > 1", "it never decides anything that this does not hold: all would come out the same if it always did"),
        ("event.devices_taken > 3 || event.devices_taken > 7", "it never decides anything that this holds: all would come out the same if it never did"),
        ("event.devices_taken > 3 && event.devices_taken < 7", None),
    ],
)  # fmt: skip
def test_conditions_that_never_decide(clinic, rules, when, says):
    """Only the one that adds nothing is underlined."""
    rules.rule(
        "r",
        ON + f"when: {when}\nrequire: event.departure_mode == 'escort'\n",
        cases=CASES.replace("4", "5").replace("fail", "pass"),
    )
    codes, text = told(clinic, rules)
    assert codes == ([] if says is None else ["never-decides"])
    if says is not None:
        assert f"r.yaml:11:34: when: {says}\n" in text
        assert "^" * 23 + "\n  remedy: delete it, or mend what it was to say\n" in text


def test_a_guard_that_decides_nothing_is_good_style(clinic, rules):
    """An event without the field would be passed over in any case; it is asked for all the same."""
    guarded = "on: discharge\nexpect:\n  event: assessment\n  by: [session]\n  where: {where}\n  due: event.occurred_at + duration('1h')\n"
    cases = CASES.replace("expect: fail", "now: '2026-03-02T12:06-06:00'\n    expect: open")
    where = "has(it.total) && it.total >= 9"
    rules.rule("r", guarded.replace("{where}", where), cases=cases)
    assert told(clinic, rules)[0] == []
    rules.rule("r", guarded.replace("{where}", f"{where} && it.total >= 8"), cases=cases)
    assert told(clinic, rules)[0] == ["never-decides"]


@pytest.mark.parametrize(
    ("where", "codes"),
    [
        ("event.disposition == 'home' && it.total >= 9", []),
        ("it.total >= 8 && it.total >= 9", ["never-decides"]),
    ],
)
def test_a_condition_that_spares_a_look_up_is_good_style(clinic, rules, where, codes):
    """What `require` asks anyway, asked before anything is looked up."""
    body = (
        f"on: discharge\ngiven:\n  form: {{any: assessment, by: [session], where: has(it.total) && {where}}}\n"
        "require: event.disposition != 'home' || form != null\n"
    )
    rules.rule("r", body)
    assert told(clinic, rules)[0] == codes


def test_what_follows_from_the_tables_of_the_day_is_not_told(clinic, rules):
    """Every drug of the small list is under the REMS; tomorrow another may be listed."""
    rules.rule(
        "r",
        "on: administration\nwhen: drug_info(event.drug).is_rems\nrequire: event.route == 'intranasal'\n",
        cases=CASES.replace(
            "discharge, devices_taken: 4", "administration, drug: esketamine_nasal_28mg, route: im"
        ),
    )
    assert told(clinic, rules)[0] == []


def test_a_duty_that_is_always_or_never_met(clinic, rules):
    """Deadlines are asked about as what they are."""
    body = (
        "on: discharge\nexpect:\n  event: assessment\n  by: [session]\n  where: it.occurred_at > event.occurred_at + duration('2h')\n"
        "  due: event.occurred_at + duration('{due}')\n"
    )
    cases = CASES.replace("expect: fail", "now: '2026-03-02T12:00-06:00'\n    expect: open")
    rules.rule("r", body.replace("{due}", "1h"), cases=cases)
    codes, text = told(clinic, rules)
    assert "always-fails" in codes
    assert "this duty is never met in time, whatever is done" in text
    rules.rule("r", body.replace("{due}", "3h"), cases=cases)
    assert "always-fails" not in told(clinic, rules)[0]


def test_a_rule_that_another_makes_redundant(clinic, rules):
    """Named at the weaker one; where the stricter one is less grave, neither is redundant."""
    file = rules.rule("a", ON + "require: event.devices_taken <= 3\n")
    rules.rule("b", ON + "require: event.devices_taken <= 2\n")
    codes, text = told(clinic, rules)
    assert codes == ["redundant"]
    assert text == (
        f"{file}:1:5: id: whenever this rule finds something, so does 'b', at least as gravely\n"
        "    1 | id: a\n      |     ^\n"
        "  remedy: delete it, or say what it adds: in its 'when', its severity or its dates\n\n"
        "1 thing to mend\n"
    )
    rules.rule("b", ON + "require: event.devices_taken <= 2\n", severity="warn")
    assert told(clinic, rules)[0] == []
    rules.rule("b", ON + "require: event.devices_taken <= 2\n", start="2020-01-01")
    assert told(clinic, rules)[0] == []


@pytest.mark.parametrize(("mine", "codes"), [("X-TEST", ["redundant"]), ("X-OWN", []), ("X-TEST, X-OWN", [])])
def test_a_rule_that_keeps_a_requirement_of_its_own_is_not_redundant(clinic, rules, mine, codes):
    """It is the only place where that requirement is kept and cited, whatever else objects to the same event."""
    rules.rule("a", ON + "require: event.devices_taken <= 3\n", keeps=mine)
    rules.rule("b", ON + "require: event.devices_taken <= 2\n", keeps="X-TEST, X-MORE")
    assert told(clinic, rules)[0] == codes


def test_rules_that_say_the_same_are_named_once(clinic, rules):
    """At the second."""
    rules.rule("a", ON + "require: event.devices_taken <= 3\n")
    rules.rule("b", ON + "require: '!(event.devices_taken > 3)'\n")
    codes, text = told(clinic, rules)
    assert codes == ["redundant"]
    assert "b.yaml:1:5: id: this rule and 'a' find the same: on every event both, or neither\n" in text


def test_two_denies_that_no_event_can_satisfy_together(clinic, rules):
    """With an event that both deny; rules that never apply to the same event are in order."""
    rules.rule("a", ON + "require: event.devices_taken >= 3\n", cases=CASES.replace("fail", "pass"))
    body = "require: event.devices_taken <= 2\n"
    rules.rule("b", ON + body)
    codes, text = told(clinic, rules)
    assert codes == ["conflict"]
    assert (
        "a.yaml:11:1: require: no event can satisfy this and 'b' together, and there are events to which both apply: each of these is denied\n"
        in text
    )
    assert "  for example:\n    - name: " in text
    assert "event: {kind: discharge, " in text
    (one,) = lines(clinic.run("policy", "lint", rules.folder, "--output", "json"))
    assert set(one) == {"file", "line", "column", "field", "code", "message", "remedy", "case"}
    assert one["case"]["event"]["kind"] == "discharge"
    rules.rule("b", ON + body, severity="warn")
    assert told(clinic, rules)[0] == []
    rules.rule(
        "a",
        ON + "when: event.disposition == 'home'\nrequire: event.devices_taken >= 3\n",
        cases=CASES.replace("fail", "not_applicable"),
    )
    rules.rule(
        "b",
        ON + "when: event.disposition == 'admitted'\n" + body,
        cases=CASES.replace("fail", "not_applicable"),
    )
    assert told(clinic, rules)[0] == []


def test_what_one_forbids_outright_another_may_set_conditions_for(clinic, rules):
    """Nobody is asked for two things at once; where each can be kept where the other applies, somebody is."""
    rules.rule("a", ON + "require: event.disposition != 'home'\n", cases=NOBODY)
    rules.rule(
        "b", ON + "when: event.disposition == 'home'\nrequire: event.devices_taken <= 2\n", cases=NOBODY
    )
    assert told(clinic, rules)[0] == []
    rules.rule("a", ON + "require: event.disposition != 'home' || event.devices_taken >= 3\n", cases=NOBODY)
    assert told(clinic, rules)[0] == ["conflict"]


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
