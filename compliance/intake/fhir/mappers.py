"""Which types of resources are mapped, by what, and which only help to understand others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from compliance.intake.fhir.administrations import administration
from compliance.intake.fhir.adverse_events import adverse_event
from compliance.intake.fhir.consents import consent
from compliance.intake.fhir.dispenses import dispense
from compliance.intake.fhir.encounters import encounter
from compliance.intake.fhir.observations import observation
from compliance.intake.fhir.people import practitioner, practitioner_role
from compliance.intake.fhir.requests import request
from compliance.intake.fhir.sketch import Mapper


@dataclass(frozen=True, slots=True)
class Mapped:
    """A mapper, and how the ids of the events of one resource may end (`view.event_id`), as far as that is known before it is read. Where they
    are `lasting`, what an earlier version told stands though a later one does not tell it again. `by_caller` where no element of such a
    resource says who entered what it tells, so that it is whoever sends it."""

    mapper: Mapper
    suffixes: tuple[str, ...] = ("",)
    lasting: bool = False
    by_caller: bool = False


MAPPERS: Final[Mapping[str, Mapped]] = {
    "AdverseEvent": Mapped(adverse_event),
    "Consent": Mapped(consent, ("", "-withdrawn"), lasting=True),
    "Encounter": Mapped(encounter),
    "MedicationAdministration": Mapped(administration, ("", "-stop")),
    "MedicationDispense": Mapped(dispense),
    "MedicationRequest": Mapped(request),
    "Observation": Mapped(observation),
    "Practitioner": Mapped(practitioner, (), lasting=True, by_caller=True),
    "PractitionerRole": Mapped(practitioner_role, ()),
}

REFERRED: Final = frozenset({
    "Device", "DeviceMetric", "Endpoint", "EpisodeOfCare", "Group", "HealthcareService", "Location", "Medication", "Organization",
    "Patient", "Person", "RelatedPerson", "Specimen", "Substance",
})  # fmt: skip
"""Who, where and with what: no event comes of these; they are looked up where another resource refers to them."""
