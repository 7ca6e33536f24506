"""The last ninety days in one pass: every event of the sites covered, as it now stands, with how it was last judged.

Sections that look at a span of time, not at a day, share one reading (`compliance.reports.quarter`). The events of a span lie nearly side by
side in the log, so they are read in stretches, wherever the index of look-up keys says that there is one; what came late or early is read
where it is. What a reading costs depends on what occurred in the ninety days, not on what the log holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from compliance.continuation import decision_at
from compliance.domain.event import Event
from compliance.domain.findings import decision_json
from compliance.domain.lookup import EVERY, key_of
from compliance.domain.making import event_from_log
from compliance.domain.time import end_of_local_day, local_date
from compliance.domain.vocabulary import KINDS
from compliance.ledger.entry import Entry
from compliance.reports.lateness import is_late
from compliance.reports.night import Night

DAYS: Final = 90
"""How far back trends and questions look, the report's day included."""

_STRETCH: Final = 2000
"""Entries read at once; some three megabytes."""
_GAP: Final = 16
"""Entries of no interest that are read over rather than begin another stretch: a look-up by index costs about as much."""


class Seen(NamedTuple):
    """One event of the window as it stands: the local date at its site when it occurred, its last judgement (the verdict, and the findings as
    the log keeps them), and whether it came late."""

    event: Event
    day: int
    verdict: str
    findings: Sequence[Mapping[str, Any]]
    late: bool

    @property
    def idx(self) -> int:
        """Its entry."""
        return self.event.position


def first_day(night: Night) -> int:
    """The first of the ninety days (an ordinal)."""
    return night.day - DAYS + 1


def seen(night: Night) -> Iterator[Seen]:
    """Every event of the window that stands, performed or proposed, in the order of the log."""
    begins = _begins(night)
    for entry, named in _entries(night, min(begins.values())):
        one = _seen(night, entry, named)
        if one is not None and one.event.occurred_at >= begins[one.event.values["site"]]:
            yield one


def older(night: Night) -> Iterator[Seen]:
    """Events from before the window that were recorded since the report of the night before, in the order of the log; none where there was no
    report yet, since then all would be."""
    begins = _begins(night)
    for start in range(night.new_from or night.size, night.size, _STRETCH):
        for entry, named in night.log.entries_named(start, min(start + _STRETCH, night.size)):
            if entry.type == "event" and (named or (entry.occurred_us or 0) < max(begins.values())):
                one = _seen(night, entry, named)
                if one is not None and one.event.occurred_at < begins[one.event.values["site"]]:
                    yield one


def _begins(night: Night) -> dict[str, int]:
    """The first instant of the window at each site."""
    return {one.site: end_of_local_day(first_day(night) - 1, one.zone) for one in night.sites}


def _seen(night: Night, entry: Entry, named: bool) -> Seen | None:
    """The event of an entry, where it stands, at a site covered, and occurred before its site's day was over."""
    document = orjson.loads(entry.body)
    decision, idx = document["decision"], entry.idx
    event: Event | None
    if named:
        event = night.history.stands(str(entry.event_id))
        last = (rejudgements(night, str(entry.event_id)) or [entry])[-1]
        decision, idx = last.document()["decision"], last.idx
    else:
        event = event_from_log(document["event"], entry.recorded_us, entry.idx)
    if event is None or not night.covers(event.values["site"]):
        return None
    place = night.of(event.values["site"])
    if event.occurred_at >= place.ends:
        return None
    findings: Sequence[Mapping[str, Any]] = decision["findings"]
    if decision.get("continued"):
        findings = decision_json(decision_at(night.log, idx))["findings"]
    day = local_date(event.occurred_at, place.zone)
    return Seen(event, day, decision["verdict"], findings, is_late(night, event))


def rejudgements(night: Night, event_id: str) -> list[Entry]:
    """The entries by which an event was judged again, as the night knows them, in order."""
    entries = (night.log.entry(idx) for idx in night.log.naming(event_id))
    return [entry for entry in entries if entry.type == "rejudgement" and entry.idx < night.size]


def _entries(night: Night, since: int) -> Iterator[tuple[Entry, bool]]:
    """The entries whose event, as sent or as corrected, occurred in the window."""
    last = night.ends - 1
    rows = (row for kind in KINDS for row in night.log.key_scan(key_of(kind, EVERY, ""), last, since))
    wanted = {idx for _, idx in rows if idx < night.size}
    for start, stop in _stretches(sorted(wanted)):
        for entry, named in night.log.entries_named(start, stop):
            # A look-up key may be shared by chance, with an entry of another type.
            if entry.idx in wanted and entry.type == "event" and (named or night.covers(str(entry.site))):
                yield entry, named


def _stretches(wanted: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where to read: from an index up to but not including another."""
    at = 0
    while at < len(wanted):
        start = last = wanted[at]
        while at < len(wanted) and wanted[at] - last <= _GAP and wanted[at] - start < _STRETCH:
            last = wanted[at]
            at += 1
        yield start, last + 1
