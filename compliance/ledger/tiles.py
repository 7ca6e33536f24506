"""The stored hashes of the tree: full tiles of 256 from the tile table, partial ones from the rows they are made of.

A tile of level 0 holds leaf hashes, one of level L the roots of 256 tiles of level L - 1 (C2SP tlog-tiles). Every perfect subtree
lies in one tile, so a proof reads O(log n) rows, and no body of an entry.
"""

from __future__ import annotations

from typing import Final, cast

from compliance.errors import LogError
from compliance.ledger.batch import TILE_WIDTH
from compliance.ledger.database import translated
from compliance.ledger.driver import Driver
from compliance.ledger.statements import Statements
from compliance.ledger.tree import HASH_BYTES, fold

MOST_TILES: Final = 64
"""Tiles that are kept in memory; one has 8 KB."""


class StoredSubtrees:
    """`tree.Subtrees` over the database."""

    def __init__(self, driver: Driver, statements: Statements, name: str) -> None:
        self._driver = driver
        self._statements = statements
        self._name = name
        self._tiles: dict[tuple[int, int], bytes] = {}

    def subtree(self, height: int, index: int) -> bytes:
        """The root of the perfect subtree over 2^height leaves; raises LogError where a hash is missing or not whole."""
        level, inner = divmod(height, 8)
        hashes = self._hashes(level, index << inner, (index + 1) << inner)
        return fold([hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)])

    def tile(self, level: int, n: int, width: int) -> bytes:
        """The first `width` hashes of a tile, one after another; raises LogError where one is missing or not whole."""
        start = n * TILE_WIDTH
        return self._hashes(level, start, start + width)

    def _hashes(self, level: int, start: int, stop: int) -> bytes:
        """Some hashes of a tile, one after another. A tile is read once: a proof asks for parts of the same one up to eight times."""
        n, offset = divmod(start, TILE_WIDTH)
        end = (offset + stop - start) * HASH_BYTES
        tile = self._tiles.get((level, n))
        if tile is None or len(tile) < end:  # a tile that was not full may have grown
            if len(self._tiles) >= MOST_TILES:
                self._tiles.clear()
            tile = self._tiles[level, n] = self._read(level, n)
        if len(tile) < end:
            raise LogError(
                f"{self._name}: hash {n * TILE_WIDTH + len(tile) // HASH_BYTES} of level {level} is missing",
                "Run `compliance log verify` to find out what was changed.",
            )
        return tile[offset * HASH_BYTES : end]

    def _read(self, level: int, n: int) -> bytes:
        """The hashes of a tile, one after another; of one that is not full those that are there without a gap."""
        with translated(self._name):
            full = self._driver.execute(self._statements.tile_hashes, (level, n)).fetchone()
            if full is not None:
                return cast("bytes", full[0])
            start, stop = n * TILE_WIDTH, (n + 1) * TILE_WIDTH
            if level == 0:
                rows = self._driver.execute(self._statements.leaves, (start, stop)).fetchall()
            else:
                rows = self._driver.execute(self._statements.tile_roots, (level - 1, start, stop)).fetchall()
            if rows and rows[-1][0] != start + len(rows) - 1:
                rows = [row for at, row in enumerate(rows, start) if row[0] == at]
            return b"".join([hash_ for _, hash_ in rows])
