"""Texts of a report in HTML. Each is escaped here, in one of four ways, and nothing of it reaches a page as anything but text.

Characters that are not seen themselves but move or hide others are shown by their numbers, as in every form (`plain.visible`): no lot and no name can
look like another one, and no value turns round what stands beside it.
"""

from __future__ import annotations

import re
from decimal import Decimal
from html import escape
from typing import Final

from compliance.reports.forms.plain import visible

_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]")


def shown(text: str) -> str:
    """A text as the content of an element that has its lines to itself."""
    seen = visible(text)
    if seen == text:
        return escape(text)
    return "".join(
        escape(one) if visible(one) == one else f'<span class="unseen">{visible(one)}</span>'
        for one in text.replace("\r\n", "\n")
    )


def inline(text: str) -> str:
    """A text that shares its line with others: whatever its direction, it stays in its place."""
    return f"<bdi>{shown(text)}</bdi>"


def plain(text: str) -> str:
    """A text where no element can stand: in an attribute, in a title, in a drawing."""
    return escape(visible(text))


def as_it_is(text: str) -> str:
    """A text to be copied: what is not seen stays in it, held so that it moves nothing; the style sheet names it, which no copy takes along."""
    return "".join(
        escape(one)
        if visible(one) == one
        else f'<bdi class="kept" data-is="{visible(one)}">{_kept(one)}</bdi>'
        for one in text
    )


def anchor(*words: str) -> str:
    """A name for an element, of ids of the report."""
    return "-".join(_NOT_IN_NAMES.sub("-", word) for word in words)


def figure(number: Decimal) -> str:
    """A number for people: with all its digits, commas at the thousands, and a real minus sign."""
    return f"{number:,f}".replace("-", "−")


def _kept(unseen: str) -> str:
    """A carriage return would be read as a line's end; zero and halves of characters cannot stand in a file (WHATWG HTML, 13.2.3.5)."""
    if unseen == "\r":
        return "&#13;"
    return "" if unseen == "\0" or "\ud800" <= unseen <= "\udfff" else unseen
