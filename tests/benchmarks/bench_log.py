"""What appending, looking up, verifying and proving cost; ratios travel between machines, figures do not.

    python tests/benchmarks/bench_log.py [entries]

Appending through the log is compared with a bare SQLAlchemy Core ``executemany`` of the same rows into the same tables without
triggers, tree or canonical bytes, on PostgreSQL also with a binary COPY of them, all with durable commits, in turns, so that a
busy machine slows all. The best turn of each counts; beside it stands the median of the ratios of turns that lay side by side.
"""

from __future__ import annotations

import gc
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from cli.application import COLLECTED_AFTER
from compliance.ledger.checkpoint import Checkpoint
from compliance.ledger.log import Log
from compliance.ledger.proof import prove
from compliance.ledger.tree import frontier_of, inclusion_proof
from compliance.ledger.verify import verify
from compliance.ledger.walk import Side
from tests.benchmarks.synthetic import (
    KEYS,
    ORIGIN,
    PATIENTS,
    SIGNER,
    append,
    bare_database,
    bare_rows,
    copy_bare,
    create,
    create_at,
    insert_bare,
    keys_of,
)
from tests.homes import Home, PostgresHome, SqliteHome
from tests.servers import Server


def main(entries: int) -> None:
    gc.set_threshold(*COLLECTED_AFTER)  # as every command does
    for kind in ("sqlite", "postgresql"):
        for keys in (False, True):
            print(
                f"appending, {kind}, {KEYS if keys else 'no'} look-up keys an entry; bare: the same rows, no protection"
            )
            for rows in (1, 10, 100, 1000):
                appending(kind, rows, keys=keys)
    for keys in (False, True):
        verifying(entries, keys=keys)


def appending(kind: str, rows: int, *, keys: bool) -> None:
    """A turn is a hundred rows, or one commit where that is more."""
    commits = max(1, 100 // rows)
    turn, turns = rows * commits, 20 if rows == 1 else 40
    bare_ways = {"bare": insert_bare} if kind == "sqlite" else {"bare": insert_bare, "copy": copy_bare}
    wall: dict[str, list[float]] = {name: [] for name in ("log", *bare_ways)}
    cpu: dict[str, list[float]] = {name: [] for name in wall}
    with ExitStack() as places:
        log = places.enter_context(create_at(places.enter_context(place(kind)).url))
        bare = {name: bare_database(places.enter_context(place(kind))) for name in bare_ways}
        for start in range(0, turn * turns, turn):
            starts = range(start, start + turn, rows)
            measure("log", partial(appended, log, starts, rows, keys), wall, cpu)
            ready = [bare_rows(log, at, at + rows, keys=keys) for at in starts]
            for name, insert in bare_ways.items():
                measure(name, partial(inserted, insert, bare[name], ready), wall, cpu)
        for connection in bare.values():
            connection.close()
    print(f"  {rows:5} rows a commit: log {turn / min(wall['log']):7.0f}/s", end="")
    for name in bare_ways:
        beside = statistics.median(b / a for a, b in zip(wall["log"], wall[name], strict=True))
        best = min(wall[name]) / min(wall["log"])
        print(f", {name} {turn / min(wall[name]):7.0f}/s, ratio {best:.2f} (median {beside:.2f}", end="")
        print(f", CPU {min(cpu[name]) / min(cpu['log']):.2f})" if kind == "sqlite" else ")", end="")
    print()


@cache
def durable_server() -> Server:
    """Not the tests' own, which does not wait for the disk."""
    server = Server()
    server.start()
    return server


@contextmanager
def place(kind: str) -> Iterator[Home]:
    with tempfile.TemporaryDirectory() as folder:
        home: Home = PostgresHome(durable_server()) if kind == "postgresql" else SqliteHome(Path(folder))
        yield home
        home.remove()


def appended(log: Log, starts: range, rows: int, keys: bool) -> None:
    for at in starts:
        append(log, at, at + rows, keys=keys)


def inserted(
    insert: Callable[[Connection, list[Any], list[Any]], None],
    bare: Connection,
    ready: list[tuple[list[Any], list[Any]]],
) -> None:
    for entries, rows in ready:
        insert(bare, entries, rows)


def verifying(entries: int, *, keys: bool) -> None:
    with tempfile.TemporaryDirectory() as folder, create(f"{folder}/log.db") as log:
        for start in range(0, entries, 1000):
            append(log, start, start + 1000, keys=keys)
        size = len(log.body(entries // 2))
        print(f"{entries} entries of {size} bytes, {KEYS if keys else 'no'} look-up keys each")
        asked = keys_of if keys else None
        before = log.size - entries // 10
        note = SIGNER.sign(Checkpoint(ORIGIN, before, frontier_of(log.subtrees, before).root()).text)
        for name, count, work in (
            ("one process", entries, lambda: verify(log, keys_of=asked)),
            ("two processes", entries, lambda: verify(log, keys_of=asked, side=Side(2))),
            ("since", entries // 10, lambda: verify(log, keys_of=asked, since=note)),
        ):
            cpu = sum(os.times()[:4])
            best = min(timed(work) for _ in range(3))
            cpu = (sum(os.times()[:4]) - cpu) / 3
            print(f"  verify, {name:14} {count / best:9.0f}/s  {count / cpu:9.0f}/CPU s")
        best = min(timed(lambda: prove(log, entries // 3, SIGNER)) for _ in range(20))
        print(f"  proof, signed         {best * 1e6:9.0f} us")
        best = min(timed(lambda: inclusion_proof(log.subtrees, entries // 3, entries)) for _ in range(20))
        print(f"  proof, its path alone {best * 1e6:9.0f} us")
        print(
            f"  file                  {Path(folder, 'log.db').stat().st_size / entries:9.0f} bytes per entry"
        )
        if keys:
            look_ups(log, entries)


def look_ups(log: Log, entries: int) -> None:
    keys = [hash((patient, key)) for patient in range(PATIENTS) for key in range(KEYS)]
    with log.writing():
        for name, look in (
            ("key_scan, newest", lambda at: next(log.key_scan(keys[at % 4000]))),
            ("by_event_id", lambda at: log.by_event_id(f"e-{at % entries:08}")),
            ("body", lambda at: log.body(at % entries)),
            ("asked_scan, none", lambda at: log.asked_scan(at, 0)),
        ):
            turns = []
            for _ in range(5):
                began = time.perf_counter()
                for at in range(2000):
                    look(at)
                turns.append((time.perf_counter() - began) / 2000)
            print(f"  {name:16} {min(turns) * 1e6:5.1f} us")


def measure(
    name: str, work: Callable[[], Any], wall: dict[str, list[float]], cpu: dict[str, list[float]]
) -> None:
    began, cpu_began = time.perf_counter(), time.process_time()
    work()
    wall[name].append(time.perf_counter() - began)
    cpu[name].append(time.process_time() - cpu_began)


def timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
