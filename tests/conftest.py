"""How the whole suite runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from tests.homes import Home, PostgresHome, SqliteHome
from tests.recording import Where
from tests.servers import close_all

# No deadline: two cores shared with other tests say nothing about the code. `make soak` looks harder.
# Where a run decides what is accepted (CI), examples are the same in every run; people and `make soak` look for new ones.
settings.register_profile("default", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.register_profile("soak", deadline=None, max_examples=20_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


KINDS = ["sqlite", "postgresql"]


@pytest.fixture(scope="session", autouse=True)
def memory_of_checks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What checks of policies remember, apart from what the person remembers who runs the tests."""
    folder = tmp_path_factory.mktemp("cache")
    before = os.environ.get("COMPLIANCE_CACHE")
    os.environ["COMPLIANCE_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["COMPLIANCE_CACHE"]
    else:
        os.environ["COMPLIANCE_CACHE"] = before


@contextmanager
def home_of(kind: str, folder: Path) -> Iterator[Home]:
    """A place for one log, which is gone afterwards."""
    if kind == "sqlite":
        yield SqliteHome(folder)
        return
    place = PostgresHome()
    try:
        yield place
    finally:
        place.remove()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """The kinds of databases that a log can live in, one after the other."""
    name: str = request.param
    return name


@pytest.fixture
def on_each_database(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test runs once for each kind of database; `tests.recording.fresh_log` makes its logs there."""
    monkeypatch.setattr(Where, "kind", kind)


@pytest.fixture
def home(kind: str, tmp_path: Path) -> Iterator[Home]:
    """A place for one log; the test runs on each kind there is."""
    with home_of(kind, tmp_path) as place:
        yield place


@pytest.fixture
def another_home(kind: str, tmp_path: Path) -> Iterator[Home]:
    """A second place of the same kind."""
    (tmp_path / "another").mkdir()
    with home_of(kind, tmp_path / "another") as place:
        yield place


@pytest.fixture(scope="module", params=KINDS)
def kept_home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A place for a log that the tests of a module share: they only read it, or restore it."""
    with home_of(request.param, tmp_path_factory.mktemp("kept")) as place:
        yield place


def pytest_sessionfinish() -> None:
    """No server outlives the tests, in a worker of xdist either."""
    close_all()
