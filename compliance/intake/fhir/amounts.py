"""Amounts of a drug: what a FHIR Quantity says, in milligrams and in the drug's stock unit.

Whole millionths throughout, exact: where a conversion does not come out within six fractional digits, or needs a strength that nobody told,
it is refused. Units are UCUM, by code where there is one; a ``unit`` without a code counts only where it is a UCUM symbol itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from compliance.domain.drugs import Drug
from compliance.domain.events.checks import digits_of
from compliance.domain.quantity import format_decimal, millionths
from compliance.domain.reading import Unreadable, echo
from compliance.domain.values import SCALE
from compliance.intake.fhir.view import UCUM

MASSES: Final[Mapping[str, Fraction]] = {
    "kg": Fraction(1_000_000),
    "g": Fraction(1000),
    "mg": Fraction(1),
    "ug": Fraction(1, 1000),
    "ng": Fraction(1, 1_000_000),
}
"""UCUM units of mass, in milligrams."""

VOLUMES: Final[Mapping[str, Fraction]] = {
    "L": Fraction(1000),
    "l": Fraction(1000),
    "dL": Fraction(100),
    "dl": Fraction(100),
    "mL": Fraction(1),
    "ml": Fraction(1),
    "uL": Fraction(1, 1000),
    "ul": Fraction(1, 1000),
}
"""UCUM units of volume, in millilitres; the litre is written either way."""

COUNTS: Final[Mapping[str, frozenset[str]]] = {
    "device": frozenset({"1", "{device}", "{Device}", "{devices}"}),
    "unit": frozenset({"1", "{troche}", "{Troche}", "{lozenge}", "{unit}"}),
    "ml": frozenset(),
}
"""What counts pieces of a stock unit. UCUM gives braces no meaning, so only these texts are read. A spray is none of them: a device
gives two of 14 mg, and people say spray of both."""

MINUTES: Final[Mapping[str, Fraction]] = {"s": Fraction(1, 60), "min": Fraction(1), "h": Fraction(60)}
"""UCUM units of time, in minutes."""


@dataclass(frozen=True, slots=True)
class Given:
    """An amount as plain digits: milligrams of active drug, and stock units. None where it cannot be told from the other."""

    dose_mg: str | None
    quantity: str | None


def value_of(quantity: Any) -> Fraction:
    """The value of a Quantity, exactly, which must be more than nothing. Raises `Unreadable` where there is none or it is not exact."""
    if not isinstance(quantity, Mapping) or quantity.get("value") is None:
        raise Unreadable("no value", "Send value, system and code of the amount.")
    if quantity.get("comparator") is not None:
        raise Unreadable("a bound is no amount", "Send the amount itself, without a comparator.")
    scaled = millionths(digits_of(quantity["value"]))
    if scaled <= 0:
        raise Unreadable(
            f"an amount of {format_decimal(scaled)}",
            "Send what was given, or the status that says nothing was.",
        )
    return Fraction(scaled, SCALE)


def unit_of(quantity: Any) -> str:
    """The UCUM unit of a Quantity; empty where it has none, or one of another system."""
    code, system = quantity.get("code"), quantity.get("system")
    if code is None and system in {None, UCUM}:
        code = quantity.get("unit")
        return code if isinstance(code, str) else ""
    return code if system == UCUM and isinstance(code, str) else ""


def exact(amount: Fraction, what: str) -> str:
    """An amount as plain digits. Raises `Unreadable` where six fractional digits do not hold it; nothing is rounded."""
    scaled = amount * SCALE
    if scaled.denominator != 1:
        raise Unreadable(
            f"the {what} has no exact value with 6 fractional digits", "Send the amount as it was measured."
        )
    return format_decimal(scaled.numerator)


def given(quantity: Any, drug: Drug, strength: Fraction | None) -> Given:
    """What a Quantity says of a drug. `strength`: milligrams per stock unit, None where nobody told it. Raises `Unreadable`."""
    value, unit = value_of(quantity), unit_of(quantity)
    if unit in MASSES:
        mg = value * MASSES[unit]
        units = (
            None
            if strength is None
            else exact(mg / strength, f"amount in the stock unit ({drug.stock_unit})")
        )
        return Given(exact(mg, "dose in mg"), units)
    if unit in VOLUMES and drug.stock_unit == "ml":
        units_of_stock = value * VOLUMES[unit]
    elif unit in COUNTS[drug.stock_unit]:
        units_of_stock = value
    else:
        raise Unreadable(f"{_shown(quantity)} is no unit for {drug.code}", _remedy(drug))
    mg_told = None if strength is None else exact(units_of_stock * strength, "dose in mg")
    return Given(mg_told, exact(units_of_stock, f"amount in the stock unit ({drug.stock_unit})"))


def strength_of(drug: Drug) -> Fraction | None:
    """Milligrams per stock unit by the drug list; None where the prescription tells it (compounded)."""
    said = drug.strength_mg_per_unit or drug.strength_mg_per_ml
    return None if said is None else Fraction(said)


def _shown(quantity: Any) -> str:
    said = quantity.get("code") or quantity.get("unit")
    return echo(said) if isinstance(said, str) else "an amount without a unit"


def _remedy(drug: Drug) -> str:
    counted = (
        " or ".join(f"'{unit}'" for unit in ("mL",) if drug.stock_unit == "ml")
        or f"'{{{'troche' if drug.stock_unit == 'unit' else 'device'}}}'"
    )
    return f"Send the amount in UCUM, as 'mg' or {counted}."
