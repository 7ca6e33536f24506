"""engine/durable.py keeps within what engine.md, "Using durable_rules 2.0.28 safely", says; test_durable_hazards.py shows why."""

from __future__ import annotations

import json
import re
from typing import Any

import durable_rules_engine
import pytest

from compliance.domain.findings import Outcome
from compliance.domain.values import UNKNOWN
from compliance.engine import durable
from compliance.engine.clause import Clause
from compliance.engine.durable import MAX_FIELDS, MAX_RULES, DurableRules
from compliance.engine.flat_fact import BOUND
from compliance.engine.reference import compile_clause
from compliance.errors import EngineFault
from compliance.policy.expression.tree import (
    And,
    Arith,
    Compare,
    Conditional,
    Const,
    Has,
    In,
    IsNull,
    Node,
    Not,
    Or,
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


def some(*operands: Node) -> Or:
    return Or(BOOL, NOWHERE, operands)


def rules(*requires: Node, when: Node | None = None) -> DurableRules:
    return DurableRules(
        "test", [Clause(f"rule-{n}", when, require) for n, require in enumerate(requires)], TABLES
    )


def outcome(require: Node, **event: Any) -> Outcome:
    return rules(require).evaluate({"event": event})[0]


def rulesets(compiled: DurableRules) -> list[Any]:
    return [ruleset for layer, _ in compiled._layers for ruleset in layer]


def definitions(compiled: DurableRules) -> list[dict[str, Any]]:
    return [json.loads(ruleset._definition) for ruleset in rulesets(compiled)]


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


# --- outcomes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "when, require, expected",
    [
        (None, True, PASS),
        (None, False, FAIL),
        (None, None, UNSURE),
        (True, True, PASS),
        (True, False, FAIL),
        (True, None, UNSURE),
        (False, True, NOT_APPLICABLE),
        (False, None, NOT_APPLICABLE),
    ],
)
def test_outcomes_of_a_rule(when, require, expected):
    """`when` false: not applicable; both true: pass; `require` false: fail; anything else unknown: indeterminate."""
    clause = Clause("rule", None if when is None else ref("w", BOOL), ref("r", BOOL))
    event = {name: value for name, value in (("w", when), ("r", require)) if value is not None}
    assert DurableRules("test", [clause], TABLES).evaluate({"event": event}) == [expected]


@pytest.mark.parametrize("require", [True, False, None])
def test_an_unknown_when_is_indeterminate(require):
    """Where it is unknown whether the rule applies, its outcome is indeterminate whatever `require` says."""
    event = {} if require is None else {"r": require}
    assert rules(ref("r", BOOL), when=ref("w", BOOL)).evaluate({"event": event}) == [UNSURE]


def test_outcomes_come_in_the_order_of_the_clauses():
    """One outcome per clause, as given, however they are spread over rulesets."""
    compiled = rules(*(compare(ref("a"), ">", const(n * 10)) for n in range(40)))
    assert compiled.evaluate({"event": {"a": 195}}) == [PASS] * 20 + [FAIL] * 20


# --- presence before value --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", ["==", "!=", "<", "<=", ">", ">="])
@pytest.mark.parametrize("event", [{}, {"a": 1}, {"b": 1}])
def test_a_missing_side_is_indeterminate(op, event):
    """A comparison with a missing field is neither true nor false, on either side, for every operator."""
    assert outcome(compare(ref("a"), op, ref("b")), **event) is UNSURE


def test_missing_null_and_unknown_are_the_same():
    """A field that is absent, an event that is null and a look-up that is unknown all leave the comparison unknown."""
    dose = Ref(NUMBER, NOWHERE, "f0", ("mg",))
    compiled = rules(compare(dose, ">", const(1)), Has(BOOL, NOWHERE, dose), IsNull(BOOL, NOWHERE, "f0"))
    assert compiled.evaluate({"event": {}, "f0": {}}) == [UNSURE, FAIL, FAIL]
    assert compiled.evaluate({"event": {}, "f0": None}) == [UNSURE, UNSURE, PASS]
    assert compiled.evaluate({"event": {}, "f0": UNKNOWN}) == [UNSURE, UNSURE, UNSURE]
    assert compiled.evaluate({"event": {}, "f0": {"mg": 2}}) == [PASS, PASS, FAIL]


def test_no_null_is_ever_written():
    """A missing field is left out of the fact, since `$ex` holds for null."""
    compiled = rules(compare(ref("a"), "<", ref("b")), compare(ref("t", TEXT), "==", const("x", TEXT)))
    assert "".join(compiled._pieces({"event": {"a": None}})) == ""


# --- what is compiled -------------------------------------------------------------------------------------------------------

A, B, C = ref("a"), ref("b"), ref("c")
EVERYTHING = [
    some(compare(A, "<", Arith(NUMBER, NOWHERE, "+", B, const(7))), compare(C, "!=", const(3)), ref("x", BOOL)),
    every(compare(A, ">=", Arith(NUMBER, NOWHERE, "-", B, C)), Not(BOOL, NOWHERE, compare(B, "==", C))),
    compare(const(10), ">", Arith(NUMBER, NOWHERE, "+", Arith(NUMBER, NOWHERE, "-", const(2), A), const(3))),
    compare(Arith(NUMBER, NOWHERE, "-", const(2), A), "<", Arith(NUMBER, NOWHERE, "-", const(0), Arith(NUMBER, NOWHERE, "+", B, C))),
    compare(Arith(Type("number", scale=12), NOWHERE, "*", A, B, 12), "<", C),
    compare(const(3), "<", const(4)),
    In(BOOL, NOWHERE, ref("t", TEXT), const(tuple("abcdefghijklmnopqrstuvwxyz"), Type("list", element=TEXT))),
    Conditional(BOOL, NOWHERE, compare(A, ">", B), compare(B, ">", C), compare(ref("t", TEXT), "==", ref("u", TEXT))),
    some(*(compare(ref(f"n{n}"), "<", ref(f"m{n}")) for n in range(12))),
]  # fmt: skip


def refs(operand: Any) -> list[str]:
    if isinstance(operand, dict):
        return (
            [operand["$m"]] if "$m" in operand else [name for side in operand.values() for name in refs(side)]
        )
    return [name for each in operand for name in refs(each)] if isinstance(operand, list) else []


def sides(operand: Any) -> list[dict[str, Any]]:
    if not isinstance(operand, dict) or "$m" in operand:
        return []
    (operation,) = operand.values()
    return [operation, *sides(operation["$l"]), *sides(operation["$r"])]


def test_compiled_rules_keep_to_the_safe_part_of_the_engine():
    """One fact, the kind first, every right field's presence before its comparison; no `$or`, `$mul`, `$div`, constant sums."""
    for definition in definitions(rules(*EVERYTHING)):
        assert len(definition) <= MAX_RULES
        for rule in definition.values():
            assert list(rule) == ["all"] and len(rule["all"]) == 1 and list(rule["all"][0]) == ["m"]
            kind, *conjuncts = rule["all"][0]["m"]["$and"]
            assert kind == {"k": 1}
            there: set[str] = set()
            for conjunct in conjuncts:
                ((operator, body),) = conjunct.items()
                if operator == "$ex":
                    there |= set(body)
                assert operator in {
                    "$ex",
                    "$nex",
                    "$neq",
                    "$lt",
                    "$lte",
                    "$gt",
                    "$gte",
                } or operator.startswith("a")
                right = next(iter(body.values())) if isinstance(body, dict) else body
                assert isinstance(right, (int, str, dict)) and not isinstance(right, bool)
                assert set(refs(right)) <= there
                for operation in sides(right):
                    assert refs(operation["$l"]) or refs(operation["$r"])
            assert (
                "$or" not in json.dumps(rule)
                and "$mul" not in json.dumps(rule)
                and "$div" not in json.dumps(rule)
            )


@pytest.mark.parametrize("event", [
    {"a": 1, "b": 2, "c": 3, "x": True, "t": "z", "u": "z"},
    {"a": 9, "b": 2, "c": 3, "x": False, "t": "q", "u": "z"},
    {"a": -5, "b": -5, "c": 0, "t": "?"},
    {"b": 1, "c": 1},
    {**{f"n{n}": n for n in range(12)}, **{f"m{n}": n for n in range(12)}},
])  # fmt: skip
def test_everything_compiled_agrees_with_the_reference(event):
    """Sums on either side, constants on the left, long lists and wide disjunctions mean what the reference says."""
    scope = {"event": event}
    reference = [compile_clause(Clause("r", None, each), TABLES)(scope) for each in EVERYTHING]
    assert rules(*EVERYTHING).evaluate(scope) == reference


def test_the_kind_comes_first():
    """The mutant without the positive guard fires on the engine's own state message, and is caught."""
    compiled = tampered(rules(compare(ref("a"), ">", const(1))), lambda conjuncts: conjuncts[1:])
    with pytest.raises(EngineFault):
        compiled.evaluate({"event": {}})


def test_constants_are_folded():
    """A comparison of constants alone is decided while compiling; no rule asks the engine for it."""
    compiled = rules(compare(Arith(NUMBER, NOWHERE, "+", const(2), const(3)), "==", const(5)))
    assert definitions(compiled) == [{"0": {"all": [{"m": {"$and": [{"k": 1}]}}]}}]
    assert compiled.evaluate({"event": {}}) == [PASS]


def test_branches_that_overlap_are_one_answer():
    """A disjunction that is true twice fires twice and is one pass."""
    assert outcome(some(compare(A, ">", const(1)), compare(B, ">", const(1))), a=5, b=5) is PASS


# --- sizes ------------------------------------------------------------------------------------------------------------------


def test_many_rules_are_spread_over_rulesets():
    """A hundred clauses that all match do not fan out above what the engine's stack holds (64)."""
    compiled = rules(*(compare(ref("a"), ">", const(n)) for n in range(100)))
    assert all(len(definition) <= MAX_RULES for definition in definitions(compiled))
    assert compiled.evaluate({"event": {"a": 1000}}) == [PASS] * 100


def test_in_one_ruleset_they_would_be_refused(monkeypatch):
    """The mutant without the limit on rules makes the engine answer with code 303."""
    monkeypatch.setattr(durable, "MAX_RULES", 10_000)
    compiled = rules(*(compare(ref("a"), ">", const(n)) for n in range(100)))
    with pytest.raises(EngineFault, match="303"):
        compiled.evaluate({"event": {"a": 1000}})


def test_many_fields_are_spread_over_rulesets():
    """A set that names more fields than a fact may have is projected to what each ruleset needs."""
    wide = [every(*(compare(ref(f"a{n}-{m}"), "<", Arith(NUMBER, NOWHERE, "+", ref(f"b{n}-{m}"), ref(f"c{n}-{m}"))) for m in range(2)))
            for n in range(60)]  # fmt: skip
    event = {f"{side}{n}-{m}": 1 for side in "abc" for n in range(60) for m in range(2)}
    compiled = rules(*wide)
    for definition in definitions(compiled):
        assert len(set(re.findall(r'"(a\d+)"', json.dumps(definition)))) <= MAX_FIELDS
    assert compiled.evaluate({"event": event}) == [PASS] * 60


def test_big_conditions_are_judged_in_steps():
    """A conjunction of twenty comparisons, whose unknown sense has a million branches, is judged in layers and stays exact."""
    clause = every(*(compare(ref(f"a{n}"), "<", ref(f"b{n}")) for n in range(20)))
    compiled = rules(clause)
    assert len(compiled._layers) > 1
    assert all(len(definition) <= MAX_RULES for definition in definitions(compiled))
    low, high = {f"a{n}": 1 for n in range(20)}, {f"b{n}": 2 for n in range(20)}
    assert compiled.evaluate({"event": {**low, **high}}) == [PASS]
    assert compiled.evaluate({"event": {**low, **high, "b13": 0}}) == [FAIL]
    del low["a7"]
    assert compiled.evaluate({"event": {**low, **high}}) == [UNSURE]
    assert compiled.evaluate({"event": {**low, **high, "b13": 0}}) == [FAIL]


# --- integers, text, types --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [BOUND, -BOUND, 2**63 - 1, 2**63, -(2**63), 10**30])
def test_values_beyond_int64_are_a_fault(value):
    """A value that the engine's integers could not add without wrapping around fails the evaluation."""
    with pytest.raises(EngineFault, match="beyond"):
        outcome(compare(ref("a"), "<", Arith(NUMBER, NOWHERE, "+", ref("b"), const(10))), a=0, b=value)


def test_the_greatest_values_add_up():
    """Eight values at the bound are added exactly."""
    most = BOUND - 1
    total: Node = ref("n0")
    for n in range(1, 7):
        total = Arith(NUMBER, NOWHERE, "+", total, ref(f"n{n}"))
    event = {f"n{n}": most for n in range(7)}
    assert outcome(compare(total, ">", ref("a")), a=most, **event) is PASS
    assert outcome(compare(total, ">", ref("a")), a=-most, **dict.fromkeys(event, -most)) is FAIL


def test_constants_beyond_int64_are_compared_exactly():
    """A constant that the engine could not hold is compared beforehand."""
    assert outcome(compare(ref("a"), "<", const(10**30)), a=5) is PASS
    assert outcome(compare(ref("a"), "<", const(-(10**30))), a=5) is FAIL


@pytest.mark.parametrize(
    "require, value",
    [
        (compare(ref("a"), ">", const(5)), "abc"),
        (compare(ref("a"), ">", const(5)), True),
        (compare(ref("a"), ">", const(5)), 5.5),
        (compare(ref("a", TEXT), "==", const("5", TEXT)), 5),
        (ref("a", BOOL), 1),
        (ref("a", BOOL), "true"),
        (compare(ref("a", INSTANT), ">", const(5, INSTANT)), "2026-03-02"),
    ],
)
def test_a_value_of_another_type_is_a_fault(require, value):
    """The engine would compare text with numbers, and 1 with true: a value that is not of its node's type fails the evaluation."""
    with pytest.raises(EngineFault):
        outcome(require, a=value)


TRICKY = [
    "",
    "a",
    "a!",
    "a b",
    'a"',
    "a\\",
    "a'",
    "é",
    "e\u0301",
    "😀",
    "\0",
    "a\n",
    "1",
    "true",
    "null",
    "x" * 70_000,
    "x" * 70_000 + "y",
]


def test_text_is_equal_to_itself_alone():
    """Quotes, escapes, control characters, accents and texts beyond 16 bits are compared as they are."""
    fields = rules(compare(ref("a", TEXT), "==", ref("b", TEXT)))
    constants = rules(*(compare(ref("a", TEXT), "==", const(each, TEXT)) for each in TRICKY))
    for one in TRICKY:
        expected = [PASS if one == other else FAIL for other in TRICKY]
        assert constants.evaluate({"event": {"a": one}}) == expected
        assert [fields.evaluate({"event": {"a": one, "b": other}})[0] for other in TRICKY] == expected


@pytest.mark.parametrize("op", ["<", "<=", ">", ">="])
def test_text_is_ordered_by_its_characters(op):
    """Where text is ordered, it is ordered as Python and CEL do, not by the bytes of its JSON."""
    order = Clause("r", None, compare(ref("a", TEXT), op, ref("b", TEXT)))
    compiled, reference = DurableRules("test", [order], TABLES), compile_clause(order, TABLES)
    for one in TRICKY:
        for other in TRICKY:
            scope = {"event": {"a": one, "b": other}}
            assert compiled.evaluate(scope) == [reference(scope)]


def test_nothing_stays_in_the_engine():
    """Facts are retracted under the default sid: none is left after an evaluation, whether or not something is missing."""
    compiled = rules(*EVERYTHING)
    for event in ({}, {"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3, "x": True, "t": "a", "u": "b"}):
        compiled.evaluate({"event": event})
        for ruleset in rulesets(compiled):
            assert json.loads(durable_rules_engine.get_facts(ruleset._handle, "0")) == []
