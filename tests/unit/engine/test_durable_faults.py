"""durable_rules that goes wrong: a fault, never a verdict (engine.md, "Using durable_rules 2.0.28 safely")."""

from __future__ import annotations

import json
import resource
from typing import Any

import durable_rules_engine
import pytest

from compliance.domain.findings import Outcome
from compliance.engine import durable
from compliance.engine.clause import Clause
from compliance.engine.durable import DurableRules
from compliance.errors import EngineFault
from compliance.policy.expression.tree import (
    And,
    Compare,
    Const,
    Node,
    Ref,
    Span,
    Type,
)
from compliance.policy.model import Tables

NOWHERE = Span(0, 0)
BOOL, TEXT, NUMBER, INSTANT, DURATION = map(Type, ("bool", "text", "number", "instant", "duration"))
TABLES = Tables(drugs={}, holidays=frozenset(), states={}, state_defaults={}, permissions={})
PASS, FAIL, UNSURE, NOT_APPLICABLE = Outcome.PASS, Outcome.FAIL, Outcome.INDETERMINATE, Outcome.NOT_APPLICABLE


def ref(name: str, kind: Type = NUMBER) -> Ref:
    return Ref(kind, NOWHERE, "event", (name,))


def const(value: Any, kind: Type = NUMBER) -> Const:
    return Const(kind, NOWHERE, value)


def compare(left: Node, op: Any, right: Node) -> Compare:
    return Compare(BOOL, NOWHERE, op, left, right)


def every(*operands: Node) -> And:
    return And(BOOL, NOWHERE, operands)


def rules(*requires: Node, when: Node | None = None) -> DurableRules:
    return DurableRules(
        "test", [Clause(f"rule-{n}", when, require) for n, require in enumerate(requires)], TABLES
    )


def outcome(require: Node, **event: Any) -> Outcome:
    return rules(require).evaluate({"event": event})[0]


def rulesets(compiled: DurableRules) -> list[Any]:
    return [ruleset for layer, _ in compiled._layers for ruleset in layer]


def tampered(compiled: DurableRules, change: Any) -> DurableRules:
    """The same rules with every compiled rule's conjuncts changed, and registered anew: a mutant of the compiler."""
    for ruleset in rulesets(compiled):
        definition = json.loads(ruleset._definition)
        for name in list(definition):
            conjuncts = change(definition[name]["all"][0]["m"]["$and"])
            if conjuncts is None:
                del definition[name]
            else:
                definition[name]["all"][0]["m"]["$and"] = conjuncts
        ruleset._definition = json.dumps(definition)
        ruleset._handle = ruleset._registered()
    return compiled


def test_silence_is_a_fault():
    """A clause of which no outcome fires fails the evaluation (result code 1 says that no rule fired)."""
    compiled = tampered(
        rules(compare(ref("a"), ">", const(1))), lambda conjuncts: None if len(conjuncts) == 2 else conjuncts
    )
    with pytest.raises(EngineFault, match=r"rule-0.*no answer"):
        compiled.evaluate({"event": {"a": 5}})


def test_two_outcomes_are_a_fault():
    """A clause of which two outcomes fire fails the evaluation."""
    compiled = tampered(rules(compare(ref("a"), ">", const(1))), lambda conjuncts: conjuncts[:1])
    with pytest.raises(EngineFault, match="two outcomes"):
        compiled.evaluate({"event": {"a": 5}})


def test_other_result_codes_are_a_fault(monkeypatch):
    """Any result code but 0 and 1 fails the evaluation: here that of a fact whose id is already there."""
    compiled = rules(compare(ref("a"), ">", const(1)))
    monkeypatch.setattr(durable, "_ids", iter([77, 77, 78]))
    durable_rules_engine.assert_fact(rulesets(compiled)[0]._handle, '{"k":1,"id":77,"a0":5}')
    with pytest.raises(EngineFault):
        compiled.evaluate({"event": {"a": 5}})


def test_a_firing_counts_only_with_the_fact_that_was_asserted():
    """What an earlier fact left behind is not taken for an answer about this one."""
    compiled = rules(compare(ref("a"), ">", const(1)))
    durable_rules_engine.assert_fact(rulesets(compiled)[0]._handle, '{"k":1,"id":"left","a0":0}')
    with pytest.raises(EngineFault, match="not asserted"):
        compiled.evaluate({"event": {"a": 5}})


def test_after_a_fault_the_ruleset_is_registered_anew():
    """A firing that was started and not completed would silence the ruleset for half a minute; it is replaced instead."""
    compiled = rules(compare(ref("a"), ">", const(1)))
    left = rulesets(compiled)[0]
    durable_rules_engine.assert_fact(left._handle, '{"k":1,"id":"left","a0":0}')
    with pytest.raises(EngineFault):
        compiled.evaluate({"event": {"a": 5}})
    assert compiled.evaluate({"event": {"a": 5}}) == [PASS]
    assert left._registrations == 2


def test_a_ruleset_that_keeps_failing_is_given_up():
    """Every registration retains memory for ever, so there is an end to them, and it is a fault."""
    compiled = tampered(rules(compare(ref("a"), ">", const(1))), lambda conjuncts: conjuncts[:1])
    for _ in range(40):
        with pytest.raises(EngineFault):
            compiled.evaluate({"event": {"a": 5}})
    assert rulesets(compiled)[0]._registrations <= 17  # 16, and the one that the mutant itself made


def test_an_empty_set_has_no_outcomes():
    """No clauses: nothing is registered, nothing is asked, nothing is said."""
    assert DurableRules("empty", [], TABLES).evaluate({"event": {}}) == []


def test_memory_is_flat():
    """Twenty thousand evaluations of one set neither register anything nor keep anything."""
    compiled = rules(compare(ref("a"), "<", ref("b")), compare(ref("t", TEXT), "!=", const("x", TEXT)))
    for n in range(2_000):
        compiled.evaluate({"event": {"a": n, "b": 1_000, "t": str(n)}})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for n in range(20_000):
        compiled.evaluate({"event": {"a": n, "b": 1_000, "t": str(n)}})
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2_000  # KiB
    assert [ruleset._registrations for ruleset in rulesets(compiled)] == [1]
