"""What a model refuses, put in words for people: where, what was found, what was expected, and what to do.

What was found is repeated only where it is no free text: enum values, numbers, dates; cut at 60 characters. Of ids and texts only
lengths and positions are told, since a name can slip into either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Final

from pydantic import ValidationError

from compliance.domain.drugs import DRUGS
from compliance.domain.events.checks import NotListed, WrongType, lone_surrogate
from compliance.domain.quantity import NumberText
from compliance.domain.reading import ECHO, Unreadable, echo
from compliance.domain.vocabulary import ENVELOPE, KINDS, FieldSpec
from compliance.domain.zone import zone_names
from compliance.errors import Place, Problem

MOST: Final = 50
"""No more problems than this are told of one event."""

_ID_CHARACTER: Final = re.compile(r"[A-Za-z0-9._:\-]", re.ASCII)
_LEAVE_OUT: Final = "leave the field out where there is nothing to say"
_WANTED: Final = {
    "id": "an id (text of 1 to 64 characters A-Z a-z 0-9 . _ : -)",
    "text": "text",
    "integer": "a whole number",
    "decimal": "a decimal number",
    "boolean": "true or false",
    "instant": "a date-time with an offset, such as 2026-03-02T09:05:00-06:00",
    "date": "a date, such as 2026-03-02",
    "duration": "a duration, such as 2h",
    "list": "a list",
    "record": "a record of named fields",
}


def did_you_mean(text: str, names: Iterable[str]) -> str:
    """``did you mean `session`?`` where a known name is near, else an empty string."""
    if len(text) > 64:
        return ""
    known = {name.lower(): name for name in names}
    near = get_close_matches(text.lower().replace("-", "_").replace(" ", "_"), known, n=1, cutoff=0.6)
    return f"did you mean `{known[near[0]]}`?" if near else ""


def unknown_kind(kind: Any, given: bool, place: Place) -> Problem:
    """That an event is of no kind the vocabulary has."""
    place = Place(place.source, place.line, field="kind")
    if not given:
        return Problem(place, "the kind of event is missing", "add `kind`, such as administration", "missing")
    if not isinstance(kind, str):
        return Problem(place, f"{found(kind)}, where a kind is expected", "write it in quotes", "wrong_type")
    remedy = did_you_mean(kind, KINDS) or "see the kinds with `compliance schema event`"
    return Problem(place, f"there is no kind of event {echo(kind)}", remedy, "unknown_kind")


def objections(
    error: ValidationError, kind: str, fields: Mapping[str, FieldSpec], place: Place
) -> tuple[Problem, ...]:
    """Every problem that a model found, in the order of its fields."""
    problems = []
    for number, one in enumerate(error.errors(include_url=False)):
        if number == MOST:
            rest = error.error_count() - MOST
            problems.append(Problem(place, f"{rest} more problems", "mend those above first", "more"))
            break
        location = one["loc"]
        where = Place(place.source, place.line, field=path_text(location) or None)
        message, remedy, code = _words(one, location, kind, fields)
        problems.append(Problem(where, message, remedy, code))
    return tuple(problems)


def path_text(location: Iterable[int | str]) -> str:
    """A field's path as people write it: ``lines[2].quantity``."""
    text = ""
    for step in location:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            name = named(step)
            text += f".{name}" if text else name
    return text


def named(name: str) -> str:
    """A field's name as it may be shown: bare where it could be one, else as `echo` has it."""
    return name if name.isascii() and name.isidentifier() and len(name) <= ECHO else echo(name)


def found(value: Any) -> str:
    """What a JSON value is, without repeating any text."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"text of {len(value)} character{'' if len(value) == 1 else 's'}"
    if isinstance(value, NumberText):
        return f"the number {value.text[:60]}" + ("…" if len(value.text) > 60 else "")
    if isinstance(value, int) and abs(value) < 10**40:
        return f"the number {value}"
    if isinstance(value, int | float | Decimal):
        return "a number"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "a record" if isinstance(value, Mapping) else "something that is no JSON"


def _spec_at(location: tuple[int | str, ...], fields: Mapping[str, FieldSpec]) -> FieldSpec | None:
    """The field that a location names; None for an unknown one."""
    spec: FieldSpec | None = None
    below: Mapping[str, FieldSpec] = fields
    for step in location:
        spec = spec.element if isinstance(step, int) and spec is not None else below.get(str(step))
        if spec is None:
            return None
        below = spec.fields or {}
    return spec


def _words(
    one: Mapping[str, Any], location: tuple[int | str, ...], kind: str, fields: Mapping[str, FieldSpec]
) -> tuple[str, str, str]:
    """Message, remedy and code."""
    spec = _spec_at(location, fields)
    if one["type"] == "string_unicode" and (spec is None or spec.fields is not None):
        return (
            "a field name holds half of a surrogate pair",
            "name the field as the vocabulary does",
            "bad_value",
        )
    if one["type"] == "extra_forbidden" or spec is None or spec.derived:
        return _unknown_field(location, kind, fields)
    value = one["input"]
    if one["type"] == "missing":
        unit = f", in {spec.unit}" if spec.unit else ""
        return f"{location[-1]} is missing ({spec.says}{unit})", f"add it: {_wanted(spec)}", "missing"
    cause = one.get("ctx", {}).get("error")
    if isinstance(cause, NotListed):
        names = DRUGS if cause.listed == "drug" else zone_names()
        remedy = did_you_mean(cause.text, names) or (
            f"use one of {', '.join(DRUGS)}" if cause.listed == "drug" else ""
        )
        return cause.message, remedy or "write it like America/Chicago", "not_listed"
    if isinstance(cause, Unreadable) and not isinstance(cause, WrongType):
        return cause.message, cause.remedy, "bad_value"
    if one["type"] == "string_unicode" and isinstance(value, str):
        surrogate = lone_surrogate(value)
        return surrogate.message, surrogate.remedy, "bad_value"
    if one["type"] == "string_pattern_mismatch":
        return (*_bad_id(value), "bad_value")
    if one["type"] == "literal_error" and isinstance(value, str):
        remedy = did_you_mean(value, spec.values) or f"use one of {', '.join(spec.values)}"
        return f"{echo(value)} is not a value of {location_name(location)}", remedy, "not_listed"
    if one["type"] in {"greater_than", "less_than"}:
        message = f"{found(value)} is not below 10^9 in absolute value"
        return message, "check the number and its unit", "bad_value"
    return f"{found(value)}, where {_wanted(spec)} is expected", _type_remedy(spec, value), "wrong_type"


def location_name(location: tuple[int | str, ...]) -> str:
    """The name of the field itself: ``topics`` for ``topics[2]``."""
    return next((str(step) for step in reversed(location) if isinstance(step, str)), "")


def _wanted(spec: FieldSpec) -> str:
    return f"one of {', '.join(spec.values)}" if spec.values else _WANTED[spec.type]


def _type_remedy(spec: FieldSpec, value: Any) -> str:
    if value is None:
        return "fill it in" if spec.required else _LEAVE_OUT
    number = isinstance(value, int | Decimal | NumberText) and not isinstance(value, bool)
    if number and spec.type in {"text", "id", "enum", "instant", "date"}:
        return "write it in quotes"
    if isinstance(value, str) and spec.type in {"integer", "boolean"}:
        return "write it without quotes"
    if isinstance(value, NumberText | Decimal) and spec.type == "integer":
        return "write it without a point or an exponent, below 10^9"
    if isinstance(value, float) and spec.type == "decimal":
        return "send its digits as text; a binary float is not exact"
    if spec.type == "list":
        return "write it in [], even where there is one"
    return f"send {_wanted(spec)}"


def _bad_id(value: Any) -> tuple[str, str]:
    text = str(value)
    if not text:
        return "an empty id", "give the id"
    bad = next((i for i, character in enumerate(text, 1) if not _ID_CHARACTER.fullmatch(character)), None)
    if bad is None:
        return f"an id of {len(text)} characters; at most 64 are taken", "shorten it"
    character = text[bad - 1]
    name = "a space" if character == " " else f"the character {echo(character)}"
    return f"{name} at position {bad} of an id", "use A-Z a-z 0-9 . _ : - only"


def _unknown_field(
    location: tuple[int | str, ...], kind: str, fields: Mapping[str, FieldSpec]
) -> tuple[str, str, str]:
    name = str(location[-1])
    above = _spec_at(location[:-1], fields) if len(location) > 1 else None
    if above is None and name == "recorded_at":
        remedy = "leave it out; say with entered_at when the source system took it"
        return "recorded_at is set by the log, never by the caller", remedy, "set_by_log"
    if above is None and name == "noted_at":
        return "noted_at is derived from entered_at or recorded_at, never sent", "leave it out", "set_by_log"
    if above is None and name == "drug":
        return f"{kind} is not about one drug", "leave drug out", "unknown_field"
    if above is None and name == "corrects":
        remedy = "leave it out, or record a correction of the earlier event"
        return "corrects is for correction and void only", remedy, "unknown_field"
    known = (above.fields or {}) if above is not None else {n: s for n, s in fields.items() if not s.derived}
    remedy = did_you_mean(name, known)
    where = f"a field of {kind}" if above is None else f"a field of {path_text(location[:-1])}"
    if not remedy and above is None and name in ENVELOPE:
        remedy = "leave it out"
    return (
        f"{named(name)} is not {where}",
        remedy or "leave it out; put what matters into a field that there is",
        "unknown_field",
    )
