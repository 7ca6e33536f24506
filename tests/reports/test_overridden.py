"""Overrides on the day: who gave them, against what, what came of them, and who gives many."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compliance.reports.page import Level
from compliance.reports.sections.overridden import overrides
from tests.recording import body, fresh_log, judge, put_in_force, record, void
from tests.reports.nights import night_of

JUDGE = judge("CONSENTED")
PROFILE = body("site_profile", "2025-10-01T09:00:00-06:00")


def asked(number, day="2026-03-03"):
    return body(
        "administration",
        f"{day}T08:30:00-06:00",
        id=f"asked-{number}",
        intent="proposed",
        dose_mg="28",
        entered_at=f"{day}T08:30:00-06:00",
    )


def let(number, day="2026-03-03", giver="M1", approver="M2", **fields):
    return body(
        "override", f"{day}T08:40:00-06:00", id=f"override-{number}", overrides_event=f"asked-{number}", requirements=["CONSENT"], actor=giver,
        justification="life at risk", approved_by=approver, entered_at=f"{day}T08:40:00-06:00", **fields,
    )  # fmt: skip


def done(number, day="2026-03-03"):
    return body(
        "administration",
        f"{day}T09:00:00-06:00",
        id=f"done-{number}",
        proposal=f"asked-{number}",
        dose_mg="28",
        entered_at=f"{day}T09:05:00-06:00",
    )


def told(*events, date="2026-03-03", judged_by=JUDGE, **changes):
    """The section on a day of a log with these events."""
    with fresh_log() as log:
        put_in_force(log, judged_by.bundle)
        record(log, judged_by, PROFILE, *events)
        night = night_of(log, date, "S1")
        return overrides(replace(night, **{name: value(log) for name, value in changes.items()}))


def test_an_override_is_told_with_who_gave_it_and_what_it_let_go_on():
    """Giver, approver, denied act, requirement, rule, and the entries of all three; why it was given stays in the vault."""
    section = told(asked(1), let(1), done(1))
    (item,) = section.items
    assert item.title == "M1 let administration asked-1 go on against CONSENT, approved by M2; used."
    assert (item.level, item.rule, item.event, item.todo) == (Level.NOTICE, "consented", "override-1", "")
    assert item.values["expires"] == "never" and item.values["by M1 in 90 days"] == "1"
    assert item.where == "given 2026-03-03T08:40:00-06:00, done 2026-03-03T09:00:00-06:00"
    assert len(item.entries) == 3 and "life at risk" not in str(section)
    (row,) = section.tables[0].rows
    assert row[3:7] == ("2026-03-03T08:40:00-06:00", "M1", "M2", "no") and row[11] == "used"
    assert section.tables[1].rows == (("M1", 1, 0, 0, 1, 0), ("M2", 0, 1, 0, 0, 0))


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "not yet used"),
        ({"expires_at": "2026-03-04T00:00:00-06:00"}, "not yet used"),
        ({"expires_at": "2026-03-03T23:59:00-06:00"}, "expired unused"),
    ],
)
def test_what_was_not_used_is_said_to_be_open_or_over(fields, state):
    """At the end of the night's day."""
    (item,) = told(asked(1), let(1, **fields)).items
    assert item.values["state"] == state and item.title.endswith(f"{state}.")


def test_an_override_is_told_on_the_day_it_is_given_and_on_the_day_it_is_used():
    """On no other; a void one on none."""
    events = [asked(1, "2026-03-02"), let(1, "2026-03-02"), done(1, "2026-03-04")]
    assert [len(told(*events, date=f"2026-03-0{day}").items) for day in range(1, 6)] == [0, 1, 0, 1, 0]
    assert told(*events[:2], void(events[1], "V"), date="2026-03-02").items == ()


def test_an_override_from_before_the_window_is_told_when_it_is_used():
    """It is found by its name."""
    section = told(asked(1, "2025-11-02"), let(1, "2025-11-02"), done(1))
    assert [item.event for item in section.items] == ["override-1"]
    assert section.tables[1].rows == (), "it was not given in the ninety days"


def test_what_was_recorded_since_the_last_report_is_news():
    """An override of last week that was uploaded today."""
    events = [asked(1, "2026-02-24"), let(1, "2026-02-24")]
    assert told(*events).items == ()
    assert len(told(*events, new_from=lambda log: log.by_event_id("asked-1")).items) == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"emergency": True}, "Have it reviewed"),
        ({"emergency": True, "reviewed_by": "M3"}, ""),
        ({"approver": "M1"}, "Giver and approver are one person"),
    ],
)
def test_what_nobody_else_has_looked_at_is_to_be_looked_at(fields, words):
    """An emergency that was not reviewed, and an override that its giver approved."""
    (item,) = told(asked(1), let(1, **fields)).items
    assert item.todo.startswith(words) and bool(item.todo) == bool(words)
    assert item.level is (Level.ACTION if words else Level.NOTICE)


def test_who_gives_many_is_told_so():
    """Five in ninety days, and more than half of all; four are not many, nor are five of ten."""

    def given(mine, others):
        days = [(number, "M1") for number in range(mine)] + [
            (100 + number, f"X{number}") for number in range(others)
        ]
        made = [event for number, giver in days for event in (asked(number), let(number, giver=giver))]
        (item,) = (one for one in told(*made).items if one.event == "override-0")
        return item

    assert "M1 gave 5 of 6 overrides in 90 days" in given(5, 1).todo
    assert not given(4, 1).todo and not given(5, 5).todo


def test_an_override_that_was_only_proposed_is_none():
    """Somebody asked whether it would be allowed."""
    assert told(asked(1), let(1, intent="proposed")).items == ()


def test_a_proposal_that_the_log_does_not_know_is_told_by_its_id():
    """The override says what it was about; nothing can be said of rules."""
    (item,) = told(let(7)).items
    assert (
        item.title.startswith("M1 let an act that the log does not know (asked-7) go on")
        and item.values["rules"] == "none"
    )


def test_the_rules_are_those_that_denied_it_and_keep_the_requirement():
    """An override of another requirement set nothing aside."""
    other = let(1) | {"requirements": ["SOMETHING-ELSE"]}
    (item,) = told(asked(1), other).items
    assert item.values["rules"] == "none"
    both = let(1) | {"requirements": ["CONSENT", "PRESSURE-FIRST"]}
    (item,) = told(asked(1), both, judged_by=judge("CONSENTED", "PRESSURE")).items
    assert item.values["rules"] == "consented", "a warning denies nothing"


def test_a_proposal_that_was_judged_again_is_told_by_its_last_judgement():
    """The consent came late, so nothing stands against the act any more."""
    consent = body(
        "consent", "2026-03-03T08:00:00-06:00", action="given", entered_at="2026-03-03T12:00:00-06:00"
    )
    (item,) = told(asked(1), let(1), consent).items
    assert item.values["rules"] == "none"


@pytest.mark.parametrize("date", ["2026-03-05", "2026-03-09"])
def test_the_demonstration_has_no_override(clinic, date):
    """A dose was denied there, and waited for."""
    section = overrides(night_of(clinic, date))
    assert (section.level, section.summary, section.items) == (
        Level.GOOD,
        "No override was given or used.",
        (),
    )
