"""Which drug FHIR resources mean, by what a log knows; what is told of those that are passed over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from compliance.ledger.log import Log
from tests.fhir import NDC, UCUM, clinic, dose, intake, ndjson, visit
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
