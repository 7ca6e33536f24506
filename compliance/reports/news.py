"""What is news on a day: entries that came late, corrections and voids, overrides; and what overrides let go on in ninety days.

News is what was noted on the day, or recorded since the report of the night before, whenever it occurred.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final, NamedTuple

from compliance.domain.event import Event
from compliance.domain.time import local_date
from compliance.reports.night import Night
from compliance.reports.window import Seen

AMENDING: Final = frozenset({"correction", "void"})


class Act(NamedTuple):
    """A performed act that an override let go on, with the rules that were set aside."""

    event: Event
    rules: tuple[str, ...]


class News:
    """Late entries and amendments that are news, and every override of the window."""

    kinds = None
    """It looks at events of every kind."""

    def __init__(self, night: Night) -> None:
        self._night = night
        self.late: list[Seen] = []
        self.amendments: list[Seen] = []
        self.overrides: dict[str, Event] = {}
        self.acts: defaultdict[str, list[Act]] = defaultdict(list)
        """By the override's id."""

    def take(self, seen: Seen) -> None:
        """Keep an event that is news, or has to do with an override."""
        event = seen.event
        if event.proposed:
            return
        if event.kind == "override":
            self.overrides[event.id] = event
        elif event.kind in AMENDING:
            if is_news(self._night, event):
                self.amendments.append(seen)
        elif seen.late and is_news(self._night, event):
            self.late.append(seen)
        for override in dict.fromkeys(finding.get("overridden_by") for finding in seen.findings):
            if override is not None:
                rules = (one["rule"] for one in seen.findings if one.get("overridden_by") == override)
                self.acts[override].append(Act(event, tuple(rules)))


def is_news(night: Night, event: Event) -> bool:
    """Whether an event was noted on the night's day, or recorded since the report of the night before, where there was one."""
    if 0 < night.new_from <= event.position:
        return True
    return local_date(event.noted_at, night.of(event.values["site"]).zone) == night.day
