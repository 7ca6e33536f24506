"""A resource that was entered in error, of which the log has no event yet: what an older version tells later is void from the start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from compliance import fhir_versions
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from tests.fhir import clinic, dose, events, intake, ndjson, pressure, resource, version, visit

DOSE = "MedicationAdministration-A1"
IN_ERROR = {"status": "entered-in-error"}
ASPIRIN = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1191"}]}
UNKNOWN = {"coding": [{"system": "urn:x", "code": "77", "display": "Ketamine 50 mg/mL"}]}


@pytest.fixture
def log() -> Iterator[Log]:
    with clinic() as made:
        yield made


@pytest.fixture(scope="module")
def unchanged() -> Iterator[Log]:
    with clinic() as made:
        yield made


def test_a_void_before_its_dose_is_remembered(log: Log) -> None:
    error = ndjson(visit(), version(dose(), 2, 10, **IN_ERROR))
    assert intake(log, error).kinds == ["void"]
    assert intake(log, error).repeated == 1
    assert intake(log, ndjson(visit(), version(dose(), 1, 9))).kinds == ["administration"]
    assert LogHistory(log).stands(DOSE) is None
    size = log.size
    assert not intake(log, error, ndjson(visit(), version(dose(), 1, 9))).messages
    assert log.size == size
    (void,) = events(log, "void")
    assert void["patient"] == events(log, "administration")[0]["patient"]
    assert intake(log, ndjson(visit(), version(dose(), 3, 11))).wrong == ["MedicationAdministration.status"]


# Each line: the version that comes after the void of version 2, the kinds that are written, what is objected to or passed over.
AFTER: dict[str, tuple[dict[str, Any], list[str], list[str], list[str]]] = {
    "a later one": (version(dose(), 3), [], ["MedicationAdministration.status"], []),
    "one of which nobody can tell": (dose(), [], ["MedicationAdministration.status"], []),
    "not done": (version(dose(), 1, status="not-done", statusReason=[{"text": "felt faint"}]), [], [], [fhir_versions.OLDER]),
    "the older one": (version(dose(), 1), ["administration"], [], []),
}  # fmt: skip


def test_what_comes_after_a_void(log: Log) -> None:
    intake(log, ndjson(version(dose(), 2, **IN_ERROR)))
    for name, (said, kinds, wrong, reasons) in AFTER.items():
        outcome = intake(log, ndjson(visit(), said))
        assert (outcome.kinds, outcome.wrong) == (kinds, wrong), name
        assert [one for one in outcome.reasons if not one.startswith("a visit")] == reasons, name


WORTH = {
    "a dose": (dose(**IN_ERROR), ["void"]),
    "a dose of a drug that cannot be told": (dose(**IN_ERROR, medicationCodeableConcept=UNKNOWN), ["void"]),
    "a dose of which only the id is left": (resource("MedicationAdministration", id="A1", **IN_ERROR), ["void"]),
    "a reading outside a session": (pressure(**IN_ERROR), []),
    "another drug": (dose(**IN_ERROR, medicationCodeableConcept=ASPIRIN), []),
    "another reading": (resource("Observation", id="o", **IN_ERROR, code={"text": "height"}), []),
    "a visit with nothing to tell": (visit(**IN_ERROR), []),
    "a person": (resource("Practitioner", id="p", **IN_ERROR), []),
}  # fmt: skip


@pytest.mark.parametrize("name", WORTH)
def test_what_is_plainly_not_ours_leaves_nothing(unchanged: Log, name: str) -> None:
    said, kinds = WORTH[name]
    assert intake(unchanged, ndjson(said), written=False).kinds == kinds


def test_a_reading_of_a_session_is_remembered(unchanged: Log) -> None:
    outcome = intake(unchanged, ndjson(visit(), dose(), pressure(**IN_ERROR)), written=False)
    assert sorted(outcome.kinds) == ["administration", "void"]


def test_in_one_input_the_later_line_counts(unchanged: Log) -> None:
    outcome = intake(unchanged, ndjson(visit(), dose(**IN_ERROR), dose()), written=False)
    assert outcome.kinds == ["administration"]


def test_without_remembering_a_dose_would_stand(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compliance.intake.fhir.reading.Reading._in_error", lambda *_: None)
    intake(log, ndjson(version(dose(), 2, 10, **IN_ERROR)))
    intake(log, ndjson(visit(), version(dose(), 1, 9)))
    assert LogHistory(log).stands(DOSE) is not None


def test_a_deletion_of_what_is_in_the_log_is_for_a_person(log: Log) -> None:
    def deleted(url: str) -> dict[str, Any]:
        return resource("Bundle", type="history", entry=[{"request": {"method": "DELETE", "url": url}}])

    intake(log, ndjson(visit(), dose()))
    assert intake(log, deleted("MedicationAdministration/A1")).wrong == ["MedicationAdministration.id"]
    for url, what in (
        ("MedicationAdministration/A9", "MedicationAdministration"), ("https://x.example/fhir/Patient/1", "Patient"), ("Jane/1", "Bundle.entry"),
    ):  # fmt: skip
        outcome = intake(log, deleted(url))
        assert [one.what for one in outcome.passed] == [what]
        assert not outcome.results
