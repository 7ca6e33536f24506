"""Observation: scores, pregnancy, and laboratory results."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.intake.fhir.labs import ABSENT, INTERPRETATION
from compliance.intake.fhir.observations import observation
from compliance.intake.fhir.scores import SCALES
from compliance.intake.fhir.view import LOINC
from tests.clinical_records import concept, observed, outcome, quantity, snomed, view

PHQ9, GAD7 = SCALES[0], SCALES[1]
BY_PATIENT = [{"reference": "Patient/1"}, {"reference": "Practitioner/RN-1"}]


def answered(points: int) -> dict[str, Any]:
    return concept(("LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9")[points])


@pytest.mark.parametrize(
    ("code", "instrument", "mode"),
    [
        ("44261-6", "phq9", "self"),
        ("70274-6", "gad7", "self"),
        ("101698-9", "pcl5", "self"),
        ("75626-2", "audit_c", "clinician"),
        ("82667-7", "dast10", "clinician"),
    ],
)
def test_each_total(code: str, instrument: str, mode: str) -> None:
    """By valueInteger or as a quantity of points; who rated is the scale's definition, else the performer."""
    body = outcome(observation, observed(code, valueInteger=9))
    assert (body["kind"], body["instrument"], body["mode"], body["total"]) == (
        "assessment",
        instrument,
        mode,
        9,
    )
    assert body.get("assessor") == ("RN-1" if mode == "clinician" else None)
    assert outcome(observation, observed(code, valueQuantity=quantity("9", "{score}")))["total"] == 9
    assert outcome(observation, observed(code, valueInteger=9, performer=BY_PATIENT))["mode"] == "self"


def test_a_total_belongs_to_a_session_only_if_the_visit_is_one() -> None:
    """A scale filled in at another visit stands without a session."""
    said = observed("44261-6", valueInteger=9)
    assert outcome(observation, said)["session"] == "9"
    assert "session" not in outcome(observation, said, view(dose=None))


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({}, "valueInteger"),
        ({"valueQuantity": quantity("9.5", "{score}")}, "valueQuantity"),
        ({"valueQuantity": quantity("9", "{score}", comparator="<")}, "valueInteger"),
        ({"valueString": "nine"}, "valueInteger"),
    ],
)
def test_what_is_no_total(value: dict[str, Any], place: str) -> None:
    """A text is not read, nothing is rounded."""
    assert outcome(observation, observed("44261-6", **value)) == [f"Observation.{place}"]


@pytest.mark.parametrize("scale", [PHQ9, GAD7])
def test_items_as_components(scale: Any) -> None:
    """In the order of the scale, whatever theirs; one that was not answered leaves all of them out."""
    points = [i % 4 for i in range(len(scale.items))]
    component = [
        {"code": concept(item), "valueCodeableConcept": answered(n)}
        for item, n in zip(scale.items, points, strict=True)
    ]
    body = outcome(observation, observed(scale.total, valueInteger=sum(points), component=component[::-1]))
    assert body["item_scores"] == points
    panel = [*component, {"code": concept(scale.total), "valueInteger": sum(points)}]
    assert outcome(observation, observed(scale.panel, component=panel))["total"] == sum(points)
    asked = {"code": concept(scale.items[0]), "dataAbsentReason": concept("asked-declined", ABSENT)}
    body = outcome(observation, observed(scale.total, valueInteger=5, component=[asked, *component[1:]]))
    assert (body["total"], "item_scores" in body) == (5, False)


def test_items_as_members() -> None:
    """Of the total, and of a panel without one; a panel with a total is passed over, since the total comes by itself."""
    items = [
        observed(item, id=f"i{n}", valueCodeableConcept=answered(n % 4)) for n, item in enumerate(PHQ9.items)
    ]
    around = view(*items, observed(PHQ9.total, id="t", valueInteger=12))
    members = [{"reference": f"Observation/i{n}"} for n in range(9)]
    expected = [0, 1, 2, 3, 0, 1, 2, 3, 0]
    assert (
        outcome(observation, observed(PHQ9.total, valueInteger=12, hasMember=members), around)["item_scores"]
        == expected
    )
    assert outcome(observation, observed("44249-1", hasMember=members), around)["item_scores"] == expected
    elsewhere = "a scale whose total is a resource of its own"
    assert (
        outcome(
            observation, observed("44249-1", hasMember=[*members, {"reference": "Observation/t"}]), around
        )
        == elsewhere
    )
    assert outcome(observation, observed("44249-1", hasMember=members)) == elsewhere
    assert outcome(observation, items[0]) == "an item of a scale, whose total is taken"
    assert outcome(observation, observed("44249-1")) == ["Observation.component"]


@pytest.mark.parametrize(
    ("answer", "level"),
    [("LA30370-3", 1), ("LA30371-1", 2), ("LA30372-9", 3), ("LA30373-7", 4), ("LA30374-5", 5)],
)
def test_suicidal_ideation(answer: str, level: int) -> None:
    """The worst of the past month, as a level of the C-SSRS; that of a lifetime is not how things are."""
    body = outcome(observation, observed("93293-9", valueCodeableConcept=concept(answer)))
    assert (body["instrument"], body["suicidal_ideation_level"]) == ("cssrs", level)
    assert outcome(observation, observed("93294-7", valueInteger=level)) == "an observation of another kind"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (snomed("77386006"), "yes"),
        (snomed("60001007"), "no"),
        (snomed("261665006"), "unknown"),
        (concept("LA15173-0", LOINC), "yes"),
        (snomed("152231000119106"), ["Observation.valueCodeableConcept"]),
        ({"text": "not pregnant"}, ["Observation.valueCodeableConcept"]),
    ],
)
def test_pregnancy_status(answer: dict[str, Any], expected: Any) -> None:
    """By code; what no code says is not read from words."""
    found = outcome(observation, observed("82810-3", valueCodeableConcept=answer))
    assert (found["pregnant"] if isinstance(found, dict) else found) == expected


def test_who_rated_is_not_made_up() -> None:
    """A scale that either may fill in needs a performer."""
    assert (
        outcome(observation, observed("75626-2", valueInteger=3, performer=None))
        == ["Observation.performer"] * 2
    )
    assert (
        outcome(observation, observed("44261-6", dataAbsentReason=concept("asked-declined", ABSENT)))
        == "a scale that was not rated"
    )


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"valueCodeableConcept": snomed("260385009")}, "negative"),
        ({"valueCodeableConcept": snomed("10828004")}, "positive"),
        ({"interpretation": [concept("NEG", INTERPRETATION)]}, "negative"),
        (
            {"valueCodeableConcept": snomed("10828004"), "interpretation": [concept("POS", INTERPRETATION)]},
            "positive",
        ),
        ({"dataAbsentReason": concept("asked-declined", ABSENT)}, "declined"),
        ({"dataAbsentReason": concept("error", ABSENT)}, "a laboratory test without a result"),
        (
            {"valueCodeableConcept": snomed("10828004"), "interpretation": [concept("NEG", INTERPRETATION)]},
            ["Observation.valueCodeableConcept"],
        ),
        ({"valueString": "neg."}, ["Observation.valueCodeableConcept"]),
    ],
)
def test_a_pregnancy_test(more: dict[str, Any], expected: Any) -> None:
    """By answer or interpretation; contradictions and words are refused."""
    found = outcome(observation, observed("2106-3", **more))
    assert (found["result"] if isinstance(found, dict) else found) == expected


def test_a_liver_value() -> None:
    """The sample's time, the time it was known, the figure, and the laboratory's own verdict, which is not worked out."""
    specimen = {
        "resourceType": "Specimen",
        "id": "s",
        "collection": {"collectedDateTime": "2026-03-02T09:00:00-06:00"},
    }
    said = observed(
        "1742-6",
        valueQuantity=quantity("55", "U/L"),
        interpretation=[concept("H", INTERPRETATION)],
        specimen={"reference": "Specimen/s"},
    )
    body = outcome(observation, said, view(specimen))
    assert (body["kind"], body["test"], body["result"], body["alt_u_per_l"]) == (
        "lab_result",
        "liver_panel",
        "abnormal",
        "55",
    )
    assert (body["collected_at"], body["occurred_at"]) == (
        "2026-03-02T09:00:00-06:00",
        "2026-03-02T10:42:00-06:00",
    )
    assert outcome(observation, said)["collected_at"] == "2026-03-02T10:40:00-06:00"
    assert outcome(observation, said | {"interpretation": []}) == ["Observation.interpretation"]
    assert outcome(observation, said | {"valueQuantity": quantity("1", "ukat/L")}) == [
        "Observation.valueQuantity.code"
    ]


def test_a_liver_panel() -> None:
    """Components are one event, members are resources of their own."""
    component = [
        {"code": concept("1742-6"), "valueQuantity": quantity("22", "U/L")},
        {"code": concept("1975-2"), "valueQuantity": quantity("0.6", "mg/dL")},
        {"code": concept("1920-8"), "dataAbsentReason": concept("error", ABSENT)},
    ]
    body = outcome(
        observation, observed("24325-3", component=component, interpretation=[concept("N", INTERPRETATION)])
    )
    assert (body["alt_u_per_l"], body["bilirubin_mg_per_dl"], body["result"]) == ("22", "0.6", "normal")
    members = observed("24325-3", hasMember=[{"reference": "Observation/2"}])
    assert outcome(observation, members) == "a panel whose members are resources of their own"
