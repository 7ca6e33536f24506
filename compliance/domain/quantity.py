"""Exact decimals: digits in, whole millionths out, and back.

A decimal has at most 6 fractional digits and lies below 10^9 in absolute value; anything else is refused, never rounded
(engine.md, "Exactness"). The engine sees ``int`` scaled by 10^6. No binary floating point is met on the way.

    >>> parse_decimal("28.50")
    28500000
    >>> format_decimal(28500000)
    '28.5'
"""

from __future__ import annotations

import re
from typing import Final

from compliance.domain.reading import Unreadable, echo
from compliance.domain.values import SCALE

FRACTION_DIGITS: Final = 6
WHOLE_DIGITS: Final = 9
LIMIT: Final = 10**WHOLE_DIGITS

COUNTED: Final = frozenset({"day", "hour", "month", "week", "year"})
"""Units that are words, and have a plural; symbols have none."""
_UNITLESS: Final = frozenset({"per quantity_unit"})
"""The unit stands in another field of the event."""
_PLAIN: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,6})?")
_NUMBER: Final = re.compile(
    r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?"
)  # RFC 8259, section 6
_NOT_NUMBERS: Final = frozenset({"nan", "inf", "infinity", "+inf", "-inf", "+infinity", "-infinity"})


class NumberText:
    """A JSON number as it was written, so that neither a float nor a huge integer comes between the file and the reader."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"NumberText({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NumberText) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


def plain_digits(text: str) -> str:
    """The same digits without an exponent: ``2.85e1`` becomes ``28.5``; digits without one are returned as they are.

    Raises `Unreadable` for what is no number by RFC 8259, has more than 6 fractional digits or reaches 10^9.
    """
    if _PLAIN.fullmatch(text):
        return text
    match = _NUMBER.fullmatch(text)
    if match is None:
        if text.lower() in _NOT_NUMBERS:
            raise Unreadable(f"{text} is not a number", "leave the field out where nothing was measured")
        raise Unreadable(f"{echo(text)} is not a decimal number", "write digits with a point, such as 28.5")
    sign, whole, fraction, exponent = match.group(1), match.group(2), match.group(3) or "", match.group(4)
    if exponent is not None:
        whole, fraction = _shift(whole, fraction, exponent, text)
    if len(fraction) > FRACTION_DIGITS:
        raise Unreadable(
            f"{echo(text)} has more than {FRACTION_DIGITS} digits after the point",
            f"give at most {FRACTION_DIGITS}; nothing is rounded silently",
        )
    if len(whole) > WHOLE_DIGITS:
        raise Unreadable(f"{echo(text)} is not below 10^9 in absolute value", "check the number and its unit")
    return f"{sign}{whole}.{fraction}" if fraction else sign + whole


def _shift(whole: str, fraction: str, exponent: str, text: str) -> tuple[str, str]:
    """Moves the point by the exponent; sizes are checked before digits are made, so 1e999999999 costs nothing."""
    if not (whole + fraction).strip("0"):
        return "0", ""
    power = int(exponent) if len(exponent) <= WHOLE_DIGITS else LIMIT * (-1 if exponent[0] == "-" else 1)
    digits = whole + fraction
    point = len(whole) + power
    if point > len(digits) + WHOLE_DIGITS:
        raise Unreadable(f"{echo(text)} is not below 10^9 in absolute value", "check the number and its unit")
    if point < -FRACTION_DIGITS:
        raise Unreadable(
            f"{echo(text)} has more than {FRACTION_DIGITS} digits after the point",
            f"give at most {FRACTION_DIGITS}; nothing is rounded silently",
        )
    if point <= 0:
        return "0", "0" * -point + digits
    digits = digits.ljust(point, "0")
    return digits[:point].lstrip("0") or "0", digits[point:]


def parse_decimal(text: str) -> int:
    """Decimal text as whole millionths: ``28.50`` is 28,500,000. Raises `Unreadable`, see `plain_digits`."""
    return millionths(plain_digits(text))


def millionths(digits: str) -> int:
    """As `parse_decimal`, for digits that `plain_digits` has already passed; the log holds no others."""
    whole, _, fraction = digits.partition(".")
    return int(whole + fraction.ljust(FRACTION_DIGITS, "0"))


def format_decimal(value: int) -> str:
    """Millionths as decimal text in its shortest form: 28,500,000 is ``28.5``, 3,000,000 is ``3``."""
    whole, rest = divmod(abs(value), SCALE)
    text = f"{whole}.{rest:06d}".rstrip("0").rstrip(".") if rest else str(whole)
    return f"-{text}" if value < 0 else text


def with_unit(digits: str, unit: str | None) -> str:
    """A number as written with its unit as people write it: ``28 mg``, ``1 day``, ``17 years``."""
    if not unit or unit in _UNITLESS:
        return digits
    return f"{digits} {unit}{'s' if unit in COUNTED and digits not in ('1', '-1') else ''}"
