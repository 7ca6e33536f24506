"""A batch: entries that are written together or not at all (audit-log.md, "Sequencing and durability").

`Log.writing` makes one, with the write lock taken first, so that nobody else can append until it ends. Invariants:

* ``idx`` counts on from the head without gaps; ``recorded_at`` never stands still and never goes back, even if the clock does;
* rows wait in memory and are inserted in bulk; a look-up that could concern a waiting row has the rows inserted before;
* the last thing written is one head, whose root covers every entry before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple

from compliance.domain.canonical import canonical
from compliance.errors import LogError
from compliance.ledger.database import in_words
from compliance.ledger.driver import Driver
from compliance.ledger.entry import Entry, new_entry
from compliance.ledger.key_rows import KeyRows
from compliance.ledger.statements import Statements
from compliance.ledger.tables import ASKED_KEY, BUNDLE, ENTRY, EVENT_KEY, HEAD, QUARANTINE, TILE, WITNESSED
from compliance.ledger.tree import Frontier

TILE_WIDTH: Final = 256
"""Hashes in a full tile (C2SP tlog-tiles)."""


class LookUps(NamedTuple):
    """Rows of both indexes as they were read when the log had `size` entries."""

    size: int
    keys: KeyRows
    asked: KeyRows


class Batch:
    """Entries to be appended in one transaction; use it within `Log.writing` only."""

    def __init__(
        self,
        driver: Driver,
        statements: Statements,
        name: str,
        clock: Callable[[], int],
        before: LookUps | None = None,
    ) -> None:
        """`before` is what the batch before has read of the indexes; it holds where nobody else has written since."""
        self._driver = driver
        self._statements = statements
        self._name = name
        self._clock = clock
        self._frontier, self._appended_us = self._last_head()
        self._noted_us = self._appended_us
        self._first = self._size = self._frontier.size
        self._entries: list[tuple[Any, ...]] = []  # rows of `Entry`; the driver takes plain tuples faster
        self._leaves: list[bytes] = []  # of entries that are not in the frontier yet
        self._quarantined: list[tuple[int, bytes, str]] = []
        self._by_event_id: dict[str, int] = {}
        self._by_target: dict[str, list[int]] = {}
        if before is not None and before.size == self._first:
            self.keys, self.asked = before.keys, before.asked
        else:
            self.keys = KeyRows(driver, statements.event_keys)
            self.asked = KeyRows(driver, statements.asked_keys)

    @property
    def look_ups(self) -> LookUps:
        """What was read of the indexes, for the next batch."""
        return LookUps(self.size, self.keys, self.asked)

    @property
    def size(self) -> int:
        """The size of the log with the entries of this batch: the idx that the next entry gets."""
        return self._size

    def next_recorded_at(self) -> int:
        """The instant, in microseconds, at which the log takes the next entry; later than every one it gave before."""
        now, later = self._clock(), self._noted_us + 1
        self._noted_us = max(later, now)
        return self._noted_us

    def append(
        self,
        type: str,  # noqa: A002  (the member's name)
        members: Mapping[str, Any],
        *,
        recorded_us: int | None = None,
        keys: Iterable[int] = (),
        asked: Iterable[tuple[int, int]] = (),
    ) -> int:
        """Append an entry of a type with its members (``event`` and ``decision``, or others) and return its idx.

        `recorded_us` is one that `next_recorded_at` gave, in that order; without one the log asks its clock. `keys` are those by which
        the event is found, at its ``occurred_at``; `asked` are the keys that judging it looked up, each with the last instant it
        looked at. Raises CanonicalError for what the canonical profile does not allow, before anything is written.
        """
        if recorded_us is None:
            recorded_us = self.next_recorded_at()
        if not self._appended_us < recorded_us <= self._noted_us:
            raise ValueError("recorded_us comes from next_recorded_at, once, and in order")
        document, columns = new_entry(type, recorded_us, members)
        body = canonical(document)
        leaf = sha256(b"\x00" + body).digest()  # `tree.leaf_hash`
        idx = self._size
        _, _, event_id, _, _, _, _, occurred_us, _, target, _ = columns
        self._entries.append((idx, *columns, leaf, body))
        self._leaves.append(leaf)
        self._size = idx + 1
        self._appended_us = recorded_us
        if event_id is not None:
            self._by_event_id[event_id] = idx
        if target is not None:
            self._by_target.setdefault(target, []).append(idx)
        occurred_us = occurred_us or 0
        for key in keys:
            self.keys.add(key, ((occurred_us, idx),))
        for key, until_us in asked:
            self.asked.add(key, ((until_us, idx),))
        return idx

    def add_keys(self, rows: Iterable[tuple[int, int, int]]) -> None:
        """Look-up rows (key, occurred_us, idx) of an earlier event as it now stands; rows that are there stay."""
        for key, occurred_us, idx in rows:
            self.keys.add(key, ((occurred_us, idx),))

    def add_asked(self, rows: Iterable[tuple[int, int, int]]) -> None:
        """Rows (key, until_us, idx) of what judging an earlier event again looked up; rows that are there stay."""
        for key, until_us, idx in rows:
            self.asked.add(key, ((until_us, idx),))

    def put_bundle(self, digest: str, documents: bytes) -> None:
        """Store the documents of a bundle, once, under the digest by which decisions call it."""
        if self._driver.execute(self._statements.bundle, (digest,)).fetchone() is None:
            self._driver.add(BUNDLE, [(digest, documents)])

    def witness(self, origin: str, size: int, root: bytes, note: str) -> None:
        """Remember a checkpoint of another log; raises LogError where a larger one of it was seen already."""
        try:
            self._driver.add(WITNESSED, [(origin, size, root, note, self.next_recorded_at())])
        except self._driver.errors as problem:
            raise in_words(problem, self._name) from problem

    def quarantine(self, idx: int, raw: bytes, source: str) -> None:
        """Keep the bytes of a ``rejected`` entry outside the tree, where they can be mended or discarded."""
        self._quarantined.append((idx, raw, source))

    def entry(self, idx: int) -> Entry | None:
        """An entry that waits to be inserted, or None."""
        position = idx - self._entries[0][0] if self._entries else -1
        return Entry._make(self._entries[position]) if 0 <= position < len(self._entries) else None

    def by_event_id(self, event_id: str) -> int | None:
        """The idx of a waiting entry that holds an event, or None."""
        return self._by_event_id.get(event_id)

    def naming(self, event_id: str) -> list[Entry]:
        """The waiting entries that name an event, in order."""
        return [entry for idx in self._by_target.get(event_id, ()) if (entry := self.entry(idx)) is not None]

    def insert_waiting(self) -> None:
        """Insert the rows that wait; they are seen by every look-up of this connection then."""
        try:
            self._driver.add(ENTRY, self._entries)
            self._driver.add(QUARANTINE, self._quarantined)
            for rows, table in ((self.keys, EVENT_KEY), (self.asked, ASKED_KEY)):
                if rows.waiting:
                    self._driver.add(table, sorted(rows.waiting), once=True)
                    rows.inserted()
        except self._driver.errors as problem:
            raise in_words(problem, self._name) from problem
        self._entries, self._quarantined = [], []
        self._by_event_id.clear()
        self._by_target.clear()

    def finish(self) -> None:
        """Write what is left: rows, tiles that became full, and the head. Only `Log.writing` calls it."""
        self.insert_waiting()
        if self._size == self._first:
            return
        self._frontier.extend(self._leaves)
        self._write_tiles()
        head = (self._frontier.size, self._frontier.root(), self._frontier.to_bytes(), self._appended_us)
        self._driver.add(HEAD, [head])

    def _write_tiles(self) -> None:
        """Store each tile that this batch completed. Lower levels come first, since a tile is made of the roots below it."""
        count: dict[int, int] = {}
        for height, root in self._frontier.completed:
            level = height // 8 - 1
            if level not in count:
                count[level] = self._first >> height
            n = count[level]
            count[level] += 1
            start, stop = n * TILE_WIDTH, (n + 1) * TILE_WIDTH
            if level == 0:
                rows = self._driver.execute(self._statements.leaves, (start, stop))
            else:
                rows = self._driver.execute(self._statements.tile_roots, (level - 1, start, stop))
            self._driver.add(TILE, [(level, n, root, b"".join(hash_ for _, hash_ in rows))])

    def _last_head(self) -> tuple[Frontier, int]:
        """The frontier to append to and the instant of the last entry, which must agree with the entries there are."""
        row = self._driver.execute(self._statements.last_head).fetchone()
        (last_idx,) = self._driver.execute(self._statements.last_idx).fetchone()
        entries = 0 if last_idx is None else last_idx + 1
        size, root, stored, recorded_us = row or (0, None, b"", 0)
        frontier = Frontier.from_bytes(size, stored)
        if entries != size or (row and frontier.root() != root):
            raise LogError(
                f"{self._name}: the log's head says {size} entries, but there are {entries}, or its root is not theirs",
                "Nothing was written. Run `compliance log verify` to find out what was changed.",
            )
        return frontier, recorded_us
