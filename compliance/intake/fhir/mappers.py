"""Which types of resources are mapped, by what, and which only help to understand others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from compliance.intake.fhir.administrations import administration
from compliance.intake.fhir.observations import observation
from compliance.intake.fhir.sketch import Mapper


@dataclass(frozen=True, slots=True)
class Mapped:
    """A mapper, and how the ids of the events of one resource may end (`view.event_id`)."""

    mapper: Mapper
    suffixes: tuple[str, ...] = ("",)


MAPPERS: Final[Mapping[str, Mapped]] = {
    "MedicationAdministration": Mapped(administration),
    "Observation": Mapped(observation),
}

REFERRED: Final = frozenset({
    "Device", "DeviceMetric", "Endpoint", "EpisodeOfCare", "Group", "HealthcareService", "Location", "Medication", "Organization",
    "Patient", "Person", "RelatedPerson", "Specimen", "Substance",
})  # fmt: skip
"""Who, where and with what: no event comes of these; they are looked up where another resource refers to them."""
