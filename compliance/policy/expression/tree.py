"""The typed expression tree: what every evaluator compiles, and the printer prints.

It holds nothing that only Python can do, so that it can be compiled to durable_rules, to a Python function, to CEL and to
columns alike. All values in it are engine values (`compliance.domain.values`): numbers are integers scaled by 10^6.

Meaning is three-valued: a `Ref` to something missing is *unknown*; unknown spreads through everything except what CEL
absorbs (``false && unknown`` is false, ``true || unknown`` is true, a condition's unused arm, a macro decided by another element).
`Has` and `IsNull` on an `event` that is null are defined; `Has(x.f)` where x itself is null or unknown is unknown, as in CEL.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from compliance.domain.values import Value


@dataclass(frozen=True, slots=True)
class Span:
    """Character offsets of a node in its expression's text: start inclusive, end exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Type:
    """A type from the vocabulary.

    `name` is one of bool, text, enum, number, instant, date, duration, period, list, record, event, null.
    `unit` is the number's unit where known; `values` an enum's values; `element` a list's type;
    `fields` a record's (or table row's) fields; `kinds` an event's possible kinds.
    A `period` is a calendar period (days, months, years, business days); it can only be added to a date, or in ``due:`` to an instant.
    `scale` is the power of ten that a number's values are scaled by: 6, or more for products and what is made of them.
    """

    name: str
    unit: str | None = None
    values: tuple[str, ...] = ()
    element: Type | None = None
    fields: tuple[tuple[str, Type], ...] = ()
    kinds: tuple[str, ...] = ()
    scale: int = 6


@dataclass(frozen=True, slots=True)
class Node:
    """Any node: its type, and where it stands."""

    type: Type
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Const(Node):
    """A literal, or a constant folded from one (``duration('2h')``, ``timestamp('...')``, ``-1.5``, ``['a', 'b']``)."""

    value: Value


@dataclass(frozen=True, slots=True)
class Ref(Node):
    """A value by name: `root` is ``event``, ``it``, ``param``, ``zone``, a given's name or a macro's variable; `path` the fields below it.

    The kind's own name (``discharge.occurred_at``) is resolved to ``event``. A scalar given (count, sum, none) has an empty path.
    """

    root: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Has(Node):
    """``has(x.f)``: is the field there. Unknown only where x itself is null or unknown."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class IsNull(Node):
    """``dose == null``: was no such event found. Unknown only where the look-up itself was."""

    root: str


@dataclass(frozen=True, slots=True)
class Not(Node):
    """``!operand``."""

    operand: Node


@dataclass(frozen=True, slots=True)
class And(Node):
    """``a && b && ...``, flattened: no operand is itself an `And`."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or(Node):
    """``a || b || ...``, flattened: no operand is itself an `Or`."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """``condition ? then : otherwise``. Arms of unlike scale are raised to the larger one."""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """Both sides have one type. Numbers of unlike scale (a product has 10^12) are aligned by whoever evaluates."""

    op: Literal["==", "!=", "<", "<=", ">", ">="]
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class In(Node):
    """Membership in a list. Unknown where the item or the list is; a `ListOf` is unknown where any of its items is, as in CEL."""

    item: Node
    items: Node


@dataclass(frozen=True, slots=True)
class ListOf(Node):
    """A list literal that is not constant: ``[screen.mania, screen.pregnant]``. Unknown where any of its items is, as in CEL.
    Its numbers are at the scale of its element type."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Arith(Node):
    """``+ - *``. For numbers, `scale` is the power of ten of the result: 6, or more for products. ``+``/``-`` align their operands."""

    op: Literal["+", "-", "*"]
    left: Node
    right: Node
    scale: int = 6


@dataclass(frozen=True, slots=True)
class Func(Node):
    """A call of a function of `functions.py`; a receiver (``event.lot.matches('..')``) is the first argument."""

    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Select(Node):
    """A field of a computed record: ``drug_info(dose.drug).is_rems``. Unknown where the record or the field is missing."""

    base: Node
    field: str


@dataclass(frozen=True, slots=True)
class Macro(Node):
    """``list.exists(v, body)`` and kin; `body` is a condition, for ``map`` any value."""

    name: Literal["exists", "all", "exists_one", "filter", "map"]
    items: Node
    variable: str
    body: Node


def scale_of(node: Node) -> int:
    """Power of ten of a number node: 6 for all but products and what is made of them (`Type.scale`)."""
    if isinstance(node, Arith):
        return node.scale
    if isinstance(node, Conditional):
        return max(scale_of(node.then), scale_of(node.otherwise))
    return node.type.scale
