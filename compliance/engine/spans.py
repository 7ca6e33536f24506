"""Spans: how much of one nobody covers, and its longest stretch without an event (policy-language.md, "Facts").

The facts behind "a prescriber is on site throughout" and "no unobserved gap". An interval without an end is still open. A candidate of
which nobody can say whether it counts makes the fact unknown where it would change the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, TypeAlias

from compliance.domain.event import Event
from compliance.domain.values import UNKNOWN

INTERVALS: Final = {
    "presence": ("arrived_at", "left_at"),
    "employment": ("started_at", "ended_at"),
    "access_change": ("starts_at", "ends_at"),
    "administration": ("occurred_at", "completed_at"),
    "site_certification": ("certified_at", "decertified_at"),
    "system_event": ("occurred_at", "ended_at"),
    "policy_activation": ("effective_at", "superseded_at"),
}
"""The fields in which a kind says from when to when it held; an event of any other kind is an instant."""

Span: TypeAlias = tuple[int, int]
Judged: TypeAlias = tuple[Event, Any]
"""An event, and whether it meets the condition: true, false or UNKNOWN."""


def uncovered(start: int, end: int, events: Iterator[Judged]) -> Any:
    """Microseconds of the span that lie in no interval; as soon as nothing is left, nobody else is looked at."""
    certain, possible = [(start, end)] if start < end else [], [(start, end)] if start < end else []
    for event, holds in events:
        if not certain:
            break
        interval = _interval(event)
        if holds is False or interval is None:
            continue
        possible = _without(possible, interval)
        if holds is True:
            certain = _without(certain, interval)
    return _length(certain) if _length(certain) == _length(possible) else UNKNOWN


def largest_gap(start: int, end: int, events: Iterator[Judged]) -> Any:
    """Microseconds of the longest stretch between start, events and end."""
    certain, possible = {start, end}, {start, end}
    for event, holds in events:
        if start <= event.occurred_at <= end and holds is not False:
            possible.add(event.occurred_at)
            if holds is True:
                certain.add(event.occurred_at)
    gap = _widest(sorted(certain))
    return gap if gap == _widest(sorted(possible)) else UNKNOWN


def _interval(event: Event) -> tuple[int, int | None] | None:
    fields = INTERVALS.get(event.kind)
    if fields is None or fields[0] not in event.values:
        return None
    return event.values[fields[0]], event.values.get(fields[1])


def _without(spans: list[Span], interval: tuple[int, int | None]) -> list[Span]:
    start, end = interval
    left: list[Span] = []
    for first, last in spans:
        if first < start:
            left.append((first, min(last, start)))
        if end is not None and end < last:
            left.append((max(first, end), last))
    return [span for span in left if span[0] < span[1]]


def _length(spans: Sequence[Span]) -> int:
    return sum(last - first for first, last in spans)


def _widest(instants: Sequence[int]) -> int:
    return max((later - earlier for earlier, later in pairwise(instants)), default=0)
