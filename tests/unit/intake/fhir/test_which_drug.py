"""Which drug a medication is: by code only, and nothing of ours is passed over."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.intake.fhir.administrations import administration
from compliance.intake.fhir.names import RECALL
from compliance.intake.fhir.view import NDC, RXNORM, SNOMED
from tests.fhir_doses import (
    DOSE,
    SITE_SYSTEM,
    SPRAVATO,
    VEIN,
    VIAL_50,
    concept,
    event,
    quantity,
    reason,
    view,
    wrong,
)

PLACE = "MedicationAdministration"
BARE = {key: value for key, value in DOSE.items() if key != "medicationCodeableConcept"}
BY_REFERENCE = BARE | {"medicationReference": {"reference": "Medication/M1"}}


def said(medication: Any) -> dict[str, Any]:
    return DOSE | {"medicationCodeableConcept": medication}


def held(**medication: Any) -> dict[str, Any]:
    return {"Medication/M1": {"resourceType": "Medication", "id": "M1", **medication}}


@pytest.mark.parametrize(
    "ndc",
    [
        "50458‑028–02", "050458002802", "50458-028-00", "50458-028-02", "50458-028-03", "50458-028-99", "50458-0028-02", "50458002802", "5045802803",
        "50458-028", "50458-0028", "504580028", "050458-0028-02", " 50458-028-00 ",
    ],
)  # fmt: skip
def test_every_form_of_the_ndc(ndc: str) -> None:
    """Ten digits, eleven, twelve; package and product."""
    assert event(administration(said(concept(NDC, ndc)), view()))["drug"] == "esketamine_nasal_28mg"


@pytest.mark.parametrize(
    "ndc", ["50458-0280-2", "5045-8028-02", "50458-280-02", "50458-029-00", "50458", "-", "--", "ketalog"]
)
def test_an_ndc_that_only_looks_alike(ndc: str) -> None:
    """The same digits in other segments are another product."""
    assert reason(administration(said(concept(NDC, ndc)), view())) == "another drug"


@pytest.mark.parametrize(
    "medication",
    [
        *(concept(*code) for code in RECALL),
        {"text": "Ketamine 50 mg/mL inj"}, {"text": "ESKETAMINE nasal"}, {"text": "s-ketamine"}, {"text": "ketamin hcl"},
        {"coding": [{"system": "urn:x", "code": "1", "display": "Spravato 28mg"}]}, {"text": "given: spravato."},
        {"coding": [{"system": "urn:x", "code": "KETALAR"}]}, {"text": "ＫＥＴＡＭＩＮＥ"}, {"text": "inj_ketamine"},
        {"coding": [{"system": RXNORM, "code": "6130", "display": "acetaminophen"}]},
    ],
)  # fmt: skip
def test_what_calls_itself_ketamine_is_not_passed_over(medication: Any) -> None:
    """It is ours, which product is not told, and the remedy says where to map its code."""
    problems = administration(said(medication), view())
    assert wrong(problems)[f"{PLACE}.medication"].startswith("this names ketamine or esketamine")
    assert isinstance(problems, list)
    assert "policies/sites/<site>.yaml" in problems[0].problems[0][2]
    assert "codes.drugs" in problems[0].problems[0][2]


@pytest.mark.parametrize(
    "medication",
    [
        {"text": "ketorolac 30 mg"}, {"text": "tiletamine"}, concept(RXNORM, "161"), concept(SNOMED, "6130"),
        {"text": "norketamine"}, {"text": "(2R,6R)-hydroxynorketamine"}, {"text": "acetaminophen 500 mg"}, {"coding": [{"system": "urn:x", "code": "7", "display": "nicotine patch"}]},
    ],
)  # fmt: skip
def test_another_drug_is_passed_over(medication: Any) -> None:
    """With the same reason for all."""
    assert reason(administration(said(medication), view())) == "another drug"


def test_a_medication_that_is_referred_to() -> None:
    """Its code decides; so does the reference, where the site maps it."""
    assert event(administration(BY_REFERENCE, view(held(code=SPRAVATO))))["drug"] == "esketamine_nasal_28mg"
    assert reason(administration(BY_REFERENCE, view(held(code={"text": "aspirin"})))) == "another drug"
    mapped = BARE | {
        "medicationReference": {"reference": "Medication/MAPPED"},
        "dosage": {"route": concept(SNOMED, "78421000"), "dose": quantity(5, "mg")},
    }
    assert event(administration(mapped, view()))["drug"] == "ketamine_inj_10mg_ml"


@pytest.mark.parametrize(
    ("dose", "around"),
    [
        (BY_REFERENCE, {}),
        (BY_REFERENCE | {"medicationReference": {"display": "Tylenol"}}, {}),
        (BY_REFERENCE, held()),
        (BY_REFERENCE, {"Medication/M1": {"resourceType": "Patient"}}),
        (BARE | {"medicationCodeableConcept": {}}, {}),
        (BARE, {}),
    ],
)
def test_a_medication_that_nothing_names_is_objected_to(dose: dict[str, Any], around: dict[str, Any]) -> None:
    """What cannot be known to be another drug is not passed over."""
    assert f"{PLACE}.medication" in wrong(administration(dose, view(around)))


def test_an_ingredient_names_it_too() -> None:
    """Also one that is a Medication itself, and one that contains itself."""
    ingredient = {
        "code": {"text": "house troche"},
        "ingredient": [{"itemCodeableConcept": {"text": "ketamine HCl"}}],
    }
    assert f"{PLACE}.medication" in wrong(administration(BY_REFERENCE, view(held(**ingredient))))
    deep = {"Medication/M2": {"resourceType": "Medication", "code": {"text": "ketamine"}}}
    inner = held(code={"text": "mixture"}, ingredient=[{"itemReference": {"reference": "Medication/M2"}}])
    assert f"{PLACE}.medication" in wrong(administration(BY_REFERENCE, view(inner | deep)))
    round_ = held(
        code={"text": "mixture"}, ingredient=[{"itemReference": {"reference": "Medication/M1"}}] * 3
    )
    assert reason(administration(BY_REFERENCE, view(round_))) == "another drug"


def strength(mg: int, per: str) -> list[dict[str, Any]]:
    return [
        {
            "itemCodeableConcept": {"text": "ketamine"},
            "strength": {"numerator": quantity(mg, "mg"), "denominator": quantity(1, per)},
        }
    ]


def test_the_strength_of_a_compounded_product_is_the_one_that_is_told() -> None:
    """Without it, milligrams and troches cannot both be known."""
    troche = {"code": concept(SITE_SYSTEM, "TROCHE")}
    given = BY_REFERENCE | {"dosage": {"route": concept(SNOMED, "37839007"), "dose": quantity(2, "{troche}")}}
    body = event(administration(given, view(held(**troche, ingredient=strength(50, "{troche}")))))
    assert (body["dose_mg"], body["quantity"], body["quantity_unit"]) == ("100", "2", "unit")
    assert list(wrong(administration(given, view(held(**troche))))) == [f"{PLACE}.dosage.dose"]


def test_a_strength_that_is_not_that_of_the_product_is_objected_to() -> None:
    """A vial of another strength behind the same code would falsify every dose."""
    dose = BY_REFERENCE | {
        "dosage": {"route": VEIN, "rateQuantity": quantity(1, "mg/min"), "dose": quantity(40, "mg")}
    }
    assert (
        event(administration(dose, view(held(code=VIAL_50, ingredient=strength(50, "mL")))))["quantity"]
        == "0.8"
    )
    assert list(wrong(administration(dose, view(held(code=VIAL_50, ingredient=strength(100, "mL")))))) == [
        f"{PLACE}.medication"
    ]


@pytest.mark.parametrize(
    ("ndc", "is_kit"),
    [("50458-028-02", True), ("50458002803", True), ("50458-028-00", False), ("50458-028", False)],
)
def test_one_of_a_kit_may_be_the_box(ndc: str, is_kit: bool) -> None:
    """A bare 1 counts devices only where no box is meant."""
    dose = said(concept(NDC, ndc)) | {"dosage": DOSE["dosage"] | {"dose": quantity(1, "1")}}  # type: ignore[operator]
    done = administration(dose, view())
    if is_kit:
        assert list(wrong(done)) == [f"{PLACE}.dosage.dose"]
    else:
        assert event(done)["dose_mg"] == "28"
