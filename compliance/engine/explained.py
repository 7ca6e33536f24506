"""Why a condition came out as it did: what would decide it, and what it was decided by.

Both walk the tree beside `exact` and follow only what took part: of an ``&&`` that is false the operands that are false, of a
``?:`` the arm that was taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any, Final

from compliance.domain.free_text import FREE_TEXT
from compliance.domain.quantity import format_decimal
from compliance.domain.time import format_date, format_duration, format_instant
from compliance.domain.values import UNKNOWN
from compliance.domain.zone import zone_known
from compliance.engine.clause import Scope
from compliance.engine.exact import exact
from compliance.policy.expression.functions import FUNCTIONS
from compliance.policy.expression.printer import to_text
from compliance.policy.expression.tree import (
    And,
    Conditional,
    Const,
    Func,
    Has,
    IsNull,
    Macro,
    Node,
    Or,
    Ref,
    Type,
)
from compliance.policy.model import Tables

MISSING: Final = "missing"
_HANDLE: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_NO_TABLES: Final = Tables({}, frozenset(), {}, {}, {})
NEVER_QUOTED: Final = FREE_TEXT | {
    "indication_covered", "material_version", "new", "old", "change_reason", "filter", "diagnosis_code",
}  # fmt: skip
"""Text fields that people fill with anything, or that say too much of a person; they are never quoted (audit-log.md, "Entry")."""


def undecided(node: Node, scope: Scope, tables: Tables) -> list[str]:
    """What is missing, as written, and would decide the node; empty where it is decided.

    A fact that is itself unknown or null stands with the field that was asked of it; a call that has no answer for
    known arguments (an unknown drug code) stands as the call.
    """
    return list(dict.fromkeys(_undecided(node, scope, tables)))


def values_used(node: Node, scope: Scope, tables: Tables = _NO_TABLES) -> dict[str, str]:
    """What took part in deciding the node: each value as written, rendered for people, or ``missing``.

    Numbers, instants, dates, durations, truth values, enum values and handles; free text is left out. Without `tables`, what
    depends on them counts as unknown, so that all its operands take part.
    """
    found: dict[str, str] = {}
    for ref, value in _used(node, scope, tables):
        text = shown(ref, value, scope.get("zone", UNKNOWN))
        if text is not None:
            found.setdefault(written(ref), text)
    return found


def written(ref: Ref | Has | IsNull) -> str:
    """A reference as the author wrote it; a parameter's path may start with its rule's id."""
    if isinstance(ref, Ref):
        return f"param.{ref.path[-1]}" if ref.root == "param" and ref.path else to_text(ref)
    return written(ref.ref) if isinstance(ref, Has) else ref.root


def shown(ref: Ref | Has | IsNull, value: Any, zone: Any) -> str | None:
    """A value in words, or None where it must not be quoted."""
    if value is UNKNOWN:
        return MISSING
    if isinstance(ref, IsNull):
        return "none found" if value else "found"
    if isinstance(ref, Has):
        return "present" if value else MISSING
    if isinstance(value, (tuple, Mapping)) or (
        isinstance(value, str) and ref.path and ref.path[-1] in NEVER_QUOTED and ref.type.name != "enum"
    ):
        return None
    return _scalar(value, ref.type, zone)


def _scalar(value: Any, kind: Type, zone: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if kind.name == "enum" or _HANDLE.fullmatch(value) else None
    match kind.name:
        case "instant":
            return format_instant(value, zone if isinstance(zone, str) and zone_known(zone) else "UTC")
        case "date":
            return format_date(value)
        case "duration":
            return format_duration(value)
        case _:
            return format_decimal(value) + (f" {kind.unit}" if kind.unit else "")


def _children(node: Node) -> Iterator[Node]:
    for field in fields(node):
        below = getattr(node, field.name)
        for part in below if isinstance(below, tuple) else (below,):
            if isinstance(part, Node):
                yield part


def _each(node: Macro, scope: Scope, tables: Tables) -> list[Scope]:
    """The scope of each element of a macro's list; none where the list is unknown."""
    items = exact(node.items, tables)(scope)
    return [] if items is UNKNOWN else [MappingProxyType({**scope, node.variable: item}) for item in items]


def _undecided(node: Node, scope: Scope, tables: Tables) -> Iterator[str]:
    if exact(node, tables)(scope) is not UNKNOWN:
        return
    match node:
        case Ref() | Has() | IsNull():
            yield written(node)
            return
        case Conditional():
            condition = exact(node.condition, tables)(scope)
            part = node.condition if condition is UNKNOWN else node.then if condition else node.otherwise
            yield from _undecided(part, scope, tables)
            return
        case Macro():
            yield from _undecided(node.items, scope, tables)
            for inner in _each(node, scope, tables):
                yield from _undecided(node.body, inner, tables)
            return
    below = [name for child in _children(node) for name in _undecided(child, scope, tables)]
    if isinstance(node, Func) and not below:
        needs = FUNCTIONS[node.name].needs
        below = [need for need in needs if need != "tables" and scope.get(need, UNKNOWN) is UNKNOWN]
    yield from below or [to_text(node)]


def _used(node: Node, scope: Scope, tables: Tables) -> Iterator[tuple[Ref | Has | IsNull, Any]]:
    match node:
        case Const():
            return
        case Ref() | Has() | IsNull():
            yield node, exact(node, tables)(scope)
        case And() | Or():
            result = exact(node, tables)(scope)
            values = [(operand, exact(operand, tables)(scope)) for operand in node.operands]
            deciding = [operand for operand, value in values if value is result]
            for operand in deciding:
                yield from _used(operand, scope, tables)
        case Conditional():
            yield from _used(node.condition, scope, tables)
            condition = exact(node.condition, tables)(scope)
            if condition is not UNKNOWN:
                yield from _used(node.then if condition else node.otherwise, scope, tables)
        case Macro():
            yield from _used(node.items, scope, tables)
            for inner in _each(node, scope, tables):
                for ref, value in _used(node.body, inner, tables):
                    root = ref.ref.root if isinstance(ref, Has) else ref.root
                    if root != node.variable:
                        yield ref, value
        case _:
            for child in _children(node):
                yield from _used(child, scope, tables)
