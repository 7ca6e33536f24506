"""What happened week by week, in figures: gathered from the window, told by the section on trends."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

from compliance.domain.time import local_date
from compliance.reports.night import Night
from compliance.reports.window import Seen

VERDICTS: Final = ("compliant", "flagged", "violation", "denied")
"""The verdicts that are counted week by week. Permissions that were asked and given are not: the act itself follows."""

OVERSIGHT: Final = {
    "late": "Entries that came late",
    "correction": "Corrections",
    "void": "Voids",
    "override": "Overrides",
    "adverse_event": "Adverse events",
}


@dataclass(slots=True)
class Week:
    """One week's figures. `counts` has verdicts and what `OVERSIGHT` names; `doses` and `wasted` are by drug, `wasted` in millionths of the
    drug's stock unit."""

    sessions: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    doses: Counter[str] = field(default_factory=Counter)
    wasted: Counter[str] = field(default_factory=Counter)


class Weeks:
    """Figures by week, a week being named by its Monday (an ordinal)."""

    kinds = None
    """It counts events of every kind."""

    def __init__(self, night: Night) -> None:
        self._night = night
        self._episodes: set[str] = set()
        self.weeks: defaultdict[int, Week] = defaultdict(Week)
        self.first: int | None = None
        """The first day on which anything occurred."""

    def take(self, seen: Seen) -> None:
        """Count one event."""
        event, week = seen.event, self.weeks[monday(seen.day)]
        if self.first is None or seen.day < self.first:
            self.first = seen.day
        if seen.verdict in VERDICTS:
            week.counts[seen.verdict] += 1
        if event.proposed:
            return
        if event.kind == "administration":
            week.sessions.add(event.values["session"])
            week.doses[event.values["drug"]] += 1
        elif event.kind == "wastage":
            week.wasted[event.values["drug"]] += event.values["quantity"]
        elif event.kind == "adverse_event":
            # Later events of an episode add review and outcome.
            if event.values["episode"] not in self._episodes:
                self._episodes.add(event.values["episode"])
                week.counts["adverse_event"] += 1
        elif event.kind in OVERSIGHT:
            week.counts[event.kind] += 1
        if seen.late:
            self._late(seen)

    def _late(self, seen: Seen) -> None:
        """A late entry counts in the week in which it came, as the report of that day names it."""
        event = seen.event
        noted_on = local_date(event.noted_at, self._night.of(event.values["site"]).zone)
        self.weeks[monday(min(noted_on, self._night.day))].counts["late"] += 1


def monday(day: int) -> int:
    """The Monday of a day's week; ordinal 1 (0001-01-01) was a Monday."""
    return day - (day - 1) % 7
