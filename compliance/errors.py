"""Error families, each a message and a remedy; the command line turns a family into an exit code.

Bad *data* never raises: it becomes a `Problem` with its place, and the good data beside it goes on. An exception is raised
only where nothing sensible can be done for the call as a whole. Exit codes are those of the command line's table:
2 wrong call or input, 3 the log does not verify, 4 the database cannot be used.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a source (file name or ``<stdin>``), 1-based line and column, and the field's path."""

    source: str
    line: int | None = None
    column: int | None = None
    field: str | None = None

    def __str__(self) -> str:
        text = self.source
        if self.line is not None:
            text += f":{self.line}"
            if self.column is not None:
                text += f":{self.column}"
        return f"{text}: {self.field}" if self.field else text


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input: where, what was found, what was expected, and what to do about it."""

    place: Place
    message: str
    remedy: str = ""
    code: str = ""
    excerpt: str = ""  # the source line and an underline, where a person can be shown one

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}"
        if self.excerpt:
            text += f"\n{self.excerpt}"
        return f"{text}\n  remedy: {self.remedy}" if self.remedy else text


class ComplianceError(Exception):
    """The call as a whole cannot go on. `remedy` says what to do; `problems` lists details with their places."""

    exit_code = 2

    def __init__(self, message: str, remedy: str = "", problems: Iterable[Problem] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.problems = tuple(problems)


class InputError(ComplianceError):
    """The call or its input was wrong: a file that cannot be read, no valid event in it, an unknown id."""


class PolicyError(ComplianceError):
    """Policy files that cannot be used; every problem found in them is listed."""


class LogError(ComplianceError):
    """The log does not verify, or the database file is corrupt."""

    exit_code = 3


class DatabaseError(ComplianceError):
    """The database cannot be reached, does not exist, is locked or full, or needs ``compliance db upgrade``."""

    exit_code = 4


class EngineFault(ComplianceError):
    """An evaluator did something it must never do; the event is decided as indeterminate, never as a pass."""

    exit_code = 3
