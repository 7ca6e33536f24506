"""A dose, an order and a visit as FHIR R4 tells them, and the view around them, for the tests of their mappers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from compliance.domain.codes import Code, Codes
from compliance.domain.event import Event
from compliance.errors import Place
from compliance.intake.fhir.ndcs import LISTED, Ndcs
from compliance.intake.fhir.sketch import NotOurs, Sketch
from compliance.intake.fhir.view import LOINC, NDC, SNOMED, UCUM, View

ACT: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
SITE_SYSTEM: Final = "urn:clinic:formulary"
AT: Final = "2026-03-02T10:20:00-06:00"
LATER: Final = "2026-03-02T10:21:00-06:00"


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def quantity(value: Any, unit: str) -> dict[str, Any]:
    return {"value": value, "system": UCUM, "code": unit}


SPRAVATO: Final = concept(NDC, "50458-028-00")
VIAL_50: Final = concept(SITE_SYSTEM, "KET50")
NASAL: Final = concept(SNOMED, "46713006")
VEIN: Final = concept(SNOMED, "47625008")

VISIT: Final = {
    "resourceType": "Encounter",
    "id": "V1",
    "status": "finished",
    "class": {"system": ACT, "code": "AMB"},
}
DOSE: Final = {
    "resourceType": "MedicationAdministration", "id": "MA1", "status": "completed", "medicationCodeableConcept": SPRAVATO,
    "subject": {"reference": "Patient/P1"}, "context": {"reference": "Encounter/V1"},
    "effectivePeriod": {"start": AT, "end": LATER}, "performer": [{"actor": {"reference": "Practitioner/RN-A3"}}],
    "dosage": {"route": NASAL, "dose": quantity(28, "mg")},
}  # fmt: skip
ORDER: Final = {
    "resourceType": "MedicationRequest", "id": "MR1", "status": "active", "intent": "order", "medicationCodeableConcept": VIAL_50,
    "subject": {"reference": "Patient/P1"}, "encounter": {"reference": "Encounter/V1"}, "authoredOn": AT,
    "requester": {"reference": "Practitioner/MD-A1"}, "reasonCode": [concept("http://hl7.org/fhir/sid/icd-10-cm", "F33.1")],
    "dosageInstruction": [{"route": VEIN, "doseAndRate": [
        {"doseQuantity": quantity(40, "mg"), "rateRatio": {"numerator": quantity(1, "mg"), "denominator": quantity(1, "min")}},
    ]}],
}  # fmt: skip
SUPPLY: Final = {
    "resourceType": "MedicationDispense", "id": "MD1", "status": "completed", "medicationCodeableConcept": SPRAVATO,
    "subject": {"reference": "Patient/P1"}, "performer": [{"actor": {"reference": "Practitioner/PH-A9"}}],
    "authorizingPrescription": [{"reference": "MedicationRequest/RX1"}], "type": concept(ACT, "FFC"),
    "quantity": quantity(2, "{device}"), "daysSupply": quantity(7, "d"), "whenHandedOver": AT,
    "receiver": [{"reference": "Patient/P1"}],
}  # fmt: skip

CODES: Final = Codes(
    drugs={
        Code(SITE_SYSTEM, "KET50"): "ketamine_inj_50mg_ml",
        Code(SITE_SYSTEM, "TROCHE"): "ketamine_troche_compounded",
        Code("", "Medication/MAPPED"): "ketamine_inj_10mg_ml",
    },
    locations={Code("", "Location/L1"): "SITE-A"},
    encounters=frozenset({Code(SNOMED, "SESSION"), Code(LOINC, "SESSION")}),
)


def view(
    around: Mapping[str, Any] | None = None,
    *,
    site: str | None = "SITE-A",
    dosed: frozenset[str] = frozenset(),
    ndcs: Ndcs = LISTED,
) -> View:
    """A view of SITE-A with a visit and with what is given by reference; `dosed` are the encounters with a first dose."""
    known = {"Encounter/V1": VISIT, **(around or {})}
    return View(
        CODES,
        known.get,
        lambda _: "PT-1",
        lambda visit: 0 if visit in dosed else None,
        frozenset({"SITE-A"}),
        site,
        ndcs,
    )


def made(said: list[Sketch] | NotOurs) -> list[Event | dict[str, str]]:
    """What becomes of sketches: an event, or the messages by place."""
    assert isinstance(said, list), said
    out: list[Event | dict[str, str]] = []
    for sketch in said:
        done = sketch.finished(Place("x.json", 1))
        out.append(done if isinstance(done, Event) else {str(one.place.field): one.message for one in done})
    return out


def event(said: list[Sketch] | NotOurs) -> dict[str, Any]:
    """The body of the only event."""
    (only,) = made(said)
    assert isinstance(only, Event), only
    return dict(only.body)


def wrong(said: list[Sketch] | NotOurs) -> dict[str, str]:
    """What is wrong with the only sketch, by place."""
    (only,) = made(said)
    assert isinstance(only, dict), only
    return only


def reason(said: list[Sketch] | NotOurs) -> str:
    """Why it is passed over."""
    assert isinstance(said, NotOurs), said
    return said.reason
