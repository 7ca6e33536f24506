"""The walk over the log that `verify` makes: everything that repeats the canonical bytes is computed again and compared.

For each entry: its idx, its leaf hash, the canonical form of its bytes, the look-up columns, the digest of the event, its rows in the
index of look-up keys, and that its instant is later than the one before. For the tree: every tile, every head with its
frontier and instant. Beside it: the stored policies, the quarantined input, and the structure of the database file itself.

Rows of ``asked_key`` say what a judgement looked at, which no entry repeats; ``compliance db rebuild`` makes them again.

A long log is walked by several processes, a stretch each. A stretch begins with what the stored hashes say of its beginning, which proves
nothing until the stretch before it has ended with the very same; stretches are taken together in that order. From the first that does
not fit, or in which anything is wrong, the walk goes on in this process, entry by entry: so the answer is always that of one walk
from beginning to end, over the one state that this connection sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import orjson

from compliance.errors import LogError
from compliance.ledger.batch import TILE_WIDTH
from compliance.ledger.entry_walk import EntryWalk, Position, Tampered
from compliance.ledger.index_check import KeyRows, KeysOf, KeySum, size_there
from compliance.ledger.log import EARLIEST, LATEST, Log
from compliance.ledger.note import NoteError, Verifier
from compliance.ledger.tree import Frontier
from compliance.ledger.walk_statements import walk_statements
from compliance.ledger.workers import File, Keys, Orders, Pool, Stretch, Task, Walked, Workers, damage

__all__ = ["Progress", "Side", "Tampered", "Walk"]

Progress = Callable[[int, int], None]
"""Told how many entries were walked, and how many there are."""

_KEY_PARTS: Final = 64


@dataclass(frozen=True, slots=True)
class Side:
    """Side by side: so many processes, and so many entries in a stretch. A log of fewer than eight stretches is walked by one."""

    processes: int
    stretch: int = 64 * TILE_WIDTH


class Walk:
    """One walk, from a position to the end of the log."""

    def __init__(
        self,
        log: Log,
        start: int,
        *,
        keys_of: KeysOf | None,
        bundle_digest: Callable[[bytes], str] | None,
        side: Side | None = None,
        progress: Progress | None = None,
    ) -> None:
        """`start` is a size at which a caller knows the root to be that of the stored hashes."""
        self._log = log
        self._driver = log.driver
        self._statements = walk_statements(log.driver.dialect)
        self._start = start
        self._keys_of = keys_of
        self._bundle_digest = bundle_digest
        self._side = side
        self._progress = progress
        self._keys: KeyRows | None = None
        self._stored: KeySum | None = None
        self._file_is_whole = False
        self._entries: EntryWalk | None = None

    @property
    def frontier(self) -> Frontier:
        """The frontier over the entries that were found good."""
        return Frontier() if self._entries is None else self._entries.frontier

    def run(self, *, whole: bool) -> None:
        """Walk; raises Tampered at the first thing that is wrong. `whole` also checks what does not grow with the log."""
        self._entries = EntryWalk(self._log, Position.stored(self._log, self._start), None)
        self._keys = KeyRows(self._log, self._keys_of) if whole and self._keys_of is not None else None
        self._walk_entries(whole=whole)
        self._last_head()
        self._count_tiles()
        self._bundles()
        self._quarantine()
        if whole:
            self._first_entry()
            self._look_up_keys()
            self._file()

    def _walk_entries(self, *, whole: bool) -> None:
        assert self._entries is not None
        position, size = self._entries.position, size_there(self._log)
        if (
            self._side is not None
            and self._side.processes > 1
            and size - self._start >= 8 * self._side.stretch
        ):
            position = self._side_by_side(self._side, position, size, whole=whole)
        self._entries = EntryWalk(self._log, position, self._keys)
        self._entries.run()

    def _side_by_side(self, side: Side, position: Position, size: int, *, whole: bool) -> Position:
        """Where the stretches that fit together end."""
        borders = range((self._start // side.stretch + 1) * side.stretch, size + 1, side.stretch)
        tasks: list[Task] = [
            Stretch(start, stop) for start, stop in zip([self._start, *borders], borders, strict=False)
        ]
        if self._keys is None:
            orders = Orders(self._log.url, None, b"", 0)
        else:
            orders = Orders(self._log.url, self._keys.keys_of, self._keys.amended, self._keys.salt)
            tasks += _key_parts()
        if whole:
            tasks.insert(0, File())
        pool: Pool
        with Workers(side.processes, orders) as pool:
            return self._put_together(pool, tasks, position, size)

    def _put_together(self, pool: Pool, tasks: list[Task], position: Position, size: int) -> Position:
        walked: dict[int, Walked] = {}
        stored, parts = KeySum(), 0
        for task, answer in pool.answers(tasks):
            if isinstance(task, File):
                self._file_is_whole = answer is True
            elif isinstance(task, Keys) and isinstance(answer, KeySum):
                stored.add(answer)
                parts += 1
            elif isinstance(task, Stretch):
                if not isinstance(answer, Walked):
                    break
                walked[task.start] = answer
                if self._progress is not None:
                    self._progress(sum(one.end.size - one.start.size for one in walked.values()), size)
        if parts == _KEY_PARTS:
            self._stored = stored
        while (following := walked.get(position.size)) is not None and _fits(position, following):
            position = following.end
            if self._keys is not None:
                self._keys.called.add(following.called)
        return position

    def _last_head(self) -> None:
        """No entry without a head after it, as both are written in one transaction; and nothing before the first."""
        size = self._log.size
        if size != self.frontier.size:
            raise Tampered(
                size,
                f"the entries from {size} on have no head: they were not written by this software, or their head was removed",
            )
        if self._driver.execute(self._statements.before_zero).fetchone() is not None:
            raise Tampered(None, "there is an entry, or a head, before the first one")

    def _count_tiles(self) -> None:
        expected, size = 0, self.frontier.size // TILE_WIDTH
        while size:
            expected, size = expected + size, size // TILE_WIDTH
        (count,) = self._driver.execute(self._log.statements.tiles).fetchone()
        if count != expected:
            raise Tampered(
                None,
                f"there are {count} tiles, and {expected} belong to a log of {self.frontier.size} entries",
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

    def _look_up_keys(self) -> None:
        keys = self._keys
        if keys is None or (self._stored is not None and keys.agree(self._stored)):
            return
        # Another process may have seen rows that were added since: what counts is the state that this connection sees.
        if not keys.agree(keys.stored()) and (difference := keys.first_difference()) is not None:
            raise Tampered(*difference)

    def _file(self) -> None:
        found = None if self._file_is_whole else damage(self._log)
        if found is not None:
            raise Tampered(None, f"the database file is damaged: {found}")

    def _document(self, idx: int) -> dict[str, Any] | None:
        row = self._driver.execute(self._log.statements.body, (idx,)).fetchone()
        document: dict[str, Any] | None = None if row is None else orjson.loads(row[0])
        return document


def _fits(position: Position, following: Walked) -> bool:
    """Whether a stretch began with what was found before it: hashes that were only stored prove nothing."""
    return following.start == position


def _key_parts() -> Iterator[Keys]:
    """All keys of 64 bits, in even parts."""
    step = (LATEST - EARLIEST + 1) // _KEY_PARTS
    for first in range(EARLIEST, LATEST, step):
        yield Keys(first, first + step - 1)
