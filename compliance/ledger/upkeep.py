"""Upkeep of the database: a backup while others write, and the projections made anew (cli.md, ``db backup`` and ``db rebuild``)."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final, cast

from compliance.errors import InputError
from compliance.ledger import schema
from compliance.ledger.database import Role, connect, database_path, translated
from compliance.ledger.guards import GUARDS
from compliance.ledger.log import Log
from compliance.ledger.statements import statements

_PROJECTIONS: Final = ("event_key", "asked_key")


def backup(log: Log, target: Path) -> None:
    """A copy of the database as it is at one moment, whole or not at all; others may write meanwhile.

    The copy is a log like the original. Going on from it is a fork, which anyone with a newer checkpoint finds. Raises InputError where
    the target exists.
    """
    if target.exists():
        raise InputError(f"{target} exists already", "Choose another name; a backup never replaces a file.")
    if not target.parent.is_dir():
        raise InputError(f"the folder {target.parent} does not exist", "Make it first, or name another one.")
    making = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with translated(making):
            copy = sqlite3.connect(making)
            try:
                log.driver.backup(copy)
            finally:
                copy.close()
        with making.open("rb") as file:
            os.fsync(file.fileno())
        try:
            os.link(making, target)  # unlike a rename, never replaces a file
        except FileExistsError:
            raise InputError(f"{target} exists already", "Choose another name.") from None
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            making.with_name(making.name + suffix).unlink(missing_ok=True)


def rebuild(
    url: str,
    event_keys: Iterable[tuple[int, int, int]],
    asked_keys: Iterable[tuple[int, int, int]] | None = None,
) -> None:
    """Put the rows of ``event_key`` (key, occurred_us, idx), and of ``asked_key`` (key, until_us, idx) where given, in place of those there are.

    These two are projections of the entries; only here are their guards lifted, within one transaction that also puts them back. The rows
    may be read from the same log while they are taken.
    """
    path = database_path(url)
    connection = connect(url, Role.OWNER)
    try:
        with translated(path):
            schema.require_current(connection, path)
            driver = cast("sqlite3.Connection", connection.connection.driver_connection)
            text, guards = statements(connection.dialect), GUARDS[connection.dialect.name]
            driver.execute("BEGIN IMMEDIATE")
            try:
                for table, statement, rows in zip(
                    _PROJECTIONS,
                    (text.add_event_key, text.add_asked_key),
                    (event_keys, asked_keys),
                    strict=True,
                ):
                    if rows is None:
                        continue
                    guard = f"{table}_no_delete"
                    driver.execute(f"DROP TRIGGER IF EXISTS {guard}")
                    driver.execute(f"DELETE FROM {table}")
                    driver.executemany(statement, rows)
                    driver.execute(guards[guard])
                driver.execute("COMMIT")
            except BaseException:
                if driver.in_transaction:
                    driver.execute("ROLLBACK")
                raise
    finally:
        connection.close()
