"""What a log of ten million entries costs against a short one.

    python tests/benchmarks/bench_big_log.py [folder [entries]]

The log is made in the folder once (some 900 bytes an entry, several minutes for ten million) and used again the next time, a few
thousand entries longer. Without a folder, 200,000 entries in a temporary one.
"""

from __future__ import annotations

import gc
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cli.application import COLLECTED_AFTER
from compliance.ledger.checkpoint import Checkpoint
from compliance.ledger.log import Log
from compliance.ledger.tree import frontier_of, inclusion_proof
from compliance.ledger.verify import verify
from compliance.ledger.walk import Side
from tests.benchmarks.synthetic import ORIGIN, SIGNER, append, create

SHORT = 10_000
DAY = 30_000
TURN = 1000
TURNS = 20


def main(folder: Path, entries: int) -> None:
    gc.set_threshold(*COLLECTED_AFTER)  # as every command does
    path = build(folder, entries)
    print(f"{entries} entries, load {os.getloadavg()[0]:.1f}, {path.stat().st_size / 1e9:.1f} GB")
    for name in ("full", "since"):
        subprocess.run([sys.executable, __file__, name, str(path)], check=True)
    proofs(path)
    with tempfile.TemporaryDirectory(dir=folder) as other:
        appending(path, Path(other, "short.db"))


def build(folder: Path, entries: int) -> Path:
    path = folder / f"log-{entries}.db"
    if not path.exists():
        making, began = folder / "making.db", time.perf_counter()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{making}{suffix}").unlink(missing_ok=True)
        with create(str(making)) as log:
            for start in range(0, entries - 1, TURN):
                append(log, start, min(start + TURN, entries - 1))
        print(f"made at {entries / (time.perf_counter() - began):.0f}/s, {TURN} rows a commit")
        making.rename(path)
    return path


def verified(path: Path, *, whole: bool) -> None:
    """In a process of its own, so that its memory is its own."""
    with Log.open(f"sqlite:///{path}") as log:
        before = 0 if whole else max(1, log.size - DAY)
        note = SIGNER.sign(Checkpoint(ORIGIN, before, frontier_of(log.subtrees, before).root()).text)
        began, cpu_began = time.perf_counter(), cpu_seconds()
        answer = verify(log, side=Side(2)) if whole else verify(log, since=note, side=Side(2))
        took, cpu = time.perf_counter() - began, cpu_seconds() - cpu_began
        assert answer.good and answer.size == log.size, answer.reason
    memory = [
        resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    count = answer.size - before
    print(
        f"  verify, {'full' if whole else f'the last {DAY}'}: {took:.1f} s, {count / took:.0f}/s, {cpu:.1f} CPU s, {count / cpu:.0f}/CPU s; peak memory"
        f" {memory[0]:.0f} MiB, of a worker {memory[1]:.0f} MiB"
    )


def cpu_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    return sum(os.times()[:4])


def proofs(path: Path) -> None:
    """Paths of inclusion proofs for random entries, from the stored tiles."""
    chosen = random.Random(7)
    with Log.open(f"sqlite:///{path}") as log:
        size = log.size
        warm = [proved(log, chosen.randrange(size), size) for _ in range(2000)]
    cold = []
    for _ in range(200):
        forget(path)
        with Log.open(f"sqlite:///{path}") as log:
            cold.append(proved(log, chosen.randrange(size), size))
    for name, times in (("warm", warm), ("first after the file left the page cache", cold)):
        cut = statistics.quantiles(times, n=100)
        print(f"  inclusion path, {name}: p50 {cut[49] * 1e3:.2f} ms, p99 {cut[98] * 1e3:.2f} ms")


def proved(log: Log, index: int, size: int) -> float:
    began = time.perf_counter()
    inclusion_proof(log.subtrees, index, size)
    return time.perf_counter() - began


def forget(path: Path) -> None:
    """Ask the system to drop the file from its page cache (posix_fadvise); what lies below it may still remember."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)


def appending(path: Path, short: Path) -> None:
    """Turns of a thousand rows in one commit, on both logs in turns."""
    times: dict[str, list[float]] = {"long": [], "short": []}
    with create(str(short)) as log:
        for start in range(0, SHORT, TURN):
            append(log, start, start + TURN)
    with Log.open(f"sqlite:///{path}", write=True) as long, Log.open(f"sqlite:///{short}", write=True) as new:
        for _ in range(TURNS):
            for name, log in (("long", long), ("short", new)):
                start = log.size - 1
                began = time.perf_counter()
                append(log, start, start + TURN)
                times[name].append(time.perf_counter() - began)
        beside = statistics.median(b / a for a, b in zip(times["long"], times["short"], strict=True))
        print(
            f"  append: {TURN / min(times['long']):.0f}/s, on a log of {SHORT} {TURN / min(times['short']):.0f}/s,"
            f" ratio {min(times['short']) / min(times['long']):.2f} (median {beside:.2f})"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in {"full", "since"}:
        verified(Path(sys.argv[2]), whole=sys.argv[1] == "full")
    elif len(sys.argv) > 1:
        main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary), 200_000)
