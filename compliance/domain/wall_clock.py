"""What a clock on the wall shows, as a point in time: by the zone of the place, or not at all where the clock showed it twice or never."""

from __future__ import annotations

from datetime import datetime

from compliance.domain.reading import Unreadable
from compliance.domain.time import format_instant, microseconds
from compliance.domain.zone import zone


def instant_shown(local: datetime, zone_name: str) -> int:
    """The instant (microseconds) at which a clock in a zone shows a date and time.

    Raises `Unreadable`, with both readings, where clocks were set forward past it or back over it, and `KeyError` for an unknown zone.
    """
    # Before a change and after it; in a gap the first is the later of the two (PEP 495).
    first, second = (microseconds(local.replace(tzinfo=zone(zone_name), fold=fold)) for fold in (0, 1))
    if first == second:
        return first
    shown = local.strftime("%H:%M:%S").removesuffix(":00")
    either = " or ".join(format_instant(at, zone_name) for at in (first, second))
    if first > second:
        raise Unreadable(
            f"the clocks went forward on {local:%Y-%m-%d}: they never showed {shown}", f"write {either}"
        )
    raise Unreadable(
        f"the clocks went back on {local:%Y-%m-%d}: they showed {shown} twice", f"write {either}"
    )
