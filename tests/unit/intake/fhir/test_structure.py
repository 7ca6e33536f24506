"""What is wrong with a resource, at its place; nothing of what it says is repeated."""

from __future__ import annotations

import json
from typing import Any

import pytest

from compliance.errors import Place
from compliance.intake.fhir.structure import Structure
from compliance.intake.json_lines import ExactReader
from tests.fhir import dose, resource

STRUCTURE, READER = Structure(), ExactReader()
SECRET = "Jane Roe"


def wrong(one: Any) -> list[str]:
    raw = one if isinstance(one, bytes) else json.dumps(one).encode()
    value, problems = READER.parsed(raw, Place("f", 1))
    assert not problems
    found = STRUCTURE.problems(value, Place("f", 1))
    assert not any(SECRET in str(problem) for problem in found)
    return [problem.place.field or "" for problem in found]


def dosed(**fields: Any) -> dict[str, Any]:
    return dose(dosage={"dose": {"value": 56, **fields}})


CASES: dict[str, tuple[Any, list[str]]] = {
    "sound": (dose(), []),
    "an unknown element": (dose(foo=1), ["MedicationAdministration"]),
    "an unknown element named by a person": (dose(**{SECRET: 1}), ["MedicationAdministration"]),
    "an unknown element far in": (dosed(foo=SECRET), ["MedicationAdministration.dosage.dose"]),
    "a number in quotes": (dosed(value="56"), ["MedicationAdministration.dosage.dose.value"]),
    "text for a number": (dosed(value=SECRET), ["MedicationAdministration.dosage.dose.value"]),
    "truth for a number": (dosed(value=True), ["MedicationAdministration.dosage.dose.value"]),
    "a number for text": (dosed(unit=7), ["MedicationAdministration.dosage.dose.unit"]),
    "null": (dosed(value=None), ["MedicationAdministration.dosage.dose.value"]),
    "null for an object": (dose(dosage=None), ["MedicationAdministration.dosage"]),
    "null in a list of objects": (dose(performer=[None]), ["MedicationAdministration.performer[0]"]),
    "an object as text": (dose(subject='{"reference": "Patient/1"}'), ["MedicationAdministration.subject"]),
    "a list for an object": (dose(subject=[{"reference": "Patient/1"}]), ["MedicationAdministration.subject"]),
    "an object for a list": (dose(performer={"actor": {}}), ["MedicationAdministration.performer"]),
    "an object for text": (dose(status={"a": 1}), ["MedicationAdministration.status"]),
    "no status": ({k: v for k, v in dose().items() if k != "status"}, ["MedicationAdministration.status"]),
    "no subject": ({k: v for k, v in dose().items() if k != "subject"}, ["MedicationAdministration.subject"]),
    "two effective": (dose(effectiveDateTime="2026-03-02T09:00:00Z"), ["MedicationAdministration"]),
    "no date": (dose(effectivePeriod={"start": SECRET}), ["MedicationAdministration.effectivePeriod.start"]),
    "an id with a space": (dose(id="a b"), ["MedicationAdministration.id"]),
    "in the second of a list": (
        dose(performer=[{"actor": {}}, {"actor": {"reference": 5}}]), ["MedicationAdministration.performer[1].actor.reference"],
    ),
    "contained": (dose(contained=[resource("Medication", id="m", status=5)]), ["MedicationAdministration.contained[0].status"]),
    "contained, of no type": (dose(contained=[{"id": "m"}]), ["MedicationAdministration.contained[0].resourceType"]),
    "contained, of a type that is none": (dose(contained=[resource("os", id="m")]), ["MedicationAdministration.contained[0].resourceType"]),
    "a type where none belongs": (dose(subject={"resourceType": "Reference"}), ["MedicationAdministration.subject"]),
    "half of a surrogate pair": (dose(status="\ud800"), ["MedicationAdministration.status"]),
    "a very long number": (b'{"resourceType":"Observation","status":"final","code":{},"valueQuantity":{"value":1' + b"0" * 99 + b"}}", ["Observation.valueQuantity.value"]),
    "a fraction for a whole number": (
        resource("Observation", status="final", code={}, valueInteger=1.5), ["Observation.valueInteger"],
    ),
    "two things at once": (dose(foo=1, bar=2), ["MedicationAdministration", "MedicationAdministration"]),
    "a status that only an extension explains": (
        {**{k: v for k, v in dose().items() if k != "status"}, "_status": {"extension": [{"url": "http://x", "valueCode": "unknown"}]}}, [],
    ),
    "nulls beside extensions of a list": (
        resource("Patient", name=[{"given": ["A", None], "_given": [None, {"extension": [{"url": "http://x", "valueString": "b"}]}]}]), [],
    ),
    "more digits than a float has": (dosed(value=56.12345678901234), []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_told_at_its_place(name: str) -> None:
    said, places = CASES[name]
    assert wrong(said) == places
    assert wrong(said) == places, "what is remembered of it does not change that"


def test_no_more_than_fifty_problems_are_told() -> None:
    assert len(wrong(dose(**{f"x{i}": 1 for i in range(80)}))) == 50


@pytest.mark.parametrize("name", ["Patient", "MedicationAdministration", "Bundle"])
def test_types_of_resources_are_known(name: str) -> None:
    assert STRUCTURE.knows(name)


@pytest.mark.parametrize(
    "name", ["Element", "Quantity", "HumanName", "patient", "Resources", "__init__", "", "os"]
)
def test_what_is_no_type_of_resource_is_not(name: str) -> None:
    assert not STRUCTURE.knows(name)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compliance.intake.fhir.structure._REMEMBERED", 3)
    structure = Structure()
    for one in (dose(), dose(note=[{"text": "x"}]), dose(supportingInformation=[])):
        assert not structure.problems(one, Place("f", 1))
    assert len(structure._sound) <= 3
    assert len(structure._again) <= 3


def test_what_is_remembered_of_one_does_not_excuse_another() -> None:
    explained = {"_status": {"extension": [{"url": "http://x", "valueCode": "unknown"}]}}
    bare = {name: value for name, value in dose().items() if name != "status"}
    assert wrong({**bare, **explained}) == []
    assert wrong({**bare, "_status": {"id": "x"}}) == ["MedicationAdministration.status"]
    assert wrong(bare) == ["MedicationAdministration.status"]


def test_true_is_not_taken_for_one() -> None:
    assert wrong(dosed(value=1)) == []
    assert wrong(dosed(value=True)) == ["MedicationAdministration.dosage.dose.value"]
