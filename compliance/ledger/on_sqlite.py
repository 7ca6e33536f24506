"""A log in a SQLite file: how it is opened, what a connection may do, and the driver's errors in people's words.

A *reader* cannot write; a *writer* can only append (the authorizer denies DROP, ALTER, CREATE and every PRAGMA that would loosen a guard);
an *owner* makes and migrates the schema. Transactions are begun by the log itself with ``BEGIN IMMEDIATE``, so the driver runs in
autocommit mode.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import quote

from sqlalchemy import Table

from compliance.errors import ComplianceError, DatabaseError, LogError
from compliance.ledger.driver import Rows, in_pages
from compliance.ledger.roles import Role

BUSY_SECONDS: Final = 60.0
"""How long a writer waits for another one before it says that the database is locked."""


class SqliteDriver:
    """See `driver.Driver`; `raw` is the connection of Python's sqlite3."""

    dialect: ClassVar[str] = "sqlite"
    errors: ClassVar[tuple[type[Exception], ...]] = (sqlite3.Error,)

    def __init__(self, raw: sqlite3.Connection) -> None:
        self.raw = raw
        self._inserts: dict[tuple[str, bool], str] = {}

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Rows:
        """See `Driver.execute`."""
        return self.raw.execute(sql, values)

    def stream(self, sql: str, values: Sequence[Any] = (), /) -> Iterator[Any]:
        """See `Driver.stream`: SQLite finds each row when it is asked for."""
        return self.raw.execute(sql, values)

    def newest(self, sql: str, key: int, until: int, /) -> Iterator[tuple[int, int]]:
        """See `Driver.newest`: no cursor stays open where a reader stops early. One would hold the state it reads, and then nothing could be
        written once somebody else had (SQLITE_BUSY_SNAPSHOT)."""
        return in_pages(lambda last, page: self.raw.execute(sql, (key, last, page)).fetchall(), until)

    def add(self, table: Table, rows: Sequence[Sequence[Any]], *, once: bool = False) -> None:
        """See `Driver.add`."""
        insert = self._inserts.get((table.name, once))
        if insert is None:
            places = ", ".join("?" * len(table.columns))
            names = ", ".join(table.columns.keys())
            insert = f"INSERT INTO {table.name} ({names}) VALUES ({places}){' ON CONFLICT DO NOTHING' if once else ''}"
            self._inserts[table.name, once] = insert
        self.raw.executemany(insert, rows)

    def begin_writing(self) -> None:
        """See `Driver.begin_writing`: SQLite has one writer at a time, and IMMEDIATE takes its place at once."""
        self.raw.execute("BEGIN IMMEDIATE")

    def begin_reading(self) -> None:
        """See `Driver.begin_reading`."""
        self.raw.execute("BEGIN")

    def commit(self) -> None:
        """See `Driver.commit`."""
        self.raw.execute("COMMIT")

    def roll_back(self) -> None:
        """See `Driver.roll_back`: a full disk may have rolled back already."""
        if self.raw.in_transaction:
            self.raw.execute("ROLLBACK")

    @property
    def in_transaction(self) -> bool:
        """See `Driver.in_transaction`."""
        return self.raw.in_transaction

    def damage(self) -> Iterator[str]:
        """Indices that do not agree with their tables, pages used twice (sqlite.org, ``PRAGMA integrity_check``)."""
        (answer,) = self.raw.execute("PRAGMA integrity_check(1)").fetchone()
        if answer != "ok":
            yield answer


def open_file(path: Path, role: Role, *, create: bool) -> sqlite3.Connection:
    """A connection to a file with a role's rights; raises sqlite3.Error where it cannot be opened."""
    mode = "ro" if role is Role.READER else "rwc" if create else "rw"
    connection = _connect(path, f"mode={mode}")
    try:
        connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.OperationalError as problem:
        connection.close()
        if (
            role is not Role.READER
            or _code(problem) not in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
            or path.with_name(path.name + "-wal").exists()
        ):
            raise
        # A WAL database needs a -shm file beside it. Whoever may not create one can still read a database at rest
        # (sqlite.org/wal.html, "Read-Only Databases").
        connection = _connect(path, "mode=ro&immutable=1")
    if role is not Role.READER:
        connection.execute(
            "PRAGMA journal_mode = WAL"
        )  # a backup comes without: it is one file, and stays one
    # FULL: in WAL mode a commit is durable only with it; NORMAL may lose the last commits when the power fails.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA recursive_triggers = ON")
    connection.execute("PRAGMA cache_size = -32768")
    if role is not Role.OWNER:
        connection.set_authorizer(_authorize)
    return connection


def _connect(path: Path, parameters: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path))}?{parameters}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,  # SQLAlchemy hands a connection to one thread at a time
        cached_statements=256,
    )


_APPENDING: Final = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_SAVEPOINT,
        sqlite3.SQLITE_INSERT,
        # UPDATE and DELETE are left to the triggers, which say why; but see _SCHEMA.
        sqlite3.SQLITE_UPDATE,
        sqlite3.SQLITE_DELETE,
    }
)
_WRITES: Final = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
_SCHEMA: Final = frozenset(
    {"sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema", "alembic_version"}
)
_PRAGMAS_WITH_VALUE: Final = frozenset(
    {"integrity_check", "quick_check", "wal_checkpoint", "table_info", "table_xinfo"}
)


def _authorize(
    action: int, first: str | None, second: str | None, _schema: str | None, _trigger: str | None
) -> int:
    """Allow what reads and appends; deny DROP, ALTER, CREATE, ATTACH, and every PRAGMA that sets something."""
    if action == sqlite3.SQLITE_PRAGMA:
        allowed = second is None or first in _PRAGMAS_WITH_VALUE
    else:
        allowed = action in _APPENDING and not (action in _WRITES and first in _SCHEMA)
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def in_words(problem: BaseException, name: str) -> ComplianceError:
    """The driver's error as one of ours: what is wrong, and what to do."""
    code = _code(problem)
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return DatabaseError(
            f"the database {name} is locked: another program has been writing to it for {BUSY_SECONDS:.0f} seconds",
            "Wait until it has finished, then run the command again: what it has committed already is recognised by its id, and of the rest nothing was written.",
        )
    if code == sqlite3.SQLITE_FULL:
        return DatabaseError(
            f"the disk that holds {name} is full",
            "Make room, then run the command again; the batch that did not fit left nothing behind.",
        )
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}:
        return DatabaseError(
            f"the database {name} cannot be written to",
            "Give the account that records write access to the file and its folder.",
        )
    if code == sqlite3.SQLITE_CANTOPEN:
        return DatabaseError(
            f"the database {name} cannot be opened",
            "Check that the file and its folder may be read, and that the path is right. Where a file whose name ends in -wal lies beside it, the newest "
            "entries are still in that one: open the log once where its folder can be written to.",
        )
    if code == sqlite3.SQLITE_IOERR:
        return DatabaseError(
            f"the disk failed while {name} was used ({problem})",
            "Check the disk, then run the command again.",
        )
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return LogError(
            f"the file {name} is damaged or is not a database ({problem})",
            "Keep the file as it is, restore the last backup beside it, and compare with `compliance log verify --checkpoint`.",
        )
    if code in {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_AUTH}:
        return LogError(
            f"the database refused a write: {problem}",
            "Nothing was written. Only append; run `compliance log verify` if you did not cause this.",
        )
    if code == sqlite3.SQLITE_ERROR and "no such" in str(problem):
        return DatabaseError(
            f"{name} does not have the tables of this version ({problem})",
            "Run `compliance db upgrade`, or name a database that `compliance init` made.",
        )
    return LogError(
        f"the database {name} gave an error that should not happen: {problem}",
        "Run `compliance log verify`.",
    )


def _code(problem: BaseException) -> int | None:
    """SQLite's primary result code (the low byte of the extended one), where the error has one."""
    code = getattr(problem, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None
