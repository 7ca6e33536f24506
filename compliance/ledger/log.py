"""The log: open it, append to it in batches, look things up in it (audit-log.md).

>>> log = Log.create("sqlite:///clinic.db", "clinic.example/log", key.vkey)             # doctest: +SKIP
>>> with log.writing() as batch:                                                          # doctest: +SKIP
...     at = batch.next_recorded_at()
...     idx = batch.append("event", {"event": body, "decision": decision}, recorded_us=at, keys=keys, asked=asked)
>>> log.entry(idx).document()["decision"]["verdict"]                                      # doctest: +SKIP
'compliant'

A log has one clock, one place that opens transactions (`writing`), and one that reads a fixed state (`reading`). Its first entry, of
type ``key``, names its origin and the verifier key of its checkpoints. An idx that `append` returned is a receipt only once `writing`
has ended: then it is on disk, with its head.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Self, cast

import orjson
from sqlalchemy import Connection

from compliance.domain.lookup import key_of
from compliance.errors import InputError, LogError
from compliance.ledger import schema
from compliance.ledger.batch import Batch, LookUps
from compliance.ledger.database import connect, driver_of, in_words, place_of, translated
from compliance.ledger.entry import Entry
from compliance.ledger.roles import Role
from compliance.ledger.statements import WIDE, statements
from compliance.ledger.tiles import StoredSubtrees
from compliance.ledger.tree import EMPTY_ROOT, frontier_of

EARLIEST: Final = -(2**63)
LATEST: Final = 2**63 - 1
"""Instants before and after every other, for scans without a bound."""

KEY_ENTRIES: Final = key_of("key", "replaces", "")
"""The look-up key of every entry that changes the log's key; entry 0, which names the first one, needs none."""


@dataclass(frozen=True, slots=True)
class Head:
    """The state of the log after a commit: its size, its root, and when its last entry was recorded."""

    size: int
    root: bytes
    recorded_us: int


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the log is: the origin of its checkpoints and the verifier key they are signed with, as its entries of type ``key`` say."""

    origin: str
    vkey: str


def system_clock() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


class Log:
    """One audit log in one database. Make it with `create` or `open`; close it, or use it in a ``with``."""

    def __init__(self, connection: Connection, url: str, clock: Callable[[], int]) -> None:
        self.url = url
        self.name = place_of(url).name
        self.connection = connection
        self.driver = driver_of(connection)
        self.statements = statements(self.driver.dialect)
        self._clock = clock
        self._batch: Batch | None = None
        self._look_ups: LookUps | None = None

    @classmethod
    def create(
        cls,
        url: str,
        origin: str,
        vkey: str,
        *,
        vault: str | None = None,
        clock: Callable[[], int] = system_clock,
    ) -> Log:
        """Make a log with its first entry, and open it for writing; `vkey` is the verifier key of its checkpoints, `vault` the name of its
        identity vault, where it has one. See `creation.created`."""
        from compliance.ledger.creation import created  # noqa: PLC0415  (it makes a Log)

        with created(url, origin, vkey, vault=vault, clock=clock):
            pass
        return cls.open(url, write=True, clock=clock)

    @classmethod
    def open(cls, url: str, *, write: bool = False, clock: Callable[[], int] = system_clock) -> Log:
        """Open an existing log. Raises DatabaseError where there is none or it needs an upgrade, LogError where it is damaged."""
        connection = connect(url, Role.WRITER if write else Role.READER)
        try:
            with translated(place_of(url).name):
                log = cls(connection, url, clock)
                schema.require_current(log.driver, log.name)
            return log
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def writing(self) -> Iterator[Batch]:
        """One batch in one transaction, with the write lock held from the start. It commits at the end, durably; whatever is
        raised within leaves nothing behind. Raises DatabaseError where another writer holds the lock for too long."""
        if self._batch is not None:
            raise ValueError("a batch is open already")
        with translated(self.name):
            self.driver.begin_writing()
        try:
            with translated(self.name):
                self._batch = Batch(self.driver, self.statements, self.name, self._clock, self._look_ups)
                yield self._batch
                self._batch.finish()
                self.driver.commit()
            self._look_ups = self._batch.look_ups
        except BaseException:
            self._look_ups = None
            self.driver.roll_back()
            raise
        finally:
            self._batch = None

    @contextmanager
    def rehearsing(self) -> Iterator[Batch]:
        """A batch of which nothing is ever written: look-ups within see what it appended, and a reader's rights are enough."""
        if self._batch is not None:
            raise ValueError("a batch is open already")
        with self.reading():
            self._batch = Batch(self.driver, self.statements, self.name, self._clock)
            try:
                yield self._batch
            finally:
                self._batch = None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One fixed state for all look-ups within, whatever others append meanwhile."""
        if self.driver.in_transaction:
            yield
            return
        with translated(self.name):
            self.driver.begin_reading()
        try:
            yield
        finally:
            self.driver.roll_back()

    @property
    def head(self) -> Head:
        """The last head: what is committed. The entries of an open batch are not in it."""
        with translated(self.name):
            row = self.driver.execute(self.statements.last_head).fetchone()
        return Head(row[0], row[1], row[3]) if row else Head(0, EMPTY_ROOT, 0)

    def now(self) -> int:
        """The instant by the log's clock, never before its last entry (microseconds): where the machine's clock went back, the log's stands still."""
        return max(self._clock(), self.head.recorded_us)

    @property
    def size(self) -> int:
        """How many entries are committed."""
        return self.head.size

    @property
    def root(self) -> bytes:
        """The root of the Merkle tree over them."""
        return self.head.root

    @property
    def identity(self) -> Identity:
        """Origin, and the verifier key in force now: that of entry 0 or of the newest entry that changed it; raises LogError."""
        newest = next(iter(self.key_scan(KEY_ENTRIES)), None)
        return self.identity_at(0 if newest is None else newest[1])

    def identity_at(self, idx: int) -> Identity:
        """What an entry of type ``key`` says; raises LogError where it is none."""
        try:
            document = orjson.loads(self.body(idx))
            return Identity(str(document["origin"]), str(document["vkey"]))
        except (InputError, ValueError, KeyError, TypeError) as problem:
            which = "the first entry" if idx == 0 else f"entry {idx}"
            raise LogError(
                f"{self.name}: {which} does not name the log's key", "Run `compliance log verify`."
            ) from problem

    @property
    def subtrees(self) -> StoredSubtrees:
        """The hashes that proofs are made of."""
        return StoredSubtrees(self.driver, self.statements, self.name)

    def require_root(self) -> None:
        """Raise LogError unless the last head has the root of the stored hashes: a look at the few that the root is made of, and no verification,
        which alone sees whether the entries are those of the hashes."""
        with self.reading():
            head = self.head
            if frontier_of(self.subtrees, head.size).root() != head.root:
                raise LogError(
                    f"{self.name}: the root of the log's head is not that of its stored hashes",
                    "Run `compliance log verify` to find out what was changed.",
                )

    def entry(self, idx: int) -> Entry:
        """The entry at an index; raises InputError where there is none."""
        waiting = None if self._batch is None else self._batch.entry(idx)
        if waiting is not None:
            return waiting
        row = self._one(self.statements.entry, min(idx, LATEST))
        if row is None:
            raise self._no_entry(idx)
        return Entry._make(row)

    def entries(self, start: int = 0, stop: int = LATEST) -> Iterator[Entry]:
        """The entries from `start` up to but not including `stop`, in order."""
        if self._batch is not None:
            self._batch.insert_waiting()
        with translated(self.name):
            yield from map(Entry._make, self.driver.stream(self.statements.entries, (start, stop)))

    def entries_among(self, idxs: Sequence[int]) -> Iterator[Entry]:
        """The entries that there are at some indices, in no order, read many at a time; those of an open batch are not among them."""
        return (Entry._make(row) for row in self._among(self.statements.entries_among, idxs))

    def amended_among(self, event_ids: Sequence[str]) -> set[str]:
        """Those of some events that a committed correction or void names."""
        return {row[0] for row in self._among(self.statements.amended_among, event_ids)}

    def newest_among(self, keys: Sequence[int]) -> dict[int, list[tuple[int, int]]]:
        """The newest rows (occurred_us, idx) of each of some look-up keys: at most `NEWEST` + 1 of each, newest first."""
        found: dict[int, list[tuple[int, int]]] = {key: [] for key in keys}
        for key, occurred, idx in self._among(self.statements.event_keys_among, keys):
            found[key].append((occurred, idx))
        return found

    def _among(self, statement: str, values: Sequence[object]) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(values), WIDE):
            some = values[start : start + WIDE]
            yield from self._all(statement, *some, *[some[-1]] * (WIDE - len(some)))

    def entries_named(self, start: int, stop: int) -> list[tuple[Entry, bool]]:
        """The same entries all at once, each with whether a correction, void, override or rejudgement names its event: for whoever reads many
        events as they now stand, and most of them stand as they were sent."""
        if self._batch is not None:
            self._batch.insert_waiting()
        rows = self._all(self.statements.entries_named, start, stop)
        return [(Entry._make(row[:-1]), bool(row[-1])) for row in rows]

    def body(self, idx: int) -> bytes:
        """The canonical bytes of an entry; raises InputError where there is none."""
        waiting = None if self._batch is None else self._batch.entry(idx)
        if waiting is not None:
            return waiting.body
        row = self._one(self.statements.body, min(idx, LATEST))
        if row is None:
            raise self._no_entry(idx)
        body: bytes = row[0]
        return body

    def by_event_id(self, event_id: str) -> int | None:
        """The idx of the entry that holds an event, or None."""
        waiting = None if self._batch is None else self._batch.by_event_id(event_id)
        if waiting is not None:
            return waiting
        row = self._one(self.statements.by_event_id, event_id)
        return None if row is None else row[0]

    def naming(self, event_id: str) -> list[int]:
        """The entries whose correction, void, override or rejudgement names an event, in order."""
        stored = [idx for (idx,) in self._all(self.statements.by_target, event_id)]
        waiting = [] if self._batch is None else [entry.idx for entry in self._batch.naming(event_id)]
        return stored + waiting

    def last_judgement(self, event_id: str) -> int | None:
        """The entry by which an event was last judged again, or None where its first decision stands."""
        waiting = [] if self._batch is None else self._batch.naming(event_id)
        again = [entry.idx for entry in waiting if entry.type == "rejudgement"]
        if again:
            return again[-1]
        row = self._one(self.statements.last_judgement, event_id)
        return None if row is None else cast("int", row[0])

    def with_findings(self) -> list[int]:
        """The entries, in order, of events that the first decision or a later one objects to; costs what it finds."""
        if self._batch is not None:
            self._batch.insert_waiting()
        return [idx for (idx,) in self._all(self.statements.with_findings)]

    def key_scan(
        self, key: int, until_us: int | None = None, since_us: int | None = None
    ) -> Iterator[tuple[int, int]]:
        """(occurred_us, idx) of the events that have a look-up key and occurred in [since, until], newest first."""
        until = LATEST if until_us is None else until_us
        since = EARLIEST if since_us is None else since_us
        if self._batch is not None:
            return self._batch.keys.newest_first(key, until, since)
        return self._stored(self.statements.event_keys, key, until, since)

    def asked_scan(self, key: int, from_us: int) -> Iterator[int]:
        """The idx of the judged events that looked at a key up to `from_us` or later."""
        if self._batch is not None:
            rows = self._batch.asked.newest_first(key, LATEST, from_us)
        else:
            rows = self._stored(self.statements.asked_keys, key, LATEST, from_us)
        return (idx for _, idx in rows)

    def _stored(self, statement: str, key: int, until: int, since: int) -> Iterator[tuple[int, int]]:
        try:
            for row in self.driver.newest(statement, key, until):
                if row[0] < since:
                    return
                yield row
        except self.driver.errors as problem:
            raise in_words(problem, self.name) from problem

    def bundle(self, digest: str) -> bytes:
        """The documents of a bundle; raises InputError where the log has none of that digest."""
        row = self._one(self.statements.bundle, digest)
        if row is None:
            raise InputError(f"the log has no bundle {digest}", "Name one that a decision names.")
        documents: bytes = row[0]
        return documents

    def has_bundle(self, digest: str) -> bool:
        """Whether the documents of a bundle are stored."""
        return self._one(self.statements.bundle, digest) is not None

    def quarantined(self, idx: int) -> tuple[bytes, str] | None:
        """The bytes and the source of a rejected input, or None where they were discarded."""
        row = self._one(self.statements.quarantined, idx)
        return None if row is None else (row[0], row[1])

    def last_witnessed(self, origin: str) -> tuple[int, bytes, str] | None:
        """Size, root and note of the last checkpoint that was seen of another log (see `Batch.witness`)."""
        row = self._one(self.statements.witnessed, origin)
        return None if row is None else (row[0], row[1], row[2])

    def discard_quarantined(self, idx: int) -> None:
        """Forget the bytes of a rejected input; its entry, with their digest, stays."""
        with translated(self.name):
            self.driver.execute(self.statements.discard, (idx,))

    def _no_entry(self, idx: int) -> InputError:
        return InputError(f"the log has no entry {idx}", f"It has the entries 0 to {self.size - 1}.")

    def _one(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        try:
            row: tuple[Any, ...] | None = self.driver.execute(statement, values).fetchone()
        except self.driver.errors as problem:
            raise in_words(problem, self.name) from problem
        return row

    def _all(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self.driver.execute(statement, values).fetchall()
        except self.driver.errors as problem:
            raise in_words(problem, self.name) from problem
