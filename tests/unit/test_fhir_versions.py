"""Versions of one FHIR resource: an event, its corrections, its void; an older version, or the same again, changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from compliance import fhir_versions
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from tests.fhir import clinic, dose, events, in_bundle, intake, ndjson, pressure, resource, version, visit
from tests.recording import correction, judge, record

DOSE = "MedicationAdministration-A1"
NOT_DONE = {"status": "not-done", "statusReason": [{"text": "patient felt faint"}]}


@pytest.fixture
def log() -> Iterator[Log]:
    with clinic() as made:
        yield made


def dosed(mg: int, number: int | None = None, hour: int | None = None, **fields: Any) -> dict[str, Any]:
    """The dose in a version of its resource."""
    amount = {"value": mg, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
    return version(dose(), number, hour, dosage={**dose()["dosage"], "dose": amount}, **fields)


def given(*said: Any, **fields: Any) -> bytes:
    """The same with its visit, as a file."""
    return ndjson(visit(), dosed(*said, **fields))


def standing(log: Log, event_id: str = DOSE) -> Any:
    return LogHistory(log).stands(event_id)


def amounts(log: Log, event_id: str = DOSE) -> str | None:
    stands = standing(log, event_id)
    return None if stands is None else stands.body["dose_mg"]


# Each line: what arrives, in its order; the dose that stands in the end; corrections and voids that were written.
ARRIVING = {
    "once": ([dosed(56, 1, 9)], "56", 0, 0),
    "twice the same": ([dosed(56, 1, 9), dosed(56, 1, 9)], "56", 0, 0),
    "twice, without any version": ([dosed(56), dosed(56)], "56", 0, 0),
    "changed only by the server": ([dosed(56, 1, 9), dosed(56, 2, 10)], "56", 0, 0),
    "a later one": ([dosed(56, 1, 9), dosed(84, 2, 10)], "84", 1, 0),
    "a later one twice": ([dosed(56, 1, 9), dosed(84, 2, 10), dosed(84, 2, 10)], "84", 1, 0),
    "an older one": ([dosed(84, 2, 10), dosed(56, 1, 9)], "84", 0, 0),
    "an older one after both": ([dosed(56, 1, 9), dosed(84, 2, 10), dosed(56, 1, 9)], "84", 1, 0),
    "by its number alone": ([dosed(56, 1), dosed(84, 2), dosed(56, 1)], "84", 1, 0),
    "ten is after nine": ([dosed(56, 9), dosed(84, 10), dosed(56, 9)], "84", 1, 0),
    "by its instant alone": ([dosed(56, None, 9), dosed(84, None, 10), dosed(56, None, 9)], "84", 1, 0),
    "without a version": ([dosed(56), dosed(84)], "84", 1, 0),
    "what had been said, without a version": ([dosed(56), dosed(84), dosed(56)], "84", 1, 0),
    "back, by a version that is later": ([dosed(56, 1), dosed(84, 2), dosed(56, 3)], "56", 2, 0),
    "back and forth": ([dosed(56, 1), dosed(84, 2), dosed(56, 3), dosed(84, 4)], "84", 3, 0),
    "in error": ([dosed(56, 1, 9), dosed(56, 2, 10, status="entered-in-error")], None, 0, 1),
    "in error twice": ([dosed(56, 1), *[dosed(56, 2, status="entered-in-error")] * 2], None, 0, 1),
    "in error, then the older one": (
        [dosed(56, 1), dosed(56, 2, status="entered-in-error"), dosed(56, 1)], None, 0, 1,
    ),
    "older, in error": ([dosed(56, 2, 10), dosed(56, 1, 9, status="entered-in-error")], "56", 0, 0),
    "corrected and in error": ([dosed(56, 1), dosed(84, 2), dosed(84, 3, status="entered-in-error")], None, 1, 1),
    "in error first": ([dosed(56, 2, 10, status="entered-in-error"), dosed(56, 1, 9)], None, 0, 1),
    "in error first, told twice": ([*[dosed(56, 2, status="entered-in-error")] * 2, *[dosed(56, 1)] * 2], None, 0, 1),
    "in error first, not done before": ([dosed(56, 2, status="entered-in-error"), dosed(56, 1, **NOT_DONE)], None, 0, 1),
    "in error first, and of another version no more": ([dosed(56, status="entered-in-error")], None, 0, 1),
    "not done after all": ([dosed(56, 1), dosed(56, 2, **NOT_DONE)], None, 0, 1),
    "not done, as it was in an older one": ([dosed(56, 2), dosed(56, 1, **NOT_DONE)], "56", 0, 0),
}  # fmt: skip

# In one call the versions are taken in their own order, whatever that of the file.
IN_ONE_CALL = {"an older one": ("84", 1, 0), "not done, as it was in an older one": ("56", 0, 1)}


def named(name: str) -> str:
    return f"case-{list(ARRIVING).index(name)}"


def sent(step: int | None) -> bytes:
    """What arrives in a step of every case; all that does, without one."""
    files = [
        {**one, "id": named(name)}
        for name, (arriving, *_) in ARRIVING.items()
        for one in (arriving if step is None else arriving[step : step + 1])
    ]
    return ndjson(visit(), *files)


@pytest.fixture(scope="module")
def one_by_one() -> Iterator[Log]:
    """Every case of the table in one log, in as many calls as it needs."""
    with clinic() as made:
        for step in range(max(len(arriving) for arriving, *_ in ARRIVING.values())):
            assert not intake(made, sent(step)).messages
        yield made


@pytest.fixture(scope="module")
def in_one_call() -> Iterator[Log]:
    """Every case in one log, in one call."""
    with clinic() as made:
        assert not intake(made, sent(None)).messages
        yield made


def written(log: Log, name: str) -> tuple[str | None, int, int]:
    counts = [
        sum(
            one["corrects"].partition("-stop")[0] == f"MedicationAdministration-{named(name)}"
            for one in events(log, kind)
        )
        for kind in ("correction", "void")
    ]
    return amounts(log, f"MedicationAdministration-{named(name)}"), counts[0], counts[1]


@pytest.mark.parametrize("name", ARRIVING)
def test_versions_become_corrections_and_voids(one_by_one: Log, name: str) -> None:
    assert written(one_by_one, name) == ARRIVING[name][1:]


@pytest.mark.parametrize("name", ARRIVING)
def test_so_they_do_in_one_call(in_one_call: Log, name: str) -> None:
    assert written(in_one_call, name) == IN_ONE_CALL.get(name, ARRIVING[name][1:])


def test_all_of_it_again_writes_nothing(in_one_call: Log) -> None:
    size = in_one_call.size
    assert not intake(in_one_call, sent(None)).messages
    assert in_one_call.size == size


def test_a_void_says_who_sent_it_and_why(log: Log) -> None:
    intake(log, given(56, 1, 9))
    intake(log, given(56, 2, 10, status="entered-in-error"), actor="DM-4")
    (void,) = events(log, "void")
    assert (void["actor"], void["reason_code"], void["corrects"]) == ("DM-4", "never_happened", DOSE)
    assert void["occurred_at"] == "2026-03-03T10:00:00Z"


def test_what_was_void_by_hand_is_not_voided_again(log: Log) -> None:
    intake(log, given(56, 1, 9))
    record(log, judge(), {
        "id": "v", "kind": "void", "occurred_at": "2026-03-03T08:00:00Z", "site": "S1", "actor": "A1", "corrects": DOSE, "reason": "twice",
        "reason_code": "duplicate", "patient": standing(log).body["patient"],
    })  # fmt: skip
    assert fhir_versions.VOID_ALREADY in intake(log, given(56, 2, 10, status="entered-in-error")).reasons


def test_what_is_void_cannot_be_told_again(log: Log) -> None:
    intake(log, given(56, 1), given(56, 2, status="entered-in-error"))
    outcome = intake(log, given(84, 3))
    assert outcome.wrong == ["MedicationAdministration.status"]
    assert "void" in outcome.messages[0]


def test_another_kind_of_event_is_no_correction(log: Log) -> None:
    intake(log, ndjson(visit(), dose(), version(pressure(), 1)))
    score = version(
        pressure(), 2, code={"coding": [{"system": "http://loinc.org", "code": "44261-6"}]}, valueInteger=11
    )
    del score["component"]
    outcome = intake(log, ndjson(score))
    assert outcome.wrong == ["Observation.id"]
    assert "another kind of event" in outcome.messages[0]


def test_a_correction_by_a_person_stays_when_the_same_comes_again(log: Log) -> None:
    intake(log, given(56, 1, 9))
    sent = standing(log).body
    record(log, judge(), correction(sent, "by-hand", ("lot", None, "L-9"), patient=sent["patient"]))
    intake(log, given(56, 1, 9))
    intake(log, given(84, 2, 10))
    assert (standing(log).body["lot"], amounts(log)) == ("L-9", "84")
    (_, second) = events(log, "correction")
    assert {change["name"] for change in second["fields"]} == {"dose_mg", "quantity"}


def test_the_same_version_with_less_around_it_takes_nothing_back(log: Log) -> None:
    whole = version(pressure(), 1, 9)
    intake(log, ndjson(visit(), dose(), whole))
    assert standing(log, "Observation-O1").body["point"] == "pre_dose"
    size = log.size
    intake(log, ndjson(whole, visit(type=[{"text": "x"}])))
    assert log.size == size or not events(log, "correction")


def test_free_text_in_the_vault_is_compared_in_clear(log: Log) -> None:
    stopped = version(dose(), 1, 9, **NOT_DONE)
    assert intake(log, ndjson(visit(), stopped)).kinds == ["session_stop"]
    stop = events(log, "session_stop")[0]
    assert stop["reason"].startswith("vault:sha256:")
    assert intake(log, ndjson(visit(), version(dose(), 2, 10, **NOT_DONE))).repeated == 1
    other = {**NOT_DONE, "statusReason": [{"text": "patient went home"}]}
    assert intake(log, ndjson(visit(), version(dose(), 3, 11, **other))).kinds == ["correction"]
    (change,) = events(log, "correction")[0]["fields"]
    assert change["name"] == "reason"
    assert change["old"] == f'"{stop["reason"]}"'
    assert "home" not in str(change)
    assert standing(log, stop["id"]).body["reason"] != stop["reason"]
    assert intake(log, ndjson(visit(), version(dose(), 3, 11, **other))).repeated == 1


def test_three_versions_with_text_in_one_call(log: Log) -> None:
    texts = ["felt faint", "went home", "was called away"]
    files = [
        version(dose(), number, status="not-done", statusReason=[{"text": text}])
        for number, text in enumerate(texts)
    ]
    outcome = intake(log, ndjson(visit(), *reversed(files)))
    assert outcome.kinds == ["session_stop", "correction", "correction"]
    first, second = events(log, "correction")
    assert first["fields"][0]["new"] == second["fields"][0]["old"]
    assert standing(log, f"{DOSE}-stop").body["reason"] == second["fields"][0]["new"].strip('"')


def test_versions_in_a_history_bundle_are_taken_in_their_order(log: Log) -> None:
    one = version(dose(), 1, 9)
    two = version(
        dose(),
        2,
        10,
        dosage={
            **dose()["dosage"],
            "dose": {"value": 84, "system": "http://unitsofmeasure.org", "code": "mg"},
        },
    )
    history = in_bundle(visit(), two, one, kind="history")
    history["entry"].append(
        {"fullUrl": "http://x/Patient/9", "request": {"method": "DELETE", "url": "Patient/9"}}
    )
    assert intake(log, history).kinds == ["administration", "correction"]
    assert amounts(log) == "84"


def test_a_time_put_back_does_not_put_a_version_before_the_one_it_follows(log: Log) -> None:
    one = version(dose(at="11:00"), 1, 9)
    two = version(dose(at="09:00"), 2, 10)
    assert intake(log, ndjson(visit(), two, one)).kinds == ["administration", "correction"]
    assert standing(log).body["occurred_at"] == "2026-03-02T09:00:00-06:00"


def test_a_second_batch_sees_what_the_first_has_not_committed(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compliance.record.BATCH", 1)
    assert intake(log, given(56, 1), given(84, 2), given(28, 3)).kinds == [
        "administration",
        "correction",
        "correction",
    ]
    assert amounts(log) == "28"


def test_checking_says_the_same_and_writes_nothing(log: Log) -> None:
    size = log.size
    checked = intake(log, given(56, 1), given(84, 2), written=False)
    assert checked.kinds == ["administration", "correction"]
    assert log.size == size


def test_without_the_memory_of_this_input_versions_would_clash(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fhir_versions.Versions, "_keep", lambda *_: None)
    assert intake(log, given(56, 1), given(84, 2)).wrong == ["id"]


def test_long_ids_get_amendments_of_their_own(log: Log) -> None:
    name = "x" * 64
    one = {**dose(), "id": name}
    assert intake(log, ndjson(visit(), version(one, 1))).kinds == ["administration"]
    two = version(
        one,
        2,
        dosage={
            **dose()["dosage"],
            "dose": {"value": 84, "system": "http://unitsofmeasure.org", "code": "mg"},
        },
    )
    assert intake(log, ndjson(visit(), two)).kinds == ["correction"]
    assert intake(log, ndjson(visit(), version(one, 3, status="entered-in-error"))).kinds == ["void"]


def test_other_resources_are_left_alone(log: Log) -> None:
    assert intake(log, resource("Goal", id="g")).reasons == ["resources of types of which no event comes"]
