"""One YAML file as plain JSON values, each of which knows its line and column (policy-language.md).

YAML 1.2 core values only: ``no`` is text, ``2026-11-22`` is text, ``12:30`` is text; a number with a fraction is kept digit by
digit (`Digits`), never as a binary float. Refused, each with its place and in plain words: duplicate keys, anchors and aliases (so
that a few lines cannot explode into gigabytes), tags, tabs, several documents in one file, more than 256 KiB, more than 50 levels.

libyaml reads what is in order, ten times as fast; what it stumbles over is read again by ruamel.yaml, whose account of a mistake is put
into plain words.

>>> read_text("when: x == 1", "a.yaml").place(("when",)).column
7
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from compliance.errors import Place, Problem
from compliance.policy.files import MAX_BYTES, content_of
from compliance.policy.located import Document, Mark, excerpt
from compliance.policy.located import Path as ValuePath
from compliance.policy.scalars import ScalarError, resolve_plain

MAX_DEPTH: Final = 50

_NODES: Final = frozenset({"ScalarEvent", "MappingStartEvent", "SequenceStartEvent"})
_ENDS: Final = frozenset({"MappingEndEvent", "SequenceEndEvent"})
_BREAK: Final = re.compile(r"\r\n|\r|\n")
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def read_file(path: Path, source: str | None = None) -> Document | tuple[Problem, ...]:
    """The document in `path` (named `source` in messages), or what is wrong with the file."""
    name = source or str(path)
    try:
        content = content_of(path)
    except OSError as error:
        return (unreadable(error, name),)
    return read_bytes(content, name)


def unreadable(error: OSError, source: str) -> Problem:
    """A file that cannot be opened or read."""
    message = f"this file cannot be read: {error.strerror or 'it cannot be opened'}"
    return Problem(Place(source), message, "check the name and the permissions", "yaml")


def read_bytes(content: bytes, source: str) -> Document | tuple[Problem, ...]:
    """The document in `content`, which must be UTF-8 and at most 256 KiB."""
    if len(content) > MAX_BYTES:
        message = f"this file is larger than {MAX_BYTES // 1024} KiB"
        return (Problem(Place(source), message, "split it; one rule is one file", "yaml"),)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        lines = _BREAK.split(before)
        place = Place(source, len(lines), len(lines[-1]) + 1)
        return (Problem(place, "this byte is not UTF-8 text", "save the file as UTF-8", "yaml"),)
    return read_text(text, source)


def read_text(text: str, source: str) -> Document | tuple[Problem, ...]:
    """The document in `text`, or everything that keeps it from being one."""
    lines = tuple(_BREAK.split(text))
    control = _CONTROL.search(text)
    if control:
        before = _BREAK.split(text[: control.start()])
        place = Place(source, len(before), len(before[-1]) + 1)
        message = f"the character U+{ord(control.group()):04X} cannot stand in a text file"
        return (Problem(place, message, "delete it", "yaml"),)
    builder = _Builder(source, text, lines)
    try:
        builder.take_all(iter(yaml.CSafeLoader(text).get_event, None))
        clean = not builder.problems
    except yaml.YAMLError:
        clean = False
    if not clean:
        builder = _stumbling(source, text, lines)
    if not builder.problems and not builder.documents:
        builder.problems.append(
            Problem(
                Place(source, 1, 1), "this file is empty", "write the document, or delete the file", "yaml"
            )
        )
    if builder.problems:
        return tuple(builder.problems)
    return Document(source, builder.root, builder.marks, lines, text)


def _stumbling(source: str, text: str, lines: tuple[str, ...]) -> _Builder:
    """What the other parser makes of a text that is not in order; it is imported here, since most texts are."""
    from ruamel.yaml import YAML  # noqa: PLC0415
    from ruamel.yaml.error import MarkedYAMLError  # noqa: PLC0415

    from compliance.policy.yaml_words import in_plain_words  # noqa: PLC0415

    builder = _Builder(source, text, lines)
    try:
        builder.take_all(YAML(typ="safe", pure=True).parse(text))
    except MarkedYAMLError as error:
        builder.problems.append(in_plain_words(error, source, lines))
    return builder


@dataclass
class _Open:
    """A mapping or list that is being filled."""

    value: dict[str, Any] | list[Any]
    path: ValuePath
    key: str | None = None
    key_mark: tuple[int, int, int, int] = (0, 0, 0, 0)
    keys: dict[str, int] = field(default_factory=dict)


@dataclass
class _Builder:
    """Turns parser events into values without recursion, so that depth costs nothing before it is refused."""

    source: str
    text: str
    lines: tuple[str, ...]
    root: Any = None
    marks: dict[ValuePath, Mark] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    documents: int = 0
    stack: list[_Open] = field(default_factory=list)

    def take_all(self, events: Iterable[Any]) -> None:
        """Takes the events of a parser, as far as that makes sense; of either parser, their kinds have the same names."""
        for event in events:
            if not self.take(event, type(event).__name__):
                return

    def take(self, event: Any, kind: str) -> bool:
        """Takes one event; False where going on makes no sense."""
        if kind == "DocumentStartEvent":
            self.documents += 1
            if self.documents > 1:
                self.refuse(
                    event.start_mark,
                    "a second document begins here",
                    "keep one document in a file; delete the --- line",
                )
                return False
            if getattr(event, "version", None) or getattr(event, "tags", None):
                self.refuse(
                    event.start_mark,
                    "YAML directives (%...) are not allowed",
                    "delete the lines that begin with %",
                )
                return False
            return True
        if kind == "AliasEvent":
            self.refuse(
                event.start_mark,
                "what begins with * is taken for a YAML alias, which policies do not have",
                "write the value out; text that begins with * needs quotes: '*...'",
            )
            return False
        if kind not in _NODES:
            if kind in _ENDS:
                self.stack.pop()
            return True
        if event.anchor is not None:
            self.refuse(
                event.start_mark,
                "what begins with & is taken for a YAML anchor, which policies do not have",
                "write the value out; text that begins with & needs quotes: '&...'",
            )
            return False
        if getattr(event, "tag", None) is not None:
            self.refuse(
                event.start_mark,
                "what begins with ! is taken for a YAML tag, which policies do not have",
                "put it in quotes: '!...'",
            )
            return False
        if kind == "ScalarEvent":
            self.scalar(event)
            return True
        if len(self.stack) >= MAX_DEPTH:
            self.refuse(
                event.start_mark, f"this is nested more than {MAX_DEPTH} levels deep", "write it flatter"
            )
            return False
        self.collection(event, {} if kind == "MappingStartEvent" else [])
        return True

    def refuse(self, mark: Any, message: str, remedy: str) -> None:
        line, column = mark.line + 1, mark.column + 1
        shown = excerpt(self.lines, line, column, 1)
        self.problems.append(Problem(Place(self.source, line, column), message, remedy, "yaml", shown))

    def scalar(self, event: Any) -> None:
        parent = self.stack[-1] if self.stack else None
        if parent is not None and isinstance(parent.value, dict) and parent.key is None:
            self.key(parent, event)
            return
        value: Any = event.value
        if not event.style:
            try:
                value = resolve_plain(event.value)
            except ScalarError as error:
                self.refuse(event.start_mark, error.message, error.remedy)
        self.place(value, event, event.style or None)

    def key(self, parent: _Open, event: Any) -> None:
        name: str = event.value
        if name in parent.keys:
            message = f"'{name}' is written twice; it stands on line {parent.keys[name]} already"
            self.refuse(event.start_mark, message, "keep one of the two")
        if name == "<<" or name.startswith("$"):
            self.refuse(event.start_mark, f"'{name}' cannot be a field's name", "write the fields out")
        parent.keys.setdefault(name, event.start_mark.line + 1)
        parent.key, parent.key_mark = name, _key_mark(event)

    def collection(self, event: Any, value: dict[str, Any] | list[Any]) -> None:
        parent = self.stack[-1] if self.stack else None
        if parent is not None and isinstance(parent.value, dict) and parent.key is None:
            self.refuse(
                event.start_mark,
                "a field's name must be plain text",
                "if this is a text with { } or [ ], put it in quotes",
            )
            parent.key, parent.key_mark = "?", _key_mark(event)
        path = self.place(value, event, None)
        self.stack.append(_Open(value, path))

    def place(self, value: Any, event: Any, style: str | None) -> ValuePath:
        """Puts a value where it belongs and notes where it stands."""
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        start, end = event.start_mark.index, event.end_mark.index
        path: ValuePath = ()
        key = (line, column, start, start)
        if not self.stack:
            self.root = value
        else:
            parent = self.stack[-1]
            if isinstance(parent.value, dict):
                name = parent.key or ""
                path = (*parent.path, name)
                parent.value.setdefault(name, value)
                key = parent.key_mark
                parent.key = None
            else:
                path = (*parent.path, len(parent.value))
                parent.value.append(value)
        self.marks.setdefault(path, Mark(line, column, key[0], key[1], start, end, style, key[2], key[3]))
        return path


def _key_mark(event: Any) -> tuple[int, int, int, int]:
    """Line, column and offsets of a key."""
    start = event.start_mark
    return start.line + 1, start.column + 1, start.index, event.end_mark.index
