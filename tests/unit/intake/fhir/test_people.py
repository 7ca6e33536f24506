"""Practitioner and PractitionerRole."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.intake.fhir.people import LICENCES, NUMBERS, PLAN_NET, practitioner, practitioner_role
from compliance.intake.fhir.sketch import NotOurs
from tests.clinical_records import concept, view

CHANGED = "2026-03-01T08:00:00-06:00"


def licence(degree: str = "RN", /, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "code": concept(degree, LICENCES),
        "identifier": [{"type": concept("LN", NUMBERS), "value": "TX-123"}],
        "period": {"start": "2024-01-01", "end": "2026-12-31"},
        "issuer": {"reference": "Organization/TX-BON"},
    }
    return {name: value for name, value in (made | more).items() if value is not None}


def plan_net(status: str | None = "active", state: str = "TX") -> list[dict[str, Any]]:
    where = {"url": "whereValid", "valueCodeableConcept": concept(state, "https://www.usps.com/")}
    said = [] if status is None else [{"url": "status", "valueCode": status}]
    return [{"url": PLAN_NET, "extension": [*said, where]}]


def of(*qualifications: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A nurse with a name, an address and a birth date."""
    return {
        "resourceType": "Practitioner", "id": "x", "meta": {"lastUpdated": CHANGED}, "name": [{"family": "Careful", "given": ["Adam"]}],
        "birthDate": "1980-01-01", "address": [{"line": ["534 Erewhon St"]}], "telecom": [{"value": "(03) 5555 6473"}],
        "identifier": [{"system": "urn:staff", "value": "7"}, {"system": "http://terminology.hl7.org/NamingSystem/USDEANumber", "value": "AB1"}],
        "qualification": list(qualifications),
    } | more  # fmt: skip


def fields(resource: dict[str, Any]) -> list[dict[str, Any]]:
    made = practitioner(resource, view(resource))
    assert isinstance(made, list), made
    return [{"kind": sketch.kind, **sketch.fields} for sketch in made]


def test_a_licence() -> None:
    """Who by the staff id, what by code, and nothing of the person beside it. Who entered it is for the call to say."""
    (made,) = fields(of(licence()))
    assert made == {
        "kind": "credential", "entered_at": CHANGED, "id": "Practitioner-x-1-1772373600000000", "site": "SITE-A", "source": "FHIR Practitioner",
        "occurred_at": CHANGED, "person": "RN-A3", "credential_type": "state_licence", "jurisdiction": "TX-BON", "number": "TX-123",
        "profession": "rn", "valid_from_on": "2024-01-01", "valid_until_on": "2026-12-31", "status": "active",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "profession"),
    [("MD", "physician"), ("DO", "physician"), ("NP", "np"), ("CNP", "np"), ("PA", "pa"), ("RN", "rn"), ("RPH", "pharmacist"), ("BSN", None)],
)  # fmt: skip
def test_each_profession(code: str, profession: str | None) -> None:
    """By HL7 v2 table 0360, with or without its version."""
    for system in (LICENCES, f"{LICENCES}|2.7", f"{LICENCES}/2.7"):
        (made,) = fields(of(licence(code=concept(code, system))))
        assert made.get("profession") == profession


def test_where_it_is_valid_makes_it_a_licence() -> None:
    """The state goes before the issuer; a number without a type is the licence's, where it is the only one."""
    (made,) = fields(of(licence("MD", extension=plan_net(), identifier=[{"value": "M-9"}])))
    assert (made["jurisdiction"], made["number"], made["status"]) == ("TX", "M-9", "active")


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"extension": plan_net("revoked")}, "revoked"),
        ({"extension": plan_net(None)}, "active"),
        ({"period": {"start": "2020-01-01", "end": "2026-02-28"}}, "lapsed"),
        ({"period": {"start": "2020-01-01", "end": "2026-03-01"}}, "active"),
        ({"period": {"start": "2020-01-01"}}, "active"),
    ],
)
def test_how_it_stands(more: dict[str, Any], status: str) -> None:
    """What the extension says, else the last day, which is still valid."""
    assert fields(of(licence(**more)))[0]["status"] == status


def test_a_degree_is_no_licence() -> None:
    """Nor is a licence that is only asked for, nor a DEA number."""
    passed = NotOurs("a practitioner without a licence by a code that is known")
    degree = licence("MD", identifier=[{"value": "12345"}])
    assert practitioner(of(degree, licence(extension=plan_net("pending"))), view()) == passed
    assert practitioner(of(), view()) == passed


def test_each_state_of_a_practitioner_has_events_of_its_own() -> None:
    """A licence that was renewed leaves standing what stood before."""
    renewed = of(
        licence(period={"start": "2024-01-01", "end": "2028-12-31"}),
        meta={"lastUpdated": "2026-12-01T08:00:00Z"},
    )
    ids = {made["id"] for made in (*fields(of(licence(), licence("MD"))), *fields(renewed))}
    assert len(ids) == 3


def test_a_role_is_passed_over() -> None:
    """It says neither the legal relation nor the registration."""
    made = practitioner_role({"resourceType": "PractitionerRole", "id": "r"}, view())
    assert isinstance(made, NotOurs)
