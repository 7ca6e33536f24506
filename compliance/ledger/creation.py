"""Making a log: all of it or nothing, and never over something that is there.

On SQLite the file is made under another name and takes its own when it is complete; on PostgreSQL everything that is done meanwhile
is one transaction.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sqlalchemy import Connection

from compliance.errors import DatabaseError, InputError
from compliance.ledger import schema
from compliance.ledger.database import connect, driver_of, place_of, translated
from compliance.ledger.driver import Driver, transaction
from compliance.ledger.log import Log, system_clock
from compliance.ledger.roles import Role

if TYPE_CHECKING:
    from compliance.ledger.on_postgresql import PostgresDriver


@contextmanager
def created(
    url: str, origin: str, vkey: str, *, vault: str | None = None, clock: Callable[[], int] = system_clock
) -> Iterator[Log]:
    """A new log with its first entry, open for writing; it is there for others once the block has ended well. `vault` is the name of its
    identity vault.

    Raises InputError where one is there already, DatabaseError where none can be made; leaves nothing behind then, nor where the block raises.
    """
    file = place_of(url).file
    named = {} if vault is None else {"vault": vault}
    with _file(url, file, clock) if file is not None else _tables(url, clock) as log:
        with log.writing() as batch:
            batch.append("key", {"origin": origin, "vkey": vkey, **named})
        yield log


def require_absent(url: str) -> None:
    """Raise InputError where a log could not be made because its file, or another log, is there; DatabaseError where nothing can be made."""
    place = place_of(url)
    if place.file is not None:
        _require_no_file(place.file)
        return
    connection = connect(url, Role.READER)
    try:
        with translated(place.name):
            _require_no_log(driver_of(connection), place.name)
    finally:
        connection.close()


@contextmanager
def _file(url: str, path: Path, clock: Callable[[], int]) -> Iterator[Log]:
    _require_no_file(path)
    making = path.with_name(f".{path.name}.{os.getpid()}.new")
    making_url = f"sqlite:///{making}"
    try:
        making.touch(0o600)  # input that could not be read waits here in the clear
        schema.upgrade(making_url, create=True)
        with Log.open(making_url, write=True, clock=clock) as log:
            log.url = url  # its other files have their names already
            yield log
        with translated(str(path)):
            try:
                os.link(making, path)  # unlike a rename, never replaces a file
            except FileExistsError:
                raise _exists(str(path)) from None
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            making.with_name(making.name + suffix).unlink(missing_ok=True)


def _require_no_file(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise _exists(str(path))
    if not path.parent.is_dir():
        raise DatabaseError(f"the folder {path.parent} does not exist", "Make it first, or name another one.")
    if not os.access(path.parent, os.W_OK):
        raise DatabaseError(
            f"nothing can be written to the folder {path.parent}",
            "Choose another folder, or mend its permissions.",
        )


@contextmanager
def _tables(url: str, clock: Callable[[], int]) -> Iterator[Log]:
    with _making(url) as connection:
        log = Log(connection, url, clock)
        driver = cast("PostgresDriver", log.driver)
        driver.within = True
        yield log


@contextmanager
def empty_tables(url: str) -> Iterator[Driver]:
    """The tables of a new log in PostgreSQL, empty, within one transaction that ends with the block; raises InputError where a log is there."""
    with _making(url) as connection:
        yield driver_of(connection)


@contextmanager
def _making(url: str) -> Iterator[Connection]:
    name = place_of(url).name
    connection = connect(url, Role.OWNER)
    driver = driver_of(connection)
    try:
        with translated(name), transaction(driver):
            _require_no_log(driver, name)
            schema.migrate(connection)
            yield connection
    finally:
        connection.close()


def _require_no_log(driver: Driver, name: str) -> None:
    if schema.status_of(driver).version is not None:
        raise _exists(name)


def _exists(name: str) -> InputError:
    return InputError(
        f"{name} exists already; nothing was touched",
        "Name another database with --database, or go on with this one: `compliance record FILE`.",
    )
