"""Many clauses in parts, so that an event pays for the rules that may apply to it.

Where several clauses apply only if the same condition holds (``drug_info(event.drug).is_rems``), durable_rules is asked for that
condition first. Where it answers that the condition is false, it has said of each of these clauses that it does not apply, and neither
their facts are written nor their rulesets asserted. The reference is asked for every clause all the same: a wrong answer to a shared
condition is a disagreement like any other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from compliance.domain.findings import Outcome
from compliance.engine.clause import Clause, Scope
from compliance.engine.durable import DurableRules
from compliance.policy.expression.tree import And, Node
from compliance.policy.model import Tables

ENOUGH: Final = 4
"""So many clauses make it worth while to ask for the condition that they share."""


class PartedRules:
    """`DurableRules` for any number of clauses: one set for each condition that enough of them share, and one for the others."""

    def __init__(self, name: str, clauses: Sequence[Clause], tables: Tables) -> None:
        self._size = len(clauses)
        times = Counter(first for first in map(_first, clauses) if first is not None)
        shared = [condition for condition, many in times.items() if many >= ENOUGH]
        members: dict[Node | None, list[int]] = {condition: [] for condition in (*shared, None)}
        for position, clause in enumerate(clauses):
            first = _first(clause)
            members[first if first in members else None].append(position)
        questions = [Clause("a shared condition", None, condition) for condition in shared]
        self._shared = DurableRules(f"{name}/shared", questions, tables)
        self._parts = [
            (number, positions, DurableRules(f"{name}/{number}", [clauses[i] for i in positions], tables))
            for number, positions in enumerate(members.values())
        ]

    def evaluate(self, scope: Scope) -> list[Outcome]:
        """The outcome of each clause, in the order given; raises EngineFault as `DurableRules.evaluate` does."""
        outcomes = [Outcome.NOT_APPLICABLE] * self._size
        answers = self._shared.evaluate(scope) if len(self._parts) > 1 else []
        answers.append(Outcome.PASS)  # what is left shares nothing and is always asked
        for number, positions, rules in self._parts:
            if answers[number] is not Outcome.FAIL:
                for position, outcome in zip(positions, rules.evaluate(scope), strict=True):
                    outcomes[position] = outcome
        return outcomes


def _first(clause: Clause) -> Node | None:
    """The first of the conditions under which a clause applies."""
    return clause.when.operands[0] if isinstance(clause.when, And) else clause.when
