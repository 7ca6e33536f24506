"""Reading fields of a document with every problem noted and nothing raised.

A `Fields` is one mapping of the document. Its methods are what a field may be (a text, a date, a list of names ...); each returns the
value, or None after a problem was noted, so that one reading of a file finds all that is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from compliance.domain.reading import Unreadable
from compliance.domain.time import DAY, parse_date, parse_duration
from compliance.errors import Place, Problem
from compliance.policy.expression import ExpressionErrors, Names, typed
from compliance.policy.expression.tree import Span, Type
from compliance.policy.located import Document, Path, at, dotted
from compliance.policy.model import Expression
from compliance.policy.nearest import did_you_mean, nearest

MAX_DURATION: Final = 36_600 * DAY
"""A century: longer is a slip of the pen."""


@dataclass
class Reading:
    """One document and the problems found in it so far."""

    document: Document
    problems: list[Problem]

    def wrong(
        self, path: Path, message: str, remedy: str = "", *, key: bool = False, span: Span | None = None
    ) -> None:
        """Notes a problem with the value (or the key) at `path`."""
        self.problems.append(self.document.problem(path, message, remedy, key=key, span=span))

    def place(self, path: Path) -> Place:
        """Where the value at `path` stands."""
        return self.document.place(path)

    def fields(self, path: Path, known: Sequence[str], what: str) -> Fields | None:
        """The mapping at `path`, whose fields are the `known` ones; `what` says what it is in messages."""
        value = at(self.document.value, path)
        if not isinstance(value, dict):
            self.wrong(
                path,
                f"{what} must be a group of fields, not {kind_of(value)}",
                f"its fields are: {', '.join(known)}",
            )
            return None
        strangers = [name for name in value if name not in known]
        for name in strangers:
            self.wrong((*path, name), f"{what} has no field '{name}'", did_you_mean(name, known), key=True)
        return Fields(self, path, value, what, frozenset(nearest(name, known) for name in strangers))

    def expression(
        self, path: Path, names: Names, expected: Type | None, text: str | None = None, offset: int = 0
    ) -> Expression | None:
        """The typed expression at `path` (`text` where it is a part of the value there, beginning at `offset`)."""
        if text is None:
            value = at(self.document.value, path)
            if isinstance(value, bool):
                value = "true" if value else "false"
            if not isinstance(value, str) or not value.strip():
                self.wrong(
                    path,
                    f"{last(path)} must be an expression, not {kind_of(value)}",
                    "write a condition such as: event.dose_mg <= 84",
                )
                return None
            text = value
        try:
            return Expression(text, typed(text, names, expected), self.place(path))
        except ExpressionErrors as found:
            for error in found.errors:
                span = Span(error.span.start + offset, error.span.end + offset)
                self.wrong(path, error.message, error.remedy, span=span)
            return None


@dataclass
class Fields:
    """The fields of one mapping."""

    reading: Reading
    path: Path
    value: dict[str, Any]
    what: str
    misspelt: frozenset[str | None] = frozenset()
    """What fields that do not exist were likely meant to be; those are not missed as well."""

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self.value.get(name) is not None

    def at(self, name: str) -> Path:
        """The path of a field."""
        return (*self.path, name)

    def wrong(self, name: str, message: str, remedy: str = "", *, key: bool = False) -> None:
        """Notes a problem with a field."""
        self.reading.wrong(self.at(name), message, remedy, key=key)

    def lacks(self, name: str, remedy: str) -> None:
        """Notes that a required field is missing, unless it is there and misspelt."""
        if name not in self.misspelt:
            self.reading.wrong(self.path, f"{self.what} has no '{name}'", remedy, key=True)

    def required(self, name: str, remedy: str) -> bool:
        """Whether a required field is there; notes it where not."""
        if not self.has(name):
            self.lacks(name, remedy)
            return False
        return True

    def text(self, name: str, remedy: str = "", *, required: bool = True) -> str:
        """A text that is not blank; an empty text where there is none."""
        if not self.has(name):
            if required:
                self.lacks(name, remedy)
            return ""
        value = self.value[name]
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        self.wrong(name, f"'{name}' must be text, not {kind_of(value)}", remedy)
        return ""

    def one_of(self, name: str, choices: Sequence[str], remedy: str, default: str | None = None) -> str:
        """One of a few words; the first choice stands in after a problem."""
        if not self.has(name) and default is not None:
            return default
        if not self.required(name, remedy):
            return choices[0]
        value = self.value[name]
        if value not in choices:
            self.wrong(name, f"'{name}' cannot be {shown(value)}", did_you_mean(str(value), choices))
            return choices[0]
        return str(value)

    def names(self, name: str, remedy: str, *, required: bool = True) -> tuple[str, ...]:
        """A name or a list of names, none of them twice."""
        if not self.has(name):
            if required:
                self.lacks(name, remedy)
            return ()
        value = self.value[name]
        items = value if isinstance(value, list) else [value]
        found: list[str] = []
        for i, item in enumerate(items):
            path = (*self.at(name), i) if isinstance(value, list) else self.at(name)
            if not isinstance(item, str) or not item.strip():
                self.reading.wrong(path, f"'{name}' takes names, not {kind_of(item)}", remedy)
            elif item in found:
                self.reading.wrong(path, f"'{item}' is named twice", "name it once")
            else:
                found.append(item)
        if required and not items:
            self.wrong(name, f"'{name}' is empty", remedy)
        return tuple(found)

    def date(self, name: str, remedy: str, *, required: bool = True) -> int | None:
        """A date as its ordinal."""
        if not self.has(name):
            if required:
                self.lacks(name, remedy)
            return None
        value = self.value[name]
        if not isinstance(value, str):
            self.wrong(
                name, f"'{name}' must be a date, not {kind_of(value)}", "write a date such as 2026-11-22"
            )
            return None
        try:
            return parse_date(value)
        except Unreadable as error:
            said = f"'{value}'" if error.message.endswith("is not an RFC 3339 date") else error.message
            self.wrong(name, f"'{name}' is no date: {said}", error.remedy)
            return None

    def truth(self, name: str, default: bool) -> bool:
        """A truth value, `default` where there is none."""
        if not self.has(name):
            return default
        value = self.value[name]
        if not isinstance(value, bool):
            self.wrong(name, f"'{name}' must be true or false, not {kind_of(value)}", "write true or false")
            return default
        return value


def ordinal(value: Any) -> int | None:
    """The ordinal of a date text; None where it is none."""
    try:
        return parse_date(value) if isinstance(value, str) else None
    except Unreadable:
        return None


def elapsed(value: Any) -> int | None:
    """``2h``, ``90m``, ``7d``, ``1h30m``, ``PT2H`` in microseconds; None for other values, and for more than a century."""
    try:
        duration = parse_duration(value) if isinstance(value, str) and len(value) <= 40 else None
    except Unreadable:
        return None
    return duration if duration is not None and abs(duration) <= MAX_DURATION else None


def kind_of(value: Any) -> str:
    """What a value is, for messages."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "a number"
    if isinstance(value, str):
        return "text" if value.strip() else "blank text"
    return "a list" if isinstance(value, list) else "a group of fields"


def shown(value: Any) -> str:
    """A value as it was written, short; groups and lists only by what they are."""
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= 60 else f"'{value[:57]}...'"
    return str(value).lower() if isinstance(value, (bool, int)) else kind_of(value)


def last(path: Path) -> str:
    """How a message names the value at `path`."""
    return f"'{dotted(path[-1:])}'" if path and isinstance(path[-1], str) else "this"


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """The names in order, each once."""
    return tuple(dict.fromkeys(names))
