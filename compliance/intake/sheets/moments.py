"""Dates and times as people write them in tables: what can mean one thing only is taken, all else is refused with both readings.

    >>> written("4 Mar 2026 2:05 PM", None)
    Moment(day=datetime.date(2026, 3, 4), clock=datetime.time(14, 5), offset='')

A clock time without an offset from UTC is one of a site's wall clock; `on_the_wall` makes it an instant by the site's zone.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Final, Literal, NamedTuple

from compliance.domain.reading import Unreadable, echo
from compliance.domain.zone import zone

DateOrder = Literal["mdy", "dmy", "ymd"]

_LIKE: Final = "write it like 2026-03-04"
_LIKE_BOTH: Final = "write it like 2026-03-04 14:05"
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_CLOCK: Final = re.compile(
    r"(?P<hour>[0-9]{1,2})(?::(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,6}))?)?)?"
    r"[ ]?(?P<half>[AaPp]\.?[Mm]\.?)?[ ]?(?P<offset>[Zz]|[+-][0-9]{2}:?[0-9]{2})?",
    re.ASCII,
)
_SPLIT: Final = re.compile(
    r"(.*?[^\s,])(?:[ ]*,[ ]*|[ ]+|(?<=[0-9])[Tt](?=[0-9]))([0-9]{1,2}:.*|[0-9]{1,2}[ ]?[AaPp]\.?[Mm].*)",
    re.ASCII,
)
_YEAR_FIRST: Final = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})", re.ASCII)
_YEAR_LAST: Final = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})", re.ASCII)
_SHORT_YEAR: Final = re.compile(
    r"[0-9]{1,2}([-/.])[0-9]{1,2}\1[0-9]{2}|[0-9]{1,2}[-/. ]+[A-Za-z]{3,9}[-/., ]+[0-9]{2}|[A-Za-z]{3,9}[-/. ]+[0-9]{1,2}[-/., ]+[0-9]{2}",
    re.ASCII,
)
_DAY_MONTH: Final = re.compile(r"([0-9]{1,2})[-/. ]*([A-Za-z]{3,9})[-/., ]*([0-9]{4})", re.ASCII)
_MONTH_DAY: Final = re.compile(r"([A-Za-z]{3,9})[-/. ]*([0-9]{1,2})[-/., ]+([0-9]{4})", re.ASCII)


class Moment(NamedTuple):
    """What a text says: a day, a time of day, an offset from UTC; None or empty where it does not say it."""

    day: date | None
    clock: time | None
    offset: str = ""


def written(text: str, order: DateOrder | None) -> Moment:
    """What a text says. Raises `Unreadable` for what is no date and no time, or could be two; `order` says how 03/04/2026 is meant."""
    text = " ".join(text.split())
    if _CLOCK.fullmatch(text) and (":" in text or not text.isdigit()):
        return Moment(None, *_clock(text))
    parts = _SPLIT.fullmatch(text)
    if parts is None:
        return Moment(_day(text, order), None)
    return Moment(_day(parts.group(1), order), *_clock(parts.group(2)))


def _clock(text: str) -> tuple[time, str]:
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise Unreadable(
            f"{echo(text)} is not a time",
            "write it like 14:05 or 2:05 PM; in place of a zone's name write its offset, such as -06:00",
        )
    hour, half = int(match["hour"]), (match["half"] or "").replace(".", "").casefold()
    if match["minute"] is None and not half:
        raise Unreadable(f"{echo(text)} is not a time", "write it like 14:05 or 2:05 PM")
    if half:
        if not 1 <= hour <= 12:
            raise Unreadable(
                f"{echo(text)}: there is no {hour} o'clock {half.upper()}",
                "write hours from 1 to 12 with AM or PM, or from 00 to 23 without",
            )
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        clock = time(
            hour,
            int(match["minute"] or 0),
            int(match["second"] or 0),
            int((match["fraction"] or "").ljust(6, "0")),
        )
    except ValueError:
        raise Unreadable(
            f"{echo(text)}: there is no such time", "hours run from 00 to 23, minutes and seconds to 59"
        ) from None
    offset = (match["offset"] or "").upper()
    return clock, offset if len(offset) != 5 else f"{offset[:3]}:{offset[3:]}"


def _day(text: str, order: DateOrder | None) -> date:
    if match := _YEAR_FIRST.fullmatch(text):
        return _made(text, match[1], match[3], match[4])
    if match := _YEAR_LAST.fullmatch(text):
        return _year_last(text, match[1], match[3], match[4], order)
    if _SHORT_YEAR.fullmatch(text):
        raise Unreadable(
            f"{echo(text)}: the year has two digits, which can mean two centuries",
            "write all four digits of the year",
        )
    if match := _DAY_MONTH.fullmatch(text):
        return _made(text, match[3], _month(text, match[2]), match[1])
    if match := _MONTH_DAY.fullmatch(text):
        return _made(text, match[3], _month(text, match[1]), match[2])
    raise Unreadable(f"{echo(text)} is not a date", _LIKE)


def _year_last(text: str, first: str, second: str, year: str, order: DateOrder | None) -> date:
    """25/12/2026 has one reading; 03/04/2026 has two, unless somebody said the order."""
    if order == "ymd":
        raise Unreadable(f"{echo(text)} does not begin with the year, as --date-order ymd says", _LIKE)
    if order is not None:
        return _made(text, year, *((first, second) if order == "mdy" else (second, first)))
    if int(first) <= 12 and int(second) <= 12 and int(first) != int(second):
        here, there = _made(text, year, first, second), _made(text, year, second, first)
        raise Unreadable(
            f"{echo(text)} can be {_said(here)} or {_said(there)}",
            "say which with --date-order mdy (month first) or dmy (day first), or write dates like 2026-03-04",
        )
    return _made(text, year, *((second, first) if int(first) > 12 else (first, second)))


def _said(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1].capitalize()} {day.year}"


def _month(text: str, name: str) -> str:
    """The number of a month by its name, or by the three or four letters that it is shortened to."""
    name = name.casefold()
    for number, month in enumerate(_MONTHS, 1):
        if name == month or name == month[:3] or (month == "september" and name == "sept"):
            return str(number)
    raise Unreadable(f"{echo(text)} is not a date: there is no such month", _LIKE)


def _made(text: str, year: str, month: str, day: str) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise Unreadable(f"{echo(text)}: there is no such day", "check year, month and day") from None


def on_the_wall(local: datetime, zone_name: str) -> str:
    """RFC 3339 for what a wall clock shows in a zone. Raises `Unreadable` where clocks changed and it shows that twice, or never."""
    first, second = (local.replace(tzinfo=zone(zone_name), fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return _rfc3339(first)
    shown = local.isoformat(" ", "seconds")
    try:
        there = first.astimezone(UTC).astimezone(zone(zone_name))
        other = second.astimezone(UTC).astimezone(zone(zone_name))
    except OverflowError:
        raise Unreadable(f"{shown} lies outside the calendar", "check the year") from None
    readings = f"{_rfc3339(there)} or {_rfc3339(other)}"
    if there.replace(tzinfo=None) == local:
        raise Unreadable(
            f"{shown} came twice in {zone_name}, since clocks were set back: {readings}",
            "write the one that is meant, with its offset",
        )
    raise Unreadable(
        f"{shown} did not exist in {zone_name}, since clocks were set forward: {readings}",
        "write the one that is meant, with its offset",
    )


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds")
