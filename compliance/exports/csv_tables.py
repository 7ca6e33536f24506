"""Tables as CSV (RFC 4180): UTF-8 without a byte order mark, every field in quotes, lines that end in CR LF, one line of headings.

Nothing is an empty field, and no field of an event is empty text. Text that a spreadsheet might calculate, or that begins with white space or
an apostrophe, has one apostrophe more at its front: whoever takes one away from each text that begins with it has what the log holds.
Decimals have the digits that were sent, instants their offset; lists and records are JSON.
"""

from __future__ import annotations

import csv
from contextlib import ExitStack
from typing import Any, Final, Self

from compliance.domain.canonical import encode
from compliance.domain.sheet_text import disarmed
from compliance.domain.vocabulary import FieldSpec
from compliance.exports.columns import Table
from compliance.exports.rows import Row
from compliance.new_folder import Folder

_AT_THE_FRONT: Final = ("'", "\t", "\r", "\n")
"""What spreadsheets or whoever undoes the escape would take away (OWASP, CSV Injection, names tab and carriage return, too)."""
_NUMBERS: Final = frozenset({"decimal", "integer"})


class CsvTables:
    """Tables that are written into a folder side by side, each made when its first row comes."""

    ending = ".csv"

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._open = ExitStack()
        self._writers: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self._open.close()

    def add(self, table: Table, row: Row) -> None:
        """Write a row."""
        writer = self._writers.get(table.name)
        if writer is None:
            file = self._open.enter_context(self._folder.text(table.name + self.ending))
            writer = self._writers[table.name] = csv.writer(
                file, quoting=csv.QUOTE_ALL, lineterminator="\r\n"
            )
            writer.writerow([column.name for column in table.columns])
        writer.writerow([field(row.get(column.name), column) for column in table.columns])


def field(value: Any, column: FieldSpec) -> str:
    """A value as a field of CSV."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if column.element is not None or column.fields is not None:
        return encode(value).decode()
    text = str(value)
    if column.type in _NUMBERS:
        return text
    return f"'{text}" if text.startswith(_AT_THE_FRONT) else disarmed(text)
