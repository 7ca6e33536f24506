"""Law: on every rule and every case, durable_rules and the reference evaluator say the same (engine.md, "Evaluators").

Hypothesis draws the rules, so that a failure shrinks to a smallest rule; the many cases that each set of rules is judged on come
from a drawn seed (registering a ruleset retains memory for ever, so sets are few and cases many), and a case on which
the evaluators disagree is stripped of every field that does not matter before it is shown.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import date
from typing import Any

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from compliance.domain.findings import Outcome
from compliance.domain.values import UNKNOWN
from compliance.engine.clause import Clause
from compliance.engine.parted import PartedRules
from compliance.engine.reference import compile_clauses
from compliance.policy.expression.tree import (
    And,
    Arith,
    Compare,
    Conditional,
    Const,
    Func,
    Has,
    In,
    IsNull,
    ListOf,
    Macro,
    Node,
    Not,
    Or,
    Ref,
    Select,
    Span,
    Type,
    scale_of,
)
from compliance.policy.model import Tables

SETS, CLAUSES, CASES = 60, 6, 64  # 23,040 judgements

NOWHERE = Span(0, 0)
BOOL, TEXT, INSTANT, DURATION, DATE, PERIOD = map(
    Type, ("bool", "text", "instant", "duration", "date", "period")
)
NUMBER = Type("number")
NUMBERS = Type("list", element=NUMBER)
TEXTS = Type("list", element=TEXT)
DRUG = Type("record", fields=(("route", TEXT), ("is_rems", BOOL), ("strength_mg_per_ml", NUMBER)))

HOUR, MORNING, TODAY = 3_600_000_000, 1_772_000_000_000_000, date(2026, 3, 2).toordinal()
LONG = "x" * 1200
POOL: dict[str, tuple[Any, ...]] = {
    "number": (0, 1, -1, 500_000, 1_000_000, 2_000_000, -3_000_000, 999_999_999_999_999, -999_999_999_999_999),
    "instant": (*(MORNING + i * HOUR for i in (0, 0, 1, 2, 24, -24)), -62_135_596_800_000_000, MORNING + 1),
    "duration": (0, HOUR, 2 * HOUR, -HOUR, 24 * HOUR, 1),
    "date": (TODAY, TODAY + 1, TODAY - 30, TODAY + 365, 1),
    "text": ("", "a", "b", "ab", "a b", "a!", "é", "😀", '"', "\\", "'", "\0", "a\n", "1", "true", "null", "\ud83d", LONG, LONG + "y", "K1", "K2"),
    "bool": (True, False),
}  # fmt: skip
FIELDS: dict[str, dict[str, tuple[str, ...]]] = {
    "event": {
        "number": ("n1", "n2", "n3", "n4", "n5"),
        "instant": ("i1", "i2", "i3", "i4"),
        "duration": ("d1", "d2"),
        "date": ("day1", "day2"),
        "text": ("t1", "t2", "t3", "t4"),
        "bool": ("b1", "b2", "b3", "b4"),
    },
    "f0": {
        "number": ("n1", "n2"),
        "instant": ("i1", "i2"),
        "text": ("t1", "t2"),
        "bool": ("b1", "b2"),
        "date": ("day1",),
    },
    "f1": {"number": ("n1",), "instant": ("i1",), "text": ("t1",), "bool": ("b1",)},
}  # with two lists, a nested record of two, two scalar look-ups and two parameters: 42
SCALARS = {"f2": "number", "f3": "bool"}
TABLES = Tables(
    drugs={
        "K1": {"route": "nasal", "is_rems": True, "strength_mg_per_ml": 1_000_000},
        "K2": {"route": "iv", "is_rems": False},
    },
    holidays=frozenset([TODAY + 1]),
    states={},
    state_defaults={},
    permissions={},
)


# --- cases ------------------------------------------------------------------------------------------------------------------


def record(rng: random.Random, kinds: dict[str, tuple[str, ...]], gaps: float) -> dict[str, Any]:
    return {
        name: rng.choice(POOL[kind])
        for kind, names in kinds.items()
        for name in names
        if rng.random() >= gaps
    }


def case(rng: random.Random) -> dict[str, Any]:
    """A case in which anything may be missing: a field, an event, a look-up, the zone, a rule's parameters."""
    gaps = rng.choice((0.0, 0.05, 0.3))
    here = record(rng, FIELDS["event"], gaps)
    here["numbers"] = tuple(rng.choice(POOL["number"]) for _ in range(rng.randrange(4)))
    if rng.random() >= gaps:
        here["texts"] = tuple(rng.choice(POOL["text"]) for _ in range(rng.randrange(4)))
    if rng.random() >= gaps:
        here["part"] = record(rng, {"number": ("n1",), "bool": ("b1",)}, gaps)
    nothing = (None, UNKNOWN)
    scope: dict[str, Any] = {
        "event": here,
        "f0": rng.choice(nothing) if rng.random() < gaps + 0.1 else record(rng, FIELDS["f0"], gaps),
        "f1": rng.choice(nothing) if rng.random() < gaps + 0.1 else record(rng, FIELDS["f1"], gaps),
        "param": {"p": {"limit": rng.choice(POOL["number"]), "least": rng.choice(POOL["duration"])}},
        "zone": UNKNOWN if rng.random() < gaps else "America/Chicago",
        "day": 739_677,
        "now": MORNING,
    }
    for root, kind in SCALARS.items():
        scope[root] = UNKNOWN if rng.random() < gaps else rng.choice(POOL[kind])
    if rng.random() < gaps:
        del scope["param"]["p"]
    return scope


# --- rules ------------------------------------------------------------------------------------------------------------------

REFS: dict[str, list[Ref]] = {
    kind: [
        Ref(Type(kind), NOWHERE, root, (name,))
        for root, kinds in FIELDS.items()
        for name in kinds.get(kind, ())
    ]
    for kind in POOL
}
REFS["number"] += [
    Ref(NUMBER, NOWHERE, "f2", ()),
    Ref(NUMBER, NOWHERE, "param", ("p", "limit")),
    Ref(NUMBER, NOWHERE, "event", ("part", "n1")),
]
REFS["bool"] += [Ref(BOOL, NOWHERE, "f3", ()), Ref(BOOL, NOWHERE, "event", ("part", "b1"))]
REFS["duration"].append(Ref(DURATION, NOWHERE, "param", ("p", "least")))
LISTS = {
    "number": Ref(NUMBERS, NOWHERE, "event", ("numbers",)),
    "text": Ref(TEXTS, NOWHERE, "event", ("texts",)),
}
PRESENCES = [ref for refs in REFS.values() for ref in refs if ref.path and ref.root != "param"]


@st.composite
def values(draw: Any, kind: str, depth: int) -> Node:
    """A value of a type: mostly a field or a constant, sometimes computed."""
    how = draw(st.integers(0, 9 if depth > 0 else 5))
    if how <= 3 or kind == "bool":
        return draw(st.sampled_from(REFS[kind]))
    if how <= 5:
        return Const(Type(kind), NOWHERE, draw(st.sampled_from(POOL[kind])))
    below = depth - 1
    if how == 6:
        then, otherwise = draw(values(kind, below)), draw(values(kind, below))
        of = Type(kind, scale=max(scale_of(then), scale_of(otherwise)))
        return Conditional(of, NOWHERE, draw(conditions(below)), then, otherwise)
    if how == 7 and kind != "text":
        one, other = draw(values(kind, below)), draw(values(kind, below))
        of = Type(kind, scale=max(scale_of(one), scale_of(other)))
        return Func(of, NOWHERE, draw(st.sampled_from(("min", "max"))), (one, other))
    match kind:
        case "number":
            left, right = draw(values("number", below)), draw(values("number", below))
            op = draw(st.sampled_from("++--*"))
            scale = scale_of(left) + scale_of(right) if op == "*" else max(scale_of(left), scale_of(right))
            return Arith(Type("number", scale=scale), NOWHERE, op, left, right, scale)
        case "instant":
            return Arith(
                INSTANT,
                NOWHERE,
                draw(st.sampled_from("+-")),
                draw(values("instant", below)),
                draw(values("duration", below)),
            )
        case "duration" if draw(st.booleans()):
            return Arith(
                DURATION, NOWHERE, "-", draw(values("instant", below)), draw(values("instant", below))
            )
        case "duration":
            return Arith(
                DURATION,
                NOWHERE,
                draw(st.sampled_from("+-")),
                draw(values("duration", below)),
                draw(values("duration", below)),
            )
        case "date" if draw(st.booleans()):
            return Func(DATE, NOWHERE, "local_date", (Ref(INSTANT, NOWHERE, "event", ("i1",)),))
        case "date":
            many = Const(NUMBER, NOWHERE, draw(st.integers(0, 40)) * 1_000_000)
            step = Func(PERIOD, NOWHERE, draw(st.sampled_from(("days", "months", "business_days"))), (many,))
            return Arith(DATE, NOWHERE, "+", Ref(DATE, NOWHERE, "event", ("day1",)), step)
        case _:
            row = Func(DRUG, NOWHERE, "drug_info", (draw(values("text", 0)),))
            return Select(TEXT, NOWHERE, row, "route")


@st.composite
def atoms(draw: Any, depth: int) -> Node:
    match draw(st.integers(0, 13)):
        case 0:
            return draw(st.sampled_from(REFS["bool"]))
        case 1:
            return Has(BOOL, NOWHERE, draw(st.sampled_from(PRESENCES)))
        case 2:
            return IsNull(BOOL, NOWHERE, draw(st.sampled_from(("f0", "f1"))))
        case 3:
            kind = draw(st.sampled_from(("number", "text", "instant", "date")))
            members = tuple(draw(st.lists(st.sampled_from(POOL[kind]), max_size=12)))
            return In(
                BOOL,
                NOWHERE,
                draw(values(kind, depth - 1)),
                Const(Type("list", element=Type(kind)), NOWHERE, members),
            )
        case 4:
            kind = draw(st.sampled_from(("number", "text")))
            return In(BOOL, NOWHERE, draw(values(kind, 0)), LISTS[kind])
        case 5:
            members = (draw(values("text", 0)), draw(values("text", 0)))
            return In(BOOL, NOWHERE, draw(values("text", 0)), ListOf(TEXTS, NOWHERE, members))
        case 6:
            it = Ref(NUMBER, NOWHERE, "v", ())
            body = Compare(
                BOOL, NOWHERE, draw(st.sampled_from(("<", ">=", "=="))), it, draw(values("number", 0))
            )
            return Macro(
                BOOL,
                NOWHERE,
                draw(st.sampled_from(("exists", "all", "exists_one"))),
                LISTS["number"],
                "v",
                body,
            )
        case 7:
            pattern = Const(TEXT, NOWHERE, draw(st.sampled_from(("^a", "b$", "[a-z]+"))))
            return Func(BOOL, NOWHERE, "matches", (draw(values("text", 0)), pattern))
        case 8:
            row = Func(DRUG, NOWHERE, "drug_info", (draw(st.sampled_from(REFS["text"])),))
            return Select(BOOL, NOWHERE, row, "is_rems")
        case 9:
            sides = draw(conditions(min(1, depth - 1))), draw(conditions(0))
            return Compare(BOOL, NOWHERE, draw(st.sampled_from(("==", "!="))), *sides)
        case _:
            kind = draw(st.sampled_from(("number", "number", "instant", "duration", "date", "text")))
            ops = ("==", "!=", "<", "<=", ">", ">=")
            op = draw(st.sampled_from(ops))
            return Compare(BOOL, NOWHERE, op, draw(values(kind, depth - 1)), draw(values(kind, depth - 1)))


@st.composite
def conditions(draw: Any, depth: int) -> Node:
    """A condition of at most `depth` levels."""
    if depth <= 0:
        return draw(st.sampled_from([*REFS["bool"], Const(BOOL, NOWHERE, True), Const(BOOL, NOWHERE, False)]))
    how, below = draw(st.integers(0, 7)), depth - 1
    if how <= 3:
        return draw(atoms(depth))
    if how <= 5:
        operands = draw(st.lists(conditions(below), min_size=2, max_size=4))
        return (And if how == 4 else Or)(BOOL, NOWHERE, tuple(operands))
    if how == 6:
        return Not(BOOL, NOWHERE, draw(conditions(below)))
    return Conditional(BOOL, NOWHERE, *(draw(conditions(below)) for _ in range(3)))


@st.composite
def clauses(draw: Any) -> list[Clause]:
    """Some clauses; at times all of them apply under one condition only, and are asked in a part of their own (`PartedRules`)."""
    depths = st.integers(1, 5)
    shared = draw(st.none() | conditions(2))
    found = []
    for number in range(draw(st.integers(1, CLAUSES))):
        when = draw(st.none() | conditions(draw(depths)))
        if shared is not None:
            when = shared if when is None else And(BOOL, NOWHERE, (shared, when))
        found.append(Clause(f"rule-{number}", when, draw(conditions(draw(depths)))))
    return found


# --- the law ----------------------------------------------------------------------------------------------------------------


def stripped(scope: dict[str, Any], disagree: Any) -> dict[str, Any]:
    """The scope without whatever can be left out while the evaluators still disagree."""
    for root, value in list(scope.items()):
        smaller = {name: each for name, each in scope.items() if name != root}
        if disagree(smaller):
            scope = smaller
        elif isinstance(value, dict):
            scope = {
                **scope,
                root: stripped(value, lambda inner, root=root, scope=scope: disagree({**scope, root: inner})),
            }
    return scope


judged: Counter[str] = Counter()


@settings(
    max_examples=SETS,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
@given(clauses(), st.integers(0, 2**32 - 1))
def agree(rules: list[Clause], seed: int) -> None:
    durable, reference = PartedRules("agree", rules, TABLES), compile_clauses(rules, TABLES)
    rng = random.Random(seed)
    for _ in range(CASES * CLAUSES // len(rules)):
        scope = case(rng)
        second = reference(scope)
        judged.update(second)
        first = durable.evaluate(scope)
        if first == second:
            continue
        wrong = next(i for i, outcome in enumerate(first) if outcome is not second[i])

        def disagree(smaller: dict[str, Any], wrong: int = wrong) -> bool:
            return durable.evaluate(smaller)[wrong] is not reference(smaller)[wrong]

        shown = stripped(scope, disagree)
        note(f"{rules[wrong]}\non {shown}")
        raise AssertionError(f"durable says {first[wrong]}, reference says {second[wrong]}")


def test_evaluators_agree_on_random_rules_and_cases():
    """On at least 20,000 judgements of random rules on random cases both evaluators give the same outcome."""
    agree()
    assert judged.total() >= 20_000
    assert min(judged[outcome] for outcome in Outcome) >= 1_000
