"""Verifying the log (audit-log.md, "Checkpoints, proofs, witnesses"): exactly one of five answers.

=================== ==================================================================================================
``self-consistent`` everything in the database agrees; nothing outside was there to compare with
``anchored``        and every given checkpoint is a beginning of the log
``rolled back``     the log is shorter than a given checkpoint: entries are missing at its end, as after restoring a backup
``forked``          at a given checkpoint's size the log has another root, or another key signs for it: it went on differently
``tampered``        the database contradicts itself; the first bad index, where there is one, and why
=================== ==================================================================================================

``forked`` needs no broken hash: who owns the machine can rewrite a whole log consistently, and only a checkpoint that was kept
elsewhere shows it. The walk itself (`walk.Walk`) recomputes everything that repeats the canonical bytes.

A file that is no checkpoint, or one of another origin, is a wrong call (NoteError, exit 2), not an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from compliance.errors import InputError, LogError
from compliance.ledger import schema
from compliance.ledger.checkpoint import Checkpoint
from compliance.ledger.database import in_words
from compliance.ledger.index_check import KeysOf
from compliance.ledger.log import Log
from compliance.ledger.note import NoteError, Verifier
from compliance.ledger.rotation import KeyHistory, WrongKeyError, key_history, root_at, rotation_fault
from compliance.ledger.tree import EMPTY_ROOT, Frontier
from compliance.ledger.walk import Progress, Side, Tampered, Walk


class State(StrEnum):
    """The five answers."""

    SELF_CONSISTENT = "self-consistent"
    ANCHORED = "anchored"
    ROLLED_BACK = "rolled back"
    FORKED = "forked"
    TAMPERED = "tampered"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A checkpoint that the log continues, and when the last entry before it was recorded (microseconds)."""

    checkpoint: Checkpoint
    recorded_us: int


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer. `size` entries were found good; `index` is the first bad one, or the size at which a checkpoint disagrees."""

    state: State
    size: int
    root: bytes
    reason: str
    index: int | None = None
    anchors: tuple[Anchor, ...] = ()

    @property
    def good(self) -> bool:
        """Whether the log verifies; otherwise a command exits 3."""
        return self.state in {State.SELF_CONSISTENT, State.ANCHORED}


def verify(
    log: Log,
    checkpoints: Sequence[str | bytes] = (),
    *,
    since: str | bytes | None = None,
    verifiers: Sequence[Verifier] = (),
    keys_of: KeysOf | None = None,
    bundle_digest: Callable[[bytes], str] | None = None,
    side: Side | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Verify the log against itself and against checkpoints (signed notes).

    With `since`, a checkpoint, only what is new is recomputed; what lies before it is compared through its root. `verifiers` are
    keys that the caller trusts for this log, beside those its entries of type ``key`` name. `keys_of` gives the look-up keys of an entry's document
    and `bundle_digest` the digest of stored policies; what they stand for is verified where they are given. `side` has several processes
    walk a long log side by side (`keys_of` must then be a function that another process can import); the answer is the same.

    Raises DatabaseError where one of them ended early, NoteError for a file that is no checkpoint of this log, ComplianceError where the database cannot be read at all.
    """
    walk: Walk | None = None
    begun = 0
    try:
        with log.reading():
            notes = [*checkpoints, *([] if since is None else [since])]
            given: list[Checkpoint] = []
            history = _history(log, keys_of, bundle_digest)
            for note in notes:
                opened = _opened(history, note, verifiers)
                if isinstance(opened, Verification):
                    return opened
                given.append(opened)
            if since is not None:
                answer = _against(log, given[-1:], log.size)
                if not answer.good:
                    return answer
                begun = given[-1].size
            _verify_guards(log)
            walk = Walk(
                log, begun, keys_of=keys_of, bundle_digest=bundle_digest, side=side, progress=progress
            )
            walk.run(whole=since is None)
            _verify_rotations(log, history, begun)
            answer = _against(log, given, walk.frontier.size)
            if begun and answer.good:
                since_then = f"only the entries from {begun} on were recomputed; those before are compared through their root alone"
                return replace(answer, reason=f"{answer.reason}; {since_then}")
            return answer
    except Tampered as found:
        return _tampered(walk, found.index, found.reason)
    except log.driver.errors as problem:
        return _tampered(walk, _found(walk).size, in_words(problem, log.name).message)
    except NoteError:
        raise
    except LogError as problem:
        return _tampered(walk, None, problem.message)


def _against(log: Log, given: Sequence[Checkpoint], size: int) -> Verification:
    """What the checkpoints say about a log that agrees with itself; a fork is worse than missing entries."""
    root = root_at(log, size)
    for checkpoint in given:
        if checkpoint.size <= size and root_at(log, checkpoint.size) != checkpoint.root:
            reason = (
                f"the checkpoint of size {checkpoint.size} has another root: entries before it were changed, removed or replaced "
                "after it was signed, or the log was restored from a backup and went on differently"
            )
            return Verification(State.FORKED, size, root, reason, checkpoint.size)
    longest = max(given, key=lambda checkpoint: checkpoint.size, default=None)
    if longest is not None and longest.size > size:
        reason = f"the log has {size} entries, and the checkpoint says {longest.size}: {longest.size - size} at its end are missing"
        return Verification(State.ROLLED_BACK, size, root, reason, size)
    if not given:
        return Verification(
            State.SELF_CONSISTENT,
            size,
            root,
            "the database agrees with itself; compare it with a checkpoint that was kept elsewhere",
        )
    anchors = tuple(Anchor(checkpoint, _recorded_before(log, checkpoint.size)) for checkpoint in given)
    return Verification(
        State.ANCHORED, size, root, "every checkpoint is a beginning of the log", anchors=anchors
    )


def _recorded_before(log: Log, size: int) -> int:
    """When (microseconds) the last entry of a checkpoint was recorded, 0 for an empty one. Roots come from stored subtrees, which may outlive the
    entry that they were made of."""
    if not size:
        return 0
    try:
        return log.entry(size - 1).recorded_us
    except InputError:
        raise Tampered(size - 1, f"entry {size - 1} is missing") from None


def _history(log: Log, keys_of: KeysOf | None, bundle_digest: Callable[[bytes], str] | None) -> KeyHistory:
    """The log's keys. Where an entry does not name one, the walk says better what was changed; else the entry is at fault."""
    try:
        return key_history(log)
    except LogError:
        Walk(log, 0, keys_of=keys_of, bundle_digest=bundle_digest).run(whole=True)
        raise


def _opened(
    history: KeyHistory, note: str | bytes, verifiers: Sequence[Verifier]
) -> Checkpoint | Verification:
    """The checkpoint in a note of this log, or the answer that a key signed it that does not sign for the log at that size."""
    try:
        return history.open(note, verifiers)
    except WrongKeyError as wrong:
        return Verification(State.FORKED, 0, EMPTY_ROOT, wrong.message, 0)


def _verify_rotations(log: Log, history: KeyHistory, start: int) -> None:
    """Every change of the log's key from an index on was signed by both keys over the log as it was, and can be found."""
    changes = {term.first - 1: before.key for before, term in pairwise(history.terms)}
    rows = log.driver.execute(log.statements.of_type, ("key", max(start, 1)))
    entered = [idx for (idx,) in rows.fetchall()]
    for idx in entered:
        if idx not in changes:
            raise Tampered(idx, f"entry {idx}, of type key, cannot be found under its look-up key")
        fault = rotation_fault(log, idx, log.entry(idx).document(), changes[idx])
        if fault is not None:
            raise Tampered(idx, fault)
    for idx in changes:
        if idx >= start and idx not in entered:
            raise Tampered(idx, f"entry {idx} is found as one that changes the log's key, and does not")


def _verify_guards(log: Log) -> None:
    status = schema.status_of(log.driver)
    if status.foreign_triggers:
        names = ", ".join(status.foreign_triggers)
        raise Tampered(
            None,
            f"the database has triggers that this software did not make, which may drop or change what is written: {names}",
        )
    broken = status.broken_guards
    if broken:
        raise Tampered(
            None,
            f"the guards {', '.join(broken)}, which keep the log append-only, are missing or were changed",
        )


def _found(walk: Walk | None) -> Frontier:
    """The frontier over the entries that were found good."""
    return Frontier() if walk is None else walk.frontier


def _tampered(walk: Walk | None, index: int | None, reason: str) -> Verification:
    frontier = _found(walk)
    return Verification(State.TAMPERED, frontier.size, frontier.root(), reason, index)
