"""Witnessing: only what continues the kept checkpoint is cosigned, whatever comes in and whoever asks at the same time."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from compliance.errors import InputError, LogError
from compliance.ledger import witness as witness_module
from compliance.ledger.checkpoint import Checkpoint, checkpoint, open_checkpoint
from compliance.ledger.cosignature import Witness, WitnessSigner, cosignatures, require_cosignatures
from compliance.ledger.log import Log
from compliance.ledger.note import NoteError, Signer, Verifier
from compliance.ledger.tree import EMPTY_ROOT
from compliance.ledger.verify import State, verify
from compliance.ledger.witness import Refused, Request, read_request, request, size_of_own, witness
from tests.logs import BEGAN, ORIGIN, SIGNER, add, clock

OTHER = Signer("other.example/log", b"o" * 32)


@pytest.fixture
def other(tmp_path):
    """Another clinic's log, of 300 entries."""
    with Log.create(
        f"sqlite:///{tmp_path / 'other.db'}", OTHER.name, str(OTHER.verifier), clock=clock
    ) as made:
        add(made, *range(299))
        yield made


@pytest.fixture
def own(home):
    """The witness's own log, on each kind of database."""
    with home.empty_log() as made:
        yield made


@pytest.fixture
def key(tmp_path):
    return tmp_path / "own.witness.key"


def asked(log: Log, old: int) -> Request:
    return read_request(request(log, checkpoint(log, OTHER), old).text.encode())


def forged(size: int, root: bytes, old: int | None = None, hashes: tuple[bytes, ...] = ()) -> Request:
    return Request(old, hashes, OTHER.sign(Checkpoint(OTHER.name, size, root).text))


def test_the_first_time_is_said_explicitly(own, other, key):
    """A log that was never seen is cosigned only on an explicit word, and then it is kept."""
    with pytest.raises(InputError, match="nothing to compare it with"):
        witness(own, asked(other, 0), [OTHER.verifier], key)
    assert not key.exists(), "what was refused makes no key"
    done = witness(own, asked(other, 0), [OTHER.verifier], key, first=True)
    assert (done.checkpoint.size, done.before, done.seconds) == (300, None, BEGAN // 1_000_000)
    assert done.witness.name == f"{ORIGIN}/witness"
    (found,) = require_cosignatures(done.note, [done.witness])
    assert found.seconds == done.seconds
    assert open_checkpoint(done.note, [OTHER.verifier]) == done.checkpoint
    assert own.last_witnessed(OTHER.name)[0] == 300
    assert own.size == 1, "nothing is written to the log itself"


@pytest.mark.parametrize("more", [1, 84, 212, 700])
def test_what_continues_the_kept_one_is_cosigned(own, other, key, more):
    """A larger size with a proof from exactly the kept one, and the same once more."""
    witness(own, asked(other, 0), [OTHER.verifier], key, first=True)
    add(other, *range(1000, 1000 + more))
    done = witness(own, asked(other, 300), [OTHER.verifier], key)
    assert (done.before.size, done.checkpoint.size) == (300, 300 + more)
    again = witness(own, asked(other, 300 + more), [OTHER.verifier], key)
    bare = witness(own, Request(None, (), again.note), [OTHER.verifier], key)
    assert again.before.size == bare.before.size == 300 + more
    assert again.witness == bare.witness == done.witness
    assert len(cosignatures(bare.note, [bare.witness])) == 1
    assert bare.note.count(f"— {ORIGIN}/witness ") == 1, "one line to a witness"
    answer = verify(other, [bare.note])
    assert answer.state is State.ANCHORED, "a cosigned checkpoint is a checkpoint"


def test_a_proof_from_elsewhere_is_not_taken(own, other, key):
    """Where the proof starts from another size than the kept one, or there is none, the right request is named; nothing is kept."""
    witness(own, asked(other, 0), [OTHER.verifier], key, first=True)
    add(other, *range(1000, 1010))
    for wrong in (
        asked(other, 0),
        asked(other, 299),
        asked(other, 310),
        Request(None, (), checkpoint(other, OTHER)),
    ):
        with pytest.raises(InputError, match="300 were seen here last") as caught:
            witness(own, wrong, [OTHER.verifier], key, first=True)
        assert "--since 300" in caught.value.remedy
    assert own.last_witnessed(OTHER.name)[0] == 300


def test_what_contradicts_the_kept_one_is_refused_with_both_notes(own, other, key):
    """A smaller size, another root for the same size, a wrong proof: refused, with both signed notes as evidence."""
    add(other, *range(1000, 1010))
    first = witness(own, asked(other, 0), [OTHER.verifier], key, first=True)
    good = asked(other, 300)
    kept = own.last_witnessed(OTHER.name)
    for wrong in (
        forged(300, bytes(32)), forged(0, EMPTY_ROOT, 0), forged(310, bytes(32)), forged(310, bytes(32), 310),
        forged(311, bytes(32), 310, good.hashes), forged(311, bytes(32), 310), forged(320, first.checkpoint.root, 310, (bytes(32),) * 5),
    ):  # fmt: skip
        with pytest.raises(Refused) as caught:
            witness(own, wrong, [OTHER.verifier], key, first=True)
        assert "evidence of a fork" in caught.value.message
        evidence = caught.value.evidence
        for note in (caught.value.kept.note, wrong.note):
            assert note in evidence
            open_checkpoint(note, [OTHER.verifier])
        assert own.last_witnessed(OTHER.name) == kept
    assert caught.value.exit_code == 3


def test_a_log_that_went_on_differently_is_refused(own, other, key, tmp_path):
    """A real fork: the same beginning, another end, and its own honest proof."""
    other.driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (tmp_path / "fork.db").write_bytes((tmp_path / "other.db").read_bytes())
    add(other, 1000, 1001)
    witness(own, asked(other, 0), [OTHER.verifier], key, first=True)
    with Log.open(f"sqlite:///{tmp_path / 'fork.db'}", write=True) as fork:
        add(fork, 2000, 2001)
        with pytest.raises(Refused, match="different roots"):
            witness(own, asked(fork, 302), [OTHER.verifier], key)
        add(fork, 2002)
        with pytest.raises(Refused, match="does not show"):
            witness(own, asked(fork, 302), [OTHER.verifier], key)


@pytest.mark.parametrize("guard", ["_require_successor", "_verify"])
def test_without_the_comparison_a_fork_is_cosigned(own, other, key, monkeypatch, guard):
    """The mutants: with either check switched off, the witness signs what is no continuation."""
    witness(own, asked(other, 0), [OTHER.verifier], key, first=True)
    wrong = forged(301, bytes(32), 300, (bytes(32),))
    with pytest.raises(Refused):
        witness(own, wrong, [OTHER.verifier], key)
    monkeypatch.setattr(witness_module, guard, lambda *_, **__: None)
    assert witness(own, wrong, [OTHER.verifier], key).checkpoint.root == bytes(32)


def test_whose_checkpoint_it_is(own, other, key):
    """Unsigned, signed by another key, or of another log than the key's: a wrong call, and nothing is kept."""
    stranger = Signer(OTHER.name, b"s" * 32)
    for asked_for, verifier in (
        (asked(other, 0), stranger.verifier),
        (asked(other, 0), SIGNER.verifier),
        (Request(None, (), OTHER.sign(Checkpoint("third.example/log", 5, bytes(32)).text)), OTHER.verifier),
        (forged(0, bytes(32)), OTHER.verifier),
        (forged(5, bytes(32), 6), OTHER.verifier),
    ):
        with pytest.raises(NoteError):
            witness(own, asked_for, [verifier], key, first=True)
    assert own.last_witnessed(OTHER.name) is None


def test_a_log_does_not_witness_itself(own, key):
    """Its own owner's word adds nothing, and would look as if it did."""
    with pytest.raises(InputError, match="cannot witness itself"):
        witness(own, Request(None, (), checkpoint(own, SIGNER)), [SIGNER.verifier], key, first=True)
    assert not key.exists()


def test_a_request_from_the_middle_is_no_first_one(own, other, key):
    """A proof from a size that was never seen here cannot be checked; a request from nothing has no proof."""
    with pytest.raises(InputError, match="none were seen here"):
        witness(own, asked(other, 100), [OTHER.verifier], key, first=True)
    with pytest.raises(NoteError, match="no hashes"):
        witness(own, forged(5, bytes(32), 0, (bytes(32),)), [OTHER.verifier], key, first=True)


def test_an_empty_log_is_continued_by_anything(own, other, key):
    """From size 0 there is nothing to prove, and a proof of it is refused (tlog-witness)."""
    witness(own, forged(0, EMPTY_ROOT, 0), [OTHER.verifier], key, first=True)
    with pytest.raises(Refused, match="no hashes"):
        witness(own, forged(5, bytes(32), 0, (bytes(32),)), [OTHER.verifier], key)
    assert witness(own, asked(other, 0), [OTHER.verifier], key).before.size == 0


def test_another_key_than_before_is_told(own, other, key):
    """A checkpoint by a key that did not sign the kept one is cosigned if it continues it, and the change is told."""
    witness(own, asked(other, 0), [OTHER.verifier], key, first=True)
    new = Signer(OTHER.name, b"n" * 32)
    note = new.sign(Checkpoint(OTHER.name, 300, other.root).text)
    assert witness(own, Request(None, (), note), [new.verifier], key).key_changed
    assert not witness(own, asked(other, 300), [OTHER.verifier], key).key_changed


def test_two_at_once_do_not_both_move_it(home, other, tmp_path):
    """Whoever asks at the same time waits for the write lock, and finds what the other kept; one key is made."""
    key = tmp_path / "own.witness.key"
    home.empty_log().close()
    fork = forged(300, bytes(32), 0)
    answers: list[object] = []
    ready = threading.Barrier(2)

    def ask(what: Request) -> None:
        with home.open(write=True) as log:
            ready.wait()
            try:
                answers.append(witness(log, what, [OTHER.verifier], key, first=True))
            except LogError as error:
                answers.append(error)

    threads = [threading.Thread(target=ask, args=(what,)) for what in (asked(other, 0), fork)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(isinstance(answer, Refused) for answer in answers) == [False, True]


def test_what_a_request_looks_like(other):
    """The body of add-checkpoint: the old size, the hashes, an empty line, the checkpoint (tlog-witness)."""
    note = checkpoint(other, OTHER)
    top, _, rest = request(other, note, 299).text.partition("\n\n")
    assert rest == note
    first, *hashes = top.split("\n")
    assert first == "old 299"
    assert all(len(one) == 44 for one in hashes)
    assert request(other, note, 0).text == f"old 0\n\n{note}"
    assert request(other, note, 300).text == f"old 300\n\n{note}"
    with pytest.raises(InputError, match="said to have seen 301"):
        request(other, note, 301)


def test_the_specifications_request_is_read():
    """The example in tlog-witness has four hashes and two signatures."""
    body = (Path(__file__).parents[2] / "vectors" / "cosignature" / "request-example.txt").read_bytes()
    read = read_request(body)
    assert (read.old, len(read.hashes)) == (20852014, 4)
    assert read.text.encode() == body


GOOD_NOTE = OTHER.sign(Checkpoint(OTHER.name, 5, bytes(32)).text)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"old 0\n", b"old 00\n\n", b"old -1\n\n", b"old 1", b"\xff\xfe", b"old 0\n\nnote\n", b"hello\n",
        f"old 0\n{'A' * 43}\n\n{GOOD_NOTE}".encode(), f"old 0\nAAAA\n\n{GOOD_NOTE}".encode(), f"old 1 \n\n{GOOD_NOTE}".encode(),
        ("old 1\n" + ("A" * 43 + "=\n") * 64 + f"\n{GOOD_NOTE}").encode(), f"old 01\n\n{GOOD_NOTE}".encode(), f"Old 1\n\n{GOOD_NOTE}".encode(),
    ],
)  # fmt: skip
def test_what_is_no_request(body):
    """Anything that is not exactly a request or a checkpoint is refused in words."""
    with pytest.raises(NoteError):
        read_request(body)


def test_a_witness_key_is_kept_and_is_no_logs_key(own, other, key):
    """One key for all time, for its owner only, of a type that signs no checkpoints; a damaged one is told."""
    done = witness(own, asked(other, 0), [OTHER.verifier], key, first=True)
    assert key.stat().st_mode & 0o077 == 0
    text = key.read_text().strip()
    assert WitnessSigner.parse(text).witness == done.witness
    assert Witness.parse(str(done.witness)) == done.witness
    with pytest.raises(NoteError):
        Signer.parse(text)
    with pytest.raises(NoteError):
        Verifier.parse(str(done.witness))
    with pytest.raises(NoteError):
        WitnessSigner.parse(SIGNER.private_text())
    key.write_text(text[:-3] + "\n")
    with pytest.raises(InputError, match="damaged"):
        witness(own, asked(other, 300), [OTHER.verifier], key)


def test_the_size_that_a_witness_has_seen(other):
    """A cosigned checkpoint of this log says from where the next proof starts; another's is refused."""
    note = checkpoint(other, OTHER)
    add(other, 1000)
    assert size_of_own(other, note) == 300
    with pytest.raises(NoteError):
        size_of_own(other, SIGNER.sign(Checkpoint(ORIGIN, 1, bytes(32)).text))
    with pytest.raises(LogError, match="another root"):
        size_of_own(other, GOOD_NOTE)


def test_a_cosignature_has_a_time():
    """Neither before 1970 nor past what eight bytes with a sign can say (tlog-cosignature)."""
    signer = WitnessSigner("w.example", bytes(32))
    for seconds in (0, -1, 2**63):
        with pytest.raises(ValueError):
            signer.cosign(GOOD_NOTE, seconds)
    assert cosignatures(signer.cosign(GOOD_NOTE, 2**63 - 1), [signer.witness])[0].seconds == 2**63 - 1


def test_of_two_cosignatures_the_earliest_counts():
    """Who saw it twice had seen it at the earlier time."""
    signer = WitnessSigner("w.example", bytes(32))
    lines = [signer.cosign(GOOD_NOTE, seconds).removeprefix(GOOD_NOTE) for seconds in (2000, 1000)]
    (found,) = cosignatures(GOOD_NOTE + "".join(lines), [signer.witness])
    assert found.seconds == 1000
