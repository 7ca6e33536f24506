"""Observation: vital signs, scores and laboratory results, told apart by LOINC code. docs/fhir.md has the tables."""

from __future__ import annotations

from typing import Final

from compliance.intake.fhir.sketch import NotOurs, Resource, Sketch
from compliance.intake.fhir.view import View
from compliance.intake.fhir.vitals import PANELS, READINGS, loinc, vital_signs

ANOTHER: Final = NotOurs("an observation of another kind")
NOT_YET: Final = NotOurs("an observation that is not final; a later version comes")
CANCELLED: Final = NotOurs("an observation that was cancelled")

_RESULTS: Final = ("final", "amended", "corrected")
_PASSED: Final = {"registered": NOT_YET, "preliminary": NOT_YET, "cancelled": CANCELLED}


def observation(resource: Resource, view: View) -> list[Sketch] | NotOurs:
    """The events of an Observation of the kinds that the vocabulary knows."""
    if loinc(resource.get("code"), PANELS) is None and loinc(resource.get("code"), READINGS) is None:
        return ANOTHER
    status = resource.get("status")
    if status in _PASSED:
        return _PASSED[status]
    made = vital_signs(resource, view)
    if isinstance(made, NotOurs):
        return made
    for sketch in made:
        _complete(sketch, view)
        if status not in _RESULTS:
            sketch.wrong(
                "status", "nobody knows whether this is a result", "Send it as final, or as entered-in-error."
            )
    return made


def _complete(sketch: Sketch, view: View) -> None:
    resource = sketch.resource
    performers = resource.get("performer", ())
    actor = next((one for one in performers if view.staff(one) is not None), None)
    view.envelope(sketch, patient="subject", encounter="encounter", actor=actor, actor_path="performer")
    sketch.put("entered_at", resource.get("issued"), "issued")
