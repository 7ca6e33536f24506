"""MedicationRequest: an order to give a drug here, or a prescription for a pharmacy."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.intake.fhir.indications import BY_ICD, BY_SNOMED, ICD_10_CM, SUICIDAL
from compliance.intake.fhir.requests import CATEGORY, NOT_YET, ORDERED, request
from compliance.intake.fhir.view import SNOMED
from tests.fhir_doses import (
    AT,
    LATER,
    NASAL,
    ORDER,
    SITE_SYSTEM,
    SPRAVATO,
    concept,
    event,
    quantity,
    reason,
    view,
    wrong,
)

PLACE = "MedicationRequest"
INSTRUCTION: dict[str, Any] = ORDER["dosageInstruction"][0]  # type: ignore[assignment, index]
ESKETAMINE = ORDER | {"medicationCodeableConcept": SPRAVATO, "dosageInstruction": [
    {"route": NASAL, "doseAndRate": [{"doseQuantity": quantity(2, "{device}")}]}]}  # fmt: skip
SUPPLY = {"dispenseRequest": {"quantity": quantity(6, "{device}"), "numberOfRepeatsAllowed": 0}}


def icd(*codes: str) -> dict[str, Any]:
    return {"reasonCode": [concept(ICD_10_CM, code) for code in codes]}


def told(**instruction: Any) -> dict[str, Any]:
    return ORDER | {"dosageInstruction": [INSTRUCTION | instruction]}


def test_an_order() -> None:
    """Element by element."""
    assert event(request(ORDER, view())) == {
        "id": "MedicationRequest-MR1", "kind": "order", "occurred_at": AT, "site": "SITE-A", "actor": "MD-A1", "patient": "PT-1",
        "session": "V1", "drug": "ketamine_inj_50mg_ml", "order": "MR1", "prescriber": "MD-A1", "indication_code": "F33.1",
        "indication_class": "mdd", "product_type": "approved_off_label", "route": "iv_infusion", "dose_mg": "40", "planned_min": 40,
        "source": "FHIR MedicationRequest",
    }  # fmt: skip


@pytest.mark.parametrize("intent", sorted(ORDERED))
def test_intents_that_order(intent: str) -> None:
    """Somebody may act on them."""
    assert event(request(ORDER | {"intent": intent}, view()))["kind"] == "order"


@pytest.mark.parametrize("intent", sorted(NOT_YET))
def test_intents_that_do_not(intent: str) -> None:
    """A proposal, a plan, an option order nothing."""
    assert reason(request(ORDER | {"intent": intent}, view())) == "a request that is only proposed"


def test_what_is_no_order_is_passed_over() -> None:
    """A draft, a request not to give it; an intent that R4 does not have is objected to."""
    assert reason(request(ORDER | {"status": "draft"}, view())) == "a request that is a draft"
    assert reason(request(ORDER | {"doNotPerform": True}, view())) == "a request that the drug be not given"
    assert list(wrong(request(ORDER | {"intent": None}, view()))) == [f"{PLACE}.intent"]


@pytest.mark.parametrize(
    ("status", "more", "ends"),
    [
        ("active", {}, None), ("completed", {"meta": {"lastUpdated": LATER}}, None), ("cancelled", {}, AT),
        ("stopped", {"meta": {"lastUpdated": LATER}}, LATER), ("on-hold", {"meta": {"lastUpdated": LATER}}, LATER),
    ],
)  # fmt: skip
def test_when_an_order_ends(status: str, more: dict[str, Any], ends: str | None) -> None:
    """What was withdrawn never held; what was halted was so at the last change."""
    assert event(request(ORDER | {"status": status} | more, view())).get("expires_at") == ends


def test_the_bound_of_an_order() -> None:
    """The earlier of its bound and its halt; a day is no moment."""
    bound = told(timing={"repeat": {"boundsPeriod": {"end": LATER}}})
    assert event(request(bound, view()))["expires_at"] == LATER
    halted = bound | {"status": "stopped", "meta": {"lastUpdated": AT}}
    assert event(request(halted, view()))["expires_at"] == AT
    assert (
        event(request(halted | {"meta": {"lastUpdated": "2026-03-03T00:00:00Z"}}, view()))["expires_at"]
        == LATER
    )
    day = told(timing={"repeat": {"boundsPeriod": {"end": "2026-03-02"}}})
    assert list(wrong(request(day, view()))) == [f"{PLACE}.dosageInstruction.timing"]


@pytest.mark.parametrize("status", ["unknown", "stopped", "on-hold", None])
def test_a_status_that_leaves_the_end_open_is_objected_to(status: str | None) -> None:
    """A halt without a moment, and what tells nothing."""
    assert list(wrong(request(ORDER | {"status": status}, view()))) == [f"{PLACE}.status"]


@pytest.mark.parametrize(
    ("code", "said"), [(code, said) for code, said in BY_ICD.items() if said != SUICIDAL]
)
def test_indications_by_icd(code: str, said: str) -> None:
    """Every beginning, with and without what follows it, with and without the point."""
    pointed = f"{code[:3]}.{code[3:]}" if code[3:] else code
    for written in (code, pointed, f"{pointed}{'' if code[3:] else '.'}1", pointed.lower()):
        assert event(request(ORDER | icd(written), view()))["indication_class"] == said


@pytest.mark.parametrize(
    ("code", "said"), [(code, said) for code, said in BY_SNOMED.items() if said != SUICIDAL]
)
def test_indications_by_snomed(code: str, said: str) -> None:
    """Also by the Condition that is referred to."""
    assert event(request(ORDER | {"reasonCode": [concept(SNOMED, code)]}, view()))["indication_class"] == said
    condition = {"Condition/C": {"resourceType": "Condition", "code": concept(SNOMED, code)}}
    referred = ORDER | {"reasonCode": [], "reasonReference": [{"reference": "Condition/C"}]}
    assert event(request(referred, view(condition)))["indication_class"] == said


@pytest.mark.parametrize(
    "codes", [("F32.81",), ("F32.A",), ("F33.8",), ("G43.9",), ("R45.851",), ("F33.1", "F41.1"), (), ("",)]
)
def test_what_names_no_indication_is_objected_to(codes: tuple[str, ...]) -> None:
    """Another depression, a migraine, ideation alone, two at once, none."""
    assert list(wrong(request(ORDER | icd(*codes), view()))) == [f"{PLACE}.reasonCode"]


def test_what_esketamine_is_for_is_not_guessed() -> None:
    """A major depression may be treatment-resistant or not; with suicidal ideation it is an indication of the label."""
    assert list(wrong(request(ESKETAMINE | icd("F33.2"), view()))) == [f"{PLACE}.reasonCode"]
    body = event(request(ESKETAMINE | icd("F33.2", "R45.851"), view()))
    assert [body[name] for name in ("indication_class", "product_type", "dose_mg")] == [
        "mdd_acute_si",
        "approved_labelled",
        "56",
    ]
    assert "indication_code" not in body


@pytest.mark.parametrize(
    ("instruction", "dose", "per_kg", "planned"),
    [
        ({"timing": {"repeat": {"duration": 1, "durationUnit": "h"}}}, "40", None, 60),
        ({"doseAndRate": [{"doseQuantity": quantity(40, "mg"), "rateQuantity": quantity(60, "mg/h")}]}, "40", None, 40),
        ({"doseAndRate": [{"doseQuantity": quantity(40, "mg"), "rateQuantity": quantity(7, "mg/min")}]}, "40", None, None),
        ({"doseAndRate": [{"doseQuantity": quantity(40, "mg"), "rateQuantity": quantity(75, "mL/h")}]}, "40", None, None),
        ({"doseAndRate": [{"doseQuantity": quantity(1, "mL"), "rateRatio": {}}]}, "50", None, None),
        ({"doseAndRate": [{"doseQuantity": quantity(40, "mg"), "rateRange": {}}, {"doseQuantity": quantity(500, "ug/kg")}]}, "40", "0.5", None),
    ],
)  # fmt: skip
def test_doses_of_an_order(
    instruction: dict[str, Any], dose: str, per_kg: str | None, planned: int | None
) -> None:
    """In milligrams, by weight beside it, and how long it is to run where that is whole minutes."""
    body = event(request(told(**instruction), view()))
    assert (body["dose_mg"], body.get("dose_mg_per_kg"), body.get("planned_min")) == (dose, per_kg, planned)


@pytest.mark.parametrize(
    "doses",
    [
        [{"doseQuantity": quantity(1, "TAB")}],
        [{"doseRange": {"low": quantity(20, "mg")}}],
        [{"doseQuantity": quantity(500, "ug/kg")}],
        [{"doseQuantity": quantity(40, "mg")}, {"doseQuantity": quantity(41, "mg")}],
        [{}],
    ],
)
def test_a_dose_that_is_not_told_is_objected_to(doses: list[Any]) -> None:
    """No milligrams, a range, by weight only, two, none."""
    rated = [part | {"rateQuantity": quantity(75, "mL/h")} for part in doses]
    assert list(wrong(request(told(doseAndRate=rated), view()))) == [f"{PLACE}.dosageInstruction.doseAndRate"]


def test_several_instructions_are_several_doses() -> None:
    """One event has one."""
    assert list(wrong(request(ORDER | {"dosageInstruction": [INSTRUCTION] * 2}, view()))) == [
        f"{PLACE}.dosageInstruction"
    ]


def test_who_wrote_it_down_is_not_who_ordered_it() -> None:
    """The recorder signed in, the requester prescribed."""
    body = event(request(ORDER | {"recorder": {"reference": "Practitioner/RN-A3"}}, view()))
    assert (body["actor"], body["prescriber"]) == ("RN-A3", "MD-A1")


def test_where_a_compounded_product_comes_from_is_not_told() -> None:
    """503A or 503B."""
    troche = ORDER | {"medicationCodeableConcept": concept(SITE_SYSTEM, "TROCHE")}
    assert f"{PLACE}.medication" in wrong(request(troche, view()))


@pytest.mark.parametrize(
    ("category", "supply", "kind"),
    [
        ("inpatient", True, "order"), ("outpatient", False, "order"), ("outpatient", True, "prescription"),
        ("community", False, "prescription"), ("discharge", False, "prescription"), (None, False, "order"), (None, True, "prescription"),
    ],
)  # fmt: skip
def test_orders_and_prescriptions(category: str | None, supply: bool, kind: str) -> None:
    """By the category, else by whether a supply is authorised."""
    said = (
        ORDER
        | (SUPPLY if supply else {})
        | ({} if category is None else {"category": [concept(CATEGORY, category)]})
    )
    sketches = request(said, view())
    assert isinstance(sketches, list)
    assert [sketch.kind for sketch in sketches] == [kind]


def test_a_prescription_lacks_what_fhir_cannot_say() -> None:
    """All the rest is mapped, and the one problem names what is missing."""
    said = request(ESKETAMINE | SUPPLY | {"basedOn": [{"reference": "MedicationRequest/O1"}]}, view())
    assert isinstance(said, list)
    assert list(wrong(said)) == [f"{PLACE}.dispenseRequest"]
    fields = said[0].fields
    assert {name: fields[name] for name in ("prescription", "issued_on", "quantity", "refills", "dose_mg", "route", "order")} == {
        "prescription": "MR1", "issued_on": "2026-03-02", "quantity": "6", "refills": 0, "dose_mg": "56", "route": "intranasal", "order": "O1",
    }  # fmt: skip


@pytest.mark.parametrize("change", [{"status": "stopped"}, {"authoredOn": "2026-03-02T16:20:00Z"}])
def test_a_prescription_that_ended_or_shows_no_day_is_objected_to(change: dict[str, Any]) -> None:
    """Besides what FHIR cannot say: a state that has no field, a day that depends on the zone."""
    assert set(wrong(request(ESKETAMINE | SUPPLY | change, view()))) == {
        f"{PLACE}.dispenseRequest",
        f"{PLACE}.{next(iter(change))}",
    }


def test_another_drug_is_passed_over() -> None:
    """Before anything else is asked."""
    assert (
        reason(request(ORDER | {"medicationCodeableConcept": {"text": "aspirin"}, "status": "draft"}, view()))
        == "another drug"
    )
