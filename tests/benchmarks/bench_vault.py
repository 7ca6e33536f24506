"""What an identity vault costs recording: the same events with and without one, in turns of a thousand; ratios travel, figures do not.

    python tests/benchmarks/bench_vault.py [events]

Once as the clinics of the demonstration write them, and once with a reason on every event, the worst that there is. All shipped rules are in force.
"""

from __future__ import annotations

import gc
import io
import sys
import tempfile
from pathlib import Path

import orjson

from cli.application import COLLECTED_AFTER
from compliance.intake.json_lines import read_json
from compliance.record import BATCH, Recorder
from tests.benchmarks.bench_record import Timer, opened
from tests.benchmarks.replicas import fortnight, ndjson
from tests.logs import empty_log
from tests.recording import draft, record, shipped
from tests.vaults import vaulted_log


def main(count: int) -> None:
    gc.set_threshold(*COLLECTED_AFTER)  # as every command does
    judge = shipped()
    with tempfile.TemporaryDirectory() as folder:
        with vaulted_log(Path(folder, "warm.db")) as log:
            record(log, judge, *(draft(body) for body in fortnight()))
        lines = ndjson(count)
        compare(Path(folder), "as_they_are", lines)
        worst = [
            orjson.dumps({"reason": "typed in from paper, the tablet was charging", **orjson.loads(line)})
            for line in lines
        ]
        compare(Path(folder), "a_reason_on_each", worst)


def compare(folder: Path, name: str, lines: list[bytes]) -> None:
    """Both sides on the same bytes, a thousand events of each in turn."""
    judge, raw = shipped(), b"\n".join(lines)
    sides = {"without": Timer(), "with": Timer()}
    plain, vaulted = (
        opened(empty_log(folder / f"{name}.db")),
        opened(vaulted_log(folder / f"{name}-vault.db")),
    )
    with plain, vaulted:
        batches = {
            "without": Recorder(plain, judge).submit(read_json("bench", io.BytesIO(raw))),
            "with": Recorder(vaulted, judge).submit(read_json("bench", io.BytesIO(raw))),
        }
        for _ in range(0, len(lines), BATCH):
            for side, timer in sides.items():
                timer.time(lambda side=side: next(batches[side]))
        held = sum(b"vault:sha256:" in entry.body for entry in vaulted.entries())
        for each in batches.values():
            each.close()
    print(f"{name}: {len(lines):,} events, {held:,} with words")
    for side, timer in sides.items():
        print(f"  {side:8} {len(lines) / timer.wall:8,.0f}/s  {timer.wall / len(lines) * 1e6:6.0f} us each")
    print(
        f"  with / without: {sides['without'].wall / sides['with'].wall:.2f} (CPU {sides['without'].cpu / sides['with'].cpu:.2f})"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
