"""``compliance events``."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import DOSE, DROVE_AWAY, LEFT_EARLY, SITE, lines

CORRECT = (
    "events",
    "correct",
    "e3",
    "occurred_at=2026-03-02T11:06:00-06:00",
    "--reason",
    "read 10 for 11",
    "--reason-code",
    "wrong_time",
)


def shown(clinic, event):
    """What events show tells of an event."""
    (page,) = lines(clinic.run("events", "show", event, "--output", "json"))
    return page


def listed(clinic, *words):
    """The ids that events list gives."""
    return [line["event"] for line in lines(clinic.run("events", "list", "--output", "json", *words))]


def test_an_event_is_shown_with_its_decision_and_facts(day):
    """The event, its decision, the facts it was judged on, and that the case is the one of the entry."""
    page = shown(day, "e3")
    assert page["stands"] == page["sent"] == LEFT_EARLY
    assert page["first"]["verdict"] == page["last"]["verdict"] == "violation"
    assert page["last"]["findings"][0]["rule"] == "stay-two-hours"
    assert {"name": "dose", "asked": "latest administration by session", "found": "e2"} in page["facts"]
    assert page["case_agrees"] is True
    text = day.run("events", "show", "e3").stdout
    for word in ("violation", "stay-two-hours", "dose: e2", "departure_mode: escort"):
        assert word in text


def test_a_correction_names_old_and_new_and_clears_the_finding(day):
    """The correction is a new entry; the event stands corrected, its first decision is kept, the last is another."""
    result = day.run(*CORRECT, "--approved-by", "MD-2", "--output", "json")
    assert result.exit_code == 0, result.output
    written, again = lines(result)
    assert written["kind"] == "correction"
    assert (again["rejudged"]["event"], again["rejudged"]["verdict"]) == ("e3", "compliant")
    entry = json.loads(day.run("log", "show", str(written["entry"]), "--raw").stdout)["event"]
    assert entry["fields"] == [
        {"name": "occurred_at", "old": '"2026-03-02T10:05:00-06:00"', "new": '"2026-03-02T11:06:00-06:00"'}
    ]
    assert (entry["corrects"], entry["actor"], entry["approved_by"], entry["patient"]) == (
        "e3",
        "MD-1",
        "MD-2",
        "P1",
    )
    page = shown(day, "e3")
    assert page["stands"]["occurred_at"] == "2026-03-02T11:06:00-06:00"
    assert (page["first"]["verdict"], page["last"]["verdict"], page["case_agrees"]) == (
        "violation",
        "compliant",
        True,
    )
    assert [one["type"] for one in page["named_by"]] == ["event", "rejudgement"]


@pytest.mark.parametrize(
    ("change", "field", "stands"),
    [
        ("devices_taken=2", "devices_taken", 2),
        ("departure_mode=ambulance", "departure_mode", "ambulance"),
        ("reason=a = b", "reason", "a = b"),
    ],
)
def test_values_are_written_as_people_write_them(day, change, field, stands):
    """Numbers, words and texts need no quotes of their own; only the first = divides. Texts lie in the vault."""
    assert day.run(
        "events", "correct", "e3", change, "--reason", "r", "--reason-code", "typing"
    ).exit_code in (0, 1)
    page = day.run("events", "show", "e3", "--clear", "--purpose", "operations", "--output", "json")
    assert json.loads(page.stdout)["stands"][field] == stands


def test_an_empty_value_removes_the_field(day):
    """FIELD= takes an optional field away."""
    assert (
        day.run("events", "correct", "e2", "lot=", "--reason", "r", "--reason-code", "typing").exit_code == 0
    )
    assert "lot" not in shown(day, "e2")["stands"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["e3", "departure_mod=escort"], "departure_mode"),
        (["e3", "kind=void"], "cannot be corrected"),
        (["e3", "id=x"], "cannot be corrected"),
        (["e3", "departure_mode=broomstick"], "departure_mode"),
        (["e3", "devices_taken=two"], "integer"),
        (["e3", "departure_mode="], "departure_mode"),
        (["e3", "departure_mode"], "does not say which field"),
        (["e3", "lot=a", "lot=b"], "named twice"),
        (["nothing", "lot=a"], "no event"),
    ],
)
def test_a_correction_that_cannot_be_is_refused_before_it_is_written(day, words, says):
    """Unknown fields, values that do not fit and unknown events exit 2 and leave the log as it was."""
    before = day.run("log", "verify").stdout
    result = day.run("events", "correct", *words, "--reason", "r", "--reason-code", "typing")
    assert result.exit_code == 2
    assert says in result.stderr
    assert day.run("log", "verify").stdout == before


def test_a_void_takes_an_event_out(day):
    """The voided event has nothing held against it; its entry stays."""
    result = day.run(
        "events",
        "void",
        "e3",
        "--reason",
        "entered twice",
        "--reason-code",
        "duplicate",
        "--replaced-by",
        "e4",
        "--output",
        "json",
    )
    assert result.exit_code == 0
    page = shown(day, "e3")
    assert (page["void"], page["stands"], page["last"]["verdict"]) == (True, None, "voided")
    assert listed(day, "--verdict", "voided") == ["e3"]
    assert day.run("findings", "--rule", "stay-two-hours").exit_code == 0
    assert day.run("events", "show", "e3").exit_code == 0
    again = day.run("events", "correct", "e3", "lot=x", "--reason", "r", "--reason-code", "typing")
    assert again.exit_code == 2
    assert "is void" in again.stderr


def test_what_changes_nothing_is_not_written(day):
    """The same correction twice, and the same void twice, say so and leave the log alone."""
    assert day.run(*CORRECT).exit_code in (0, 1)
    before = day.run("log", "verify").stdout
    again = day.run(*CORRECT)
    assert (again.exit_code, day.run("log", "verify").stdout) == (2, before)
    assert "stands like this already" in again.stderr
    void = ("events", "void", "e3", "--reason", "r", "--reason-code", "test_entry")
    assert day.run(*void).exit_code == 0
    before = day.run("log", "verify").stdout
    again = day.run(*void)
    assert (again.exit_code, day.run("log", "verify").stdout) == (2, before)
    assert "is void already" in again.stderr


def test_a_void_cannot_be_voided(day):
    """What was voided is entered again; the void itself stays."""
    (line, _) = lines(
        day.run("events", "void", "e3", "--reason", "r", "--reason-code", "test_entry", "--output", "json")
    )
    assert (
        day.run("events", "void", line["event"], "--reason", "r", "--reason-code", "test_entry").exit_code
        == 2
    )


@pytest.mark.parametrize(
    "words", [CORRECT, ("events", "void", "e3", "--reason", "r", "--reason-code", "duplicate")]
)
def test_who_acts_must_be_named(day, words):
    """Without an actor nothing is corrected or voided."""
    result = day.run(*words, actor=None)
    assert result.exit_code == 2
    assert "--actor" in result.stderr
    assert day.run(*words, "--actor", "MD-9", actor=None).exit_code == 0


def test_the_list_is_filtered_by_what_stands(day):
    """By site, patient, session, kind, rule, verdict and time; the latest first."""
    other = {**SITE, "id": "b1", "site": "S2", "occurred_at": "2026-03-03T08:00:00-06:00"}
    day.record(other, DROVE_AWAY)
    assert listed(day, "--since", "2026-03-01", "--until", "2026-03-04") == ["b1", "e5", "e3", "e2", "e1"]
    assert listed(day, "--site", "S2") == ["b1"]
    assert listed(day, "--patient", "P1") == ["e5", "e3", "e2"]
    assert listed(day, "--session", "T1", "--kind", "discharge") == ["e5", "e3"]
    assert listed(day, "--kind", "administration", "--kind", "discharge", "--limit", "2") == ["e5", "e3"]
    assert listed(day, "--rule", "escort-home") == ["e5"]
    assert listed(day, "--verdict", "violation") == ["e3"]
    assert listed(day, "--until", "2026-03-02T15:00:00Z", "--since", "2026-03-02T15:00:00Z") == ["e2"]
    assert listed(day, "--patient", "nobody") == []


def test_a_corrected_event_is_listed_once_where_it_stands(day):
    """Its old instant and its old patient find it no more."""
    day.run(*CORRECT)
    assert listed(day, "--kind", "discharge", "--until", "2026-03-02T16:30:00Z") == []
    assert listed(day, "--kind", "discharge") == ["e3"]
    day.run("events", "correct", "e3", "patient=P2", "--reason", "r", "--reason-code", "wrong_patient")
    assert listed(day, "--patient", "P1", "--kind", "discharge") == []
    assert listed(day, "--patient", "P2") == ["e3"]


def test_a_table_is_plain_where_it_is_piped(day):
    """Columns without lines, nothing cut off."""
    result = day.run("events", "list", "--patient", "P1")
    assert result.stdout.splitlines()[0].split() == [
        "OCCURRED",
        "EVENT",
        "KIND",
        "SITE",
        "PATIENT",
        "SESSION",
        "VERDICT",
        "RULES",
    ]
    assert "stay-two-hours" in result.stdout
    assert not set("│┃━─…") & set(result.stdout)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["show", "nothing"], "no event"),
        (["list", "--kind", "administartion"], "administration"),
        (["list", "--since", "yesterday"], "RFC 3339"),
        (["list", "--verdict", "guilty"], "guilty"),
        (["list", "--limit", "0"], "--limit"),
    ],
)
def test_wrong_calls_of_events(day, words, says):
    """Unknown ids, kinds, instants and verdicts exit 2 and are told in words."""
    result = day.run("events", *words)
    assert result.exit_code == 2
    assert says in result.stderr


def test_a_dose_that_comes_late_shows_in_the_last_decision(clinic):
    """First and last decision are both shown, each with its entry."""
    clinic.record(SITE, LEFT_EARLY)
    clinic.record(DOSE)
    page = shown(clinic, "e3")
    assert (page["first"]["verdict"], page["last"]["verdict"], page["case_agrees"]) == (
        "compliant",
        "violation",
        True,
    )
    assert page["first"]["entry"] < page["last"]["entry"]
