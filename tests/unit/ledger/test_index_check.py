"""The index of look-up keys against what the entries call for: rows that Python would hash alike are told apart."""

from __future__ import annotations

import itertools

import pytest

from compliance.ledger import index_check
from compliance.ledger.index_check import KeyRows, KeySum
from compliance.ledger.log import Log
from compliance.ledger.verify import State, verify
from compliance.ledger.walk import _key_parts
from tests.logs import add, decision, empty_log, event, put_guards_back, url, without_guards

MODULUS = 2**61 - 1
"""Python hashes whole numbers modulo this prime, and -1 as -2."""
KEYS = [7, -1, -(2**63), 2**63 - 1]


def keys_of(document):
    return KEYS if "event" in document else []


@pytest.fixture
def path(tmp_path):
    with empty_log(tmp_path / "log.db") as log, log.writing() as batch:
        for number in range(20):
            batch.append("event", {"event": event(number), "decision": decision()}, keys=KEYS)
    return tmp_path / "log.db"


def changed(path, *statements):
    connection = without_guards(path)
    for statement in statements:
        assert connection.execute(statement).rowcount != 0
    put_guards_back(connection)
    with Log.open(url(path)) as log:
        return verify(log, keys_of=keys_of)


ALIKE = [
    f"UPDATE event_key SET key = key + {MODULUS} WHERE idx = 9 AND key = 7",
    f"UPDATE event_key SET key = key - {MODULUS} WHERE idx = 9 AND key = -1",
    "UPDATE event_key SET key = -2 WHERE idx = 9 AND key = -1",
    f"UPDATE event_key SET occurred_us = occurred_us + {MODULUS} WHERE idx = 9 AND key = 7",
    f"UPDATE event_key SET idx = idx + {MODULUS} WHERE idx = 9 AND key = 7",
]


@pytest.mark.parametrize("statement", ALIKE)
def test_rows_that_hash_alike_are_told_apart(path, statement):
    """A row moved so that Python's hashes of its numbers stay the same no longer counts as the row."""
    answer = changed(path, statement)
    assert (answer.state, answer.index) == (State.TAMPERED, 9)
    assert "cannot be found" in answer.reason


@pytest.mark.parametrize("statement", ALIKE)
def test_hashed_as_they_are_they_pass(path, statement, monkeypatch):
    """The mutant: with the plain numbers hashed, as if halves and bounds were not needed, each of these rows is overlooked."""

    def plain(log, salt):
        return sum(
            hash((salt, *row)) for row in log.driver.execute("SELECT key, occurred_us, idx FROM event_key")
        )

    def take(self, idx, occurred_us, document):
        self.called.total += sum(
            hash((self.salt, key, occurred_us or 0, idx)) for key in self.keys_of(document)
        )

    monkeypatch.setattr(KeyRows, "take", take)
    monkeypatch.setattr(KeyRows, "stored", lambda self: KeySum(plain(self._log, self.salt)))
    monkeypatch.setattr(KeyRows, "agree", lambda self, stored: stored.total == self.called.total)
    assert changed(path, statement).state is State.SELF_CONSISTENT


def test_a_row_too_many_far_away_is_counted(path):
    """A row at an instant that no event can have is in no sum, and is still one too many."""
    answer = changed(path, f"INSERT INTO event_key VALUES (8, {2**62}, 9)")
    assert (answer.state, answer.index) == (State.TAMPERED, 9)
    assert "not its own" in answer.reason


def test_an_amended_event_still_needs_its_own_rows(path):
    """Rows of amended events stay out of the sums, so those that they call for are looked up: one that lacks is found."""
    with Log.open(url(path), write=True) as log, log.writing() as batch:
        again = event(900, kind="correction", corrects="e-5")
        batch.append("event", {"event": again, "decision": decision()}, keys=KEYS)
        batch.add_keys([(4711, 5, 6)])
    assert changed(path, "UPDATE entry SET idx = idx").state is State.SELF_CONSISTENT
    answer = changed(path, "DELETE FROM event_key WHERE idx = 6 AND key = 7")
    assert (answer.state, answer.index) == (State.TAMPERED, 6)


def test_an_entry_before_the_first_is_found(path):
    """A row with a negative idx would be found by its event id, and is in no tree."""
    columns = (
        "type, recorded_us, kind, site, patient, session, occurred_us, verdict, target, digest, leaf, body"
    )
    answer = changed(
        path,
        f"INSERT INTO entry (idx, event_id, {columns}) SELECT -1, 'forged', {columns} FROM entry WHERE idx = 9",
    )
    assert answer.state is State.TAMPERED
    assert "before the first" in answer.reason


def test_parts_of_the_keys_are_all_keys(path):
    """The parts that several processes read lie side by side, from the least key to the greatest, and their sums are the whole."""
    parts = list(_key_parts())
    assert parts[0].first == -(2**63)
    assert parts[-1].last == 2**63 - 1
    assert all(one.last + 1 == following.first for one, following in itertools.pairwise(parts))
    with Log.open(url(path)) as log:
        rows, together = KeyRows(log, keys_of), KeySum()
        for part in parts:
            together.add(rows.stored(part.first, part.last))
        assert together == rows.stored()
        assert together.rows == 80


def test_differences_are_looked_for_in_stretches(path, monkeypatch):
    """However small the stretches whose rows are held at once, the first difference is the same."""
    monkeypatch.setattr(index_check, "_STRETCH", 3)
    answer = changed(
        path, "INSERT INTO event_key VALUES (8, 5, 17)", "INSERT INTO event_key VALUES (8, 5, 11)"
    )
    assert (answer.state, answer.index) == (State.TAMPERED, 11)
    with Log.open(url(path), write=True) as log:
        add(log, 100)
