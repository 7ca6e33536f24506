"""Number formats: which show a number as it is, and which show another one."""

from __future__ import annotations

import pytest

from compliance.intake.sheets.columns import is_unit
from compliance.intake.sheets.number_formats import shown_otherwise

ACCOUNTING = r'_(* #,##0.00_);_(* \(#,##0.00\);_(* "-"??_);_(@_)'


def why(pattern: str, digits: str = "28") -> str | None:
    """For a dose in mg."""
    return shown_otherwise(pattern, digits, lambda text: is_unit("mg", text))


@pytest.mark.parametrize(
    "pattern",
    [
        "General", "GENERAL", "@", "0", "0.00", "#,##0.00", "# ##0", "?0.0??", ".00", "0.", "0.00E+00", "##0.0E+0", "[Red]0.0", "[$-409]0.00",
        "0.00;-0.00", "#,##0_);(#,##0)", ACCOUNTING, '0" mg"', '0 "mg"', '0" MG"', "0\\ \\m\\g", "0 [$mg]", '0" (mg)"', 'General" mg"',
        '0;0" ug"', "0;;", "[>=100]0;0.0", "0_g", '0"";@',
    ],
)  # fmt: skip
def test_a_format_that_shows_the_number_is_let_through(pattern):
    """Digits, groups, an exponent, colours, the field's own unit; sections for other numbers do not matter."""
    assert why(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "digits", "said"),
    [
        ('0" ug"', "28", "not the field's own unit"),
        ('0" g"', "28", "not the field's own unit"),
        ("0 [$ug]", "28", "not the field's own unit"),
        ("0 [$ug-409]", "28", "not the field's own unit"),
        (r"0\g", "28", "not the field's own unit"),
        ("0*g", "28", "not the field's own unit"),
        ('General" ug"', "28", "not the field's own unit"),
        ('"<"0', "28", "not the field's own unit"),
        ('"1"0', "28", "not the field's own unit"),
        ('0"."0', "28", "not the field's own unit"),
        ('0"m"0"g"', "28", "not the field's own unit"),
        ('0" ug', "28", "not the field's own unit"),
        ("-0", "28", "not the field's own unit"),
        ("(0)", "28", "not the field's own unit"),
        ("0.0,", "28000", "divided by thousands"),
        ("0,", "28000", "divided by thousands"),
        ("#,##0,,", "28000", "divided by thousands"),
        ("0,.0", "28000", "divided by thousands"),
        ('0.0,"mg"', "28000", "divided by thousands"),
        ("0%", "0.28", "as a percentage"),
        ("# ?/?", "28.5", "as a fraction"),
        ("0.0 $", "28", "as an amount of money"),
        ("[$€-407] 0", "28", "as an amount of money"),
        (";;;", "28", "without its digits"),
        ('"none"', "28", "without its digits"),
        ("0;0", "-28", "without its sign"),
        ("0;[Red]0.00", "-28", "without its sign"),
        ('0;-0" ug"', "-28", "not the field's own unit"),
        ('0;-0;0" ug"', "0", "not the field's own unit"),
        ('[>=100]0;0.0" ug"', "28", "not the field's own unit"),
        ("[<100]0;0.0,", "28", "divided by thousands"),
    ],
)
def test_a_format_that_shows_another_thing_is_told(pattern, digits, said):
    """Another number, another unit, or none."""
    found = why(pattern, digits)
    assert found is not None and said in found


def test_a_format_of_any_length_is_read_at_once():
    """It is the file's, and may be anything."""
    for piece in ('"', "\\", "[", "[$", "0,", "_", "*", "e+", ";"):
        assert why(piece * 100_000) is not None
