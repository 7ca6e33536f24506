"""A typed expression in Google's own CEL: the oracle.

Decimals become scaled integers, calendar functions and look-ups in tables become the constants that they come to.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cel_expr_python import cel

from compliance.domain.values import UNKNOWN
from compliance.engine.exact import exact
from compliance.policy.expression import to_text
from compliance.policy.expression.printer import duration_text
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
    scale_of,
)
from tests.properties.random_expressions import NAMES, TABLES, TEXT

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ERROR = "(nothing.at_all)"
CALENDAR = frozenset(
    [
        "local_date",
        "today",
        "now",
        "end_of_day",
        "end_of_day_after",
        "drug_info",
        "state_rule",
        "permits",
        "distinct",
        "sum",
        "qids_total",
        "minutes",
    ]
)


def to_cel(node: Node, scope: dict[str, Any], level: int | None = None) -> str:
    """The node in CEL's own types: numbers as integers of a power of ten (`level`, or the node's own), dates as ordinals, calendar
    functions and look-ups in tables as the constants that they come to."""
    own = scale_of(node)
    text = _to_cel(node, scope)
    numeric = node.type.name == "number" and level is not None and level != own
    return f"({text} * {10 ** (level - own)})" if numeric and level is not None else text


def _to_cel(node: Node, scope: dict[str, Any]) -> str:
    def below(part: Node, level: int | None = None) -> str:
        return to_cel(part, scope, level)

    match node:
        case Const():
            return _literal(node.value, node.type)
        case Ref():
            written = ".".join((node.root, *node.path))
            native = {"instant": "timestamp", "duration": "duration"}.get(node.type.name)
            return f"{native}({written})" if native else written
        case Has():
            return f"has({to_text(node.ref)})"
        case IsNull():
            return f"({node.root} == null)"
        case Not():
            return f"!({below(node.operand)})"
        case And():
            return f"({' && '.join(map(below, node.operands))})"
        case Or():
            return f"({' || '.join(map(below, node.operands))})"
        case Conditional():
            scale = scale_of(node)
            return f"({below(node.condition)} ? {below(node.then, scale)} : {below(node.otherwise, scale)})"
        case Compare():
            scale = max(scale_of(node.left), scale_of(node.right))
            return f"({below(node.left, scale)} {node.op} {below(node.right, scale)})"
        case In():
            element = node.items.type.element
            assert element is not None
            scale = max(scale_of(node.item), element.scale)
            items = below(node.items)
            if element.scale < scale:
                items = f"{items}.map(w, w * {10 ** (scale - element.scale)})"
            return f"({below(node.item, scale)} in {items})"
        case ListOf():
            scale = node.type.element.scale if node.type.element else 6
            return f"[{', '.join(below(item, scale) for item in node.items)}]"
        case Arith() if node.type.name == "date":
            return _constant(node, scope)
        case Arith() if node.op == "*":
            return f"({below(node.left)} * {below(node.right)})"
        case Arith():
            return f"({below(node.left, node.scale)} {node.op} {below(node.right, node.scale)})"
        case Macro():
            return f"{below(node.items)}.{node.name}({node.variable}, {below(node.body)})"
        case Select():
            return _constant(node, scope)
        case Func(name="size"):
            return f"(size({below(node.args[0])}) * 1000000)"
        case Func(name="matches"):
            return f"{below(node.args[0])}.matches({below(node.args[1])})"
        case Func(name="min" | "max"):
            x, y = (below(argument, scale_of(node)) for argument in node.args)
            return f"({x} {'<' if node.name == 'min' else '>'} {y} ? {x} : {y})"
        case Func(name="abs"):
            x = below(node.args[0])
            return f"({x} < 0 ? 0 - {x} : {x})"
        case Func() if node.name in CALENDAR:
            return _constant(node, scope)
        case Func():
            return f"({below(node.args[0])}.{node.name}({below(node.args[1])}) * 1000000)"
    raise TypeError(type(node).__name__)


def _constant(node: Node, scope: dict[str, Any]) -> str:
    value = exact(node, TABLES)(scope)
    return ERROR if value is UNKNOWN else _literal(value, node.type)


def _literal(value: Any, kind: Type) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_literal(item, kind.element or kind) for item in value)}]"
    if kind.name == "instant":
        return f"timestamp('{_instant(value).isoformat()}')"
    if kind.name == "duration":
        return f"duration('{duration_text(value)}')"
    if isinstance(value, bool):
        return "true" if value else "false"
    return to_text(Const(TEXT, None, value)) if isinstance(value, str) else f"({value})"  # type: ignore[arg-type]


def _instant(value: int) -> datetime:
    return EPOCH + timedelta(microseconds=value)


def _native(value: Any, kind: Type) -> Any:
    """An engine value as CEL's binding takes it."""
    if kind.name in ("event", "record"):
        return {name: _native(value[name], below) for name, below in kind.fields if name in value}
    if kind.name == "list" and kind.element is not None:
        return [_native(item, kind.element) for item in value]
    if kind.name == "instant":
        return _instant(value).isoformat()
    return duration_text(value) if kind.name == "duration" else value


MISSING = ("Key not found in map", "No value with name", "Applying SELECT to non-message type")
"""The errors that stand for something missing; any other error would be a fault of this test."""


ENV = cel.NewEnv(variables=dict.fromkeys((*NAMES.roots, "zone", "now", "nothing"), cel.Type.DYN))


def google(node: Node, scope: dict[str, Any]) -> Any:
    """The value that Google's CEL gives, as an engine value; UNKNOWN for an error."""
    roots = {**NAMES.roots, "zone": TEXT}
    given_values = {
        root: None if scope[root] is None else _native(scope[root], kind)
        for root, kind in roots.items()
        if scope[root] is not UNKNOWN
    }
    value = ENV.compile(to_cel(node, scope)).eval(data=given_values)
    if value.type() != cel.Type.ERROR:
        return value.plain_value()
    assert any(words in str(value.plain_value()) for words in MISSING), value.plain_value()
    return UNKNOWN
