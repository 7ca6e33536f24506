"""What `policy diff` costs for one changed rule, without the loading of files: both directions of each of the edits of the tests.

    python tests/benchmarks/bench_diff.py [turns]

CPU and wall seconds of each edit, median over the turns; then the median over the edits, and the slowest.
"""

from __future__ import annotations

import statistics
import sys
import time

from tests.edits import EDITS, changed


def main(turns: int) -> None:
    for _, rule_id, edits, _ in EDITS:
        changed(rule_id, edits)  # what is loaded once is not part of it
    rows = []
    for name, rule_id, edits, expected in EDITS:
        wall, cpu = [], []
        for _ in range(turns):
            started, used = time.perf_counter(), time.process_time()
            changed(rule_id, edits)
            wall.append(time.perf_counter() - started)
            cpu.append(time.process_time() - used)
        rows.append((statistics.median(cpu), statistics.median(wall), name, expected))
    for cpu_seconds, wall_seconds, name, expected in sorted(rows, reverse=True)[:5]:
        print(f"{cpu_seconds * 1000:6.0f} ms CPU  {wall_seconds * 1000:6.0f} ms  {name} ({expected})")
    print(
        f"{len(rows)} edits, median {statistics.median(row[0] for row in rows) * 1000:.0f} ms CPU, {statistics.median(row[1] for row in rows) * 1000:.0f} ms wall"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
