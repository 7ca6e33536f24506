"""Connections and their errors in people's words; the schema's version."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from compliance.errors import ComplianceError, DatabaseError, InputError, LogError
from compliance.ledger import schema
from compliance.ledger.database import connect, in_words, place_of
from compliance.ledger.log import Log
from compliance.ledger.roles import Role
from compliance.ledger.tables import METADATA
from tests.logs import ORIGIN, SIGNER, add, copy, empty_log, stranger, url

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    "wrong",
    [
        "nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://localhost/log",
        "postgresql+psycopg2://localhost/log",
        "postgresql://localhost",
        "sqlite:///file:x?mode=ro",
    ],
)
def test_urls_that_name_no_file(wrong):
    """A URL that this version cannot use is refused with an example of one that it can."""
    with pytest.raises(InputError) as refused:
        place_of(wrong)
    assert "sqlite:///compliance.db" in refused.value.remedy


def test_paths():
    """Three slashes are a relative path, four an absolute one."""
    assert place_of("sqlite:///a/b.db").file == Path("a/b.db")
    assert place_of("sqlite:////a/b.db").file == Path("/a/b.db")


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


def test_a_database_of_other_software(tmp_path):
    """A database without a log is not taken for one."""
    sqlite3.connect(tmp_path / "log.db").execute("CREATE TABLE a (b)")
    with pytest.raises(DatabaseError, match="holds no audit log"):
        Log.open(url(tmp_path / "log.db"))


@pytest.mark.parametrize(
    "version, remedy", [("0000", "compliance db upgrade"), ("9999", "Update this software")]
)
def test_another_version(tmp_path, version, remedy):
    """An older schema is to be upgraded, a newer one needs newer software."""
    empty_log(tmp_path / "log.db").close()
    stranger(tmp_path / "log.db").execute("UPDATE alembic_version SET version_num = ?", (version,))
    with pytest.raises(DatabaseError) as refused:
        Log.open(url(tmp_path / "log.db"))
    assert remedy in refused.value.remedy
    assert refused.value.exit_code == 4


def test_status_and_upgrade(tmp_path):
    """A new database is at the newest version with all guards; upgrading it again changes nothing."""
    empty_log(tmp_path / "log.db").close()
    status = schema.status(url(tmp_path / "log.db"))
    assert status == schema.Status(schema.HEAD, schema.HEAD, ())
    assert status.current
    assert schema.upgrade(url(tmp_path / "log.db")) == status


def test_a_changed_guard_is_seen(tmp_path):
    """A trigger of the same name that does nothing is not taken for the guard."""
    empty_log(tmp_path / "log.db").close()
    connection = stranger(tmp_path / "log.db")
    connection.execute("DROP TRIGGER entry_no_delete")
    connection.execute("CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry BEGIN SELECT 1; END")
    assert schema.status(url(tmp_path / "log.db")).broken_guards == ("entry_no_delete",)


def test_migrations_make_the_tables(tmp_path):
    """What the migrations make is what the tables say, and HEAD is the newest migration."""
    empty_log(tmp_path / "log.db").close()
    connection = connect(url(tmp_path / "log.db"), Role.OWNER)
    assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    strict = dict(
        connection.exec_driver_sql("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'").all()
    )
    assert all(strict[table] for table in METADATA.tables)
    connection.close()
    configuration = Config()
    configuration.set_main_option("script_location", str(schema.migrations_folder()))
    assert ScriptDirectory.from_config(configuration).get_current_head() == schema.HEAD


def test_a_migration_that_fails_leaves_nothing(tmp_path, monkeypatch):
    """All steps are one transaction."""
    empty_log(tmp_path / "log.db").close()
    connection = stranger(tmp_path / "log.db")
    connection.execute("DELETE FROM alembic_version")
    before = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    with pytest.raises(LogError):
        schema.upgrade(url(tmp_path / "log.db"))
    assert connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall() == before


def test_opening_a_log_does_not_import_alembic(tmp_path):
    """Commands start quickly: alembic is imported only to migrate, cryptography only to sign."""
    empty_log(tmp_path / "log.db").close()
    program = (
        "import sys; from compliance.ledger.log import Log; from compliance.ledger import verify, proof, keys; "
        f"Log.open({url(tmp_path / 'log.db')!r}).close(); "
        "print([name for name in ('alembic', 'cryptography') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


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


def test_errors_nobody_foresaw_still_have_words(tmp_path):
    """An error of the driver without a known code becomes a LogError with its text, never a traceback."""
    error = in_words(sqlite3.ProgrammingError("odd"), tmp_path)
    assert isinstance(error, LogError)
    assert "odd" in error.message


def test_create_makes_a_private_working_file_only(tmp_path):
    """After `create` there is the database and nothing else but its own side files."""
    Log.create(url(tmp_path / "log.db"), ORIGIN, str(SIGNER.verifier)).close()
    assert {one.name for one in tmp_path.iterdir()} == {"log.db"}
