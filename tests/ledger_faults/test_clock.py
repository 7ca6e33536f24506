"""The clock jumps: recorded_at goes on strictly, across batches, logs opened anew, and processes, and nothing is refused for it."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise

import pytest

from compliance.ledger.batch import Batch
from compliance.ledger.log import Log
from compliance.ledger.verify import State, verify
from tests.ledger_faults.clinic import ROOT, contents, day, in_force
from tests.logs import BEGAN, add

HOUR = 3_600_000_000
JUMPS = {
    "hours back": [0, 1, -5 * HOUR, -5 * HOUR + 10, -4 * HOUR],
    "stands still": [0, 0, 0, 0, 0],
    "far ahead and back": [0, 400 * 24 * HOUR, 10, 20, 30],
    "back and forth": [HOUR, -HOUR, HOUR, -HOUR, 2 * HOUR],
}


def recorded(home):
    """The instants of all entries, of a log that verifies."""
    with home.open() as log:
        assert verify(log).state is State.SELF_CONSISTENT
        return [entry.recorded_us for entry in log.entries()]


def strictly_increasing(instants):
    return all(one < other for one, other in pairwise(instants))


@pytest.mark.parametrize("jumps", JUMPS.values(), ids=JUMPS)
def test_across_batches_of_one_log(home, jumps):
    """Each batch, and each entry in it, meets another clock."""
    home.empty_log().close()
    clock = iter([BEGAN + jump for jump in jumps for _ in range(3)])
    with Log.open(home.url, write=True, clock=lambda: next(clock)) as log:
        for number in range(5):
            add(log, *range(number * 3, number * 3 + 3))
    instants = recorded(home)
    assert len(instants) == 16
    assert strictly_increasing(instants)
    assert instants[-1] >= BEGAN + max(jumps)


@pytest.mark.parametrize("jumps", JUMPS.values(), ids=JUMPS)
def test_across_logs_opened_anew(home, jumps):
    """What was recorded last is read from the log, not remembered."""
    home.empty_log().close()
    for number, jump in enumerate(jumps):
        with Log.open(home.url, write=True, clock=lambda now=BEGAN + jump: now) as log:
            add(log, number * 2, number * 2 + 1)
    assert len(recorded(home)) == 11
    assert strictly_increasing(recorded(home))


def test_two_writers_with_different_clocks(home):
    """Each takes up where the other left off."""
    home.empty_log().close()
    with (
        Log.open(home.url, write=True, clock=lambda: BEGAN + HOUR) as ahead,
        Log.open(home.url, write=True, clock=lambda: BEGAN - HOUR) as behind,
    ):
        for number in range(6):
            add(ahead if number % 2 else behind, number)
    assert strictly_increasing(recorded(home))


AT = "import sys, time; now = int(sys.argv.pop(1)); time.time_ns = lambda: now; from cli.main import main; main()"


def test_across_processes(home, tmp_path):
    """`compliance record` on a machine whose clock is two hours slow, after one whose clock was right, refuses nothing."""
    in_force(home)
    lines = day().splitlines(keepends=True)
    now = 1_800_000_000_000_000_000
    for part, jump in enumerate((0, -2 * HOUR, HOUR, -30 * 24 * HOUR)):
        (tmp_path / "part.ndjson").write_bytes(b"".join(lines[part * 5 : part * 5 + 5]))
        done = subprocess.run(
            [sys.executable, "-c", AT, str(now + jump * 1000), "--database", home.url, "record", tmp_path / "part.ndjson"],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert len(contents(home)) == 20
    with home.open() as log:
        instants = [entry.recorded_us for entry in log.entries()]
    assert strictly_increasing(instants)
    assert instants[-1] - (now // 1000 + HOUR) in range(10)


def test_without_counting_on_the_order_would_break(home, monkeypatch):
    """The mutant: a log that took its clock's word would refuse to append, or record earlier than before."""
    home.empty_log().close()

    def as_the_clock_says(batch):
        batch._noted_us = batch._clock()
        return batch._noted_us

    monkeypatch.setattr(Batch, "next_recorded_at", as_the_clock_says)
    with Log.open(home.url, write=True, clock=lambda: BEGAN - HOUR) as log:
        with pytest.raises(ValueError, match="in order"):
            add(log, 1)
        assert log.size == 1
