"""Cosignatures: a witness says when it saw a checkpoint, and that it continues the one it saw before (C2SP tlog-cosignature, type 0x04).

The signature line holds the key ID, the time (seconds since the epoch, eight bytes, big-endian) and an Ed25519 signature over::

    cosignature/v1
    time <seconds>
    <the checkpoint's text>

A witness has a key of its own: its type differs from that of keys that sign checkpoints, so neither passes for the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from compliance.ledger.note import (
    COSIGNATURE,
    Note,
    NoteError,
    is_signed,
    key_id_of,
    key_text,
    new_seed,
    parse_key,
    parse_note,
    parse_private,
    private_text,
    public_of,
    signature_line,
    signed,
)

_TIME_BYTES: Final = 8
_LATEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Witness:
    """The public key of a witness, under its name."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, vkey: str) -> Witness:
        """Read a verifier key of type 4; raises NoteError for anything else, a log's own key too."""
        return cls(*parse_key(vkey, COSIGNATURE))

    @property
    def key_id(self) -> bytes:
        """SHA-256(name || 0x0A || 0x04 || public key)[:4]."""
        return key_id_of(self.name, self.public, COSIGNATURE)

    def __str__(self) -> str:
        return key_text(self.name, self.public, COSIGNATURE)


@dataclass(frozen=True, slots=True)
class WitnessSigner:
    """The private key of a witness."""

    name: str
    seed: bytes

    @classmethod
    def generate(cls, name: str) -> WitnessSigner:
        """A new key."""
        return cls(name, new_seed(name))

    @classmethod
    def parse(cls, text: str) -> WitnessSigner:
        """Read what `private_text` wrote; raises NoteError, whose message never repeats the key."""
        return cls(*parse_private(text, COSIGNATURE))

    @property
    def witness(self) -> Witness:
        """The public half."""
        return Witness(self.name, public_of(self.seed))

    def private_text(self) -> str:
        """The key as one line."""
        return private_text(self.name, self.seed, COSIGNATURE)

    def cosign(self, note: str, seconds: int) -> str:
        """The note with this witness's cosignature at a time (seconds since the epoch) in place of an earlier one of its own."""
        if not 0 < seconds <= _LATEST:
            raise ValueError(f"{seconds} is no time of a cosignature")
        parsed, own = parse_note(note), self.witness
        kept = [
            signature_line(line.name, line.key_id, line.signature)
            for line in parsed.signatures
            if (line.name, line.key_id) != (own.name, own.key_id)
        ]
        content = seconds.to_bytes(_TIME_BYTES, "big") + signed(self.seed, _message(parsed.text, seconds))
        return f"{parsed.text}\n{''.join(kept)}{signature_line(own.name, own.key_id, content)}"


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A cosignature that was verified: by whom, and when it says it was made (seconds since the epoch)."""

    witness: Witness
    seconds: int


def cosignatures(note: str | bytes | Note, witnesses: Iterable[Witness]) -> tuple[Cosigned, ...]:
    """The cosignatures of these witnesses that a note carries, in the order of the witnesses; of several by one, the earliest.

    Raises NoteError where one of them does not verify; those of others are ignored (C2SP signed-note).
    """
    parsed = note if isinstance(note, Note) else parse_note(note)
    found = []
    for witness in witnesses:
        times = [
            _time(parsed.text, witness, line.signature)
            for line in parsed.signatures
            if (line.name, line.key_id) == (witness.name, witness.key_id)
        ]
        if times:
            found.append(Cosigned(witness, min(times)))
    return tuple(found)


def require_cosignatures(note: str | bytes, witnesses: Sequence[Witness]) -> tuple[Cosigned, ...]:
    """The cosignatures of all these witnesses; raises NoteError where one is missing or does not verify."""
    found = cosignatures(note, witnesses)
    cosigned = {one.witness for one in found}
    for witness in witnesses:
        if witness not in cosigned:
            raise NoteError(
                f"the checkpoint was not cosigned by {witness}",
                "Give the file that the witness returned, or leave this --witness out.",
            )
    return found


def _time(text: str, witness: Witness, content: bytes) -> int:
    seconds = int.from_bytes(content[:_TIME_BYTES], "big")
    signature = content[_TIME_BYTES:]
    if (
        len(content) != _TIME_BYTES + 64
        or not 0 < seconds <= _LATEST
        or not is_signed(witness.public, _message(text, seconds), signature)
    ):
        raise NoteError(
            f"the cosignature of {witness.name} does not verify: the checkpoint or its time was changed, or that key did not sign it"
        )
    return seconds


def _message(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()
