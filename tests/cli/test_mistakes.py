"""What strangers and slips of the hand do around a log, and what is said about it."""

from __future__ import annotations

import os
import sqlite3
import stat

import pytest

from tests.homes import unguarded


@pytest.mark.parametrize("kind", ["BEFORE", "AFTER"])
def test_a_stranger_s_trigger_is_named(day, kind):
    """A trigger that this software did not make may swallow what is written: the log does not verify, and its name is said."""
    connection = sqlite3.connect(day.database)
    connection.execute(f"CREATE TRIGGER evil {kind} INSERT ON entry BEGIN SELECT RAISE(IGNORE); END")
    connection.close()
    verified = day.run("log", "verify")
    assert (verified.exit_code, verified.stdout.splitlines()[0]) == (3, "tampered")
    assert "evil" in verified.stdout
    status = day.run("db", "status")
    assert status.exit_code == 3
    assert "evil" in status.stdout


def test_a_stranger_s_trigger_is_named_on_each_database(home):
    """The same on PostgreSQL, where it may call a function of another schema."""
    from compliance.ledger.verify import State, verify

    home.empty_log().close()
    connection = home.stranger()
    if home.dialect == "postgresql":
        connection.execute(
            "CREATE FUNCTION pg_temp.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
        )
        connection.execute(
            "CREATE TRIGGER evil BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION pg_temp.swallow()"
        )
    else:
        connection.execute("CREATE TRIGGER evil BEFORE INSERT ON entry BEGIN SELECT RAISE(IGNORE); END")
    with home.open() as log:
        found = verify(log)
    connection.close()
    assert found.state is State.TAMPERED
    assert "evil" in found.reason


def test_no_password_in_program_logs(day):
    """`-vv` names the database without login and parameters."""
    result = day.run(
        "-v", "-v", "--database", "postgresql://rec:hunter2@localhost:1/x?password=hunter2", "log", "verify"
    )
    assert result.exit_code == 4
    assert "localhost" in result.stderr
    assert "hunter2" not in result.output


def test_links_and_pipes_are_written_through(day):
    """A link stays a link, and what it points to is written; a pipe stays a pipe."""
    (day.folder / "link").symlink_to("real.txt")
    assert day.run("log", "checkpoint", "--out", day.folder / "link").exit_code == 0
    assert (day.folder / "link").is_symlink()
    assert (day.folder / "real.txt").read_bytes()
    os.mkfifo(day.folder / "pipe")
    reader = os.open(day.folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert day.run("log", "checkpoint", "--out", day.folder / "pipe").exit_code == 0
    assert os.read(reader, 10)
    os.close(reader)
    assert stat.S_ISFIFO((day.folder / "pipe").stat().st_mode)


def test_a_file_that_never_ends_is_refused(day):
    """A device is not read until memory is full."""
    result = day.run("log", "verify", "--checkpoint", "/dev/zero")
    assert result.exit_code == 2
    assert "longer than" in result.stderr


def test_the_file_that_is_no_checkpoint_is_named(day):
    """Of several files the bad one is told."""
    good, bad = day.folder / "good.txt", day.folder / "bad.txt"
    day.run("log", "checkpoint", "--out", good)
    bad.write_bytes(b"\\xff\\x00")
    result = day.run("log", "verify", "--checkpoint", good, "--checkpoint", bad)
    assert result.exit_code == 2
    assert "bad.txt" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--database", ".", "init"),
        ("--database", ".", "log", "verify"),
        ("events", "list", "--limit", "99999999999999999999"),
    ],
)
def test_slips_are_wrong_calls(day, words):
    """A folder as a database, a number past all bounds: exit 2 in words, no fault of the software."""
    result = day.run(*words)
    assert result.exit_code == 2
    assert "Error" in result.stderr or "error" in result.stderr


def test_databases_and_backups_are_for_their_owner(day):
    """Both may hold input in the clear that could not be read."""
    assert day.run("db", "backup", day.folder / "backup.db").exit_code == 0
    for name in (day.folder / "backup.db", day.database):
        assert stat.S_IMODE(name.stat().st_mode) == 0o600, name


def test_guards_are_what_is_missing_not_strangers(home):
    """Without the guards their names are told, and no stranger is invented."""
    from compliance.ledger import schema

    home.empty_log().close()
    with unguarded(home):
        found = schema.status(home.url)
        assert found.broken_guards
        assert found.foreign_triggers == ()
