"""How answers look: JSON lines for programs; for people, text that fits the terminal, and plain text where it is piped."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import click

WIDEST: Final = 100
"""Text for people is not wider, however wide the terminal is."""

COLORS: Final = {
    "violation": "red", "denied": "red", "rejected": "red", "deny": "red", "missed": "red", "flagged": "yellow",
    "permitted_with_warnings": "yellow", "warn": "yellow", "compliant": "green", "permitted": "green",
}  # fmt: skip


def on_terminal() -> bool:
    """Whether a person looks at standard output."""
    return sys.stdout.isatty()


def width() -> int | None:
    """How wide text may be; None where it is piped and lines are not broken."""
    return min(shutil.get_terminal_size((80, 24)).columns, WIDEST) if on_terminal() else None


def json_line(value: Mapping[str, Any] | Sequence[Any]) -> bytes:
    """One JSON object on one line, members in the order given."""
    import orjson

    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def echo_json(*values: Mapping[str, Any]) -> None:
    """JSON objects, one per line, written and flushed at once."""
    if values:
        click.echo(b"".join(json_line(value) for value in values), nl=False)


def colored(word: str) -> str:
    """A word in the colour of its meaning; click takes colours out again where nobody looks."""
    return click.style(word, fg=COLORS[word]) if word in COLORS else word


def paragraph(text: str, indent: int = 0, hanging: int = 0, *, fitting: int | None = None) -> str:
    """Text below an indent, broken to the terminal's width (or `fitting` another); piped, it stays one line."""
    wide = fitting or width()
    if wide is None:
        return " " * indent + text
    first, rest = " " * indent, " " * (indent + hanging)
    return textwrap.fill(
        text,
        wide,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def headline(word: str, rest: str, indent: int = 0) -> str:
    """A line that begins with a word in the colour of its meaning, broken to the terminal's width."""
    return paragraph(f"{word}  {rest}", indent, 2).replace(word, colored(word), 1)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], whole: Sequence[str] = ()) -> None:
    """Rows under headings: drawn by rich to fit the terminal; piped, plain columns and nothing cut off.

    Columns named in `whole` are never broken; the others share the width that is left.
    """
    rows = [tuple(row) for row in rows]
    if on_terminal():
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        drawn = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold")
        for column in columns:
            drawn.add_column(column, overflow="fold", no_wrap=column in whole)
        for row in rows:
            drawn.add_row(*(Text(cell, style=COLORS.get(cell, "")) for cell in row))
        Console(file=sys.stdout, width=width()).print(drawn)
        return
    widths = [max([len(column), *(len(row[i]) for row in rows)]) for i, column in enumerate(columns)]
    for row in ([column.upper() for column in columns], *rows):
        click.echo("  ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)).rstrip())


def counted(number: int, one: str, many: str | None = None) -> str:
    """``1 event``, ``2 events``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def instant(microseconds: int, zone: str = "UTC") -> str:
    """An instant for people, to the second where it has no fraction."""
    from compliance.domain.time import format_instant

    return format_instant(microseconds, zone)
