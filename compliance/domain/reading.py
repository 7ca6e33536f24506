"""What the readers of values raise when a text does not say what it should.

A reader (`parse_decimal`, `parse_instant` ...) raises `Unreadable` with a message that says what is wrong and a remedy that
says what to write instead. Both are fit for people and never hold free text. Intake turns it into a `Problem` with its place.
"""

from __future__ import annotations


class Unreadable(ValueError):
    """A text that does not say a value of the wanted type: `message` what is wrong, `remedy` what to write instead."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


ECHO = 60
"""No more characters than this of an input are ever repeated in a message."""


def echo(text: str) -> str:
    """A short input as it may be shown: printable ASCII in quotes, cut at `ECHO` characters."""
    shown = text if len(text) <= ECHO else text[:ECHO] + "…"
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in shown)
    return f"'{shown}'"
