"""Verifying: the five answers, and what each of them notices."""

from __future__ import annotations

from hashlib import sha256

import pytest

from compliance.ledger.checkpoint import checkpoint
from compliance.ledger.log import Log
from compliance.ledger.note import NoteError, Signer
from compliance.ledger.verify import State, verify
from tests.homes import unguarded
from tests.logs import ORIGIN, SIGNER, add, decision, event, keys_of


@pytest.fixture
def log(home):
    with home.empty_log() as made:
        add(made, *range(300))
        add(made, *range(300, 310))
        yield made


def test_self_consistent(log):
    """A log that nobody touched agrees with itself."""
    answer = verify(log, keys_of=keys_of)
    assert (answer.state, answer.size, answer.root, answer.index) == (
        State.SELF_CONSISTENT,
        311,
        log.root,
        None,
    )
    assert answer.good


def test_anchored(log):
    """A log that went on from its checkpoints is anchored to all of them, each with its date."""
    first = checkpoint(log, SIGNER)
    recorded = log.head.recorded_us
    add(log, 400)
    answer = verify(log, [first, checkpoint(log, SIGNER)])
    assert answer.state is State.ANCHORED
    assert [(anchor.checkpoint.size, anchor.recorded_us) for anchor in answer.anchors] == [
        (311, recorded),
        (312, recorded + 1),
    ]


@pytest.mark.parametrize("at", [1, 100, 256, 257, 311])
def test_since_a_checkpoint(home, at):
    """Verifying only what is new gives the same answer from wherever it begins, and finds what was changed after it."""
    with home.empty_log() as log:
        if at > 1:
            add(log, *range(at - 1))
        note = checkpoint(log, SIGNER)
        add(log, *range(500, 1100))
        answer = verify(log, since=note)
        assert (answer.state, answer.size, answer.root) == (State.ANCHORED, at + 600, log.root)
    with unguarded(home) as connection:
        connection.execute("UPDATE entry SET site = 'elsewhere' WHERE idx = %s", (at + 50,))
    with home.open() as log:
        answer = verify(log, since=note)
        assert (answer.state, answer.index) == (State.TAMPERED, at + 50)


def test_rolled_back(log, home):
    """A restored backup is shorter than the checkpoint."""
    home.save("backup")
    add(log, 400, 401)
    note = checkpoint(log, SIGNER)
    log.close()
    home.restore("backup")
    with home.open(write=True) as restored:
        for answer in (verify(restored, [note]), verify(restored, since=note)):
            assert (answer.state, answer.index) == (State.ROLLED_BACK, 311)
            assert "2 at its end are missing" in answer.reason
        add(restored, 500)
        assert verify(restored, [note]).state is State.ROLLED_BACK


def test_forked(log, home):
    """A backup that went on differently has another root where the checkpoint was made, however long it has grown."""
    home.save("backup")
    before = checkpoint(log, SIGNER)
    add(log, 400, 401)
    note = checkpoint(log, SIGNER)
    log.close()
    home.restore("backup")
    with home.open(write=True) as restored:
        for more in (500, 501), (502, 503):
            add(restored, *more)
            assert verify(restored).state is State.SELF_CONSISTENT, "nothing within the database shows it"
            assert verify(restored, [before]).state is State.ANCHORED
            for answer in (
                verify(restored, [note]),
                verify(restored, [before, note]),
                verify(restored, since=note),
            ):
                assert (answer.state, answer.index) == (State.FORKED, 313)
                assert not answer.good


def test_a_log_begun_again_with_another_key(log, another_home):
    """A whole new log under the same origin is a fork for whoever holds a checkpoint, with or without its key at hand."""
    note = checkpoint(log, SIGNER)
    other = Signer(ORIGIN, bytes(32))
    with Log.create(another_home.url, ORIGIN, str(other.verifier)) as again:
        add(again, 1)
        for answer in (verify(again, [note]), verify(again, [note], verifiers=[SIGNER.verifier])):
            assert answer.state is State.FORKED
            assert "another key" in answer.reason
        with pytest.raises(NoteError, match="does not verify"):
            verify(again, [note.replace("\n311\n", "\n310\n")], verifiers=[SIGNER.verifier])


def test_checkpoints_that_are_none_of_this_log(log):
    """A checkpoint of another log, a damaged one and a file that is none are wrong calls, not answers."""
    stranger = Signer("other.example/log", bytes(32))
    with pytest.raises(NoteError, match=r"of the log 'other\.example/log'"):
        verify(log, [stranger.sign(f"other.example/log\n1\n{'A' * 43}=\n")])
    with pytest.raises(NoteError, match="does not verify"):
        verify(log, [checkpoint(log, SIGNER).replace("\n311\n", "\n310\n")])
    with pytest.raises(NoteError):
        verify(log, ["nonsense"])
    with pytest.raises(NoteError, match="no known key"):
        verify(log, [checkpoint(log, SIGNER).replace(f"— {ORIGIN} ", "— someone ")])


ZEROES = bytes(32)
CHANGES = [
    ("DELETE FROM entry WHERE idx = 40", (), 40, "missing"),
    ("DELETE FROM entry WHERE idx > 305", (), 306, "heads say 311"),
    ("DELETE FROM head WHERE size = 311", (), 301, "have no head"),
    ("DELETE FROM tile", (), 0, "tile 0 of level 0"),
    ("INSERT INTO tile VALUES (1, 0, %s, %s)", (ZEROES, bytes(8192)), None, "tiles"),
    ("UPDATE tile SET root = %s", (ZEROES,), 0, "tile 0"),
    ("UPDATE head SET recorded_us = 5 WHERE size = 301", (), 300, "head of size 301"),
    ("UPDATE head SET frontier = %s WHERE size = 311", (bytes(160),), 310, "head of size 311"),
    ("UPDATE entry SET verdict = 'violation' WHERE idx = 9", (), 9, "look-up columns"),
    ("UPDATE entry SET digest = %s WHERE idx = 9", (ZEROES,), 9, "look-up columns"),
    ("UPDATE entry SET leaf = %s WHERE idx = 9", (ZEROES,), 9, "leaf hash"),
    ("UPDATE entry SET body = %s, leaf = %s WHERE idx = 0", (b"", b""), 0, "leaf hash"),
    ("DELETE FROM event_key WHERE idx = 33 AND key = 1000", (), 33, "cannot be found"),
    ("UPDATE event_key SET occurred_us = 0 WHERE idx = 33 AND key = 1000", (), 33, "cannot be found"),
    ("INSERT INTO event_key VALUES (4711, 5, 33)", (), 33, "not its own"),
    ("INSERT INTO event_key VALUES (4711, 5, 5000)", (), None, "not there"),
    ("INSERT INTO quarantine VALUES (7, %s, 'f')", (b"0",), None, "quarantined"),
    ("INSERT INTO bundle VALUES ('sha256:1', %s)", (b"0",), None, "stored policies"),
]


@pytest.mark.parametrize(
    "statement, values, index, words", CHANGES, ids=[change[0][:50] for change in CHANGES]
)
def test_tampered(log, home, statement, values, index, words):
    """Every change of a row is found, with the first bad index and why."""
    log.close()
    with unguarded(home) as connection:
        connection.execute(statement, values)
    with home.open() as changed:
        answer = verify(
            changed, keys_of=keys_of, bundle_digest=lambda raw: "sha256:" + sha256(raw).hexdigest()
        )
    assert (answer.state, answer.index) == (State.TAMPERED, index), answer.reason
    assert words in answer.reason


def test_a_missing_guard_is_found(log, home):
    """A dropped trigger is reported: somebody made room for changes."""
    log.close()
    home.without_guards().close()
    with home.open() as changed:
        answer = verify(changed)
    assert answer.state is State.TAMPERED
    assert "entry_no_delete" in answer.reason


def test_reordered_entries_are_found(log, home):
    """Two entries that changed places keep their leaf hashes, but not the tree's root."""
    log.close()
    with unguarded(home) as connection:
        connection.execute("UPDATE entry SET idx = -1 WHERE idx = 20")
        connection.execute("UPDATE entry SET idx = 20 WHERE idx = 21")
        connection.execute("UPDATE entry SET idx = 21 WHERE idx = -1")
    with home.open() as changed:
        answer = verify(changed)
    assert (answer.state, answer.index) == (State.TAMPERED, 21)
    assert "recorded later" in answer.reason


def test_bytes_that_are_not_canonical_are_found(log, home):
    """An entry in another spelling, with its leaf hash and columns right, is still found, first of all."""
    log.close()
    with unguarded(home) as connection:
        (body,) = connection.execute("SELECT body FROM entry WHERE idx = 5").fetchone()
        body = bytes(body).replace(b'"v":1', b'"v": 1')
        connection.execute(
            "UPDATE entry SET body = %s, leaf = %s WHERE idx = 5", (body, sha256(b"\0" + body).digest())
        )
    with home.open() as changed:
        answer = verify(changed)
    assert (answer.state, answer.index) == (State.TAMPERED, 5)
    assert "canonical" in answer.reason


def test_rows_of_amended_events_are_right(log):
    """An event that was corrected has rows under its new keys; they are not held against it."""
    with log.writing() as batch:
        batch.append(
            "event",
            {"event": event(900, kind="correction", corrects="e-5"), "decision": decision()},
            keys=[0, 1000],
        )
        batch.add_keys([(4711, 5, log.by_event_id("e-5"))])
    assert verify(log, keys_of=keys_of).state is State.SELF_CONSISTENT


def test_a_first_entry_that_names_no_key(home):
    """Without a key in the first entry there is nothing to verify checkpoints with."""
    with Log.create(home.url, ORIGIN, "nonsense") as log:
        answer = verify(log)
        assert (answer.state, answer.index) == (State.TAMPERED, 0)
        assert verify(log, [SIGNER.sign(f"{ORIGIN}\n1\n{'A' * 43}=\n")]).state is State.TAMPERED
