"""What a judgement may look at: the events of the past, by look-up key, newest first.

Two implementations must agree: `MemoryHistory` over a list (cases, tests, replays) and the ledger's over SQL. Both give events
as they now stand (corrections applied, voided and proposed ones left out) in history's order (see `Event.order`); which of them a
judged event may see is decided once, in `binding`.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeAlias

from compliance.domain.corrections import standing
from compliance.domain.event import Event
from compliance.domain.lookup import EVERY, ID, lookup_keys, under_id

SearchKey: TypeAlias = tuple[str, str, str]
"""A look-up key: kind, field, value (compliance.domain.lookup)."""


class History(Protocol):
    """Events as they stand, found by look-up key."""

    def newest_first(
        self, kind: str, field: str, value: str, until: int | None, since: int | None
    ) -> Iterator[Event]:
        """Performed, unvoided events that stand under the key, newest first; `since` <= occurred_at <= `until` (microseconds)."""

    def sent(self, event_id: str) -> Event | None:
        """The event as it was recorded, voided or not; None where the id is unknown."""

    def stands(self, event_id: str) -> Event | None:
        """The event as it now stands; None where the id is unknown or the event void."""

    def amendments(self, event_id: str) -> Iterable[Event]:
        """The corrections and voids that name an event, in any order."""

    def ahead(self, keys: Iterable[SearchKey]) -> None:
        """These look-up keys are about to be asked: what lies under them may be read together."""


class MemoryHistory:
    """A history over events held in memory, in the order in which they were recorded."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._sent: dict[str, Event] = {}
        self._amending: dict[str, list[Event]] = defaultdict(list)
        self._by_key: dict[tuple[str, str, str], list[tuple[tuple[int, int, int], str]]] = defaultdict(list)
        for event in events:
            self.add(event)

    def add(self, event: Event) -> None:
        """Take one more recorded event."""
        self._sent[event.id] = event
        self._index(event)
        if event.kind in ("correction", "void"):
            self._amending[event.values["corrects"]].append(event)
        # It may arrive after its corrections; and what corrects a correction changes what that one corrects.
        seen: set[str] = set()
        changed: Event | None = event
        while changed is not None and changed.id not in seen:
            seen.add(changed.id)
            stands = self.stands(changed.id)
            if stands is not None and stands is not event:
                self._index(stands)
            changed = self._sent.get(changed.values.get("corrects", ""))

    def _index(self, event: Event) -> None:
        for key in lookup_keys(event.kind, event.values):
            row = (event.order, event.id)
            if row not in self._by_key[key]:
                insort(self._by_key[key], row)

    def newest_first(
        self, kind: str, field: str, value: str, until: int | None, since: int | None
    ) -> Iterator[Event]:
        """See `History.newest_first`."""
        if field == ID:
            yield from under_id(self.stands(value), kind, until, since)
            return
        for order, event_id in reversed(self._by_key.get((kind, field, value), ())):
            if (until is not None and order[0] > until) or (since is not None and order[0] < since):
                continue
            event = self.stands(event_id)
            if event is None or event.proposed or event.order != order:
                continue
            if field == EVERY or (kind, field, value) in lookup_keys(kind, event.values):
                yield event

    def sent(self, event_id: str) -> Event | None:
        """See `History.sent`."""
        return self._sent.get(event_id)

    def stands(self, event_id: str) -> Event | None:
        """See `History.stands`."""
        event = self._sent.get(event_id)
        return None if event is None else standing(event, self.amendments)

    def amendments(self, event_id: str) -> tuple[Event, ...]:
        """The corrections and voids that name an event."""
        return tuple(self._amending.get(event_id, ()))

    def ahead(self, keys: Iterable[SearchKey]) -> None:
        """See `History.ahead`; all is in memory."""

    def __iter__(self) -> Iterator[Event]:
        """Every recorded event, in the order of recording, as it was sent."""
        return iter(self._sent.values())
