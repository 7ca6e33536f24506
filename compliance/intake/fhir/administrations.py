"""MedicationAdministration to `administration` and `session_stop`."""

from __future__ import annotations

from typing import Any

from compliance.domain.reading import Unreadable
from compliance.intake.fhir.amounts import given, strength_of
from compliance.intake.fhir.encounters import encounter_class
from compliance.intake.fhir.routes import route_of
from compliance.intake.fhir.sketch import NotOurs, Resource, Sketch
from compliance.intake.fhir.view import View, reference_text
from compliance.intake.fhir.which_drug import Meant, which_drug


def administration(resource: Resource, view: View) -> list[Sketch] | NotOurs:
    """The dose that was given."""
    meant = which_drug(resource, view)
    if isinstance(meant, NotOurs):
        return meant
    return [_dose(resource, view, meant)]


def _dose(resource: Resource, view: View, meant: Meant) -> Sketch:
    sketch = Sketch("administration", resource)
    performers: Any = resource.get("performer") or ({},)
    view.envelope(
        sketch,
        patient="subject",
        encounter="context",
        actor=performers[0].get("actor"),
        actor_path="performer.actor",
    )
    period = resource.get("effectivePeriod") or {}
    sketch.put("occurred_at", resource.get("effectiveDateTime") or period.get("start"), "effective")
    sketch.put("completed_at", period.get("end"), "effective.end")
    meant.put(sketch)
    text = reference_text(resource.get("context"))
    visit = None if text is None else view.resolve(text)
    sketch.put("encounter_class", None if visit is None else encounter_class(visit), "context")
    dosage = resource.get("dosage") or {}
    sketch.put("route", route_of(dosage), "dosage.route")
    _amount(sketch, dosage, meant)
    return sketch


def _amount(sketch: Sketch, dosage: Any, meant: Meant) -> None:
    sketch.put("dose_mg", None, "dosage.dose")
    sketch.put("quantity", None, "dosage.dose")
    sketch.put("quantity_unit", None if meant.drug is None else meant.drug.stock_unit, "medication")
    if meant.drug is None or dosage.get("dose") is None:
        return
    try:
        amount = given(dosage["dose"], meant.drug, strength_of(meant.drug))
    except Unreadable as error:
        sketch.wrong("dosage.dose", error.message, error.remedy)
        return
    sketch.put("dose_mg", amount.dose_mg, "dosage.dose")
    sketch.put("quantity", amount.quantity, "dosage.dose")
