"""FHIR against NDJSON of the same events: reading alone, and with `check` to the end.

    python tests/benchmarks/bench_fhir.py [resources]

Visits of a treatment session each: a dose, four blood pressures, an oxygen saturation and a weight, with their Encounter, and a Patient for every
ten visits. Reading is measured in processes of their own, so that the memory is of that side alone.
"""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from cli.application import COLLECTED_AFTER  # noqa: E402
from tests import fhir  # noqa: E402

OF_A_VISIT = 8
FEW = 4_000


def resources(count: int) -> Iterator[dict[str, Any]]:
    """So many resources, visit by visit."""
    for number in range(count // OF_A_VISIT):
        yield from of_visit(number)


def of_visit(number: int) -> Iterator[dict[str, Any]]:
    """The resources of one visit."""
    month, day, minute = number % 12 + 1, number // 12 % 28 + 1, number // 336 % 60
    moment = f"2025-{month:02}-{day:02}T%s:{minute:02}:00-06:00"
    about = {
        "subject": {"reference": f"Patient/{number // 10}"},
        "meta": {"versionId": "1", "lastUpdated": f"2025-{month:02}-{day:02}T20:{minute:02}:00Z"},
    }
    there = {
        "encounter": {"reference": f"Encounter/V{number}"},
        "performer": [{"reference": f"Practitioner/RN-{number % 7}"}],
    }
    if number % 10 == 0:
        yield fhir.resource(
            "Patient",
            id=str(number // 10),
            name=[{"given": ["Jo"], "family": f"No{number // 10}"}],
            birthDate="1980-02-03",
        )
    else:
        yield fhir.visit(f"V{number}", **about)
    yield fhir.dose(
        f"A{number}", **about, context=there["encounter"], performer=[{"actor": there["performer"][0]}],
        effectivePeriod={"start": moment % "09", "end": moment % "10"}, category={"coding": [{"code": "outpatient"}]},
    )  # fmt: skip
    for at, hour in enumerate(("08", "10", "11", "12")):
        yield fhir.pressure(
            f"B{number}-{at}", systolic=100 + number % 60, **about, **there, effectiveDateTime=moment % hour
        )
    for code, value, unit in (("59408-5", 95 + number % 5, "%"), ("29463-7", 60 + number % 60, "kg")):
        one = fhir.pressure(f"S{number}-{code}", **about, **there, effectiveDateTime=moment % "08")
        del one["component"]
        one["code"] = {"coding": [{"system": "http://loinc.org", "code": code}]}
        yield {**one, "valueQuantity": {"value": value, "system": fhir.UCUM, "code": unit}}


def read_resources(path: Path) -> int:
    """Every event of a file of resources; the patients are those of a log that knows none, as in a check."""
    from cli.fhir_input import read_fhir
    from cli.formats import Form
    from compliance.intake.drafts import Draft

    with fhir.clinic() as log, path.open("rb") as stream:
        items = read_fhir([(path.name, stream)], Form("fhir", site="S1"), log, actor="AD-1", written=False)
        return sum(isinstance(item, Draft) for item in items)


def read_events(path: Path) -> int:
    """Every event of a file of events."""
    from compliance.intake.drafts import Draft
    from compliance.intake.json_lines import read_json

    with path.open("rb") as stream:
        return sum(isinstance(item, Draft) for item in read_json(path.name, stream))


def events_of(resources_file: Path, path: Path) -> None:
    """A file of the events that come of a file of resources."""
    from cli.fhir_input import read_fhir
    from cli.formats import Form
    from compliance.domain.canonical import encode
    from compliance.intake.drafts import Draft

    with fhir.clinic() as log, resources_file.open("rb") as stream, path.open("wb") as out:
        for item in read_fhir(
            [(path.name, stream)], Form("fhir", site="S1"), log, actor="AD-1", written=False
        ):
            if isinstance(item, Draft):
                out.write(encode(item.event.body) + b"\n")


def measure(side: str, path: Path) -> None:
    """Read a file in this process; events, seconds, CPU seconds, and the highest resident memory in MB."""
    gc.set_threshold(*COLLECTED_AFTER)  # as every command does
    read = read_resources if side == "fhir" else read_events
    wall, cpu = time.perf_counter(), time.process_time()
    found = read(path)
    taken = [time.perf_counter() - wall, time.process_time() - cpu]
    print(json.dumps([found, *taken, peak()]))


def peak() -> float:
    """The highest resident memory of this process in MB, without what its parent had before it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def side(name: str, path: Path) -> list[float]:
    """The same in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, name, str(path)], capture_output=True, text=True, check=True
    )
    measured: list[float] = json.loads(done.stdout)
    return measured


def check(path: Path, folder: Path, *form: str) -> float:
    """CPU seconds of `compliance check` of a file, over a log with a site and no rules."""
    command = [sys.executable, "-c", "from cli.main import main; main()"]
    common = {"cwd": folder, "env": {"PYTHONPATH": str(ROOT), "COMPLIANCE_ACTOR": "AD-1", "PATH": ""}}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*command, "check", *form, "--output", "json", str(path)], capture_output=True, text=True, **common
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        files = {"fhir": folder / "resources.ndjson", "json": folder / "events.ndjson"}
        files["fhir"].write_bytes(b"".join(json.dumps(one).encode() + b"\n" for one in resources(count)))
        events_of(files["fhir"], files["json"])
        lines = {name: sum(1 for _ in path.open("rb")) for name, path in files.items()}
        rates = {}
        for name, path in files.items():
            found, wall, cpu, memory = side(name, path)
            rates[name] = lines[name] / cpu
            print(
                f"  {name:5} {lines[name]:8,} lines, {int(found):8,} events, {path.stat().st_size / 1e6:6.1f} MB: {lines[name] / wall:7,.0f}/s"
                f"  {rates[name]:7,.0f}/CPU s  {memory:5,.0f} MB resident",
                flush=True,
            )
        print(f"  resources / events read: {rates['fhir'] / rates['json']:.2f}, wanted at least 0.33")
        few = {"fhir": folder / "few.ndjson", "json": folder / "few-events.ndjson"}
        few["fhir"].write_bytes(
            b"".join(json.dumps(one).encode() + b"\n" for one in resources(min(count, FEW)))
        )
        events_of(few["fhir"], few["json"])
        init = [
            sys.executable,
            "-c",
            "from cli.main import main; main()",
            "init",
            "--site",
            "S1",
            "--time-zone",
            "America/Chicago",
            "--state",
            "TX",
        ]
        subprocess.run(
            init,
            cwd=folder,
            env={"PYTHONPATH": str(ROOT), "COMPLIANCE_ACTOR": "AD-1", "PATH": ""},
            capture_output=True,
            check=True,
        )
        seconds = [check(few["fhir"], folder, "--format", "fhir", "--site", "S1"), check(few["json"], folder)]
        print(
            f"  check of {min(count, FEW):,} resources {seconds[0]:.1f} CPU s, of their events {seconds[1]:.1f} CPU s: {seconds[1] / seconds[0]:.2f}"
        )


if __name__ == "__main__":
    if len(sys.argv) > 2:
        measure(sys.argv[1], Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
