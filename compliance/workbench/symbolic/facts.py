"""Facts from a history that is not known yet: the quantifiers of policy-language.md over the events of a `World`.

What `compliance.engine.binding` finds event by event, as one formula: which events may be seen, which of them the condition holds for, and
which of these is the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from compliance.domain.values import SCALE
from compliance.domain.vocabulary import KINDS, event_reference_fields
from compliance.engine.spans import INTERVALS
from compliance.engine.stock import MOVEMENTS
from compliance.policy.model import Expression, Given
from compliance.workbench.symbolic.events import EventVariable
from compliance.workbench.symbolic.terms import Scope, Terms
from compliance.workbench.symbolic.values import (
    MISSING,
    Fact,
    Formula,
    Group,
    Hidden,
    Lines,
    Sym,
    Unseen,
    both,
    choose,
    chosen,
    either,
    equal,
    no,
    same,
    sym,
    total,
)
from compliance.workbench.symbolic.world import World, newer


@dataclass(frozen=True, slots=True)
class Candidate:
    """An event that a look-up may see: when it may, when its condition holds and when it does not."""

    event: EventVariable
    seen: Formula
    holds: Formula
    fails: Formula


def fact(terms: Terms, given: Given, scope: Scope) -> Sym | Fact | Hidden:
    """What a look-up gives; what cannot be seen through is a value of its own."""
    world = terms.world
    key = _identity(terms, given, scope)
    known = world.facts.get(key)
    if known is None:
        try:
            known = _QUANTIFIERS[given.quantifier](terms, given, scope)
        except Unseen as problem:
            if given.for_each is not None:  # a list: whatever is asked of it is not seen through
                return Hidden(str(problem))
            known = _hidden_number(terms, given, scope, world.opaque(("fact", key), "number", str(problem)))
        world.facts[key] = known
    return known


def _hidden_number(terms: Terms, given: Given, scope: Scope, hidden: Sym) -> Sym:
    """A number that is not seen through: it is known at least where every event that may be looked at is decided."""
    if given.quantifier in ("count", "uncovered", "largest_gap"):
        terms.world.rules.must.append(hidden.value >= 0)
    if given.quantifier not in ("count", "sum"):
        return hidden
    known, found = candidates(terms, given, scope)
    for one in found:
        amount = True if given.field is None else one.event.group.get(given.field).known
        known = both(known, either(no(one.seen), one.fails, both(one.holds, amount)))
    return Sym(known, hidden.value)


def _identity(terms: Terms, given: Given, scope: Scope) -> Any:
    """What makes two look-ups the same one, on whichever side they stand."""
    asked = (given.where, given.within, given.after, given.span_from, given.span_to, given.for_each)
    written = tuple(None if one is None else terms.identity(one.node, scope) for one in asked)
    shape = (
        given.quantifier,
        tuple(sorted(given.kinds)),
        given.field,
        tuple(sorted(given.by)),
        given.present,
        given.include_self,
    )
    return shape, written


# ---- which events are seen


def candidates(terms: Terms, given: Given, scope: Scope) -> tuple[Formula, list[Candidate]]:
    """The events that a look-up may see; and whether it is known which they are."""
    world = terms.world
    known, since, until = _window(terms, given, scope)
    judged = world.judged.group
    known = both(known, *(judged.get(field).known for field in given.by))
    found: list[Candidate] = []
    for event in _events(world, given, since, until):
        seen = both(event.seen, _shares(given.by, event.event, world.judged))
        holds, fails = _condition(terms, given.where, {**scope, "it": sym(event.event.group)})
        found.append(Candidate(event.event, seen, holds, fails))
    return known, found


def _condition(terms: Terms, where: Expression | None, scope: Scope) -> tuple[Formula, Formula]:
    return (True, False) if where is None else terms.truth(where.node, scope)


def _window(terms: Terms, given: Given, scope: Scope) -> tuple[Formula, Any, Any]:
    """Whether the window is known, its first instant (or None) and its last."""
    at = judged_at(terms.world)
    known: Formula = True
    since, until = None, at
    if given.after is not None:
        after = terms.value(given.after.node, scope)
        known, since, until = after.known, at, at + after.value
    if given.within is not None:
        within = terms.value(given.within.node, scope)
        known, since = both(known, within.known), at - within.value
    return known, since, until


def judged_at(world: World) -> Any:
    """The instant of the judged event; of a night, the night's."""
    return world.as_of if world.nightly else world.judged.occurred


@dataclass(frozen=True, slots=True)
class _Seen:
    event: EventVariable
    seen: Formula


def _events(world: World, given: Given, since: Any, until: Any) -> Iterator[_Seen]:
    """The events of the given kinds that may be looked at, each with when; the judged one first where it counts."""
    keyed_and_present = {
        kind: bool(KINDS[kind].key) and (given.present or given.span_from is not None) for kind in given.kinds
    }
    own = world.judged
    for kind in given.kinds:
        itself = own.kind == kind and (given.include_self or world.nightly)
        seen = [_Seen(event, _visible(world, event, since, until)) for event in world.past.get(kind, ())]
        if itself:
            mine: Formula = True
            if world.nightly:  # the night sees the event of its subject as it sees every other
                mine = True if since is None else own.occurred >= since
            seen.insert(0, _Seen(own, mine))
        for one in seen:
            if not keyed_and_present[kind]:
                yield one
                continue
            hidden = [
                both(other.seen, same_subject(one.event, other.event), newer(other.event, one.event))
                for other in seen
                if other is not one
            ]
            if itself and not world.nightly and one.event is not own:
                hidden.append(same_subject(one.event, own))
            yield _Seen(one.event, both(one.seen, no(either(*hidden))))


def _visible(world: World, event: EventVariable, since: Any, until: Any) -> Formula:
    """Whether an event may be seen: it came before, or lies in the window, or names the judged event."""
    at, judged = judged_at(world), world.judged
    inside = event.occurred <= until
    if until is at and not world.nightly:  # of what happened at the same instant, what was known no later
        inside = either(event.occurred < at, both(event.occurred == at, event.noted <= judged.noted))
    naming = [
        both(named.known, same(named.value, judged.group.get("id").value))
        for field in event_reference_fields(event.kind)
        if (named := event.group.get(field)).known is not False
    ]
    return both(event.there, either(inside, *naming), True if since is None else event.occurred >= since)


def _shares(by: tuple[str, ...], event: EventVariable, judged: EventVariable) -> Formula:
    if event is judged:
        return both(*(judged.group.get(field).known for field in by))
    return both(*(equal(event.group.get(field), judged.group.get(field)) for field in by))


def same_subject(one: EventVariable, other: EventVariable) -> Formula:
    """Whether two events of a kind with a key are about the same continuing thing."""
    spec = KINDS[one.kind]
    fields = (*spec.key, "patient") if spec.about_patient else spec.key
    return both(*(_alike(one.group.get(field), other.group.get(field)) for field in fields))


def _alike(one: Sym, other: Sym) -> Formula:
    """Equal, or both missing."""
    return either(equal(one, other), both(no(one.known), no(other.known)))


# ---- quantifiers


def _picked(found: list[Candidate], relevant: list[Formula], *, newest: bool) -> list[Formula]:
    """For each candidate whether it is the newest (oldest) of the relevant ones."""
    picked = []
    for mine, one in enumerate(found):
        before = []
        for theirs, other in enumerate(found):
            if theirs != mine:
                first, second = (other, one) if newest else (one, other)
                before.append(both(relevant[theirs], newer(first.event, second.event)))
        picked.append(both(relevant[mine], no(either(*before))))
    return picked


def _event(name: str, found: list[Candidate], picked: list[Formula]) -> Group:
    groups = [(here, sym(one.event.group)) for here, one in zip(picked, found, strict=True)]
    return Group(name, lambda field: chosen([(here, one.value.get(field)) for here, one in groups]))


def _first(terms: Terms, given: Given, scope: Scope) -> Fact:
    """The newest (oldest) that holds; where an earlier candidate may be it, nobody can say."""
    known, found = candidates(terms, given, scope)
    relevant = [both(one.seen, no(one.fails)) for one in found]
    picked = _picked(found, relevant, newest=given.quantifier == "latest")
    sure = no(either(*(both(here, no(one.holds)) for here, one in zip(picked, found, strict=True))))
    return Fact(both(known, sure), no(either(*relevant)), _event(given.name, found, picked))


def _any(terms: Terms, given: Given, scope: Scope) -> Fact:
    """The newest that certainly holds, whatever is unknown of others."""
    known, found = candidates(terms, given, scope)
    certain = [both(one.seen, one.holds) for one in found]
    undecided = either(*(both(one.seen, no(one.holds), no(one.fails)) for one in found))
    there = either(*certain)
    picked = _picked(found, certain, newest=True)
    return Fact(both(known, either(there, no(undecided))), no(there), _event(given.name, found, picked))


def _none(terms: Terms, given: Given, scope: Scope) -> Sym:
    found = _any(terms, given, scope)
    return Sym(found.known, found.null)


def _counted(terms: Terms, given: Given, scope: Scope) -> tuple[Formula, list[Candidate]]:
    """What is counted or summed depends on how many there are: no short history shows what holds of all."""
    if not terms.world.concrete and id(given) not in terms.world.room.counted:
        raise Unseen(f"how many events there are (`{given.name}`)")
    known, found = candidates(terms, given, scope)
    return both(known, *(either(no(one.seen), one.holds, one.fails) for one in found)), found


def _count(terms: Terms, given: Given, scope: Scope) -> Sym:
    known, found = _counted(terms, given, scope)
    return Sym(known, total((both(one.seen, one.holds), one.event.copies * SCALE) for one in found))


def _sum(terms: Terms, given: Given, scope: Scope) -> Sym:
    known, found = _counted(terms, given, scope)
    assert given.field is not None  # the reader asks for it
    amounts = [one.event.group.get(given.field) for one in found]
    there = (
        either(no(both(one.seen, one.holds)), amount.known)
        for one, amount in zip(found, amounts, strict=True)
    )
    parts = (
        (both(one.seen, one.holds), 0 if amount.known is False else _times(one.event.copies, amount.value))
        for one, amount in zip(found, amounts, strict=True)
    )
    return Sym(both(known, *there), total(parts))


def _times(copies: Any, amount: Any) -> Any:
    """Copies are few: a choice of multiples, which the solver understands far better than a product."""
    if isinstance(copies, int):
        return copies * amount
    found = amount
    for number in (2, 3, 4):
        found = choose(copies == number, amount * number, found)
    return found


def _spanned(terms: Terms, given: Given, scope: Scope) -> tuple[Formula, Any, Any, list[Candidate]]:
    """A span and the events that hold, of which a short history has one at most."""
    if not terms.world.concrete:
        raise Unseen(f"what a whole stretch of time holds (`{given.name}`)")
    assert given.span_from is not None and given.span_to is not None  # noqa: PT018 - the reader asks for both
    start, end = terms.value(given.span_from.node, scope), terms.value(given.span_to.node, scope)
    known, found = candidates(terms, given, scope)
    certain = [both(one.seen, one.holds) for one in found]
    decided = both(*(either(no(one.seen), one.holds, one.fails) for one in found))
    alone = both(*(no(both(*pair)) for pair in pairwise(certain)))
    return both(known, decided, alone, start.known, end.known), start.value, end.value, found


def _uncovered(terms: Terms, given: Given, scope: Scope) -> Sym:
    known, start, end, found = _spanned(terms, given, scope)
    whole = choose(end > start, end - start, 0)
    left = whole
    for one in found:
        first, last = _interval(one.event)
        begins = choose(first.value > start, first.value, start)
        ends = choose(both(last.known, last.value < end), last.value, end)
        covered = choose(ends > begins, ends - begins, 0)
        left = choose(
            both(one.seen, one.holds, first.known), whole - choose(covered > whole, whole, covered), left
        )
    return Sym(known, left)


def _interval(event: EventVariable) -> tuple[Sym, Sym]:
    fields = INTERVALS.get(event.kind)
    return (MISSING, MISSING) if fields is None else (event.group.get(fields[0]), event.group.get(fields[1]))


def _largest_gap(terms: Terms, given: Given, scope: Scope) -> Sym:
    known, start, end, found = _spanned(terms, given, scope)
    whole = choose(end > start, end - start, 0)
    gap = whole
    for one in found:
        at = one.event.occurred
        parts = choose(at - start > end - at, at - start, end - at)
        gap = choose(both(one.seen, one.holds, at >= start, at <= end), parts, gap)
    return Sym(known, gap)


def _balance(terms: Terms, given: Given, scope: Scope) -> Sym:
    """Book stock as movements since nothing: a short history has no complete count."""
    world = terms.world
    if not world.concrete:
        raise Unseen(f"the book balance (`{given.name}`)")
    judged = world.judged.group
    if given.for_each is None:
        keys = {name: judged.get(name) for name in given.by}
        return Sym(both(*(key.known for key in keys.values())), _book(world, keys))
    lines = terms.value(given.for_each.node, scope)
    if lines.known is False:
        return MISSING

    def counted(line: Sym) -> Sym:
        keys = {name: _line_or_event(line, judged, name) for name in given.by}
        balance = Sym(both(*(key.known for key in keys.values())), _book(world, keys))
        return sym(
            Group(f"{line.value.name}+", lambda name: balance if name == "balance" else line.value.get(name))
        )

    return Sym(lines.known, Lines(tuple((there, counted(line)) for there, line in lines.value.items)))


def _line_or_event(line: Sym, judged: Group, name: str) -> Sym:
    own, outer = line.value.get(name), judged.get(name)
    return chosen([(own.known, own), (no(own.known), outer)])


def _book(world: World, keys: Mapping[str, Sym]) -> Any:
    """Movements up to the judged event; counts must be elsewhere."""
    at = judged_at(world)
    parts: list[tuple[Formula, Any]] = []
    for kind, sign in MOVEMENTS.items():
        for event in world.past.get(kind, ()):
            here = both(
                _visible(world, event, None, at),
                *(equal(event.group.get(name), key) for name, key in keys.items()),
            )
            amount = event.group.get("quantity")
            world.rules.must.append(either(no(here), amount.known))
            if kind == "receipt":
                here = both(here, event.group.get("accepted").value)
            parts.append((here, sign * amount.value))
    for count in world.past.get("inventory_count", ()):
        complete = count.group.get("complete")
        world.rules.must.append(no(both(count.there, complete.known, complete.value)))
    return total(parts)


_QUANTIFIERS: Final[Mapping[str, Callable[[Terms, Given, Scope], Sym | Fact]]] = {
    "latest": _first,
    "earliest": _first,
    "any": _any,
    "none": _none,
    "count": _count,
    "sum": _sum,
    "uncovered": _uncovered,
    "largest_gap": _largest_gap,
    "balance": _balance,
}
