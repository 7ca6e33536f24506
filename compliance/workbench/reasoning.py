"""What only the solver can say of one rule: it can never fail, it always fails, it never applies, a condition in it never decides.

What some case of the rule shows need not be asked: a rule with a case that fails can fail. So the solver is asked about what is left. Only what it
proves is told; what it does not find out is told as that, and never as in order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from time import monotonic
from typing import Final

from compliance.engine.cases import prepared
from compliance.engine.plan import roots
from compliance.policy.expression.tree import Has, IsNull, Not, Ref
from compliance.policy.located import Path
from compliance.policy.model import Bundle, Rule
from compliance.workbench.conditions import Condition, conditions_of, rests_on_tables
from compliance.workbench.covering import Board, Decided, coverage_of
from compliance.workbench.offering import offer
from compliance.workbench.remarks import NotFoundOut, Remark
from compliance.workbench.symbolic import Nowhere, Side, Unknown, find_case, outcomes_of

_SECONDS: Final = 5.0
"""For one question."""
_TOGETHER: Final = 10.0
"""After so long no further condition of a rule is asked about: of the longest rules the formulas alone take seconds to write, for each of a hundred questions."""


def proved_remarks(
    bundle: Bundle, rule_id: str, seconds: float = _SECONDS
) -> tuple[Remark | NotFoundOut, ...]:
    """What is proved of a rule, and what could not be found out."""
    rule = bundle.rule(rule_id)
    return tuple(_proved(bundle, rule, seconds))


def _proved(bundle: Bundle, rule: Rule, seconds: float) -> Iterator[Remark | NotFoundOut]:
    shown = _shown(bundle, rule)
    for outcomes, question, remark in _questions(rule):
        if shown & set(outcomes):
            continue
        found = find_case((Side(bundle, rule),), ((outcomes,),), seconds=seconds)
        if isinstance(found, Nowhere):
            yield remark
            return  # all else follows from it
        if isinstance(found, Unknown):
            yield NotFoundOut(rule.id, question, found.reason)
    tabled = {one.where for one in conditions_of(rule) if rests_on_tables(one)}
    asked = [side for side in coverage_of(rule, bundle).lacking if not _guards(side, tabled)]
    end = monotonic() + _TOGETHER
    for number, side in enumerate(asked):
        if monotonic() > end:
            yield NotFoundOut(
                rule.id,
                f"do {len(asked) - number} more ways in which its conditions may come out decide",
                "no answer in the time that was given",
            )
            return
        made = offer(rule, side, bundle, seconds)
        if made.status == "never":
            yield _undeciding(rule, side)
        elif made.status == "unknown":
            yield NotFoundOut(
                rule.id, f"does it decide that '{side.condition.text}' {_came(side)}", made.reason
            )


def _guards(side: Decided, tabled: Collection[Path]) -> bool:
    """Whether a condition that never decides is well written all the same.

    It asks ``has()`` or for null before something is named; or it is a condition of a look-up that no candidate has a part in, and spares the look-up
    where nothing would come of it; or what it says follows from a yes/no parameter as it is now, or from the tables of the bundle: it asks them itself, or stands beside a
    condition that does (`tabled` are the expressions in which one stands), which may decide otherwise tomorrow.
    """
    node, where = side.condition.node, side.condition.where
    if isinstance(node, Ref) and node.root == "param":
        return True
    asked = isinstance(node, Has) or (isinstance(node, Not) and isinstance(node.operand, IsNull))
    spares = where[0] == "given" and "it" not in roots(node)
    if isinstance(node, IsNull) and side.value:
        return True
    return ((asked or spares) and not side.value) or where in tabled


def _shown(bundle: Bundle, rule: Rule) -> set[str]:
    """What comes out of the rule's own cases."""
    board = Board(rule, bundle)
    found = set()
    for case in rule.cases:
        events, problems = prepared([*case.history, case.event])
        if not problems:
            found.add(board.comes_out(events, case))
    return found


def _questions(rule: Rule) -> Iterator[tuple[Collection[str], str, Remark]]:
    """Outcomes one of which must be possible, what that asks, and what is wrong with a rule of which it is not."""
    duty = rule.expect is not None
    asked: Path = ("expect",) if duty else ("require",)
    where: Path = ("when",) if rule.when is not None else ("per", "where") if rule.each is not None else asked
    applies = [one for one in outcomes_of(rule) if one != "not_applicable"]
    yield applies, "can it apply", Remark(
        rule.id, where, "never-applies", "this never holds: there is no event and no history to which the rule applies",
        "mend the condition, or delete the rule", key=where == asked,
    )  # fmt: skip
    yield ("missed", "met_late") if duty else ("fail",), "can it fail", Remark(
        rule.id, asked, "never-fails",
        "this duty is never missed, whatever happens" if duty else "this always holds where the rule applies: the rule can never fail",
        "mend the condition, or delete the rule: it finds nothing", key=True,
    )  # fmt: skip
    yield ("met",) if duty else ("pass",), "can it pass", Remark(
        rule.id, asked, "always-fails",
        "this duty is never met in time, whatever is done" if duty else "this never holds where the rule applies: the rule always fails",
        "mend the condition; nobody can keep such a rule", key=True,
    )  # fmt: skip


def _undeciding(rule: Rule, side: Decided) -> Remark:
    condition: Condition = side.condition
    span = None if condition.timely else condition.node.span
    if condition.timely:
        message = f"it never decides anything that this {'is kept' if side.value else 'is not kept'}"
    elif side.value:
        message = "it never decides anything that this holds: all would come out the same if it never did"
    else:
        message = (
            "it never decides anything that this does not hold: all would come out the same if it always did"
        )
    return Remark(
        rule.id, condition.where, "never-decides", message, "delete it, or mend what it was to say", span
    )


def _came(side: Decided) -> str:
    return "holds" if side.value else "does not hold"
