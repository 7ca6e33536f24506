"""Which clock hangs on a site's wall, by its profiles."""

from __future__ import annotations

import pytest

from compliance.domain.event import Event
from compliance.domain.making import make_event
from compliance.domain.time import parse_instant
from compliance.engine.history import MemoryHistory
from compliance.site_zones import profiles_of, zone_among


def profile(number: int, day: str, zone: str, site: str = "S1") -> Event:
    made = make_event(
        {
            "id": f"E{number}", "kind": "site_profile", "occurred_at": f"{day}T00:00:00Z", "site": site, "actor": "A1", "address_ref": "x",
            "state": "TX", "time_zone": zone, "holds_stock": True,
        }
    )  # fmt: skip
    assert isinstance(made, Event)
    return made


HISTORY = MemoryHistory(
    [
        profile(1, "2026-01-01", "America/Chicago"),
        profile(2, "2026-03-01", "America/Denver"),
        profile(3, "2026-02-01", "UTC", "S2"),
    ]
)


@pytest.mark.parametrize(
    ("site", "at", "zone"),
    [
        ("S1", "2026-02-28T23:59:59Z", "America/Chicago"),
        ("S1", "2026-03-01T00:00:00Z", "America/Denver"),
        ("S1", "2025-06-01T00:00:00Z", "America/Chicago"),
        ("S2", "2020-01-01T00:00:00Z", "UTC"),
        ("S3", "2026-03-01T00:00:00Z", None),
    ],
)
def test_the_zone_is_that_of_the_profile_in_force(site, at, zone):
    """Before the earliest it is the earliest's; without any nobody knows."""
    assert zone_among(profiles_of(HISTORY, site), lambda _: parse_instant(at)) == zone


def test_the_instant_may_depend_on_the_zone():
    """A wall clock that shows 17:30 before midnight UTC by one zone and after it by the other."""
    by_zone = {"America/Chicago": "2026-02-28T23:30:00Z", "America/Denver": "2026-03-01T00:30:00Z"}
    assert (
        zone_among(profiles_of(HISTORY, "S1"), lambda name: parse_instant(by_zone[name])) == "America/Denver"
    )
