"""The typed tree back to text.

`to_text` writes CEL that types to an equal tree again; see `plain` for words.
"""

from __future__ import annotations

from compliance.domain.quantity import format_decimal
from compliance.domain.time import format_instant
from compliance.policy.expression.tree import (
    And,
    Arith,
    Compare,
    Conditional,
    Const,
    Func,
    Has,
    In,
    IsNull,
    ListOf,
    Macro,
    Node,
    Not,
    Or,
    Ref,
    Select,
    Type,
)

_TERNARY, _OR, _AND, _RELATION, _SUM, _PRODUCT, _UNARY, _MEMBER = range(8)
_RECEIVER = frozenset(
    {"matches", "getHours", "getMinutes", "getDayOfWeek", "getDate", "getMonth", "getFullYear"}
)
_HOUR, _MINUTE, _SECOND = 3_600_000_000, 60_000_000, 1_000_000


def to_text(node: Node) -> str:
    """CEL text of a node; `typed` makes an equal tree of it under the same names."""
    return _print(node, _TERNARY)


def _print(node: Node, level: int) -> str:
    text, own = _text(node)
    return f"({text})" if own < level else text


def _text(node: Node) -> tuple[str, int]:
    """The text, and how tightly its outermost operator binds."""
    match node:
        case Const():
            return _const(node.value, node.type)
        case Ref():
            return ".".join((node.root, *node.path)), _MEMBER
        case Has():
            return f"has({_print(node.ref, _MEMBER)})", _MEMBER
        case IsNull():
            return f"{node.root} == null", _RELATION
        case Not(operand=IsNull(root=root)):
            return f"{root} != null", _RELATION
        case Not():
            inner = _print(node.operand, _UNARY)
            return (f"!({inner})" if inner.startswith("-") else f"!{inner}"), _UNARY
        case And():
            return " && ".join(_print(operand, _RELATION) for operand in node.operands), _AND
        case Or():
            return " || ".join(_print(operand, _AND) for operand in node.operands), _OR
        case Conditional():
            condition, then = _print(node.condition, _OR), _print(node.then, _OR)
            return f"{condition} ? {then} : {_print(node.otherwise, _TERNARY)}", _TERNARY
        case Compare():
            return f"{_print(node.left, _RELATION)} {node.op} {_print(node.right, _SUM)}", _RELATION
        case In():
            return f"{_print(node.item, _RELATION)} in {_print(node.items, _SUM)}", _RELATION
        case ListOf():
            return f"[{', '.join(_print(item, _TERNARY) for item in node.items)}]", _MEMBER
        case Arith():
            own = _PRODUCT if node.op == "*" else _SUM
            return f"{_print(node.left, own)} {node.op} {_print(node.right, own + 1)}", own
        case Func():
            return _call(node)
        case Select():
            return f"{_print(node.base, _MEMBER)}.{node.field}", _MEMBER
        case Macro():
            return (
                f"{_print(node.items, _MEMBER)}.{node.name}({node.variable}, {_print(node.body, _TERNARY)})",
                _MEMBER,
            )
        case _:
            raise TypeError(type(node).__name__)


def _call(node: Func) -> tuple[str, int]:
    if node.name == "end_of_day":
        return _text(node.args[0])
    if node.name == "end_of_day_after":
        return f"{_print(node.args[0], _SUM)} + {_print(node.args[1], _PRODUCT)}", _SUM
    if node.name in _RECEIVER:
        rest = ", ".join(_print(argument, _TERNARY) for argument in node.args[1:])
        return f"{_print(node.args[0], _MEMBER)}.{node.name}({rest})", _MEMBER
    return f"{node.name}({', '.join(_print(argument, _TERNARY) for argument in node.args)})", _MEMBER


def _const(value: object, kind: Type) -> tuple[str, int]:
    if isinstance(value, bool):
        return ("true" if value else "false"), _MEMBER
    if isinstance(value, str):
        return _quoted(value), _MEMBER
    if isinstance(value, tuple):
        element = kind.element or kind
        return f"[{', '.join(_const(item, element)[0] for item in value)}]", _MEMBER
    assert isinstance(value, int)  # dates and records are never constants
    if kind.name == "instant":
        return f"timestamp('{format_instant(value)}')", _MEMBER
    if kind.name == "duration":
        return f"duration('{duration_text(value)}')", _MEMBER
    return format_decimal(value), _UNARY if value < 0 else _MEMBER


def duration_text(value: int) -> str:
    """Microseconds in CEL's duration syntax: ``2h``, ``1h30m``, ``0.5s``."""
    sign, rest = ("-", -value) if value < 0 else ("", value)
    hours, rest = divmod(rest, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    text = (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "")
    if rest or not text:
        text += f"{format_decimal(rest)}s"  # a second has a million microseconds, as a number has millionths
    return sign + text


def _quoted(text: str) -> str:
    pieces = []
    for character in text:
        if character in "\\'":
            pieces.append("\\" + character)
        elif character.isprintable():
            pieces.append(character)
        else:
            pieces.append(f"\\U{ord(character):08x}")
    return f"'{''.join(pieces)}'"
