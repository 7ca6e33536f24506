"""Observation: vital signs, scores and laboratory results, told apart by LOINC code. docs/fhir.md has the tables."""

from __future__ import annotations

from typing import Final

from compliance.intake.fhir import labs, scores, vitals
from compliance.intake.fhir.sketch import NotOurs, Resource, Sketch
from compliance.intake.fhir.view import View, put_entered_at
from compliance.intake.fhir.visits import is_treatment, staff_among, type_of

ANOTHER: Final = NotOurs("an observation of another kind")
NOT_YET: Final = NotOurs("an observation that is not final; a later version comes")
CANCELLED: Final = NotOurs("an observation that was cancelled")
NOT_OF_A_PATIENT: Final = NotOurs("an observation that is not about a patient")

_CODES: Final = frozenset((*vitals.CODES, *scores.CODES, *labs.CODES))
_RESULTS: Final = ("final", "amended", "corrected")
_PASSED: Final = {"registered": NOT_YET, "preliminary": NOT_YET, "cancelled": CANCELLED}
_IN_SESSION: Final = frozenset(("pre_dose", "during", "about_40_min", "pre_discharge"))


def observation(resource: Resource, view: View) -> list[Sketch] | NotOurs:
    """The events of an Observation of the kinds that the vocabulary knows."""
    made = _events(resource, view)
    if isinstance(made, NotOurs):
        return made
    for sketch in made:
        _complete(sketch, view)
        if resource.get("status") not in _RESULTS:
            sketch.wrong(
                "status", "nobody knows whether this is a result", "Send it as final, or as entered-in-error."
            )
    return made


def _events(resource: Resource, view: View) -> list[Sketch] | NotOurs:
    code = vitals.loinc(resource.get("code"), _CODES)
    if code is None:
        return ANOTHER
    status = resource.get("status")
    if status in _PASSED:
        return _PASSED[status]
    if "focus" in resource or type_of(resource.get("subject"), view) not in (None, "Patient"):
        return NOT_OF_A_PATIENT
    if code in vitals.CODES:
        return vitals.vital_signs(resource, view)
    return (
        scores.score(resource, code, view) if code in scores.CODES else labs.lab_result(resource, code, view)
    )


def _complete(sketch: Sketch, view: View) -> None:
    resource = sketch.resource
    actor = staff_among(resource.get("performer"), view)
    view.envelope(sketch, patient="subject", encounter="encounter", actor=actor, actor_path="performer")
    if sketch.fields.get("point") not in _IN_SESSION and not is_treatment(resource.get("encounter"), view):
        sketch.fields.pop("session", None)  # another kind of visit
    if "issued" in resource:
        sketch.put("entered_at", resource["issued"], "issued")
    else:
        put_entered_at(sketch)
