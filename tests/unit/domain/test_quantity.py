"""Exact decimals."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain.quantity import LIMIT, format_decimal, parse_decimal, plain_digits, with_unit
from compliance.domain.reading import Unreadable
from tests.valid_events import DECIMALS


@pytest.mark.parametrize(
    "text, value",
    [
        ("28.50", 28_500_000),
        ("0", 0),
        ("-0", 0),
        ("0.000001", 1),
        ("-0.5", -500_000),
        ("999999999.999999", 999_999_999_999_999),
        ("2.85e1", 28_500_000),
        ("1E-6", 1),
        ("1e8", 100_000_000_000_000),
        ("0e999999999999", 0),
        ("0.5e-5", 5),
        ("1000000000e-1", 100_000_000_000_000),
        ("0.00000123e2", 123),
    ],
)
def test_decimal_text_is_read_digit_by_digit(text: str, value: int) -> None:
    """A decimal becomes whole millionths, exponents included."""
    assert parse_decimal(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "0.0000001", "1e-7", "1000000000", "-1000000000", "1e9", "1e999999999999999999999", "1e-99999999999999999",
        "NaN", "Infinity", "-inf", "", " 1", "1 ", "+1", ".5", "5.", "01", "1,5", "0x10", "1_000", "１", "1e", "9" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_decimal_is_refused_never_rounded(text: str) -> None:
    """Too many digits, too large a number or no number at all raises, with a remedy."""
    with pytest.raises(Unreadable) as refused:
        parse_decimal(text)
    assert refused.value.remedy
    assert len(refused.value.message) < 200


@given(st.integers(1 - LIMIT * 10**6, LIMIT * 10**6 - 1))
def test_format_and_parse_are_inverse(value: int) -> None:
    """Every value that the engine can hold survives being written and read."""
    assert parse_decimal(format_decimal(value)) == value


@pytest.mark.parametrize(
    ("digits", "unit", "text"),
    [
        ("28.5", "mg", "28.5 mg"), ("1", "day", "1 day"), ("17", "year", "17 years"), ("0", "day", "0 days"), ("-1", "hour", "-1 hour"),
        ("3", "per quantity_unit", "3"), ("3", None, "3"), ("2", "mg/kg", "2 mg/kg"),
    ],
)  # fmt: skip
def test_units_are_written_as_people_write_them(digits: str, unit: str | None, text: str) -> None:
    """Words have a plural, symbols have none, and what another field says is not said twice."""
    assert with_unit(digits, unit) == text


@given(DECIMALS, st.integers(-12, 12))
def test_decimals_agree_with_the_decimal_module(digits: str, exponent: int) -> None:
    """The value is that of Python's exact decimal arithmetic; refusals are exactly the ones the limits ask for."""
    text = f"{digits}e{exponent}"
    exact = Decimal(text)
    try:
        found = parse_decimal(text)
    except Unreadable:
        assert abs(exact) >= LIMIT or exact.as_tuple().exponent < -6
    else:
        assert Decimal(found) == exact * 10**6
        assert Decimal(plain_digits(text)) == exact
        assert "e" not in plain_digits(text)
