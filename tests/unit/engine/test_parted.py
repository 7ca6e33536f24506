"""Rules in parts: what shares a condition is asked for only where the condition may hold."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.domain.findings import Outcome
from compliance.engine.clause import Clause
from compliance.engine.parted import ENOUGH, PartedRules
from compliance.errors import EngineFault
from compliance.policy.expression.tree import And, Compare, Const, Has, Node, Ref, Span, Type
from compliance.policy.model import Tables

AT = Span(0, 0)
BOOL, NUMBER = Type("bool"), Type("number")
TABLES = Tables({}, frozenset(), {}, {}, {})
NASAL = Ref(BOOL, AT, "event", ("nasal",))


def above(amount: int) -> Node:
    """``event.dose > amount``."""
    return Compare(BOOL, AT, ">", Ref(NUMBER, AT, "event", ("dose",)), Const(NUMBER, AT, amount))


def present() -> Node:
    """``has(event.dose)``."""
    return Has(BOOL, AT, Ref(NUMBER, AT, "event", ("dose",)))


CLAUSES = [
    Clause("always", None, above(1)),
    *(Clause(f"nasal {number}", NASAL, above(number)) for number in range(ENOUGH - 1)),
    Clause("nasal and measured", And(BOOL, AT, (NASAL, present())), above(2)),
    Clause("alone", present(), above(3)),
]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"nasal": True, "dose": 2}, ["pass", "pass", "pass", "fail", "fail", "fail"]),
        ({"nasal": False, "dose": 4}, ["pass", *["not_applicable"] * 4, "pass"]),
        ({"dose": 4}, ["pass", *["indeterminate"] * 4, "pass"]),
        ({"nasal": True}, ["indeterminate"] * 4 + ["not_applicable"] * 2),
    ],
    ids=["it holds", "it does not hold", "nobody knows", "a value is missing"],
)
def test_the_outcomes_are_those_of_each_rule_in_their_order(
    event: dict[str, Any], expected: list[str]
) -> None:
    """Whether a shared condition holds, does not hold or is unknown, each rule says what it says alone."""
    assert PartedRules("test", CLAUSES, TABLES).evaluate({"event": event}) == list(map(Outcome, expected))


def test_rules_that_cannot_apply_are_not_asserted() -> None:
    """A value that the engine could not take does no harm to rules that do not apply; where they apply, it is a fault."""
    clauses = [Clause(f"rule {number}", NASAL, above(number)) for number in range(ENOUGH)]
    rules = PartedRules("test", clauses, TABLES)
    assert rules.evaluate({"event": {"nasal": False, "dose": "much"}}) == [Outcome.NOT_APPLICABLE] * ENOUGH
    with pytest.raises(EngineFault):
        rules.evaluate({"event": {"nasal": True, "dose": "much"}})


def test_of_no_rules_there_are_no_outcomes() -> None:
    """A kind without rules."""
    assert PartedRules("none", [], TABLES).evaluate({"event": {}}) == []
