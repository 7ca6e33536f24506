"""Points in time: RFC 3339 text to microseconds and back.

An instant is an ``int`` of microseconds since 1970-01-01T00:00:00Z, a date a proleptic Gregorian ordinal, a duration an ``int`` of
microseconds. Every instant carries its offset; an instant without one is refused, since nobody can say later which zone
was meant. Durations are elapsed time, across daylight-saving changes too; questions of the calendar name a zone.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Container
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

from compliance.domain.reading import Unreadable, echo
from compliance.domain.zone import zone

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_YEAR: Final = 1900
_EPOCH_DAY: Final = EPOCH.toordinal()
_FIRST: Final = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)

_INSTANT: Final = re.compile(
    r"(?:19|[2-9][0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](?:\.[0-9]{1,6})?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])",
    re.ASCII,
)
_PARTS: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:(.)([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?(.*))?",
    re.ASCII,
)
_OFFSET: Final = re.compile(r"[Zz]|[+-]([0-9]{2}):([0-9]{2})", re.ASCII)
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
_ISO_DURATION: Final = re.compile(
    r"(-?)P(?:([0-9]{1,9})W)?(?:([0-9]{1,9})D)?(?:T(?=[0-9])(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})(?:\.([0-9]{1,6}))?S)?)?",
    re.ASCII,
)
_SHORT_DURATION: Final = re.compile(r"(-?)((?:[0-9]{1,9}(?:w|d|h|min|ms|m|s))+)", re.ASCII)
_SHORT_PART: Final = re.compile(r"([0-9]{1,9})(w|d|h|min|ms|m|s)", re.ASCII)
_UNITS: Final = {"w": WEEK, "d": DAY, "h": HOUR, "min": MINUTE, "m": MINUTE, "s": SECOND, "ms": 1000}
_LIKE: Final = "write it like 2026-03-02T09:05:00-06:00"


def read_instant(text: str) -> datetime:
    """An RFC 3339 date-time as an aware datetime. Raises `Unreadable`."""
    if _INSTANT.fullmatch(text):
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            raise _what_is_wrong(text) from None
        if instant.year > FIRST_YEAR and instant.year < _LAST.year:
            return instant
    else:
        upper = text.upper() if text.isascii() else text
        if upper == text or not _INSTANT.fullmatch(upper):  # RFC 3339 5.6: "T" and "Z" may be lower case
            raise _what_is_wrong(text)
        return read_instant(upper)
    if not _FIRST <= instant <= _LAST:
        raise Unreadable(f"{echo(text)} lies outside the years {FIRST_YEAR} to 9999 (UTC)", "check the year")
    return instant


def parse_instant(text: str, *, seconds_required: bool = True) -> int:
    """An RFC 3339 date-time as microseconds since the epoch. Raises `Unreadable`.

    The offset is always required, and so are seconds, except in case files, where ``2026-03-02T09:05-06:00`` means ``:00``.
    """
    return microseconds(read_instant(text if seconds_required else with_seconds(text)))


def microseconds(instant: datetime) -> int:
    """An aware datetime as microseconds since the epoch, exactly."""
    since = instant - EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def with_seconds(text: str) -> str:
    """The same instant with ``:00`` where seconds were left out; any other text as it is."""
    match = _PARTS.fullmatch(text)
    if match is None or match.group(6) is None or match.group(7) is not None:
        return text
    return f"{text[: match.end(6)]}:00{text[match.end(6) :]}"


def _what_is_wrong(text: str) -> Unreadable:
    match = _PARTS.fullmatch(text)
    if match is None:
        return Unreadable(f"{echo(text)} is not an RFC 3339 date-time", _LIKE)
    year, month, day, separator, hour, minute, second, fraction, offset = match.groups()
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return Unreadable(f"{echo(text)}: there is no day {year}-{month}-{day}", "check year, month and day")
    if hour is None:
        return Unreadable(f"{echo(text)} is a date, and a date-time is needed", _LIKE)
    if separator not in {"T", "t"}:
        return Unreadable(f"{echo(text)}: the letter T must stand between date and time", _LIKE)
    if int(hour) > 23 or int(minute) > 59:
        return Unreadable(
            f"{echo(text)}: there is no time {hour}:{minute}", "hours run from 00 to 23, minutes to 59"
        )
    if second == "60":
        return Unreadable(f"{echo(text)}: leap seconds are not taken", "write :59 of the same minute")
    if second is not None and int(second) > 59:
        return Unreadable(f"{echo(text)}: there is no second {second}", "seconds run from 00 to 59")
    if not offset:
        return Unreadable(
            f"{echo(text)} has no offset from UTC, so it names no point in time",
            "add the offset of the site's clock at that moment, such as -06:00, or Z for UTC",
        )
    zone_match = _OFFSET.fullmatch(offset)
    if zone_match is None:
        return Unreadable(f"{echo(text)}: the offset is not Z, +hh:mm or -hh:mm", _LIKE)
    if zone_match.group(1) and (int(zone_match.group(1)) > 23 or int(zone_match.group(2)) > 59):
        return Unreadable(
            f"{echo(text)}: there is no offset {offset}", "check hours and minutes of the offset"
        )
    if second is None:
        return Unreadable(f"{echo(text)} has no seconds", "write them, such as :00")
    if fraction and len(fraction) > 6:
        return Unreadable(f"{echo(text)} is finer than a microsecond", "give at most 6 digits of a second")
    return Unreadable(f"{echo(text)} lies outside the years {FIRST_YEAR} to 9999 (UTC)", "check the year")


def format_instant(instant: int, zone_name: str = "UTC") -> str:
    """Microseconds as RFC 3339 in a zone (``Z`` for UTC), with a fraction only where there is one."""
    moment = EPOCH + timedelta(microseconds=instant)
    if zone_name != "UTC":
        moment = moment.astimezone(zone(zone_name))
    text = moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds")
    if "." in text:
        head, _, tail = text.partition(".")
        text = f"{head}.{tail[:6].rstrip('0')}{tail[6:]}"
    return text.removesuffix("+00:00") + "Z" if zone_name == "UTC" else text


def read_date(text: str) -> date:
    """An RFC 3339 full-date. Raises `Unreadable`."""
    match = _DATE.fullmatch(text)
    if match is None:
        if _PARTS.fullmatch(text):
            raise Unreadable(
                f"{echo(text)} is a date-time, and a date is needed", "leave out the time: 2026-03-02"
            )
        raise Unreadable(f"{echo(text)} is not an RFC 3339 date", "write it like 2026-03-02")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Unreadable(f"{echo(text)}: there is no such day", "check year, month and day") from None
    if day.year < FIRST_YEAR:
        raise Unreadable(f"{echo(text)} lies outside the years {FIRST_YEAR} to 9999", "check the year")
    return day


def parse_date(text: str) -> int:
    """An RFC 3339 full-date as an ordinal. Raises `Unreadable`."""
    return read_date(text).toordinal()


def format_date(ordinal: int) -> str:
    """An ordinal as an RFC 3339 full-date."""
    return date.fromordinal(ordinal).isoformat()


def parse_duration(text: str) -> int:
    """An ISO 8601 duration of weeks to seconds (``PT2H``) or a short form (``2h``, ``90m``, ``7d``, ``1h30m``) as microseconds.

    Months and years have no fixed length and are refused here. Raises `Unreadable`.
    """
    short = _SHORT_DURATION.fullmatch(text)
    if short is not None:
        total = sum(
            int(part.group(1)) * _UNITS[part.group(2)] for part in _SHORT_PART.finditer(short.group(2))
        )
        return -total if short.group(1) else total
    iso = _ISO_DURATION.fullmatch(text)
    if iso is None or not any(iso.groups()[1:]):
        raise Unreadable(
            f"{echo(text)} is not a duration", "write 30s, 90m, 2h, 7d or PT2H; months have no fixed length"
        )
    sign, weeks, days, hours, minutes, seconds, fraction = iso.groups()
    total = (
        int(weeks or 0) * WEEK
        + int(days or 0) * DAY
        + int(hours or 0) * HOUR
        + int(minutes or 0) * MINUTE
        + int(seconds or 0) * SECOND
        + int((fraction or "").ljust(6, "0"))
    )
    return -total if sign else total


def format_duration(duration: int) -> str:
    """Microseconds for people: ``45 s``, ``12 min``, ``2 h 0 min``, ``7 d 3 h``. Whole seconds are the finest unit shown."""
    sign, rest = ("-", -duration) if duration < 0 else ("", duration)
    days, rest = divmod(rest, DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    seconds = rest // SECOND
    if days:
        text = (
            f"{days} d" + (f" {hours} h" if hours or minutes else "") + (f" {minutes} min" if minutes else "")
        )
    elif hours:
        text = f"{hours} h {minutes} min" + (f" {seconds} s" if seconds else "")
    elif minutes:
        text = f"{minutes} min" + (f" {seconds} s" if seconds else "")
    else:
        text = f"{seconds} s"
    return sign + text


def local_date(instant: int, zone_name: str) -> int:
    """The ordinal of the date that the clock on the wall shows at an instant. Raises `KeyError` for an unknown zone."""
    offset = offset_throughout(zone_name, instant // HOUR)
    if offset is not None:
        return _EPOCH_DAY + (instant + offset) // DAY
    try:
        return (EPOCH + timedelta(microseconds=instant)).astimezone(zone(zone_name)).toordinal()
    except OverflowError:  # within a day of year 10000 (or year 1): the calendar ends there
        return date.max.toordinal() if instant > 0 else date.min.toordinal()


@lru_cache(maxsize=16_384)
def offset_throughout(zone_name: str, hour: int) -> int | None:
    """A zone's offset from UTC throughout an hour, counted from the epoch; None where clocks change in it, which they do once at most.

    Raises `KeyError` for an unknown zone.
    """
    try:
        began, ended = (EPOCH + timedelta(hours=at) for at in (hour, hour + 1))
        offset, later = (at.astimezone(zone(zone_name)).utcoffset() for at in (began, ended))
    except OverflowError:
        return None
    return None if offset is None or offset != later else offset // timedelta(microseconds=1)


def end_of_local_day(ordinal: int, zone_name: str) -> int:
    """The first instant after a local day: local midnight, or what stands for it where clocks change then.

    Where midnight does not exist (Santiago, 2024-09-08) it is the instant of the change; where it comes twice, the one after
    which the day does not return. A day that a zone skipped (Apia, 2011-12-30) ends where it would have begun.
    Raises `KeyError` for an unknown zone.
    """
    if ordinal >= date.max.toordinal():
        return microseconds(_LAST)
    midnight = datetime.combine(date.fromordinal(ordinal + 1), datetime.min.time(), zone(zone_name))
    instant = microseconds(midnight.replace(fold=1))
    if local_date(instant - 1, zone_name) <= ordinal < local_date(instant, zone_name):
        return instant
    # Clocks change about midnight: bisect for the instant at which the date does.
    within, after = instant - DAY, instant + DAY
    while after - within > 1:
        middle = (within + after) // 2
        within, after = (middle, after) if local_date(middle, zone_name) <= ordinal else (within, middle)
    return after


def is_business_day(ordinal: int, holidays: Container[int]) -> bool:
    """Monday to Friday, and no holiday. Ordinal 1 (0001-01-01) was a Monday."""
    return (ordinal - 1) % 7 < 5 and ordinal not in holidays


def add_business_days(ordinal: int, count: int, holidays: Container[int]) -> int:
    """The `count`-th business day after a date (before it, where negative); the date itself for 0."""
    step = 1 if count > 0 else -1
    left = abs(count)
    while left and 0 < ordinal + step <= date.max.toordinal():
        ordinal += step
        left -= is_business_day(ordinal, holidays)
    return ordinal


def add_months(ordinal: int, count: int) -> int | None:
    """The same day so many months on, or the last of that month where it has no such day: 31 January + 1 is 28 or 29 February. None
    beyond the calendar's ends."""
    day = date.fromordinal(ordinal)
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    if not date.min.year <= year <= date.max.year:
        return None
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1])).toordinal()
