"""Processes that verify parts of a log (`processes`).

A worker says what it found, or None where anything was not plainly good: whoever asked then looks for itself, so that one place decides what
is wrong, and in which words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, Self, TypeAlias

from compliance.errors import DatabaseError
from compliance.ledger.entry_walk import EntryWalk, Position
from compliance.ledger.index_check import KeyRows, KeysOf, KeySum
from compliance.ledger.log import Log
from compliance.processes import Processes


@dataclass(frozen=True, slots=True)
class Orders:
    """What all tasks of one verification share. `amended` and `salt` are those of the `KeyRows` that the sums are added to."""

    url: str
    keys_of: KeysOf | None
    amended: bytes
    salt: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A walk over the entries from `start` up to `stop`, from what the stored hashes say of `start`."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Walked:
    """A stretch in which nothing is wrong if its start is right."""

    start: Position
    end: Position
    called: KeySum


@dataclass(frozen=True, slots=True)
class Keys:
    """The rows of the index of look-up keys under the keys from `first` to `last`; answered with their `KeySum`."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class File:
    """What the database itself says of its file; answered with True where that is nothing."""


Task: TypeAlias = Stretch | Keys | File
Answer: TypeAlias = Walked | KeySum | bool | None


class Pool(Protocol):
    """Whoever answers tasks: `Workers`, or one process in tests."""

    def answers(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Answer]]:
        """Each task with its answer, in the order in which they are done."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Worker:
    """One connection that answers tasks."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._log: Log | None = None

    def answer(self, task: Task) -> Answer:
        """The answer, or None where something is not plainly good."""
        try:
            if self._log is None:
                self._log = Log.open(self._orders.url)
            with self._log.reading():
                return self._answer(self._log, task)
        except Exception:  # noqa: BLE001  (whatever it is: the walk of the one who asks meets it again, and says it)
            return None

    def _answer(self, log: Log, task: Task) -> Answer:
        if isinstance(task, File):
            return damage(log) is None
        orders = self._orders
        keys = None
        if orders.keys_of is not None:
            keys = KeyRows(log, orders.keys_of, amended=orders.amended, salt=orders.salt)
        if isinstance(task, Keys):
            return None if keys is None else keys.stored(task.first, task.last)
        start = Position.stored(log, task.start)
        walk = EntryWalk(log, start, keys)
        walk.run(task.stop)
        return Walked(start, walk.position, KeySum() if keys is None else keys.called)

    def close(self) -> None:
        """Close the connection."""
        if self._log is not None:
            self._log.close()


def damage(log: Log) -> str | None:
    """What the database itself finds wrong with its files, or None."""
    return next(iter(log.driver.damage()), None)


class Workers(Processes[Task, Answer]):
    """So many processes that verify; use it in a ``with``, at the end of which they are gone."""

    def __init__(self, processes: int, orders: Orders) -> None:
        super().__init__(processes, Worker, orders, doing="verified a part of the log", ended=DatabaseError)
