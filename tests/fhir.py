"""FHIR resources of a small clinic, and what becomes of them, for the tests."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cli.fhir_input import read_fhir
from cli.formats import Form
from compliance.checking import Checker
from compliance.intake.drafts import PassedOver
from compliance.ledger.log import Log
from compliance.record import Recorded, Recorder, Refused, Result
from tests.recording import bundle, fresh_log, judge, put_in_force, record

NDC = "http://hl7.org/fhir/sid/ndc"
UCUM = "http://unitsofmeasure.org"
SPRAVATO = "50458-028-02"
_numbers = itertools.count(1)


def resource(kind: str, **fields: Any) -> dict[str, Any]:
    return {"resourceType": kind, **fields}


def dose(name: str = "A1", at: str = "09:00", **fields: Any) -> dict[str, Any]:
    """Esketamine given; at is a time of day."""
    return resource(
        "MedicationAdministration",
        **{
            "id": name, "status": "completed", "medicationCodeableConcept": {"coding": [{"system": NDC, "code": SPRAVATO}]},
            "subject": {"reference": "Patient/1"}, "context": {"reference": "Encounter/V1"},
            "effectivePeriod": {"start": f"2026-03-02T{at}:00-06:00", "end": f"2026-03-02T{at[:2]}:45:00-06:00"},
            "performer": [{"actor": {"reference": "Practitioner/RN-1"}}],
            "dosage": {
                "route": {"coding": [{"system": "http://snomed.info/sct", "code": "46713006"}]},
                "dose": {"value": 56, "unit": "mg", "system": UCUM, "code": "mg"},
            }, **fields,
        },
    )  # fmt: skip


def pressure(name: str = "O1", at: str = "08:45", systolic: int = 120, **fields: Any) -> dict[str, Any]:
    """A blood pressure at the same visit."""
    parts = [
        {"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "valueQuantity": {"value": value, "system": UCUM, "code": "mm[Hg]"}}
        for code, value in (("8480-6", systolic), ("8462-4", 80))
    ]  # fmt: skip
    return resource(
        "Observation",
        **{
            "id": name, "status": "final", "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
            "subject": {"reference": "Patient/1"}, "encounter": {"reference": "Encounter/V1"},
            "effectiveDateTime": f"2026-03-02T{at}:00-06:00", "performer": [{"reference": "Practitioner/RN-1"}],
            "component": parts, **fields,
        },
    )  # fmt: skip


def visit(name: str = "V1", **fields: Any) -> dict[str, Any]:
    """A visit that is not over, so that no event comes of it."""
    ambulatory = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}
    return resource("Encounter", **{"id": name, "status": "in-progress", "class": ambulatory, **fields})


def version(
    one: Mapping[str, Any], number: int | None, hour: int | None = None, **fields: Any
) -> dict[str, Any]:
    """A version of a resource, last changed at an hour of the next day."""
    meta: dict[str, Any] = {} if number is None else {"versionId": str(number)}
    if hour is not None:
        meta["lastUpdated"] = f"2026-03-03T{hour:02}:00:00Z"
    return {**one, "meta": meta, **fields}


def in_bundle(*resources: Mapping[str, Any], kind: str = "collection") -> dict[str, Any]:
    return resource("Bundle", type=kind, entry=[{"resource": one} for one in resources])


def ndjson(*resources: Mapping[str, Any]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in resources)


@dataclass
class Outcome:
    """What became of an input."""

    results: list[Result] = field(default_factory=list)
    passed: list[PassedOver] = field(default_factory=list)

    @property
    def kinds(self) -> list[str]:
        """The kinds of the events that are new."""
        return [r.draft.event.kind for r in self.results if isinstance(r, Recorded) and not r.repeated]

    @property
    def repeated(self) -> int:
        return sum(isinstance(r, Recorded) and r.repeated for r in self.results)

    @property
    def wrong(self) -> list[str]:
        """The places of all problems."""
        return [p.place.field or "" for r in self.results if isinstance(r, Refused) for p in r.problems]

    @property
    def messages(self) -> list[str]:
        return [str(p) for r in self.results if isinstance(r, Refused) for p in r.problems]

    @property
    def reasons(self) -> list[str]:
        return [one.reason for one in self.passed]


def intake(
    log: Log,
    *files: bytes | Mapping[str, Any],
    written: bool = True,
    actor: str | None = "AD-1",
    site: str | None = "S1",
) -> Outcome:
    """Record, or check, some files; what is no bytes is a file of one resource."""
    outcome = Outcome()
    streams = [
        (f"f{i}.json", io.BytesIO(one if isinstance(one, bytes) else json.dumps(one).encode()))
        for i, one in enumerate(files)
    ]

    def items() -> Iterator[Any]:
        for item in read_fhir(streams, Form("fhir", site=site), log, actor=actor, written=written):
            if isinstance(item, PassedOver):
                outcome.passed.append(item)
            else:
                yield item

    submit = Recorder(log, judge()).submit if written else Checker(log, judge()).submit
    for batch in submit(items()):
        outcome.results.extend(batch)
    return outcome


@contextmanager
def clinic(*, vault: bool = True) -> Iterator[Log]:
    """A log with a site, policies without a rule, and a vault."""
    with fresh_log(vault=vault) as log:
        put_in_force(log, bundle())
        record(log, judge(), {
            "id": "site", "kind": "site_profile", "occurred_at": "2026-03-01T08:00:00-06:00", "site": "S1", "actor": "A1",
            "address_ref": "ADDR", "state": "TX", "time_zone": "America/Chicago", "holds_stock": True,
        })  # fmt: skip
        yield log


def events(log: Log, *kinds: str) -> list[dict[str, Any]]:
    """The events of some kinds in the log, as they were sent."""
    return [e.document()["event"] for e in log.entries() if e.type == "event" and e.kind in kinds]
