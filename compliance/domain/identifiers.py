"""Identifiers of the field: their shapes, check digits and normal forms.

These functions answer questions; none of them refuses an event. A DEA number with a wrong check digit stays recordable, and a
rule says that it is wrong.
"""

from __future__ import annotations

import re
from typing import Final

from compliance.domain.reading import Unreadable, echo

NDC_LAYOUTS: Final = ("4-4-2", "5-3-2", "5-4-1", "6-4-2")
"""Labeler, product and package digits: the 10-digit layouts of 21 CFR 207.33(b), and FDA's uniform 12 digits from 2033-03-07
(91 FR 10749)."""

_NDC: Final = re.compile(r"([0-9]+)-([0-9]+)-([0-9]+)", re.ASCII)
_DEA: Final = re.compile(r"[A-Z][A-Z9][0-9]{7}", re.ASCII)
_NPI: Final = re.compile(r"[12][0-9]{9}", re.ASCII)


def ndc11(raw: str, layout: str) -> str:
    """An NDC as the 11 digits (5-4-2, no hyphens) in which pharmacy claims and records compare it.

    Each segment is filled with zeros on its left. A 12-digit NDC has an 11-digit form only where its labeler code begins with 0, as all do
    that were assigned before 2033. Without hyphens, `layout` says where the segments lie; 11 digits are taken as they are.

        >>> ndc11("50458-028-02", "5-3-2")
        '50458002802'

    Raises `Unreadable` where the digits are not in that layout, or there is no such form.
    """
    if layout not in NDC_LAYOUTS:
        raise Unreadable(f"{echo(layout)} is no NDC layout", f"use one of {', '.join(NDC_LAYOUTS)}")
    text = raw.strip()
    if len(text) == 11 and text.isascii() and text.isdigit():
        return text
    widths = [int(width) for width in layout.split("-")]
    match = _NDC.fullmatch(text)
    if match is not None:
        segments = list(match.groups())
        if [len(segment) for segment in segments] == [5, 4, 2]:  # already the form of claims, with hyphens
            return "".join(segments)
    elif text.isascii() and text.isdigit() and len(text) == sum(widths):
        labeler, product = widths[0], widths[0] + widths[1]
        segments = [text[:labeler], text[labeler:product], text[product:]]
    else:
        raise Unreadable(
            f"{echo(raw)} is no NDC of layout {layout}", "copy it with its hyphens from the label"
        )
    if [len(segment) for segment in segments] != widths:
        found = "-".join(str(len(segment)) for segment in segments)
        raise Unreadable(f"{echo(raw)} is laid out {found}, not {layout}", "correct the NDC or its layout")
    labeler_code, product_code, package_code = segments
    if len(labeler_code) == 6:
        if labeler_code[0] != "0":
            raise Unreadable(
                f"{echo(raw)} has a labeler code of six digits, and so no 11-digit form",
                "compare it by its 12 digits",
            )
        labeler_code = labeler_code[1:]
    return labeler_code.zfill(5) + product_code.zfill(4) + package_code.zfill(2)


def dea_number_ok(number: str) -> bool:
    """Whether a DEA number has the right shape and check digit.

    Two letters (the second may be 9, for a registrant under a business name) and seven digits; the last is the last digit of
    (1st + 3rd + 5th) + 2 x (2nd + 4th + 6th). A suffix after a hyphen, which an institution gives its practitioners
    (21 CFR 1301.22(c)), is no part of it.
    """
    if _DEA.fullmatch(number) is None:
        return False
    digits = [int(digit) for digit in number[2:]]
    return (sum(digits[0:6:2]) + 2 * sum(digits[1:6:2])) % 10 == digits[6]


def luhn_ok(digits: str) -> bool:
    """The check of ISO/IEC 7812-1, Annex B: every second digit from the right doubled, digits summed, divisible by ten."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def npi_ok(number: str) -> bool:
    """Whether a National Provider Identifier has the right shape and check digit.

    Ten digits, the first 1 or 2; the Luhn check runs over 80840 (the prefix of US health cards) and the ten (45 CFR 162.406(a)).
    """
    return _NPI.fullmatch(number) is not None and luhn_ok("80840" + number)
