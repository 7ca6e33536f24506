"""Texts on their way into a spreadsheet, and back: what a spreadsheet would take for a formula stays text (OWASP, CSV Injection).

In a CSV file an apostrophe stands before such a text. Reading takes one away again, so that a table that was written here reads back as it was:

    >>> disarmed("=1+1")
    "'=1+1"
    >>> as_meant(disarmed("=1+1"))
    '=1+1'
"""

from __future__ import annotations

import unicodedata
from typing import Final

_APOSTROPHE: Final = "'"
_CALCULATES: Final = frozenset({"=", "+", "-", "@", "\N{MINUS SIGN}"})


def like_a_formula(text: str) -> bool:
    """Whether a spreadsheet might calculate a text: its first character that is not white space is ``= + - @``, also in full width."""
    return unicodedata.normalize("NFKC", text.lstrip()[:1]) in _CALCULATES


def disarmed(text: str) -> str:
    """A text for a CSV file: an apostrophe before what is like a formula, and before what would read as such a text."""
    return f"{_APOSTROPHE}{text}" if like_a_formula(text.lstrip(_APOSTROPHE)) else text


def as_meant(field: str) -> str:
    """The text that a field of a CSV file stands for: without the apostrophe of `disarmed`."""
    if field.startswith(_APOSTROPHE) and like_a_formula(field.lstrip(_APOSTROPHE)):
        return field[1:]
    return field
