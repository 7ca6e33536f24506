"""The statements of the log, written with SQLAlchemy Core and compiled once per dialect.

Look-ups run some ten times for every event that is judged, so they go to the driver's cursor as ready text with positional
values, in the order of the comments below. Inserts are `Driver.add`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast

from sqlalchemy import Column, Dialect, Executable, Table, bindparam, func, literal_column, select
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from compliance.ledger.tables import (
    ASKED_KEY,
    BUNDLE,
    ENTRY,
    EVENT_KEY,
    HEAD,
    OBJECTED,
    QUARANTINE,
    TILE,
    WITNESSED,
)

ALL: Final = 2**63 - 1
"""A limit that is none."""

WIDE: Final = 256
"""How many values a statement takes that asks for many at once; the last one is repeated where there are fewer."""

NEWEST: Final = 16
"""Rows of a key that are read where many keys are asked at once: a look-up seldom goes further back."""


@dataclass(frozen=True, slots=True)
class Statements:
    """Text for the driver; what each takes stands beside it."""

    last_head: str  # gives size, root, frontier, recorded_us
    last_idx: str
    entry: str  # idx
    entries: str  # start, stop
    entries_among: str  # WIDE idx; gives the entries that there are, in no order
    amended_among: str  # WIDE event ids; gives those that a correction or void names
    event_keys_among: (
        str  # WIDE keys; gives key, occurred_us, idx of the newest NEWEST + 1 of each, newest first
    )
    entries_named: str  # start, stop; gives the same, and whether a later entry names the event
    body: str  # idx
    of_type: str  # type, start; gives idx, in order; reads every row from start on
    by_event_id: str  # event_id; gives idx
    receipt: str  # event_id; gives idx, leaf, digest
    by_target: str  # target; gives idx, in order
    last_judgement: str  # event_id; gives idx
    with_findings: str  # gives idx, in order
    leaves: str  # start, stop; gives idx, leaf
    tile: str  # level, n; gives root, hashes
    tiles: str  # gives how many there are
    tile_hashes: str  # level, n
    tile_roots: str  # level, start, stop; gives n, root
    event_keys: str  # key, until, limit (or ALL); gives occurred_us, idx, newest first
    asked_keys: str  # key, until, limit; gives until_us, idx, latest first
    key_row: str  # key, occurred_us, idx; gives a row where it is there
    bundle: str  # digest; gives documents
    bundles: str  # gives digest, documents
    quarantined: str  # idx; gives raw, source
    quarantine: str  # gives idx, raw
    discard: str  # idx
    witnessed: str  # origin; gives size, root, note of the last checkpoint that was seen of it


def by_position(name: str) -> Dialect:
    """A dialect whose values are given by position."""
    if name == "sqlite":
        return SQLiteDialect()
    from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg  # noqa: PLC0415  (most logs never need it)

    return cast("Dialect", PGDialect_psycopg(paramstyle="format"))  # type: ignore[no-untyped-call]


@lru_cache(maxsize=4)
def statements(dialect: str) -> Statements:
    """The statements in a dialect, with values by position."""
    entry, tile, head, key, asked, seen = ENTRY.c, TILE.c, HEAD.c, EVENT_KEY.c, ASKED_KEY.c, WITNESSED.c
    judged, naming = ENTRY.alias("judged"), ENTRY.alias("naming")

    positional = by_position(dialect)

    def text(statement: Executable) -> str:
        return str(statement.compile(dialect=positional))  # type: ignore[attr-defined]

    def newest(table: Table, instant: Column[int]) -> Executable:
        rows = select(instant, table.c.idx).where(table.c.key == value("key_"), instant <= value("until"))
        return (
            rows.order_by(instant.desc(), table.c.idx.desc())
            .limit(value("limit_"))
            .offset(literal_column("0"))
        )

    def value(name: str) -> Any:
        return bindparam(name)

    def among(column: Column[Any]) -> Any:
        return column.in_([bindparam(f"value_{n}") for n in range(WIDE)])

    numbered = select(
        EVENT_KEY,
        func.row_number()
        .over(partition_by=key.key, order_by=(key.occurred_us.desc(), key.idx.desc()))
        .label("n"),
    ).where(among(key.key)).subquery()  # fmt: skip

    return Statements(
        last_head=text(select(HEAD).where(head.size == select(func.max(head.size)).scalar_subquery())),
        last_idx=text(select(func.max(entry.idx))),
        entry=text(select(ENTRY).where(entry.idx == value("idx_"))),
        entries=text(
            select(ENTRY).where(entry.idx >= value("start"), entry.idx < value("stop")).order_by(entry.idx)
        ),
        entries_among=text(select(ENTRY).where(among(entry.idx))),
        amended_among=text(
            select(entry.target)
            .distinct()
            .where(
                among(entry.target),
                entry.target.is_not(None),
                literal_column("kind IN ('correction', 'void')"),
            )
        ),
        event_keys_among=text(
            select(numbered.c.key, numbered.c.occurred_us, numbered.c.idx)
            .where(numbered.c.n <= literal_column(str(NEWEST + 1)))
            .order_by(numbered.c.key, numbered.c.n)
        ),
        entries_named=text(
            select(ENTRY, select(naming.c.idx).where(naming.c.target == entry.event_id).exists())
            .where(entry.idx >= value("start"), entry.idx < value("stop"))
            .order_by(entry.idx)
        ),
        by_event_id=text(select(entry.idx).where(entry.event_id == value("id_"))),
        of_type=text(
            select(entry.idx)
            .where(entry.type == value("type_"), entry.idx >= value("start"))
            .order_by(entry.idx)
        ),
        body=text(select(entry.body).where(entry.idx == value("idx_"))),
        receipt=text(select(entry.idx, entry.leaf, entry.digest).where(entry.event_id == value("id_"))),
        by_target=text(select(entry.idx).where(entry.target == value("target_")).order_by(entry.idx)),
        last_judgement=text(
            select(func.max(entry.idx))
            .where(entry.target == value("target_"), entry.type == literal_column("'rejudgement'"))
            .having(func.max(entry.idx).is_not(None))
        ),
        # Both halves use the index entry_objection, whose condition OBJECTED repeats word for word.
        with_findings=text(
            select(entry.idx)
            .where(entry.type == literal_column("'event'"), literal_column(OBJECTED))
            .union(
                select(judged.c.idx)
                .select_from(ENTRY.join(judged, judged.c.event_id == entry.target))
                .where(entry.type == literal_column("'rejudgement'"), literal_column(f"entry.{OBJECTED}"))
            )
            .order_by(literal_column("1"))
        ),
        leaves=text(
            select(entry.idx, entry.leaf)
            .where(entry.idx >= value("start"), entry.idx < value("stop"))
            .order_by(entry.idx)
        ),
        tile=text(select(tile.root, tile.hashes).where(tile.level == value("level_"), tile.n == value("n_"))),
        tiles=text(select(func.count()).select_from(TILE)),
        tile_hashes=text(select(tile.hashes).where(tile.level == value("level_"), tile.n == value("n_"))),
        tile_roots=text(
            select(tile.n, tile.root)
            .where(tile.level == value("level_"), tile.n >= value("start"), tile.n < value("stop"))
            .order_by(tile.n)
        ),
        event_keys=text(newest(EVENT_KEY, key.occurred_us)),
        asked_keys=text(newest(ASKED_KEY, asked.until_us)),
        key_row=text(
            select(literal_column("1")).where(
                key.key == value("key_"), key.occurred_us == value("occurred_"), key.idx == value("idx_")
            )
        ),
        bundle=text(select(BUNDLE.c.documents).where(BUNDLE.c.digest == value("digest_"))),
        bundles=text(select(BUNDLE.c.digest, BUNDLE.c.documents)),
        quarantine=text(select(QUARANTINE.c.idx, QUARANTINE.c.raw).order_by(QUARANTINE.c.idx)),
        quarantined=text(
            select(QUARANTINE.c.raw, QUARANTINE.c.source).where(QUARANTINE.c.idx == value("idx_"))
        ),
        witnessed=text(
            select(seen.size, seen.root, seen.note)
            .where(seen.origin == value("origin_"))
            .order_by(seen.size.desc())
            .limit(literal_column("1"))
            .offset(literal_column("0"))  # SQLite's dialect would write one of its own, as a value
        ),
        discard=text(QUARANTINE.delete().where(QUARANTINE.c.idx == value("idx_"))),
    )
