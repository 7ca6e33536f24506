"""What a spreadsheet would take for a formula (OWASP, CSV Injection), and how a text is kept from it in CSV: an apostrophe before it."""

from __future__ import annotations

import unicodedata


def like_a_formula(text: str) -> bool:
    """Whether a spreadsheet might calculate a text: its first character that is not white space is ``= + - @``, also in full width."""
    return unicodedata.normalize("NFKC", text.lstrip()[:1]) in {"=", "+", "-", "@", "\N{MINUS SIGN}"}


def disarmed(text: str) -> str:
    """The text as a field of CSV that no spreadsheet calculates."""
    return f"'{text}" if like_a_formula(text) else text
