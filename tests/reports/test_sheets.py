"""Tables for spreadsheets: every value arrives as it was, and nothing that somebody wrote into the log is calculated."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
import unicodedata
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from compliance.domain.sheet_text import like_a_formula
from compliance.reports.forms.plain import visible
from compliance.reports.forms.sheets import csv_files, workbook
from compliance.reports.page import Cell, Column, Kind, Report, Section, Table
from tests.reports.random_reports import CELLS, HOSTILE, reports
from tests.reports.sample import CHECKPOINT, FORMULAS, NASTY, SAMPLE

ROOT = Path(__file__).parents[2]
SHOWN = NASTY.replace("\u202e", "[U+202E]")
SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20\u2212\ufe62"
FORMULA_LIKE = st.builds(
    lambda before, sign, after: f"{before}{sign}{after}",
    st.text(" \t\r\n\u00a0\u3000\u200b\x00", max_size=3),
    st.sampled_from(SIGNS),
    st.text(max_size=5) | st.just("cmd|' /C calc'!A0"),
)


def report_of(*tables: Table) -> Report:
    """A report of some tables."""
    return replace(SAMPLE, sections=(replace(SAMPLE.section("stock"), tables=tables, items=()),))


def one_column(values: list[Cell], kind: Kind = "text", table_id: str = "t") -> Report:
    """A report of a table of one column."""
    return report_of(
        Table(table_id, "One column", (Column("c", "C", kind),), tuple((value,) for value in values))
    )


def csv_rows(report: Report, name: str = "t.csv") -> list[list[str]]:
    """A table's file as a program reads it, without its headings."""
    text = csv_files(report)[name].decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))[1:]


def opened(report: Report) -> Any:
    """The workbook as a program reads it."""
    return openpyxl.load_workbook(io.BytesIO(workbook(report)))


def cells(report: Report, sheet: str = "t") -> list[Any]:
    """The first column of a sheet, below its heading."""
    (column,) = opened(report)[sheet].iter_cols(min_row=2, max_col=1)
    return list(column)


def parts(made: bytes) -> dict[str, str]:
    """A workbook's files, as text."""
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_a_csv_file_for_each_table() -> None:
    """UTF-8 with a byte order mark, CR LF, headings, values; nothing for nothing; a text that could be a formula after an apostrophe."""
    files = csv_files(SAMPLE)
    assert list(files) == ["stock-lots.csv", "trend-sessions.csv", "late-entries.csv"]
    assert files["late-entries.csv"] == b'\xef\xbb\xbf"Event"\r\n'
    lines = files["stock-lots.csv"].decode("utf-8-sig").split("\r\n")
    assert lines[0] == '"Site","Drug","Lot","Opening","Out","Difference","Entries"'
    assert lines[1] == '"SITE-A","ketamine_50","K-1","1000","12.5","-2","12, 15, 18"'
    assert csv_rows(SAMPLE, "stock-lots.csv")[1] == ["SITE-A", SHOWN, "'=1+1", "0", "", "0", ""]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_text_in_csv(text: str) -> None:
    """Whatever stands before the sign; a carriage return by itself is shown, and hides nothing."""
    ((field,),) = csv_rows(one_column([text]))
    assert field == ("[U+000D]=1" if text == "\r=1" else f"'{text}")


@given(FORMULA_LIKE)
def test_no_field_of_a_csv_file_begins_like_a_formula(text: str) -> None:
    """Not even after white space that a spreadsheet might skip, nor in other widths; and the text itself is still there."""
    ((field,),) = csv_rows(one_column([text]))
    first = unicodedata.normalize("NFKC", field.strip())[:1]
    assert first not in {"=", "+", "-", "@", "\u2212"}
    assert field.removeprefix("'") == visible(text)


@given(st.text(max_size=4))
def test_what_is_no_formula_is_left_alone(text: str) -> None:
    """The apostrophe stands nowhere else."""
    ((field,),) = csv_rows(one_column([text]))
    assert like_a_formula(visible(text).lstrip("'")) or field == visible(text)


@pytest.mark.parametrize(
    ("value", "kind", "field"),
    [
        (-2, "count", "-2"), ("-2", "quantity", "-2"), ("-0.5", "quantity", "-0.5"), ("-2", "text", "'-2"), ("-2+1", "quantity", "'-2+1"),
        ("+2", "quantity", "'+2"), ("-\u0662", "quantity", "'-\u0662"), ("-1e5", "quantity", "'-1e5"), (-2, "text", "'-2"), ("-2\n", "count", "'-2\n"),
    ],
)  # fmt: skip
def test_only_plain_numbers_in_columns_of_numbers_keep_their_sign_bare(
    value: Any, kind: Any, field: str
) -> None:
    """A negative quantity is a number; everything else that begins with a sign is text."""
    assert csv_rows(one_column([value], kind)) == [[field]]


def test_headings_are_disarmed_too() -> None:
    """A site's name may stand in a heading."""
    table = Table("t", "", (Column("c", "=HYPERLINK()"),), ())
    assert csv_files(report_of(table))["t.csv"].endswith(b'"\'=HYPERLINK()"\r\n')
    assert opened(report_of(table))["t"]["A1"].data_type == "s"


def test_a_workbook_has_a_sheet_for_each_table_after_the_report_and_its_items() -> None:
    """The front sheet says what the report is of and what is on the others; headings stay in sight and can be filtered by."""
    book = opened(SAMPLE)
    assert book.sheetnames == ["Report", "Items", "stock-lots", "trend-sessions", "late-entries"]
    front = [[cell for cell in row if cell is not None] for row in book["Report"].iter_rows(values_only=True)]
    assert (
        ["Headline", SAMPLE.headline] in front
        and ["Entries", 1636] in front
        and ["Root", SAMPLE.root] in front
    )
    assert ["Stock", "Action", "Stock differs from the count in 1 lot.", 0, "Overfill is not stock."] in front
    assert ["The log", "In order", "The log is whole: 1,636 entries.", 0, CHECKPOINT] in front
    assert ["Late entries", "late-entries", "Entries that came late: no entry came late", 0] in front
    headings, first, second = book["Items"].iter_rows(values_only=True)
    assert headings[:3] == ("Section", "Level", "What")
    assert first[:6] == (
        "New violations", "Alarm", "Left 1h 40m after the last device, before the two hours were over.", "discharge 12ab, SITE-A, entry 812",
        "Have the prescriber call the patient today.", "SPRAVATO REMS, Monitoring (read 2026-11-22)",
    )  # fmt: skip
    assert first[-2:] == ("left 1h 40m; asked 2h", "812, 790")
    assert second[2] == SHOWN
    stock = book["stock-lots"]
    assert (stock.freeze_panes, stock.auto_filter.ref, stock.print_title_rows) == ("A2", "A1:G4", "$1:$1")
    assert stock["A1"].font.bold and 9 <= stock.column_dimensions["B"].width <= 60
    assert [cell.value for cell in stock[2]] == ["SITE-A", "ketamine_50", "K-1", 1000, 12.5, -2, "12, 15, 18"]
    assert [cell.value for cell in stock[3]] == ["SITE-A", SHOWN, "=1+1", 0, None, 0, None]


def test_openpyxl_by_itself_would_write_a_formula() -> None:
    """What the workbook's cells are kept from, so that the tests below mean something."""
    book = openpyxl.Workbook()
    book.active["A1"] = "=1+1"
    book.active["A2"] = "#N/A"
    assert [book.active[cell].data_type for cell in ("A1", "A2")] == ["f", "e"]


def test_no_cell_of_a_workbook_is_a_formula() -> None:
    """Text by its type, marked as such for whoever edits it; and no formula's element anywhere in the file."""
    texts = [*FORMULAS, *HOSTILE, "#REF!", "{=1}", *(f"{sign}1" for sign in SIGNS)]
    made = workbook(one_column([*texts]))
    read = cells(one_column([*texts]))
    assert [unescape(cell.value or "") for cell in read] == [visible(text) for text in texts]
    assert {cell.data_type for cell in read if cell.value is not None} == {"s"}
    assert all(
        cell.quotePrefix for cell, text in zip(read, texts, strict=True) if like_a_formula(visible(text))
    )
    assert cells(one_column(["=1"]))[0].quotePrefix and not cells(one_column(["a"]))[0].quotePrefix
    assert not any(re.search(r"<(\w+:)?f\b", part) for name, part in parts(made).items() if "sheet" in name)


@settings(max_examples=12)
@given(reports())
def test_every_report_becomes_a_workbook_without_formulas(report: Report) -> None:
    """Any text and any number, in headings and cells; sheets have names of their own."""
    made = workbook(report)
    read = openpyxl.load_workbook(io.BytesIO(made))
    tables = [table for section in report.sections for table in section.tables]
    assert len(read.sheetnames) == 2 + len(tables)
    assert {cell.data_type for sheet in read for row in sheet for cell in row} <= {"s", "n"}
    assert not any(re.search(r"<(\w+:)?f\b", part) for name, part in parts(made).items() if "sheet" in name)


@settings(max_examples=20)
@given(st.lists(CELLS, min_size=1, max_size=8), st.sampled_from(["text", "count", "quantity", "entries"]))
def test_values_come_back_from_both_forms(values: list[Cell], kind: Kind) -> None:
    """Numbers exactly, as numbers where a spreadsheet can hold them; texts as they are shown; nothing as nothing."""
    report = one_column(values, kind)
    for value, cell, (field,) in zip(values, cells(report), csv_rows(report), strict=True):
        text = "" if value is None else visible(str(value))
        assert field in {text, f"'{text}"}
        if cell.data_type == "n" and cell.value is not None:
            assert kind in {"count", "quantity"} and Decimal(repr(cell.value)) == Decimal(text)
        else:
            assert unescape(cell.value or "") == text


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("12.50", 12.5), ("-2", -2), ("0", 0), (1636, 1636), ("0.1", 0.1), ("999999999999999", 999999999999999), ("1000000000000000000", 10**18), ("0.000000000000001", 1e-15),
        ("9999999999999999", None), ("0.1234567890123456", None), ("9007199254740993", None), (2**63 - 1, None), ("1" + "0" * 400, None), ("1e5", None), ("NaN", None), ("1,5", None),
    ],
)  # fmt: skip
def test_a_number_is_written_only_where_a_spreadsheet_keeps_it(value: Any, number: Any) -> None:
    """Fifteen digits survive; longer ones would be rounded, and stay text."""
    (cell,) = cells(one_column([value], "quantity"))
    assert (cell.data_type, cell.value) == (("s", str(value)) if number is None else ("n", number))


def test_names_of_sheets_are_valid_and_unique() -> None:
    """At most 31 characters, none of those that are not allowed, unlike each other and the first sheets in any case."""
    ids = ["report", "Items", "history", "a" * 40, "A" * 31, "b[1]:*?/\\'", "", "c\x00"]
    names = opened(report_of(*(Table(name, "", (Column("c", "C"),), ()) for name in ids))).sheetnames[2:]
    assert names == [
        "report-2",
        "Items-2",
        "history-2",
        "a" * 31,
        "A" * 29 + "-2",
        "b-1-------",
        "table",
        "c-U+0000-",
    ]


def test_what_no_cell_can_hold_is_cut_and_says_so() -> None:
    """32,767 characters are kept, longer texts end in a word about it; CSV has all of them."""
    whole, long = "x" * 32_767, "x" * 32_768
    kept, cut = (cell.value for cell in cells(one_column([whole, long])))
    assert kept == whole
    assert len(cut) == 32_767 and cut.endswith("x\u2026 (cut; 32,768 characters in all)")
    assert csv_rows(one_column([long])) == [[long]]


def test_the_clock_is_not_in_a_workbook() -> None:
    """Every time in the file is the report's date; years that no zip file knows are the nearest that it does."""
    made = workbook(SAMPLE)
    assert made == workbook(SAMPLE)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(2026, 3, 5, 0, 0, 0)}
    assert set(re.findall(r"\d{4}-\d\d-\d\dT[0-9:]+Z?", parts(made)["docProps/core.xml"])) == {
        "2026-03-05T00:00:00Z"
    }
    for date, year in (("1979-12-31", 1980), ("2108-12-31", 2107)):
        with zipfile.ZipFile(io.BytesIO(workbook(replace(SAMPLE, date=date)))) as archive:
            assert {entry.date_time for entry in archive.infolist()} == {(year, 12, 31, 0, 0, 0)}


def test_the_bytes_do_not_depend_on_what_else_is_installed() -> None:
    """openpyxl writes otherwise where it finds lxml, which only tests need."""
    call = "import sys; from tests.reports.test_sheets import SAMPLE, workbook; sys.stdout.buffer.write(workbook(SAMPLE))"
    answer = subprocess.run(
        [sys.executable, "-c", call], capture_output=True, cwd=ROOT, env=os.environ | {"OPENPYXL_LXML": "False", "PYTHONPATH": str(ROOT)}, check=True
    )  # fmt: skip
    assert answer.stdout == workbook(SAMPLE)


def test_an_empty_report_is_a_workbook_still() -> None:
    """No section, no table."""
    assert opened(replace(SAMPLE, sections=())).sheetnames == ["Report", "Items"]
    assert csv_files(replace(SAMPLE, sections=(Section("a", "A", SAMPLE.level, ""),))) == {}
