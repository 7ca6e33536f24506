"""A log from one database to another, row by row: between SQLite and PostgreSQL, either way.

The rows are the same in both, so roots, proofs and checkpoints hold for the copy as they do for the original.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from sqlalchemy import Table

from compliance.ledger.driver import Driver
from compliance.ledger.tables import (
    ASKED_KEY,
    BUNDLE,
    ENTRY,
    EVENT_KEY,
    HEAD,
    QUARANTINE,
    TILE,
    WITNESSED,
)

TABLES: Final = (ENTRY, TILE, HEAD, BUNDLE, EVENT_KEY, ASKED_KEY, QUARANTINE, WITNESSED)
ROWS: Final = 1000


def transfer(source: Driver, target: Driver, progress: Callable[[int], None] = lambda _: None) -> None:
    """Copy every row of a log, within transactions that are open on both sides; the target's tables are empty.

    `progress` is told how many entries were copied so far.
    """
    for table in TABLES:
        copied = 0
        rows = source.stream(_all_rows(table))
        for some in _chunks(rows):
            target.add(table, some)
            copied += len(some)
            if table is ENTRY:
                progress(copied)


def _all_rows(table: Table) -> str:
    """In the order of the primary key, in which the guards take them."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    key = ", ".join(f'"{column.name}"' for column in table.primary_key)
    return f"SELECT {names} FROM {table.name} ORDER BY {key}"


def _chunks(rows: Iterator[tuple[object, ...]]) -> Iterator[list[tuple[object, ...]]]:
    while some := list(islice(rows, ROWS)):
        yield some
