"""The functions' own tables: calendar, identifiers, tables of the bundle, patterns."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain import identifiers
from compliance.domain.time import parse_instant
from compliance.domain.values import SCALE, UNKNOWN
from compliance.policy.expression import implementations as how
from compliance.policy.expression.functions import FUNCTIONS
from compliance.policy.expression.regexp import PatternError, compiled
from compliance.policy.model import Tables

CHICAGO = "America/Chicago"


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


TABLES = Tables(
    drugs={"k": {"code": "k", "is_rems": False}},
    holidays=frozenset({day("2026-07-03"), day("2026-12-25")}),
    states={"MA": ((0, {"separate_csr": True}),)},
    state_defaults={"separate_csr": False},
    permissions={"nurse": frozenset({"vital_signs"})},
)


@pytest.mark.parametrize(
    "start,unit,count,end",
    [
        ("2026-01-31", "months", 1, "2026-02-28"),
        ("2024-01-31", "months", 1, "2024-02-29"),
        ("2026-03-31", "months", -1, "2026-02-28"),
        ("2026-11-15", "months", 3, "2027-02-15"),
        ("2024-02-29", "years", 1, "2025-02-28"),
        ("2026-02-27", "days", 2, "2026-03-01"),
        (
            "2026-07-02",
            "business_days",
            1,
            "2026-07-06",
        ),  # 3 July 2026 is the observed holiday, then a weekend
        ("2026-07-04", "business_days", 1, "2026-07-06"),
        ("2026-07-06", "business_days", -1, "2026-07-02"),
        ("2026-07-04", "business_days", 0, "2026-07-04"),
        ("2026-12-24", "business_days", 2, "2026-12-29"),
    ],
)
def test_calendar_periods(start: str, unit: str, count: int, end: str) -> None:
    """Months end where a month ends; business days leave out weekends and holidays."""
    assert how.day_after(TABLES, day(start), (unit, count), 1) == day(end)


def test_the_calendar_ends_in_unknown() -> None:
    """A date that no calendar has is unknown, never an exception."""
    assert how.day_after(TABLES, day("9999-12-31"), ("days", 1), 1) is UNKNOWN
    assert how.day_after(TABLES, day("9999-12-01"), ("months", 1), 1) is UNKNOWN
    assert how.day_after(TABLES, day("0001-01-01"), ("years", 1), -1) is UNKNOWN
    assert how.day_after(TABLES, day("2026-01-01"), ("business_days", 10**8), 1) is UNKNOWN
    assert how.end_of_day(CHICAGO, day("9999-12-31")) is UNKNOWN
    assert how.local_date(CHICAGO, 10**18) is UNKNOWN
    assert how.period("days", SCALE // 2) is UNKNOWN


@given(st.integers(day("1990-01-01"), day("2100-01-01")), st.integers(-300, 300))
def test_business_days_land_on_business_days(start: int, count: int) -> None:
    """However many business days, the day reached is one, and there are exactly so many between."""
    end = how.day_after(TABLES, start, ("business_days", count), 1)
    assert isinstance(end, int)
    passed = range(start + 1, end + 1) if count >= 0 else range(end, start)
    working = [d for d in passed if date.fromordinal(d).weekday() < 5 and d not in TABLES.holidays]
    assert len(working) == abs(count)
    assert count == 0 or end in working


def test_local_days_across_clock_changes() -> None:
    """A day ends at the site's midnight, in summer and winter, and on the days between."""
    assert how.local_date(CHICAGO, parse_instant("2026-03-02T05:59:59Z")) == day("2026-03-01")
    assert how.local_date(CHICAGO, parse_instant("2026-03-02T06:00:00Z")) == day("2026-03-02")
    assert how.end_of_day(CHICAGO, day("2026-03-07")) == parse_instant("2026-03-08T00:00:00-06:00")
    assert how.end_of_day(CHICAGO, day("2026-03-08")) == parse_instant("2026-03-09T00:00:00-05:00")
    assert how.end_of_day("America/Havana", day("2026-03-07")) == parse_instant(
        "2026-03-08T05:00:00Z"
    )  # 00:00 is skipped
    assert how.end_of_day_after(
        TABLES, CHICAGO, parse_instant("2026-03-02T23:30:00-06:00"), ("days", 7)
    ) == parse_instant("2026-03-10T00:00:00-05:00")


@pytest.mark.parametrize("zone", [UNKNOWN, "Nowhere/Land", "../etc/passwd", ""])
def test_without_a_zone_the_calendar_is_unknown(zone: object) -> None:
    """No calendar question has an answer without the site's zone."""
    assert how.local_date(zone, 0) is UNKNOWN
    assert how.end_of_day(zone, day("2026-01-01")) is UNKNOWN
    assert how.today(zone, 0) is UNKNOWN
    assert how.today(CHICAGO, UNKNOWN) is UNKNOWN


@pytest.mark.parametrize(
    "number,ok",
    [
        ("AB1234563", True),
        ("AB1234564", False),
        ("A91234563", True),
        ("AB123456", False),
        ("ab1234563", False),
        ("AB123456³", False),
    ],
)
def test_dea_numbers(number: str, ok: bool) -> None:
    """The check digit of 1234563: 1+3+5 plus 2*(2+4+6) is 33."""
    assert identifiers.dea_number_ok(number) is ok


@pytest.mark.parametrize(
    "number,ok", [("1234567893", True), ("1234567890", False), ("3234567893", False), ("123456789", False)]
)
def test_npi(number: str, ok: bool) -> None:
    """1234567893 is CMS's own example of a valid NPI."""
    assert identifiers.npi_ok(number) is ok


@pytest.mark.parametrize(
    "raw,layout,eleven",
    [
        ("50458-028-00", "5-3-2", "50458002800"),
        ("5045802800", "5-3-2", "50458002800"),
        ("1234-5678-90", "4-4-2", "01234567890"),
        ("12345-6789-0", "5-4-1", "12345678900"),
        ("012345-6789-01", "6-4-2", "12345678901"),
        ("112345-6789-01", "6-4-2", UNKNOWN),
        ("50458-028-00", "4-4-2", UNKNOWN),
        ("x", "none", UNKNOWN),
    ],
)
def test_ndc_in_eleven_digits(raw: str, layout: str, eleven: object) -> None:
    """Each ten-digit layout has one eleven-digit form; what does not have its layout has none."""
    assert how.ndc11(raw, layout) == eleven


@pytest.mark.parametrize(
    "items,total",
    [
        ([1] * 16, 9),
        ([3] * 16, 27),
        ([0, 1, 2, 3, 1, 0, 0, 2, 0, 1, 1, 0, 1, 1, 0, 2], 3 + 1 + 2 + 4 + 2),
        ([1] * 15, UNKNOWN),
        ([], UNKNOWN),
    ],
)
def test_total_of_the_qids(items: list[int], total: object) -> None:
    """Nine domains: of items 1 to 4, 6 to 9 and 15 to 16 the highest counts."""
    assert how.qids_total(items) == total


def test_tables_of_the_bundle() -> None:
    """An unknown drug is unknown, a state without a row has the federal floor, an unknown role may do nothing."""
    assert how.drug_info(TABLES, "x") is UNKNOWN
    assert how.drug_info(TABLES, "k") == {"code": "k", "is_rems": False}
    assert how.state_rule(TABLES, 1, "MA", "separate_csr") is True
    assert how.state_rule(TABLES, 1, "TX", "separate_csr") is False
    assert how.state_rule(TABLES, 1, "TX", "rn_scope") is UNKNOWN
    assert how.permits(TABLES, "nurse", "vital_signs")
    assert not how.permits(TABLES, "nurse", "order")
    assert not how.permits(TABLES, "ghost", "vital_signs")


def test_a_state_is_judged_by_the_row_of_the_day() -> None:
    """Before its first row holds the federal floor does, and each later row from its own date on."""
    rows = ((10, {"separate_csr": True}), (20, {"separate_csr": False}))
    tables = replace(TABLES, states={"MA": rows})
    held = [how.state_rule(tables, day, "MA", "separate_csr") for day in (9, 10, 19, 20)]
    assert held == [False, True, True, False]


def test_every_function_says_what_it_does() -> None:
    """The table documents each function."""
    assert all(function.says and function.name == name for name, function in FUNCTIONS.items())


@pytest.mark.parametrize(
    "pattern,text,found",
    [
        ("a$", "a\n", False),  # RE2's $ is the very end; Python's also stands before a last line break
        (r"\d", "٣", False),  # RE2's \d is ASCII
        (r"\s", "\v", False),  # RE2's \s has no vertical tab
        (r"[\s]", "\v", False),
        (r"\z", "", True),
        ("[[:alpha:]]+$", "ab", True),
        ("(?P<x>a)b", "ab", True),
        ("(?<x>a)b", "ab", True),
        ("a{2}", "baab", True),
        (r"\x41", "A", True),
        (r"[\]&&~]", "&", True),
        ("[]a]", "]", True),
    ],
)
def test_patterns_mean_what_re2_means(pattern: str, text: str, found: bool) -> None:
    """Where `re` and RE2 differ, RE2 is meant."""
    assert (compiled(pattern).search(text) is not None) is found


@pytest.mark.parametrize(
    "pattern",
    ["(?=a)", "(?!a)", "(?<=a)b", r"(a)\1", "(?P=x)", "a*+", "a++", "(?>a)", "(?i)a", "(a", "a)", "[a", "*a", "a{2,1}", "a{1001}", r"\y", "(a+)+", "(a|aa)*", "((a?)b){20}", "[z-a]", "x" * 501, "{"],
)  # fmt: skip
def test_other_patterns_are_refused(pattern: str) -> None:
    """What RE2 does not have, what does not compile, and what could take for ever."""
    with pytest.raises(PatternError):
        compiled(pattern)
