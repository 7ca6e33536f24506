"""What a plain (unquoted) scalar means: YAML 1.2 core schema, narrowed where a slip would change a value silently.

Numbers are exact. A whole number is an ``int``; one with a fraction is `Digits`, its digits as text. Both keep to the engine's
bounds (engine.md, "Exactness": at most 6 fractional digits, below 10^9 in absolute value).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final


class Digits(str):
    """A decimal number as its digits, such as ``2.50``; not text."""

    __slots__ = ()


class ScalarError(ValueError):
    """A plain scalar that would be misread; `remedy` says what to write instead."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


_WORDS: Final[dict[str, Any]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER: Final = re.compile(r"[-+]?[0-9]+\Z")
_BASED: Final = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_DECIMAL: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_BOUND: Final = 10**9


def resolve_plain(text: str) -> Any:
    """None, bool, int, `Digits` or str. Raises `ScalarError` for numbers that would lose something."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _NOT_FINITE.match(text):
        raise ScalarError(f"{text} is not a number that can be used here", "write a finite number")
    if _BASED.match(text):
        raise ScalarError(
            f"{text} is a number in another base", "write it in decimal, or in quotes if it is text"
        )
    if not _DECIMAL.match(text):
        return text
    unsigned = text.lstrip("+-")
    if len(unsigned) > 1 and unsigned[0] == "0" and unsigned[1].isdigit():
        raise ScalarError(
            f"{text} would be read as a number and lose its leading zeros", f"write it in quotes: '{text}'"
        )
    if _INTEGER.match(text):
        if len(unsigned) > 10 or abs(int(text)) >= _BOUND:
            raise ScalarError(
                f"{text} is too large; numbers lie below 1 000 000 000",
                f"if it is text, write it in quotes: '{text}'",
            )
        return int(text)
    return _decimal(text)


def _decimal(text: str) -> Digits:
    exponent = re.split("[eE]", text)[1:] or ["0"]
    if len(text) > 40 or len(exponent[0]) > 3:
        raise ScalarError(
            f"{text[:40]} has too many digits",
            "a number has at most 6 digits after the point and lies below 1 000 000 000",
        )
    digits = format(Decimal(text), "f")
    fraction = digits.partition(".")[2]
    if len(fraction) > 6 or abs(Decimal(text)) >= _BOUND:
        raise ScalarError(
            f"{text} has too many digits",
            "a number has at most 6 digits after the point and lies below 1 000 000 000",
        )
    return Digits(digits)
