"""Storage that was opened when nobody was expected there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from compliance.domain.time import HOUR, MINUTE, end_of_local_day, local_date
from compliance.reports.night import Night
from compliance.reports.page import Item
from compliance.reports.questions.asking import question
from compliance.reports.questions.shifts import Shifts
from compliance.reports.window import Seen

BEFORE_AND_AFTER: Final = HOUR
"""Before the first hour and after the last: somebody opens up, and somebody closes."""

AT_THE_ENDS: Final = 30 * MINUTE
"""Before an arrival and after a departure: clocks differ, and the last thing done may be to lock up."""

_LEFT_OUT: Final = 20
"""Of so many days the earliest and the latest are left out: one late evening does not make hours."""

RECENT: Final = 7
"""Days in which a single opening is asked about; an older one was asked about then."""

SEVERAL: Final = 3
"""So many in the ninety days are a pattern, asked about as long as they are in it."""

_SESSION: Final = frozenset({"pre_session_check", "administration", "observation", "discharge"})


class Opened(NamedTuple):
    """Storage was opened; `since_midnight` by the site's clock."""

    person: str
    site: str
    at: int
    day: int
    since_midnight: int
    purpose: str
    idx: int


class Access:
    """Openings, and on each day at each site when the first and the last session went on, counted from midnight."""

    kinds = _SESSION | {"storage_access"}

    def __init__(self, night: Night) -> None:
        self._night = night
        self._opened: list[Opened] = []
        self._days: dict[tuple[str, int], tuple[int, int]] = {}

    def take(self, seen: Seen) -> None:
        """Keep one event's times."""
        event, site = seen.event, seen.event.values["site"]
        if event.proposed:
            return
        time = event.occurred_at - _midnight(seen.day, self._night.of(site).zone)
        if event.kind == "storage_access":
            values = event.values
            self._opened.append(
                Opened(
                    values["person"],
                    site,
                    event.occurred_at,
                    seen.day,
                    time,
                    values["purpose"],
                    event.position,
                )
            )
            return
        first, last = self._days.get((site, seen.day), (time, time))
        self._days[site, seen.day] = (min(first, time), max(last, time))

    def hours(self, shifts: Shifts) -> dict[str, tuple[int, int]]:
        """From when until when a site is open, counted from midnight: no profile says so, so it is taken from the days on which sessions were
        held, and from arrivals and departures on them."""
        days = dict(self._days)
        for one in shifts.closed:
            assert one.left is not None
            if not self._night.covers(one.site):
                continue
            zone = self._night.of(one.site).zone
            day = local_date(one.arrived, zone)
            if (one.site, day) in days:
                midnight = _midnight(day, zone)
                first, last = days[one.site, day]
                days[one.site, day] = (min(first, one.arrived - midnight), max(last, one.left - midnight))
        by_site: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for (site, _), times in days.items():
            by_site[site].append(times)
        return {site: _usual(times) for site, times in by_site.items()}

    def out_of_hours(self, shifts: Shifts) -> dict[str, list[Opened]]:
        """By person: openings outside a site's hours by somebody who was not at work there then."""
        hours = self.hours(shifts)
        found: defaultdict[str, list[Opened]] = defaultdict(list)
        for one in self._opened:
            if one.site not in hours:
                continue
            first, last = hours[one.site]
            if first - BEFORE_AND_AFTER <= one.since_midnight <= last + BEFORE_AND_AFTER:
                continue
            if one.person not in shifts.at_work(one.site, one.at - AT_THE_ENDS, one.at + AT_THE_ENDS):
                found[one.person].append(one)
        return found


@lru_cache(maxsize=1024)
def _midnight(day: int, zone: str) -> int:
    """The instant at which a day begins."""
    return end_of_local_day(day - 1, zone)


def _usual(times: Iterable[tuple[int, int]]) -> tuple[int, int]:
    firsts, lasts = sorted(first for first, _ in times), sorted(last for _, last in times)
    out = len(firsts) // _LEFT_OUT
    return firsts[out], lasts[-1 - out]


def asked(access: Access, shifts: Shifts, night: Night) -> Iterator[Item]:
    """Who opened storage out of hours, lately or several times."""
    hours = access.hours(shifts)
    for person, opened in sorted(access.out_of_hours(shifts).items()):
        newest = max(opened, key=lambda one: one.at)
        if len(opened) < SEVERAL and newest.day <= night.day - RECENT:
            continue
        first, last = hours[newest.site]
        purposes = ", ".join(sorted({one.purpose for one in opened}))
        yield question(
            f"Why did {person} open storage at {night.instant(newest.at, newest.site)}, when {newest.site} is closed and {person} not at work?"
            if len(opened) == 1
            else f"Why did {person} open storage {len(opened)} times out of hours, the last time at {night.instant(newest.at, newest.site)}?",
            f"{newest.site}: sessions and shifts lie between {_clock(first)} and {_clock(last)}; opened for: {purposes}",
            "an alarm, a delivery, an emergency, a shift that was not entered, or a clock of the cabinet that is wrong",
            {
                "person": person, "times": str(len(opened)), "last": night.instant(newest.at, newest.site), "for": purposes,
                "hours of the site": f"{_clock(first)} to {_clock(last)}",
            },
            [one.idx for one in opened],
            newest.site,
        )  # fmt: skip


def _clock(since_midnight: int) -> str:
    """A time of day, such as ``07:40``; past midnight it goes on."""
    hours, minutes = divmod(since_midnight // MINUTE, 60)
    return f"{hours:02}:{minutes:02}"
