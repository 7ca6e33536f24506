"""The codes and identifiers that exported FHIR resources use, each with its system.

AuditEvent.type is bound, extensibly, to a list that is for the most part DICOM's (FHIR R4B, ValueSet audit-event-type; DICOM PS3.16, CID 400).
That list has no word for an entry about stock, staff or places; what fits nothing in it has a code of our own, as an extensible binding allows.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

Coding = dict[str, str]

DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
OURS: Final = "urn:compliance-engine:code:entry-type"
KIND: Final = "urn:compliance-engine:code:event-kind"
RULE: Final = "urn:compliance-engine:code:rule"
OPERATION: Final = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
PARTICIPANT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
SOURCE_TYPE: Final = "http://terminology.hl7.org/CodeSystem/security-source-type"
ENTITY_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ENTITY_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"


def coding(system: str, code: str, display: str) -> Coding:
    """A code with its system and what people read."""
    return {"system": system, "code": code, "display": display}


PATIENT_RECORD: Final = coding(DCM, "110110", "Patient Record")
IMPORT: Final = coding(DCM, "110107", "Import")
ENTRY: Final = coding(OURS, "entry", "Entry in the compliance log")
JUDGED_AGAIN: Final = coding(OURS, "rejudgement", "Event judged again")
REJECTED: Final = coding(OURS, "rejected", "Input that was no event")

_BY_KIND: Final[Mapping[str, Coding]] = {
    "order": coding(DCM, "110109", "Order Record"),
    "prescription": coding(DCM, "110109", "Order Record"),
    "access_change": coding(DCM, "110113", "Security Alert"),
    "security_incident": coding(DCM, "110113", "Security Alert"),
}
_BY_MODE: Final[Mapping[str, Coding]] = {
    "export": coding(DCM, "110106", "Export"),
    "search": coding(DCM, "110112", "Query"),
    "log_review": coding(DCM, "110101", "Audit Log Used"),
}
"""What a record_access was."""

SERVER: Final = coding(SOURCE_TYPE, "4", "Application Server")
PERSON: Final = coding(ENTITY_TYPE, "1", "Person")
SYSTEM_OBJECT: Final = coding(ENTITY_TYPE, "2", "System Object")
OTHER: Final = coding(ENTITY_TYPE, "4", "Other")
PATIENT: Final = coding(ENTITY_ROLE, "1", "Patient")
DOMAIN_RESOURCE: Final = coding(ENTITY_ROLE, "4", "Domain Resource")
APPLICATION: Final = coding(DCM, "110150", "Application")
PERFORMER: Final = coding(PARTICIPANT, "performer", "Performer")
ASSEMBLER: Final = coding(PARTICIPANT, "assembler", "Assembler")

ACTIVITIES: Final[Mapping[str, Coding]] = {
    "correction": coding(OPERATION, "UPDATE", "revise"),
    "void": coding(OPERATION, "NULLIFY", "nullify"),
}
"""What an entry does to what is on record (Provenance.activity); every other event creates a record."""
CREATED: Final = coding(OPERATION, "CREATE", "create")

_ACTIONS: Final[Mapping[str, str]] = {
    "correction": "U",
    "void": "D",
    "access_change": "E",
    "security_incident": "E",
}
_ACTIONS_BY_MODE: Final[Mapping[str, str]] = {"view": "R", "search": "E", "export": "R", "log_review": "R"}
EXECUTED: Final = "E"
"""AuditEvent.action (R4B audit-event-action): C create, R read, U update, D delete, E execute. What was done, and not that it was entered: who looked
at records read them. Where the type is one of DICOM's messages, the action is what that message has (PS3.15, A.5.3: Query and Security Alert E,
Export and Audit Log Used R). A void takes nothing out of the log; D says that what it names no longer stands."""

OUTCOMES: Final[Mapping[str, str]] = {"violation": "4", "denied": "4"}
"""AuditEvent.outcome: 0 is success, with or without warnings; 4 that it was not in order (``denied``: it must not go on; ``violation``: it was done
all the same, and is on record)."""
IN_ORDER: Final = "0"
REFUSED: Final = "4"


def type_of(kind: str, values: Mapping[str, Any]) -> Coding:
    """AuditEvent.type of an event."""
    found = _BY_KIND.get(kind) or (_BY_MODE.get(values["mode"]) if kind == "record_access" else None)
    return found or (PATIENT_RECORD if "patient" in values else ENTRY)


def action_of(kind: str, values: Mapping[str, Any]) -> str:
    """AuditEvent.action of an event."""
    if kind == "record_access":
        return _ACTIONS_BY_MODE[values["mode"]]
    return _ACTIONS.get(kind, "C")


class Identifiers:
    """The identifiers of one log: its origin, a schema-less URL (C2SP tlog-checkpoint), makes their systems."""

    def __init__(self, origin: str) -> None:
        self.log = f"https://{quote(origin, safe='/:.-_~')}"
        self.origin = origin

    def of(self, what: str, value: str) -> dict[str, Any]:
        """A Reference by identifier: to an ``event``, a ``person``, a ``site``."""
        return {"identifier": {"system": f"{self.log}/{what}", "value": value}}


def named_information(digest: str) -> str:
    """A digest ``sha256:<hex>`` as a URI (RFC 6920): what it names is what has this digest."""
    raw = bytes.fromhex(digest.removeprefix("sha256:"))
    return f"ni:///sha-256;{urlsafe_b64encode(raw).decode().rstrip('=')}"
