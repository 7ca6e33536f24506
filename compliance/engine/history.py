"""What a judgement may look at: the events of the past, by look-up key, newest first.

Two implementations must agree: `MemoryHistory` over a list (cases, tests, replays) and the ledger's over SQL. Both give events
as they now stand (corrections applied, voided and proposed ones left out) in history's order (see `Event.order`); which of them a
judged event may see is decided once, in `binding`.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Iterator
from heapq import merge
from typing import Protocol

from compliance.domain.corrections import standing
from compliance.domain.event import Event
from compliance.domain.lookup import EVERY, lookup_keys


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


class AmendableHistory(History, Protocol):
    """A history that also tells what amends an event."""

    def amendments(self, event_id: str) -> Iterable[Event]:
        """The corrections and voids that name an event, in any order."""


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
            corrected = self.stands(event.values["corrects"])
            if corrected is not None:
                self._index(corrected)

    def _index(self, event: Event) -> None:
        for key in lookup_keys(event.kind, event.values):
            row = (event.order, event.id)
            if row not in self._by_key[key]:
                insort(self._by_key[key], row)

    def newest_first(
        self, kind: str, field: str, value: str, until: int | None, since: int | None
    ) -> Iterator[Event]:
        """See `History.newest_first`."""
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

    def __iter__(self) -> Iterator[Event]:
        """Every recorded event, in the order of recording, as it was sent."""
        return iter(self._sent.values())


class LayeredHistory:
    """A history with events above it that are not recorded (``compliance check``): they see it and each other, and amend it."""

    def __init__(self, base: AmendableHistory) -> None:
        self._base = base
        self._above = MemoryHistory()

    def add(self, event: Event) -> None:
        """Take one more event above the base; a base event that it corrects stands above from then on."""
        self._above.add(event)
        target = self._base.sent(event.values["corrects"]) if "corrects" in event.values else None
        if target is not None and self._above.sent(target.id) is None:
            self._above.add(target)
            for amendment in self._base.amendments(target.id):
                if self._above.sent(amendment.id) is None:
                    self._above.add(amendment)

    def newest_first(
        self, kind: str, field: str, value: str, until: int | None, since: int | None
    ) -> Iterator[Event]:
        """See `History.newest_first`."""
        below = self._base.newest_first(kind, field, value, until, since)
        unchanged = (event for event in below if self._above.sent(event.id) is None)
        return merge(
            unchanged,
            self._above.newest_first(kind, field, value, until, since),
            key=lambda event: event.order,
            reverse=True,
        )

    def sent(self, event_id: str) -> Event | None:
        """See `History.sent`."""
        return self._above.sent(event_id) or self._base.sent(event_id)

    def stands(self, event_id: str) -> Event | None:
        """See `History.stands`."""
        history = self._base if self._above.sent(event_id) is None else self._above
        return history.stands(event_id)

    def amendments(self, event_id: str) -> tuple[Event, ...]:
        """The corrections and voids that name an event."""
        above = self._above.amendments(event_id)
        seen = {event.id for event in above}
        return (*above, *(event for event in self._base.amendments(event_id) if event.id not in seen))
