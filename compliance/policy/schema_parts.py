"""What the JSON Schemas of policy files are made of: groups, lists, texts, dates, citations, and the events of cases.

Draft 7, which the editors' YAML language servers know best. A schema sees what stands in a file; what only the type checker can know (names in
expressions, units, types) is left to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from compliance.domain.vocabulary import ENVELOPE, KINDS, FieldSpec

Schema = dict[str, Any]

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
KIND: Final[Schema] = {"$ref": "#/definitions/kind"}
EVENT: Final[Schema] = {"$ref": "#/definitions/event"}
TEXT: Final[Schema] = {"type": "string", "minLength": 1}
DATE: Final[Schema] = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
INSTANT: Final[Schema] = {
    "type": "string",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})$",
}
NAME: Final = "^[a-z][a-z0-9_]{0,63}$"
RULE_ID: Final = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"

_NUMBER: Final[Schema] = {"type": ["number", "string"]}
_OF_TYPE: Final[Mapping[str, Schema]] = {
    "boolean": {"type": "boolean"}, "integer": _NUMBER, "decimal": _NUMBER, "instant": INSTANT, "date": DATE,
}  # fmt: skip


def document(title: str, says: str, fields: Schema, definitions: Schema | None = None) -> Schema:
    """A whole schema: its head, what a file is, and what its parts refer to."""
    head = {"$schema": DRAFT, "title": title, "description": says}
    return {**head, **fields, **({"definitions": definitions} if definitions else {})}


def group(properties: Mapping[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    """A group of fields, and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def named(value: Schema, says: str, pattern: str = NAME) -> Schema:
    """A group whose fields have names of their own, all with the same kind of value."""
    return {
        "description": says,
        "type": "object",
        "propertyNames": {"pattern": pattern},
        "additionalProperties": value,
    }


def rows(items: Schema, *, least: int = 1) -> Schema:
    """A list."""
    return {"type": "array", "minItems": least, "items": items}


def names(item: Schema, *, least: int = 1) -> Schema:
    """A name, or a list of names."""
    return {"oneOf": [item, {"type": "array", "minItems": least, "uniqueItems": True, "items": item}]}


def says(schema: Schema, words: str) -> Schema:
    """A schema with its description, which an editor shows."""
    return {"description": words, **schema}


def expression(words: str) -> Schema:
    """An expression of the policy language; ``true`` and ``false`` are also values of YAML."""
    return {"description": words, "type": ["string", "boolean"], "minLength": 1}


def event_definitions(*, recorded: bool) -> Schema:
    """The definitions that `KIND` and `EVENT` refer to: an event of a case, its kind choosing its fields. `recorded` events may say when they
    were recorded, and must say when they happened."""
    return {
        "kind": {"enum": list(KINDS)},
        "event": {
            "type": "object",
            "properties": {"kind": says(KIND, ENVELOPE["kind"].says)},
            "required": ["kind", "occurred_at"] if recorded else ["kind"],
            "allOf": [
                {
                    "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                    "then": {"$ref": f"#/definitions/{kind}"},
                }
                for kind in KINDS
            ],
        },
        **{f"any.{name}": _field(spec) for name, spec in ENVELOPE.items()},
        **{
            kind: {
                "title": kind,
                "description": spec.says,
                "properties": {name: _of_kind(one) for name, one in spec.fields.items() if _may_say(name, recorded)},
                "additionalProperties": False,
            }
            for kind, spec in KINDS.items()
        },
    }  # fmt: skip


def _may_say(name: str, recorded: bool) -> bool:
    return name != "noted_at" and (recorded or name != "recorded_at")


def _of_kind(spec: FieldSpec) -> Schema:
    """A field of a kind; what all kinds share stands once."""
    if ENVELOPE.get(spec.name) == spec:
        return {"$ref": f"#/definitions/any.{spec.name}"}
    return _field(spec)


def _field(spec: FieldSpec) -> Schema:
    """A field as a case may write it: nothing in it is required, and an instant may leave out its seconds."""
    said = f"{spec.says} ({spec.unit})" if spec.unit else spec.says
    schema: Schema = {"description": said} if said else {}
    if spec.values:
        return schema | {"enum": list(spec.values)}
    if spec.element is not None:
        return schema | {"type": "array", "items": _field(spec.element)}
    if spec.fields is not None:
        return schema | group({name: _field(one) for name, one in spec.fields.items()})
    return schema | _OF_TYPE.get(spec.type, {"type": "string"})
