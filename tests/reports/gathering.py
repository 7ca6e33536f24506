"""Events as the ninety days show them, without a log: for tests of what is gathered from them and asked."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from compliance.bundles import Bundles
from compliance.domain.event import Event
from compliance.domain.making import make_event, stamp
from compliance.domain.time import end_of_local_day, local_date, parse_date
from compliance.ledger.log import Log
from compliance.policy.fill import ZONE
from compliance.reports.night import Night, SiteDay
from compliance.reports.page import Item
from compliance.reports.window import Seen
from tests.recording import body, shipped

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
