"""Charts on the pages of a PDF: what is drawn is what the numbers say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.reports.forms.pdf import pdf
from compliance.reports.forms.pdf_chart import put_chart, ticks
from compliance.reports.forms.pdf_paper import Box, Paper, Stroke
from compliance.reports.page import Chart, Column, Level, Section, Table
from tests.reports.pdf_pages import (
    SIDE,
    drawn,
    ink,
    of_sections,
    texts,
)
from tests.reports.sample import SAMPLE, WEEKS


def bars(values: Sequence[Any], form: Any = "bars") -> tuple[list[Box], list[Stroke]]:
    """What is drawn for numbers, but for the legend and the axes."""
    table = Table(
        "t",
        "",
        (Column("x", "X"), Column("n", "N", "quantity")),
        tuple((str(n), value) for n, value in enumerate(values)),
    )
    paper = Paper()
    put_chart(paper, Chart("c", "Title", "t", "x", ("n",), form), table)
    marks = [mark for page in paper.pages for mark in page.marks]
    boxes = [mark for mark in marks if isinstance(mark, Box)]
    strokes = [mark for mark in marks if isinstance(mark, Stroke) and mark.width > 1]
    return (boxes[1:], strokes) if form == "bars" else (boxes, strokes[1:])


def test_bars_are_as_high_as_their_numbers() -> None:
    """Upwards and downwards from nought; no bar where there is no number."""
    boxes, _ = bars(["10", "-5", None, "2.5", "0", "unknown"])
    up, down, small, nothing = boxes
    assert down.height == pytest.approx(up.height / 2) and small.height == pytest.approx(up.height / 4)
    assert down.y + down.height == pytest.approx(up.y) == pytest.approx(small.y) and nothing.height == 0
    assert up.x < down.x < small.x < nothing.x


def test_lines_have_gaps_where_there_is_no_number() -> None:
    """A mark for each number, a line through those that stand side by side."""
    boxes, strokes = bars(["1", "2", None, "3", "4", "5"], "lines")
    assert len(boxes) == 5
    assert [len(stroke.points) for stroke in strokes] == [2, 3]
    heights = [y for stroke in strokes for _, y in stroke.points]
    steps = [after - before for before, after in pairwise(heights)]
    assert steps == pytest.approx([steps[0]] * 4)


@pytest.mark.parametrize(
    "numbers", [["9" * 60, "1"], ["0." + "0" * 60 + "1"], ["-1" + "0" * 400, "1" + "0" * 400]]
)
def test_a_chart_stays_within_its_page(numbers: list[str]) -> None:
    """Whatever its numbers and names: they are said with powers of ten, or in several lines."""
    heads = tuple(Column(f"c{n}", "\u4f60 W" * 20, "quantity") for n in range(9))
    table = Table("t", "", heads, tuple((number,) * 9 for number in numbers))
    chart = Chart("c", "Title", "t", "c0", tuple(column.key for column in heads))
    section = Section("s", "S", Level.GOOD, "", tables=(table,), charts=(chart,))
    left, _, right, _ = ink(drawn(pdf(of_sections(section))))
    assert left >= SIDE and right <= 612 - SIDE


def test_without_numbers_there_is_no_chart() -> None:
    """Not even its title."""
    assert bars([None, "", "unknown"]) == ([], [])
    report = of_sections(replace(SAMPLE.section("trends"), tables=(replace(WEEKS, rows=()),)))
    assert "".join(texts(pdf(report))).count("Sessions by week") == 1


@given(st.decimals(-(10**9), 10**9, places=2), st.decimals(-(10**9), 10**9, places=2), st.booleans())
def test_an_axis_has_a_few_round_numbers(one: Decimal, other: Decimal, whole: bool) -> None:
    """They enclose the numbers and nought, evenly, by 1, 2 or 5 times a power of ten."""
    low, high = min(one, other), max(one, other)
    steps = ticks(low, high, whole=whole)
    assert steps[0] <= low and steps[-1] >= high and 0 in steps
    assert 2 <= len(steps) <= 7
    apart = {after - before for before, after in pairwise(steps)}
    assert len(apart) == 1 and str(apart.pop().normalize().as_tuple().digits) in {"(1,)", "(2,)", "(5,)"}
    assert not whole or all(step == step.to_integral_value() for step in steps)
