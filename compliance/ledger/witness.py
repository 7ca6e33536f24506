"""Witnessing the checkpoints of another log, offline and through files (C2SP tlog-witness, ``add-checkpoint``).

The other log's owner sends a request, which is a text::

    old <size of the checkpoint that the witness cosigned last, or 0>
    <base64 of a hash of the consistency proof from there>
    ...

    <the checkpoint, a signed note>

The witness keeps the last checkpoint it cosigned for every origin and signs only what continues it: the same size with the same root, or a
larger size whose consistency proof starts from exactly the one it kept. Whatever contradicts the kept checkpoint is refused with both
signed notes as evidence. Looking and keeping happen under the database's write lock, and the new checkpoint is kept before it is cosigned.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from compliance.errors import InputError, LogError
from compliance.ledger.checkpoint import Checkpoint, open_checkpoint, unverified_checkpoint
from compliance.ledger.cosignature import Witness, WitnessSigner
from compliance.ledger.keys import key_path, read_private, write_private
from compliance.ledger.log import Log
from compliance.ledger.note import NoteError, Verifier, decode_base64, parse_note
from compliance.ledger.rotation import key_history, require_beginning
from compliance.ledger.tree import (
    EMPTY_ROOT,
    HASH_BYTES,
    ProofError,
    consistency_proof,
    verify_consistency,
)

MOST_HASHES: Final = 63
"""Lines of a consistency proof (tlog-witness, "add-checkpoint")."""

_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,18})")


class Kept(NamedTuple):
    """The checkpoint of an origin that was cosigned last, as it came."""

    size: int
    root: bytes
    note: str


@dataclass(frozen=True, slots=True)
class Request:
    """A request that was read, not verified. `old` is None where a checkpoint came alone, without a request around it."""

    old: int | None
    hashes: tuple[bytes, ...]
    note: str

    @property
    def text(self) -> str:
        """The request's body."""
        lines = [f"old {self.old}", *(b64encode(one).decode() for one in self.hashes)]
        return "".join(f"{line}\n" for line in lines) + "\n" + self.note


class Refused(LogError):
    """A checkpoint that contradicts the one that was kept; both signed notes are evidence."""

    def __init__(self, message: str, kept: Kept, note: str) -> None:
        super().__init__(
            message,
            "Do not cosign it. Show both signed notes to that log's owner and to whoever relies on it.",
        )
        self.kept = kept
        self.note = note

    @property
    def evidence(self) -> str:
        """Both signed notes, and what they contradict each other in, as a text to show."""
        return (
            f"{self.message}\n\n"
            f"Kept as cosigned here, {self.kept.size} entries:\n\n{self.kept.note}\n"
            f"Refused, {unverified_checkpoint(self.note).size} entries:\n\n{self.note}"
        )


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What was cosigned: the checkpoint, the note with the cosignature, its time (seconds), and the checkpoint kept before, if any."""

    checkpoint: Checkpoint
    note: str
    seconds: int
    witness: Witness
    before: Kept | None
    key_changed: bool


def request(log: Log, note: str, old: int) -> Request:
    """The request to cosign a checkpoint of this log, for a witness that cosigned the one of size `old` last (0: none).

    Raises InputError where the log is not that long.
    """
    with log.reading():
        new = key_history(log).open(note)
        require_beginning(log, new)
        if old > new.size:
            raise InputError(
                f"the log has {new.size} entries, and the witness is said to have seen {old}",
                "Check the size; if the witness has truly seen more, run `compliance log verify` with its checkpoint.",
            )
        hashes = consistency_proof(log.subtrees, old, new.size) if 0 < old < new.size else []
    return Request(old, tuple(hashes), note)


def size_of_own(log: Log, note: str | bytes) -> int:
    """The size of a checkpoint of this log that a witness has; raises NoteError or LogError where it is no beginning of it."""
    with log.reading():
        kept = key_history(log).open(note)
        require_beginning(log, kept)
    return kept.size


def read_request(content: bytes) -> Request:
    """Take a request apart, strictly, or a checkpoint that came without one; raises NoteError."""
    try:
        text = content.decode()
    except UnicodeDecodeError as problem:
        raise NoteError("this is no checkpoint and no request: it is not UTF-8 text") from problem
    if not text.startswith("old "):
        unverified_checkpoint(text)
        return Request(None, (), text)
    top, separator, note = text.partition("\n\n")
    first, *rest = top.split("\n")
    match = _OLD.fullmatch(first)
    if match is None or not separator:
        raise NoteError("the request does not begin with `old <size>`, hashes, and an empty line")
    if len(rest) > MOST_HASHES:
        raise NoteError(f"the request has more than {MOST_HASHES} hashes")
    try:
        hashes = tuple(map(decode_base64, rest))
    except ValueError as problem:
        raise NoteError("a hash of the request is not base64") from problem
    if any(len(one) != HASH_BYTES for one in hashes):
        raise NoteError(f"a hash of the request does not have {HASH_BYTES} bytes")
    unverified_checkpoint(note)
    return Request(int(match.group(1)), hashes, note)


def witness(
    log: Log, asked: Request, verifiers: Iterable[Verifier], key: Path, *, first: bool = False
) -> Witnessed:
    """Cosign a checkpoint that continues the kept one, and keep it; `key` is the file of the witness's key, made at first use.

    The log, open for writing, is the witness's own: it names the witness and keeps the state. Raises NoteError where no key of the other
    log signed the checkpoint, InputError where it cannot be told whether it continues the kept one, Refused where it does not.
    """
    verifiers = tuple(verifiers)
    new = open_checkpoint(asked.note, verifiers)
    if any(one.name != new.origin for one in verifiers):
        raise NoteError(
            f"the checkpoint is of the log {new.origin!r}, and the verifier key is that of {verifiers[0].name!r}",
            "Give that log's own verifier key.",
        )
    if new.size == 0 and new.root != EMPTY_ROOT:
        raise NoteError("the checkpoint of an empty log has the root of something else")
    if asked.old is not None and asked.old > new.size:
        raise NoteError(f"the request says that {asked.old} entries were seen, and has {new.size}")
    if new.origin == log.identity.origin:
        raise InputError(
            "a log cannot witness itself: its own owner would vouch for it",
            "Have another site cosign it; or name that site's database with --database.",
        )
    with log.writing() as batch:
        last = log.last_witnessed(new.origin)
        kept = None if last is None else Kept._make(last)
        _require_successor(new, asked, kept, first=first)
        signer = _signer(key, log.identity.origin)
        if kept is None or new.size > kept.size:
            batch.witness(new.origin, new.size, new.root, asked.note)
        seconds = batch.next_recorded_at() // 1_000_000
    changed = kept is not None and not _same_key(kept.note, verifiers)
    return Witnessed(new, signer.cosign(asked.note, seconds), seconds, signer.witness, kept, changed)


def witness_key_path(url: str) -> Path:
    """Where the witness's key lies: beside the log's own (`keys.key_path`), as ``<database>.witness.key``."""
    path = key_path(url)
    return path.with_name(path.name.removesuffix(".key") + ".witness.key")


def _require_successor(new: Checkpoint, asked: Request, kept: Kept | None, *, first: bool) -> None:
    if kept is None:
        if asked.old:
            raise InputError(
                f"the request is for a witness that has seen {asked.old} entries of {new.origin}, and none were seen here",
                "Ask for a request from the beginning: `compliance log checkpoint --since 0 --out REQUEST`.",
            )
        if asked.hashes:
            raise NoteError("a request from the beginning has no hashes")
        if not first:
            raise InputError(
                f"no checkpoint of {new.origin} was seen here before, so there is nothing to compare it with",
                "Ask that log's owner, by telephone or in person, for size and root; if they agree, sign it with --first.",
            )
        return
    if new.size < kept.size:
        raise Refused(
            f"{new.origin}: this checkpoint has {new.size} entries, and one of {kept.size} was cosigned here before. Either an old file was "
            "sent again, or entries were taken away: evidence of a fork, if its owner says that it is the newest",
            kept,
            asked.note,
        )
    if new.size == kept.size:
        if new.root != kept.root:
            raise Refused(
                f"{new.origin}: this checkpoint and the one cosigned here before have the same size, {new.size}, and different roots. "
                "Both are signed: evidence of a fork",
                kept,
                asked.note,
            )
        if asked.hashes and asked.old == new.size:
            raise NoteError("a request from the checkpoint's own size has no hashes")
        return
    if asked.old != kept.size:
        came = "came without a proof" if asked.old is None else f"proves what follows {asked.old} entries"
        raise InputError(
            f"the checkpoint of {new.origin} {came}, and {kept.size} were seen here last",
            f"Ask for `compliance log checkpoint --since {kept.size} --out REQUEST`.",
        )
    try:
        _verify(kept, new, asked.hashes)
    except ProofError as problem:
        raise Refused(
            f"{new.origin}: the proof does not show that the checkpoint of {new.size} entries continues the one of {kept.size} that was "
            f"cosigned here before ({problem.message}). Either the file was damaged, or the entries before were changed: evidence of a "
            "fork, if a new request fails, too",
            kept,
            asked.note,
        ) from problem


def _verify(kept: Kept, new: Checkpoint, hashes: tuple[bytes, ...]) -> None:
    if kept.size == 0:  # everything continues nothing (tlog-witness: the proof is empty)
        if hashes:
            raise ProofError("a proof from an empty log has no hashes")
        return
    verify_consistency(kept.size, new.size, kept.root, new.root, hashes)


def _same_key(note: str, verifiers: Iterable[Verifier]) -> bool:
    lines = {(line.name, line.key_id) for line in parse_note(note).signatures}
    return any((one.name, one.key_id) in lines for one in verifiers)


def _signer(key: Path, origin: str) -> WitnessSigner:
    """The witness's key; made here, under the write lock, so that two first cosignings make one."""
    if not key.exists():
        made = WitnessSigner.generate(f"{origin}/witness")
        write_private(key, made.private_text())
        return made
    try:
        return WitnessSigner.parse(read_private(key))
    except NoteError as problem:
        raise InputError(f"{key}: {problem.message}", problem.remedy) from problem
