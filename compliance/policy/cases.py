"""Events in cases: those beside a rule, and those of timeline files.

What a person may leave out here and nowhere else: seconds of an instant (``:00``), and required fields that do not matter (see
`fill`). What stands there must be right: kinds, fields and words of enums are checked against the vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from compliance.domain.reading import Unreadable
from compliance.domain.time import parse_instant, with_seconds
from compliance.domain.vocabulary import KINDS
from compliance.policy.expression.tree import Type
from compliance.policy.expression.types import plain
from compliance.policy.fields import Fields, Reading, kind_of, shown
from compliance.policy.located import Path, at
from compliance.policy.model import Case
from compliance.policy.names import field_types
from compliance.policy.nearest import did_you_mean
from compliance.policy.scalars import Digits

CASE_FIELDS: Final = ("name", "history", "event", "now", "expect")
OUTCOMES: Final = ("pass", "fail", "indeterminate", "not_applicable")
STATES: Final = ("open", "met", "met_late", "missed", "cancelled")
_ASSIGNED: Final = ("recorded_at", "noted_at")


def read_cases(rule: Fields, on: tuple[str, ...], *, deadline: bool) -> tuple[Case, ...]:
    """The cases of a rule; a rule without any is a problem."""
    if not rule.required("cases", "show by example what passes and what does not: at least one case of each"):
        return ()
    written = rule.value["cases"]
    if not isinstance(written, list) or not written:
        rule.wrong(
            "cases",
            "there are no cases",
            "show by example what passes and what does not: at least one case of each",
        )
        return ()
    found = []
    names: dict[str, int] = {}
    for i in range(len(written)):
        path = (*rule.at("cases"), i)
        fields = rule.reading.fields(path, CASE_FIELDS, "a case")
        if fields is None:
            continue
        case = _case(fields, on, deadline)
        if case.name in names and case.name:
            fields.wrong("name", f"two cases are called '{case.name}'", "give each its own name")
        names[case.name] = i
        found.append(case)
    return tuple(found)


def _case(fields: Fields, on: tuple[str, ...], deadline: bool) -> Case:
    name = fields.text("name", "say in a few words what the case shows")
    history = events(fields, "history")
    event: Mapping[str, Any] = {}
    if fields.required("event", "write the event that is judged: event: {kind: ..., ...}"):
        event = read_event(fields.reading, fields.at("event"))
        kind = event.get("kind")
        if on and kind in KINDS and kind not in on and "any" not in on:
            fields.wrong(
                "event",
                f"this event is of kind '{kind}', but the rule judges {' or '.join(on)}",
                f"write an event of kind {on[0]}",
            )
    outcomes = (*OUTCOMES, *STATES) if deadline else OUTCOMES
    expect = fields.one_of("expect", outcomes, f"say what must come out: {', '.join(outcomes)}")
    return Case(name, history, event, expect, instant(fields, "now"), fields.reading.place(fields.path))


def instant(fields: Fields, name: str) -> str | None:
    """An RFC 3339 instant as text, with its seconds."""
    if not fields.has(name):
        return None
    value = fields.value[name]
    if not isinstance(value, str):
        fields.wrong(
            name,
            f"'{name}' must be an instant, not {kind_of(value)}",
            "write it like 2026-03-02T09:05:00-06:00",
        )
        return None
    return _with_seconds(fields.reading, fields.at(name), value)


def events(fields: Fields, name: str, *, recorded_at: bool = False) -> tuple[Mapping[str, Any], ...]:
    """A list of events."""
    if not fields.has(name):
        return ()
    written = fields.value[name]
    if not isinstance(written, list):
        fields.wrong(
            name,
            f"'{name}' must be a list of events, not {kind_of(written)}",
            "begin each event with '- ' on a line of its own",
        )
        return ()
    return tuple(
        read_event(fields.reading, (*fields.at(name), i), recorded_at=recorded_at)
        for i in range(len(written))
    )


def read_event(reading: Reading, path: Path, *, recorded_at: bool = False) -> dict[str, Any]:
    """One event as JSON: decimals as text, instants with seconds."""
    value = at(reading.document.value, path)
    if not isinstance(value, dict):
        reading.wrong(
            path,
            f"an event must be a group of fields, not {kind_of(value)}",
            "write {kind: ..., occurred_at: ..., ...}",
        )
        return {}
    kind = value.get("kind")
    if kind is None:
        reading.wrong(path, "this event has no 'kind'", "write its kind, such as kind: administration")
        return {}
    if not isinstance(kind, str) or kind not in KINDS:
        reading.wrong(
            (*path, "kind"), f"there is no kind of event {shown(kind)}", did_you_mean(str(kind), KINDS)
        )
        return {}
    types = dict(field_types(kind))
    for name in _ASSIGNED:
        if name == "noted_at" or not recorded_at:
            types.pop(name, None)
            if name in value:
                reading.wrong(
                    (*path, name),
                    f"'{name}' is set by the log",
                    "delete it; use entered_at for a late entry",
                    key=True,
                )
    return _record(reading, path, value, types, kind)


def _record(
    reading: Reading, path: Path, value: dict[str, Any], types: Mapping[str, Type], what: str
) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for name, item in value.items():
        if name in types:
            read[name] = _value(reading, (*path, name), item, types[name])
        elif name not in _ASSIGNED:
            reading.wrong((*path, name), f"{what} has no field '{name}'", did_you_mean(name, types), key=True)
    return read


def _value(reading: Reading, path: Path, value: Any, type_: Type) -> Any:
    if isinstance(value, list):
        if type_.name != "list" or type_.element is None:
            return _mismatch(reading, path, value, type_)
        return [_value(reading, (*path, i), item, type_.element) for i, item in enumerate(value)]
    if isinstance(value, dict):
        if type_.name != "record":
            return _mismatch(reading, path, value, type_)
        return _record(
            reading,
            path,
            value,
            dict(type_.fields),
            str(path[-1]) if isinstance(path[-1], str) else str(path[-2]),
        )
    if (
        value is None
        or type_.name in ("list", "record")
        or isinstance(value, bool) is not (type_.name == "bool")
    ):
        return _mismatch(reading, path, value, type_)
    if isinstance(value, (Digits, int)) and not isinstance(value, bool) and type_.name != "number":
        return _mismatch(reading, path, value, type_)
    if type_.name == "enum" and value not in type_.values:
        reading.wrong(
            path, f"{shown(value)} is not one of its values", did_you_mean(str(value), type_.values)
        )
    if type_.name == "instant" and isinstance(value, str):
        return _with_seconds(reading, path, value)
    return str(value) if isinstance(value, Digits) else value


def _mismatch(reading: Reading, path: Path, value: Any, type_: Type) -> Any:
    remedy = (
        "write it in quotes" if type_.name in ("text", "enum") and isinstance(value, (int, Digits)) else ""
    )
    if value is None:
        remedy = "leave the field out where there is no value"
    reading.wrong(path, f"this is {kind_of(value)}, where {plain(type_)} is needed", remedy)
    return str(value) if isinstance(value, Digits) else value


def _with_seconds(reading: Reading, path: Path, value: str) -> str:
    text = with_seconds(value)
    try:
        parse_instant(text)
    except Unreadable as error:
        reading.wrong(path, error.message, error.remedy)
    return text
