"""Reports as PDF: everything can be found and copied, and the pages look as pages should."""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pypdfium2
import pypdfium2.raw as raw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from compliance.reports.forms.pdf import pdf
from compliance.reports.forms.pdf_lines import COLOURS
from compliance.reports.forms.pdf_paper import bold, regular, typewriter
from compliance.reports.forms.plain import behind, facts, shown
from compliance.reports.page import Column, Item, Level, Report, Section, Table
from tests.reports.pdf_pages import (
    BOTTOM,
    NUMBERED,
    SIDE,
    TOP,
    between_margins,
    drawn,
    ink,
    of_sections,
    of_table,
    squeezed,
    texts,
)
from tests.reports.random_reports import reports
from tests.reports.sample import CHECKPOINT, SAMPLE, STOCK


@pytest.fixture(scope="module")
def sample() -> bytes:
    return pdf(SAMPLE)


def test_everything_in_a_report_can_be_found(sample: bytes) -> None:
    """Titles, statements, what to do and where it is written, values, cells, notes: text, not pictures of it."""
    found = squeezed("".join(texts(sample)))

    def there(said: str) -> bool:
        return squeezed(said.replace("\u202e", "[U+202E]").replace("\u4f60", "[U+4F60]")) in found

    assert there(SAMPLE.headline) and there(SAMPLE.policies) and there("2026-03-05 · SITE-A, SITE-B")
    for section in SAMPLE.sections:
        assert there(section.title + section.summary)
        for item in section.items:
            assert all(
                there(said)
                for said in (item.title, item.where, item.todo, item.cites, facts(item.values), behind(item))
            )
        for table in section.tables:
            assert there(table.caption)
            assert there("".join(column.heading for column in table.columns)) or not table.rows
            for row in table.rows:
                assert all(
                    there(shown(cell, column.kind)) for cell, column in zip(row, table.columns, strict=True)
                )
        assert all(there(note) for note in section.notes)
    assert there("Entries that came late no entry came late")
    assert "SITE-B esketamine_28 E-7 40 6 0 99" in "".join(texts(sample))


def test_every_page_says_of_which_report_and_which_log(sample: bytes) -> None:
    """Title, date, page x of y, size and root of the log."""
    pages = texts(sample)
    for number, page in enumerate(pages, 1):
        assert f"Nightly report · 2026-03-05 · SITE-A, SITE-B Page {number} of {len(pages)}" in page
        assert f"1,636 entries of clinic.example/log root {SAMPLE.root}" in page


def test_the_file_says_what_it_is(sample: bytes) -> None:
    """Title, subject, language; its typefaces are in it; a bookmark for each section, on the page that the contents name."""
    document = pypdfium2.PdfDocument(sample)
    about = document.get_metadata_dict()
    assert (about["Title"], about["Subject"]) == ("Nightly report 2026-03-05", SAMPLE.headline)
    assert b"/Lang (en-US)" in sample and b"/DisplayDocTitle true" in sample
    assert len(re.findall(rb"/BaseFont /[A-Z]+\+BitstreamVeraSans", sample)) >= 2 and b"/FontFile2" in sample
    marks = [(mark.get_title(), mark.get_dest().get_index()) for mark in document.get_toc()]
    assert [title for title, _ in marks] == ["Contents", *(section.title for section in SAMPLE.sections)]
    pages = texts(sample)
    for title, index in marks:
        assert title in pages[index]
    beside = document[0].get_textpage().get_text_bounded(left=520, bottom=380, right=560, top=570)
    assert [int(number) - 1 for number in beside.split()] == [index for _, index in marks[1:]]


def test_the_contents_lead_to_the_sections(sample: bytes) -> None:
    """A link for each, to the page of its bookmark."""
    document = pypdfium2.PdfDocument(sample)
    place, link, goals = ctypes.c_int(0), raw.FPDF_LINK(), []
    while raw.FPDFLink_Enumerate(document[0], place, link):
        goals.append(raw.FPDFDest_GetDestPageIndex(document, raw.FPDFLink_GetDest(document, link)))
    assert goals == [mark.get_dest().get_index() for mark in document.get_toc()][1:]


def test_the_same_report_gives_the_same_bytes(sample: bytes) -> None:
    """No time, no chance in it."""
    assert pdf(SAMPLE) == sample


def test_a_checkpoint_is_printed_character_by_character(sample: bytes) -> None:
    """In its own lines, and with every character that the face has; others by number; a line that is too long is parted after a mark."""
    printed = [line.rstrip() for page in texts(sample) for line in page.splitlines()]
    assert [line for line in CHECKPOINT.splitlines() if line] == [
        line for line in printed if line in CHECKPOINT.splitlines() and line
    ]
    everything = "".join(
        sorted(
            typewriter().has(chr(code))
            for code in range(33, 256)
            if code not in {127, 173} and not 128 <= code < 161
        )
    )
    assert len(everything) == 94 + 95 - 1 and "[" not in everything.replace("[", "", 1)
    long = "k" * 150 + "\N{EM DASH}" + "m" * 60
    page = texts(
        pdf(
            of_sections(
                Section(
                    "log",
                    "Log",
                    Level.GOOD,
                    "",
                    verbatim=f"{everything[:94]}\n{everything[94:]}\n{long}\n\u4f60\n",
                )
            )
        )
    )[0]
    assert squeezed(everything) in squeezed(page)
    assert long in squeezed(page).replace("\\", "") and "[U+4F60]" in page
    assert "(A line that ends in \\ goes on in the next one.)" in page


def test_headings_stand_again_on_every_page_of_a_long_table() -> None:
    """And every row is there once."""
    rows = tuple(
        (f"SITE-{n % 3}", "ketamine_50", f"LOT-{n:04}", str(n), None, "0", f"{n}, {n + 1}")
        for n in range(600)
    )
    pages = texts(pdf(of_table(replace(STOCK, rows=rows))))
    assert len(pages) > 10
    assert all("Site Drug Lot Opening Out Difference Entries" in page for page in pages)
    assert re.findall(r"LOT-\d{4}", "".join(pages)) == [row[2] for row in rows]


def columns(number: int, word: str, rows: int = 2) -> Table:
    """A table of so many columns, each cell unlike all others."""
    heads = tuple(Column(f"c{n}", f"Head {n}") for n in range(number))
    return Table(
        "t",
        "Many columns",
        heads,
        tuple(tuple(f"{word} {n}.{row}" for n in range(number)) for row in range(rows)),
    )


@pytest.mark.parametrize(
    ("number", "sideways", "listed"),
    [
        (6, False, False),
        (12, False, False),
        (13, True, False),
        (19, True, False),
        (20, False, True),
        (60, False, True),
    ],
)
def test_a_wide_table_fits_a_page(number: Any, sideways: bool, listed: bool) -> None:
    """Upright, across in its own pages, or row by row where it is too wide even so; nothing is lost, nothing sticks out."""
    table = columns(number, "recorded value")
    made = pdf(of_table(table))
    document = pypdfium2.PdfDocument(made)
    assert any(page.get_width() > page.get_height() for page in document) is sideways
    found = squeezed("".join(texts(made)))
    assert all(squeezed(f"{cell}") in found for row in table.rows for cell in row)
    assert ("Head0:recordedvalue0.0" in found) is listed
    for number, page in enumerate(document):
        left, top, right, bottom = ink(drawn(made, number))
        assert left >= SIDE and right <= page.get_width() - SIDE, number
        assert top >= TOP and bottom <= page.get_height() - BOTTOM


@pytest.mark.parametrize(("notes", "upright"), [((), 0), (("What follows stands upright again.",), 1)])
def test_two_tables_across_leave_no_blank_page_between_them(notes: tuple[str, ...], upright: int) -> None:
    """Nor does one at the end; what comes after them is upright again."""
    wide = columns(14, "recorded value")
    section = Section("s", "S", Level.GOOD, "", tables=(wide, replace(wide, id="u")), notes=notes)
    document = pypdfium2.PdfDocument(pdf(of_sections(section)))
    across = [page.get_width() > page.get_height() for page in document]
    assert across == [False, True, True] + [False] * upright


def test_long_names_do_not_run_over_the_numbers_beside_them() -> None:
    """A page's head and foot are cut where they must be; the title page has all of it."""
    report = replace(
        SAMPLE, sites=tuple(f"SITE-{n}" for n in range(60)), origin="clinic.example/" + "log" * 60
    )
    made = pdf(report)
    assert all(between_margins(made))
    found = squeezed(texts(made)[0])
    assert report.origin in found and "".join(f"SITE-{n}," for n in range(59)) in found
    for number, page in enumerate(texts(made), 1):
        assert f"… Page {number} of 3" in page and f"… root {SAMPLE.root}" in page


def test_a_row_stands_on_one_page_where_one_can_hold_it() -> None:
    """Rows of ten lines are not parted."""
    rows = tuple((str(n), "\n".join(f"<{n}.{line}>" for line in range(10))) for n in range(40))
    table = Table("t", "Rows", (Column("n", "N"), Column("lines", "Lines")), rows)
    for page in texts(pdf(of_table(table))):
        assert all(f"<{n}.9>" in page for n in re.findall(r"<(\d+)\.0>", page))


def test_headings_that_would_fill_a_page_stand_beside_their_values() -> None:
    """They are not repeated for ever."""
    table = Table("t", "Tall", (Column("a", "heading " * 900), Column("b", "B")), (("x", "y"),))
    made = pdf(of_table(table))
    assert "B: y" in "".join(texts(made)) and len(texts(made)) < 4


@pytest.mark.parametrize(
    "text", ["word " * 3000, "W" * 6000, "line\n" * 300], ids=["words", "a word", "lines"]
)
def test_what_is_taller_than_a_page_goes_on_over_the_next(text: str) -> None:
    """In a cell, a statement or a note; all of it is there."""
    table = Table("t", "Tall", (Column("a", "A"), Column("b", "B")), (("x", text), ("y", "end of it")))
    item = Item(Level.ACTION, text, where="here", todo=text)
    made = pdf(of_sections(Section("s", "S", Level.GOOD, "", (item,), (table,), notes=(text,))))
    pages = texts(made)
    character = Counter(squeezed(text)).most_common(1)[0][0]
    assert "".join(pages).count(character) >= 4 * text.count(character)
    assert all(between_margins(made))
    assert len(pages) > 5 and "end of it" in "".join(pages)


@pytest.mark.parametrize("face", [regular, bold, typewriter], ids=["regular", "bold", "typewriter"])
@given(said=st.text(max_size=30))
def test_no_character_is_lost(face: Any, said: str) -> None:
    """Each stands as it is, composed if need be, or by its number."""
    assert face().has("e\u0301\u4f60") == "\u00e9[U+4F60]"
    shown_text = face().has(said)
    assert face().has(shown_text) == shown_text
    assert all(character in "\n\t" or face().advance(character) > 0 for character in shown_text)


def test_markup_and_directions_are_text(sample: bytes) -> None:
    """What would be markup elsewhere, and what would turn text round."""
    assert squeezed(NUMBERED) in squeezed("".join(texts(sample)))
    assert "\u202e" not in "".join(texts(sample))


@settings(max_examples=20)
@given(reports())
def test_every_report_can_be_printed(report: Report) -> None:
    """Whatever it holds: pages come out, nothing stands outside the margins, and every letter of every statement is there."""
    made = pdf(report)
    found = Counter("".join(texts(made)))
    wanted = Counter(
        character
        for section in report.sections
        for item in section.items
        for character in squeezed(bold().has(item.title) + regular().has(item.todo))
        if character.isalnum()
    )
    assert not wanted - found
    left, top, right, bottom = ink(drawn(made))
    assert left >= SIDE and right <= 612 - SIDE and top >= TOP and bottom <= 792 - BOTTOM


def colours(image: Image.Image, box: Sequence[float]) -> set[tuple[int, int, int]]:
    """The colours in a part of a page, whose bounds are measured from below."""
    left, bottom, right, top = (round(one) for one in box)
    counted: Any = image.crop((left, 792 - top, right, 792 - bottom)).getcolors(100_000)
    return {colour for _, colour in counted}


def rgb(name: str) -> tuple[int, int, int]:
    """A colour from its name in hex."""
    return int(name[1:3], 16), int(name[3:5], 16), int(name[5:7], 16)


def test_the_pages_look_as_pages_should(sample: bytes) -> None:
    """Chips in the colour of their level, ink where a table and a chart stand, a shaded row of headings, margins that are free."""
    first, second = drawn(sample), drawn(sample, 1)
    for image in (first, second, drawn(sample, 2)):
        left, top, right, bottom = ink(image)
        assert left == pytest.approx(50, abs=1) and right == pytest.approx(545, abs=1)
        assert top >= TOP and 740 < bottom <= 792 - BOTTOM
    assert {rgb(COLOURS[level]) for level in Level} <= colours(first, (50, 60, 545, 732))
    page = pypdfium2.PdfDocument(sample)[1].get_textpage()
    index, _ = page.search("Opening").get_next()
    left, foot, right, head = page.get_charbox(index)
    assert rgb("#E8ECF0") in colours(second, (left - 40, foot, right + 40, head))
    below = colours(second, (50, foot - 40, 545, foot - 4))
    assert min(sum(colour) for colour in below) < 200, "dark ink in the first rows"
    assert {rgb("#1F4E79"), rgb("#D08A3C")} <= colours(second, (50, 60, 545, 732)), "bars of both series"
