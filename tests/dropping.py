"""A folder that is watched: files are dropped into it, taken once, and looked for."""

from __future__ import annotations

import json
import os

from compliance.watching import DONE, REPORTS

QUICK = ("--settle", "PT0.02S", "--every", "PT0.02S")


def once(clinic, *words):
    """Take what is there, and end."""
    return clinic.run("record", "--watch", clinic.folder / "incoming", "--once", *QUICK, *words)


def drop(incoming, name, *events):
    (incoming / name).write_text("".join(json.dumps(event) + "\n" for event in events))


def report(incoming, name):
    """The lines of a report, and its summary."""
    *told, last = map(json.loads, (incoming / f"{name}.report.json").read_text().splitlines())
    return told, last["summary"]


def names(folder):
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path.name for path in found if ".report." not in path.name)


def settled(watched, clock):
    """What is finished after two looks."""
    watched.finished()
    clock.now += 2
    return watched.finished()


def dies(taken):
    """The watcher's process ends: the system drops its locks."""
    os.close(taken._claim._lock)


def reported(taken, text="said"):
    for ending in REPORTS:
        with taken.report(ending) as report:
            report.write(text.encode())
    return taken


def moved(taken, place=DONE):
    return reported(taken).move(place)
