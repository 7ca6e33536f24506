"""From the typed expression tree to conditions that durable_rules can judge, and back-stops for what it cannot.

Native are comparisons of sums of scalars with constants and with each other, equality of text, membership in a constant list,
booleans, `Has`, `IsNull`, and all of ``&& || ! ?:``. Everything else is computed by the reference evaluator and enters as a
field (engine.md, "Evaluators"): the second opinion then covers the logic around it, not the value.
"""

from __future__ import annotations

from collections import Counter
from operator import eq, ge, gt, le, lt, ne
from typing import Final

from compliance.engine.flat_fact import BOUND, INTEGERS, TEXTS, FlatFact
from compliance.engine.normal_form import (
    FALSE,
    OPPOSITE,
    TRUE,
    Choice,
    Condition,
    Every,
    Leaf,
    Missing,
    Op,
    Opposite,
    Some,
    Sum,
    Test,
    code,
)
from compliance.policy.expression.tree import (
    And,
    Arith,
    Compare,
    Conditional,
    Const,
    In,
    Node,
    Not,
    Or,
    scale_of,
)

_MIRRORED: Final[dict[str, Op]] = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_HOLDS: Final = {"==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_ADDED: Final = frozenset({"number", "instant", "duration"})  # dates are added to by calendar functions
_MOST_TERMS: Final = 8  # so many values within BOUND can be added in int64
_MEMBERS: Final = 8  # members of a list that are asked for in one condition; more are split


class Conditions:
    """Translates conditions; the fields they need are asked of the fact."""

    def __init__(self, fact: FlatFact) -> None:
        self._fact = fact

    def of(self, node: Node) -> Condition:
        """The condition that a boolean node states."""
        found: Condition | None = None
        match node:
            case Const(value=bool(value)):
                return TRUE if value else FALSE
            case And(operands=operands):
                return Every(tuple(map(self.of, operands)))
            case Or(operands=operands):
                return Some(tuple(map(self.of, operands)))
            case Not(operand=operand):
                return Opposite(self.of(operand))
            case Conditional(condition=which, then=then, otherwise=otherwise):
                return Choice(self.of(which), self.of(then), self.of(otherwise))
            case Compare(left=left):
                if left.type.name == "bool":
                    found = self._same_truth(node)
                elif left.type.name in INTEGERS:
                    found = self._integers(node)
                elif left.type.name in TEXTS:
                    found = self._texts(node)
            case In(item=item, items=Const(value=tuple(members))):
                found = self._member(item, members)
        return code(self._fact.field(node)) if found is None else found

    def _same_truth(self, node: Compare) -> Condition | None:
        for constant, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(constant, Const) and node.op in {"==", "!="}:
                condition = self.of(other)
                return condition if constant.value is (node.op == "==") else Opposite(condition)
        return None

    def _texts(self, node: Compare) -> Condition | None:
        # The engine orders text by the bytes of its JSON, which is not CEL's order; so only equality is native.
        if node.op not in {"==", "!="}:
            return None
        left, right = node.left, node.right
        if isinstance(left, Const):
            left, right = right, left
        if isinstance(left, Const):
            return None
        name = self._fact.field(left)
        if isinstance(right, Const):
            return _comparison(name, node.op, str(right.value))
        other = self._fact.field(right)
        return None if name == other else _comparison(name, node.op, Sum(((1, other),), 0))

    def _integers(self, node: Compare) -> Condition | None:
        terms: Counter[Node] = Counter()
        constant = self._add(node.left, 1, terms)
        subtracted = None if constant is None else self._add(node.right, -1, terms)
        if constant is None or subtracted is None or 0 in terms.values():
            return None
        constant += subtracted
        if sum(map(abs, terms.values())) > _MOST_TERMS or not -BOUND < constant < BOUND:
            return None
        if not terms:
            return TRUE if _HOLDS[node.op](constant, 0) else FALSE
        for single, times in terms.items():
            if abs(times) == 1:
                # times * single + others + constant <op> 0, solved for the single field
                others = tuple(
                    (-1 if many * times > 0 else 1, self._fact.field(other))
                    for other, many in terms.items()
                    if other is not single
                    for _ in range(abs(many))
                )
                op = node.op if times == 1 else _MIRRORED[node.op]
                right = Sum(others, -constant * times) if others else -constant * times
                return _comparison(self._fact.field(single), op, right)
        return None

    def _add(self, node: Node, times: int, terms: Counter[Node]) -> int | None:
        """Adds `times` the node to `terms` and returns its constant part; None where it is no sum that int64 can hold."""
        if scale_of(node) != 6:
            return None
        if isinstance(node, Const):
            return times * node.value if isinstance(node.value, int) else None
        if (
            isinstance(node, Arith)
            and node.op != "*"
            and {node.left.type.name, node.right.type.name} <= _ADDED
        ):
            left = self._add(node.left, times, terms)
            right = self._add(node.right, times if node.op == "+" else -times, terms)
            return None if left is None or right is None else left + right
        terms[node] += times
        return 0

    def _member(self, item: Node, members: tuple[object, ...]) -> Condition | None:
        expected = int if item.type.name in INTEGERS else str
        if (
            isinstance(item, Const)
            or item.type.name not in INTEGERS | TEXTS
            or scale_of(item) != 6
            or not members
        ):
            return None
        wanted = [member for member in dict.fromkeys(members) if type(member) is expected]
        if len(wanted) < len(set(members)) or any(
            isinstance(one, int) and abs(one) >= BOUND for one in wanted
        ):
            return None
        name = self._fact.field(item)
        chunks = [wanted[i : i + _MEMBERS] for i in range(0, len(wanted), _MEMBERS)]
        parts = tuple(
            Leaf(
                tuple(frozenset([Test(name, "==", one)]) for one in chunk),
                (frozenset(Test(name, "!=", one) for one in chunk),),
                (frozenset([Missing(name)]),),
            )
            for chunk in chunks
        )
        return parts[0] if len(parts) == 1 else Some(parts)


def _comparison(name: int, op: Op, right: int | str | Sum) -> Leaf:
    true, false = Test(name, op, right), Test(name, OPPOSITE[op], right)
    missing = dict.fromkeys((name, *true.needs))
    return Leaf(
        (frozenset([true]),),
        (frozenset([false]),),
        tuple(frozenset([Missing(one)]) for one in missing),
    )
