"""A report as plain values: sections of statements and tables, in the order of urgency. Every form is made from these, and from nothing else.

A section says first, in one sentence, what a person must know; its items are what somebody must act on, its tables the figures with the
entries behind them. Texts are plain: each form escapes them in its own way. Instants are RFC 3339 with the site's offset, dates
``2026-03-05``, quantities exact decimals as text; so no form has to know of zones or of arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal, TypeAlias

VERSION: Final = 1
"""The version of what `forms.json_form` writes (``compliance schema report``)."""

Cell: TypeAlias = str | int | None
"""A value of a table: text, a whole number, or nothing that could be said (shown as a dash)."""

Kind: TypeAlias = Literal["text", "count", "quantity", "instant", "date", "entries"]
"""What a column holds. *quantity* is a decimal in text, whose unit stands in its own column; *entries* are numbers of log entries, with
commas between them."""


class Level(StrEnum):
    """How urgent a section or an item is; the most urgent first."""

    ALARM = "alarm"
    ACTION = "action"
    NOTICE = "notice"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its key in JSON (stable), its heading for people, and what it holds."""

    key: str
    heading: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """Figures under headings. `id` is stable and unique in a report: the name of its CSV file and of its sheet (at most 31 letters).

    `caption` says what is in it in one line; `empty` is said where it has no rows. `headers` is how many of the first columns name a row.
    """

    id: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str = "nothing"
    headers: int = 1


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of a table's numbers. `x` and `series` are keys of its columns; the table itself always stands beside it."""

    id: str
    title: str
    table: str
    x: str
    series: tuple[str, ...]
    form: Literal["bars", "lines"] = "bars"


@dataclass(frozen=True, slots=True)
class Item:
    """Something that somebody must act on, or look at.

    `title` is what happened, in a sentence with its values; `where` the site, event and entry in words; `todo` who must do what, `cites` where it
    is written. `values` are the values that decided it, `entries` the log entries behind it. `id` is a finding's, where it is one.
    """

    level: Level
    title: str
    where: str = ""
    todo: str = ""
    cites: str = ""
    rule: str = ""
    severity: str = ""
    site: str = ""
    event: str = ""
    at: str = ""
    id: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    entries: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a report. `id` is stable; `summary` is one sentence; `level` that of what is most urgent in it."""

    id: str
    title: str
    level: Level
    summary: str
    items: tuple[Item, ...] = ()
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    notes: tuple[str, ...] = ()
    """Paragraphs below: what was not looked at and why, how a figure was made."""
    verbatim: str = ""
    """Text to be printed as it is, in lines: a signed checkpoint."""


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report. `date` is the day it is about, `sites` those it covers; `size` and `root` (hex) the state of the log it was read from.

    `level` is that of its most urgent section, `headline` the one sentence that stands on a lock screen.
    """

    title: str
    date: str
    sites: tuple[str, ...]
    origin: str
    size: int
    root: str
    edition: int
    policies: str
    level: Level
    headline: str
    sections: tuple[Section, ...]

    def section(self, section_id: str) -> Section:
        """A section by its id; raises KeyError."""
        for section in self.sections:
            if section.id == section_id:
                return section
        raise KeyError(section_id)


def worst(levels: list[Level]) -> Level:
    """The most urgent of some levels; *good* where there are none."""
    order = list(Level)
    return min(levels, key=order.index, default=Level.GOOD)
