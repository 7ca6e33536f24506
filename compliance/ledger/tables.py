"""The tables of the log (audit-log.md, "Tree").

`ENTRY`, `TILE` and `HEAD` are the log itself, `BUNDLE` the policies that decisions name, `WITNESSED` what was seen of other logs. `EVENT_KEY` and `ASKED_KEY` are
projections that ``compliance db rebuild`` makes again; `AGENDA`, `DUTY` and `DUTY_KEY` what the nightly run need not find out again (`ledger.agenda`): their rows change and go. `QUARANTINE` is the one table whose rows may go: it holds input that could
not be read, which may name people. The migrations create all of them; a test holds the two descriptions equal.

Instants are microseconds since 1970-01-01 UTC, hashes are SHA-256 in 32 bytes. What the columns of `ENTRY` repeat from the
canonical bytes is derived by `entry.columns_of` alone, and ``compliance log verify`` derives it again.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text, text

METADATA: Final = MetaData()

# SQLite's STRICT tables know INTEGER (up to 64 bits), TEXT and BLOB; elsewhere an INTEGER may have only 32.
INT64: Final = BigInteger().with_variant(Integer(), "sqlite")

OBJECTED: Final = "verdict IN ('flagged', 'violation', 'permitted_with_warnings', 'denied')"
"""Decisions with something to object to; the index over them makes "what stands" cost what it finds."""


def _where(condition: str) -> dict[str, Any]:
    """A partial index, in both dialects."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


ENTRY: Final = Table(
    "entry",
    METADATA,
    Column("idx", INT64, primary_key=True, autoincrement=False),
    Column("type", Text, nullable=False),
    Column("recorded_us", INT64, nullable=False),
    Column("event_id", Text),
    Column("kind", Text),
    Column("site", Text),
    Column("patient", Text),
    Column("session", Text),
    Column("occurred_us", INT64),
    Column("verdict", Text),
    # The event that a correction, void, override or rejudgement names.
    Column("target", Text),
    # SHA-256 of the canonical event: the same id must come with the same event.
    Column("digest", LargeBinary),
    # The leaf stands before the body, so that reading it does not touch the body's pages.
    Column("leaf", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("entry_event_id", "event_id", unique=True),
    Index("entry_target", "target", **_where("target IS NOT NULL")),
    Index("entry_objection", "idx", **_where(OBJECTED)),
    sqlite_strict=True,
)

# No hidden rowid in TILE and BUNDLE: it would be a second way to meet, and with REPLACE INTO to delete, a row.
TILE: Final = Table(
    "tile",
    METADATA,
    Column("level", INT64, primary_key=True),
    Column("n", INT64, primary_key=True),
    # The root of the 256 hashes: what a partial tile of the next level is made of.
    Column("root", LargeBinary, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

HEAD: Final = Table(
    "head",
    METADATA,
    Column("size", INT64, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("frontier", LargeBinary, nullable=False),  # roots of the perfect subtrees, largest first
    Column("recorded_us", INT64, nullable=False),  # that of the last entry
    sqlite_strict=True,
)

EVENT_KEY: Final = Table(
    "event_key",
    METADATA,
    Column("key", INT64, primary_key=True),
    Column("occurred_us", INT64, primary_key=True),
    Column("idx", INT64, primary_key=True),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

ASKED_KEY: Final = Table(
    "asked_key",
    METADATA,
    Column("key", INT64, primary_key=True),
    Column("until_us", INT64, primary_key=True),
    Column("idx", INT64, primary_key=True),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

BUNDLE: Final = Table(
    "bundle",
    METADATA,
    # The name by which decisions call it, which the policies give it (compliance.policy.bundle).
    Column("digest", Text, primary_key=True),
    Column("documents", LargeBinary, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

QUARANTINE: Final = Table(
    "quarantine",
    METADATA,
    Column("idx", INT64, primary_key=True, autoincrement=False),
    Column("raw", LargeBinary, nullable=False),
    Column("source", Text, nullable=False),
    sqlite_strict=True,
)

# The last checkpoint that was seen of another log, by its origin: a witness signs only what continues it (C2SP tlog-witness).
WITNESSED: Final = Table(
    "witnessed",
    METADATA,
    Column("origin", Text, primary_key=True),
    Column("size", INT64, primary_key=True),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),  # the checkpoint as it came, with its signatures
    Column("recorded_us", INT64, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# How far the agenda was brought, in one row; `whole` is 0 while it is being brought further.
AGENDA: Final = Table(
    "agenda",
    METADATA,
    Column("number", INT64, primary_key=True, autoincrement=False),  # of the run that brought it there
    Column("day", INT64, nullable=False),  # an ordinal date
    Column("ends_us", INT64, nullable=False),  # the first instant at which that day was over at a site
    Column("size", INT64, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("bundle", Text, nullable=False),
    Column("whole", INT64, nullable=False),
    Column(
        "seal", LargeBinary, nullable=False
    ),  # over this row and all of DUTY and DUTY_KEY, with the log's key
    sqlite_strict=True,
)

UNSETTLED: Final = "state IN ('open', 'missed')"
"""Duties that time alone may change."""

DUTY: Final = Table(
    "duty",
    METADATA,
    Column("id", INT64, primary_key=True, autoincrement=False),
    Column("rule", Text, nullable=False),
    Column("opening", Text, nullable=False),  # the id of an event that opens it, or may
    Column("state", Text, nullable=False),  # of the duty, or ``none`` where the rule does not apply
    Index("duty_unsettled", "id", **_where(UNSETTLED)),
    sqlite_strict=True,
)

# Where a duty was looked up, and up to when; as `ASKED_KEY` is for judgements.
DUTY_KEY: Final = Table(
    "duty_key",
    METADATA,
    Column("duty", INT64, primary_key=True),
    Column("key", INT64, primary_key=True),
    Column("until_us", INT64, nullable=False),
    Index("duty_key_until", "key", "until_us"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
