"""The vocabulary: every kind of event and every field it may carry, as values.

It is read from the declarations in `compliance.domain.events`, once, when first imported. The policy language takes its types
from here, intake its checks, the schema its text.

    >>> KINDS["administration"].fields["dose_mg"].unit
    'mg'
    >>> KINDS["order"].key
    ('order',)
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from inspect import get_annotations
from typing import Any, Final, Literal, TypeAlias, get_args, get_origin

from compliance.domain.events import EVENT_TYPES
from compliance.domain.events.declaring import Corrective, Envelope, MayNameDrug, Reads, Says

VERSION: Final = 1
"""The version of the vocabulary; it is part of a bundle's digest and of the schema's address."""

TypeName: TypeAlias = Literal[
    "id", "text", "enum", "integer", "decimal", "boolean", "instant", "date", "duration", "list", "record"
]


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field: its type, whether an event can be understood without it, its unit, an enum's values, and what it says.

    `element` is set for lists (``list[enum]`` has its values there), `fields` for records. `listed` names the closed list that a
    text must be on: ``drug`` (codes of the drug list) or ``zone`` (IANA time zones). `derived` fields are set by the log, never sent.
    """

    name: str
    type: TypeName
    required: bool
    says: str
    unit: str | None = None
    values: tuple[str, ...] = ()
    element: FieldSpec | None = None
    fields: Mapping[str, FieldSpec] | None = None
    listed: str = ""
    derived: bool = False


@dataclass(frozen=True, slots=True)
class KindSpec:
    """One kind. `fields` are the envelope's that apply to it, then its own, with `recorded_at` and `noted_at`, which are derived.

    `key` names the fields that identify one continuing thing (with the patient, where `about_patient`).
    """

    name: str
    group: str
    says: str
    key: tuple[str, ...]
    about_patient: bool
    fields: Mapping[str, FieldSpec]


_ENVELOPE_ORDER: Final[tuple[str, ...]] = (
    "id", "kind", "intent", "occurred_at", "recorded_at", "noted_at", "site", "actor", "patient", "session", "drug",
    "entered_at", "proposal", "corrects", "reason", "source",
)  # fmt: skip
_NOT_DECLARED: Final[dict[str, FieldSpec]] = {
    "kind": FieldSpec("kind", "text", required=True, says="One of the kinds below"),
    "recorded_at": FieldSpec(
        "recorded_at",
        "instant",
        required=False,
        says="When the log took it; set by the log, never by the caller",
        derived=True,
    ),
    "noted_at": FieldSpec(
        "noted_at",
        "instant",
        required=False,
        says="When it was known: entered_at, else recorded_at; lateness is noted_at against occurred_at",
        derived=True,
    ),
}


def _typed(annotation: Any) -> dict[str, Any]:
    """What an annotation says of a field's type, as `FieldSpec` arguments."""
    metadata = getattr(annotation, "__metadata__", None)
    if metadata:
        reads: Reads = metadata[0]
        return {"type": reads.type, "listed": reads.listed}
    origin = get_origin(annotation)
    if origin is Literal:
        return {"type": "enum", "values": get_args(annotation)}
    if origin is list:
        (inner,) = get_args(annotation)
        return {"type": "list", "element": FieldSpec("", required=True, says="", **_typed(inner))}
    return {"type": "record", "fields": types.MappingProxyType(dict(_own_fields(annotation)))}


def _own_fields(declared: type) -> tuple[tuple[str, FieldSpec], ...]:
    """The fields that a class itself declares, not its bases."""
    return tuple(
        (name, FieldSpec(name, required=said.required, says=said.says, unit=said.unit, **_typed(annotation)))
        for name, annotation in get_annotations(declared).items()
        if isinstance(said := declared.__dict__.get(name), Says)
    )


_BASE_FIELDS: Final[dict[type, dict[str, FieldSpec]]] = {}


_EFFECTIVE: Final = FieldSpec(
    "effective",
    "boolean",
    required=False,
    says="Whether it changes the event that it names; known of the judged event only",
    derived=True,
)


_MATCHES_TARGET: Final = FieldSpec(
    "matches_target",
    "boolean",
    required=False,
    says="Whether `target_sha256` is of the event that it names, as that was sent or as it stood then; absent where there is no such event; "
    "known of the judged event only",
    derived=True,
)


def _kind(declared: type[Envelope]) -> KindSpec:
    found = dict(_NOT_DECLARED)
    for base in reversed(declared.__mro__[1:-1]):
        found.update(_BASE_FIELDS.get(base) or _BASE_FIELDS.setdefault(base, dict(_own_fields(base))))
    fields: dict[str, FieldSpec] = {name: found[name] for name in _ENVELOPE_ORDER if name in found}
    fields.update(_own_fields(declared))
    if issubclass(declared, Corrective):
        fields["effective"] = _EFFECTIVE
    if declared.kind == "signature":
        fields["matches_target"] = _MATCHES_TARGET
    return KindSpec(
        name=declared.kind,
        group=declared.group,
        says=" ".join((declared.__doc__ or "").split()).removesuffix("."),
        key=declared.key,
        about_patient=fields["patient"].required,
        fields=types.MappingProxyType(fields),
    )


KINDS: Final[Mapping[str, KindSpec]] = types.MappingProxyType(
    {name: _kind(declared) for name, declared in EVENT_TYPES.items()}
)
"""All kinds by name, in the order of the vocabulary."""

ENVELOPE: Final[Mapping[str, FieldSpec]] = types.MappingProxyType(
    {
        name: (_NOT_DECLARED | dict(_own_fields(MayNameDrug)) | dict(_own_fields(Envelope))).get(name)
        or replace(dict(_own_fields(Corrective))[name], required=False)
        for name in _ENVELOPE_ORDER
    }
)
"""All fields of the envelope, derived ones included, as they are where a kind asks for nothing beyond."""


def _references(fields: Mapping[str, FieldSpec]) -> Iterator[str]:
    for name, spec in fields.items():
        if spec.type == "id" and name.endswith("_event"):
            yield name


_REFERENCES: Final = {name: tuple(_references(kind.fields)) for name, kind in KINDS.items()}


def event_reference_fields(kind: str) -> tuple[str, ...]:
    """The fields of a kind that hold the id of one other event (``administration_event``). KeyError for an unknown kind."""
    return _REFERENCES[kind]
