"""Resources of one input that must not be taken together: the same id at two servers, a dose told twice, a visit of another patient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from compliance.intake.fhir import gathering
from compliance.ledger.log import Log
from tests.fhir import clinic, dose, intake, ndjson, resource, visit

A, B = "https://a.example/fhir", "https://b.example/fhir"
ASPIRIN = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1191"}]}


@pytest.fixture(scope="module")
def log() -> Iterator[Log]:
    with clinic() as made:
        yield made


def at(*pairs: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """A Bundle of resources, each of a server."""
    return resource(
        "Bundle",
        type="collection",
        entry=[
            {"fullUrl": f"{base}/{one['resourceType']}/{one['id']}", "resource": one} for base, one in pairs
        ],
    )


def of(base: str, **fields: Any) -> dict[str, Any]:
    return dose(subject={"reference": f"{base}/Patient/1"}, **fields)


SEVERAL = {
    "two doses": (at((A, visit()), (A, dose()), (B, dose())), {"id"}),
    "one of them in error": (at((A, dose()), (B, dose(status="entered-in-error"))), {"id"}),
    "two patients": (
        at((A, dose("A1")), (A, resource("Patient", id="1")), (B, resource("Patient", id="1"))), {"subject"},
    ),
    "two patients who are not there": (at((A, of(A, name="A1")), (A, of(B, name="A2"))), {"subject"}),
    "two visits, one by reference": (
        at((A, visit()), (A, dose()), (A, dose("A2", context={"reference": f"{B}/Encounter/V1"}))), {"context"},
    ),
    "a place behind the visit": (
        at(
            (A, visit(location=[{"location": {"reference": f"{A}/Location/9"}}])), (A, dose()),
            (A, visit("V2", location=[{"location": {"reference": f"{B}/Location/9"}}])),
        ),
        {"context"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SEVERAL)
def test_one_id_of_two_servers_is_nobody_s(log: Log, name: str) -> None:
    file, elements = SEVERAL[name]
    outcome = intake(log, file, written=False)
    assert set(outcome.wrong) == {f"MedicationAdministration.{one}" for one in elements}
    assert "several servers" in outcome.messages[0]
    assert not outcome.kinds


ONE = {
    "one server": at((A, visit()), (A, dose())),
    "with and without encryption": at((A, visit()), (A.replace("https", "http"), dose()), (A, dose())),
    "two servers with ids of their own": at((A, visit()), (B, dose())),
    "without an address": ndjson(visit(), dose()),
}


@pytest.mark.parametrize("name", ONE)
def test_what_is_of_one_server_is_taken(log: Log, name: str) -> None:
    assert intake(log, ONE[name], written=False).kinds == ["administration"]


def test_another_drug_is_passed_over_wherever_it_is_from(log: Log) -> None:
    one = dose(medicationCodeableConcept=ASPIRIN)
    outcome = intake(log, at((A, one), (B, one)), written=False)
    assert not outcome.results
    assert outcome.reasons == ["another drug"] * 2


def test_without_looking_at_addresses_two_would_be_one(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "named_at", lambda *_: ())
    assert not intake(log, SEVERAL["two doses"][0], written=False).messages


UNMAPPED = {"location": [{"location": {"reference": "Location/99"}}]}
PLACES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no place": ({}, []),
    "a place that nobody knows": (UNMAPPED, ["context.location"]),
    "a place by its name alone": ({"location": [{"location": {"display": "Dallas"}}]}, ["context.location"]),
    "a place that is a site": ({"location": [{"location": {"reference": "Location/S1"}}]}, []),
    "one of two": ({"location": [*UNMAPPED["location"], {"location": {"reference": "Location/S1"}}]}, []),
}


@pytest.mark.parametrize("name", PLACES)
def test_the_site_of_the_call_is_for_where_no_place_is_named(log: Log, name: str) -> None:
    fields, wrong = PLACES[name]
    place = resource("Location", id="99", name="Dallas clinic")
    outcome = intake(log, ndjson(visit(**fields), place, dose()), written=False)
    assert outcome.wrong == [f"MedicationAdministration.{one}" for one in wrong]
    assert all("codes.locations" in one for one in outcome.messages)


def part(name: str, at: str = "09:00", **fields: Any) -> dict[str, Any]:
    return dose(name, at, partOf=[{"reference": "MedicationAdministration/A1"}], **fields)


def numbered(name: str, at: str, **fields: Any) -> dict[str, Any]:
    return dose(name, at, identifier=[{"system": "urn:ma", "value": "555"}], **fields)


TWICE: dict[str, tuple[list[dict[str, Any]], int, list[str]]] = {
    "a whole and its parts": ([dose(), part("A2"), part("A3", "09:10")], 2, ["id"]),
    "a whole and a part that was not given": ([dose(), part("A2", status="entered-in-error")], 1, []),
    "a whole and a part of another drug": ([dose(), part("A2", medicationCodeableConcept=ASPIRIN)], 1, []),
    "one identifier": ([numbered("A2", "09:10"), numbered("A1", "09:00")], 1, ["identifier"]),
    "one identifier, once in error": (
        [numbered("A1", "09:00", status="entered-in-error"), numbered("A2", "09:10")], 1, [],
    ),
    "one value in no system": (
        [dose(name, identifier=[{"value": "5"}]) for name in ("A1", "A2")], 2, [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TWICE)
def test_what_was_given_counts_once(log: Log, name: str) -> None:
    files, recorded, wrong = TWICE[name]
    outcome = intake(log, ndjson(visit(), *files), written=False)
    assert outcome.kinds.count("administration") == recorded
    assert outcome.wrong == [f"MedicationAdministration.{one}" for one in wrong]


def test_a_part_of_what_is_in_the_log() -> None:
    with clinic() as made:
        intake(made, ndjson(visit(), dose()))
        assert intake(made, ndjson(visit(), part("A2"))).wrong == ["MedicationAdministration.partOf"]
        intake(made, ndjson(dose(status="entered-in-error", meta={"versionId": "2"})))
        assert intake(made, ndjson(visit(), part("A2"))).kinds == ["administration"]
