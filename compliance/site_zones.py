"""Which clock hangs on the wall of a site: the time zone that its profile says, as the log has it.

A zone is in force from its profile's `occurred_at` on. What was before the earliest profile is taken to have been under the same clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from compliance.domain.event import Event
from compliance.engine.history import History


def profiles_of(history: History, site: str) -> tuple[Event, ...]:
    """The profiles of a site as they stand, newest first."""
    return tuple(history.newest_first("site_profile", "site", site, None, None))


def zone_among(profiles: Iterable[Event], instant: Callable[[str], int]) -> str | None:
    """The zone in force at an instant (microseconds) that itself depends on the zone, such as a wall-clock time or the end of a day.

    `profiles` are those of the site, newest first; None where it has none.
    """
    zone: str | None = None
    for profile in profiles:
        zone = profile.values["time_zone"]
        assert zone is not None  # a profile is not valid without
        if profile.occurred_at <= instant(zone):
            break
    return zone
