"""The meaning of an expression: one closure per node, three-valued, with CEL's absorption (policy-language.md, "Expressions").

Unknown spreads through everything except: ``false && unknown`` is false, ``true || unknown`` is true, the arm of ``?:`` that is
not taken does not matter, ``exists`` is decided by one element that holds and ``all`` by one that does not. All else is strict, as
in CEL: a list literal with an unknown element is unknown, ``exists_one``, ``filter`` and ``map`` with an unknown body are.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from compliance.domain.values import UNKNOWN
from compliance.engine.clause import Scope
from compliance.policy.expression.functions import FUNCTIONS
from compliance.policy.expression.implementations import day_after
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
    scale_of,
)
from compliance.policy.model import Tables

ValueOf: TypeAlias = Callable[[Scope], Any]
"""A compiled expression: from the scope to an engine value or UNKNOWN."""

_COMPARE: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
SAME_SCALE: Final = frozenset({"min", "max", "abs"})
"""Functions whose numbers may have any scale; all others that take a number take it in millionths."""


def exact(node: Node, tables: Tables) -> ValueOf:
    """The node as a function of the scope."""
    match node:
        case Const(value=value):
            return lambda _: value
        case Ref():
            return _ref(node.root, node.path)
        case Has():
            return _has(node.ref)
        case IsNull(root=root):
            return lambda scope: UNKNOWN if (value := scope.get(root, UNKNOWN)) is UNKNOWN else value is None
        case Not():
            operand = exact(node.operand, tables)
            return lambda scope: UNKNOWN if (value := operand(scope)) is UNKNOWN else not value
        case And():
            return _decided_by(False, [exact(operand, tables) for operand in node.operands])
        case Or():
            return _decided_by(True, [exact(operand, tables) for operand in node.operands])
        case Conditional():
            return _conditional(node, tables)
        case Compare():
            scale = max(scale_of(node.left), scale_of(node.right))
            return _strict(
                _COMPARE[node.op], _raised(node.left, scale, tables), _raised(node.right, scale, tables)
            )
        case In():
            return _in(node, tables)
        case ListOf():
            scale = node.type.element.scale if node.type.element is not None else 6
            return _strict(lambda *items: items, *(_raised(item, scale, tables) for item in node.items))
        case Arith():
            return _arith(node, tables)
        case Func():
            return _func(node, tables)
        case Select(field=field):
            base = exact(node.base, tables)
            return lambda scope: UNKNOWN if (row := base(scope)) is UNKNOWN else row.get(field, UNKNOWN)
        case Macro():
            return _macro(node, tables)
        case _:
            raise TypeError(type(node).__name__)


def _ref(root: str, path: tuple[str, ...]) -> ValueOf:
    def ref(scope: Scope) -> Any:
        value = scope.get(root, UNKNOWN)
        for field in path:
            if value is UNKNOWN or value is None:
                return UNKNOWN
            value = value.get(field, UNKNOWN)
        return UNKNOWN if value is None else value

    return ref


def _has(ref: Ref) -> ValueOf:
    base, field = _ref(ref.root, ref.path[:-1]), ref.path[-1]
    return lambda scope: UNKNOWN if (value := base(scope)) is UNKNOWN else field in value


def _decided_by(decisive: bool, operands: list[ValueOf]) -> ValueOf:
    """``&&`` is decided by a false operand, ``||`` by a true one, wherever it stands."""

    def junction(scope: Scope) -> Any:
        result: Any = not decisive
        for operand in operands:
            value = operand(scope)
            if value is UNKNOWN:
                result = UNKNOWN
            elif value is decisive:
                return decisive
        return result

    return junction


def _strict(function: Callable[..., Any], *arguments: ValueOf) -> ValueOf:
    """A function of known values; unknown where any of them is."""

    def call(scope: Scope) -> Any:
        values = [argument(scope) for argument in arguments]
        return UNKNOWN if any(value is UNKNOWN for value in values) else function(*values)

    return call


def _raised(node: Node, scale: int, tables: Tables) -> ValueOf:
    """A number at a scale that is at least its own; any other value as it is."""
    value_of = exact(node, tables)
    factor = 10 ** (scale - scale_of(node))
    return value_of if factor == 1 else _strict(lambda value: value * factor, value_of)


def _lowered(node: Node, tables: Tables) -> ValueOf:
    """A number in millionths; unknown where that would lose digits."""
    factor = 10 ** (scale_of(node) - 6)
    value_of = exact(node, tables)
    return (
        value_of
        if factor == 1
        else _strict(lambda value: UNKNOWN if value % factor else value // factor, value_of)
    )


def _conditional(node: Conditional, tables: Tables) -> ValueOf:
    condition = exact(node.condition, tables)
    then, otherwise = (_raised(arm, scale_of(node), tables) for arm in (node.then, node.otherwise))

    def conditional(scope: Scope) -> Any:
        value = condition(scope)
        return UNKNOWN if value is UNKNOWN else then(scope) if value else otherwise(scope)

    return conditional


def _in(node: In, tables: Tables) -> ValueOf:
    element = node.items.type.element
    own, theirs = scale_of(node.item), 6 if element is None else element.scale
    factor = 10 ** max(0, own - theirs)
    item = _raised(node.item, max(own, theirs), tables)
    if factor == 1:
        return _strict(lambda value, items: value in items, item, exact(node.items, tables))
    return _strict(
        lambda value, items: any(value == each * factor for each in items), item, exact(node.items, tables)
    )


def _arith(node: Arith, tables: Tables) -> ValueOf:
    if node.op == "*":
        return _strict(operator.mul, exact(node.left, tables), exact(node.right, tables))
    sign = 1 if node.op == "+" else -1
    if node.right.type.name == "period":
        return _strict(
            lambda day, step: day_after(tables, day, step, sign),
            exact(node.left, tables),
            exact(node.right, tables),
        )
    left, right = (_raised(side, node.scale, tables) for side in (node.left, node.right))
    return _strict(operator.add if sign == 1 else operator.sub, left, right)


def _func(node: Func, tables: Tables) -> ValueOf:
    function = FUNCTIONS[node.name]
    given: dict[str, ValueOf] = {
        "tables": lambda _: tables,
        "zone": lambda scope: scope.get("zone", UNKNOWN),
        "now": lambda scope: scope.get("now", UNKNOWN),
        "day": lambda scope: scope["day"],
    }
    arguments = [given[need] for need in function.needs]
    for argument in node.args:
        same = node.name in SAME_SCALE
        arguments.append(_raised(argument, scale_of(node), tables) if same else _lowered(argument, tables))
    return _strict(function.run, *arguments)


def _macro(node: Macro, tables: Tables) -> ValueOf:
    items, body, variable = exact(node.items, tables), exact(node.body, tables), node.variable

    def each(scope: Scope) -> list[tuple[Any, Any]] | None:
        values = items(scope)
        return None if values is UNKNOWN else [(value, body({**scope, variable: value})) for value in values]

    def macro(scope: Scope) -> Any:
        found = each(scope)
        if found is None:
            return UNKNOWN
        results = [result for _, result in found]
        unknown = any(result is UNKNOWN for result in results)
        if node.name in ("exists", "all"):
            decisive = node.name == "exists"
            return (
                decisive
                if any(result is decisive for result in results)
                else UNKNOWN
                if unknown
                else not decisive
            )
        if unknown:
            return UNKNOWN
        if node.name == "exists_one":
            return sum(results) == 1
        return tuple(results) if node.name == "map" else tuple(value for value, result in found if result)

    return macro
