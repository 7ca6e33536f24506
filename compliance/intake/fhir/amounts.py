"""Amounts of a drug: what a FHIR Quantity says, in milligrams and in the drug's stock unit.

Whole millionths throughout, exact: where a conversion does not come out within six fractional digits, or needs a strength that nobody told,
it is refused. Units are UCUM, by code; nothing is read from ``unit``, which is for people.
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
    code = quantity.get("code")
    return code if quantity.get("system") == UCUM and isinstance(code, str) else ""


def exact(amount: Fraction, what: str) -> str:
    """An amount as plain digits. Raises `Unreadable` where six fractional digits do not hold it; nothing is rounded."""
    scaled = amount * SCALE
    if scaled.denominator != 1:
        raise Unreadable(
            f"the {what} has no exact value with 6 fractional digits", "Send the amount as it was measured."
        )
    return format_decimal(scaled.numerator)


def given(quantity: Any, drug: Drug, strength: Fraction | None, *, is_kit: bool = False) -> Given:
    """What a Quantity says of a drug. `strength`: milligrams per stock unit, None where nobody told it; `is_kit`: a piece may be a box of
    several devices. Raises `Unreadable`."""
    value, unit = value_of(quantity), unit_of(quantity)
    if unit in MASSES:
        mg = value * MASSES[unit]
        return Given(exact(mg, "dose in mg"), None if strength is None else _stock(mg / strength, drug))
    units = value * _units_in(quantity, unit, drug, is_kit=is_kit)
    return Given(None if strength is None else exact(units * strength, "dose in mg"), _stock(units, drug))


def dose_mg(quantity: Any, drug: Drug, strength: Fraction | None) -> str | None:
    """The milligrams that a Quantity says, whether or not they come to an exact number of stock units. Raises `Unreadable`."""
    return given(quantity, drug, None if unit_of(quantity) in MASSES else strength).dose_mg


def mg_per_kg(quantity: Any) -> str | None:
    """The dose by weight that a Quantity says, in mg/kg; None where it is not by weight. Raises `Unreadable`."""
    mass, _, weight = unit_of(quantity).partition("/")
    if weight != "kg" or mass not in MASSES:
        return None
    return exact(value_of(quantity) * MASSES[mass], "dose in mg/kg")


def per_stock_unit(ratio: Any, drug: Drug) -> Fraction:
    """Milligrams per stock unit by a Ratio of mass to volume or to pieces, or in per cent of a drug that is kept in mL: grams in 100 mL
    (USP General Notices, 8.140), so 1 % is 10 mg/mL. Raises `Unreadable`."""
    above, below = ratio.get("numerator") or {}, ratio.get("denominator") or {}
    if unit_of(above) == "%" and drug.stock_unit == "ml" and _is_one(below):
        return value_of(above) * 10
    if unit_of(above) not in MASSES:
        raise Unreadable(f"{_shown(above)} is no mass", _STRENGTH)
    units = value_of(below) * _units_in(below, unit_of(below), drug, is_kit=False)
    return value_of(above) * MASSES[unit_of(above)] / units


_STRENGTH: Final = "Send mass over volume or pieces in UCUM, such as 50 mg over 1 mL."


def _is_one(quantity: Any) -> bool:
    """Whether a denominator is none: absent, or a bare 1."""
    return not quantity or (
        unit_of(quantity) in {"", "1"} and quantity.get("code", "1") == "1" and value_of(quantity) == 1
    )


def mg_per_minute(dosage: Any) -> Fraction | None:
    """The rate of a dosage (``rateRatio`` or ``rateQuantity``) in mg/min; None where it has none of mass over time. Raises `Unreadable`."""
    ratio, quantity = dosage.get("rateRatio") or {}, dosage.get("rateQuantity") or {}
    above, below = ratio.get("numerator") or {}, ratio.get("denominator") or {}
    if unit_of(above) in MASSES and unit_of(below) in MINUTES:
        return value_of(above) * MASSES[unit_of(above)] / (value_of(below) * MINUTES[unit_of(below)])
    mass, _, time = unit_of(quantity).partition("/")
    if mass in MASSES and time in MINUTES:
        return value_of(quantity) * MASSES[mass] / MINUTES[time]
    return None


def has_rate(dosage: Any) -> bool:
    """Whether a dosage says a rate in whatever unit."""
    return (
        dosage.get("rateRatio") is not None
        or dosage.get("rateQuantity") is not None
        or dosage.get("rateRange") is not None
    )


def _units_in(quantity: Any, unit: str, drug: Drug, *, is_kit: bool) -> Fraction:
    """How many stock units one of `unit` is."""
    if unit in VOLUMES and drug.stock_unit == "ml":
        return VOLUMES[unit]
    if unit == "1" and is_kit:
        raise Unreadable("a bare 1 of a kit is the box or one device of it", _remedy(drug))
    if unit not in COUNTS[drug.stock_unit]:
        raise Unreadable(f"{_shown(quantity)} is no unit for {drug.code}", _remedy(drug))
    return Fraction(1)


def _stock(units: Fraction, drug: Drug) -> str:
    return exact(units, f"amount in the stock unit ({drug.stock_unit})")


def strength_of(drug: Drug) -> Fraction | None:
    """Milligrams per stock unit by the drug list; None where the prescription tells it (compounded)."""
    said = drug.strength_mg_per_unit or drug.strength_mg_per_ml
    return None if said is None else Fraction(said)


def _shown(quantity: Any) -> str:
    said = quantity.get("code")
    return (
        f"the code {echo(said)}"
        if isinstance(said, str) and quantity.get("system") == UCUM
        else "what has no UCUM code"
    )


def _remedy(drug: Drug) -> str:
    return f"Send the amount in UCUM, in 'mg' or in '{_SENT_AS[drug.stock_unit]}'."


_SENT_AS: Final[Mapping[str, str]] = {"ml": "mL", "device": "{device}", "unit": "{troche}"}
