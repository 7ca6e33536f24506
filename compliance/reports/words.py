"""Words that several sections use: findings as items, counts."""

from __future__ import annotations

from compliance.domain.event import Event
from compliance.reports.night import Night
from compliance.reports.page import Item, Level
from compliance.standing import Explained

WAS_DUE = "was due"
LEVELS = {"deny": Level.ALARM, "warn": Level.ACTION, "report": Level.NOTICE}
"""How urgent a finding is, by its rule's severity."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """``1 finding``, ``1,204 findings``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(parts: list[str]) -> str:
    """``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def item(
    night: Night, told: Explained, event: Event, finding: str, level: Level, at: int, when: str = ""
) -> Item:
    """A finding as something to act on; `when` says what `at` (microseconds) is, where that is not when the event occurred."""
    site = event.values["site"]
    instant = night.instant(at, site)
    about = f"{event.kind.replace('_', ' ')} {event.id}, site {site}"
    where = (
        f"{when} {instant}, opened by {about}" if when == WAS_DUE else f"{about}, {when or 'at'} {instant}"
    )
    where = f"{where}, entry {event.position}"
    return Item(
        level, told.message, where, told.remedy, told.rule.cited(), told.rule.id, told.severity, site, event.id, instant, finding,
        dict(told.because), (event.position,),
    )  # fmt: skip
