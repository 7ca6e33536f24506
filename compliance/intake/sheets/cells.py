"""What a cell of a table may hold, whichever file it is in, and a row of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import lru_cache
from typing import Final, TypeAlias

from compliance.domain.reading import Unreadable

LONGEST_ROW: Final = 1024 * 1024
"""Bytes (or characters) of a row; an event is at most 32 KiB."""

LAST_ROW: Final = 1_048_576
LAST_COLUMN: Final = 16_384
"""As many rows and columns as a sheet of a workbook has (ECMA-376, as Excel keeps it)."""

HEADINGS_WITHIN: Final = 20
"""The headings stand in one of so many first rows; a title may stand above them."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as a workbook stores it: the digits of a binary double, and the format that it is shown in."""

    digits: str
    format: str = "General"


@dataclass(frozen=True, slots=True)
class Fault:
    """A cell or row that says nothing that can be taken: what is wrong, and what to do about it."""

    message: str
    remedy: str
    code: str = "bad_cell"
    said: Value | None = None
    """What the cell shows nevertheless; kept with the row."""

    def refusal(self) -> Unreadable:
        """The same, to be raised."""
        return Unreadable(self.message, self.remedy)


Value: TypeAlias = str | bool | Number | date | time | datetime | Fault
"""A cell that is not empty. Dates and times bear no zone: they are those of a clock on a wall."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row by its number as a spreadsheet shows it, its filled cells by column (from 1); `fault` where it is no row of a table at all."""

    number: int
    cells: Mapping[int, Value] = field(default_factory=dict)
    fault: Fault | None = None
    found: bytes = b""  # where there is a fault: what stood there

    def raw(self) -> bytes:
        """The row as CSV, every field in quotes: what is kept of a row that is no event."""
        if self.fault is not None:
            return self.found
        text = io.StringIO(newline="")
        filled = [_shown(self.cells.get(column)) for column in range(1, max(self.cells, default=0) + 1)]
        csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(filled)
        # What was not UTF-8 was read as surrogates (PEP 383), and becomes the same bytes again.
        return text.getvalue().encode("utf-8", "surrogateescape")


def _shown(value: Value | None) -> str:
    if value is None:
        return ""
    if isinstance(value, Number):
        return value.digits
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, Fault):
        return _shown(value.said)
    return value if isinstance(value, str) else value.isoformat()


def letters(column: int) -> str:
    """A column as a spreadsheet names it: 3 is ``C``, 28 is ``AB``."""
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


@lru_cache(maxsize=1024)
def column_of(name: str) -> int:
    """The number of a column by its letters; 0 for what is none."""
    if not 1 <= len(name) <= 3 or not (name.isascii() and name.isalpha() and name.isupper()):
        return 0
    number = 0
    for letter in name:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
