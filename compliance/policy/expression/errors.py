"""What is wrong with an expression: the place in its text, plain words, and what to write instead.

The caller knows file and line; it adds them and underlines the span.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from compliance.errors import PolicyError
from compliance.policy.expression.tree import Span


@dataclass(frozen=True, slots=True)
class ExpressionError:
    """One mistake: which characters, what is wrong with them, and what to do."""

    span: Span
    message: str
    remedy: str = ""


class ExpressionErrors(PolicyError):
    """An expression that cannot be used; `errors` holds all mistakes that could be found at once, in the order of the text."""

    def __init__(self, errors: Iterable[ExpressionError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: (error.span.start, error.span.end)))
        first = self.errors[0]
        super().__init__("; ".join(error.message for error in self.errors), first.remedy)
