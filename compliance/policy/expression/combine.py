"""What may be compared, added, subtracted, multiplied and looked for in a list."""

from __future__ import annotations

from dataclasses import replace

from compliance.domain.values import SCALE
from compliance.policy.expression.reporting import Reporting
from compliance.policy.expression.tree import Arith, Compare, Const, Func, In, Node, Span, Type, scale_of
from compliance.policy.expression.types import (
    BOOL,
    DATE,
    DURATION,
    ERROR,
    INSTANT,
    NUMBER,
    plain,
    product_unit,
    same_unit,
    united,
)

_ORDERED = ("number", "instant", "duration", "date")
_EQUAL = ("bool", "text", "enum", *_ORDERED)

_REMEDIES: dict[frozenset[str], str] = {
    frozenset({"instant", "date"}): "Write local_date(...) for the date of a point in time.",
    frozenset({"instant", "text"}): "Write timestamp('2026-03-02T09:05:00-06:00') for a fixed point in time.",
    frozenset({"date", "text"}): "Put the date into a parameter and name it as param.x.",
    frozenset({"duration", "text"}): "Write duration('2h') for a fixed elapsed time.",
    frozenset({"duration", "number"}): "Write duration('2h') or minutes(n) for an elapsed time.",
    frozenset(
        {"duration", "period"}
    ): "Write duration('168h') for elapsed time; days, months and years are added to dates.",
    frozenset({"number", "text"}): "Write a number without quotes.",
    frozenset({"bool", "text"}): "Write true or false without quotes.",
    frozenset(
        {"bool", "number"}
    ): "Write true or false. A chain such as a < b < c is written a < b && b < c.",
    frozenset({"list", "text"}): "Write 'value' in list.",
    frozenset({"list", "enum"}): "Write 'value' in list.",
}


class CombineRules(Reporting):
    """The rules of the operators that take two values."""

    def comparison(self, op: str, left: Node, right: Node, span: Span) -> Node:
        """``== != < <= > >=`` on two values of one type."""
        left, right = self.fitted(left, right.type), self.fitted(right, left.type)
        wrong = self._mismatch(left, right, span)
        if wrong is not None:
            return wrong
        if ERROR in (left.type, right.type):
            return Const(BOOL, span, False)
        ordering = op in ("<", "<=", ">", ">=")
        allowed = _ORDERED if ordering else (*_EQUAL, "list")
        for side in (left, right):
            element = side.type.element
            if side.type.name not in allowed or (element is not None and element.name not in _EQUAL):
                verb = "has no order" if ordering else "cannot be compared"
                return self.wrong(side.span, f"{plain(side.type).capitalize()} {verb}.", self._instead(side))
        if op not in ("==", "!=", "<", "<=", ">", ">="):
            raise AssertionError(op)
        return Compare(BOOL, span, op, left, right)  # type: ignore[arg-type]

    def member_of(self, item: Node, items: Node, span: Span) -> Node:
        """``item in list``."""
        if items.type.name not in ("list", "error"):
            return self.wrong(
                items.span,
                f"'in' looks into a list, but this is {plain(items.type)}.",
                "Write == for one value.",
            )
        element = items.type.element
        if element is not None:
            item = self.fitted(item, element)
            if isinstance(items, Const) and item.type.name == "enum":
                items = self.fitted(items, Type("list", element=item.type))
            element = items.type.element or ERROR
            wrong = self._mismatch(item, replace(items, type=element), span)
            if wrong is not None:
                return wrong
        if ERROR in (item.type, items.type):
            return Const(BOOL, span, False)
        if item.type.name not in _EQUAL:
            return self.wrong(
                item.span,
                f"{plain(item.type).capitalize()} cannot be looked for in a list.",
                self._instead(item),
            )
        return In(BOOL, span, item, items)

    def _mismatch(self, left: Node, right: Node, span: Span) -> Node | None:
        one, other = left.type, right.type
        if ERROR in (one, other):
            return None
        if united(one, other) is None:
            if "event" in (one.name, other.name):
                side = left if one.name == "event" else right
                return self.wrong(
                    side.span, "An event can only be compared with null.", "Name one of its fields."
                )
            remedy = _REMEDIES.get(frozenset({one.name, other.name}), "")
            return self.wrong(
                span, f"{plain(one).capitalize()} cannot be compared with {plain(other)}.", remedy
            )
        if one.name == "number" and not same_unit(one.unit, other.unit):
            return self.wrong(
                span,
                f"A number in {one.unit} cannot be compared with one in {other.unit}.",
                "Compare amounts of one unit.",
            )
        if one.name == "enum" and other.name == "enum" and not set(one.values) & set(other.values):
            return self.wrong(
                span,
                f"These two can never be equal: one is {_listed(one)}, the other {_listed(other)}.",
                "Check which fields are meant.",
            )
        return None

    def _instead(self, node: Node) -> str:
        return {
            "event": "Name one of its fields.",
            "record": "Name one of its fields.",
            "period": "Add it to a date.",
            "list": "Ask with exists, all, size or 'in'.",
            "text": "Compare texts with == or matches.",
            "enum": "List the words: x in ['one', 'other'].",
            "bool": "A chain such as a < b < c is written a < b && b < c.",
        }.get(node.type.name, "")

    # ---- arithmetic

    def arithmetic(self, op: str, left: Node, right: Node, span: Span) -> Node:
        """``+ - *``, by the types of both sides."""
        if ERROR in (left.type, right.type):
            return Const(ERROR, span, False)
        one, other = left.type.name, right.type.name
        if op == "*":
            return self._product(left, right, span)
        if op == "+" and one == "duration" and other == "instant":
            left, right, one, other = right, left, other, one
        if one == other == "number":
            return self._number_sum(op, left, right, span)
        result = {
            ("-", "instant", "instant"): DURATION,
            ("+", "instant", "duration"): INSTANT,
            ("-", "instant", "duration"): INSTANT,
            ("+", "duration", "duration"): DURATION,
            ("-", "duration", "duration"): DURATION,
            ("+", "date", "period"): DATE,
            ("-", "date", "period"): DATE,
        }.get((op, one, other))
        if result is not None:
            if isinstance(left, Const) and isinstance(right, Const):
                return Const(result, span, _value(left) + _value(right) * (1 if op == "+" else -1))
            return Arith(result, span, "+" if op == "+" else "-", left, right)
        if (op, one, other) == ("+", "instant", "period") and self.names.due:
            return Func(INSTANT, span, "end_of_day_after", (left, right))
        return self.wrong(span, *self._cannot_add(op, left, right))

    def _cannot_add(self, op: str, left: Node, right: Node) -> tuple[str, str]:
        one, other = left.type.name, right.type.name
        verb = f"{plain(left.type)} and {plain(right.type)} cannot be added"
        if op == "-":
            verb = f"{plain(right.type)} cannot be subtracted from {plain(left.type)}"
        message = f"{verb[0].upper()}{verb[1:]}."
        if (op, one, other) == ("-", "date", "date"):
            return message, "Compare with a later date: write a <= b + days(30) for a - b <= 30 days."
        if one == "instant" and other == "period":
            return (
                message,
                "Write local_date(x) + days(n) for a date, or x + duration('24h') for elapsed time.",
            )
        if one == "period" and other in ("date", "instant"):
            return message, "Write the date first: date + days(n)."
        if "date" in (one, other) and {one, other} & {"number", "duration"}:
            return message, "Add calendar days to a date: date + days(n)."
        if {one, other} & {"instant", "duration"} and "number" in (one, other):
            return message, "Write duration('2h') or minutes(n) for an elapsed time."
        if one == other == "period":
            return message, "Add them to the date one after the other."
        if "text" in (one, other) or "enum" in (one, other):
            return message, "Texts cannot be put together here; a message has holes for values."
        return message, ""

    def _number_sum(self, op: str, left: Node, right: Node, span: Span) -> Node:
        unit = left.type.unit or right.type.unit
        if not same_unit(left.type.unit, right.type.unit):
            return self.wrong(
                span,
                f"A number in {right.type.unit} cannot be {'added to' if op == '+' else 'subtracted from'} one in {left.type.unit}.",
                "Use amounts of one unit.",
            )
        if isinstance(left, Const) and isinstance(right, Const):
            return self.number(_value(left) + _value(right) * (1 if op == "+" else -1), span, unit)
        scale = max(scale_of(left), scale_of(right))
        return Arith(
            Type("number", unit=unit, scale=scale), span, "+" if op == "+" else "-", left, right, scale
        )

    def _product(self, left: Node, right: Node, span: Span) -> Node:
        if left.type.name != "number" or right.type.name != "number":
            side = right if left.type.name == "number" else left
            remedy = "Write minutes(n) with a computed n." if side.type.name == "duration" else ""
            return self.wrong(
                side.span, f"Only numbers can be multiplied, but this is {plain(side.type)}.", remedy
            )
        if isinstance(left, Const) and isinstance(right, Const):
            exact, rest = divmod(_value(left) * _value(right), SCALE)
            if rest == 0:
                return self.number(exact, span)
        scale = scale_of(left) + scale_of(right)
        unit = product_unit(left.type.unit, right.type.unit)
        return Arith(Type("number", unit=unit, scale=scale), span, "*", left, right, scale)

    def negated(self, operand: Node, span: Span) -> Node:
        """``-x`` of a number."""
        if operand.type.name not in ("number", "error"):
            remedy = "Write duration('-2h')." if operand.type.name == "duration" else ""
            return self.wrong(span, f"'-' needs a number, but this is {plain(operand.type)}.", remedy)
        if operand.type is ERROR:
            return operand
        if isinstance(operand, Const):
            return Const(operand.type, span, -_value(operand))
        scale = scale_of(operand)
        return Arith(
            Type("number", unit=operand.type.unit, scale=scale),
            span,
            "-",
            Const(NUMBER, span, 0),
            operand,
            scale,
        )


def _value(node: Const) -> int:
    """The value of a constant that the types say is a number of some kind."""
    assert isinstance(node.value, int)
    return node.value


def _listed(kind: Type) -> str:
    values = kind.values
    return ", ".join(values[:6]) + (" ..." if len(values) > 6 else "")
