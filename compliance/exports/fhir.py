"""An export as FHIR R4B (extra ``fhir``): an AuditEvent for each decision and each rejected input, a Provenance for each event, as NDJSON.

Every resource is validated with the classes of ``fhir.resources`` before it is written, and written so that reading it with them and writing it
again loses nothing. No resource has a narrative, and none holds what an event says beyond who, what, when and where: details are the event's
digest, its entry, the leaf hash, the verdict and the rules that object. docs/exports.md says element by element what stands where.

A Provenance has no ``signature``: what the log signs is its checkpoint, which covers every entry and no resource. The leaf hash leads there
(``compliance log prove``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from typing import Any, BinaryIO, Final, Self

import orjson

from compliance.bundles import Bundles
from compliance.domain.findings import Decision
from compliance.domain.time import read_instant
from compliance.errors import InputError
from compliance.exports import fhir_codes as codes
from compliance.exports.fhir_codes import Identifiers, coding
from compliance.exports.made import Written
from compliance.exports.walk import Judged, Other
from compliance.ledger.entry import rfc3339
from compliance.ledger.log import Log
from compliance.ledger.vault import Vault
from compliance.new_folder import Folder

Resource = dict[str, Any]

_FARTHEST: Final = timedelta(hours=14)
_SEXES: Final[Mapping[str, str]] = {"m": "male", "male": "male", "f": "female", "female": "female"}
"""What a record says as a code of AdministrativeGender; whatever else it says is left out."""


class Fhir:
    """The resources of one export while they are written; one file for each type of resource that there is."""

    def __init__(self, folder: Folder, log: Log, bundles: Bundles, written: Written) -> None:
        self._folder = folder
        self._bundles = bundles
        self._written = written
        self._ids = Identifiers(log.identity.origin)
        self._checks = _classes()
        self._files: dict[str, BinaryIO] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        for file in self._files.values():
            file.close()

    def take(self, one: Judged | Other) -> None:
        """The resources of an entry; one that is neither event, decision nor rejected input has none."""
        if isinstance(one, Judged):
            self._write(audit_event(one, self._ids, self._implements(one.decision)))
            if one.first:
                self._write(provenance(one, self._ids))
        elif one.entry.type == "rejected":
            self._write(rejected(one, self._ids))
        else:
            self._written.left_out[one.entry.type] += 1

    def person(self, vault: Vault, pseudonym: str) -> None:
        """The Patient, as the newest version of the identity says."""
        versions = vault.persons.versions(pseudonym)
        if versions:
            self._write(patient(pseudonym, versions[-1].clear, self._ids))

    def described(self) -> Mapping[str, Mapping[str, Any]]:
        """The type of resource in each file."""
        return {name: {"type": name.removesuffix(".ndjson"), "fhir": "4.3.0"} for name in self._files}

    def _implements(self, decision: Decision) -> Mapping[str, tuple[str, ...]]:
        if not decision.findings:
            return {}
        bundle = self._bundles.bundle(decision.bundle)
        return {finding.rule: bundle.rule(finding.rule).implements for finding in decision.findings}

    def _write(self, resource: Resource) -> None:
        kind = resource["resourceType"]
        self._checks[kind](resource)
        name = f"{kind}.ndjson"
        file = self._files.get(name)
        if file is None:
            file = self._files[name] = self._folder.binary(name)
        file.write(orjson.dumps(resource, option=orjson.OPT_APPEND_NEWLINE))
        self._written.rows[name] += 1


def _classes() -> Mapping[str, Callable[[Resource], object]]:
    """What validates each type; raises InputError where fhir.resources is not installed."""
    try:
        from fhir.resources.R4B.auditevent import AuditEvent  # noqa: PLC0415 - an optional extra
        from fhir.resources.R4B.patient import Patient  # noqa: PLC0415
        from fhir.resources.R4B.provenance import Provenance  # noqa: PLC0415
    except ImportError as problem:
        raise InputError(
            "FHIR needs the package fhir.resources, which is not installed",
            "Install it: pip install 'compliance-engine[fhir]'.",
        ) from problem
    return {
        "AuditEvent": AuditEvent.model_validate,
        "Provenance": Provenance.model_validate,
        "Patient": Patient.model_validate,
    }


def audit_event(one: Judged, ids: Identifiers, implements: Mapping[str, tuple[str, ...]]) -> Resource:
    """The AuditEvent of a decision: that an event was recorded, or judged again."""
    event, decision, entry = one.event, one.decision, one.entry
    again = [] if one.first else [codes.JUDGED_AGAIN]
    action = codes.action_of(event.kind, event.values) if one.first else codes.EXECUTED
    actor = {"who": ids.of("person", event.body["actor"]), "requestor": True}
    policy = [codes.named_information(decision.bundle)]
    agents = [{**actor, "policy": policy}] if one.first else [{**_software(ids), "policy": policy}]
    about = [] if "patient" not in event.body else [_patient(ids, event.body["patient"])]
    rules = [
        _entity(
            {"identifier": {"system": codes.RULE, "value": finding.rule}}, codes.OTHER, None,
            ("severity", str(finding.severity)), ("outcome", finding.stands()[1]), *(("requirement", kept) for kept in implements[finding.rule]),
        )
        for finding in decision.findings
    ]  # fmt: skip
    details = [
        ("verdict", str(decision.verdict)), ("intent", event.values["intent"]), ("state", one.state), ("entry", str(entry.idx)), ("leaf-sha256", entry.leaf.hex()),
        ("bundle", decision.bundle), ("case", decision.case), ("engine", decision.engine),
    ]  # fmt: skip
    if one.first:
        assert entry.digest is not None
        details.append(("event-sha256", entry.digest.hex()))
    else:
        details += [("of-entry", str(event.position)), ("cause", one.cause or "")]
    return {
        "resourceType": "AuditEvent", "id": f"entry-{entry.idx}", "type": codes.type_of(event.kind, event.values),
        "subtype": [coding(codes.KIND, event.kind, event.kind.replace("_", " ")), *again], "action": action,
        "period": {"start": instant(event.body["occurred_at"]), "end": instant(event.body["occurred_at"])},
        "recorded": instant(rfc3339(entry.recorded_us)), "outcome": codes.OUTCOMES.get(str(decision.verdict), codes.IN_ORDER),
        "outcomeDesc": str(decision.verdict), "agent": agents, "source": _source(ids, event.body["site"]),
        "entity": [_entity(ids.of("event", event.id), codes.SYSTEM_OBJECT, codes.DOMAIN_RESOURCE, *details), *about, *rules],
    }  # fmt: skip


def rejected(one: Other, ids: Identifiers) -> Resource:
    """The AuditEvent of input that was no event: by its digest, with how often which code of
    problem was found; nothing of what it said."""
    entry, document = one.entry, one.document
    wrong = Counter(problem["code"] or "unreadable" for problem in document["problems"])
    details = [
        ("entry", str(entry.idx)),
        ("leaf-sha256", entry.leaf.hex()),
        *((f"problem:{code}", str(count)) for code, count in sorted(wrong.items())),
    ]
    return {
        "resourceType": "AuditEvent", "id": f"entry-{entry.idx}", "type": codes.IMPORT, "subtype": [codes.REJECTED], "action": "C",
        "recorded": instant(rfc3339(entry.recorded_us)), "outcome": codes.REFUSED, "outcomeDesc": "rejected", "agent": [_software(ids)],
        "source": _source(ids, None),
        "entity": [_entity(ids.of("input-sha256", document["sha256"]), codes.SYSTEM_OBJECT, None, *details)],
    }  # fmt: skip


def provenance(one: Judged, ids: Identifiers) -> Resource:
    """The Provenance of an event: who did what to which record, when, under which policies, and what it goes back to."""
    event = one.event
    role = {"correction": "revision", "void": "removal"}.get(event.kind, "source")
    named = [event.body[name] for name in ("corrects", "overrides_event", "proposal") if name in event.body]
    from_what = [{"role": role, "what": ids.of("event", name)} for name in named]
    activity = codes.ACTIVITIES.get(event.kind, codes.CREATED)
    resource: Resource = {
        "resourceType": "Provenance", "id": f"entry-{one.entry.idx}", "target": [ids.of("event", event.id)],
        "occurredDateTime": instant(event.body["occurred_at"]), "recorded": instant(rfc3339(one.entry.recorded_us)),
        "policy": [codes.named_information(one.decision.bundle)], "activity": {"coding": [activity]},
        "agent": [
            {"type": {"coding": [codes.PERFORMER]}, "who": ids.of("person", event.body["actor"])},
            {"type": {"coding": [codes.ASSEMBLER]}, "who": {"identifier": {"value": ids.log}, "display": ids.origin}},
        ],
    }  # fmt: skip
    return {**resource, "entity": from_what} if from_what else resource


def patient(pseudonym: str, clear: Mapping[str, Any], ids: Identifiers) -> Resource:
    """Who a pseudonym is, as the vault says; only in an export that was asked to have identities."""
    found: Resource = {
        "resourceType": "Patient", "id": ids_safe(pseudonym), "identifier": [ids.of("person", pseudonym)["identifier"]],
    }  # fmt: skip
    found["identifier"] += [{"value": number} for number in clear.get("record_numbers", ())]
    if "name" in clear:
        found["name"] = [{"text": clear["name"]}]
    telecom = [
        {"system": system, "value": clear[name]}
        for name, system in (("phone", "phone"), ("email", "email"))
        if name in clear
    ]
    if telecom:
        found["telecom"] = telecom
    if clear.get("sex", "").casefold() in _SEXES:
        found["gender"] = _SEXES[clear["sex"].casefold()]
    if "birth_date" in clear:
        found["birthDate"] = clear["birth_date"]
    if "address" in clear:
        found["address"] = [{"text": clear["address"]}]
    return found


def ids_safe(pseudonym: str) -> str:
    """A pseudonym as the id of a resource (letters, digits, ``-`` and ``.``): the others by number."""
    return "".join(one if one.isalnum() or one in "-." else f".{ord(one):x}." for one in pseudonym)[:64]


def instant(text: str) -> str:
    """An instant in the one form that reading and writing leaves as it is: same instant, same offset, six digits of a second or none.

    An offset beyond 14 hours, which FHIR does not know (R4B, ``instant``), becomes UTC.
    """
    found = read_instant(text)
    if abs(found.utcoffset() or timedelta()) > _FARTHEST:
        found = found.astimezone(UTC)
    return found.isoformat().replace("+00:00", "Z")


def _entity(
    what: Resource, type_: codes.Coding, role: codes.Coding | None, *details: tuple[str, str]
) -> Resource:
    found: Resource = {"what": what, "type": type_}
    if role is not None:
        found["role"] = role
    if details:
        found["detail"] = [{"type": name, "valueString": value} for name, value in details]
    return found


def _patient(ids: Identifiers, pseudonym: str) -> Resource:
    return _entity(ids.of("person", pseudonym), codes.PERSON, codes.PATIENT)


def _software(ids: Identifiers) -> Resource:
    """The log itself, where no person did it."""
    return {
        "type": {"coding": [codes.APPLICATION]},
        "who": {"identifier": {"value": ids.log}, "display": "compliance-engine"},
        "requestor": False,
    }


def _source(ids: Identifiers, site: str | None) -> Resource:
    found: Resource = {
        "observer": {"identifier": {"value": ids.log}, "display": ids.origin},
        "type": [codes.SERVER],
    }
    return found if site is None else {"site": site, **found}
