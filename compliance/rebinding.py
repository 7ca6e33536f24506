"""A decision looked at again: the case it was made on, bound anew from the log as it then was (engine.md, step 2).

The case's digest says whether what is shown is what was decided on; where it differs, the log or the software is not what it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from compliance.bundles import Bundles
from compliance.continuation import decision_at
from compliance.domain.corrections import standing
from compliance.domain.event import Event
from compliance.domain.findings import Decision, Verdict
from compliance.domain.quantity import format_decimal
from compliance.domain.time import format_duration
from compliance.domain.values import UNKNOWN
from compliance.engine.exact import exact
from compliance.engine.explained import undecided, values_used
from compliance.engine.judging import Case, Judge
from compliance.engine.plan import RulePlan, conjuncts
from compliance.engine.sight import Sight
from compliance.errors import InputError
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.policy.expression import to_text
from compliance.policy.expression.tree import Node
from compliance.policy.model import Given


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact of a case in words: how it was asked for, and what was found."""

    name: str
    asked: str
    found: str


@dataclass(frozen=True, slots=True)
class Clause:
    """One part of a condition that must hold: as written, how it came out (None: cannot be decided), and what it was decided by."""

    text: str
    holds: bool | None
    values: dict[str, str]
    lacking: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rebound:
    """A decision with its case. `case` is None for a void; `agrees` is whether it has the digest that the log keeps."""

    idx: int
    event: Event
    decision: Decision
    judge: Judge
    case: Case | None
    agrees: bool


def rebound(log: Log, bundles: Bundles, idx: int) -> Rebound:
    """The case of the decision in an entry (an event's first, or a rejudgement); raises InputError where an entry holds no decision."""
    document = log.entry(idx).document()
    if "decision" not in document:
        raise InputError(
            f"entry {idx} is of type {document['type']}: it holds no decision",
            "Name the entry or the id of an event.",
        )
    decision = decision_at(log, idx)
    judge = bundles.judge(decision.bundle)
    history = LogHistory(log, before=idx)
    sent = LogHistory(log).recorded(document.get("of", idx))
    event = standing(sent, history.amendments)
    if event is None or decision.verdict is Verdict.VOIDED:
        return Rebound(idx, sent, decision, judge, None, event is None and decision.verdict is Verdict.VOIDED)
    case = judge.bind(event, Sight(history, event))
    return Rebound(idx, event, decision, judge, case, case.digest == decision.case)


def facts(bound: Rebound) -> list[Fact]:
    """The facts of a case, each once, under the name that the first rule gives it."""
    if bound.case is None:
        return []
    found: dict[str, Fact] = {}
    for plan in bound.case.rules:
        for given in plan.rule.given:
            lookup = plan.names[given.name]
            if lookup in bound.case.scope and lookup not in found:
                found[lookup] = Fact(given.name, _asked(given), fact_text(given, bound.case.scope[lookup]))
    return list(found.values())


def _asked(given: Given) -> str:
    kinds = " or ".join(given.kinds)
    by = f" by {', '.join(given.by)}" if given.by else ""
    where = f" where {given.where.text}" if given.where is not None else ""
    return f"{given.quantifier} {kinds}{by}{where}"


def fact_text(given: Given, value: Any) -> str:
    """A fact in words: an event by its id, a number, a length of time."""
    if value is UNKNOWN:
        return "cannot be said"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return str(value.get("id", "found"))
    if isinstance(value, tuple):
        return ", ".join(fact_text(given, item) for item in value)
    if isinstance(value, int):
        return (
            format_duration(value)
            if given.quantifier in ("uncovered", "largest_gap")
            else format_decimal(value)
        )
    return "found"


def plan_of(bound: Rebound, rule_id: str) -> RulePlan:
    """The plan of a rule of the decision's bundle."""
    return bound.judge.planner.plan(bound.judge.bundle.rule(rule_id))


def clauses(bound: Rebound, plan: RulePlan) -> Iterator[Clause]:
    """The parts of what a rule requires, each with how it came out on the case."""
    if bound.case is None or plan.rule.require is None:
        return
    scope = _own_names(bound.case, plan)
    tables = bound.judge.bundle.tables
    for node in conjuncts(plan.rule.require.node):
        yield _clause(node, scope, tables)


def _clause(node: Node, scope: dict[str, Any], tables: Any) -> Clause:
    value = exact(node, tables)(scope)
    holds = None if value is UNKNOWN else bool(value)
    lacking = tuple(undecided(node, scope, tables)) if holds is None else ()
    return Clause(to_text(node), holds, values_used(node, scope, tables), lacking)


def _own_names(case: Case, plan: RulePlan) -> dict[str, Any]:
    """The case's scope under the names that the rule itself uses."""
    own = {name: case.scope.get(lookup, UNKNOWN) for name, lookup in plan.names.items()}
    return {**case.scope, **own, "param": case.scope["param"].get(plan.rule.id, {})}
