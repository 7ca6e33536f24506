"""What a log is made of is never an input: its database, its vault and their keys, under whatever name they are given."""

from __future__ import annotations

import os
import shutil

import pytest

from compliance.ledger.own_files import BEGINNING, kind_of_content, own_files
from tests.cli.conftest import DAY, SITE

OWN = {
    "clinic.db": "the log's database", "clinic.db.key": "the log's signing key", "clinic.db.vault": "the log's identity vault",
    "clinic.db.vault.key": "the key of the log's identity vault",
}  # fmt: skip


def entries(clinic):
    return clinic.run("log", "verify", "--output", "json").stdout


def secret(clinic):
    return (clinic.folder / "clinic.db.key").read_text().strip().encode()


def nowhere_kept(clinic):
    """Whether the signing key is in no file but its own and those that a test calls a key."""
    files = [path for path in clinic.folder.rglob("*") if path.is_file() and "key" not in path.name]
    assert files
    return not any(secret(clinic) in path.read_bytes() for path in files)


@pytest.mark.parametrize("verb", ["record", "check"])
@pytest.mark.parametrize("name", OWN)
def test_a_file_of_the_log_is_refused_under_any_name(clinic, verb, name, monkeypatch):
    """By its name, a symbolic and a hard link, in every format, and beside what could be read; nothing is recorded or kept."""
    monkeypatch.chdir(clinic.folder)
    before = entries(clinic)
    (clinic.folder / "link-to-key").symlink_to(name)
    os.link(clinic.folder / name, clinic.folder / "hard-key")
    good = clinic.file(*DAY)
    for words in (
        (name,), ("link-to-key",), ("hard-key",), (good, name), ("--format", "fhir", "hard-key"),
        ("--format", "csv", "--kind", "administration", "link-to-key"),
    ):  # fmt: skip
        done = clinic.run(verb, *words)
        assert done.exit_code == 2 and f"is {OWN[name]}, not events" in done.stderr
    assert entries(clinic) == before and nowhere_kept(clinic)


def test_a_file_of_the_log_is_refused_as_standard_input(clinic):
    """A shell opens it; it is the same file."""
    with (clinic.folder / "clinic.db.key").open("rb") as key:
        done = clinic.process("record", "-", stdin=key)
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        2,
        "error: <stdin> is the log's signing key, not events",
    )


def test_the_other_files_of_a_log_are_its_own(clinic):
    """A key that waits or signed before, a witness's, and what SQLite writes beside a database; also where a link leads to it."""
    (clinic.folder / "clinic.db.key.0a0b0c0d.retired").write_text("x")
    (clinic.folder / "linked.db").symlink_to("clinic.db")
    names = {own.path.name for own in own_files(f"sqlite:///{clinic.database}")}
    assert names == {
        *OWN, "clinic.db.key.next", "clinic.db.key.0a0b0c0d.retired", "clinic.db.witness.key",
        *(f"clinic.db{end}{more}" for end in ("", ".vault") for more in ("-wal", "-shm", "-journal")),
    }  # fmt: skip
    assert {"clinic.db-wal", "linked.db-wal"} <= {
        own.path.name for own in own_files(f"sqlite:///{clinic.folder / 'linked.db'}")
    }


@pytest.mark.parametrize(
    ("variable", "what"),
    [
        ("COMPLIANCE_KEY", "the log's signing key"),
        ("COMPLIANCE_VAULT_KEY", "the key of the log's identity vault"),
    ],
)
def test_keys_that_lie_elsewhere_are_the_logs_own(clinic, monkeypatch, variable, what):
    """The environment says where; the content need not tell."""
    (clinic.folder / "incoming").mkdir()
    elsewhere = clinic.folder / "incoming" / "elsewhere"
    elsewhere.write_text("in no form that is known\n")
    monkeypatch.setenv(variable, str(elsewhere))
    done = clinic.run("record", elsewhere)
    assert done.exit_code == 2 and f"elsewhere is {what}, not events" in done.stderr
    done = clinic.run("record", "--watch", clinic.folder / "incoming", "--once")
    assert done.exit_code == 2 and f"elsewhere, {what}, belongs there" in done.stderr
    assert list((clinic.folder / "incoming").iterdir()) == [elsewhere]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PRIVATE+KEY+a+b+c\n", "a signing key"), (b"\xef\xbb\xbf\n PRIVATE+KEY+a", "a signing key"),
        (b"compliance-vault-key-v1 00", "the key of an identity vault"), (b"SQLite format 3\x00more", "a SQLite database"),
        (b"\x37\x7f\x06\x82more", "a SQLite write-ahead log"), (b"\x37\x7f\x06\x83", "a SQLite write-ahead log"),
        (b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", "a SQLite rollback journal"), (b"", None), (b'{"id": "PRIVATE+KEY+"}', None),
        (b"SQLite format 3 is a format", None), (b"PK\x03\x04", None),
    ],
)  # fmt: skip
def test_what_begins_as_a_key_or_a_database_is_known(content, what):
    assert kind_of_content(content[:BEGINNING]) == what


@pytest.mark.parametrize("words", [(), ("--format", "fhir"), ("--format", "csv", "--kind", "administration")])
def test_a_copy_of_a_key_or_another_logs_is_no_input(clinic, words):
    """Known by its content, in a file, beside other files and through a pipe."""
    before = entries(clinic)
    other = clinic.folder / "other-key"
    shutil.copy(clinic.folder / "clinic.db.key", other)
    for files, stdin in (((other,), None), ((other, clinic.file(*DAY)), None), (("-",), other.read_bytes())):
        done = clinic.run("record", *words, *files, stdin=stdin)
        assert done.exit_code == 2 and "is a signing key, not events" in done.stderr
    assert entries(clinic) == before and nowhere_kept(clinic)


def test_a_pipe_of_events_is_read_from_its_beginning(clinic):
    """Looking at the beginning takes nothing away."""
    reading, writing = os.pipe()
    os.write(writing, clinic.file(*DAY).read_bytes())
    os.close(writing)
    done = clinic.run("record", f"/dev/fd/{reading}")
    os.close(reading)
    assert "3 events recorded" in done.stdout


@pytest.mark.parametrize("watched", [".", "link", ".."])
def test_a_folder_in_which_the_log_lies_is_not_watched(clinic, watched, monkeypatch):
    """Nor one above it, nor under another name; nothing is touched."""
    monkeypatch.chdir(clinic.folder)
    (clinic.folder / "link").symlink_to(clinic.folder)
    before = sorted(clinic.folder.iterdir())
    done = clinic.run("record", "--watch", watched, "--once")
    assert (
        done.exit_code == 2 and "cannot be watched: clinic.db" in done.stderr and "what to do:" in done.stderr
    )
    assert sorted(clinic.folder.iterdir()) == before


def test_a_key_or_a_database_that_is_dropped_goes_to_problems(clinic):
    """With a report, and nothing of its content in report or log; in a folder of files it keeps all of them out. The log's own is left alone."""
    incoming = clinic.folder / "incoming"
    (incoming / "bulk.ready").mkdir(parents=True)
    shutil.copy(clinic.file(SITE), incoming / "bulk.ready" / "a.ndjson")
    shutil.copy(clinic.folder / "clinic.db.key", incoming / "bulk.ready" / "z-key")
    shutil.copy(clinic.folder / "clinic.db.key", incoming / "b-key")
    shutil.copy(clinic.database, incoming / "c.ndjson")
    os.link(clinic.database, incoming / "d.ndjson")
    before = entries(clinic)
    done = clinic.run("record", "--watch", incoming, "--once", "--settle", "PT0.02S")
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "problems/b-key: 0 events recorded; b-key is a signing key, not events",
        "problems/bulk.ready: 0 events recorded; bulk.ready/z-key is a signing key, not events",
        "problems/c.ndjson: 0 events recorded; c.ndjson is a SQLite database, not events",
    ]
    assert done.stderr == "warning: d.ndjson is left: it is the log's database; it is tried again\n"
    (incoming / "d.ndjson").unlink()
    assert entries(clinic) == before and nowhere_kept(clinic)
