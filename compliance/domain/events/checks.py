"""The checks that give a field's JSON value its meaning, or say what is wrong with it.

Each raises `Unreadable` (or one of its two kinds here) with words for people. Free text is never repeated: messages about it give
lengths and positions, since people fill text with anything.
"""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from compliance.domain.drugs import DRUGS
from compliance.domain.quantity import LIMIT, NumberText, plain_digits
from compliance.domain.reading import Unreadable, echo
from compliance.domain.time import read_date, read_instant
from compliance.domain.zone import zone_known

TEXT_LENGTH: Final = 4000
_LAYOUT: Final = frozenset("\t\n\r")  # a narrative may have lines


class WrongType(Unreadable):
    """A JSON value of another type than the field's."""


class NotListed(Unreadable):
    """A text that is not on the closed list that it must be on: ``drug`` or ``zone``."""

    def __init__(self, text: str, listed: str, what: str) -> None:
        super().__init__(f"{echo(text)} is no {what}")
        self.text = text
        self.listed = listed


def check_text(text: str) -> str:
    """Unicode text in NFC, not blank, at most 4000 characters, without control characters other than tab and line ends."""
    if len(text) > TEXT_LENGTH:
        raise Unreadable(f"text of {len(text)} characters; at most {TEXT_LENGTH} are taken", "shorten it")
    if not text or text.isspace():
        raise Unreadable("blank text", "fill it in, or leave the field out")
    if text.isascii() and text.isprintable():
        return text
    for position, character in enumerate(text, 1):
        category = unicodedata.category(character)
        if category == "Cc" and character not in _LAYOUT:
            raise Unreadable(
                f"a control character (U+{ord(character):04X}) at position {position} of {len(text)}",
                "take it out",
            )
        if category == "Cs":
            raise lone_surrogate(text)
    if not unicodedata.is_normalized("NFC", text):
        composed = unicodedata.normalize("NFC", text)
        differs = (i for i, (a, b) in enumerate(zip(text, composed, strict=False), 1) if a != b)
        raise Unreadable(
            f"text that is not in Unicode form NFC, from position {next(differs, len(composed))} of {len(text)}",
            "normalise it to NFC before sending",
        )
    return text


def lone_surrogate(text: str) -> Unreadable:
    """What is wrong with a text that holds half of a surrogate pair (a JSON escape can spell one)."""
    position = next(i for i, character in enumerate(text, 1) if "\ud800" <= character <= "\udfff")
    return Unreadable(
        f"half of a surrogate pair (U+{ord(text[position - 1]):04X}) at position {position} of {len(text)}",
        "the text was cut or badly encoded; send it again from its source",
    )


def check_drug(text: str) -> str:
    """A code of the drug list."""
    if text not in DRUGS:
        raise NotListed(text, "drug", "code of the drug list")
    return text


def check_zone(text: str) -> str:
    """The name of an IANA time zone; without it nobody could say which day it is at the site."""
    if not zone_known(text):
        raise NotListed(text, "zone", "IANA time zone")
    return text


def digits_of(value: object) -> str:
    """The digits of a decimal, which JSON may give as a number or as text; plain, and otherwise as they were written."""
    if isinstance(value, str):
        return plain_digits(value)
    if isinstance(value, NumberText):
        return plain_digits(value.text)
    if isinstance(value, int) and not isinstance(value, bool):
        if not -LIMIT < value < LIMIT:
            raise Unreadable(
                "a number that is not below 10^9 in absolute value", "check the number and its unit"
            )
        return str(value)
    if isinstance(value, Decimal):
        return plain_digits(str(value))
    raise WrongType("not a decimal number")


def read_amount(value: object) -> Decimal:
    """A decimal, exactly."""
    return Decimal(digits_of(value))


def read_moment(value: object) -> datetime:
    """An instant."""
    if not isinstance(value, str):
        raise WrongType("not a date-time")
    return read_instant(value)


def read_day(value: object) -> date:
    """A date."""
    if not isinstance(value, str):
        raise WrongType("not a date")
    return read_date(value)
