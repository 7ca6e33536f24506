"""The command line on a real PostgreSQL: the same commands, the same answers; and the three roles."""

from __future__ import annotations

import json

import psycopg
import pytest

from compliance.ledger.agenda import AgendaTables, DutyRow
from compliance.ledger.guards import GUARDS
from compliance.ledger.log import Log
from tests.cli.conftest import DAY, LEFT_IN_TIME, POLICIES, lines
from tests.homes import PostgresHome, server_connection, url_of


@pytest.fixture
def schema(monkeypatch, tmp_path):
    monkeypatch.setenv("COMPLIANCE_KEY", str(tmp_path / "clinic.key"))
    monkeypatch.setenv("COMPLIANCE_VAULT_KEY", str(tmp_path / "site.key"))
    home = PostgresHome()
    yield home
    home.remove()


@pytest.fixture
def there(clinic, schema):
    """The commands of a clinic whose log is in PostgreSQL."""

    def run(*words, **more):
        return clinic.run("--database", schema.url, *words, **more)

    assert run("init", "--site", "S1", "--policies", POLICIES).exit_code == 0
    return run


def test_a_day_is_recorded_and_verified(there, day, schema):
    """init, record, events, findings, verify, checkpoint, prove: as on a file, with the same verdicts."""
    path = day.file(*DAY)
    recorded = [(one["event"], one["verdict"]) for one in lines(there("record", "--output", "json", path))]
    assert recorded == [("e1", "compliant"), ("e2", "compliant"), ("e3", "violation")]
    again = lines(there("record", "--output", "json", path))
    assert [one["entry"] for one in again] == [3, 4, 5]
    assert [f["rule"] for f in lines(there("findings", "--output", "json"))] == [
        f["rule"] for f in lines(day.run("findings", "--output", "json"))
    ]
    note = day.folder / "note.txt"
    assert there("log", "checkpoint", "--out", note).exit_code == 0
    verified = there("log", "verify", "--checkpoint", note)
    assert (verified.exit_code, verified.stdout.splitlines()[0]) == (0, "anchored")
    assert there("log", "prove", "e3", "--out", day.folder / "e3.proof").exit_code == 0


def test_init_never_touches_a_log_that_is_there(there, schema):
    """A second init is refused, says so, and changes nothing."""
    with Log.open(schema.url) as log:
        before = log.head
    again = there("init", "--site", "S1", "--policies", POLICIES)
    assert again.exit_code == 2
    assert "exists already" in again.stderr
    with Log.open(schema.url) as log:
        assert log.head == before


def test_an_init_that_fails_leaves_no_table(clinic, schema, monkeypatch):
    """What goes wrong after the tables were made takes them away again, with the key."""

    def fail(*_):
        raise RuntimeError("on the way")

    monkeypatch.setattr("compliance.setup.store", fail)
    result = clinic.run("--database", schema.url, "init", "--site", "S1", "--policies", POLICIES)
    assert result.exit_code != 0
    with schema.stranger() as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()")
        assert tables.fetchone() == (0,)
    assert not (clinic.folder / "clinic.key").exists()


@pytest.mark.parametrize(
    "url, words",
    [
        ("postgresql://nobody@/clinic?host=/nowhere", "cannot be reached"),
        ("postgresql://x:hunter2@localhost:1/clinic", "cannot be reached"),
    ],
)
def test_a_server_that_is_not_there_exits_4_without_the_password(clinic, url, words):
    """The message names the place and what to do, never the password."""
    result = clinic.run("--database", url, "log", "verify")
    assert result.exit_code == 4
    assert words in result.stderr
    assert "hunter2" not in result.output


def test_backup_and_restore_between_databases(there, day, schema):
    """A backup of a PostgreSQL log is a file that verifies as the log does; it can become a log in PostgreSQL again."""
    there("record", day.file(*DAY))
    note, file, other = day.folder / "note.txt", day.folder / "backup.db", PostgresHome()
    there("log", "checkpoint", "--out", note)
    assert there("db", "backup", file).exit_code == 0
    assert day.run("--database", file, "log", "verify", "--checkpoint", note).exit_code == 0
    restored = day.run("--database", other.url, "--output", "json", "db", "restore", file, "--against", note)
    assert restored.exit_code == 0, restored.output
    assert json.loads(restored.stdout)["answer"] == "anchored"
    assert day.run("--database", other.url, "log", "verify", "--checkpoint", note).exit_code == 0
    other.remove()


# ---- roles


@pytest.fixture
def logins(there, schema):
    """A recorder and an auditor with the rights that ``db roles --apply`` gives; the server's superuser applies it."""
    assert there("db", "roles", "--apply").exit_code == 0
    with server_connection() as connection:
        for login, role in (("recorder", "compliance_writer"), ("auditor", "compliance_reader")):
            connection.execute(
                f"DO $$ BEGIN CREATE ROLE {login} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
            )
            connection.execute(f"GRANT {role} TO {login}")
    return {login: url_of(schema.schema, user=login) for login in ("recorder", "auditor")}


def test_roles_prints_what_apply_does(there, schema):
    """Run by hand in psql, the printed SQL gives the same rights."""
    printed = there("db", "roles")
    assert printed.exit_code == 0
    with schema.stranger() as connection:
        connection.execute(printed.stdout)
        granted = connection.execute(
            "SELECT privilege_type FROM information_schema.role_table_grants "
            "WHERE grantee = 'compliance_writer' AND table_name = 'entry' AND table_schema = current_schema() ORDER BY 1"
        ).fetchall()
    assert granted == [("INSERT",), ("SELECT",)]


def test_a_writer_records_and_a_reader_reads(clinic, logins):
    """Each login does its work; the reader's attempt to record is refused with the reason, and nothing is written."""
    day = clinic.file(*DAY)
    assert clinic.run("--database", logins["recorder"], "record", day).exit_code == 1
    assert clinic.run("--database", logins["auditor"], "log", "verify").exit_code == 0
    assert clinic.run("--database", logins["auditor"], "findings").exit_code == 1
    refused = clinic.run("--database", logins["auditor"], "record", clinic.file(LEFT_IN_TIME))
    assert refused.exit_code == 4
    assert "db roles" in refused.stderr


def test_words_go_to_the_vault_with_a_writers_rights(clinic, logins, schema):
    """A writer stores them, a reader can check with them and not change them, and neither may take the vault's tables away."""
    event = {**LEFT_IN_TIME, "reason": "entered late"}
    assert clinic.run("--database", logins["recorder"], "record", clinic.file(event)).exit_code in (0, 1)
    assert clinic.run(
        "--database", logins["auditor"], "check", clinic.file({**event, "id": "other"})
    ).exit_code in (0, 1)
    vault = f"{schema.schema}_vault"
    for login, statement in (
        ("recorder", "DROP TABLE text"), ("recorder", "TRUNCATE text"), ("auditor", "DELETE FROM text"), ("auditor", "UPDATE state SET erasures = 9"),
    ):  # fmt: skip
        connection = server_connection(vault, user=login)
        with connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET site = 'x'", "DELETE FROM entry", "TRUNCATE entry", "DROP TABLE entry", "ALTER TABLE entry ADD COLUMN x int",
        "DROP TRIGGER entry_no_delete ON entry", "ALTER TABLE entry DISABLE TRIGGER ALL", "SET session_replication_role = replica",
        "CREATE TRIGGER t BEFORE INSERT ON entry EXECUTE FUNCTION compliance_refuse()", "CREATE TABLE other (a int)",
        "CREATE OR REPLACE FUNCTION compliance_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "UPDATE alembic_version SET version_num = '0000'", "UPDATE quarantine SET raw = ''",
    ],
)  # fmt: skip
@pytest.mark.parametrize("login", ["recorder", "auditor"])
def test_a_login_can_do_no_more_than_its_role(logins, schema, login, statement):
    """What a role was not given, the database refuses for want of the right, before any trigger is asked."""
    connection = server_connection(schema.schema, user=login)
    with connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_the_owner_s_login_appends_only(logins, schema):
    """A command that records takes the writer's role even where the login owns the tables: only a migration acts as owner."""
    with Log.open(schema.url, write=True) as log, pytest.raises(psycopg.errors.InsufficientPrivilege):
        log.driver.execute("DROP TABLE entry")


def test_without_roles_the_owner_s_login_could(there, schema):
    """The mutant: where the roles were never made, the same login drops the table."""
    with Log.open(schema.url, write=True) as log:
        log.driver.execute("DROP TABLE entry")
        assert log.driver.execute("SELECT to_regclass('entry')").fetchone() == (None,)


def test_an_upgrade_keeps_owner_and_rights(logins, schema, clinic):
    """Tables that a migration makes belong to the owner's role and are granted like the others."""
    with schema.stranger() as connection:
        for table in ("witnessed", "agenda", "duty", "duty_key"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DROP FUNCTION compliance_forward()")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    upgraded = clinic.run("--database", schema.url, "db", "upgrade")
    assert upgraded.exit_code == 0, upgraded.output
    with Log.open(logins["recorder"], write=True) as log, log.writing() as batch:
        batch.witness("other.example/log", 1, bytes(32), "note")
        AgendaTables(log).put([DutyRow(1, "rule", "event", "open")], [(1, 2, 3)])
        AgendaTables(log).clear()
    with schema.stranger() as connection:
        owner = connection.execute(
            "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = to_regclass('witnessed')"
        )
        assert owner.fetchone() == ("compliance_owner",)
    assert set(GUARDS["postgresql"]) >= {"witnessed_forward"}


def test_a_file_has_no_roles(clinic):
    """On SQLite the command says what does the same there."""
    result = clinic.run("db", "roles")
    assert result.exit_code == 2
    assert "file" in result.stderr


def test_erasing_needs_the_owner(there, logins, clinic, monkeypatch):
    """A writer cannot rewrite the tables, so bytes of the erased would stay in their files: refused before anything is written."""
    person = json.loads(there("person", "add", "--name", "Jane Example", "--output", "json").stdout)["person"]
    words = ("person", "erase", person, "--request", "R1", "--reason", "asked")
    refused = clinic.run("--database", logins["recorder"], *words)
    assert refused.exit_code == 4
    assert "compliance_owner" in refused.stderr
    assert person in there("person", "list").stdout
    assert there(*words).exit_code == 0
    assert person not in there("person", "list").stdout


def test_a_login_without_a_role_is_told_so(there, logins, schema, clinic):
    """Who may not look into the schema is told which role is missing, and not that there is no log."""
    with server_connection() as connection:
        connection.execute(
            "DO $$ BEGIN CREATE ROLE nobody_ LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )
    result = clinic.run("--database", url_of(schema.schema, user="nobody_"), "log", "verify")
    assert result.exit_code == 4
    assert "compliance_reader" in result.stderr
