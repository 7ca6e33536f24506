"""The demonstration's fortnight in a log, for tests of what reports say of it: recorded once per process, and never written to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from compliance.demo import events
from compliance.ledger.log import Log
from compliance.record import Recorder
from tests.logs import empty_log, url
from tests.recording import draft, put_in_force, shipped


@pytest.fixture(scope="session")
def recorded_fortnight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database file; copy it before you write."""
    path = tmp_path_factory.mktemp("fortnight") / "clinic.db"
    with empty_log(path) as log:
        put_in_force(log, shipped().bundle)
        for _ in Recorder(log, shipped()).submit(draft(body) for body in events()):
            pass
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
