"""MedicationAdministration: what it says of a dose, element by element."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compliance.domain.codes import Codes
from compliance.domain.event import Event
from compliance.errors import Place
from compliance.intake.fhir.administrations import administration
from compliance.intake.fhir.sketch import NotOurs, Sketch
from compliance.intake.fhir.view import View

VISIT = {
    "resourceType": "Encounter", "id": "V1", "status": "finished",
    "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
}  # fmt: skip
DOSE = {
    "resourceType": "MedicationAdministration", "id": "MA1", "status": "completed",
    "medicationCodeableConcept": {"coding": [{"system": "http://hl7.org/fhir/sid/ndc", "code": "50458-028-02"}]},
    "subject": {"reference": "Patient/P1"}, "context": {"reference": "Encounter/V1"},
    "effectivePeriod": {"start": "2026-03-02T10:20:00-06:00", "end": "2026-03-02T10:21:00-06:00"},
    "performer": [{"actor": {"reference": "Practitioner/RN-A3"}}],
    "dosage": {
        "route": {"coding": [{"system": "http://snomed.info/sct", "code": "46713006"}]},
        "dose": {"value": 28, "system": "http://unitsofmeasure.org", "code": "mg"},
    },
}  # fmt: skip


def view(**around: Mapping[str, Any]) -> View:
    """A view of SITE-A with a visit, and with what is given by reference."""
    known = {"Encounter/V1": VISIT, **around}
    return View(Codes(), known.get, lambda _: "PT-1", lambda _: None, frozenset({"SITE-A"}), "SITE-A")


def only(said: list[Sketch] | NotOurs) -> Event:
    assert isinstance(said, list), said
    (sketch,) = said
    made = sketch.finished(Place("x.json", 1))
    assert isinstance(made, Event), made
    return made


def test_a_completed_dose_becomes_an_administration() -> None:
    """The thinnest whole resource."""
    assert only(administration(DOSE, view())).body == {
        "id": "MedicationAdministration-MA1", "kind": "administration", "occurred_at": "2026-03-02T10:20:00-06:00",
        "completed_at": "2026-03-02T10:21:00-06:00", "site": "SITE-A", "actor": "RN-A3", "patient": "PT-1", "session": "V1",
        "drug": "esketamine_nasal_28mg", "encounter_class": "outpatient", "route": "intranasal", "dose_mg": "28", "quantity": "1",
        "quantity_unit": "device", "source": "FHIR MedicationAdministration",
    }  # fmt: skip
