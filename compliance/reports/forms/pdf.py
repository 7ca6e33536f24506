"""A report as a PDF file: title and contents, then each section with its items, charts, tables, notes and what is printed verbatim.

All text can be searched and copied. Reports and their sections are bookmarks, and the contents lead to them; every page says of which report it is, and
of which state of which log.
"""

from __future__ import annotations

from typing import Final

from compliance.reports.forms.pdf_chart import put_chart
from compliance.reports.forms.pdf_lines import (
    COLOURS,
    Line,
    Style,
    body,
    fitted,
    flow,
    heading,
    labelled,
    put_chip,
    small,
    under_chip,
)
from compliance.reports.forms.pdf_paper import (
    BOTTOM,
    FAINT,
    HAIR,
    LEFT,
    PORTRAIT,
    TOP,
    About,
    Link,
    Page,
    Paper,
    Stroke,
    Text,
    printed,
    regular,
    typewriter,
)
from compliance.reports.forms.pdf_table import put_table
from compliance.reports.forms.plain import behind, facts, one_line
from compliance.reports.page import Item, Report, Section

_VERBATIM: Final = (8.0, 7.0, 6.0)
"""Sizes of type in which verbatim lines are tried; longer ones go on in the next line, after a mark."""

_GOES_ON: Final = " \\"
_CHIPS: Final = 66.0
"""The room for chips in the contents."""

_NUMBER: Final = 30.0
"""The room for a page's number there."""


def pdf(report: Report) -> bytes:
    """The file. The same report gives the same bytes."""
    paper = Paper()
    _put_title(paper, report)
    entries = [_put_entry(paper, section) for section in report.sections]
    for section in report.sections:
        _put_section(paper, section)
    if not paper.page.marks:
        paper.pages.pop()
    for section, (page, y) in zip(report.sections, entries, strict=True):
        its_page = str(paper.goals[_name(section)].page)
        x = LEFT + PORTRAIT.line - regular().advance(its_page) * 9
        page.marks.append(Text(x, y, its_page, regular(), 9))
    for number, page in enumerate(paper.pages, 1):
        _put_margins(page, report, f"Page {number} of {len(paper.pages)}")
    title = f"{one_line(report.title)} {report.date}"
    return printed(paper, About(title, one_line(report.origin), one_line(report.headline)))


def _name(section: Section) -> str:
    return f"section-{section.id}"


def _put_title(paper: Paper, report: Report) -> None:
    """Title, headline, and what the report was read from."""
    flow(paper, fitted(report.title, heading(20), paper.width))
    flow(paper, fitted(f"{report.date} · {', '.join(report.sites)}", body(11, FAINT), paper.width))
    paper.skip(10)
    flow(
        paper, under_chip(report.headline, heading(12), report.level, paper.width, 10), COLOURS[report.level]
    )
    paper.skip(10)
    for label, said in (
        ("Log", report.origin), ("Entries", f"{report.size:,}"), ("Root", report.root), ("Policies", report.policies), ("Edition", str(report.edition)),
    ):  # fmt: skip
        flow(paper, labelled(label, said, body(8), paper.width))
    paper.skip(14)
    paper.need(60)
    paper.goal("contents", "Contents")
    flow(paper, [Line("Contents", heading(13))])
    paper.skip(4)


def _put_entry(paper: Paper, section: Section) -> tuple[Page, float]:
    """A section's level, title and summary in the contents; gives back on which page and at which height its page's number belongs."""
    end = paper.width - _NUMBER
    first, *rest = fitted(section.title, heading(9.5), end, _CHIPS)
    made = [*rest, *fitted(section.summary, body(9), end, _CHIPS)]
    height = sum(line.style.leading for line in (first, *made))
    paper.need(min(height, paper.whole))
    top, page = paper.y, paper.page
    flow(paper, [first])
    put_chip(paper, section.level, LEFT, top - first.style.size)
    flow(paper, made)
    if paper.page is page:
        page.marks.append(Link(LEFT, paper.y, PORTRAIT.line, top - paper.y, _name(section)))
    paper.skip(5)
    return page, top - first.style.size


def _put_section(paper: Paper, section: Section) -> None:
    title = under_chip(section.title, heading(13), section.level, paper.width)
    said = fitted(section.summary, body(10), paper.width)
    paper.skip(20)
    paper.need(min(sum(line.style.leading for line in (*title, *said)) + 60, paper.whole))
    paper.put(Stroke(((LEFT, paper.y + 6), (LEFT + paper.width, paper.y + 6)), COLOURS[section.level], 1))
    paper.goal(_name(section), one_line(section.title))
    flow(paper, title)
    paper.skip(2)
    flow(paper, said)
    for item in section.items:
        paper.skip(8)
        flow(paper, _item(item, paper.width), COLOURS[item.level])
    for table in section.tables:
        for chart in section.charts:
            if chart.table == table.id:
                paper.skip(10)
                put_chart(paper, chart, table)
        paper.skip(10)
        put_table(paper, table)
    for note in section.notes:
        paper.skip(6)
        flow(paper, fitted(note, body(8.5, FAINT), paper.width))
    if section.verbatim:
        paper.skip(8)
        flow(paper, _verbatim(section.verbatim, paper.width), shaded=True)


def _item(item: Item, width: float) -> list[Line]:
    indent = 10.0
    return [
        *under_chip(item.title, heading(9.5), item.level, width, indent),
        *labelled("Where", item.where, body(8.5), width, indent),
        *labelled("To do", item.todo, body(9), width, indent),
        *labelled("Source", item.cites, body(8.5), width, indent),
        *labelled("Values", facts(item.values), body(8.5), width, indent),
        *labelled("From", behind(item), small(), width, indent),
    ]


def _verbatim(text: str, width: float) -> list[Line]:
    """Text in type of one width, in its own lines; one that is too long for the page is parted after a mark."""
    face, indent = typewriter(), 6.0
    own = face.has(text.removesuffix("\n").expandtabs()).split("\n")
    room = width - 2 * indent
    size = next((one for one in _VERBATIM if max(map(face.advance, own)) * one <= room), _VERBATIM[-1])
    letters = int(room / size / face.advance("0"))
    style = Style(face, size)
    parted = [_parted(line, letters) for line in own]
    made = [Line(part, style, indent) for line in parted for part in line]
    if len(made) > len(own):
        made.append(Line(r"(A line that ends in \ goes on in the next one.)", small(), indent))
    return made


def _parted(line: str, letters: int) -> list[str]:
    if len(line) <= letters:
        return [line]
    most = letters - len(_GOES_ON)
    parts = [line[start : start + most] for start in range(0, len(line), most)]
    return [*(part + _GOES_ON for part in parts[:-1]), parts[-1]]


def _put_margins(page: Page, report: Report, number: str) -> None:
    """Above, which report it is and which page; below, which state of which log it was read from."""
    right = LEFT + page.format.line
    head, foot = page.format.height - TOP + 22, BOTTOM - 26
    root = f"root {report.root}"
    above = f"{report.title} · {report.date} · {', '.join(report.sites)}"
    below = f"{report.size:,} entries of {report.origin}"
    page.marks += [
        Text(LEFT, head, _cut(above, 7.5, page.format.line - _wide(number, 7.5)), regular(), 7.5, FAINT),
        Text(right - _wide(number, 7.5), head, number, regular(), 7.5, FAINT),
        Stroke(((LEFT, head - 5), (right, head - 5)), HAIR),
        Stroke(((LEFT, foot + 10), (right, foot + 10)), HAIR),
        Text(LEFT, foot, _cut(below, 6.5, page.format.line - _wide(root, 6.5)), regular(), 6.5, FAINT),
        Text(right - _wide(root, 6.5), foot, root, regular(), 6.5, FAINT),
    ]


def _wide(text: str, size: float) -> float:
    return regular().advance(text) * size


def _cut(text: str, size: float, room: float) -> str:
    """A text on one line, without what does not fit before 12 points of nothing; the title page has all of it."""
    shown = regular().has(one_line(text))
    while shown and _wide(shown, size) > room - 12:
        shown = shown[:-2].rstrip() + "…" if len(shown) > 1 else ""
    return shown
