"""Denials that an override lifts, and those that nobody can: evaluators at odds (engine.md, step 4 and "Evaluators")."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.domain.findings import Outcome, Severity, Verdict
from compliance.engine.history import MemoryHistory
from compliance.engine.judging import Evaluators, Judge, Judgement
from compliance.engine.reference import compile_clauses
from compliance.errors import EngineFault
from tests.rulebook import SITE, bundle, entry, judged, recorded, rule

DOSE = entry("administration", "09:00", id="d1", dose_mg="56")


# ---- overrides


def overridable(how: str, require: str = "event.dose_mg < 1", severity: str = "deny") -> dict[str, Any]:
    return rule(on="administration", require=require, override=how, severity=severity)


PROPOSED = {
    **DOSE,
    "id": "p1",
    "intent": "proposed",
    "actor": "N1",
    "occurred_at": "2026-03-02T08:00:00-06:00",
}
GIVEN = {**DOSE, "proposal": "p1"}


def override(at: str = "08:30", **fields: Any) -> dict[str, Any]:
    return entry("override", at, **{
        "id": "o1", "overrides_event": "p1", "requirements": ["TEST"], "justification": "needed", "actor": "N1", "approved_by": "N2", **fields,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("how", "given", "fields", "lifts"),
    [
        ("never", GIVEN, {}, False),
        ("with_reason", GIVEN, {}, True),
        ("two_person", GIVEN, {}, True),
        ("with_reason", GIVEN, {"approved_by": "N1"}, True),
        ("two_person", GIVEN, {"approved_by": "N1"}, False),
        ("two_person", GIVEN, {"actor": "N3", "approved_by": "N1"}, False),
        ("two_person", GIVEN, {"actor": "N2", "approved_by": "N2"}, False),
        ("with_reason", GIVEN, {"requirements": ["OTHER"]}, False),
        ("with_reason", GIVEN, {"requirements": ["OTHER", "TEST"]}, True),
        ("with_reason", GIVEN, {"expires_at": "08:59"}, False),
        ("with_reason", GIVEN, {"expires_at": "09:00"}, True),
        ("with_reason", GIVEN, {"overrides_event": "p2"}, False),
        ("with_reason", GIVEN, {"overrides_event": "d1"}, False),
        ("with_reason", GIVEN, {"intent": "proposed"}, False),
        ("with_reason", DOSE, {}, False),
    ],
)
def test_an_override_lets_a_denied_act_go_on(
    how: str, given: dict[str, Any], fields: dict[str, Any], lifts: bool
) -> None:
    """Within what the rule allows, for its requirement, of that proposal, unexpired, and by another person where it says so."""
    decision = judged(bundle(overridable(how)), [SITE, PROPOSED, override(**fields), given], "d1").decision
    (finding,) = decision.findings
    assert finding.overridden_by == ("o1" if lifts else None)
    assert decision.verdict is (Verdict.FLAGGED if lifts else Verdict.VIOLATION)
    assert finding.stands()[1] == ("overridden" if lifts else "fail")


@pytest.mark.parametrize("named", ["p1", "d1"])
def test_an_override_after_the_act_lifts_nothing(named: str) -> None:
    """Permission is asked before, even where the late entry names the act itself."""
    history = [SITE, PROPOSED, GIVEN, override("09:30", overrides_event=named)]
    assert judged(bundle(overridable("with_reason")), history, "d1").decision.verdict is Verdict.VIOLATION


def test_an_override_lifts_what_could_not_be_decided_too() -> None:
    """An indeterminate denial stands as overridden; the proposal itself stays denied."""
    document = overridable("with_reason", "event.observer == 'N1'")
    history = [SITE, PROPOSED, override(), GIVEN]
    assert judged(bundle(document), history, "d1").decision.verdict is Verdict.FLAGGED
    assert judged(bundle(document), history, "p1").decision.verdict is Verdict.DENIED


def test_only_denials_are_overridden() -> None:
    """A warning stops nothing, so there is nothing to lift."""
    (finding,) = judged(
        bundle(overridable("with_reason", severity="warn")), [SITE, PROPOSED, override(), GIVEN], "d1"
    ).decision.findings
    assert finding.overridden_by is None


def test_an_override_covers_only_the_rules_of_its_requirement() -> None:
    """Another rule's denial stands."""
    other = {**overridable("with_reason"), "id": "b-rule", "implements": ["OTHER"]}
    decision = judged(
        bundle(overridable("with_reason"), other), [SITE, PROPOSED, override(), GIVEN], "d1"
    ).decision
    assert [f.overridden_by for f in decision.findings] == ["o1", None]
    assert decision.verdict is Verdict.VIOLATION


# ---- evaluators at odds


class Wrong:
    """An evaluator that gives these outcomes whatever the case."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = outcomes

    def evaluate(self, scope: Any) -> list[Outcome]:
        return list(self.outcomes)


class Broken:
    """An evaluator that has come to grief."""

    def evaluate(self, scope: Any) -> list[Outcome]:
        raise EngineFault("result code 303", "none")


PAIR = bundle(
    rule("one", on="administration", require="event.dose_mg > 1", override="with_reason"),
    rule("two", on="administration", require="event.dose_mg < 1", severity="warn"),
)


def judged_by(durable: Any, *bodies: dict[str, Any]) -> Judgement:
    """The pair of rules judged with another evaluator in the place of durable."""
    judge = Judge(PAIR)
    history = MemoryHistory(recorded([SITE, *(bodies or (DOSE,))]))
    clauses = [p.clause for p in judge.planner.judged("administration") if p.clause]
    judge._evaluators["administration"] = Evaluators(
        tuple(clause.rule for clause in clauses), durable, compile_clauses(clauses, PAIR.tables)
    )
    event = history.stands("d1")
    assert event is not None
    return judge.judge(event, history)


def test_evaluators_that_agree_leave_no_trace() -> None:
    """The first passes, the second fails, and nothing is told of faults."""
    judgement = judged_by(Wrong(Outcome.PASS, Outcome.FAIL))
    assert judgement.decision == judged(PAIR, [SITE, DOSE]).decision
    assert judgement.faults == ()


@pytest.mark.parametrize("says", [Outcome.FAIL, Outcome.INDETERMINATE, Outcome.NOT_APPLICABLE])
def test_where_the_evaluators_differ_the_rule_is_an_undecided_denial(says: Outcome) -> None:
    """A disagreement is an indeterminate deny with `engine fault`, and the other rule's finding stands beside it."""
    judgement = judged_by(Wrong(says, Outcome.FAIL))
    one, two = judgement.decision.findings
    assert (one.rule, one.outcome, one.severity) == ("one", Outcome.INDETERMINATE, Severity.DENY)
    assert one.because == {"engine fault": f"durable says {says}, reference says pass"}
    assert (two.rule, two.outcome, two.severity) == ("two", Outcome.FAIL, Severity.WARN)
    assert judgement.decision.verdict is Verdict.VIOLATION
    assert judgement.faults == (f"durable says {says}, reference says pass",)


@pytest.mark.parametrize("says", list(Outcome))
def test_no_disagreement_ever_passes(says: Outcome) -> None:
    """Whatever durable says of the broken rule, it never passes: at worst the reference's word makes it undecided."""
    judgement = judged_by(Wrong(Outcome.PASS, says))
    (finding,) = judgement.decision.findings
    assert finding.rule == "two"


@pytest.mark.parametrize("durable", [Broken(), EngineFault("it was refused", "none")])
def test_an_engine_fault_leaves_every_rule_undecided(durable: Any) -> None:
    """An evaluator that fails, or could not even be made, decides nothing: all its rules are indeterminate denials, none a pass."""
    judgement = judged_by(durable)
    assert set(judgement.outcomes.values()) == {Outcome.INDETERMINATE}
    assert {(f.rule, f.severity) for f in judgement.decision.findings} == {
        ("one", Severity.DENY),
        ("two", Severity.DENY),
    }
    assert judgement.decision.verdict is Verdict.VIOLATION
    assert len(judgement.faults) == 2


def test_an_evaluator_that_cannot_be_made_is_a_fault_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first event of a kind makes its evaluators; where that fails, the event is judged undecided and recorded."""

    def refused(*_: Any) -> Any:
        raise EngineFault("it was refused", "none")

    monkeypatch.setattr("compliance.engine.parted.PartedRules", refused)
    judgement = judged(PAIR, [SITE, DOSE])
    assert set(judgement.outcomes.values()) == {Outcome.INDETERMINATE}


def test_a_fault_cannot_be_overridden() -> None:
    """What nobody could judge, nobody can let go on."""
    judgement = judged_by(Wrong(Outcome.FAIL, Outcome.FAIL), PROPOSED, override(), GIVEN)
    assert judgement.decision.findings[0].overridden_by is None
