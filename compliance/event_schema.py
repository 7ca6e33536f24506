"""JSON Schema of events, made from the vocabulary: for those who write programs that send them.

What a schema can say it says; what it cannot (that a day exists, that a code is on the drug list) `domain.making` checks. It never
refuses what is valid.
"""

from __future__ import annotations

from typing import Any, Final

from compliance.domain.vocabulary import KINDS, VERSION, FieldSpec, KindSpec

_TEXT_LENGTH: Final = 4000
_TYPES: Final[dict[str, dict[str, Any]]] = {
    "id": {"type": "string", "pattern": "^[A-Za-z0-9._:\\-]{1,64}$"},
    "text": {"type": "string", "minLength": 1, "maxLength": _TEXT_LENGTH},
    "integer": {"type": "integer", "exclusiveMinimum": -(10**9), "exclusiveMaximum": 10**9},
    "decimal": {"$ref": "#/$defs/decimal"},
    "boolean": {"type": "boolean"},
    "instant": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "duration": {"type": "string", "minLength": 2},
}


def event_schema() -> dict[str, Any]:
    """The schema of one event, of any kind (draft 2020-12)."""
    decimal = {
        "description": "Exact: at most 6 digits after the point, below 10^9; text or a number, read digit by digit",
        "anyOf": [
            {"type": "number", "exclusiveMinimum": -(10**9), "exclusiveMaximum": 10**9},
            {"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?$"},
        ],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Event, vocabulary version {VERSION}",
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": list(KINDS)}},
        "allOf": [
            {"if": {"properties": {"kind": {"const": name}}}, "then": {"$ref": f"#/$defs/{name}"}}
            for name in KINDS
        ],
        "$defs": {"decimal": decimal, **{name: _kind(kind) for name, kind in KINDS.items()}},
    }


def _kind(kind: KindSpec) -> dict[str, Any]:
    schema = _record(kind.fields.values(), kind.says)
    schema["properties"]["kind"] = {"const": kind.name}
    return schema


def _record(fields: Any, says: str) -> dict[str, Any]:
    sent = [field for field in fields if not field.derived]
    schema: dict[str, Any] = {"type": "object", "additionalProperties": False}
    if says:
        schema["description"] = says
    schema["properties"] = {field.name: _field(field) for field in sent}
    schema["required"] = [field.name for field in sent if field.required]
    return schema


def _field(field: FieldSpec) -> dict[str, Any]:
    schema = _type(field)
    if field.says:
        schema["description"] = field.says
    if field.unit:
        schema["x-unit"] = field.unit
    return schema


def _type(field: FieldSpec) -> dict[str, Any]:
    if field.type == "enum":
        return {"enum": list(field.values)}
    if field.element is not None:
        return {"type": "array", "items": _field(field.element)}
    if field.fields is not None:
        return _record(field.fields.values(), field.says)
    return dict(_TYPES[field.type])
