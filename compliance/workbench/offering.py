"""A ready case for each side of a condition that no case shows: found by the solver, judged by the engine, for a person to accept or reject.

The solver looks for a case on which the rule and its mutant come out differently. That there is none is proved: no case can show
the side, it never decides. What the solver does not see through is unknown, and said to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from compliance.engine.cases import run_case
from compliance.engine.plan import walk
from compliance.library import case_judge
from compliance.policy.expression.tree import Ref
from compliance.policy.fill import fill
from compliance.policy.model import Bundle, Case, Rule
from compliance.workbench.case_text import shortened
from compliance.workbench.conditions import Condition, fields_named, mutant
from compliance.workbench.covering import Coverage, Decided, shows
from compliance.workbench.outlook import Offer
from compliance.workbench.symbolic import Found, Nowhere, Side, find_case, outcomes_of

_NAME: Final = 100


def offers(coverage: Coverage, bundle: Bundle, seconds: float = 5.0) -> tuple[Offer, ...]:
    """An offer for each side that the rule's cases do not show; a case that shows several is offered once, with the first."""
    made: list[Offer] = []
    for side in coverage.lacking:
        rule, condition, value = coverage.rule, side.condition, side.value
        known = next(
            (one for one in made if one.case is not None and shows(rule, condition, value, one.case, bundle)),
            None,
        )
        if known is not None:
            made.append(Offer(side, "case", known.case))
        else:
            made.append(offer(rule, side, bundle, seconds))
    return tuple(made)


def offer(rule: Rule, side: Decided, bundle: Bundle, seconds: float = 5.0) -> Offer:
    """What the solver finds for one side. A case on which the rule is decided is looked for first."""
    condition, value = side.condition, side.value
    sides = (Side(bundle, rule), Side(bundle, mutant(rule, condition, value)))
    found = find_case(sides, differing(rule, condition, value, decided=True), seconds=seconds)
    if isinstance(found, Nowhere):
        found = find_case(sides, differing(rule, condition, value, decided=False), seconds=seconds)
    if isinstance(found, Nowhere):
        return Offer(side, "never")
    if not isinstance(found, Found):
        return Offer(side, "unknown", reason=found.reason)
    case = _ready(rule, side, found.case, bundle)
    if case is None:
        return Offer(side, "unknown", reason="the case that was found does not show it")
    return Offer(side, "case", case)


def differing(
    rule: Rule, condition: Condition, value: bool, *, decided: bool
) -> list[tuple[Sequence[str], Sequence[str]]]:
    """Every way in which a rule and a mutant of it come out differently; where they are `decided`, without what is indeterminate."""
    every = outcomes_of(rule)
    ways = [one for one in every if one != "indeterminate" or not decided]
    mine: Sequence[str] = ways
    if condition.timely:
        mine = ("met",) if value else ("missed", "met_late")
    return [((way,), _but(ways, way)) for way in mine]


def _but(ways: Sequence[str], way: str) -> tuple[str, ...]:
    return tuple(one for one in ways if one != way)


def _ready(rule: Rule, side: Decided, case: Case, bundle: Bundle) -> Case | None:
    """The case with its name and what the engine says of it, as short as it can be; None where it does not show the side."""
    judge = case_judge(bundle)
    told = _told(case, side.condition)
    for written in (shortened(told, fields_named(rule)), told):
        if shows(rule, side.condition, side.value, written, bundle):
            result = run_case(rule, written, judge)
            name = _name(rule, side, result.because)
            return replace(written, name=name, expect=result.got, place=rule.place)
    return None


def _told(case: Case, condition: Condition) -> Case:
    """The case with the fields that a condition names, where they would only be filled in."""
    named = {node.path[0] for node in walk(condition.node) if isinstance(node, Ref) and node.path}
    bodies = []
    for body in (*case.history, case.event):
        filled = fill(body)
        bodies.append({**body, **{name: filled[name] for name in named if name in filled}})
    return replace(case, history=tuple(bodies[:-1]), event=bodies[-1])


def _name(rule: Rule, side: Decided, because: object) -> str:
    """The condition, what comes of it, and the values that it was about; unlike the names of the rule's cases."""
    where = side.condition.where
    text = side.condition.text if where[0] != "given" else f"{where[1]}, {side.condition.text}"
    values = because if isinstance(because, dict) else {}
    said = ", ".join(
        f"{name} is {value}"
        for name, value in values.items()
        if name in text and "." in name and name != text
    )
    name = f"{text[: _NAME - len(' does not hold')]} {'holds' if side.value else 'does not hold'}"
    if said and len(name) + len(said) <= _NAME:
        name = f"{name} ({said})"
    taken = {case.name for case in rule.cases}
    number = 2
    free = name
    while free in taken:
        free, number = f"{name} {number}", number + 1
    return free
