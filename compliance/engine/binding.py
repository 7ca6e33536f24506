"""Binding: the facts that the applicable rules ask for, found in the history (policy-language.md, "Facts").

Each look-up is made once per event; what it may see is `sight`'s to say. A condition that is unknown of a candidate is never taken for false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from heapq import merge
from typing import Any, Final

from compliance.domain.event import Event
from compliance.domain.lookup import EVERY, indexed_fields, selectivity
from compliance.domain.values import SCALE, UNKNOWN
from compliance.domain.vocabulary import KINDS
from compliance.engine.plan import LookUp, ValueOf, known_text
from compliance.engine.sight import SeenOnce, Sight, by_order
from compliance.engine.spans import largest_gap, uncovered
from compliance.engine.stock import balance


def find(lookup: LookUp, scope: dict[str, Any], sight: Sight) -> Any:
    """The fact of one look-up: an event's values, None, a number, a truth value, or UNKNOWN."""
    given, judged = lookup.given, sight.judged
    if given.quantifier == "balance":
        return _balance(lookup, scope, sight)
    for field in given.by:
        if field not in judged.values:
            return UNKNOWN
    window = _window(lookup, scope, judged)
    if window is None:
        return UNKNOWN
    since, until = window

    if lookup.guards and any(guard(scope) is False for guard in lookup.guards):
        return _QUANTIFIERS[given.quantifier](lookup, iter(()), scope)
    streams = [_stream(lookup, kind, scope, since, until, sight) for kind in given.kinds]
    events = streams[0] if len(streams) == 1 else merge(*streams, key=by_order, reverse=True)
    return _QUANTIFIERS[given.quantifier](lookup, events, scope)


def _stream(
    lookup: LookUp, kind: str, scope: Mapping[str, Any], since: int | None, until: int, sight: Sight
) -> Iterator[Event]:
    """The candidates of one kind, newest first: visible, and with the keys shared."""
    given, judged = lookup.given, sight.judged
    field, value = search_key(lookup.keys[kind], scope)
    keyed = bool(KINDS[kind].key)
    if keyed and (given.present or lookup.span is not None):
        events = present(kind, field, value, until, since, sight)
    else:
        events = sight.candidates(kind, field, value, until, since)
    if given.include_self and judged.kind == kind:
        others = (e for e in events if not (keyed and given.present) or not same_subject(e, judged))
        events = merge(iter((judged,)), others, key=by_order, reverse=True)
    if not given.by or (given.by == (field,) and not sight.naming(kind)):
        return events  # that is what they were found by
    return (event for event in events if shares(given.by, event, judged))


def _balance(lookup: LookUp, scope: Mapping[str, Any], sight: Sight) -> Any:
    """One book balance, or each line with its own."""
    given, values = lookup.given, sight.judged.values
    if lookup.for_each is None:
        return balance(given.by, values, sight)
    lines = lookup.for_each(scope)
    if lines is UNKNOWN:
        return UNKNOWN
    found = [(line, balance(given.by, {**values, **line}, sight)) for line in lines]
    return tuple(line if amount is UNKNOWN else {**line, "balance": amount} for line, amount in found)


def search_key(keys: tuple[tuple[str, ValueOf], ...], scope: Mapping[str, Any]) -> tuple[str, str]:
    """The most selective index key whose value is known."""
    for field, value_of in keys:
        value = known_text(value_of(scope))
        if value is not None:
            return field, value
    return EVERY, ""


def shares(by: tuple[str, ...], event: Event, judged: Event) -> bool:
    """Whether an event shares the keys; an event that lacks one does not, and with one that lacks one nothing does."""
    values, wanted = event.values, judged.values
    return all(field in values and field in wanted and values[field] == wanted[field] for field in by)


def subject(event: Event) -> tuple[Any, ...]:
    """The continuing thing that an event of a keyed kind is about: its key, and the patient for kinds about a patient."""
    return tuple(map(event.values.get, subject_fields(event.kind)))


@cache
def subject_fields(kind: str) -> tuple[str, ...]:
    """The fields that name the continuing thing that events of a keyed kind are about."""
    spec = KINDS[kind]
    return (*spec.key, "patient") if spec.about_patient else spec.key


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


def present(
    kind: str, field: str, value: str, until: int, since: int | None, sight: Sight
) -> Iterator[Event]:
    """Only the newest visible event of each subject under a key: its present state."""
    key = (kind, field, value, until, since)
    seen = sight.present.get(key)
    if seen is None:
        seen = sight.present[key] = SeenOnce(_present(*key, sight))
    return iter(seen)


def _present(
    kind: str, field: str, value: str, until: int, since: int | None, sight: Sight
) -> Iterator[Event]:
    """Where the search key does not fix the subject, a subject's newest event may lie outside it (a consent that was moved to another
    site); then the subject itself is looked up."""
    spec = KINDS[kind]
    fixed = field == EVERY or field in spec.key or (field == "patient" and spec.about_patient)
    seen: set[tuple[Any, ...]] = set()
    for event in sight.candidates(kind, field, value, until, since):
        about = subject(event)
        if about in seen:
            continue
        seen.add(about)
        if fixed or _newest_of_subject(event, about, sight, until) == event.id:
            yield event


def _newest_of_subject(event: Event, about: tuple[Any, ...], sight: Sight, until: int) -> str:
    """The id of the newest visible event about a subject, which is not older than this one."""
    key = (event.kind, about, until)
    newest = sight.newest.get(key)
    if newest is None:
        newest = sight.newest[key] = next(_about(event, about, sight, until), event.id)
    return newest


def _about(event: Event, about: tuple[Any, ...], sight: Sight, until: int) -> Iterator[str]:
    spec = KINDS[event.kind]
    indexed = indexed_fields(event.kind)
    for field in sorted((f for f in spec.key if f in indexed), key=selectivity):
        value = event.values.get(field)
        if isinstance(value, str):
            found = sight.candidates(event.kind, field, value, until, event.occurred_at)
            yield from (other.id for other in found if subject(other) == about)
            return


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


def _span(lookup: LookUp, events: Iterator[Event], scope: dict[str, Any]) -> Any:
    assert lookup.span is not None
    start, end = (value_of(scope) for value_of in lookup.span)
    if start is UNKNOWN or end is UNKNOWN:
        return UNKNOWN
    measure = uncovered if lookup.given.quantifier == "uncovered" else largest_gap
    return measure(start, end, ((event, _holds(lookup, event, scope)) for event in events))


_QUANTIFIERS: Final[Mapping[str, Callable[[LookUp, Iterator[Event], dict[str, Any]], Any]]] = {
    "latest": _first,
    "earliest": _earliest,
    "any": _any,
    "none": _none,
    "count": _count,
    "sum": _sum,
    "uncovered": _span,
    "largest_gap": _span,
}
