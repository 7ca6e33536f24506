"""Charts as drawings in a page (inline SVG), each of a table that stands beside it.

Across, all places are per cent of the drawing, down they are pixels: a drawing is as wide as there is room, and its words keep their size. Series
are told apart by pattern, or by dash and marker, and named in words; colour only helps. The axis begins at nought, so that heights compare as
numbers do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final
from unicodedata import east_asian_width

from compliance.reports.forms.axis import ticks
from compliance.reports.forms.markup import anchor, figure, plain, shown
from compliance.reports.forms.plain import DASH, decimal, shortened
from compliance.reports.forms.plain import shown as worded
from compliance.reports.page import Chart, Column, Table

TOP: Final = 10
HEIGHT: Final = 190
"""Of the plot, in pixels, below `TOP`; under it stand the words of the axis."""

LABEL: Final = 14
"""So many letters of a word on the axis; the table has all of them."""

_LETTER: Final = 7
"""A letter's width in pixels at most, at the size of words in drawings."""

_NARROW: Final = 220
_WIDE: Final = 520
"""How wide a plot is at least, on a telephone and elsewhere."""

_FEW: Final = 31
"""Of so many points each has a marker; of more of them, half as many have one."""

_PATTERNS: Final = (
    "",
    '<path d="M-1 7 7 -1M5 7 7 5M-1 1 1 -1"/>',
    '<circle cx="3" cy="3" r="1.4"/>',
    '<path d="M0 1.5H6M0 4.5H6"/>',
    '<path d="M-1 -1 7 7M5 -1 7 1M-1 5 1 7"/>',
    '<path d="M0 3H6M3 0V6"/>',
)
_DASHES: Final = ("", "7 4", "2 4", "10 3 2 3", "4 2", "14 4")
_MARKERS: Final = (
    '<circle r="3.5"/>',
    '<path d="M-3.5-3.5h7v7h-7z"/>',
    '<path d="M0-4.8 4.8 0 0 4.8-4.8 0z"/>',
    '<path d="M0-4.5 4.4 3.5h-8.8z"/>',
    '<path d="M0 4.5 4.4-3.5h-8.8z"/>',
    '<path d="M-4-1.3h2.7V-4h2.6v2.7H4v2.6H1.3V4h-2.6V1.3H-4z"/>',
)


@dataclass(frozen=True)
class Drawing:
    """A chart with what its table says: the words across, and for each series its heading and its numbers (None where there is none)."""

    chart: Chart
    x: Column
    labels: tuple[str, ...]
    series: tuple[tuple[str, tuple[Decimal | None, ...]], ...]

    @cached_property
    def ticks(self) -> tuple[Decimal, ...]:
        """The numbers of the axis. Of numbers of which one at least is known."""
        known = [number for _, numbers in self.series for number in numbers if number is not None]
        whole = all(number == number.to_integral_value() for number in known)
        return ticks(min(known), max(known), whole=whole)

    def y(self, number: Decimal) -> Decimal:
        """How far down a number stands, in pixels."""
        low, high = self.ticks[0], self.ticks[-1]
        return TOP + (high - number) / (high - low) * HEIGHT

    @property
    def band(self) -> Decimal:
        """The width of one place across, in per cent."""
        return Decimal(100) / len(self.labels)

    def middle(self, place: int) -> Decimal:
        """How far across the middle of a place is, in per cent."""
        return self.band * (place + Decimal("0.5"))

    @property
    def letters(self) -> int:
        """Those of the longest word across; a Chinese one is as wide as two."""
        return max(sum(1 + (east_asian_width(letter) in "WF") for letter in label) for label in self.labels)


def figure_of(chart: Chart, table: Table) -> str:
    """The figure: its title, its legend, the drawing. Raises KeyError where the chart names a column that the table has not."""
    drawing, name = _drawing(chart, table), anchor("chart", chart.id)
    head = f'<figure class="chart" id="{name}">\n<figcaption>{shown(chart.title)}</figcaption>\n'
    if not drawing.labels or all(number is None for _, numbers in drawing.series for number in numbers):
        return f'{head}<p class="nothing">There is no number to draw.</p>\n</figure>\n'
    turned = drawing.x.kind == "text" and _every(drawing, _NARROW) > 1
    foot = 16 + (drawing.letters * _LETTER * 7 // 10 if turned else 8)
    before, after = (drawing.letters * 3 // 4, 1) if turned else (drawing.letters // 2, drawing.letters // 2)
    left = max(before, *(len(figure(tick)) + 1 for tick in drawing.ticks))
    sides = f"--left:{left}ch;--right:{after}ch"
    parts = (_patterns(drawing, name), *_axis(drawing), *_words(drawing, turned=turned))
    marks = _bars(drawing, name) if chart.form == "bars" else _lines(drawing)
    return (
        f"{head}{_legend(drawing, name)}"
        f'<div class="plot" style="{sides}"><svg role="img" aria-labelledby="{name}-title {name}-desc" height="{TOP + HEIGHT + foot}">\n'
        f'<title id="{name}-title">{plain(chart.title)}</title>\n<desc id="{name}-desc">{_said(drawing)}</desc>\n'
        f"{''.join(parts)}{''.join(marks)}</svg></div>\n</figure>\n"
    )


def _drawing(chart: Chart, table: Table) -> Drawing:
    places = {column.key: number for number, column in enumerate(table.columns)}
    across = table.columns[places[chart.x]]
    labels = tuple(shortened(worded(row[places[chart.x]], across.kind), LABEL) for row in table.rows)
    series = tuple(_series(table, places[key]) for key in chart.series)
    return Drawing(chart, across, labels, series)


def _series(table: Table, place: int) -> tuple[str, tuple[Decimal | None, ...]]:
    column = table.columns[place]
    digits = [decimal(row[place], column.kind) for row in table.rows]
    return column.heading, tuple(None if text is None else Decimal(text) for text in digits)


def _said(drawing: Drawing) -> str:
    """What the drawing shows, in words."""
    first, last = drawing.labels[0], drawing.labels[-1]
    words = [f"{drawing.x.heading}: {first} to {last}."]
    for heading, numbers in drawing.series:
        known = [number for number in numbers if number is not None]
        words.append(
            f"{heading}: lowest {figure(min(known))}, highest {figure(max(known))}."
            if known
            else f"{heading}: not known."
        )
    return plain(f"{drawing.chart.form.capitalize()}. {' '.join(words)} The table beside it has the numbers.")


def _patterns(drawing: Drawing, name: str) -> str:
    """What fills the bars of each series but the first."""
    if drawing.chart.form != "bars" or len(drawing.series) == 1:
        return ""
    made = (
        f'<pattern id="{name}-{_style(number)}" class="s{_style(number)}" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<rect class="back" width="6" height="6"/>{_PATTERNS[_style(number)]}</pattern>\n'
        for number in range(1, min(len(drawing.series), len(_PATTERNS)))
    )
    return f"<defs>\n{''.join(made)}</defs>\n"


def _style(number: int) -> int:
    return number % len(_PATTERNS)


def _fill(name: str, number: int) -> str:
    return f' fill="url(#{name}-{_style(number)})"' if _style(number) else ""


def _legend(drawing: Drawing, name: str) -> str:
    entries = []
    for number, (heading, _) in enumerate(drawing.series):
        if drawing.chart.form == "bars":
            sample = f'<rect class="bar" x="1" y="1" width="24" height="12"{_fill(name, number)}/>'
        else:
            sample = f'<path class="line" d="M0 7H26"{_dashed(number)}/><g transform="translate(13 7)">{_MARKERS[_style(number)]}</g>'
        entries.append(
            f'<li><svg class="sample s{_style(number)}" width="26" height="14" aria-hidden="true">{sample}</svg> <bdi>{shown(heading)}</bdi></li>'
        )
    if any(number is None for _, numbers in drawing.series for number in numbers):
        entries.append('<li><span aria-hidden="true">' + DASH + "</span> not known</li>")
    return f'<ul class="legend">{"".join(entries)}</ul>\n'


def _axis(drawing: Drawing) -> Iterator[str]:
    """Lines across at the ticks, with their numbers at the left."""
    for tick in drawing.ticks:
        y = _px(drawing.y(tick))
        kind = "nought" if tick == 0 else "tick"
        yield f'<line class="{kind}" x1="0" x2="100%" y1="{y}" y2="{y}"/><text class="number" x="-8" y="{y}" dy="4">{figure(tick)}</text>\n'


def _words(drawing: Drawing, *, turned: bool) -> Iterator[str]:
    """Words under the plot: so many that none touches another; where there is room, more of them."""
    wide, narrow = _every(drawing, _WIDE, turned=turned), _every(drawing, _NARROW, turned=turned)
    narrow = -(-narrow // wide) * wide  # what is shown on a telephone is shown elsewhere too
    y = TOP + HEIGHT + 18
    for place, label in enumerate(drawing.labels):
        if place % wide:
            continue
        kind = "word" if place % narrow == 0 else "word roomy"
        if turned:
            word = f'<text class="{kind} turned" transform="rotate(-45)">{plain(label)}</text>'
            yield f'<svg class="at" x="{_px(drawing.middle(place))}%" y="{y - 6}">{word}</svg>\n'
        else:
            yield f'<text class="{kind}" x="{_px(drawing.middle(place))}%" y="{y}">{plain(label)}</text>\n'


def _every(drawing: Drawing, width: int, *, turned: bool = False) -> int:
    """Each how manyth word has room in a plot of this width."""
    needed = 2 * _LETTER if turned else (drawing.letters + 2) * _LETTER
    return max(1, -(-len(drawing.labels) * needed // width))


def _bars(drawing: Drawing, name: str) -> Iterator[str]:
    thin = drawing.band * Decimal("0.76") / len(drawing.series)
    nought = drawing.y(Decimal(0))
    for number, (heading, numbers) in enumerate(drawing.series):
        yield f'<g class="series s{_style(number)}">\n'
        for place, value in enumerate(numbers):
            x = drawing.band * (place + Decimal("0.12")) + thin * number
            if value is None:
                yield f'<text class="unknown" x="{_px(x + thin / 2)}%" y="{_px(nought - 4)}">{DASH}</text>\n'
                continue
            y = drawing.y(value)
            tall = max(abs(nought - y), Decimal(1))
            top = nought if value < 0 else nought - tall
            yield (
                f'<rect class="bar" x="{_px(x)}%" y="{_px(top)}" width="{_px(thin * Decimal("0.94"))}%" height="{_px(tall)}"{_fill(name, number)}>'
                f"<title>{_told(drawing, place, heading, value)}</title></rect>\n"
            )
        yield "</g>\n"


def _lines(drawing: Drawing) -> Iterator[str]:
    """From each known number to the next one beside it: where one is not known, there is a gap. Of many points every some have their marker,
    and each that stands alone."""
    some = 1 if len(drawing.labels) <= _FEW else -(-len(drawing.labels) * 2 // _FEW)
    for number, (heading, numbers) in enumerate(drawing.series):
        yield f'<g class="series s{_style(number)}">\n<svg viewBox="0 0 100 {TOP + HEIGHT}" preserveAspectRatio="none" width="100%" height="{TOP + HEIGHT}">\n'
        for run in _runs(numbers):
            points = " ".join(f"{_px(drawing.middle(place))},{_px(drawing.y(value))}" for place, value in run)
            yield f'<polyline class="line" points="{points}"{_dashed(number)}/>\n'
        yield "</svg>\n"
        for run in _runs(numbers):
            for place, value in run:
                if place % some == 0 or len(run) == 1:
                    told = f"<title>{_told(drawing, place, heading, value)}</title>"
                    at = f'x="{_px(drawing.middle(place))}%" y="{_px(drawing.y(value))}"'
                    yield f'<svg class="at" {at}>{told}{_MARKERS[_style(number)]}</svg>\n'
        yield "</g>\n"


def _runs(numbers: tuple[Decimal | None, ...]) -> Iterator[list[tuple[int, Decimal]]]:
    """Known numbers that stand beside each other, with their places."""
    run: list[tuple[int, Decimal]] = []
    for place, value in enumerate((*numbers, None)):
        if value is not None:
            run.append((place, value))
        elif run:
            yield run
            run = []


def _dashed(number: int) -> str:
    return f' stroke-dasharray="{_DASHES[_style(number)]}"' if _style(number) else ""


def _told(drawing: Drawing, place: int, heading: str, value: Decimal) -> str:
    return plain(f"{drawing.labels[place]}, {heading}: {figure(value)}")


def _px(number: Decimal) -> str:
    """To a hundredth, in as few digits as that takes."""
    return f"{number:.2f}".rstrip("0").rstrip(".")
