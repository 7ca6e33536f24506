"""The readable pages of a binder: plain HTML that prints, written row by row, with nothing in it that needs a network or a script."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final, TextIO

from compliance.reports.forms.plain import visible

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1a1a1a; --quiet: #4a4a4a; --line: #b9b9b9; --paper: #fff; --head: #eef1f4; --link: #0b4f8a; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ededed; --quiet: #c2c2c2; --line: #5a5a5a; --paper: #161616; --head: #262b30; --link: #8fc3f5; }
}
body { font: 15px/1.45 system-ui, "Segoe UI", Arial, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; padding: 0 1rem; max-width: 78rem; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; } h2 { font-size: 1.2rem; margin: 2rem 0 .4rem; } h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
p, li { max-width: 62rem; } .quiet, caption { color: var(--quiet); } a { color: var(--link); }
.wide { overflow-x: auto; } table { border-collapse: collapse; margin: .5rem 0 1rem; font-size: .86rem; }
caption { text-align: left; padding: .2rem 0; } th, td { border: 1px solid var(--line); padding: .25rem .45rem; text-align: left; vertical-align: top; }
th { background: var(--head); font-weight: 600; } td { overflow-wrap: break-word; max-width: 34rem; } .missing { font-weight: 600; text-decoration: underline dotted; }
time { white-space: nowrap; } .gone td { color: var(--quiet); text-decoration: line-through; }
pre, code { font: .85rem/1.4 ui-monospace, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
pre { border: 1px solid var(--line); padding: .6rem; background: var(--head); }
@media print { body { margin: 0; max-width: none; font-size: 9pt; } table { font-size: 7.5pt; } thead { display: table-header-group; } tr { break-inside: avoid; } a { color: inherit; } .wide { overflow: visible; } }
"""


_INSTANT: Final = re.compile(r"\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d(?:\.\d+)?)?)([+-]\d\d:\d\d|Z)")
"""An instant, whose day, time and offset are read more easily apart, and may stand in lines of their own."""
_DAY: Final = re.compile(r"\b\d{4}-\d\d-\d\d\b")
"""A day; it is not parted at its hyphens."""


def parted(text: str) -> str:
    """A text whose instants have a space for their T and another before their offset."""
    return _INSTANT.sub(r"\1 \2 \3", text)


class Page:
    """One page, written as it comes. Everything that is handed to it is text, and is escaped here."""

    def __init__(self, file: TextIO, title: str, under: str, index: str | None = "../index.html") -> None:
        self._file = file
        self._write(
            f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
            f"<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        )
        if index is not None:
            self._write(f'<p class="quiet"><a href="{index}">Index of this binder</a></p>\n')
        self._write(f'<h1>{escape(title)}</h1>\n<p class="quiet">{escape(under)}</p>\n')

    def _write(self, text: str) -> None:
        self._file.write(text)

    def heading(self, text: str, level: int = 2) -> None:
        """A heading below the title."""
        self._write(f"<h{level}>{escape(text)}</h{level}>\n")

    def paragraph(self, text: str) -> None:
        """A paragraph."""
        self._write(f"<p>{escape(text)}</p>\n")

    def items(self, texts: Iterable[str]) -> None:
        """A list."""
        self._write("<ul>\n" + "".join(f"<li>{escape(text)}</li>\n" for text in texts) + "</ul>\n")

    def verbatim(self, text: str) -> None:
        """Text in its own lines."""
        self._write(f"<pre>{escape(text)}</pre>\n")

    def begin_table(self, caption: str, headings: Sequence[str]) -> None:
        """The head of a table; rows follow."""
        heads = "".join(f'<th scope="col">{escape(one)}</th>' for one in headings)
        self._write(
            f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}"><table>\n<caption>{escape(caption)}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n'
        )

    def row(
        self,
        cells: Sequence[str],
        *,
        gone: bool = False,
        missing: str = "",
        links: Sequence[tuple[int, str]] = (),
    ) -> None:
        """A row; `gone` where it no longer holds, `missing` is the text that marks what is not there, `links` are cells that lead to a file."""
        leads = dict(links)
        self._write('<tr class="gone">' if gone else "<tr>")
        for at, cell in enumerate(cells):
            text = escape(visible(parted(cell))).replace("\n", "<br>")
            text = _DAY.sub(r"<time>\g<0></time>", text)
            if at in leads:
                text = f'<a href="{escape(leads[at])}">{text}</a>'
            elif cell and cell == missing:
                text = f'<span class="missing">{text}</span>'
            self._write(f"<td>{text}</td>")
        self._write("</tr>\n")

    def end_table(self) -> None:
        """The end of the table."""
        self._write("</tbody>\n</table></div>\n")

    def close(self) -> None:
        """The end of the page; the file stays open."""
        self._write("</main>\n</body>\n</html>\n")
