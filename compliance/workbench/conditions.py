"""The atomic conditions of a rule, and the rule with one of them changed.

An atomic condition is a comparison, a membership, a yes/no field, ``has()``, a test for null, a call that answers yes or no, or a macro over a
list as a whole: what ``&& || !`` and ``?:`` join. They stand in `when`, `require`, the `where` of a fact or of a closing, and in
``per: {where:}``. That a duty was done in time is one more condition of each closing.

A `mutant` is the rule in which a condition that comes out one way is taken to come out the other way. What is unknown of it stays unknown:
only where the condition is really decided, and decides, does the mutant come out differently (condition coverage as
in DO-178C, "modified condition/decision coverage"; here each place where a condition stands is a condition of its own).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from compliance.domain.time import DAY
from compliance.engine.plan import walk
from compliance.errors import Problem
from compliance.policy.expression.functions import FUNCTIONS
from compliance.policy.expression.tree import (
    And,
    Arith,
    Conditional,
    Const,
    Func,
    IsNull,
    Node,
    Not,
    Or,
    Ref,
    Span,
)
from compliance.policy.expression.types import BOOL, DURATION, INSTANT
from compliance.policy.located import Document, Path
from compliance.policy.model import Expect, Expression, Given, Rule

Step = tuple[str, int | None]
"""From a node to one below it: the field, and the position where the field has several."""
Change = Callable[[Node], Node]

NOWHERE: Final = Span(0, 0)
ALWAYS: Final = 400 * 366 * DAY
"""So much sooner, or later, is always too soon, or never too late."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One atomic condition: where its expression stands in the document, by which steps it is reached there, and its node.

    Of a condition of time (`timely`: the duty was done no later than its due) the node is the whole of ``due:``.
    """

    where: Path
    steps: tuple[Step, ...]
    node: Node
    expression: Expression
    timely: bool = False

    @property
    def key(self) -> tuple[Path, tuple[Step, ...], bool]:
        """What tells it apart from the rule's other conditions."""
        return self.where, self.steps, self.timely

    @property
    def text(self) -> str:
        """As it is written."""
        span = self.node.span
        if self.timely:
            return f"done by {self.expression.text.strip()}"
        return " ".join(self.expression.text[span.start : span.end].split())


def expressions_of(rule: Rule) -> Iterator[tuple[Path, Expression]]:
    """Every expression of a rule with its path in the document, those of windows and texts too, in the order of the file."""
    if rule.each is not None and rule.each.where is not None:
        yield ("per", "where"), rule.each.where
    for given in rule.given:
        for name, attribute in _OF_A_FACT.items():
            part = getattr(given, attribute)
            if part is not None:
                yield ("given", given.name, name), part
    for name in ("when", "require"):
        condition = getattr(rule, name)
        if condition is not None:
            yield (name,), condition
    if rule.expect is not None:
        yield from _of_expect(rule.expect, ("expect",))
    for name in ("message", "remedy"):
        parts = getattr(rule, name).parts
        yield from ((("otherwise", name), part) for part in parts if isinstance(part, Expression))


_OF_A_FACT: Final = {
    "where": "where", "within": "within", "after": "after", "from": "span_from", "to": "span_to", "for_each": "for_each",
}  # fmt: skip
_JUDGED: Final = frozenset({"when", "require", "where"})


def _of_expect(expect: Expect, path: Path) -> Iterator[tuple[Path, Expression]]:
    if expect.closing is not None:
        for name in ("where", "at", "due"):
            part = getattr(expect.closing, name)
            if part is not None:
                yield (*path, name), part
    for number, one in enumerate(expect.parts):
        yield from _of_expect(one, (*path, expect.form, number))


def conditions_of(rule: Rule) -> tuple[Condition, ...]:
    """The atomic conditions of a rule, in the order of the file."""
    found: list[Condition] = []
    for path, expression in expressions_of(rule):
        if path[-1] in _JUDGED:
            found += (Condition(path, steps, node, expression) for steps, node in _atoms(expression.node, ()))
        elif path[0] == "expect" and path[-1] == "due":
            found.append(Condition(path, (), expression.node, expression, timely=True))
    return tuple(found)


def _atoms(node: Node, steps: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], Node]]:
    match node:
        case And(operands=operands) | Or(operands=operands):
            for number, operand in enumerate(operands):
                yield from _atoms(operand, (*steps, ("operands", number)))
        case Not(operand=IsNull()):  # written as one: dose != null
            yield steps, node
        case Not(operand=operand):
            yield from _atoms(operand, (*steps, ("operand", None)))
        case Conditional():
            for name in ("condition", "then", "otherwise"):
                yield from _atoms(getattr(node, name), (*steps, (name, None)))
        case Const():
            return
        case _:
            yield steps, node


def changed(rule: Rule, condition: Condition, change: Change) -> Rule:
    """The rule with the node of a condition changed; all else, texts and places too, is as it was."""

    def expression(old: Expression) -> Expression:
        return replace(old, node=_put(old.node, condition.steps, change))

    where = condition.where
    match where:
        case ("when",):
            assert rule.when is not None
            return replace(rule, when=expression(rule.when))
        case ("require",):
            assert rule.require is not None
            return replace(rule, require=expression(rule.require))
        case ("per", "where"):
            assert rule.each is not None
            assert rule.each.where is not None
            return replace(rule, each=replace(rule.each, where=expression(rule.each.where)))
        case ("given", str(name), "where"):
            return replace(
                rule, given=tuple(_fact(one, expression) if one.name == name else one for one in rule.given)
            )
        case _:
            assert rule.expect is not None
            return replace(rule, expect=_closing(rule.expect, where[1:], expression))


def _fact(given: Given, change: Callable[[Expression], Expression]) -> Given:
    assert given.where is not None
    return replace(given, where=change(given.where))


def _closing(expect: Expect, path: Path, change: Callable[[Expression], Expression]) -> Expect:
    if expect.closing is not None:
        name = str(path[0])
        parts: dict[str, Any] = {name: change(getattr(expect.closing, name))}
        return replace(expect, closing=replace(expect.closing, **parts))
    number = path[1]
    below = tuple(
        _closing(part, path[2:], change) if i == number else part for i, part in enumerate(expect.parts)
    )
    return replace(expect, parts=below)


def _put(node: Node, steps: tuple[Step, ...], change: Change) -> Node:
    if not steps:
        return change(node)
    (name, number), *rest = steps
    below: Any = getattr(node, name)
    if number is None:
        put: Any = _put(below, tuple(rest), change)
    else:
        put = (*below[:number], _put(below[number], tuple(rest), change), *below[number + 1 :])
    return replace(node, **{name: put})


def mutant(rule: Rule, condition: Condition, value: bool) -> Rule:
    """The rule in which the condition, where it comes out as `value`, is taken to come out the other way."""
    if condition.timely:
        return changed(rule, condition, lambda due: shifted(due, -ALWAYS if value else ALWAYS))
    opposite = Const(BOOL, NOWHERE, not value)
    return changed(rule, condition, lambda node: Conditional(BOOL, node.span, node, opposite, opposite))


def shifted(due: Node, by: int) -> Node:
    """An instant so many microseconds later; what is unknown of it stays unknown."""
    return Arith(INSTANT, due.span, "+", due, Const(DURATION, NOWHERE, by))


def fields_named(rule: Rule) -> frozenset[str]:
    """The fields of events that a rule looks at: those that its expressions name, and the keys that look-ups share."""
    named = {
        name
        for _, expression in expressions_of(rule)
        for node in walk(expression.node)
        if isinstance(node, Ref)
        for name in node.path
    }
    shared = {key for given in rule.given for key in given.by} | {
        key for one in rule.closings() for key in one.by
    }
    summed = {given.field for given in rule.given if given.field is not None}
    return frozenset(
        named | shared | summed | set(rule.per) | set(rule.each.by if rule.each is not None else ())
    )


def rests_on_tables(condition: Condition) -> bool:
    """Whether a condition asks the bundle's tables (drugs, states, permissions): what they say today may be otherwise tomorrow."""
    return any(
        isinstance(node, Func) and "tables" in FUNCTIONS[node.name].needs for node in walk(condition.node)
    )


def objection(document: Document, condition: Condition, message: str, remedy: str, code: str) -> Problem:
    """Something to say of a condition, its text underlined."""
    span = None if condition.timely else condition.node.span
    return document.problem(condition.where, message, remedy, code, span=span)
