"""The database itself refuses every change of the log, whoever connects; and each guard is what stops it.

All statements run on a stranger's connection: no authorizer, no recursive triggers. For each there is the mutant: with that one trigger
dropped, the same statement succeeds.
"""

from __future__ import annotations

import sqlite3

import pytest

from compliance.ledger.guards import GUARDS
from tests.logs import add, empty_log, stranger

COLUMNS = "idx, type, recorded_us, event_id, kind, site, patient, session, occurred_us, verdict, target, digest, leaf, body"


def another(idx, event_id="event_id"):
    """An entry like entry 2, of another site, under another idx and event id."""
    chosen = (
        COLUMNS.replace("idx", str(idx), 1).replace("event_id", event_id, 1).replace("site", "'elsewhere'")
    )
    return f"entry ({COLUMNS}) SELECT {chosen} FROM entry WHERE idx = 2"


ATTEMPTS = [
    ("UPDATE entry SET verdict = 'denied' WHERE idx = 2", ["entry_no_update"]),
    ("UPDATE entry SET body = x'00'", ["entry_no_update"]),
    ("UPDATE OR REPLACE entry SET idx = 3 WHERE idx = 2", ["entry_no_update"]),
    ("DELETE FROM entry WHERE idx = 2", ["entry_no_delete"]),
    ("DELETE FROM entry", ["entry_no_delete"]),
    (f"REPLACE INTO {another(2)}", ["entry_next_idx", "entry_new_event"]),
    (f"INSERT OR REPLACE INTO {another(3, chr(39) + 'new' + chr(39))}", ["entry_next_idx"]),
    (f"INSERT INTO {another(400, chr(39) + 'new' + chr(39))}", ["entry_next_idx"]),
    (f"INSERT INTO {another(-1, chr(39) + 'new' + chr(39))}", ["entry_next_idx"]),
    (f"INSERT INTO {another('NULL', chr(39) + 'new' + chr(39))}", ["entry_next_idx"]),
    (f"REPLACE INTO {another(301)}", ["entry_new_event"]),
    ("INSERT INTO head SELECT 300, root, frontier, recorded_us FROM head LIMIT 1", ["head_grows"]),
    ("REPLACE INTO head SELECT size, zeroblob(32), frontier, recorded_us FROM head", ["head_grows"]),
    ("UPDATE head SET root = zeroblob(32)", ["head_no_update"]),
    ("DELETE FROM head", ["head_no_delete"]),
    ("UPDATE tile SET hashes = zeroblob(8192)", ["tile_no_update"]),
    ("DELETE FROM tile", ["tile_no_delete"]),
    ("REPLACE INTO tile SELECT level, n, root, zeroblob(8192) FROM tile", ["tile_new"]),
    ("UPDATE bundle SET documents = x'00'", ["bundle_no_update"]),
    ("DELETE FROM bundle", ["bundle_no_delete"]),
    ("REPLACE INTO bundle SELECT digest, x'00' FROM bundle", ["bundle_new"]),
    ("UPDATE event_key SET occurred_us = 0 WHERE idx = 2", ["event_key_no_update"]),
    ("DELETE FROM event_key WHERE idx = 2", ["event_key_no_delete"]),
    ("UPDATE asked_key SET until_us = 0 WHERE idx = 2", ["asked_key_no_update"]),
    ("DELETE FROM asked_key WHERE idx = 2", ["asked_key_no_delete"]),
    ("UPDATE witnessed SET size = 9", ["witnessed_no_update"]),
    ("DELETE FROM witnessed", ["witnessed_no_delete"]),
    ("REPLACE INTO witnessed SELECT origin, size, root, 'other', 0 FROM witnessed", ["witnessed_forward"]),
    ("INSERT INTO witnessed SELECT origin, size - 1, root, note, 0 FROM witnessed", ["witnessed_forward"]),
]


@pytest.fixture
def path(tmp_path):
    with empty_log(tmp_path / "log.db") as log:
        add(log, *range(300))
        with log.writing() as batch:
            batch.put_bundle("sha256:1", b"[]")
            batch.witness("other.example/log", 7, bytes(32), "a note")
    return tmp_path / "log.db"


def content(connection):
    return {
        table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
        for table in ("entry", "tile", "head", "bundle", "event_key", "asked_key", "witnessed")
    }


@pytest.mark.parametrize(
    "statement, guards", ATTEMPTS, ids=lambda one: one[:48] if isinstance(one, str) else ""
)
def test_refused(path, statement, guards):
    """The statement is refused by the database with the reason, and nothing is different afterwards."""
    connection = stranger(path)
    before = content(connection)
    with pytest.raises(sqlite3.IntegrityError, match=r"the audit log|a witness"):
        connection.execute(statement)
    assert content(connection) == before


@pytest.mark.parametrize(
    "statement, guards", ATTEMPTS, ids=lambda one: one[:48] if isinstance(one, str) else ""
)
def test_without_its_guard_it_succeeds(path, statement, guards):
    """The mutant: with the guard dropped the same statement changes the log, so the guard is what stops it."""
    connection = stranger(path)
    before = content(connection)
    for guard in guards:
        connection.execute(f"DROP TRIGGER {guard}")
    connection.execute(statement)
    assert content(connection) != before


def test_every_guard_has_its_attempt():
    """No trigger is without a test that would miss it."""
    assert {guard for _, guards in ATTEMPTS for guard in guards} == set(GUARDS["sqlite"])


def test_replace_deletes_a_row_without_firing_its_delete_trigger(path):
    """Why the insert guards are there: on a stranger's connection REPLACE INTO walks past the triggers on DELETE."""
    connection = stranger(path)
    connection.execute("DROP TRIGGER entry_next_idx")
    connection.execute("DROP TRIGGER entry_new_event")
    connection.execute(f"REPLACE INTO {another(3, chr(39) + 'new' + chr(39))}")
    assert connection.execute("SELECT event_id FROM entry WHERE idx = 3").fetchone() == ("new",)


def test_recursive_triggers_are_the_second_line(path):
    """On our own connections they are on, so that even without the insert guards the DELETE trigger fires."""
    connection = stranger(path)
    connection.execute("DROP TRIGGER entry_next_idx")
    connection.execute("DROP TRIGGER entry_new_event")
    connection.execute("PRAGMA recursive_triggers = ON")
    with pytest.raises(sqlite3.IntegrityError, match="deleted"):
        connection.execute(f"REPLACE INTO {another(3, chr(39) + 'new' + chr(39))}")


def test_tables_have_no_hidden_rowid_to_meet(path):
    """A row of tile or bundle cannot be replaced through a rowid of its own choosing."""
    connection = stranger(path)
    for statement in (
        "REPLACE INTO tile (rowid, level, n, root, hashes) VALUES (1, 9, 9, x'', x'')",
        "REPLACE INTO bundle (rowid, digest, documents) VALUES (1, 'x', x'')",
    ):
        with pytest.raises(sqlite3.OperationalError, match="rowid"):
            connection.execute(statement)


def test_types_are_strict(path):
    """A STRICT table takes no value of another type."""
    connection = stranger(path)
    chosen = COLUMNS.replace("idx", "301", 1).replace("event_id", "'new'", 1).replace("recorded_us", "'soon'")
    with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT"):
        connection.execute(f"INSERT INTO entry ({COLUMNS}) SELECT {chosen} FROM entry WHERE idx = 2")


def test_quarantine_rows_may_go(path):
    """The one table outside the log: what could not be read may name people, and can be discarded."""
    connection = stranger(path)
    connection.execute("INSERT INTO quarantine VALUES (1, x'00', 'file')")
    connection.execute("DELETE FROM quarantine")
