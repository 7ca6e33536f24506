"""Upkeep of the database: a backup while others write, and the projections made anew (cli.md, ``db backup`` and ``db rebuild``)."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Final

from compliance.errors import InputError
from compliance.ledger import schema
from compliance.ledger.creation import empty_tables
from compliance.ledger.database import connect, driver_of, place_of, translated
from compliance.ledger.driver import Driver, transaction
from compliance.ledger.guards import GUARDS
from compliance.ledger.log import Log
from compliance.ledger.on_sqlite import SqliteDriver
from compliance.ledger.roles import Role
from compliance.ledger.tables import ASKED_KEY, EVENT_KEY
from compliance.ledger.transfer import transfer

_ROWS: Final = 10_000


def backup(log: Log, target: Path) -> None:
    """A copy of the log as it is at one moment, whole or not at all, as a SQLite file; others may write meanwhile.

    The copy is a log like the original, whatever database that lives in: same entries, roots and proofs. Going on from it is a fork, which
    anyone with a newer checkpoint finds. Raises InputError where the target exists.
    """
    if target.exists():
        raise InputError(f"{target} exists already", "Choose another name; a backup never replaces a file.")
    if not target.parent.is_dir():
        raise InputError(f"the folder {target.parent} does not exist", "Make it first, or name another one.")
    making = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with translated(str(making)):
            making.touch(0o600)  # input that could not be read waits in it in the clear
            if isinstance(log.driver, SqliteDriver):
                _copy_file(log.driver, making)
            else:
                _copy_rows(log, making)
        with making.open("rb") as file:
            os.fsync(file.fileno())
        try:
            os.link(making, target)  # unlike a rename, never replaces a file
        except FileExistsError:
            raise InputError(f"{target} exists already", "Choose another name.") from None
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            making.with_name(making.name + suffix).unlink(missing_ok=True)


def _copy_file(driver: SqliteDriver, making: Path) -> None:
    copy = sqlite3.connect(making)
    try:
        driver.raw.backup(copy)
        copy.execute(
            "PRAGMA journal_mode = DELETE"
        )  # one file, without -wal and -shm beside it when it is read
    finally:
        copy.close()


def _copy_rows(log: Log, making: Path) -> None:
    url = f"sqlite:///{making}"
    schema.upgrade(url, create=True)
    connection = connect(url, Role.OWNER)
    try:
        target = driver_of(connection)
        with log.reading(), transaction(target):
            transfer(log.driver, target)
        target.execute("PRAGMA journal_mode = DELETE")
    finally:
        connection.close()


def restore(backed_up: Log, url: str) -> None:
    """The log at `url`, where none is yet, from an open backup: whole or not at all. Raises InputError where one is there."""
    file = place_of(url).file
    if file is not None:
        backup(backed_up, file)
        return
    with empty_tables(url) as driver, backed_up.reading():
        transfer(backed_up.driver, driver)


def rebuild(
    url: str,
    event_keys: Iterable[tuple[int, int, int]] | None = None,
    asked_keys: Iterable[tuple[int, int, int]] | None = None,
) -> None:
    """Put the rows of ``event_key`` (key, occurred_us, idx) and of ``asked_key`` (key, until_us, idx), where given, in place of those there are.

    These two are projections of the entries; only here are their guards lifted, within one transaction that also puts them back. The rows
    may be read from the same log: they are asked for when nobody else can write any more.
    """
    name = place_of(url).name
    connection = connect(url, Role.OWNER)
    driver = driver_of(connection)
    try:
        with translated(name):
            schema.require_current(driver, name)
            with transaction(driver):
                for table, rows in ((EVENT_KEY, event_keys), (ASKED_KEY, asked_keys)):
                    if rows is None:
                        continue
                    _empty(driver, table.name)
                    remaining = iter(rows)
                    while some := list(islice(remaining, _ROWS)):
                        driver.add(table, some, once=True)
    finally:
        connection.close()


def _empty(driver: Driver, table: str) -> None:
    """Delete all rows of a projection; its guard is lifted for that one statement."""
    guard = f"{table}_no_delete"
    if driver.dialect == "postgresql":
        # Not DROP TRIGGER, which waits for everybody who reads the table.
        driver.execute(f"ALTER TABLE {table} DISABLE TRIGGER {guard}")
        driver.execute(f"DELETE FROM {table}")
        driver.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {guard}")
        return
    driver.execute(f"DROP TRIGGER IF EXISTS {guard}")
    driver.execute(f"DELETE FROM {table}")
    for statement in GUARDS[driver.dialect][guard].statements:
        driver.execute(statement)
