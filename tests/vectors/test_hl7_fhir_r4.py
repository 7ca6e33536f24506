"""The official examples of FHIR R4: each is read, and ends as an event, as rejected with its place, or passed over with a reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compliance.errors import Place
from compliance.intake.fhir.structure import Structure
from compliance.intake.json_lines import ExactReader
from compliance.ledger.log import Log
from compliance.record import Recorded, Refused
from tests.fhir import NDC, SPRAVATO, clinic, intake

FOLDER = Path(__file__).parent / "hl7-fhir-r4"
FILES = {path.stem: path for path in sorted(FOLDER.glob("*.ndjson"))}
SINGLE = [name for name in FILES if name != "Bundle"]


@pytest.fixture(scope="module")
def log() -> Iterator[Log]:
    with clinic() as made:
        yield made


def examples(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in FILES[name].read_bytes().splitlines()]


def test_each_of_them_ends_somewhere_once(log: Log) -> None:
    everything = [FILES[name].read_bytes() for name in SINGLE]
    outcome = intake(log, *everything, written=False)
    ends = Counter(
        (one.source, one.line)
        for one in (*outcome.results, *outcome.passed)
        if isinstance(one, Refused) or hasattr(one, "reason")
    )
    events = Counter(
        (one.draft.source, one.draft.line) for one in outcome.results if isinstance(one, Recorded)
    )
    every = {(f"f{i}.json", line + 1) for i, raw in enumerate(everything) for line in range(raw.count(b"\n"))}
    assert set(ends | events) == every
    assert set(ends.values()) == {1}
    assert all(
        problem.place.field for one in outcome.results if isinstance(one, Refused) for problem in one.problems
    )
    assert all(one.reason for one in outcome.passed)


def test_none_of_them_is_about_our_drugs_and_some_were_entered_in_error(log: Log) -> None:
    outcome = intake(
        log, *(FILES[name].read_bytes() for name in SINGLE if name.startswith("Medication")), written=False
    )
    assert not outcome.kinds
    reasons = Counter(outcome.reasons)
    assert reasons["another drug"] >= 70
    assert reasons["entered in error, and nothing of it is in the log"] == 3


def test_the_bundles_among_them(log: Log) -> None:
    outcome = intake(log, FILES["Bundle"].read_bytes(), written=False)
    entries = sum(max(len(bundle.get("entry", ())), 1) for bundle in examples("Bundle"))
    ended = (
        sum(1 for one in outcome.results if isinstance(one, Refused))
        + len(outcome.passed)
        + len(outcome.kinds)
    )
    assert ended >= entries


@pytest.mark.parametrize("name", SINGLE)
def test_the_structure_of_every_one_of_them_is_sound(name: str) -> None:
    reader, structure = ExactReader(), STRUCTURE
    for number, line in enumerate(FILES[name].read_bytes().splitlines()):
        value, problems = reader.parsed(line, Place(name, number + 1))
        assert not problems + structure.problems(value, Place(name, number + 1))


STRUCTURE = Structure()


@pytest.mark.parametrize("name", ["MedicationAdministration", "MedicationDispense", "MedicationRequest"])
def test_were_they_about_esketamine_each_would_be_an_event_or_rejected_with_its_place(
    log: Log, name: str
) -> None:
    ours = []
    for one in examples(name):
        one.pop("medicationReference", None)
        ours.append({**one, "medicationCodeableConcept": {"coding": [{"system": NDC, "code": SPRAVATO}]}})
    outcome = intake(log, b"\n".join(json.dumps(one).encode() for one in ours), written=False)
    assert len(outcome.results) + len(outcome.passed) >= len(ours)
    assert "another drug" not in outcome.reasons
    assert all(place.startswith(name) for place in outcome.wrong)
