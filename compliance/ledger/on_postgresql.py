"""A log in PostgreSQL: how it is connected to, how rows go in, and the driver's errors in people's words.

The log lives in the first schema of the connection's search path, so that one database can hold the logs of several clinics. A writer or reader
takes the role that ``compliance db roles`` made for it, where there is one: even the owner's login can then only append (audit-log.md,
"Append-only enforcement"). psycopg is imported when a PostgreSQL URL is first used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, ClassVar, Final

import psycopg
from psycopg import sql as composed
from psycopg.pq import TransactionStatus
from sqlalchemy import BigInteger, LargeBinary, Table, Text

from compliance.errors import ComplianceError, DatabaseError, LogError
from compliance.ledger.driver import Rows, in_pages
from compliance.ledger.roles import Role, database_role

BUSY_SECONDS: Final = 60.0
"""How long a writer waits for another one before it says that the log is locked."""

CONNECT_SECONDS: Final = 10

_LOCK_CLASS: Final = 0x0C0A11D
"""First half of the advisory lock's key; the second half is the schema's oid, so that each log has its own lock."""

_TYPES: Final = ((BigInteger, "int8"), (Text, "text"), (LargeBinary, "bytea"))
_STREAMED: Final = 1000


class PostgresDriver:
    """See `driver.Driver`; `raw` is psycopg's connection, in autocommit mode.

    With `within`, all its transactions are parts of one that is open already: they become savepoints, and whoever opened that one ends it.
    """

    dialect: ClassVar[str] = "postgresql"
    errors: ClassVar[tuple[type[Exception], ...]] = (psycopg.Error,)

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        self.raw = raw
        self.within = False
        self._inserts: dict[tuple[str, bool], str] = {}
        self._names = count()
        self._schema: int | None = None

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Rows:
        """See `Driver.execute`."""
        return self.raw.execute(sql, values, binary=True)

    def stream(self, sql: str, values: Sequence[Any] = (), /) -> Iterator[Any]:
        """See `Driver.stream`: through a cursor on the server.

        A reader that stops early leaves the cursor to the end of the transaction: closing it when the garbage collector finds the reader could
        happen in the middle of another call of the same connection, which would wait for itself.
        """
        name = f"compliance_{next(self._names)}"
        hold = "" if self.in_transaction else "WITH HOLD"
        self.raw.execute(f"DECLARE {name} NO SCROLL CURSOR {hold} FOR {sql}", values)
        fetch = f"FETCH FORWARD {_STREAMED} FROM {name}"
        while rows := self.raw.execute(fetch, binary=True).fetchall():
            yield from rows
        self.raw.execute(f"CLOSE {name}")

    def newest(self, sql: str, key: int, until: int, /) -> Iterator[tuple[int, int]]:
        """See `Driver.newest`."""
        return in_pages(
            lambda last, page: self.raw.execute(sql, (key, last, page), binary=True).fetchall(), until
        )

    def add(self, table: Table, rows: Sequence[Sequence[Any]], *, once: bool = False) -> None:
        """See `Driver.add`: binary COPY, which measured better than executemany; arrays where COPY cannot pass over what is there."""
        if not rows:
            return
        text = self._inserts.get((table.name, once))
        if text is None:
            text = _unnest(table) if once else _copy(table)
            self._inserts[table.name, once] = text
        if once:
            self.raw.execute(text, [list(column) for column in zip(*rows, strict=True)], binary=True)
            return
        with self.raw.cursor().copy(text) as copy:
            copy.set_types([_type(column.type) for column in table.columns])
            for row in rows:
                copy.write_row(row)

    def begin_writing(self) -> None:
        """See `Driver.begin_writing`: one advisory transaction lock per log, so that readers are never in the way."""
        if self.within:
            self.raw.execute("SAVEPOINT compliance_batch")
            return
        if self._schema is None:
            row = self.raw.execute("SELECT current_schema()::regnamespace::oid::int8::int4").fetchone()
            self._schema = row[0] if row else 0
        try:
            self.raw.execute(
                f"BEGIN; SET LOCAL lock_timeout = '{BUSY_SECONDS * 1000:.0f}ms'; "
                f"SELECT pg_advisory_xact_lock({_LOCK_CLASS}, {self._schema}); SET LOCAL lock_timeout = 0"
            )
        except psycopg.Error:
            self.roll_back()  # a transaction that has begun without the lock would be in the way of the next one
            raise

    def begin_reading(self) -> None:
        """See `Driver.begin_reading`."""
        self.raw.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def commit(self) -> None:
        """See `Driver.commit`. Raises DatabaseError where the connection was lost in the middle: nobody knows then which way it went."""
        if self.within:
            self.raw.execute("RELEASE SAVEPOINT compliance_batch")
            return
        try:
            self.raw.execute("COMMIT")
        except psycopg.OperationalError as problem:
            if not self.raw.closed and problem.sqlstate is not None:
                raise
            raise DatabaseError(
                "the connection was lost while a batch was being committed: all of it is in the log, or nothing",
                "Run the same command again: what is in the log already is recognised by its id and not written twice.",
            ) from problem

    def roll_back(self) -> None:
        """See `Driver.roll_back`: a lost connection has rolled back already."""
        if self.raw.closed or not self.in_transaction:
            return
        self.raw.execute("ROLLBACK TO SAVEPOINT compliance_batch" if self.within else "ROLLBACK")

    @property
    def in_transaction(self) -> bool:
        """See `Driver.in_transaction`."""
        return self.raw.info.transaction_status is not TransactionStatus.IDLE

    def damage(self) -> Iterator[str]:
        """Nothing: PostgreSQL checks each page's checksum as it reads it, and pg_amcheck (its own tool) looks at indices."""
        yield from ()


def prepare(raw: psycopg.Connection[Any], role: Role) -> None:
    """Give a new connection the rights of a role and no more, and see that a commit waits for the disk."""
    encoding = raw.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise DatabaseError(
            f"the database has the encoding {encoding}, and the log holds text of every language",
            "Make it again with `createdb --encoding=UTF8 --template=template0`.",
        )
    raw.execute("SET synchronous_commit = on") if _setting(raw, "synchronous_commit") == "off" else None
    if role is Role.READER:
        raw.execute("SET default_transaction_read_only = on")
    if _may_become(raw, role):
        raw.execute(composed.SQL("SET ROLE {}").format(composed.Identifier(database_role(role))))


def _setting(raw: psycopg.Connection[Any], name: str) -> str:
    row = raw.execute("SELECT current_setting(%s)", (name,)).fetchone()
    return str(row[0]) if row else ""


def _may_become(raw: psycopg.Connection[Any], role: Role) -> bool:
    """Whether ``compliance db roles`` made this role for the log here, and this login may take it."""
    how = "SET" if raw.info.server_version >= 160_000 else "MEMBER"
    needed = {Role.READER: "SELECT", Role.WRITER: "INSERT", Role.OWNER: "TRIGGER"}[role]
    row = raw.execute(
        "SELECT pg_has_role(current_user, oid, %s) AND has_schema_privilege(oid, current_schema(), 'USAGE') "
        "AND to_regclass('entry') IS NOT NULL AND has_table_privilege(oid, to_regclass('entry'), %s) "
        "FROM pg_roles WHERE rolname = %s",
        (how, needed, database_role(role)),
    ).fetchone()
    return bool(row and row[0])


def _type(column_type: Any) -> str:
    return next(name for kind, name in _TYPES if isinstance(column_type, kind))


def _copy(table: Table) -> str:
    return f"COPY {table.name} ({', '.join(table.columns.keys())}) FROM STDIN (FORMAT BINARY)"


def _unnest(table: Table) -> str:
    arrays = ", ".join(f"%s::{_type(column.type)}[]" for column in table.columns)
    return f"INSERT INTO {table.name} ({', '.join(table.columns.keys())}) SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING"


def in_words(problem: psycopg.Error, name: str) -> ComplianceError:
    """The driver's error as one of ours: what is wrong, and what to do (PostgreSQL documentation, appendix A: error codes)."""
    state = problem.sqlstate or ""
    said = (str(problem).strip() or type(problem).__name__).splitlines()[0]
    if state == "55P03":
        return DatabaseError(
            f"the log in {name} is locked: another program has been writing to it for {BUSY_SECONDS:.0f} seconds",
            "Wait until it has finished, then run the command again: what it has committed already is recognised by its id, and of the rest nothing was written.",
        )
    if state == "53100":
        return DatabaseError(
            f"the disk that holds {name} is full",
            "Make room, then run the command again; the batch that did not fit left nothing behind.",
        )
    if state.startswith("28") or "password authentication failed" in said:
        return DatabaseError(
            f"{name} does not let this login in ({said})",
            "Check the user and the password in the database's URL.",
        )
    if state == "3D000" or (not state and "does not exist" in said):
        return DatabaseError(
            f"{name} does not exist ({said})",
            "Make the database and its login first, with PostgreSQL's createdb and createuser.",
        )
    if state == "42501":
        return DatabaseError(
            f"this login may not do that in {name} ({said})",
            "`compliance db roles` prints the rights that owner, writer and reader need, and can grant them.",
        )
    if state == "25006":
        return DatabaseError(
            f"{name} cannot be written to ({said})",
            "Name the primary server, not a standby, and a login that may write.",
        )
    if state in {"42P01", "3F000", "42703"}:
        return DatabaseError(
            f"{name} does not have the tables of this version ({said})",
            "Run `compliance db upgrade`, or name a database that `compliance init` made.",
        )
    if state in {"XX001", "XX002"}:
        return LogError(
            f"the files of {name} are damaged ({said})",
            "Keep them as they are, restore the last backup beside them, and compare with `compliance log verify --checkpoint`.",
        )
    if state.startswith("23"):
        return LogError(
            f"the database refused a write: {said}",
            "Nothing was written. Only append; run `compliance log verify` if you did not cause this.",
        )
    if not state or state[:2] in {"08", "53", "57", "58", "40"}:
        return DatabaseError(
            f"{name} cannot be reached, or the connection was lost ({said})",
            "Check that the server runs and that host, port and login are right, then run the command again; nothing half-done was written.",
        )
    return LogError(
        f"the database {name} gave an error that should not happen: {said} ({state})",
        "Run `compliance log verify`.",
    )
