"""What came late: when an event was noted against when it was over (engine.md, "Order")."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from compliance.domain.event import Event
from compliance.domain.time import DAY, HOUR, local_date
from compliance.reports.limits import limit
from compliance.reports.night import Night

RULE: Final = ("s3-rec-current-25", "max_delay")
"""The library's rule on late entries of stock movements (21 USC 827(a)(3), "on a current basis"), and its parameter, which is taken for every
kind of entry."""

LONGEST: Final = DAY
"""What is allowed where the policies in force have no such rule."""

SOON: Final = HOUR
"""What is noted within an hour is never late, though midnight may lie between."""

_OVER: Final = {
    "administration": "completed_at",
    "adverse_event": "known_at",
    "discrepancy": "discovered_at",
    "presence": "left_at",
    "security_incident": "discovered_at",
    "system_event": "ended_at",
}
"""When what took some time was over, or came to be known: nobody can note it before."""


def delay(event: Event) -> int:
    """How long after it was over an event was noted (microseconds); negative where it was noted before."""
    over: int = event.values.get(_OVER.get(event.kind, ""), event.occurred_at)
    return event.noted_at - max(over, event.occurred_at)


def is_late(night: Night, event: Event) -> bool:
    """Whether an event was noted too late: after longer than is allowed; or after more than an hour, and on a later day at its site or
    with a reason, which is given where an entry is known to come late.

    What occurred before the log began and has no `entered_at` was taken over from elsewhere, and is not late.
    """
    # Most entries are made at once, and this is asked of every one.
    if event.noted_at - event.occurred_at <= SOON or (waited := delay(event)) <= SOON:
        return False
    if "entered_at" not in event.values and event.occurred_at < _began(night):
        return False
    site = event.values["site"]
    if waited > longest(night, site):
        return True
    zone = night.of(site).zone
    noted_on, over_on = local_date(event.noted_at, zone), local_date(event.noted_at - waited, zone)
    return noted_on > over_on or (event.kind not in _WITH_REASON and "reason" in event.values)


_WITH_REASON: Final = frozenset({"correction", "void", "session_stop"})
"""Kinds whose reason says something else than why they came late."""


def longest(night: Night, site: str) -> int:
    """How long after the event a site may take to note it (microseconds)."""
    return limit(night, *RULE, site) or LONGEST


@lru_cache(maxsize=1)
def _began(night: Night) -> int:
    return night.log.entry(0).recorded_us
