"""Kinds of values that options take, and the one instant that several commands ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from compliance.domain.reading import echo
from compliance.errors import InputError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Instant(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """An instant, as microseconds: RFC 3339 with an offset, or a date (its midnight in UTC), or ``now``."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it, or say how it is written."""
        if isinstance(value, int):
            return value
        from compliance.domain.reading import Unreadable
        from compliance.domain.time import parse_date, parse_instant

        text = str(value)
        if text == "now":
            return now()
        try:
            if len(text) == 10:
                parse_date(text)  # what is wrong with it is said of what was typed
                text += "T00:00:00Z"
            return parse_instant(text)
        except Unreadable as error:
            self.fail(f"{error.message}; {error.remedy}", param, ctx)


class Duration(click.ParamType):  # type: ignore[type-arg]
    """A length of time, as microseconds: ``24h``, ``7d``, ``PT2H``."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it, or say how it is written."""
        if isinstance(value, int):
            return value
        from compliance.domain.reading import Unreadable
        from compliance.domain.time import parse_duration

        try:
            return parse_duration(str(value))
        except Unreadable as error:
            self.fail(f"{error.message}; {error.remedy}", param, ctx)


class Pause(Duration):
    """A length of time to wait, as microseconds: longer than nothing."""

    name = "pause"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it, or say how it is written."""
        length = 0 if value in ("0", "-0") else super().convert(value, param, ctx)
        if not 0 < length <= FARTHEST:
            wrong = "no time at all" if length == 0 else "less than nothing" if length < 0 else "too long"
            self.fail(
                f"{echo(str(value))} is {wrong}; write how long to wait, such as 2s, 5m or 1h", param, ctx
            )
        return length


class Day(click.ParamType):  # type: ignore[type-arg]
    """A date, as an ordinal: ``2026-03-05``, ``today`` or ``yesterday`` by the clock of this machine."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it, or say how it is written."""
        if isinstance(value, int):
            return value
        from datetime import UTC, datetime

        from compliance.domain.reading import Unreadable
        from compliance.domain.time import parse_date

        text = str(value)
        if text in ("today", "yesterday"):
            local = datetime.fromtimestamp(now() // 1_000_000, UTC).astimezone()
            return local.toordinal() - (text == "yesterday")
        try:
            return parse_date(text)
        except Unreadable as error:
            self.fail(f"{error.message}; {error.remedy}", param, ctx)


class DayOrInstant(Instant):
    """An instant as `Instant` has it, or a date as a `date`: whose day it is (where, in which zone) is known later."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it, or say how it is written."""
        if isinstance(value, date) or len(str(value)) != 10:
            return value if isinstance(value, date) else super().convert(value, param, ctx)
        return date.fromordinal(DAY.convert(value, param, ctx))


class NewPath(click.Path):
    """A path that something is to be made under."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it; an empty one names nothing."""
        if not str(value):
            self.fail("it is empty; name what is to be made", param, ctx)
        return super().convert(value, param, ctx)


class Kind(click.ParamType):  # type: ignore[type-arg]
    """A kind of event: its name, or as much of it as no other kind begins with."""

    name = "kind"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The kind's whole name, or what it might have been."""
        from compliance.domain.objections import unknown_kind
        from compliance.domain.vocabulary import KINDS
        from compliance.errors import Place

        word = str(value).casefold().replace("-", "_")
        begun = [name for name in KINDS if word and name.startswith(word)]
        if word in KINDS or len(begun) == 1:
            return word if word in KINDS else begun[0]
        problem = unknown_kind(value, given=True, place=Place("<command line>"))
        either = f"{word} may be {', '.join(begun)}; write more of it"
        return self.fail(either if begun else f"{problem.message}; {problem.remedy}", param, ctx)

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's
        param: click.Parameter,  # noqa: ARG002 - click's
        incomplete: str,
    ) -> list[CompletionItem]:
        """Kinds, for the shell."""
        from click.shell_completion import CompletionItem

        from compliance.domain.vocabulary import KINDS

        return [
            CompletionItem(name, help=spec.says)
            for name, spec in KINDS.items()
            if name.startswith(incomplete)
        ]


INSTANT: Final = Instant()
DURATION: Final = Duration()
PAUSE: Final = Pause()
DAY: Final = Day()
DAY_OR_INSTANT: Final = DayOrInstant()
NEW_PATH: Final = NewPath()
KIND: Final = Kind()

FARTHEST: Final = 10 * 366 * 24 * 3600 * 1_000_000
"""How far ahead may be asked, in microseconds: how long something has stood is found night by night."""


_CLOCK: Final[ContextVar[Callable[[], int] | None]] = ContextVar("clock", default=None)


def now() -> int:
    """Microseconds since the epoch, by the clock that the log uses, or by the one that a command put in its place."""
    from compliance.ledger.log import system_clock

    return (_CLOCK.get() or system_clock)()


@contextmanager
def by_clock(clock: Callable[[], int]) -> Iterator[None]:
    """Within, `now` is what this clock says: for what is entered as of another time, where 10:05 means that day's."""
    before = _CLOCK.set(clock)
    try:
        yield
    finally:
        _CLOCK.reset(before)


def _not_too_far(_: click.Context, __: click.Parameter, instant: int | None) -> int | None:
    if instant is not None and instant > now() + FARTHEST:
        raise click.BadParameter("more than ten years ahead; name an instant of the past or the near future")
    return instant


as_of_option: Final = click.option(
    "--as-of",
    type=INSTANT,
    metavar="TIME",
    callback=_not_too_far,
    help="By what had occurred then; now, unless said otherwise.",
)


def assigned(words: Iterable[str]) -> dict[str, str]:
    """``FIELD=VALUE`` words by field. Raises InputError for a word that is none, and for a field that is named twice."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise InputError(
                f"{echo(word)} does not say which field it is",
                "Write FIELD=VALUE; FIELD= leaves the field out.",
            )
        if name in found:
            raise InputError(f"{name} is named twice", "Name each field once.")
        found[name] = value
    return found
