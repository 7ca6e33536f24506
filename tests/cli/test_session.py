"""``compliance session``: a nurse at a terminal goes through a session in order, and through one in which each step goes wrong."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager

import pytest

from compliance.ledger.log import Log
from compliance.policy.bundle import load_folder
from compliance.session_steps import ESKETAMINE, STOP
from compliance.settings import shipped_folder
from tests.cli.conftest import SITE, Clinic, command, lines
from tests.recording import put_in_force
from tests.terminal import terminal

RULES = (
    "uspi-5min", "uspi-bp-40min", "rems-monitor-2h", "rems-monitor-2h-first-device", "rems-monitor-2h-observation", "uspi-bp-pre",
    "uspi-bp-140-90", "uspi-no-drive", "uspi-no-drive-discharge", "rems-monitor-resolution", "uspi-bp-decline", "uspi-device-math",
    "rems-pmf-7d", "rems-observer-continuity-checks",
)  # fmt: skip
DRUG = "esketamine_nasal_28mg"
NINE = "2026-03-02T09:00:00-06:00"
CALL = ("session", "--patient", "P1", "--drug", DRUG, "--as-of", NINE)
MENU = "(? lists them): "


@pytest.fixture(scope="module")
def practice(initialised, tmp_path_factory):
    """A log of one site under the shipped rules about a session's times, pressures and way home."""
    folder = tmp_path_factory.mktemp("practice")
    policies, library = folder / "policies", shipped_folder("policies")
    policies.mkdir()
    shutil.copy(library / "bundle.yaml", policies)
    for rule in RULES:
        shutil.copy(library / "spravato-rems" / f"{rule}.yaml", policies)
    bundle, problems = load_folder(policies)
    assert bundle is not None, problems
    for file in initialised.folder.iterdir():
        shutil.copy2(file, folder / file.name)
    clinic = Clinic(folder)
    with Log.open(f"sqlite:///{clinic.database}", write=True) as log:
        put_in_force(log, bundle)
    clinic.record(SITE)
    return clinic


@pytest.fixture
def clinic(practice, tmp_path):
    """A copy of it for one test."""
    for file in practice.folder.glob("*.*"):
        shutil.copy2(file, tmp_path / file.name)
    return Clinic(tmp_path)


class Nurse:
    """Somebody who types the answers of a step by the names of its fields."""

    def __init__(self, at):
        self.at = at

    def does(self, name, /, record="", **answers):
        """Choose a step (nothing: the one that is offered), answer what it asks, and say whether it is to be recorded."""
        self.at.sees(MENU)
        self.at.types(name)
        self.fills_in(name, record, **answers)

    def waits(self, until):
        """Let the time come."""
        self.at.sees(MENU)
        self.at.types("wait")
        self.at.sees("\nuntil")
        self.at.types(until)

    def fills_in(self, step, record="", **answers):
        """The questions of a step; what is not answered is taken as offered."""
        for field in answers.pop("asked", None) or asks(step):
            self.at.sees(f"\n{field}")
            self.at.types(answers.get(field, ""))
        self.at.sees("Record this?")
        self.at.types(record)


def asks(step):
    return next(
        one.asks
        for one in (*ESKETAMINE, STOP)
        if step.startswith(one.name)
        and one.name != "device"
        or step.startswith("device")
        and one.name == "device"
    )


@contextmanager
def nurse(clinic, *words):
    with terminal(command(*words), clinic.environment(), folder=str(clinic.folder), columns=100) as at:
        yield Nurse(at)


def where(clinic, as_of="2026-03-02T12:30:00-06:00"):
    result = clinic.run("session", "--patient", "P1", "--as-of", as_of, "--drug", DRUG, "--output", "json")
    return result.exit_code, json.loads(result.stdout)


def test_a_session_in_order(clinic):
    """Every step in its turn, as offered: nothing is left, and nothing is held against any of it."""
    vitals = {"heart_rate_bpm": "70", "spo2_percent": "98"}
    with nurse(clinic, *CALL) as one:
        one.does("check", last_food_at="06:30", last_liquid_at="08:00", escort_ref="ESC-1")
        one.does("order", prescriber="MD-1", indication_class="trd", dose_mg="56", occurred_at="09:05")
        one.does("pressure", systolic_mmhg="128", diastolic_mmhg="78", occurred_at="09:30", **vitals)
        one.does("watching", occurred_at="09:55")
        one.does("device-1", occurred_at="10:00", completed_at="10:02", lot="L1")
        one.at.sees("waiting for: Device 2, not before 10:05 (in 3 min)")
        one.at.sees("begun 2 min after the one before; 5 min")
        one.waits("10:06")
        one.does("device-2", lot="L1", completed_at="10:08")
        one.does("look", occurred_at="10:20")
        one.at.sees("about 10:48 (in 28 min), window from 10:38 to 10:58")
        one.does("look", occurred_at="10:45")
        one.does("pressure-40", systolic_mmhg="139", diastolic_mmhg="85", occurred_at="10:48", **vitals)
        for at in ("11:15", "11:40", "12:00"):
            one.does("look", occurred_at=at)
        one.at.sees("waiting for: Blood pressure before leaving, not before 12:08 (in 8 min)")
        one.at.sees("Left 1 h 52 min after the last device")
        one.waits("12:09")
        one.does("pressure-leaving", systolic_mmhg="126", diastolic_mmhg="80", **vitals)
        one.does("ready", occurred_at="12:10")
        one.does("watched", occurred_at="12:12")
        one.does("discharge", occurred_at="12:15")
        one.does("form", confirmation="PMF-1", form_version="12/2024", submitted_at="12:20")
        one.at.sees("nothing is left to be done in this session")
        assert one.at.ends() == 0
    code, standing = where(clinic)
    assert code == 0
    assert {step["step"]: (step["state"], step["verdict"]) for step in standing["steps"]} == {
        name: ("done", "compliant")
        for name in (
            "check",
            "order",
            "pressure",
            "watching",
            "device-1",
            "device-2",
            "look",
            "pressure-40",
            "pressure-leaving",
            "ready",
            "watched",
            "discharge",
            "form",
        )
    }
    assert [(duty["rule"], duty["state"]) for duty in standing["duties"]] == [("rems-pmf-7d", "met")]
