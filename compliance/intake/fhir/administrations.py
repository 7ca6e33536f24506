"""MedicationAdministration (FHIR R4) to `administration`; not given or broken off, to `session_stop`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from compliance.domain.codes import Code
from compliance.domain.reading import Unreadable
from compliance.intake.fhir.amounts import given, has_rate
from compliance.intake.fhir.encounters import put_encounter_class
from compliance.intake.fhir.performers import acting, put_performers
from compliance.intake.fhir.requests import is_prescription
from compliance.intake.fhir.routes import put_route
from compliance.intake.fhir.sketch import NotOurs, Resource, Sketch
from compliance.intake.fhir.statuses import unclear
from compliance.intake.fhir.view import SNOMED, View, codes_of, put_entered_at, reference_text
from compliance.intake.fhir.visits import type_of
from compliance.intake.fhir.which_drug import Meant, which_drug

BEGUN: Final = frozenset({"completed", "in-progress", "on-hold"})
"""The statuses of a dose of which some was given. One on hold has begun, halted, and is to go on; a pause is an `infusion` event, which names
the preparation that runs, and no element of FHIR does."""

CAUSES: Final[Mapping[Code, str]] = {
    Code(SNOMED, "182895007"): "patient_request",  # Drug declined by patient
    Code(SNOMED, "182896008"): "patient_request",  # ... dislikes taste
    Code(SNOMED, "182897004"): "patient_request",  # ... side effects
    Code(SNOMED, "182900006"): "patient_request",  # ... patient beliefs
    Code(SNOMED, "182902003"): "patient_request",  # ... cannot pay script
    Code(SNOMED, "182903008"): "patient_request",  # ... reason unknown
    Code(SNOMED, "105480006"): "patient_request",  # Refusal of treatment by patient
    Code(SNOMED, "242990004"): "supply",  # Drug not available for administration
    Code(SNOMED, "183932001"): "contraindication",  # Procedure contraindicated
    Code(SNOMED, "397745006"): "contraindication",  # Medical contraindication
}
"""Why a dose was not given, or broken off (the value set of ``statusReason``, as far as the vocabulary has a word). Any other is `other`."""


def administration(resource: Resource, view: View) -> list[Sketch] | NotOurs:
    """The dose that was given, or the stop of the session in which it was not, or not to its end."""
    meant = which_drug(resource, view)
    if isinstance(meant, NotOurs):
        return meant
    status = resource.get("status")
    if status == "not-done":
        return [_stop(resource, view, meant, "cancelled_before_dose")]
    dose = _dose(resource, view, meant)
    if status == "stopped":
        return [dose, _stop(resource, view, meant, "stopped_during")]
    if status not in BEGUN:
        said = unclear(status, "status", "does not say whether a dose was given")
        dose.wrong("status", said, "Send it again once its status is known.")
    return [dose]


def _dose(resource: Resource, view: View, meant: Meant) -> Sketch:
    sketch = Sketch("administration", resource)
    _put_envelope(sketch, view, meant)
    period = resource.get("effectivePeriod") or {}
    sketch.put("occurred_at", resource.get("effectiveDateTime") or period.get("start"), "effective")
    sketch.put("completed_at", period.get("end"), "effective")
    put_encounter_class(sketch, view)
    put_performers(sketch, view)
    _put_authority(sketch, view)
    meant.put_lot(sketch)
    dosage = resource.get("dosage") or {}
    put_route(sketch, dosage, "dosage", has_rate=has_rate(dosage))
    _put_amount(sketch, dosage, meant)
    return sketch


def _put_envelope(sketch: Sketch, view: View, meant: Meant) -> None:
    resource = sketch.resource
    actor = acting(resource, view)
    view.envelope(sketch, patient="subject", encounter="context", actor=actor, actor_path="performer.actor")
    put_entered_at(sketch)
    if type_of(resource.get("context"), view) == "EpisodeOfCare":
        sketch.fields.pop("session", None)
        said = "an episode of care is many visits, and a session is one"
        sketch.wrong("context", said, "Refer to the Encounter at which the dose was given.")
    meant.put(sketch)


def _put_authority(sketch: Sketch, view: View) -> None:
    """The order, or the prescription, under which it was given."""
    request = sketch.resource.get("request")
    text = reference_text(request)
    found = None if text is None else view.resolve(text)
    name = "prescription" if found is not None and is_prescription(found) else "order"
    sketch.put(name, view.handle(request), "request")


def _put_amount(sketch: Sketch, dosage: Any, meant: Meant) -> None:
    path = (
        "medication" if meant.drug is None else "dosage.dose"
    )  # of a drug that is not known no amount can be told
    sketch.put("dose_mg", None, path)
    sketch.put("quantity", None, path)
    sketch.put("quantity_unit", None if meant.drug is None else meant.drug.stock_unit, "medication")
    if meant.drug is None:
        return
    try:
        amount = given(dosage.get("dose"), meant.drug, meant.strength, is_kit=meant.is_kit)
    except Unreadable as error:
        sketch.wrong("dosage.dose", error.message, error.remedy)
        return
    if meant.strength is None:
        said = "the strength of this compounded product is not told, so milligrams and stock units cannot both be known"
        sketch.wrong("dosage.dose", said, "Send the Medication with its ingredient.strength.")
    sketch.put("dose_mg", amount.dose_mg, "dosage.dose")
    sketch.put("quantity", amount.quantity, "dosage.dose")


def _stop(resource: Resource, view: View, meant: Meant, stage: str) -> Sketch:
    """That a session was called off before the dose, or broken off; not before the end of ``effectivePeriod`` in the second case."""
    sketch = Sketch("session_stop", resource, suffix="-stop")
    _put_envelope(sketch, view, meant)
    period = resource.get("effectivePeriod") or {}
    meant_at = resource.get("effectiveDateTime") or period.get("start")
    sketch.put("occurred_at", period.get("end") if stage == "stopped_during" else meant_at, "effective")
    sketch.put("stage", stage, "status")
    _put_cause(sketch, resource.get("statusReason") or ())
    return sketch


def _put_cause(sketch: Sketch, reasons: Any) -> None:
    known = {CAUSES[code] for reason in reasons for code in codes_of(reason) if code in CAUSES}
    if len(known) > 1:
        sketch.wrong("statusReason", "its codes name different causes", "Send the one that decided.")
    sketch.put("cause", next(iter(known)) if known else "other" if reasons else None, "statusReason")
    texts = (reason.get("text") for reason in reasons)
    sketch.put("reason", next((text for text in texts if isinstance(text, str)), None), "statusReason")
