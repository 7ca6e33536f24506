"""The walk over the log that `verify` makes: everything that repeats the canonical bytes is computed again and compared.

For each entry: its idx, its leaf hash, the canonical form of its bytes, the look-up columns, the digest of the event, its rows in the
index of look-up keys, and that its instant is later than the one before. For the tree: every tile, every head with its
frontier and instant. Beside it: the stored policies, the quarantined input, and the structure of the database file itself.

Rows of ``asked_key`` say what a judgement looked at, which no entry repeats; ``compliance db rebuild`` makes them again.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import orjson

from compliance.domain.canonical import CanonicalError, is_canonical
from compliance.errors import LogError
from compliance.ledger.batch import TILE_WIDTH
from compliance.ledger.entry import columns_of
from compliance.ledger.index_check import KeyRows, KeysOf
from compliance.ledger.log import LATEST, Log
from compliance.ledger.note import NoteError, Verifier
from compliance.ledger.tree import Frontier


class Tampered(Exception):
    """The database contradicts itself: the first bad index, where there is one, and why."""

    def __init__(self, index: int | None, reason: str) -> None:
        super().__init__(reason)
        self.index = index
        self.reason = reason


class Walk:
    """One walk, from the size of the frontier to the end of the log; the frontier grows with every entry that is good."""

    def __init__(
        self,
        log: Log,
        frontier: Frontier,
        *,
        keys_of: KeysOf | None,
        bundle_digest: Callable[[bytes], str] | None,
    ) -> None:
        self._log = log
        self._driver = log.driver
        self._frontier = frontier
        self._bundle_digest = bundle_digest
        self._keys = None if keys_of is None else KeyRows(self._driver, log.statements, keys_of)
        self._recorded_us = -1
        self._open: list[list[bytes]] = []

    def run(self, *, whole: bool) -> None:
        """Walk; raises Tampered at the first thing that is wrong. `whole` also checks what does not grow with the log."""
        self._fill_open_tiles()
        self._entries()
        self._count_tiles()
        self._bundles()
        self._quarantine()
        if whole:
            self._first_entry()
            if self._keys is not None and not self._keys.agree():
                self._find_key_rows(self._keys)
            self._file()

    def _entries(self) -> None:
        frontier, keys = self._frontier, self._keys
        heads = self._driver.stream(self._log.statements.heads, (frontier.size,))
        head = next(heads, None)
        rows = self._driver.stream(self._log.statements.entries, (frontier.size, LATEST))
        leaves = self._open[0]
        recorded_us = self._recorded_us
        for row in rows:
            idx, leaf, body = row[0], row[12], row[13]
            if idx != frontier.size:
                raise Tampered(
                    frontier.size, f"entry {frontier.size} is missing: the next one there is {idx}"
                )
            try:
                if sha256(b"\x00" + body).digest() != leaf:
                    raise Tampered(idx, f"the leaf hash of entry {idx} is not that of its bytes")
                document = orjson.loads(body)
                canonical = is_canonical(body, document)
                expected = columns_of(document)
            except (TypeError, ValueError, KeyError, AttributeError, CanonicalError) as problem:
                raise Tampered(
                    idx, f"the bytes of entry {idx} are not those of an entry ({type(problem).__name__})"
                ) from None
            if not canonical:
                raise Tampered(idx, f"the bytes of entry {idx} are not in canonical form")
            if row[1:12] != expected:
                raise Tampered(idx, f"the look-up columns of entry {idx} do not say what its bytes say")
            if expected[1] <= recorded_us:
                raise Tampered(idx, f"entry {idx} was not recorded later than the one before it")
            recorded_us = expected[1]
            if keys is not None:
                keys.take(idx, expected[7], document)
            frontier.append(leaf)
            leaves.append(leaf)
            if frontier.completed:
                self._tiles()
            if head is not None and frontier.size == head[0]:
                if head[1:] != (frontier.root(), frontier.to_bytes(), recorded_us):
                    raise Tampered(
                        idx, f"the head of size {head[0]} does not agree with the entries before it"
                    )
                head = next(heads, None)
            elif head is not None and head[0] < frontier.size:
                raise Tampered(idx, f"the head of size {head[0]} is out of order")
        if head is not None:
            raise Tampered(
                frontier.size,
                f"the log's heads say {head[0]} entries or more, but only {frontier.size} are there",
            )
        self._last_head()

    def _last_head(self) -> None:
        """No entry without a head after it: both are written in one transaction."""
        size = self._log.size
        if size != self._frontier.size:
            raise Tampered(size, f"the entries from {size} on have no head")

    def _fill_open_tiles(self) -> None:
        """The hashes of the tiles that are not full at the frontier, by level; at size 0 there are none."""
        size, level = self._frontier.size, 0
        while True:
            start, stop = size // TILE_WIDTH * TILE_WIDTH, size
            if start == stop:
                hashes: list[bytes] = []
            elif level == 0:
                hashes = [one for (one,) in self._driver.execute(self._log.statements.leaves, (start, stop))]
            else:
                found = self._driver.execute(self._log.statements.tile_roots, (level - 1, start, stop))
                hashes = [one for (one,) in found]
            self._open.append(hashes)
            size //= TILE_WIDTH
            level += 1
            if not size:
                break
        if self._frontier.size:
            last = self._driver.execute(self._log.statements.entry, (self._frontier.size - 1,)).fetchone()
            self._recorded_us = last[2]

    def _tiles(self) -> None:
        """Compare the tiles that the last entry completed, lower levels first."""
        for height, root in self._frontier.completed:
            level, n = height // 8 - 1, (self._frontier.size >> height) - 1
            hashes = b"".join(self._open[level])
            self._open[level].clear()
            if level + 1 == len(self._open):
                self._open.append([])
            self._open[level + 1].append(root)
            row = self._driver.execute(self._log.statements.tile, (level, n)).fetchone()
            if row != (root, hashes):
                what = "is missing" if row is None else "does not agree with the entries below it"
                raise Tampered(n << height, f"tile {n} of level {level} {what}")
        self._frontier.completed.clear()

    def _count_tiles(self) -> None:
        expected, size = 0, self._frontier.size // TILE_WIDTH
        while size:
            expected, size = expected + size, size // TILE_WIDTH
        (count,) = self._driver.execute(self._log.statements.tiles).fetchone()
        if count != expected:
            raise Tampered(
                None,
                f"there are {count} tiles, and {expected} belong to a log of {self._frontier.size} entries",
            )

    def _first_entry(self) -> None:
        try:
            Verifier.parse(self._log.identity.vkey)
        except (NoteError, LogError) as problem:
            raise Tampered(0, f"the first entry does not name the log's key: {problem.message}") from problem

    def _bundles(self) -> None:
        if self._bundle_digest is None:
            return
        for digest, documents in self._driver.stream(self._log.statements.bundles):
            try:
                found = self._bundle_digest(documents)
            except (ValueError, TypeError, KeyError, AttributeError) as problem:
                found = type(problem).__name__
            if found != digest:
                raise Tampered(
                    None, f"the stored policies {digest} are not those that decisions were made under"
                )

    def _quarantine(self) -> None:
        for idx, raw in self._driver.stream(self._log.statements.quarantine):
            document = self._document(idx)
            if document is None or document.get("kept_sha256") != sha256(raw).hexdigest():
                raise Tampered(None, f"the quarantined input of entry {idx} is not the one that was rejected")

    def _find_key_rows(self, keys: KeyRows) -> None:
        """The first entry with a look-up row too few; else the first with one too many, unless it was amended."""
        for entry in self._log.entries():
            if keys.missing(entry.idx, entry.occurred_us, entry.document()):
                raise Tampered(entry.idx, f"entry {entry.idx} cannot be found under one of its look-up keys")
        rows: dict[int, list[tuple[int, int]]] = {}
        for key, occurred_us, idx in self._driver.stream(self._log.statements.key_rows):
            rows.setdefault(idx, []).append((key, occurred_us))
        for idx, found in sorted(rows.items()):
            row: Any = self._driver.execute(self._log.statements.entry, (idx,)).fetchone()
            if row is None:
                raise Tampered(None, f"the index of look-up keys names entry {idx}, which is not there")
            amended = row[3] is not None and self._log.naming(row[3])
            if not amended and keys.foreign(row[8], orjson.loads(row[13]), found):
                raise Tampered(idx, f"entry {idx} is found under a look-up key that is not its own")

    def _file(self) -> None:
        """What the database itself finds wrong with its files."""
        for damage in self._driver.damage():
            raise Tampered(None, f"the database file is damaged: {damage}")

    def _document(self, idx: int) -> dict[str, Any] | None:
        row = self._driver.execute(self._log.statements.body, (idx,)).fetchone()
        document: dict[str, Any] | None = None if row is None else orjson.loads(row[0])
        return document
