"""What tests of ``compliance session`` share: the rules about a session, a log under them, and where a session stands in it."""

from __future__ import annotations

import json
import shutil

from compliance.ledger.log import Log
from compliance.policy.bundle import load_folder
from compliance.settings import shipped_folder
from tests.cli.conftest import SITE, Clinic
from tests.recording import put_in_force

RULES = (
    "uspi-5min", "uspi-bp-40min", "rems-monitor-2h", "rems-monitor-2h-first-device", "rems-monitor-2h-observation", "uspi-bp-pre",
    "uspi-bp-140-90", "uspi-no-drive", "uspi-no-drive-discharge", "rems-monitor-resolution", "uspi-bp-decline", "uspi-device-math",
    "rems-pmf-7d", "rems-observer-continuity-checks", "off-discharge-wait",
)  # fmt: skip
DRUG = "esketamine_nasal_28mg"
NINE = "2026-03-02T09:00:00-06:00"


def practice_in(folder, initialised):
    """A log of one site under the shipped rules about a session's times, pressures and way home."""
    policies, library = folder / "policies", shipped_folder("policies")
    policies.mkdir()
    shutil.copy(library / "bundle.yaml", policies)
    for rule in RULES:
        (file,) = library.glob(f"*/{rule}.yaml")
        shutil.copy(file, policies)
    bundle, problems = load_folder(policies)
    assert bundle is not None, problems
    for file in initialised.folder.iterdir():
        shutil.copy2(file, folder / file.name)
    clinic = Clinic(folder)
    with Log.open(f"sqlite:///{clinic.database}", write=True) as log:
        put_in_force(log, bundle)
    clinic.record(SITE)
    return clinic


def copied(practice, folder):
    """A copy of it for one test."""
    for file in practice.folder.glob("*.*"):
        shutil.copy2(file, folder / file.name)
    return Clinic(folder)


def where(clinic, as_of="2026-03-02T12:30:00-06:00", patient="P1", drug=DRUG, session=None):
    """The exit code and the session as JSON."""
    call = ("session", "--patient", patient, "--as-of", as_of, "--drug", drug, "--output", "json")
    result = clinic.run(*call, *(() if session is None else ("--session", session)))
    return result.exit_code, json.loads(result.stdout)


def states(standing):
    """Each step with its state and verdict."""
    return {step["step"]: (step["state"], step["verdict"]) for step in standing["steps"]}
