"""Values as ASAP's segments hold them: plain ASCII without separators, names and addresses in parts. Nothing is guessed: what cannot be told
apart is missing."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from compliance.exports.asap_elements import SEPARATOR, TERMINATOR

_SEXES: Final = {"m": "M", "male": "M", "f": "F", "female": "F"}
_ADDRESS: Final = re.compile(
    r"(?P<street>[^,\n]+(?:[,\n][^,\n]+)*?)\s*[,\n]\s*(?P<city>[^,\n]+?)\s*[,\n]\s*(?P<state>[A-Za-z]{2})\s*,?\s+(?P<zip>\d{5}(?:-?\d{4})?)",
    re.ASCII,
)
_LETTERS: Final = {"ß": "ss", "Æ": "AE", "æ": "ae", "Ø": "O", "ø": "o", "Œ": "OE", "œ": "oe", "Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "Ð": "D", "ð": "d", "Þ": "TH", "þ": "th", "ı": "i", "\u2019": "'", "\u2018": "'", "\u2010": "-", "\u2011": "-", "\u2013": "-"}  # fmt: skip
"""What Unicode does not take apart."""


def plain(text: str) -> str | None:
    """The text in printable ASCII, without marks on letters, a space for each separator; None where a letter has no such form."""
    spelt = "".join(_LETTERS.get(letter, letter) for letter in text)
    bare = "".join(one for one in unicodedata.normalize("NFKD", spelt) if not unicodedata.combining(one))
    spaced = " ".join(
        "".join(" " if one in SEPARATOR + TERMINATOR or one.isspace() else one for one in bare).split()
    )
    return spaced if spaced and spaced.isascii() and spaced.isprintable() else None


@dataclass(frozen=True, slots=True)
class Name:
    """A name in parts."""

    last: str
    first: str
    middle: str = ""


def name_of(text: str) -> Name | None:
    """``Last, First Middle``, or two words, the last of which is the last name; None for anything else: which of three words is what?"""
    last, comma, rest = text.partition(",")
    words = rest.split() if comma else text.split()
    if comma and last.strip() and words and "," not in rest:
        return Name(last.strip(), words[0], " ".join(words[1:]))
    if not comma and len(words) == 2:
        return Name(words[1], words[0])
    return None


@dataclass(frozen=True, slots=True)
class Address:
    """An address in parts; the ZIP code in digits."""

    street: str
    city: str
    state: str
    zip: str


def address_of(text: str) -> Address | None:
    """``Street, City, ST 12345``, the street with commas of its own where it has any; None for anything else."""
    found = _ADDRESS.fullmatch(text.strip())
    if found is None:
        return None
    return Address(
        found["street"].strip(), found["city"], found["state"].upper(), found["zip"].replace("-", "")
    )


def gender_of(text: str | None) -> str:
    """What a record says, as a code: F, M, or U for all else."""
    return _SEXES.get((text or "").casefold(), "U")


def digits_of_phone(text: str) -> str:
    """Ten digits of a telephone number of the United States; empty where it has others."""
    digits = re.sub(r"[^0-9]", "", text)
    digits = digits[1:] if len(digits) == 11 and digits.startswith("1") else digits
    return digits if len(digits) == 10 else ""
