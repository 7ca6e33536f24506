"""Kinds of values that options take, and the one instant that several commands ask for."""

from __future__ import annotations

from typing import Any, Final

import click


class Instant(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """An instant, as microseconds: RFC 3339 with an offset, or a date (its midnight in UTC), or ``now``."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it, or say how it is written."""
        if isinstance(value, int):
            return value
        from compliance.domain.reading import Unreadable
        from compliance.domain.time import parse_instant

        text = str(value)
        if text == "now":
            return now()
        try:
            return parse_instant(f"{text}T00:00:00Z" if len(text) == 10 else text)
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


INSTANT: Final = Instant()
DURATION: Final = Duration()
DAY: Final = Day()

FARTHEST: Final = 10 * 366 * 24 * 3600 * 1_000_000
"""How far ahead may be asked, in microseconds: how long something has stood is found night by night."""


def now() -> int:
    """Microseconds since the epoch, by the clock that the log uses."""
    from compliance.ledger.log import system_clock

    return system_clock()


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
