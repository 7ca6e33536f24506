"""Evidence that two patients of FHIR resources are two, or that one is not who it was: the resource is rejected at its subject."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from compliance.fhir_persons import V2_IDENTIFIER, Patients
from compliance.ledger.log import Log
from compliance.persons import Acting, Wanted, enter_all
from tests.fhir import clinic, dose, events, intake, ndjson, resource, visit
from tests.recording import judge

MR = {"coding": [{"system": V2_IDENTIFIER, "code": "MR"}]}


@pytest.fixture
def log() -> Iterator[Log]:
    with clinic() as made:
        yield made


def who(name: str, family: str | None, born: str | None, *numbers: str, kind: Any = None) -> dict[str, Any]:
    """A Patient; numbers are written with their system."""
    told: dict[str, Any] = {"id": name} | ({} if born is None else {"birthDate": born})
    said = [one.rpartition("|") for one in numbers]
    told["identifier"] = [
        {"value": value} | ({"system": system} if system else {}) | ({"type": kind} if kind else {})
        for system, _, value in said
    ]
    return resource("Patient", **told, **({} if family is None else {"name": [{"family": family}]}))


def given(name: str, *around: dict[str, Any], to: str = "1") -> bytes:
    return ndjson(visit(), dose(name, subject={"reference": f"Patient/{to}"}), *around)


ZED = who("1", "Zed", "1971-05-06", "urn:a|100")

# Each line: whom the log knows first; who comes then; whether that is the same one (None: nobody can tell).
SECOND: dict[str, tuple[dict[str, Any], dict[str, Any], bool | None]] = {
    "the same again": (ZED, ZED, True),
    "another birth date": (ZED, who("1", "Zed", "1950-01-01", "urn:a|100"), None),
    "another name and other identifiers": (ZED, who("1", "Grim", "1971-05-06", "urn:b|900"), None),
    "another name, and the identifier": (ZED, who("1", "Grim", "1971-05-06", "urn:a|100"), True),
    "another name, without identifiers": (ZED, who("1", "Grim", "1971-05-06"), True),
    "another identifier": (ZED, who("1", "Zed", "1971-05-06", "urn:a|200"), True),
    "name and birth date, another identifier": (ZED, who("2", "Zed", "1971-05-06", "urn:a|200"), None),
    "name and birth date, one identifier of two": (ZED, who("2", "Zed", "1971-05-06", "urn:a|200", "urn:a|100"), True),
    "name and birth date, another system": (ZED, who("2", "Zed", "1971-05-06", "urn:c|200"), True),
    "the identifier": (ZED, who("2", None, None, "urn:a|100"), True),
    "its value in another system": (ZED, who("2", "Wunder", None, "urn:insurer|100"), False),
    "its value in no system": (ZED, who("2", "Wunder", None, "100"), False),
    "the record number": (who("1", "Zed", None, "urn:a|100", kind=MR), who("2", None, None, "100"), True),
    "the record number of another": (
        who("1", "Zed", None, "urn:a|100", kind=MR), who("2", None, None, "urn:b|100", kind=MR), False,
    ),
    "an id with a sign more": (who("1", "Zed", None), who("-1", "Wunder", None), False),
}  # fmt: skip


@pytest.fixture(scope="module")
def all_of_them() -> Iterator[tuple[Log, dict[str, list[str]]]]:
    """Every line of the table in one log, each with names, ids and numbers of its own."""
    with clinic() as made:
        first = [own(position, one) for position, (one, *_) in enumerate(SECOND.values())]
        second = [own(position, one) for position, (_, one, _) in enumerate(SECOND.values())]
        assert not intake(made, ndjson(visit(), *first, *doses("first", first))).messages
        outcome = intake(made, ndjson(visit(), *second, *doses("second", second)))
        yield made, {"wrong": outcome.wrong, "messages": outcome.messages}


def own(position: int, patient: dict[str, Any]) -> dict[str, Any]:
    letter = chr(ord("a") + position)
    name = [{"family": one["family"] + letter} for one in patient.get("name", ())]
    numbers = [{**one, "value": f"{letter}{one['value']}"} for one in patient["identifier"]]
    return (
        patient | {"id": f"{letter}{patient['id']}", "identifier": numbers} | ({"name": name} if name else {})
    )


def doses(which: str, patients: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        dose(f"{which}-{position}", subject={"reference": f"Patient/{one['id']}"})
        for position, one in enumerate(patients)
    ]


@pytest.mark.parametrize("name", SECOND)
def test_who_it_is(all_of_them: tuple[Log, dict[str, list[str]]], name: str) -> None:
    position, same = list(SECOND).index(name), SECOND[name][2]
    told = {one["id"]: one["patient"] for one in events(all_of_them[0], "administration")}
    first = told[f"MedicationAdministration-first-{position}"]
    second = told.get(f"MedicationAdministration-second-{position}")
    assert (second is None) == (same is None)
    assert same is None or (first == second) == same


def test_no_message_says_who_it_is(all_of_them: tuple[Log, dict[str, list[str]]]) -> None:
    _, said = all_of_them
    assert said["wrong"] == ["MedicationAdministration.subject"] * 3
    assert not [
        one for one in said["messages"] if "Zed" in one or "Grim" in one or "1971" in one or "200" in one
    ]


def test_an_id_that_is_a_pseudonym_of_somebody_else(log: Log) -> None:
    clear = {"name": "Jane Roe", "birth_date": "1980-02-03"}
    (jane,) = [
        one.pseudonym
        for one in enter_all(log, judge(), Acting("AD-1", "S1"), [Wanted("patient", clear, "2026-01-01")])
    ]
    for position, (family, born) in enumerate(
        [("Roe Jane", "1980-02-03"), (None, "1980-02-03"), ("Roe Jane", None)]
    ):
        assert intake(log, given(f"right-{position}", who(jane, family, born), to=jane)).kinds == [
            "administration"
        ]
    for position, (family, born) in enumerate([("Mask", "1933-03-03"), ("Mask", None)]):
        wrong = intake(log, given(f"wrong-{position}", who(jane, family, born), to=jane)).wrong
        assert wrong == ["MedicationAdministration.subject"]


def test_a_birth_date_that_a_person_corrected_is_taken(log: Log) -> None:
    intake(log, given("A1", ZED))
    patient = events(log, "administration")[0]["patient"]
    corrected = {"name": "Zed", "birth_date": "1971-06-05"}
    enter_all(log, judge(), Acting("AD-1", "S1"), [Wanted("patient", corrected, "2199-01-02", patient)])
    assert intake(log, given("A2", who("1", "Zed", "1971-06-05"))).kinds == ["administration"]


def test_a_dose_at_the_visit_of_another(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    def at(subject: str, *around: dict[str, Any]) -> bytes:
        return ndjson(visit(subject={"reference": subject}), dose(), *around)

    outcome = intake(log, at("Patient/2"))
    assert outcome.wrong == ["MedicationAdministration.subject"]
    assert intake(log, at("Patient/2", ZED, {**ZED, "id": "2"}), written=False).kinds == ["administration"]
    assert intake(log, at("Group/2"), written=False).kinds == ["administration"]
    assert intake(log, at("Patient/1"), written=False).kinds == ["administration"]
    monkeypatch.setattr(Patients, "same", lambda *_: True)
    assert intake(log, at("Patient/2"), written=False).kinds == ["administration"]
