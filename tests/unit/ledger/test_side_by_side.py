"""Verifying by several processes: the answer is that of one walk from beginning to end, whatever is wrong and wherever."""

from __future__ import annotations

import random
from collections.abc import Iterator
from hashlib import sha256
from itertools import count

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.errors import DatabaseError
from compliance.ledger import walk
from compliance.ledger.checkpoint import checkpoint
from compliance.ledger.log import Log
from compliance.ledger.tree import Frontier
from compliance.ledger.verify import State, verify
from compliance.ledger.walk import Side
from compliance.ledger.workers import Worker
from tests.ledger_faults.dying_worker import dies
from tests.logs import (
    SIGNER,
    add,
    copy,
    decision,
    empty_log,
    event,
    keys_of,
    put_guards_back,
    url,
    without_guards,
)

STRETCH = 32
SIDE = Side(2, STRETCH)
LAST = 620
NUMBERS = count()


def digest(documents: bytes) -> str:
    return "sha256:" + sha256(documents).hexdigest()


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Batches of many sizes, single entries, a corrected event, policies, quarantined input; the note is of size 310."""
    folder = tmp_path_factory.mktemp("side")
    with empty_log(folder / "log.db") as log:
        add(log, *range(200))
        for number in range(200, 240):
            add(log, number)
        add(log, *range(240, 309))
        note = checkpoint(log, SIGNER)
        with log.writing() as batch:
            batch.put_bundle(digest(b"[]"), b"[]")
            again = event(900, kind="correction", corrects="e-5")
            batch.append(
                "event",
                {"event": again, "decision": decision()},
                keys=keys_of({"event": again}),
            )
            batch.add_keys([(4711, 5, 6)])
            idx = batch.append("rejected", {"kept_sha256": sha256(b"raw").hexdigest()})
            batch.quarantine(idx, b"raw", "file.json")
        for start in range(312, LAST, 7):
            add(log, *range(start, min(start + 7, LAST)))
        assert log.size > 8 * STRETCH + 310
        return copy(log, folder / "copy.db").read_bytes(), note


class InOneProcess:
    """The same tasks without processes, answered in any order; a thousand examples would not start as many."""

    def __init__(self, processes, orders) -> None:
        self._worker = Worker(orders)
        self.answered = 0

    def answers(self, tasks) -> Iterator:
        shuffled = random.Random(len(tasks)).sample(tasks, len(tasks))
        for task in shuffled:
            self.answered += 1
            yield task, self._worker.answer(task)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._worker.close()


@pytest.fixture
def in_one_process(monkeypatch):
    monkeypatch.setattr(walk, "Workers", InOneProcess)


def changed(folder, content, *statements):
    path = folder / f"log-{next(NUMBERS)}.db"
    path.write_bytes(content)
    connection = without_guards(path)
    connection.create_function("sha256", 1, lambda raw: sha256(raw).digest(), deterministic=True)
    for statement in statements:
        connection.execute(statement)
    put_guards_back(connection)
    return path


def answer(path, side, since=None):
    with Log.open(url(path)) as log:
        return verify(log, keys_of=keys_of, bundle_digest=digest, side=side, since=since)


NOT_CANONICAL = """CAST(replace(CAST(body AS TEXT), '"v":1', '"v": 1') AS BLOB)"""
OTHER_DOSE = """CAST(replace(CAST(body AS TEXT), '"56"', '"57"') AS BLOB)"""
DAMAGES = [
    "UPDATE entry SET site = 'elsewhere' WHERE idx = {at}",
    "UPDATE entry SET recorded_us = recorded_us + 1 WHERE idx = {at}",
    "UPDATE entry SET digest = zeroblob(32) WHERE idx = {at}",
    "UPDATE entry SET leaf = zeroblob(32) WHERE idx = {at}",
    "UPDATE entry SET body = x'7b7d', leaf = sha256(x'007b7d') WHERE idx = {at}",
    "UPDATE entry SET body = " + NOT_CANONICAL + " WHERE idx = {at}; "
    "UPDATE entry SET leaf = sha256(CAST(x'00' || body AS BLOB)) WHERE idx = {at}",
    "UPDATE entry SET body = " + OTHER_DOSE + " WHERE idx = {at}; "
    "UPDATE entry SET leaf = sha256(CAST(x'00' || body AS BLOB)) WHERE idx = {at}",
    "DELETE FROM entry WHERE idx = {at}",
    "DELETE FROM entry WHERE idx >= {at}",
    "DELETE FROM entry WHERE idx >= {at}; DELETE FROM head WHERE size > {at}",
    (
        "UPDATE entry SET idx = -9 WHERE idx = {at}; UPDATE entry SET idx = {at} WHERE idx = {at} + 1; "
        "UPDATE entry SET idx = {at} + 1 WHERE idx = -9"
    ),
    "UPDATE entry SET idx = -9 WHERE idx = {at}",
    "DELETE FROM head WHERE size > {at} AND size < {at} + 60",
    "DELETE FROM head WHERE size >= {at}",
    "UPDATE head SET root = zeroblob(32) WHERE size = (SELECT min(size) FROM head WHERE size >= {at})",
    "UPDATE head SET frontier = substr(frontier, 2) WHERE size = (SELECT min(size) FROM head WHERE size >= {at})",
    "UPDATE head SET recorded_us = 5 WHERE size = (SELECT min(size) FROM head WHERE size >= {at})",
    "UPDATE tile SET hashes = zeroblob(8192) WHERE n = {at} / 256",
    "UPDATE tile SET root = zeroblob(32) WHERE n = {at} / 256",
    "DELETE FROM tile WHERE n = {at} / 256",
    "INSERT OR IGNORE INTO tile SELECT level, {at} / 256, root, hashes FROM tile WHERE n = 0",
    "DELETE FROM event_key WHERE idx = {at} AND key = 1000",
    "UPDATE event_key SET occurred_us = 0 WHERE idx = {at} AND key = 1000",
    "UPDATE event_key SET idx = -1 WHERE idx = {at} AND key = 1000",
    "UPDATE event_key SET key = key + 2305843009213693951 WHERE idx = {at} AND key = 1000",
    "INSERT INTO event_key VALUES (4712, 5, {at})",
    "INSERT INTO event_key VALUES (4712, 5, {at} + 5000)",
    "INSERT OR IGNORE INTO quarantine VALUES ({at}, x'00', 'f')",
    "UPDATE bundle SET documents = x'00'",
]
PLACES = st.one_of(
    st.integers(0, LAST),  # anywhere
    st.integers(0, LAST // STRETCH).flatmap(
        lambda n: st.integers(-1, 1).map(lambda off: max(0, n * STRETCH + off))
    ),  # at borders
    st.integers(0, STRETCH),  # in the first stretch
    st.integers(LAST - STRETCH, LAST),  # in the last one
)


@settings(max_examples=35, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    damages=st.lists(st.tuples(st.sampled_from(DAMAGES), PLACES), min_size=1, max_size=3), since=st.booleans()
)
def test_side_by_side_gives_the_answer_of_one_walk(original, tmp_path, in_one_process, damages, since):
    """State, index, reason, size and root are the same, with one to three kinds of damage anywhere, at borders, first and last."""
    content, note = original
    statements = [one for text, at in damages for one in text.format(at=at).split("; ")]
    try:
        path = changed(tmp_path, content, *statements)
    except Exception as refused:
        if "constraint failed" in str(refused):  # two damages in each other's way
            return
        raise
    given_note = note if since else None
    assert answer(path, SIDE, given_note) == answer(path, None, given_note)


NEVER_FOUND = ("INSERT OR IGNORE INTO tile", "DELETE FROM head WHERE size > {at} AND")
"""A tile that is there already stays; a head in the middle is not missed, as batches may be of any size."""


@pytest.mark.parametrize("side", [None, SIDE])
def test_entries_whose_subtrees_are_still_there_are_missed(original, tmp_path, in_one_process, side):
    """From a checkpoint on, roots are compared first; that the last entry of the checkpoint is gone is tampering, and no mistake of the call."""
    path = changed(
        tmp_path, original[0], "DELETE FROM entry WHERE idx >= 1", "DELETE FROM head WHERE size >= 311"
    )
    assert answer(path, side, original[1]).state is State.TAMPERED


@pytest.mark.parametrize("text", [text for text in DAMAGES if not text.startswith(NEVER_FOUND)])
@pytest.mark.parametrize("at", [37, 4 * STRETCH])
def test_each_damage_alone_is_found(original, tmp_path, in_one_process, text, at):
    """None of the kinds above is harmless, so that equal answers are not equally empty ones."""
    path = changed(tmp_path, original[0], *text.format(at=at).split("; "))
    assert answer(path, SIDE).state is State.TAMPERED


def test_nothing_is_found_where_nothing_is_wrong(original, tmp_path, in_one_process):
    """A log in order is self-consistent, and anchored where a checkpoint was kept, in stretches too."""
    path = changed(tmp_path, original[0])
    assert answer(path, SIDE).state is State.SELF_CONSISTENT
    assert answer(path, SIDE, original[1]).state is State.ANCHORED


def test_stretches_are_really_walked(original, tmp_path, monkeypatch):
    """The walk of this process begins where the last whole stretch ended, and sums of all keys came from the others."""
    walks = []
    entry_walk = walk.EntryWalk
    monkeypatch.setattr(walk, "Workers", InOneProcess)
    monkeypatch.setattr(
        walk, "EntryWalk", lambda log, at, keys: walks.append(at.size) or entry_walk(log, at, keys)
    )
    path = changed(tmp_path, original[0])
    with Log.open(url(path)) as log:
        size = log.size
    assert answer(path, SIDE).good
    assert walks[-1] == size // STRETCH * STRETCH


def test_progress_is_told(original, tmp_path, in_one_process):
    """Whoever asks is told how many entries were walked, in growing numbers."""
    told = []
    with Log.open(url(changed(tmp_path, original[0]))) as log:
        verify(log, side=SIDE, progress=lambda done, size: told.append((done, size)))
        assert told == sorted(told)
        assert told[-1] == (log.size // STRETCH * STRETCH, log.size)


def forged_start(folder, content):
    """A log whose stored hashes lie about the beginning of a stretch, with every later head true to the lie.

    Its last tile is not full, and is stored as if it were: with another hash for entry 520. What begins at 544 takes that hash for the
    entry's, and finds the heads that were made with it.
    """
    path = folder / "forged.db"
    path.write_bytes(content)
    connection = without_guards(path)
    leaves = [leaf for (leaf,) in connection.execute("SELECT leaf FROM entry ORDER BY idx")]
    lie = [*leaves[:520], bytes(32), *leaves[521:]]
    hashes = b"".join(lie[512:]).ljust(8192, b"\0")
    connection.execute("INSERT INTO tile VALUES (0, 2, zeroblob(32), ?)", (hashes,))
    for (size,) in connection.execute("SELECT size FROM head WHERE size > 544").fetchall():
        forged = Frontier()
        forged.extend(lie[:size])
        connection.execute(
            "UPDATE head SET root = ?, frontier = ? WHERE size = ?", (forged.root(), forged.to_bytes(), size)
        )
    (first,) = connection.execute("SELECT min(size) FROM head WHERE size > 544").fetchone()
    connection.execute("DELETE FROM head WHERE size > 520 AND size < 545")
    put_guards_back(connection)
    return path, first


def test_a_forged_beginning_is_found(original, tmp_path, in_one_process, monkeypatch):
    """Stored hashes prove nothing: a stretch counts only where the one before ended with the hashes that it began with."""
    path, first = forged_start(tmp_path, original[0])
    monkeypatch.setattr(walk.Walk, "_count_tiles", lambda _: None)  # which would find the tile too many
    found = answer(path, SIDE)
    assert (found.state, found.index) == (State.TAMPERED, first - 1)
    assert "does not agree with the entries up to it" in found.reason


def test_without_the_comparison_at_the_border_it_passes(original, tmp_path, in_one_process, monkeypatch):
    """The mutant: with that comparison off, the lie about the beginning of a stretch is taken for the log."""
    path, _ = forged_start(tmp_path, original[0])
    monkeypatch.setattr(walk.Walk, "_count_tiles", lambda _: None)
    monkeypatch.setattr(walk, "_fits", lambda position, following: True)
    assert answer(path, SIDE).good


def test_a_tile_changed_in_itself_consistently_is_found(original, tmp_path, in_one_process):
    """Another hash in a tile with the root to it, and nothing else changed: found, and named as by one walk."""
    path = tmp_path / "log.db"
    path.write_bytes(original[0])
    connection = without_guards(path)
    (hashes,) = connection.execute("SELECT hashes FROM tile WHERE n = 1").fetchone()
    hashes = bytes(32) + hashes[32:]
    tile = Frontier()
    tile.extend([hashes[at : at + 32] for at in range(0, 8192, 32)])
    connection.execute("UPDATE tile SET hashes = ?, root = ? WHERE n = 1", (hashes, tile.root()))
    put_guards_back(connection)
    found = answer(path, SIDE)
    assert (found.state, found.index) == (State.TAMPERED, 256)
    assert found == answer(path, None)


def test_processes_give_the_same_answers(original, tmp_path):
    """With real processes: good, tampered in the middle, and continued from a checkpoint."""
    path = changed(tmp_path, original[0])
    assert answer(path, SIDE) == answer(path, None)
    assert answer(path, SIDE, original[1]).state is State.ANCHORED
    path = changed(tmp_path, original[0], DAMAGES[0].format(at=300))
    found = answer(path, SIDE)
    assert (found.state, found.index) == (State.TAMPERED, 300)


def test_a_process_that_dies_is_an_error_in_words(original, tmp_path):
    """No answer is no good answer: the call fails with a remedy, and does not wait for ever."""
    path = changed(tmp_path, original[0])
    with Log.open(url(path)) as log, pytest.raises(DatabaseError, match="ended before it was done") as ended:
        verify(log, keys_of=dies, side=SIDE)
    assert ended.value.remedy


def test_what_a_worker_cannot_say_is_found_out_here(original, tmp_path, monkeypatch):
    """A worker whose connection fails says nothing; the walk of this process then gives the answer."""

    class Mute(InOneProcess):
        def answers(self, tasks):
            return ((task, None) for task in tasks)

    monkeypatch.setattr(walk, "Workers", Mute)
    assert answer(changed(tmp_path, original[0]), SIDE).state is State.SELF_CONSISTENT
    path = changed(tmp_path, original[0], DAMAGES[0].format(at=300))
    assert answer(path, SIDE).index == 300


def test_the_damages_leave_json(original, tmp_path):
    """The bodies that the damages write are JSON where they mean to be: what is found is not a syntax error."""
    path = changed(tmp_path, original[0], *DAMAGES[6].format(at=40).split("; "))
    with Log.open(url(path)) as log:
        assert orjson.loads(log.body(40))["event"]["dose_mg"] == "57"


def test_processes_wherever_the_log_lives(home):
    """In SQLite and in PostgreSQL: good and tampered, processes give the answer of one walk, with look-up rows too."""
    with home.empty_log() as log:
        for start in range(0, 300, 9):
            add(log, *range(start, start + 9))
        with log.writing() as batch:
            batch.append(
                "event",
                {"event": event(900, kind="correction", corrects="e-5"), "decision": decision()},
                keys=[0, 1000],
            )
            batch.add_keys([(4711, 5, 6)])
    for statement, index in (
        (None, None),
        ("DELETE FROM event_key WHERE idx = 33 AND key = 1000", 33),
        ("UPDATE entry SET site = 'elsewhere' WHERE idx = 40", 40),
    ):
        if statement is not None:
            connection = home.without_guards()
            connection.execute(statement)
            home.put_guards_back(connection)
        with Log.open(home.url) as log:
            one, several = (verify(log, keys_of=keys_of, side=side) for side in (None, SIDE))
        assert one == several
        assert one.index == index
        assert one.good is (statement is None)
