"""What the database itself refuses (audit-log.md, "Append-only enforcement"): the DDL by dialect, in one place.

Triggers stop accidents, whoever connects. Against the owner of the machine only a checkpoint kept elsewhere helps.

On SQLite, UPDATE and DELETE are refused by triggers. ``REPLACE INTO`` (and ``INSERT OR REPLACE``) deletes the row in its way without
firing a DELETE trigger unless ``recursive_triggers`` is on (sqlite.org/lang_conflict.html), and a stranger's connection
has it off; so a BEFORE INSERT guard refuses every row that would meet another one: any ``idx`` but the next, a known event id, a
head that does not grow, a tile or bundle that is there. `event_key` and `asked_key` are all key: replacing a row gives the same row.

On PostgreSQL nothing replaces a row but an UPDATE (of which ``INSERT ... ON CONFLICT DO UPDATE`` is one), so primary keys and the unique index
stand in for those. UPDATE, DELETE and TRUNCATE are refused once per statement. Every trigger is ``ENABLE ALWAYS``: an ordinary
one is skipped under ``session_replication_role = replica``. The guards on INSERT look at all rows of a statement together, when it ends: one
look for a batch, where a guard before each row would cost as much as the row (docs/decisions/0008).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

APPEND_ONLY: Final = ("entry", "tile", "head", "bundle", "event_key", "asked_key")
"""The tables of the first migration of which no row ever changes."""

NO_GAPS: Final = "the audit log has no gaps: only the next idx can be appended to entry"
GROWS: Final = "the audit log only grows: a new head is larger than every head before it"
SEEN: Final = "a witness only goes forward: a newer checkpoint of that log was seen already"


@dataclass(frozen=True, slots=True)
class Guard:
    """One trigger: `stored` is its text as the database gives it back, `statements` what makes it."""

    stored: str
    statements: tuple[str, ...]


def _never(table: str, verb: str) -> str:
    return f"the audit log is append-only: no row of {table} is ever {verb}d; append a correction instead"


# ---- SQLite


def _sqlite(name: str, moment: str, condition: str, message: str) -> tuple[str, Guard]:
    when = f"WHEN {condition} " if condition else ""
    trigger = f"CREATE TRIGGER {name} {moment} {when}BEGIN SELECT RAISE(ABORT, '{message}'); END"
    return name, Guard(trigger, (trigger,))


def _sqlite_unchanging(table: str) -> list[tuple[str, Guard]]:
    return [
        _sqlite(f"{table}_no_{verb}", f"BEFORE {verb.upper()} ON {table}", "", _never(table, verb))
        for verb in ("update", "delete")
    ]


_SQLITE_LOG: Final = dict(
    [
        *(guard for table in APPEND_ONLY for guard in _sqlite_unchanging(table)),
        _sqlite(
            "entry_next_idx",
            "BEFORE INSERT ON entry",
            "NEW.idx IS NOT (SELECT COALESCE(MAX(idx) + 1, 0) FROM entry)",
            NO_GAPS,
        ),
        _sqlite(
            "entry_new_event",
            "BEFORE INSERT ON entry",
            "NEW.event_id IS NOT NULL AND EXISTS (SELECT 1 FROM entry WHERE event_id = NEW.event_id)",
            "the audit log has this event id already: an event is recorded once",
        ),
        _sqlite("head_grows", "BEFORE INSERT ON head", "NEW.size <= (SELECT MAX(size) FROM head)", GROWS),
        _sqlite(
            "tile_new",
            "BEFORE INSERT ON tile",
            "EXISTS (SELECT 1 FROM tile WHERE level = NEW.level AND n = NEW.n)",
            "the audit log is append-only: this tile is full and never changes",
        ),
        _sqlite(
            "bundle_new",
            "BEFORE INSERT ON bundle",
            "EXISTS (SELECT 1 FROM bundle WHERE digest = NEW.digest)",
            "the audit log is append-only: this bundle is stored and never changes",
        ),
    ]
)
_SQLITE_WITNESS: Final = dict(
    [
        *_sqlite_unchanging("witnessed"),
        _sqlite(
            "witnessed_forward",
            "BEFORE INSERT ON witnessed",
            "NEW.size <= (SELECT MAX(size) FROM witnessed WHERE origin = NEW.origin)",
            SEEN,
        ),
    ]
)

# ---- PostgreSQL

REFUSE: Final = "BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END"
"""The body of the function that refuses a statement, with the message that its trigger names."""

NEXT_IDX: Final = (
    "DECLARE lowest bigint; highest bigint; many bigint; BEGIN "
    "SELECT min(idx), max(idx), count(*) INTO lowest, highest, many FROM added; "
    "IF many > 0 AND (highest - lowest + 1 <> many "
    "OR lowest <> COALESCE((SELECT max(idx) + 1 FROM entry WHERE idx < lowest), 0) "
    "OR highest <> (SELECT max(idx) FROM entry)) "
    "THEN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END"
)
HEAD_GROWS: Final = (
    "BEGIN IF EXISTS (SELECT 1 FROM head WHERE size >= (SELECT min(size) FROM added) "
    "AND size NOT IN (SELECT size FROM added)) "
    "THEN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END"
)
FORWARD: Final = (
    "BEGIN IF EXISTS (SELECT 1 FROM witnessed w JOIN added a ON w.origin = a.origin AND w.size > a.size) "
    "THEN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END"
)

FUNCTIONS: Final = {
    "compliance_refuse": REFUSE, "compliance_next_idx": NEXT_IDX, "compliance_head_grows": HEAD_GROWS, "compliance_forward": FORWARD,
}  # fmt: skip
"""The trigger functions and their bodies, exactly as the database keeps them."""


def create_function(name: str, schema: str) -> str:
    """The statement that makes a trigger function for the tables of a schema (a quoted identifier).

    The function looks nowhere else: otherwise a temporary table called ``entry`` would stand before the log's in whoever's session.
    """
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp "
        f"AS $body${FUNCTIONS[name]}$body$"
    )


def _postgresql(name: str, table: str, moment: str, function: str, message: str) -> tuple[str, Guard]:
    """`stored` is what ``pg_get_triggerdef(oid, true)`` gives."""
    trigger = f"CREATE TRIGGER {name} {moment} FOR EACH STATEMENT EXECUTE FUNCTION {function}('{message}')"
    return name, Guard(trigger, (trigger, f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"))


def _postgresql_unchanging(table: str) -> list[tuple[str, Guard]]:
    return [
        _postgresql(f"{table}_no_{verb}", table, f"BEFORE {verb.upper()} ON {table}", "compliance_refuse", _never(table, verb))
        for verb in ("update", "delete", "truncate")
    ]  # fmt: skip


def _postgresql_insert(name: str, table: str, function: str, message: str) -> tuple[str, Guard]:
    moment = f"AFTER INSERT ON {table} REFERENCING NEW TABLE AS added"
    return _postgresql(name, table, moment, function, message)


_POSTGRESQL_LOG: Final = dict(
    [
        *(guard for table in APPEND_ONLY for guard in _postgresql_unchanging(table)),
        _postgresql_insert("entry_next_idx", "entry", "compliance_next_idx", NO_GAPS),
        _postgresql_insert("head_grows", "head", "compliance_head_grows", GROWS),
    ]
)
_POSTGRESQL_WITNESS: Final = dict(
    [
        *_postgresql_unchanging("witnessed"),
        _postgresql_insert("witnessed_forward", "witnessed", "compliance_forward", SEEN),
    ]
)

LOG_GUARDS: Final = {"sqlite": _SQLITE_LOG, "postgresql": _POSTGRESQL_LOG}
"""By dialect: the guards of the first migration, by name."""

WITNESS_GUARDS: Final = {"sqlite": _SQLITE_WITNESS, "postgresql": _POSTGRESQL_WITNESS}
"""Those of the second."""

GUARDS: Final = {dialect: {**LOG_GUARDS[dialect], **WITNESS_GUARDS[dialect]} for dialect in LOG_GUARDS}
"""All guards of a dialect, by name."""
