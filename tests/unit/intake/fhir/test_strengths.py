"""The strength that a Medication tells agrees with the drug that its code stands for, or the dose is objected to."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.intake.fhir.administrations import administration
from tests.fhir_doses import DOSE, SITE_SYSTEM, SPRAVATO, VEIN, VIAL_50, concept, event, quantity, view, wrong

PLACE = "MedicationAdministration.medication"
GIVEN = {key: value for key, value in DOSE.items() if key != "medicationCodeableConcept"} | {
    "medicationReference": {"reference": "Medication/M1"},
    "dosage": {"route": VEIN, "rateQuantity": quantity(1, "mg/min"), "dose": quantity(250, "mL")},
}
SALT = {"itemCodeableConcept": {"text": "sodium chloride"}}
KETAMINE = {"itemCodeableConcept": {"text": "ketamine"}}
BY_CODE = {"itemCodeableConcept": VIAL_50}


def ratio(above: Any, over: str, below: Any = 1, per: str = "mL") -> dict[str, Any]:
    return {"numerator": quantity(above, over), "denominator": quantity(below, per)}


def strong(part: dict[str, Any], *said: Any) -> dict[str, Any]:
    return part | {"strength": ratio(*said)}


PER_CENT_ALONE = {"numerator": quantity(5, "%")}
SAME: dict[str, dict[str, Any]] = {
    "nothing": {},
    "the amount": {"amount": ratio(500, "mg", 10)},
    "the amount in grams and litres": {"amount": ratio(50, "g", 1, "L")},
    "the size of the package": {"amount": ratio(10, "mL", 1, "{vial}")},
    "per cent": {"ingredient": [KETAMINE | {"strength": PER_CENT_ALONE}]},
    "per cent over 1": {"ingredient": [strong(KETAMINE, 5, "%", 1, "1")]},
    "the ingredient that is ours, by name": {"ingredient": [strong(SALT, 9, "mg"), strong(KETAMINE, 50, "mg")]},
    "the ingredient that is ours, by code": {"ingredient": [strong(BY_CODE, 50, "mg"), strong(SALT, 9, "mg")]},
    "the only ingredient, whatever its name": {"ingredient": [strong({"itemCodeableConcept": {"text": "base"}}, 50, "mg")]},
    "another's strength": {"ingredient": [KETAMINE, strong(SALT, 9, "mg")]},
    "twice the same": {"amount": ratio(50, "mg"), "ingredient": [strong(KETAMINE, 50, "mg")]},
}  # fmt: skip
OTHER: dict[str, dict[str, Any]] = {
    "a bag": {"amount": ratio(50, "mg", 500)},
    "per cent": {"ingredient": [KETAMINE | {"strength": {"numerator": quantity(1, "%")}}]},
    "per bag": {"ingredient": [strong(KETAMINE, 50, "mg", 1, "{bag}")]},
    "a mass per vial": {"amount": ratio(500, "mg", 1, "{vial}")},
    "the ingredient that is ours": {"ingredient": [strong(SALT, 50, "mg"), strong(KETAMINE, 10, "mg")]},
    "none that is known to be ours": {"ingredient": [strong(SALT, 9, "mg"), strong({"itemCodeableConcept": {"text": "base"}}, 50, "mg")]},
    "two strengths of ours": {"ingredient": [strong(KETAMINE, 50, "mg"), strong(BY_CODE, 10, "mg")]},
    "amount against ingredient": {"amount": ratio(10, "mg"), "ingredient": [strong(KETAMINE, 50, "mg")]},
    "without a unit that is UCUM": {"ingredient": [KETAMINE | {"strength": {"numerator": {"value": 50, "unit": "mg"}, "denominator": quantity(1, "mL")}}]},
    "nothing per mL": {"ingredient": [strong(KETAMINE, 0, "mg")]},
    "units of activity": {"ingredient": [strong(KETAMINE, 50, "[iU]")]},
    "per cent of a millilitre": {"ingredient": [strong(KETAMINE, 5, "%", 1, "mL")]},
    "an amount without a numerator": {"amount": {"denominator": quantity(1, "mL")}},
}  # fmt: skip


@pytest.mark.parametrize("said", SAME.values(), ids=SAME)
def test_a_strength_that_agrees(said: dict[str, Any]) -> None:
    held = {"Medication/M1": {"resourceType": "Medication", "id": "M1", "code": VIAL_50, **said}}
    body = event(administration(GIVEN, view(held)))
    assert (body["dose_mg"], body["quantity"]) == ("12500", "250")


@pytest.mark.parametrize("said", OTHER.values(), ids=OTHER)
def test_a_strength_that_differs_or_cannot_be_read(said: dict[str, Any]) -> None:
    held = {"Medication/M1": {"resourceType": "Medication", "id": "M1", "code": VIAL_50, **said}}
    assert "strength" in wrong(administration(GIVEN, view(held)))[PLACE]


def test_per_cent_of_a_device_is_no_strength() -> None:
    """Per cent is mass in volume, and a device is counted."""
    held = {
        "Medication/M1": {
            "resourceType": "Medication",
            "code": SPRAVATO,
            "ingredient": [KETAMINE | {"strength": PER_CENT_ALONE}],
        }
    }
    assert PLACE in wrong(administration(GIVEN | {"dosage": DOSE["dosage"]}, view(held)))


def test_the_strength_of_a_compounded_bag_is_read() -> None:
    """Its own amount is the only place that tells it."""
    troche = {
        "resourceType": "Medication",
        "code": concept(SITE_SYSTEM, "TROCHE"),
        "amount": ratio(100, "mg", 1, "{troche}"),
    }
    dosage = {"route": concept("http://snomed.info/sct", "37839007"), "dose": quantity(2, "{troche}")}
    assert (
        event(administration(GIVEN | {"dosage": dosage}, view({"Medication/M1": troche})))["dose_mg"] == "200"
    )
