"""The law of compliance.reports.agenda: gone on from night to night, it gives what the whole log gives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.bundles import Bundles
from compliance.domain.event import Event
from compliance.domain.making import make_event
from compliance.domain.time import parse_date
from compliance.engine.duties import Duty, DutyState, duties
from compliance.engine.judging import Judge
from compliance.ledger.agenda import AgendaTables
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.policy.fill import fill
from compliance.reports.agenda import Agenda
from compliance.reports.night import Night, days_of
from tests.properties.test_history_agreement import recorded, recorded_in_postgresql
from tests.properties.timelines import instant, timelines
from tests.recording import body, bundle, correction, draft, record, rule, void

FIRST = parse_date("2026-03-06")
SUBJECTS = (
    "administration", "administration", "vital_signs", "discharge", "presence", "consent", "wastage", "assessment",
)  # fmt: skip


def deadline(rule_id: str, on: str, expect: dict[str, Any], **more: Any) -> dict[str, Any]:
    made = {key: value for key, value in rule(rule_id, on, "true", **more).items() if key != "require"}
    case = {"name": "any", "event": {"kind": on}, "now": instant(0), "expect": "not_applicable"}
    return {**made, "expect": expect, "cases": [case]}


LEFT = {"event": "discharge", "by": ["session"], "due": "administration.occurred_at + duration('2h')"}
PRESSED = {"event": "vital_signs", "by": ["patient"], "due": "event.occurred_at + duration('6h')"}
GONE = {
    "event": "presence", "by": ["shift"], "where": "has(it.left_at)", "due": "event.occurred_at + duration('8h')",
}  # fmt: skip
SIGNED = {
    "event": "signature", "where": "it.target_event == event.id", "due": "local_date(event.occurred_at)",
}  # fmt: skip
PRESSURES = {"latest": "vital_signs", "by": ["patient"]}
RULES = (
    deadline("left", "administration", LEFT, per=["session"]),
    deadline(
        "pressed", "administration", PRESSED, given={"last": PRESSURES},
        when="last == null || last.systolic_mmhg > 120",
    ),
    deadline("gone", "presence", GONE, when="presence.on_premises"),
    deadline("either", "consent", {"any_of": [PRESSED, {**PRESSED, "event": "assessment"}]}, when="consent.action == 'withdrawn'"),
    deadline("signed", "wastage", SIGNED),
    deadline("both", "discharge", {"all_of": [PRESSED, {**PRESSED, "event": "clinical_decision", "by": []}]}),
    deadline(
        "soon", "assessment", PRESSED, when="soon == null",
        given={"soon": {"any": "vital_signs", "by": ["patient"], "after": "duration('3h')"}},
    ),
)  # fmt: skip
JUDGE = Judge(bundle(*RULES))


def night(log: Log, day: int, size: int, zones: bool) -> Night:
    history = LogHistory(log, before=size)
    days = days_of(history, day, ("S1", "S2") if zones else ())
    return Night(log, Bundles(log), JUDGE, day, size, size, days)


def told(found: Iterable[Duty]) -> set[tuple[Any, ...]]:
    return {
        (one.id, one.opened_by.id, str(one.state), one.due_at, one.closed_by, one.certain) for one in found
    }


def profile(site: str) -> Event:
    at = "2026-01-01T00:00:00Z"
    body = {
        "kind": "site_profile",
        "occurred_at": at,
        "entered_at": at,
        "site": site,
        "time_zone": "America/Chicago",
    }
    made = make_event(fill({"id": f"profile-{site}", **body}))
    assert isinstance(made, Event), made
    return made


def expected(made: Night) -> set[tuple[Any, ...]]:
    """What the engine says of the whole log: both sites are in one zone, so one instant ends their day."""
    (ends,) = {made.day_at(site).ends for site in ("S1", "S2")}
    every = duties(JUDGE, made.history, ends - 1)
    open_ones = [one for one in every if one.state in (DutyState.OPEN, DutyState.MISSED)]
    begins = made.day_at("S1").begins
    closed = [
        one
        for one in duties(JUDGE, made.history, ends - 1)
        if one.state in (DutyState.MET, DutyState.MET_LATE)
        and begins <= made.history.stands(one.closed_by or "").occurred_at < ends  # type: ignore[union-attr]
    ]
    return told([*open_ones, *closed])


def run(log: Log, events: list[Event], steps: list[tuple[int, int]]) -> None:
    """Some events come, a night is looked at; the days go on, or stay."""
    remaining, day = list(events), FIRST
    for count, days in [*steps, (len(events), 1)]:
        some, remaining = remaining[:count], remaining[count:]
        record(log, JUDGE, *(draft(event.body) for event in some))
        day += days
        made = night(log, day, log.size, zones=True)
        assert told(Agenda(made).duties()) == expected(made)
        reached = AgendaTables(log).reached()
        assert reached is not None
        assert (reached.day, reached.size, reached.whole) == (day, log.size, True)


STEPS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), max_size=4)
PROFILES = [profile("S1"), profile("S2")]


@settings(max_examples=40)
@given(timelines(16, SUBJECTS), STEPS, st.randoms(use_true_random=False))
def test_night_by_night_it_gives_what_the_whole_log_gives(events: list[Event], steps: Any, rng: Any) -> None:
    """Whatever comes late, corrects or voids: the law, on SQLite."""
    rng.shuffle(events)
    with recorded(PROFILES) as log:
        run(log, events, steps)


@settings(max_examples=2)
@given(timelines(16, SUBJECTS), STEPS)
def test_the_same_in_postgresql(events: list[Event], steps: Any) -> None:
    with recorded_in_postgresql(PROFILES) as log:
        run(log, events, steps)


P, T = {"patient": "P1", "site": "S1"}, {"patient": "P1", "session": "T1", "site": "S1"}
DOSE = body("administration", instant(60), id="dose", **T)
HIGH = body("vital_signs", instant(30), id="high", systolic_mmhg=150, **P)
LOW = body("vital_signs", instant(40), id="low", systolic_mmhg=100, **P)
AFTER = body("vital_signs", instant(90), id="after", **P)
GOES = body("discharge", instant(120), id="goes", **T)
STRAY = body("discharge", instant(120), id="stray", **{**T, "session": "T2"})
WASTE = body("wastage", instant(60), id="waste", site="S1")
SIGNS = body("signature", instant(90), id="signs", site="S1", target_event="waste")


@pytest.mark.parametrize(
    ("first", "late"),
    [
        ([DOSE, GOES], void(GOES, "v", at=instant(130))),
        ([DOSE, GOES], correction(GOES, "c", ("session", "T1", "T2"), at=instant(130))),
        ([DOSE, GOES], correction(GOES, "c", ("occurred_at", GOES["occurred_at"], instant(600)), at=instant(130))),
        ([DOSE, GOES], correction(DOSE, "c", ("session", "T1", "T2"), at=instant(130))),
        (
            [DOSE, STRAY, correction(STRAY, "c", ("session", "T2", "T1"), at=instant(130))],
            correction(STRAY, "d", ("session", "T1", "T3"), at=instant(140)),
        ),
        ([DOSE, LOW, GOES], void(LOW, "v", at=instant(130))),
        ([DOSE, LOW, GOES], body("vital_signs", instant(50), id="late", systolic_mmhg=151, **P)),
        ([HIGH, DOSE, AFTER, GOES], correction(AFTER, "c", ("patient", "P1", "P2"), at=instant(130))),
        ([WASTE, SIGNS], void(SIGNS, "v", at=instant(130))),
        ([WASTE, SIGNS], correction(SIGNS, "c", ("target_event", "waste", "other"), at=instant(130))),
    ],
)  # fmt: skip
def test_what_comes_late_changes_what_was_settled(first: list[Any], late: Any) -> None:
    """Days after all was met, an event, a correction or a void comes: as if it had been there, and something did change."""
    with recorded(PROFILES) as log:
        record(log, JUDGE, *first)
        before = expected(night(log, FIRST + 5, log.size, zones=True))
        Agenda(night(log, FIRST + 5, log.size, zones=True)).duties()
        record(log, JUDGE, late)
        made = night(log, FIRST + 5, log.size, zones=True)
        assert told(Agenda(made).duties()) == expected(made) != before


def test_an_earlier_night_is_derived_from_the_log_alone() -> None:
    """What the agenda holds of later days is not shown, and stays."""
    with recorded(PROFILES) as log:
        record(log, JUDGE, DOSE)
        early = night(log, FIRST + 1, log.size, zones=True)
        Agenda(night(log, FIRST + 5, log.size, zones=True)).duties()
        assert told(Agenda(early).duties()) == expected(early) != set()
        reached = AgendaTables(log).reached()
        assert reached is not None
        assert reached.day == FIRST + 5


@pytest.mark.parametrize(
    "wrong", [{"root": bytes(32)}, {"bundle": "other"}, {"whole": False}, {"size": 10**6}]
)
def test_what_cannot_be_gone_on_from_is_made_anew(wrong: dict[str, Any]) -> None:
    """Another log's, other policies', half-made: rows that are not this log's are never believed."""
    with recorded(PROFILES) as log:
        record(log, JUDGE, DOSE, GOES)
        made = night(log, FIRST + 5, log.size, zones=True)
        found = told(Agenda(made).duties())
        tables = AgendaTables(log)
        reached = tables.reached()
        assert reached is not None
        with log.writing():
            # Sealed all the same, so that it is not the seal that tells.
            log.driver.execute("UPDATE duty SET state = 'met'")
            changed = reached._replace(**wrong)
            tables.reach(changed._replace(seal=tables.digest(changed)))
        assert told(Agenda(made).duties()) == found != set()


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM duty",
        "UPDATE duty SET state = 'met'",
        "DELETE FROM duty_key",
        "UPDATE agenda SET day = day - 1",
    ],
)
def test_rows_that_were_changed_are_not_believed(change: str) -> None:
    """The seal does not fit: everything is found out again."""
    with recorded(PROFILES) as log:
        record(log, JUDGE, DOSE, GOES)
        made = night(log, FIRST + 5, log.size, zones=True)
        Agenda(made).duties()
        with log.writing():
            log.driver.execute(change)
        record(log, JUDGE, void(GOES, "v", at=instant(130)))
        later = night(log, FIRST + 5, log.size, zones=True)
        assert told(Agenda(later).duties()) == expected(later) != set()


def test_two_runs_at_once_both_tell_the_truth() -> None:
    """A run that another one overtakes writes no more, and says what the log says; the other's agenda is whole."""
    with recorded(PROFILES) as log:
        record(log, JUDGE, DOSE, GOES)
        made, later = (night(log, FIRST + days, log.size, zones=True) for days in (1, 5))
        overtaken: list[list[Duty]] = []

        def overtake(done: int, _: int) -> None:
            if done > 1 and not overtaken:
                overtaken.append(Agenda(later).duties())

        assert told(Agenda(made, overtake).duties()) == expected(made)
        assert told(overtaken[0]) == expected(later)
        reached = AgendaTables(log).reached()
        assert reached is not None
        assert (reached.day, reached.whole) == (FIRST + 5, True)


def test_asked_twice_it_tells_the_same() -> None:
    """What was done on the day is told again, though nothing came since."""
    with recorded(PROFILES) as log:
        record(log, JUDGE, DOSE, GOES)
        made = night(log, FIRST + 1, log.size, zones=True)
        assert told(Agenda(made).duties()) == told(Agenda(made).duties()) == expected(made)
        assert "met" in {state for _, _, state, *_ in expected(made)}
