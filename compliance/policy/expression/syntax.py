"""The untyped tree that the parser makes: what was written, before anything is known of names and types.

Every node knows its place and how deep the tree below it is; a chain of ``&&`` or ``||`` is one node, so that only real
nesting counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from compliance.policy.expression.tree import Span


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    """A number, in millionths (`compliance.domain.values.SCALE`)."""

    value: int
    span: Span
    depth: int = 1


@dataclass(frozen=True, slots=True)
class TextLiteral:
    value: str
    span: Span
    depth: int = 1


@dataclass(frozen=True, slots=True)
class TruthLiteral:
    value: bool
    span: Span
    depth: int = 1


@dataclass(frozen=True, slots=True)
class NullLiteral:
    span: Span
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Name:
    name: str
    span: Span
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Member:
    """``operand.field``; `name_span` is the field's own place."""

    operand: Syntax
    field: str
    name_span: Span
    span: Span
    depth: int


@dataclass(frozen=True, slots=True)
class Call:
    """``function(arguments)`` or ``receiver.function(arguments)``."""

    function: str
    receiver: Syntax | None
    arguments: tuple[Syntax, ...]
    name_span: Span
    span: Span
    depth: int


@dataclass(frozen=True, slots=True)
class Unary:
    operator: Literal["!", "-"]
    operand: Syntax
    span: Span
    depth: int


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: Syntax
    right: Syntax
    span: Span
    depth: int


@dataclass(frozen=True, slots=True)
class Logical:
    operator: Literal["&&", "||"]
    operands: tuple[Syntax, ...]
    span: Span
    depth: int


@dataclass(frozen=True, slots=True)
class Ternary:
    condition: Syntax
    then: Syntax
    otherwise: Syntax
    span: Span
    depth: int


@dataclass(frozen=True, slots=True)
class ListLiteral:
    items: tuple[Syntax, ...]
    span: Span
    depth: int


Syntax: TypeAlias = (
    NumberLiteral
    | TextLiteral
    | TruthLiteral
    | NullLiteral
    | Name
    | Member
    | Call
    | Unary
    | Binary
    | Logical
    | Ternary
    | ListLiteral
)
