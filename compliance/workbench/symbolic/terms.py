"""An expression as a formula: the meaning of `compliance.engine.exact`, over values that are not known yet.

What is not seen through (a function of a whole list, say) becomes a value of which only is known that it is the same wherever the same is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from compliance.engine.exact import SAME_SCALE
from compliance.engine.plan import renamed, roots, walk
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
from compliance.policy.model import Bundle, Parameter, Rule, SiteValue
from compliance.workbench.symbolic.values import (
    MISSING,
    Fact,
    Formula,
    Group,
    Hidden,
    Lines,
    Sym,
    Unseen,
    both,
    chosen,
    either,
    fails,
    holds,
    no,
    same,
    sym,
)
from compliance.workbench.symbolic.world import World

Scope: TypeAlias = Mapping[str, Sym | Fact | Hidden]


@dataclass(frozen=True, slots=True)
class Side:
    """One rule as a bundle judges it."""

    bundle: Bundle
    rule: Rule


_COMPARE: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
_SCALARS: Final = frozenset({"bool", "text", "enum", "number", "instant", "date", "duration"})


class Terms:
    """The expressions of one side, as formulas over a world."""

    def __init__(self, world: World, side: Side) -> None:
        self.world = world
        self.side = side
        self.tables = side.bundle.tables
        self.parameters = Group("param", self._parameter)
        self._written = {parameter.name: parameter for parameter in side.rule.parameters}

    # ---- values

    def value(self, node: Node, scope: Scope) -> Sym:
        """The node's value. Raises OutOfTime where there is no time to write it."""
        self.world.keep_time()
        try:
            return self._value(node, scope)
        except Unseen as problem:
            return self.opaque(node, scope, str(problem))

    def truth(self, node: Node, scope: Scope) -> tuple[Formula, Formula]:
        """When a condition is known to hold, and when it is known not to."""
        value = self.value(node, scope)
        return holds(value), fails(value)

    def opaque(self, node: Node, scope: Scope, why: str) -> Sym:
        """A value of which nothing is known but what it was made of."""
        if node.type.name not in _SCALARS:
            raise Unseen(why)
        return self.world.opaque(self.identity(node, scope), node.type.name, why)

    def identity(self, node: Node | None, scope: Scope) -> Any:
        """What makes two expressions the same, on whichever side: what is written, and what its names stand for."""
        if node is None:
            return None
        number_of = self.world.number_of
        names = {
            root: f"#{number_of(_anchor(scope[root]))}"
            for root in roots(node)
            if root in scope and root != "event"
        }
        values = tuple(
            sorted(
                {
                    (part.path[0], self._written_as(part.path[0]))
                    for part in walk(node)
                    if isinstance(part, Ref) and part.root == "param"
                }
            )
        )
        needs = any(isinstance(part, Func) for part in walk(node))
        return renamed(node, "", names), values, id(self.world_tables()) if needs else 0

    def world_tables(self) -> Any:
        """The tables that functions read: one object for both sides where they say the same."""
        return self.world.tables_of(self.tables)

    def _value(self, node: Node, scope: Scope) -> Sym:
        match node:
            case Const():
                return sym(self.constant(node.value, node.type))
            case Ref():
                return self._ref(node, scope)
            case Has():
                base = self._base(node.ref.root, node.ref.path[:-1], scope)
                return (
                    base if base.known is False else Sym(base.known, base.value.get(node.ref.path[-1]).known)
                )
            case IsNull():
                fact = scope[node.root]
                if isinstance(fact, Hidden):
                    raise Unseen(fact.why)
                return Sym(fact.known, fact.null) if isinstance(fact, Fact) else Sym(fact.known, False)
            case Not():
                operand = self.value(node.operand, scope)
                return MISSING if operand.known is False else Sym(operand.known, no(operand.value))
            case And() | Or():
                return self._junction(node, scope)
            case Conditional():
                return self._conditional(node, scope)
            case Compare():
                return self._compare(node, scope)
            case In():
                return self._in(node, scope)
            case ListOf():
                scale = node.type.element.scale if node.type.element is not None else 6
                items = [self.raised(item, scale, scope) for item in node.items]
                return Sym(
                    both(*(item.known for item in items)),
                    Lines(tuple((True, sym(item.value)) for item in items)),
                )
            case Arith():
                return self._arith(node, scope)
            case Func():
                from compliance.workbench.symbolic.functions import call  # noqa: PLC0415 - the two need each other

                return call(self, node, scope)
            case Select():
                base = self.value(node.base, scope)
                if base.known is False:
                    return MISSING
                below = base.value.get(node.field)
                return Sym(both(base.known, below.known), below.value)
            case Macro():
                return self._macro(node, scope)
            case _:
                raise Unseen(type(node).__name__)

    def constant(self, value: Any, kind: Type | None = None) -> Any:
        """An engine value as a value of this world."""
        if isinstance(value, str):
            return self.world.texts.code(value)
        if isinstance(value, tuple):
            if kind is not None and kind.name == "period":
                return value
            return Lines(tuple((True, sym(self.constant(item))) for item in value))
        if isinstance(value, Mapping):
            return Group("row", lambda name: sym(self.constant(value[name])) if name in value else MISSING)
        return value

    def _ref(self, node: Ref, scope: Scope) -> Sym:
        return self._base(node.root, node.path, scope)

    def _base(self, root: str, path: tuple[str, ...], scope: Scope) -> Sym:
        start = self.parameters if root == "param" else scope.get(root, MISSING)
        if isinstance(start, Group):
            value = sym(start)
        elif isinstance(start, Hidden):
            raise Unseen(start.why)
        elif isinstance(start, Fact):
            value = Sym(both(start.known, no(start.null)), start.event)
        else:
            value = start
        for field in path:
            if value.known is False:
                return MISSING
            below = value.value.get(field)
            value = Sym(both(value.known, below.known), below.value)
        return value

    def _junction(self, node: And | Or, scope: Scope) -> Sym:
        """Decided by a false operand (for ``||`` by a true one), wherever it stands."""
        operands = [self.value(operand, scope) for operand in node.operands]
        holding, failing = [holds(one) for one in operands], [fails(one) for one in operands]
        if isinstance(node, And):
            true, false = both(*holding), either(*failing)
        else:
            true, false = either(*holding), both(*failing)
        return Sym(True if all(one.known is True for one in operands) else either(true, false), true)

    def _conditional(self, node: Conditional, scope: Scope) -> Sym:
        condition = self.value(node.condition, scope)
        if condition.known is False:
            return MISSING
        scale = scale_of(node)
        arms = [self.raised(arm, scale, scope) for arm in (node.then, node.otherwise)]
        found = chosen([(condition.value, arms[0]), (no(condition.value), arms[1])])
        return Sym(both(condition.known, found.known), found.value)

    def raised(self, node: Node, scale: int, scope: Scope) -> Sym:
        """A number at a scale that is at least its own; any other value as it is."""
        value = self.value(node, scope)
        factor = 10 ** (scale - scale_of(node))
        return value if factor == 1 or value.known is False else Sym(value.known, value.value * factor)

    def _compare(self, node: Compare, scope: Scope) -> Sym:
        if node.left.type.name not in _SCALARS or node.right.type.name not in _SCALARS:
            raise Unseen("a comparison of lists or groups")
        scale = max(scale_of(node.left), scale_of(node.right))
        left, right = self.raised(node.left, scale, scope), self.raised(node.right, scale, scope)
        known = both(left.known, right.known)
        if known is False:
            return MISSING
        if node.op in ("==", "!="):
            equal = same(left.value, right.value)
            return Sym(known, equal if node.op == "==" else no(equal))
        return Sym(known, _COMPARE[node.op](left.value, right.value))

    def _in(self, node: In, scope: Scope) -> Sym:
        element = node.items.type.element
        own, theirs = scale_of(node.item), 6 if element is None else element.scale
        item = self.raised(node.item, max(own, theirs), scope)
        items = self.value(node.items, scope)
        if item.known is False or items.known is False:
            return MISSING
        factor = 10 ** max(0, own - theirs)
        found = [
            both(there, same(item.value, one.value * factor if factor != 1 else one.value))
            for there, one in items.value.items
        ]
        return Sym(both(item.known, items.known), either(*found))

    def _arith(self, node: Arith, scope: Scope) -> Sym:
        if node.op == "*":
            return self._product(node, scope)
        if node.right.type.name == "period":
            from compliance.workbench.symbolic.functions import day_after  # noqa: PLC0415 - the two need each other

            return day_after(
                self, self.value(node.left, scope), self.value(node.right, scope), 1 if node.op == "+" else -1
            )
        left, right = self.raised(node.left, node.scale, scope), self.raised(node.right, node.scale, scope)
        known = both(left.known, right.known)
        if known is False:
            return MISSING
        return Sym(known, left.value + right.value if node.op == "+" else left.value - right.value)

    def _product(self, node: Arith, scope: Scope) -> Sym:
        """A product; one with a parameter is a choice of multiples, which the solver understands far better than a product."""
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(one, Ref) and one.root == "param" and len(one.path) == 1:
                value = self.value(other, scope)
                return chosen([
                    (condition, Sym(value.known, value.value * factor)) for condition, factor in self.alternatives(one.path[0])
                ]) if value.known is not False else MISSING  # fmt: skip
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        known = both(left.known, right.known)
        return MISSING if known is False else Sym(known, left.value * right.value)

    def _macro(self, node: Macro, scope: Scope) -> Sym:
        items = self.value(node.items, scope)
        if items.known is False:
            return MISSING
        each = [
            (there, item, self.value(node.body, {**scope, node.variable: item}))
            for there, item in items.value.items
        ]
        holding = [both(there, holds(body)) for there, _, body in each] if node.name != "map" else []
        decided = both(items.known, *(either(no(there), body.known) for there, _, body in each))
        if node.name in ("exists", "all"):
            failing = [both(there, fails(body)) for there, _, body in each]
            if node.name == "exists":
                return Sym(both(items.known, either(decided, *holding)), either(*holding))
            return Sym(both(items.known, either(decided, *failing)), no(either(*failing)))
        self.world.counts_lines()
        match node.name:
            case "filter":
                return Sym(
                    decided, Lines(tuple((both(there, holds(body)), item) for there, item, body in each))
                )
            case "map":
                return Sym(decided, Lines(tuple((there, sym(body.value)) for there, _, body in each)))
            case _:
                one = [
                    both(*(flag if k == i else no(flag) for k, flag in enumerate(holding)))
                    for i in range(len(holding))
                ]
                return Sym(decided, either(*one))

    # ---- parameters

    def _parameter(self, name: str) -> Sym:
        return chosen(
            [(condition, sym(self.constant(value))) for condition, value in self.alternatives(name)]
        )

    def _written_as(self, name: str) -> Any:
        parameter = self._written[name]
        return repr((parameter.values, self._own(name)))

    def _own(self, name: str) -> tuple[tuple[str, tuple[SiteValue, ...]], ...]:
        """What single sites say of a parameter."""
        rule = self.side.rule.id
        return tuple(
            (site, said[rule][name])
            for site, said in sorted(self.side.bundle.sites.items())
            if name in said.get(rule, {})
        )

    def alternatives(self, name: str) -> list[tuple[Formula, Any]]:
        """Each value that a parameter may have, with the dates and the site for which it has it."""
        parameter: Parameter = self._written[name]
        day, site = self.world.day, self.world.judged.group.get("site").value
        found: list[tuple[Formula, Any]] = []
        elsewhere: Formula = True
        for own, values in self._own(name):
            here = same(site, self.world.texts.code(own))
            for said in reversed(values):
                during = both(day >= said.start, True if said.end is None else day < said.end)
                found.append((both(here, elsewhere, during), said.value))
                elsewhere = both(elsewhere, no(both(here, during)))
        for value, later in zip(parameter.values, (*parameter.values[1:], None), strict=True):
            during = both(day >= value.start, True if later is None else day < later.start)
            found.append((both(elsewhere, during), value.value))
        return found

    def lowered(self, node: Node, scope: Scope) -> Sym:
        """A number in millionths; not known where that would lose digits."""
        value = self.value(node, scope)
        factor = 10 ** (scale_of(node) - 6)
        if factor == 1 or value.known is False:
            return value
        if isinstance(value.value, int):
            return MISSING if value.value % factor else Sym(value.known, value.value // factor)
        return Sym(both(value.known, value.value % factor == 0), value.value / factor)

    def argument(self, function: Func, node: Node, scope: Scope) -> Sym:
        """An argument of a function at the scale in which it takes it."""
        return (
            self.raised(node, scale_of(function), scope)
            if function.name in SAME_SCALE
            else self.lowered(node, scope)
        )


def _anchor(one: Sym | Fact | Hidden) -> Any:
    """What makes a name's value the same one: the event or line itself, however it was come by."""
    return one.value if isinstance(one, Sym) and isinstance(one.value, Group) else one
