"""A day to record, the command line in a process that can be disturbed, and what must hold of the log afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from compliance.ledger.verify import State
from compliance.verifying import verify_log
from tests.homes import Home
from tests.recording import MONITORED, body, bundle, put_in_force

ROOT = Path(__file__).resolve().parents[2]
BATCH = 5
SMALL_BATCHES = (
    f"import compliance.record as record; record.BATCH = {BATCH}; from cli.main import main; main()"
)
"""The console script, with so many commits that one of them is met."""

EVENTS = 200


@lru_cache
def day(events: int = EVENTS) -> bytes:
    """A file of events, one per line; all have ids of their own."""
    bodies = [body("administration", id=f"dose-{number}", session=f"T{number}") for number in range(events)]
    return b"".join(json.dumps(one).encode() + b"\n" for one in bodies)


def in_force(home: Home) -> Home:
    """A log with policies, closed."""
    with home.empty_log() as log:
        put_in_force(log, bundle(MONITORED))
    return home


def recording(url: str, folder: Path, events: int = EVENTS) -> subprocess.Popen[str]:
    """``compliance record`` of the day in a process of its own; its receipts are lines of JSON."""
    (folder / "day.ndjson").write_bytes(day(events))
    words = ["--database", url, "record", "--output", "json", str(folder / "day.ndjson")]
    return subprocess.Popen(
        [sys.executable, "-c", SMALL_BATCHES, *words], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
    )  # fmt: skip


def receipts(lines: str) -> dict[str, int]:
    """Event id to entry, of what the command printed."""
    printed: list[dict[str, Any]] = [json.loads(line) for line in lines.splitlines() if line.startswith("{")]
    found = {one["event"]: one["entry"] for one in printed}
    assert len(found) == len(printed)
    return found


def contents(home: Home) -> dict[str, int]:
    """Event id to entry, of a log that verifies, has no gap, and holds every event once."""
    with home.open() as log:
        answer = verify_log(log)
        assert answer.state is State.SELF_CONSISTENT, answer.reason
        entries = list(log.entries())
    assert [entry.idx for entry in entries] == list(range(len(entries)))
    found = [(entry.event_id, entry.idx) for entry in entries if entry.kind == "administration"]
    assert len(found) == len(dict(found))
    return {str(event): idx for event, idx in found}


def recorded_again(home: Home, acknowledged: dict[str, int], folder: Path, events: int = EVENTS) -> None:
    """Nothing acknowledged is lost; recording again gives the same receipts for it and completes the day; nothing is there twice."""
    assert acknowledged.items() <= contents(home).items()
    process = recording(home.url, folder, events)
    printed, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    again = receipts(printed)
    assert acknowledged.items() <= again.items()
    assert again == contents(home)
    assert len(again) == events
