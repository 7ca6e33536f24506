"""What a nightly report is about: a day at each site, as known when the log had a size (cli.md).

A day ends at 24:00 in each site's own zone. All that a section reads, it reads through a `Night`, so that the same night gives the same report
whenever it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from compliance.bundles import Bundles
from compliance.domain.event import Event
from compliance.domain.lookup import EVERY
from compliance.domain.time import end_of_local_day, format_date, format_instant
from compliance.domain.vocabulary import KINDS
from compliance.engine.judging import Judge
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.site_zones import profiles_of, zone_among

_FEW: Final = ("site_profile", "policy_activation", "registration", "access_change", "site_certification")
"""Kinds by whose events a site is known on a day on which nothing happened there."""


@dataclass(frozen=True, slots=True)
class SiteDay:
    """A day at a site, in its zone: from `begins` up to but not including `ends` (microseconds). `zone_known` is false where the site has
    no profile yet, and UTC is taken."""

    site: str
    zone: str
    zone_known: bool
    begins: int
    ends: int


@dataclass(frozen=True)
class Night:
    """A day (`day`, an ordinal date) at some sites, as the log knew it when it had `size` entries, under the policies in force then.

    `new_from` is the size at which the report of the night before was made: what was recorded since is news, whenever it occurred. `last` is the
    day that one was about, None where there was none.
    """

    log: Log
    bundles: Bundles
    judge: Judge
    day: int
    size: int
    new_from: int
    sites: tuple[SiteDay, ...]
    last: int | None = None

    @cached_property
    def history(self) -> LogHistory:
        """All that was known."""
        return LogHistory(self.log, before=self.size)

    @property
    def date(self) -> str:
        """The day, as ``2026-03-05``."""
        return format_date(self.day)

    @cached_property
    def _days(self) -> dict[str, SiteDay]:
        return {one.site: one for one in self.sites}

    def covers(self, site: str) -> bool:
        """Whether a site is one of those the report is about."""
        return any(site == one.site for one in self.sites)

    def of(self, site: str) -> SiteDay:
        """A site's day."""
        return self._days[site]

    def day_at(self, site: str) -> SiteDay:
        """The day at any site; in UTC where the report does not cover it and nobody said its zone."""
        known = self._days.get(site)
        if known is None:
            known = self._days[site] = _day_of(self.history, self.day, site)
        return known

    @property
    def begins(self) -> int:
        """The first instant of the day at any of the sites."""
        return min(one.begins for one in self.sites)

    @property
    def ends(self) -> int:
        """The instant at which the day is over at all of them."""
        return max(one.ends for one in self.sites)

    def instant(self, microseconds: int, site: str) -> str:
        """An instant in a site's zone."""
        return format_instant(microseconds, self._days[site].zone if site in self._days else "UTC")

    def events(self, kind: str, since: int, until: int | None = None) -> Iterator[Event]:
        """Performed events of a kind as they stand, at the sites covered, that occurred from `since` on (microseconds) and before their site's
        day was over, or `until` where that is earlier; newest first."""
        last = self.ends if until is None else min(until, self.ends)
        for event in self.history.newest_first(kind, EVERY, "", last - 1, since):
            site = event.values["site"]
            if self.covers(site) and event.occurred_at < self.of(site).ends:
                yield event


def days_of(history: LogHistory, day: int, sites: tuple[str, ...]) -> tuple[SiteDay, ...]:
    """The day at each of the sites: in the zone of the profile in force at its end, else of the earliest one, else in UTC."""
    return tuple(_day_of(history, day, site) for site in sites)


def _day_of(history: LogHistory, day: int, site: str) -> SiteDay:
    found = zone_among(profiles_of(history, site), lambda zone: end_of_local_day(day, zone) - 1)
    zone = found or "UTC"
    return SiteDay(
        site, zone, found is not None, end_of_local_day(day - 1, zone), end_of_local_day(day, zone)
    )


def known_sites(history: LogHistory, day: int) -> tuple[str, ...]:
    """Every site that has a profile, policies, registrations or people, or at which something occurred around the day, in order."""
    found: set[str] = set()
    for kind in _FEW:
        found.update(event.values["site"] for event in history.newest_first(kind, EVERY, "", None, None))
    first, last = end_of_local_day(day - 2, "UTC"), end_of_local_day(day + 1, "UTC")
    for kind in KINDS:
        found.update(event.values["site"] for event in history.newest_first(kind, EVERY, "", last, first))
    return tuple(sorted(found))
