"""The quantifiers of policy-language.md ("Facts") told once more, slowly: filter a plain list, group it, fold it.

No index, no streams, no look-up keys, no early end. What it says of random timelines, `engine.binding.find` must say too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.domain.event import Event
from compliance.domain.making import stamp
from compliance.domain.values import SCALE, UNKNOWN
from compliance.domain.vocabulary import KINDS
from compliance.engine.binding import find
from compliance.engine.exact import exact
from compliance.engine.history import MemoryHistory
from compliance.engine.plan import Planner
from compliance.engine.sight import Sight
from compliance.policy.model import Expression, Given, Rule
from tests.properties.timelines import crowded, rules

BUNDLE = rules()
MOVES = {
    "receipt": 1,
    "administration": -1,
    "dispense": -1,
    "wastage": -1,
    "transfer_out": -1,
    "destruction": -1,
}


def value(expression: Expression | None, scope: dict[str, Any]) -> Any:
    return None if expression is None else exact(expression.node, BUNDLE.tables)(scope)


def names(one: Event, other: Event) -> bool:
    """Whether `one` names `other` in one of its fields that end in _event."""
    return any(said == other.id for field, said in one.values.items() if field.endswith("_event"))


def thing(event: Event) -> tuple[Any, ...]:
    """The continuing thing that an event of a keyed kind is about; an event of another kind is about itself alone."""
    kind = KINDS[event.kind]
    if not kind.key:
        return (event.id,)
    patient = event.values.get("patient") if kind.fields["patient"].required else None
    return (event.kind, *(event.values.get(field) for field in kind.key), patient)


def told(fact: Given, judged: Event, everything: Sequence[Event], scope: dict[str, Any]) -> Any:
    """What a given finds, by the letter."""
    if fact.quantifier == "balance":
        return stock_lines(fact, judged, everything, scope)
    if any(field not in judged.values for field in fact.by):
        return UNKNOWN
    within, after = value(fact.within, scope), value(fact.after, scope)
    if within is UNKNOWN or after is UNKNOWN:
        return UNKNOWN
    seen = [
        e for e in everything
        if e.id != judged.id and e.kind in fact.kinds
        and (
            e.order < judged.order or names(e, judged)
            or (after is not None and e.occurred_at <= judged.occurred_at + after)
        )
    ]  # fmt: skip
    if after is not None and within is None:
        seen = [e for e in seen if e.occurred_at >= judged.occurred_at]
    if within is not None:
        seen = [e for e in seen if e.occurred_at >= judged.occurred_at - within]
    if fact.include_self and judged.kind in fact.kinds:
        seen = [e for e in seen if not fact.present or thing(e) != thing(judged)] + [judged]
    seen.sort(key=lambda e: e.order)
    if fact.present or fact.quantifier in ("uncovered", "largest_gap"):
        seen = [e for i, e in enumerate(seen) if all(thing(e) != thing(later) for later in seen[i + 1 :])]
    seen = [e for e in seen if all(e.values.get(field) == judged.values[field] for field in fact.by)]
    holds = [(e, True if fact.where is None else value(fact.where, {**scope, "it": e.values})) for e in seen]
    return folded(fact, [(e, h) for e, h in holds if h is not False], scope)


def folded(fact: Given, held: list[tuple[Event, Any]], scope: dict[str, Any]) -> Any:
    """`held` is oldest first: those that meet the condition, or may."""
    sure = [e for e, h in held if h is True]
    undecided = len(sure) < len(held)
    match fact.quantifier:
        case "latest" | "earliest":
            if not held:
                return None
            first, holds = held[-1] if fact.quantifier == "latest" else held[0]
            return UNKNOWN if holds is UNKNOWN else first.values
        case "any":
            return sure[-1].values if sure else UNKNOWN if undecided else None
        case "none":
            return False if sure else UNKNOWN if undecided else True
        case "count":
            return UNKNOWN if undecided else len(sure) * SCALE
        case "sum":
            amounts = [e.values.get(fact.field or "") for e in sure]
            return UNKNOWN if undecided or None in amounts else sum(amounts)
        case _:
            start, end = value(fact.span_from, scope), value(fact.span_to, scope)
            if UNKNOWN in (start, end):
                return UNKNOWN
            measure = bare if fact.quantifier == "uncovered" else stretch
            least, most = measure(start, end, [e for e, _ in held]), measure(start, end, sure)
            return most if least == most else UNKNOWN


def bare(start: int, end: int, shifts: list[Event]) -> int:
    """How much of the span lies in no shift, piece by piece between all instants at which anything changes."""
    spans = [(e.values["arrived_at"], e.values.get("left_at", end)) for e in shifts]
    marks = sorted({start, end, *(m for span in spans for m in span if start < m < end)})
    return sum(
        b - a for a, b in pairwise(marks) if not any(first <= a and b <= last for first, last in spans)
    )


def stretch(start: int, end: int, events: list[Event]) -> int:
    marks = sorted({start, end, *(e.occurred_at for e in events if start <= e.occurred_at <= end)})
    return max((b - a for a, b in pairwise(marks)), default=0)


def stock_lines(fact: Given, judged: Event, everything: Sequence[Event], scope: dict[str, Any]) -> Any:
    if fact.for_each is None:
        return stock(fact.by, judged.values, judged, everything)
    lines = value(fact.for_each, scope)
    if lines is UNKNOWN:
        return UNKNOWN
    found = [(line, stock(fact.by, {**judged.values, **line}, judged, everything)) for line in lines]
    return tuple(line if amount is UNKNOWN else {**line, "balance": amount} for line, amount in found)


def stock(by: tuple[str, ...], wanted: Any, judged: Event, everything: Sequence[Event]) -> Any:
    if any(field not in wanted for field in by):
        return UNKNOWN
    before = sorted(
        (e for e in everything if e.id != judged.id and (e.order < judged.order or names(e, judged))),
        key=lambda e: e.order,
    )
    total: Any = 0
    for event in before:
        if event.kind == "inventory_count" and event.values["complete"]:
            if event.values["registration"] == wanted["registration"]:
                rest = [field for field in by if field != "registration"]
                lines = [x for x in event.values["lines"] if all(x.get(f) == wanted[f] for f in rest)]
                total = sum(line["quantity"] for line in lines)
        elif event.kind in MOVES and all(event.values.get(field) == wanted[field] for field in by):
            taken = event.kind != "receipt" or event.values["accepted"]
            total += MOVES[event.kind] * event.values["quantity"] if taken else 0
    return total


def both(
    rule: Rule, planner: Planner, judged: Event, history: MemoryHistory, everything: Sequence[Event]
) -> Iterator[tuple[Any, ...]]:
    """Each fact of a rule as told here and as found by the engine."""
    plan = planner.plan(rule)
    common = {"event": judged.values, "now": judged.noted_at, "zone": "America/Chicago", "day": 739_677}
    parameters = {p.name: p.values[0].value for p in rule.parameters}
    own: dict[str, Any] = {**common, "param": parameters}
    engines: dict[str, Any] = {**common, "param": {rule.id: parameters}}
    sight = Sight(history, judged)
    for given_fact in rule.given:
        lookup = planner.lookups[plan.names[given_fact.name]]
        own[given_fact.name] = told(given_fact, judged, everything, own)
        engines[lookup.id] = find(lookup, engines, sight)
        engines.pop("it", None)
        yield rule.id, given_fact.name, judged.id, own[given_fact.name], engines[lookup.id]


@settings(max_examples=150)
@given(crowded(), st.randoms(use_true_random=False))
def test_every_fact_is_what_the_page_says(events: list[Event], random: Any) -> None:
    """On random timelines, in any order of arrival, with corrections, voids and signatures, both ways of telling agree."""
    random.shuffle(events)
    history = MemoryHistory(
        stamp(event, event.occurred_at, position) for position, event in enumerate(events)
    )
    standing = [e for e in (history.stands(event.id) for event in history) if e is not None]
    everything = [e for e in standing if not e.proposed]
    planner = Planner(BUNDLE)
    for judged in standing:
        for rule in BUNDLE.judging(judged.kind):
            for rule_id, name, event_id, expected, found in both(rule, planner, judged, history, everything):
                assert found == expected, (rule_id, name, event_id)
