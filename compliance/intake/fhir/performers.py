"""Who gave a dose, who watched, whose hand it was: the performers of a MedicationAdministration."""

from __future__ import annotations

from typing import Any, Final

from compliance.intake.fhir.sketch import Resource, Sketch
from compliance.intake.fhir.view import View, codes_of
from compliance.intake.fhir.visits import staff_among, type_of

FUNCTION: Final = "http://terminology.hl7.org/CodeSystem/med-admin-perform-function"

FUNCTIONS: Final = ("performer", "witness", "verifier")
"""All functions of R4, those first who are nearest to the dose."""


def acting(resource: Resource, view: View) -> Any:
    """The reference to the one who acted: the first performer who is staff, those before the others who gave or watched the dose."""
    nearest = [one for function in FUNCTIONS for one in _with(resource, function)]
    others = [performer.get("actor") for performer in resource.get("performer") or ()]
    return staff_among([*nearest, *others], view)


def put_performers(sketch: Sketch, view: View) -> None:
    """Set `given_by` and `observer`.

    The hand is told by a Patient who performs, or by staff whose function says performer; staff without a function may have
    watched. A verifier checks the order, so neither gave it nor is answerable on site (`supervisor` has no place in FHIR).
    """
    resource = sketch.resource
    doers = _with(resource, "performer")
    hand = None
    if any(type_of(one, view) == "Patient" for one in doers):
        hand = "patient_self"
    elif any(view.staff(one) is not None for one in _with(resource, "performer", told=True)):
        hand = "staff"
    sketch.put("given_by", hand, "performer.function")
    watching = staff_among([*doers, *_with(resource, "witness")], view)
    sketch.put("observer", view.staff(watching), "performer.actor")


def _with(resource: Resource, function: str, *, told: bool = False) -> list[Any]:
    """The actors with a function; whoever has none performed (R4, ``performer``), unless it must be `told`."""
    found = []
    for performer in resource.get("performer") or ():
        known = {code.code for code in codes_of(performer.get("function")) if code.system == FUNCTION}
        if function in known or (function == "performer" and not told and performer.get("function") is None):
            found.append(performer.get("actor"))
    return found
