"""Backups and how one is taken back: never silently to an earlier state."""

from __future__ import annotations

import json
import shutil
import sqlite3

import pytest

from tests.cli.conftest import DROVE_AWAY, LEFT_IN_TIME


@pytest.fixture
def kept(day):
    """A backup, a checkpoint of its state, and one of two entries later."""
    day.run("log", "checkpoint", "--out", day.folder / "then.txt")
    assert day.run("db", "backup", day.folder / "backup.db").exit_code == 0
    day.record(LEFT_IN_TIME, DROVE_AWAY)
    day.run("log", "checkpoint", "--out", day.folder / "now.txt")
    return day


def restore(clinic, *words):
    new, backup = clinic.folder / "new.db", clinic.folder / "backup.db"
    return clinic.run("--database", new, "db", "restore", backup, *words)


def test_a_backup_is_restored_and_the_restore_recorded(kept):
    """Held against the checkpoint of its time it is anchored; the log says that it was restored, and goes on."""
    done = restore(kept, "--against", kept.folder / "then.txt", "--output", "json")
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert (answer["answer"], answer["lost"], answer["key_present"]) == ("anchored", 0, False)
    new = kept.folder / "new.db"
    listed = kept.run("--database", new, "events", "list", "--kind", "system_event", "--output", "json")
    assert len(listed.stdout.splitlines()) == 1
    verified = kept.run("--database", new, "log", "verify", "--checkpoint", kept.folder / "then.txt")
    assert verified.exit_code == 0


def test_an_older_backup_is_refused(kept):
    """A checkpoint that knows more than the backup: refused with exit 3 and the number of entries, and nothing is made."""
    done = restore(kept, "--against", kept.folder / "then.txt", "--against", kept.folder / "now.txt")
    assert done.exit_code == 3
    assert "2 entries" in done.stderr
    assert not (kept.folder / "new.db").exists()


def test_without_the_refusal_the_roll_back_would_be_silent(kept, monkeypatch):
    """The mutant: without the check the older backup becomes the log, and every command is content with it."""
    monkeypatch.setattr("compliance.restoring._refuse", lambda *_: None)
    assert restore(kept, "--against", kept.folder / "now.txt").exit_code == 0
    assert kept.run("--database", kept.folder / "new.db", "log", "verify").exit_code == 0


def test_a_loss_can_be_accepted_with_a_reason(kept):
    """Then it is restored, the reason is in the vault, and the newer checkpoint goes on showing that entries are missing.

    The vault is put back first; without it nothing is restored that could not be recorded.
    """
    without = restore(kept, "--against", kept.folder / "now.txt", "--accept-loss", "the disk was lost")
    assert without.exit_code == 4
    assert not (kept.folder / "new.db").exists()
    for suffix in (".vault", ".vault.key"):
        shutil.copy2(f"{kept.database}{suffix}", kept.folder / f"new.db{suffix}")
    done = restore(
        kept, "--against", kept.folder / "now.txt", "--accept-loss", "the disk was lost on 3 March"
    )
    assert done.exit_code == 0, done.output
    assert "2 entries" in done.stdout
    new = kept.folder / "new.db"
    verified = kept.run("--database", new, "log", "verify", "--checkpoint", kept.folder / "now.txt")
    assert verified.exit_code == 3


def test_what_cannot_be_recorded_is_not_done(kept):
    """An actor that is no pseudonym is refused before anything is copied."""
    done = kept.run(
        "--database", kept.folder / "new.db", "db", "restore", kept.folder / "backup.db", "--without-checkpoint",
        "--actor", "no pseudonym",
    )  # fmt: skip
    assert done.exit_code == 2
    assert not (kept.folder / "new.db").exists()


def test_a_changed_backup_is_refused(kept):
    """A backup that does not verify is never restored, accepted loss or not."""
    connection = sqlite3.connect(kept.folder / "backup.db")
    connection.execute("DROP TRIGGER entry_no_update")
    connection.execute("UPDATE entry SET site = 'S2' WHERE idx = 4")
    connection.commit()
    connection.close()
    done = restore(kept, "--against", kept.folder / "then.txt", "--accept-loss", "whatever")
    assert done.exit_code == 3
    assert "tampered" in done.stderr


def test_a_log_that_is_there_is_never_replaced(kept):
    """The database that is in use is not a place to restore to."""
    before = kept.database.read_bytes()
    done = kept.run("db", "restore", kept.folder / "backup.db", "--against", kept.folder / "then.txt")
    assert done.exit_code == 2
    assert "exists already" in done.stderr
    assert kept.database.read_bytes() == before


@pytest.mark.parametrize("words", [(), ("--without-checkpoint", "--against", "then.txt")])
def test_one_must_say_what_it_is_held_against(kept, words):
    """Without a checkpoint nothing shows a roll back, so that is said, not assumed."""
    assert restore(kept, *words).exit_code == 2
    assert not (kept.folder / "new.db").exists()


def test_without_any_checkpoint(kept):
    """Said plainly, it is restored as self-consistent."""
    done = restore(kept, "--without-checkpoint")
    assert done.exit_code == 0
    assert "self-consistent" in done.stdout


def test_a_backup_stays_one_file(kept):
    """Reading it leaves nothing beside it."""
    assert kept.run("--database", kept.folder / "backup.db", "log", "verify").exit_code == 0
    assert {one.name for one in kept.folder.glob("backup.db*")} == {"backup.db"}
