"""A bundle's rules prepared for one kind of event: which look-ups to make, and the clauses to judge.

Look-ups that several rules share are found once: a given becomes a `LookUp` under the id ``f<n>`` of its meaning, and in the
clauses its name is replaced by that id (see `clause`). A look-up also knows by which index keys it can be found: the shared keys of
``by:``, and equalities of ``where:`` that narrow it (``it.person == event.actor``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from typing import Any, Final, TypeAlias, TypeVar

from compliance.domain.lookup import ID, indexed_fields, selectivity
from compliance.domain.values import Unknown
from compliance.domain.vocabulary import KINDS
from compliance.engine.clause import Clause
from compliance.engine.reference import compile_value
from compliance.policy.expression.tree import And, Compare, Has, IsNull, Node, Ref
from compliance.policy.model import Bundle, Closing, Expression, Given, Rule, Tables

ValueOf: TypeAlias = Callable[[Mapping[str, Any]], Any]
N = TypeVar("N", bound=Node)


@dataclass(frozen=True)
class LookUp:
    """One fact to find: the given, with its names replaced, and its compiled parts."""

    id: str
    given: Given
    where: ValueOf | None
    within: ValueOf | None
    after: ValueOf | None
    field: str | None
    span: tuple[ValueOf, ValueOf] | None
    for_each: ValueOf | None
    needs: frozenset[str]
    """Look-ups whose facts this one's conditions name."""
    keys: Mapping[str, tuple[tuple[str, ValueOf], ...]]
    """Per kind: index fields by which candidates can be found, most selective first, each with the value to look for."""
    guards: tuple[ValueOf, ...] = ()
    """Conditions of `where` that no candidate has a part in: where one is false, none is looked at."""


@dataclass(frozen=True)
class RulePlan:
    """One rule: its clause in the case's names, and the look-ups that `when` and then `require` need."""

    rule: Rule
    names: Mapping[str, str]
    clause: Clause | None
    when: ValueOf | None
    when_needs: tuple[str, ...]
    needs: tuple[str, ...]


class Planner:
    """Prepares a bundle kind by kind, on first use."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.lookups: dict[str, LookUp] = {}
        self._ids: dict[Any, str] = {}
        self._rules: dict[str, tuple[RulePlan, ...]] = {}
        self._plans: dict[str, RulePlan] = {}
        self._functions: dict[Node, ValueOf] = {}
        self._expressions: dict[
            int, tuple[Expression, ValueOf | None]
        ] = {}  # by identity: comparing trees costs more
        self._closing_keys: dict[int, tuple[Closing, Mapping[str, tuple[tuple[str, ValueOf], ...]]]] = {}

    @property
    def tables(self) -> Tables:
        """The bundle's tables."""
        return self.bundle.tables

    @cached_property
    def duty_rules(self) -> tuple[Rule, ...]:
        """The deadline rules of the bundle."""
        return self.bundle.duties()

    def judged(self, kind: str) -> tuple[RulePlan, ...]:
        """The rules judged on events of this kind, in the order of their ids."""
        plans = self._rules.get(kind)
        if plans is None:
            rules = [r for r in self.bundle.judging(kind) if r.require is not None]
            plans = self._rules[kind] = tuple(self.plan(rule) for rule in sorted(rules, key=lambda r: r.id))
        return plans

    def plan(self, rule: Rule) -> RulePlan:
        """One rule, prepared."""
        known = self._plans.get(rule.id)
        if known is not None:
            return known
        names: dict[str, str] = {}
        for given in rule.given:
            names[given.name] = self._lookup(rule, given, names)
        clause = None
        when = None if rule.when is None else renamed(rule.when.node, rule.id, names)
        if rule.require is not None:
            clause = Clause(rule.id, when, renamed(rule.require.node, rule.id, names))
        order = tuple(dict.fromkeys(names.values()))
        when_needs = self._closure(roots(when), order) if when is not None else ()
        needs = self._closure(frozenset(order), order)
        made = RulePlan(rule, names, clause, self._compiled(when), when_needs, needs)
        self._plans[rule.id] = made
        return made

    def compiled(self, expression: Expression | None, plan: RulePlan) -> ValueOf | None:
        """An expression of a rule as a function of the case's scope."""
        if expression is None:
            return None
        known = self._expressions.get(id(expression))
        if known is None or known[0] is not expression:
            made = self._compiled(renamed(expression.node, plan.rule.id, plan.names))
            known = self._expressions[id(expression)] = (expression, made)
        return known[1]

    def closing_keys(self, closing: Closing, plan: RulePlan) -> Mapping[str, tuple[tuple[str, ValueOf], ...]]:
        """Index fields by which the events that may close a duty are found."""
        known = self._closing_keys.get(id(closing))
        if known is None or known[0] is not closing:
            where = None if closing.where is None else renamed(closing.where.node, plan.rule.id, plan.names)
            keys = {kind: self._keys(kind, closing.by, where) for kind in closing.kinds}
            known = self._closing_keys[id(closing)] = (closing, keys)
        return known[1]

    def _compiled(self, node: Node | None) -> ValueOf | None:
        if node is None:
            return None
        if node not in self._functions:
            self._functions[node] = compile_value(node, self.tables)
        return self._functions[node]

    def _closure(self, wanted: frozenset[str], order: tuple[str, ...]) -> tuple[str, ...]:
        """The look-ups among `wanted` and all that they need, in the `order` of the rule's givens, in which each names only earlier ones.

        Never in the order of the ids: those depend on which kind of event was judged first, and a case's digest must not.
        """
        found: set[str] = set()
        left = [name for name in wanted if name in self.lookups]
        while left:
            lookup_id = left.pop()
            if lookup_id not in found:
                found.add(lookup_id)
                left += self.lookups[lookup_id].needs
        return tuple(lookup_id for lookup_id in order if lookup_id in found)

    def _lookup(self, rule: Rule, given: Given, names: Mapping[str, str]) -> str:
        def named(expression: Expression | None) -> Node | None:
            return None if expression is None else renamed(expression.node, rule.id, names)

        where, within, after = named(given.where), named(given.within), named(given.after)
        span = (named(given.span_from), named(given.span_to), named(given.for_each))
        kinds = tuple(sorted(given.kinds))
        identity = (
            given.quantifier, kinds, given.field, tuple(sorted(given.by)), where, within, after,
            given.present, given.include_self, span,
        )  # fmt: skip
        known = self._ids.get(identity)
        if known is not None:
            return known
        lookup_id = self._ids[identity] = f"f{len(self._ids)}"
        needs = frozenset(
            root for node in (where, within, after, *span) if node is not None for root in roots(node)
        )
        self.lookups[lookup_id] = LookUp(
            lookup_id, replace(given, kinds=kinds), self._compiled(where), self._compiled(within), self._compiled(after),
            given.field, self._span(span[0], span[1]), self._compiled(span[2]), frozenset(n for n in needs if n in self.lookups),
            {kind: self._keys(kind, given.by, where) for kind in kinds},
            tuple(c for c in map(self._compiled, _guards(where)) if c is not None),
        )  # fmt: skip
        return lookup_id

    def _span(self, start: Node | None, end: Node | None) -> tuple[ValueOf, ValueOf] | None:
        first, last = self._compiled(start), self._compiled(end)
        return None if first is None or last is None else (first, last)

    def _keys(self, kind: str, by: tuple[str, ...], where: Node | None) -> tuple[tuple[str, ValueOf], ...]:
        indexed = (ID, *indexed_fields(kind))
        found: dict[str, ValueOf] = {field: _event_field(field) for field in by if field in indexed}
        clauses = list(conjuncts(where)) if where is not None else []
        asked = {
            c.ref.path[0]
            for c in clauses
            if isinstance(c, Has) and c.ref.root == "it" and len(c.ref.path) == 1
        }
        for field, value in _equalities(clauses):
            # A candidate without the field would make `where` unknown, not false: it must not be overlooked.
            if (
                field in indexed
                and field not in found
                and (KINDS[kind].fields[field].required or field in asked)
            ):
                compiled = self._compiled(value)
                if compiled is not None:
                    found[field] = compiled
        return tuple(sorted(found.items(), key=lambda item: selectivity(item[0])))


def _event_field(field: str) -> ValueOf:
    return lambda scope: scope["event"].get(field)


def _equalities(clauses: list[Node]) -> Iterator[tuple[str, Node]]:
    """``it.field == value`` among the conjuncts, where the value does not depend on the candidate."""
    for clause in clauses:
        if isinstance(clause, Compare) and clause.op == "==":
            for side, other in ((clause.left, clause.right), (clause.right, clause.left)):
                if (
                    isinstance(side, Ref)
                    and side.root == "it"
                    and len(side.path) == 1
                    and "it" not in roots(other)
                ):
                    yield side.path[0], other


def conjuncts(node: Node) -> Iterator[Node]:
    """The parts that must all hold."""
    if isinstance(node, And):
        for operand in node.operands:
            yield from conjuncts(operand)
    else:
        yield node


def _guards(where: Node | None) -> list[Node]:
    """The parts of a condition that say nothing of the candidate."""
    clauses = [] if where is None else conjuncts(where)
    return [clause for clause in clauses if "it" not in roots(clause)]


def roots(node: Node | None) -> frozenset[str]:
    """The roots that an expression names (``event``, ``param``, look-ups, macro variables ...)."""
    return frozenset(part.root for part in walk(node) if isinstance(part, Ref | IsNull))


def walk(node: Any) -> Iterator[Node]:
    """A node and all nodes below it."""
    if isinstance(node, Node):
        yield node
    for part in parts(node):
        yield from walk(part)


def parts(node: Any) -> Iterator[Any]:
    """What stands directly below a node, or in a tuple of nodes."""
    if isinstance(node, Node):
        yield from (getattr(node, name) for name in _below(node))
    elif isinstance(node, tuple):
        yield from node


def renamed(node: N, rule_id: str, names: Mapping[str, str]) -> N:
    """The expression with givens replaced by the ids of their look-ups, and parameters by (rule, name)."""
    if isinstance(node, Ref):
        if node.root == "param":
            return replace(node, path=(rule_id, *node.path))
        return replace(node, root=names.get(node.root, node.root))
    if isinstance(node, IsNull):
        return replace(node, root=names.get(node.root, node.root))
    changes = {name: _renamed(getattr(node, name), rule_id, names) for name in _below(node)}
    return replace(node, **changes) if changes else node


_BELOW: Final[dict[Any, tuple[str, ...]]] = {}


def _below(node: Node) -> tuple[str, ...]:
    """The fields of a node that may hold nodes; asking its class each time would cost more than all else here."""
    kind: Any = type(node)
    known = _BELOW.get(kind)
    if known is None:
        known = _BELOW[kind] = tuple(one.name for one in fields(kind) if one.name not in ("type", "span"))
    return known


def _renamed(value: Any, rule_id: str, names: Mapping[str, str]) -> Any:
    if isinstance(value, Node):
        return renamed(value, rule_id, names)
    if isinstance(value, tuple) and value and is_dataclass(value[0]):
        return tuple(_renamed(item, rule_id, names) for item in value)
    return value


def known_text(value: Any) -> str | None:
    """A text that can be looked up, or None where the value is missing or unknown."""
    return value if isinstance(value, str) and not isinstance(value, Unknown) else None
