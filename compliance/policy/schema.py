"""JSON Schema of policy files, for editors: completion, help on hover, and a first check while typing.

It says what `rules` reads, from the same constants; what only the type checker can know (names, types, units) is left to it. Draft
7, which the editors' YAML language servers know best.
"""

from __future__ import annotations

from typing import Any, Final

from compliance.domain.vocabulary import KINDS
from compliance.policy.cases import OUTCOMES, STATES
from compliance.policy.facts import OPTIONS, QUANTIFIERS
from compliance.policy.rules import OVERRIDES, SEVERITIES

VERSION: Final = 1
_KIND: Final = {"$ref": "#/definitions/kind"}
_TEXT: Final = {"type": "string", "minLength": 1}
_DATE: Final = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_NAME: Final = "^[a-z][a-z0-9_]{0,63}$"


def policy_schema() -> dict[str, Any]:
    """The schema of one policy file, as it is shipped in ``policies/schema/policy.v1.json``."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"Policy file, version {VERSION}",
        **_group(
            {
                "id": _says(
                    {"type": "string", "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"}, "Equals the file's name"
                ),
                "title": _says(_TEXT, "What must hold, in one sentence"),
                "implements": _says(_names(_TEXT), "Ids of the requirements that this rule keeps"),
                "cites": _says(_list(_citation()), "Where it is written"),
                "in_force": _says(
                    _group({"from": _DATE, "to": _DATE}, ("from",)), "Dates of the law; `to` is exclusive"
                ),
                "owner": _says(_TEXT, "Who answers for this rule"),
                "review_by": _says(_DATE, "When it must be read again"),
                "parameters": _named(
                    _parameter(), "Values that law or site policy may change, each with its dates"
                ),
                "on": _says(
                    _names({"anyOf": [_KIND, {"const": "any"}]}),
                    "The kinds of event that are judged, or that open a duty",
                ),
                "given": _named(
                    {"oneOf": [_fact(quantifier) for quantifier in QUANTIFIERS]}, "Facts from the history"
                ),
                "when": _expression("It applies only if this holds"),
                "require": _expression("What must hold"),
                "expect": {"$ref": "#/definitions/expect"},
                "every": _says({"const": "night"}, "A standing rule: judged every night for each subject"),
                "per": {
                    "oneOf": [_says(_names(_TEXT), "One duty for each value of these fields"), _subjects()]
                },
                "otherwise": _otherwise(),
                "cases": _says(_list(_case()), "Examples: what passes and what does not"),
            },
            (
                "id",
                "title",
                "implements",
                "cites",
                "in_force",
                "owner",
                "review_by",
                "otherwise",
                "cases",
            ),
        ),
        "oneOf": [
            {"required": ["on", "require"]},
            {"required": ["on", "expect"]},
            {"required": ["every", "per", "require"]},
        ],
        "definitions": {
            "kind": {"enum": list(KINDS)},
            "expect": {"oneOf": [_closing(), _several("any_of"), _several("all_of")]},
        },
    }


def _citation() -> dict[str, Any]:
    return _group(
        {"source": _TEXT, "at": _TEXT, "read": _says(_DATE, "When the source was last read")},
        ("source", "read"),
    )


def _subjects() -> dict[str, Any]:
    return _group(
        {
            "each": _says(_KIND, "The kind that defines the subjects, never the evidence that is looked for"),
            "by": _says(_names(_TEXT), "Fields that tell the subjects apart, where the kind has no key"),
            "where": _expression("Which of them, `it`"),
        },
        ("each",),
    )


def _parameter() -> dict[str, Any]:
    value = _group(
        {"from": _DATE, "value": {"type": ["string", "number", "boolean", "array"]}, "cites": _TEXT},
        ("from", "value", "cites"),
    )
    tighten = _says({"enum": ["up", "down", "fixed"]}, "In which direction a site may change it")
    limit = _says(
        {"type": ["string", "number"]},
        "How far a site may go the other way, where the default is stricter than the law",
    )
    return _group(
        {"tighten": tighten, "limit": limit, "unit": _TEXT, "says": _TEXT, "values": _list(value)},
        ("tighten", "values"),
    )


def _fact(quantifier: str) -> dict[str, Any]:
    what: dict[str, Any] = _names(_KIND)
    if quantifier == "sum":
        what = _names({"type": "string", "pattern": "^[a-z_]+\\.[a-z_]+$"})
    if quantifier == "balance":
        what = {"const": "stock"}
    options = {
        "by": _says(_names(_TEXT), "Shared fields"),
        "where": _expression("A condition on the candidate, `it`"),
        "within": _says(_TEXT, "A window before the judged event: 24h, or an expression"),
        "after": _says(_TEXT, "A window behind the judged event"),
        "self": _says({"type": "boolean"}, "Whether the judged event itself counts"),
        "states": _says({"const": "all"}, "Every event, not only the present state of each key"),
        "from": _expression("Start of the span"),
        "to": _expression("End of the span"),
        "for_each": _expression("A list, one balance for each line"),
    }
    required = {"uncovered": ("from", "to"), "largest_gap": ("from", "to"), "balance": ("by",)}.get(
        quantifier, ()
    )
    return _group(
        {quantifier: what, **{name: options[name] for name in OPTIONS[quantifier]}}, (quantifier, *required)
    )


def _closing() -> dict[str, Any]:
    return _group(
        {
            "event": _says(_names(_KIND), "The kind of event that closes the duty"),
            "by": _says(_names(_TEXT), "Shared fields"),
            "where": _expression("A condition on the closing event, `it`"),
            "at": _expression("The instant that counts; occurred_at where it is left out"),
            "due": _expression("By when"),
        },
        ("event", "due"),
    )


def _several(name: str) -> dict[str, Any]:
    return _group({name: _list({"$ref": "#/definitions/expect"})}, (name,))


def _otherwise() -> dict[str, Any]:
    return _group(
        {
            "severity": {"enum": list(SEVERITIES)},
            "override": {"enum": list(OVERRIDES), "default": "never"},
            "message": _says(_TEXT, "What was found; {expressions} in braces are filled in"),
            "remedy": _says(_TEXT, "What the person should do now"),
        },
        ("severity", "message", "remedy"),
    )


def _case() -> dict[str, Any]:
    event = {"type": "object", "properties": {"kind": _KIND}, "required": ["kind"]}
    return _group(
        {
            "name": _TEXT,
            "history": {"type": "array", "items": event},
            "event": event,
            "now": _TEXT,
            "expect": {"enum": [*OUTCOMES, *STATES]},
        },
        ("name", "event", "expect"),
    )


def _group(properties: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _named(value: dict[str, Any], says: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": says,
        "propertyNames": {"pattern": _NAME},
        "additionalProperties": value,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": items}


def _names(item: dict[str, Any]) -> dict[str, Any]:
    return {"oneOf": [item, {"type": "array", "minItems": 1, "uniqueItems": True, "items": item}]}


def _says(schema: dict[str, Any], says: str) -> dict[str, Any]:
    return {"description": says, **schema}


def _expression(says: str) -> dict[str, Any]:
    return {"description": says, "type": ["string", "boolean"], "minLength": 1}
