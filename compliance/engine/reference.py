"""The reference evaluator: the typed expression, compiled to one Python function (engine.md, "Evaluators").

It exists twice, so that it can be both obvious and fast:

* `exact` is the meaning. One small closure per node, three-valued throughout, with CEL's absorption.
* `compile_value` and `compile_clauses` first run generated two-valued code in which everything missing raises. Python visits
  operands from left to right and stops as soon as one decides; what it decides without having met anything missing, the
  three-valued meaning decides alike. Only where something missing was met does `exact` have the word.

Writing code pays only for what is judged often: `compile_value` begins with `exact` and writes its code at the `WARM`-th call, and
`interpret_clauses` are clauses without any code, for whoever judges but a few events.

Numbers are exact integers; where scales differ (a product has more digits), the smaller scale is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from compliance.domain.findings import Outcome
from compliance.domain.values import UNKNOWN
from compliance.engine.clause import Clause, Scope
from compliance.engine.exact import ValueOf, exact
from compliance.engine.explained import undecided, values_used
from compliance.engine.generated import Unsuitable, generate, shared_roots
from compliance.policy.expression.tree import Node
from compliance.policy.model import Tables

__all__ = [
    "OutcomeOf",
    "OutcomesOf",
    "ValueOf",
    "compile_clause",
    "compile_clauses",
    "compile_value",
    "interpret_clause",
    "interpret_clauses",
    "undecided",
    "values_used",
]

OutcomeOf: TypeAlias = Callable[[Scope], Outcome]
OutcomesOf: TypeAlias = Callable[[Scope], list[Outcome]]

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
    names: dict[str, Any] = dict(_OUTCOMES)
    try:
        code = generate((node,), tables, {}, names)
    except Unsuitable:
        return slow
    body = (*code.prelude, f"return {code.expressions[0]}")
    lines = ("try:", *_indented(body), "except MISSING:", "    return slow(S)")
    value_of: ValueOf = _function(lines, {**names, "slow": slow})
    return value_of


def compile_clause(clause: Clause, tables: Tables) -> OutcomeOf:
    """One rule as a function of the scope.

    Where `when` is false the rule does not apply; where it holds, `require` decides; all that is unknown is indeterminate.
    """
    judged = compile_clauses((clause,), tables)
    return lambda scope: judged(scope)[0]


def compile_clauses(clauses: Sequence[Clause], tables: Tables) -> OutcomesOf:
    """Many rules as one function of the scope, which gives the outcome of each: no calls between them, and what several name is
    looked up once. Each rule stands in a ``try`` of its own."""
    names: dict[str, Any] = dict(_OUTCOMES)
    nodes = [(one.require,) if one.when is None else (one.when, one.require) for one in clauses]
    roots = shared_roots(nodes)
    lines = [f"{local} = S.get({root!r}, UNKNOWN)" for root, local in roots.items()]
    for number, clause in enumerate(clauses):
        names[f"slow{number}"] = interpret_clause(clause, tables)
        try:
            lines += ["try:", *_indented(_judging(clause, f"o{number}", tables, roots, names))]
            lines += ["except MISSING:", f"    o{number} = slow{number}(S)"]
        except Unsuitable:
            lines.append(f"o{number} = slow{number}(S)")
    lines.append(f"return [{', '.join(f'o{number}' for number in range(len(clauses)))}]")
    outcomes_of: OutcomesOf = _function(lines, names)
    return outcomes_of


def _judging(
    clause: Clause, result: str, tables: Tables, roots: Mapping[str, str], names: dict[str, Any]
) -> list[str]:
    """Lines that judge a clause. What `require` names is looked at only where `when` holds: before, it need not even be known."""
    holds = generate((clause.require,), tables, roots, names)
    judging = [*holds.prelude, f"{result} = PASS if {holds.expressions[0]} else FAIL"]
    if clause.when is None:
        return judging
    applies = generate((clause.when,), tables, roots, names)
    branches = [
        f"if {applies.expressions[0]}:",
        *_indented(judging),
        "else:",
        f"    {result} = NOT_APPLICABLE",
    ]
    return [*applies.prelude, *branches]


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def interpret_clauses(clauses: Sequence[Clause], tables: Tables) -> OutcomesOf:
    """The same as `compile_clauses`, by `exact` alone: nothing to make, and some three times as long to judge."""
    each = [interpret_clause(clause, tables) for clause in clauses]
    return lambda scope: [outcome_of(scope) for outcome_of in each]


def interpret_clause(clause: Clause, tables: Tables) -> OutcomeOf:
    """The same as `compile_clause`, by `exact` alone."""
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


def _function(lines: Sequence[str], names: dict[str, Any]) -> Any:
    """The generated function of these lines, with what they name."""
    source = "\n".join(("def compiled(S):", *_indented(lines)))
    exec(compile(source, "<policy>", "exec"), names)  # noqa: S102 (our own source, see `generated`)
    return names["compiled"]
