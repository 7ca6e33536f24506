"""Who was at work when, by the arrivals and departures on record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from typing import Final, NamedTuple

from compliance.domain.time import DAY, HOUR
from compliance.reports.window import Seen

LONGEST: Final = DAY
"""A longer stretch is a departure that was forgotten, and would make every rate by the hour too small."""


class Shift(NamedTuple):
    """A stretch at a site. `left` is None where no departure is on record."""

    order: tuple[int, int, int]
    person: str
    site: str
    arrived: int
    left: int | None


class Shifts:
    """The newest state of every stretch on the premises."""

    kinds = frozenset({"presence"})

    def __init__(self) -> None:
        self._shifts: dict[str, Shift] = {}

    def take(self, seen: Seen) -> None:
        """Keep what is newest of a stretch; nobody works where the body is not."""
        event, values = seen.event, seen.event.values
        if event.proposed or not values["on_premises"]:
            return
        known = self._shifts.get(values["shift"])
        if known is None or known.order < event.order:
            self._shifts[values["shift"]] = Shift(
                event.order, values["person"], values["site"], values["arrived_at"], values.get("left_at")
            )

    @cached_property
    def closed(self) -> tuple[Shift, ...]:
        """Those with both ends, of a believable length, the earliest first; asked once all is gathered."""
        found = (
            one
            for one in self._shifts.values()
            if one.left is not None and 0 < one.left - one.arrived <= LONGEST
        )
        return tuple(sorted(found, key=lambda one: one.arrived))

    @cached_property
    def hours(self) -> dict[str, Fraction]:
        """Hours at work by person; what overlaps counts once."""
        total: defaultdict[str, int] = defaultdict(int)
        until: dict[str, int] = {}
        for one in self.closed:
            assert one.left is not None
            begins = max(one.arrived, until.get(one.person, one.arrived))
            total[one.person] += max(0, one.left - begins)
            until[one.person] = max(one.left, begins)
        return {person: Fraction(worked, HOUR) for person, worked in total.items()}

    @cached_property
    def _by_day(self) -> dict[tuple[str, int], list[Shift]]:
        """By site and day (of UTC) that it touches."""
        found: defaultdict[tuple[str, int], list[Shift]] = defaultdict(list)
        for one in self._shifts.values():
            last = one.arrived + LONGEST if one.left is None else min(one.left, one.arrived + LONGEST)
            for day in range(one.arrived // DAY, last // DAY + 1):
                found[one.site, day].append(one)
        return found

    def at_work(self, site: str, since: int, until: int) -> Iterator[str]:
        """The persons who were at a site at any time within [since, until], each once; a stretch whose end is not on record is taken to have
        lasted `LONGEST`."""
        seen: set[str] = set()
        for day in range(since // DAY, until // DAY + 1):
            for one in self._by_day.get((site, day), ()):
                left = one.arrived + LONGEST if one.left is None else one.left
                if one.arrived <= until and left >= since and one.person not in seen:
                    seen.add(one.person)
                    yield one.person
