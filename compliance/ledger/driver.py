"""What the log asks of a database connection: rows, bulk inserts, transactions (audit-log.md, "Sequencing and durability").

Two classes give it, `on_sqlite.SqliteDriver` and `on_postgresql.PostgresDriver`. Statements are text of the connection's dialect with values
by position (`statements.Statements`); SQLAlchemy writes them, and is not asked again for each row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Final, Protocol, TypeAlias

from sqlalchemy import Table

Row: TypeAlias = tuple[Any, ...]


class Rows(Protocol):
    """The rows of an answer, taken once."""

    def fetchone(self) -> Any:
        """The next row, or None."""

    def fetchall(self) -> list[Any]:
        """All rows that are left."""

    def __iter__(self) -> Iterator[Any]: ...


class Driver(Protocol):
    """One connection of a dialect. Every method raises the driver's own errors; `database.translated` gives them words."""

    dialect: ClassVar[str]
    errors: ClassVar[tuple[type[Exception], ...]]

    def execute(self, sql: str, values: Sequence[object] = (), /) -> Rows:
        """Run one statement; the answer may be held in memory as a whole."""

    def stream(self, sql: str, values: Sequence[object] = (), /) -> Iterator[Any]:
        """The rows of a query in bounded memory, however many they are; reading may stop early."""

    def newest(self, sql: str, key: int, until: int, /) -> Iterator[tuple[int, int]]:
        """The rows of a look-up key up to an instant, newest first, by a statement that takes key, until and limit; cheap to stop early."""

    def add(self, table: Table, rows: Sequence[Sequence[Any]], *, once: bool = False) -> None:
        """Insert rows, each with all columns of the table; with `once`, those whose key is there already stay as they are."""

    def begin_writing(self) -> None:
        """Begin a transaction that holds the log's write lock from the start; waits for another writer, but not for ever."""

    def begin_reading(self) -> None:
        """Begin a transaction that sees one state, whatever others commit meanwhile."""

    def commit(self) -> None:
        """End the transaction; what it wrote is on disk when this returns."""

    def roll_back(self) -> None:
        """End the transaction as if it had not been; does nothing where the database has ended it already."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""

    def damage(self) -> Iterable[str]:
        """What the database itself finds wrong with its files, where it has a check of its own."""


FIRST_PAGE: Final = 32
"""Rows of a look-up key that are read at first: most readers stop after a few."""


def in_pages(read: Callable[[int, int], list[tuple[int, int]]], until: int) -> Iterator[tuple[int, int]]:
    """Rows newest first, in pages that grow; `read` gives so many of those up to an instant."""
    page = FIRST_PAGE
    last: tuple[int, int] | None = None
    while True:
        rows = read(until, page)
        yield from (row for row in rows if last is None or row < last)
        if len(rows) < page:
            return
        last = rows[-1]
        until = last[0]
        page *= 4  # also where a page held nothing but rows of one instant


@contextmanager
def transaction(driver: Driver) -> Iterator[None]:
    """One transaction with the log's write lock; it commits at the end, and whatever is raised within leaves nothing behind."""
    driver.begin_writing()
    try:
        yield
        driver.commit()
    except BaseException:
        driver.roll_back()
        raise
