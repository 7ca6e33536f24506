"""What the readers of values raise when a text does not say what it should.

A reader (`parse_decimal`, `parse_instant` ...) raises `Unreadable` with a message that says what is wrong and a remedy that
says what to write instead. Both are fit for people and never hold free text. Intake turns it into a `Problem` with its place.
"""

from __future__ import annotations

import re


class Unreadable(ValueError):
    """A text that does not say a value of the wanted type: `message` what is wrong, `remedy` what to write instead."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


ECHO = 60
"""No more characters than this of an input are ever repeated in a message."""

_WORD = re.compile(r"[!-~]+")
_FIGURES = re.compile(r"(?=.*[0-9])(?:(?![A-Za-z]{3})[ -~])+")


def echo(text: str) -> str:
    """A short input as it may be shown: one word, or figures with units, in quotes; anything that may be prose is counted.

    The message goes into the log for good, beside the digest of an input that can be discarded (SECURITY.md): a sentence
    that was typed into the wrong field must not get there with it. A single character is always named, by its code where
    it cannot be printed.
    """
    if len(text) == 1:
        return f"'{text}'" if text.isprintable() else f"'\\u{ord(text):04x}'"
    if len(text) <= ECHO and (not text or _WORD.fullmatch(text) or _FIGURES.fullmatch(text)):
        return f"'{text}'"
    return f"text of {len(text)} characters"
