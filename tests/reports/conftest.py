"""The demonstration's fortnight in a log, for tests of what reports say of it: recorded once in a run, and never written to."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from compliance.bundles import Bundles
from compliance.demo import events
from compliance.ledger.log import Log
from compliance.record import Recorder
from compliance.reports.binder.made import make
from tests.logs import SIGNER, empty_log, url
from tests.recording import draft, put_in_force, shipped
from tests.reports.binders import AMENDMENTS, SITES, Binder, wanted


@pytest.fixture(scope="session")
def recorded_fortnight(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The database file; copy it before you write. Processes that test side by side share one: the first records, the others wait."""
    base = tmp_path_factory.getbasetemp()
    path = (base if worker_id == "master" else base.parent) / "fortnight.db"
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            making = path.with_suffix(".new")
            with empty_log(making) as log:
                put_in_force(log, shipped().bundle)
                for _ in Recorder(log, shipped()).submit(draft(body) for body in events()):
                    pass
            making.rename(path)
    return path


@pytest.fixture(scope="session")
def clinic(recorded_fortnight: Path) -> Iterator[Log]:
    """The log of the fortnight, to be read."""
    with Log.open(url(recorded_fortnight)) as log:
        yield log


@pytest.fixture
def own_clinic(recorded_fortnight: Path, tmp_path: Path) -> Iterator[Log]:
    """A copy of it, to be written to."""
    path = tmp_path / "clinic.db"
    shutil.copyfile(recorded_fortnight, path)
    with Log.open(url(path), write=True) as log:
        yield log


@pytest.fixture(scope="session")
def amended_fortnight(recorded_fortnight: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the fortnight with what it does not have: stock records that were corrected, voided, destroyed, entered late, overridden."""
    path = tmp_path_factory.mktemp("amended") / "clinic.db"
    shutil.copyfile(recorded_fortnight, path)
    with Log.open(url(path), write=True) as log:
        for _ in Recorder(log, shipped()).submit(draft(body) for body in AMENDMENTS):
            pass
    return path


@pytest.fixture(scope="session")
def binders(amended_fortnight: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Binder]:
    """A binder of each site over all that happened there, made once per process: to be read, and copied before it is changed."""
    folder = tmp_path_factory.mktemp("binders")
    with Log.open(url(amended_fortnight), write=True) as log:
        return {
            site: Binder(folder / site, make(log, Bundles(log), SIGNER, wanted(folder / site, site)))
            for site in SITES
        }
