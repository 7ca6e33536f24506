"""How an event stands after what amends it (engine.md, "Corrections")."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain.corrections import UNCHANGEABLE, changed, takes_effect
from compliance.domain.values import SCALE
from compliance.engine.history import MemoryHistory
from tests.rulebook import entry, recorded

DOSE = entry("administration", "09:00", id="d1", dose_mg="28.50", observer="N1", entered_at="09:01")


def correction(
    name: str, target: str, at: str, *changes: tuple[str, Any, Any], **fields: Any
) -> dict[str, Any]:
    written = [{"name": f, "old": json.dumps(old), "new": json.dumps(new)} for f, old, new in changes]
    return entry("correction", at, id=name, corrects=target, reason="typed wrongly", fields=written, **fields)


def void(name: str, target: str, at: str = "11:00", **fields: Any) -> dict[str, Any]:
    return entry("void", at, id=name, corrects=target, reason="entered twice", **fields)


def stands(*bodies: dict[str, Any], which: str = "d1") -> Any:
    return MemoryHistory(recorded(bodies)).stands(which)


def dose_mg(*bodies: dict[str, Any]) -> Any:
    event = stands(*bodies)
    return None if event is None else event.values["dose_mg"] / SCALE


FIRST = correction("c1", "d1", "10:00", ("dose_mg", "28.50", "56"))
SECOND = correction("c2", "d1", "10:05", ("dose_mg", "56", "84"))


def test_a_correction_changes_what_it_names_and_nothing_else() -> None:
    """The event as it stands has the new value, and its own id, place and instants."""
    before, after = stands(DOSE), stands(DOSE, FIRST)
    assert after.values == {**before.values, "dose_mg": 56 * SCALE}
    assert (after.id, after.position, after.recorded_at, after.order) == (
        before.id,
        before.position,
        before.recorded_at,
        before.order,
    )


@pytest.mark.parametrize("order", list(permutations([DOSE, FIRST, SECOND])))
def test_corrections_chain_whatever_the_order_of_arrival(order: tuple[dict[str, Any], ...]) -> None:
    """Each changes the event as the one before left it, in the order of history, even where it arrived before its target."""
    assert dose_mg(*order) == 84


@pytest.mark.parametrize("order", list(permutations([DOSE, FIRST, void("v1", "c1")])))
def test_voiding_a_correction_restores_what_was_before(order: tuple[dict[str, Any], ...]) -> None:
    """The voided correction has no effect, in whatever order the three arrived."""
    assert dose_mg(*order) == 28.5


def test_what_was_built_on_a_voided_correction_has_no_effect_either() -> None:
    """The second correction's `old` is the voided one's value: it no longer is what stands."""
    assert dose_mg(DOSE, FIRST, SECOND, void("v1", "c1")) == 28.5


@pytest.mark.parametrize("order", list(permutations([DOSE, void("v1", "d1"), FIRST])))
def test_a_void_takes_the_event_out_whatever_else_corrects_it(order: tuple[dict[str, Any], ...]) -> None:
    """Nothing stands of a voided event."""
    assert stands(*order) is None


def test_a_void_that_names_a_void_has_no_effect() -> None:
    """A void cannot be voided."""
    assert stands(DOSE, void("v1", "d1"), void("v2", "v1")) is None


def test_a_correction_of_a_correction_counts() -> None:
    """The correcting event is itself taken as it stands."""
    mended = json.loads(json.dumps(FIRST["fields"]))
    mended[0]["new"] = json.dumps("14")
    assert dose_mg(DOSE, FIRST, correction("c3", "c1", "10:30", ("fields", FIRST["fields"], mended))) == 14


def test_what_is_only_proposed_amends_nothing() -> None:
    """A proposed void or correction asks; it has not happened."""
    assert dose_mg(DOSE, {**FIRST, "intent": "proposed"}) == 28.5
    assert stands(DOSE, void("v1", "d1", intent="proposed")) is not None


@pytest.mark.parametrize(
    "change",
    [
        ("dose_mg", "28", "56"),
        ("dose_mg", None, "56"),
        ("container", "V1", "V2"),
        ("observer", "N2", "N3"),
        ("observer", ["N1"], "N3"),
        ("dose_mg", True, "56"),
        ("dose_mg", "28.50", "a lot"),
        ("dose_mg", "28.50", None),
        ("dose_mg", "28.50", 1e-9),
        ("no_such_field", None, "x"),
        *((name, DOSE.get(name), "x") for name in UNCHANGEABLE),
    ],
    ids=str,
)
def test_what_cannot_be_done_has_no_effect(change: tuple[str, Any, Any]) -> None:
    """A wrong `old`, an unchangeable field, or a result that is no valid event: the target stands as it stood."""
    assert stands(DOSE, correction("c1", "d1", "10:00", change)) == stands(DOSE)


def test_a_correction_works_whole_or_not_at_all() -> None:
    """Where one of its changes cannot be made, none is."""
    half = correction("c1", "d1", "10:00", ("observer", "N1", "N2"), ("dose_mg", "28", "56"))
    assert stands(DOSE, half) == stands(DOSE)


@pytest.mark.parametrize("old", ["28.50", "28.5", 28.5])
@pytest.mark.parametrize(("new", "expected"), [("56", 56), (56, 56), (56.5, 56.5), ("56.50", 56.5)])
def test_a_decimal_may_be_a_number_or_a_text(old: Any, new: Any, expected: float) -> None:
    """`old` is compared by value, and `new` is read digit by digit."""
    assert dose_mg(DOSE, correction("c1", "d1", "10:00", ("dose_mg", old, new))) == expected


def test_an_instant_is_the_same_in_another_offset() -> None:
    """`old` may name the same point in time in UTC."""
    moved = correction(
        "c1", "d1", "10:00", ("occurred_at", "2026-03-02T15:00:00Z", "2026-03-02T08:00:00-06:00")
    )
    assert stands(DOSE, moved).occurred_at == stands(DOSE).occurred_at - 3_600_000_000


def test_lists_of_records_are_compared_by_value() -> None:
    """Decimals inside the lines of a count may be numbers in `old`, too."""
    line = {
        "drug": "ketamine_inj_50mg_ml",
        "quantity": "10",
        "containers": 1,
        "quantity_per_container": "10",
        "quantity_unit": "ml",
        "count_method": "exact",
    }
    count = entry("inventory_count", "09:00", id="d1", lines=[line])
    mended = correction(
        "c1", "d1", "10:00", ("lines", [{**line, "quantity": 10}], [{**line, "quantity": 9.5}])
    )
    assert stands(count, mended).values["lines"][0]["quantity"] == 9_500_000


def test_a_field_can_be_added_and_removed() -> None:
    """`null` stands for absent on either side."""
    added = correction("c1", "d1", "10:00", ("container", None, "V1"))
    removed = correction("c2", "d1", "10:05", ("container", "V1", None))
    assert stands(DOSE, added).values["container"] == "V1"
    assert stands(DOSE, added, removed) == stands(DOSE)


def test_corrections_that_correct_each_other_end() -> None:
    """A cycle is no endless way, and the event still stands."""
    one = correction("c1", "c2", "10:00", ("reason", "typed wrongly", "other"))
    two = correction("c2", "c1", "10:05", ("reason", "typed wrongly", "other"))
    itself = correction("d1", "d1", "10:00", ("reason", "typed wrongly", "other"))
    assert stands(one, two, which="c1") is not None
    assert stands(void("v1", "v2"), void("v2", "v1"), which="v1") is not None
    assert stands(itself) is not None


@pytest.mark.parametrize("text", ["{", "", "NaN", "[" * 100_000])
def test_what_is_no_json_has_no_effect(text: str) -> None:
    """`old` and `new` are JSON text; anything else changes nothing and breaks nothing."""
    event = recorded([DOSE])[0]
    assert changed(event.body, [{"name": "observer", "old": text, "new": '"N2"'}]) is None


@given(st.lists(st.sampled_from(["14", "28", "56"]), min_size=1, max_size=5))
def test_undoing_every_correction_from_the_last_restores_the_event(doses: list[str]) -> None:
    """Law: a chain of corrections, all voided, leaves the event as it was sent."""
    bodies, old = [DOSE], DOSE["dose_mg"]
    for number, new in enumerate(doses):
        bodies.append(correction(f"c{number}", "d1", f"10:{number:02}", ("dose_mg", old, new)))
        old = new
    assert dose_mg(*bodies) == float(doses[-1])
    bodies += [void(f"v{number}", f"c{number}") for number in range(len(doses))]
    assert stands(*bodies) == stands(DOSE)


def effective(which: str, *bodies: dict[str, Any]) -> bool:
    history = MemoryHistory(recorded(bodies))
    amendment = history.sent(which)
    assert amendment is not None
    return takes_effect(amendment, history.sent(amendment.values["corrects"]), history.amendments)


@pytest.mark.parametrize(
    ("which", "bodies", "expected"),
    [
        ("c1", (DOSE, FIRST), True),
        ("c2", (DOSE, FIRST, SECOND), True),
        ("c2", (DOSE, SECOND), False),  # 56 never stood
        ("c2", (DOSE, SECOND, FIRST), True),  # it did, as is known now
        ("c2", (DOSE, FIRST, SECOND, void("v1", "c1", "10:02")), False),  # it no longer did
        ("c1", (FIRST,), False),  # no such entry
        ("c1", (DOSE, FIRST, void("v1", "d1", "09:30")), False),  # void before
        ("c1", (DOSE, FIRST, void("v1", "d1", "11:00")), True),  # void only afterwards
        ("v1", (DOSE, void("v1", "d1")), True),
        ("v2", (DOSE, void("v1", "d1"), void("v2", "d1", "12:00")), False),
        ("v2", (DOSE, void("v1", "d1"), void("v2", "v1", "12:00")), False),  # a void of a void
        ("c1", (DOSE, {**FIRST, "intent": "proposed"}), False),
    ],
)
def test_what_an_amendment_changes_is_known(
    which: str, bodies: tuple[dict[str, Any], ...], expected: bool
) -> None:
    """A correction or void has an effect only on an entry that is there and stands, and from the value that stood."""
    assert effective(which, *bodies) is expected
