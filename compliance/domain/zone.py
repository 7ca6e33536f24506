"""Time zones by IANA name, from the system's database (or the ``tzdata`` package where the system has none)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,3}", re.ASCII)


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone of this name. Raises `KeyError` where there is none; a path is never taken for a name."""
    if _NAME.fullmatch(name) is None:
        raise KeyError(name)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):  # a folder such as "America" is an OSError
        raise KeyError(name) from None


def zone_known(name: str) -> bool:
    """Whether there is such a zone."""
    try:
        zone(name)
    except KeyError:
        return False
    return True


def zone_names() -> list[str]:
    """All names, sorted; reads the whole database, so only for hints."""
    return sorted(available_timezones())
