"""Changing the key that signs a log's checkpoints: an entry of type ``key`` that the old and the new key both sign.

The entry's members are ``origin``, ``vkey`` (the new key), ``replaces`` (the old one), ``note``, and ``reason`` where one was given. The
note is a signed note (C2SP signed-note) with exactly two signatures, by the old and by the new key, over::

    compliance-engine log key rotation v1
    <origin>
    <size of the log before this entry, which is also the entry's index>
    <root at that size, in base64>
    <old verifier key>
    <new verifier key>

So the old key vouches for the new one, the new one shows that its private half exists, and both name the history they stand on. A
checkpoint whose size does not reach past the entry is signed by the old key, every later one by the new key; nothing else is a
checkpoint of this log. Whoever steals a retired key can therefore only sign what everybody holds already.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from compliance.errors import InputError, LogError
from compliance.ledger.checkpoint import Checkpoint, open_checkpoint
from compliance.ledger.keys import create_key, next_path, read_key, signer_of, sync_folder
from compliance.ledger.log import KEY_ENTRIES, Log
from compliance.ledger.note import Note, NoteError, Verifier, open_note, parse_note
from compliance.ledger.tree import EMPTY_ROOT, frontier_of

STATEMENT: Final = "compliance-engine log key rotation v1"
MOST_REASON: Final = 500
"""Characters of a reason."""


class WrongKeyError(LogError):
    """A checkpoint with this log's origin by a key that does not sign for the log at that size: the log was forked."""


@dataclass(frozen=True, slots=True)
class Term:
    """A key that signs for sizes from `first` up to and including `last`; the newest key has no last."""

    key: Verifier
    first: int
    last: int | None

    def covers(self, size: int) -> bool:
        """Whether the key signs checkpoints of this size."""
        return self.first <= size and (self.last is None or size <= self.last)

    def __str__(self) -> str:
        until = "on" if self.last is None else f"to {self.last}"
        return f"{self.key}, which signs for sizes from {self.first} {until}"


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """Which key signs for a log, from its beginning on."""

    origin: str
    terms: tuple[Term, ...]

    def at(self, size: int) -> Verifier:
        """The key in force at a size."""
        return next(term.key for term in reversed(self.terms) if term.covers(size))

    def open(self, note: str | bytes, verifiers: Iterable[Verifier] = ()) -> Checkpoint:
        """The checkpoint of this log in a note; `verifiers` are keys that the caller trusts beside the log's own.

        Raises NoteError for what is no checkpoint of this log or whose signature does not verify, WrongKeyError where it has the log's origin
        but the key in force at its size did not sign it.
        """
        verifiers = tuple(verifiers)
        parsed = parse_note(note)
        said = Checkpoint.parse(parsed.text)
        if said.origin != self.origin:
            raise NoteError(
                f"the checkpoint is of the log {said.origin!r}, and this is the log {self.origin!r}",
                "Give a checkpoint of this log, or name the other database.",
            )
        own = self.at(said.size)
        if not _signs(parsed, own):
            self._refuse_others(note, parsed, said, verifiers)
        return open_checkpoint(note, [own, *verifiers])

    def _refuse_others(
        self, note: str | bytes, parsed: Note, said: Checkpoint, verifiers: tuple[Verifier, ...]
    ) -> None:
        for term in self.terms:
            if _signs(parsed, term.key):
                open_checkpoint(note, [term.key, *verifiers])
                raise WrongKeyError(
                    f"the checkpoint of size {said.size} was signed by {term}: another key, {self.at(said.size)}, signs for that size. "
                    "Whoever made it used a retired key, or a log that went on differently",
                    "Find out who signed it, and compare it with a checkpoint of the same size by the right key.",
                )
        if any(line.name == self.origin for line in parsed.signatures):
            if verifiers:
                open_checkpoint(note, verifiers)
            raise WrongKeyError(
                f"the checkpoint of size {said.size} has this log's origin, but was signed by another key than {self.at(said.size)}, which "
                "the log's own entries name: the log was begun again, or this copy is from before its key was changed, or the file is not "
                "of this log",
                "Look for the newest copy of the database, and ask whoever gave you the checkpoint for its verifier key.",
            )


@dataclass(frozen=True, slots=True)
class Rotated:
    """What changing the key did; `retired` is None where the old key was destroyed."""

    idx: int
    old: Verifier
    new: Verifier
    key: Path
    retired: Path | None


def key_history(log: Log) -> KeyHistory:
    """The keys of a log, by its index of look-up keys; raises LogError where an entry does not name one."""
    with log.reading():
        entries = [0, *sorted(idx for _, idx in log.key_scan(KEY_ENTRIES))]
        named = [(idx, log.identity_at(idx)) for idx in entries]
    try:
        keys = [Verifier.parse(one.vkey) for _, one in named]
    except NoteError as problem:
        raise LogError(
            f"{log.name}: an entry of type key does not name a verifier key: {problem.message}",
            "Run `compliance log verify`.",
        ) from problem
    firsts = [0, *(idx + 1 for idx in entries[1:])]
    lasts = [*entries[1:], None]
    return KeyHistory(named[0][1].origin, tuple(map(Term, keys, firsts, lasts)))


def root_at(log: Log, size: int) -> bytes:
    """The root at an earlier size, from the stored hashes."""
    return frontier_of(log.subtrees, size).root() if size else EMPTY_ROOT


def require_beginning(log: Log, kept: Checkpoint) -> None:
    """Raise LogError unless a checkpoint of this log is a beginning of it."""
    size = log.size
    if kept.size > size:
        raise LogError(
            f"the log has {size} entries, and the checkpoint says {kept.size}: entries at its end are missing",
            "Run `compliance log verify --checkpoint` with this checkpoint.",
        )
    if root_at(log, kept.size) != kept.root:
        raise LogError(
            f"the log has another root at size {kept.size} than the checkpoint: it was forked",
            "Keep both; run `compliance log verify --checkpoint` with this checkpoint.",
        )


def statement(origin: str, size: int, root: bytes, old: str, new: str) -> str:
    """What both keys sign."""
    lines = (STATEMENT, origin, str(size), b64encode(root).decode(), old, new)
    return "".join(f"{line}\n" for line in lines)


def rotation_fault(log: Log, idx: int, document: Mapping[str, Any], before: Verifier) -> str | None:
    """Why an entry of type ``key`` does not change the key that was in force before it, or None where it does."""
    try:
        new, replaces = Verifier.parse(str(document["vkey"])), str(document["replaces"])
        origin, note = str(document["origin"]), str(document["note"])
    except KeyError as problem:
        return f"entry {idx} changes the log's key without saying {problem.args[0]}"
    except NoteError as problem:
        return f"entry {idx} does not name a verifier key: {problem.message}"
    if replaces != str(before):
        return f"entry {idx} replaces the key {replaces}, and the key in force was {before}"
    if origin != before.name or new.name != origin:
        return f"entry {idx} gives the log another name"
    try:
        opened, signers = open_note(note, [before, new])
    except NoteError as problem:
        return f"the change of key in entry {idx} is not signed by both keys: {problem.message}"
    if len(signers) != 2 or len(opened.signatures) != 2 or new == before:
        return f"the change of key in entry {idx} is not signed by both keys, the old and the new"
    if opened.text != statement(origin, idx, root_at(log, idx), replaces, str(new)):
        return f"the change of key in entry {idx} was signed for another log, size or root than this one's"
    return None


def rotate(log: Log, path: Path, *, reason: str | None = None, destroy_old: bool = False) -> Rotated:
    """Give the log a new key; `path` is the file of the present one. The log must be open for writing.

    The new key is on disk before the log names it, and takes its place among the files afterwards, so that a process killed anywhere
    leaves exactly one file whose key the log names (`keys.signer_of`); the next call tidies up. Raises InputError where the old key is
    not there: without it nobody can name a new one.
    """
    if reason is not None and (not reason.strip() or len(reason) > MOST_REASON):
        raise InputError(
            f"the reason is empty or longer than {MOST_REASON} characters", "Say it in one sentence."
        )
    with log.writing() as batch:
        origin, current = log.identity.origin, log.identity.vkey
        old, found = signer_of(path, current)
        if found != path:  # the last change was interrupted after the log took it
            _take_place(path, destroy_old=False)
        waiting = next_path(path)
        waiting.unlink(missing_ok=True)  # of a change that never reached the log: this key signed nothing
        new = create_key(waiting, origin)
        size, root = batch.size, log.root
        text = statement(origin, size, root, current, str(new.verifier))
        note = f"{text}\n{old.line(text)}{new.line(text)}"
        members = {"origin": origin, "vkey": str(new.verifier), "replaces": current, "note": note}
        if reason is not None:
            members["reason"] = reason
        idx = batch.append("key", members, keys=[KEY_ENTRIES])
    retired = _take_place(path, destroy_old=destroy_old)
    return Rotated(idx, old.verifier, new.verifier, path, retired)


def _take_place(path: Path, *, destroy_old: bool) -> Path | None:
    """Move the waiting key, which the log names, to its place; where the old one is kept now."""
    retired = None
    with suppress(FileNotFoundError):  # moved away before the interruption
        if destroy_old:
            path.unlink()
        else:
            retired = _retired(path)
            path.replace(retired)
    next_path(path).replace(path)
    sync_folder(path)
    return retired


def _retired(path: Path) -> Path:
    if not path.exists():
        raise FileNotFoundError(path)
    return path.with_name(f"{path.name}.{read_key(path).verifier.key_id.hex()}.retired")


def _signs(note: Note, key: Verifier) -> bool:
    return any((line.name, line.key_id) == (key.name, key.key_id) for line in note.signatures)
