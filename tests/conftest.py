"""How the whole suite runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.homes import Home, PostgresHome, SqliteHome
from tests.servers import close_all

# No deadline: two cores shared with other tests say nothing about the code. `make soak` looks harder.
# Where a run decides what is accepted (CI), examples are the same in every run; people and `make soak` look for new ones.
settings.register_profile("default", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.register_profile("soak", deadline=None, max_examples=20_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """A place for one log; the test runs on each kind there is."""
    if request.param == "sqlite":
        yield SqliteHome(tmp_path)
        return
    place = PostgresHome()
    yield place
    place.remove()


def pytest_sessionfinish() -> None:
    """No server outlives the tests, in a worker of xdist either."""
    close_all()
