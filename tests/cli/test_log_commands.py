"""``compliance log`` and ``compliance db``."""

from __future__ import annotations

import json
import shutil
import sqlite3
from hashlib import sha256

import pytest

from compliance.ledger.note import Verifier
from compliance.ledger.proof import read_proof, verify_proof
from tests.cli.conftest import DAY, LEFT_IN_TIME, Clinic, lines

ANSWER_KEYS = ["answer", "size", "root", "checkpoints", "first_bad", "why"]


def verified(clinic: Clinic, *words: object):
    """Exit code and answer of log verify."""
    result = clinic.run("log", "verify", "--output", "json", *words)
    (answer,) = lines(result)
    assert list(answer) == ANSWER_KEYS
    return result.exit_code, answer


def checkpoint(clinic: Clinic, name: str = "checkpoint.txt"):
    """A checkpoint in a file."""
    path = clinic.folder / name
    assert clinic.run("log", "checkpoint", "--out", path).exit_code == 0
    return path


def tamper(clinic: Clinic, statement: str) -> None:
    """Change the database as its owner can: without the guards."""
    with sqlite3.connect(clinic.database) as connection:
        guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in guards:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
        for _, sql in guards:
            connection.execute(sql)
    connection.close()


def test_a_log_that_agrees_with_itself_is_self_consistent(day):
    """Without a checkpoint the answer is never more than self-consistent."""
    code, answer = verified(day)
    assert (code, answer["answer"]) == (0, "self-consistent")
    assert answer["size"] == 6
    assert day.run("log", "verify").stdout.splitlines()[0] == "self-consistent"


def test_a_log_that_continues_a_checkpoint_is_anchored(day):
    """A checkpoint from before is named with its size and date."""
    path = checkpoint(day)
    day.record(LEFT_IN_TIME)
    code, answer = verified(day, "--checkpoint", path, "--checkpoint", path)
    assert (code, answer["answer"]) == (0, "anchored")
    assert [one["size"] for one in answer["checkpoints"]] == [6, 6]
    assert verified(day, "--since", path)[1]["answer"] == "anchored"


def test_an_older_copy_is_rolled_back(day):
    """A log that is shorter than the checkpoint exits 3."""
    copy = day.folder / "older.db"
    shutil.copy2(day.database, copy)
    day.record(LEFT_IN_TIME)
    path = checkpoint(day)
    result = day.run("--database", copy, "log", "verify", "--checkpoint", path)
    assert result.exit_code == 3
    assert result.stdout.startswith("rolled back")


def test_going_on_from_an_older_copy_is_a_fork(day):
    """Another history of the same length exits 3."""
    copy = day.folder / "older.db"
    shutil.copy2(day.database, copy)
    day.record(LEFT_IN_TIME)
    path = checkpoint(day)
    other = Clinic(day.folder)
    file = other.file({**LEFT_IN_TIME, "id": "other"})
    day.run("--database", copy, "record", file)
    result = day.run("--database", copy, "log", "verify", "--checkpoint", path)
    assert result.exit_code == 3
    assert result.stdout.startswith("forked")


def test_a_changed_entry_is_tampered_with_its_index(day):
    """One changed byte is found, exits 3, and the first bad index is named."""
    tamper(
        day,
        "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), 'escort', 'nobody') AS BLOB) WHERE idx = 5",
    )
    code, answer = verified(day)
    assert (code, answer["answer"], answer["first_bad"]) == (3, "tampered", 5)


def test_a_missing_guard_is_told(day):
    """A trigger that was dropped makes the log tampered, and the status of the database exits 3."""
    with sqlite3.connect(day.database) as connection:
        (name,) = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchone()
        connection.execute(f"DROP TRIGGER {name}")
    connection.close()
    assert verified(day)[0] == 3
    result = day.run("db", "status", "--output", "json")
    assert result.exit_code == 3
    assert lines(result)[0]["broken_guards"] == [name]


@pytest.mark.parametrize("content", [b"", b"no note\n", b"\xff\xfe", b"a\n1\nb\n\n\xe2\x80\x94 x y\n"])
def test_a_file_that_is_no_checkpoint_is_a_wrong_call(day, content):
    """A checkpoint that cannot be read, or that no key of this log signed, exits 2 and is no answer."""
    path = day.folder / "note"
    path.write_bytes(content)
    result = day.run("log", "verify", "--checkpoint", path)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_raw_is_the_canonical_bytes_and_nothing_else(day):
    """--raw prints what was hashed: no newline, no words."""
    (shown,) = lines(day.run("log", "show", "5", "--output", "json"))
    raw = day.run("log", "show", "5", "--raw").stdout_bytes
    assert json.loads(raw) == shown["entry"]
    assert sha256(b"\0" + raw).hexdigest() == shown["leaf"]
    assert '"e3"' in day.run("log", "show", "5").stdout


def test_the_export_has_entry_n_on_line_n(day):
    """NDJSON to standard output and to a file are the same bytes."""
    out = day.folder / "log.ndjson"
    assert day.run("log", "export", "--out", out).exit_code == 0
    exported = out.read_bytes()
    assert day.run("log", "export").stdout_bytes == exported
    assert exported.splitlines()[5] == day.run("log", "show", "5", "--raw").stdout_bytes
    assert len(exported.splitlines()) == 6


@pytest.mark.parametrize("entry", ["e3", "5"])
def test_a_proof_is_verified_by_a_stranger(day, entry):
    """The proof file verifies with the log's verifier key and nothing else."""
    out = day.folder / "e3.proof"
    (told,) = lines(day.run("log", "prove", entry, "--out", out, "--output", "json"))
    proof = read_proof(out.read_text())
    assert (proof.index, told["idx"]) == (5, 5)
    assert verify_proof(proof, [Verifier.parse(told["vkey"])]).size == 6


def test_a_checkpoint_goes_to_standard_output_or_to_a_file(day):
    """Printed and written, it is the same log and size."""
    printed = day.run("log", "checkpoint").stdout
    assert printed.splitlines()[:3] == checkpoint(day).read_text().splitlines()[:3]
    (told,) = lines(day.run("log", "checkpoint", "--output", "json"))
    assert (told["size"], told["note"].splitlines()[1]) == (6, "6")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["log", "show", "99"], 2),
        (["log", "show", "-1"], 2),
        (["log", "show", "x"], 2),
        (["log", "prove", "nothing", "--out", "-"], 2),
        (["log", "prove", "5"], 2),
        (["log", "prove", "5", "--out", "no/such/folder/x"], 2),
        (["log", "verify", "--checkpoint", "nowhere"], 2),
        (["log", "verify", "--checkpoint", "."], 2),
        (["log", "checkpoint", "--out", "."], 2),
    ],
)
def test_wrong_calls_of_log(day, words, code):
    """Unknown entries and files that cannot be read or written exit 2, in words."""
    result = day.run(*words)
    assert result.exit_code == code
    assert result.stderr
    assert "Traceback" not in result.output


def test_without_its_key_no_checkpoint_is_signed(day):
    """A missing key is told with where it belongs; a key that everybody may read is refused."""
    key = day.folder / "clinic.db.key"
    key.chmod(0o644)
    assert day.run("log", "checkpoint").exit_code == 2
    key.unlink()
    result = day.run("log", "checkpoint")
    assert result.exit_code == 2
    assert "clinic.db.key" in result.stderr


def test_a_database_that_is_not_there_exits_4(day):
    """Every command that needs a log says that there is none, and how to make one."""
    for words in (
        ["record", day.file(*DAY)],
        ["check", day.file(*DAY)],
        ["log", "verify"],
        ["findings"],
        ["db", "status"],
        ["db", "upgrade"],
    ):
        result = day.run("--database", "nowhere.db", *words)
        assert result.exit_code == 4, words
        assert "compliance init" in result.stderr
    assert not (day.folder / "nowhere.db").exists()


@pytest.mark.parametrize("content", [b"Dear Sir or Madam,\n" * 99, b"SQLite format 3\0" + b"\xff" * 9000])
def test_a_file_that_is_no_database_exits_3(day, content):
    """A text as database, and a damaged one, are told as such; log verify calls it tampered."""
    broken = day.folder / "broken.db"
    broken.write_bytes(content)
    for words in (["findings"], ["record", day.file(*DAY)], ["db", "status"]):
        assert day.run("--database", broken, *words).exit_code == 3, words
    result = day.run("--database", broken, "log", "verify")
    assert result.exit_code == 3
    assert result.stdout.startswith("tampered")


def test_another_programs_database_exits_4(day):
    """A database without an audit log is not taken for one."""
    other = day.folder / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    assert day.run("--database", other, "findings").exit_code == 4
    assert day.run("--database", other, "db", "status").exit_code == 4
    assert day.run("--database", other, "db", "upgrade").exit_code == 4


@pytest.mark.parametrize(
    ("version", "remedy"), [("0000", "compliance db upgrade"), ("9999", "Update this software")]
)
def test_another_schema_exits_4_with_what_to_do(day, version, remedy):
    """A database of an older version asks for the upgrade, one of a newer for newer software."""
    tamper(day, f"UPDATE alembic_version SET version_num = '{version}'")
    result = day.run("findings")
    assert result.exit_code == 4
    assert remedy in result.stderr
    assert day.run("db", "status").exit_code == 4


def test_a_locked_database_exits_4(day, monkeypatch):
    """Another writer that does not finish is waited for, then told."""
    from compliance.ledger import on_sqlite

    monkeypatch.setattr(on_sqlite, "BUSY_SECONDS", 0.1)
    other = sqlite3.connect(day.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    result = day.run("record", day.file(LEFT_IN_TIME))
    other.execute("ROLLBACK")
    other.close()
    assert result.exit_code == 4
    assert "locked" in result.stderr


def test_status_upgrade_and_backup(day):
    """A current database needs no upgrade; a backup verifies like the original and never replaces a file."""
    assert day.run("db", "status").exit_code == 0
    assert lines(day.run("db", "upgrade", "--output", "json"))[0]["current"] is True
    copy = day.folder / "copy.db"
    assert day.run("db", "backup", copy).exit_code == 0
    assert day.run("--database", copy, "log", "verify", "--checkpoint", checkpoint(day)).exit_code == 0
    assert day.run("db", "backup", copy).exit_code == 2


@pytest.mark.parametrize("raw", [(), ("--raw",)])
def test_an_index_beyond_any_log_is_a_wrong_call(day, raw):
    """Beyond what SQLite counts to, too."""
    result = day.run("log", "show", 10**20, *raw)
    assert result.exit_code == 2
    assert "has no entry" in result.stderr
