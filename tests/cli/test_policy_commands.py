"""``compliance policy`` and ``compliance schema``."""

from __future__ import annotations

import json
import shutil

import jsonschema
import pytest

from compliance.reports.forms.json_form import report_schema
from compliance.settings import shipped_folder
from tests.cli.conftest import DAY, POLICIES, lines

TIMELINE = """
version: 1
preludes:
  clinic:
    - {kind: site_profile, site: S1, actor: A1, occurred_at: '2026-01-05T08:00-06:00', time_zone: America/Chicago}
cases:
  - name: left after an hour
    prelude: [clinic]
    events:
      - {kind: administration, session: T1, drug: esketamine_nasal_28mg, occurred_at: '2026-03-02T09:00-06:00', completed_at: '2026-03-02T09:05-06:00'}
      - {id: left, kind: discharge, session: T1, departure_mode: escort, occurred_at: '2026-03-02T10:05-06:00'}
    findings: [REMS-MONITOR-2H]
    clear: [REMS-PMF-7D]
    verdict: violation
"""


@pytest.fixture
def policies(tmp_path):
    """A copy of the small policies, to be broken."""
    folder = tmp_path / "policies"
    shutil.copytree(POLICIES, folder)
    return folder


def broken(folder, old, new, name="stay-two-hours.yaml"):
    """Change one rule's text."""
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


def test_policies_in_order_exit_0(clinic, policies):
    """The check says how many rules and cases there are."""
    result = clinic.run("policy", "check", policies)
    assert result.exit_code == 0
    assert "in order; 3 rules, 6 of 6 cases as they say" in result.stdout
    assert clinic.run("policy", "check", policies, "--output", "json").stdout == ""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("dose.completed_at >= param", "dose.complete_at >= param", "completed_at"),
        ("severity: deny", "severity: denny", "deny"),
        (
            "  - {source: SPRAVATO REMS Document, at: 'healthcare settings, after treatment', read: 2026-11-22}",
            "",
            "cites",
        ),
        ("expect: fail", "expect: pass", "pass expected, fail came out"),
        (
            "review_by: 2099-11-22",
            "review_by: 2020-01-01",
            "review of 'stay-two-hours' was due on 2020-01-01",
        ),
        ("on: discharge", "on: discharged", "discharge"),
        ("title:", "\ttitle:", "tab"),
    ],
)
def test_a_mistake_is_told_with_its_place(clinic, policies, old, new, says):
    """Each mistake exits 1 and is shown with file and line, in words."""
    path = broken(policies, old, new)
    result = clinic.run("policy", "check", policies)
    assert result.exit_code == 1, result.output
    assert f"{path}:" in result.stdout
    assert says in result.stdout
    told = lines(clinic.run("policy", "check", policies, "--output", "json"))
    assert all({"file", "line", "column", "field", "code", "message", "remedy"} == set(one) for one in told)
    assert any(one["line"] for one in told)


def test_the_text_that_is_wrong_is_underlined(clinic, policies):
    """A type error shows the line and underlines the part."""
    broken(policies, "dose.completed_at >= param", "dose.complete_at >= param")
    text = clinic.run("policy", "check", policies).stdout
    assert "require: discharge.occurred_at - dose.complete_at" in text
    assert "^^^^" in text


def test_a_single_file_is_checked_among_its_folder(clinic, policies):
    """A rule's file alone; a clinic's file outside of any folder is checked with the shipped tables."""
    assert "1 rule, 2 of 2 cases" in clinic.run("policy", "check", policies / "stay-two-hours.yaml").stdout
    path = broken(policies, "expect: fail", "expect: pass")
    assert clinic.run("policy", "check", path).exit_code == 1
    alone = clinic.folder / "escort-home.yaml"
    shutil.copy2(policies / "escort-home.yaml", alone)
    assert clinic.run("policy", "check", alone).exit_code == 0


@pytest.mark.parametrize(
    "words",
    [
        ["check", "nowhere"],
        ["test", "nowhere"],
        ["test", "--cases", "nowhere"],
        ["show", "no-such-rule"],
        ["show", "x", "--policies", "nowhere"],
    ],
)
def test_what_is_not_there_exits_2(clinic, words):
    """A folder, case file or rule that does not exist is a wrong call."""
    assert clinic.run("policy", *words).exit_code == 2


def test_the_cases_of_rules_are_told_one_by_one(clinic, policies):
    """Each case with what decided it; -k chooses by name of case or rule."""
    result = clinic.run("policy", "test", policies)
    assert result.exit_code == 0
    assert "6 passed, none failed" in result.stdout
    assert "discharge.occurred_at - dose.completed_at is 1 h 0 min" in result.stdout
    told = lines(clinic.run("policy", "test", policies, "-k", "stay-two", "--output", "json"))
    assert [(one["name"], one["passed"]) for one in told] == [
        ("leaves after two hours and one minute", True),
        ("leaves after an hour", True),
    ]
    assert told[1]["findings"][0]["requirement"] == "REMS-MONITOR-2H"
    assert clinic.run("policy", "test", policies, "-k", "nothing like it").exit_code == 2


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [("expect: fail", "expect: pass", "unwanted"), ("expect: pass", "expect: fail", "missing")],
)
def test_a_case_that_comes_out_otherwise_exits_1(clinic, policies, old, new, key):
    """What was expected and what came is told, and which requirement it is about."""
    broken(policies, old, new)
    result = clinic.run("policy", "test", policies, "--output", "json")
    assert result.exit_code == 1
    (failed,) = [one for one in lines(result) if not one["passed"]]
    assert failed[key] == ["REMS-MONITOR-2H"]
    assert "expected" in clinic.run("policy", "test", policies).stdout


def test_timelines_are_told_with_the_documented_keys(clinic, policies):
    """One object per case of a case file, with exactly the documented keys."""
    (clinic.folder / "cases").mkdir()
    file = clinic.folder / "cases" / "cases.yaml"
    file.write_text(TIMELINE)
    result = clinic.run("policy", "test", policies, "--cases", file, "--output", "json")
    assert result.exit_code == 0, result.output
    assert lines(result) == [
        {
            "name": "left after an hour", "file": str(file), "passed": True, "missing": [], "unwanted": [],
            "findings": [{"requirement": "REMS-MONITOR-2H", "rule": "stay-two-hours", "event": "left", "outcome": "fail", "severity": "deny"}],
        }
    ]  # fmt: skip
    assert "1 passed" in clinic.run("policy", "test", policies, "--cases", file.parent, "-k", "hour").stdout


def test_a_timeline_that_comes_out_otherwise_says_how(clinic, policies):
    """Expected and not found, found and not wanted, and another verdict are told."""
    file = clinic.folder / "cases.yaml"
    file.write_text(
        TIMELINE.replace("findings: [REMS-MONITOR-2H]", "findings: [USPI-NO-DRIVE]").replace(
            "clear: [REMS-PMF-7D]", "clear: [REMS-MONITOR-2H]"
        )
    )
    result = clinic.run("policy", "test", policies, "--cases", file, "--output", "json")
    assert result.exit_code == 1
    (told,) = lines(result)
    assert (told["missing"], told["unwanted"], told["passed"]) == (
        ["USPI-NO-DRIVE"],
        ["REMS-MONITOR-2H"],
        False,
    )
    text = clinic.run("policy", "test", policies, "--cases", file).stdout
    assert "expected and not found: USPI-NO-DRIVE" in text
    assert "found and not wanted: REMS-MONITOR-2H by stay-two-hours on left" in text


def test_a_case_file_that_cannot_be_read_exits_2(clinic, policies):
    """Its problems are told with their places."""
    file = clinic.folder / "cases.yaml"
    file.write_text("version: 1\ncases:\n  - {name: x, events: [{kind: launch}]}\n")
    result = clinic.run("policy", "test", policies, "--cases", file)
    assert result.exit_code == 2
    assert f"{file}:3" in result.stderr


def test_a_rule_is_shown_in_plain_language(clinic, policies):
    """What it asks, where that is written, since when, the parameters with their dates, what passes and what does not."""
    text = clinic.run("policy", "show", "stay-two-hours", "--policies", policies).stdout
    for word in (
        "The patient is observed for two hours", "SPRAVATO REMS Document, healthcare settings", "from 2019-03-05", "REMS-MONITOR-2H",
        "minimum_observation", "2 h 0 min", "a site may raise it", "the latest administration of the same session", "is at least",
        "leaves after two hours and one minute", "does not pass", "stay-two-hours.yaml:1",
    ):  # fmt: skip
        assert word in text, word
    (told,) = lines(
        clinic.run("policy", "show", "stay-two-hours", "--policies", policies, "--output", "json")
    )
    assert told["require"] == "discharge.occurred_at - dose.completed_at >= param.minimum_observation"
    assert told["parameters"][0]["values"] == [
        {"from": "2019-03-05", "value": "2 h 0 min", "cites": "SPRAVATO REMS Document"}
    ]


def test_a_duty_is_shown_with_what_closes_it(clinic, policies):
    """A deadline rule says what is expected and by when."""
    text = clinic.run("policy", "show", "form-in-seven-days", "--policies", policies).stdout
    assert "it expects" in text
    assert "monitoring_form of the same session" in text


@pytest.mark.parametrize("rule", [path.stem for path in sorted(shipped_folder("policies").glob("*/*.yaml"))])
def test_every_shipped_rule_can_be_shown(clinic, rule):
    """No rule of the library breaks the page."""
    result = clinic.run("policy", "show", rule)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{rule}: ")


def test_a_misspelt_rule_is_answered_with_the_likely_one(clinic, policies):
    """The remedy names rules that are near."""
    assert "stay-two-hours" in clinic.run("policy", "show", "stay-2-hours", "--policies", policies).stderr


@pytest.mark.parametrize("entry", ["e3", "5"])
def test_a_decision_is_explained_down_to_the_clause(day, entry):
    """The clause, the values, the line of the policy, and the citation."""
    (told,) = lines(day.run("policy", "explain", entry, "--output", "json"))
    (finding,) = told["findings"]
    (clause,) = finding["clauses"]
    assert clause["holds"] is False
    assert clause["text"] == "event.occurred_at - dose.completed_at >= param.minimum_observation"
    assert clause["values"]["param.minimum_observation"] == "2 h 0 min"
    assert finding["policy"] == {"file": "stay-two-hours.yaml", "line": 1}
    assert (told["case_agrees"], told["passed"]) == (True, ["escort-home"])
    text = day.run("policy", "explain", entry).stdout
    for word in (
        "violation",
        "does not hold",
        "dose.completed_at is 2026-03-02T09:05:00-06:00",
        "stay-two-hours.yaml:1",
        "SPRAVATO REMS Document",
    ):
        assert word in text, word


def test_what_would_decide_is_said(clinic):
    """Where the dose has no end, the clause names the field that is missing."""
    clinic.record(DAY[0], {name: value for name, value in DAY[1].items() if name != "completed_at"}, DAY[2])
    (told,) = lines(clinic.run("policy", "explain", "e3", "--output", "json"))
    (clause,) = told["findings"][0]["clauses"]
    assert (clause["holds"], clause["lacking"]) == (None, ["dose.completed_at"])
    assert "would be decided by dose.completed_at" in clinic.run("policy", "explain", "e3").stdout


def test_the_last_decision_is_explained_for_an_event_and_the_first_for_its_entry(day):
    """After a correction the event's id explains how it now stands."""
    day.run(
        "events",
        "correct",
        "e3",
        "occurred_at=2026-03-02T11:06:00-06:00",
        "--reason",
        "r",
        "--reason-code",
        "wrong_time",
    )
    assert lines(day.run("policy", "explain", "e3", "--output", "json"))[0]["verdict"] == "compliant"
    assert lines(day.run("policy", "explain", "5", "--output", "json"))[0]["verdict"] == "violation"


@pytest.mark.parametrize("entry", ["0", "99", "nothing"])
def test_an_entry_without_a_decision_is_a_wrong_call(day, entry):
    """The log's key, and what is not there, cannot be explained."""
    assert day.run("policy", "explain", entry).exit_code == 2


def test_the_schema_of_events_takes_what_is_valid_and_refuses_what_is_not(clinic):
    """Events of the tests are valid against it; a misspelt field, a missing one and an unknown kind are not."""
    schema = json.loads(clinic.run("schema", "event").stdout)
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    for event in DAY:
        assert list(validator.iter_errors(event)) == []
    dose = DAY[1]
    for wrong in (
        {**dose, "dose": 1},
        {**dose, "kind": "launch"},
        {**dose, "dose_mg": "much"},
        {**dose, "recorded_at": dose["occurred_at"]},
        {"kind": "discharge"},
    ):
        assert list(validator.iter_errors(wrong)) != []


def test_the_schema_of_events_takes_the_whole_fortnight(clinic):
    """It never refuses what is valid: every event of the demonstration."""
    from compliance.demo import events

    validator = jsonschema.Draft202012Validator(json.loads(clinic.run("schema", "event").stdout))
    assert [event["id"] for event in events() if not validator.is_valid(event)] == []


def test_the_schema_of_policies_takes_the_small_library(clinic):
    """It is a JSON Schema."""
    schema = json.loads(clinic.run("schema", "policy").stdout)
    jsonschema.Draft7Validator.check_schema(schema)


def test_the_schema_of_reports_is_the_one_that_reports_keep_to(clinic):
    """It is printed as it is."""
    assert json.loads(clinic.run("schema", "report").stdout) == report_schema()
