"""JSON Schemas of policy files, for editors: completion, help on hover, and a first check while typing.

They say what the readers read, from the same constants: `rules` here, the other kinds of file in `schema_tables`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from compliance.policy import file_kinds
from compliance.policy.cases import CASE_FIELDS, OUTCOMES, STATES
from compliance.policy.facts import OPTIONS, QUANTIFIERS
from compliance.policy.rules import FIELDS, OVERRIDES, SEVERITIES
from compliance.policy.schema_parts import (
    DATE,
    EVENT,
    INSTANT,
    KIND,
    RULE_ID,
    TEXT,
    Schema,
    document,
    event_definitions,
    expression,
    group,
    named,
    names,
    rows,
    says,
)
from compliance.policy.schema_tables import bundle_schema, cases_schema, requirements_schema, site_schema

VERSION: Final = 1
_REQUIRED: Final = (
    "id", "title", "implements", "cites", "in_force", "owner", "review_by", "otherwise", "cases",
)  # fmt: skip


def policy_schema() -> dict[str, Any]:
    """The schema of a rule's file, as it is shipped in ``policies/schema/policy.v1.json``."""
    fields = {
        "id": says({"type": "string", "pattern": RULE_ID}, "Equals the file's name"),
        "title": says(TEXT, "What must hold, in one sentence"),
        "implements": says(names(TEXT), "Ids of the requirements that this rule keeps"),
        "cites": says(rows(_citation()), "Where it is written"),
        "in_force": says(_period(), "Dates of the law"),
        "owner": says(TEXT, "Who answers for this rule"),
        "review_by": says(DATE, "When it must be read again"),
        "parameters": named(
            _parameter(), "Values that law or site policy may change, each with its dates and its source"
        ),
        "on": says(
            names({"anyOf": [KIND, {"const": "any"}]}),
            "The kinds of event that are judged, or that open a duty",
        ),
        "every": says({"const": "night"}, "A standing rule: judged every night for each subject"),
        "per": says(
            {"oneOf": [names(TEXT), _subjects()]},
            "Of a duty: the fields for each value of which there is one. Of a standing rule: its subjects",
        ),
        "given": named(
            {"oneOf": [_fact(quantifier) for quantifier in QUANTIFIERS]},
            "Facts from the history, each by the name that expressions use",
        ),
        "when": expression("It applies only if this holds"),
        "require": expression("What must hold"),
        "expect": says({"$ref": "#/definitions/expect"}, "What closes the duty, and by when"),
        "otherwise": says(_otherwise(), "What follows where it does not hold"),
        "cases": says(rows(_case()), "Examples: what passes and what does not"),
    }
    forms = {
        "oneOf": [
            {"required": ["on", "require"]},
            {"required": ["on", "expect"]},
            {"required": ["every", "per", "require"]},
        ]
    }
    expect = {"oneOf": [_closing(), _several("any_of", "One of them closes it"), _several("all_of", "All of them close it")]}  # fmt: skip
    return document(
        f"Policy file, version {VERSION}",
        "A rule: what is required, where that is written, when it is in force, and examples",
        {**group({name: fields[name] for name in FIELDS}, _REQUIRED), **forms},
        {"expect": expect, **event_definitions(recorded=False)},
    )


SCHEMAS: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    file_kinds.RULE.name: policy_schema,
    file_kinds.BUNDLE.name: bundle_schema,
    file_kinds.REQUIREMENTS.name: requirements_schema,
    file_kinds.SITE.name: site_schema,
    file_kinds.CASES.name: cases_schema,
}
"""The schema of each kind of policy file, by the kind's name."""


def _citation() -> Schema:
    return group(
        {
            "source": says(TEXT, "The law, document or guideline"),
            "at": says(TEXT, "The place in it"),
            "read": says(DATE, "When the source was last read"),
        },
        ("source", "read"),
    )


def _period() -> Schema:
    return group(
        {
            "from": says(DATE, "The first day on which it holds, in the site's zone"),
            "to": says(DATE, "The first day on which it no longer holds"),
        },
        ("from",),
    )


def _subjects() -> Schema:
    return group(
        {
            "each": says(KIND, "The kind that defines the subjects, never the evidence that is looked for"),
            "by": says(names(TEXT), "Fields that tell the subjects apart, where the kind has no key"),
            "where": expression("Which of them, `it`"),
        },
        ("each",),
    )


def _parameter() -> Schema:
    value = group(
        {
            "from": says(DATE, "The first day on which it holds"),
            "value": says(
                {"type": ["string", "number", "boolean", "array"]},
                "2h, 7d, 2026-11-22, 2.5, true, a text, or a list of one of these",
            ),
            "cites": says(TEXT, "Where the value is written"),
        },
        ("from", "value", "cites"),
    )
    return group(
        {
            "tighten": says({"enum": ["up", "down", "fixed"]}, "In which direction a site may change it"),
            "limit": says(
                {"type": ["string", "number"]},
                "How far a site may go the other way, where the default is stricter than the law",
            ),
            "unit": says(TEXT, "The unit of a number"),
            "says": says(TEXT, "What the value means"),
            "values": says(rows(value), "The value from each of its dates on"),
        },
        ("tighten", "values"),
    )


_MEANINGS: Final = {
    "latest": "The last such event, or null",
    "earliest": "The first such event, or null",
    "any": "Such an event, or null",
    "none": "Whether there is no such event",
    "count": "How many there are, the judged event among them",
    "sum": "The sum of a field, as kind.field, the judged event's included",
    "uncovered": "How much of the span from..to lies in no interval of such an event",
    "largest_gap": "The longest stretch of the span from..to without such an event",
    "balance": "Book stock: the last complete count, and movements since",
}


def _fact(quantifier: str) -> Schema:
    what = names(KIND)
    if quantifier == "sum":
        what = names({"type": "string", "pattern": "^[a-z_]+\\.[a-z_]+$"})
    if quantifier == "balance":
        what = {"const": "stock"}
    options = {
        "by": says(names(TEXT), "Shared fields"),
        "where": expression("A condition on the candidate, `it`"),
        "within": says(TEXT, "A window before the judged event: 24h, or an expression"),
        "after": says(TEXT, "A window behind the judged event"),
        "self": says({"type": "boolean"}, "Whether the judged event itself counts"),
        "states": says({"const": "all"}, "Every event, not only the present state of each key"),
        "from": expression("Start of the span"),
        "to": expression("End of the span"),
        "for_each": expression("A list, one balance for each line"),
    }
    required = {"uncovered": ("from", "to"), "largest_gap": ("from", "to"), "balance": ("by",)}.get(
        quantifier, ()
    )
    return group(
        {
            quantifier: says(what, _MEANINGS[quantifier]),
            **{name: options[name] for name in OPTIONS[quantifier]},
        },
        (quantifier, *required),
    )


def _closing() -> Schema:
    return group(
        {
            "event": says(names(KIND), "The kind of event that closes the duty"),
            "by": says(names(TEXT), "Shared fields"),
            "where": expression("A condition on the closing event, `it`"),
            "at": expression("The instant that counts; occurred_at where it is left out"),
            "due": expression("By when"),
        },
        ("event", "due"),
    )


def _several(name: str, words: str) -> Schema:
    return group({name: says(rows({"$ref": "#/definitions/expect"}), words)}, (name,))


def _otherwise() -> Schema:
    return group(
        {
            "severity": says({"enum": list(SEVERITIES)}, "How grave it is"),
            "override": says({"enum": list(OVERRIDES), "default": "never"}, "Who may set it aside"),
            "message": says(TEXT, "What was found; {expressions} in braces are filled in"),
            "remedy": says(TEXT, "What the person should do now"),
        },
        ("severity", "message", "remedy"),
    )


def _case() -> Schema:
    fields = {
        "name": says(TEXT, "What the example shows, in a few words"),
        "history": says({"type": "array", "items": EVENT}, "What had happened before"),
        "event": says({"allOf": [EVENT]}, "The event that is judged, or that opens the duty"),
        "now": says(INSTANT, "As of when a duty is judged, or the night of a standing rule"),
        "expect": says({"enum": [*OUTCOMES, *STATES]}, "What must come out"),
    }
    return group({name: fields[name] for name in CASE_FIELDS}, ("name", "event", "expect"))
