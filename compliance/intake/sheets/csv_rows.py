"""Rows of a CSV file (RFC 4180), read as they come: no more than a row is ever in memory.

What is taken beyond RFC 4180: ``;`` or tab in place of the comma, by which of them makes the headings known ones; Excel's first line ``sep=;``; any line
ends; a byte-order mark. What is not: any encoding but UTF-8, NUL bytes, a quotation mark that is never closed, a row of more than 1 MiB. A row is
counted as a spreadsheet counts it: line ends within quotes begin no new one.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import count, takewhile
from typing import BinaryIO, Final

from compliance.domain.sheet_text import as_meant
from compliance.errors import InputError
from compliance.intake.drafts import KEPT
from compliance.intake.sheets.cells import HEADINGS_WITHIN, LAST_COLUMN, LONGEST_ROW, Fault, Row, Value

_SEPARATORS: Final = (",", ";", "\t")
_BOM: Final = b"\xef\xbb\xbf"
_SAID: Final = re.compile(r"sep=([,;\t])\r?\n?", re.IGNORECASE)
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_ESCAPED: Final = re.compile("[\udc80-\udcff]")


class _TooLong(Exception):
    """A row goes on beyond what any row may be."""


class _Lines:
    """The lines of a stream as text, with their ends; what is not UTF-8 as surrogates (PEP 383). `found` is what was read of the present row."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._waiting: list[bytes] = []  # the next one last
        self._rest = stream.readline(len(_BOM)).removeprefix(_BOM)
        self._length = 0
        self.found = bytearray()

    def ahead(self, count: int) -> list[bytes]:
        """The next lines, which stay to be read."""
        lines = list(takewhile(bool, (self._line() for _ in range(count))))
        self._waiting += reversed(lines)
        return lines

    def begin(self) -> None:
        """A row begins."""
        self._length = 0
        self.found.clear()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._line()
        if not line:
            raise StopIteration
        self._length += len(line)
        self.found += line[: max(KEPT - len(self.found), 0)]
        if self._length > LONGEST_ROW:
            raise _TooLong
        return _text(line)

    def _line(self) -> bytes:
        if not self._waiting:
            read = b"" if self._rest.endswith(b"\n") else self._stream.readline(LONGEST_ROW)
            chunk, self._rest = self._rest + read, b""
            # An old Macintosh ends lines with CR alone; bytes have no other line ends than \r, \n and both.
            lines = chunk.splitlines(keepends=True)
            if len(read) == LONGEST_ROW and not read.endswith(b"\n"):
                if len(lines) > 1:
                    self._rest = lines.pop()
                else:
                    self._to_the_end(read)
            self._waiting = lines[::-1]
        return self._waiting.pop() if self._waiting else b""

    def _to_the_end(self, chunk: bytes) -> None:
        """Passes over the rest of a line that is longer than any row."""
        while chunk and not chunk.endswith(b"\n"):
            chunk = self._stream.readline(LONGEST_ROW)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape")


def csv_rows(stream: BinaryIO, name: str, known: Callable[[Sequence[str]], int]) -> Iterator[Row]:
    """The rows of a file that are not blank. `known` says how many of some texts are headings of the table that is looked for.

    Raises InputError where the file is in another encoding altogether.
    """
    lines = _Lines(stream)
    opening = lines.ahead(HEADINGS_WITHIN)
    if opening and (opening[0].startswith(_UTF_16) or b"\0" in opening[0][:4]):
        raise InputError(f"{name} is not UTF-8 but probably UTF-16", 'Save it as "CSV UTF-8".')
    said = _SAID.fullmatch(_text(opening[0])) if opening else None
    separator = said.group(1) if said else _separator([_text(line) for line in opening], known)
    if said:
        next(lines)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    for number in count(2 if said else 1):
        lines.begin()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except (csv.Error, _TooLong) as error:
            yield Row(number, fault=_not_csv(error), found=bytes(lines.found))
            continue
        if len(fields) > LAST_COLUMN:
            yield Row(number, fault=_TOO_WIDE, found=bytes(lines.found))
            continue
        cells = {
            column: _cell(field) for column, field in enumerate(fields, 1) if field and not field.isspace()
        }
        if cells:
            yield Row(number, cells)


def _separator(opening: list[str], known: Callable[[Sequence[str]], int]) -> str:
    """What stands between fields: that by which a row has the most known headings, else the most fields; a comma where all are alike."""

    def fits(separator: str) -> tuple[int, int]:
        try:
            rows = list(csv.reader(opening, delimiter=separator))
        except csv.Error:
            return 0, 0
        return max(map(known, rows), default=0), max(map(len, rows), default=0)

    return max(_SEPARATORS, key=fits)


def _cell(field: str) -> Value:
    if "\0" in field:
        return Fault(
            "a NUL byte", 'save the file as "CSV UTF-8" again, from where it came', "not_text", field
        )
    if match := _ESCAPED.search(field):
        byte = ord(match.group()) - 0xDC00
        return Fault(
            f"character {match.start() + 1} is byte 0x{byte:02x}, which is not UTF-8",
            'save the file as "CSV UTF-8"; which other encoding it is in, nobody can tell from it',
            "not_text",
            field,
        )
    return as_meant(field)


_TOO_WIDE: Final = Fault(
    f"a row of more than {LAST_COLUMN} fields", "take out what is no part of the table", "too_long"
)


def _not_csv(error: Exception) -> Fault:
    if isinstance(error, _TooLong) or "field larger" in str(error):
        return Fault(
            "a row or field that is longer than any event",
            "look for a quotation mark that is not closed: rows that follow it may have been taken for text, and are not recorded",
            "too_long",
        )
    if "unexpected end" in str(error):
        return Fault(
            "a quotation mark that is opened in this row is never closed; what follows it was not read as rows",
            "close it, or write it twice where it is meant as one",
            "not_csv",
        )
    return Fault(
        "something follows a closing quotation mark within its field",
        'write a quotation mark that is meant as one twice: "5"" needle"',
        "not_csv",
    )
