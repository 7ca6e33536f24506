"""A report as one HTML file, which asks for nothing else: no script, no address, no font but the reader's own.

What it says stands in the order of the report, after a list of its sections with the most urgent first. It can be read on a telephone, on paper,
in the dark, and by ear (WCAG 2.2, AA). The same report gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from compliance.reports.forms.charts import figure_of
from compliance.reports.forms.markup import anchor, as_it_is, figure, inline, plain, shown
from compliance.reports.forms.plain import DASH, LEVELS, NUMBERS, decimal
from compliance.reports.forms.style import STYLE
from compliance.reports.page import Cell, Column, Item, Level, Report, Section, Table

POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)
"""What a browser may load for the page: nothing (Content Security Policy 3)."""

_SIGNS: Final = {
    Level.ALARM: '<path d="M4.7 0h6.6L16 4.7v6.6L11.3 16H4.7L0 11.3V4.7z"/><path class="cut" d="M8 3.6v5.2M8 11.2v1.6"/>',
    Level.ACTION: '<path d="M8 .8 16 15H0z"/><path class="cut" d="M8 5.6v4.6M8 11.8v1.5"/>',
    Level.NOTICE: '<circle cx="8" cy="8" r="8"/><path class="cut" d="M8 7.2v5M8 3.7v1.6"/>',
    Level.GOOD: '<circle cx="8" cy="8" r="8"/><path class="cut" d="M4.2 8.4 7 11.2l5-6"/>',
}
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_INSTANT: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SHORT: Final = 18
"""So many letters of a cell stay on one line: ids and names of sites are not broken at their hyphens."""

_PROSE: Final = 60
"""So many letters are a sentence, which needs a wider column."""

_FEW: Final = 16
"""A table of at most so many rows stays on one page of paper, and, if it is slim, beside its chart where there is room."""

_MANY: Final = 24
"""A table of more rows than that is scrolled in a frame of its own, below its headings; on paper it is as long as it is."""

_SLIM: Final = 4
_WIDE: Final = 8
"""A table of at most so many columns is no wider than it need be; one of more than so many is set smaller on paper."""


def html(report: Report) -> str:
    """The file, as text with a line's end at its end; to be written in UTF-8. Raises KeyError where a chart names a table that its section has
    not, or a column that the table has not."""
    title = plain(f"{report.title} {report.date}: {', '.join(report.sites)}")
    return (
        '<!DOCTYPE html>\n<html lang="en" dir="ltr">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">\n'
        f'<link rel="icon" href="data:,">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n'
        '<a class="skip" href="#sections">Skip to the sections</a>\n'
        f'{_header(report)}{_contents(report)}<main id="sections" tabindex="-1">\n'
        f"{''.join(map(_section, report.sections))}</main>\n{_footer(report)}</body>\n</html>\n"
    )


def _header(report: Report) -> str:
    sites = "".join(f"<li>{shown(site)}</li>" for site in report.sites)
    sites = f'<ul class="sites" aria-label="Sites">{sites}</ul>\n' if sites else ""
    return (
        f'<header>\n<div class="title"><h1>{inline(report.title)} <span class="day">{_day(report.date)}</span></h1>\n{sites}</div>\n'
        f'<div class="headline {report.level}">{_level(report.level)}<p>{shown(report.headline)}</p></div>\n</header>\n'
    )


def _contents(report: Report) -> str:
    """The sections with what each says in one sentence, the most urgent first."""
    order = list(Level)
    rows = (
        f'<li>{_level(one.level)}<div><a href="#{anchor("section", one.id)}">{shown(one.title)}</a><p>{shown(one.summary)}</p></div></li>\n'
        for one in sorted(report.sections, key=lambda one: order.index(one.level))
    )
    return f'<nav aria-labelledby="contents">\n<h2 id="contents">At a glance</h2>\n<ol>\n{"".join(rows)}</ol>\n</nav>\n'


def _footer(report: Report) -> str:
    state = (
        ("Log", inline(report.origin)),
        ("Entries", f"{report.size:,}"),
        ("Root", f"<code>{inline(report.root)}</code>"),
        ("Policies", f"<code>{inline(report.policies)}</code>"),
        ("Edition", str(report.edition)),
    )
    return f"<footer>\n<h2>Made from</h2>\n{_pairs('state', state)}</footer>\n"


def _section(section: Section) -> str:
    name = anchor("section", section.id)
    parts = (
        "".join(_item(item, f"{name}-{number}") for number, item in enumerate(section.items, 1)),
        _verbatim(section) if section.verbatim else "",
        *_figures(section),
        "".join(f'<p class="note">{shown(note)}</p>\n' for note in section.notes),
    )
    return (
        f'<section id="{name}" aria-labelledby="{name}-title">\n'
        f'<div class="head"><h2 id="{name}-title">{shown(section.title)}</h2>{_level(section.level)}</div>\n'
        f'<p class="summary">{shown(section.summary)}</p>\n{"".join(parts)}</section>\n'
    )


def _item(item: Item, name: str) -> str:
    """What happened and where; who must do what; then what decided it, and by what it is found in the log."""
    found = (
        ("Written in", inline(item.cites)),
        ("Rule", f"<code>{inline(item.rule)}</code>"),
        ("Severity", inline(item.severity)),
        ("When", _time(item.at)),
        ("Site", inline(item.site)),
        ("Event", f"<code>{inline(item.event)}</code>"),
        ("Finding", f"<code>{inline(item.id)}</code>"),
        ("Log entries", ", ".join(map(str, item.entries))),
    )
    given = (item.cites, item.rule, item.severity, item.at, item.site, item.event, item.id, item.entries)
    values = tuple((inline(key), _time(value)) for key, value in item.values.items())
    return (
        f'<article class="item {item.level}" aria-labelledby="{name}">\n<div class="told">\n{_level(item.level)}\n<h3 id="{name}">{shown(item.title)}</h3>\n'
        + (f'<p class="where">{shown(item.where)}</p>\n' if item.where else "")
        + (f'<div class="todo"><h4>What to do</h4><p>{shown(item.todo)}</p></div>\n' if item.todo else "")
        + (f"<h4>What decided it</h4>\n{_pairs('values', values)}" if values else "")
        + "</div>\n"
        + _pairs("found", (pair for pair, there in zip(found, given, strict=True) if there))
        + "</article>\n"
    )


def _figures(section: Section) -> Iterator[str]:
    """Tables, each with the charts that are drawn of it."""
    tables = {table.id: table for table in section.tables}
    drawn = [(chart.table, figure_of(chart, tables[chart.table])) for chart in section.charts]
    for table in section.tables:
        charts = "".join(figure for of, figure in drawn if of == table.id)
        if not charts:
            yield _table(table)
            continue
        beside = " beside" if len(table.columns) <= _SLIM and len(table.rows) <= _FEW else ""
        yield f'<div class="drawn{beside}">\n<div>\n{charts}</div>\n{_table(table)}</div>\n'


def _table(table: Table) -> str:
    name = anchor("table", table.id)
    if not table.rows:
        return f'<p class="nothing" id="{name}"><span class="caption">{shown(table.caption)}:</span> {inline(table.empty)}</p>\n'
    columns = len(table.columns)
    size = " wide" if columns > _WIDE else " slim" if columns <= _SLIM else ""
    size += " few" if len(table.rows) <= _FEW else " long" if len(table.rows) > _MANY else ""
    heads = "".join(
        f'<th scope="col"{_class(one)}><span{_phrase(one.heading)}>{shown(one.heading)}</span></th>'
        for one in table.columns
    )
    fractions = tuple(
        max(_places(column, row[place]) or 0 for row in table.rows)
        for place, column in enumerate(table.columns)
    )
    rows = "".join(f"<tr>{''.join(_cells(table, row, fractions))}</tr>\n" for row in table.rows)
    return (
        f'<div class="scroll{size}" id="{name}" role="region" tabindex="0" aria-label="Table: {plain(table.caption)}">\n'
        f"<table>\n<caption><span>{shown(table.caption)}</span></caption>\n<thead>\n<tr>{heads}</tr>\n</thead>\n"
        f"<tbody>\n{rows}</tbody>\n</table>\n</div>\n"
    )


def _cells(table: Table, row: tuple[Cell, ...], fractions: tuple[int, ...]) -> Iterator[str]:
    for place, (column, cell) in enumerate(zip(table.columns, row, strict=True)):
        tag, scope = ("th", ' scope="row"') if place < table.headers else ("td", "")
        room = _room(_places(column, cell), fractions[place])
        yield f"<{tag}{scope}{_class(column, cell)}{room}>{_cell(column, cell)}</{tag}>"


def _cell(column: Column, cell: Cell) -> str:
    if cell is None:
        return f'<span aria-hidden="true">{DASH}</span><span class="heard">not known</span>'
    digits = decimal(cell, column.kind)
    if digits is not None:
        return figure(Decimal(digits))
    return _time(str(cell)) if column.kind in {"instant", "date"} else shown(str(cell))


def _class(column: Column, cell: Cell = None) -> str:
    """How a cell (by default, the heading) is set: numbers at the right; what is short on one line, on paper too if it is one word."""
    if column.kind in NUMBERS:
        return ' class="number"'
    if column.kind in {"entries", "instant"}:
        return f' class="{column.kind}"'
    if cell is None:
        return ""
    text = str(cell)
    if len(text) > _SHORT:
        return ' class="text prose"' if len(text) > _PROSE else ' class="text"'
    return ' class="short"' if " " in text else ' class="short word"'


def _phrase(heading: str) -> str:
    """A heading of several words is not set word below word over a narrow number."""
    return ' class="phrase"' if len(heading) > _SHORT else ""


def _places(column: Column, cell: Cell) -> int | None:
    """How many digits of a number follow its point; None for what is no number."""
    digits = decimal(cell, column.kind)
    return None if digits is None else len(digits.partition(".")[2])


def _room(places: int | None, most: int) -> str:
    """What the style sheet adds unseen behind a number, so that the points of a column stand below each other."""
    if places is None or places == most:
        return ""
    return f' data-room="{"" if places else "."}{"0" * (most - places)}"'


def _verbatim(section: Section) -> str:
    """A browser leaves out a line's end right after ``<pre>``, and, in copying, one that nothing follows: so a line's end goes before the text
    and a break after it, neither of which is part of it."""
    return (
        f'<div class="verbatim">\n<p class="caption">Word for word, to be copied whole</p>\n'
        f'<div class="scroll" role="region" tabindex="0" aria-label="{plain(section.title)}, word for word">'
        f"<pre>\n{as_it_is(section.verbatim)}<br></pre></div>\n</div>\n"
    )


def _pairs(kind: str, pairs: Iterable[tuple[str, str]]) -> str:
    """A list of names with what each stands for, both already HTML; nothing where there is none."""
    rows = "".join(f"<div><dt>{name}</dt><dd>{said}</dd></div>\n" for name, said in pairs)
    return f'<dl class="{kind}">\n{rows}</dl>\n' if rows else ""


def _level(level: Level) -> str:
    sign = f'<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">{_SIGNS[level]}</svg>'
    return f'<p class="level {level}">{sign}{LEVELS[level]}</p>'


def _day(text: str) -> str:
    """A date with its day of the week; any other text as it is."""
    try:
        weekday = _WEEKDAYS[date.fromisoformat(text).weekday()] if _DATE.fullmatch(text) else ""
    except ValueError:
        weekday = ""
    return f"{weekday} {_time(text)}".lstrip()


def _time(text: str) -> str:
    """A date, or an instant as people write it, parted between day and clock where there is no room; any other text as it is."""
    if _DATE.fullmatch(text):
        return f'<time datetime="{text}">{text}</time>'
    parts = _INSTANT.fullmatch(text)
    if not parts:
        return inline(text)
    day, clock, offset = parts.groups()
    return f'<time datetime="{text}"><span>{day}</span> <span>{clock} {offset}</span></time>'
