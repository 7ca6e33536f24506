"""The comments of a policy file, and the value that each belongs to.

A comment with a line of its own stands above the field or item that comes next; any other stands behind what its line ends with. A parser drops
them, so they are found in what lies between its tokens, where a ``#`` can only begin a comment.

>>> from compliance.policy.documents import read_text
>>> comments_of(read_text("a: 1  # one", "a.yaml")).behind(("a",))
'# one'
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from compliance.policy.located import Document, Mark, Path

_BREAKS: Final = "\n\x85\u2028\u2029"  # where libyaml ends a line, and a comment with it
_TRIVIA: Final = re.compile(rf"\#[^{_BREAKS}]*|^[ \t]*$", re.MULTILINE)
_COMMENT: Final = re.compile(rf"\#[^{_BREAKS}]*")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, or a blank line where `text` is empty."""

    text: str
    behind: bool = False


@dataclass(slots=True)
class Comments:
    """The comments of a document by the path they belong to, in order; those below everything are `last`."""

    at: dict[Path, list[Comment]] = field(default_factory=lambda: defaultdict(list))
    closing: dict[Path, list[Comment]] = field(default_factory=lambda: defaultdict(list))
    """Those below the last part of a group, set in as far as that and further than what comes next."""
    last: list[Comment] = field(default_factory=list)
    holders: set[Path] = field(default_factory=set)
    """Everything that has a comment somewhere within, so that it cannot stand on one line."""

    def above(self, path: Path) -> list[Comment]:
        """What stands above it: of several comments behind it all but the last, since a line ends once."""
        return self.at.get(path, [])[: -1 if self.behind(path) else None]

    def behind(self, path: Path) -> str:
        """The comment behind it; an empty text where there is none."""
        those = self.at.get(path)
        return those[-1].text if those and those[-1].behind else ""


class _Token(NamedTuple):
    """A key, a scalar, the opening of a bracket, or an item's beginning: where a comment can stand above or behind."""

    start: int
    end: int
    path: Path
    opens: bool = False


def comments_of(document: Document) -> Comments:
    """The comments of a document whose lines end as on Unix."""
    text = document.text
    marks = list(document.marks.items())
    starts = [mark.start for _, mark in marks]
    found = Comments()
    latest: Path = ()
    at = 0
    while at < len(text) and (match := _TRIVIA.search(text, at)):
        begin = match.start()
        near = max(bisect_right(starts, begin) - 1, 0)
        # The last value that begins before has the token before, unless the next one's key does; then the value after that comes next.
        tokens = [token for path, mark in marks[near : near + 3] for token in _tokens(text, path, mark)]
        before = next((token for token in reversed(tokens) if token.start <= begin), None)
        if before is not None and begin < before.end:
            at = before.end
            continue
        at = max(match.end(), begin + 1)
        after = next((token.path for token in tokens if token.start >= match.end()), None)
        path = _place(document, found, match, before, after, latest)
        if match.group() and path is not None:
            latest = path
            found.holders.update(path[:length] for length in range(len(path)))
    return found


def _place(
    document: Document,
    found: Comments,
    match: re.Match[str],
    before: _Token | None,
    after: Path | None,
    latest: Path,
) -> Path | None:
    """Notes a comment, or a blank line, between two tokens where it belongs; the path of that. `latest` is that of the comment before."""
    comment = match.group().rstrip()
    if comment and before is not None:
        path = _behind(document.text, before, match.start())
        # Behind a closing bracket, with comments within, is behind all of those: above what follows.
        if path and not (latest[: len(path)] == path and len(latest) > len(path)):
            found.at[path].append(Comment(comment, behind=True))
            return path
        level = _level(document, match.start(), before, after)
        if level is not None:
            found.closing[level].append(Comment(comment))
            return level
    if after is None:
        found.last.append(Comment(comment))
        return None
    path = _item_of(after, document.value)
    those = found.at[path]
    if comment or not (those and those[-1].behind):
        those.append(Comment(comment))
    return path


def _behind(text: str, before: _Token, begin: int) -> Path | None:
    """What the comment at `begin` stands behind; None where it has its line to itself. An empty path is the whole document."""
    line = text.rfind("\n", 0, begin) + 1
    between = _COMMENT.sub("", text[before.end : begin])
    on_line = text[max(line, before.end) : begin]
    if before.end <= line and not any(mark in on_line for mark in "[]{},"):
        return None
    closed = between.count("]") + between.count("}") - before.opens
    return before.path[: len(before.path) - closed] if closed > 0 else before.path


def _item_of(path: Path, value: Any) -> Path:
    """What stands above the first field of an item stands above the item."""
    parents = [value]
    for step in path[:-1]:
        parents.append(parents[-1][step])
    while (
        len(path) > 1 and isinstance(path[-2], int) and path[-1] == next(iter(_steps(parents[len(path) - 1])))
    ):
        path = path[:-1]
    return path


def _steps(value: dict[str, Any] | list[Any]) -> Iterable[str | int]:
    return value if isinstance(value, dict) else range(len(value))


def _level(document: Document, begin: int, before: _Token, after: Path | None) -> Path | None:
    """The last part of the group that the comment at `begin` closes by being set in as far as that, and further than what comes `after`."""
    column = begin - document.text.rfind("\n", 0, begin) - 1
    outer = _column(document, after) if after else 0
    level: Path | None = None
    for length in range(len(before.path) + 1):
        path = before.path[:length]
        if path and outer < _column(document, path) <= column:
            level = path
        if document.text[document.marks[path].start : document.marks[path].end] in ("[", "{"):
            break
    return level


def _column(document: Document, path: Path) -> int:
    """Where an entry begins: its key, or the dash of an item."""
    return document.marks[path].key_column - (1 if isinstance(path[-1], str) else 3)


def _tokens(text: str, path: Path, mark: Mark) -> Iterator[_Token]:
    """The tokens of one value. One that is not there, or is spread out, has none but its key (or its item's beginning)."""
    start, end = mark.start, mark.end
    entry = bool(path) and isinstance(path[-1], str)
    if entry:
        yield _Token(mark.key_start, mark.key_end, path)
    if mark.style in ("|", ">"):
        header = text.find("\n", start, end)
        header = header if header >= 0 else end
        yield _Token(start, start + len(text[start:header].split(" ", 1)[0]), path)
        yield _Token(header, max(header, start + len(text[start:end].rstrip())), path)
    elif start < end:
        yield _Token(start, end, path, mark.style is None and text[start] in "[{")
    elif path and not entry:
        yield _Token(start, start, path)
