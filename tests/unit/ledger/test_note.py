"""Signed notes, checkpoints, keys and proof files of our own making; the public vectors are in tests/vectors."""

from __future__ import annotations

import stat
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.errors import InputError, LogError
from compliance.ledger.checkpoint import Checkpoint, checkpoint, open_checkpoint, unverified_checkpoint
from compliance.ledger.keys import create_key, exposed, key_path, read_key
from compliance.ledger.note import MAX_SIGNATURES, NoteError, Signer, Verifier, open_note, parse_note
from compliance.ledger.proof import Proof, prove, read_proof, verify_proof
from compliance.ledger.tree import ProofError
from tests.logs import ORIGIN, SIGNER, add, empty_log, url

OTHER = Signer("other.example/log", bytes(32))
TEXTS = st.text(st.characters(min_codepoint=0x20, exclude_categories=("Cs",)), max_size=60).map(
    lambda text: text + "\n"
)


@given(TEXTS)
def test_what_was_signed_opens(text):
    """A note opens with its signer's key, and its text is what was signed."""
    note, verified = open_note(SIGNER.sign(text), [SIGNER.verifier, OTHER.verifier])
    assert note.text == text
    assert verified == (SIGNER.verifier,)


@given(TEXTS, st.data())
def test_a_changed_note_does_not_open(text, data):
    """Whatever single character of a note is replaced, it never opens with another text."""
    note = SIGNER.sign(text)
    at = data.draw(st.integers(0, len(note) - 1))
    other = data.draw(st.characters(exclude_categories=("Cs",)).filter(lambda one: one != note[at]))
    changed = note[:at] + other + note[at + 1 :]
    with pytest.raises(NoteError):
        open_note(changed, [SIGNER.verifier])


def test_signatures_by_strangers_are_ignored():
    """A second signature by an unknown key, or one that shares the name or the ID of a known one, does not matter."""
    note = SIGNER.sign("text\n")
    stranger = OTHER.sign("text\n").rpartition("\n\n")[2]
    namesake = Signer(SIGNER.name, bytes(32)).sign("text\n").rpartition("\n\n")[2]
    same_id = f"— someone {b64encode(SIGNER.verifier.key_id + bytes(64)).decode()}\n"
    opened, verified = open_note(note + stranger + namesake + same_id, [SIGNER.verifier])
    assert len(opened.signatures) == 4
    assert verified == (SIGNER.verifier,)


def test_a_wrong_signature_by_a_known_key_rejects_the_note():
    """Another good signature does not make up for it."""
    note = SIGNER.sign("text\n") + OTHER.sign("another text\n").rpartition("\n\n")[2]
    with pytest.raises(NoteError, match=r"other\.example/log does not verify"):
        open_note(note, [SIGNER.verifier, OTHER.verifier])


def test_no_known_key_names_those_that_signed():
    """The message says who claims to have signed."""
    with pytest.raises(NoteError, match=ORIGIN):
        open_note(SIGNER.sign("text\n"), [OTHER.verifier])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text",
        "text\n",
        "text\n\n",
        "text\n\n— name\n",
        "text\n\n— name AAAA\n",
        "text\n\n— name !!!!!!!!\n",
        "text\n\n— na+me AAAAAAAA\n",
        "text\n\n—name AAAAAAAA\n",
        "text\r\n\n— name AAAAAAAA\n",
        "text\n\n— name AAAAAAB=\n",
        b"\xff\n\n",
        "text\n\n" + "— name AAAAAAAA\n" * (MAX_SIGNATURES + 1),
        "x" * 1_000_001,
    ],
)
def test_malformed_notes(note):
    """What is no note is refused before any key is looked at."""
    with pytest.raises(NoteError):
        parse_note(note)


@pytest.mark.parametrize("name", ["", "with space", "with+plus", "with\u00a0space", "with\ttab"])
def test_names_of_keys(name):
    """A key's name is not empty and has no space and no plus."""
    with pytest.raises(NoteError, match="cannot name a key"):
        Verifier.of(name, bytes(32))
    with pytest.raises(NoteError):
        Signer.generate(name)


def test_keys_are_read_as_written():
    """Both halves of a key survive their text form."""
    signer = Signer.generate("a.example")
    assert Signer.parse(signer.private_text()) == signer
    assert Verifier.parse(str(signer.verifier)) == signer.verifier


@pytest.mark.parametrize(
    "change", [lambda text: text[8:], lambda text: text[:-4] + "AAA=", lambda text: text.replace("+", "-")]
)
def test_a_damaged_signing_key_is_never_shown(change):
    """A signing key that cannot be read is refused without being repeated in the message."""
    text = change(SIGNER.private_text())
    with pytest.raises(NoteError) as refused:
        Signer.parse(text)
    assert text[-20:] not in refused.value.message


def test_key_file(tmp_path):
    """A new key is in a file for its owner only, is read back, and is never overwritten."""
    path = key_path(url(tmp_path / "log.db"))
    assert path == tmp_path / "log.db.key"
    signer = create_key(path, ORIGIN)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_key(path) == signer
    assert not exposed(path)
    with pytest.raises(InputError, match="exists already"):
        create_key(path, ORIGIN)


def test_key_file_that_everybody_may_read(tmp_path):
    """A key that everybody on the machine may read is refused with the command that helps; for the group there is a warning."""
    path = tmp_path / "log.db.key"
    create_key(path, ORIGIN)
    path.chmod(0o604)
    with pytest.raises(InputError) as refused:
        read_key(path)
    assert f"chmod 600 {path}" in refused.value.remedy
    path.chmod(0o640)
    assert read_key(path)
    assert exposed(path)


@pytest.mark.parametrize(
    "content, words", [(None, "not there"), (b"\xff", "cannot be read"), (b"nonsense\n", "signing key")]
)
def test_key_file_that_is_missing_or_damaged(tmp_path, content, words):
    """The message says what is wrong with the file."""
    path = tmp_path / "log.db.key"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
    with pytest.raises(InputError, match=words):
        read_key(path)
    with pytest.raises(InputError, match="cannot be made"):
        create_key(tmp_path / "none" / "log.db.key", ORIGIN)


def test_checkpoint_of_a_log(tmp_path):
    """A checkpoint states origin, size and root, is signed by the log's key, and reads back as it was."""
    with empty_log(tmp_path / "log.db") as log:
        add(log, 1, 2)
        note = checkpoint(log, SIGNER)
        stated = Checkpoint(ORIGIN, 3, log.root)
    assert note.startswith(f"{ORIGIN}\n3\n{b64encode(stated.root).decode()}\n\n— {ORIGIN} ")
    assert open_checkpoint(note, [SIGNER.verifier]) == unverified_checkpoint(note) == stated
    with pytest.raises(NoteError):
        open_checkpoint(note, [OTHER.verifier])


@pytest.mark.parametrize("extensions", [(), ("one", "two words")])
def test_checkpoint_text(extensions):
    """The text of a checkpoint is read as it was written, with its extension lines."""
    made = Checkpoint("an origin", 0, bytes(32), extensions)
    assert Checkpoint.parse(made.text) == made


@pytest.mark.parametrize(
    "text",
    [
        "origin\n3\n",
        f"\n3\n{b64encode(bytes(32)).decode()}\n",
        f"origin\n03\n{b64encode(bytes(32)).decode()}\n",
        f"origin\n-3\n{b64encode(bytes(32)).decode()}\n",
        f"origin\n3\n{b64encode(bytes(31)).decode()}\n",
        f"origin\n3\n{b64encode(bytes(32)).decode()[:-1]}\n",
        f"origin\n3\n{b64encode(bytes(32)).decode()}\n\nmore\n",
    ],
)
def test_texts_that_are_no_checkpoint(text):
    """Sizes without leading zeroes, roots of 32 bytes, no empty line."""
    with pytest.raises(NoteError):
        Checkpoint.parse(text)


@pytest.fixture(scope="module")
def proved(tmp_path_factory):
    with empty_log(tmp_path_factory.mktemp("proved") / "log.db") as log:
        add(log, *range(20))
        return prove(log, 7, SIGNER), log.body(7)


def test_a_proof_file_verifies_by_itself(proved):
    """The file and the log's key are all that is needed; the entry is the one that was asked for."""
    proof, body = proved
    read = read_proof(proof.text)
    assert read == proof
    assert verify_proof(read, [SIGNER.verifier]) == Checkpoint(
        ORIGIN, 21, unverified_checkpoint(proof.note).root
    )
    assert read.entry == body
    lines = proof.text.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1] == f"extra {b64encode(body).decode()}"
    assert lines[2] == "index 7"


def test_a_proof_without_its_entry(proved):
    """The entry may travel apart; without it nothing is proved."""
    proof, body = proved
    bare = read_proof(Proof(proof.index, None, proof.hashes, proof.note).text)
    assert verify_proof(bare, [SIGNER.verifier], body).size == 21
    with pytest.raises(NoteError, match="does not carry"):
        verify_proof(bare, [SIGNER.verifier])
    with pytest.raises(ProofError):
        verify_proof(bare, [SIGNER.verifier], body + b" ")


@given(st.data())
def test_a_changed_proof_file_proves_nothing_else(proved, data):
    """Whatever single character is replaced, the file never verifies with another entry, index or checkpoint."""
    proof, _ = proved
    text = proof.text
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(max_codepoint=127).filter(lambda one: one != text[at]))
    with pytest.raises((NoteError, ProofError)):
        verify_proof(read_proof(text[:at] + other + text[at + 1 :]), [SIGNER.verifier])


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("tlog-proof@v1", "tlog-proof@v2"),
        lambda text: text.replace("index 7", "index 07"),
        lambda text: text.replace("index 7\n", ""),
        lambda text: text.replace("\n\n", "\n"),
        lambda text: "",
        lambda text: text.replace("index 7\n", "index 7\nAAAA\n"),
    ],
)
def test_malformed_proof_files(proved, change):
    """What is no proof file is refused as such."""
    with pytest.raises(NoteError):
        read_proof(change(proved[0].text))


def test_no_proof_of_an_entry_that_is_not_there(tmp_path):
    """Asking for an entry past the end is a wrong call."""
    with empty_log(tmp_path / "log.db") as log, pytest.raises(InputError) as refused:
        prove(log, 5, SIGNER)
    assert not isinstance(refused.value, LogError)
