"""Where a log lives: a SQLite file or a PostgreSQL database, by its URL (audit-log.md, "Sequencing and durability").

>>> place_of("sqlite:///clinic.db").name
'clinic.db'
>>> place_of("postgresql+psycopg://recorder:secret@db.example/clinic").name
'postgresql://recorder@db.example/clinic'

Everything that differs between the two is in `on_sqlite` and `on_postgresql`; `driver.Driver` is what they have in common.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from compliance.errors import ComplianceError, DatabaseError, InputError
from compliance.ledger import on_sqlite
from compliance.ledger.driver import Driver
from compliance.ledger.on_sqlite import SqliteDriver
from compliance.ledger.roles import Role
from compliance.settings import without_login

if TYPE_CHECKING:
    import psycopg

EXAMPLES = "Write it as sqlite:///compliance.db or postgresql+psycopg://user@host/database."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a log lives. `name` is for people and never holds a password; `file` is set for SQLite only."""

    url: URL
    name: str
    file: Path | None

    @property
    def beside(self) -> Path:
        """What the names of the log's other files (keys and the like) begin with: the database file, or the database's name here."""
        return self.file or Path(self.url.database or "compliance")


def place_of(url: str) -> Place:
    """The place that a URL names; raises InputError where this software knows none there."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError) as problem:
        raise InputError(f"{without_login(url)!r} is not a database URL", EXAMPLES) from problem
    if backend == "postgresql":
        if parsed.drivername not in {"postgresql", "postgresql+psycopg"}:
            raise InputError(f"{parsed.drivername} is not a driver that is used here", EXAMPLES)
        if not parsed.database:
            raise InputError("the URL names no database of the server", EXAMPLES)
        shown = URL.create("postgresql", parsed.username, None, parsed.host, parsed.port, parsed.database)
        return Place(parsed.set(drivername="postgresql+psycopg"), str(shown), None)
    if backend != "sqlite":
        raise InputError(f"{backend} databases are not supported", EXAMPLES)
    if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
        raise InputError("an audit log needs a file to live in", EXAMPLES)
    file = Path(parsed.database)
    if not file.name:
        raise InputError(f"{parsed.database!r} is a folder; an audit log needs a file to live in", EXAMPLES)
    return Place(parsed, parsed.database, file)


def connect(url: str, role: Role, *, create: bool = False) -> Connection:
    """One connection to the database, which must exist unless it is a file that is to be created.

    Raises DatabaseError (exit 4) where it does not exist or cannot be reached, LogError (exit 3) where the file is no database.
    """
    place = place_of(url)
    if place.file is None:
        return _connect_postgresql(place, role)
    file = place.file
    if not create and not file.is_file():
        raise DatabaseError(
            f"the database {file} does not exist",
            "Run `compliance init` to make it, or name another one with --database.",
        )
    engine = create_engine(
        "sqlite://", creator=lambda: on_sqlite.open_file(file, role, create=create), poolclass=NullPool
    )
    with translated(place.name):
        return engine.connect()


def _connect_postgresql(place: Place, role: Role) -> Connection:
    try:
        from compliance.ledger import on_postgresql  # noqa: PLC0415  (psycopg is an extra)
    except ImportError as problem:
        raise InputError(
            "PostgreSQL needs the package psycopg, which is not installed",
            "Install it with `pip install 'compliance-engine[postgresql]'`.",
        ) from problem
    engine = create_engine(
        place.url,
        isolation_level="AUTOCOMMIT",  # the log itself says where a transaction begins and ends
        poolclass=NullPool,
        pool_reset_on_return=None,  # a connection is used once; resetting a lost one would put a traceback before the user
        connect_args={"connect_timeout": on_postgresql.CONNECT_SECONDS, "application_name": "compliance"},
    )
    with translated(place.name):
        connection = engine.connect()
        try:
            on_postgresql.prepare(_psycopg(connection), role)
        except BaseException:
            connection.close()
            raise
        return connection


def driver_of(connection: Connection) -> Driver:
    """The driver of a connection that `connect` gave."""
    if connection.dialect.name == "sqlite":
        return SqliteDriver(cast("sqlite3.Connection", connection.connection.driver_connection))
    from compliance.ledger.on_postgresql import PostgresDriver  # noqa: PLC0415

    return PostgresDriver(_psycopg(connection))


def _psycopg(connection: Connection) -> psycopg.Connection[object]:
    return cast("psycopg.Connection[object]", connection.connection.driver_connection)


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn the driver's errors into ComplianceErrors; for hot paths, catch `Driver.errors` and call `in_words`."""
    try:
        yield
    except Exception as problem:
        if not from_database(problem):
            raise
        raise in_words(problem, name) from problem


def from_database(problem: BaseException) -> bool:
    """Whether an error comes from a database driver, with or without SQLAlchemy around it."""
    return isinstance(problem, (sqlite3.Error, DBAPIError)) or _of_psycopg(problem)


def _of_psycopg(problem: BaseException) -> bool:
    return any(base.__module__.split(".")[0] == "psycopg" for base in type(problem).__mro__)


def in_words(problem: BaseException, name: str) -> ComplianceError:
    """The database's error as one of ours: what is wrong, and what to do."""
    if isinstance(problem, DBAPIError) and isinstance(problem.orig, Exception):
        problem = problem.orig
    if _of_psycopg(problem):
        from compliance.ledger import on_postgresql  # noqa: PLC0415

        return on_postgresql.in_words(cast("psycopg.Error", problem), name)
    return on_sqlite.in_words(problem, name)
