"""Several processes on one log: they wait for each other, lose nothing and leave no gap; who waits too long is told; readers are in nobody's way."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import pytest
from click.testing import CliRunner

from cli.main import application
from compliance.errors import DatabaseError
from compliance.ledger.log import Log
from compliance.ledger.verify import State, verify
from tests.homes import SqliteHome
from tests.ledger_faults.appending_driver import EACH
from tests.ledger_faults.clinic import ROOT, day, in_force
from tests.logs import add

PROCESSES = 8
BATCHES = {"sqlite": 15, "postgresql": 15}


def append_at_once(home, *more):
    """Receipts (number to idx) of all processes, and what was refused."""
    home.empty_log().close()
    words = [home.url, str(PROCESSES), str(BATCHES[home.dialect]), *more]
    done = subprocess.run(
        [sys.executable, "-m", "tests.ledger_faults.appending_driver", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [line.split(maxsplit=3) for line in done.stdout.splitlines()]
    receipts = {int(line[2]): int(line[3]) for line in lines if line[0] == "receipt"}
    return receipts, [line for line in lines if line[0] == "refused"]


def contents(home):
    """Number to idx, of a log that verifies and has no gap."""
    with home.open() as log:
        assert verify(log).state is State.SELF_CONSISTENT
        entries = list(log.entries())
    assert [entry.idx for entry in entries] == list(range(len(entries)))
    assert all(one.recorded_us < other.recorded_us for one, other in pairwise(entries))
    return {int(entry.event_id[2:]): entry.idx for entry in entries[1:]}


def test_eight_processes_at_once(home):
    """Every batch gets in, whole and once; nobody is refused."""
    receipts, refused = append_at_once(home)
    assert refused == []
    assert len(receipts) == PROCESSES * BATCHES[home.dialect] * EACH
    assert contents(home) == receipts
    whole = sorted(receipts.items())
    assert all(
        [idx for _, idx in whole[start : start + EACH]]
        == list(range(whole[start][1], whole[start][1] + EACH))
        for start in range(0, len(whole), EACH)
    ), "the entries of a batch stand together"


def test_without_the_write_lock_batches_are_refused(home):
    """The mutant: two who read the same head want the same idx; the database lets one in and refuses the other. The log is good even then."""
    receipts, refused = append_at_once(home, "without-lock")
    assert refused
    assert len(receipts) + EACH * len(refused) == PROCESSES * BATCHES[home.dialect] * EACH
    assert contents(home) == receipts


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("compliance.ledger.on_sqlite.BUSY_SECONDS", 0.3)
    monkeypatch.setattr("compliance.ledger.on_postgresql.BUSY_SECONDS", 0.3)


HOLD = (
    "import sys; from compliance.ledger.log import Log\n"
    "with Log.open(sys.argv[1], write=True) as log, log.writing(): print('held', flush=True); sys.stdin.read()"
)


def test_a_lock_that_another_process_holds_for_long(home, tmp_path, impatient):
    """Exit 4 and "locked" after the time there is for waiting; reading goes on meanwhile, and recording once the other has finished."""
    in_force(home)
    (tmp_path / "day.ndjson").write_bytes(day(3))
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, home.url], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    try:
        assert holder.stdout.readline() == "held\n"
        words = ["--database", home.url, "record", str(tmp_path / "day.ndjson")]
        result = CliRunner().invoke(application, words)
        assert result.exit_code == 4
        assert "locked" in result.stderr
        assert "nothing was written" in result.stderr
        assert CliRunner().invoke(application, ["--database", home.url, "log", "verify"]).exit_code == 0
    finally:
        holder.stdin.close()
        holder.wait(20)
        holder.stdout.close()
    assert CliRunner().invoke(application, words).exit_code == 0


def test_a_writer_that_was_refused_can_write_later(home, impatient):
    """The same connection, after the lock was free again: nothing of the failed attempt is in its way."""
    with home.empty_log() as one, home.open(write=True) as two:
        with one.writing():
            for _ in range(2):
                with pytest.raises(DatabaseError, match="locked"):
                    add(two, 1)
        add(two, 1)
        add(one, 2)
        assert two.size == 3


def test_a_reader_with_a_long_transaction(home):
    """Who writes does not wait for who reads, and who reads sees one state however much is written."""
    with home.empty_log() as writer, home.open() as reader:
        add(writer, 0)
        with reader.reading():
            before = [entry.idx for entry in reader.entries()]
            for batch in range(1, 40):
                add(writer, *range(batch * 10, batch * 10 + 10))
            assert [entry.idx for entry in reader.entries()] == before
            assert verify(reader).size == 2
        assert reader.size == writer.size == 392


def test_the_write_ahead_log_grows_while_somebody_reads_and_is_used_again_afterwards(tmp_path):
    """On SQLite a long reader keeps the write-ahead log from being emptied; that costs space, and ends with the reader."""
    home = SqliteHome(tmp_path)
    beside = tmp_path / "log.db-wal"
    with home.empty_log() as writer:
        with Log.open(home.url) as reader, reader.reading():
            assert reader.size == 1
            for batch in range(60):
                add(writer, *range(batch * 50, batch * 50 + 50))
            grown = beside.stat().st_size
        for batch in range(60, 70):
            add(writer, *range(batch * 50, batch * 50 + 50))
        assert beside.stat().st_size <= grown + 1_000_000
        assert grown > 5_000_000
        writer.driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert beside.stat().st_size == 0
        assert verify(writer).state is State.SELF_CONSISTENT
