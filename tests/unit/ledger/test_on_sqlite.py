"""What is of a log in a SQLite file only: files and folders, PRAGMAs, the authorizer, plans of queries."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path

import pytest

from compliance.errors import ComplianceError, DatabaseError, InputError, LogError
from compliance.ledger import schema
from compliance.ledger.log import Log
from compliance.ledger.tables import METADATA
from compliance.ledger.tree import inclusion_proof
from tests.logs import ORIGIN, SIGNER, add, copy, empty_log, stranger, url


@pytest.fixture
def log(tmp_path):
    with empty_log(tmp_path / "log.db") as made:
        yield made


def test_create_refuses_what_exists(tmp_path):
    """A log is never made over a file, and a refused one leaves nothing behind."""
    path = tmp_path / "log.db"
    path.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        Log.create(url(path), ORIGIN, str(SIGNER.verifier))
    assert path.read_text() == "mine"
    assert [one.name for one in tmp_path.iterdir()] == ["log.db"]


def test_create_needs_a_folder(tmp_path):
    """A folder that is not there is named."""
    with pytest.raises(DatabaseError, match=r"folder .* does not exist"):
        Log.create(url(tmp_path / "none" / "log.db"), ORIGIN, str(SIGNER.verifier))


def test_with_findings_uses_its_index(log):
    """What was objected to is found without reading the rest of the log."""
    plan = " ".join(
        row[3] for row in log.driver.execute("EXPLAIN QUERY PLAN " + log.statements.with_findings)
    )
    assert plan.count("entry_objection") == 2
    assert "SCAN entry USING INDEX" in plan


def test_a_proof_reads_few_rows(log):
    """Hashes of a full tile come from the tile, not from its entries."""
    add(log, *range(600))
    seen = []
    log.driver.raw.set_trace_callback(seen.append)
    inclusion_proof(log.subtrees, 3, log.size)
    log.driver.raw.set_trace_callback(None)
    assert len(seen) < 30


def test_a_full_disk_leaves_nothing(log):
    """Where the database cannot grow, the batch is refused with the reason, and the log is as it was."""
    before = log.head
    log.driver.raw.set_authorizer(None)
    (pages,) = log.driver.execute("PRAGMA page_count").fetchone()
    log.driver.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(DatabaseError, match="full"):
        add(log, *range(2000))
    assert log.head == before
    log.driver.execute("PRAGMA max_page_count = 1000000")
    add(log, 1)
    assert log.size == 2


def test_driver_is_in_full_synchronous_wal_mode(log):
    """A commit is durable: write-ahead log, FULL, foreign keys and recursive triggers on."""
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
    found = [log.driver.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]
    assert found == ["wal", 2, 1, 1]
    assert isinstance(log.driver.raw, sqlite3.Connection)


def test_a_database_that_does_not_exist(tmp_path):
    """Opening never makes a database; the remedy says what does."""
    with pytest.raises(DatabaseError, match="does not exist") as missing:
        Log.open(url(tmp_path / "none.db"))
    assert "compliance init" in missing.value.remedy
    assert missing.value.exit_code == 4
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database(tmp_path):
    """Any other file is named as such, with exit 3, and is not touched."""
    path = tmp_path / "log.db"
    path.write_bytes(b"not a database " * 500)
    with pytest.raises(LogError, match="damaged or is not a database") as refused:
        Log.open(url(path), write=True)
    assert refused.value.exit_code == 3
    assert path.read_bytes() == b"not a database " * 500


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE entry",
        "DROP TRIGGER entry_no_delete",
        "DROP INDEX entry_target",
        "ALTER TABLE entry RENAME TO entries",
        "ALTER TABLE entry ADD COLUMN more",
        "CREATE TABLE other (a)",
        "CREATE TEMP TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM quarantine; END",
        "PRAGMA writable_schema = ON",
        "PRAGMA recursive_triggers = OFF",
        "PRAGMA synchronous = OFF",
        "PRAGMA journal_mode = DELETE",
        "DELETE FROM sqlite_master",
        "UPDATE alembic_version SET version_num = '0000'",
        "ATTACH DATABASE ':memory:' AS other",
        "VACUUM",
    ],
)
def test_a_writer_cannot_loosen_a_guard(tmp_path, statement):
    """The authorizer denies what would change the schema or how the guards work; an owner's connection shows that only it does."""
    with (
        empty_log(tmp_path / "log.db") as log,
        pytest.raises(sqlite3.DatabaseError, match=r"not authorized|prohibited|denied|may not be modified"),
    ):
        log.driver.execute(statement)


@pytest.mark.parametrize(
    "statement", ["DROP TRIGGER entry_no_delete", "PRAGMA recursive_triggers = OFF", "DROP TABLE quarantine"]
)
def test_without_the_authorizer_the_same_is_possible(tmp_path, statement):
    """The mutant of the test above: it is the authorizer that stops these."""
    with empty_log(tmp_path / "log.db") as log:
        log.driver.raw.set_authorizer(None)
        log.driver.execute(statement)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_reading_needs_no_more_than_the_right_to_read(tmp_path):
    """Who may neither write the file nor its folder can read a database at rest."""
    with empty_log(tmp_path / "log.db") as log, tempfile.TemporaryDirectory() as folder:
        add(log, 1, 2)
        path = copy(log, Path(folder, "log.db"))
        path.chmod(0o444)
        path.parent.chmod(0o555)
        read, write = os.pipe()
        if os.fork() == 0:
            os.setuid(65_534)
            try:
                with Log.open(url(path)) as seen:
                    os.write(write, str(seen.size).encode())
            except ComplianceError as problem:
                os.write(write, problem.message.encode())
            finally:
                os._exit(0)
        os.wait()
        assert os.read(read, 500) == b"3"


def test_create_makes_a_private_working_file_only(tmp_path):
    """After `create` there is the database and nothing else but its own side files."""
    Log.create(url(tmp_path / "log.db"), ORIGIN, str(SIGNER.verifier)).close()
    assert {one.name for one in tmp_path.iterdir()} == {"log.db"}


def test_every_table_is_strict(log, tmp_path):
    """A column takes no value of another type."""
    found = stranger(tmp_path / "log.db").execute(
        "SELECT name, strict FROM pragma_table_list WHERE schema = 'main'"
    )
    strict = dict(found.fetchall())
    assert all(strict[table] for table in METADATA.tables)


def test_the_database_itself_says_that_an_event_is_recorded_once(log):
    """The guard's own words reach the user."""
    add(log, 1)
    with pytest.raises(LogError, match="event is recorded once"):
        add(log, 1)


def test_a_changed_guard_is_seen(log, tmp_path):
    """A trigger of the same name that does nothing is not taken for the guard."""
    connection = stranger(tmp_path / "log.db")
    connection.execute("DROP TRIGGER entry_no_delete")
    connection.execute("CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry BEGIN SELECT 1; END")
    assert schema.status(url(tmp_path / "log.db")).broken_guards == ("entry_no_delete",)
