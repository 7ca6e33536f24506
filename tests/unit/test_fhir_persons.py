"""Patients of FHIR resources through the identity vault: who is found, who is entered, who cannot be told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from compliance import fhir_persons
from compliance.errors import InputError
from compliance.ledger.log import Log
from compliance.ledger.vault import reach
from compliance.persons import Acting, Wanted, enter_all
from tests.fhir import Outcome, clinic, dose, events, intake, ndjson, resource, visit
from tests.recording import judge
from tests.vaults import traces

JANE = {"name": "Jane Roe", "birth_date": "1980-02-03", "record_numbers": ["MRN-77"]}
JOHN = {"name": "John Doe", "birth_date": "1970-01-01", "record_numbers": ["MRN-88"]}


@pytest.fixture
def log() -> Iterator[Log]:
    with clinic() as made:
        yield made


def patient(**fields: Any) -> dict[str, Any]:
    return resource("Patient", **{"id": "1", **fields})


def called(given: str, family: str, born: str | None = None, *numbers: str, **fields: Any) -> dict[str, Any]:
    born_on = {} if born is None else {"birthDate": born}
    kind = {"coding": [{"system": fhir_persons.V2_IDENTIFIER, "code": "MR"}]}
    identifiers = [{"system": "urn:mrn", "value": number, "type": kind} for number in numbers]
    return patient(name=[{"given": [given], "family": family}], identifier=identifiers, **born_on, **fields)


def known(log: Log, *persons: dict[str, Any]) -> list[str]:
    """Persons whom the vault knows already, by pseudonym."""
    wanted = [Wanted("patient", clear, "2026-01-01") for clear in persons]
    return [one.pseudonym for one in enter_all(log, judge(), Acting("AD-1", "S1"), wanted)]


def doses_of(outcome: Outcome, log: Log) -> list[str]:
    assert not outcome.messages
    return [one["patient"] for one in events(log, "administration")]


FOUND = {
    "by an identifier": (patient(identifier=[{"value": "mrn 77"}]), 0),
    "by name and birth date": (called("Jane", "Roe", "1980-02-03"), 0),
    "by name in another order": (patient(name=[{"text": "ROE, Jané"}], birthDate="1980-02-03"), 0),
    "by the official name": (
        patient(name=[{"text": "J"}, {"use": "official", "given": ["Jane"], "family": "Roe"}], birthDate="1980-02-03"), 0,
    ),
    "another number, another day": (called("Jane", "Roe", "1980-02-04", "MRN-99"), None),
    "a birth date of a year only": (called("Jane", "Roe", "1980"), None),
    "a name without a birth date": (called("Jane", "Roe"), None),
    "nobody in the input": (visit("V2"), None),
}  # fmt: skip


@pytest.mark.parametrize("name", FOUND)
def test_who_is_known_is_found_and_who_is_not_is_entered(log: Log, name: str) -> None:
    persons = known(log, JANE, JOHN)
    said, which = FOUND[name]
    (found,) = doses_of(intake(log, ndjson(visit(), dose(), said)), log)
    assert found.startswith("P-")
    assert (found in persons) == (which is not None)
    if which is not None:
        assert found == persons[which]
    (later,) = set(doses_of(intake(log, ndjson(visit(), dose("A2"))), log))
    assert later == found, "a later file without the Patient finds the same person"


UNTOLD = {
    "two persons": ([called("Jane", "Roe", "1980-02-03", "MRN-88")], "several persons"),
    "born on another day": ([called("Jim", "Poe", "1999-09-09", "MRN-77")], "born on another day"),
    "a Group": ([dose(subject={"reference": "Group/1"})], "names no Patient"),
    "contained, and not there": ([dose(subject={"reference": "#p"})], "names no Patient"),
    "contained, without a name": (
        [dose(subject={"reference": "#p"}, contained=[{"resourceType": "Patient", "id": "p"}])], "names no Patient",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNTOLD)
def test_who_cannot_be_told_is_rejected_at_the_subject(log: Log, name: str) -> None:
    known(log, JANE, JOHN)
    files, message = UNTOLD[name]
    outcome = intake(log, ndjson(visit(), *(files if "A1" in str(files) else [dose(), *files])))
    assert outcome.wrong == ["MedicationAdministration.subject"]
    assert message in outcome.messages[0]
    assert not events(log, "administration")


def test_one_number_of_two_patients_does_not_make_them_one(log: Log) -> None:
    one = {**called("Ann", "Poe", "1981-01-01", "5"), "id": "1"}
    two = {**called("Bob", "Poe", "1982-02-02", "5"), "id": "2"}
    outcome = intake(
        log, ndjson(visit(), one, two, dose("A1"), dose("A2", subject={"reference": "Patient/2"}))
    )
    assert (outcome.kinds, outcome.wrong) == (["administration"], ["MedicationAdministration.subject"])


def test_who_was_entered_by_hand_under_the_reference_is_who_it_is(log: Log) -> None:
    known(log, JANE)
    (right,) = known(log, {"name": "Jane Roe", "birth_date": "1980-02-03", "record_numbers": ["Patient/1"]})
    assert doses_of(
        intake(log, ndjson(visit(), dose(), called("Jane", "Roe", "1980-02-03", "MRN-77"))), log
    ) == [right]


def test_a_name_that_comes_later_is_added(log: Log) -> None:
    (found,) = doses_of(intake(log, ndjson(visit(), dose())), log)
    intake(log, ndjson(visit(), dose("A2"), called("Jane", "Roe", "1980-02-03", "MRN-77")))
    with reach(log, write=False) as way:
        assert way is not None
        versions = way.vault.persons.versions(found)
    assert [one.clear.get("name") for one in versions] == [None, "Jane Roe"]
    assert versions[-1].clear["record_numbers"] == ["Patient/1", "urn:mrn|MRN-77", "MRN-77"]


def test_a_name_that_comes_later_and_belongs_to_another_is_no_guess(log: Log) -> None:
    intake(log, ndjson(visit(), dose()))
    known(log, JANE)
    outcome = intake(log, ndjson(visit(), dose("A2"), called("Jane", "Roe", "1980-02-03")))
    assert "several persons" in outcome.messages[0]


@pytest.mark.parametrize(
    "reference",
    ["Patient/{}", "https://ehr.example/fhir/Patient/{}", "https://ehr.example/fhir/Patient/{}/_history/3"],
)
def test_a_pseudonym_stands_for_itself(log: Log, reference: str) -> None:
    (jane,) = known(log, JANE)
    entered = len(events(log, "record_access"))
    found = doses_of(intake(log, ndjson(visit(), dose(subject={"reference": reference.format(jane)}))), log)
    assert found == [jane]
    assert len(events(log, "record_access")) == entered


def test_a_contained_patient_is_known_by_who_it_is(log: Log) -> None:
    (jane,) = known(log, JANE)
    inside = {**called("Jane", "Roe", "1980-02-03"), "id": "p"}
    other = {**called("John", "Poe", "1990-02-03"), "id": "p"}
    one = dose("A1", subject={"reference": "#p"}, contained=[inside])
    two = dose("A2", subject={"reference": "#p"}, contained=[other])
    first, second = doses_of(intake(log, ndjson(visit(), one, two)), log)
    assert first == jane != second


def test_nobody_is_entered_for_the_sake_of_another_drug(log: Log) -> None:
    aspirin = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1191"}]}
    outcome = intake(
        log, ndjson(visit(), dose(medicationCodeableConcept=aspirin), called("Jane", "Roe", "1980-02-03"))
    )
    assert "another drug" in outcome.reasons
    assert not events(log, "record_access")


def test_who_is_new_is_entered_once_and_by_whoever_runs_it(log: Log) -> None:
    intake(
        log,
        ndjson(visit(), dose("A1"), dose("A2"), dose("A3", subject={"reference": "Patient/2"})),
        actor="DM-3",
    )
    assert [one["actor"] for one in events(log, "record_access")] == ["DM-3", "DM-3"]


def test_checking_enters_nobody_and_still_tells_patients_apart(log: Log) -> None:
    size = log.size
    outcome = intake(
        log,
        ndjson(visit(), dose("A1"), dose("A2"), dose("A3", subject={"reference": "Patient/2"})),
        written=False,
    )
    assert len(outcome.kinds) == 3
    one, two, three = (result.draft.event.values["patient"] for result in outcome.results)  # type: ignore[union-attr]
    assert one == two != three
    assert log.size == size


def test_nothing_of_who_somebody_is_lies_outside_the_vault(log: Log) -> None:
    jane = called(
        "Jane", "Roe", "1980-02-03", "MRN-77", telecom=[{"system": "phone", "value": "512-555-0101"}]
    )
    jane |= {"address": [{"line": ["1 Elm Street"], "city": "Austin", "state": "TX"}], "gender": "female"}
    outcome = intake(log, ndjson(visit(), jane, dose("A1"), dose("A2", dosage={"dose": {"value": "x"}})))
    assert outcome.wrong
    secrets = ["Jane", "1980-02-03", "MRN-77", "MRN77", "512-555-0101", "Elm Street", "Patient/1", "PATIENT1"]
    documents = json.dumps([entry.document() for entry in log.entries()])
    assert not [one for one in secrets if one in documents or one in str(outcome.messages)]
    folder = log.driver.execute("PRAGMA database_list").fetchone()[2].rpartition("/")[0]
    from pathlib import Path

    assert not list(
        traces(
            Path(folder), ["1980-02-03", "512-555-0101", "Elm Street"], leave_out=_quarantine(Path(folder))
        )
    )


def _quarantine(folder: Any) -> list[Any]:
    """The log's own file holds the bytes of what was rejected, until they are discarded."""
    return [file for file in folder.iterdir() if "vault" not in file.name]


def test_without_a_vault_nobody_can_be_named() -> None:
    with clinic(vault=False) as log:
        with pytest.raises(InputError, match="no identity vault"):
            intake(log, ndjson(visit(), dose()))
        assert intake(log, ndjson(called("Jane", "Roe"))).reasons == ["resources that only others refer to"]


def test_without_anybody_who_acts_nobody_is_entered(log: Log) -> None:
    with pytest.raises(InputError, match="who acts"):
        intake(log, ndjson(visit(), dose()), actor=None)
    assert not events(log, "record_access", "administration")
