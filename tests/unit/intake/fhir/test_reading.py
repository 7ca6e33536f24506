"""Resources as they are read in order: references, doses of a visit, sites, and what was sent with nothing around it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from compliance.intake.fhir import reading
from compliance.ledger.log import Log
from compliance.record import Recorded, Refused
from tests.fhir import (
    NDC,
    SPRAVATO,
    clinic,
    dose,
    events,
    in_bundle,
    intake,
    ndjson,
    pressure,
    resource,
    version,
    visit,
)

UUID = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
MEDICATION = resource("Medication", id="m", code={"coding": [{"system": NDC, "code": SPRAVATO}]})


@pytest.fixture(scope="module")
def log() -> Iterator[Log]:
    """Nothing is recorded in it."""
    with clinic() as made:
        yield made


def checked(log: Log, *files: Any, **more: Any) -> Any:
    return intake(log, *files, written=False, **more)


def bodies(outcome: Any) -> list[Any]:
    return [one.draft.event.body for one in outcome.results if isinstance(one, Recorded)]


def by_reference(**fields: Any) -> dict[str, Any]:
    one = dose(**fields)
    del one["medicationCodeableConcept"]
    return one


def entries(*pairs: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return resource(
        "Bundle", type="transaction", entry=[{"fullUrl": url, "resource": one} for url, one in pairs]
    )


def without_id(one: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name != "id"}


REFERRING: dict[str, list[Any]] = {
    "in the same file": [ndjson(by_reference(medicationReference={"reference": "Medication/m"}), MEDICATION, visit())],
    "in another file": [by_reference(medicationReference={"reference": "Medication/m"}), MEDICATION, visit()],
    "contained": [by_reference(medicationReference={"reference": "#m"}, contained=[MEDICATION]), visit()],
    "with the server's address": [
        by_reference(medicationReference={"reference": "https://a.example/fhir/Medication/m"}), MEDICATION, visit(),
    ],
    "by its version": [by_reference(medicationReference={"reference": "Medication/m/_history/4"}), MEDICATION, visit()],
    "by the address of its entry": [
        entries(("https://b.example/x?y=7", MEDICATION), ("https://b.example/fhir/Encounter/V1", visit())),
        by_reference(medicationReference={"reference": "https://b.example/x?y=7"}),
    ],
    "by a UUID": [
        entries((UUID, without_id(MEDICATION)), (f"{UUID}1", without_id(visit()))),
        by_reference(medicationReference={"reference": UUID}, context={"reference": f"{UUID}1"}),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", REFERRING)
def test_references_are_resolved_within_the_input(log: Log, name: str) -> None:
    outcome = checked(log, *REFERRING[name])
    assert (outcome.kinds, outcome.messages) == (["administration"], [])
    assert bodies(outcome)[0]["drug"] == "esketamine_nasal_28mg"
    assert bodies(outcome)[0]["encounter_class"] == "outpatient"


CIRCLES: dict[str, list[Any]] = {
    "a medication in itself": [
        by_reference(medicationReference={"reference": "Medication/k"}),
        resource("Medication", id="k", ingredient=[{"itemReference": {"reference": "Medication/k"}}]),
    ],
    "contained in a circle": [
        by_reference(
            medicationReference={"reference": "#k"},
            contained=[resource("Medication", id="k", ingredient=[{"itemReference": {"reference": "#k"}}])],
        )
    ],
    "a place in a place": [
        dose(), visit(location=[{"location": {"reference": "Location/a"}}]),
        resource("Location", id="a", partOf={"reference": "Location/b"}), resource("Location", id="b", partOf={"reference": "Location/a"}),
    ],
    "a role that is its own practitioner": [
        dose(performer=[{"actor": {"reference": "PractitionerRole/r"}}]), visit(),
        resource("PractitionerRole", id="r", practitioner={"reference": "PractitionerRole/r"}),
    ],
    "the resource itself": [by_reference(medicationReference={"reference": "#"})],
}  # fmt: skip


@pytest.mark.parametrize("name", CIRCLES)
def test_circles_of_references_end(log: Log, name: str) -> None:
    outcome = checked(log, *CIRCLES[name])
    assert outcome.wrong or outcome.kinds


def test_what_is_not_as_fhir_has_it_is_not_looked_into(log: Log) -> None:
    broken = {**MEDICATION, "code": "ketamine"}
    outcome = checked(log, by_reference(medicationReference={"reference": "Medication/m"}), broken, visit())
    assert "Medication.code" in outcome.wrong
    assert "MedicationAdministration.medication" in outcome.wrong


def test_the_last_version_of_what_is_referred_to_counts(log: Log) -> None:
    other = version({**MEDICATION, "code": {"text": "aspirin"}}, 1)
    outcome = checked(
        log,
        by_reference(medicationReference={"reference": "Medication/m"}),
        version(MEDICATION, 2),
        other,
        visit(),
    )
    assert outcome.kinds == ["administration"]


POINTS: dict[str, tuple[list[Any], str | None]] = {
    "before the first dose": ([dose(at="09:00"), dose("A2", at="08:50")], "pre_dose"),
    "one dose was before": ([dose(at="08:30")], None),
    "the dose was not given": ([dose(at="09:00", status="not-done"), dose("A2", at="08:30")], None),
    "the dose was entered in error": ([dose(at="08:30", status="entered-in-error"), dose("A2", at="09:00")], "pre_dose"),
    "an older version gave it before": ([version(dose(at="08:30"), 1), version(dose(at="09:00"), 2)], "pre_dose"),
    "another drug was before": (
        [dose(at="08:30", medicationCodeableConcept={"coding": [{"system": NDC, "code": "0069-2587-10"}]}), dose("A2")], "pre_dose",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", POINTS)
def test_the_first_dose_of_a_visit_is_known(log: Log, name: str) -> None:
    doses, point = POINTS[name]
    outcome = checked(log, ndjson(pressure(), visit(), *doses))
    (measured,) = [one for one in bodies(outcome) if one["kind"] == "vital_signs"]
    assert (measured.get("point") == "pre_dose") == (point == "pre_dose")


def test_events_come_as_they_occurred_whatever_the_file_they_are_in(log: Log) -> None:
    left = visit(
        status="finished", type=[{"text": "x"}], period={"start": "2026-03-02T08:30:00-06:00", "end": "2026-03-02T12:00:00-06:00"},
        hospitalization={"dischargeDisposition": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/discharge-disposition", "code": "home"}]}},
        participant=[{"individual": {"reference": "Practitioner/RN-1"}}],
    )  # fmt: skip
    outcome = checked(
        log,
        ndjson(left),
        ndjson(dose("A2", at="10:00"), dose()),
        ndjson(pressure(at="09:30"), pressure("O2")),
    )
    instants = [one["occurred_at"] for one in bodies(outcome)]
    assert instants == sorted(instants)
    assert len(instants) >= 4


def test_no_more_events_wait_than_memory_allows(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WAITING", 2)
    many = [dose(f"A{number}") for number in range(8)]
    assert len(checked(log, ndjson(visit(), *many)).kinds) == 8


def test_the_site_is_told_by_the_place_or_by_the_caller(log: Log) -> None:
    there = visit(location=[{"location": {"reference": "Location/S1"}}])
    assert bodies(checked(log, dose(), there, site=None))[0]["site"] == "S1"
    assert checked(log, dose(), visit(), site=None).wrong == ["MedicationAdministration.context.location"]


def test_what_another_resource_contains_is_found_from_outside(log: Log) -> None:
    room = resource("Location", id="l", partOf={"reference": "Location/S1"})
    there = visit(contained=[room], location=[{"location": {"reference": "#l"}}])
    elsewhere = resource("Location", id="l", partOf={"reference": "Location/S9"})
    outcome = checked(log, dose(contained=[elsewhere], note=[{"text": "x"}]), there, site=None)
    assert bodies(outcome)[0]["site"] == "S1"


def test_a_broken_resource_is_rejected_with_its_place_and_the_others_go_on(log: Log) -> None:
    bad = dose("A2", dosage={"dose": {"value": "Jane Roe"}})
    outcome = checked(log, in_bundle(dose(), bad, visit()))
    assert (outcome.kinds, outcome.wrong) == (
        ["administration"],
        ["MedicationAdministration.dosage.dose.value"],
    )
    assert "Jane" not in str(outcome.messages)


PLACES: dict[str, tuple[Any, str]] = {
    "no type in an entry": (resource("Bundle", entry=[{"resource": {}}]), "Bundle.entry[0].resource.resourceType"),
    "no object in an entry": (resource("Bundle", entry=[{"resource": dose()}, {"resource": 7}]), "Bundle.entry[1].resource"),
    "no type": ({"id": "x"}, "resourceType"),
    "no JSON": (b'{"resourceType": \n', ""),
    "a name twice": (json.dumps(dose())[:-1].encode() + b', "id": "A1"}', "id"),
    "a NUL byte": (json.dumps(dose()).encode().replace(b"completed", b"comp\0leted"), ""),
    "no UTF-8": (json.dumps(dose()).encode().replace(b"completed", b"comp\xffleted"), ""),
    "too deep": (b'{"resourceType":"Observation","x":' + b"[" * 70 + b"]" * 70 + b"}", ""),
    "not a number": (json.dumps(dose()).encode().replace(b"56", b"NaN"), ""),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_places_of_what_is_no_resource(log: Log, name: str) -> None:
    said, place = PLACES[name]
    assert place in checked(log, said, visit()).wrong


def test_one_that_only_a_fullurl_names_is_recorded_under_that() -> None:
    with clinic() as log:
        anonymous = entries((UUID, without_id(dose())), ("urn:uuid:v1", visit()))
        assert intake(log, anonymous).kinds == ["administration"]
        assert events(log, "administration")[0]["id"] == f"MedicationAdministration-{UUID[9:]}"
        assert intake(log, anonymous).repeated == 1


def test_a_licence_is_entered_by_whoever_sends_it(log: Log) -> None:
    nurse = version(resource(
        "Practitioner", id="RN-1",
        qualification=[{
            "identifier": [{"type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "LN"}]}, "value": "123"}],
            "code": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0360", "code": "RN"}]},
        }],
    ), 1, 9)  # fmt: skip
    with_actor, without = checked(log, nurse, actor="OM-1"), checked(log, nurse, actor=None)
    assert not any("actor is missing" in one for one in with_actor.messages)
    assert any("actor is missing" in one for one in without.messages)


def test_readings_that_come_after_the_doses_belong_to_the_session() -> None:
    """Each file is a call of its own; doses that are on record already are looked up there."""
    with clinic() as log:
        outcome = intake(log, ndjson(pressure(), visit()))
        assert not bodies(outcome)
        intake(log, ndjson(dose(at="09:00"), visit()))
        (measured,) = bodies(intake(log, ndjson(pressure(), visit())))
    assert (measured["kind"], measured["point"]) == ("vital_signs", "pre_dose")


def test_a_dose_that_moves_in_this_input_counts_as_it_is_told_now() -> None:
    """The log still has the older version, in which the reading came after the dose."""
    with clinic() as log:
        intake(log, ndjson(version(dose(at="08:30"), 1), visit()))
        (measured,) = bodies(intake(log, ndjson(pressure(), version(dose(at="09:00"), 2), visit())))[:1]
    assert (measured["kind"], measured["point"]) == ("vital_signs", "pre_dose")


MODIFIED = [{"url": "urn:x:not", "valueBoolean": True}]


@pytest.mark.parametrize(
    ("one", "place"),
    [
        (dose(modifierExtension=MODIFIED), "modifierExtension"),
        (dose(implicitRules="urn:x:rules"), "implicitRules"),
        (dose(performer=[{"actor": {"reference": "Practitioner/N1"}, "modifierExtension": MODIFIED}]), "performer[0].modifierExtension"),
    ],
)  # fmt: skip
def test_what_changes_the_meaning_is_not_passed_over(log: Log, one: Any, place: str) -> None:
    """Such an element may say that the rest is not so."""
    (refused,) = [found for found in checked(log, one, visit()).results if isinstance(found, Refused)]
    assert [problem.place.field for problem in refused.problems] == [f"MedicationAdministration.{place}"]


def test_a_modifier_in_what_is_not_ours_rejects_nothing(log: Log) -> None:
    """A dose of another drug is another drug's, whatever else is said of it."""
    other = {"coding": [{"system": NDC, "code": "0069-2587-10"}]}
    outcome = checked(log, dose(modifierExtension=MODIFIED, medicationCodeableConcept=other), visit())
    assert not outcome.results
