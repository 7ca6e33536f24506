"""What appending, looking up and verifying cost; ratios travel between machines, figures do not.

    python tests/benchmarks/bench_log.py [entries]

Appending through the log is compared with a bare SQLAlchemy Core bulk insert of the same rows into the same guarded table, in turns,
so that a busy machine slows both; the best turn of each counts.
"""

from __future__ import annotations

import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from compliance.ledger import schema
from compliance.ledger.database import Role, connect
from compliance.ledger.log import Log
from compliance.ledger.note import Signer
from compliance.ledger.proof import prove
from compliance.ledger.tables import ENTRY
from compliance.ledger.verify import verify

BATCH = 1000


def event(number: int) -> dict[str, Any]:
    return {
        "id": f"e-{number:08}", "kind": "administration", "occurred_at": "2026-03-02T09:00:00-06:00",
        "site": "site-1", "actor": "staff-77", "patient": f"p-{number % 500}", "session": f"t-{number // 9}",
        "drug": "esketamine_nasal_28mg", "dose_mg": "56", "completed_at": "2026-03-02T09:05:00-06:00",
    }  # fmt: skip


DECISION = {
    "verdict": "violation", "bundle": "sha256:" + "a" * 64, "case": "sha256:" + "b" * 64, "engine": "durable",
    "findings": [{"rule": "rems-monitor-2h", "outcome": "fail", "severity": "deny", "because": {}}],
}  # fmt: skip


def append(log: Log, start: int, keys: int) -> None:
    with log.writing() as batch:
        for number in range(start, start + BATCH):
            batch.append(
                "event",
                {"event": event(number), "decision": DECISION},
                keys=[hash((number % 500, key)) for key in range(keys)],
            )


def insert_bare(connection: Connection, rows: list[dict[str, Any]]) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    connection.execute(insert(ENTRY), rows)
    connection.commit()


def main(entries: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        signer = Signer.generate("example.com/log")
        log = Log.create(f"sqlite:///{folder}/log.db", "example.com/log", str(signer.verifier))
        with_keys = Log.create(f"sqlite:///{folder}/keys.db", "example.com/log", str(signer.verifier))
        bare_url = f"sqlite:///{folder}/bare.db"
        schema.upgrade(bare_url, create=True)
        bare = connect(bare_url, Role.OWNER)
        wall: dict[str, list[float]] = {"log": [], "log, 8 keys": [], "bare insert": []}
        cpu: dict[str, list[float]] = {name: [] for name in wall}
        for start in range(0, entries, BATCH):
            measure("log", partial(append, log, start, 0), wall, cpu)
            measure("log, 8 keys", partial(append, with_keys, start, 8), wall, cpu)
            rows = [{**entry._asdict(), "idx": entry.idx - 1} for entry in log.entries(start + 1)]
            measure("bare insert", partial(insert_bare, bare, rows), wall, cpu)
        size = len(log.body(entries // 2))
        print(f"{entries} entries of {size} bytes in batches of {BATCH}, best turn")
        for name in wall:
            print(f"  {name:12} {BATCH / min(wall[name]):9.0f}/s  {BATCH / min(cpu[name]):9.0f}/CPU s")
        print(f"  log / bare insert: {min(wall['bare insert']) / min(wall['log']):.2f}", end="")
        print(f" (CPU {min(cpu['bare insert']) / min(cpu['log']):.2f})")
        look_ups(with_keys, entries)
        best = min(timed(lambda: verify(log)) for _ in range(5))
        print(f"  verify       {entries / best:9.0f}/s")
        best = min(timed(lambda: prove(log, entries // 3, signer)) for _ in range(20))
        print(f"  proof        {best * 1e6:9.0f} us")
        print(f"  file         {Path(folder, 'log.db').stat().st_size / entries:9.0f} bytes per entry")
        for one in (log, with_keys, bare):
            one.close()


def look_ups(log: Log, entries: int) -> None:
    keys = [hash((number % 500, key)) for number in range(500) for key in range(8)]
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


def measure(name: str, work: Any, wall: dict[str, list[float]], cpu: dict[str, list[float]]) -> None:
    began, cpu_began = time.perf_counter(), time.process_time()
    work()
    wall[name].append(time.perf_counter() - began)
    cpu[name].append(time.process_time() - cpu_began)


def timed(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
