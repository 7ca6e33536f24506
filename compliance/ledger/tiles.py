"""The stored hashes of the tree: full tiles of 256 from the tile table, partial ones from the rows they are made of.

A tile of level 0 holds leaf hashes, one of level L the roots of 256 tiles of level L - 1 (C2SP tlog-tiles). Every perfect subtree
lies in one tile, so a proof reads O(log n) rows, and no body of an entry.
"""

from __future__ import annotations

from compliance.errors import LogError
from compliance.ledger.batch import TILE_WIDTH
from compliance.ledger.database import translated
from compliance.ledger.driver import Driver
from compliance.ledger.statements import Statements
from compliance.ledger.tree import HASH_BYTES, fold


class StoredSubtrees:
    """`tree.Subtrees` over the database."""

    def __init__(self, driver: Driver, statements: Statements, name: str) -> None:
        self._driver = driver
        self._statements = statements
        self._name = name

    def subtree(self, height: int, index: int) -> bytes:
        """The root of the perfect subtree over 2^height leaves; raises LogError where a hash is missing or not whole."""
        level, inner = divmod(height, 8)
        return fold(self._whole(level, index << inner, (index + 1) << inner))

    def tile(self, level: int, n: int, width: int) -> bytes:
        """The first `width` hashes of a tile, one after another; raises LogError where one is missing or not whole."""
        start = n * TILE_WIDTH
        return b"".join(self._whole(level, start, start + width))

    def _whole(self, level: int, start: int, stop: int) -> list[bytes]:
        hashes = self._hashes(level, start, stop)
        if len(hashes) != stop - start or any(len(one) != HASH_BYTES for one in hashes):
            raise LogError(
                f"{self._name}: hashes {start} to {stop - 1} of level {level} are missing",
                "Run `compliance log verify` to find out what was changed.",
            )
        return hashes

    def _hashes(self, level: int, start: int, stop: int) -> list[bytes]:
        with translated(self._name):
            n, offset = divmod(start, TILE_WIDTH)
            full = self._driver.execute(self._statements.tile_hashes, (level, n)).fetchone()
            if full is not None:
                stored = full[0]
                return [
                    stored[at * HASH_BYTES : (at + 1) * HASH_BYTES]
                    for at in range(offset, offset + stop - start)
                ]
            if level == 0:
                rows = self._driver.execute(self._statements.leaves, (start, stop))
            else:
                rows = self._driver.execute(self._statements.tile_roots, (level - 1, start, stop))
            return [one for (one,) in rows]
