"""Texts of a report in HTML. Each is escaped here, in one of four ways, and nothing of it reaches a page as anything but text.

Characters that are not seen themselves but move or hide others (controls of direction, of no width, all control characters; Unicode TR 36,
CVE-2021-42574) are shown by their numbers: no lot and no name can look like another one, and no value turns round what stands beside it.
"""

from __future__ import annotations

import re
from decimal import Decimal
from html import escape
from typing import Final

from compliance.reports.page import Cell

_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?")
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]")


def shown(text: str) -> str:
    """A text as the content of an element that has its lines to itself."""
    return _UNSEEN.sub(lambda one: f'<span class="unseen">{_number(one[0])}</span>', escape(text))


def inline(text: str) -> str:
    """A text that shares its line with others: whatever its direction, it stays in its place."""
    return f"<bdi>{shown(text)}</bdi>"


def plain(text: str) -> str:
    """A text where no element can stand: in an attribute, in a title, in a drawing."""
    return escape(seen(text))


def seen(text: str) -> str:
    """A text, not escaped yet, in which everything can be seen."""
    return _UNSEEN.sub(lambda one: f"[{_number(one[0])}]", text)


def as_it_is(text: str) -> str:
    """A text to be copied: what is unseen stays in it, held so that it moves nothing; the style sheet names it, which no copy takes along."""
    return _UNSEEN.sub(
        lambda one: f'<bdi class="kept" data-is="{_number(one[0])}">{_kept(one[0])}</bdi>', escape(text)
    )


def anchor(*words: str) -> str:
    """A name for an element, of ids of the report."""
    return "-".join(_NOT_IN_NAMES.sub("-", word) for word in words)


def decimal_of(cell: Cell) -> Decimal | None:
    """The number that a cell holds; None where it holds none."""
    return Decimal(cell) if isinstance(cell, int) or (cell and _DECIMAL.fullmatch(cell)) else None


def figure(number: Decimal) -> str:
    """A number for people: with all its digits, commas at the thousands, and a real minus sign."""
    return f"{number:,f}".replace("-", "−")


def _number(unseen: str) -> str:
    return f"U+{ord(unseen):04X}"


def _kept(unseen: str) -> str:
    """A carriage return would be read as a line's end; zero and halves of characters cannot stand in a file (WHATWG HTML, 13.2.3.5)."""
    if unseen == "\r":
        return "&#13;"
    return "" if unseen == "\0" or "\ud800" <= unseen <= "\udfff" else unseen
