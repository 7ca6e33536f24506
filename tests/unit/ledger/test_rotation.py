"""Changing the log's key: signed by both keys, safe wherever it breaks off, and each key good for its own sizes only."""

from __future__ import annotations

import sys
from base64 import b64encode
from pathlib import Path

import pytest

from compliance.errors import InputError, LogError
from compliance.ledger import rotation
from compliance.ledger.checkpoint import Checkpoint, checkpoint
from compliance.ledger.keys import key_path, next_path, read_key, signer_of
from compliance.ledger.log import KEY_ENTRIES, Log
from compliance.ledger.note import NoteError, Signer, Verifier, open_note
from compliance.ledger.proof import prove, prove_at, verify_proof
from compliance.ledger.rotation import WrongKeyError, key_history, root_at, rotate, statement
from compliance.ledger.tree import ProofError
from compliance.ledger.verify import State, verify
from compliance.verifying import keys_of_entry
from tests.logs import ORIGIN, SIGNER, add, empty_log, keys_of, put_guards_back, url, without_guards


def all_keys_of(document):
    """Look-up keys of the tests' entries, and those of the log's own."""
    return keys_of_entry(document) if document["type"] == "key" else keys_of(document)


def write_key(path: Path, signer: Signer) -> None:
    path.write_text(signer.private_text() + "\n")
    path.chmod(0o600)


@pytest.fixture
def log(tmp_path):
    write_key(tmp_path / "log.db.key", SIGNER)
    with empty_log(tmp_path / "log.db") as made:
        add(made, *range(20))
        yield made


@pytest.fixture
def key(tmp_path):
    return tmp_path / "log.db.key"


def test_the_log_names_its_new_key_and_goes_on(home, tmp_path):
    """After the change the log names the new key, its file signs, and the whole log verifies; on every database."""
    key = tmp_path / "some.key"
    write_key(key, SIGNER)
    with home.empty_log() as log:
        add(log, 1, 2)
        before = checkpoint(log, SIGNER)
        done = rotate(log, key, reason="every two years")
        add(log, 3)
        assert (done.idx, done.old, log.identity.vkey) == (3, SIGNER.verifier, str(done.new))
        assert log.entry(3).document()["reason"] == "every two years"
        signer, found = signer_of(key, log.identity.vkey)
        assert found == key
        answer = verify(log, [before, checkpoint(log, signer)], keys_of=all_keys_of)
        assert (answer.state, answer.size) == (State.ANCHORED, 5)
        assert [str(term.key) for term in key_history(log).terms] == [str(SIGNER.verifier), str(done.new)]


def test_the_entry_is_signed_by_both_keys_over_the_log_as_it_was(log, key):
    """Origin, size, root and both keys stand in a note that each of the keys signed."""
    root = log.root
    done = rotate(log, key)
    document = log.entry(done.idx).document()
    opened, signers = open_note(document["note"], [Verifier.parse(document["vkey"]), SIGNER.verifier])
    assert len(signers) == 2
    assert opened.text.splitlines() == [
        "compliance-engine log key rotation v1", ORIGIN, "21", b64encode(root).decode(), str(SIGNER.verifier), str(done.new),
    ]  # fmt: skip


def test_the_old_key_is_kept_or_destroyed(log, key, tmp_path):
    """The old private key is kept under its ID; with destroy_old no file holds it any more."""
    done = rotate(log, key)
    assert done.retired == tmp_path / f"log.db.key.{SIGNER.verifier.key_id.hex()}.retired"
    assert read_key(done.retired) == SIGNER
    middle = read_key(key)
    again = rotate(log, key, destroy_old=True)
    assert again.retired is None
    assert again.old == middle.verifier
    assert not any(middle.private_text() in path.read_text() for path in tmp_path.glob("*.key*"))
    assert {path.stat().st_mode & 0o077 for path in tmp_path.glob("*.key*")} == {0}


def test_a_checkpoint_is_good_only_by_the_key_in_force_at_its_size(log, key):
    """The old key signs up to the entry that changes it, the new one from there on; anything else is a fork, with the reason."""
    rotate(log, key)
    add(log, 100)
    new, old = read_key(key), SIGNER

    def by(signer: Signer, size: int) -> str:
        return signer.sign(Checkpoint(ORIGIN, size, root_at(log, size)).text)

    for note in (by(old, 1), by(old, 21), by(new, 22), by(new, 23)):
        assert verify(log, [note]).state is State.ANCHORED
        assert verify(log, since=note).state is State.ANCHORED
    for note in (by(old, 22), by(old, 23), by(new, 21), old.sign(Checkpoint(ORIGIN, 99, bytes(32)).text)):
        for answer in (verify(log, [note]), verify(log, [by(old, 1), note]), verify(log, since=note)):
            assert answer.state is State.FORKED
            assert "retired key" in answer.reason
            assert "which signs for sizes" in answer.reason
    stranger = Signer(ORIGIN, bytes(32))
    assert "another key" in verify(log, [by(stranger, 22)]).reason
    with pytest.raises(NoteError, match="does not verify"):
        verify(log, [by(old, 23).replace("\n23\n", "\n24\n")])


def test_without_the_terms_a_stolen_key_would_pass(log, key, monkeypatch):
    """The mutant: where every key signs for every size, a retired key's checkpoint of today anchors."""
    rotate(log, key)
    note = SIGNER.sign(Checkpoint(ORIGIN, 22, root_at(log, 22)).text)
    assert verify(log, [note]).state is State.FORKED
    monkeypatch.setattr(rotation.KeyHistory, "at", lambda self, _: self.terms[0].key)
    assert verify(log, [note]).state is State.ANCHORED


def test_a_proof_names_the_key_of_its_checkpoint(log, key):
    """A proof for a checkpoint from before the change verifies with the old key, one of today with the new."""
    before = checkpoint(log, SIGNER)
    rotate(log, key)
    new = read_key(key)
    assert verify_proof(prove_at(log, 5, before), [SIGNER.verifier]).size == 21
    assert verify_proof(prove(log, 5, new), [new.verifier]).size == 22
    with pytest.raises(InputError, match="not yet in the checkpoint"):
        prove_at(log, 21, before)
    with pytest.raises(NoteError):
        verify_proof(prove(log, 5, new), [SIGNER.verifier])
    with pytest.raises(WrongKeyError):
        prove_at(log, 5, checkpoint(log, SIGNER))


def test_a_proof_is_made_only_for_a_beginning_of_this_log(log):
    """A checkpoint with another root, or of more than there is, proves nothing."""
    with pytest.raises(LogError, match="another root"):
        prove_at(log, 5, SIGNER.sign(Checkpoint(ORIGIN, 20, bytes(32)).text))
    with pytest.raises(LogError, match="at its end are missing"):
        prove_at(log, 5, SIGNER.sign(Checkpoint(ORIGIN, 30, bytes(32)).text))
    with pytest.raises(NoteError, match=r"of the log 'other\.example'"):
        prove_at(
            log, 5, Signer("other.example", bytes(32)).sign(Checkpoint("other.example", 20, bytes(32)).text)
        )
    assert not isinstance(WrongKeyError("", ""), ProofError)


def forged(log: Log, **changes: object) -> int:
    """An entry that says to change the key, made as `rotate` does, with something else in it."""
    new = Signer(ORIGIN, b"n" * 32)
    old, origin = SIGNER, ORIGIN
    size, root = log.size, log.root
    text = changes.pop("text", None) or statement(
        origin, int(str(changes.pop("size", size))), changes.pop("root", root), str(old.verifier), str(new.verifier)
    )  # fmt: skip
    lines = changes.pop("lines", None)
    note = f"{text}\n" + (f"{old.line(text)}{new.line(text)}" if lines is None else lines(text, old, new))
    members = {
        "origin": origin,
        "vkey": str(new.verifier),
        "replaces": str(old.verifier),
        "note": note,
        **changes,
    }
    with log.writing() as batch:
        return batch.append("key", {k: v for k, v in members.items() if v is not None}, keys=[KEY_ENTRIES])


def test_the_forgers_tool_makes_good_entries(log):
    """What the next test changes one thing in is good without the change."""
    forged(log)
    assert verify(log, keys_of=all_keys_of).state is State.SELF_CONSISTENT


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"size": 3}, "another log, size or root"),
        ({"root": bytes(32)}, "another log, size or root"),
        ({"text": "something else\n"}, "another log, size or root"),
        ({"lines": lambda text, old, new: old.line(text)}, "both keys"),
        ({"lines": lambda text, old, new: new.line(text)}, "both keys"),
        ({"lines": lambda text, old, new: old.line(text) + new.line(text + "x\n")}, "both keys"),
        ({"lines": lambda text, old, new: old.line(text + "x\n") + new.line(text)}, "both keys"),
        ({"lines": lambda text, old, new: old.line(text) * 2 + new.line(text)}, "both keys"),
        ({"origin": "other.example"}, "another name"),
        ({"replaces": str(Signer(ORIGIN, b"x" * 32).verifier)}, "the key in force was"),
        ({"note": "no note"}, "both keys"),
        ({"note": None}, "without saying note"),
        ({"replaces": None}, "without saying replaces"),
    ],
)
def test_a_change_of_key_that_is_not_one_is_tampered_at_its_index(log, changes, words):
    """Whatever is wrong with the entry, verifying names its index and says why."""
    idx = forged(log, **changes)
    add(log, 200)
    answer = verify(log)
    assert (answer.state, answer.index) == (State.TAMPERED, idx)
    assert words in answer.reason


def test_a_hidden_change_of_key_is_found(log, key, tmp_path):
    """Without its row in the index a change of key would not be seen; verifying looks for it in the entries, whole and since."""
    before = checkpoint(log, SIGNER)
    rotate(log, key)
    log.close()
    connection = without_guards(tmp_path / "log.db")
    connection.execute("DELETE FROM event_key WHERE key = ?", (KEY_ENTRIES,))
    put_guards_back(connection)
    with Log.open(url(tmp_path / "log.db")) as hidden:
        assert hidden.identity.vkey == str(SIGNER.verifier), "the index does not know it"
        for answer in (verify(hidden), verify(hidden, since=before)):
            assert (answer.state, answer.index) == (State.TAMPERED, 21)


def test_only_who_has_the_old_key_can_change_it(log, key):
    """Without the key's file, or with another log's, nothing is written and no new key is left behind."""
    write_key(key, Signer(ORIGIN, b"z" * 32))
    with pytest.raises(InputError, match="is not the one that the log names"):
        rotate(log, key)
    key.unlink()
    with pytest.raises(InputError, match="is not there"):
        rotate(log, key)
    assert log.size == 21
    assert not next_path(key).exists()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_reason_is_a_sentence(log, key, reason):
    """An empty reason and a novel are refused before anything is done."""
    with pytest.raises(InputError, match="reason"):
        rotate(log, key, reason=reason)
    assert read_key(key) == SIGNER


class Killed(BaseException):
    """The process went away here."""


def killed_at(step: int, run) -> bool:
    """Run until the step-th line of the code that changes keys; whether it was reached."""
    left = [step]

    def trace(frame, event, _):
        if Path(frame.f_code.co_filename).name not in ("rotation.py", "keys.py"):
            return None
        if event == "line":
            left[0] -= 1
            if left[0] < 0:
                raise Killed
        return trace

    sys.settrace(trace)
    try:
        run()
    except Killed:
        return True
    finally:
        sys.settrace(None)
    return False


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # a file that the killed code had open
def test_killed_at_any_line_the_right_file_signs(tmp_path):
    """Wherever it breaks off, exactly one file holds the key that the log names, every key is kept, and the next change succeeds."""
    step, outcomes, reached = 0, set(), True
    while reached:
        folder = tmp_path / str(step)
        folder.mkdir()
        database, key = folder / "log.db", folder / "log.db.key"
        write_key(key, SIGNER)
        with empty_log(database) as log:
            add(log, 1)
            reached = killed_at(step, lambda log=log, key=key: rotate(log, key))
        with Log.open(url(database), write=True) as log:
            changed = log.size == 3
            signer, found = signer_of(key, log.identity.vkey)
            outcomes.add((changed, found.name, key.exists()))
            assert verify(log, [checkpoint(log, signer)], keys_of=all_keys_of).state is State.ANCHORED
            rotate(log, key)
            signer, found = signer_of(key, log.identity.vkey)
            assert found == key
            assert not next_path(key).exists()
            assert verify(log, [checkpoint(log, signer)], keys_of=all_keys_of).state is State.ANCHORED
            held = {str(read_key(path).verifier) for path in folder.glob("*.key*")}
            assert held == {str(term.key) for term in key_history(log).terms}
        step += 1
    assert outcomes == {
        (False, "log.db.key", True), (True, "log.db.key.next", True), (True, "log.db.key.next", False), (True, "log.db.key", True),
    }  # fmt: skip
    assert step > 30


def test_an_older_copy_is_not_signed_for_by_the_new_key(log, key, tmp_path):
    """After a restore from before the change the new key does not sign, since that would be taken for a fork."""
    log.driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (tmp_path / "old.db").write_bytes((tmp_path / "log.db").read_bytes())
    rotate(log, key)
    with (
        Log.open(url(tmp_path / "old.db")) as restored,
        pytest.raises(InputError, match="not the one that the log names"),
    ):
        signer_of(key, restored.identity.vkey)


def test_where_the_keys_lie(monkeypatch):
    """Beside the database, unless the environment says otherwise; a witness's key beside the log's."""
    from compliance.ledger.witness import witness_key_path

    monkeypatch.delenv("COMPLIANCE_KEY", raising=False)
    assert key_path("sqlite:///a/b.db") == Path("a/b.db.key")
    assert witness_key_path("sqlite:///a/b.db") == Path("a/b.db.witness.key")
    monkeypatch.setenv("COMPLIANCE_KEY", "/safe/log.key")
    assert key_path("sqlite:///a/b.db") == Path("/safe/log.key")
    assert witness_key_path("sqlite:///a/b.db") == Path("/safe/log.witness.key")
