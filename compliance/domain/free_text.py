"""Free text: the fields that people fill with anything, and where they stand in an event (audit-log.md, "Entry").

Where a log has an identity vault, each such value enters the log as a salted commitment, and its body lies in the vault. This module knows
which values those are and how a commitment is written; it knows neither vault nor keys. A correction quotes fields of the event that it
names, so the values in its ``old`` and ``new`` belong to that event: its *subject*.

    >>> replaced("wastage", "E1", {"kind": "wastage", "narrative": "spilt"}, lambda said: f"<{said.path}>", lambda _: None)
    {'kind': 'wastage', 'narrative': '<narrative>'}
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from compliance.domain.quantity import NumberText
from compliance.domain.vocabulary import KINDS, FieldSpec

FREE_TEXT: Final = frozenset({
    "declined_reason", "description", "destination", "directions", "end_point", "evidence_note", "exceptions", "exemption_basis",
    "findings", "intervention", "justification", "narrative", "other_dose_reason", "rationale", "reason", "reason_not_used",
    "statement", "stop_rule", "treatment",
})  # fmt: skip
"""Fields that hold whatever somebody types. A name means the same in every kind, since a correction may come before the event that it
names. `change_reason` of a policy_activation is not among them: it speaks of a policy, and a rule compares it."""

OTHER_TEXT: Final = frozenset({
    # who, as pseudonyms and handles
    "approved_by", "assessor", "assignee", "author", "authorized_representative", "checked_by", "clinician", "continues_from",
    "counselled_by", "counted_by", "decided_by", "delegate_for", "escort_ref", "evaluator", "holder", "login", "observer", "observers",
    "party", "person", "prepared_by", "prescriber", "printed_name_ref", "program_patient_ref", "provider", "queried_by", "recipient",
    "recipient_ref", "released_by", "responsible_human", "reviewed_by", "run_by", "second_observer", "set_by", "signer", "subject",
    "supervisor", "surrogate_ref", "to_site", "trainer", "treating_clinician_ref", "verified_by", "witness", "witness_1", "witness_2",
    # where, as handles and codes
    "address_ref", "delivered_to_address_ref", "jurisdiction", "patient_identity_ref", "patient_state", "place", "registered_address_ref",
    "state", "storage_place",
    # what, as handles of other records
    "artifact", "compound_ref", "confirmation", "consent", "container", "containers", "count", "course", "discrepancy", "episode",
    "equipment", "finding", "form41", "identity_key_ref", "incident", "invoice_no", "kit", "lot", "lots", "manifest_no", "order",
    "preparation", "prescription", "procedure", "registration", "recipient_registration", "request", "request_ref", "requirements",
    "shift", "source", "source_registration", "statement_ref", "waiver_ref",
    # codes, numbers, versions, digests, signature bytes
    "dea_code", "dea_number", "dea_suffix", "diagnosis_code", "document_sha256", "drug_code", "evidence_sha256", "exemption_code",
    "form_version", "indication_code", "indication_covered", "internal_code", "kind", "material_version", "name", "ndc11", "ndc_raw",
    "number", "record_kinds", "rems_number", "root_sha256", "sha256", "signature_value", "target_sha256", "term", "version",
    # what a policy is about, and what a search was for
    "change_reason", "filter",
    # JSON text of other fields, whose own names decide
    "new", "old",
})  # fmt: skip
"""Every other field of type text: handles, codes, versions, digests, and text about policies."""

PREFIX: Final = "vault:sha256:"
_COMMITMENT: Final = re.compile(r"vault:sha256:[0-9a-f]{64}", re.ASCII)
IN_THE_VAULT: Final = "(text in the vault)"
"""What people are shown in place of a commitment."""


@dataclass(frozen=True, slots=True)
class Said:
    """A free text: the event that it is a value of, the path of its field there, and the words; `quoted` where a correction repeats them as
    what stands, `raw` where they are no JSON, so that they can never be a value."""

    subject: str
    path: str
    text: str
    quoted: bool = False
    raw: bool = False


Replace = Callable[[Said], str]
Corrects = Callable[[str], str | None]
"""Gives what a correction that is known corrects."""


def is_commitment(text: str) -> bool:
    """Whether a text has exactly the form of a commitment."""
    return len(text) == len(PREFIX) + 64 and _COMMITMENT.fullmatch(text) is not None


def commitment_text(digest: bytes) -> str:
    """A commitment as it stands in the log."""
    return PREFIX + digest.hex()


def replaced(
    kind: str, event_id: str, body: Mapping[str, Any], replace: Replace, corrects: Corrects
) -> dict[str, Any] | None:
    """The body with each free text replaced; None where it holds none."""
    result: dict[str, Any] | None = None
    for name in body.keys() & _fields(kind):
        value = body[name]
        if name == "fields" and kind == "correction":
            new: Any = _changes(value, body["corrects"], replace, corrects, standing=False)
        else:
            new = _value(name, value, replace, event_id, name, quoted=False)
        if new is not value:
            result = dict(body) if result is None else result
            result[name] = new
    return result


def commitments(value: Any) -> Iterator[str]:
    """Every commitment within a JSON value, JSON text of corrections included."""
    if isinstance(value, str):
        if PREFIX in value:
            yield from _COMMITMENT.findall(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from commitments(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from commitments(item)


@cache
def _fields(kind: str) -> frozenset[str]:
    """The fields of a kind that hold free text, or in which some is."""
    if kind == "correction":
        return frozenset({"fields", "reason"})
    return frozenset(name for name, spec in KINDS[kind].fields.items() if _holds(name, spec))


def _holds(name: str, spec: FieldSpec) -> bool:
    if spec.type == "text":
        return name in FREE_TEXT
    if spec.element is not None:
        return _holds(name, spec.element)
    return any(_holds(inner, one) for inner, one in (spec.fields or {}).items())


def _value(name: str, value: Any, replace: Replace, subject: str, path: str, *, quoted: bool) -> Any:
    """A value with each free text in it replaced; the same object where there is none."""
    if isinstance(value, str):
        if (name in FREE_TEXT or name not in _known_names()) and value not in _enum_words().get(name, ()):
            return replace(Said(subject, path, value, quoted))
        return value
    if isinstance(value, list):
        items = [_value(name, item, replace, subject, path, quoted=quoted) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if isinstance(value, dict):
        members = {
            key: _value(key, item, replace, subject, f"{path}.{key}", quoted=quoted)
            for key, item in value.items()
        }
        return members if any(members[key] is not item for key, item in value.items()) else value
    return value


def _changes(value: Any, subject: str, replace: Replace, corrects: Corrects, *, standing: bool) -> Any:
    """The changes that a correction lists; `standing` where they are quoted as what another correction says."""
    if not isinstance(value, list):
        return value
    changes: list[Any] = []
    for change in value:
        if isinstance(change, dict) and isinstance(change.get("name"), str):
            name, new = change["name"], dict(change)
            for side in ("old", "new"):
                if isinstance(change.get(side), str):
                    quoted = standing or side == "old"
                    new[side] = _json_text(name, change[side], subject, replace, corrects, quoted=quoted)
            changes.append(new if new != change else change)
        else:
            changes.append(change)
    return changes if changes != value else value


def _json_text(
    name: str, text: str, subject: str, replace: Replace, corrects: Corrects, *, quoted: bool
) -> str:
    if name not in _may_hold():
        return text
    try:
        value = json.loads(text, parse_float=NumberText)
    except (
        ValueError,
        RecursionError,
    ):  # no value at all: such a correction has no effect, and gets none here
        return text if is_commitment(text) else replace(Said(subject, name, text, quoted, raw=True))
    if name == "fields":
        inner = corrects(subject) or subject
        new = _changes(value, inner, replace, corrects, standing=quoted)
    else:
        new = _value(name, value, replace, subject, name, quoted=quoted)
    return text if new is value else json.dumps(new, default=_digits)


def _digits(value: object) -> str:
    if isinstance(value, NumberText):
        return value.text
    raise TypeError(type(value).__name__)


@cache
def _may_hold() -> _Names:
    """Names of fields in which free text may be: those of some kind, and any that no kind has."""
    return _Names(
        frozenset({"fields"}).union(*(_fields(kind) for kind in KINDS)),
        frozenset(name for kind in KINDS.values() for name in kind.fields),
    )


@dataclass(frozen=True, slots=True)
class _Names:
    holding: frozenset[str]
    known: frozenset[str]

    def __contains__(self, name: str) -> bool:
        return name in self.holding or name not in self.known


def _walk(fields: Mapping[str, FieldSpec]) -> Iterator[tuple[str, FieldSpec]]:
    for name, spec in fields.items():
        yield name, spec
        element = spec.element or spec
        if spec.element is not None:
            yield name, spec.element
        yield from _walk(element.fields or {})


@cache
def _known_names() -> frozenset[str]:
    return frozenset(name for kind in KINDS.values() for name, _ in _walk(kind.fields))


@cache
def _enum_words() -> Mapping[str, frozenset[str]]:
    """Words of closed lists that share their field's name with a free text: they say nothing of anybody, and stay as they are."""
    found: dict[str, set[str]] = {}
    for kind in KINDS.values():
        for name, spec in _walk(kind.fields):
            if spec.type == "enum" and name in FREE_TEXT:
                found.setdefault(name, set()).update(spec.values)
    return {name: frozenset(words) for name, words in found.items()}
