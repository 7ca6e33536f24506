"""What a night costs: the nightly run on a busy clinic's year and on half of one, and ten thousand standing checks against one query.

    python tests/benchmarks/bench_nightly.py [YEAR.db [HALF.db]]

Without files both are made first (`year.py`; minutes). On each the first report is made, which looks at everything there ever was, and then that of the next
day, which is the figure: wall time, processor time and the most memory of a process of its own. The second part records ten thousand patients,
looks at a standing rule for each of them, and holds that against one SQL query that gives the same rows, and against ten thousand look-ups.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from compliance.domain.lookup import key_of
from compliance.domain.time import parse_instant
from compliance.engine.judging import Judge
from compliance.engine.nights import standing_of
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.ledger.schema import upgrade
from tests.logs import url
from tests.recording import body, bundle, fresh_log, record, rule

FIRST, NEXT = "2026-03-11", "2026-03-12"
CHECKS = 10_000
ROOT = Path(__file__).resolve().parents[2]


def night(path: Path, day: str, out: Path) -> tuple[float, float, float]:
    """One run as a process of its own: seconds on the wall, of the processor, and the most megabytes it held."""
    words = ["report", "nightly", "--date", day, "--out", str(out)]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "COMPLIANCE_DATABASE": str(path),
        "COMPLIANCE_ACTOR": "bench",
    }
    code = (
        "import resource, sys, atexit\n"
        "def say():\n"
        "    own, of = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "    print(own.ru_utime + own.ru_stime + of.ru_utime + of.ru_stime, max(own.ru_maxrss, of.ru_maxrss), file=sys.stderr)\n"
        "atexit.register(say)\n"
        "from cli.main import main\nmain()"
    )
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *words], env=environment, capture_output=True, text=True, cwd=out.parent
    )
    assert done.returncode in (0, 1), done.stderr
    cpu, most = done.stderr.split()[-2:]
    return time.perf_counter() - begun, float(cpu), int(most) / 1024


def nights(path: Path, name: str, folder: Path) -> None:
    upgrade(url(path))
    with Log.open(url(path)) as log:
        size = log.size
    for words, day in (("first report", FIRST), ("the next night", NEXT)):
        wall, cpu, most = night(path, day, folder / f"out-{path.stem}")
        print(
            f"{name:10} {size:>9,} entries  {words:14}  {wall:7.1f} s  {cpu:7.1f} s of CPU  {most:6.0f} MB",
            flush=True,
        )


def timed(run: Callable[[], object]) -> float:
    begun = time.process_time()
    run()
    return time.process_time() - begun


CHECK = {
    **{key: value for key, value in rule("checked", "consent", "last != null").items() if key != "on"},
    "every": "night", "per": {"each": "patient_enrollment"},
    "given": {"last": {"latest": "administration", "by": ["patient"]}},
    "cases": [{"name": "any", "event": {"kind": "patient_enrollment"}, "now": "2026-03-03T00:00:00Z", "expect": "fail"}],
}  # fmt: skip


class OneByOne(LogHistory):
    """The history without reading ahead."""

    def ahead(self, keys: object) -> None:
        """Nothing."""


def checks() -> None:
    judge = Judge(bundle(CHECK))
    (checked,) = judge.bundle.standing()
    with fresh_log() as log:
        record(
            log,
            judge,
            body("site_profile", "2026-03-01T08:00:00-06:00", site="S1", time_zone="America/Chicago"),
        )
        for start in range(0, CHECKS, 1000):
            made = [
                event
                for n in range(start, start + 1000)
                for event in (
                    body("patient_enrollment", site="S1", patient=f"P{n}"),
                    body("administration", site="S1", patient=f"P{n}", session=f"T{n}"),
                )
            ]
            record(log, judge, *made)
        as_of, statements = parse_instant("2026-03-03T05:59:59Z"), [0]
        keys = [key_of("administration", "patient", f"P{n}") for n in range(CHECKS)]
        query = (
            f"SELECT k.key, max(k.occurred_us), e.body FROM event_key k JOIN entry e ON e.idx = k.idx "
            f"WHERE k.key IN ({','.join(map(str, keys))}) GROUP BY k.key"
        )
        execute = type(log.driver).execute

        def counting(self: object, sql: str, values: object = (), /) -> object:
            statements[0] += 1
            return execute(self, sql, values)  # type: ignore[arg-type]

        def looked(history: LogHistory) -> Callable[[], object]:
            return lambda: standing_of(checked, judge, history, as_of, only_failing=True)

        with log.reading():
            looked(LogHistory(log))()  # both evaluators compiled
            one_query = min(timed(lambda: log.driver.execute(query).fetchall()) for _ in range(5))
            together = min(timed(looked(LogHistory(log))) for _ in range(5))
            single = min(timed(looked(OneByOne(log))) for _ in range(5))
            type(log.driver).execute = counting  # type: ignore[method-assign, assignment]
            looked(LogHistory(log))()
            type(log.driver).execute = execute  # type: ignore[method-assign]
    print(
        f"{CHECKS:,} standing checks: {together:.2f} s of CPU in {statements[0]:,} statements ({1e6 * together / CHECKS:.0f} us each, both evaluators); "
        f"one query for the same rows {one_query:.3f} s; with a look-up each {single:.2f} s"
    )


def main(given: list[str]) -> None:
    checks()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name, days, path in zip(
            ("a year", "half of it"), (365, 182), [*map(Path, given), None, None], strict=False
        ):
            copy = folder / f"{days}.db"
            if path is None:
                # As a process of its own: what it holds would count as held by those that are started later.
                words = [
                    sys.executable,
                    str(ROOT / "tests/benchmarks/year.py"),
                    str(copy),
                    "--days",
                    str(days),
                ]
                subprocess.run(words, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
            else:
                shutil.copyfile(path, copy)
                shutil.copyfile(f"{path}.key", f"{copy}.key")
                Path(f"{copy}.key").chmod(0o600)
            nights(copy, name, folder)


if __name__ == "__main__":
    main(sys.argv[1:])
