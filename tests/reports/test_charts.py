"""Charts: round numbers on the axis, bars as tall as their numbers, gaps where nothing is known, series that differ without colour."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.reports.forms.charts import HEIGHT, TOP, figure_of
from compliance.reports.page import Cell, Chart, Column, Table


def drawn(rows, kinds=("quantity",), form="bars", x="text") -> lxml.html.HtmlElement:
    """The figure of a table: the first cell of a row is what stands across, each other one a series."""
    columns = [Column(f"s{number}", f"Series {number}", kind) for number, kind in enumerate(kinds)]
    table = Table("t", "T", (Column("x", "X", x), *columns), tuple(rows))
    return lxml.html.fragment_fromstring(
        figure_of(Chart("c", "C", "t", "x", tuple(one.key for one in columns), form), table)
    )


def of(*numbers: Cell, kind="quantity", form="bars") -> lxml.html.HtmlElement:
    return drawn([(f"x{place}", number) for place, number in enumerate(numbers)], (kind,), form)


def ticks(figure: lxml.html.HtmlElement) -> list[str]:
    return figure.xpath(".//text[@class='number']/text()")


@pytest.mark.parametrize(
    ("numbers", "kind", "expected"),
    [
        ((1, 2, 3), "count", ["0", "1", "2", "3"]),
        ((0, 0), "count", ["0", "1"]),
        ((0,), "quantity", ["0", "1"]),
        (("0.2",), "quantity", ["0.00", "0.05", "0.10", "0.15", "0.20"]),
        ((30, 12), "count", ["0", "10", "20", "30"]),
        ((31,), "count", ["0", "10", "20", "30", "40"]),
        (("0.07",), "quantity", ["0.00", "0.02", "0.04", "0.06", "0.08"]),
        (("-3", "8"), "quantity", ["−5", "0", "5", "10"]),
        (("-3",), "quantity", ["−3", "−2", "−1", "0"]),
        ((1234567,), "count", ["0", "500,000", "1,000,000", "1,500,000"]),
        ((None, "5"), "quantity", ["0", "2", "4", "6"]),
    ],
)
def test_the_axis_has_few_round_numbers(numbers, kind, expected):
    """Nought is always one of them; what is counted has no halves."""
    assert ticks(of(*numbers, kind=kind)) == expected


NUMBERS = st.lists(
    st.decimals(-(10**12), 10**12, places=3).map(lambda number: f"{number:f}"), min_size=1, max_size=8
)


@given(NUMBERS, st.sampled_from(["bars", "lines"]))
def test_the_axis_reaches_from_below_the_least_to_above_the_greatest(numbers, form):
    """In two to six equal steps of 1, 2 or 5 times a power of ten."""
    axis = [Decimal(tick.replace(",", "").replace("−", "-")) for tick in ticks(of(*numbers, form=form))]
    values = [Decimal(number) for number in numbers]
    assert 2 <= len(axis) <= 6
    assert 0 in axis
    assert axis[0] <= min(values)
    assert axis[-1] >= max(values)
    steps = {after - before for before, after in pairwise(axis)}
    assert len(steps) == 1
    assert steps.pop().normalize().as_tuple().digits in {(1,), (2,), (5,)}


@given(NUMBERS)
def test_a_bar_is_as_tall_as_its_number(numbers):
    """Upwards from nought or downwards, in the same measure; one of nought is still to be seen."""
    figure = of(*numbers)
    axis = [Decimal(tick.replace(",", "").replace("−", "-")) for tick in ticks(figure)]
    per_pixel = (axis[-1] - axis[0]) / HEIGHT
    nought = TOP + axis[-1] / per_pixel
    for bar, number in zip(figure.xpath(".//g/rect"), map(Decimal, numbers), strict=True):
        top, tall = Decimal(bar.get("y")), Decimal(bar.get("height"))
        assert abs(tall - max(abs(number) / per_pixel, 1)) <= Decimal("0.01")
        assert abs((top if number < 0 else top + tall) - nought) <= Decimal("0.02")


def test_what_is_not_known_is_no_nought():
    """A dash instead of a bar, explained in the legend; a gap in a line, and a marker for what stands alone."""
    bars = of("1", None, "3", "")
    assert len(bars.xpath(".//g/rect")) == 2
    assert bars.xpath(".//text[@class='unknown']/text()") == ["–", "–"]
    assert bars.xpath("./ul/li")[-1].text_content() == "– not known"
    lines = of("1", "2", None, "3", None, "4", "5", form="lines")
    assert [len(line.get("points").split()) for line in lines.xpath(".//polyline")] == [2, 1, 2]
    assert "not known" not in of("1", "0").text_content()


def test_of_many_points_not_each_has_a_marker_but_each_that_stands_alone():
    """Ninety days of markers would be a second line."""
    figure = of(*[None if place in {50, 52} else "1" for place in range(90)], form="lines")
    assert 13 <= len(figure.xpath(".//g/svg[@class='at']")) <= 18
    (alone,) = [line for line in figure.xpath(".//polyline") if " " not in line.get("points")]
    x = alone.get("points").split(",")[0] + "%"
    assert x in figure.xpath(".//g/svg[@class='at']/@x")


@pytest.mark.parametrize("form", ["bars", "lines"])
def test_series_can_be_told_apart_without_colour(form):
    """By the pattern of their bars, by the dashes and markers of their lines; the legend shows the same, with words."""
    figure = drawn([("a", 1, 2, 3, 4, 5, 6), ("b", 2, 3, 4, 5, 6, 7)], ("count",) * 6, form)
    groups = figure.xpath(".//g[starts-with(@class, 'series')]")
    if form == "bars":
        looks = [group.find("rect").get("fill") for group in groups]
        samples = figure.xpath("./ul//rect/@fill")
        patterns = {
            f"url(#{one.get('id')})": lxml.html.tostring(one[1]) for one in figure.xpath(".//pattern")
        }
        assert set(looks[1:]) == set(patterns)
        assert len(set(patterns.values())) == 5
        assert samples == looks[1:]
    else:
        looks = [
            (
                group.find(".//polyline").get("stroke-dasharray"),
                lxml.html.tostring(group.find("svg[@class='at']")[-1]),
            )
            for group in groups
        ]
        assert len({dashes for dashes, _ in looks}) == len({marker for _, marker in looks}) == 6
        assert [line.get("stroke-dasharray") for line in figure.xpath("./ul//path[@class='line']")] == [
            dashes for dashes, _ in looks
        ]
    assert len(set(looks)) == 6
    assert [entry.text_content().strip() for entry in figure.xpath("./ul/li")] == [
        f"Series {number}" for number in range(6)
    ]


@pytest.mark.parametrize("rows", [(), (("a", None), ("b", "?"))])
def test_where_there_is_no_number_that_is_said(rows):
    """No empty axes."""
    figure = drawn(rows)
    assert figure.find("p").text_content() == "There is no number to draw."
    assert not figure.xpath(".//svg")


def test_words_on_the_axis_are_short_and_hostile_ones_can_be_seen():
    """Long ones are cut; what has no letters is told by its number. Each bar says its number when pointed at."""
    figure = drawn([("<b>" + "x" * 40, 1), ("a\u202eb", -2), (None, 3)], ("count",))
    assert figure.xpath(".//text[contains(@class, 'word')]/text()") == ["<b>xxxxxxxxxx…", "a[U+202E]b", "–"]
    assert figure.xpath(".//g/rect/title/text()") == [
        "<b>xxxxxxxxxx…, Series 0: 1",
        "a[U+202E]b, Series 0: −2",
        "–, Series 0: 3",
    ]
