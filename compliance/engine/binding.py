"""Binding: the facts that the applicable rules ask for, found in the history (policy-language.md, "Facts").

What a judged event may see is decided here and nowhere else: events that come before it in history's order, events inside an
``after:`` window, and events that name it in a ``*_event`` field whenever they come. Each look-up is made once per event; the keys
it asked are kept, so that a later entry that would have changed it finds the event again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from typing import Any, Final

from compliance.domain.event import Event
from compliance.domain.lookup import EVERY, NAMES, indexed_fields, names_event, selectivity
from compliance.domain.values import SCALE, UNKNOWN
from compliance.domain.vocabulary import KINDS, event_reference_fields
from compliance.engine.history import History
from compliance.engine.plan import LookUp, ValueOf, known_text

FOREVER: Final = 2**62
"""The end of the time in which a later entry can change a look-up that has no end of its own."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A look-up key that a judged event asked, and the last instant (microseconds) at which an event under it would matter."""

    kind: str
    field: str
    value: str
    until: int


class Sight:
    """What one judged event sees of a history, and a record of where it looked."""

    def __init__(self, history: History, judged: Event) -> None:
        self.history = history
        self.judged = judged
        self.asked: dict[tuple[str, str, str], int] = {}
        self._naming: dict[str, tuple[Event, ...]] = {}

    def ask(self, kind: str, field: str, value: str, until: int) -> None:
        """Remember that this key was looked at."""
        key = (kind, field, value)
        if self.asked.get(key, -FOREVER) < until:
            self.asked[key] = until

    def naming(self, kind: str) -> tuple[Event, ...]:
        """Events of a kind that name the judged event, whenever they occurred, newest first."""
        if not event_reference_fields(kind):
            return ()
        if kind not in self._naming:
            self.ask(kind, NAMES, self.judged.id, FOREVER)
            self._naming[kind] = tuple(self.history.newest_first(kind, NAMES, self.judged.id, None, None))
        return self._naming[kind]

    def candidates(self, kind: str, field: str, value: str, until: int, since: int | None) -> Iterator[Event]:
        """Visible events of a kind under a key, newest first, the judged event left out."""
        self.ask(kind, field, value, until)
        judged = self.judged
        naming = self.naming(kind)
        named = {event.id for event in naming}
        found = (
            event
            for event in self.history.newest_first(kind, field, value, until, since)
            if event.id != judged.id and event.id not in named and (event.order < judged.order or until > judged.occurred_at)
        )
        if not naming:
            return found
        beside = (event for event in naming if event.id != judged.id and (since is None or event.occurred_at >= since))
        return merge(found, beside, key=_order, reverse=True)


def find(lookup: LookUp, scope: dict[str, Any], sight: Sight) -> Any:
    """The fact of one look-up: an event's values, None, a number, a truth value, or UNKNOWN."""
    given, judged = lookup.given, sight.judged
    for field in given.by:
        if field not in judged.values:
            return UNKNOWN
    window = _window(lookup, scope, judged)
    if window is None:
        return UNKNOWN
    since, until = window

    def stream(kind: str) -> Iterator[Event]:
        field, value = search_key(lookup.keys[kind], scope)
        events = sight.candidates(kind, field, value, until, since)
        if given.present:
            events = _present(kind, events, sight, field, until)
        if given.include_self and judged.kind == kind:
            events = merge(iter((judged,)), (e for e in events if not given.present or not same_subject(e, judged)), key=_order, reverse=True)
        return (event for event in events if shares(given.by, event, judged))

    streams = [stream(kind) for kind in given.kinds]
    events = streams[0] if len(streams) == 1 else merge(*streams, key=_order, reverse=True)
    return _QUANTIFIERS[given.quantifier](lookup, events, scope)


def search_key(keys: tuple[tuple[str, ValueOf], ...], scope: Mapping[str, Any]) -> tuple[str, str]:
    """The most selective index key whose value is known."""
    for field, value_of in keys:
        value = known_text(value_of(scope))
        if value is not None:
            return field, value
    return EVERY, ""


def shares(by: tuple[str, ...], event: Event, judged: Event) -> bool:
    """Whether an event shares the keys; an event that lacks one does not."""
    values, wanted = event.values, judged.values
    return all(field in values and values[field] == wanted[field] for field in by)


def subject(event: Event) -> tuple[Any, ...]:
    """The continuing thing that an event of a keyed kind is about: its key, and the patient for kinds about a patient."""
    spec = KINDS[event.kind]
    values = event.values
    key = tuple(values.get(field) for field in spec.key)
    return (*key, values.get("patient")) if spec.about_patient else key


def same_subject(one: Event, other: Event) -> bool:
    """Whether two events are about the same continuing thing."""
    return one.kind == other.kind and subject(one) == subject(other)


def _window(lookup: LookUp, scope: Mapping[str, Any], judged: Event) -> tuple[int | None, int] | None:
    """First and last instant looked at; None where a window's length is unknown."""
    since: int | None = None
    until = judged.occurred_at
    if lookup.after is not None:
        after = lookup.after(scope)
        if after is UNKNOWN:
            return None
        since, until = judged.occurred_at, judged.occurred_at + after
    if lookup.within is not None:
        within = lookup.within(scope)
        if within is UNKNOWN:
            return None
        since = judged.occurred_at - within
    return since, until


def _present(kind: str, events: Iterator[Event], sight: Sight, field: str, until: int) -> Iterator[Event]:
    """Only the newest visible event of each subject: its present state.

    Where the search key does not fix the subject, a subject's newest event may lie outside it (a consent that was moved to another
    site); then the subject itself is looked up.
    """
    spec = KINDS[kind]
    fixed = field == EVERY or field in spec.key or (field == "patient" and spec.about_patient)
    seen: set[tuple[Any, ...]] = set()
    for event in events:
        about = subject(event)
        if about in seen:
            continue
        seen.add(about)
        if fixed or _newest_of_subject(event, about, sight, until):
            yield event


def _newest_of_subject(event: Event, about: tuple[Any, ...], sight: Sight, until: int) -> bool:
    spec = KINDS[event.kind]
    indexed = indexed_fields(event.kind)
    for field in sorted((f for f in spec.key if f in indexed), key=selectivity):
        value = event.values.get(field)
        if isinstance(value, str):
            for other in sight.candidates(event.kind, field, value, until, event.occurred_at):
                if subject(other) == about:
                    return other.id == event.id
    return True


def _order(event: Event) -> tuple[int, int, int]:
    return event.order


# ---- quantifiers: each takes the matching events newest first


def _holds(lookup: LookUp, event: Event, scope: dict[str, Any]) -> Any:
    if lookup.where is None:
        return True
    scope["it"] = event.values
    return lookup.where(scope)


def _first(lookup: LookUp, events: Iterator[Event], scope: dict[str, Any]) -> Any:
    """The first that holds; where an earlier candidate may be it, nobody can say."""
    for event in events:
        holds = _holds(lookup, event, scope)
        if holds is UNKNOWN:
            return UNKNOWN
        if holds:
            return event.values
    return None


def _earliest(lookup: LookUp, events: Iterator[Event], scope: dict[str, Any]) -> Any:
    return _first(lookup, reversed(list(events)), scope)


def _any(lookup: LookUp, events: Iterator[Event], scope: dict[str, Any]) -> Any:
    """One that certainly holds decides, whatever is unknown of others."""
    undecided = False
    for event in events:
        holds = _holds(lookup, event, scope)
        if holds is UNKNOWN:
            undecided = True
        elif holds:
            return event.values
    return UNKNOWN if undecided else None


def _none(lookup: LookUp, events: Iterator[Event], scope: dict[str, Any]) -> Any:
    found = _any(lookup, events, scope)
    return UNKNOWN if found is UNKNOWN else found is None


def _count(lookup: LookUp, events: Iterator[Event], scope: dict[str, Any]) -> Any:
    total = 0
    for event in events:
        holds = _holds(lookup, event, scope)
        if holds is UNKNOWN:
            return UNKNOWN
        if holds:
            total += SCALE
    return total


def _sum(lookup: LookUp, events: Iterator[Event], scope: dict[str, Any]) -> Any:
    total = 0
    for event in events:
        holds = _holds(lookup, event, scope)
        value = event.values.get(lookup.field or "") if holds is not False else 0
        if holds is UNKNOWN or value is None:
            return UNKNOWN
        total += value
    return total


_QUANTIFIERS: Final[Mapping[str, Callable[[LookUp, Iterator[Event], dict[str, Any]], Any]]] = {
    "latest": _first,
    "earliest": _earliest,
    "any": _any,
    "none": _none,
    "count": _count,
    "sum": _sum,
}
