"""What a person types for one field: each answer means one thing, or is refused with the reason."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.domain.making import field_problems
from compliance.domain.reading import Unreadable
from compliance.domain.time import format_instant, parse_date, parse_instant
from compliance.domain.vocabulary import KINDS
from compliance.intake.answers import local_instant, read_answer, shown

CHICAGO = "America/Chicago"
NOW = parse_instant("2026-03-02T23:30:15.5-06:00")
DOSE = KINDS["administration"].fields
SIMPLE = {
    (spec.type, spec.listed): spec
    for kind in KINDS.values()
    for spec in kind.fields.values()
    if spec.element is None and spec.fields is None and not spec.derived and spec.name != "kind"
}


def answer(spec, text):
    return read_answer(spec, text, zone_name=CHICAGO, now=NOW)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("route", "intranasal", "intranasal"),
        ("route", "IV-inf", "iv_infusion"),
        ("route", "iv bolus", "iv_bolus"),
        ("route", "5", "intranasal"),
        ("route", "im", "im"),
        ("drug", "esk", "esketamine_nasal_28mg"),
        ("dose_mg", "28.50", "28.50"),
        ("dose_mg", "2.8e1", "28"),
        ("device_number", " 2 ", 2),
        ("occurred_at", "now", "2026-03-02T23:30:15-06:00"),
        ("occurred_at", "-5m", "2026-03-02T23:25:15-06:00"),
        ("occurred_at", "-1h30m", "2026-03-02T22:00:15-06:00"),
        ("occurred_at", "+10min", "2026-03-02T23:40:15-06:00"),
        ("occurred_at", "9:05", "2026-03-02T09:05:00-06:00"),
        ("occurred_at", "10:32:20", "2026-03-02T10:32:20-06:00"),
        ("occurred_at", "2026-07-01 10:32", "2026-07-01T10:32:00-05:00"),
        ("occurred_at", "2026-03-02T10:32:00Z", "2026-03-02T10:32:00Z"),
        ("lot", "cafe\u0301", "caf\u00e9"),
    ],
)
def test_an_answer(field, text, value):
    assert answer(DOSE[field], text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("today", "2026-03-02"),
        ("Yesterday", "2026-03-01"),
        ("tomorrow", "2026-03-03"),
        ("2027-01-31", "2027-01-31"),
    ],
)
def test_a_day_is_the_site_s_and_not_that_of_utc(text, value):
    assert answer(KINDS["receipt"].fields["expires_on"], text) == value


@pytest.mark.parametrize(("text", "value"), [("y", True), ("YES", True), ("n", False), ("false", False)])
def test_yes_and_no(text, value):
    assert answer(KINDS["observation"].fields["in_person"], text) is value


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("route", "i", "may be iv_infusion or iv_bolus or im or intranasal"),
        ("route", "8", "there is no choice 8"),
        ("route", "0", "there is no choice 0"),
        ("route", "", "is not a value of route"),
        ("drug", "ketamine", "may be"),
        ("dose_mg", "1,5", "no decimal number|not a decimal number"),
        ("dose_mg", "1e999999999", "not below 10^9"),
        ("dose_mg", "0.0000001", "more than 6 digits"),
        ("device_number", "1.0", "no whole number"),
        ("device_number", "1000000000", "not below 10^9"),
        ("occurred_at", "24:00", "there is no time 24:00"),
        ("occurred_at", "2026-02-30 10:00", "no such day"),
        ("occurred_at", "2026-03-08 02:30", "never showed 02:30"),
        ("occurred_at", "2026-11-01 01:30", "showed 01:30 twice"),
        ("occurred_at", "2026-03-02", "is a date, and a date-time is needed"),
        ("occurred_at", "soon", "not an RFC 3339 date-time"),
        ("occurred_at", "-999999999w", "outside the calendar"),
        ("patient", "Jane Doe", "a space at position 5 of an id"),
        ("lot", "A\x1b[D", "a control character"),
    ],
)
def test_a_wrong_answer_says_why(field, text, said):
    with pytest.raises(Unreadable) as wrong:
        answer(DOSE[field], text)
    assert any(one in wrong.value.message for one in said.split("|"))
    assert wrong.value.remedy


def test_a_time_that_the_clocks_showed_twice_names_both_instants():
    with pytest.raises(Unreadable) as wrong:
        answer(DOSE["occurred_at"], "2026-11-01 01:30")
    assert "2026-11-01T01:30:00-05:00 or 2026-11-01T01:30:00-06:00" in wrong.value.remedy


def read(reader, *arguments, **named):
    """What a reader gives: a value, or what it raised."""
    try:
        return reader(*arguments, **named)
    except Unreadable as wrong:
        return wrong


@settings(max_examples=60)
@given(
    spec=st.sampled_from(list(SIMPLE.values())),
    text=st.text(max_size=40) | st.from_regex(r"[-+0-9:.a-z]{1,12}", fullmatch=True),
)
def test_any_text_is_a_valid_value_or_is_refused_in_words(spec, text):
    value = read(answer, spec, text)
    if isinstance(value, Unreadable):
        assert value.message
    else:
        assert field_problems(spec, value) == ()
        assert shown(spec, value, CHICAGO)


@given(
    minute=st.integers(0, 60 * 24 * 366 * 3),
    zone=st.sampled_from([CHICAGO, "UTC", "Pacific/Apia", "Australia/Lord_Howe"]),
)
def test_the_clock_on_the_wall_and_back(minute, zone):
    """Read from what the clock shows, an instant is itself, unless the clock showed that twice."""
    at = parse_instant("2025-01-01T00:00:00Z") + minute * 60_000_000
    text = format_instant(at, zone)
    found = read(local_instant, parse_date(text[:10]), int(text[11:13]), int(text[14:16]), 0, zone)
    assert found == at or "twice" in found.message
