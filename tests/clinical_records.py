"""Observations, consents and people as an input might hold them, and what the mappers see around them."""

from __future__ import annotations

from typing import Any

from compliance.domain.codes import Code, Codes
from compliance.domain.event import Event
from compliance.domain.quantity import NumberText
from compliance.domain.time import parse_instant
from compliance.errors import Place, Problem
from compliance.intake.fhir.sketch import Mapper, NotOurs
from compliance.intake.fhir.view import LOINC, SNOMED, UCUM, View

DOSE = "2026-03-02T10:00:00-06:00"
KETAMINE = {"system": "urn:ehr", "code": "KET50"}
CODES = Codes(
    drugs={Code("urn:ehr", "KET50"): "ketamine_inj_50mg_ml", Code("urn:ehr", "SPR"): "esketamine_nasal_28mg"},
    locations={Code("", "Location/room-1"): "SITE-B"},
    practitioners={Code("urn:staff", "7"): "RN-A3"},
    encounters=frozenset({Code("urn:ehr", "TREAT")}),
    points={Code("urn:ehr", "DC"): "pre_discharge", Code("urn:ehr", "SCR"): "screening"},
)


def concept(code: str, system: str = LOINC) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def snomed(code: str) -> dict[str, Any]:
    return concept(code, SNOMED)


def quantity(value: str, code: str, **more: Any) -> dict[str, Any]:
    return {"value": NumberText(value), "system": UCUM, "code": code, **more}


def reading(code: str, value: str, unit: str) -> dict[str, Any]:
    return {"code": concept(code), "valueQuantity": quantity(value, unit)}


def observed(loinc: str, /, **more: Any) -> dict[str, Any]:
    """A final Observation of patient 1 at visit 9, forty minutes after its first dose, by RN-1."""
    made: dict[str, Any] = {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": concept(loinc),
        "subject": {"reference": "Patient/1"},
        "encounter": {"reference": "Encounter/9"},
        "effectiveDateTime": "2026-03-02T10:40:00-06:00",
        "issued": "2026-03-02T10:42:00-06:00",
        "performer": [{"reference": "Practitioner/RN-1"}],
    } | more
    return {name: value for name, value in made.items() if value is not None}


def view(
    *others: dict[str, Any], dose: str | None = DOSE, site: str | None = "SITE-A", codes: Codes = CODES
) -> View:
    """Around a resource: `others` by ``Type/id``, and a first dose at visit 9."""
    known = {f"{one['resourceType']}/{one['id']}": one for one in others}
    first = {} if dose is None else {"Encounter/9": parse_instant(dose)}
    return View(codes, known.get, lambda said: f"PT-{said[-1]}", first.get, site=site)


def outcome(mapper: Mapper, resource: dict[str, Any], around: View | None = None) -> Any:
    """The body of the one event; the reason why there is none; or the places of all that is wrong."""
    made = mapper(resource, around or view())
    if isinstance(made, NotOurs):
        return made.reason
    (sketch,) = made
    event = sketch.finished(Place("in.json", 1))
    return event.body if isinstance(event, Event) else places(event)


def places(problems: tuple[Problem, ...]) -> list[str]:
    return [problem.place.field or "" for problem in problems]
