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
    """A text, without its quotes and escapes."""

    value: str
    span: Span
    depth: int = 1


@dataclass(frozen=True, slots=True)
class TruthLiteral:
    """``true`` or ``false``."""

    value: bool
    span: Span
    depth: int = 1


@dataclass(frozen=True, slots=True)
class NullLiteral:
    """``null``."""

    span: Span
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Name:
    """A name that stands alone or first."""

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
    """``!operand`` or ``-operand``."""

    operator: Literal["!", "-"]
    operand: Syntax
    span: Span
    depth: int


@dataclass(frozen=True, slots=True)
class Binary:
    """A comparison, ``in``, ``+``, ``-`` or ``*``."""

    operator: str
    left: Syntax
    right: Syntax
    span: Span
    depth: int


@dataclass(frozen=True, slots=True)
class Logical:
    """A chain of ``&&`` or of ``||``."""

    operator: Literal["&&", "||"]
    operands: tuple[Syntax, ...]
    span: Span
    depth: int


@dataclass(frozen=True, slots=True)
class Ternary:
    """``condition ? then : otherwise``."""

    condition: Syntax
    then: Syntax
    otherwise: Syntax
    span: Span
    depth: int


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """``[item, item]``."""

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
