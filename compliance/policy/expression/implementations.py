"""What the functions of the policy language do: pure, exact, on engine values.

Each returns UNKNOWN where its arguments have no answer (an unknown drug, a zone that is not known, a date out of range);
none raises. Arguments are never UNKNOWN: the caller has asked before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from compliance.domain import identifiers
from compliance.domain.reading import Unreadable
from compliance.domain.time import DAY, HOUR, add_business_days, add_months, offset_throughout
from compliance.domain.values import SCALE, UNKNOWN, Unknown
from compliance.domain.zone import zone
from compliance.policy.expression.regexp import compiled

if TYPE_CHECKING:  # the model holds expressions, so it imports this package first
    from compliance.policy.model import Tables

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAST_DAY = date.max.toordinal()


def _place(name: Any) -> ZoneInfo | None:
    try:
        return zone(name) if isinstance(name, str) else None
    except KeyError:
        return None


def _local(instant: int, zone_name: Any) -> datetime | None:
    """The clock at a place, or None where the zone is not known or the calendar ends."""
    place = _place(zone_name)
    if place is None:
        return None
    try:
        return (_EPOCH + timedelta(microseconds=instant)).astimezone(place)
    except OverflowError:
        return None


def local_date(zone_name: Any, instant: int) -> int | Unknown:
    """The date on the site's calendar at an instant."""
    if _place(zone_name) is None:
        return UNKNOWN
    offset = offset_throughout(zone_name, instant // HOUR)
    if offset is not None:
        return _EPOCH.toordinal() + (instant + offset) // DAY
    local = _local(instant, zone_name)
    return UNKNOWN if local is None else local.toordinal()


def end_of_day(zone_name: Any, day: int) -> int | Unknown:
    """The site's midnight that ends a day; where clocks skip midnight, the instant at which they skip it."""
    place = _place(zone_name)
    if place is None or not 1 <= day < _LAST_DAY:
        return UNKNOWN
    midnight = datetime.combine(date.fromordinal(day + 1), datetime.min.time(), tzinfo=place)
    try:
        return (midnight.astimezone(UTC) - _EPOCH) // _MICROSECOND
    except OverflowError:
        return UNKNOWN


def end_of_day_after(tables: Tables, zone_name: Any, instant: int, period: tuple[str, int]) -> int | Unknown:
    """The site's midnight that ends the day a calendar period after an instant's own day."""
    day = local_date(zone_name, instant)
    if isinstance(day, Unknown):
        return UNKNOWN
    last = day_after(tables, day, period, 1)
    return UNKNOWN if isinstance(last, Unknown) else end_of_day(zone_name, last)


def today(zone_name: Any, now: Any) -> int | Unknown:
    """The site's date now."""
    return UNKNOWN if now is UNKNOWN else local_date(zone_name, now)


def now(now: Any) -> Any:
    """The instant as of which is judged."""
    return now


def _part(zone_name: Any, instant: int, part: str) -> int | Unknown:
    local = _local(instant, zone_name)
    return UNKNOWN if local is None else int(getattr(local, part)) * SCALE


def get_hours(instant: int, zone_name: str) -> int | Unknown:
    """Hour on the clock of `zone`, 0 to 23."""
    return _part(zone_name, instant, "hour")


def get_minutes(instant: int, zone_name: str) -> int | Unknown:
    """Minute of the hour on the clock of `zone`."""
    return _part(zone_name, instant, "minute")


def get_day_of_week(instant: int, zone_name: str) -> int | Unknown:
    """Day of the week in `zone`; Sunday is 0, as in CEL."""
    local = _local(instant, zone_name)
    return UNKNOWN if local is None else local.isoweekday() % 7 * SCALE


def get_date(instant: int, zone_name: str) -> int | Unknown:
    """Day of the month in `zone`, from 1."""
    return _part(zone_name, instant, "day")


def get_month(instant: int, zone_name: str) -> int | Unknown:
    """Month of the year in `zone`; January is 0, as in CEL."""
    local = _local(instant, zone_name)
    return UNKNOWN if local is None else (local.month - 1) * SCALE


def get_full_year(instant: int, zone_name: str) -> int | Unknown:
    """Year in `zone`."""
    return _part(zone_name, instant, "year")


def period(unit: str, count: int) -> tuple[str, int] | Unknown:
    """A calendar period of a whole number of units; of a fraction there is none."""
    whole, rest = divmod(count, SCALE)
    return UNKNOWN if rest else (unit, whole)


def day_after(tables: Tables, day: int, step: tuple[str, int], sign: int) -> int | Unknown:
    """The date a calendar period after (sign 1) or before (-1) a date.

    A month later is the same day of the month, or the month's last where it has no such day. Business days leave out Saturdays,
    Sundays and the bundle's federal holidays.
    """
    unit, count = step
    count *= sign
    if abs(count) > _LAST_DAY:
        return UNKNOWN
    if unit == "days":
        day += count
    elif unit == "business_days":
        day = add_business_days(day, count, tables.holidays)
    else:
        later = add_months(day, count * (12 if unit == "years" else 1))
        if later is None:
            return UNKNOWN
        day = later
    return day if 1 <= day <= _LAST_DAY else UNKNOWN


def drug_info(tables: Tables, code: str) -> Mapping[str, Any] | Unknown:
    """The drug list's row for a code."""
    return tables.drugs.get(code, UNKNOWN)


def state_rule(tables: Tables, day: int, state: str, name: str) -> Any:
    """A state's rule by name, by the row in force on the day; the federal floor where the state has none of its own then."""
    found: Mapping[str, Any] = {}
    for start, row in tables.states.get(state, ()):
        if start <= day:
            found = row
    return found[name] if name in found else tables.state_defaults.get(name, UNKNOWN)


def permits(tables: Tables, role: str, kind: str) -> bool:
    """Whether a role may enter events of a kind; a role that is not listed may do nothing."""
    return kind in tables.permissions.get(role, frozenset())


def matches(text: str, pattern: str) -> bool:
    """Whether the pattern (RE2) is found anywhere in the text."""
    return compiled(pattern).search(text) is not None


def size(value: Any) -> int:
    """Number of characters of a text, or of elements of a list."""
    return len(value) * SCALE


def minutes(count: int) -> int:
    """An elapsed time of so many minutes: a millionth of a minute is 60 microseconds."""
    return count * 60


def distinct(values: Iterable[Any]) -> tuple[Any, ...]:
    """The values without repetitions, each where it first stood."""
    return tuple(dict.fromkeys(values))


def qids_total(items: Sequence[int]) -> int | Unknown:
    """The QIDS total of its sixteen item scores: nine domains, of which sleep (items 1 to 4), appetite and weight (6 to 9) and
    restlessness or slowing (15, 16) count by their highest item (ids-qids.org, scoring). UNKNOWN of any other number of items."""
    if len(items) != 16:
        return UNKNOWN
    return max(items[:4]) + items[4] + max(items[5:9]) + sum(items[9:14]) + max(items[14:])


def ndc11(raw: str, layout: str) -> str | Unknown:
    """See `identifiers.ndc11`; UNKNOWN where the text does not have the layout, or no form of eleven digits."""
    try:
        return identifiers.ndc11(raw, layout)
    except Unreadable:
        return UNKNOWN
