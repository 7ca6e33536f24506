"""Rows of a workbook's sheet, read as they come.

* Of a formula counts the value that was last calculated, as people saw it when they saved; without one there is nothing to take.
* A number is the digits that are stored; a number that is shown as a date or time is one, by the workbook's calendar (of 1900 or of 1904).
* Hidden rows and columns are read like all others: a filter that somebody left on must not decide what is recorded.
* A row that is part of merged cells is refused: which of its rows a merged value is meant for, nobody can say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from typing import Any, BinaryIO, Final

from openpyxl.styles.numbers import is_date_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

from compliance.errors import InputError
from compliance.intake.sheets.cells import LONGEST_ROW, Fault, Number, Row, Value, column_of
from compliance.intake.sheets.columns import folded
from compliance.intake.sheets.package import LONGEST, NotXml, Package, local
from compliance.intake.sheets.workbook import (
    LONGEST_TEXT,
    NOT_SAID,
    Merged,
    Sheet,
    Workbook,
    counted,
    unescaped,
    within_a_sheet,
)

FIELDS_SHEET: Final = "Fields"
"""The sheet of an empty table that says what its columns mean; it is none of events."""

MOST_BLANK: Final = 4_000_000
"""Cells that hold nothing but a format."""

_REF: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_DAYS: Final = 2_958_466
"""The day after 9999-12-31, as Excel counts."""


def open_sheet(
    stream: BinaryIO, name: str, kind: str, noted: Callable[[str], None]
) -> tuple[str, Iterator[Row]]:
    """The name of the sheet that holds events of a kind, and its rows.

    It is the sheet that is called as the kind is, else the first that people see and that is not empty. `noted` is told what is left out. Raises
    InputError for a file that is no workbook, or has no such sheet.
    """
    book = Workbook(Package(name, stream))
    named = [sheet for sheet in book.sheets if folded(sheet.name) == folded(kind)]
    seen = [sheet for sheet in book.sheets if sheet.visible and folded(sheet.name) != folded(FIELDS_SHEET)]
    for sheet in named or seen:
        rows = _rows(book, sheet, noted)
        first = next(rows, None)
        if first is None:
            continue
        others = sum(other is not sheet for other in seen)
        if others:
            noted(
                f"only the sheet {sheet.name!r} is read; {others} other{'s are' if others > 1 else ' is'} not"
            )
        return sheet.name, _with(first, rows)
    raise InputError(
        f"{name} has no sheet with a filled row that people see", "Fill in a table with headings."
    )


def _with(first: Row, rows: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rows


def _rows(book: Workbook, sheet: Sheet, noted: Callable[[str], None]) -> Iterator[Row]:
    merged = _Merges(book.merged(sheet))
    target = _Cells(book)
    try:
        for _ in book.package.parse(sheet.part, target):
            for row in target.taken():
                yield merged.marked(row)
    except (NotXml, _Unlike) as error:
        yield from (merged.marked(row) for row in target.taken())
        fault = Fault(
            f"the sheet cannot be read from here on: {error}",
            "save the workbook again from where it came",
            "damaged",
        )
        yield Row(target.row + (not target.in_row), fault=fault)
    if target.formulas:
        cells = "cell holds a formula" if target.formulas == 1 else "cells hold formulas"
        noted(f"{target.formulas:,} {cells}: the values that were last calculated were taken")


class _Unlike(ValueError):
    """A sheet is unlike what any spreadsheet program writes; the message says how."""


class _Merges:
    """Which rows are part of merged cells; rows are asked for in their order."""

    def __init__(self, merged: tuple[Merged, ...]) -> None:
        self._coming = list(merged[::-1])
        self._about: list[Merged] = []

    def marked(self, row: Row) -> Row:
        """The row; with a fault in place of each cell that is part of merged ones."""
        while self._coming and self._coming[-1].first <= row.number:
            self._about.append(self._coming.pop())
        self._about = [one for one in self._about if one.last >= row.number]
        if not self._about or row.fault is not None:
            return row
        return Row(row.number, {**row.cells, **{one.column: _merged(one, row) for one in self._about}})


def _merged(one: Merged, row: Row) -> Value:
    said = row.cells.get(one.column)
    return Fault(
        f"the cells {one.ref} are merged, so it cannot be said which row and column {'their value is' if said else 'they are'} of",
        "unmerge them, and write the value into each cell that it is meant for",
        "merged",
        said=said,
    )


class _Cells:
    """A target that makes rows of the elements of a sheet (ECMA-376, part 1, 18.3.1)."""

    def __init__(self, book: Workbook) -> None:
        self.row = 0
        self.in_row = False
        self.formulas = 0
        self._book = book
        self._rows: list[Row] = []
        self._cells: dict[int, Value] = {}
        self._column = self._blank = self._length = self._of_row = self._of_all = 0
        self._attributes: dict[str, str] = {}
        self._said: dict[str, list[str]] = {}
        self._into: list[str] | None = None
        self._in_cell = False
        self._aside = 0

    def taken(self) -> list[Row]:
        """The rows that are finished."""
        rows, self._rows = self._rows, []
        return rows

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        element = local(tag)
        if self._in_cell:
            if element in {"v", "f"} or (element == "t" and not self._aside):
                self._into = self._said.setdefault(element, [])
            elif element == "rPh":
                self._aside += 1
        elif element == "c":
            self._begin_cell(attributes)
        elif element == "row":
            self._begin_row(attributes.get("r", str(self.row + 1)))

    def _begin_row(self, number: str) -> None:
        if not (counted(number) > self.row and within_a_sheet(counted(number), 1)):
            raise _Unlike("its rows are not in their order, or are too many")
        self.row, self._column, self._cells, self._of_row = counted(number), 0, {}, 0
        self.in_row = True

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        ref = attributes.get("r")
        match = None if ref is None else _REF.fullmatch(ref)
        column = (
            self._column + 1
            if ref is None
            else column_of(match[1])
            if match and int(match[2]) == self.row
            else 0
        )
        if column <= self._column or not within_a_sheet(self.row, column):
            raise _Unlike("its cells are not in their order, or are too many")
        self._column, self._attributes, self._said, self._length = column, attributes, {}, 0
        self._in_cell, self._aside = True, 0

    def data(self, text: str) -> None:
        """Text within an element."""
        if self._into is not None and self._length <= LONGEST_TEXT:
            self._into.append(text)
            self._length += len(text)

    def end(self, tag: str) -> None:
        """An element ends."""
        self._into = None
        element = local(tag)
        if element == "rPh" and self._aside:
            self._aside -= 1
        elif element == "c" and self._in_cell:
            self._in_cell = False
            self._end_cell()
        elif element == "row":
            self._end_row()

    def _end_row(self) -> None:
        self.in_row = False
        if self._cells:
            self._rows.append(Row(self.row, self._cells))
            self._cells = {}

    def _end_cell(self) -> None:
        value = self._value()
        if value is None or (isinstance(value, str) and not value.strip()):
            self._blank += 1
            if self._blank > MOST_BLANK:
                raise _Unlike(f"it has more than {MOST_BLANK:,} cells with nothing in them")
            return
        self._cells[self._column] = value
        if isinstance(value, str):
            self._of_row += len(value)
            self._of_all += len(value)
            if self._of_row > LONGEST_ROW or self._of_all > LONGEST:
                raise _Unlike("its texts are longer than those of any table of events")

    def close(self) -> None:
        """The part ends."""

    def _value(self) -> Value | None:
        said = {name: "".join(parts) for name, parts in self._said.items()}
        if self._length > LONGEST_TEXT:
            return Fault(f"a text of more than {LONGEST_TEXT:,} characters", "shorten it", "too_long")
        if "f" in said:
            if not said.get("v"):
                return _NOT_CALCULATED
            self.formulas += 1
        kind, stored = self._attributes.get("t", "n"), said.get("v", "")
        if kind == "inlineStr":
            return _text(said.get("t", ""))
        if not stored:
            return None
        if kind == "s":
            number = counted(stored)
            return _text(self._book.texts[number]) if 0 <= number < len(self._book.texts) else _NO_SUCH_TEXT
        if kind == "str":
            return _text(stored)
        if kind == "b":
            return stored in {"1", "true"}
        if kind == "e":
            return Fault(
                f"the cell shows the error {stored[:9]}", "mend its formula, or type the value", "error_cell"
            )
        if kind == "d":
            return _iso(stored)
        return self._number(stored.strip())

    def _number(self, stored: str) -> Value:
        shown = self._book.format(self._attributes.get("s", "0"))
        try:
            number = float(stored)
        except ValueError:
            return _NO_NUMBER
        if not math.isfinite(number) or "_" in stored:
            return _NO_NUMBER
        if shown == NOT_SAID:
            return _NOT_SAID
        if not is_date_format(shown):
            return Number(stored, shown)
        return _moment(number, shown, self._book.since_1904)


def _text(text: str) -> Value | None:
    plain = unescaped(text)
    return _NO_TEXT if plain is None else plain or None


def _moment(number: float, shown: str, since_1904: bool) -> Value:
    """The date, time or both that a number stands for; to the millisecond, as Excel shows it."""
    if not 0 <= number < _DAYS or (not since_1904 and 60 <= number < 61):  # 1900-02-29, which never was
        return Fault("a number that is shown as a date, and is none", "type the date again", "bad_date")
    moment: Any = from_excel(number, CALENDAR_MAC_1904 if since_1904 else CALENDAR_WINDOWS_1900)
    codes = _LITERAL.sub("", shown)
    if isinstance(moment, datetime) and moment.time() == time() and not _SHOWS_HOURS.search(codes):
        return moment.date()
    if isinstance(moment, datetime | time):
        return _half_shown(moment, codes) or moment
    return Fault("a number that is shown as a date, and is none", "type the date again", "bad_date")


def _half_shown(moment: datetime | time, codes: str) -> Fault | None:
    """That people see the date or the time of day alone of a cell that holds both; None where they see all that is not midnight."""
    whole, elapsed = _WHOLE_DATE.search(codes), _ELAPSED.search(codes)
    if _SHOWS_HOURS.search(codes):
        if isinstance(moment, time) or (whole and not elapsed):
            return None
        seen = "a length of time" if elapsed else f"{moment:%H:%M}, and not the whole date"
    else:
        if moment == time():
            return None
        seen = f"{moment:%Y-%m-%d}" if isinstance(moment, datetime) else "no time of day"
    return Fault(
        f"the cell shows {seen}, but holds {moment.isoformat(' ', 'seconds') if isinstance(moment, datetime) else f'{moment:%H:%M:%S}'}",
        "format the column to show date and time, such as yyyy-mm-dd hh:mm, and check its values",
        "half_shown",
        said=moment,
    )


_SHOWS_HOURS: Final = re.compile("[hHsS]")
_WHOLE_DATE: Final = re.compile("(?i)(?=.*y)(?=.*m).*d")
_ELAPSED: Final = re.compile(r"(?i)\[[hms]+\]")
_LITERAL: Final = re.compile(r'(?i)"[^"]*"|\[(?![hms]+\])[^]]*\]|\\.|[_*].|;.*', re.DOTALL)
"""What a number format shows as it is, its colour and language, and the formats of other numbers."""


def _iso(stored: str) -> Value:
    """A cell of the strict kind that holds ISO 8601."""
    for read in (date.fromisoformat, datetime.fromisoformat, time.fromisoformat):
        try:
            found = read(stored)
        except ValueError:
            continue
        return found if getattr(found, "tzinfo", None) is None else stored
    return Fault("a date that cannot be read", "type the date again", "bad_date")


_NOT_CALCULATED: Final = Fault(
    "the cell holds a formula that was never calculated",
    "open the workbook in the spreadsheet program and save it again, or type the value",
    "formula",
)
_NOT_SAID: Final = Fault(
    "a number that may be shown as a date or as anything else: the workbook does not say its format",
    "format the column, and type the value again",
)
_NO_SUCH_TEXT: Final = Fault(
    "the cell refers to a text that the workbook does not have", "save the workbook again", "damaged"
)
_NO_NUMBER: Final = Fault("the cell holds a number that is none", "type the value again", "damaged")
_NO_TEXT: Final = Fault("half of a character", "type the text again", "damaged")
