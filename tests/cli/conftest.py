"""A small clinic for the tests of the command line: a log that was initialised once and is copied for each test."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import application

ROOT = Path(__file__).resolve().parents[2]
POLICIES = Path(__file__).resolve().parent / "policies"

SITE = {
    "id": "e1", "kind": "site_profile", "occurred_at": "2026-03-02T08:00:00-06:00", "site": "S1", "actor": "MD-1",
    "address_ref": "ADDR-S1", "state": "TX", "time_zone": "America/Chicago", "holds_stock": True,
}  # fmt: skip
DOSE = {
    "id": "e2", "kind": "administration", "occurred_at": "2026-03-02T09:00:00-06:00", "completed_at": "2026-03-02T09:05:00-06:00",
    "site": "S1", "actor": "MD-1", "patient": "P1", "session": "T1", "drug": "esketamine_nasal_28mg", "encounter_class": "outpatient",
    "route": "intranasal", "dose_mg": "28", "quantity": "1", "quantity_unit": "device", "lot": "L1",
}  # fmt: skip
LEFT_EARLY = {
    "id": "e3", "kind": "discharge", "occurred_at": "2026-03-02T10:05:00-06:00", "site": "S1", "actor": "MD-1", "patient": "P1",
    "session": "T1", "disposition": "home", "departure_mode": "escort", "devices_taken": 0,
}  # fmt: skip
DAY = (SITE, DOSE, LEFT_EARLY)
LEFT_IN_TIME = {**LEFT_EARLY, "id": "e4", "occurred_at": "2026-03-02T11:06:00-06:00"}
DROVE_AWAY = {**LEFT_IN_TIME, "id": "e5", "departure_mode": "self_drive"}


@dataclass
class Clinic:
    """A folder with a log, and the command line on it."""

    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "clinic.db"

    def run(self, *words: str | Path, stdin: str | bytes | None = None, actor: str | None = "MD-1") -> Result:
        """Run a command in this process."""
        environment = {"COMPLIANCE_DATABASE": str(self.database), "COMPLIANCE_ACTOR": actor, "NO_COLOR": None}
        return CliRunner().invoke(application, [str(word) for word in words], input=stdin, env=environment)

    def process(self, *words: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command as a process of its own."""
        return subprocess.run(
            command(*words),
            capture_output=True,
            text=True,
            timeout=120,
            cwd=self.folder,
            env=self.environment(),
            **options,
        )

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "COMPLIANCE_DATABASE": str(self.database),
            "COMPLIANCE_ACTOR": "MD-1",
        }

    def file(self, *events: Any, name: str = "day.ndjson") -> Path:
        """A file of events, one per line; text stands as it is."""
        path = self.folder / name
        path.write_text(
            "".join((event if isinstance(event, str) else json.dumps(event)) + "\n" for event in events)
        )
        return path

    def record(self, *events: Any) -> list[dict[str, Any]]:
        """Record events; the JSON that was answered."""
        return lines(self.run("record", "--output", "json", self.file(*events, name="recorded.ndjson")))


def command(*words: str | Path) -> list[str]:
    """The command line of a process."""
    return [sys.executable, "-c", "from cli.main import main; main()", *(str(word) for word in words)]


def lines(result: Result) -> list[dict[str, Any]]:
    """JSON objects, one per line, of standard output."""
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(scope="session")
def initialised(tmp_path_factory):
    """A log with the small policies in force."""
    clinic = Clinic(tmp_path_factory.mktemp("initialised"))
    result = clinic.run("init", "--site", "S1", "--policies", POLICIES)
    assert result.exit_code == 0, result.output
    return clinic


@pytest.fixture
def clinic(initialised, tmp_path):
    """A copy of it for one test."""
    for file in initialised.folder.iterdir():
        shutil.copy2(file, tmp_path / file.name)
    return Clinic(tmp_path)


@pytest.fixture
def day(clinic):
    """A clinic that recorded a day with one violation."""
    clinic.record(*DAY)
    return clinic


@pytest.fixture
def incoming(clinic):
    """A folder that is watched."""
    made = clinic.folder / "incoming"
    made.mkdir()
    return made
