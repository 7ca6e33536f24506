"""Events as the ninety days show them, without a log: for tests of what is gathered from them and asked."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from compliance.bundles import Bundles
from compliance.domain.event import Event
from compliance.domain.making import make_event, stamp
from compliance.domain.time import end_of_local_day, local_date, parse_date
from compliance.ledger.log import Log
from compliance.policy.fill import ZONE
from compliance.reports.night import Night, SiteDay
from compliance.reports.page import Item, Level
from compliance.reports.window import Seen
from tests.recording import body, shipped

CREW: Final = ("P-01", "P-02", "P-03", "P-04", "P-05")
ACCUSING: Final = re.compile(
    r"thef|steal|stole|diver|suspect|suspicio|guilt|crime|fraud|accus|abuse", re.IGNORECASE
)
_positions = itertools.count(1)


def seen(kind: str, at: str, findings: Sequence[Mapping[str, Any]] = (), **fields: Any) -> Seen:
    """One event in the zone of the case files, noted when it occurred; `at` is a time of 2026-03-02 or an instant."""
    made = make_event(body(kind, at, **fields))
    assert isinstance(made, Event), made
    event = stamp(made, made.occurred_at, next(_positions))
    return Seen(event, local_date(event.occurred_at, ZONE), "compliant", findings, late=False)


def gathered(gatherer: Any, events: Iterable[Seen]) -> Any:
    """A gatherer that has taken those of the events that are of its kinds."""
    for one in events:
        if gatherer.kinds is None or one.event.kind in gatherer.kinds:
            gatherer.take(one)
    return gatherer


def a_night(log: Log, date: str, *sites: str) -> Night:
    """A night under the shipped policies at made-up sites; what the log holds is of no matter."""
    day = parse_date(date)
    days = tuple(
        SiteDay(one, ZONE, True, end_of_local_day(day - 1, ZONE), end_of_local_day(day, ZONE))
        for one in sites or ("S1",)
    )
    return Night(log, Bundles(log, written=False), shipped(), day, log.size, log.size, days)


def titles(items: Iterable[Item]) -> list[str]:
    """What is asked or said."""
    return [item.title for item in items]


def day(number: int, time: str = "08:00") -> str:
    """A time of one of ninety days, all in winter; the first is 2026-01-01."""
    month, of_month = divmod(number, 28)
    return f"2026-{1 + month:02}-{1 + of_month:02}T{time}:00-06:00"


def shift(person: str, number: int, arrived: str = "08:00", left: str = "16:00", **fields: Any) -> Seen:
    """A stretch at work on a day."""
    came, went = day(number, arrived), day(number, left)
    return seen(
        "presence", came, person=person, shift=f"{person}-{number}", arrived_at=came, left_at=went, **fields
    )


def shifts_of(people: Sequence[str] = CREW, days: int = 10) -> list[Seen]:
    """Eight hours a day of each."""
    return [shift(person, number) for person in people for number in range(days)]


def require_harmless(items: Iterable[Item]) -> None:
    """Every question ends with a question mark, is a notice, has its entries, says what may be harmless, and has no word that accuses."""
    for item in items:
        assert item.title.startswith("Why ") and item.title.endswith("?")
        assert item.level is Level.NOTICE and item.entries and "It may be harmless: " in item.todo
        assert not ACCUSING.search(str(item))
