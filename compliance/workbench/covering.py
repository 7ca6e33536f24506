"""Which conditions of a rule its cases show to decide, both ways (``compliance policy coverage``).

A side of a condition (it holds, it does not) is shown by a case that comes out differently once that side is turned into the other:
`conditions.mutant` says how. All of a rule's mutants are one rule with switches, which is prepared once, and judged by the engine's
reference evaluator for each switch that no earlier case has settled; what `when` and `require` are judged on is looked up once a case.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from compliance.domain.event import Event
from compliance.domain.findings import Outcome
from compliance.engine.cases import as_of, duty_of, night_of, own_offset, prepared
from compliance.engine.duties import DutyState
from compliance.engine.history import MemoryHistory
from compliance.engine.judging import Judge
from compliance.engine.reference import OutcomeOf, interpret_clause
from compliance.engine.sight import Sight
from compliance.policy.expression.tree import Conditional, Node, Ref
from compliance.policy.expression.types import BOOL
from compliance.policy.model import Bundle, Case, Rule
from compliance.workbench.conditions import (
    ALWAYS,
    NOWHERE,
    Change,
    Condition,
    changed,
    conditions_of,
    shifted,
)


@dataclass(frozen=True, slots=True)
class Decided:
    """One side of a condition: that it comes out as `value`; and the first case that shows it to decide, None where none does."""

    condition: Condition
    value: bool
    shown_by: Case | None

    @property
    def key(self) -> tuple[object, bool]:
        """What tells it apart from the rule's other sides."""
        return self.condition.key, self.value


@dataclass(frozen=True, slots=True)
class Coverage:
    """A rule's conditions, both sides of each in turn."""

    rule: Rule
    sides: tuple[Decided, ...]

    @property
    def conditions(self) -> int:
        """How many there are."""
        return len(self.sides) // 2

    @property
    def lacking(self) -> tuple[Decided, ...]:
        """The sides that no case shows."""
        return tuple(side for side in self.sides if side.shown_by is None)


def coverage_of(rule: Rule, bundle: Bundle) -> Coverage:
    """What a rule's own cases show of its conditions. Cases whose events are not valid show nothing; `policy check` tells of them."""
    conditions = conditions_of(rule)
    sides = [(number, value) for number in range(len(conditions)) for value in (True, False)]
    shown: dict[tuple[int, bool], Case] = {}
    board = Board(rule, bundle, conditions)
    for case in rule.cases:
        left = [side for side in sides if side not in shown]
        if not left:
            break
        shown |= dict.fromkeys(board.deciding(case, left), case)
    return Coverage(rule, tuple(Decided(conditions[side[0]], side[1], shown.get(side)) for side in sides))


def shows(rule: Rule, condition: Condition, value: bool, case: Case, bundle: Bundle) -> bool:
    """Whether a case shows one side of a condition to decide."""
    board = Board(rule, bundle, (condition,))
    return bool(list(board.deciding(case, [(0, value)])))


class Board(Judge):
    """Judges one rule, in which conditions can be turned; by the reference evaluator alone."""

    def __init__(self, rule: Rule, bundle: Bundle, conditions: tuple[Condition, ...] = ()) -> None:
        self._on_event = {
            number for number, one in enumerate(conditions) if one.where in (("when",), ("require",))
        }
        self._timely = {number for number, one in enumerate(conditions) if one.timely}
        for number, condition in enumerate(conditions):
            rule = changed(rule, condition, _due(number) if condition.timely else _switch(number))
        super().__init__(replace(bundle, rules=(rule,), sites={}), own_offset, written=False)
        self._rule = rule
        self._switches: dict[str, bool] = {}
        for number in range(len(conditions)):
            self._switches |= {_name(number, True): True, _name(number, False): False}
        self._plan = self.planner.plan(rule)
        self._bound_whole = replace(self._plan, when=None)
        clause = self._plan.clause
        self._outcome: OutcomeOf | None = None if clause is None else interpret_clause(clause, bundle.tables)

    def scope_alone(self, rule: Rule, event: Event, sight: Sight) -> dict[str, Any] | None:
        """See `Judge.scope_alone`: with the switches as they stand."""
        scope = super().scope_alone(rule, event, sight)
        return None if scope is None else {**scope, **self._switches}

    def judge_alone(
        self,
        rule: Rule,  # noqa: ARG002 - there is only one
        event: Event,
        sight: Sight,
        *,
        told: Container[Outcome] = (),  # noqa: ARG002 - nobody is told why
    ) -> tuple[Outcome, Mapping[str, str]]:
        """See `Judge.judge_alone`: nobody is told why."""
        scope = self.bind_alone(self._plan, event, sight)
        if scope is None or self._outcome is None:
            return Outcome.NOT_APPLICABLE, {}
        return self._outcome(scope), {}

    def comes_out(self, events: Sequence[Event], case: Case) -> str:
        """What the rule says of a case, whose events are these: a duty's state, else the outcome."""
        if self._rule.each is None and not {"any", events[-1].kind} & {*self._rule.on}:
            return str(Outcome.NOT_APPLICABLE)
        history = MemoryHistory(events)
        if self._rule.require is None or self._rule.each is not None:
            return self._of_time(history, events[-1], as_of(case, events))
        judged = history.stands(events[-1].id) or events[-1]
        return str(self.judge_alone(self._rule, judged, Sight(history, judged))[0])

    def deciding(self, case: Case, sides: Iterable[tuple[int, bool]]) -> Iterator[tuple[int, bool]]:
        """Those of some sides of conditions, by number, that the case shows to decide."""
        events, problems = prepared([*case.history, case.event])
        if problems:
            return
        if self._rule.require is not None and self._rule.each is None:
            yield from self._of_event(events, sides)
            return
        history = MemoryHistory(events)
        until = as_of(case, events)
        came = self._of_time(history, events[-1], until)
        for number, value in sides:
            if number in self._timely and came not in _IN_TIME[value]:
                continue  # a duty that is still open shows neither that it was done in time nor that it was not
            with self._turned(number, value):
                other = self._of_time(history, events[-1], until)
            if other != came:
                yield number, value

    def _of_event(self, events: list[Event], sides: Iterable[tuple[int, bool]]) -> Iterator[tuple[int, bool]]:
        """What `when` and `require` are judged on is bound once, and all of it, since `when` may be turned; a turned look-up is bound anew."""
        history = MemoryHistory(events)
        judged = history.stands(events[-1].id) or events[-1]
        sight = Sight(history, judged)
        scope = self._whole_scope(judged, sight)
        if scope is None or self._outcome is None:
            return
        came = self._outcome(scope)
        for number, value in sides:
            with self._turned(number, value):
                turned = (
                    {**scope, **self._switches}
                    if number in self._on_event
                    else self._whole_scope(judged, sight)
                )
            assert turned is not None  # a switch does not change the dates in force
            if self._outcome(turned) is not came:
                yield number, value

    def _whole_scope(self, event: Event, sight: Sight) -> dict[str, Any] | None:
        return self.bind_alone(self._bound_whole, event, sight)

    def _of_time(self, history: MemoryHistory, event: Event, until: int) -> str:
        """A duty's state (indeterminate, where nobody can say), or what a night says, as of an instant."""
        if self._rule.each is not None:
            one = night_of(self._rule, self, history, event, until, told=False)
            return str(Outcome.NOT_APPLICABLE if one is None else one.outcome)
        duty = duty_of(self._rule, self, history, event, until)
        if duty is None:
            return str(Outcome.NOT_APPLICABLE)
        return str(duty.outcome if duty.outcome is Outcome.INDETERMINATE else duty.state)

    @contextmanager
    def _turned(self, number: int, value: bool) -> Iterator[None]:
        """One side of one condition turned into the other."""
        name = _name(number, value)
        before = self._switches[name]
        self._switches[name] = not before
        try:
            yield
        finally:
            self._switches[name] = before


_IN_TIME: Final = {
    True: frozenset({str(DutyState.MET)}),
    False: frozenset({str(DutyState.MISSED), str(DutyState.MET_LATE)}),
}


def _name(number: int, value: bool) -> str:
    """The root of a switch; no author can write a blank into a name."""
    return f"switch {number} {value}"


def _ref(number: int, value: bool) -> Ref:
    return Ref(BOOL, NOWHERE, _name(number, value), ())


def _switch(number: int) -> Change:
    """A condition whose sides come out as the switches say; what is unknown of it stays unknown."""
    return lambda node: Conditional(BOOL, node.span, node, _ref(number, True), _ref(number, False))


def _due(number: int) -> Change:
    """A `due` that a switch moves: nothing is in time any more, or nothing is too late."""

    def change(due: Node) -> Node:
        later = Conditional(due.type, due.span, _ref(number, False), shifted(due, ALWAYS), due)
        return Conditional(due.type, due.span, _ref(number, True), later, shifted(due, -ALWAYS))

    return change
