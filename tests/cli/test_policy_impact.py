"""``compliance policy impact``: what other policies would have decided, and nothing is written."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.conftest import LEFT_IN_TIME, POLICIES, lines


@pytest.fixture
def library(tmp_path):
    """A copy of the small library, in which a patient stays for three hours and the form is due in one day."""
    folder = tmp_path / "new"
    shutil.copytree(POLICIES, folder)
    for name, old, new in (
        ("stay-two-hours", "value: 2h", "value: 3h"),
        ("form-in-seven-days", "days(7)", "days(1)"),
    ):
        rule = folder / f"{name}.yaml"
        assert old in rule.read_text()
        rule.write_text(rule.read_text().replace(old, new))
    return folder


@pytest.fixture
def clinic(day):
    """A clinic with a discharge that was in time."""
    day.record(LEFT_IN_TIME)
    return day


def test_what_differs_is_a_table_by_rule_site_and_week(clinic, library):
    """Then the events, each with its old and its new verdict; exit 1, since something differs."""
    result = clinic.run("policy", "impact", library)
    assert (result.exit_code, result.stderr) == (1, "")
    assert result.stdout.splitlines()[0].split() == [
        "RULE",
        "SITE",
        "WEEK",
        "OBJECTS",
        "LETS",
        "GO",
        "OTHERWISE",
    ]
    assert "stay-two-hours      S1    2026-W10  1" in result.stdout
    assert "e4     discharge       compliant  violation  +stay-two-hours" in result.stdout
    assert "1 event, 1 duty and 0 subjects of standing rules would stand otherwise" in result.stdout


def test_the_answer_for_programs_is_a_line_for_each_and_a_summary(clinic, library):
    """Keys are the same for events, duties and standing rules."""
    *differences, last = lines(clinic.run("policy", "impact", library, "--output", "json"))
    event, duty = differences
    assert event == {
        "form": "event", "event": "e4", "kind": "discharge", "site": "S1", "week": "2026-W10", "occurred_at": "2026-03-02T11:06:00-06:00",
        "entry": event["entry"], "verdict": {"old": "compliant", "new": "violation"},
        "rules": [{"rule": "stay-two-hours", "old": None, "new": {"outcome": "fail", "severity": "deny"}}],
    }  # fmt: skip
    assert event.keys() == duty.keys()
    assert (duty["form"], duty["verdict"], duty["rules"][0]["new"]["due_at"]) == (
        "duty",
        None,
        "2026-03-04T06:00:00Z",
    )
    summary = last["summary"]
    assert (summary["changed"], summary["differ"]) == (
        ["form-in-seven-days", "stay-two-hours"], {"event": 1, "duty": 1, "night": 0}
    )  # fmt: skip
    assert summary["by"][1] == {
        "rule": "stay-two-hours",
        "site": "S1",
        "week": "2026-W10",
        "objects": 1,
        "lets_go": 0,
        "otherwise": 0,
    }
    only = lines(
        clinic.run(
            "policy", "impact", library, "--output", "json", "--limit", "0", "--rule", "stay-two-hours"
        )
    )
    assert [one["summary"]["differ"] for one in only] == [{"event": 1, "duty": 0, "night": 0}]


def test_the_policies_in_force_change_nothing(clinic):
    """Exit 0, in words; every rule judged again says the same."""
    for more in ((), ("--all-rules",)):
        result = clinic.run("policy", "impact", POLICIES, *more)
        assert (result.exit_code, "0 rules of another meaning; nothing in" in result.stdout) == (0, True)


def test_one_rules_file_is_taken_among_those_in_force(clinic, library):
    """Only that rule differs."""
    last = lines(clinic.run("policy", "impact", library / "stay-two-hours.yaml", "--output", "json"))[-1]
    assert last["summary"]["changed"] == ["stay-two-hours"]


def test_what_is_listed_one_by_one_may_be_cut(clinic, library):
    """The counts are whole; how many are left out is said."""
    result = clinic.run("policy", "impact", library, "--limit", "1")
    assert "1 difference not listed one by one" in result.stderr
    assert "form-in-seven-days  S1" in result.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nowhere",), "there is no file, folder or git revision nowhere"),
        ((POLICIES, "--rule", "stay-too-hours"), "did you mean `stay-two-hours`?"),
        ((POLICIES, "--site", "S9"), "the log has no event of a site 'S9'"),
        ((POLICIES / "bundle.yaml",), "is no rule"),
    ],
)
def test_what_is_not_there_is_a_wrong_call(clinic, words, told):
    """Exit 2, and what to do: "nothing differs" would be a false comfort."""
    result = clinic.run("policy", "impact", *words)
    assert (result.exit_code, told in result.stderr) == (2, True), result.stderr


def test_policies_that_cannot_be_read_are_told_with_their_place(clinic, library):
    """Every problem, exit 2."""
    (library / "escort-home.yaml").write_text("id: [")
    result = clinic.run("policy", "impact", library)
    assert (result.exit_code, "escort-home.yaml:" in result.stderr) == (2, True)
