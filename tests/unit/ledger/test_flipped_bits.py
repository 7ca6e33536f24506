"""Every single flipped bit of a proof, a checkpoint, a cosignature and a request is refused: nothing in these files is read loosely.

The one part that may change is the line of a signer whom nobody asked about (C2SP signed-note: unknown signatures are ignored); there a
flipped bit must leave what the file says as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from compliance.errors import ComplianceError
from compliance.ledger.checkpoint import checkpoint, open_checkpoint
from compliance.ledger.cosignature import WitnessSigner, require_cosignatures
from compliance.ledger.log import Log
from compliance.ledger.note import NoteError, Signer, Verifier
from compliance.ledger.proof import prove, prove_at, read_proof, verify_proof
from compliance.ledger.rotation import rotate, rotation_fault
from compliance.ledger.witness import read_request, request, witness
from tests.logs import ORIGIN, SIGNER, add, empty_log

OTHER = Signer("other.example/log", b"o" * 32)
WITNESS = WitnessSigner("w.example/witness", b"w" * 32)


@pytest.fixture
def log(tmp_path):
    with empty_log(tmp_path / "log.db") as made:
        add(made, *range(12))
        yield made


def flips(content: bytes) -> Iterator[tuple[int, bytes]]:
    for bit in range(len(content) * 8):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        yield bit, bytes(changed)


def accepted(content: bytes, read: Callable[[bytes], Any]) -> list[int]:
    """The bits that can be flipped without a refusal in words."""
    read(content)
    found = []
    for bit, changed in flips(content):
        try:
            read(changed)
        except ComplianceError:
            continue
        found.append(bit)
    return found


def as_text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as problem:
        raise NoteError("no text") from problem


def test_every_flipped_bit_of_a_checkpoint(log):
    """Text, key name, key ID and signature."""
    note = checkpoint(log, SIGNER).encode()
    assert accepted(note, lambda content: open_checkpoint(content, [SIGNER.verifier])) == []


def test_every_flipped_bit_of_a_proof(log):
    """The header, the entry, the index, every hash, and the checkpoint."""
    proof = prove(log, 5, SIGNER).text.encode()
    assert (
        accepted(proof, lambda content: verify_proof(read_proof(as_text(content)), [SIGNER.verifier])) == []
    )


def test_every_flipped_bit_of_a_cosigned_proof(log):
    """With a witness required, its line counts as well."""

    def read(content: bytes) -> None:
        proof = read_proof(as_text(content))
        verify_proof(proof, [SIGNER.verifier])
        require_cosignatures(proof.note, [WITNESS.witness])

    note = WITNESS.cosign(checkpoint(log, SIGNER), 1_700_000_000)
    assert accepted(prove_at(log, 5, note).text.encode(), read) == []


def test_every_flipped_bit_of_a_cosignature(log):
    """Name, key ID, time and signature, and the text that they are over."""
    note = WITNESS.cosign(checkpoint(log, SIGNER), 1_700_000_000)
    read = lambda content: require_cosignatures(as_text(content), [WITNESS.witness])  # noqa: E731
    start = note.encode().index(f"— {ORIGIN} ".encode())
    stop = note.encode().index("— w.example".encode())
    for bit in accepted(note.encode(), read):
        assert start <= bit // 8 < stop, (
            "only the line of the log's own key, which the witness's does not speak of"
        )


def test_the_line_of_an_unknown_signer_changes_nothing(log):
    """Where it is damaged it is refused or ignored; what the checkpoint says is the same."""
    note = WITNESS.cosign(checkpoint(log, SIGNER), 1_700_000_000).encode()
    said = open_checkpoint(note, [SIGNER.verifier])
    start = note.index("— w.example".encode())
    found = accepted(note, lambda content: open_checkpoint(content, [SIGNER.verifier]))
    assert found
    for bit, changed in flips(note):
        if bit in found:
            assert bit // 8 >= start
            assert open_checkpoint(changed, [SIGNER.verifier]) == said


def test_every_flipped_bit_of_a_request(log, tmp_path):
    """Old size, hashes, checkpoint: refused, and what was kept stays as it was."""
    with Log.create(f"sqlite:///{tmp_path / 'other.db'}", OTHER.name, str(OTHER.verifier)) as other:
        add(other, *range(5))
        key = tmp_path / "witness.key"
        first = request(other, checkpoint(other, OTHER), 0)
        witness(log, first, [OTHER.verifier], key, first=True)
        add(other, *range(100, 108))
        wanted = request(other, checkpoint(other, OTHER), 6).text.encode()
    kept = log.last_witnessed(OTHER.name)
    for bit, changed in flips(wanted):
        with pytest.raises(ComplianceError):
            witness(log, read_request(changed), [OTHER.verifier], key)
            raise AssertionError(f"bit {bit} of the request can be flipped")
    assert log.last_witnessed(OTHER.name) == kept
    assert witness(log, read_request(wanted), [OTHER.verifier], key).checkpoint.size == 14


def test_every_flipped_bit_of_a_verifier_key():
    """A key that was typed wrongly is refused, or is another key under another name: never the same one."""
    for cls, key in ((Verifier, SIGNER.verifier), (type(WITNESS.witness), WITNESS.witness)):
        for _, changed in flips(str(key).encode()):
            try:
                other = cls.parse(as_text(changed))
            except NoteError:
                continue
            raise AssertionError(f"{changed!r} was read as {other}")


def test_every_flipped_bit_of_a_change_of_key(log, tmp_path):
    """The note in the entry: nothing of it can change and still be signed by both keys over this log."""
    key = tmp_path / "log.db.key"
    key.write_text(SIGNER.private_text() + "\n")
    key.chmod(0o600)
    idx = rotate(log, key).idx
    document = log.entry(idx).document()
    assert rotation_fault(log, idx, document, SIGNER.verifier) is None
    for _, changed in flips(document["note"].encode()):
        note = changed.decode(errors="replace")
        assert rotation_fault(log, idx, {**document, "note": note}, SIGNER.verifier) is not None
