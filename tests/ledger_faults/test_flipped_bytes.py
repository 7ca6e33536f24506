"""A changed byte is found: in any stored column with the entry named, in the file without a traceback."""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from itertools import count

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from compliance.errors import ComplianceError
from compliance.ledger.guards import GUARDS
from compliance.ledger.log import Log
from compliance.ledger.verify import State, verify
from tests.logs import add, copy, empty_log, keys_of, put_guards_back, url, without_guards

ENTRY_COLUMNS = (
    "type", "recorded_us", "event_id", "kind", "site", "patient", "session", "occurred_us", "verdict", "digest", "leaf", "body",
)  # fmt: skip
LIVELY = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flipped")
    with empty_log(folder / "log.db") as log:
        add(log, *range(260))
        add(log, *range(260, 300))
        with log.writing() as batch:
            documents = b'{"policies":[]}'
            batch.put_bundle("sha256:" + sha256(documents).hexdigest(), documents)
            idx = batch.append("rejected", {"kept_sha256": sha256(b"raw").hexdigest()})
            batch.quarantine(idx, b"raw", "file.json")
        return copy(log, folder / "copy.db").read_bytes()


NUMBERS = count()


def place(folder, content):
    """A database file of its own for each example: within one process SQLite shares what it knows of a file that is still open."""
    path = folder / f"log-{next(NUMBERS)}.db"
    path.write_bytes(content)
    return path


def answer_of(path):
    with Log.open(url(path)) as log:
        return verify(log, keys_of=keys_of, bundle_digest=lambda raw: "sha256:" + sha256(raw).hexdigest())


def answer_or_words(path):
    """The answer, or None where the file cannot even be opened and an error with its remedy says so."""
    try:
        return answer_of(path)
    except ComplianceError as problem:
        if problem.exit_code in {3, 4} and problem.remedy:
            return None
        raise


def flipped(value, data):
    """The value with one bit changed, of the same type; text stays text."""
    if isinstance(value, int):
        return value ^ (1 << data.draw(st.integers(0, 40)))
    raw = value.encode() if isinstance(value, str) else value
    at = data.draw(st.integers(0, len(raw) - 1))
    bit = data.draw(st.integers(0, 4 if isinstance(value, str) else 7))
    raw = raw[:at] + bytes([raw[at] ^ (1 << bit)]) + raw[at + 1 :]
    return raw.decode() if isinstance(value, str) else raw


def change(path, table, column, where, data):
    connection = without_guards(path)
    (value,) = connection.execute(f"SELECT {column} FROM {table} WHERE {where}").fetchone()
    try:
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (flipped(value, data),))
    except sqlite3.IntegrityError:  # another entry has that event id: the database itself refuses the change
        connection.close()
        reject()
    put_guards_back(connection)


def test_the_original_verifies(original, tmp_path):
    """Nothing is found where nothing was changed."""
    (tmp_path / "log.db").write_bytes(original)
    assert answer_of(tmp_path / "log.db").state is State.SELF_CONSISTENT


@LIVELY
@given(data=st.data())
def test_a_flipped_bit_in_any_column_of_an_entry_is_found_and_named(original, tmp_path, data):
    """Bytes, leaf and every look-up column: the answer names the very entry."""
    path = place(tmp_path, original)
    idx = data.draw(st.integers(1, 300))
    change(path, "entry", data.draw(st.sampled_from(ENTRY_COLUMNS)), f"idx = {idx}", data)
    answer = answer_of(path)
    assert (answer.state, answer.index) == (State.TAMPERED, idx), answer.reason


@LIVELY
@given(data=st.data())
def test_a_flipped_bit_in_any_other_table_is_found(original, tmp_path, data):
    """Tiles, heads, policies, quarantined input, and the index of look-up keys."""
    path = place(tmp_path, original)
    table, column, where = data.draw(
        st.sampled_from(
            [
                ("tile", "root", "n = 0"), ("tile", "hashes", "n = 0"), ("tile", "level", "n = 0"), ("tile", "n", "n = 0"),
                ("head", "root", "size = 261"), ("head", "frontier", "size = 261"), ("head", "recorded_us", "size = 301"),
                ("head", "root", "size = 302"), ("bundle", "documents", "true"), ("bundle", "digest", "true"),
                ("quarantine", "raw", "true"), ("quarantine", "idx", "true"), ("event_key", "key", "idx = 7 AND key = 1000"),
                ("event_key", "occurred_us", "idx = 7 AND key = 1000"), ("event_key", "idx", "idx = 7 AND key = 1000"),
            ]
        )
    )  # fmt: skip
    change(path, table, column, where, data)
    answer = answer_of(path)
    assert answer.state is State.TAMPERED, (table, column)
    if table == "event_key":
        assert answer.index == 7


@LIVELY
@given(data=st.data())
def test_a_flipped_bit_in_the_file_never_gives_a_traceback(original, tmp_path, data):
    """Whatever byte of the file is changed, there is an answer or an error in words, and no changed entry passes for good."""
    at = data.draw(st.integers(0, len(original) - 1))
    path = place(
        tmp_path,
        original[:at] + bytes([original[at] ^ (1 << data.draw(st.integers(0, 7)))]) + original[at + 1 :],
    )
    answer = answer_or_words(path)
    if answer is not None and answer.good:
        # A byte that no row and no index holds: free space, or the header's counters. All rows must be what they were.
        before = tmp_path / "before.db"
        before.write_bytes(original)
        with Log.open(url(before)) as old, Log.open(url(path)) as new:
            assert [*old.entries()] == [*new.entries()]


@LIVELY
@given(data=st.data())
def test_a_stretch_of_zeroes_never_gives_a_traceback(original, tmp_path, data):
    """The same for a lost sector."""
    path = tmp_path / "log.db"
    sector = data.draw(st.integers(0, len(original) // 512 - 1)) * 512
    path.write_bytes(original[:sector] + bytes(512) + original[sector + 512 :])
    answer = answer_or_words(path)
    assert answer is None or answer.state in {State.TAMPERED, State.SELF_CONSISTENT}


@pytest.mark.parametrize("keep", [0, 1, 100, 4096, 50_000])
def test_a_file_cut_short(original, tmp_path, keep):
    """A truncated file is corrupt, never a shorter good log."""
    path = tmp_path / "log.db"
    path.write_bytes(original[:keep])
    with pytest.raises(ComplianceError) as refused:
        answer = answer_of(path)
        if answer.state is State.TAMPERED:
            raise ComplianceError(answer.reason, "found")
    assert refused.value.remedy


def test_guards_put_back_are_the_guards():
    """The tests restore every trigger as it was, so that its absence is not what is found."""
    assert len(GUARDS["sqlite"]) == 20
