"""The tables of a binder: each a CSV file and, where people read it, a page; rows are written as they come.

A column is either a member of the entry, whose path stands in brackets in its heading and whose cells ``verify.py`` compares with the entry, or
worked out, with no brackets. What the law asks for and the log does not have is said in the cell and counted.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, TextIO

from compliance.reports.binder.folder import Folder
from compliance.reports.binder.in_print import PrintedTable, Printer
from compliance.reports.binder.pages import Page, parted
from compliance.reports.binder.people import People
from compliance.reports.binder.period import Marks, Period, Version
from compliance.reports.binder.verify_cells import (
    AMENDED,
    CORRECTED,
    FIELD,
    LOG_ENTRY,
    MEMBER,
    NOT_ON_RECORD,
    STANDING,
    cell_text,
    member_of,
    shown,
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `member` is the path of the entry's member that it shows (``@``: each row says which), `of` the heading of the column that says which
    entry, where it is not the row's own. `law` where the law asks for it; `page` where it stands on the page, too."""

    heading: str
    member: str = ""
    of: str = ""
    law: bool = False
    page: bool = True

    @property
    def title(self) -> str:
        """The heading in the CSV file."""
        if not self.member:
            return self.heading
        return f"{self.heading} [{self.member}{f' of {self.of}' if self.of else ''}]"


TAIL: Final = (
    Column(STANDING),
    Column(AMENDED, page=False),
    Column("Recorded at", "recorded_at", page=False),
    Column(LOG_ENTRY),
    Column("Event id", "event.id", page=False),
)
"""What every table of events ends with."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that a binder has. `name` is its file, `answers` what it is there for, `law` where that is written, `empty` what is said where it has no
    rows, and why."""

    name: str
    title: str
    answers: str
    law: str
    empty: str
    columns: tuple[Column, ...]
    page: bool = True
    tail: tuple[Column, ...] = TAIL

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """Its own columns and those that every table ends with."""
        return (*self.columns, *self.tail)


@dataclass(frozen=True, slots=True)
class Written:
    """A file of the binder for its index: what it answers, how many rows it has, and how often something that the law asks for was not on record."""

    name: str
    title: str
    answers: str
    law: str
    rows: int | None = None
    empty: str = ""
    page: str = ""
    missing: Mapping[str, int] = field(default_factory=dict)


class Sheets:
    """All tables of one binder: where they are written, which entries of the log they have named so far (`listed`), and under which policies what is in
    them was decided (`bundles`); `people` knows what the vault may tell."""

    def __init__(self, period: Period, folder: Folder, printer: Printer, people: People) -> None:
        self.period = period
        self.folder = folder
        self.printer = printer
        self.listed = Marks(period.size)
        self.bundles: set[str] = set()
        self.written: list[Written] = []
        self.people = people

    @contextmanager
    def sheet(self, table: Table) -> Iterator[Sheet]:
        """A table to be filled with rows, in their order."""
        with ExitStack() as files:
            rows = files.enter_context(self.folder.text(table.name, bom=True))
            readable = None
            if table.page:
                page = Page(
                    files.enter_context(self.folder.text(page_of(table.name))),
                    table.title,
                    f"{self.period.site}, {self.period.words}. {table.law}",
                )
                page.paragraph(table.answers)
                headings = [column.heading for column in table.all_columns if column.page]
                about = f"{table.answers} [{table.law}]"
                readable = Readable(
                    page, PrintedTable(self.printer, table.title, about, table.empty, headings)
                )
            sheet = Sheet(self, table, rows, readable)
            yield sheet
            sheet.end()


@dataclass(frozen=True, slots=True)
class Readable:
    """Where people read a table: on its page, and in print."""

    page: Page
    printed: PrintedTable


class Sheet:
    """One table while it is written."""

    def __init__(self, sheets: Sheets, table: Table, file: TextIO, readable: Readable | None) -> None:
        self.table, self.sheets, self._readable = table, sheets, readable
        self._rows = csv.writer(file, lineterminator="\r\n")
        self._columns = table.all_columns
        self._count = 0
        self._missing: Counter[str] = Counter()
        self._rows.writerow([column.title for column in self._columns])

    def row(
        self,
        version: Version,
        given: Mapping[str, str] | None = None,
        others: Mapping[str, Version | None] | None = None,
        number: int = 0,
    ) -> None:
        """A row about a version of an event. `given` are the worked-out cells by heading; `others` the entries that it names, by the heading of the
        column that says which; `number` its place in the list that a path with ``#`` goes through."""
        document, given, others = self.sheets.people.document(version), given or {}, others or {}
        named = {heading: _named(one) for heading, one in others.items() if one is not None}
        for idx in chain((version.idx, *version.amended), *named.values()):
            self.sheets.listed.add(idx)
        fixed = {
            STANDING: version.standing,
            AMENDED: ", ".join(map(str, version.amended)),
            LOG_ENTRY: str(version.idx),
            **{heading: ", ".join(map(str, entries)) for heading, entries in named.items()},
        }
        cells = []
        for column in self._columns:
            if column.of:
                other = others.get(column.of)
                text = "" if other is None else shown(member_of(other.document, column.member, number))
            elif column.member and (
                member := given.get(MEMBER, "") if column.member == "@" else column.member
            ):
                text = shown(member_of(document, member, number))
            else:
                text = fixed.get(column.heading, given.get(column.heading, ""))
            if column.law and not text:
                text = NOT_ON_RECORD
            if text == NOT_ON_RECORD and version.counts:
                self._missing[given.get(FIELD, column.heading)] += 1
            cells.append(text)
        self._write(cells, gone=not version.counts)

    def plain(self, given: Mapping[str, str]) -> None:
        """A row that is about no single event, such as a sum."""
        self._write([given.get(column.heading, "") for column in self._columns], gone=False)

    def _write(self, cells: list[str], *, gone: bool) -> None:
        self._rows.writerow(map(cell_text, cells))
        if self._readable is not None:
            page, shown_columns = self._readable.page, [column for column in self._columns if column.page]
            if self._count == 0:
                page.begin_table(self.table.title, [column.heading for column in shown_columns])
            told = [cell for cell, column in zip(cells, self._columns, strict=True) if column.page]
            page.row(told, gone=gone, missing=NOT_ON_RECORD)
            self._readable.printed.row([parted(cell) for cell in told])
        self._count += 1

    def end(self) -> None:
        """All rows are written."""
        table = self.table
        if self._readable is not None:
            page = self._readable.page
            if self._count:
                page.end_table()
            else:
                page.paragraph(table.empty)
            page.close()
            self._readable.printed.end()
        self.sheets.written.append(
            Written(
                table.name, table.title, table.answers, table.law, self._count, table.empty if not self._count else "",
                page_of(table.name) if self._readable is not None else "", dict(self._missing),
            )
        )  # fmt: skip


def _named(version: Version) -> tuple[int, ...]:
    """The entries that say what is shown of a version: its own, and those of the corrections that changed it."""
    return (version.idx, *(version.amended if version.standing == CORRECTED else ()))


def page_of(name: str) -> str:
    """The page that belongs to a table."""
    return name.removesuffix(".csv") + ".html"
