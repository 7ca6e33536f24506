"""One thing that has a last day, and how urgent that is; and the present state of what the log keeps under a key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from compliance.domain.event import Event
from compliance.domain.lookup import EVERY
from compliance.domain.time import local_date
from compliance.engine.binding import subject
from compliance.reports.night import Night
from compliance.reports.page import Level

ACTION_DAYS: Final = 30
"""From so many days before the last one on somebody must act: what takes longest, a state licence, is renewed in about a month."""

NOTICE_DAYS: Final = 90
"""From so many days on it is mentioned."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Something with a last day `until` (an ordinal; None where it ended by its `standing` alone).

    `holder` is a person, place, patient, lot or piece of equipment; `number` stands as the log has it; `standing` is what the log calls its
    state where that is not a good one; `says` is a sentence for it where the usual one would not do. `needed` is whether work must stop without
    it; `rule` the one whose citations apply. From `soon` days before the last one on somebody must act, from `mentioned` on it is named.
    """

    what: str
    holder: str
    until: int | None
    event: Event
    todo: str
    number: str = ""
    standing: str = ""
    says: str = ""
    needed: bool = True
    rule: str = ""
    where: str = ""
    soon: int = ACTION_DAYS
    mentioned: int = NOTICE_DAYS
    at_most: Level = Level.ALARM
    """No more urgent than this, whatever the day: a renewal that was filed in time keeps an authority alive."""

    def level(self, day: int) -> Level | None:
        """How urgent it is on a day; None where it is not to be named."""
        if self.standing or (self.until is not None and self.until < day):
            level = Level.ALARM if self.needed else Level.ACTION
        elif self.until is None or self.until > day + self.mentioned:
            return None
        else:
            level = Level.ACTION if self.until <= day + self.soon else Level.NOTICE
        order = list(Level)
        return max(level, self.at_most, key=order.index)


def present(night: Night, kind: str, field: str = EVERY, value: str = "") -> Iterator[Event]:
    """The newest event of each subject of a keyed kind that had occurred by the end of the day at its site, newest first; all, or those under a
    look-up key."""
    known: set[tuple[object, ...]] = set()
    for event in night.history.newest_first(kind, field, value, night.ends - 1, None):
        site = event.values["site"]
        if night.covers(site) and event.occurred_at >= night.of(site).ends:
            continue  # not yet, where it is
        about = subject(event)
        if about not in known:
            known.add(about)
            yield event


def local_day(night: Night, instant: int, site: str) -> int:
    """The date of an instant by a site's clock."""
    return local_date(instant, night.of(site).zone if night.covers(site) else "UTC")


def last_day(night: Night, instant: int, site: str) -> int:
    """The last day on which something is good that ends at an instant."""
    return local_day(night, instant - 1, site)
