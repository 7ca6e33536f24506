"""Expressions: parsed, typed, printed. The syntax and meaning of CEL, a subset of it."""

from compliance.policy.expression.checker import typed
from compliance.policy.expression.errors import ExpressionError, ExpressionErrors
from compliance.policy.expression.events import event_type
from compliance.policy.expression.names import Names
from compliance.policy.expression.plain import to_plain
from compliance.policy.expression.printer import to_text

__all__ = ["ExpressionError", "ExpressionErrors", "Names", "event_type", "to_plain", "to_text", "typed"]
