"""What ninety days come to, gathered in one reading for all sections that ask for it.

Each gatherer takes the events of its kinds one by one and keeps what it needs, not the events: memory is bounded by what ninety days hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from compliance.domain.vocabulary import KINDS
from compliance.reports.in_use import InUse
from compliance.reports.news import News
from compliance.reports.night import Night
from compliance.reports.questions.access import Access
from compliance.reports.questions.counts import Counts
from compliance.reports.questions.handling import Handling
from compliance.reports.questions.readings import Readings
from compliance.reports.questions.shifts import Shifts
from compliance.reports.weeks import Weeks
from compliance.reports.window import Seen, older, seen


@dataclass(frozen=True, slots=True)
class Quarter:
    """All that was gathered."""

    weeks: Weeks
    news: News
    in_use: InUse
    shifts: Shifts
    handling: Handling
    counts: Counts
    access: Access
    readings: Readings


@lru_cache(maxsize=1)
def quarter(night: Night) -> Quarter:
    """The ninety days of a night; asked again for the same night, the log is not read again."""
    made = Quarter(
        Weeks(night),
        News(night),
        InUse(),
        Shifts(),
        Handling(),
        Counts(night),
        Access(night),
        Readings(night),
    )
    gatherers = [getattr(made, one.name) for one in fields(made)]
    takers: dict[str, list[Callable[[Seen], Any]]] = {
        kind: [one.take for one in gatherers if one.kinds is None or kind in one.kinds] for kind in KINDS
    }
    for one in seen(night):
        for take in takers[one.event.kind]:
            take(one)
    for one in older(night):
        made.news.take(one)
    return made
