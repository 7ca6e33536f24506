"""Identifiers of the field, with public example numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain.drugs import DRUGS
from compliance.domain.identifiers import dea_number_ok, ndc11, npi_ok
from compliance.domain.reading import Unreadable


@pytest.mark.parametrize(
    "raw, layout, eleven",
    [
        ("50458-028-02", "5-3-2", "50458002802"),
        ("5045802802", "5-3-2", "50458002802"),
        ("0002-7597-01", "4-4-2", "00002759701"),
        ("12345-6789-1", "5-4-1", "12345678901"),
        ("050458-0028-02", "6-4-2", "50458002802"),
        ("050458002802", "6-4-2", "50458002802"),
        ("50458002802", "5-3-2", "50458002802"),
        ("50458-0028-02", "5-4-1", "50458002802"),
    ],
)
def test_ndcs_become_eleven_digits(raw: str, layout: str, eleven: str) -> None:
    """Each segment of the 10- or 12-digit layouts is filled or cut on its left (21 CFR 207.33)."""
    assert ndc11(raw, layout) == eleven


@pytest.mark.parametrize(
    "raw, layout",
    [("50458-028-02", "4-4-2"), ("5045802802", "none"), ("123456-7890-12", "6-4-2"), ("50458-028", "5-3-2"), ("", "5-3-2"),
     ("5045802802x", "5-3-2"), ("５0458-028-02", "5-3-2"), ("504580280", "5-3-2")],
)  # fmt: skip
def test_what_has_no_eleven_digits_is_refused(raw: str, layout: str) -> None:
    """A labeler code of six digits, another layout, or no NDC at all has no such form."""
    with pytest.raises(Unreadable):
        ndc11(raw, layout)


def test_the_listed_ndcs_have_eleven_digits() -> None:
    """Every NDC of the drug list is of layout 5-3-2."""
    assert {len(ndc11(ndc, "5-3-2")) for drug in DRUGS.values() for ndc in drug.ndc_examples} == {11}


@pytest.mark.parametrize("number", ["AP5836727", "F91234563", "BB1388568", "AB1234563"])
def test_dea_numbers_with_their_check_digit_are_right(number: str) -> None:
    """(1st + 3rd + 5th) + 2 x (2nd + 4th + 6th) ends in the seventh digit."""
    assert dea_number_ok(number)


@given(st.integers(0, 999_999), st.integers(0, 5), st.integers(1, 9))
def test_one_wrong_digit_of_a_dea_number_is_found_unless_doubled_by_five(
    body: int, place: int, by: int
) -> None:
    """A change of one digit shows in the check digit, but for a change by five in a doubled place."""
    digits = [int(d) for d in f"{body:06d}"]
    check = (sum(digits[0::2]) + 2 * sum(digits[1::2])) % 10
    assert dea_number_ok("AB" + "".join(map(str, digits)) + str(check))
    digits[place] = (digits[place] + by) % 10
    assert dea_number_ok("AB" + "".join(map(str, digits)) + str(check)) == (place % 2 == 1 and by == 5)


@pytest.mark.parametrize(
    "number",
    ["AP5836728", "A15836727", "ap5836727", "AP583672", "AP58367277", "AP5836727-001", "", "9P5836727"],
)
def test_other_texts_are_no_dea_numbers(number: str) -> None:
    """A wrong check digit, shape or case, or a suffix, is not a DEA number."""
    assert not dea_number_ok(number)


@pytest.mark.parametrize(
    "number, right",
    [
        ("1234567893", True),
        ("1245319599", True),
        ("1234567890", False),
        ("3234567893", False),
        ("123456789", False),
        ("", False),
    ],
)
def test_npis_pass_luhn_behind_80840(number: str, right: bool) -> None:
    """The examples that CMS gives pass; a wrong check digit, another first digit or length does not."""
    assert npi_ok(number) == right
