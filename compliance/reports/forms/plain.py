"""What every form shows in the same way: characters that are not seen, values of tables, the words for levels.

A text of the log may hold what moves, hides or ends other text: control characters, directional overrides, joiners without width. They are shown by
number, ``[U+202E]``, so that nothing is lost, and two lots that differ also look different.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from compliance.reports.page import Cell, Item, Kind, Level

LEVELS: Final[Mapping[Level, str]] = {
    Level.ALARM: "Alarm",
    Level.ACTION: "Action",
    Level.NOTICE: "Notice",
    Level.GOOD: "In order",
}
"""The word for each level; no form says it by colour alone."""

DASH: Final = "\N{EN DASH}"
"""What stands where nothing could be said."""

NUMBERS: Final[frozenset[Kind]] = frozenset({"count", "quantity"})
"""The columns that stand to the right."""

_DECIMAL: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")

_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks without a shape, beside the categories below (Unicode, Default_Ignorable_Code_Point)."""


class _Shown(dict[int, str]):
    """A table for `str.translate` that is filled as characters are met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        hidden = category[0] == "C" or category in {"Zl", "Zp"} or _UNSEEN.match(character)
        self[code] = shown = numbered(character) if hidden else character
        return shown


_TABLE: Final = _Shown({ord("\t"): "\t", ord("\n"): "\n"})


def numbered(character: str) -> str:
    """A character by its number: ``[U+202E]``."""
    return f"[U+{ord(character):04X}]"


def visible(text: str) -> str:
    """The text with every character that is not seen shown by number; tab and line feed stay, CR LF is a line feed."""
    if text.isascii() and text.isprintable():
        return text
    return text.replace("\r\n", "\n").translate(_TABLE)


def one_line(text: str) -> str:
    """The same on one line: runs of white space are one space."""
    return re.sub(r"[ \t\n]+", " ", visible(text)).strip()


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters on one line, cut after a word where one ends in the second half; a cut is shown as ``…``."""
    line = one_line(text)
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    word = cut.rfind(" ") if line[limit - 1] != " " else limit - 1
    return (cut[:word] if word >= limit // 2 else cut).rstrip(" ,;:") + "…"


def shown(value: Cell, kind: Kind) -> str:
    """A value of a table for people: counts with commas, a dash for nothing."""
    if value is None:
        return DASH
    return f"{value:,}" if isinstance(value, int) and kind == "count" else visible(str(value))


def decimal(value: Cell, kind: Kind) -> str | None:
    """The digits of a value that is a number in a column of numbers; None for everything else."""
    if kind not in NUMBERS or value is None:
        return None
    text = str(value)
    return text if _DECIMAL.fullmatch(text) else None


def facts(values: Mapping[str, str]) -> str:
    """The values that decided something: ``left 1h 40m; asked 2h``."""
    return "; ".join(f"{name} {value}" for name, value in values.items())


def behind(item: Item) -> str:
    """Where an item comes from: ``Rule rems-monitor (deny); event 12ab; entries 812, 790``; empty where nothing is said of it."""
    rule = f"{item.rule} ({item.severity})" if item.rule and item.severity else item.rule or item.severity
    said = {
        "rule": rule,
        "site": item.site,
        "event": item.event,
        "at": item.at,
        "finding": item.id,
        "entries": ", ".join(map(str, item.entries)),
    }
    line = facts({name: value for name, value in said.items() if value})
    return line[:1].upper() + line[1:]
