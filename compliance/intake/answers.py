"""What a person types for one field, as the JSON value that an event's body holds.

A person at a desk writes the time by the clock on the wall, a choice by its number or its first letters, yes as ``y``. Each has one
meaning or none: a clock time that the site's clock showed twice or not at all, and a prefix of two choices, are refused with the reason.
Whatever was typed is then judged by the vocabulary's own checks, in their words.

    >>> from compliance.domain.vocabulary import KINDS
    >>> read_answer(KINDS["administration"].fields["route"], "intran", zone_name="America/Chicago", now=0)
    'intranasal'
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from compliance.domain.drugs import DRUGS
from compliance.domain.making import field_problems
from compliance.domain.objections import did_you_mean
from compliance.domain.quantity import plain_digits, with_unit
from compliance.domain.reading import Unreadable, echo
from compliance.domain.time import (
    EPOCH,
    SECOND,
    format_date,
    format_instant,
    local_date,
    microseconds,
    parse_date,
    parse_duration,
    parse_instant,
)
from compliance.domain.vocabulary import FieldSpec
from compliance.domain.zone import zone

YES: Final = frozenset({"y", "yes", "true"})
NO: Final = frozenset({"n", "no", "false"})

_CLOCK: Final = re.compile(
    r"(?:([0-9]{4}-[0-9]{2}-[0-9]{2})[ T])?([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?", re.ASCII
)
_AGO: Final = re.compile(r"[+-](?:[0-9]{1,9}[a-z]{1,3})+", re.ASCII)
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_TIME_LIKE: Final = (
    "write 10:32 (today at the site), 2026-03-02 10:32, now, -5m, or 2026-03-02T10:32:00-06:00"
)


def choices_of(spec: FieldSpec) -> tuple[str, ...]:
    """The values of which a field's must be one; empty where it is open."""
    return tuple(DRUGS) if spec.listed == "drug" else spec.values


def read_answer(spec: FieldSpec, text: str, *, zone_name: str, now: int) -> Any:
    """The JSON value of one answer; lists and records are asked part by part, never read here.

    `zone_name` is the site's zone, `now` microseconds since 1970. Raises `Unreadable`.
    """
    value = _value(spec, text.strip(), zone_name, now)
    problems = field_problems(spec, value)
    if problems:
        raise Unreadable(problems[0].message, problems[0].remedy)
    return value


def one_of(choices: Sequence[str], text: str, what: str) -> str:
    """The choice that a word, an unambiguous prefix of one, or a number from 1 names. Raises `Unreadable`."""
    wanted = text.casefold().replace("-", "_").replace(" ", "_")
    named = {choice.casefold().replace("-", "_"): choice for choice in choices}
    if wanted in named:
        return named[wanted]
    if re.fullmatch("[0-9]{1,4}", wanted, re.ASCII):
        if 1 <= int(wanted) <= len(choices):
            return choices[int(wanted) - 1]
        raise Unreadable(f"there is no choice {wanted} of {what}", f"the choices are 1 to {len(choices)}")
    begun = [choice for name, choice in named.items() if wanted and name.startswith(wanted)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise Unreadable(f"{echo(text)} may be {' or '.join(begun)}", "write more of it, or its number")
    remedy = (
        did_you_mean(text, choices) or "write one of the choices, the first letters of one, or its number"
    )
    raise Unreadable(f"{echo(text)} is not a value of {what}", remedy)


def local_instant(day: int, hour: int, minute: int, second: int, zone_name: str) -> int:
    """The instant at which the clock on the wall shows this on a day (an ordinal), as microseconds.

    Raises `Unreadable` for a time of day that there is not, that the clocks skipped, or that they showed twice.
    """
    shown = f"{hour:02}:{minute:02}" + (f":{second:02}" if second else "")
    try:
        wall = datetime.combine(
            date.fromordinal(day), datetime.min.time().replace(hour, minute, second), zone(zone_name)
        )
        first, other = (microseconds(wall.replace(fold=fold)) for fold in (0, 1))
    except (ValueError, OverflowError):
        raise Unreadable(
            f"there is no time {shown}", "hours run from 00 to 23, minutes and seconds to 59"
        ) from None
    if first == other:
        return first
    if first > other:
        raise Unreadable(
            f"the clocks went forward on {format_date(day)}: they never showed {shown}", "check the time"
        )
    either = " or ".join(format_instant(at, zone_name) for at in (first, other))
    raise Unreadable(
        f"the clocks went back on {format_date(day)}: they showed {shown} twice", f"write {either}"
    )


def _value(spec: FieldSpec, text: str, zone_name: str, now: int) -> Any:
    choices = choices_of(spec)
    if choices:
        return one_of(choices, text, spec.name)
    match spec.type:
        case "instant":
            return _instant(text, zone_name, now)
        case "date":
            return _date(text, zone_name, now)
        case "decimal":
            return plain_digits(text)
        case "integer":
            if _INTEGER.fullmatch(text) is None:
                raise Unreadable(f"{echo(text)} is no whole number", "write digits only, such as 3")
            return int(text)
        case "boolean":
            if text.casefold() not in YES | NO:
                raise Unreadable(f"{echo(text)} is neither yes nor no", "write y or n")
            return text.casefold() in YES
        case _:
            return unicodedata.normalize("NFC", text)


def _instant(text: str, zone_name: str, now: int) -> str:
    if text.casefold() == "now":
        return format_instant(now - now % SECOND, zone_name)
    if _AGO.fullmatch(text):
        at = now + parse_duration(text.removeprefix("+"))
        return _within_calendar(at - at % SECOND, zone_name, text)
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        on, hour, minute, second = clock.groups()
        day = parse_date(on) if on else local_date(now, zone_name)
        at = local_instant(day, int(hour), int(minute), int(second or 0), zone_name)
        return _within_calendar(at, zone_name, text)
    try:
        parse_instant(text)
    except Unreadable as wrong:
        raise wrong if _says_a_date(text) else Unreadable(wrong.message, _TIME_LIKE) from None
    return text


def _says_a_date(text: str) -> bool:
    return re.match("[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]", text, re.ASCII) is not None


def _within_calendar(at: int, zone_name: str, text: str) -> str:
    try:
        return format_instant(at, zone_name)
    except (OverflowError, ValueError):
        raise Unreadable(f"{echo(text)} lies outside the calendar", "check it") from None


def _date(text: str, zone_name: str, now: int) -> str:
    near = {"today": 0, "yesterday": -1, "tomorrow": 1}.get(text.casefold())
    if near is not None:
        return format_date(local_date(now, zone_name) + near)
    parse_date(text)
    return text


def shown(spec: FieldSpec, value: Any, zone_name: str) -> str:
    """A body's value as people read it: instants by the clock at the site, yes and no, numbers with their unit, the parts of
    lists and records in a row."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if spec.type == "instant":
        at = EPOCH + timedelta(microseconds=parse_instant(value))
        return f"{at.astimezone(zone(zone_name)):%Y-%m-%d %H:%M:%S %Z}".replace(":00 ", " ", 1)
    if spec.element is not None:
        return "; ".join(shown(spec.element, item, zone_name) for item in value) or "none"
    if spec.fields is not None:
        return ", ".join(
            f"{name} {shown(spec.fields[name], item, zone_name)}" for name, item in value.items()
        )
    return with_unit(str(value), spec.unit)
