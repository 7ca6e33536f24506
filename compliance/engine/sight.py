"""What a judged event may see of the past, and a record of where it looked (policy-language.md, "What counts as history").

It sees events that come before it in history's order, events inside an ``after:`` window, and events that name it in a ``*_event`` field
whenever they come. The keys that were asked are kept, so that a later entry that would have changed the answer finds the event again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from typing import Any, Final, TypeAlias

from compliance.domain.event import Event
from compliance.domain.lookup import EVERY, LATER, NAMES, indexed_fields
from compliance.domain.vocabulary import event_reference_fields
from compliance.engine.history import History

FOREVER: Final = 2**62
"""The end of the time in which a later entry can change a look-up that has no end of its own."""


Looked: TypeAlias = dict[tuple[str, str, str], int]
"""Look-up keys (kind, field, value) that were asked, each with the last instant at which an event under it would matter."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A look-up key that a judged event asked, and the last instant (microseconds) at which an event under it would matter."""

    kind: str
    field: str
    value: str
    until: int


class Sight:
    """What one judged event sees of a history, and a record of where it looked."""

    def __init__(self, history: History, judged: Event, asked: Looked | None = None) -> None:
        """With `asked`, where it looked is noted there, beside what is there already."""
        self.history = history
        self.judged = judged
        self.asked: Looked = {} if asked is None else asked
        self._naming: dict[str, tuple[Event, ...]] = {}
        self._seen: dict[tuple[str, str, str, int, int | None], SeenOnce] = {}
        self.present: dict[tuple[str, str, str, int, int | None], SeenOnce] = {}
        self.newest: dict[tuple[Any, ...], str] = {}

    def ask(self, kind: str, field: str, value: str, until: int) -> None:
        """Remember that this key was looked at."""
        key = (kind, field, value)
        if self.asked.get(key, -FOREVER) < until:
            self.asked[key] = until

    def naming(self, kind: str) -> tuple[Event, ...]:
        """Events of a kind that name the judged event, whenever they occurred, newest first."""
        if kind not in self._naming:
            if not event_reference_fields(kind):
                return ()
            self.ask(kind, NAMES, self.judged.id, FOREVER)
            self._naming[kind] = tuple(self.history.newest_first(kind, NAMES, self.judged.id, None, None))
        return self._naming[kind]

    def candidates(self, kind: str, field: str, value: str, until: int, since: int | None) -> Iterator[Event]:
        """Visible events of a kind under a key, newest first, the judged event left out; several look-ups read them once."""
        key = (kind, field, value, until, since)
        seen = self._seen.get(key)
        if seen is None:
            seen = self._seen[key] = SeenOnce(self._candidates(*key))
        return iter(seen)

    def _candidates(
        self, kind: str, field: str, value: str, until: int, since: int | None
    ) -> Iterator[Event]:
        judged = self.judged
        if until <= judged.occurred_at:
            self.ask(kind, field, value, until)
        else:
            self.ask(kind, LATER, "", until)
        naming = self.naming(kind)
        before = self._before(
            self.history.newest_first(kind, field, value, until, since), until > judged.occurred_at
        )
        if not naming:
            return before
        named = {event.id for event in naming}
        others = (event for event in before if event.id not in named)
        beside = (
            event
            for event in naming
            if event.id != judged.id and (since is None or event.occurred_at >= since)
        )
        return merge(others, beside, key=by_order, reverse=True)

    def _before(self, events: Iterator[Event], later: bool) -> Iterator[Event]:
        """Those before the judged event in history's order, or, with `later`, all but itself."""
        judged = self.judged
        order = judged.order
        for event in events:
            if event.order < order or (later and event.id != judged.id):
                yield event


class SeenOnce:
    """Events that several look-ups go through: each is fetched when the first of them gets there, and kept for the others."""

    __slots__ = ("_kept", "_rest")

    def __init__(self, events: Iterator[Event]) -> None:
        self._kept: list[Event] = []
        self._rest = events

    def __iter__(self) -> Iterator[Event]:
        kept, rest = self._kept, self._rest
        at = 0
        while True:
            if at == len(kept):
                more = next(rest, None)
                if more is None:
                    return
                kept.append(more)
            yield kept[at]
            at += 1


def by_order(event: Event) -> tuple[int, int, int]:
    """Sort key: history's order."""
    return event.order


def search_values(kind: str, keys: Mapping[str, Any]) -> tuple[str, str]:
    """The most selective index key of a kind among some field values."""
    for field in indexed_fields(kind):
        value = keys.get(field)
        if isinstance(value, str):
            return field, value
    return EVERY, ""
