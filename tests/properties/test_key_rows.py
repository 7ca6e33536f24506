"""The rows of a look-up index, kept in memory and read from the database together, are those of a plain set (ledger/key_rows.py)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.ledger import key_rows
from compliance.ledger.key_rows import KeyRows
from compliance.ledger.on_sqlite import SqliteDriver

NEWEST = "SELECT us, idx FROM rows WHERE key = ? AND us <= ? ORDER BY us DESC, idx DESC LIMIT ?"
KEYS = st.integers(1, 3)
INSTANTS = st.integers(0, 12)
STEPS = st.one_of(
    st.tuples(st.just("add"), KEYS, INSTANTS, st.integers(0, 4)),
    st.tuples(st.just("scan"), KEYS, INSTANTS, INSTANTS),
    st.tuples(st.just("insert"), st.just(0), st.just(0), st.just(0)),
)


@pytest.fixture(autouse=True)
def small_pages() -> Iterator[None]:
    """Few rows are kept of a key, so that a short example goes past them."""
    with patch.object(key_rows, "PAGE", 3):
        yield


@given(st.lists(st.tuples(KEYS, INSTANTS, st.integers(0, 4)), max_size=20), st.lists(STEPS, max_size=30))
def test_scans_see_what_was_stored_and_what_waits(
    stored: list[tuple[int, int, int]], steps: list[tuple[str, int, int, int]]
) -> None:
    """Whatever was added, inserted and scanned before, a scan gives every row of its key within its bounds, newest first, once."""
    driver = sqlite3.connect(":memory:")
    driver.execute("CREATE TABLE rows (key, us, idx, PRIMARY KEY (key, us, idx)) WITHOUT ROWID")
    driver.executemany("INSERT OR IGNORE INTO rows VALUES (?, ?, ?)", stored)
    rows = KeyRows(SqliteDriver(driver), NEWEST)
    known = set(stored)
    for step, key, one, other in steps:
        if step == "add":
            rows.add(key, [(one, other)])
            known.add((key, one, other))
        elif step == "insert":
            driver.executemany("INSERT OR IGNORE INTO rows VALUES (?, ?, ?)", rows.waiting)
            rows.inserted()
        else:
            since, until = min(one, other), max(one, other)
            wanted = sorted(
                ((us, idx) for k, us, idx in known if k == key and since <= us <= until), reverse=True
            )
            assert list(rows.newest_first(key, until, since)) == wanted
    driver.close()
