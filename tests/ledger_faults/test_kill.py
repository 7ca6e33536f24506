"""Killed at any moment: the log verifies, and whoever saw a receipt finds the event in it (audit-log.md, "Sequencing and durability")."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import pytest

from compliance.ledger.verify import State
from compliance.verifying import verify_log
from tests.ledger_faults.recording_driver import RULES, events
from tests.recording import fresh_log, judge, record, standing

ROOT = Path(__file__).resolve().parents[2]
KILLS = {"sqlite": 50, "postgresql": 8}
PATIENTS = {"sqlite": 700, "postgresql": 150}
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
def made(home):
    """An empty log, closed."""
    home.empty_log().close()
    return home


def contents(home) -> dict[str, int]:
    """Event id to idx, of a log that verifies and holds every id once."""
    with home.open() as log:
        answer = verify_log(log)
        assert answer.state is State.SELF_CONSISTENT, answer.reason
        found = [(entry.event_id, entry.idx) for entry in log.entries() if entry.type == "event"]
    assert len(found) == len(dict(found))
    return dict(found)


@lru_cache
def standing_of(patients: int):
    """How all stands when nothing goes wrong."""
    with fresh_log() as log:
        record(log, judge(*RULES), *events(SEED, patients))
        return standing(log)


@pytest.fixture
def uninterrupted(made):
    return standing_of(PATIENTS[made.dialect])


def line(made, more="") -> str:
    """What the driver is told: which events, and where to."""
    return f"{SEED}/{PATIENTS[made.dialect]}{more} {made.url}\n"


def test_kills_lose_nothing_that_was_acknowledged(made, uninterrupted):
    """SIGKILL at many random moments of one long `record`: each time the log verifies and holds every receipt that was seen, and
    recording again goes on to where it would have come without."""
    rng = random.Random(SEED)
    acknowledged: dict[str, int] = {}
    killed = 0
    with driver() as process:

        def round_(batches: int | None) -> None:
            """Record, until so many batches of new events were acknowledged and a random moment more."""
            nonlocal killed
            process.stdin.write(line(made) + "\n")
            process.stdin.flush()
            child, new, doomed = 0, 0, False
            for said in process.stdout:
                word, *rest = said.split()
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

        for _ in range(KILLS[made.dialect]):
            round_(rng.choice([0, 1, 1, 2, 3]))
            assert acknowledged.items() <= contents(made).items()
        assert killed == KILLS[made.dialect]
        assert len(acknowledged) < len(uninterrupted), (
            "all was recorded before the last kill: take more events"
        )
        round_(None)
    assert contents(made) == acknowledged
    with made.open() as log:
        assert standing(log) == uninterrupted


def test_a_kill_between_a_commit_and_its_receipts(made, uninterrupted):
    """What was committed and never acknowledged is in the log: recording again gives its receipts and writes the rest."""
    receipts: dict[str, bool] = {}
    with driver() as process:
        process.stdin.write(line(made, "!") + "\n")
        process.stdin.flush()
        lines = list(iter(process.stdout.readline, "idle\n"))
        assert [line.split()[0] for line in lines] == ["began", "ended"]
        assert int(lines[1].split()[2]) == signal.SIGKILL
        unseen = contents(made)
        assert unseen
        process.stdin.write(line(made) + "\n")
        process.stdin.flush()
        for said in iter(process.stdout.readline, "idle\n"):
            word, *rest = said.split()
            if word == "receipt":
                receipts[rest[1]] = rest[3] == "1"
    assert {name for name, new in receipts.items() if not new} == set(unseen)
    with made.open() as log:
        assert standing(log) == uninterrupted


def test_two_processes_that_record_the_same_file_at_once(made, uninterrupted):
    """Both wait for each other's batches: nothing is lost, nothing is there twice, and both get the same receipts."""
    receipts: dict[str, dict[str, tuple[int, bool]]] = {}
    with driver() as process:
        process.stdin.write(2 * line(made) + "\n")
        process.stdin.flush()
        for said in process.stdout:
            word, *rest = said.split()
            if word == "receipt":
                receipts.setdefault(rest[0], {})[rest[1]] = (int(rest[2]), rest[3] == "1")
            elif word == "ended":
                assert rest[1] == "0"
            elif word == "idle":
                break
    one, other = receipts.values()
    there = contents(made)
    assert (
        {name: idx for name, (idx, _) in one.items()}
        == {name: idx for name, (idx, _) in other.items()}
        == there
    )
    assert all(one[name][1] != other[name][1] for name in there), (
        "each event is new for exactly one of the two"
    )
    with made.open() as log:
        assert standing(log) == uninterrupted
