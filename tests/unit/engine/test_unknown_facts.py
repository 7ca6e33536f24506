"""Facts of which nobody can say whether they count (policy-language.md, "Missing is not false")."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.domain.values import SCALE, UNKNOWN
from compliance.engine.plan import Planner
from tests.rulebook import bundle, entry, fact, rule

VITALS = "vital_signs"


def dose(at: str, **fields: Any) -> dict[str, Any]:
    return entry("administration", at, **{"dose_mg": "28", **fields})


def vitals(at: str, **fields: Any) -> dict[str, Any]:
    return entry(VITALS, at, **{"session": "T1", **fields})


def leaving(at: str = "12:00", **fields: Any) -> dict[str, Any]:
    return entry("discharge", at, **{"id": "leaving", **fields})


def which(found: Any) -> Any:
    """An event by its id; anything else as it is."""
    return found["id"] if isinstance(found, dict) else found


READINGS = [vitals("09:00", id="high", systolic_mmhg=150), vitals("09:10", id="unread")]
HIGH = "it.systolic_mmhg > 140"


@pytest.mark.parametrize(
    ("quantifier", "expected"),
    [
        ("latest", UNKNOWN),
        ("earliest", "high"),
        ("any", "high"),
        ("none", False),
        ("count", UNKNOWN),
        ("sum", UNKNOWN),
    ],
)
def test_where_the_condition_is_unknown_of_a_candidate(quantifier: str, expected: Any) -> None:
    """Another candidate decides `any` and `none`; `count` and `sum` cannot say, nor `latest` where the unknown one is the later."""
    what = f"{VITALS}.systolic_mmhg" if quantifier == "sum" else VITALS
    assert which(fact({quantifier: what, "where": HIGH}, [*READINGS, leaving()])) == expected


@pytest.mark.parametrize("quantifier", ["latest", "earliest", "any", "none", "count"])
def test_where_only_the_unknown_candidate_could_decide(quantifier: str) -> None:
    """An unknown condition is never taken for false."""
    assert fact({quantifier: VITALS, "where": HIGH}, [READINGS[1], leaving()]) is UNKNOWN


def test_a_sum_over_a_missing_amount_is_unknown() -> None:
    """An event that counts and lacks the field makes the sum unknown; one that does not count does not."""
    history = [*READINGS, leaving()]
    assert fact({"sum": f"{VITALS}.systolic_mmhg"}, history) is UNKNOWN
    assert fact({"sum": f"{VITALS}.systolic_mmhg", "where": "it.id == 'high'"}, history) == 150 * SCALE


def test_a_sum_over_what_may_not_count_is_unknown() -> None:
    """The amount is known, whether it counts is not."""
    given = {"sum": "administration.dose_mg", "where": "it.observer == 'N1'"}
    assert fact(given, [dose("09:00"), leaving()]) is UNKNOWN


def test_an_equality_on_an_optional_field_overlooks_nobody() -> None:
    """A candidate that lacks the field might be the one: it must be looked at, and make the answer unknown."""
    other, unsaid = dose("09:00", observer="N2"), dose("09:05")
    by_observer = {"none": "administration", "where": "it.observer == event.actor"}
    assert fact(by_observer, [other, leaving(actor="N1")]) is True
    assert fact(by_observer, [other, unsaid, leaving(actor="N1")]) is UNKNOWN
    assert fact(by_observer, [unsaid, dose("09:10", observer="N1"), leaving(actor="N1")]) is False


def test_an_equality_on_an_optional_field_is_a_key_only_where_has_asks_first() -> None:
    """What is looked up by: required fields, and optional ones that the condition itself requires."""

    def keys(where: str) -> set[str]:
        planner = Planner(
            bundle(
                rule(
                    on="discharge",
                    given={"x": {"any": "administration", "where": where}},
                    require="x != null",
                )
            )
        )
        planner.judged("discharge")
        (lookup,) = planner.lookups.values()
        return {field for field, _ in lookup.keys["administration"]}

    assert keys("it.session == event.session") == {"session"}
    assert keys("it.container == event.session") == set()
    assert keys("has(it.container) && it.container == event.session") == {"container"}
    assert keys("it.session == event.session || it.dose_mg > 1") == set()
    assert keys("it.session == it.patient") == set()
