"""A case shown to the engine: what a rule really says of it. Whatever the solver finds is told only after this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from compliance.domain.findings import Outcome
from compliance.engine.cases import as_of, duty_of, night_of, own_offset, prepared
from compliance.engine.history import MemoryHistory
from compliance.engine.judging import Judge
from compliance.engine.reference import interpret_clause
from compliance.engine.sight import Sight
from compliance.policy.fill import USUAL
from compliance.policy.model import Case
from compliance.workbench.symbolic.outcomes import judges
from compliance.workbench.symbolic.terms import Side


class Replay:
    """One side, ready to judge cases; by the reference alone, so that trying many cases costs little."""

    def __init__(self, side: Side, number: int = 0) -> None:
        self._rule = side.rule
        # Not the bundle's other rules, and under a digest of its own: rules that are only tried are compiled apart.
        self._judge = Judge(
            replace(side.bundle, rules=(side.rule,), digest=f"{side.bundle.digest}+{number}"),
            own_offset,
            written=False,
        )
        self._plan = self._judge.planner.plan(side.rule)
        clause = self._plan.clause
        self._outcome_of = None if clause is None else interpret_clause(clause, side.bundle.tables)

    def outcome(self, case: Case) -> str:
        """How the rule comes out; ``invalid`` where the case is none."""
        return self._came(case, told=False)[0]

    def because(self, case: Case) -> Mapping[str, str]:
        """The values that decided it, in words; also where nothing was found."""
        return self._came(case, told=True)[1]

    def _came(self, case: Case, *, told: bool) -> tuple[str, Mapping[str, str]]:
        events, problems = prepared([*case.history, case.event])
        if problems:
            return "invalid", {problem.place.field or "": problem.message for problem in problems}
        history = MemoryHistory(events)
        judged = history.stands(events[-1].id) or events[-1]
        until = as_of(case, events)
        if not judges(self._rule, judged.kind):
            return str(Outcome.NOT_APPLICABLE), {}
        if self._rule.expect is not None:
            duty = duty_of(self._rule, self._judge, history, judged, until)
            if duty is None:
                return str(Outcome.NOT_APPLICABLE), {}
            return str(duty.outcome if duty.outcome is Outcome.INDETERMINATE else duty.state), duty.because
        if self._rule.each is not None:
            one = night_of(self._rule, self._judge, history, judged, until, told=told)
            return (str(Outcome.NOT_APPLICABLE), {}) if one is None else (str(one.outcome), one.because)
        scope = self._judge.bind_alone(self._plan, judged, Sight(history, judged))
        if scope is None or self._outcome_of is None:
            return str(Outcome.NOT_APPLICABLE), {}
        return str(self._outcome_of(scope)), self._judge.because(self._plan, scope) if told else {}


def smaller(case: Case, still: Callable[[Case], bool]) -> Case:
    """The case without whatever does not matter: events and fields are left out as long as it `still` shows the same."""
    at = 0
    while at < len(case.history):
        without = replace(case, history=(*case.history[:at], *case.history[at + 1 :]))
        if still(without):
            case = without
        else:
            at += 1
    for name in sorted(
        {name for body in (*case.history, case.event) for name in body} - {"kind", "occurred_at"}
    ):
        without = replace(
            case,
            history=tuple(_without(body, name) for body in case.history),
            event=_without(case.event, name),
        )
        if still(without):
            case = without
            continue
        words = [body[name] for body in (*case.history, case.event) if name in body]
        if name in USUAL and len(set(words)) == 1 and still(usual := _with(case, name, USUAL[name])):
            case = usual
    bodies: list[Mapping[str, Any]] = [*case.history, case.event]
    for number, body in enumerate(bodies):
        for name in tuple(body):
            if name not in ("kind", "occurred_at"):
                kept = bodies[number]
                bodies[number] = _without(kept, name)
                if not still(replace(case, history=tuple(bodies[:-1]), event=bodies[-1])):
                    bodies[number] = kept
    return replace(case, history=tuple(bodies[:-1]), event=bodies[-1])


def _with(case: Case, name: str, word: str) -> Case:
    """The case with another word wherever a field stands."""
    named = [{**body, name: word} if name in body else body for body in (*case.history, case.event)]
    return replace(case, history=tuple(named[:-1]), event=named[-1])


def _without(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {field: value for field, value in body.items() if field != name}
