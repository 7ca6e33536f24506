"""Connections to the database, and its errors in people's words (audit-log.md, "Sequencing and durability").

Three kinds of connection: a *reader* cannot write; a *writer* can only append (the authorizer denies DROP, ALTER, CREATE and every
PRAGMA that would loosen a guard); an *owner* makes and migrates the schema, and nothing else uses one. Transactions are begun by the log
itself with ``BEGIN IMMEDIATE``, so the driver runs in autocommit mode.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from compliance.errors import ComplianceError, DatabaseError, InputError, LogError

BUSY_SECONDS: Final = 10.0
"""How long a writer waits for another one before it says that the database is locked."""

DRIVER_ERRORS: Final = (sqlite3.Error, DBAPIError)
"""What a statement can raise, with and without SQLAlchemy around it; `translated` turns either into a ComplianceError."""


class Role(StrEnum):
    """What a connection may do."""

    READER = "reader"
    WRITER = "writer"
    OWNER = "owner"


def database_path(url: str) -> Path:
    """The file of a ``sqlite:///`` URL; raises InputError for anything else."""
    try:
        parsed = make_url(url)
    except ArgumentError as problem:
        raise InputError(
            f"{url!r} is not a database URL", "Write it as sqlite:///compliance.db."
        ) from problem
    if parsed.get_backend_name() != "sqlite":
        raise InputError(
            f"{parsed.get_backend_name()} databases are not supported by this version",
            "Use a file: sqlite:///compliance.db.",
        )
    if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
        raise InputError("an audit log needs a file to live in", "Write it as sqlite:///compliance.db.")
    return Path(parsed.database)


def connect(url: str, role: Role, *, create: bool = False) -> Connection:
    """One connection to the database, which must exist unless it is to be created.

    Raises DatabaseError (exit 4) where it does not exist or cannot be opened, LogError (exit 3) where the file is no database.
    """
    path = database_path(url)
    if not create and not path.is_file():
        raise DatabaseError(
            f"the database {path} does not exist",
            "Run `compliance init` to make it, or name another one with --database.",
        )
    engine = create_engine("sqlite://", creator=lambda: _open(path, role, create=create), poolclass=NullPool)
    with translated(path):
        return engine.connect()


def _open(path: Path, role: Role, *, create: bool) -> sqlite3.Connection:
    mode = "ro" if role is Role.READER else "rwc" if create else "rw"
    connection = _sqlite(path, f"mode={mode}")
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
        connection = _sqlite(path, "mode=ro&immutable=1")
    if create:
        connection.execute("PRAGMA journal_mode = WAL")
    # FULL: in WAL mode a commit is durable only with it; NORMAL may lose the last commits when the power fails.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA recursive_triggers = ON")
    connection.execute("PRAGMA cache_size = -32768")
    if role is not Role.OWNER:
        connection.set_authorizer(_authorize)
    return connection


def _sqlite(path: Path, parameters: str) -> sqlite3.Connection:
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


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn the driver's errors into ComplianceErrors; for hot paths, catch DRIVER_ERRORS and call `in_words`."""
    try:
        yield
    except DRIVER_ERRORS as problem:
        raise in_words(problem, path) from problem


def in_words(problem: Exception, path: Path) -> ComplianceError:
    """The database's error as one of ours: what is wrong, and what to do."""
    if isinstance(problem, DBAPIError) and isinstance(problem.orig, Exception):
        problem = problem.orig
    code = _code(problem)
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return DatabaseError(
            f"the database {path} is locked: another program has been writing to it for {BUSY_SECONDS:.0f} seconds",
            "Wait until it has finished, then run the command again; nothing was written.",
        )
    if code == sqlite3.SQLITE_FULL:
        return DatabaseError(
            f"the disk that holds {path} is full",
            "Make room, then run the command again; the batch that did not fit left nothing behind.",
        )
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}:
        return DatabaseError(
            f"the database {path} cannot be written to",
            "Give the account that records write access to the file and its folder.",
        )
    if code == sqlite3.SQLITE_CANTOPEN:
        return DatabaseError(
            f"the database {path} cannot be opened",
            "Check that the file and its folder may be read, and that the path is right.",
        )
    if code == sqlite3.SQLITE_IOERR:
        return DatabaseError(
            f"the disk failed while {path} was used ({problem})",
            "Check the disk, then run the command again.",
        )
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return LogError(
            f"the file {path} is damaged or is not a database ({problem})",
            "Keep the file as it is, restore the last backup beside it, and compare with `compliance log verify --checkpoint`.",
        )
    if code in {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_AUTH}:
        return LogError(
            f"the database refused a write: {problem}",
            "Nothing was written. Only append; run `compliance log verify` if you did not cause this.",
        )
    if code == sqlite3.SQLITE_ERROR and "no such" in str(problem):
        return DatabaseError(
            f"{path} does not have the tables of this version ({problem})",
            "Run `compliance db upgrade`, or name a database that `compliance init` made.",
        )
    return LogError(
        f"the database {path} gave an error that should not happen: {problem}",
        "Run `compliance log verify`.",
    )


def _code(problem: Exception) -> int | None:
    """SQLite's primary result code (the low byte of the extended one), where the error has one."""
    code = getattr(problem, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None
