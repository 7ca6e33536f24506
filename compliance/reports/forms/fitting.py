"""Text in lines, and columns in a width; for forms that have no browser to do it.

Widths are in whatever unit `advance` measures a text in: letters, or a fraction of the size of type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

Advance: TypeAlias = Callable[[str], float]
"""How wide a text is; additive over its characters."""

_BREAKS: Final = frozenset("-_/.,:;@|+=)]}")
"""A word that is too long for a line is parted after one of these, where there is one."""

_HALVINGS: Final = 40
"""After so many, a column's share is exact to a billionth."""


def lines(text: str, width: float, advance: Advance) -> list[str]:
    """A text in lines of at most `width`, broken at spaces; only a word that is itself too long is parted.

    A character wider than `width` stands in a line of its own. An empty text is one empty line.
    """
    made: list[str] = []
    for paragraph in text.split("\n"):
        if advance(paragraph) <= width and "\t" not in paragraph:
            made.append(paragraph)
        else:
            made += _broken(paragraph, width, advance)
    return made


def _broken(paragraph: str, width: float, advance: Advance) -> list[str]:
    made: list[str] = []
    line, used = "", 0.0
    space = advance(" ")
    for word in re.split(r"[ \t]+", paragraph):
        wide = advance(word)
        if line and used + space + wide <= width:
            line, used = f"{line} {word}", used + space + wide
            continue
        if line:
            made.append(line)
        *parts, line = _parted(word, width, advance) if wide > width else [word]
        made += parts
        used = advance(line)
    return [*made, line]


def _parted(word: str, width: float, advance: Advance) -> list[str]:
    """A long word in pieces: after a mark in the second half of the piece, else wherever it is full."""
    parts: list[str] = []
    start, used, mark = 0, 0.0, 0
    for index, character in enumerate(word):
        wide = advance(character)
        while used + wide > width and index > start and wide > 0:
            end = mark if mark > (start + index) // 2 else index
            parts.append(word[start:end])
            start, used = end, advance(word[end:index])
        used += wide
        if character in _BREAKS:
            mark = index + 1
    return [*parts, word[start:]]


def longest_word(text: str, advance: Advance) -> float:
    """The width below which some word of the text must be parted."""
    return max(map(advance, text.split()), default=0.0)


def shares(natural: Sequence[float], least: Sequence[float], available: float) -> list[float] | None:
    """How wide columns are: as they would be by themselves, if there is room; else no wider than some measure, so that all is used.

    No column is narrower than its least width; None where there is no room for those.
    """
    if sum(natural) <= available:
        return list(natural)
    if sum(least) > available:
        return None
    low, high = 0.0, max(natural)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        fits = sum(_between(natural, least, middle)) <= available
        low, high = (middle, high) if fits else (low, middle)
    return _between(natural, least, low)


def _between(natural: Sequence[float], least: Sequence[float], measure: float) -> list[float]:
    return [min(wide, max(narrow, measure)) for wide, narrow in zip(natural, least, strict=True)]
