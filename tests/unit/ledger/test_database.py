"""Connections and their errors in people's words; the schema's version."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from compliance.errors import DatabaseError, InputError, LogError
from compliance.ledger import schema
from compliance.ledger.database import connect, in_words, place_of
from compliance.ledger.guards import GUARDS
from compliance.ledger.log import Log
from compliance.ledger.roles import Role
from compliance.ledger.tables import METADATA
from compliance.ledger.verify import State, verify
from tests.logs import ORIGIN, SIGNER, add

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


@pytest.mark.parametrize(
    "version, remedy", [("0000", "compliance db upgrade"), ("9999", "Update this software")]
)
def test_another_version(home, version, remedy):
    """An older schema is to be upgraded, a newer one needs newer software."""
    home.empty_log().close()
    home.stranger().execute("UPDATE alembic_version SET version_num = %s", (version,))
    with pytest.raises(DatabaseError) as refused:
        home.open()
    assert remedy in refused.value.remedy
    assert refused.value.exit_code == 4


def test_a_database_of_other_software(home):
    """A database without a log is not taken for one."""
    home.stranger().execute("CREATE TABLE a (b int)")
    with pytest.raises(DatabaseError, match="holds no audit log"):
        home.open()


def test_a_log_is_made_once(home):
    """A log is never made over another one, which stays as it is."""
    with home.empty_log() as log:
        add(log, 1)
    with pytest.raises(InputError, match="exists already"):
        Log.create(home.url, ORIGIN, str(SIGNER.verifier))
    with home.open() as log:
        assert log.size == 2


def test_status_and_upgrade(home):
    """A new database is at the newest version with all guards; upgrading it again changes nothing."""
    home.empty_log().close()
    status = schema.status(home.url)
    assert status == schema.Status(schema.HEAD, schema.HEAD, ())
    assert status.current
    assert schema.upgrade(home.url) == status


def test_a_log_of_the_first_schema_is_upgraded(home):
    """A log from before a table was added gets it, with its guards, and verifies as it did."""
    with home.empty_log() as log:
        add(log, 1, 2)
        root = log.root
    connection = home.stranger()
    for table in ("witnessed", "agenda", "duty", "duty_key"):
        connection.execute(f"DROP TABLE {table}")
    if home.dialect == "postgresql":
        connection.execute("DROP FUNCTION compliance_forward()")
    connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()
    with pytest.raises(DatabaseError, match="schema 0001"):
        home.open()
    assert schema.upgrade(home.url) == schema.Status(schema.HEAD, schema.HEAD, ())
    with home.open() as log:
        assert (log.root, verify(log).state) == (root, State.SELF_CONSISTENT)


def test_dropped_guards_are_seen(home):
    """Each trigger that is not there is named; put back, none is."""
    home.empty_log().close()
    connection = home.without_guards()
    assert set(schema.status(home.url).broken_guards) == set(GUARDS[home.dialect])
    home.put_guards_back(connection)
    assert schema.status(home.url).broken_guards == ()


def test_migrations_make_the_tables(home):
    """What the migrations make is what the tables say, and HEAD is the newest migration."""
    home.empty_log().close()
    connection = connect(home.url, Role.OWNER)
    assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    connection.close()
    configuration = Config()
    configuration.set_main_option("script_location", str(schema.migrations_folder()))
    assert ScriptDirectory.from_config(configuration).get_current_head() == schema.HEAD


def test_a_migration_that_fails_leaves_nothing(home):
    """All steps are one transaction."""
    home.empty_log().close()
    connection = home.stranger()
    connection.execute("DELETE FROM alembic_version")
    with pytest.raises((LogError, DatabaseError)):
        schema.upgrade(home.url)
    assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (0,)
    connection.execute("INSERT INTO alembic_version VALUES (%s)", (schema.HEAD,))
    assert schema.status(home.url) == schema.Status(schema.HEAD, schema.HEAD, ())


def test_opening_a_log_does_not_import_alembic(home):
    """Commands start quickly: alembic is imported only to migrate, cryptography only to sign."""
    home.empty_log().close()
    program = (
        "import sys; from compliance.ledger.log import Log; from compliance.ledger import verify, proof, keys; "
        f"Log.open({home.url!r}).close(); "
        "print([name for name in ('alembic', 'cryptography') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_errors_nobody_foresaw_still_have_words(tmp_path):
    """An error of the driver without a known code becomes a LogError with its text, never a traceback."""
    error = in_words(sqlite3.ProgrammingError("odd"), tmp_path)
    assert isinstance(error, LogError)
    assert "odd" in error.message
