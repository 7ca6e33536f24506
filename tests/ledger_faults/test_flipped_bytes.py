"""A changed bit is found, in whatever column of whatever table, with the entry named, in both databases."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from compliance.ledger.tables import AGENDA, DUTY, DUTY_KEY, METADATA
from compliance.ledger.verify import State, verify
from tests.homes import unguarded
from tests.logs import add, keys_of

LIVELY = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
ENTRY = [
    "idx", "type", "recorded_us", "event_id", "kind", "site", "patient", "session", "occurred_us", "verdict", "target", "digest", "leaf", "body",
]  # fmt: skip
BESIDE = [
    ("tile", "root", "n = 0"), ("tile", "hashes", "n = 0"), ("tile", "level", "n = 0"), ("tile", "n", "n = 0"),
    ("head", "root", "size = 261"), ("head", "frontier", "size = 261"), ("head", "recorded_us", "size = 301"),
    ("head", "root", "size = 302"), ("head", "size", "size = 302"), ("bundle", "documents", "true"), ("bundle", "digest", "true"),
    ("quarantine", "raw", "true"), ("quarantine", "idx", "true"), ("event_key", "key", "idx = 7 AND key = 1000"),
    ("event_key", "occurred_us", "idx = 7 AND key = 1000"), ("event_key", "idx", "idx = 7 AND key = 1000"),
]  # fmt: skip
NOT_REPEATED = {
    # What a judgement looked at stands nowhere else; `compliance db rebuild` makes it again.
    ("asked_key", "key"), ("asked_key", "until_us"), ("asked_key", "idx"),
    # What was seen of other logs is signed by them, not by this one; the file's name of a rejected input is for people.
    ("witnessed", "origin"), ("witnessed", "size"), ("witnessed", "root"), ("witnessed", "note"), ("witnessed", "recorded_us"),
    ("quarantine", "source"),
    # The agenda is sealed with the log's key; the nightly run makes anew what does not fit (tests/properties/test_agenda.py).
    *((table.name, column.name) for table in (AGENDA, DUTY, DUTY_KEY) for column in table.columns),
}  # fmt: skip


@pytest.fixture(scope="module")
def original(kept_home):
    with kept_home.empty_log() as log:
        add(log, *range(260), corrects="e-0")
        add(log, *range(260, 300), corrects="e-1")
        with log.writing() as batch:
            documents = b'{"policies":[]}'
            batch.put_bundle("sha256:" + sha256(documents).hexdigest(), documents)
            idx = batch.append("rejected", {"kept_sha256": sha256(b"raw").hexdigest()})
            batch.quarantine(idx, b"raw", "file.json")
    kept_home.save("whole")
    return kept_home


def answer_of(home):
    with home.open() as log:
        return verify(log, keys_of=keys_of, bundle_digest=lambda raw: "sha256:" + sha256(raw).hexdigest())


def flipped(value, data):
    """The value with one bit changed, of the same type; text stays text."""
    if isinstance(value, int):
        return value ^ (1 << data.draw(st.integers(0, 40)))
    raw = value.encode() if isinstance(value, str) else value
    at = data.draw(st.integers(0, len(raw) - 1))
    bit = data.draw(st.integers(0, 4 if isinstance(value, str) else 7))
    raw = raw[:at] + bytes([raw[at] ^ (1 << bit)]) + raw[at + 1 :]
    return raw.decode() if isinstance(value, str) else raw


def answer_after_a_flip(home, table, column, where, data):
    """The answer where one bit of one row is another."""
    home.restore("whole")
    with unguarded(home) as connection:
        where = f"{column} IS NOT NULL" if where == "true" else where
        (value,) = connection.execute(f"SELECT {column} FROM {table} WHERE {where}").fetchone()
        try:
            connection.execute(f"UPDATE {table} SET {column} = %s WHERE {where}", (flipped(value, data),))
        except home.refusals:  # another row has that key: the database itself refuses the change
            reject()
    return answer_of(home)


def test_the_original_verifies(original):
    """Nothing is found where nothing was changed."""
    assert answer_of(original).state is State.SELF_CONSISTENT


@LIVELY
@given(data=st.data())
def test_a_flipped_bit_in_any_column_of_an_entry_is_found_and_named(original, data):
    """Bytes, leaf and every look-up column: the answer names the very entry."""
    idx = data.draw(st.integers(1, 300))
    answer = answer_after_a_flip(original, "entry", data.draw(st.sampled_from(ENTRY)), f"idx = {idx}", data)
    assert (answer.state, answer.index) == (State.TAMPERED, idx), answer.reason


@LIVELY
@given(data=st.data())
def test_a_flipped_bit_in_any_other_table_is_found(original, data):
    """Tiles, heads, policies, quarantined input, and the index of look-up keys."""
    table, column, where = data.draw(st.sampled_from(BESIDE))
    answer = answer_after_a_flip(original, table, column, where, data)
    assert answer.state is State.TAMPERED, (table, column)
    if table == "event_key":
        assert answer.index == 7


def test_no_column_is_left_out():
    """Every column of every table is looked at, or it is said why not."""
    looked_at = {("entry", column) for column in ENTRY} | {(table, column) for table, column, _ in BESIDE}
    assert looked_at | NOT_REPEATED == {
        (table.name, column.name) for table in METADATA.tables.values() for column in table.columns
    }
