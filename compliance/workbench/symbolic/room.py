"""How much a world must hold, so that what cannot happen in it can happen nowhere; and how little, so that a case can be read.

A look-up for one event needs that event and no other: leaving all others out changes nothing it finds. Where one look-up sees only present states and
another sees all, an event that is hidden from the first needs the one that hides it, too. What counts events, and is only held against numbers,
needs one more than the largest of them: more than that is all the same to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import z3

from compliance.domain.values import SCALE
from compliance.domain.vocabulary import KINDS, event_reference_fields
from compliance.engine.plan import parts, roots, walk
from compliance.engine.stock import MOVEMENTS
from compliance.policy.expression.tree import Compare, Const, In, ListOf, Macro, Node, Ref
from compliance.policy.model import Expression, Given
from compliance.workbench.symbolic.terms import Side
from compliance.workbench.symbolic.world import MOST_COPIES, Room, World

MOST_ROOM: Final = 10
"""Events of a kind in an open world; rules that look for more are not proved."""
MOST_LINES: Final = 12
"""Lines of a list in an open world."""
_FEW_LINES: Final = 4
_MOST_COUNTED: Final = 6


def room_of(sides: Sequence[Side], kind: str) -> Room:
    """What an open world needs for rules that judge events of a kind."""
    asked: dict[Any, list[tuple[Side, Given]]] = {}
    for side in sides:
        keys: dict[str, Any] = {}
        for given in side.rule.given:
            keys[given.name] = key = _key(side, given, keys)
            asked.setdefault(key, []).append((side, given))  # the same one that several ask, once
    counted: set[int] = set()
    need: Counter[str] = Counter()
    hidden: set[str] = {kind}
    ways: dict[str, set[bool]] = {}
    for askers in asked.values():
        given = askers[0][1]
        if given.quantifier in ("uncovered", "largest_gap", "balance"):
            continue  # not seen through in an open world
        count = 1
        if given.quantifier == "count" and None not in (most := [_most_counted(*one) for one in askers]):
            counted |= {id(one) for _, one in askers}
            count = max(number for number in most if number is not None) + 2
        for one in given.kinds:
            need[one] += count
            ways.setdefault(one, set()).add(given.present)
            if given.after is not None or event_reference_fields(one):
                hidden.add(one)  # what one look-up sees may be newer than all that another does
    for side in sides:
        for closing in side.rule.closings():
            need.update(closing.kinds)
            for one in closing.kinds:
                ways.setdefault(one, set()).add(False)
    events = {
        one: count * (2 if KINDS[one].key and (len(ways[one]) > 1 or one in hidden) else 1)
        for one, count in need.items()
    }
    mixed = any(len(given.kinds) > 1 for ((_, given), *_) in asked.values())
    lines = _lines(sides, events)
    enough = lines <= MOST_LINES and all(count <= MOST_ROOM for count in events.values())
    short = {one: min(count, MOST_ROOM) for one, count in events.items()}
    return Room(short, max(1, min(lines, MOST_LINES)), frozenset(counted), mixed, enough)


def _key(side: Side, given: Given, keys: Mapping[str, Any]) -> Any:
    """What makes two look-ups the same: what is written, what its names stand for, the values of its parameters."""
    parts = (given.where, given.within, given.after, given.span_from, given.span_to, given.for_each)
    nodes = tuple(None if part is None else part.node for part in parts)
    named = tuple(
        (name, keys[name]) for name in sorted({name for node in nodes for name in roots(node)} & keys.keys())
    )
    values = {
        one.name: tuple((value.start, value.value) for value in one.values) for one in side.rule.parameters
    }
    read = sorted(
        {
            part.path[0]
            for node in nodes
            for part in walk(node)
            if isinstance(part, Ref) and part.root == "param"
        }
    )
    own = tuple(repr(said.get(side.rule.id)) for _, said in sorted(side.bundle.sites.items()))
    shape = (given.quantifier, given.kinds, given.field, given.by, given.present, given.include_self)
    return shape, nodes, named, tuple((name, values[name]) for name in read), own


def _most_counted(side: Side, given: Given) -> int | None:
    """The largest number that a count is held against; None where more is asked of it than that."""
    most = -1
    values = {one.name: [value.value for value in one.values] for one in side.rule.parameters}
    for expression in side.rule.expressions():
        for node in walk(expression.node):
            if isinstance(node, Compare) and any(_is(side_of, given) for side_of in (node.left, node.right)):
                other = node.right if _is(node.left, given) else node.left
                numbers = [other.value] if isinstance(other, Const) else []
                if (
                    isinstance(other, Ref)
                    and other.root == "param"
                    and len(other.path) == 1
                    and not side.bundle.sites
                ):
                    numbers = values[other.path[0]]
                whole = [number for number in numbers if isinstance(number, int)]
                if not whole or len(whole) != len(numbers):
                    return None
                most = max(most, *(number // SCALE + 1 for number in whole))
    named = sum(_is(node, given) for expression in side.rule.expressions() for node in walk(expression.node))
    compared = sum(
        isinstance(node, Compare) and (_is(node.left, given) or _is(node.right, given))
        for expression in side.rule.expressions()
        for node in walk(expression.node)
    )
    return most if named == compared and most <= _MOST_COUNTED else None


def _is(node: Node, given: Given) -> bool:
    return isinstance(node, Ref) and node.root == given.name


def _lines(sides: Sequence[Side], events: Mapping[str, int]) -> int:
    """How many lines a list needs: one for each question that is asked of lists, whose answer it is; of each event that a look-up sees anew."""
    asked: dict[Node, int] = {}
    for side in sides:
        for expression, times in _asked_how_often(side, events):
            for node, often in _asked_of_lists(side, expression.node, times):
                asked[node] = max(often, asked.get(node, 0))
    return sum(asked.values())


def _asked_how_often(side: Side, events: Mapping[str, int]) -> Iterator[tuple[Expression, int]]:
    """The expressions of a rule, and of how many events each is asked."""
    rule = side.rule
    of_many = {}
    for given in rule.given:
        of_many[id(given.where)] = sum(events.get(kind, 1) for kind in given.kinds)
    for closing in rule.closings():
        count = sum(events.get(kind, 1) for kind in closing.kinds) + 1
        of_many |= {id(closing.where): count, id(closing.at): count}
    yield from ((expression, of_many.get(id(expression), 1)) for expression in rule.expressions())


def _asked_of_lists(side: Side, node: Any, times: int) -> Iterator[tuple[Node, int]]:
    """Each question that is asked of a list, and how many times: inside another list's macro, once for each of its elements."""
    if isinstance(node, Macro | In):
        size = _length(side, node.items)
        if size is None:
            yield node, times
        inside = times * (MOST_LINES + 1 if size is None else size)
        yield from _asked_of_lists(side, node.items, times)
        yield from (
            _asked_of_lists(side, node.body, inside)
            if isinstance(node, Macro)
            else _asked_of_lists(side, node.item, times)
        )
    else:
        for below in parts(node):
            yield from _asked_of_lists(side, below, times)


def _length(side: Side, items: Node) -> int | None:
    """How long a list is that does not come from an event; None of others."""
    if isinstance(items, Const) and isinstance(items.value, tuple):
        return len(items.value)
    if isinstance(items, ListOf):
        return len(items.items)
    if isinstance(items, Ref) and items.root == "param":
        values = [
            value.value for one in side.rule.parameters if one.name == items.path[0] for value in one.values
        ]
        for said in side.bundle.sites.values():
            values += [value.value for value in said.get(side.rule.id, {}).get(items.path[0], ())]
        return max((len(value) for value in values if isinstance(value, tuple)), default=0)
    return None


def short_room(room: Room, sides: Sequence[Side]) -> Room:
    """How many events of each kind a concrete world has: those that may be looked for, and a few that are counted."""
    found = dict(room.events)
    for side in sides:
        for given in side.rule.given:
            if given.quantifier in ("count", "sum", "uncovered", "largest_gap"):
                for one in given.kinds:
                    found[one] = min(4, max(2, found.get(one, 0) + 1))
            if given.quantifier == "balance":
                for one in (*MOVEMENTS, "inventory_count"):
                    found.setdefault(one, 1)
    return Room(found, max(_FEW_LINES, room.lines))


def copied(world: World, sides: Sequence[Side]) -> None:
    """Events that are counted or summed may be there many times over; where one is named by its id, once."""
    most: dict[str, int] = {}
    for side in sides:
        for given in side.rule.given:
            if given.quantifier in ("count", "sum"):
                for kind in given.kinds:
                    most[kind] = min(
                        most.get(kind, MOST_COPIES), MOST_COPIES if given.quantifier == "count" else 4
                    )
    for kind, count in most.items():
        if event_reference_fields(kind):
            continue
        for event in world.past.get(kind, ()):
            event.copies = z3.Int(f"{event.name}*")
            world.rules.must += [event.copies >= 1, event.copies <= count]
