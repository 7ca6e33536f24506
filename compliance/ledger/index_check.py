"""Whether the index of look-up keys has the rows that the entries call for.

Every event must be found under its keys; otherwise a judgement would not see it. The rows are compared as a whole first, through a
sum of salted hashes that does not depend on their order, so that ranges of entries and ranges of keys can be summed by several
processes; only where the sums differ is the first difference looked for, row by row. Rows beyond those of the entry itself are
right where the event was corrected: it is then found under its new keys, too. So the rows of events that others name stay out of the
sums, and those that they call for are looked up one by one.

Python hashes whole numbers modulo 2^61 - 1, and -1 as -2. A key of 64 bits is therefore hashed in halves, and instants count from
`FARTHEST_US` before 1970: two different rows never have the same numbers to be hashed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any, Final, TypeAlias

import orjson

from compliance.ledger.log import EARLIEST, LATEST, Log
from compliance.ledger.walk_statements import FARTHEST_US, walk_statements

KeysOf: TypeAlias = Callable[[Mapping[str, Any]], Iterable[int]]
"""The look-up keys of an entry, from its document."""

_MASK: Final = 2**64 - 1
_HALF: Final = 2**32 - 1
_ROWS: Final = 4096
_STRETCH: Final = 1_000_000
"""Entries whose rows are held at once where a difference is looked for."""


@dataclass(slots=True)
class KeySum:
    """Rows as one number, whatever their order, and how many were counted; `short` once an event lacks one of its rows."""

    total: int = 0
    rows: int = 0
    short: bool = False

    def add(self, other: KeySum) -> None:
        """Put two sums together."""
        self.total += other.total
        self.rows += other.rows
        self.short |= other.short


class KeyRows:
    """The rows that the entries call for, taken one entry at a time, against the rows there are."""

    def __init__(
        self, log: Log, keys_of: KeysOf, *, amended: bytes | None = None, salt: int | None = None
    ) -> None:
        """`amended` has a byte for each entry, 1 where others name its event; `salt` is that of the sums that are to be compared."""
        self._log = log
        self._driver = log.driver
        self._statements = walk_statements(log.driver.dialect)
        self.keys_of = keys_of
        # Without a salt, rows could be chosen so that the sums agree.
        self.salt = secrets.randbits(60) if salt is None else salt
        self.amended = self._amended() if amended is None else amended
        self._any_amended = 1 in self.amended
        self.called = KeySum()

    def take(self, idx: int, occurred_us: int | None, document: Mapping[str, Any]) -> None:
        """Call for the rows of an entry."""
        if self._any_amended and idx < len(self.amended) and self.amended[idx]:
            self.called.short = self.called.short or self.missing(idx, occurred_us, document)
            return
        salt, since, called = self.salt, (occurred_us or 0) + FARTHEST_US, self.called
        keys = set(self.keys_of(document))
        called.rows += len(keys)
        called.total += sum([hash((salt, key >> 32 & _HALF, key & _HALF, since, idx)) for key in keys])

    def stored(self, first: int = EARLIEST, last: int = LATEST) -> KeySum:
        """The sum over the rows there are, under keys from `first` to `last`; rows of no entry are not counted."""
        found, amended = KeySum(), self.amended
        values = (self.salt, first, last, len(amended))
        rows = self._driver.stream(self._statements.key_rows, values)
        while batch := list(islice(rows, _ROWS)):
            found.rows += len(batch)
            found.total += sum(map(hash, batch))
            if self._any_amended:
                found.total -= sum([hash(row) for row in batch if amended[row[4]]])
        return found

    def agree(self, stored: KeySum) -> bool:
        """Whether the table has the rows that were called for, and no others but of amended events; `stored` is the sum of all keys."""
        (count,) = self._driver.execute(self._statements.key_count).fetchone()
        same = (stored.total - self.called.total) & _MASK == 0
        return same and not self.called.short and stored.rows == count

    def missing(self, idx: int, occurred_us: int | None, document: Mapping[str, Any]) -> bool:
        """Whether a row that this entry calls for is not there."""
        return any(
            self._driver.execute(self._log.statements.key_row, (key, occurred_us or 0, idx)).fetchone()
            is None
            for key in self.keys_of(document)
        )

    def first_difference(self) -> tuple[int | None, str] | None:
        """The first entry with a row too few; else the first with one too many, unless it was amended; and in words what is wrong."""
        for entry in self._log.entries():
            if self.missing(entry.idx, entry.occurred_us, entry.document()):
                return entry.idx, f"entry {entry.idx} cannot be found under one of its look-up keys"
        for idx, rows in self._by_entry():
            row = self._driver.execute(self._log.statements.entry, (idx,)).fetchone()
            if row is None:
                return None, f"the index of look-up keys names entry {idx}, which is not there"
            called = {(key, row[8] or 0) for key in self.keys_of(orjson.loads(row[13]))}
            if not called.issuperset(rows) and not (row[3] is not None and self._log.naming(row[3])):
                return idx, f"entry {idx} is found under a look-up key that is not its own"
        return None

    def _by_entry(self) -> Iterator[tuple[int, list[tuple[int, int]]]]:
        """The rows there are, entry by entry; read in stretches of entries, so that memory has room for them."""
        borders = [EARLIEST, *range(0, len(self.amended) + 1, _STRETCH), LATEST]
        for first, after in pairwise(borders):
            rows: dict[int, list[tuple[int, int]]] = {}
            last = after if after == LATEST else after - 1
            found = self._driver.stream(self._statements.key_rows_of, (first, last))
            for key, occurred_us, idx in found:
                rows.setdefault(idx, []).append((key, occurred_us))
            yield from sorted(rows.items())

    def _amended(self) -> bytes:
        size = size_there(self._log)
        amended = bytearray(size)
        for (idx,) in self._driver.stream(self._statements.amended, (size,)):
            amended[idx] = 1
        return bytes(amended)


def size_there(log: Log) -> int:
    """The size that the last head says, but no more than there are entries: a head that was changed must not make a walk ask for memory and work
    without end."""
    (there,) = log.driver.execute(walk_statements(log.driver.dialect).how_many).fetchone()
    return min(log.size, int(there))
