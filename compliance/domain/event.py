"""An event as the engine and the log see it, after validation against the vocabulary.

`body` is the JSON that was sent, made exact (decimals as strings, as they were written), without `recorded_at`; the log
stores it. `values` is the same as engine values (see `values`), with `intent`, `recorded_at` and `noted_at` filled in.
Both are read-only by convention: nobody writes into them after the event is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One validated event. Instants are microseconds since the epoch.

    `recorded_at` and `position` (its index in the log) are assigned by the log; before that they are None and -1. `signing` is set where its
    entry says of digests that were signed which digest the same event has in the log, its texts being in the vault.
    """

    id: str
    kind: str
    body: Mapping[str, Any]
    values: Mapping[str, Any]
    occurred_at: int
    recorded_at: int | None = None
    position: int = -1
    signing: Mapping[str, str] | None = None
    order: tuple[int, int, int] = field(init=False, compare=False, repr=False)
    """History's order: when it occurred, when it was known, then the log's order."""

    def __post_init__(self) -> None:
        # Kept, not derived: every look-up compares it with every candidate.
        object.__setattr__(self, "order", (self.occurred_at, self.values.get("noted_at", 0), self.position))

    @property
    def noted_at(self) -> int:
        """When it was known: `entered_at` if the source system claims one, else `recorded_at` (vocabulary: noted_at)."""
        noted: int = self.values["noted_at"]
        return noted

    @property
    def proposed(self) -> bool:
        """True where permission is asked, False where it happened."""
        return bool(self.values["intent"] == "proposed")
