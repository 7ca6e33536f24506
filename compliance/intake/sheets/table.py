"""Rows of a table to events: headings once, then each row by itself. A row with anything wrong is kept as `Rejected`, with all that is wrong in it.

An event needs an id, so that the same file twice is recorded once. Where a row gives none, it is ``row-`` and the first 32 hexadecimal digits of
the SHA-256 of what the row says (kind, site and fields as they were read; not who enters it). Two rows that say the same are told, not made one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from compliance.domain.event import Event
from compliance.domain.making import make_event
from compliance.domain.objections import MOST, did_you_mean
from compliance.domain.reading import echo
from compliance.domain.vocabulary import KINDS
from compliance.errors import InputError, Place, Problem
from compliance.intake.drafts import Draft, Rejected
from compliance.intake.sheets.cells import HEADINGS_WITHIN, LAST_ROW, Fault, Row, letters
from compliance.intake.sheets.columns import Column, Headings, headings, known_headings, missing
from compliance.intake.sheets.csv_rows import csv_rows
from compliance.intake.sheets.filling import Filling, Table
from compliance.intake.sheets.xlsx_rows import open_sheet

_NAMED: Final = 10
"""So many headings are named in a note."""


def read_csv(source: str, stream: BinaryIO, table: Table) -> Iterator[Draft | Rejected]:
    """The events of a CSV file. Raises InputError where it has no headings, or not those of its kind."""
    kind = known_kind(table.kind)
    rows = csv_rows(stream, source, lambda texts: known_headings(kind, texts))
    yield from _events(source, rows, table, shifts=True)


def read_xlsx(source: str, stream: BinaryIO, table: Table) -> Iterator[Draft | Rejected]:
    """The events of a workbook's sheet. Raises InputError where it is none, or has not the headings of its kind."""
    sheet, rows = open_sheet(stream, source, known_kind(table.kind), table.noted)
    yield from _events(f"{source}[{sheet}]", rows, table, shifts=False)


def known_kind(kind: str) -> str:
    """The kind, if there is such a one. Raises InputError."""
    if kind in KINDS:
        return kind
    hint = did_you_mean(kind, KINDS)
    remedy = hint[:1].upper() + hint[1:] if hint else "See the kinds with `compliance schema event`."
    raise InputError(f"there is no kind of event {echo(kind)}", remedy)


def _events(source: str, rows: Iterator[Row], table: Table, *, shifts: bool) -> Iterator[Draft | Rejected]:
    columns, last = _columns(source, rows, table)
    seen: dict[bytes, int] = {}
    strayed: set[int] = set()
    for row in rows:
        if row.fault is not None:
            problem = Problem(Place(source, row.number), row.fault.message, row.fault.remedy, row.fault.code)
            yield Rejected.of_bytes(Place(source, row.number), row.raw(), (problem,))
            continue
        filling = Filling(source, row, columns, table)
        problems = [*filling.problems, *_beside(source, row, columns, last, strayed, shifts=shifts)]
        if "id" not in filling.body:
            content = filling.content()
            filling.body["id"] = f"row-{content.hex()}"
            if not problems:
                problems += _twice(source, row, content, seen)
        made = make_event(filling.body, source=source, line=row.number)
        if isinstance(made, Event) and not problems:
            yield Draft(made, source, row.number)
            continue
        problems += () if isinstance(made, Event) else filling.placed(made)
        if any(problem.code == "merged" for problem in problems):
            problems = [
                problem for problem in problems if problem.code != "missing"
            ]  # merged cells hide them
        yield Rejected.of_bytes(Place(source, row.number), row.raw(), tuple(problems[:MOST]))
    if strayed:
        where = ", ".join(map(letters, sorted(strayed)[:_NAMED]))
        table.noted(f"values that stand under no heading are not read (columns {where})")


def _columns(source: str, rows: Iterator[Row], table: Table) -> tuple[tuple[Column, ...], int]:
    """The columns that say fields, from the first row that is one of headings, and the last column that has a heading."""
    row = next(_like_headings(rows, table.kind), None)
    if row is not None and row.fault is not None:
        raise InputError(
            f"{source} is damaged at row {row.number}, and no headings stand above: {row.fault.message}",
            f"{row.fault.remedy[:1].upper()}{row.fault.remedy[1:]}; nothing was recorded.",
        )
    if row is None:
        raise InputError(
            f"{source} has no headings of {table.kind} within its first {HEADINGS_WITHIN} rows",
            f"Write the names of fields above the columns; `compliance schema template {table.kind}` writes an empty table.",
        )
    found = headings(
        table.kind, {column: text if isinstance(text, str) else "" for column, text in row.cells.items()}
    )
    problems = [
        Problem(Place(source, row.number, wrong.column), wrong.message, wrong.remedy, "bad_heading")
        for wrong in found.wrong
    ]
    problems += [
        Problem(Place(source, row.number, column), cell.message, cell.remedy, cell.code)
        for column, cell in row.cells.items()
        if isinstance(cell, Fault) and cell.code == "merged"
    ]
    if problems:
        raise InputError(
            f"the headings of {source} cannot be read; nothing was recorded", "Mend them.", problems
        )
    given = ["id", "kind", *(["site"] if table.site else []), *(["actor"] if table.actor else [])]
    lacking = missing(table.kind, found.columns, given)
    if lacking:
        options = [f"--{name}" for name in ("site", "actor") if name in lacking]
        also = f" {' and '.join(options)} can say it for all rows." if options else ""
        raise InputError(
            f"{source} has no column for {', '.join(lacking)}: no {table.kind} can be understood without; nothing was recorded",
            f"Add the column{'s' if len(lacking) > 1 else ''}, or mend the heading.{also}"
            f"{_not_read(found)} `compliance schema template {table.kind}` writes an empty table.",
        )
    if found.unknown:
        table.noted(_not_read(found).strip())
    return found.columns, max(row.cells)


def _like_headings(rows: Iterator[Row], kind: str) -> Iterator[Row]:
    """Rows near the beginning that have two headings of the kind or more: no title has. A row from which on the file is damaged, too."""
    for row in rows:
        if row.number > HEADINGS_WITHIN:
            return
        if (row.fault is not None and row.fault.code == "damaged") or known_headings(
            kind, [cell for cell in row.cells.values() if isinstance(cell, str)]
        ) > 1:
            yield row


def _not_read(found: Headings) -> str:
    """Which columns are no fields, and what each may be meant for."""
    if not found.unknown:
        return ""
    named = [f"{letters(column)}{f' ({hint})' if hint else ''}" for column, hint in found.unknown[:_NAMED]]
    more = f" and {len(found.unknown) - _NAMED} more" if len(found.unknown) > _NAMED else ""
    return f" These columns are not read, since their headings are no fields: {', '.join(named)}{more}."


def _beside(
    source: str, row: Row, columns: Sequence[Column], last: int, strayed: set[int], *, shifts: bool
) -> Iterator[Problem]:
    """What is wrong with cells that say no field: merged ones, and those of a CSV row that is longer than its headings."""
    own = {column.number for column in columns}
    for column, value in row.cells.items():
        if column in own:
            continue
        place = Place(source, row.number, column, f"{letters(column)}{row.number}")
        if isinstance(value, Fault) and value.code == "merged":
            yield Problem(place, value.message, value.remedy, value.code)
        elif column > last and shifts:
            message = "the row has more fields than there are headings, so its values may stand in the wrong columns"
            yield Problem(
                place, message, "put a value that holds the separator in quotation marks", "too_many_fields"
            )
            return
        elif column > last:
            strayed.add(column)


def _twice(source: str, row: Row, content: bytes, seen: dict[bytes, int]) -> Iterator[Problem]:
    """That a row without an id says the same as an earlier one."""
    earlier = seen.get(content)
    if earlier is not None:
        yield Problem(
            Place(source, row.number),
            f"row {row.number} says the same as row {earlier}",
            "take one of them out; where both happened, give each an id in a column of that name",
            "same_row",
        )
    elif len(seen) < LAST_ROW:
        seen[content] = row.number
    else:
        yield Problem(
            Place(source, row.number),
            f"more than {LAST_ROW:,} rows without an id, which are no more compared with each other",
            "give the rows ids, or record them as several files",
            "too_many_rows",
        )
