"""A document's plain values, and where each of them stands.

`Document.value` holds only str, int, bool, None, `Digits`, list and dict. A path is a tuple of field names and list positions. A
document that was loaded from the database has values but no text: its places then name file and line of the rule as a whole.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final, NamedTuple, TypeAlias

from compliance.errors import Place, Problem
from compliance.policy.expression.tree import Span
from compliance.policy.scalars import Digits

Path: TypeAlias = tuple[str | int, ...]

_DECIMAL_KEY: Final = "$decimal"
_EXCERPT: Final = 110


class Mark(NamedTuple):
    """Where a value stands, 1-based: its own line and column, those of its key, its offsets in the text, its quoting style, and the
    offsets of its key (where it has none, those of its beginning). What is no scalar ends, here, where it begins."""

    line: int
    column: int
    key_line: int
    key_column: int
    start: int
    end: int
    style: str | None
    key_start: int
    key_end: int


@dataclass(frozen=True, slots=True)
class Document:
    """One parsed file. `line` is used for places where there are no marks (a document that comes from the database)."""

    source: str
    value: Any
    marks: Mapping[Path, Mark]
    lines: tuple[str, ...] = ()
    text: str = ""
    line: int | None = None

    @property
    def stem(self) -> str:
        """The file's name without folder, revision (``HEAD:one.yaml``) and ending."""
        return PurePath(self.source.rpartition(":")[2]).stem

    def place(self, path: Path, key: bool = False, span: Span | None = None) -> Place:
        """Where the value at `path` stands (its key, where `key`; a part of its text, where `span`)."""
        line, column, _ = self._position(path, key, span)
        return Place(self.source, line, column, dotted(path) or None)

    def problem(
        self,
        path: Path,
        message: str,
        remedy: str = "",
        code: str = "policy",
        *,
        key: bool = False,
        span: Span | None = None,
    ) -> Problem:
        """A problem with the value at `path`, its text underlined."""
        line, column, width = self._position(path, key, span)
        text = excerpt(self.lines, line, column, width) if line is not None and column is not None else ""
        return Problem(Place(self.source, line, column, dotted(path) or None), message, remedy, code, text)

    def _position(self, path: Path, key: bool, span: Span | None) -> tuple[int | None, int | None, int]:
        mark = self.marks.get(path)
        while mark is None and path:
            path, key, span = path[:-1], False, None
            mark = self.marks.get(path)
        if mark is None:
            return self.line, None, 1
        if key and path and isinstance(path[-1], str):
            return mark.key_line, mark.key_column, len(path[-1])
        if span is not None:
            return self._within(path, mark, span)
        width = mark.end - mark.start
        line_end = len(self.lines[mark.line - 1]) + 1 if self.lines else mark.column
        return mark.line, mark.column, max(1, min(width, line_end - mark.column))

    def _within(self, path: Path, mark: Mark, span: Span) -> tuple[int, int, int]:
        """A part of a scalar. Folding and quoting change only blanks and escapes, so the n-th visible character of the value is the
        n-th visible character of the text, whatever the style."""
        value = at(self.value, path)
        offsets = tuple(_visible(self.text[mark.start : mark.end], mark.style))
        if not isinstance(value, str) or not offsets:
            return mark.line, mark.column, 1
        visible_before = sum(not character.isspace() for character in value[: span.start])
        visible_within = sum(not character.isspace() for character in value[span.start : span.end])
        first = mark.start + offsets[min(visible_before, len(offsets) - 1)]
        if visible_before >= len(offsets):
            first += 1
        last = (
            mark.start
            + offsets[min(max(visible_before + visible_within - 1, visible_before), len(offsets) - 1)]
        )
        line, column = self._line_and_column(first)
        last_line, last_column = self._line_and_column(last)
        width = last_column - column + 1 if last_line == line else len(self.lines[line - 1]) - column + 1
        return line, column, max(1, width)

    def _line_and_column(self, offset: int) -> tuple[int, int]:
        starts = _line_starts(self.text)
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1


def dotted(path: Path) -> str:
    """``given.dose.where``, ``cases[2].event``; list positions count from 1, as people do."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step + 1}]"
        else:
            text += f".{step}" if text else step
    return text


def at(value: Any, path: Path) -> Any:
    """The value at a path; None where the path leads nowhere."""
    for step in path:
        if isinstance(value, Mapping) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def as_json(value: Any) -> Any:
    """Plain JSON: a decimal number becomes ``{"$decimal": "2.5"}``, so that it stays a number and stays exact."""
    if isinstance(value, Digits):
        return {_DECIMAL_KEY: str(value)}
    if isinstance(value, Mapping):
        return {name: as_json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value


def from_json(value: Any) -> Any:
    """The inverse of `as_json`."""
    if isinstance(value, Mapping):
        if len(value) == 1 and _DECIMAL_KEY in value:
            return Digits(value[_DECIMAL_KEY])
        return {name: from_json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [from_json(item) for item in value]
    return value


def excerpt(lines: tuple[str, ...], line: int, column: int, width: int) -> str:
    """The text line with the place underlined; a long line is cut around the place."""
    if not 1 <= line <= len(lines):
        return ""
    text = lines[line - 1].replace("\t", " ")
    start = 0 if len(text) <= _EXCERPT else max(0, min(column - 1 - _EXCERPT // 3, len(text) - _EXCERPT))
    shown = text[start : start + _EXCERPT]
    width = max(1, min(width, len(shown) - (column - 1 - start)))
    number = f"{line:5} | "
    return f"{number}{shown}\n{' ' * (len(number) - 2)}| {' ' * (column - 1 - start)}{'^' * width}"


def _visible(raw: str, style: str | None) -> Iterator[int]:
    """Offsets in `raw` of the characters that stand for visible characters of the value, in order."""
    if style in ("|", ">"):
        first = raw.find("\n") + 1
        yield from (first + i for i, character in enumerate(raw[first:]) if not character.isspace())
    elif style == "'":
        i = 1
        while i < len(raw) - 1:
            if not raw[i].isspace():
                yield i
            i += 2 if raw[i] == "'" else 1
    elif style == '"':
        yield from _visible_double(raw)
    else:
        yield from (i for i, character in enumerate(raw) if not character.isspace())


_ESCAPE_WIDTH: Final = {"x": 4, "u": 6, "U": 10}
_BLANK_ESCAPES: Final = frozenset("tnvfr \t\n\rN_LP")


def _visible_double(raw: str) -> Iterator[int]:
    i = 1
    while i < len(raw) - 1:
        if raw[i] == "\\":
            if raw[i + 1] not in _BLANK_ESCAPES:
                yield i
            i += _ESCAPE_WIDTH.get(raw[i + 1], 2)
        else:
            if not raw[i].isspace():
                yield i
            i += 1


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for i, character in enumerate(text):
        if character == "\n" or (character == "\r" and text[i + 1 : i + 2] != "\n"):
            starts.append(i + 1)
    return starts
