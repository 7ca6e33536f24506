"""Checkpoints: the signed state of a log at a size (C2SP tlog-checkpoint).

The text is the origin, the size in decimal and the root in base64, a line each. Extension lines are read and kept, never written: no
monitor of the log can audit them. Whoever keeps a checkpoint can later tell whether anything before it was changed.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from compliance.ledger.log import Log
from compliance.ledger.note import NoteError, Signer, Verifier, decode_base64, open_note, parse_note
from compliance.ledger.tree import HASH_BYTES

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint says: this log had this root at this size."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a note; raises NoteError where it is no checkpoint."""
        origin, *rest = text.removesuffix("\n").split("\n")
        if len(rest) < 2 or not origin or "" in rest:
            raise NoteError(
                "the note is no checkpoint: origin, size and root are its first three lines, and none is empty"
            )
        if not _SIZE.fullmatch(rest[0]):
            raise NoteError(f"the checkpoint's size is not a decimal number: {rest[0][:30]!r}")
        try:
            root = decode_base64(rest[1])
        except ValueError as problem:
            raise NoteError("the checkpoint's root is not base64") from problem
        if len(root) != HASH_BYTES:
            raise NoteError(f"the checkpoint's root has {len(root)} bytes, not {HASH_BYTES}")
        return cls(origin, int(rest[0]), root, tuple(rest[2:]))


def checkpoint(log: Log, signer: Signer) -> str:
    """The log's present state as a signed note."""
    head = log.head
    return signer.sign(Checkpoint(log.identity.origin, head.size, head.root).text)


def open_checkpoint(note: str | bytes, verifiers: Iterable[Verifier]) -> Checkpoint:
    """The checkpoint in a note that one of the keys signed; raises NoteError otherwise."""
    opened, _ = open_note(note, verifiers)
    return Checkpoint.parse(opened.text)


def unverified_checkpoint(note: str | bytes) -> Checkpoint:
    """What a note says, whoever signed it: to tell a person about it, never to trust it."""
    return Checkpoint.parse(parse_note(note).text)
