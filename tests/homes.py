"""The places where a log can live, for tests that hold on all of them: a SQLite file, and a schema of a real PostgreSQL.

A test that takes the fixture `home` runs once for each; the server (`servers.shared`) is started when first asked for, once per process.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import psycopg

from compliance.ledger.guards import GUARDS
from compliance.ledger.log import Log
from tests.logs import ORIGIN, SIGNER, clock, put_guards_back, stranger, template, without_guards
from tests.servers import Server, shared

_NUMBERS = count()


class Home(Protocol):
    """One place for one log. `dialect` is ``sqlite`` or ``postgresql``; `refusals` are the driver's errors for what a constraint forbids."""

    dialect: str
    url: str
    refusals: type[Exception]

    def empty_log(self) -> Log:
        """A log of one entry, open for writing, with a clock that stands still."""

    def open(self, *, write: bool = False) -> Log:
        """The log that is here."""

    def stranger(self) -> Any:
        """A connection of somebody who knows nothing of us; ``execute`` takes SQL with values by %s."""

    def without_guards(self) -> Any:
        """The same, after dropping every trigger: what the owner of the machine can do."""

    def put_guards_back(self, connection: Any) -> None:
        """Every trigger as it was, so that its absence is not what is found; closes the connection."""

    def save(self, name: str) -> None:
        """Keep the whole database as it is now, as a copy of its files would."""

    def restore(self, name: str) -> None:
        """Put a saved state in the place of the present one."""

    def remove(self) -> None:
        """Delete what does not go with the test's folder."""


class _Percent(sqlite3.Connection):
    """Takes values by %s, as psycopg does."""

    def execute(self, sql: str, values: Any = (), /) -> sqlite3.Cursor:
        return super().execute(sql.replace("%s", "?"), values)


class SqliteHome:
    dialect = "sqlite"
    refusals: type[Exception] = sqlite3.IntegrityError

    def __init__(self, folder: Path) -> None:
        self.path = folder / "log.db"
        self.url = f"sqlite:///{self.path}"

    def empty_log(self) -> Log:
        self.path.write_bytes(template())
        return self.open(write=True)

    def open(self, *, write: bool = False) -> Log:
        return Log.open(self.url, write=write, clock=clock)

    def stranger(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, isolation_level=None, factory=_Percent)

    def without_guards(self) -> sqlite3.Connection:
        without_guards(self.path).close()
        return self.stranger()

    def put_guards_back(self, connection: sqlite3.Connection) -> None:
        put_guards_back(connection)

    def save(self, name: str) -> None:
        connection = stranger(self.path)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        shutil.copy(self.path, self.path.with_suffix(f".{name}"))

    def restore(self, name: str) -> None:
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        shutil.copy(self.path.with_suffix(f".{name}"), self.path)

    def remove(self) -> None:
        """Nothing: the folder goes as a whole."""


class PostgresHome:
    dialect = "postgresql"
    refusals: type[Exception] = psycopg.IntegrityError

    def __init__(self, server: Server | None = None) -> None:
        self.server = server or shared()
        self.schema = f"log_{os.getpid()}_{next(_NUMBERS)}"
        self.url = self.server.url(self.schema)
        self._strangers: list[psycopg.Connection[Any]] = []
        with self.server.connect() as connection:
            connection.execute(f"CREATE SCHEMA {self.schema}")

    def empty_log(self) -> Log:
        return Log.create(self.url, ORIGIN, str(SIGNER.verifier), clock=clock)

    def open(self, *, write: bool = False) -> Log:
        return Log.open(self.url, write=write, clock=clock)

    def stranger(self) -> psycopg.Connection[Any]:
        self._strangers.append(self.server.connect(self.schema))
        return self._strangers[-1]

    def without_guards(self) -> psycopg.Connection[Any]:
        connection = self.stranger()
        for table, name in connection.execute(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {name} ON {table}")
        return connection

    def put_guards_back(self, connection: psycopg.Connection[Any]) -> None:
        for guard in GUARDS["postgresql"].values():
            for statement in guard.statements:
                connection.execute(statement)
        connection.close()

    def save(self, name: str) -> None:
        with self.stranger() as connection:
            connection.execute(f"CREATE SCHEMA {self.schema}_{name}")
            for table in _tables(connection):
                connection.execute(f"CREATE TABLE {self.schema}_{name}.{table} AS SELECT * FROM {table}")

    def restore(self, name: str) -> None:
        connection = self.without_guards()
        for table in _tables(connection):
            connection.execute(f"TRUNCATE {table}")
            connection.execute(f"INSERT INTO {table} SELECT * FROM {self.schema}_{name}.{table}")
        self.put_guards_back(connection)

    def remove(self) -> None:
        """Delete what is here; whoever is still connected is not any more."""
        for connection in self._strangers:
            connection.close()
        with self.server.connect() as connection:
            for (schema,) in connection.execute(
                "SELECT nspname FROM pg_namespace WHERE nspname = %s OR nspname LIKE %s",
                (self.schema, f"{self.schema}\\_%"),
            ).fetchall():
                connection.execute(f"DROP SCHEMA {schema} CASCADE")


def _tables(connection: psycopg.Connection[Any]) -> list[str]:
    rows = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    ).fetchall()
    return [name for (name,) in rows if name != "alembic_version"]


@contextmanager
def unguarded(home: Home) -> Iterator[Any]:
    """A connection that may change the log; afterwards every trigger is as it was, so that its absence is not what is found."""
    connection = home.without_guards()
    try:
        yield connection
    finally:
        home.put_guards_back(connection)


def url_of(schema: str, *, user: str = "postgres") -> str:
    """The URL of a schema of the tests' server."""
    return shared().url(schema, user=user)


def server_connection(schema: str = "public", *, user: str = "postgres") -> psycopg.Connection[Any]:
    """A connection of its superuser, or of another login."""
    return shared().connect(schema, user=user)
