"""From when until when a call asks: instants, or days by the clock of the one site that it is about, else by UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import click

from compliance.errors import InputError

if TYPE_CHECKING:
    from compliance.domain.event import Event
    from compliance.ledger.log import Log

Said = int | date | None
"""An instant in microseconds, a day, or nothing."""


@dataclass(frozen=True, slots=True)
class Period:
    """Both ends, included, in microseconds; `zone` is that by which days were read, None where no day was named."""

    since: int | None
    until: int | None
    zone: str | None = None

    def tell(self) -> None:
        """Say by which clock days were read."""
        if self.zone is not None:
            click.echo(f"days          by the clock of {self.zone}")


def period(log: Log, sites: tuple[str, ...], since: Said, until: Said) -> Period:
    """The period that was asked for: a day begins with its first instant and ends with its last.

    Days are those of the site where one is named whose zone the log knows, else those of UTC. Raises InputError where it ends before it begins.
    """
    from compliance.ledger.history import LogHistory
    from compliance.site_zones import profiles_of

    named = isinstance(since, date) or isinstance(until, date)
    profiles = profiles_of(LogHistory(log), sites[0]) if named and len(sites) == 1 else ()
    first, zone = _read(since, profiles, last=False)
    last, other = _read(until, profiles, last=True)
    if first is not None and last is not None and first > last:
        raise InputError(
            "the period ends before it begins", "Give --since the earlier time, --until the later one."
        )
    zones = dict.fromkeys(one for one in (zone, other) if one is not None)
    return Period(first, last, " and ".join(zones) or None)


def _read(said: Said, profiles: tuple[Event, ...], *, last: bool) -> tuple[int | None, str | None]:
    """The instant that is meant, and the zone where it was a day."""
    from compliance.domain.time import end_of_local_day
    from compliance.site_zones import zone_among

    if not isinstance(said, date):
        return said, None
    before = said.toordinal() - 1

    def begins(zone: str) -> int:
        return end_of_local_day(before, zone)

    def ends(zone: str) -> int:
        return end_of_local_day(before + 1, zone) - 1

    meant = ends if last else begins
    zone = zone_among(profiles, meant) or "UTC"
    return meant(zone), zone
