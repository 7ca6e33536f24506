"""Observations: which become events, with what in them."""

from __future__ import annotations

from compliance.domain.codes import Codes
from compliance.domain.event import Event
from compliance.domain.quantity import NumberText
from compliance.domain.time import parse_instant
from compliance.errors import Place
from compliance.intake.fhir.observations import observation
from compliance.intake.fhir.view import View

DOSE = parse_instant("2026-03-02T10:00:00-06:00")


def view() -> View:
    return View(Codes(), lambda _: None, lambda said: "PT-1", lambda said: DOSE, site="SITE-A")


def test_a_blood_pressure_is_one_event() -> None:
    """Both figures of a panel in one event, at the point that the first dose tells."""

    def component(code: str, value: str) -> dict[str, object]:
        quantity = {"value": NumberText(value), "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}
        return {"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "valueQuantity": quantity}

    resource = {
        "resourceType": "Observation", "id": "bp", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
        "subject": {"reference": "Patient/1"}, "encounter": {"reference": "Encounter/9"},
        "effectiveDateTime": "2026-03-02T10:40:00-06:00", "performer": [{"reference": "Practitioner/RN-1"}],
        "component": [component("8480-6", "142"), component("8462-4", "88.0")],
    }  # fmt: skip
    made = observation(resource, view())
    assert isinstance(made, list)
    event = made[0].finished(Place("in.json", 1))
    assert isinstance(event, Event), event
    assert event.body["point"] == "about_40_min"
    assert (event.body["systolic_mmhg"], event.body["diastolic_mmhg"]) == (142, 88)
