"""A report as plain text: a summary for a lock screen, and the whole of it for mail. No colours, no control characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

from compliance.reports.forms.fitting import lines, longest_word, shares
from compliance.reports.forms.plain import LEVELS, NUMBERS, behind, facts, one_line, shortened, shown, visible
from compliance.reports.page import Cell, Column, Item, Level, Report, Section, Table

SHORT: Final = 70
"""Characters of a line that a lock screen or a list of mails shows."""

_MOST: Final = 10
"""Lines of a summary that are about sections and items; one above says which report, one below what is in order."""

_GAP: Final = 2
_BREAKABLE: Final = 16
"""A word in a table's cell may be parted beyond so many letters, where the table is too wide otherwise."""


def summary(report: Report) -> str:
    """The report in at most thirteen short lines: the headline, which report it is, then the most urgent sections, each with what comes first in it."""
    order = list(Level)
    urgent = [section for section in report.sections if section.level is not Level.GOOD]
    urgent.sort(key=lambda section: order.index(section.level))
    told = urgent if len(urgent) <= _MOST else urgent[: _MOST - 1]
    spare = _MOST - len(urgent)
    made = [
        shortened(report.headline, SHORT),
        shortened(f"{report.title} {report.date}: {_sites(report)}", SHORT),
    ]
    for section in told:
        items = sorted(section.items, key=lambda item: order.index(item.level))[: max(0, min(2, spare))]
        spare -= len(items)
        count = f" ({len(section.items)})" if section.items else ""
        made.append(shortened(f"{LEVELS[section.level]}: {section.title}{count}. {section.summary}", SHORT))
        made += [_first(item) for item in items]
    if len(told) < len(urgent):
        made.append(f"and {len(urgent) - len(told)} more parts to look at")
    if good := [section.title for section in report.sections if section.level is Level.GOOD]:
        made.append(shortened(f"{LEVELS[Level.GOOD]}: {', '.join(good)}", SHORT))
    return "\n".join(made) + "\n"


def _sites(report: Report) -> str:
    return ", ".join(report.sites) if len(report.sites) <= 3 else f"{len(report.sites)} sites"


def _first(item: Item) -> str:
    """An item's title; its site after it, which is not what is cut off."""
    site = f" ({shortened(item.site, 20)})" if item.site else ""
    return f"  {shortened(item.title, SHORT - 2 - len(site))}{site}"


def text(report: Report, width: int = 78) -> str:
    """The whole report in lines of at most `width` columns; only what is printed verbatim keeps its own."""
    made = [*_wrapped(f"{report.title} {report.date}", width), *_wrapped(", ".join(report.sites), width), ""]
    made += [*_wrapped(report.headline, width), ""]
    made += _wrapped(f"Log {report.origin}, {report.size:,} entries, root {report.root}", width, hanging=2)
    made += [*_wrapped(f"Policies {report.policies}, edition {report.edition}", width, hanging=2), ""]
    for section in report.sections:
        made += _wrapped(f"{LEVELS[section.level]}: {section.title}", width, indent=2, hanging=4)
    for section in report.sections:
        made += ["", "", *_section(section, width)]
    return "\n".join(line.rstrip() for line in made) + "\n"


def _section(section: Section, width: int) -> Iterator[str]:
    title = _wrapped(f"{section.title} ({LEVELS[section.level].lower()})", width)
    yield from title
    yield "=" * max(map(columns, title))
    yield from _wrapped(section.summary, width)
    for item in section.items:
        yield ""
        yield from _item(item, width)
    for table in section.tables:
        yield ""
        yield from _table(table, width)
    for note in section.notes:
        yield ""
        yield from _wrapped(note, width)
    if section.verbatim:
        yield ""
        yield from visible(section.verbatim).removesuffix("\n").split("\n")


def _item(item: Item, width: int) -> Iterator[str]:
    yield from _wrapped(f"* {LEVELS[item.level]}: {item.title}", width, hanging=2)
    for name, said in (
        ("", item.where), ("To do: ", item.todo), ("Source: ", item.cites), ("Values: ", facts(item.values)), ("", behind(item)),
    ):  # fmt: skip
        if said:
            yield from _wrapped(name + said, width, indent=2, hanging=4)


def _table(table: Table, width: int) -> Iterator[str]:
    yield from _wrapped(table.caption, width)
    if not table.rows:
        yield from _wrapped(table.empty, width, indent=2)
        return
    heads = [visible(column.heading) for column in table.columns]
    rows = [_cells(row, table.columns) for row in table.rows]
    widths = _widths([heads, *rows], width)
    if widths is None:
        yield from _records(heads, rows, width)
        return
    right = [column.kind in NUMBERS for column in table.columns]
    yield from _row(heads, widths, right)
    yield " ".join("-" * wide + " " for wide in widths)
    for row in rows:
        yield from _row(row, widths, right)


def _cells(row: Sequence[Cell], over: Sequence[Column]) -> list[str]:
    return [shown(value, column.kind) for value, column in zip(row, over, strict=True)]


def _widths(rows: list[list[str]], width: int) -> list[int] | None:
    """How wide each column is; None where the table does not fit."""
    natural, least = [], []
    for cells in zip(*rows, strict=True):
        natural.append(max(columns(line) for cell in cells for line in cell.split("\n")))
        least.append(min(natural[-1], _BREAKABLE, max(longest_word(cell, columns) for cell in cells)))
    given = shares(natural, least, width - _GAP * (len(natural) - 1))
    return None if given is None else [max(1, int(wide)) for wide in given]


def _row(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> Iterator[str]:
    broken = [lines(cell, wide, columns) for cell, wide in zip(cells, widths, strict=True)]
    for parts in zip_longest(*broken, fillvalue=""):
        placed = zip(parts, widths, right, strict=True)
        yield (" " * _GAP).join(_placed(part, wide, to_the_right) for part, wide, to_the_right in placed)


def _placed(part: str, wide: int, to_the_right: bool) -> str:
    filling = " " * (wide - columns(part))
    return filling + part if to_the_right else part + filling


def _records(heads: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """A table that is too wide: row by row, a line for each column."""
    for number, row in enumerate(rows, 1):
        yield f"{number}."
        for head, cell in zip(heads, row, strict=True):
            yield from _wrapped(f"{head}: {cell}", width, indent=2, hanging=4)


def _wrapped(said: str, width: int, indent: int = 0, hanging: int = 0) -> list[str]:
    """Text on lines below an indent, those after the first below a deeper one."""
    first, *rest = lines(one_line(said), width - indent, columns)
    if not rest:
        return [" " * indent + first]
    deeper = indent + hanging
    again = lines(one_line(said).removeprefix(first).lstrip(), width - deeper, columns)
    return [" " * indent + first, *(" " * deeper + line for line in again)]


def columns(said: str) -> int:
    """How many columns of a terminal or a mail a text takes: two for wide characters of East Asia, none for marks above others."""
    if said.isascii():
        return len(said)
    return sum(map(_columns, said))


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
