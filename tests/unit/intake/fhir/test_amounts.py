"""Amounts of a drug: exact, in milligrams and in stock units, or refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from compliance.domain.drugs import DRUGS
from compliance.domain.quantity import NumberText, format_decimal
from compliance.domain.reading import Unreadable
from compliance.intake.fhir.amounts import given, mg_per_kg, mg_per_minute, strength_of
from tests.fhir_doses import quantity

DEVICE, VIAL, STRONG = "esketamine_nasal_28mg", "ketamine_inj_50mg_ml", "ketamine_inj_100mg_ml"


def amount(drug: str, value: Any, unit: str) -> tuple[str | None, str | None]:
    done = given(quantity(value, unit), DRUGS[drug], strength_of(DRUGS[drug]))
    return done.dose_mg, done.quantity


@pytest.mark.parametrize(
    ("drug", "value", "unit", "said"),
    [
        (DEVICE, 28, "mg", ("28", "1")), (DEVICE, NumberText("28.0"), "mg", ("28", "1")), (DEVICE, 56, "mg", ("56", "2")),
        (DEVICE, 14, "mg", ("14", "0.5")), (DEVICE, NumberText("0.084"), "g", ("84", "3")), (DEVICE, 28000, "ug", ("28", "1")),
        (DEVICE, 2, "{device}", ("56", "2")), (DEVICE, 3, "1", ("84", "3")), (DEVICE, NumberText("2.8e1"), "mg", ("28", "1")),
        (VIAL, 40, "mg", ("40", "0.8")), (VIAL, NumberText("0.8"), "mL", ("40", "0.8")), (VIAL, NumberText("0.8"), "ml", ("40", "0.8")),
        (VIAL, 800, "uL", ("40", "0.8")), (VIAL, NumberText("0.01"), "dL", ("50", "1")), (VIAL, NumberText("0.001"), "L", ("50", "1")),
        (STRONG, 41, "mg", ("41", "0.41")), (STRONG, NumberText("0.000041"), "kg", ("41", "0.41")),
        (VIAL, 50_000_000, "ng", ("50", "1")), (VIAL, NumberText("0.001"), "mg", ("0.001", "0.00002")),
        ("ketamine_troche_compounded", 100, "mg", ("100", None)), ("ketamine_troche_compounded", 2, "{troche}", (None, "2")),
        ("ketamine_nasal_compounded", NumberText("0.2"), "mL", (None, "0.2")),
    ],
)  # fmt: skip
def test_units(drug: str, value: Any, unit: str, said: tuple[str | None, str | None]) -> None:
    """What each unit comes to, by the strength of the drug list."""
    assert amount(drug, value, unit) == said


@pytest.mark.parametrize(
    ("drug", "value", "unit"),
    [
        (DEVICE, 1, "{spray}"),  # 14 mg, or what people call a device
        (DEVICE, 1, "mL"), (DEVICE, 1, "TAB"), (DEVICE, 1, "{tbl}"), (DEVICE, 1, "[drp]"), (DEVICE, 1, "mg/kg"), (DEVICE, 1, ""),
        (DEVICE, 50, "mg"),  # 1.785714... devices
        (DEVICE, 0, "mg"), (DEVICE, -28, "mg"), (DEVICE, NumberText("28.0000001"), "mg"), (DEVICE, 10**9, "mg"), (DEVICE, 28.0, "mg"),
        (DEVICE, NumberText("1e999999999"), "mg"), (DEVICE, None, "mg"), (DEVICE, "x", "mg"), (DEVICE, True, "mg"),
        (VIAL, 1, "1"), (VIAL, 1, "{vial}"), (VIAL, 1, "mmol"), (VIAL, NumberText("0.000001"), "mg"), (VIAL, NumberText("0.5"), "ng"),
        ("ketamine_troche_compounded", 1, "mL"), ("ketamine_troche_compounded", 1, "{device}"),
    ],
)  # fmt: skip
def test_what_has_no_exact_amount_is_refused(drug: str, value: Any, unit: str) -> None:
    """A unit of something else, no amount, one that six digits do not hold."""
    with pytest.raises(Unreadable) as error:
        amount(drug, value, unit)
    assert error.value.message


@pytest.mark.parametrize(
    "broken", [{"system": "urn:x"}, {"system": None}, {"code": None, "unit": "mg"}, {"comparator": "<"}]
)
def test_only_ucum_by_code_and_no_bounds(broken: dict[str, Any]) -> None:
    """What people read as mg is not read."""
    with pytest.raises(Unreadable):
        given(quantity(28, "mg") | broken, DRUGS[DEVICE], strength_of(DRUGS[DEVICE]))


@over(st.integers(1, 10**9 - 1), st.sampled_from([DEVICE, VIAL, STRONG, "ketamine_inj_10mg_ml"]))
def test_a_dose_is_its_quantity_times_the_strength(scaled: int, drug: str) -> None:
    """Exactly, in both directions, or not at all."""
    strength = strength_of(DRUGS[drug])
    assert strength is not None
    unit = "{device}" if drug == DEVICE else "mL"
    dose, units = amount(drug, NumberText(format_decimal(scaled)), unit)
    assert dose is not None
    assert units is not None
    assert Decimal(units) * int(strength) == Decimal(dose)
    assert amount(drug, dose, "mg") == (dose, units)


@over(st.integers(1, 10**12), st.integers(1, 10**12))
def test_more_is_never_less(one: int, other: int) -> None:
    """The dose grows with what was given."""
    small, large = sorted((one, other))
    doses = [
        amount(STRONG, NumberText(format_decimal(scaled)), "mg")[0] for scaled in (small * 100, large * 100)
    ]
    assert Decimal(doses[0] or 0) <= Decimal(doses[1] or 0)


def test_doses_by_weight_and_rates() -> None:
    """In mg/kg and mg/min, from whichever unit of mass and time."""
    assert mg_per_kg(quantity(NumberText("0.5"), "mg/kg")) == "0.5"
    assert mg_per_kg(quantity(500, "ug/kg")) == "0.5"
    assert mg_per_kg(quantity(40, "mg")) is None
    assert mg_per_minute({"rateQuantity": quantity(60, "mg/h")}) == 1
    assert (
        mg_per_minute({"rateRatio": {"numerator": quantity(40, "mg"), "denominator": quantity(40, "min")}})
        == 1
    )
    assert mg_per_minute({"rateQuantity": quantity(75, "mL/h")}) is None
    assert mg_per_minute({}) is None
