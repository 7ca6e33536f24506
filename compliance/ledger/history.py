"""The history over the log: events as they now stand, found through the index of look-up keys.

It satisfies the engine's `History` without knowing it. A look-up costs what it finds: one range scan of ``event_key`` under its key,
newest first, and one read for each event that was not met before. An index row may be out of date (its event was corrected away from
the key) or collide with another key; the event itself decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compliance.domain.corrections import standing
from compliance.domain.event import Event
from compliance.domain.lookup import EVERY, ID, NAMES, key_of, under_id
from compliance.domain.making import event_from_log
from compliance.domain.vocabulary import KINDS, event_reference_fields
from compliance.ledger.log import Log

CACHED_EVENTS: Final = 50_000
"""Events kept in memory; an event is about 4 KB."""


class LogHistory:
    """Events of a log. `before` leaves out entries from that index on: what was known when that entry was written."""

    def __init__(self, log: Log, before: int | None = None) -> None:
        self._log = log
        self._before = before
        self._standing: dict[int, Event | None] = {}
        self._sent: dict[int, Event] = {}
        self._ids: dict[str, int] = {}

    def newest_first(
        self, kind: str, field: str, value: str, until: int | None, since: int | None
    ) -> Iterator[Event]:
        """See `History.newest_first`."""
        if field == ID:
            yield from under_id(self.stands(value), kind, until, since)
            return
        tied: list[Event] = []
        for occurred, idx in self._log.key_scan(key_of(kind, field, value), until, since):
            event = self._found(idx, kind, field, value, occurred)
            if event is None:
                continue
            if tied and tied[0].occurred_at != occurred:
                yield from tied if len(tied) == 1 else sorted(tied, key=_order, reverse=True)
                tied = []
            tied.append(event)
        yield from tied if len(tied) == 1 else sorted(tied, key=_order, reverse=True)

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
            entry = self._log.entry(idx)
            document = entry.document()
            event = event_from_log(document["event"], entry.recorded_us, idx, document.get("signing"))
            self._remember(event)
        return event

    def take(self, event: Event, stands: Event | None) -> None:
        """Keep an event that was just appended, as sent and as it stands, so that it is not read back."""
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
            self._sent.clear()
            self._ids.clear()
            self._standing.clear()
        self._sent[event.position] = event
        self._ids[event.id] = event.position

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

    def latest(self) -> int:
        """The last instant at which any event occurred, as sent or as corrected; before all time where there is none."""
        newest = (next(self._log.key_scan(key_of(kind, EVERY, "")), None) for kind in KINDS)
        return max((row[0] for row in newest if row is not None), default=-(2**62))


def _order(event: Event) -> tuple[int, int, int]:
    return event.order
