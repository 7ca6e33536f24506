"""Killed at any moment: the log verifies, and whoever saw a receipt finds the event in it (audit-log.md, "Sequencing and durability")."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from compliance.ledger.log import Log
from compliance.ledger.verify import State
from compliance.verifying import verify_log
from tests.ledger_faults.recording_driver import RULES, events
from tests.logs import empty_log, url
from tests.recording import judge, record, standing

ROOT = Path(__file__).resolve().parents[2]
KILLS = 50
SEED = 20261122


@contextmanager
def driver():
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.ledger_faults.recording_driver"], cwd=ROOT, text=True, bufsize=1,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


@pytest.fixture
def path(tmp_path):
    with empty_log(tmp_path / "log.db") as log:
        return Path(log.name)


def contents(path) -> dict[str, int]:
    """Event id to idx, of a log that verifies and holds every id once."""
    with Log.open(url(path)) as log:
        answer = verify_log(log)
        assert answer.state is State.SELF_CONSISTENT, answer.reason
        found = [(entry.event_id, entry.idx) for entry in log.entries() if entry.type == "event"]
    assert len(found) == len(dict(found))
    return dict(found)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """How all stands when nothing goes wrong."""
    with empty_log(tmp_path_factory.mktemp("whole") / "log.db") as log:
        record(log, judge(*RULES), *events(SEED))
        return standing(log)


def test_fifty_kills_lose_nothing_that_was_acknowledged(path, uninterrupted):
    """SIGKILL at fifty random moments of one long `record`: each time the log verifies and holds every receipt that was seen, and
    recording again goes on to where it would have come without."""
    rng = random.Random(SEED)
    acknowledged: dict[str, int] = {}
    killed = 0
    with driver() as process:

        def round_(batches: int | None) -> None:
            """Record, until so many batches of new events were acknowledged and a random moment more."""
            nonlocal killed
            process.stdin.write(f"{SEED} {path}\n\n")
            process.stdin.flush()
            child, new, doomed = 0, 0, False
            for line in process.stdout:
                word, *rest = line.split()
                if word == "began":
                    child = int(rest[0])
                elif word == "receipt":
                    assert acknowledged.setdefault(rest[1], int(rest[2])) == int(rest[2])
                    new += int(rest[3])
                elif word == "ended":
                    assert int(rest[0]) == child
                    assert int(rest[1]) == (signal.SIGKILL if batches is not None else 0)
                    killed += batches is not None
                else:
                    return
                if batches is not None and not doomed and child and new >= batches * 20:
                    time.sleep(rng.uniform(0, 0.02))
                    os.kill(child, signal.SIGKILL)
                    doomed = True

        for _ in range(KILLS):
            round_(rng.choice([0, 1, 1, 2, 3]))
            assert acknowledged.items() <= contents(path).items()
        assert killed == KILLS
        assert len(acknowledged) < len(uninterrupted), (
            "all was recorded before the last kill: take more events"
        )
        round_(None)
    assert contents(path) == acknowledged
    with Log.open(url(path)) as log:
        assert standing(log) == uninterrupted


def test_a_kill_between_a_commit_and_its_receipts(path, uninterrupted):
    """What was committed and never acknowledged is in the log: recording again gives its receipts and writes the rest."""
    receipts: dict[str, bool] = {}
    with driver() as process:
        process.stdin.write(f"{SEED}! {path}\n\n")
        process.stdin.flush()
        lines = list(iter(process.stdout.readline, "idle\n"))
        assert [line.split()[0] for line in lines] == ["began", "ended"]
        assert int(lines[1].split()[2]) == signal.SIGKILL
        unseen = contents(path)
        assert unseen
        process.stdin.write(f"{SEED} {path}\n\n")
        process.stdin.flush()
        for line in iter(process.stdout.readline, "idle\n"):
            word, *rest = line.split()
            if word == "receipt":
                receipts[rest[1]] = rest[3] == "1"
    assert {name for name, new in receipts.items() if not new} == set(unseen)
    with Log.open(url(path)) as log:
        assert standing(log) == uninterrupted


def test_two_processes_that_record_the_same_file_at_once(path, uninterrupted):
    """Both wait for each other's batches: nothing is lost, nothing is there twice, and both get the same receipts."""
    receipts: dict[str, dict[str, tuple[int, bool]]] = {}
    with driver() as process:
        process.stdin.write(f"{SEED} {path}\n{SEED} {path}\n\n")
        process.stdin.flush()
        for line in process.stdout:
            word, *rest = line.split()
            if word == "receipt":
                receipts.setdefault(rest[0], {})[rest[1]] = (int(rest[2]), rest[3] == "1")
            elif word == "ended":
                assert rest[1] == "0"
            elif word == "idle":
                break
    one, other = receipts.values()
    there = contents(path)
    assert (
        {name: idx for name, (idx, _) in one.items()}
        == {name: idx for name, (idx, _) in other.items()}
        == there
    )
    assert all(one[name][1] != other[name][1] for name in there), (
        "each event is new for exactly one of the two"
    )
    with Log.open(url(path)) as log:
        assert standing(log) == uninterrupted
