"""A busy clinic's year in a log, for measuring what a night costs: two sites, some fifty visits on every working day.

    python tests/benchmarks/year.py PATH [--days N] [--sessions N] [--judged]

It is the demonstration's clinic: its people, registrations and rooms, with new patients every week, each taken on and treated for two or
four weeks. Kits and vials are delivered for each week and counted every evening, and are all there but for a vial now and then. One course in
twelve has the demonstration's mistakes: late entries, corrections, voids, denials. Nobody judges the year: every event has the decision and
the look-ups of its original in a fortnight that was judged. Rules find the same of it, but the digests of cases are the originals'; with
``--judged`` they are its own. It is recorded at the instant at which it is said to have been typed in.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final

from cli.application import COLLECTED_AFTER
from compliance.bundles import activation, store
from compliance.demo.clinic import VIALS_IV
from compliance.domain.time import end_of_local_day
from compliance.engine.judging import Judge
from compliance.ledger.keys import create_key, key_path
from compliance.ledger.log import Log
from compliance.record import Memory, Recorder, Submission
from tests.benchmarks.year_clinic import LOTS, MONDAY, ZONES
from tests.benchmarks.year_template import Clock, Template, Unit, template
from tests.benchmarks.year_writing import SECOND, Copy, Due, Stock, Writer
from tests.recording import draft, shipped

END: Final = date(2026, 3, 14)
"""The last day, a Saturday."""

SESSIONS: Final = 50
DAYS: Final = 365
ORIGIN: Final = "busy-clinic.example/log"
SEED: Final = 20260314

BATCH: Final = 10_000
"""Entries per transaction: index rows are inserted in the order of their keys, the more at once the closer together."""

LAUNCHED: Final = {
    ("PT-4821", 0): 4, ("PT-4821", 1): 3, ("PT-6139", 0): 6, ("PT-6139", 1): 6, ("PT-5077", 0): 2, ("PT-5077", -1): 1,
    ("PT-7702", 0): 2, ("PT-7702", -1): 1, ("PT-2210", 1): 12, ("PT-2210", -1): 6, ("PT-2210", 0): 6, ("PT-2356", 1): 6,
    ("PT-2356", -1): 6, ("PT-2356", 0): 6, ("PT-2489", -1): 8,
}  # fmt: skip
"""How many patients of each sort begin in a week, by how many days their visits are moved: fifty visits on each working day."""

MISTAKEN: Final = 12
"""One course in so many is the demonstration's, with its mistakes."""

LONGER: Final = frozenset({"PT-4821", "PT-5077", "PT-7702"})
"""Who is treated for four weeks; the others for two."""

WITHIN: Final = range(-2700, 10_801, 180)
"""Seconds by which a visit may be earlier or later than the demonstration's; a device takes two minutes, and the next one follows after six."""

LOSS_WEEKS: Final = 8
"""Every so many weeks a vial is missing."""

RENEWED_AFTER: Final = 45 * 7
"""Days after which licences, trainings and attestations are entered again."""

_DAY: Final = 86_400 * SECOND


# ---- what happens when


@dataclass(frozen=True, slots=True)
class Plan:
    """The year day by day: copies by the day on which their first event may be typed in."""

    first: date
    copies: dict[int, list[Copy]]


class Diary:
    """When who watches a patient use a device: nobody watches two at once."""

    def __init__(self) -> None:
        self._busy: dict[tuple[int, str], list[tuple[int, int]]] = {}

    def time_for(self, visit: Unit, days: int, luck: Random) -> int:
        """Seconds by which a visit is moved within its day, for a number of days by which it is moved."""
        spans = list(_watched(visit, days))
        best, fewest = 0, len(spans) + 1
        for seconds in luck.sample(WITHIN, len(WITHIN)):
            clashes = sum(self._clashes(key, begin + seconds, end + seconds) for key, begin, end in spans)
            if clashes < fewest:
                best, fewest = seconds, clashes
            if not clashes:
                break
        for key, begin, end in spans:
            self._busy.setdefault(key, []).append((begin + best, end + best))
        return best

    def _clashes(self, key: tuple[int, str], begin: int, end: int) -> bool:
        return any(before <= end and begin <= after for before, after in self._busy.get(key, ()))


def _watched(visit: Unit, days: int) -> Iterator[tuple[tuple[int, str], int, int]]:
    """The day, the observer, and from which second of the day to which each device is used."""
    for piece in visit.pieces:
        body = piece.body
        if body["kind"] == "administration" and body["quantity_unit"] == "device":
            begin, end = (
                datetime.fromisoformat(str(body.get(name, body["occurred_at"])))
                for name in ("occurred_at", "completed_at")
            )
            midnight = begin.replace(hour=0, minute=0, second=0)
            seconds = [int((at - midnight).total_seconds()) for at in (begin, end)]
            yield (begin.toordinal() + days, body["observer"]), seconds[0], seconds[1]


def plan(clean: Template, mistaken: Template, sessions_a_day: int, days: int) -> Plan:
    """Who begins treatment in which week, what is delivered for that, and who is at work."""
    luck, diary = Random(SEED), Diary()
    begins = END - timedelta(days=days - 1)
    first = begins + timedelta(days=-begins.weekday() % 7)
    weeks = max(1, ((END - first).days + 7) // 7)
    copies: dict[int, list[Copy]] = {}
    wanted: Counter[tuple[int, str]] = Counter()
    courses = 0

    def add(unit: Unit, shift: int, **more: Any) -> None:
        copy = Copy(unit, shift, **{"seconds": 0, "patient": "", "visit": "", "week": 0, **more})
        first_typed = datetime.fromtimestamp(unit.pieces[0].entered / SECOND, UTC).toordinal()
        copies.setdefault(first_typed + shift - 1, []).append(copy)

    founded = (first - MONDAY).days
    add(clean.founding, founded)
    add(clean.renewing, founded + RENEWED_AFTER, visit=".again")
    for week in range(weeks):
        shift = founded + 7 * week
        for (name, moved), usual in LAUNCHED.items():
            count = int(usual * sessions_a_day / SESSIONS * luck.uniform(0.85, 1.15) + luck.random())
            for _ in range(count):
                courses += 1
                source = mistaken if luck.randrange(MISTAKEN) == 0 else clean
                own = {"seconds": luck.choice(WITHIN), "patient": f".{courses}"}
                add(source.taking_on[name], shift + moved, week=week, **own)
                for half in range(2 if name in LONGER else 1):
                    in_week, moved_by = week + 2 * half, shift + moved + 14 * half
                    own |= {"week": in_week, "visit": f".{courses}.{half}"}
                    for visit in source.treating[name]:
                        add(visit, moved_by, **{**own, "seconds": diary.time_for(visit, moved_by, luck)})
                    wanted.update((in_week + day // 7, lot) for day, lot in source.used[name])
        lost = week % LOSS_WEEKS == LOSS_WEEKS - 1
        if lost:
            wanted[week, VIALS_IV] += 1
        for day in range(5):
            for site in ZONES:
                loses = lost and site == "MESA" and day == 1
                usual_day = MONDAY + timedelta(days=7 * (week % 2) + day)
                unit = mistaken.days[site, date(2026, 3, 10)] if loses else clean.days[site, usual_day]
                moved = shift + day - ((date(2026, 3, 10) if loses else usual_day) - MONDAY).days
                add(unit, moved, visit=f".{shift + day + 1000}", week=week)
        add(clean.mondays, shift, visit=f".{week}")
    for week in range(weeks):
        for lot in LOTS:
            # delivered on the Friday before; the original came on Tuesday, 17 February
            count = wanted[week, lot]
            if count:
                changes = {"containers": count, "invoiced_containers": count}
                add(
                    clean.deliveries[lot],
                    founded + 7 * week + 10,
                    visit=f".{week}",
                    week=week,
                    changes=changes,
                )
    for number in range(days):
        night = clean.nights[number % len(clean.nights)]
        at = date.fromisoformat(night.pieces[0].body["occurred_at"][:10])
        add(night, (begins + timedelta(days=number) - at).days, visit=f".{number}")
    return Plan(first, copies)


# ---- the log


def year(path: Path, sessions_a_day: int = SESSIONS, days: int = DAYS, *, judged: bool = False) -> None:
    """Make a database file with so many days up to `END`; tells on standard error how far it is.

    Where it is to be `judged`, every event is, by the reference evaluator alone; that takes several times as long.
    """
    began = time.perf_counter()

    def say(text: str) -> None:
        print(f"{time.perf_counter() - began:6.1f} s  {text}", file=sys.stderr, flush=True)

    bundle = shipped().bundle
    clean, mistaken = template(bundle, mistakes=False), template(bundle, mistakes=True)
    made = plan(clean, mistaken, sessions_a_day, days)
    say(f"two fortnights judged, {sum(map(len, made.copies.values())):,} copies planned")
    clock, url = Clock(), f"sqlite:///{path}"
    writer = Writer(Stock(clean), clock)
    founded = datetime.combine(made.first - timedelta(days=28), datetime.min.time(), UTC)
    clock.now = int(founded.timestamp()) * SECOND
    signer = create_key(key_path(url), ORIGIN)
    with Log.create(url, ORIGIN, str(signer.verifier), clock=clock) as log:
        with log.writing() as batch:
            store(batch, bundle)
        about = activation(
            bundle, event_id="policies-in-force", at=founded.isoformat(), site="LAKE", actor="P-3150", reason="first policies",
            cases=(1, 0), approved_by="P-3107",
        )  # fmt: skip
        Recorder(log, Judge(bundle, written=False)).batch([draft(about)])
        _write(log, writer, made, Judge(bundle, written=False) if judged else None, say)
        say(
            f"{log.size:,} entries, {writer.sessions:,} visits, {path.stat().st_size / 1e6:,.0f} MB before the last checkpoint of the file"
        )


def _write(log: Log, writer: Writer, made: Plan, judge: Judge | None, say: Callable[[str], None]) -> None:
    over = max(end_of_local_day(END.toordinal(), zone.key) for zone in ZONES.values())
    waiting = _in_order(writer, made, over)
    memory: Memory | None = None
    while some := list(islice(waiting, BATCH)):
        with log.writing() as batch:
            submission = None if judge is None else Submission(log, batch, judge, memory)
            for at, place, due in some:
                if submission is None:
                    writer.append(batch, at, place, due)
                else:
                    writer.judge(submission, at, place, due)
            memory = None if submission is None else submission.memory
        say(f"{log.size:,} entries, to {datetime.fromtimestamp(log.head.recorded_us / 1e6, UTC):%Y-%m-%d}")


def _in_order(writer: Writer, made: Plan, end: int) -> Iterator[tuple[int, int, Due]]:
    """All events in the order in which they were typed in, up to an instant."""
    for day in sorted(made.copies):
        midnight = (day - date(1970, 1, 1).toordinal()) * _DAY
        yield from writer.until(min(midnight, end))
        for copy in made.copies[day]:
            writer.add(copy)
    yield from writer.until(end)


if __name__ == "__main__":
    gc.set_threshold(*COLLECTED_AFTER)  # as every command does
    options = argparse.ArgumentParser(description="Make the log of a busy clinic's year.")
    options.add_argument("path", type=Path)
    options.add_argument("--days", type=int, default=DAYS)
    options.add_argument("--sessions", type=int, default=SESSIONS)
    options.add_argument("--judged", action="store_true", help="judge every event anew")
    asked_for = options.parse_args()
    year(asked_for.path, asked_for.sessions, asked_for.days, judged=asked_for.judged)
