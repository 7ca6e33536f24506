"""The reference evaluator: the typed expression, compiled to one Python function (engine.md, "Evaluators").

It exists twice, so that it can be both obvious and fast:

* `exact` is the meaning. One small closure per node, three-valued throughout, with CEL's absorption.
* `compile_value` and `compile_clause` first run generated two-valued code in which everything missing raises. Python visits
  operands from left to right and stops as soon as one decides; what it decides without having met anything missing, the
  three-valued meaning decides alike. Only where something missing was met does `exact` have the word.

Writing code pays only for what is judged often: `compile_value` begins with `exact` and writes its code at the `WARM`-th call, and
`interpret_clause` is a clause without any code, for whoever judges but a few events.

Numbers are exact integers; where scales differ (a product has more digits), the smaller scale is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from compliance.domain.findings import Outcome
from compliance.domain.values import UNKNOWN
from compliance.engine.clause import Clause, Scope
from compliance.engine.exact import ValueOf, exact
from compliance.engine.explained import undecided, values_used
from compliance.engine.generated import Unsuitable, generate
from compliance.policy.expression.tree import Node
from compliance.policy.model import Tables

__all__ = [
    "OutcomeOf",
    "ValueOf",
    "compile_clause",
    "compile_value",
    "interpret_clause",
    "undecided",
    "values_used",
]

OutcomeOf: TypeAlias = Callable[[Scope], Outcome]

WARM: Final = 8
"""Calls after which generated code has paid for itself: writing it costs about as much as forty calls of `exact`."""

_OUTCOMES: dict[str, Any] = {
    "MISSING": (
        KeyError,
        TypeError,
    ),  # no such field; a null event or an unknown fact has no fields, order or length
    "PASS": Outcome.PASS,
    "FAIL": Outcome.FAIL,
    "NOT_APPLICABLE": Outcome.NOT_APPLICABLE,
}


def compile_value(node: Node, tables: Tables) -> ValueOf:
    """The node as a function of the scope; it gives an engine value (a number at the node's own scale) or UNKNOWN."""
    slow = exact(node, tables)
    run = slow
    calls = 0

    def value_of(scope: Scope) -> Any:
        nonlocal run, calls
        if calls < WARM:
            calls += 1
            if calls == WARM:
                run = _compiled_value(node, tables, slow)
        return run(scope)

    return value_of


def _compiled_value(node: Node, tables: Tables, slow: ValueOf) -> ValueOf:
    try:
        code = generate((node,), tables)
    except Unsuitable:
        return slow
    value_of: ValueOf = _function(
        code.prelude, (f"return {code.expressions[0]}",), {**code.constants, "slow": slow}
    )
    return value_of


def compile_clause(clause: Clause, tables: Tables) -> OutcomeOf:
    """One rule as a function of the scope.

    Where `when` is false the rule does not apply; where it holds, `require` decides; all that is unknown is indeterminate.
    """
    slow = interpret_clause(clause, tables)
    nodes = (clause.require,) if clause.when is None else (clause.when, clause.require)
    try:
        code = generate(nodes, tables)
    except Unsuitable:
        return slow
    body = [f"return PASS if {code.expressions[-1]} else FAIL"]
    if clause.when is not None:
        body.insert(0, f"if not {code.expressions[0]}: return NOT_APPLICABLE")
    outcome_of: OutcomeOf = _function(code.prelude, body, {**code.constants, "slow": slow})
    return outcome_of


def interpret_clause(clause: Clause, tables: Tables) -> OutcomeOf:
    """The same as `compile_clause`, by `exact` alone: nothing to make, and some three times as long to judge."""
    when = None if clause.when is None else exact(clause.when, tables)
    require = exact(clause.require, tables)

    def outcome(scope: Scope) -> Outcome:
        applies = True if when is None else when(scope)
        if applies is False:
            return Outcome.NOT_APPLICABLE
        holds = UNKNOWN if applies is UNKNOWN else require(scope)
        if holds is UNKNOWN:
            return Outcome.INDETERMINATE
        return Outcome.PASS if holds else Outcome.FAIL

    return outcome


def _function(prelude: Sequence[str], body: Sequence[str], constants: dict[str, Any]) -> Any:
    """The generated function: its lines under one ``try``, its constants as globals."""
    lines = ["def compiled(S):", "    try:"]
    lines += [f"        {line}" for line in (*prelude, *body)]
    lines += ["    except MISSING:", "        return slow(S)"]
    names: dict[str, Any] = {**_OUTCOMES, **constants}
    exec(compile("\n".join(lines), "<policy>", "exec"), names)  # noqa: S102 (our own source, see `generated`)
    return names["compiled"]
