"""The walk over the entries of a stretch of the log: everything that repeats their bytes is computed again and compared.

A walk begins at a `Position`: what is known of the tree there. One that was read from the stored hashes is an assumption, until a
walk that ended there has found the same (`Walk`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

import orjson

from compliance.domain.canonical import CanonicalError, is_canonical
from compliance.ledger.batch import TILE_WIDTH
from compliance.ledger.entry import columns_of
from compliance.ledger.index_check import KeyRows
from compliance.ledger.log import LATEST, Log
from compliance.ledger.tree import Frontier, frontier_of
from compliance.ledger.walk_statements import walk_statements


class Tampered(Exception):
    """The database contradicts itself: the first bad index, where there is one, and why."""

    def __init__(self, index: int | None, reason: str) -> None:
        super().__init__(reason)
        self.index = index
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Position:
    """Between two entries: how many lie before, the frontier over them, when the last was recorded, and the hashes of the tiles that
    are not full there, by level."""

    size: int
    frontier: tuple[bytes, ...]
    recorded_us: int
    open_tiles: tuple[tuple[bytes, ...], ...]

    @classmethod
    def beginning(cls) -> Self:
        """Before the first entry."""
        return cls(0, (), -1, ((),))

    @classmethod
    def stored(cls, log: Log, size: int) -> Self:
        """At a size that the log has, as its stored hashes say; raises LogError or Tampered where they do not say it."""
        if not size:
            return cls.beginning()
        frontier, width, level, tiles = frontier_of(log.subtrees, size), size, 0, []
        while width or not level:
            start = width // TILE_WIDTH * TILE_WIDTH
            if start == width:
                hashes: tuple[bytes, ...] = ()
            elif level == 0:
                rows = log.driver.execute(log.statements.leaves, (start, width))
                hashes = tuple(one for _, one in rows)
            else:
                rows = log.driver.execute(log.statements.tile_roots, (level - 1, start, width))
                hashes = tuple(one for _, one in rows)
            tiles.append(hashes)
            width, level = width // TILE_WIDTH, level + 1
        last = log.driver.execute(log.statements.entry, (size - 1,)).fetchone()
        if last is None:
            raise Tampered(size - 1, f"entry {size - 1} is missing")
        return cls(size, tuple(frontier.hashes), last[2], tuple(tiles))


class EntryWalk:
    """One walk; the frontier grows with every entry that is good."""

    def __init__(self, log: Log, start: Position, keys: KeyRows | None) -> None:
        self._log = log
        self._driver = log.driver
        self._statements = walk_statements(log.driver.dialect)
        self._keys = keys
        self.frontier = Frontier(start.size, start.frontier)
        self._recorded_us = start.recorded_us
        self._open = [list(hashes) for hashes in start.open_tiles]
        self._pending: list[bytes] = []

    @property
    def position(self) -> Position:
        """Where the walk has come to."""
        tiles = tuple(map(tuple, self._open))
        return Position(self.frontier.size, tuple(self.frontier.hashes), self._recorded_us, tiles)

    def run(self, stop: int = LATEST) -> None:
        """Walk up to `stop`, or to the end of the log; raises Tampered at the first thing that is wrong."""
        try:
            self._run(stop)
        finally:
            self._grow()

    def _run(self, stop: int) -> None:
        size, recorded_us, keys = self.frontier.size, self._recorded_us, self._keys
        heads = self._heads(size, stop)
        head = next(heads, None)
        border = self._border(size, head)
        keep = self._pending.append
        for row in self._driver.stream(self._log.statements.entries, (size, stop)):
            idx, leaf, body = row[0], row[12], row[13]
            if idx != size:
                raise Tampered(size, f"entry {size} is missing: the next one there is {idx}")
            try:
                if sha256(b"\x00" + body).digest() != leaf:
                    raise Tampered(
                        idx,
                        f"entry {idx} was changed: its bytes are not those that its leaf hash was made of",
                    )
                document = orjson.loads(body)
                canonical = is_canonical(body, document)
                expected = columns_of(document)
                if not canonical:
                    raise Tampered(
                        idx, f"entry {idx} was written by other software: its bytes are not in canonical form"
                    )
                if row[1:12] != expected:
                    raise Tampered(
                        idx,
                        f"entry {idx} would be found as what it is not: its look-up columns do not say what its bytes say",
                    )
                if expected[1] <= recorded_us:
                    raise Tampered(
                        idx,
                        f"entry {idx} was not recorded later than the one before it: entries changed places or were put in between",
                    )
                if keys is not None:
                    keys.take(idx, expected[7], document)
            except (TypeError, ValueError, KeyError, AttributeError, CanonicalError) as problem:
                raise Tampered(
                    idx,
                    f"what is stored as entry {idx} is not an entry of this log ({type(problem).__name__})",
                ) from None
            recorded_us = expected[1]
            keep(leaf)
            size += 1
            if size == border:
                self._recorded_us = recorded_us
                self._grow()
                if head is not None and size == head[0]:
                    self._compare(head)
                    head = next(heads, None)
                border = self._border(size, head)
        self._recorded_us = recorded_us
        if head is not None:
            raise Tampered(size, f"the log's heads say {head[0]} entries or more, but only {size} are there")

    def _heads(self, after: int, until: int) -> Iterator[tuple[int, bytes, bytes, int]]:
        try:
            yield from self._driver.stream(self._statements.heads, (after, until))
        except self._driver.errors as problem:
            size = self.frontier.size + len(self._pending)
            raise Tampered(size, f"the heads after size {size} cannot be read: {problem}") from problem

    @staticmethod
    def _border(size: int, head: tuple[Any, ...] | None) -> int:
        """Where the tree is needed next: at the end of the tile, or at the next head."""
        tile_end = (size // TILE_WIDTH + 1) * TILE_WIDTH
        if head is None:
            return tile_end
        if head[0] <= size:
            raise Tampered(size - 1 if size else None, f"the head of size {head[0]} is out of order")
        return min(tile_end, head[0])  # type: ignore[no-any-return]

    def _grow(self) -> None:
        """Put the leaves that were found good into the tree, and compare the tiles that they complete."""
        self._open[0].extend(self._pending)
        self.frontier.extend(self._pending)
        self._pending.clear()
        if self.frontier.completed:
            self._tiles()

    def _compare(self, head: tuple[int, bytes, bytes, int]) -> None:
        if head[1:] != (self.frontier.root(), self.frontier.to_bytes(), self._recorded_us):
            raise Tampered(
                head[0] - 1,
                f"the head of size {head[0]}, which was stored with entry {head[0] - 1}, does not agree with the entries up to it: "
                "one of them was changed together with its leaf hash, or the head was",
            )

    def _tiles(self) -> None:
        """Compare the tiles that the last entry completed, lower levels first."""
        completed, self.frontier.completed = self.frontier.completed, []
        for height, root in completed:
            level, n = height // 8 - 1, (self.frontier.size >> height) - 1
            hashes = b"".join(self._open[level])
            self._open[level].clear()
            if level + 1 == len(self._open):
                self._open.append([])
            self._open[level + 1].append(root)
            row = self._driver.execute(self._log.statements.tile, (level, n)).fetchone()
            if row != (root, hashes):
                what = "are missing" if row is None else "do not agree with them"
                first, last = n << height, (n + 1 << height) - 1
                raise Tampered(
                    first,
                    f"the stored hashes of the entries {first} to {last} (tile {n} of level {level}) {what}",
                )
