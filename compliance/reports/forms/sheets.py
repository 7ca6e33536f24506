"""The tables of a report for spreadsheets: a CSV file for each, and one workbook of all.

What a spreadsheet would take for a formula stays text (OWASP, CSV Injection): in CSV an apostrophe stands before it, in a workbook the cell is text by
its type. Only columns of numbers hold numbers, and only where a spreadsheet keeps every digit.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from itertools import chain
from typing import Any, Final
from xml.etree.ElementTree import canonicalize

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.writer.excel import ExcelWriter

from compliance.domain.sheet_text import disarmed, like_a_formula
from compliance.reports.forms.plain import LEVELS, decimal, facts, visible
from compliance.reports.page import Cell, Column, Item, Report, Table

_LONGEST: Final = 32_767
"""Characters that a cell of a workbook holds (ECMA-376, as Excel keeps it)."""

_DIGITS: Final = 15
"""A decimal of so many digits comes back from a binary double as it was (IEEE 754); spreadsheets show no more."""

_WRITTEN: Final = 100
"""Characters of a number; well within the powers of ten that a double has."""

_ESCAPE: Final = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
"""What a workbook would read as a character by number (ECMA-376, ST_Xstring)."""

_NAME: Final = re.compile(r"[][:*?/\\']")
"""What no name of a sheet may hold."""

_COUNT: Final = Column("count", "", "count")
_TEXT: Final = Column("text", "")
_HEAD: Final = Font(name="Calibri", size=11, bold=True)
_SHADE: Final = PatternFill("solid", fgColor="E8ECF0")
_WRAP: Final = Alignment(vertical="top", wrap_text=True)

_ITEMS: Final = (
    Column("section", "Section"), Column("level", "Level"), Column("title", "What"), Column("where", "Where"), Column("todo", "To do"),
    Column("cites", "Source"), Column("rule", "Rule"), Column("severity", "Severity"), Column("site", "Site"), Column("event", "Event"),
    Column("at", "At", "instant"), Column("id", "Finding"), Column("values", "Values"), Column("entries", "Entries", "entries"),
)  # fmt: skip


def csv_files(report: Report) -> dict[str, bytes]:
    """A file for each table, by name: UTF-8 with a byte order mark, lines as RFC 4180 asks, every field in quotes."""
    return {f"{table.id}.csv": _csv(table) for section in report.sections for table in section.tables}


def _csv(table: Table) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([disarmed(visible(column.heading)) for column in table.columns])
    for row in table.rows:
        writer.writerow(
            [_field(value, column) for value, column in zip(row, table.columns, strict=True)],
        )
    return text.getvalue().encode("utf-8-sig")


def _field(value: Cell, column: Column) -> str:
    if value is None:
        return ""
    return decimal(value, column.kind) or disarmed(visible(str(value)))


def workbook(report: Report) -> bytes:
    """All tables as XLSX: a sheet each, after one of the report as a whole and one of its items. The same report gives the same bytes.

    A text of more than 32,767 characters is cut, which is said at its end: no cell can hold more.
    """
    book = Workbook(write_only=True)
    tables = [table for section in report.sections for table in section.tables]
    names = _sheet_names(tables)
    _front(book, report, names)
    _sheet(
        book,
        "Items",
        _ITEMS,
        [row for section in report.sections for row in _items(section.title, section.items)],
    )
    for table in tables:
        _sheet(book, names[table.id], table.columns, table.rows)
    made_at = datetime.combine(date.fromisoformat(report.date), time(), UTC)
    about = book.properties
    about.title, about.creator, about.language = _kept(report.title), _kept(report.origin), "en"
    about.created = about.modified = made_at.replace(tzinfo=None)
    return _packed(book, made_at)


def _sheet_names(tables: list[Table]) -> dict[str, str]:
    """A name for each table's sheet: its id, without what a name may not hold, unlike all others whatever their case."""
    names: dict[str, str] = {}
    taken = {"report", "items", "history"}  # the last is Excel's own
    for table in tables:
        plain = _NAME.sub("-", visible(table.id))[:31] or "table"
        name, number = plain, 2
        while name.casefold() in taken:
            tail = f"-{number}"
            name, number = plain[: 31 - len(tail)] + tail, number + 1
        taken.add(name.casefold())
        names[table.id] = name
    return names


def _front(book: Workbook, report: Report, names: dict[str, str]) -> None:
    """The sheet that says what the report is of, and what is on the other sheets."""
    sheet = book.create_sheet("Report")
    for letter, wide in zip("ABCDEF", (26, 14, 70, 10, 60, 60), strict=True):
        sheet.column_dimensions[letter].width = wide
    for name, value in (
        ("Report", report.title), ("Headline", report.headline), ("Level", LEVELS[report.level]), ("Date", report.date),
        ("Sites", ", ".join(report.sites)), ("Log", report.origin), ("Root", report.root), ("Policies", report.policies),
    ):  # fmt: skip
        sheet.append([_cell(sheet, name, _TEXT, head=True), _cell(sheet, value, _TEXT)])
    for name, number in (("Entries", report.size), ("Edition", report.edition)):
        sheet.append([_cell(sheet, name, _TEXT, head=True), _cell(sheet, number, _COUNT)])
    sheet.append([])
    _row(sheet, ("Section", "Level", "Summary", "Items", "Notes", "In print"), head=True)
    for section in report.sections:
        _row(
            sheet,
            (section.title, LEVELS[section.level], section.summary, len(section.items), "\n\n".join(section.notes), section.verbatim),
        )  # fmt: skip
    sheet.append([])
    _row(sheet, ("Table", "Sheet", "What is in it", "Rows"), head=True)
    for section in report.sections:
        for table in section.tables:
            caption = table.caption if table.rows else f"{table.caption}: {table.empty}"
            _row(sheet, (section.title, names[table.id], caption, len(table.rows)))


def _row(sheet: Any, values: tuple[Cell, ...], *, head: bool = False) -> None:
    sheet.append(
        [_cell(sheet, value, _COUNT if isinstance(value, int) else _TEXT, head=head) for value in values],
    )


def _items(section: str, items: tuple[Item, ...]) -> Iterator[tuple[Cell, ...]]:
    for item in items:
        yield (
            section, LEVELS[item.level], item.title, item.where, item.todo, item.cites, item.rule, item.severity, item.site, item.event, item.at, item.id,
            facts(item.values), ", ".join(map(str, item.entries)),
        )  # fmt: skip


def _sheet(book: Workbook, name: str, columns: tuple[Column, ...], rows: Any) -> None:
    sheet = book.create_sheet(name)
    sheet.freeze_panes = "A2"
    sheet.print_title_rows = "1:1"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{len(rows) + 1}"
    for index, column in enumerate(columns):
        letter = get_column_letter(index + 1)
        longest = max(_longest_line(value) for value in chain([column.heading], (row[index] for row in rows)))
        sheet.column_dimensions[letter].width = min(max(longest + 3, 9), 60)  # 3: the filter's button
    sheet.append([_cell(sheet, column.heading, _TEXT, head=True) for column in columns])
    for row in rows:
        sheet.append([_cell(sheet, value, column) for value, column in zip(row, columns, strict=True)])


def _longest_line(value: Cell) -> int:
    return max(map(len, str(value).split("\n")))


def _cell(sheet: Any, value: Cell, column: Column, *, head: bool = False) -> Any:
    """A cell: a number in a column of numbers, otherwise text whatever it looks like."""
    cell = WriteOnlyCell(sheet)
    cell.alignment = _WRAP
    if head:
        cell.font, cell.fill = _HEAD, _SHADE
    number = _number(value, column)
    if number is not None:
        cell.value = number
        if column.kind == "count":
            cell.number_format = "#,##0"
    elif value not in {None, ""}:
        text = _kept(str(value))
        cell.value, cell.data_type = text, "s"
        cell.quotePrefix = like_a_formula(text)
    return cell


def _number(value: Cell, column: Column) -> int | float | None:
    """The number that a spreadsheet keeps exactly; None for what it would not."""
    digits = decimal(value, column.kind)
    if digits is None or len(digits) > _WRITTEN or len(re.sub("[-.]", "", digits).strip("0")) > _DIGITS:
        return None
    return float(digits) if "." in digits else int(digits)


def _kept(text: str) -> str:
    """Text as a cell can hold it."""
    text = _ESCAPE.sub("_x005F_", visible(text))
    if len(text) <= _LONGEST:
        return text
    said = f"\N{HORIZONTAL ELLIPSIS} (cut; {len(text):,} characters in all)"
    return text[: _LONGEST - len(said)] + said


def _packed(book: Workbook, made_at: datetime) -> bytes:
    """The workbook's file; its members bear the report's date instead of the clock's."""
    loose, packed = io.BytesIO(), io.BytesIO()
    ExcelWriter(
        book, zipfile.ZipFile(loose, "w")
    ).save()  # not book.save(), which sets the time of the change
    year = min(max(made_at.year, 1980), 2107)  # a zip file knows no others
    stamp = (year, *made_at.timetuple()[1:6])
    with zipfile.ZipFile(loose) as members, zipfile.ZipFile(packed, "w") as archive:
        for name in members.namelist():
            entry = zipfile.ZipInfo(name, stamp)
            entry.compress_type = zipfile.ZIP_DEFLATED
            # Canonical XML: how openpyxl writes depends on whether lxml happens to be installed.
            archive.writestr(entry, canonicalize(members.read(name).decode()))
    return packed.getvalue()
