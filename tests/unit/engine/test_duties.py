"""Duties: what a deadline rule opens, and what becomes of it (policy-language.md, "Three forms of rule")."""

from __future__ import annotations

import json
from typing import Any

import pytest

from compliance.domain.time import parse_instant
from compliance.engine.duties import Duty, duties
from compliance.engine.history import MemoryHistory
from compliance.engine.judging import Judge
from tests.rulebook import SITE, bundle, entry, recorded, rule, us, when

DOSE = entry("administration", "09:00", id="d1", completed_at="09:30")


def form(at: str, **fields: Any) -> dict[str, Any]:
    return entry("monitoring_form", at, **{"status": "submitted", **fields})


def found(document: dict[str, Any], bodies: list[dict[str, Any]], now: str) -> list[Duty]:
    history = MemoryHistory(recorded([SITE, *bodies]))
    return list(duties(Judge(bundle(document)), history, us(now)))


def expecting(due: str, **differs: Any) -> dict[str, Any]:
    """A form is due after each dose."""
    closing = {"event": "monitoring_form", "by": ["session"], "due": due, **differs.pop("closing", {})}
    return rule(**{"on": "administration", "expect": closing, **differs})


def one(document: dict[str, Any], bodies: list[dict[str, Any]], now: str) -> Duty:
    (duty,) = found(document, bodies, now)
    return duty


def state(document: dict[str, Any], bodies: list[dict[str, Any]], now: str) -> str:
    return str(one(document, bodies, now).state)


ELAPSED = expecting("event.occurred_at + duration('2h')")


@pytest.mark.parametrize(
    ("closers", "now", "expected"),
    [
        ([], "10:59", "open"),
        ([], "11:00", "open"),
        ([], "2026-03-02T11:00:00.000001-06:00", "missed"),
        ([form("10:59")], "12:00", "met"),
        ([form("11:00")], "12:00", "met"),
        ([form("2026-03-02T11:00:00.000001-06:00")], "12:00", "met_late"),
        ([form("11:30")], "11:29", "missed"),
        ([form("11:30"), form("10:30")], "12:00", "met"),
        ([form("08:59")], "12:00", "missed"),
        ([form("10:00", session="T2")], "12:00", "missed"),
        ([form("10:00", intent="proposed")], "12:00", "missed"),
    ],
)
def test_elapsed_time_on_both_sides_of_due(closers: list[dict[str, Any]], now: str, expected: str) -> None:
    """Exactly at due is in time; what came before the opening, in another session, or only as a proposal, closes nothing."""
    assert state(ELAPSED, [DOSE, *closers], now) == expected


@pytest.mark.parametrize(
    ("expected", "bodies", "now"),
    [
        (None, [DOSE], "10:00"),
        (None, [DOSE, form("10:00")], "12:00"),
        ("fail", [DOSE], "12:00"),
        ("fail", [DOSE, form("11:30")], "12:00"),
    ],
)
def test_what_a_duty_amounts_to(expected: str | None, bodies: list[dict[str, Any]], now: str) -> None:
    """A miss is a finding, and being met late keeps it."""
    outcome = one(ELAPSED, bodies, now).outcome
    assert (None if outcome is None else str(outcome)) == expected


def test_nothing_is_owed_before_it_opens() -> None:
    """As of an instant before the opening event there is no duty."""
    assert found(ELAPSED, [DOSE], "08:59") == []


DAY = expecting("event.occurred_at + days(1)")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-03-03T23:59:59.999999-06:00", "met"),
        ("2026-03-04T00:00:00-06:00", "met_late"),
        ("2026-03-04T05:00:00Z", "met"),
    ],
)
def test_a_day_ends_at_local_midnight(at: str, expected: str) -> None:
    """The instant of midnight belongs to the next day; whose midnight, the site's zone says."""
    assert state(DAY, [DOSE, form(at)], "2026-03-05T00:00:00-06:00") == expected


def test_a_day_is_over_at_midnight_itself() -> None:
    """A microsecond before, the duty is open; at midnight it is missed."""
    assert state(DAY, [DOSE], "2026-03-03T23:59:59.999999-06:00") == "open"
    assert state(DAY, [DOSE], "2026-03-04T00:00:00-06:00") == "missed"


@pytest.mark.parametrize(
    ("condition", "expected"), [("event.dose_mg > 10", "met_late"), ("event.dose_mg > 100", "met")]
)
def test_of_a_choice_of_deadlines_the_arm_taken_says_what_ends_it(condition: str, expected: str) -> None:
    """An end of day is over at midnight, a length of time that ends at midnight is not."""
    choice = expecting(f"{condition} ? event.occurred_at + days(1) : event.occurred_at + duration('39h')")
    midnight = "2026-03-04T00:00:00-06:00"
    assert one(choice, [{**DOSE, "dose_mg": "28"}], midnight).due_at == us(midnight)
    assert state(choice, [{**DOSE, "dose_mg": "28"}, form(midnight)], "2026-03-05T00:00:00-06:00") == expected


def test_a_day_across_the_change_of_clocks() -> None:
    """On 8 March 2026 Chicago loses an hour: days end at local midnight, hours are elapsed time."""
    dose = entry("administration", "2026-03-07T23:00:00-06:00", id="d1")
    assert one(DAY, [dose], "2026-03-08T08:00:00-05:00").due_at == parse_instant("2026-03-09T00:00:00-05:00")
    hours = expecting("event.occurred_at + duration('24h')")
    assert one(hours, [dose], "2026-03-08T08:00:00-05:00").due_at == parse_instant(
        "2026-03-09T00:00:00-05:00"
    )
    fifth = entry("administration", "2026-03-06T23:00:00-06:00", id="d1")
    assert one(hours, [fifth], "2026-03-07T08:00:00-06:00").due_at == parse_instant(
        "2026-03-07T23:00:00-06:00"
    )
    early = entry("administration", "2026-03-08T01:00:00-06:00", id="d1")
    assert one(hours, [early], "2026-03-08T08:00:00-05:00").due_at == parse_instant(
        "2026-03-09T02:00:00-05:00"
    )


def test_business_days_leave_out_weekends_and_federal_holidays() -> None:
    """Wednesday, 1 July 2026: Friday the 3rd is the observed holiday, so one business day after Thursday is Monday the 6th."""
    thursday = entry("administration", "2026-07-02T09:00:00-05:00", id="d1")
    due = expecting("event.occurred_at + business_days(1)")
    assert one(due, [thursday], "2026-07-02T10:00:00-05:00").due_at == parse_instant(
        "2026-07-07T00:00:00-05:00"
    )
    wednesday = entry("administration", "2026-07-01T09:00:00-05:00", id="d1")
    assert one(due, [wednesday], "2026-07-01T10:00:00-05:00").due_at == parse_instant(
        "2026-07-03T00:00:00-05:00"
    )


def test_each_opening_event_owes_for_itself() -> None:
    """Without a key, one duty per event."""
    second = entry("administration", "09:40", id="d2", session="T2")
    assert [str(d.state) for d in found(ELAPSED, [DOSE, second, form("10:00")], "12:00")] == ["met", "missed"]


def test_one_duty_per_key() -> None:
    """`per: session`: the first dose opens it, further ones open nothing; other sessions owe their own."""
    doses = [
        DOSE,
        entry("administration", "09:40", id="d2"),
        entry("administration", "09:50", id="d3", session="T2"),
    ]
    got = found(expecting("event.occurred_at + duration('2h')", per=["session"]), doses, "10:00")
    assert [(d.opened_by.id, d.due_at) for d in got] == [("d1", us("11:00")), ("d3", us("11:50"))]


def test_an_event_without_the_key_owes_for_itself() -> None:
    """Where the key is missing, nobody can say that two events are about the same thing."""
    doses = [
        DOSE,
        entry("administration", "09:10", id="d2", container="V1"),
        entry("administration", "09:20", id="d3"),
    ]
    got = found(expecting("event.occurred_at + duration('2h')", per=["container"]), doses, "10:00")
    assert [d.opened_by.id for d in got] == ["d1", "d2", "d3"]


# ---- openings that have a key follow their present state


def shortage(at: str, finding: str, name: str = "X1", **fields: Any) -> dict[str, Any]:
    return entry(
        "discrepancy",
        at,
        **{"id": f"{name}-{at}", "discrepancy": name, "discovered_at": "09:00", "finding": finding, **fields},
    )


REPORT = rule(
    on="discrepancy", when="event.finding == 'theft'",
    expect={"event": "external_report", "by": ["discrepancy"], "due": "event.discovered_at + duration('24h')"},
)  # fmt: skip
LATER = "2026-03-04T09:00:00-06:00"


def report(at: str) -> dict[str, Any]:
    return entry("external_report", at, discrepancy="X1")


def test_a_duty_opens_when_the_state_asks_for_it() -> None:
    """While the discrepancy is open nothing is owed; once it is a theft, the report is, counted from its discovery."""
    assert found(REPORT, [shortage("09:00", "open")], LATER) == []
    duty = one(REPORT, [shortage("09:00", "open"), shortage("15:00", "theft")], LATER)
    assert (str(duty.state), duty.due_at, duty.opened_by.id) == (
        "missed",
        us("2026-03-03T09:00:00-06:00"),
        "X1-15:00",
    )


def test_a_duty_is_cancelled_when_its_subject_no_longer_asks_for_it() -> None:
    """The bottle was found: nothing is owed any more, and nothing held against anybody."""
    duty = one(REPORT, [shortage("09:00", "theft"), shortage("15:00", "explained")], LATER)
    assert (str(duty.state), duty.outcome, duty.closed_by) == ("cancelled", None, "X1-15:00")


def test_a_duty_that_is_asked_for_again_stands_again() -> None:
    """Present state is the newest, not the first."""
    states = [shortage("09:00", "theft"), shortage("15:00", "explained"), shortage("16:00", "theft")]
    assert state(REPORT, states, LATER) == "missed"
    assert state(REPORT, [*states, report("17:00")], LATER) == "met"


def test_due_follows_the_present_state() -> None:
    """A later event about the same discrepancy that moves the discovery moves the deadline; there is still one duty."""
    states = [shortage("09:00", "theft"), shortage("15:00", "theft", discovered_at="12:00")]
    duty = one(REPORT, states, LATER)
    assert (duty.due_at, duty.opened_by.id) == (us("2026-03-03T12:00:00-06:00"), "X1-09:00")


def test_the_same_duty_keeps_its_id() -> None:
    """However it stands and whenever it is asked for, a duty is known by rule, subject and start."""
    ids = {
        one(REPORT, [shortage("09:00", "theft"), *more], at).id
        for more in ([], [report("17:00")])
        for at in ("20:00", LATER)
    }
    assert len(ids) == 1


# ---- several closings

FORM = {"event": "monitoring_form", "by": ["session"], "due": "event.occurred_at + duration('2h')"}
LEAVING = {"event": "discharge", "by": ["session"], "due": "event.occurred_at + duration('4h')"}


def leaving(at: str) -> dict[str, Any]:
    return entry("discharge", at)


@pytest.mark.parametrize(
    ("closers", "now", "any_of", "all_of"),
    [
        ([], "10:00", ("open", "13:00"), ("open", "11:00")),
        ([], "12:00", ("open", "13:00"), ("missed", "11:00")),
        ([], "14:00", ("missed", "13:00"), ("missed", "11:00")),
        ([form("10:00")], "12:00", ("met", "11:00"), ("open", "13:00")),
        ([form("10:00"), leaving("12:30")], "14:00", ("met", "13:00"), ("met", "11:00")),
        ([form("12:00")], "12:30", ("open", "13:00"), ("met_late", "11:00")),
        ([form("12:00")], "14:00", ("met_late", "11:00"), ("missed", "13:00")),
        ([leaving("12:30")], "14:00", ("met", "13:00"), ("missed", "11:00")),
        ([form("12:00"), leaving("12:30")], "14:00", ("met", "13:00"), ("met_late", "11:00")),
    ],
)
def test_any_of_and_all_of(
    closers: list[dict[str, Any]], now: str, any_of: tuple[str, str], all_of: tuple[str, str]
) -> None:
    """Any of: the best of its parts, and of equals the one with most time. All of: the worst, and of equals the first that was due."""
    for form_, expected in (("any_of", any_of), ("all_of", all_of)):
        for parts in ([FORM, LEAVING], [LEAVING, FORM]):
            duty = one(rule(on="administration", expect={form_: parts}), [DOSE, *closers], now)
            assert (str(duty.state), duty.due_at) == (expected[0], us(expected[1])), form_


# ---- what counts, and when


def test_the_instant_that_counts_may_be_another_field() -> None:
    """`at: it.submitted_at`: written at ten, sent at half past eleven is late; not sent yet is not done."""
    sent = expecting("event.occurred_at + duration('2h')", closing={"at": "it.submitted_at"})
    assert state(sent, [DOSE, form("10:00", submitted_at="10:30")], "12:00") == "met"
    assert state(sent, [DOSE, form("10:00", submitted_at="11:30")], "12:00") == "met_late"
    assert state(sent, [DOSE, form("10:00", submitted_at="11:30")], "11:20") == "missed"
    assert state(sent, [DOSE, form("10:00")], "12:00") == "missed"


def test_what_may_not_meet_the_condition_closes_nothing() -> None:
    """Only an event that certainly meets `where` closes; one that lacks what is asked does not."""
    checked = expecting("event.occurred_at + duration('2h')", closing={"where": "it.provider == 'N1'"})
    assert state(checked, [DOSE, form("10:00", provider="N1")], "12:00") == "met"
    assert state(checked, [DOSE, form("10:00", provider="N2")], "12:00") == "missed"
    assert state(checked, [DOSE, form("10:00")], "12:00") == "missed"


def test_a_late_entry_that_proves_it_was_in_time_clears_the_miss() -> None:
    """What counts is when it occurred, not when it was entered."""
    entered = form("10:30", recorded_at="2026-03-05T09:00:00-06:00")
    assert one(ELAPSED, [DOSE], "12:00").outcome is not None
    assert state(ELAPSED, [DOSE, entered], "2026-03-06T09:00:00-06:00") == "met"


def test_a_voided_opening_owes_nothing_and_a_voided_closing_closes_nothing() -> None:
    """Duties are derived from what stands."""
    void = entry("void", "11:00", id="v", corrects="d1", reason="entered twice")
    assert found(ELAPSED, [DOSE, void], "12:00") == []
    assert state(ELAPSED, [DOSE, form("10:00", id="f"), {**void, "corrects": "f"}], "12:00") == "missed"
    moved = {"name": "occurred_at", "old": json.dumps(when("10:00")), "new": json.dumps(when("11:30"))}
    correction = entry("correction", "12:00", corrects="f", reason="typed wrongly", fields=[moved])
    assert state(ELAPSED, [DOSE, form("10:00", id="f"), correction], "12:00") == "met_late"


def test_a_due_that_the_data_does_not_say_is_an_indeterminate_finding() -> None:
    """Nobody can say when it is due: that is said, with the field that would decide it, as written in the rule."""
    after = expecting("event.completed_at + duration('2h')")
    duty = one(after, [entry("administration", "09:00", id="d1"), form("10:00")], "12:00")
    assert (str(duty.state), str(duty.outcome), duty.due_at) == ("open", "indeterminate", None)
    assert duty.because == {"event.completed_at": "missing"}
    assert one(after, [DOSE, form("10:00")], "12:00").outcome is None
    chained = expecting(
        "dose.completed_at + days(1)",
        on="discharge",
        given={"dose": {"latest": "administration", "by": ["session"]}},
    )
    assert one(chained, [entry("administration", "09:00"), leaving("10:00")], "12:00").because == {
        "dose.completed_at": "missing"
    }


def test_where_nobody_can_say_whether_the_rule_applies() -> None:
    """An unknown `when` is an indeterminate finding, unless what might be owed was done in time."""
    asked = expecting("event.occurred_at + duration('2h')", when="event.observer == 'N1'")
    assert str(one(asked, [DOSE], "10:00").outcome) == "indeterminate"
    assert str(one(asked, [DOSE], "12:00").outcome) == "indeterminate"
    assert one(asked, [DOSE], "12:00").because["event.observer"] == "missing"
    assert one(asked, [DOSE, form("10:00")], "12:00").outcome is None
    assert found(asked, [{**DOSE, "observer": "N2"}], "12:00") == []
    assert str(one(asked, [{**DOSE, "observer": "N1"}], "12:00").outcome) == "fail"


def test_a_rule_owes_nothing_for_events_before_it_was_in_force() -> None:
    """The law's date, in the site's zone: half past eleven at night on the day before is before."""
    new = expecting("event.occurred_at + duration('2h')", in_force={"from": "2026-03-02"})
    assert found(new, [entry("administration", "2026-03-02T05:30:00Z", id="d1")], "12:00") == []
    assert len(found(new, [entry("administration", "2026-03-02T06:00:00Z", id="d1")], "12:00")) == 1
