"""Which drug FHIR resources mean, by what a log knows; what is told of those that are passed over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cli import results
from compliance.intake.drafts import PassedOver
from compliance.intake.fhir.reading import NO_EVENT_OF_OURS
from compliance.ledger.log import Log
from tests.fhir import NDC, UCUM, clinic, dose, intake, ndjson, resource, visit
from tests.recording import body, judge, record

VIAL = "ketamine_inj_50mg_ml"
VEIN = {"coding": [{"system": "http://snomed.info/sct", "code": "47625008"}]}
BY_VEIN = {
    "route": VEIN,
    "rateQuantity": {"value": 1, "system": UCUM, "code": "mg/min"},
    "dose": {"value": 35, "system": UCUM, "code": "mg"},
}


@pytest.fixture
def log() -> Iterator[Log]:
    with clinic() as made:
        yield made


@pytest.fixture(scope="module")
def module_log() -> Iterator[Log]:
    """Nothing is recorded in it."""
    with clinic() as made:
        yield made


def of(*codings: dict[str, str], **fields: Any) -> dict[str, Any]:
    return dose(medicationCodeableConcept={"coding": list(codings)}, **fields)


def product(drug: str, **fields: Any) -> dict[str, Any]:
    return body(
        "product", "07:00", site="S1", drug_code=drug, ndc_raw="0143-9508-10", ndc_format="4-4-2", **fields
    )


def test_a_product_on_record_makes_its_ndc_known(log: Log) -> None:
    """Before it, the dose is another drug's; two products that say different drugs leave it open."""
    given = ndjson(visit(), of({"system": NDC, "code": "0143-9508-10"}, dosage=BY_VEIN))
    assert "another drug" in intake(log, given, written=False).reasons
    record(log, judge(), product(VIAL, ndc11="00143950810"))
    known = intake(log, given, written=False)
    assert not known.messages, known.messages
    (event,) = [one.draft.event for one in known.results if hasattr(one, "draft")]
    assert (event.values["drug"], event.values["quantity"]) == (VIAL, 700_000)
    record(log, judge(), product("ketamine_inj_10mg_ml"))
    assert intake(log, given, written=False).wrong == ["MedicationAdministration.medication"]


def test_the_codes_of_another_drug_are_told(log: Log) -> None:
    """Codes, never a text or who; of a drug with words only, that there is none."""
    aspirin = {"system": "urn:ehr", "code": "A1", "display": "Jane's aspirin"}
    outcome = intake(
        log,
        ndjson(
            visit(),
            of(aspirin, {"code": "77"}, id="A1"),
            of({"system": "urn:ehr", "code": "aspirin for Jane Doe"}, id="A2"),
            dose("A3", medicationCodeableConcept={"text": "aspirin"}),
        ),
        written=False,
    )
    codes = {one.line: one.codes for one in outcome.passed}
    assert codes == {1: None, 2: ("urn:ehr|A1", "|77"), 3: ("urn:ehr|text of 20 characters",), 4: ()}


def test_passed_codes_are_counted_under_their_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """The most frequent first; memory has a bound, and the sum stays right."""
    monkeypatch.setattr(results, "CODES", 3)
    monkeypatch.setattr(results, "LISTED", 3)
    passed = results.Passed()
    for codes in (("s|1",), ("s|2",), ("s|2",), (), ("s|4",), ("s|5",), None):
        passed.take(PassedOver("f", 1, "MedicationAdministration", "another drug", codes))
    assert passed["another drug"] == 7
    assert passed.codes["another drug"] == {"s|1": 1, "s|2": 2, results.NO_CODE: 1, results.MORE: 2}
    said = "\n".join(passed.lines())
    assert said.index("7 another drug") < said.index("s|2") < said.index(results.NO_CODE)
    assert "and 1 code more" in said


PROCEDURES: dict[str, tuple[dict[str, Any], bool]] = {
    "by word": ({"code": {"text": "Esketamine nasal, observed"}}, True),
    "by word, escaped": ({"note": [{"text": "k\u00e9tamine"}]}, True),
    "by NDC": ({"usedCode": [{"coding": [{"system": NDC, "code": "50458-028-02"}]}]}, True),
    "by NDC of eleven digits": ({"usedCode": [{"coding": [{"system": NDC, "code": "50458002802"}]}]}, True),
    "by HCPCS": (
        {"code": {"coding": [{"system": "urn:oid:2.16.840.1.113883.6.285", "code": "G2083"}]}},
        True,
    ),
    "by RxNorm": (
        {
            "usedCode": [
                {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "6130"}]}
            ]
        },
        True,
    ),
    "only where": ({"location": {"display": "Ketamine Clinic"}}, False),
    "another": ({"code": {"text": "appendectomy"}, "note": [{"text": "caf\u00e9"}]}, False),
}


@pytest.mark.parametrize(("fields", "ours"), PROCEDURES.values(), ids=PROCEDURES)
@pytest.mark.parametrize("kind", ["Procedure", "MedicationStatement"])
def test_an_unmapped_type_that_names_ours_is_seen(
    module_log: Log, kind: str, fields: dict[str, Any], ours: bool
) -> None:
    """No event comes of it, and it is counted under a reason of its own."""
    (reason,) = intake(module_log, ndjson(resource(kind, id="X", **fields)), written=False).reasons
    assert (reason == NO_EVENT_OF_OURS) is ours
