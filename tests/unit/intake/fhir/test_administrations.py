"""MedicationAdministration: what it says of a dose, element by element."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.domain.event import Event
from compliance.intake.fhir.administrations import CAUSES, administration
from compliance.intake.fhir.performers import FUNCTION
from compliance.intake.fhir.view import SNOMED
from tests.fhir_doses import (
    AT,
    DOSE,
    LATER,
    ORDER,
    VEIN,
    VIAL_50,
    concept,
    event,
    made,
    quantity,
    reason,
    view,
    wrong,
)

PLACE = "MedicationAdministration"
NURSE = {"reference": "Practitioner/RN-A3"}
DOCTOR = {"reference": "PractitionerRole/R1"}
ROLE = {
    "PractitionerRole/R1": {
        "resourceType": "PractitionerRole",
        "practitioner": {"reference": "Practitioner/MD-A1"},
    }
}
PATIENT = {"reference": "Patient/P1"}


def performer(actor: dict[str, str], function: str | None = None) -> dict[str, Any]:
    return {"actor": actor} if function is None else {"actor": actor, "function": concept(FUNCTION, function)}


def test_a_completed_dose_becomes_an_administration() -> None:
    """The thinnest whole resource."""
    assert event(administration(DOSE, view())) == {
        "id": "MedicationAdministration-MA1", "kind": "administration", "occurred_at": AT, "completed_at": LATER,
        "site": "SITE-A", "actor": "RN-A3", "patient": "PT-1", "session": "V1", "drug": "esketamine_nasal_28mg",
        "encounter_class": "outpatient", "route": "intranasal", "dose_mg": "28", "quantity": "1", "quantity_unit": "device",
        "observer": "RN-A3", "source": "FHIR MedicationAdministration",
    }  # fmt: skip


@pytest.mark.parametrize("status", ["completed", "in-progress", "on-hold"])
def test_a_dose_that_has_begun_is_an_administration(status: str) -> None:
    """As far as known: its end may not be told yet."""
    begun = DOSE | {"status": status, "effectivePeriod": {"start": AT}}
    assert "completed_at" not in event(administration(begun, view()))


@pytest.mark.parametrize("status", ["unknown", "given", None])
def test_a_status_that_tells_nothing_is_objected_to(status: str | None) -> None:
    """Neither is a dose claimed nor is it passed over."""
    assert list(wrong(administration(DOSE | {"status": status}, view()))) == [f"{PLACE}.status"]


def test_a_dose_that_was_stopped_is_a_dose_and_a_stop() -> None:
    """Each with its own id, the stop at the end of the period."""
    stopped = DOSE | {
        "status": "stopped",
        "statusReason": [concept(SNOMED, "105480006") | {"text": "felt sick"}],
    }
    dose, stop = made(administration(stopped, view()))
    assert isinstance(dose, Event)
    assert isinstance(stop, Event)
    assert (dose.id, dose.kind) == ("MedicationAdministration-MA1", "administration")
    assert {name: stop.body[name] for name in ("id", "kind", "occurred_at", "stage", "cause", "reason", "session")} == {
        "id": "MedicationAdministration-MA1-stop", "kind": "session_stop", "occurred_at": LATER, "stage": "stopped_during",
        "cause": "patient_request", "reason": "felt sick", "session": "V1",
    }  # fmt: skip


def test_when_a_dose_was_stopped_is_not_taken_from_when_it_began() -> None:
    """A moment without a period does not tell it; the dose itself stands."""
    stopped = {key: value for key, value in DOSE.items() if key != "effectivePeriod"}
    stopped |= {"status": "stopped", "effectiveDateTime": AT, "statusReason": [{"text": "nausea"}]}
    dose, stop = made(administration(stopped, view()))
    assert isinstance(dose, Event)
    assert isinstance(stop, dict)
    assert list(stop) == [f"{PLACE}.effective"]


@pytest.mark.parametrize(
    ("reasons", "cause"),
    [
        *(([concept(*code)], cause) for code, cause in CAUSES.items()),
        ([concept("http://terminology.hl7.org/CodeSystem/reason-medication-not-given", "b")], "other"),
        ([{"text": "pump broke"}], "other"),
    ],
)
def test_a_dose_not_given_is_a_stop_before_it(reasons: list[Any], cause: str) -> None:
    """Its cause by the code of its reason; one for which the vocabulary has no word is other."""
    body = event(administration(DOSE | {"status": "not-done", "statusReason": reasons}, view()))
    assert (body["kind"], body["stage"], body["cause"]) == ("session_stop", "cancelled_before_dose", cause)
    assert body["id"] == "MedicationAdministration-MA1-stop"


def test_a_stop_without_a_reason_or_with_two_is_objected_to() -> None:
    """No cause is made up, and none is chosen."""
    not_done = DOSE | {"status": "not-done"}
    two = [concept(SNOMED, "242990004"), concept(SNOMED, "105480006")]
    assert list(wrong(administration(not_done, view()))) == [f"{PLACE}.statusReason"]
    assert list(wrong(administration(not_done | {"statusReason": two}, view()))) == [f"{PLACE}.statusReason"]


@pytest.mark.parametrize(
    ("performers", "given_by", "observer", "actor"),
    [
        ([performer(NURSE)], None, "RN-A3", "RN-A3"),
        ([performer(NURSE, "performer")], "staff", "RN-A3", "RN-A3"),
        ([performer(PATIENT, "performer"), performer(NURSE, "witness")], "patient_self", "RN-A3", "RN-A3"),
        ([performer(PATIENT), performer(DOCTOR, "verifier")], "patient_self", None, "MD-A1"),
        ([performer(DOCTOR, "verifier"), performer(NURSE)], None, "RN-A3", "RN-A3"),
        ([performer({"reference": "RelatedPerson/X"}), performer(NURSE, "witness")], None, "RN-A3", "RN-A3"),
        ([performer(DOCTOR, "scribe")], None, None, "MD-A1"),
    ],
)
def test_performers(performers: list[Any], given_by: str | None, observer: str | None, actor: str) -> None:
    """Whose hand, who watched, who entered it; a verifier neither gave nor watched, and nobody is made supervisor."""
    body = event(administration(DOSE | {"performer": performers}, view(ROLE)))
    assert (body.get("given_by"), body.get("observer"), body["actor"]) == (given_by, observer, actor)
    assert "supervisor" not in body


def test_a_dose_without_staff_is_objected_to() -> None:
    """Somebody of the site must answer for the entry."""
    assert list(wrong(administration(DOSE | {"performer": [performer(PATIENT)]}, view()))) == [
        f"{PLACE}.performer.actor"
    ]


@pytest.mark.parametrize(
    ("around", "name"), [({}, "order"), ({"MedicationRequest/MR1": ORDER}, "order"),
    ({"MedicationRequest/MR1": ORDER | {"dispenseRequest": {}}}, "prescription")],
)  # fmt: skip
def test_what_the_dose_was_given_under(around: dict[str, Any], name: str) -> None:
    """A request is an order, unless the input shows that it is a prescription."""
    body = event(administration(DOSE | {"request": {"reference": "MedicationRequest/MR1"}}, view(around)))
    assert [body.get("order"), body.get("prescription")] == (
        ["MR1", None] if name == "order" else [None, "MR1"]
    )


@pytest.mark.parametrize("day", ["2026-03-02", "2026-03", "2026"])
def test_a_day_is_no_moment(day: str) -> None:
    """A dose without its time cannot be judged."""
    plain = {key: value for key, value in DOSE.items() if key != "effectivePeriod"}
    assert list(wrong(administration(plain | {"effectiveDateTime": day}, view()))) == [f"{PLACE}.effective"]
    assert list(wrong(administration(plain, view()))) == [f"{PLACE}.effective"]


@pytest.mark.parametrize(
    ("visit", "category", "said"),
    [
        ("EMER", None, "emergency_department"), ("IMP", None, "inpatient"), ("ACUTE", None, "inpatient"),
        ("NONAC", None, "inpatient"), ("HH", None, "home"), ("FLD", None, "other"), ("OBSENC", None, "other"), ("SS", None, "other"),
        ("VR", None, None), ("PRENC", None, None), ("VR", "outpatient", "outpatient"), (None, "inpatient", "inpatient"),
        (None, "community", None), ("EMER", "inpatient", "emergency_department"), (None, None, None),
    ],
)  # fmt: skip
def test_where_it_was_given(visit: str | None, category: str | None, said: str | None) -> None:
    """By the class of the visit, else by the category; a site alone does not tell."""
    known = (
        {}
        if visit is None
        else {"class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": visit}}
    )
    around = {"Encounter/V1": {"resourceType": "Encounter", "id": "V1", **known}}
    dose = DOSE | (
        {}
        if category is None
        else {
            "category": concept("http://terminology.hl7.org/CodeSystem/medication-admin-category", category)
        }
    )
    if said is None:
        assert list(wrong(administration(dose, view(around)))) == [f"{PLACE}.context"]
    else:
        assert event(administration(dose, view(around)))["encounter_class"] == said


def test_a_session_is_one_visit() -> None:
    """An episode of care is none; neither is nothing."""
    for context in ({"reference": "EpisodeOfCare/1"}, None):
        assert f"{PLACE}.context" in wrong(administration(DOSE | {"context": context}, view()))
    assert event(administration(DOSE | {"context": {"reference": "https://x.org/fhir/Encounter/V7/_history/2"},
        "category": concept("http://terminology.hl7.org/CodeSystem/medication-admin-category", "outpatient")}, view()))["session"] == "V7"  # fmt: skip


def test_the_site_is_that_of_the_visit_else_the_one_that_was_said() -> None:
    """Without either there is none."""
    stay = {
        "Encounter/V1": view().resolve("Encounter/V1")
        | {"location": [{"location": {"reference": "Location/L1"}}]}
    }  # type: ignore[operator]
    assert event(administration(DOSE, view(stay, site=None)))["site"] == "SITE-A"
    assert list(wrong(administration(DOSE, view(site=None)))) == [f"{PLACE}.context.location"]


def test_the_lot_is_that_of_the_medication() -> None:
    """And the medication may be contained."""
    medication = {"resourceType": "Medication", "code": VIAL_50, "batch": {"lotNumber": "L7"}}
    dose = {key: value for key, value in DOSE.items() if key != "medicationCodeableConcept"}
    dose |= {
        "medicationReference": {"reference": "#m"},
        "dosage": {"route": VEIN, "dose": quantity(1, "mL"), "rateQuantity": quantity(1, "mL/h")},
    }
    body = event(administration(dose, view({"#m": medication})))
    assert [body[name] for name in ("lot", "dose_mg", "quantity", "quantity_unit", "route")] == [
        "L7",
        "50",
        "1",
        "ml",
        "iv_infusion",
    ]


def test_lateness_is_judged_by_the_servers_last_change() -> None:
    """Where it tells a moment."""
    assert event(administration(DOSE | {"meta": {"lastUpdated": LATER}}, view()))["entered_at"] == LATER
    assert "entered_at" not in event(administration(DOSE | {"meta": {"lastUpdated": "2026-03-02"}}, view()))


def test_a_unit_of_something_else_is_objected_to_where_the_drug_is_ours() -> None:
    """And passed over with the drug where it is not."""
    patch = DOSE | {"dosage": {"route": NASAL_PATCH, "dose": {"value": 1, "system": "urn:x", "code": "TAB"}}}
    assert set(wrong(administration(patch, view()))) == {f"{PLACE}.dosage.dose", f"{PLACE}.dosage.route"}
    assert (
        reason(administration(patch | {"medicationCodeableConcept": {"text": "nicotine patch"}}, view()))
        == "another drug"
    )


NASAL_PATCH = concept(SNOMED, "45890007")
