"""What the database itself refuses (audit-log.md, "Append-only enforcement"): the DDL by dialect, in one place.

Triggers stop accidents, whoever connects. Against the owner of the machine only a checkpoint kept elsewhere helps.

On SQLite, UPDATE and DELETE are refused by triggers. ``REPLACE INTO`` (and ``INSERT OR REPLACE``) deletes the row in its way without
firing a DELETE trigger unless ``recursive_triggers`` is on (sqlite.org/lang_conflict.html), and a stranger's connection
has it off; so a BEFORE INSERT guard refuses every row that would meet another one: any ``idx`` but the next, a known event id, a
head that does not grow, a tile or bundle that is there. `event_key` and `asked_key` are all key: replacing a row gives the same row.
"""

from __future__ import annotations

from typing import Final


def _refuses(name: str, moment: str, condition: str, message: str) -> tuple[str, str]:
    when = f"WHEN {condition} " if condition else ""
    return name, f"CREATE TRIGGER {name} {moment} {when}BEGIN SELECT RAISE(ABORT, '{message}'); END"


def _sqlite() -> dict[str, str]:
    guards = [
        _refuses(
            f"{table}_no_{verb}",
            f"BEFORE {verb.upper()} ON {table}",
            "",
            f"the audit log is append-only: no row of {table} is ever {verb}d; append a correction instead",
        )
        for table in ("entry", "tile", "head", "bundle", "event_key", "asked_key")
        for verb in ("update", "delete")
    ]
    guards += [
        _refuses(
            "entry_next_idx",
            "BEFORE INSERT ON entry",
            "NEW.idx IS NOT (SELECT COALESCE(MAX(idx) + 1, 0) FROM entry)",
            "the audit log has no gaps: only the next idx can be appended to entry",
        ),
        _refuses(
            "entry_new_event",
            "BEFORE INSERT ON entry",
            "NEW.event_id IS NOT NULL AND EXISTS (SELECT 1 FROM entry WHERE event_id = NEW.event_id)",
            "the audit log has this event id already: an event is recorded once",
        ),
        _refuses(
            "head_grows",
            "BEFORE INSERT ON head",
            "NEW.size <= (SELECT MAX(size) FROM head)",
            "the audit log only grows: a new head is larger than every head before it",
        ),
        _refuses(
            "tile_new",
            "BEFORE INSERT ON tile",
            "EXISTS (SELECT 1 FROM tile WHERE level = NEW.level AND n = NEW.n)",
            "the audit log is append-only: this tile is full and never changes",
        ),
        _refuses(
            "bundle_new",
            "BEFORE INSERT ON bundle",
            "EXISTS (SELECT 1 FROM bundle WHERE digest = NEW.digest)",
            "the audit log is append-only: this bundle is stored and never changes",
        ),
    ]
    return dict(guards)


GUARDS: Final[dict[str, dict[str, str]]] = {"sqlite": _sqlite()}
"""By dialect: the name of each trigger and its text, exactly as the database keeps it."""
