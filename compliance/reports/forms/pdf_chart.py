"""A chart on a page of a PDF: bars or lines over the numbers of a table, which stands below it. Heights begin at nought, so that they compare as
the numbers do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from compliance.reports.forms.axis import ticks
from compliance.reports.forms.pdf_lines import fitted, flow, heading
from compliance.reports.forms.pdf_paper import FAINT, HAIR, LEFT, Box, Paper, Stroke, Text, regular
from compliance.reports.forms.plain import decimal, shortened, shown
from compliance.reports.page import Chart, Table

_HEIGHT: Final = 110.0
_SIZE: Final = 7.0
_BELOW: Final = 24.0
_SAMPLE: Final = 14.0
"""How long what the legend shows of a series is."""

_STROKE: Final = 1.2
_TICK: Final = 16
"""Letters of a number at the axis; a longer one is said with a power of ten."""

_LOOKS: Final = (
    ("#1F4E79", ()),
    ("#D08A3C", (4.0, 2.0)),
    ("#5F9E7F", (1.5, 1.5)),
    ("#7A4E8A", (6.0, 2.0, 1.5, 2.0)),
)
"""Colour and dash of each series; differently light too, so that they are told apart in grey."""


@dataclass(frozen=True, slots=True)
class _Series:
    """A column's numbers, None where it has none, and how they are drawn."""

    name: str
    values: tuple[Decimal | None, ...]
    colour: str
    dash: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where the numbers stand: between which points, over which round numbers, on how many places across."""

    left: float
    right: float
    foot: float
    ticks: tuple[Decimal, ...]
    places: int

    def x(self, place: float) -> float:
        """The middle of a place across."""
        return self.left + (self.right - self.left) * (place + 0.5) / self.places

    def y(self, number: Decimal) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return self.foot + _HEIGHT * float((number - low) / (high - low))


def put_chart(paper: Paper, chart: Chart, table: Table) -> None:
    """The drawing below its title, with its legend; nothing where the table has no number to draw. Raises KeyError for a column that the table has not."""
    places = {column.key: index for index, column in enumerate(table.columns)}
    series = [_series(table, places[key], number) for number, key in enumerate(chart.series)]
    known = [value for one in series for value in one.values if value is not None]
    if not known:
        return
    across = table.columns[places[chart.x]].kind
    labels = [shortened(regular().has(shown(row[places[chart.x]], across)), 14) for row in table.rows]
    whole = all(value == value.to_integral_value() for value in known)
    steps = ticks(min(known), max(known), whole=whole)
    words = [_word(tick) for tick in steps]
    legend = _legend(series, paper.width)
    below_title = legend[-1][1] + 9
    title = fitted(chart.title, heading(9), paper.width)
    paper.need(sum(line.style.leading for line in title) + below_title + _HEIGHT + _BELOW)
    flow(paper, title)
    margin = max(map(_wide, words)) + 6
    plot = _Plot(LEFT + margin, LEFT + paper.width, paper.y - below_title - _HEIGHT, steps, len(labels))
    for one, (x, down) in zip(series, legend, strict=True):
        y = paper.y - down
        paper.put(
            Box(LEFT + x, y, _SAMPLE, 5.5, one.colour)
            if chart.form == "bars"
            else Stroke(((LEFT + x, y + 2.5), (LEFT + x + _SAMPLE, y + 2.5)), one.colour, _STROKE, one.dash),
            Text(LEFT + x + _SAMPLE + 4, y, one.name, regular(), _SIZE),
        )
    _put_axes(paper, plot, words, labels)
    (_put_bars if chart.form == "bars" else _put_lines)(paper, plot, series)
    paper.y = plot.foot - _BELOW


def _series(table: Table, index: int, number: int) -> _Series:
    column = table.columns[index]
    digits = [decimal(row[index], column.kind) for row in table.rows]
    values = tuple(None if text is None else Decimal(text) for text in digits)
    return _Series(shortened(regular().has(column.heading), 40), values, *_LOOKS[number % len(_LOOKS)])


def _wide(words: str) -> float:
    return regular().advance(words) * _SIZE


def _legend(series: Sequence[_Series], width: float) -> list[tuple[float, float]]:
    """How far to the right and down each series' name stands in the legend, on as many lines as it takes."""
    places = []
    x, down = 0.0, 10.0
    for one in series:
        wide = _SAMPLE + 16 + _wide(one.name)
        if x and x + wide > width:
            x, down = 0.0, down + 11
        places.append((x, down))
        x += wide
    return places


def _word(tick: Decimal) -> str:
    word = f"{tick:,f}"
    return word if len(word) <= _TICK else f"{tick:.2e}"


def _put_axes(paper: Paper, plot: _Plot, words: Sequence[str], labels: Sequence[str]) -> None:
    for tick, word in zip(plot.ticks, words, strict=True):
        y = plot.y(tick)
        paper.put(
            Stroke(((plot.left, y), (plot.right, y)), FAINT if tick == 0 else HAIR),
            Text(plot.left - _wide(word) - 4, y - 2.5, word, regular(), _SIZE, FAINT),
        )
    room = (plot.right - plot.left) / plot.places
    every = int(max(_wide(label) for label in labels) // room) + 1  # so that words do not run into each other
    for place in range(0, plot.places, every):
        half = _wide(labels[place]) / 2
        x = min(max(plot.x(place) - half, LEFT), plot.right - 2 * half)
        paper.put(Text(x, plot.foot - 10, labels[place], regular(), _SIZE, FAINT))


def _put_bars(paper: Paper, plot: _Plot, series: Sequence[_Series]) -> None:
    group = (plot.right - plot.left) / plot.places * 0.7
    wide = min(group / len(series), 26.0)
    nought = plot.y(Decimal(0))
    for number, one in enumerate(series):
        for place, value in enumerate(one.values):
            if value is not None:
                x = plot.x(place) + (number - len(series) / 2) * wide
                y = plot.y(value)
                paper.put(Box(x, min(y, nought), wide * 0.92, abs(y - nought), one.colour))


def _put_lines(paper: Paper, plot: _Plot, series: Sequence[_Series]) -> None:
    """Lines with a mark at each number; a number that is not known leaves a gap."""
    for one in series:
        run: list[tuple[float, float]] = []
        for place, value in enumerate((*one.values, None)):
            if value is not None:
                run.append((plot.x(place), plot.y(value)))
                paper.put(Box(run[-1][0] - 1.5, run[-1][1] - 1.5, 3, 3, one.colour))
            elif run:
                paper.put(Stroke(tuple(run), one.colour, _STROKE, one.dash))
                run = []
