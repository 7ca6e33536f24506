"""What all parts of the checker share: the names, the macro variables in scope, and the list of mistakes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from compliance.domain.values import SCALE
from compliance.policy.expression.errors import ExpressionError
from compliance.policy.expression.lexer import LIMIT
from compliance.policy.expression.names import Names
from compliance.policy.expression.syntax import Syntax
from compliance.policy.expression.tree import Conditional, Const, Node, Span, Type
from compliance.policy.expression.types import ERROR, NUMBER
from compliance.policy.nearest import did_you_mean

ANYTHING = Const(ERROR, Span(0, 0), False)
"""Stands where something was wrong; it goes with everything and is never evaluated."""


class Reporting(ABC):
    """The state of one check."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.errors: list[ExpressionError] = []
        self.variables: dict[str, Type] = {}

    @abstractmethod
    def check(self, tree: Syntax) -> Node:
        """Any node; the whole checker defines it."""

    def wrong(self, span: Span, message: str, remedy: str = "") -> Node:
        """Note a mistake and go on."""
        self.errors.append(ExpressionError(span, message, remedy))
        return Const(ERROR, span, False)

    def number(self, value: int, span: Span, unit: str | None = None) -> Node:
        """A folded number, within the engine's bounds."""
        if abs(value) >= LIMIT:
            return self.wrong(span, "This number is too large: numbers lie below 1,000,000,000.", "")
        return Const(NUMBER if unit is None else Type("number", unit=unit), span, value)

    def fitted(self, node: Node, wanted: Type) -> Node:
        """A constant text (or list of texts) where an enum is wanted, as a value of that enum."""
        if isinstance(node, Conditional) and node.type.name == "text" and wanted.name == "enum":
            then, otherwise = self.fitted(node.then, wanted), self.fitted(node.otherwise, wanted)
            kind = wanted if then.type == otherwise.type == wanted else node.type
            return Conditional(kind, node.span, node.condition, then, otherwise)
        if not isinstance(node, Const):
            return node
        if wanted.name == "enum" and node.type.name == "text":
            if node.value not in wanted.values:
                return self.wrong(
                    node.span,
                    f"'{node.value}' is not one of the values here.",
                    did_you_mean(str(node.value), wanted.values),
                )
            return Const(wanted, node.span, node.value)
        element = node.type.element
        if (
            wanted.name == "list"
            and wanted.element
            and wanted.element.name == "enum"
            and element
            and element.name == "text"
        ):
            return self.fitted_list(node, wanted.element)
        return node

    def fitted_list(self, node: Const, wanted: Type) -> Node:
        """A constant list whose every text must be a value of the enum."""
        values: Any = node.value
        strangers = [value for value in values if value not in wanted.values]
        for value in strangers:
            self.wrong(
                node.span, f"'{value}' is not one of the values here.", did_you_mean(value, wanted.values)
            )
        return (
            Const(ERROR, node.span, False)
            if strangers
            else Const(Type("list", element=wanted), node.span, node.value)
        )


def whole(value: int) -> bool:
    """Whether a number in millionths is a whole one."""
    return value % SCALE == 0
