"""What `policy impact` costs against what recording the same events cost; ratios travel between machines, figures do not.

    python tests/benchmarks/bench_impact.py [events]

One run records so many events of the demonstration's clinics under the shipped policies (NDJSON bytes through intake, both evaluators, index rows, tree, commit,
as `bench_record.py` does) and then holds policies against that log in which one rule, ten rules, or all rules mean something else, with as many processes as there are
processors; the whole of `Impact`, processes' start and new policies' typing included. A changed rule has a parameter, a threshold or a severity moved.
"""

from __future__ import annotations

import gc
import io
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from cli.application import COLLECTED_AFTER
from compliance.bundles import Bundles
from compliance.intake.json_lines import read_json
from compliance.ledger.log import Log
from compliance.policy.bundle import bundle_from_documents
from compliance.policy.model import Bundle
from compliance.processes import processors
from compliance.record import Recorder
from compliance.workbench.impact import Impact, Scope
from compliance.workbench.judging_again import Asked
from tests.benchmarks.bench_record import PAST_ALL, opened, warm
from tests.benchmarks.replicas import ndjson
from tests.logs import empty_log, url
from tests.recording import put_in_force, shipped

ONE = ("rems-monitor-2h",)
FIRST_TEN = 10
SEVERER = {"deny": "warn", "warn": "report", "report": "warn"}


def main(count: int, folder: Path) -> None:
    gc.set_threshold(*COLLECTED_AFTER)  # as every command does
    path = folder / "impact.db"
    if not path.exists():
        record(path, count)
    took, cpu_took = orjson.loads(path.with_suffix(".took").read_bytes())
    bundle = shipped().bundle
    judged = sorted(
        rule
        for rule, said in bundle.documents["rules"].items()
        if said.get("require") and not said.get("every")
    )
    tens = [judged[at * len(judged) // FIRST_TEN] for at in range(FIRST_TEN)]
    everything = list(bundle.documents["rules"])
    with Log.open(url(path)) as log:
        print(
            f"{count:,} events, {log.size:,} entries recorded in {took:.1f} s: {count / took:,.0f}/s ({cpu_took:.1f} CPU s); {processors()} processors",
            flush=True,
        )
        for name, rules in (
            ("nothing changed", ()),
            ("one rule", ONE),
            ("ten rules", tens),
            ("all rules", everything),
        ):
            held_against(log, name, changed(bundle, rules), took, cpu_took)


def record(path: Path, count: int) -> None:
    """Record so many events, and how long it took."""
    warm(shipped(), path.with_name("warm.db"))
    raw = b"\n".join(ndjson(count))
    with opened(empty_log(path)) as log:
        put_in_force(log, shipped().bundle)
        began, before = time.perf_counter(), time.process_time()
        for _ in Recorder(log, shipped()).submit(read_json("bench", io.BytesIO(raw))):
            pass
        path.with_suffix(".took").write_bytes(
            orjson.dumps([time.perf_counter() - began, time.process_time() - before])
        )


def changed(bundle: Bundle, rules: Any) -> Bundle:
    """The policies with other severities of some rules."""
    documents: dict[str, Any] = orjson.loads(orjson.dumps(bundle.documents))
    for rule in rules:
        otherwise: dict[str, Any] = documents["rules"][rule]["otherwise"]
        otherwise["severity"] = SEVERER[otherwise["severity"]]
    return bundle_from_documents(documents)


def held_against(log: Log, name: str, new: Bundle, took: float, cpu_took: float) -> None:
    began, before = time.perf_counter(), cpu()
    impact = Impact(log, Bundles(log, written=False), new, Scope(Asked(), PAST_ALL))
    largest = [0]
    count = sum(1 for _ in impact.differences(progress=lambda *_: largest.append(peak())))
    wall, used = time.perf_counter() - began, cpu() - before
    judged: Mapping[str, int] = impact.tally.judged
    print(
        f"  {name:16} {wall:7.1f} s ({used:.1f} CPU s), {took / wall:5.1f} times as fast as recording (CPU {cpu_took / used:.1f}); {judged['event']:,} events, "
        f"{judged['duty']:,} duties, {judged['night']:,} subjects judged, {count:,} differ, "
        f"at most {max(largest):,} MiB in a process",
        flush=True,
    )


def peak() -> int:
    """MiB that the largest of the processes that judge ever had."""
    files = [Path(f"/proc/{child.pid}/status") for child in multiprocessing.active_children()]
    told = [line for file in files if file.exists() for line in file.read_text().splitlines()]
    return max((int(line.split()[1]) // 1024 for line in told if line.startswith("VmHWM")), default=0)


def cpu() -> float:
    """CPU seconds of this process and of those that it has started and ended."""
    mine, theirs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return mine.ru_utime + mine.ru_stime + theirs.ru_utime + theirs.ru_stime


if __name__ == "__main__":
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    if len(sys.argv) > 2:
        main(events, Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as made:
            main(events, Path(made))
