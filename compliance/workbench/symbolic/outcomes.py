"""When a rule comes out how: the outcomes of an event, of a duty, of a night, each as a formula.

The meaning is that of `compliance.engine.reference` (``when`` and ``require``), `compliance.engine.duties` and `compliance.engine.nights`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from compliance.domain.vocabulary import KINDS
from compliance.policy.expression.tree import Conditional, Func, Node
from compliance.policy.model import Closing, Expect, Rule
from compliance.workbench.symbolic.facts import fact, same_subject
from compliance.workbench.symbolic.terms import Scope, Side, Terms
from compliance.workbench.symbolic.values import (
    Fact,
    Formula,
    Hidden,
    Sym,
    both,
    choose,
    either,
    equal,
    no,
    sym,
)
from compliance.workbench.symbolic.world import World

Outcomes: TypeAlias = Mapping[str, Formula]
"""Each outcome that may come, with when it does; one of them always does."""

FINDINGS: Final = frozenset({"fail", "indeterminate", "missed", "met_late"})
"""The outcomes that are findings."""
OF_EVENTS: Final = ("not_applicable", "pass", "fail", "indeterminate")
OF_DUTIES: Final = ("not_applicable", "open", "met", "met_late", "missed", "indeterminate")


def form_of(rule: Rule) -> str:
    """How a rule is judged: on an event, as a duty, every night."""
    return "nightly" if rule.each is not None else "deadline" if rule.expect is not None else "event"


def judges(rule: Rule, kind: str) -> bool:
    """Whether a rule says anything of an event of a kind: judges it, opens a duty on it, takes it as a subject."""
    return kind == rule.each.kind if rule.each is not None else kind in rule.on or "any" in rule.on


def outcomes_of(rule: Rule) -> tuple[str, ...]:
    """The outcomes that a rule may have."""
    return OF_DUTIES if rule.expect is not None else OF_EVENTS


def outcomes(world: World, side: Side) -> Outcomes:
    """The outcomes of a side's rule on the judged event of a world."""
    rule = side.rule
    terms = Terms(world, side)
    if not judges(rule, world.judged.kind):
        return {"not_applicable": True}
    scope = _scope(terms)
    day = world.day
    in_force = both(
        day >= rule.in_force.start, True if rule.in_force.end is None else day < rule.in_force.end
    )
    applies, spared = (True, False) if rule.when is None else terms.truth(rule.when.node, scope)
    if rule.expect is not None:
        _one_duty(world, rule)
        return _duty(terms, rule.expect, scope, in_force, applies, spared)
    assert rule.require is not None  # a rule has one of the two
    holds, fails = terms.truth(rule.require.node, scope)
    found = _judged(applies, spared, holds, fails)
    if rule.each is not None and rule.each.where is not None:
        found = _chosen(found, *terms.truth(rule.each.where.node, {**scope, "it": scope["event"]}))
    return {
        **{name: both(in_force, here) for name, here in found.items() if name != "not_applicable"},
        "not_applicable": either(no(in_force), found["not_applicable"]),
    }


def _judged(applies: Formula, spared: Formula, holds: Formula, fails: Formula) -> dict[str, Formula]:
    undecided = both(no(applies), no(spared))
    return {
        "not_applicable": spared,
        "pass": both(applies, holds),
        "fail": both(applies, fails),
        "indeterminate": either(undecided, both(applies, no(holds), no(fails))),
    }


def _chosen(found: dict[str, Formula], chosen: Formula, passed_over: Formula) -> dict[str, Formula]:
    """Only subjects that are chosen; one of which nobody can say whether it is, is undecided."""
    unclear = both(no(chosen), no(passed_over))
    applying = no(found["not_applicable"])
    return {
        "not_applicable": either(passed_over, found["not_applicable"]),
        "pass": both(chosen, found["pass"]),
        "fail": both(chosen, found["fail"]),
        "indeterminate": both(
            no(passed_over), either(both(chosen, found["indeterminate"]), both(unclear, applying))
        ),
    }


def _scope(terms: Terms) -> dict[str, Sym | Fact | Hidden]:
    """What the names of a rule stand for."""
    world = terms.world
    scope: dict[str, Sym | Fact | Hidden] = {"event": world.subject, "zone": world.zone, "now": world.now}
    for given in terms.side.rule.given:
        scope[given.name] = fact(terms, given, scope)
    return scope


# ---- duties


@dataclass(frozen=True, slots=True)
class _Part:
    """How one closing, or several together, stand: the number of its state in `_STATES`, when it is due, and whether that is known."""

    state: Any
    due: Any
    certain: Formula


_STATES: Final = ("met", "open", "met_late", "missed")
_ANY: Final = {"met": 0, "open": 1, "met_late": 2, "missed": 3}
_ALL: Final = {"missed": 0, "met_late": 1, "open": 2, "met": 3}


def _duty(
    terms: Terms, expect: Expect, scope: Scope, in_force: Formula, applies: Formula, spared: Formula
) -> Outcomes:
    part = _part(terms, expect, scope)
    opened = both(in_force, no(spared))
    unsure = either(
        both(no(applies), no(part.state == _ANY["met"])), both(no(part.certain), part.state == _ANY["open"])
    )
    return {
        "not_applicable": no(opened),
        "indeterminate": both(opened, unsure),
        **{name: both(opened, no(unsure), part.state == _ANY[name]) for name in _STATES},
    }


def _one_duty(world: World, rule: Rule) -> None:
    """In a concrete world the judged event is the one that the duty is about: the present state of its subject, or the first of those that
    share the duty's key."""
    if not world.concrete:
        return
    judged = world.judged
    for kind in rule.on if rule.per or KINDS[judged.kind].key else ():
        for event in world.past.get(kind, ()):
            if rule.per:
                shared, order = (
                    both(*(equal(event.group.get(name), judged.group.get(name)) for name in rule.per)),
                    event.occurred > judged.occurred,
                )
            else:
                shared, order = (
                    event.kind == judged.kind and same_subject(event, judged),
                    event.occurred < judged.occurred,
                )
            world.rules.must.append(either(no(event.there), no(shared), order))


def _part(terms: Terms, expect: Expect, scope: Scope) -> _Part:
    if expect.closing is not None:
        return _closing(terms, expect.closing, scope)
    parts = [_part(terms, part, scope) for part in expect.parts]
    found = parts[0]
    for part in parts[1:]:
        found = _better(found, part, any_of=expect.form == "any_of")
    return found


def _better(one: _Part, other: _Part, *, any_of: bool) -> _Part:
    """Of two parts the one that decides: of any_of the better, of all_of the worse; of equals the one that leaves most (least) time."""
    rank = one.state - other.state if any_of else other.state - one.state
    if any_of:
        equal = both(one.certain, either(no(other.certain), one.due >= other.due))
    else:
        equal = either(no(one.certain), both(other.certain, one.due <= other.due))
    first = either(rank < 0, both(rank == 0, equal))
    return _Part(
        choose(first, one.state, other.state),
        choose(first, one.due, other.due),
        choose(first, one.certain, other.certain),
    )


def _closing(terms: Terms, closing: Closing, scope: Scope) -> _Part:
    """Closed by the first event that may; in time where that counts no later than the end."""
    world = terms.world
    due = terms.value(closing.due.node, scope)
    end = due.value - choose(_ends_with_day(terms, closing.due.node, scope), 1, 0)
    closed, in_time = [], []
    for qualifies, at in _closers(terms, closing, scope):
        closed.append(qualifies)
        in_time.append(both(qualifies, at <= end))
    state = choose(
        either(*in_time), _ANY["met"],
        choose(either(*closed), _ANY["met_late"], choose(world.as_of > end, _ANY["missed"], _ANY["open"])),
    )  # fmt: skip
    return _Part(choose(due.known, state, _ANY["open"]), choose(due.known, due.value, 0), due.known)


def _closers(terms: Terms, closing: Closing, scope: Scope) -> Iterator[tuple[Formula, Any]]:
    """Events that may close the duty: when they do, and at which instant that counts."""
    world, judged = terms.world, terms.world.judged
    for kind in closing.kinds:
        events = [*world.past.get(kind, ()), *([judged] if judged.kind == kind else [])]
        for event in events:
            it = {**scope, "it": sym(event.group)}
            holds = True if closing.where is None else terms.truth(closing.where.node, it)[0]
            at = sym(event.occurred) if closing.at is None else terms.value(closing.at.node, it)
            if at.known is False:
                continue
            after = True if event is judged else both(event.there, event.occurred >= world.start)
            if world.concrete and event is not judged:  # it stands before the judged event in the case
                after = both(
                    event.there,
                    either(event.occurred > judged.occurred, event.noted > judged.noted),
                    event.occurred >= judged.occurred,
                )
            shared = both(*(equal(event.group.get(name), judged.group.get(name)) for name in closing.by))
            yield (
                both(after, event.occurred <= world.as_of, shared, holds, at.known, at.value <= world.as_of),
                at.value,
            )


def _ends_with_day(terms: Terms, due: Node, scope: Scope) -> Formula:
    """Whether `due` is the end of a day, not a length of time; of a choice, the arm that is taken."""
    if isinstance(due, Conditional):
        condition = terms.value(due.condition, scope)
        then, otherwise = _ends_with_day(terms, due.then, scope), _ends_with_day(terms, due.otherwise, scope)
        return choose(both(condition.known, condition.value), then, otherwise)
    return isinstance(due, Func) and due.name.startswith("end_of_day")
