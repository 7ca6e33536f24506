"""The strength of a drug of ours as its Medication tells it (FHIR R4, ``Medication.amount`` and ``Medication.ingredient.strength``)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from compliance.domain.drugs import Drug
from compliance.domain.reading import Unreadable
from compliance.intake.fhir.amounts import VOLUMES, per_stock_unit, unit_of
from compliance.intake.fhir.names import speaks_of_ours
from compliance.intake.fhir.sketch import Resource
from compliance.intake.fhir.view import View, codes_of, reference_text

_REMEDY = "Correct the Medication, or send the code of the product that was given."


def told_strength(medication: Resource, drug: Drug, view: View) -> Fraction | None:
    """Milligrams per stock unit; None where the Medication says nothing of it. Raises `Unreadable` where what it says cannot be read, or
    contradicts itself, or is not known to be of the drug."""
    told = {per_stock_unit(ratio, drug) for ratio in _ratios(medication, view)}
    if len(told) > 1:
        raise Unreadable("the Medication tells two strengths", _REMEDY)
    return next(iter(told), None)


def _ratios(medication: Resource, view: View) -> Iterator[Any]:
    amount = medication.get("amount")
    if amount is not None and not _is_size(amount):
        yield amount
    parts = list(medication.get("ingredient") or ())
    strong = [part for part in parts if part.get("strength") is not None]
    ours = strong if len(parts) == 1 else [part for part in strong if _is_ours(part, view)]
    if strong and not ours and not any(_is_ours(part, view) for part in parts):
        raise Unreadable(
            "which of its ingredients is the drug is not told",
            "Send a code or the name of each ingredient.",
        )
    for part in ours:
        yield part["strength"]


def _is_size(amount: Any) -> bool:
    """Whether the amount of a package says how large it is (10 mL a vial, 2 devices a kit) and not how strong."""
    unit = unit_of(amount.get("numerator") or {})
    return unit in VOLUMES or unit == "1" or unit.startswith("{")


def _is_ours(part: Any, view: View) -> bool:
    """Whether an ingredient is the drug: by code or name, its own or of what it refers to."""
    text = reference_text(part.get("itemReference"))
    inner = None if text is None else view.resolve(text)
    concepts = (part.get("itemCodeableConcept"), (inner or {}).get("code"))
    return any(map(view.drugs, (code for one in concepts for code in codes_of(one)))) or any(
        speaks_of_ours(one, view.ndcs) for one in (part.get("itemCodeableConcept"), inner)
    )
