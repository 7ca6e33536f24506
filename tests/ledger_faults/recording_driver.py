"""A process that records and can be killed: everything is imported and read once, then one child per line of standard input.

A line is a seed of the events with the number of patients, and the URL of a database; the child records them all and writes, after each batch's commit, one line for
each result to standard output: ``receipt PID EVENT IDX NEW``. Its own pid stands in the first line, ``began PID``; the parent writes ``ended PID
STATUS``. Batches are small here, so that many commits are met.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from typing import Any

import compliance.record
from compliance.intake.drafts import Draft
from compliance.ledger.log import Log
from compliance.record import Recorded, Recorder
from tests.recording import DAY, body, correction, draft, judge, void

BATCH = 20
RULES = ("MONITORED", "PRESSURE", "CONSENTED")


def events(seed: int, patients: int) -> list[Draft]:
    """A day of many sessions, in an order that makes many events late, with corrections and voids."""
    rng = random.Random(seed)
    bodies: list[dict[str, Any]] = []
    for number in range(patients):
        about = {"patient": f"P{number}", "session": f"T{number}"}

        def event(kind: str, at: str, name: str, about=about, number=number, **fields: Any) -> dict[str, Any]:
            return body(kind, at, id=f"{name}-{number}", **about, **fields)

        taken = event("vital_signs", "08:50", "vitals", systolic_mmhg=rng.choice([120, 135, 150]))
        given = event("administration", "09:00", "dose", completed_at=f"{DAY}09:05:00-06:00")
        left = event("discharge", rng.choice(["10:30", "11:30"]), "left")
        bodies += [
            event("consent", "08:00", "consent", consent=f"C{number}", action="given"),
            taken,
            given,
            left,
        ]
        if number % 5 == 0:
            bodies.append(
                correction(taken, f"correction-{number}", ("systolic_mmhg", taken["systolic_mmhg"], 125))
            )
        if number % 7 == 0:
            bodies.append(void(given, f"void-{number}"))
    # Shuffled within a stretch: most late events change what was judged a moment ago, in this batch or the one before.
    order = sorted(range(len(bodies)), key=lambda at: at + rng.uniform(0, 40))
    return [draft(bodies[at]) for at in order]


def record(url: str, drafts: list[Draft], *, mute: bool) -> None:
    """Record, and acknowledge each batch once it is committed; with `mute`, be killed before the first acknowledgement of anything new."""
    with Log.open(url, write=True) as log:
        for results in Recorder(log, judge(*RULES)).submit(drafts):
            if mute and any(isinstance(r, Recorded) and not r.repeated for r in results):
                os.kill(os.getpid(), signal.SIGKILL)
            lines = [
                f"receipt {os.getpid()} {r.draft.event.id} {r.idx} {int(not r.repeated)}\n"
                for r in results
                if isinstance(r, Recorded)
            ]
            for start in range(
                0, len(lines), 40
            ):  # each write is shorter than PIPE_BUF, so that two children never mix lines
                os.write(1, "".join(lines[start : start + 40]).encode())


def main() -> None:
    """Fork a child per line, and wait for those there are when a line is empty."""
    compliance.record.BATCH = BATCH
    read: dict[str, list[Draft]] = {}
    judge(*RULES)
    children: set[int] = set()
    for line in sys.stdin:
        if line.strip():
            seed, _, url = line.strip().partition(" ")
            mute = seed.endswith("!")
            seed = seed.removesuffix("!")
            if seed not in read:
                read[seed] = events(*map(int, seed.split("/")))
            drafts = read[seed]
            child = os.fork()
            if child == 0:
                os.write(1, f"began {os.getpid()}\n".encode())
                record(url, drafts, mute=mute)
                os._exit(0)
            children.add(child)
            continue
        while children:
            child, status = os.wait()
            children.discard(child)
            os.write(1, f"ended {child} {status}\n".encode())
        os.write(1, b"idle\n")


if __name__ == "__main__":
    main()
