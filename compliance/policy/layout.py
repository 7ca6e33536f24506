"""One layout for all policy files: what a file says, in the way in which all of them say it, with its comments.

The fields of a file and of its parts stand in the order of the language, groups of them are apart by one blank line, rows and events have a line
each, what is short stands on one line, long text is folded. Comments stay with what they belong to (`comments`). A file that is laid out twice
is the same as one laid out once, and says what it said before: `formatted` reads what it wrote again and compares.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import dropwhile
from typing import Any, Final

from compliance.errors import Place, Problem
from compliance.policy.comments import Comment, Comments, comments_of
from compliance.policy.documents import read_bytes, read_text
from compliance.policy.file_kinds import FITS, FileKind, Shape, file_kind
from compliance.policy.located import Document, Path
from compliance.policy.scalar_text import block, inline, key, needs_quotes_in_flow

WIDTH: Final = 120
"""How wide a line may be that can be broken. Events and rows of tables are not broken, however long they are."""

_CR: Final = re.compile(r"\r\n?")
_SCHEMA: Final = re.compile(r"#\s*yaml-language-server:\s*\$schema=\s*(\S+)\s*\Z")


def formatted(
    content: bytes, source: str, schema_of: Callable[[FileKind], str | None] = lambda _: None
) -> str | tuple[Problem, ...]:
    """A policy file in the one layout, or why it cannot be: it does not parse, or would not say the same.

    `schema_of` gives the address of a kind's schema, which the first line names; None leaves the line that is there.
    """
    written = read_bytes(content, source)
    if not isinstance(written, Document):
        return written
    document = written
    if "\r" in written.text:
        unix = _read(_CR.sub("\n", written.text), source)
        if unix is None or not same(unix.value, written.value):
            return (_unfaithful(source),)
        document = unix
    kind = file_kind(document.value)
    text = lay_out(document, schema_of(kind) if kind else None)
    if text != document.text and not _faithful(document, _read(text, source)):
        return (_unfaithful(source),)
    return text


def _read(text: str, source: str) -> Document | None:
    document = read_text(text, source)
    return document if isinstance(document, Document) else None


def _unfaithful(source: str) -> Problem:
    return Problem(
        Place(source),
        "laid out, this file would not say the same, so it is left as it is",
        "lay it out by hand, and tell the makers of this software",
        "layout",
    )


def _faithful(before: Document, after: Document | None) -> bool:
    """Whether a file laid out says what it said: the same values, fields in the order of the language, and every comment."""
    if after is None:
        return False
    kind = file_kind(before.value)
    expected = _in_order(before.value, kind.shape if kind else FITS)
    return same(expected, after.value) and _words(before) == _words(after)


def same(one: Any, other: Any) -> bool:
    """Whether two documents' values are equal, and of the same types, with their fields in the same order."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _in_order(value: Any, shape: Shape) -> Any:
    if isinstance(value, dict):
        return {name: _in_order(value[name], shape.of(name)) for name in _fields(value, shape)}
    if isinstance(value, list):
        return [_in_order(item, shape.of(i)) for i, item in enumerate(value)]
    return value


def _words(document: Document) -> list[str]:
    """Every comment but that which names the schema, in no order."""
    comments = comments_of(document)
    placed = (*comments.at.values(), *comments.closing.values(), comments.last)
    every = (one for those in placed for one in those)
    return sorted(one.text for one in every if one.text and not _SCHEMA.match(one.text))


def lay_out(document: Document, schema: str | None = None) -> str:
    """A document whose lines end as on Unix in the one layout; `formatted` also holds it against what it said."""
    writer = _Writer(document, comments_of(document))
    writer.document(schema)
    return "\n".join(writer.lines).rstrip("\n") + "\n"


def _fields(value: dict[str, Any], shape: Shape) -> list[str]:
    """The fields in the order of their shape; one that the shape does not know stays behind the one that it follows."""
    if not shape.order:
        return list(value)
    ranks: dict[str, int] = {}
    rank = -1
    for name in value:
        rank = shape.order.index(name) if name in shape.order else rank
        ranks[name] = rank
    return sorted(value, key=ranks.__getitem__)


class _Writer:
    """Writes a document line by line."""

    def __init__(self, document: Document, comments: Comments) -> None:
        self.value = document.value
        self.kind = file_kind(document.value)
        self.comments = comments
        self.lines: list[str] = []

    def document(self, schema: str | None) -> None:
        """The whole file."""
        shape = self.kind.shape if self.kind else FITS
        self.heading(schema)
        if isinstance(self.value, (dict, list)) and self.value:
            self.spread((), self.value, shape, 0)
        else:
            self.own_lines(self.comments.above(()), 0)
            self.entry("", (), self.value, shape, 0)
        self.own_lines(self.comments.last, 0)

    def heading(self, schema: str | None) -> None:
        """The line that names the schema, and what is said of the file as a whole: comments with a blank line below them."""
        first: Path = ()
        if isinstance(self.value, (dict, list)) and self.value:
            first = (next(iter(self.value)),) if isinstance(self.value, dict) else (0,)
        above = [*self.comments.at.pop((), ()), *self.comments.at.pop(first, ())]
        named = [one for one in above if not one.behind and _SCHEMA.match(one.text)]
        if schema is not None:
            self.lines.append(f"# yaml-language-server: $schema={schema}")
        elif named:
            self.lines.append(named[0].text)
        rest = list(dropwhile(_is_blank, (one for one in above if one not in named)))
        cut = max((i + 1 for i, one in enumerate(rest) if _is_blank(one)), default=0)
        self.own_lines(rest[:cut], 0)
        self.comments.at[first] = rest[cut:]

    def spread(
        self,
        path: Path,
        value: dict[str, Any] | list[Any],
        shape: Shape,
        column: int,
        *,
        hoisted: bool = False,
    ) -> None:
        """A group or a list over several lines. What stands above its first part is already written, where it is `hoisted`."""
        before: str | int | None = None
        for step, item in _parts(value, shape):
            here = (*path, step)
            head = " " * column + ("-" if isinstance(step, int) else f"{key(step)}:")
            if before is not None or not hoisted:
                self.above(here, before, self.heads(here, item, shape.of(step), head), column)
            self.entry(head, here, item, shape.of(step), column)
            self.own_lines(self.comments.closing.get(here, []), column)
            before = step

    def heads(self, path: Path, value: Any, shape: Shape, head: str) -> list[Comment]:
        """What stands above an entry. An item that is spread out begins with its first part, so what belongs to that is above it too."""
        above = self.comments.above(path)
        if isinstance(path[-1], int) and self.is_spread(path, value, shape, head):
            if behind := self.comments.behind(path):
                above = [*above, Comment(behind)]
            step, part = next(_parts(value, shape))
            inner = f"{head} -" if isinstance(step, int) else f"{head} {key(step)}:"
            return above + self.heads((*path, step), part, shape.of(step), inner)
        return above

    def above(self, path: Path, before: str | int | None, comments: list[Comment], column: int) -> None:
        """Comments and blank lines above an entry. The groups of a file are apart by one blank line, and nothing else within them is."""
        if before is None:
            comments = list(dropwhile(_is_blank, comments))
        elif len(path) == 1 and self.kind is not None:
            groups = {self.group(before), self.group(path[0])}
            apart = len(groups) == 2 and None not in groups
            comments = [Comment("")] * apart + list(dropwhile(_is_blank, comments))
        self.own_lines(comments, column)

    def group(self, name: str | int) -> int | None:
        """The group of a field of the file; one that the language does not know has none."""
        groups = self.kind.groups if self.kind else ()
        return next((i for i, names in enumerate(groups) if name in names), None)

    def own_lines(self, comments: list[Comment], column: int) -> None:
        """Comments on lines of their own, and blank lines, never two in a row."""
        for one in comments:
            if one.text:
                self.lines.append(" " * column + one.text)
            elif self.lines and self.lines[-1]:
                self.lines.append("")

    def entry(self, head: str, path: Path, value: Any, shape: Shape, column: int) -> None:
        """A field or an item, `head` being its key or dash."""
        behind = f"  {self.comments.behind(path)}" if self.comments.behind(path) else ""
        if not self.is_spread(path, value, shape, head):
            self.lines.extend(_short(head, value, behind, column))
        elif isinstance(path[-1], int):
            start = len(self.lines)
            self.spread(path, value, shape, column + 2, hoisted=True)
            self.lines[start] = head + self.lines[start][len(head) :]
        else:
            self.lines.append(head + behind)
            self.spread(path, value, shape, column + 2)

    def is_spread(self, path: Path, value: Any, shape: Shape, head: str) -> bool:
        """Whether a group or a list takes several lines: where it holds comments or groups, or is too long, unless its shape decides."""
        if not isinstance(value, (dict, list)) or not value:
            return False
        if path in self.comments.holders:
            return True
        parts = list(value.values()) if isinstance(value, dict) else value
        if shape.style == "line":
            return isinstance(value, list) and any(isinstance(part, dict) for part in parts)
        if shape.style == "block" or any(_holds_groups(part, isinstance(value, list)) for part in parts):
            return True
        scalars = [one for part in parts for one in (part if isinstance(part, list) else [part])]
        return any(map(needs_quotes_in_flow, scalars)) or len(head) + 1 + len(_one_line(value)) > WIDTH


def _is_blank(one: Comment) -> bool:
    return not one.text


def _parts(value: dict[str, Any] | list[Any], shape: Shape) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return ((name, value[name]) for name in _fields(value, shape))
    return iter(enumerate(value))


def _holds_groups(part: Any, in_list: bool) -> bool:
    """Whether a part of a group is itself one, or a part of a list is no scalar."""
    if isinstance(part, list):
        return bool(part) and (in_list or any(isinstance(one, (dict, list)) for one in part))
    return isinstance(part, dict) and bool(part)


def _one_line(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{key(name, flow=True)}: {_one_line(item)}" for name, item in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_one_line, value)) + "]"
    return inline(value, flow=True)


def _short(head: str, value: Any, behind: str, column: int) -> list[str]:
    """An entry that is not spread out: one line, or a long text folded."""
    is_scalar = not isinstance(value, (dict, list))
    written = inline(value) if is_scalar else _one_line(value)
    lead = f"{head} " if head else ""
    if isinstance(value, str) and ("\n" in value or len(lead) + len(written) > WIDTH):
        indent = " " * (column + 2)
        lines = block(value, WIDTH - len(indent)) or ()
        if lines:
            return [f"{lead}{lines[0]}{behind}", *(indent + line if line else "" for line in lines[1:])]
    return [f"{lead}{written}{behind}"]
