"""Routes by code; by vein, infusion or bolus is told or asked for."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.intake.fhir.administrations import administration
from compliance.intake.fhir.routes import METHODS, ROUTES, V3_ROUTE, VEIN
from compliance.intake.fhir.view import SNOMED
from tests.fhir_doses import DOSE, NASAL, concept, event, quantity, view, wrong
from tests.fhir_doses import VEIN as BY_VEIN

PLACE = "MedicationAdministration.dosage.route"
PUSH, FLOW = (
    concept(*next(code for code in METHODS if METHODS[code] == way)) for way in ("iv_bolus", "iv_infusion")
)


def dose(**dosage: Any) -> dict[str, Any]:
    return DOSE | {"dosage": {"dose": quantity(28, "mg"), **dosage}}


@pytest.mark.parametrize(
    ("code", "route"), [(code, route) for code, route in ROUTES.items() if route != VEIN]
)
def test_every_route(code: Any, route: str) -> None:
    """Each code that is known."""
    assert event(administration(dose(route=concept(*code)), view()))["route"] == route


@pytest.mark.parametrize("code", [code for code, route in ROUTES.items() if route == VEIN])
@pytest.mark.parametrize(
    ("more", "route"),
    [
        ({"method": PUSH}, "iv_bolus"), ({"method": FLOW}, "iv_infusion"), ({"rateQuantity": quantity(1, "mL/h")}, "iv_infusion"),
        ({"rateRatio": {}}, "iv_infusion"), ({"method": PUSH, "rateQuantity": quantity(1, "mL/min")}, "iv_bolus"),
    ],
)  # fmt: skip
def test_by_vein_and_how(code: Any, more: dict[str, Any], route: str) -> None:
    """The method says it, or else a rate."""
    assert event(administration(dose(route=concept(*code), **more), view()))["route"] == route


@pytest.mark.parametrize(
    "dosage",
    [
        {"route": BY_VEIN},
        {"route": BY_VEIN, "method": {"text": "push"}},
        {"route": BY_VEIN, "method": {"coding": PUSH["coding"] + FLOW["coding"]}},
        {"route": concept(SNOMED, "37161004")},
        {"route": concept(V3_ROUTE, "IVFLUSH")},
        {"route": concept("urn:x", "46713006")},
        {"route": {"text": "intranasal"}},
        {"route": {"coding": NASAL["coding"] + concept(V3_ROUTE, "IM")["coding"]}},
        {},
    ],
)
def test_a_route_that_is_not_told_is_objected_to(dosage: dict[str, Any]) -> None:
    """By vein and no more, rectal, a code of another system, words, two at once, none."""
    assert list(wrong(administration(dose(**dosage), view()))) == [PLACE]


def test_a_code_that_says_more_wins_over_the_vein() -> None:
    """SNOMED CT for the vein and v3 for the bolus are one route."""
    both = {"coding": BY_VEIN["coding"] + concept(V3_ROUTE, "IVPUSH")["coding"]}
    assert event(administration(dose(route=both), view()))["route"] == "iv_bolus"
