"""The statements of the log, written with SQLAlchemy Core and compiled once per dialect.

Look-ups run some ten times for every event that is judged, so they go to the driver's cursor as ready text with positional
values, in the order of the comments below.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Dialect, Executable, Table, bindparam, func, insert, literal_column, select
from sqlalchemy.dialects.sqlite import insert as insert_or_pass

from compliance.ledger.tables import ASKED_KEY, BUNDLE, ENTRY, EVENT_KEY, HEAD, OBJECTED, QUARANTINE, TILE


@dataclass(frozen=True, slots=True)
class Statements:
    """Text for the driver; what each takes stands beside it."""

    add_entry: str  # a whole row, like the other add_*
    add_tile: str
    add_head: str
    add_event_key: str
    add_asked_key: str
    add_bundle: str
    add_quarantine: str
    last_head: str  # gives size, root, frontier, recorded_us
    last_idx: str
    entry: str  # idx
    entries: str  # start, stop
    body: str  # idx
    by_event_id: str  # event_id; gives idx
    receipt: str  # event_id; gives idx, leaf, digest
    by_target: str  # target; gives idx, in order
    last_judgement: str  # event_id; gives idx
    with_findings: str  # gives idx, in order
    leaves: str  # start, stop
    tile_hashes: str  # level, n
    tile_roots: str  # level, start, stop
    event_keys: str  # key, until, limit (-1: all); gives occurred_us, idx, newest first
    asked_keys: str  # key, until, limit; gives until_us, idx, latest first
    bundle: str  # digest; gives documents
    quarantined: str  # idx; gives raw, source
    discard: str  # idx


@lru_cache(maxsize=4)
def statements(dialect: Dialect) -> Statements:
    """The statements in a dialect."""
    entry, tile, head, key, asked = ENTRY.c, TILE.c, HEAD.c, EVENT_KEY.c, ASKED_KEY.c
    judged = ENTRY.alias("judged")

    def text(statement: Executable) -> str:
        return str(statement.compile(dialect=dialect))  # type: ignore[attr-defined]

    def add(table: Table, *, once: bool = False) -> str:
        row: dict[str, Any] = {column.name: bindparam(column.name) for column in table.columns}
        return text(
            insert_or_pass(table).values(row).on_conflict_do_nothing() if once else insert(table).values(row)
        )

    def newest(table: Table, instant: Column[int]) -> Executable:
        rows = select(instant, table.c.idx).where(table.c.key == value("key_"), instant <= value("until"))
        return (
            rows.order_by(instant.desc(), table.c.idx.desc())
            .limit(value("limit_"))
            .offset(literal_column("0"))
        )

    def value(name: str) -> Any:
        return bindparam(name)

    return Statements(
        add_entry=add(ENTRY),
        add_tile=add(TILE),
        add_head=add(HEAD),
        add_event_key=add(EVENT_KEY, once=True),
        add_asked_key=add(ASKED_KEY, once=True),
        add_bundle=add(BUNDLE),
        add_quarantine=add(QUARANTINE),
        last_head=text(select(HEAD).where(head.size == select(func.max(head.size)).scalar_subquery())),
        last_idx=text(select(func.max(entry.idx))),
        entry=text(select(ENTRY).where(entry.idx == value("idx_"))),
        entries=text(
            select(ENTRY).where(entry.idx >= value("start"), entry.idx < value("stop")).order_by(entry.idx)
        ),
        by_event_id=text(select(entry.idx).where(entry.event_id == value("id_"))),
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
            select(entry.leaf)
            .where(entry.idx >= value("start"), entry.idx < value("stop"))
            .order_by(entry.idx)
        ),
        tile_hashes=text(select(tile.hashes).where(tile.level == value("level_"), tile.n == value("n_"))),
        tile_roots=text(
            select(tile.root)
            .where(tile.level == value("level_"), tile.n >= value("start"), tile.n < value("stop"))
            .order_by(tile.n)
        ),
        event_keys=text(newest(EVENT_KEY, key.occurred_us)),
        asked_keys=text(newest(ASKED_KEY, asked.until_us)),
        bundle=text(select(BUNDLE.c.documents).where(BUNDLE.c.digest == value("digest_"))),
        quarantined=text(
            select(QUARANTINE.c.raw, QUARANTINE.c.source).where(QUARANTINE.c.idx == value("idx_"))
        ),
        discard=text(QUARANTINE.delete().where(QUARANTINE.c.idx == value("idx_"))),
    )
