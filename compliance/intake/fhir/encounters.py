"""Encounter: the class of a visit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from compliance.intake.fhir.sketch import Resource

V3_ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"

CLASSES: Final[Mapping[str, str]] = {
    "AMB": "outpatient",
    "EMER": "emergency_department",
    "IMP": "inpatient",
    "ACUTE": "inpatient",
    "NONAC": "inpatient",
    "HH": "home",
}


def encounter_class(resource: Resource) -> str | None:
    """Where a visit was, as `administration` says it, by ``Encounter.class`` (HL7 v3 ActCode). None where its code does not tell."""
    coding = resource.get("class") or {}
    return CLASSES.get(coding.get("code", "")) if coding.get("system") == V3_ACT_CODE else None
