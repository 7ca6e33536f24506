"""A proof file: one entry, its place in the log, and a checkpoint, in one text that a stranger can verify (C2SP tlog-proof v1).

::

    c2sp.org/tlog-proof@v1
    extra <base64 of the entry's canonical bytes>
    index <zero-based index>
    <base64 of a hash of the inclusion proof>
    ...

    <the checkpoint, a signed note>

The entry travels as the format's extra data, which nothing signs; that is harmless, since its leaf hash is computed from it and must
lead to the signed root.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from compliance.errors import InputError
from compliance.ledger.checkpoint import Checkpoint, open_checkpoint, unverified_checkpoint
from compliance.ledger.log import Log
from compliance.ledger.note import NoteError, Signer, Verifier, decode_base64
from compliance.ledger.rotation import key_history, require_beginning
from compliance.ledger.tree import HASH_BYTES, inclusion_proof, leaf_hash, verify_inclusion

HEADER: Final = "c2sp.org/tlog-proof@v1"
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof file that was read, not verified. `entry` is None where the file does not carry the entry itself."""

    index: int
    entry: bytes | None
    hashes: tuple[bytes, ...]
    note: str

    @property
    def size(self) -> int:
        """The size of the log that the proof is for, as its checkpoint says it."""
        return unverified_checkpoint(self.note).size

    @property
    def text(self) -> str:
        """The file's content."""
        lines = [HEADER]
        if self.entry is not None:
            lines.append(f"extra {b64encode(self.entry).decode()}")
        lines.append(f"index {self.index}")
        lines += [b64encode(one).decode() for one in self.hashes]
        return "\n".join(lines) + "\n\n" + self.note


def prove(log: Log, idx: int, signer: Signer) -> Proof:
    """The proof that an entry is in the log as it now is; raises InputError where there is no such entry."""
    with log.reading():
        entry, head = log.body(idx), log.head
        hashes = inclusion_proof(log.subtrees, idx, head.size)
        note = signer.sign(Checkpoint(log.identity.origin, head.size, head.root).text)
    return Proof(idx, entry, tuple(hashes), note)


def prove_at(log: Log, idx: int, note: str) -> Proof:
    """The proof that an entry is in the log as a checkpoint that was kept, perhaps cosigned since, says.

    Raises NoteError for what is no checkpoint of this log, InputError where it is older than the entry, LogError where the log has another
    root at its size.
    """
    with log.reading():
        kept = key_history(log).open(note)
        entry = log.body(idx)
        if idx >= kept.size:
            raise InputError(
                f"entry {idx} is not yet in the checkpoint, whose size is {kept.size}",
                "Give a newer checkpoint, or none to have one signed now.",
            )
        require_beginning(log, kept)
        hashes = inclusion_proof(log.subtrees, idx, kept.size)
    return Proof(idx, entry, tuple(hashes), note)


def read_proof(text: str) -> Proof:
    """Take a proof file apart, strictly; raises NoteError."""
    top, separator, note = text.partition("\n\n")
    if not separator:
        raise NoteError("the proof has no checkpoint after an empty line")
    lines = top.split("\n")
    if lines.pop(0) != HEADER:
        raise NoteError(f"the proof does not begin with {HEADER}")
    entry = None
    if lines and lines[0].startswith("extra "):
        entry = _base64(lines.pop(0).removeprefix("extra "), "extra data")
    match = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if match is None:
        raise NoteError("the proof has no line `index <number>`")
    hashes = tuple(_base64(line, "hash") for line in lines)
    if any(len(one) != HASH_BYTES for one in hashes):
        raise NoteError(f"a hash of the proof does not have {HASH_BYTES} bytes")
    return Proof(int(match.group(1)), entry, hashes, note)


def verify_proof(proof: Proof, verifiers: Iterable[Verifier], entry: bytes | None = None) -> Checkpoint:
    """Check that the proof's entry (or the one given) is in the log that one of the keys signs for; returns the checkpoint.

    Raises NoteError where no known key signed the checkpoint, `tree.ProofError` where the proof does not lead to its root.
    """
    content = proof.entry if entry is None else entry
    if content is None:
        raise NoteError("the proof does not carry the entry", "Give the entry's canonical bytes beside it.")
    opened = open_checkpoint(proof.note, verifiers)
    verify_inclusion(proof.index, opened.size, leaf_hash(content), proof.hashes, opened.root)
    return opened


def _base64(text: str, what: str) -> bytes:
    try:
        return decode_base64(text)
    except ValueError as problem:
        raise NoteError(f"the proof's {what} is not base64") from problem
