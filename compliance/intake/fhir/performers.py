"""Who gave a dose, who watched, whose hand it was: the performers of a MedicationAdministration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from compliance.domain.codes import Code
from compliance.intake.fhir.sketch import Resource, Sketch
from compliance.intake.fhir.view import View, codes_of, reference_text

FUNCTION: Final = "http://terminology.hl7.org/CodeSystem/med-admin-perform-function"


def acting(resource: Resource, view: View) -> Any:
    """The reference to the one who acted: the first performer who is staff, those before the others who gave or watched the dose."""
    performers = [*_with(resource, "performer"), *_with(resource, "witness"), *_with(resource, "verifier")]
    return next(
        (one for one in performers if view.staff(one) is not None), performers[0] if performers else None
    )


def put_performers(sketch: Sketch, view: View) -> None:
    """Set `given_by` and `observer`.

    The hand is told by a Patient who performs, or by staff whose function says performer; staff without a function may have
    watched. A verifier checks the order, so neither gave it nor is answerable on site (`supervisor` has no place in FHIR).
    """
    resource = sketch.resource
    doers = _with(resource, "performer")
    hand = None
    if any(_is_patient(one, resource, view) for one in doers):
        hand = "patient_self"
    elif any(view.staff(one) is not None for one in _with(resource, "performer", told=True)):
        hand = "staff"
    sketch.put("given_by", hand, "performer.function")
    watching = (view.staff(one) for one in (*doers, *_with(resource, "witness")))
    sketch.put("observer", next((one for one in watching if one is not None), None), "performer.actor")


def _with(resource: Resource, function: str, *, told: bool = False) -> list[Any]:
    """The actors with a function; whoever has none that is known performed, unless it must be `told`."""
    found = []
    for performer in resource.get("performer") or ():
        known = {code.code for code in codes_of(performer.get("function")) if code.system == FUNCTION}
        if function in known or (function == "performer" and not told and not known & _KNOWN):
            found.append(performer.get("actor"))
    return found


_KNOWN: Final = frozenset(
    code.code for code in (Code(FUNCTION, "performer"), Code(FUNCTION, "verifier"), Code(FUNCTION, "witness"))
)


def _is_patient(reference: Any, resource: Mapping[str, Any], view: View) -> bool:
    text = reference_text(reference)
    if text is None:
        return False
    found = view.resolve(text) or {}
    return (
        text == reference_text(resource.get("subject"))
        or found.get("resourceType") == "Patient"
        or "Patient/" in text
    )
