"""What a scanner reads off a package (GS1 General Specifications; 21 U.S.C. 360eee(14)): read rightly, or refused with the reason."""

from __future__ import annotations

import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain.reading import Unreadable
from compliance.errors import InputError
from compliance.intake.scan import GS, Scanned, listed_ndcs, looks_scanned, read_scan

LISTED = listed_ndcs()
TWO_DEVICES = "5045802802"
ESKETAMINE = "esketamine_nasal_28mg"
CHARACTERS = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
"""The characters of a lot or serial number (GS1 General Specifications, AI encodable character set 82)."""


def check_digit(digits):
    """GS1 General Specifications 7.9: weights 3 and 1 from the right, up to the next ten."""
    return str(-sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(digits))) % 10)


def gtin(ndc10, level="0", prefix="03"):
    digits = f"{level}{prefix}{ndc10}"
    return digits + check_digit(digits)


PACK = gtin(TWO_DEVICES)
WHOLE = Scanned("50458002802", ESKETAMINE, 0, "AB123", "2027-01-31", "SN1")


def test_the_check_digit_of_the_specification():
    """GS1's own worked example: 629104150021 has 3."""
    assert check_digit("629104150021") == "3"
    assert PACK == "00350458028027"


@pytest.mark.parametrize(
    "text",
    [
        f"(01){PACK}(17)270131(10)AB123(21)SN1",
        f"(01) {PACK} (17) 270131 (10) AB123 (21) SN1",
        f"01{PACK}1727013110AB123{GS}21SN1",
        f"]d201{PACK}1727013110AB123{GS}21SN1",
        f"]C101{PACK}21SN1{GS}1727013110AB123",
        f"{GS}01{PACK}21SN1{GS}10AB123{GS}17270131{GS}",
        f"]d201{PACK}1727013110AB123{GS}21SN1\r\n",
        f"]d201{PACK}1727013110AB123{GS}21SN1{GS}11250101",
    ],
)
def test_one_package_however_it_is_sent(text):
    assert read_scan(text, LISTED) == WHOLE
    assert looks_scanned(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"(01){PACK}(17)280200", Scanned("50458002802", ESKETAMINE, expires_on="2028-02-29")),
        (f"(01){gtin(TWO_DEVICES, '5')}", Scanned("50458002802", ESKETAMINE, level=5)),
        ("(10)AB123", Scanned(lot="AB123")),
        (f"10A{GS}10A", Scanned(lot="A")),
    ],
)
def test_part_of_it(text, found):
    assert read_scan(text, LISTED) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"(01){PACK[:-1]}8", "the check digit of GTIN '00350458028028' is wrong"),
        (f"01{PACK[:-1]}8", "check digit"),
        ("(01)09506000134352", "holds no NDC"),
        (f"(01){gtin(TWO_DEVICES, '9')}", "holds no NDC"),
        (f"(01){gtin('1234567890')}", "NDC 1234567890 (ten digits) is neither on the drug list"),
        ("(17)271340", "damaged"),
        ("(17)270230", "damaged"),
        ("hello", "no GS1 element string"),
        ("", "neither NDC, lot, expiry nor serial number"),
        ("]d1AB123", "type ']d1', which holds no GS1 data"),
        ("]E00350458028027", "holds no GS1 data"),
        (f"10{'A' * 20}21B", "longer than it may be"),
        (f"10A{GS}10B", "two different values for lot"),
        (f"01{PACK}1727013110AB12321SN1", "(10) may hold the serial number (21) as well"),
        (f"01{PACK}21SN11727013110AB123", "(21) may hold the lot (10) or the expiry (17) as well"),
        ("(10)\u00e9", "never has"),
        ("(37)5", "neither NDC"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(text, said):
    with pytest.raises(Unreadable) as wrong:
        read_scan(text, LISTED)
    assert said in wrong.value.message
    assert wrong.value.remedy


def test_ten_digits_that_fit_two_known_ndcs_are_not_guessed():
    known = {"50458002802": frozenset({ESKETAMINE}), "05045802802": frozenset({"ketamine_inj_10mg_ml"})}
    with pytest.raises(Unreadable, match="may be 05045802802 or 50458002802"):
        read_scan(f"(01){PACK}", known)


def test_an_ndc_that_two_products_claim_is_not_guessed():
    known = {"50458002802": frozenset({ESKETAMINE, "ketamine_inj_10mg_ml"})}
    with pytest.raises(Unreadable, match="stands for esketamine_nasal_28mg and for ketamine_inj_10mg_ml"):
        read_scan(f"(01){PACK}", known)


def test_a_single_wrong_digit_is_always_found():
    for place in range(14):
        for digit in "0123456789":
            wrong = PACK[:place] + digit + PACK[place + 1 :]
            if wrong != PACK:
                with pytest.raises(Unreadable):
                    read_scan(f"(01){wrong}", LISTED)


@pytest.mark.parametrize("text", ["L1", "AB-123", "2", "10A", "0103", "(lot)", "SN(01)", "\u0660\u0661" * 9])
def test_what_people_type_is_not_taken_for_a_symbol(text):
    assert not looks_scanned(text)


def test_without_the_extra_the_message_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "biip", None)
    with pytest.raises(InputError) as wrong:
        read_scan(f"(01){PACK}", LISTED)
    assert "compliance-engine[gs1]" in wrong.value.remedy


@given(
    lot=st.text(CHARACTERS, min_size=1, max_size=20),
    serial=st.text(CHARACTERS, min_size=1, max_size=20),
    order=st.permutations(["01", "10", "17", "21"]),
)
def test_what_a_printer_wrote_is_read_back(lot, serial, order):
    """With FNC1 after each field of variable length, in any order."""
    fields = {"01": PACK, "10": lot + GS, "17": "270131", "21": serial + GS}
    text = "]d2" + "".join(ai + fields[ai] for ai in order)
    assert read_scan(text, LISTED) == Scanned("50458002802", ESKETAMINE, 0, lot, "2027-01-31", serial)


@given(st.text(max_size=60) | st.text("0123456789()]dC\x1d217Q3", max_size=60))
def test_no_text_makes_a_traceback(text):
    looks_scanned(text)
    with suppress(Unreadable):
        assert isinstance(read_scan(text, LISTED), Scanned)
