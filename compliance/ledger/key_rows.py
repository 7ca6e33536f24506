"""Rows of a look-up index while the write lock is held: those in the database, and those that wait to be inserted.

`event_key` and `asked_key` are read some ten times for every event that is recorded, and mostly under keys that were read a moment ago
(the same patient, the same session). Nobody else can write meanwhile, so the newest rows of a key that was read once are kept;
older ones are read from the database when they are wanted. A row is a pair of an instant (microseconds) and an idx.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from compliance.ledger.driver import Driver
from compliance.ledger.statements import ALL

PAGE: Final = 64
"""Rows of a key that are kept: a look-up seldom goes further back, and a site's keys have thousands."""

MOST_KEYS: Final = 200_000
"""Keys that are kept; an entry takes about 300 bytes."""

Row: TypeAlias = tuple[int, int]
_END: Final = 2**63 - 1


class KeyRows:
    """The rows of one index, seen through the open batch."""

    def __init__(self, driver: Driver, newest: str) -> None:
        """`newest` reads rows of a key up to an instant, newest first: key, until, limit."""
        self._driver = driver
        self._newest = newest
        self._known: dict[int, list[Row]] = {}  # oldest first
        self._whole: set[int] = set()  # keys of which every row is known
        self.waiting: list[tuple[int, int, int]] = []
        self._waiting_by_key: dict[int, list[Row]] = {}

    def add(self, key: int, rows: Iterable[Row]) -> None:
        """Rows of a key, to be inserted; those that are known already stay as they are."""
        for row in rows:
            kept = self._known.get(key)
            if kept is None:
                kept = self._waiting_by_key.setdefault(key, [])
            elif kept and row < kept[0] and key not in self._whole:
                # Older than all that is kept: it is found in the database, once it is there.
                del self._known[key]
                kept = self._waiting_by_key.setdefault(key, [])
            if not kept or row > kept[-1]:
                kept.append(row)
                self.waiting.append((key, *row))
                continue
            at = bisect_left(kept, row)
            if kept[at] != row:
                kept.insert(at, row)
                self.waiting.append((key, *row))

    def newest_first(self, key: int, until: int, since: int) -> Iterator[Row]:
        """The rows of a key within [since, until], newest first."""
        rows = self._known.get(key)
        if rows is None:
            rows = self._load(key)
        at = bisect_right(rows, (until, _END))
        for position in range(at - 1, -1, -1):
            row = rows[position]
            if row[0] < since:
                return
            yield row
        if key not in self._whole:
            yield from self._older(key, rows[0] if rows else (until, _END), until, since)

    def inserted(self) -> None:
        """What waited is in the database now."""
        self.waiting = []
        self._waiting_by_key.clear()
        if len(self._known) > MOST_KEYS:
            self._known.clear()
            self._whole.clear()

    def _load(self, key: int) -> list[Row]:
        rows = self._driver.execute(self._newest, (key, _END, PAGE + 1)).fetchall()
        waiting = self._waiting_by_key.pop(key, [])
        if (
            len(rows) > PAGE and waiting and waiting[0] < rows[-1]
        ):  # it would lie among rows that are not kept
            rows = self._driver.execute(self._newest, (key, _END, ALL)).fetchall()
            self._whole.add(key)
        elif len(rows) <= PAGE:
            self._whole.add(key)
        known: list[Row] = sorted({*rows, *waiting})
        self._known[key] = known
        return known

    def _older(self, key: int, oldest: Row, until: int, since: int) -> Iterator[Row]:
        """Rows before those that are kept, from the database."""
        for row in self._driver.newest(self._newest, key, min(until, oldest[0])):
            if row[0] < since:
                return
            if row < oldest:
                yield row
