"""The history over the log: events as they now stand, found through the index of look-up keys.

It satisfies the engine's `History` without knowing it. A look-up costs what it finds: one range scan of ``event_key`` under its key,
newest first, and one read for each event that was not met before; who goes far back is given many events at a time. An index row may be out
of date (its event was corrected away from the key) or collide with another key; the event itself decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, TypeAlias

from compliance.domain.corrections import standing
from compliance.domain.event import Event
from compliance.domain.lookup import EVERY, ID, NAMES, key_of, under_id
from compliance.domain.making import event_from_log
from compliance.domain.vocabulary import KINDS, event_reference_fields
from compliance.ledger.entry import Entry
from compliance.ledger.log import Log
from compliance.ledger.statements import NEWEST, WIDE

CACHED_EVENTS: Final = 50_000
"""Events kept in memory; an event is about 4 KB."""

FEW: Final = 4
"""Rows of a key whose events are read one by one: most look-ups want the newest alone."""

Row: TypeAlias = tuple[int, int]


class LogHistory:
    """Events of a log. `before` leaves out entries from that index on: what was known when that entry was written."""

    def __init__(self, log: Log, before: int | None = None) -> None:
        self._log = log
        self._before = before
        self._standing: dict[int, Event | None] = {}
        self._sent: dict[int, Event] = {}
        self._ids: dict[str, int] = {}
        self._ahead: dict[int, list[Row]] = {}
        self._wide: set[int] = set()  # keys with more rows than are worth reading ahead again and again

    def newest_first(
        self, kind: str, field: str, value: str, until: int | None, since: int | None
    ) -> Iterator[Event]:
        """See `History.newest_first`."""
        if field == ID:
            yield from under_id(self.stands(value), kind, until, since)
            return
        tied: list[Event] = []
        for occurred, idx in self._rows(key_of(kind, field, value), until, since):
            event = self._found(idx, kind, field, value, occurred)
            if event is None:
                continue
            if tied and tied[0].occurred_at != occurred:
                yield from tied if len(tied) == 1 else sorted(tied, key=_order, reverse=True)
                tied = []
            tied.append(event)
        yield from tied if len(tied) == 1 else sorted(tied, key=_order, reverse=True)

    def _rows(self, key: int, until: int | None, since: int | None) -> Iterator[Row]:
        """The rows of a key, newest first. The first are given as they are asked for; for whoever goes on, the events of many are read together."""
        rows = self._from_ahead(key, until, since) if key in self._ahead else None
        if rows is None:
            rows = self._log.key_scan(key, until, since)
        yield from islice(rows, FEW)
        together = FEW
        while some := list(islice(rows, together := min(4 * together, WIDE))):
            self._read([idx for _, idx in some])
            yield from some

    def _from_ahead(self, key: int, until: int | None, since: int | None) -> Iterator[Row]:
        """The same from what was read ahead, and beyond that from the database."""
        known = self._ahead[key]
        for row in known:
            if (until is None or row[0] <= until) and (since is None or row[0] >= since):
                yield row
        if len(known) > NEWEST:
            last = known[-1]
            rest = self._log.key_scan(key, last[0] if until is None else min(last[0], until), since)
            yield from (row for row in rest if row < last)

    def _read(self, idxs: Iterable[int]) -> set[int]:
        """Read the events of some entries together, those that were not met before, and how they stand; gives the idx of those that are events."""
        wanted = [idx for idx in idxs if self._known(idx)]
        met = {idx for idx in wanted if idx in self._sent}
        unread = self._log.entries_among([idx for idx in wanted if idx not in met])
        events = [self._made(entry) for entry in unread if entry.event_id is not None]
        if len(self._sent) + len(events) > CACHED_EVENTS:
            self._forget_all()
        for event in events:
            self._remember(event)
        found = events + [self._sent[idx] for idx in met if idx in self._sent and idx not in self._standing]
        amended = self._log.amended_among([event.id for event in found])
        self._standing.update((event.position, event) for event in found if event.id not in amended)
        return met.union(event.position for event in events)

    def stretch(self, start: int, stop: int) -> Iterator[Event]:
        """The events of the entries from `start` up to but not including `stop` as they now stand, in the log's order, read many together;
        those that were only proposed are among them, void ones are not."""
        for at in range(start, stop, WIDE):
            yield from self.at(range(at, min(at + WIDE, stop)))

    def at(self, idxs: Sequence[int]) -> Iterator[Event]:
        """The events of some entries as they now stand, in that order, read together; void ones are left out."""
        events = self._read(idxs)
        standing = (self._at(idx) for idx in idxs if idx in events)
        yield from (event for event in standing if event is not None)

    def _found(self, idx: int, kind: str, field: str, value: str, occurred: int) -> Event | None:
        event = self._at(idx)
        if event is None or event.kind != kind or event.occurred_at != occurred or event.proposed:
            return None
        if field == EVERY or event.values.get(field) == value:
            return event
        named = field == NAMES and any(
            event.values.get(name) == value for name in event_reference_fields(kind)
        )
        return event if named else None

    def sent(self, event_id: str) -> Event | None:
        """See `History.sent`."""
        idx = self._idx(event_id)
        return None if idx is None else self.recorded(idx)

    def stands(self, event_id: str) -> Event | None:
        """See `History.stands`."""
        idx = self._idx(event_id)
        return None if idx is None else self._at(idx)

    def recorded(self, idx: int) -> Event:
        """The event of an entry as it was sent."""
        event = self._sent.get(idx)
        if event is None:
            event = self._made(self._log.entry(idx))
            self._remember(event)
        return event

    def _made(self, entry: Entry) -> Event:
        document = entry.document()
        return event_from_log(document["event"], entry.recorded_us, entry.idx, document.get("signing"))

    def take(self, event: Event, stands: Event | None) -> None:
        """Keep an event that was just appended, as sent and as it stands, so that it is not read back."""
        self._ahead = {}
        self._remember(event)
        self._standing[event.position] = stands
        if event.kind in ("correction", "void"):
            self.forget(event.values["corrects"])

    def forget(self, event_id: str) -> None:
        """An event was corrected or voided: how it stands is to be found out again, and what a correction stands for with it."""
        seen: set[str] = set()
        following: str | None = event_id
        while following is not None and following not in seen:
            seen.add(following)
            idx = self._idx(following)
            following = None
            if idx is not None:
                self._standing.pop(idx, None)
                following = self.recorded(idx).values.get("corrects")

    def _remember(self, event: Event) -> None:
        if len(self._sent) >= CACHED_EVENTS:
            self._forget_all()
        self._sent[event.position] = event
        self._ids[event.id] = event.position

    def _forget_all(self) -> None:
        self._sent.clear()
        self._ids.clear()
        self._standing.clear()

    def _idx(self, event_id: str) -> int | None:
        known = self._ids.get(event_id)
        if known is None:
            known = self._log.by_event_id(event_id)
        return known if known is not None and self._known(known) else None

    def _known(self, idx: int) -> bool:
        return self._before is None or idx < self._before

    def _at(self, idx: int) -> Event | None:
        if idx in self._standing:
            return self._standing[idx]
        if not self._known(idx):
            return None
        event = standing(self.recorded(idx), self.amendments)
        self._standing[idx] = event
        return event

    def amendments(self, event_id: str) -> Iterator[Event]:
        """The corrections and voids that name an event."""
        for idx in self._log.naming(event_id):
            if self._known(idx) and self._log.entry(idx).kind in ("correction", "void"):
                yield self.recorded(idx)

    def ahead(self, keys: Iterable[tuple[str, str, str]]) -> None:
        """See `History.ahead`: what was read ahead before is forgotten."""
        wanted = {key_of(*key) for key in keys}
        self._ahead = self._log.newest_among(sorted(wanted - self._wide))
        self._wide |= {key for key, rows in self._ahead.items() if len(rows) > NEWEST}
        self._read([idx for rows in self._ahead.values() for _, idx in rows[:FEW]])

    def latest(self) -> int:
        """The last instant at which any event occurred, as sent or as corrected; before all time where there is none."""
        newest = (next(self._log.key_scan(key_of(kind, EVERY, "")), None) for kind in KINDS)
        return max((row[0] for row in newest if row is not None), default=-(2**62))


def _order(event: Event) -> tuple[int, int, int]:
    return event.order
