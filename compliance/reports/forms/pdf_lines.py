"""Text that flows over pages of a PDF: lines in a style, level by chip, kept together where they fit on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from compliance.reports.forms.fitting import lines
from compliance.reports.forms.pdf_paper import (
    FAINT,
    INK,
    LEFT,
    SHADE,
    WHITE,
    Box,
    Face,
    Paper,
    Text,
    bold,
    regular,
)
from compliance.reports.forms.plain import LEVELS
from compliance.reports.page import Level

COLOURS: Final = {
    Level.ALARM: "#A3123A",
    Level.ACTION: "#8A4B08",
    Level.NOTICE: "#1F4E79",
    Level.GOOD: "#1E6B3A",
}
"""The colour of each level; white on it has a contrast of more than 6 to 1."""

LABEL: Final = 46.0
"""The room that labels have before what they label."""

_CHIP: Final = 7.0
"""The size of the type in a chip."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a line looks: its face, size and colour, and how high it is."""

    face: Face
    size: float
    colour: str = INK

    @property
    def leading(self) -> float:
        """From one base line to the next."""
        return self.size * 1.35


def body(size: float = 9, colour: str = INK) -> Style:
    """Running text."""
    return Style(regular(), size, colour)


def heading(size: float) -> Style:
    """Headings, and what must not be overlooked."""
    return Style(bold(), size)


def small() -> Style:
    """What is there to be looked up."""
    return Style(regular(), 7.5, FAINT)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, `indent` from the left. Before it stands a chip that says a level, or a label, where it has one."""

    text: str
    style: Style
    indent: float = 0.0
    chip: Level | None = None
    label: str = ""


def fitted(text: str, style: Style, width: float, indent: float = 0.0, hanging: float = 0.0) -> list[Line]:
    """A text in lines that end before `width`; those after the first begin `hanging` further in."""
    shown = style.face.has(text)
    first, *rest = lines(shown, (width - indent) / style.size, style.face.advance)
    if rest and hanging:
        left = shown.removeprefix(first).lstrip(" \t\n")
        rest = lines(left, (width - indent - hanging) / style.size, style.face.advance)
    return [Line(first, style, indent), *(Line(part, style, indent + hanging) for part in rest)]


def under_chip(text: str, style: Style, level: Level, width: float, indent: float = 0.0) -> list[Line]:
    """A text beside the chip of its level."""
    first, *rest = fitted(text, style, width, indent + chip_width(level))
    return [replace(first, chip=level), *rest]


def labelled(label: str, text: str, style: Style, width: float, indent: float = 0.0) -> list[Line]:
    """A text beside a label; no line where there is no text."""
    if not text:
        return []
    first, *rest = fitted(text, style, width, indent + LABEL)
    return [replace(first, label=label), *rest]


def chip_width(level: Level) -> float:
    """How much room a level's chip takes, with what is left free after it."""
    return bold().advance(LEVELS[level].upper()) * _CHIP + 14


def flow(paper: Paper, made: Sequence[Line], bar: str = "", *, shaded: bool = False) -> None:
    """Lines one below the other, on one page if they fit there; along a bar of some colour, or on a ground of grey."""
    height = sum(line.style.leading for line in made)
    paper.need(height if height <= paper.whole else made[0].style.leading)
    for line in made:
        leading = line.style.leading
        paper.need(leading)
        paper.y -= leading
        base = paper.y + leading - line.style.size
        if shaded:
            paper.put(Box(LEFT, paper.y - 3, paper.width, leading + 6, SHADE))
        if bar:
            paper.put(Box(LEFT, paper.y, 2.5, leading, bar))
        if line.chip:
            put_chip(paper, line.chip, LEFT + line.indent - chip_width(line.chip), base)
        if line.label:
            paper.put(Text(LEFT + line.indent - LABEL, base, line.label, regular(), 7.5, FAINT))
        if line.text:
            paper.put(
                Text(LEFT + line.indent, base, line.text, line.style.face, line.style.size, line.style.colour)
            )


def put_chip(paper: Paper, level: Level, x: float, y: float) -> None:
    """A level's word, white on its colour, on the base line `y`."""
    word = LEVELS[level].upper()
    paper.put(
        Box(x, y - 2.5, chip_width(level) - 6, _CHIP + 4.5, COLOURS[level]),
        Text(x + 4, y, word, bold(), _CHIP, WHITE),
    )
