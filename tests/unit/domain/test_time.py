"""Instants, dates, durations and the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain.reading import Unreadable
from compliance.domain.time import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    add_business_days,
    add_months,
    end_of_local_day,
    format_date,
    format_duration,
    format_instant,
    local_date,
    microseconds,
    parse_date,
    parse_duration,
    parse_instant,
)  # fmt: skip
from compliance.domain.zone import zone_known
from tests.valid_events import INSTANTS

ZONES = ["America/Chicago", "America/Phoenix", "America/Santiago", "Africa/Cairo", "Pacific/Apia", "Asia/Kathmandu",
         "America/Havana", "America/St_Johns", "Atlantic/Azores", "Australia/Lord_Howe", "America/Toronto", "UTC"]  # fmt: skip


@pytest.mark.parametrize(
    "text, utc",
    [
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00"),
        ("2026-03-02T09:05:00-06:00", "2026-03-02T15:05:00"),
        ("2026-03-02t09:05:00z", "2026-03-02T09:05:00"),
        ("2026-03-02T09:05:00.000001Z", "2026-03-02T09:05:00.000001"),
        ("2026-03-02T09:05:00.5+05:45", "2026-03-02T03:20:00.500000"),
        ("2024-02-29T23:59:59-00:00", "2024-02-29T23:59:59"),
        ("1900-01-01T00:00:00Z", "1900-01-01T00:00:00"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999"),
        # RFC 3339, section 5.8
        ("1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.520000"),
        ("1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57"),
        ("1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27.870000"),
    ],
)
def test_instants_of_rfc_3339_are_read(text: str, utc: str) -> None:
    """An instant is the microseconds of its UTC time."""
    assert parse_instant(text) == microseconds(datetime.fromisoformat(utc).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    "text, says",
    [
        ("2026-02-30T10:00:00Z", "no day 2026-02-30"),
        ("2026-13-01T10:00:00Z", "no day 2026-13-01"),
        ("2025-02-29T10:00:00Z", "no day 2025-02-29"),
        ("2026-03-02T10:00:00", "no offset"),
        ("2026-03-02T10:00", "no offset"),
        ("2026-03-02T10:00Z", "no seconds"),
        ("2026-03-02", "is a date"),
        ("2026-03-02 10:00:00Z", "letter T"),
        ("2026-03-02T24:00:00Z", "no time 24:00"),
        ("2026-03-02T23:60:00Z", "no time 23:60"),
        ("2026-03-02T23:59:60Z", "leap seconds"),
        ("2026-03-02T23:59:61Z", "no second 61"),
        ("2026-03-02T10:00:00.1234567Z", "microsecond"),
        ("2026-03-02T10:00:00+24:00", "no offset +24:00"),
        ("2026-03-02T10:00:00-05:60", "no offset -05:60"),
        ("2026-03-02T10:00:00-0500", "offset"),
        ("2026-03-02T10:00:00 CST", "offset"),
        ("1899-12-31T23:59:59Z", "years 1900"),
        ("1900-01-01T00:00:00+00:01", "years 1900"),
        ("9999-12-31T23:59:59-00:01", "years 1900"),
        ("0000-01-01T00:00:00Z", "no day"),
        ("monday", "not an RFC 3339"),
        ("", "not an RFC 3339"),
        ("２026-03-02T10:00:00Z", "not an RFC 3339"),
        ("2026-03-02T10:00:00Z\n", ""),
        ("2026-W10-1T10:00:00Z", "not an RFC 3339"),
    ],
)
def test_what_is_no_instant_is_refused_with_its_own_words(text: str, says: str) -> None:
    """Each mistake has a message that names it, and a remedy."""
    with pytest.raises(Unreadable) as refused:
        parse_instant(text)
    assert says in refused.value.message
    assert refused.value.remedy


def test_case_files_may_leave_out_seconds() -> None:
    """Without seconds :00 is meant, where that is allowed; an offset is needed all the same."""
    assert parse_instant("2026-03-02T10:00-06:00", seconds_required=False) == parse_instant(
        "2026-03-02T10:00:00-06:00"
    )
    with pytest.raises(Unreadable, match="no offset"):
        parse_instant("2026-03-02T10:00", seconds_required=False)


@given(INSTANTS, st.sampled_from(ZONES))
def test_an_instant_survives_being_written(text: str, zone: str) -> None:
    """Writing in any zone and reading again gives the same instant."""
    instant = parse_instant(text)
    if 1900 < datetime.fromisoformat(text.upper()).year < 9998:
        assert parse_instant(format_instant(instant)) == instant
        if instant % MINUTE == 0 and instant > parse_instant("1972-01-01T00:00:00Z"):
            assert parse_instant(format_instant(instant, zone)) == instant  # older offsets have seconds


@pytest.mark.parametrize(
    "text", ["2026-02-29", "2026-3-2", "20260302", "2026-03-02T00:00:00Z", "", "1899-12-31", "2026-W10-1"]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    """A date is an RFC 3339 full-date that exists."""
    with pytest.raises(Unreadable):
        parse_date(text)


@given(st.dates(min_value=date(1900, 1, 1)))
def test_a_date_survives_being_written(day: date) -> None:
    """Ordinals and text are two forms of one date."""
    assert parse_date(format_date(day.toordinal())) == day.toordinal()


@pytest.mark.parametrize(
    "text, length",
    [
        ("PT2H", 2 * HOUR), ("2h", 2 * HOUR), ("90m", 90 * MINUTE), ("7d", 7 * DAY), ("1h30m", 90 * MINUTE), ("P1DT12H", 36 * HOUR),
        ("P2W", 14 * DAY), ("PT0.5S", SECOND // 2), ("-PT5M", -5 * MINUTE), ("45s", 45 * SECOND), ("0h", 0), ("10min", 10 * MINUTE),
    ],
)  # fmt: skip
def test_durations_are_read(text: str, length: int) -> None:
    """ISO 8601 and the short forms mean the same lengths."""
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "2", "h", "P1M", "P1Y", "1.5h", "2 h", "PT2H3", "P1DT", "1y", "9" * 30 + "h"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    """Months and years have no fixed length, and half a form is none."""
    with pytest.raises(Unreadable):
        parse_duration(text)


@pytest.mark.parametrize(
    "length, text",
    [(2 * HOUR, "2 h 0 min"), (90 * MINUTE, "1 h 30 min"), (12 * MINUTE, "12 min"), (45 * SECOND, "45 s"), (7 * DAY, "7 d"),
     (7 * DAY + 3 * HOUR, "7 d 3 h"), (-90 * MINUTE, "-1 h 30 min"), (0, "0 s"), (HOUR + MINUTE + SECOND, "1 h 1 min 1 s")],
)  # fmt: skip
def test_durations_are_written_for_people(length: int, text: str) -> None:
    """Hours always come with their minutes."""
    assert format_duration(length) == text


def test_local_date_is_that_of_the_wall_clock() -> None:
    """Late evening in Chicago is the next day in UTC."""
    instant = parse_instant("2026-03-03T04:30:00Z")
    assert format_date(local_date(instant, "America/Chicago")) == "2026-03-02"
    with pytest.raises(KeyError):
        local_date(instant, "Mars/Olympus")


@pytest.mark.parametrize(
    "day, zone, end",
    [
        ("2026-03-07", "America/Chicago", "2026-03-08T06:00:00Z"),
        ("2026-03-08", "America/Chicago", "2026-03-09T05:00:00Z"),  # 23 hours
        ("2026-11-01", "America/Chicago", "2026-11-02T06:00:00Z"),  # 25 hours
        ("2026-03-08", "America/Phoenix", "2026-03-09T07:00:00Z"),  # no daylight-saving time
        ("2024-09-07", "America/Santiago", "2024-09-08T04:00:00Z"),  # midnight does not exist
        ("2024-04-06", "America/Santiago", "2024-04-07T04:00:00Z"),  # 23:00 to 24:00 comes twice
        ("2024-11-02", "America/Havana", "2024-11-03T04:00:00Z"),  # 00:00 to 01:00 comes twice
        ("2011-12-29", "Pacific/Apia", "2011-12-30T10:00:00Z"),  # the next day was skipped
        ("2011-12-30", "Pacific/Apia", "2011-12-30T10:00:00Z"),
        ("2006-10-28", "America/St_Johns", "2006-10-29T03:30:00Z"),  # at 00:01 back to 23:01
        ("1919-03-30", "America/Toronto", "1919-03-31T04:30:00Z"),  # from 23:30 on to 00:30
    ],
)
def test_a_local_day_ends_where_the_next_begins(day: str, zone: str, end: str) -> None:
    """Local midnight, across every sort of change of clocks."""
    assert format_instant(end_of_local_day(parse_date(day), zone)) == end


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.sampled_from(ZONES))
def test_the_end_of_a_day_parts_it_from_the_next(day: date, zone: str) -> None:
    """Just before the end the local date is not later than the day; at the end it is."""
    end = end_of_local_day(day.toordinal(), zone)
    assert local_date(end - 1, zone) <= day.toordinal() < local_date(end, zone)


@given(st.integers(-(10**15), 10**15), st.sampled_from(ZONES))
def test_local_date_agrees_with_zoneinfo(instant: int, zone: str) -> None:
    """The local date is that of an aware datetime."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)
    assert local_date(instant, zone) == moment.astimezone(ZoneInfo(zone)).date().toordinal()


def test_the_calendar_ends_quietly() -> None:
    """At the end of year 9999 nothing overflows."""
    last = parse_instant("9999-12-31T23:59:59.999999Z")
    assert local_date(last, "Pacific/Apia") == date.max.toordinal()
    assert end_of_local_day(date.max.toordinal(), "UTC") == last
    assert add_months(date.max.toordinal(), 1) is None
    assert add_months(date.min.toordinal(), -1) is None
    assert add_business_days(date.max.toordinal(), 3, ()) == date.max.toordinal()


def test_business_days_leave_out_weekends_and_holidays() -> None:
    """From Friday 2026-07-03 (the observed holiday) one business day on is Monday; back is Thursday."""
    holiday = parse_date("2026-07-03")
    assert format_date(add_business_days(holiday - 1, 1, {holiday})) == "2026-07-06"
    assert format_date(add_business_days(parse_date("2026-07-06"), -1, {holiday})) == "2026-07-02"
    assert format_date(add_business_days(parse_date("2026-03-06"), 5, frozenset())) == "2026-03-13"
    assert add_business_days(parse_date("2026-03-07"), 0, frozenset()) == parse_date("2026-03-07")


@given(
    st.dates(date(1950, 1, 1), date(2090, 1, 1)),
    st.integers(1, 40),
    st.sets(st.dates(date(1950, 1, 1), date(2090, 1, 1)), max_size=5),
)
def test_between_a_day_and_its_nth_business_day_lie_n_business_days(
    day: date, count: int, holidays: set[date]
) -> None:
    """Counting one by one gives the same number, and the day found is one."""
    free = {holiday.toordinal() for holiday in holidays}
    found = add_business_days(day.toordinal(), count, free)
    passed = [
        o
        for o in range(day.toordinal() + 1, found + 1)
        if date.fromordinal(o).weekday() < 5 and o not in free
    ]
    assert len(passed) == count and passed[-1] == found


@pytest.mark.parametrize(
    "day, months, later",
    [("2026-01-31", 1, "2026-02-28"), ("2024-01-31", 1, "2024-02-29"), ("2026-12-15", 1, "2027-01-15"), ("2026-03-31", -1, "2026-02-28"),
     ("2024-02-29", 12, "2025-02-28"), ("2024-02-29", 24, "2026-02-28"), ("2024-02-29", 48, "2028-02-29")],
)  # fmt: skip
def test_months_keep_the_day_or_the_end_of_the_month(day: str, months: int, later: str) -> None:
    """The 31st plus one month is the last of the next."""
    found = add_months(parse_date(day), months)
    assert found is not None
    assert format_date(found) == later


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/etc/localtime",
        "",
        "America",
        "America/Chicago/",
        "Chicago",
        "a" * 300,
        "America/Ch\0",
    ],
)
def test_only_names_of_zones_are_zones(name: str) -> None:
    """A path, a folder or a city is no zone."""
    assert not zone_known(name)


def test_local_date_in_the_hours_in_which_clocks_change() -> None:
    """Half an hour, a minute past midnight, odd seconds, a whole day: each minute around the change, as zoneinfo has it."""
    for name, at in (
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 12, tzinfo=UTC)),
        ("America/St_Johns", datetime(2006, 10, 28, 24 - 1, tzinfo=UTC)),
        ("Africa/Monrovia", datetime(1972, 1, 6, 22, tzinfo=UTC)),
        ("Pacific/Apia", datetime(2011, 12, 30, 8, tzinfo=UTC)),
    ):
        for minute in range(6 * 60):
            moment = at + timedelta(minutes=minute, seconds=31)
            assert local_date(microseconds(moment), name) == moment.astimezone(ZoneInfo(name)).toordinal()
