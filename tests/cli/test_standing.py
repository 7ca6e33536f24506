"""``compliance findings`` and ``compliance obligations``."""

from __future__ import annotations

import pytest

from compliance.policy.fill import fill
from tests.cli.conftest import DOSE, DROVE_AWAY, LEFT_IN_TIME, SITE, lines

FINDING_KEYS = [
    "id",
    "rule",
    "implements",
    "event",
    "severity",
    "outcome",
    "site",
    "at",
    "message",
    "remedy",
    "state",
    "assigned_to",
    "assigned_due_at",
]
FORM = fill({
    "id": "f1", "kind": "monitoring_form", "occurred_at": "2026-03-05T09:00:00-06:00", "site": "S1", "actor": "MD-1", "patient": "P1",
    "session": "T1", "drug": "esketamine_nasal_28mg", "status": "submitted", "submitted_at": "2026-03-05T09:00:00-06:00",
})  # fmt: skip


def found(clinic, *words):
    """Exit code and findings as of the week of the day."""
    result = clinic.run("findings", "--output", "json", "--as-of", "2026-03-05", *words)
    return result.exit_code, lines(result)


def due(clinic, *words):
    """Exit code and duties."""
    result = clinic.run("obligations", "--output", "json", *words)
    return result.exit_code, lines(result)


def test_what_is_open_is_told_with_the_documented_keys(day):
    """An open denial exits 1."""
    code, (finding,) = found(day)
    assert code == 1
    assert list(finding) == FINDING_KEYS
    assert (finding["rule"], finding["event"], finding["severity"], finding["outcome"]) == (
        "stay-two-hours",
        "e3",
        "deny",
        "fail",
    )
    assert (finding["site"], finding["at"], finding["state"]) == ("S1", "2026-03-02T16:05:00Z", "open")
    text = day.run("findings", "--as-of", "2026-03-05").stdout
    for word in (
        "stay-two-hours",
        "Left 1 h 0 min",
        "Keep the patient",
        "SPRAVATO REMS Document",
        "1 finding: 1 deny",
    ):
        assert word in text, word


def test_findings_are_filtered(day):
    """By site, rule, severity and instant."""
    assert found(day, "--rule", "escort-home") == (0, [])
    assert found(day, "--severity", "warn") == (0, [])
    assert found(day, "--severity", "deny", "--site", "S1", "--rule", "stay-two-hours")[0] == 1
    assert day.run("findings", "--as-of", "2026-03-02").exit_code == 0


def test_a_warning_that_is_open_exits_0(clinic):
    """Only a denial or a missed duty is something."""
    clinic.record(SITE, DOSE, DROVE_AWAY)
    code, (finding,) = found(clinic)
    assert (code, finding["severity"]) == (0, "warn")


def test_what_a_person_resolved_is_shown_with_all(day):
    """A finding_action closes a finding by its id; --all shows it."""
    _, (finding,) = found(day)
    action = {
        "id": "a1", "kind": "finding_action", "occurred_at": "2026-03-03T09:00:00-06:00", "site": "S1", "actor": "MD-1",
        "finding": finding["id"], "action": "resolve", "justification": "patient was phoned",
    }  # fmt: skip
    day.record(action)
    assert found(day) == (0, [])
    code, (resolved,) = found(day, "--all")
    assert (code, resolved["state"], resolved["id"]) == (0, "resolved", finding["id"])


def test_nothing_open_is_said(clinic):
    """An empty answer is words for a person and nothing for a program."""
    assert "nothing is open" in clinic.run("findings").stdout
    assert clinic.run("findings", "--output", "json").stdout == ""
    assert "nothing is due" in clinic.run("obligations").stdout


def test_a_duty_is_open_until_it_is_due(day):
    """With the instant at which it is due: local midnight after the seventh day, in summer time by then."""
    code, (duty,) = due(day, "--as-of", "2026-03-05")
    assert code == 0
    assert {
        "rule",
        "implements",
        "event",
        "severity",
        "outcome",
        "site",
        "at",
        "due_at",
        "state",
        "message",
    } <= set(duty)
    assert (duty["rule"], duty["event"], duty["state"], duty["due_at"]) == (
        "form-in-seven-days",
        "e2",
        "open",
        "2026-03-10T05:00:00Z",
    )


def test_due_within_looks_ahead(day):
    """Only what is due within the time, counted from the instant asked about."""
    assert due(day, "--as-of", "2026-03-05", "--due-within", "24h") == (0, [])
    assert len(due(day, "--as-of", "2026-03-05", "--due-within", "7d")[1]) == 1
    assert len(due(day, "--as-of", "2026-03-09T05:00:00Z", "--due-within", "24h")[1]) == 1


@pytest.mark.parametrize(
    ("words", "as_of", "state"),
    [
        (["--state", "due"], "2026-03-02T23:00:00Z", None),
        (["--state", "due"], "2026-03-03T05:00:00Z", "open"),
        (["--state", "due", "--due-within", "9d"], "2026-03-02T23:00:00Z", "open"),
        (["--state", "due", "--due-within", "24h"], "2026-03-05", None),
        (["--state", "due"], "2026-03-11", None),
        (["--state", "due", "--state", "missed"], "2026-03-11", "missed"),
        (["--state", "due", "--state", "open"], "2026-03-02T23:00:00Z", "open"),
        (["--state", "due", "--state", "open", "--due-within", "24h"], "2026-03-05", None),
        (["--state", "due", "--rule", "form-in-seven-days"], "2026-03-05", "open"),
    ],
)  # fmt: skip
def test_due_is_open_and_soon(day, words, as_of, state):
    """Within seven days, or as far as --due-within looks; told as what it is, open. What was missed is no longer due."""
    code, told = due(day, *words, "--as-of", as_of)
    assert [duty["state"] for duty in told] == ([] if state is None else [state])
    assert code == (state == "missed")


def test_a_missed_duty_exits_1_and_is_a_finding(day):
    """From the instant at which it was due."""
    code, (duty,) = due(day, "--as-of", "2026-03-11")
    assert (code, duty["state"], duty["outcome"]) == (1, "missed", "fail")
    code, told = found(day, "--rule", "form-in-seven-days", "--as-of", "2026-03-11")
    assert code == 1
    assert list(told[0]) == [*FINDING_KEYS, "due_at"]
    assert told[0]["due_at"] == told[0]["at"] == "2026-03-10T05:00:00Z"
    assert "missed" in day.run("obligations", "--as-of", "2026-03-11").stdout


def test_a_duty_that_was_met_is_told_when_asked_for(day):
    """Met duties are left out of what is due, and shown with --state."""
    day.record(LEFT_IN_TIME, FORM)
    assert due(day, "--as-of", "2026-03-11") == (0, [])
    code, (duty,) = due(day, "--as-of", "2026-03-11", "--state", "met")
    assert (code, duty["closed_by"]) == (0, "f1")
    assert due(day, "--as-of", "2026-03-11", "--state", "all")[1] == [duty]


def test_a_form_that_came_late_keeps_its_finding(day):
    """Met late is no longer due, and still found."""
    late = {**FORM, "occurred_at": "2026-03-12T09:00:00-05:00", "submitted_at": "2026-03-12T09:00:00-05:00"}
    day.record(late)
    assert due(day, "--as-of", "2026-03-15", "--state", "met_late")[1][0]["state"] == "met_late"
    code, (finding,) = found(day, "--rule", "form-in-seven-days", "--as-of", "2026-03-15")
    assert (code, finding["state"]) == (0, "open")


@pytest.mark.parametrize(
    "words",
    [
        ["findings", "--as-of", "soon"],
        ["obligations", "--due-within", "a while"],
        ["obligations", "--state", "done"],
        ["findings", "--severity", "bad"],
    ],
)
def test_wrong_options_exit_2(day, words):
    """Instants, durations and words that are none are told in words."""
    assert day.run(*words).exit_code == 2


@pytest.mark.parametrize("command", ["findings", "obligations"])
@pytest.mark.parametrize("asked", [("--rule", "nosuch"), ("--site", "nosuch")])
def test_a_filter_that_nobody_knows_is_no_all_clear(day, command, asked):
    """A misspelt rule or site is an error, not "nothing is open"."""
    result = day.run(command, *asked)
    assert result.exit_code == 2
    assert "nosuch" in result.stderr


@pytest.mark.parametrize("command", ["findings", "obligations"])
def test_an_instant_far_ahead_is_refused(day, command):
    """Thousands of years of nights are not gone through: the instant is a mistake, and named as one."""
    result = day.run(command, "--as-of", "9999-12-31T23:59:59Z")
    assert result.exit_code == 2
    assert "ten years" in result.stderr
    assert day.run(command, "--as-of", "2027-12-31T23:59:59Z").exit_code in (0, 1)
