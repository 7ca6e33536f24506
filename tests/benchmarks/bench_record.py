"""What recording costs, end to end, against what it cannot do without; ratios travel between machines, figures do not.

    python tests/benchmarks/bench_record.py [events] [earlier events] [rules]

With a number of rules only so many of the shipped ones are in force, taken evenly from the whole list: what the way itself costs, and what the rules
add to it.

All is measured in one run and in turns of a thousand events, so that a busy machine slows every side alike:

* `record`: NDJSON bytes through intake, both evaluators under the shipped policies, index rows, tree and commit, onto an empty log;
* the same bytes recorded onto a log that holds earlier fortnights of the same clinics;
* a bare SQLAlchemy Core insert of the same rows into the same tables without triggers or tree: of the entries alone, and of all rows
  that recording writes (entries, and the rows of both indexes);
* ``compliance check`` of one event as a whole process, against ``python -c "import sqlalchemy, click"``.
"""

from __future__ import annotations

import gc
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Table, insert

from cli.application import COLLECTED_AFTER
from compliance.domain.event import Event
from compliance.domain.findings import decision_json
from compliance.domain.lookup import key_of, lookup_keys
from compliance.domain.making import make_event
from compliance.domain.time import parse_instant
from compliance.engine.judging import Judge
from compliance.engine.sight import FOREVER
from compliance.intake.json_lines import read_json
from compliance.ledger.database import Role, connect
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.ledger.tables import ASKED_KEY, ENTRY, EVENT_KEY, METADATA
from compliance.policy.bundle import bundle_from_documents
from compliance.record import BATCH, Recorder
from tests.benchmarks.replicas import earlier, fortnight, handles, ndjson, replica
from tests.logs import empty_log, url
from tests.recording import draft, put_in_force, record, shipped

ROOT = Path(__file__).resolve().parents[2]
TURNS = 9
WEEK = 7 * 86_400_000_000
PAST_ALL = 1_900_000_000_000_000
CLINICS = 22  # pairs of clinics: as many as 20,000 events have


class Timer:
    """Wall and CPU seconds of one side."""

    def __init__(self) -> None:
        self.wall = 0.0
        self.cpu = 0.0

    def time(self, work: Callable[[], Any]) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu
        return result

    def add(self, other: Timer) -> None:
        self.wall += other.wall
        self.cpu += other.cpu


@lru_cache(maxsize=4)
def library(rules: int | None) -> Judge:
    """The shipped policies, or so many of their rules."""
    judge = shipped()
    if rules is None:
        return judge
    documents = dict(judge.bundle.documents)
    names = sorted(documents["rules"])
    kept = {names[at * len(names) // rules] for at in range(rules)}
    documents["rules"] = {name: documents["rules"][name] for name in kept}
    return Judge(bundle_from_documents(documents))


def main(count: int, before: int, rules: int | None) -> None:
    gc.set_threshold(*COLLECTED_AFTER)  # as every command does
    judge = library(rules)
    print(f"{len(judge.bundle.rules)} rules in force")
    lines = ndjson(count)
    with tempfile.TemporaryDirectory() as folder:
        warm(judge, Path(folder, "warm.db"))
        began = time.perf_counter()
        long = long_log(Path(folder, "long.db"), judge, before)
        print(f"a log of {long.size:,} entries made in {time.perf_counter() - began:.0f} s", flush=True)
        against_insert_and_long_log(Path(folder), judge, lines, long)
        long.close()
        check_one_event(Path(folder, "check.db"), judge)


def warm(judge: Judge, path: Path) -> None:
    """Compile what is compiled on first use, which no side of a comparison should pay for."""
    with empty_log(path) as log:
        record(log, judge, *(draft(body) for body in fortnight()))


def against_insert_and_long_log(folder: Path, judge: Judge, lines: list[bytes], long: Log) -> None:
    raw = b"\n".join(lines)
    sides = {name: Timer() for name in ("record", "on the long log", "bare insert", "with index rows")}
    bare = connect(url(folder / "bare.db"), Role.OWNER, create=True)
    METADATA.create_all(bare)
    bare.commit()

    def insert_bare(*tables: tuple[Table, list[dict[str, Any]]]) -> None:
        gc.disable()  # nothing of ours that lives in this process should slow the side that needs none of it
        bare.exec_driver_sql("BEGIN IMMEDIATE")
        for table, rows in tables:
            if rows:
                bare.execute(insert(table), rows)
        bare.commit()
        gc.enable()

    with opened(empty_log(folder / "empty.db")) as log:
        seen: dict[Table, set[tuple[int, ...]]] = {EVENT_KEY: set(), ASKED_KEY: set()}
        empty_log_batches = Recorder(log, judge).submit(read_json("bench", io.BytesIO(raw)))
        long_log_batches = Recorder(long, judge).submit(read_json("bench", io.BytesIO(raw)))
        written, results = 1, 0
        for _ in range(0, len(lines), BATCH):
            results += len(sides["record"].time(lambda: next(empty_log_batches)))
            sides["on the long log"].time(lambda: next(long_log_batches))
            rows = [entry._asdict() for entry in log.entries(written)]
            written += len(rows)
            sides["bare insert"].time(partial(insert_bare, (ENTRY, rows)))
            added = [(table, new_rows(log, table, known)) for table, known in seen.items()]
            sides["with index rows"].time(partial(insert_bare, *added))
        size = sum(len(line) for line in lines) // len(lines)
        print(
            f"{len(lines):,} events of {size} bytes, {written - 1:,} entries, {results - len(lines):,} judged again, in batches of {BATCH:,}"
        )
    bare.close()
    sides["with index rows"].add(sides["bare insert"])
    for name, side in sides.items():
        print(
            f"  {name:16} {len(lines) / side.wall:8,.0f}/s  {len(lines) / side.cpu:8,.0f}/CPU s  {side.wall / len(lines) * 1e6:6.0f} us each"
        )
    told("record / bare insert of all its rows", sides["with index rows"], sides["record"], 0.1)
    told("record / bare insert of its entries alone", sides["bare insert"], sides["record"], 0.1)
    told("on the long log / on an empty one", sides["record"], sides["on the long log"], 0.8)


def opened(log: Log) -> Log:
    """The log with a clock that is past all events: what is told before it happens is a finding, and not what is measured."""
    log.close()
    return Log.open(log.url, write=True, clock=lambda: PAST_ALL)


def new_rows(log: Log, table: Table, known: set[tuple[int, ...]]) -> list[dict[str, Any]]:
    """The rows of an index that were added since it was last asked, in the order in which recording inserts them."""
    rows = {tuple(row) for row in log.driver.execute(f"SELECT * FROM {table.name}")} - known
    known |= rows
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in sorted(rows)]


def told(what: str, one: Timer, other: Timer, target: float) -> None:
    print(f"  {what}: {one.wall / other.wall:.2f} (CPU {one.cpu / other.cpu:.2f}), wanted at least {target}")


def long_log(path: Path, judge: Judge, count: int) -> Log:
    """A log of earlier fortnights of the clinics that `ndjson` has, appended without being judged.

    Each event has the look-up rows that recording would give it, and the decision and the asked keys of its original.
    """
    log = opened(empty_log(path))
    bodies = fortnight()
    originals = [orjson.dumps(body) for body in bodies]
    judged = list(judgements(judge, path.with_name("originals.db"), bodies))
    clinics = [list(replica(originals, number)) for number in range(1, CLINICS + 1)]
    # All of it occurred before anything in the batch: what is measured is a long past, not an import that judges the past again.
    instants = [parse_instant(body["occurred_at"]) for body in bodies]
    span = (max(instants) - min(instants)) // WEEK + 1
    fortnights = (
        (weeks, number) for weeks in range(span, span + 10_000, 2) for number in range(1, CLINICS + 1)
    )
    while log.size < count:
        weeks, number = next(fortnights)
        shift = weeks * WEEK
        with log.writing() as batch:
            for line, (decision, asked) in zip(
                earlier(clinics[number - 1], number, weeks), judged, strict=True
            ):
                event = make_event(orjson.loads(line))
                assert isinstance(event, Event), event
                batch.append(
                    "event",
                    {"event": event.body, "decision": decision},
                    keys=[key_of(*key) for key in lookup_keys(event.kind, event.values)],
                    asked=[
                        (
                            key_of(kind, field, renamed(value, number, weeks)),
                            looked_until(event, kind, until, shift),
                        )
                        for kind, field, value, until in asked
                    ],
                )
    return log


def looked_until(event: Event, kind: str, until: int, shift: int) -> int:
    """The last instant looked at, moved with the event; only the first events of a clinic wait for its profile, whenever it comes."""
    if until < FOREVER:
        return until - shift
    return event.occurred_at if kind == "site_profile" else until


def renamed(value: str, clinic: int, weeks: int) -> str:
    """The value of an asked key, as it is called in an earlier fortnight of a clinic."""
    all_of_them, of_a_visit = handles()
    if value.encode() not in all_of_them:
        return value
    return f"{value}.{clinic}.{weeks}" if value.encode() in of_a_visit else f"{value}.{clinic}"


def judgements(
    judge: Judge, path: Path, bodies: list[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], list[tuple[str, str, str, int]]]]:
    """The decision on each event of the fortnight, and what was asked for it."""
    with empty_log(path) as log:
        record(log, judge, *(draft(body) for body in bodies))
        history = LogHistory(log)
        for body in bodies:
            sent = history.sent(body["id"])
            assert sent is not None
            judgement = judge.judge(sent, history)
            yield (
                decision_json(judgement.decision),
                [(a.kind, a.field, a.value, a.until) for a in judgement.asked],
            )


def check_one_event(path: Path, judge: Judge) -> None:
    """The whole process, in turns with an interpreter that only imports two libraries nobody can do without."""
    with empty_log(path) as log:
        put_in_force(log, judge.bundle)
        record(log, judge, *(draft(body) for body in fortnight()))
    last = max(fortnight(), key=lambda body: parse_instant(body["occurred_at"]))
    administration = next(body for body in reversed(fortnight()) if body["kind"] == "administration")
    event = path.with_name("event.json")
    event.write_bytes(orjson.dumps({**administration, "id": "bench-1", "occurred_at": last["occurred_at"]}))
    script = Path(sys.executable).with_name("compliance")
    check = [str(script)] if script.exists() else [sys.executable, "-c", "from cli.main import main; main()"]
    check += ["--database", url(path), "check", str(event)]
    bare = [sys.executable, "-c", "import sqlalchemy, click"]
    seconds: dict[str, list[float]] = {"compliance check": [], "imports alone": []}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COMPLIANCE_")}
    for turn in range(TURNS + 1):
        for name, command in (("compliance check", check), ("imports alone", bare)):
            began = time.perf_counter()
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True)
            if done.returncode not in (0, 1):
                raise SystemExit(done.stderr.decode())
            if turn:  # the first fills the file caches
                seconds[name].append(time.perf_counter() - began)
    for name, each in seconds.items():
        print(f"  {name:16} {statistics.median(each) * 1000:6.0f} ms (median of {TURNS})")
    ratio = statistics.median(seconds["compliance check"]) / statistics.median(seconds["imports alone"])
    print(f"  check / imports alone: {ratio:.2f}, wanted at most 3")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    main(*(numbers + [20_000, 400_000][len(numbers) :])[:2], numbers[2] if len(numbers) > 2 else None)
