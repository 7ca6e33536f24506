"""Where a vault lies, and its transactions: a SQLite file beside the log's, with ``.vault`` after its name; in PostgreSQL a schema beside the
log's, with ``_vault`` after its name (``compliance_vault`` for a log in ``public``).

On SQLite ``secure_delete`` overwrites what is deleted with zeros (sqlite.org/pragma.html), and `Store.scrub` empties the write-ahead log and
rewrites the file, so that no page holds what was erased; on PostgreSQL it rewrites the tables (``VACUUM FULL``). All who write hold the log's write
lock, so that two never wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Executable, select

from compliance.errors import DatabaseError, InputError
from compliance.ledger.database import connect, driver_of, place_of, translated
from compliance.ledger.roles import Role
from compliance.ledger.vault.site_key import site_key_path
from compliance.ledger.vault.tables import METADATA, STATE, VERSION_NUMBER, vault_schema


def key_file(url: str) -> Path:
    """The file of the site key that belongs to the log at a URL."""
    return site_key_path(place_of(url).beside)


def vault_file(url: str) -> Path | None:
    """The file of the vault that belongs to the log at a URL; None where the vault is a schema."""
    file = place_of(url).file
    return None if file is None else file.with_name(file.name + ".vault")


def require_no_vault(url: str) -> None:
    """Raise InputError where a vault for the log at a URL could not be made, since one, or its site key, is there."""
    file = key_file(url)
    if exists(url) or file.exists() or file.is_symlink():
        raise InputError(
            f"{place_of(url).name} has an identity vault, or its site key {file} exists already; nothing was touched",
            "Name another database with --database, or another file for the site key in COMPLIANCE_VAULT_KEY.",
        )


def exists(url: str) -> bool:
    """Whether there is a vault for the log at a URL."""
    file = vault_file(url)
    if file is not None:
        return file.exists() or file.is_symlink()
    connection = connect(url, Role.READER)
    try:
        with translated(place_of(url).name):
            name = vault_schema(_schema(connection))
            found = connection.exec_driver_sql("SELECT to_regnamespace(%s) IS NOT NULL", (f'"{name}"',))
            return bool(found.scalar())
    finally:
        connection.close()


class Store:
    """One connection to a vault. `place` says for people where it is."""

    def __init__(self, connection: Connection, url: str, schema: str = "") -> None:
        self._connection = connection
        self.url = url
        self._schema = schema
        file = vault_file(url)
        self.place = f"{place_of(url).name}, schema {schema}" if file is None else str(file)

    @classmethod
    def create(cls, url: str) -> Store:
        """Make the tables, which must not be there yet; raises InputError where they are."""
        if exists(url):
            raise InputError(f"{place_of(url).name} has an identity vault", "A vault is never overwritten.")
        file = vault_file(url)
        if file is not None:
            store = cls(connect(f"sqlite:///{file}", Role.OWNER, create=True), url)
            file.chmod(0o600)
        else:
            connection = connect(url, Role.OWNER)
            store = cls(connection, url, vault_schema(_schema(connection)))
        try:
            with store.writing():
                if file is None:
                    store.sql(f'CREATE SCHEMA "{store._schema}"')
                    store._look_there()
                METADATA.create_all(store._connection, checkfirst=False)
            store._prepare()
            if file is None:
                _renew_rights(url)
        except BaseException:
            store.remove()
            raise
        return store

    @classmethod
    def open(cls, url: str, *, write: bool) -> Store:
        """Open what was made; raises DatabaseError where it is not there, or of another version than this software's."""
        if not exists(url):
            where = vault_file(url) or place_of(url).name
            raise DatabaseError(
                f"the identity vault of {where} is not there, and the log holds commitments to texts that lie in it",
                "Restore it and its site key from their backups; nothing is recorded in the clear instead.",
            )
        store = cls._opened(url, Role.WRITER if write else Role.READER)
        try:
            row = store.row(select(STATE.c.version))
        except BaseException:
            store.close()
            raise
        if row is None or row[0] != VERSION_NUMBER:
            store.close()
            version = "none" if row is None else row[0]
            raise DatabaseError(
                f"the identity vault {store.place} has version {version}, this software knows {VERSION_NUMBER}",
                "Use the software that made it, or update this one.",
            )
        return store

    @classmethod
    def _opened(cls, url: str, role: Role) -> Store:
        file = vault_file(url)
        if file is not None:  # the log's writer may not delete; who writes a vault must
            writes = role is not Role.READER
            store = cls(connect(f"sqlite:///{file}", Role.OWNER if writes else Role.READER), url)
        else:
            connection = connect(url, role)
            store = cls(connection, url, vault_schema(_schema(connection)))
        try:
            store._look_there()
            if role is not Role.READER:
                store._prepare()
        except BaseException:
            store.close()
            raise
        return store

    def _look_there(self) -> None:
        if self._schema:
            self.sql(f'SET search_path TO "{self._schema}"')

    def _prepare(self) -> None:
        if not self._schema:
            self.sql("PRAGMA secure_delete = ON")

    def sql(self, statement: str) -> list[Any]:
        """Run a statement of the dialect's own."""
        with self.words():
            answer = self._connection.exec_driver_sql(statement)
            return list(answer.fetchall()) if answer.returns_rows else []

    def close(self) -> None:
        """Close the connection; what was not committed is gone."""
        self._connection.close()

    def remove(self) -> None:
        """Take the whole vault away again, where making a log failed; closes it."""
        file = vault_file(self.url)
        if file is not None:
            self.close()
            for suffix in ("", "-wal", "-shm", "-journal"):
                file.with_name(file.name + suffix).unlink(missing_ok=True)
            return
        if self._connection.closed:
            connection = connect(self.url, Role.OWNER)
            self._connection = connection
        try:
            self.sql(f'DROP SCHEMA IF EXISTS "{self._schema}" CASCADE')
        finally:
            self.close()

    def words(self) -> AbstractContextManager[None]:
        """Turns the driver's errors within into ours."""
        return translated(self.place)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction, durable when it ends; whatever is raised within leaves nothing behind."""
        self.sql("BEGIN" if self._schema else "BEGIN IMMEDIATE")
        try:
            yield
            self.sql("COMMIT")
        except BaseException:
            with self.words():
                driver_of(
                    self._connection
                ).roll_back()  # a full disk or a lost connection has done it already
            raise

    def rows(self, statement: Executable, **values: Any) -> list[Any]:
        """All rows of an answer; `values` are those of a statement's parameters."""
        with self.words():
            return list(self._connection.execute(statement, values).fetchall())

    def row(self, statement: Executable) -> Any:
        """The first row of an answer, or None."""
        with self.words():
            return self._connection.execute(statement).fetchone()

    def run(self, statement: Executable, values: Sequence[dict[str, Any]] | None = None) -> None:
        """Run a statement for its effect, once or with each of some values."""
        if values is None:
            with self.words():
                self._connection.execute(statement)
        elif values:
            with self.words():
                self._connection.execute(statement, values)

    def scrub(self) -> None:
        """Leave no byte of what was deleted in any page or in the write-ahead log; raises DatabaseError where others still read."""
        if not self._schema:
            empty_wal(self._connection, self.place)
            self.sql("VACUUM")
            empty_wal(self._connection, self.place)
            return
        owner = self._opened(self.url, Role.OWNER)  # only who owns a table may rewrite it
        try:
            for name in METADATA.tables:
                owner.sql(f'VACUUM FULL "{name}"')
            owner.sql("CHECKPOINT") if owner.sql("SELECT pg_has_role('pg_checkpoint', 'USAGE')")[0][
                0
            ] else None
        finally:
            owner.close()


def _renew_rights(url: str) -> None:
    """Give the roles of the log, where ``compliance db roles`` made some, their rights on a new vault."""
    from compliance.ledger.grants import renew_rights  # noqa: PLC0415  (it knows of vaults)

    connection = connect(url, Role.OWNER)
    try:
        with translated(place_of(url).name):
            renew_rights(driver_of(connection))
    finally:
        connection.close()


def empty_wal(connection: Connection, place: str) -> None:
    """Take everything out of a SQLite file's write-ahead log; raises DatabaseError where another program still reads from it."""
    with translated(place):
        busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    if busy:
        raise DatabaseError(
            f"{place} is in use: what was erased may still lie in its write-ahead log",
            "Let the other programs finish, then run the same command again.",
        )


def _schema(connection: Connection) -> str:
    return str(connection.exec_driver_sql("SELECT current_schema()").scalar())
