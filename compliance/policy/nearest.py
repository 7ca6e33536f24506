"""The likely intended name: "did you mean ...?"."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was likely meant."""
    names = sorted(set(known))
    near = get_close_matches(name.lower(), [candidate.lower() for candidate in names], n=1, cutoff=0.6)
    return next(candidate for candidate in names if candidate.lower() == near[0]) if near else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A remedy that names the nearest known name, or lists the known ones where none is near."""
    names = sorted(set(known))
    meant = nearest(name, names)
    if meant is not None:
        return f"did you mean '{meant}'?"
    if len(names) <= 24:
        return f"use one of: {', '.join(names)}." if names else ""
    return ""
