"""The vocabulary as JSON Schema (draft 2020-12), for whoever sends events.

The schema says what it can: kinds, fields, types, enums, patterns, lengths. What only the engine can say stays in words (NFC, days that
exist, the size of the whole): what the engine takes is valid by the schema, and most of what it refuses is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from compliance.domain.drugs import DRUGS
from compliance.domain.events.checks import TEXT_LENGTH
from compliance.domain.quantity import LIMIT
from compliance.domain.vocabulary import ENVELOPE, KINDS, VERSION, FieldSpec, KindSpec

SCHEMA_ID: Final = f"urn:compliance-engine:event:v{VERSION}"

_OFFSET: Final = "(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
_DAY: Final = "(?:19|[2-9][0-9])[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_TIME: Final = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{1,6})?"

_TYPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "id": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,64}$"},
    "text": {"type": "string", "minLength": 1, "maxLength": TEXT_LENGTH, "pattern": "\\S"},
    "integer": {"type": "integer", "exclusiveMinimum": -LIMIT, "exclusiveMaximum": LIMIT},
    "decimal": {
        "anyOf": [
            {"type": "string", "pattern": "^-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?$"},
            {"type": "number", "exclusiveMinimum": -LIMIT, "exclusiveMaximum": LIMIT},
        ]
    },
    "boolean": {"type": "boolean"},
    "instant": {"type": "string", "pattern": f"^{_DAY}[Tt]{_TIME}{_OFFSET}$"},
    "date": {"type": "string", "pattern": f"^{_DAY}$"},
    "duration": {"type": "string", "pattern": "^-?(?:P[0-9WDTHMS.]+|(?:[0-9]+(?:w|d|h|min|ms|m|s))+)$"},
}


def event_schema() -> dict[str, Any]:
    """The schema of one event: its kind chooses the rest."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Event",
        "description": "One thing that happened in a clinic, or that permission is asked for.",
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": list(KINDS), "description": ENVELOPE["kind"].says}},
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": name}}, "required": ["kind"]},
                "then": {"$ref": f"#/$defs/{name}"},
            }
            for name in KINDS
        ],
        "$defs": {name: _kind(kind) for name, kind in KINDS.items()},
    }


def _kind(kind: KindSpec) -> dict[str, Any]:
    schema = _record(kind.fields)
    schema["properties"]["kind"] = {"const": kind.name, "description": ENVELOPE["kind"].says}
    described: dict[str, Any] = {"title": kind.name, "description": kind.says, "x-group": kind.group}
    if kind.key:
        described["x-key"] = list(kind.key)
    return described | schema


def _record(fields: Mapping[str, FieldSpec]) -> dict[str, Any]:
    sent = [spec for spec in fields.values() if not spec.derived]
    return {
        "type": "object",
        "properties": {spec.name: _field(spec) for spec in sent},
        "required": [spec.name for spec in sent if spec.required],
        "additionalProperties": False,
    }


def _field(spec: FieldSpec) -> dict[str, Any]:
    schema: dict[str, Any] = {"description": spec.says} if spec.says else {}
    if spec.values:
        schema["enum"] = list(spec.values)
    elif spec.listed == "drug":
        schema["enum"] = list(DRUGS)
    elif spec.element is not None:
        schema |= {"type": "array", "items": _field(spec.element)}
    elif spec.fields is not None:
        schema |= _record(spec.fields)
    else:
        schema |= _TYPES[spec.type]
    if spec.name == "intent":
        schema["default"] = "performed"
    if spec.unit:
        schema["x-unit"] = spec.unit
    return schema
