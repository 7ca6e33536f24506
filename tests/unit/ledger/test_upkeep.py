"""Backups, and projections made anew."""

from __future__ import annotations

import pytest

from compliance.errors import DatabaseError, InputError
from compliance.ledger import schema
from compliance.ledger.checkpoint import checkpoint
from compliance.ledger.log import Log
from compliance.ledger.upkeep import backup, rebuild
from compliance.ledger.verify import State, verify
from tests.homes import unguarded
from tests.logs import SIGNER, add, keys_of, url


@pytest.fixture
def log(home):
    with home.empty_log() as made:
        add(made, *range(300))
        yield made


def test_a_backup_is_the_log_at_one_moment(log, home, tmp_path):
    """The copy verifies against a checkpoint of the original, even while a batch is open in it."""
    note = checkpoint(log, SIGNER)
    with home.open() as reader, log.writing() as batch:
        batch.append("nightly", {})
        batch.insert_waiting()
        backup(reader, tmp_path / "copy.db")
    with Log.open(url(tmp_path / "copy.db")) as copy:
        assert copy.size == 301
        assert verify(copy, [note], keys_of=keys_of).state is State.ANCHORED


def test_a_backup_replaces_nothing(log, home, tmp_path):
    """An existing file stays, and nothing half-made is left."""
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        backup(log, tmp_path / "copy.db")
    with pytest.raises(InputError, match="does not exist"):
        backup(log, tmp_path / "none" / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "mine"
    assert [one.name for one in tmp_path.glob(".*")] == []


def rows_of(log):
    return [
        (key, entry.occurred_us, entry.idx)
        for entry in log.entries()
        if entry.event_id
        for key in keys_of(entry.document())
    ]


def test_lost_rows_are_made_anew(log, home):
    """After a rebuild the index is what the entries call for, and the guards are back."""
    rows = rows_of(log)
    log.close()
    with unguarded(home) as connection:
        connection.execute("DELETE FROM event_key WHERE idx = 7")
    with home.open() as changed:
        assert verify(changed, keys_of=keys_of).index == 7
    rebuild(home.url, rows, [(5, 6, 7)])
    with home.open() as again:
        assert verify(again, keys_of=keys_of).state is State.SELF_CONSISTENT
        assert list(again.asked_scan(5, 0)) == [7]
        assert list(again.asked_scan(1000, 0)) == []
    assert schema.status(home.url).broken_guards == ()


def test_a_rebuild_that_fails_changes_nothing(log, home):
    """Rows, guards and all: one transaction."""

    def failing():
        yield (1, 2, 3)
        raise DatabaseError("no more rows", "")

    before = list(log.key_scan(1000))
    with pytest.raises(DatabaseError):
        rebuild(home.url, failing())
    assert list(log.key_scan(1000)) == before
    assert schema.status(home.url).broken_guards == ()


def test_a_rebuild_keeps_what_it_is_not_given(log, home):
    """Without rows for it, the index of what judgements looked at stays."""
    before = list(log.asked_scan(1000, 0))
    assert before
    rebuild(home.url, rows_of(log))
    assert list(log.asked_scan(1000, 0)) == before
