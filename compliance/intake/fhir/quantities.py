"""A FHIR Quantity as the number that a field holds: by UCUM code, with exact factors, in whole millionths.

A factor is one only where UCUM defines it without a remainder: a pound is 0.45359237 kg, an inch 2.54 cm. What has no exact factor
(kilopascal to millimetres of mercury, moles to milligrams) is another unit, and another unit is refused. Nothing is read from `unit`, which is
for people. What is written within braces (``{beats}/min``) has no meaning in UCUM and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from compliance.domain.quantity import NumberText, format_decimal, parse_decimal
from compliance.domain.reading import Unreadable, echo
from compliance.domain.values import SCALE
from compliance.intake.fhir.sketch import Resource, Sketch
from compliance.intake.fhir.view import UCUM

ONE: Final = Fraction(1)
_LONGEST_UNIT: Final = 16
_ANNOTATION: Final = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Measure:
    """A field, the UCUM codes in which it may be given, each with its factor to the field's unit; the first is the field's own.

    `whole` is for fields that hold whole numbers: a fraction is refused, not rounded.
    """

    field: str
    units: Mapping[str, Fraction]
    whole: bool = False


def take(sketch: Sketch, measure: Measure, holder: Resource, path: str) -> None:
    """Set a field from ``valueQuantity`` of an Observation or a component of it; `path` is that of the Quantity."""
    quantity = holder.get("valueQuantity")
    if not isinstance(quantity, dict):
        sketch.wrong(
            path,
            "a reading without a Quantity",
            "Give valueQuantity, or dataAbsentReason where nothing was measured.",
        )
        return
    sketch.put(measure.field, amount(sketch, measure, quantity, path), f"{path}.value")


def amount(sketch: Sketch, measure: Measure, quantity: Resource, path: str) -> Any:
    """The number of a Quantity in the field's unit, as text or, for whole numbers, as int; None where something is wrong, which is noted."""
    if "comparator" in quantity:
        sketch.wrong(f"{path}.comparator", "a bound and not a number", "Send what was measured.")
        return None
    factor = _factor(sketch, measure, quantity, path)
    said = quantity.get("value")
    if said is None:
        sketch.wrong(f"{path}.value", "a Quantity without a value", "Send what was measured.")
    if factor is None or said is None:
        return None
    try:
        number = parse_decimal(number_text(said))
    except Unreadable as error:
        sketch.wrong(f"{path}.value", error.message, error.remedy)
        return None
    exact = number if factor is ONE else number * factor
    if measure.whole and exact % SCALE:
        sketch.wrong(
            f"{path}.value",
            f"{echo(number_text(said))} is no whole number",
            "Send whole numbers; nothing is rounded.",
        )
        return None
    return int(exact) // SCALE if measure.whole else format_decimal(round(exact))


def number_text(said: Any) -> str:
    """A number of a resource as it was written."""
    return said.text if isinstance(said, NumberText) else str(said)


def unit_text(code: str) -> str:
    """A unit as a message may name it: what is longer than units are is none, and may be anything."""
    return f"the unit {echo(code)}" if len(code) <= _LONGEST_UNIT else "what stands for the unit"


def _factor(sketch: Sketch, measure: Measure, quantity: Resource, path: str) -> Fraction | None:
    code, own = quantity.get("code"), next(iter(measure.units))
    if not isinstance(code, str):
        sketch.wrong(
            f"{path}.code", "a number without the code of its unit", f"Send the UCUM code, such as {own}."
        )
        return None
    if quantity.get("system") != UCUM:
        sketch.wrong(
            f"{path}.system", "a unit that is not of UCUM", f"Send {UCUM} and a UCUM code, such as {own}."
        )
        return None
    factor = measure.units.get(_ANNOTATION.sub("", code) if "{" in code else code)
    if factor is None:
        wanted = " or ".join(measure.units)
        sketch.wrong(f"{path}.code", f"{unit_text(code)} cannot be taken here", f"Send {wanted}.")
    return factor
