"""The statements of the walk that `verify` makes, beside those of `statements`: written with SQLAlchemy Core, once per dialect."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Executable, bindparam, func, literal_column, or_, select

from compliance.ledger.statements import by_position
from compliance.ledger.tables import ENTRY, EVENT_KEY, HEAD, INT64

FARTHEST_US: Final = 2**59
"""No event lies so many microseconds from 1970 (years end with 9999): within it, numbers that differ have other hashes in Python."""


@dataclass(frozen=True, slots=True)
class WalkStatements:
    """Text for the driver; what each takes stands beside it."""

    heads: str  # after, until; gives size, root, frontier, recorded_us
    before_zero: str  # gives a row where an entry has an idx, or a head a size, that no log has
    how_many: str  # gives how many entries there are
    amended: str  # size; gives the idx of entries that others name
    key_rows: (
        str  # first key, last key, size; gives the halves of the key, the instant from FARTHEST_US on, idx
    )
    key_count: str  # gives the number of rows
    key_rows_of: str  # first idx, last idx; gives key, occurred_us, idx


@lru_cache(maxsize=4)
def walk_statements(dialect: str) -> WalkStatements:
    """The statements in a dialect."""
    entry, head, key, positional = ENTRY.c, HEAD.c, EVENT_KEY.c, by_position(dialect)
    naming = ENTRY.alias("naming")

    def text(statement: Executable) -> str:
        return str(statement.compile(dialect=positional))  # type: ignore[attr-defined]

    def value(name: str) -> Any:
        return bindparam(name)

    def number(value: int) -> Any:
        return literal_column(str(value))

    half = number(2**32 - 1)
    return WalkStatements(
        heads=text(
            select(HEAD).where(head.size > value("after"), head.size <= value("until")).order_by(head.size)
        ),
        how_many=text(select(func.count()).select_from(ENTRY)),
        before_zero=text(
            select(number(1)).where(
                or_(
                    select(entry.idx).where(entry.idx < number(0)).exists(),
                    select(head.size).where(head.size < number(1)).exists(),
                )
            )
        ),
        amended=text(
            select(entry.idx)
            .select_from(naming.join(ENTRY, entry.event_id == naming.c.target))
            .where(naming.c.target.is_not(None), entry.idx >= number(0), entry.idx < value("size_"))
        ),
        key_rows=text(
            select(
                bindparam("salt", type_=INT64),
                key.key.op(">>")(number(32)).op("&")(half),
                key.key.op("&")(half),
                key.occurred_us + number(FARTHEST_US),
                key.idx,
            ).where(
                key.key >= value("first"),
                key.key <= value("last"),
                key.occurred_us.between(number(-FARTHEST_US), number(FARTHEST_US)),
                key.idx >= number(0),
                key.idx < value("size_"),
            )
        ),
        key_count=text(select(func.count()).select_from(EVENT_KEY)),
        key_rows_of=text(
            select(key.key, key.occurred_us, key.idx).where(
                key.idx >= value("first"), key.idx <= value("last")
            )
        ),
    )
