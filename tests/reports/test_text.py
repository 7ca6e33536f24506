"""Reports as plain text: a summary for a lock screen, and the whole of it for mail."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.reports.forms.fitting import lines, longest_word, shares
from compliance.reports.forms.plain import one_line, shortened, shown, visible
from compliance.reports.forms.text import SHORT, columns, summary, text
from compliance.reports.page import Column, Item, Level, Report, Section, Table
from tests.reports.random_reports import TEXTS, reports
from tests.reports.sample import CHECKPOINT, NASTY, SAMPLE

SHOWN = NASTY.replace("\u202e", "[U+202E]")
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def hidden(said: str) -> list[str]:
    """The characters that are not seen."""
    return [one for one in said if unicodedata.category(one) in UNSEEN and one not in "\n\t"]


def test_the_summary_says_the_most_urgent_first() -> None:
    """The headline, which report it is, sections by urgency each with what comes first in it, and in one line what is in order."""
    assert summary(SAMPLE).splitlines() == [
        "2 new violations, 1 duty overdue, stock differs in 1 lot; the log is…",
        "Nightly report 2026-03-05: SITE-A, SITE-B",
        "Alarm: New violations (2). 2 new findings, of which 1 denies.",
        "  Left 1h 40m after the last device, before the two hours… (SITE-A)",
        "  </script><script>alert('x')</script> & \"quotes\"… (SITE-B)",
        "Action: Stock. Stock differs from the count in 1 lot.",
        "Notice: Trends over 90 days. Sessions are steady.",
        "In order: The log, Late entries",
    ]


def test_a_good_night_is_three_lines() -> None:
    """Nothing to look at, nothing to read."""
    good = tuple(replace(section, level=Level.GOOD) for section in SAMPLE.sections)
    night = replace(
        SAMPLE, sections=good, level=Level.GOOD, headline="Everything is in order; the log is whole"
    )
    assert summary(night).splitlines() == [
        "Everything is in order; the log is whole",
        "Nightly report 2026-03-05: SITE-A, SITE-B",
        "In order: The log, New violations, Stock, Trends over 90 days, Late…",
    ]


def test_the_summary_says_how_much_it_leaves_out() -> None:
    """Many sections, each with many items: the most urgent stand, the others are counted."""
    item = Item(Level.ACTION, "Something", site="S" * 50)
    many = [Section(f"s{n}", f"Part {n}", Level.NOTICE, "Look.", (item,) * 9) for n in range(14)]
    alarm = Section(
        "a", "Last and worst", Level.ALARM, "Bad.", (item, replace(item, level=Level.ALARM, title="Worst"))
    )
    said = summary(replace(SAMPLE, sections=(*many, alarm), sites=("A", "B", "C", "D"))).splitlines()
    assert said[1] == "Nightly report 2026-03-05: 4 sites"
    assert said[2] == "Alarm: Last and worst (2). Bad."
    assert (len(said), said[-1]) == (12, "and 6 more parts to look at")
    few = summary(replace(SAMPLE, sections=(alarm, *many[:8]))).splitlines()
    assert few[3] == "  Worst (SSSSSSSSSSSSSSSSSSS…)"


@given(reports())
@settings(max_examples=25)
def test_the_summary_is_short_whatever_the_report_says(report: Report) -> None:
    """At most thirteen lines of at most 70 characters, none of which moves or hides another."""
    said = summary(report)
    assert len(said.splitlines()) <= 13
    assert max(map(len, said.splitlines())) <= SHORT
    assert not hidden(said)


def test_the_whole_report_is_there() -> None:
    """Every statement, every value, with words for levels."""
    said = text(SAMPLE)
    flat = one_line(said)
    for section in SAMPLE.sections:
        assert section.title in said and section.summary in said
        for item in section.items:
            values = (
                item.title,
                item.where,
                item.todo,
                item.cites,
                *item.values.values(),
                item.rule,
                item.event,
                item.at,
                item.id,
            )
            assert all(one_line(value) in flat for value in values)
        assert all(note in said for note in section.notes)
    assert CHECKPOINT in said
    assert SAMPLE.root in said and "1,636 entries" in said and SAMPLE.policies in said
    assert re.search(r"SITE-A  ketamine_50 +K-1      1000  12\.5          -2  12, 15, 18\n", said)
    assert re.search(r"SITE-B  esketamine_28 +E-7        40     6           0  99\n", said)
    assert "2026-01-08        23        1" in said
    assert "Entries that came late\n  no entry came late\n" in said
    assert "* Alarm: Left 1h 40m" in said and "Stock (action)\n==============\n" in said


def test_a_table_that_is_too_wide_is_listed_row_by_row() -> None:
    """Nothing is cut off."""
    wide = Table(
        "w",
        "Wide",
        tuple(Column(f"c{n}", f"Heading {n}") for n in range(20)),
        (tuple(f"value {n}" for n in range(20)),),
    )
    said = text(replace(SAMPLE, sections=(Section("s", "S", Level.GOOD, "", tables=(wide,)),)))
    assert (
        "Wide\n1.\n  Heading 0: value 0\n  Heading 1: value 1\n" in said
        and "  Heading 19: value 19\n" in said
    )


@pytest.mark.parametrize("width", [40, 78, 100])
@settings(max_examples=15)
@given(report=reports())
def test_no_line_is_wider_than_asked_and_nothing_is_hidden(width: int, report: Report) -> None:
    """Whatever it says: lines fit, except those printed verbatim; no control and no direction is left; every letter of an item's is there."""
    without = replace(report, sections=tuple(replace(section, verbatim="") for section in report.sections))
    said = text(without, width)
    assert max(map(columns, said.split("\n"))) <= width
    assert not hidden(text(report, width))
    squeezed = "".join(said.split())
    for item in (item for section in report.sections for item in section.items):
        assert "".join(visible(item.title).split()) in squeezed


def test_verbatim_text_keeps_its_lines() -> None:
    """A checkpoint can be copied out of a mail: long lines stay whole, blank ones and leading spaces stay."""
    section = replace(SAMPLE.section("log"), verbatim=f"  {'x' * 200}\n\n end\n")
    assert f"\n  {'x' * 200}\n\n end\n" in text(replace(SAMPLE, sections=(section,)))


@pytest.mark.parametrize(
    ("given_text", "seen"),
    [
        ("K-1", "K-1"), ("a\r\nb\tc\nd", "a\nb\tc\nd"), ("\r=1", "[U+000D]=1"), ("\u202eabc\u2069", "[U+202E]abc[U+2069]"), ("\x1b[31m", "[U+001B][31m"),
        ("a\u200bb\ufeff", "a[U+200B]b[U+FEFF]"), ("\ud800", "[U+D800]"), ("\u2028", "[U+2028]"), ("\u3164\ufe0f", "[U+3164][U+FE0F]"), ("\U000e0041", "[U+E0041]"),
        ("\u00e9\u4f60\u05d0", "\u00e9\u4f60\u05d0"), ("\u00a0", "\u00a0"), ("\u00ad", "[U+00AD]"),
    ],
)  # fmt: skip
def test_characters_that_are_not_seen_are_shown_by_number(given_text: str, seen: str) -> None:
    """What would move, hide or end other text, and what makes two lots look alike."""
    assert visible(given_text) == seen


@given(st.text())
def test_visible_text_hides_nothing_and_stays_so(said: str) -> None:
    """Whatever it is made of."""
    assert not hidden(visible(said))
    assert visible(visible(said)) == visible(said)


@given(TEXTS, st.integers(4, 30))
def test_shortened_text_is_short_and_says_that_it_was_cut(said: str, limit: int) -> None:
    """A beginning of the text, on one line."""
    short = shortened(said, limit)
    assert len(short) <= limit and "\n" not in short
    assert short == one_line(said) or (short.endswith("…") and one_line(said).startswith(short[:-1]))


@pytest.mark.parametrize(
    ("value", "kind", "seen"),
    [(None, "count", "–"), (1636, "count", "1,636"), (1636, "text", "1636"), ("1636.50", "quantity", "1636.50"), ("", "text", "")],
)  # fmt: skip
def test_values_of_tables_for_people(value: Any, kind: Any, seen: str) -> None:
    """Counts with commas, quantities as they are, a dash for nothing."""
    assert shown(value, kind) == seen


@given(st.text("ab-/ \n\t", max_size=60) | TEXTS, st.integers(2, 20))
def test_lines_lose_nothing_and_fit(said: str, width: int) -> None:
    """Only white space is lost, and only a character that is itself too wide sticks out."""
    said = visible(said)
    made = lines(said, width, columns)
    assert "".join("".join(made).split()) == "".join(said.split())
    assert all(columns(line) <= width for line in made)
    if longest_word(said, columns) <= width:
        assert " ".join(made).split() == said.split()


def test_long_words_are_parted_where_a_mark_is() -> None:
    """A digest or an address is parted after a mark, if that leaves no more than half a line empty."""
    assert lines("ketamine_inj_50mg_ml", 12, columns) == ["ketamine_", "inj_50mg_ml"]
    assert lines("a-bcdefghijklmnop", 8, columns) == ["a-bcdefg", "hijklmno", "p"]


WIDTHS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=6)


@given(WIDTHS, st.integers(10, 100))
def test_columns_share_what_there_is(pairs: list[tuple[int, int]], available: int) -> None:
    """No wider than they would be, no narrower than they must be, together no wider than the page; and what is there is used."""
    least, natural = [min(pair) for pair in pairs], [max(pair) for pair in pairs]
    given_widths = shares(natural, least, available)
    if given_widths is None:
        assert sum(least) > available
        return
    assert all(low <= wide <= high for low, wide, high in zip(least, given_widths, natural, strict=True))
    assert sum(given_widths) == pytest.approx(min(available, sum(natural)))
    assert sum(given_widths) <= max(available, 0) + 1e-9
