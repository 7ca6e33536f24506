"""What hints at a drug of ours is read where a code is certain, and rejected otherwise: it is never passed over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from compliance.domain.codes import Code, Codes
from compliance.intake.fhir.administrations import administration
from compliance.intake.fhir.dispenses import dispense
from compliance.intake.fhir.ndcs import Ndcs
from compliance.intake.fhir.view import NDC, RXNORM, SNOMED
from compliance.intake.scan import listed_ndcs
from tests.fhir_doses import (
    DOSE,
    SITE_SYSTEM,
    SPRAVATO,
    SUPPLY,
    VEIN,
    concept,
    event,
    quantity,
    reason,
    view,
    wrong,
)

PLACE = "MedicationAdministration.medication"
LOCAL = concept("urn:ehr", "K1")
ASPIRIN = concept(RXNORM, "1191")
VIAL = "00143950810"
VEIN_DOSE = {"route": VEIN, "rateQuantity": quantity(1, "mg/min"), "dose": quantity(35, "mg")}
UNKNOWN = DOSE | {"medicationCodeableConcept": LOCAL}
BY_REFERENCE = {key: value for key, value in DOSE.items() if key != "medicationCodeableConcept"} | {
    "medicationReference": {"reference": "Medication/M1"}
}


def held(**medication: Any) -> dict[str, Any]:
    return {"Medication/M1": {"resourceType": "Medication", "id": "M1", **medication}}


@pytest.mark.parametrize(
    "system",
    ["urn:oid:2.16.840.1.113883.6.69", f"{NDC}/", "https://hl7.org/fhir/sid/ndc", "HTTP://HL7.org/fhir/sid/NDC", "2.16.840.1.113883.6.69"],
)  # fmt: skip
def test_the_system_of_ndcs_in_other_writing(system: str) -> None:
    done = administration(DOSE | {"medicationCodeableConcept": concept(system, "50458-028-02")}, view())
    assert event(done)["drug"] == "esketamine_nasal_28mg"


@pytest.mark.parametrize(
    "medication",
    [
        {"code": LOCAL, "identifier": [{"system": NDC, "value": "50458-028-02"}]},
        {"code": LOCAL, "ingredient": [{"itemCodeableConcept": SPRAVATO}]},
        {"code": LOCAL, "ingredient": [{"itemReference": {"reference": "Medication/M2"}}]},
        {"ingredient": [{"itemCodeableConcept": SPRAVATO}]},
    ],
)
def test_a_certain_code_elsewhere_in_the_medication(medication: dict[str, Any]) -> None:
    """As its identifier; as its only ingredient, in place or referred to."""
    inner = {"Medication/M2": {"resourceType": "Medication", "id": "M2", "code": SPRAVATO}}
    done = administration(BY_REFERENCE, view(held(**medication) | inner))
    assert event(done)["drug"] == "esketamine_nasal_28mg"


def hinting(**fields: Any) -> dict[str, Any]:
    return UNKNOWN | fields


@pytest.mark.parametrize(
    "dose",
    [
        hinting(medicationCodeableConcept={"coding": [{"code": "50458-028-02"}]}),
        hinting(medicationCodeableConcept=concept("urn:ehr", "50458002802")),
        hinting(medicationCodeableConcept={"text": "nasal spray NDC 50458-028-02"}),
        hinting(medicationCodeableConcept=concept(SNOMED, "373464007")),
        hinting(medicationCodeableConcept=concept("urn:oid:2.16.840.1.113883.6.88", "6130")),
        hinting(medicationCodeableConcept=concept("urn:ehr", "N06AX27")),
        hinting(dosage=DOSE["dosage"] | {"text": "Esketamine 56 mg intranasal"}),  # type: ignore[operator]
        hinting(note=[{"text": "Spravato given"}]),
        hinting(text={"status": "generated", "div": "<div>Spravato&trade; 56 mg</div>"}),
        hinting(request={"display": "Ketamine infusion"}),
        hinting(request={"reference": "MedicationRequest/R1"}),
        hinting(request={"reference": "MedicationRequest/R2"}),
        hinting(request={"reference": "MedicationRequest/R3"}),
        hinting(extension=[{"url": "urn:product", "valueString": "KETALAR"}]),
    ],
)
def test_a_hint_anywhere_is_objected_to(dose: dict[str, Any]) -> None:
    """With the remedy to map the code that is sent."""
    requested = {
        "MedicationRequest/R1": {"resourceType": "MedicationRequest", "medicationCodeableConcept": {"text": "Spravato"}},
        "MedicationRequest/R2": {"resourceType": "MedicationRequest", "medicationCodeableConcept": concept(SITE_SYSTEM, "KET50")},
        "MedicationRequest/R3": {"resourceType": "MedicationRequest", "medicationReference": {"reference": "Medication/M1"}},
    }  # fmt: skip
    done = administration(
        dose, view(requested | held(code=LOCAL, ingredient=[{"itemCodeableConcept": SPRAVATO}]))
    )
    assert wrong(done)[PLACE].startswith("this names ketamine or esketamine")


def test_a_reference_that_names_ours_though_its_medication_does_not() -> None:
    named = BY_REFERENCE | {
        "medicationReference": {"reference": "Medication/M1", "display": "Spravato 56 mg"}
    }
    assert PLACE in wrong(administration(named, view(held(code=LOCAL))))
    assert reason(administration(BY_REFERENCE, view(held(code=LOCAL)))) == "another drug"


def test_a_dispense_under_a_prescription_of_ours() -> None:
    around = {
        "MedicationRequest/RX1": {"resourceType": "MedicationRequest", "medicationCodeableConcept": SPRAVATO}
    }
    assert "MedicationDispense.medication" in wrong(
        dispense(SUPPLY | {"medicationCodeableConcept": LOCAL}, view(around))
    )


def test_who_where_and_why_are_no_hints() -> None:
    """A clinic has the drug in its name, a patient nearly, and nausea has it as its reason."""
    dose = DOSE | {
        "medicationCodeableConcept": ASPIRIN, "subject": {"reference": "Patient/P1", "display": "Ketaminson"},
        "context": {"reference": "Encounter/V1", "display": "ketamine infusion visit"}, "reasonCode": [{"text": "nausea after ketamine"}],
        "performer": [{"actor": {"reference": "Practitioner/RN-A3", "display": "Ketamine Clinic"}}],
        "meta": {"source": "https://ketamine.example"}, "contained": [{"resourceType": "Organization", "name": "Ketamine Clinic"}],
    }  # fmt: skip
    assert reason(administration(dose, view())) == "another drug"
    coded = {"coding": [{"system": "https://ketamine.example/codes", "code": "77"}]}
    assert reason(administration(dose | {"medicationCodeableConcept": coded}, view())) == "another drug"


@pytest.mark.parametrize("ndc", ["0143-9508-10", "0143950810", VIAL, "00143-9508-10", "0143-9508"])
def test_an_ndc_of_a_product_on_record(ndc: str) -> None:
    """A product event makes its NDC known; without it, the NDC is that of another drug."""
    dose = DOSE | {"medicationCodeableConcept": concept(NDC, ndc), "dosage": VEIN_DOSE}
    known = Ndcs.of({**listed_ndcs(), VIAL: frozenset({"ketamine_inj_50mg_ml"})})
    assert event(administration(dose, view(ndcs=known)))["drug"] == "ketamine_inj_50mg_ml"
    assert reason(administration(dose, view())) == "another drug"


def test_an_ndc_that_products_give_to_different_drugs() -> None:
    """Also where they are packages of one product."""
    dose = DOSE | {"medicationCodeableConcept": concept(NDC, "0143-9508-10"), "dosage": VEIN_DOSE}
    two = {VIAL: frozenset({"ketamine_inj_50mg_ml"}), "00143950801": frozenset({"ketamine_inj_10mg_ml"})}
    for known in ({VIAL: frozenset({"ketamine_inj_50mg_ml", "ketamine_inj_10mg_ml"})}, two):
        assert wrong(administration(dose, view(ndcs=Ndcs.of(known))))[PLACE].startswith(
            "its codes mean different"
        )


def test_codes_of_two_drugs_are_never_read_as_the_first() -> None:
    """In one concept, in either order; by the site's codes and by NDC; in a Medication and its ingredient."""
    both = [*SPRAVATO["coding"], *concept(SITE_SYSTEM, "KET50")["coding"]]
    for coding in (both, both[::-1]):
        done = administration(DOSE | {"medicationCodeableConcept": {"coding": coding}}, view())
        assert wrong(done)[PLACE] == "its codes mean different drugs of ours"
    mixed = held(code=SPRAVATO, ingredient=[{"itemCodeableConcept": concept(SITE_SYSTEM, "KET50")}])
    assert PLACE in wrong(administration(BY_REFERENCE, view(mixed)))
    mapped = BY_REFERENCE | {"medicationReference": {"reference": "Medication/MAPPED"}}
    spray = {"Medication/MAPPED": {"resourceType": "Medication", "code": SPRAVATO}}
    assert PLACE in wrong(administration(mapped, view(spray)))


def test_what_a_site_says_of_an_ndc_goes_before_the_list() -> None:
    """Whatever writing of the system is sent."""
    mapped = replace(view(), codes=Codes(drugs={Code(NDC, "50458-028-99"): "ketamine_inj_50mg_ml"}))
    dose = DOSE | {"medicationCodeableConcept": concept(f"{NDC}/", "50458-028-99"), "dosage": VEIN_DOSE}
    assert event(administration(dose, mapped))["drug"] == "ketamine_inj_50mg_ml"


def test_one_of_several_ingredients_does_not_make_the_product() -> None:
    """A bag with a vial in it is not the vial: its millilitres are others."""
    parts = [{"itemCodeableConcept": SPRAVATO}, {"itemCodeableConcept": {"text": "sodium chloride"}}]
    assert PLACE in wrong(administration(BY_REFERENCE, view(held(code=LOCAL, ingredient=parts))))
    inner = {"Medication/M2": {"resourceType": "Medication", "ingredient": parts}}
    outer = held(code=LOCAL, ingredient=[{"itemReference": {"reference": "Medication/M2"}}])
    assert PLACE in wrong(administration(BY_REFERENCE, view(outer | inner)))
