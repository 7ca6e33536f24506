"""The reference evaluator: outcomes of rules, what would decide, what was used."""

from __future__ import annotations

import time
from typing import Any

import pytest

from compliance.domain.findings import Outcome
from compliance.domain.time import parse_instant
from compliance.domain.values import SCALE, UNKNOWN
from compliance.engine.clause import Clause
from compliance.engine.exact import exact
from compliance.engine.reference import compile_clause, compile_value, undecided, values_used
from compliance.policy.expression import Names, event_type, typed
from compliance.policy.expression.tree import Ref, Span, Type
from compliance.policy.model import Tables

BOOL = Type("bool")
NAMES = Names(
    {
        "event": event_type(["discharge"]),
        "dose": event_type(["administration"]),
        "count": Type("number"),
        "param": Type("record", fields=(("minimum", Type("duration")),)),
    }
)
TABLES = Tables({"e": {"is_rems": True}}, frozenset(), {}, {}, {})
AT = parse_instant("2026-03-02T09:00:00-06:00")
SCOPE: dict[str, Any] = {
    "event": {"id": "x", "occurred_at": AT + 7_200_000_000},
    "dose": {"id": "d", "completed_at": AT, "drug": "e", "dose_mg": 28 * SCALE, "reason": "Smith"},
    "count": 2 * SCALE,
    "param": {"minimum": 7_200_000_000},
    "zone": "America/Chicago",
    "day": 739_677,
    "now": AT,
}


def node(text: str, expected: Type | None = BOOL) -> Any:
    return typed(text, NAMES, expected)


def outcome(when: str | None, require: str, **scope: Any) -> Outcome:
    clause = Clause("r", None if when is None else node(when), node(require))
    return compile_clause(clause, TABLES)({**SCOPE, **scope})


TRUE, FALSE, MAYBE = "dose.dose_mg == 28", "dose.dose_mg == 29", "dose.lot == 'x'"


@pytest.mark.parametrize(
    "when,require,expected",
    [
        (None, TRUE, "pass"), (None, FALSE, "fail"), (None, MAYBE, "indeterminate"),
        (TRUE, TRUE, "pass"), (TRUE, FALSE, "fail"), (TRUE, MAYBE, "indeterminate"),
        (FALSE, TRUE, "not_applicable"), (FALSE, FALSE, "not_applicable"), (FALSE, MAYBE, "not_applicable"),
        (MAYBE, TRUE, "indeterminate"), (MAYBE, FALSE, "indeterminate"), (MAYBE, MAYBE, "indeterminate"),
    ],
)  # fmt: skip
def test_outcomes(when: str | None, require: str, expected: str) -> None:
    """The nine combinations of `when` and `require`, and `require` alone."""
    assert outcome(when, require) == expected


def test_no_rule_passes_for_want_of_data() -> None:
    """A null dose, an unknown look-up, an unknown count, an unknown zone: indeterminate, unless asked first."""
    rule = "event.occurred_at - dose.completed_at >= param.minimum"
    assert outcome(None, rule) == "pass"
    for missing in (None, UNKNOWN, {}):
        assert outcome(None, rule, dose=missing) == "indeterminate"
    assert outcome("dose != null", rule, dose=None) == "not_applicable"
    assert outcome("dose != null", rule, dose=UNKNOWN) == "indeterminate"
    assert outcome(None, "count != 3", count=UNKNOWN) == "indeterminate"
    assert outcome(None, "!(count in [3, 4, 5, 6])", count=UNKNOWN) == "indeterminate"
    assert outcome(None, "dose != null", dose=UNKNOWN) == "indeterminate"
    assert outcome(None, "today() == local_date(event.occurred_at)", zone=UNKNOWN) == "indeterminate"
    assert outcome(None, rule, param={}) == "indeterminate"
    assert outcome(None, "drug_info(dose.drug).is_rems", dose={"drug": "?"}) == "indeterminate"


def test_parameters_of_a_clause_are_found_by_rule() -> None:
    """In a clause, a parameter's path is (rule id, name)."""
    ref = Ref(Type("number"), Span(0, 0), "param", ("r", "limit"))
    assert compile_value(ref, TABLES)({"param": {"r": {"limit": 5}}}) == 5
    assert compile_value(ref, TABLES)({"param": {}}) is UNKNOWN


def test_texts_of_policies_cannot_become_code() -> None:
    """Quotes, backslashes and line breaks in a literal stay text in the generated function."""
    for text in ["'", '"', "\\", "\n", "') or True or ('", "{0}", "\u2028"]:
        literal = "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
        value_of = compile_value(node(f"event.id == {literal}"), TABLES)
        assert value_of({"event": {"id": text}}) is True
        assert value_of({"event": {"id": "other"}}) is False


def test_a_deep_expression_is_left_to_the_closures() -> None:
    """What would need too many parentheses in Python's grammar is evaluated all the same."""
    text = "!(" * 30 + "event.id == 'x'" + ")" * 30
    assert compile_value(node(text), TABLES)(SCOPE) is True
    text = "(" + " + ".join(["dose.dose_mg"] * 60) + ") == 1680"
    assert compile_value(node(text), TABLES)(SCOPE) is True


@pytest.mark.parametrize(
    "text,names",
    [
        ("dose.lot == 'a' && event.occurred_at > dose.occurred_at", ["dose.lot", "dose.occurred_at"]),
        ("dose.dose_mg == 28 && dose.lot == 'a'", ["dose.lot"]),
        ("dose.dose_mg == 28 || dose.lot == 'a'", []),
        ("dose.dose_mg == 28 ? dose.lot == 'a' : dose.container == 'b'", ["dose.lot"]),
        ("drug_info(event.id).is_rems", ["drug_info(event.id)"]),
        ("['a', 'b'].exists(x, x == dose.lot)", ["dose.lot"]),
    ],
)
def test_what_would_decide_is_named(text: str, names: list[str]) -> None:
    """Only what is missing and matters, as it is written."""
    assert undecided(node(text), SCOPE, TABLES) == names


def test_a_null_event_stands_with_the_field_asked_of_it() -> None:
    """Where the event itself is missing, the field that was asked of it is named; where the zone is, the zone."""
    assert undecided(node("dose.dose_mg > 1"), {**SCOPE, "dose": None}, TABLES) == ["dose.dose_mg"]
    assert undecided(node("dose != null"), {**SCOPE, "dose": UNKNOWN}, TABLES) == ["dose"]
    assert undecided(node("local_date(event.occurred_at) < today()"), {**SCOPE, "zone": UNKNOWN}, TABLES) == [
        "zone"
    ]


def test_the_values_that_took_part() -> None:
    """What decided, in words; arms not taken and operands that did not decide are left out."""
    assert values_used(node("event.occurred_at - dose.completed_at >= param.minimum"), SCOPE, TABLES) == {
        "event.occurred_at": "2026-03-02T11:00:00-06:00",
        "dose.completed_at": "2026-03-02T09:00:00-06:00",
        "param.minimum": "2 h 0 min",
    }
    assert values_used(node("dose.dose_mg > 30 && count == 2"), SCOPE, TABLES) == {"dose.dose_mg": "28 mg"}
    assert values_used(node("dose.lot == 'a' || dose == null"), SCOPE, TABLES) == {"dose.lot": "missing"}
    assert values_used(node("has(dose.lot)"), SCOPE, TABLES) == {"dose.lot": "missing"}


def test_free_text_is_not_quoted() -> None:
    """What people typed stays out of findings, even where it looks like a handle."""
    assert values_used(node("dose.reason == 'x'"), SCOPE, TABLES) == {}
    assert values_used(node("dose.id == 'x'"), {**SCOPE, "dose": {"id": "two words"}}, TABLES) == {}


def test_the_fast_form_is_used() -> None:
    """A guard of the generated code: on complete data it is several times faster than the closures."""
    condition = node("event.occurred_at - dose.completed_at >= param.minimum && dose.dose_mg * 2 <= 56")
    fast, slow = compile_value(condition, TABLES), exact(condition, TABLES)

    def cost(function: Any) -> float:
        best = 1.0
        for _ in range(5):
            start = time.process_time()
            for _ in range(5_000):
                function(SCOPE)
            best = min(best, time.process_time() - start)
        return best

    assert cost(fast) * 2 < cost(slow)
