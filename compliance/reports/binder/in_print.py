"""The readable tables of a binder as PDF files, to be printed and searched: the same rows as the pages, in parts that fit into memory.

A copy for an inspector has a readable form beside the data (21 CFR 11.10(b); 21 CFR 1304.04(a)). A PDF is known only when all of it is: its pages say
how many there are. So rows are collected, and written as a part of their own when there are enough of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from compliance.domain.time import format_date
from compliance.reports.binder.folder import Folder
from compliance.reports.binder.period import Period
from compliance.reports.forms.pdf import pdf
from compliance.reports.page import Column, Level, Report, Section, Table

ROWS: Final = 1_500
"""Rows of one part: some hundred pages."""

FOLDER: Final = "00-in-print"
_ON: Final = " (continued)"


class Printer:
    """The parts of one binder in print; `files` are those that were written."""

    def __init__(self, folder: Folder, period: Period, origin: str, root: bytes) -> None:
        self._folder, self._period, self._origin, self._root = folder, period, origin, root.hex()
        self._sections: list[Section] = []
        self._rows = 0
        self.files: list[str] = []

    def take(self, section: Section) -> None:
        """A section with its table; the part is written when it has enough rows."""
        self._sections.append(section)
        self._rows += sum(len(table.rows) for table in section.tables)
        if self._rows >= ROWS:
            self.close()

    def close(self) -> None:
        """Write what waits."""
        if self._sections:
            number = len(self.files) + 1
            self._write(f"part {number}", f"part-{number}")

    def index(self, parts: Mapping[str, Sequence[str]], checkpoint: str) -> None:
        """What the index says, part by part, and the checkpoint, by themselves."""
        self._sections = [
            Section(f"index-{number}", title, Level.NOTICE, first, notes=tuple(others))
            for number, (title, (first, *others)) in enumerate(parts.items())
        ]
        signed = "Everything here is proved against this checkpoint."
        self._sections.append(
            Section("checkpoint", "The log's signed state", Level.NOTICE, signed, verbatim=checkpoint)
        )
        self._write("index", "index")

    def _write(self, which: str, file: str) -> None:
        period = self._period
        report = Report(
            f"Records of {period.site}, {which}", format_date(period.last), (period.site,), self._origin, period.size, self._root, 1,
            "as each decision names them", Level.NOTICE, f"Records from {period.words}", tuple(self._sections),
        )  # fmt: skip
        name = f"{FOLDER}/{file}.pdf"
        self._folder.bytes(name, pdf(report))
        self.files.append(name)
        self._sections, self._rows = [], 0


class PrintedTable:
    """One table on its way into print: `about` says what it answers and where that is written, `empty` what is said where it has no rows."""

    def __init__(self, printer: Printer, title: str, about: str, empty: str, headings: Sequence[str]) -> None:
        self._printer, self._title, self._about, self._empty = printer, title, about, empty
        self._columns = tuple(Column(f"c{number}", heading) for number, heading in enumerate(headings))
        self._rows: list[tuple[str, ...]] = []
        self._number = 0

    def row(self, cells: Sequence[str]) -> None:
        """A row of it."""
        if len(self._rows) >= ROWS:
            self._put(("This table goes on in the next part.",))
        self._rows.append(tuple(cells))

    def end(self) -> None:
        """All its rows were given."""
        self._put(())

    def _put(self, notes: tuple[str, ...]) -> None:
        title = self._title + (_ON if self._number else "")
        name = f"{self._title[:24]}-{self._number}"
        table = Table(name, title, self._columns, tuple(self._rows), self._empty)
        self._printer.take(Section(name, title, Level.NOTICE, self._about, tables=(table,), notes=notes))
        self._rows, self._number = [], self._number + 1
