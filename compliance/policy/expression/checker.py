"""Types an expression: the untyped tree to the typed one, or every mistake that can be found at once.

Types come from the names given (`Names`), which come from the vocabulary. A mistake is reported once: what was made of
something wrong is not itself called wrong. Constants are folded here, so that evaluators never parse a text.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from compliance.policy.expression import syntax
from compliance.policy.expression.calls import CallRules
from compliance.policy.expression.combine import CombineRules
from compliance.policy.expression.errors import ExpressionErrors
from compliance.policy.expression.names import Names
from compliance.policy.expression.parser import parse
from compliance.policy.expression.reporting import ANYTHING
from compliance.policy.expression.syntax import Syntax
from compliance.policy.expression.tree import (
    And,
    Conditional,
    Const,
    Func,
    IsNull,
    ListOf,
    Node,
    Not,
    Or,
    Ref,
    Select,
    Type,
)
from compliance.policy.expression.types import (
    BOOL,
    ERROR,
    INSTANT,
    NULL,
    NUMBER,
    TEXT,
    plain,
    same_unit,
    united,
)
from compliance.policy.nearest import did_you_mean


def typed(text: str, names: Names, expected: Type | None = None) -> Node:
    """The typed tree of an expression.

    `expected` is the type that its place asks for (a condition: bool). Raises ExpressionErrors with all mistakes found.
    """
    tree = parse(text)
    checker = _Checker(names)
    node = checker.finish(checker.check(tree), expected)
    if checker.errors:
        raise ExpressionErrors(checker.errors)
    return node


_NEEDED: Final = {
    "bool": "compare it with something, such as: event.dose_mg <= 84",
    "duration": "write 24h, 7d, duration('90m'), or a parameter of such a value",
    "instant": "name a field that ends in _at, or add a duration to one",
}
"""What to write where something of a type is needed and something else stands."""


class _Checker(CallRules, CombineRules):
    """One pass over one expression; collects errors and goes on."""

    def finish(self, node: Node, expected: Type | None) -> Node:
        """The whole expression's own type against what its place asks for."""
        if node.type.name == "date" and self.names.due:
            node = Func(INSTANT, node.span, "end_of_day", (node,))
        if node.type is ERROR:
            return node
        if expected is None:
            if node.type.name in ("event", "record", "null", "period"):
                return self.wrong(
                    node.span,
                    f"This is {plain(node.type)}, not a value.",
                    "Name one of its fields, or compare it.",
                )
            return node
        node = self.fitted(node, expected)
        if node.type is ERROR:
            return node
        if united(node.type, expected) is None or (
            expected.name == "number" and not same_unit(node.type.unit, expected.unit)
        ):
            wanted = "a condition (true or false)" if expected == BOOL else plain(expected)
            return self.wrong(
                node.span,
                f"{wanted.capitalize()} is needed here, but this is {plain(node.type)}.",
                _NEEDED.get(expected.name, ""),
            )
        return node

    def check(self, tree: Syntax) -> Node:
        """Any node."""
        match tree:
            case syntax.NumberLiteral():
                return Const(NUMBER, tree.span, tree.value)
            case syntax.TextLiteral():
                return Const(TEXT, tree.span, tree.value)
            case syntax.TruthLiteral():
                return Const(BOOL, tree.span, tree.value)
            case syntax.NullLiteral():
                return self.wrong(
                    tree.span,
                    "null can only be compared with an event that was looked up.",
                    "Write dose == null or dose != null; for a field, write has(dose.field).",
                )
            case syntax.Name():
                return self._name(tree)
            case syntax.Member():
                return self._member(tree)
            case syntax.Call():
                return self.call(tree)
            case syntax.Unary():
                return self._unary(tree)
            case syntax.Binary():
                return self._binary(tree)
            case syntax.Logical():
                return self._logical(tree)
            case syntax.Ternary():
                return self._ternary(tree)
            case syntax.ListLiteral():
                return self._list(tree)

    # ---- names and fields

    def _name(self, tree: syntax.Name) -> Node:
        root = self.names.aliases.get(tree.name, tree.name)
        if tree.name in self.variables:
            root = tree.name
        kind = self.variables.get(root) or self.names.roots.get(root)
        if kind is None and root == "zone":
            kind = TEXT
        if kind is not None:
            return Ref(kind, tree.span, root, ())
        known = [*self.variables, *self.names.roots, *self.names.aliases, "zone"]
        for owner, owner_type in self.names.roots.items():
            if tree.name in dict(owner_type.fields):
                return self.wrong(
                    tree.span,
                    f"'{tree.name}' is a field and needs its event before it.",
                    f"Write {owner}.{tree.name}.",
                )
        return self.wrong(
            tree.span,
            f"'{tree.name}' is not known here.",
            f"{did_you_mean(tree.name, known).rstrip('.') or 'check the name'}; a word that is meant as text needs quotes: '{tree.name}'",
        )

    def _member(self, tree: syntax.Member) -> Node:
        base = self.check(tree.operand)
        if base.type is ERROR:
            return replace(ANYTHING, span=tree.span)
        fields = dict(base.type.fields)
        if base.type.name not in ("event", "record"):
            return self.wrong(
                tree.name_span, f"This is {plain(base.type)} and has no fields, so no '{tree.field}'.", ""
            )
        kind = fields.get(tree.field)
        if kind is None:
            return self.wrong(
                tree.name_span, self._no_field(base, tree.field), did_you_mean(tree.field, fields)
            )
        if isinstance(base, Ref):
            return Ref(kind, tree.span, base.root, (*base.path, tree.field))
        return Select(kind, tree.span, base, tree.field)

    def _no_field(self, base: Node, field: str) -> str:
        if isinstance(base, Ref) and base.root == "param" and not base.path:
            return f"The rule has no parameter '{field}'."
        if base.type.kinds:
            kinds = base.type.kinds
            of = (
                kinds[0]
                if len(kinds) == 1
                else "these kinds of event"
                if len(kinds) > 4
                else " or ".join(kinds)
            )
            return f"There is no field '{field}' in {of}."
        return f"There is no field '{field}' here."

    # ---- operators

    def _unary(self, tree: syntax.Unary) -> Node:
        operand = self.check(tree.operand)
        if tree.operator == "!":
            return Not(BOOL, tree.span, self.condition(operand, "'!' (not)"))
        return self.negated(operand, tree.span)

    def _binary(self, tree: syntax.Binary) -> Node:
        if tree.operator in ("==", "!="):
            for side, other in ((tree.left, tree.right), (tree.right, tree.left)):
                if isinstance(side, syntax.NullLiteral):
                    return self._null(tree, other)
        left = self.check(tree.left)
        if tree.operator == "in" and isinstance(tree.right, syntax.ListLiteral):
            return self.member_of(left, self._list(tree.right, left.type), tree.span)
        right = self.check(tree.right)
        if tree.operator == "in":
            return self.member_of(left, right, tree.span)
        if tree.operator in ("+", "-", "*"):
            return self.arithmetic(tree.operator, left, right, tree.span)
        return self.comparison(tree.operator, left, right, tree.span)

    def _null(self, tree: syntax.Binary, other: Syntax) -> Node:
        if isinstance(other, syntax.NullLiteral):
            return self.wrong(
                tree.span, "null is compared with null.", "Compare an event that was looked up."
            )
        node = self.check(other)
        if node.type is ERROR:
            return Const(BOOL, tree.span, False)
        if not (isinstance(node, Ref) and node.type.name == "event" and not node.path):
            written = "has(...)" if tree.operator == "!=" else "!has(...)"
            remedy = f"Ask {written} whether the field is there."
            if not (isinstance(node, Ref) and node.path):
                remedy = "Only events that were looked up (latest, earliest, any) can be null."
            return self.wrong(tree.span, f"This is {plain(node.type)}; only an event can be null.", remedy)
        asked = IsNull(BOOL, tree.span, node.root)
        return asked if tree.operator == "==" else Not(BOOL, tree.span, asked)

    def _logical(self, tree: syntax.Logical) -> Node:
        made: list[Node] = []
        kind = And if tree.operator == "&&" else Or
        for operand in tree.operands:
            node = self.condition(self.check(operand), f"'{tree.operator}'")
            made.extend(node.operands if isinstance(node, kind) else (node,))
        return kind(BOOL, tree.span, tuple(made))

    def _ternary(self, tree: syntax.Ternary) -> Node:
        condition = self.condition(self.check(tree.condition), "'?'")
        then, otherwise = self.check(tree.then), self.check(tree.otherwise)
        if self.names.due and {then.type.name, otherwise.type.name} == {"date", "instant"}:
            then, otherwise = (
                Func(INSTANT, arm.span, "end_of_day", (arm,)) if arm.type.name == "date" else arm
                for arm in (then, otherwise)
            )
        then, otherwise = self.fitted(then, otherwise.type), self.fitted(otherwise, then.type)
        kind = united(then.type, otherwise.type)
        scales = {arm.type.element.scale for arm in (then, otherwise) if arm.type.element is not None}
        if kind is None or kind.name in ("event", "null") or len(scales) > 1:
            return self.wrong(
                tree.span,
                f"The two values of '?:' differ in type: {plain(then.type)} and {plain(otherwise.type)}.",
                "Give both the same type.",
            )
        if kind.name == "number" and not same_unit(then.type.unit, otherwise.type.unit):
            return self.wrong(
                tree.span, f"One value is in {then.type.unit}, the other in {otherwise.type.unit}.", ""
            )
        if kind.name == "number":
            kind = replace(kind, unit=then.type.unit or otherwise.type.unit)
        return Conditional(kind, tree.span, condition, then, otherwise)

    def _list(self, tree: syntax.ListLiteral, wanted: Type = ERROR) -> Node:
        items = [self.fitted(self.check(item), wanted) for item in tree.items]
        element: Type | None = None
        for item in items:
            if item.type.name in ("event", "record", "list", "period"):
                return self.wrong(
                    item.span, f"{plain(item.type).capitalize()} cannot stand in a list here.", ""
                )
            together = item.type if element is None else united(element, item.type)
            if together is None or (element and not same_unit(element.unit, item.type.unit)):
                return self.wrong(
                    item.span,
                    f"This is {plain(item.type)}, but the values before it are {plain(element or NULL)}.",
                    "Use one type in a list.",
                )
            element = together
        if element is ERROR:
            return replace(ANYTHING, span=tree.span)
        kind = Type("list", element=element)
        if all(isinstance(item, Const) for item in items):
            return Const(kind, tree.span, tuple(item.value for item in items if isinstance(item, Const)))
        return ListOf(kind, tree.span, tuple(items))

    def condition(self, node: Node, of: str) -> Node:
        """A node that must be a truth value; `of` is what asks for it."""
        if node.type.name in ("bool", "error"):
            return node
        remedy = "Compare it with something."
        if node.type.name == "event" and isinstance(node, Ref):
            remedy = f"Write {node.root} != null."
        return self.wrong(
            node.span, f"{of} needs a condition (true or false), but this is {plain(node.type)}.", remedy
        )
