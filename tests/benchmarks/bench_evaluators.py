"""Decisions per second of both evaluators against plain Python closures, on 12, 50 and 200 rules over cases of 42 fields.

Run: ``python tests/benchmarks/bench_evaluators.py``. The three are measured in turn within one process, and the best of the rounds
counts, since other work on the machine only ever makes a round slower. Figures do not travel between machines; ratios do.
Targets, on 12 rules: durable at least 0.12 of the closures, reference at least 0.8. Results are compared case by case before anything is
timed. The further rules are the twelve again with other numbers: a kind of event to which more and more rules apply, all of them.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from itertools import count, islice
from pathlib import Path
from time import process_time
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from compliance.domain.findings import Outcome
from compliance.domain.values import UNKNOWN
from compliance.engine.clause import Clause
from compliance.engine.parted import PartedRules
from compliance.engine.reference import compile_clauses
from compliance.policy.expression.tree import (
    And,
    Arith,
    Compare,
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

CASES, ROUNDS = 4_000, 7
HOUR = 3_600_000_000
NOWHERE = Span(0, 0)
BOOL, TEXT, NUMBER, INSTANT, DURATION = map(Type, ("bool", "text", "number", "instant", "duration"))
TABLES = Tables(drugs={}, holidays=frozenset(), states={}, state_defaults={}, permissions={})
PASS, FAIL, UNSURE, NOT = Outcome.PASS, Outcome.FAIL, Outcome.INDETERMINATE, Outcome.NOT_APPLICABLE


def ref(kind: Type, name: str) -> Ref:
    root, *path = name.split(".")
    return Ref(kind, NOWHERE, root, tuple(path))


def const(kind: Type, value: Any) -> Const:
    return Const(kind, NOWHERE, value)


def compare(left: Node, op: Any, right: Node) -> Compare:
    return Compare(BOOL, NOWHERE, op, left, right)


def every(*operands: Node) -> And:
    return And(BOOL, NOWHERE, operands)


def number(name: str) -> Ref:
    return ref(NUMBER, name)


def instant(name: str) -> Ref:
    return ref(INSTANT, name)


def mg(value: int) -> Const:
    return const(NUMBER, value * 1_000_000)


def hours(value: int) -> Const:
    return const(DURATION, value * HOUR)


def minus(left: Node, right: Node) -> Arith:
    return Arith(DURATION, NOWHERE, "-", left, right)


def plus(left: Node, right: Node) -> Arith:
    return Arith(left.type, NOWHERE, "+", left, right)


def strengths(more: int) -> tuple[int, ...]:
    return tuple(dose * 1_000_000 for dose in (28, 56, 84, *range(85, 85 + more)))


def written(more: int) -> list[Clause]:
    """Twelve rules; with `more`, other numbers stand in some of them."""
    return [
        Clause(
            f"observed for two hours {more}",
            every(Not(BOOL, NOWHERE, IsNull(BOOL, NOWHERE, "f0")), ref(BOOL, "f0.rems")),
            compare(
                minus(instant("event.left_at"), instant("f0.completed_at")),
                ">=",
                ref(DURATION, "param.p.observe"),
            ),
        ),
        Clause(f"route {more}", None, compare(ref(TEXT, "event.route"), "==", const(TEXT, "nasal"))),
        Clause(
            f"dose is one of the strengths {more}",
            compare(ref(TEXT, "event.drug"), "==", const(TEXT, "esketamine")),
            In(
                BOOL,
                NOWHERE,
                number("event.dose"),
                const(Type("list", element=NUMBER), strengths(more)),
            ),
        ),
        Clause(
            f"pressure before the dose {more}",
            None,
            every(
                compare(number("f1.systolic"), "<=", mg(140 + more)),
                compare(number("f1.diastolic"), "<=", mg(90 + more)),
            ),
        ),
        Clause(
            f"pressure is recent {more}",
            Has(BOOL, NOWHERE, ref(INSTANT, "f1.taken_at")),
            compare(minus(instant("event.occurred_at"), instant("f1.taken_at")), "<=", hours(1 + more)),
        ),
        Clause(
            f"two people waste {more}",
            ref(BOOL, "event.wasted"),
            every(
                Has(BOOL, NOWHERE, ref(TEXT, "event.witness")),
                compare(ref(TEXT, "event.witness"), "!=", ref(TEXT, "event.actor")),
            ),
        ),
        Clause(
            f"nothing is lost {more}",
            None,
            compare(plus(number("event.dose"), number("event.waste")), "==", number("event.drawn")),
        ),
        Clause(
            f"dose below the maximum {more}",
            compare(ref(TEXT, "event.drug"), "!=", const(TEXT, "esketamine")),
            compare(number("event.dose"), "<=", number("param.p.max")),
        ),
        Clause(
            f"enrolled first {more}",
            ref(BOOL, "f0.rems"),
            every(
                Not(BOOL, NOWHERE, IsNull(BOOL, NOWHERE, "f2")),
                compare(instant("f2.at"), "<", instant("event.occurred_at")),
            ),
        ),
        Clause(
            f"transport is arranged {more}",
            None,
            Or(
                BOOL,
                NOWHERE,
                (ref(BOOL, "event.escort"), compare(ref(TEXT, "event.transport"), "==", const(TEXT, "taxi"))),
            ),
        ),
        Clause(
            f"entered in a day {more}",
            None,
            compare(instant("event.noted_at"), "<=", plus(instant("event.occurred_at"), hours(24 + more))),
        ),
        Clause(
            f"stock covers the dose {more}",
            compare(number("event.dose"), ">", mg(more)),
            compare(number("f3"), ">=", number("event.drawn")),
        ),
    ]


def plain(more: int) -> list[Callable[[dict[str, Any]], Outcome]]:
    """The same twelve rules as somebody would write them by hand in Python, missing values and all."""
    highest_systolic, highest_diastolic = (140 + more) * 1_000_000, (90 + more) * 1_000_000
    recently, in_time, least_dose, doses = (
        (1 + more) * HOUR,
        (24 + more) * HOUR,
        more * 1_000_000,
        strengths(more),
    )

    def observed(scope):
        dose = scope["f0"]
        if dose is UNKNOWN:
            return UNSURE
        if dose is None:
            return NOT
        rems = dose.get("rems")
        if not rems:
            return UNSURE if rems is None else NOT
        left, completed, least = (
            scope["event"].get("left_at"),
            dose.get("completed_at"),
            scope["param"]["p"].get("observe"),
        )
        if left is None or completed is None or least is None:
            return UNSURE
        return PASS if left - completed >= least else FAIL

    def route(scope):
        value = scope["event"].get("route")
        return UNSURE if value is None else PASS if value == "nasal" else FAIL

    def strength(scope):
        event = scope["event"]
        drug, dose = event.get("drug"), event.get("dose")
        if drug != "esketamine":
            return UNSURE if drug is None else NOT
        return UNSURE if dose is None else PASS if dose in doses else FAIL

    def pressure(scope):
        vitals = scope["f1"]
        if vitals is None or vitals is UNKNOWN:
            return UNSURE
        systolic, diastolic = vitals.get("systolic"), vitals.get("diastolic")
        if (systolic is not None and systolic > highest_systolic) or (
            diastolic is not None and diastolic > highest_diastolic
        ):
            return FAIL
        return UNSURE if systolic is None or diastolic is None else PASS

    def recent(scope):
        vitals = scope["f1"]
        if vitals is None or vitals is UNKNOWN:
            return UNSURE
        taken = vitals.get("taken_at")
        if taken is None:
            return NOT
        at = scope["event"].get("occurred_at")
        return UNSURE if at is None else PASS if at - taken <= recently else FAIL

    def witnessed(scope):
        event = scope["event"]
        wasted = event.get("wasted")
        if not wasted:
            return UNSURE if wasted is None else NOT
        witness, actor = event.get("witness"), event.get("actor")
        if witness is None:
            return FAIL
        return UNSURE if actor is None else PASS if witness != actor else FAIL

    def lost(scope):
        event = scope["event"]
        dose, waste, drawn = event.get("dose"), event.get("waste"), event.get("drawn")
        if dose is None or waste is None or drawn is None:
            return UNSURE
        return PASS if dose + waste == drawn else FAIL

    def maximum(scope):
        event = scope["event"]
        drug = event.get("drug")
        if drug is None:
            return UNSURE
        if drug == "esketamine":
            return NOT
        dose, most = event.get("dose"), scope["param"]["p"].get("max")
        return UNSURE if dose is None or most is None else PASS if dose <= most else FAIL

    def enrolled(scope):
        dose, enrolment = scope["f0"], scope["f2"]
        rems = None if dose is None or dose is UNKNOWN else dose.get("rems")
        if not rems:
            return UNSURE if rems is None else NOT
        if enrolment is UNKNOWN:
            return UNSURE
        if enrolment is None:
            return FAIL
        at, occurred = enrolment.get("at"), scope["event"].get("occurred_at")
        return UNSURE if at is None or occurred is None else PASS if at < occurred else FAIL

    def transport(scope):
        event = scope["event"]
        escort, way = event.get("escort"), event.get("transport")
        if escort or way == "taxi":
            return PASS
        return UNSURE if escort is None or way is None else FAIL

    def entered(scope):
        event = scope["event"]
        noted, at = event.get("noted_at"), event.get("occurred_at")
        return UNSURE if noted is None or at is None else PASS if noted <= at + in_time else FAIL

    def stock(scope):
        event = scope["event"]
        dose = event.get("dose")
        if dose is None:
            return UNSURE
        if dose <= least_dose:
            return NOT
        balance, drawn = scope["f3"], event.get("drawn")
        return UNSURE if balance is UNKNOWN or drawn is None else PASS if balance >= drawn else FAIL

    return [
        observed,
        route,
        strength,
        pressure,
        recent,
        witnessed,
        lost,
        maximum,
        enrolled,
        transport,
        entered,
        stock,
    ]


def case(rng: random.Random) -> dict[str, Any]:
    """42 fields, most of them there: 20 of the event, 9 and 7 of two look-ups, 3 of a third, a balance, two parameters."""
    now = 1_770_000_000_000_000 + rng.randrange(10**12)
    dose = rng.choice((28, 56, 84, 100)) * 1_000_000
    waste = rng.choice((0, 0, 10)) * 1_000_000
    event = {
        "drug": rng.choice(("esketamine", "ketamine")),
        "route": rng.choice(("nasal", "nasal", "iv")),
        "dose": dose,
        "waste": waste,
        "drawn": dose + waste + rng.choice((0, 0, 0, 1)) * 1_000_000,
        "wasted": waste > 0,
        "witness": rng.choice(("A1", "A2", "A3")),
        "actor": rng.choice(("A1", "A4")),
        "escort": rng.random() < 0.7,
        "transport": rng.choice(("taxi", "bus", "own")),
        "occurred_at": now,
        "noted_at": now + rng.randrange(30) * HOUR,
        "left_at": now + rng.randrange(5) * HOUR // 2,
        **{f"other{i}": rng.randrange(10**9) for i in range(7)},
    }
    dosed = {"rems": rng.random() < 0.7, "completed_at": now, **{f"other{i}": f"text {i}" for i in range(7)}}
    vitals = {
        "systolic": rng.randrange(100, 150) * 1_000_000,
        "diastolic": rng.randrange(60, 95) * 1_000_000,
        "taken_at": now - rng.randrange(100) * HOUR // 60,
        **{f"other{i}": i for i in range(4)},
    }
    enrolment = {"at": now - HOUR * rng.randrange(-2, 50), "other0": "x", "other1": 5}
    for record in (event, dosed, vitals, enrolment):
        for name in tuple(record):
            if rng.random() < 0.02:
                del record[name]
    return {
        "event": event,
        "f0": rng.choice((dosed, dosed, dosed, None)),
        "f1": vitals,
        "f2": rng.choice((enrolment, enrolment, enrolment, None)),
        "f3": rng.randrange(0, 200) * 1_000_000,
        "param": {"p": {"observe": 2 * HOUR, "max": 90_000_000}},
        "now": now,
        "zone": "America/Chicago",
        "day": 739_677,
    }


def main() -> None:
    rng = random.Random(12)
    cases = [case(rng) for _ in range(CASES)]
    for rules in (12, 50, 200):
        measure(rules, cases[: CASES * 12 // rules])


def measure(rules: int, cases: list[dict[str, Any]]) -> None:
    clauses = list(islice((clause for more in count() for clause in written(more)), rules))
    closures = list(islice((closure for more in count() for closure in plain(more)), rules))
    ways: dict[str, Callable[[Any], list[Outcome]]] = {
        "closures": lambda scope: [rule(scope) for rule in closures],
        "durable": PartedRules(f"benchmark/{rules}", clauses, TABLES).evaluate,
        "reference": compile_clauses(clauses, TABLES),
    }
    for scope in cases:
        answers = {name: way(scope) for name, way in ways.items()}
        assert answers["closures"] == answers["durable"] == answers["reference"], (answers, scope)
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(ROUNDS):
        for name, way in ways.items():
            start = process_time()
            for scope in cases:
                way(scope)
            best[name] = min(best[name], process_time() - start)
    print(f"{rules} rules")
    for name, seconds in best.items():
        each = seconds / len(cases)
        print(
            f"  {name:10} {1 / each:10,.0f} decisions/s  {each / rules * 1e6:6.2f} us a rule"
            f"   {best['closures'] / seconds:5.2f} of closures"
        )


if __name__ == "__main__":
    main()
