"""Consent and AdverseEvent."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from compliance.intake.fhir.adverse_events import adverse_event
from compliance.intake.fhir.consents import consent
from compliance.intake.fhir.indications import OURS
from tests.clinical_records import KETAMINE, concept, outcome, snomed, view

SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
AE = "http://terminology.hl7.org/CodeSystem/adverse-event-"
SPRAY, INJECTION = concept("SPR", "urn:ehr"), {"coding": [KETAMINE]}
TRD, VEIN = concept("trd", OURS), snomed("47625008")


def agreed(*codes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An active consent to the nasal spray, for resistant depression."""
    made: dict[str, Any] = {
        "resourceType": "Consent", "id": "c1", "status": "active", "scope": concept("treatment", SCOPE), "category": [concept("59284-0")],
        "patient": {"reference": "Patient/1"}, "dateTime": "2026-02-26T10:55:12-06:00", "performer": [{"reference": "Practitioner/MD-1"}],
        "policy": [{"uri": "https://clinic.example/consent/2025-11"}], "provision": {"code": list(codes or (SPRAY, TRD))},
    }  # fmt: skip
    return made | more


def test_a_consent_to_a_drug_of_ours() -> None:
    """Drug, the route that the drug has, indication and text by code; signatures have no element, and stay open."""
    assert outcome(consent, agreed(sourceAttachment={"data": "c2lnbmVk"})) == {
        "id": "Consent-c1", "kind": "consent", "site": "SITE-A", "actor": "MD-1", "patient": "PT-1", "source": "FHIR Consent",
        "occurred_at": "2026-02-26T10:55:12-06:00", "drug": "esketamine_nasal_28mg", "consent": "c1", "action": "given",
        "form_version": "https://clinic.example/consent/2025-11", "route_covered": ["intranasal"], "indication_covered": "trd",
        "document_sha256": sha256(b"signed").hexdigest(),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"status": "active", "provision": {"type": "permit", "code": [SPRAY, TRD]}}, "given"),
        ({"status": "active", "provision": {"type": "deny", "code": [SPRAY, TRD]}}, "withdrawn"),
        ({"status": "draft"}, "a consent that was not given"),
        ({"status": "proposed"}, "a consent that was not given"),
        ({"status": "rejected"}, "a consent that was not given"),
        ({"status": None}, ["Consent.status"]),
        ({"scope": concept("patient-privacy", SCOPE)}, "a consent to something other than treatment"),
        ({"scope": concept("research", SCOPE)}, "a consent to something other than treatment"),
        ({"scope": {"text": "treatment"}}, "a consent to something other than treatment"),
        ({"provision": {"code": [snomed("80146002")]}}, "a consent to another treatment"),
        ({"provision": {}}, "a consent to another treatment"),
        ({"dateTime": "2026-02-26"}, ["Consent.dateTime"]),
        ({"policy": []}, ["Consent.policy"]),
        ({"policy": [{"uri": "a"}, {"uri": "b"}]}, ["Consent.policy"]),
        (
            {"provision": {"code": [SPRAY, TRD], "provision": [{"type": "deny"}]}},
            ["Consent.provision.provision"],
        ),
        ({"sourceAttachment": {"data": "?"}}, ["Consent.sourceAttachment.data"]),
        ({"performer": [{"reference": "Patient/1"}]}, ["Consent.performer"]),
    ],
)
def test_each_status_and_scope(more: dict[str, Any], expected: Any) -> None:
    """Only what is in force, is about treatment and names a drug of ours."""
    found = outcome(consent, agreed() | more)
    assert (found["action"] if isinstance(found, dict) else found) == expected


@pytest.mark.parametrize(
    ("codes", "routes", "indication"),
    [
        ((INJECTION, VEIN, concept("F33.2", ICD)), ["iv_infusion", "iv_bolus"], "mdd"),
        ((INJECTION, snomed("78421000"), concept("F43.10", ICD)), ["im"], "ptsd"),
        ((SPRAY, concept("F33.2", ICD), concept("R45.851", ICD)), ["intranasal"], "mdd_acute_si"),
    ],
)
def test_routes_and_indications(
    codes: tuple[dict[str, Any], ...], routes: list[str], indication: str
) -> None:
    """By SNOMED CT and ICD-10-CM."""
    body = outcome(consent, agreed(*codes))
    assert (body["route_covered"], body["indication_covered"]) == (routes, indication)


@pytest.mark.parametrize(
    "codes",
    [
        (INJECTION, TRD),  # into a vein or a muscle: not told
        (SPRAY,),
        (SPRAY, concept("F33.2", ICD)),  # resistant, or with acute ideation: not told
        (SPRAY, concept("mania", OURS)),
        (SPRAY, INJECTION, VEIN, TRD),
        (SPRAY, TRD, concept("F41.1", ICD)),
        (TRD, {"text": "ketamine"}),
    ],
)
def test_what_is_not_covered_by_a_code_is_asked_for(codes: tuple[dict[str, Any], ...]) -> None:
    """Neither the route of an injection nor the indication is supposed."""
    assert set(outcome(consent, agreed(*codes))) == {"Consent.provision.code"}


def test_a_consent_that_ended_is_an_event_of_its_own() -> None:
    """What was given before stands; the end is that of its period, else when the server learnt of it."""
    provision = agreed()["provision"] | {"period": {"end": "2026-03-01T08:00:00-06:00"}}
    ended = outcome(consent, agreed(status="inactive", provision=provision))
    assert (ended["id"], ended["action"], ended["occurred_at"]) == (
        "Consent-c1-withdrawn",
        "withdrawn",
        "2026-03-01T08:00:00-06:00",
    )
    learnt = outcome(consent, agreed(status="inactive", meta={"lastUpdated": "2026-03-01T09:00:00Z"}))
    assert learnt["occurred_at"] == "2026-03-01T09:00:00Z"
    assert outcome(consent, agreed(status="inactive")) == ["Consent.meta.lastUpdated"]


def test_the_site_of_a_consent() -> None:
    """That of its organization by the site's codes; else what the call says; else it is asked for."""
    assert outcome(consent, agreed(organization=[{"reference": "Location/room-1"}]))["site"] == "SITE-B"
    assert outcome(consent, agreed(), view(site=None)) == ["Consent.organization"]


def happened(**more: Any) -> dict[str, Any]:
    """Something that happened at visit 9."""
    made: dict[str, Any] = {
        "resourceType": "AdverseEvent", "id": "a1", "actuality": "actual", "subject": {"reference": "Patient/1"},
        "encounter": {"reference": "Encounter/9"}, "date": "2026-03-02T10:20:00-06:00", "detected": "2026-03-02T10:25:00-06:00",
        "recordedDate": "2026-03-02T11:00:00-06:00", "recorder": {"reference": "Practitioner/RN-1"},
        "event": {"coding": [{"system": "http://snomed.info/sct", "code": "271782001", "display": "Drowsy"}], "text": "told by Mrs X"},
        "seriousness": concept("Non-serious", f"{AE}seriousness"), "severity": concept("mild", f"{AE}severity"),
        "outcome": concept("resolved", f"{AE}outcome"), "suspectEntity": [{"instance": {"reference": "Medication/m"}}],
    }  # fmt: skip
    return {name: value for name, value in (made | more).items() if value is not None}


KET = {"resourceType": "Medication", "id": "m", "code": INJECTION, "batch": {"lotNumber": "L7"}}
OTHER = {"resourceType": "Medication", "id": "m", "code": snomed("372687004")}


def test_an_adverse_event() -> None:
    """With the suspected drug and its lot; the free text stays behind."""
    assert outcome(adverse_event, happened(), view(KET)) == {
        "id": "AdverseEvent-a1", "kind": "adverse_event", "site": "SITE-A", "actor": "RN-1", "patient": "PT-1", "session": "9",
        "source": "FHIR AdverseEvent", "occurred_at": "2026-03-02T10:20:00-06:00", "known_at": "2026-03-02T10:25:00-06:00",
        "entered_at": "2026-03-02T11:00:00-06:00", "episode": "a1", "term": "Drowsy", "category": "sedation", "serious": False,
        "severity": "mild", "outcome": "recovered", "drug": "ketamine_inj_50mg_ml", "lot": "L7",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "serious", "criteria", "severity"),
    [
        ("Non-serious", False, None, "severe"),
        ("non-serious", False, None, "severe"),
        ("Serious", True, None, "severe"),
        ("SeriousResultsInDeath", True, ["death"], "fatal"),
        ("SeriousIsLifeThreatening", True, ["life_threatening"], "life_threatening"),
        ("SeriousResultsInHospitalization", True, ["hospitalisation"], "severe"),
        ("SeriousResultsInDisability", True, ["disability"], "severe"),
        ("SeriousIsBirthDefect", True, None, "severe"),
        ("SeriousRequiresPreventImpairment", True, ["important_medical"], "severe"),
    ],
)
def test_each_seriousness(code: str, serious: bool, criteria: list[str] | None, severity: str) -> None:
    """The tests that a code says are met; what threatened life or ended it is as severe as that."""
    said = happened(
        seriousness=concept(code, f"{AE}seriousness"), severity=concept("severe", f"{AE}severity")
    )
    body = outcome(adverse_event, said, view(KET))
    assert (body["serious"], body.get("criteria"), body["severity"]) == (serious, criteria, severity)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("resolved", "recovered"),
        ("recovering", "recovering"),
        ("ongoing", "not_recovered"),
        ("resolvedWithSequelae", "not_recovered"),
        ("unknown", "unknown"),
        ("fatal", "fatal"),
    ],
)
def test_each_outcome(code: str, expected: str) -> None:
    """A fatal outcome is serious, whatever else was said."""
    body = outcome(adverse_event, happened(outcome=concept(code, f"{AE}outcome")), view(KET))
    assert (body["outcome"], body["serious"]) == (expected, code == "fatal")


@pytest.mark.parametrize(
    ("more", "others", "dose", "expected"),
    [
        ({}, (OTHER,), False, "an adverse event of another product, outside a treatment session"),
        ({}, (OTHER,), True, "event"),
        ({}, (KET,), False, "event"),
        ({}, (), False, ["AdverseEvent.suspectEntity[0].instance"]),
        ({}, ({"resourceType": "Medication", "id": "m", "code": {"text": "Ketamine"}},), False, ["AdverseEvent.suspectEntity[0].instance"]),
        ({"suspectEntity": None}, (), False, ["AdverseEvent.suspectEntity"]),
        ({"suspectEntity": None}, (), True, "event"),
        ({"actuality": "potential"}, (KET,), True, "an adverse event that might have happened and did not"),
        ({"actuality": None}, (KET,), True, ["AdverseEvent.actuality"]),
        ({"date": "2026-03-02"}, (KET,), True, ["AdverseEvent.date"]),
        ({"seriousness": None}, (KET,), True, ["AdverseEvent.seriousness"]),
        ({"severity": {"text": "mild"}}, (KET,), True, ["AdverseEvent.severity"]),
        ({"event": {"text": "fell asleep"}}, (KET,), True, ["AdverseEvent.event"]),
    ],
)  # fmt: skip
def test_ours_or_not(
    more: dict[str, Any], others: tuple[dict[str, Any], ...], dose: bool, expected: Any
) -> None:
    """Passed over only where another product is named and no session is; where nobody says, it is kept as rejected."""
    around = view(*others) if dose else view(*others, dose=None)
    found = outcome(adverse_event, happened(**more), around)
    assert ("event" if isinstance(found, dict) else found) == expected


def test_an_event_in_another_visit_has_no_session() -> None:
    """The drug is ours, the emergency department is not."""
    assert "session" not in outcome(adverse_event, happened(), view(KET, dose=None))


def test_what_was_suspected_through_other_resources() -> None:
    """A Substance, or the administration itself."""
    given = {"resourceType": "MedicationAdministration", "id": "m", "medicationCodeableConcept": SPRAY}
    substance = {"resourceType": "Substance", "id": "m", "code": INJECTION}
    for one, drug in ((given, "esketamine_nasal_28mg"), (substance, "ketamine_inj_50mg_ml")):
        said = happened(suspectEntity=[{"instance": {"reference": f"{one['resourceType']}/m"}}])
        assert outcome(adverse_event, said, view(one, dose=None))["drug"] == drug


def test_known_when_recorded_where_nobody_says_when_detected() -> None:
    """The latest moment at which the clinic can have learnt of it."""
    body = outcome(adverse_event, happened(detected=None), view(KET))
    assert body["known_at"] == "2026-03-02T11:00:00-06:00"


def test_the_place_goes_before_that_of_the_visit() -> None:
    """By the site's codes."""
    assert (
        outcome(adverse_event, happened(location={"reference": "Location/room-1"}), view(KET))["site"]
        == "SITE-B"
    )
