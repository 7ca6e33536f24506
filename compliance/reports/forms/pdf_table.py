"""A table on the pages of a PDF: columns that fit, headings on every page, rows of any height."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from compliance.reports.forms.fitting import lines, longest_word, shares
from compliance.reports.forms.pdf_lines import body, fitted, flow, heading
from compliance.reports.forms.pdf_paper import (
    FAINT,
    HAIR,
    LANDSCAPE,
    LEFT,
    PORTRAIT,
    SHADE,
    Box,
    Face,
    Paper,
    Stroke,
    Text,
    bold,
    regular,
)
from compliance.reports.forms.plain import NUMBERS, shown
from compliance.reports.page import Table

_TRIED: Final = ((PORTRAIT, 8.0), (PORTRAIT, 7.0), (LANDSCAPE, 8.0), (LANDSCAPE, 7.0), (LANDSCAPE, 6.0))
"""Formats and sizes of type, in the order in which they are tried."""

_PAD: Final = 4.0
_BREAKABLE: Final = 8.0
"""A word in a cell may be parted beyond so much of the size of type (about fourteen letters), where the table is too wide otherwise."""

_TOGETHER: Final = 3
"""So many rows stand with the headings, or all begin on the next page."""

_Broken = list[list[str]]
"""A row: the lines of each of its cells."""


@dataclass(frozen=True, slots=True)
class _Grid:
    """How a table is set: the size of its type, its columns' widths, which of them stand to the right, and the row of headings."""

    size: float
    widths: tuple[float, ...]
    right: tuple[bool, ...]
    heads: _Broken

    @property
    def leading(self) -> float:
        return self.size * 1.3

    def height(self, row: _Broken) -> float:
        """How high a row is."""
        return max(map(len, row)) * self.leading + _PAD


def put_table(paper: Paper, table: Table) -> None:
    """The table below its caption; on pages across, which are its own, where it is too wide for upright ones.

    Where it is too wide even so, it is listed row by row.
    """
    caption = fitted(table.caption, heading(9), PORTRAIT.line)
    if not table.rows:
        flow(paper, [*caption, *fitted(table.empty, body(9, FAINT), PORTRAIT.line)])
        return
    heads = [bold().has(column.heading) for column in table.columns]
    rows = [
        [regular().has(shown(value, column.kind)) for value, column in zip(row, table.columns, strict=True)]
        for row in table.rows
    ]
    natural, least = _measured(heads, rows)
    for page, size in _TRIED:
        widths = shares(
            [wide * size + 2 * _PAD for wide in natural],
            [wide * size + 2 * _PAD for wide in least],
            page.line,
        )
        if widths is None:
            continue
        right = tuple(column.kind in NUMBERS for column in table.columns)
        grid = _Grid(size, tuple(widths), right, _broken(heads, widths, size, bold()))
        if grid.height(grid.heads) > page.height / 4:
            continue
        if page != PORTRAIT:
            paper.turn(page)
        first = sum(grid.height(_broken(row, widths, size, regular())) for row in rows[:_TOGETHER])
        above = sum(line.style.leading for line in caption) + grid.height(grid.heads)
        paper.need(above + min(first, page.height / 4))
        flow(paper, caption)
        _put_rows(paper, grid, rows)
        if page != PORTRAIT:
            paper.turn(PORTRAIT)
        return
    flow(paper, caption)
    _list_rows(paper, heads, rows)


def _measured(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[list[float], list[float]]:
    """How wide each column would be by itself, and how wide it must be so that only long words are parted; at a size of one point."""
    natural, least = [], []
    for head, cells in zip(heads, zip(*rows, strict=True), strict=True):
        different = set(cells)
        own = max(regular().advance(line) for cell in different for line in cell.split("\n"))
        word = max(longest_word(cell, regular().advance) for cell in different)
        natural.append(max(own, bold().advance(head)))
        least.append(min(natural[-1], _BREAKABLE, max(word, longest_word(head, bold().advance))))
    return natural, least


def _broken(cells: Sequence[str], widths: Sequence[float], size: float, face: Face) -> _Broken:
    # A thousandth more, so that a text fits the column that was made as wide as it.
    return [
        lines(cell, (wide - 2 * _PAD) / size + 0.001, face.advance)
        for cell, wide in zip(cells, widths, strict=True)
    ]


def _put_rows(paper: Paper, grid: _Grid, rows: Sequence[Sequence[str]]) -> None:
    """Headings and rows, the headings again on every page. A row is parted only where no page could hold it."""
    fresh = paper.whole - grid.height(grid.heads)
    _put_heads(paper, grid)
    for row in rows:
        left = _broken(row, grid.widths, grid.size, regular())
        if grid.height(left) > paper.room and grid.height(left) <= fresh:
            _turn(paper, grid)
        while any(left):
            fit = int((paper.room - _PAD) / grid.leading)
            if fit < 1:
                _turn(paper, grid)
                continue
            _put_row(paper, grid, [cell[:fit] for cell in left], regular())
            left = [cell[fit:] for cell in left]


def _turn(paper: Paper, grid: _Grid) -> None:
    paper.turn()
    _put_heads(paper, grid)


def _put_heads(paper: Paper, grid: _Grid) -> None:
    height = grid.height(grid.heads)
    paper.put(Box(LEFT, paper.y - height, sum(grid.widths), height, SHADE))
    _put_row(paper, grid, grid.heads, bold())


def _put_row(paper: Paper, grid: _Grid, row: _Broken, face: Face) -> None:
    top = paper.y - _PAD / 2 - grid.size
    x = LEFT
    for cell, wide, right in zip(row, grid.widths, grid.right, strict=True):
        for number, line in enumerate(cell):
            if line:
                inset = wide - _PAD - face.advance(line) * grid.size if right else _PAD
                paper.put(Text(x + inset, top - number * grid.leading, line, face, grid.size))
        x += wide
    paper.y -= grid.height(row)
    paper.put(Stroke(((LEFT, paper.y), (x, paper.y)), HAIR))


def _list_rows(paper: Paper, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    for number, row in enumerate(rows, 1):
        made = fitted(f"{number}.", heading(8), paper.width)
        for head, cell in zip(heads, row, strict=True):
            made += fitted(f"{head}: {cell}", body(8), paper.width, indent=14, hanging=14)
        flow(paper, made)
        paper.skip(3)
