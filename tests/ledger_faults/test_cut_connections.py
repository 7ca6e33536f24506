"""The connection to PostgreSQL is cut: before COMMIT gets there, after it did and before the answer, and in the middle of the rows."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import compliance.record
from cli.main import application
from compliance.bundles import Bundles
from compliance.errors import DatabaseError
from compliance.ledger.log import Log
from compliance.ledger.on_postgresql import PostgresDriver
from compliance.record import Recorder
from tests.homes import PostgresHome
from tests.ledger_faults.clinic import BATCH, EVENTS, contents, day, in_force, receipts, recorded_again
from tests.ledger_faults.proxy import Wire
from tests.recording import drafts

COMMIT = b"COMMIT\x00"
ROWS = b"dose-"  # an event's id, in the rows and nowhere else


@pytest.fixture
def home(monkeypatch):
    monkeypatch.setattr(compliance.record, "BATCH", BATCH)
    place = PostgresHome()
    yield in_force(place)
    place.remove()


def record(url, folder):
    """Exit status, receipts, words of ``compliance record``."""
    (folder / "day.ndjson").write_bytes(day())
    result = CliRunner().invoke(
        application, ["--database", url, "record", "--output", "json", str(folder / "day.ndjson")]
    )
    return result.exit_code, receipts(result.stdout), result.stderr


@pytest.mark.parametrize("batch", [1, 2, 4])
@pytest.mark.parametrize("passed_on", [False, True], ids=["before it arrived", "after it arrived"])
def test_cut_at_a_commit(home, tmp_path, batch, passed_on):
    """The error does not pretend to know which way it went, and says what to do; doing it gives every receipt, and nothing twice."""
    with Wire(home.url, COMMIT, batch, passed_on=passed_on) as wire:
        status, acknowledged, said = record(wire.url, tmp_path)
        assert wire.was_cut
    assert status == 4, said
    assert "all of it is in the log, or nothing" in said
    assert "Run the same command again" in said
    assert len(acknowledged) == (batch - 1) * BATCH
    assert len(contents(home)) == (batch - 1 + passed_on) * BATCH, (
        "the batch is there exactly where COMMIT arrived"
    )
    recorded_again(home, acknowledged, tmp_path)


@pytest.mark.parametrize("batch", [1, 4])
def test_cut_among_the_rows(home, tmp_path, batch):
    """What had not been committed is gone as a whole."""
    with Wire(home.url, ROWS, 2 * batch, passed_on=False) as wire:
        status, acknowledged, said = record(wire.url, tmp_path)
        assert wire.was_cut
    assert status == 4, said
    assert "the connection was lost" in said
    assert "nothing half-done was written" in said
    assert len(contents(home)) == len(acknowledged)
    assert len(acknowledged) % BATCH == 0
    recorded_again(home, acknowledged, tmp_path)


def test_cut_while_the_lock_is_asked_for(home, tmp_path):
    """The same before anything was written."""
    with Wire(home.url, b"pg_advisory_xact_lock", 3, passed_on=True) as wire:
        status, acknowledged, said = record(wire.url, tmp_path)
    assert status == 4, said
    assert len(acknowledged) == 2 * BATCH
    recorded_again(home, acknowledged, tmp_path)


def test_a_log_whose_connection_was_cut_says_so_again(home):
    """Whoever goes on with the same log object gets the error in words each time, not a fault of this software."""
    with Wire(home.url, COMMIT, 1, passed_on=False) as wire, Log.open(wire.url, write=True) as log:
        recorder = Recorder(log, Bundles(log).active())
        for _ in range(2):
            with pytest.raises(DatabaseError) as refused:
                list(recorder.submit(drafts([json.loads(line) for line in day().splitlines()[:3]])))
            assert refused.value.exit_code == 4
        with pytest.raises(DatabaseError, match="cannot be reached, or the connection was lost"):
            _ = log.size
    assert contents(home) == {}


def test_without_words_for_it_a_cut_commit_promises_too_much(home, tmp_path, monkeypatch):
    """The mutant: reported as any lost connection, a COMMIT that did arrive would be said to have left nothing."""
    monkeypatch.setattr(PostgresDriver, "commit", lambda driver: driver.raw.execute("COMMIT"))
    with Wire(home.url, COMMIT, 1, passed_on=True) as wire:
        status, _, said = record(wire.url, tmp_path)
    assert status == 4
    assert "all of it is in the log, or nothing" not in said
    assert len(contents(home)) == BATCH
    assert EVENTS > BATCH
