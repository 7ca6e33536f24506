"""Encounter: sessions that were called off, and how the patient left."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.intake.fhir.encounters import CANCELLED, DISPOSITION, encounter
from compliance.intake.fhir.view import LOINC, SNOMED
from tests.fhir_doses import AT, LATER, VISIT, concept, event, reason, view, wrong

PLACE = "Encounter"
STAFF = {
    "participant": [
        {"individual": {"reference": "RelatedPerson/X"}},
        {"individual": {"reference": "Practitioner/RN-A3"}},
    ]
}
SESSION = VISIT | STAFF | {
    "type": [concept(SNOMED, "SESSION")], "subject": {"reference": "Patient/P1"}, "period": {"start": AT, "end": LATER},
    "location": [{"location": {"reference": "Location/L1"}}],
}  # fmt: skip
OFF = SESSION | {"status": "cancelled", "appointment": [{"reference": "Appointment/A1"}]}


def booked(**appointment: Any) -> dict[str, Any]:
    return {"Appointment/A1": {"resourceType": "Appointment", "start": AT, **appointment}}


@pytest.mark.parametrize(
    "ours",
    [
        {"type": [{"text": "x"}, concept(SNOMED, "SESSION")]},
        {"type": [], "serviceType": concept(LOINC, "SESSION")},
        {"type": [], "class": {"system": SNOMED, "code": "SESSION"}},
    ],
)
def test_visits_of_ours_by_code(ours: dict[str, Any]) -> None:
    """By type, service type or class."""
    assert reason(encounter(SESSION | ours, view())) == "a visit without a discharge disposition"


def test_visits_of_ours_by_a_dose() -> None:
    """A visit at which a dose was given is one; any other is passed over."""
    assert reason(encounter(VISIT, view())) == "a visit that is no treatment session"
    assert (
        reason(encounter(VISIT, view(dosed=frozenset({"Encounter/V1"}))))
        == "a visit without a discharge disposition"
    )


@pytest.mark.parametrize("status", ["planned", "arrived", "triaged", "in-progress", "onleave"])
def test_a_visit_that_is_not_over_is_passed_over(status: str) -> None:
    """Nothing is known of its end."""
    assert reason(encounter(SESSION | {"status": status}, view())) == "a visit that is not over"


@pytest.mark.parametrize("status", ["unknown", None])
def test_a_status_that_tells_nothing_is_objected_to(status: str | None) -> None:
    """A session of ours may have been missed."""
    assert f"{PLACE}.status" in wrong(encounter(SESSION | {"status": status}, view()))


@pytest.mark.parametrize(
    ("appointment", "stage", "cause"),
    [
        ({"status": "noshow"}, "missed", "patient_no_show"),
        ({"status": "cancelled", "cancelationReason": concept(CANCELLED, "pat")}, "cancelled_before_dose", "patient_request"),
        ({"status": "cancelled", "cancelationReason": concept(CANCELLED, "prov")}, "cancelled_before_dose", "other"),
    ],
)  # fmt: skip
def test_a_session_that_was_called_off(appointment: dict[str, Any], stage: str, cause: str) -> None:
    """Why is on the Appointment."""
    assert event(encounter(OFF, view(booked(**appointment), site=None))) == {
        "id": "Encounter-V1", "kind": "session_stop", "occurred_at": LATER, "site": "SITE-A", "actor": "RN-A3", "patient": "PT-1",
        "session": "V1", "stage": stage, "cause": cause, "source": "FHIR Encounter",
    }  # fmt: skip


def test_a_visit_that_never_began_is_dated_by_its_appointment() -> None:
    """It has no period of its own."""
    never = {key: value for key, value in OFF.items() if key != "period"}
    assert event(encounter(never, view(booked(status="noshow"))))["occurred_at"] == AT


def test_why_a_visit_was_called_off_is_not_made_up() -> None:
    """Without the Appointment nothing says it; what the reference means must be one."""
    for around in (
        {},
        booked(status="cancelled"),
        {"Appointment/A1": {"resourceType": "Slot", "status": "noshow"}},
    ):
        assert list(wrong(encounter(OFF, view(around)))) == [f"{PLACE}.appointment"]


def test_a_cancelled_visit_with_a_dose_is_objected_to() -> None:
    """One of the two is wrong."""
    said = encounter(OFF, view(booked(status="noshow"), dosed=frozenset({"Encounter/V1"})))
    assert list(wrong(said)) == [f"{PLACE}.status"]


@pytest.mark.parametrize(
    ("code", "disposition"),
    [("home", "home"), ("alt-home", "home"), ("aadvice", "against_advice"), ("hosp", None)],
)
def test_how_a_patient_left_is_ours_and_incomplete(code: str, disposition: str | None) -> None:
    """What R4 cannot say is asked for."""
    said = encounter(
        SESSION | {"hospitalization": {"dischargeDisposition": concept(DISPOSITION, code)}}, view()
    )
    assert isinstance(said, list)
    assert said[0].kind == "discharge"
    assert said[0].fields.get("disposition") == disposition
    places = [f"{PLACE}.hospitalization"]
    assert (
        list(wrong(said)) == places
        if disposition
        else [*places, f"{PLACE}.hospitalization.dischargeDisposition"]
    )
