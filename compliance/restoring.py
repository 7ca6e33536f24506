"""Restoring a backup: never silently to an earlier state (audit-log.md, "Sequencing and durability").

A backup that is older than a checkpoint somebody keeps is a log that was rolled back: going on from it is a fork. So a restore is held
against checkpoints first; one that would lose entries is refused, unless the loss is accepted with a reason, which is recorded.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from compliance.bundles import Bundles
from compliance.domain.lookup import key_of
from compliance.domain.time import format_instant
from compliance.errors import InputError, LogError
from compliance.intake.drafts import Draft
from compliance.ledger.checkpoint import unverified_checkpoint
from compliance.ledger.creation import require_absent
from compliance.ledger.database import place_of
from compliance.ledger.log import Log, system_clock
from compliance.ledger.upkeep import restore as copy
from compliance.ledger.vault import require_vault
from compliance.ledger.verify import State, Verification
from compliance.policy.bundle import ARTIFACT
from compliance.record import Recorder, Result
from compliance.verifying import verify_log

SOURCE = "<restore>"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: how the backup verified, how many entries a checkpoint knows beyond it, and what was recorded of it."""

    verification: Verification
    lost: int
    results: tuple[Result, ...]


def restore(
    backup_url: str,
    url: str,
    checkpoints: Sequence[bytes],
    *,
    actor: str,
    accepted: str | None = None,
) -> Restored:
    """Make the log at `url`, where none is yet, from a backup, and record that it was restored.

    `accepted` is the reason for which entries that a checkpoint knows may be lost. Raises LogError where the backup does not verify, or
    does not reach a checkpoint and nobody accepted that; InputError where a log is there already; DatabaseError where a reason is given and the
    log's identity vault was not put back before.
    """
    require_absent(url)
    with Log.open(backup_url) as backup:
        found = verify_log(backup, checkpoints)
        newest = max((unverified_checkpoint(note).size for note in checkpoints), default=0)
        lost = max(0, newest - found.size)
        _refuse(found, lost, accepted)
        if accepted is not None:
            require_vault(backup, url)  # the reason is a text, and goes there
        event = _event(backup, found, actor, accepted)  # before the copy: what cannot be recorded is not done
        copy(backup, url)
    with Log.open(url, write=True) as log:
        judge = Bundles(log).active()
        results = tuple(r for some in Recorder(log, judge).submit([event]) for r in some)
    return Restored(found, lost, results)


def _refuse(found: Verification, lost: int, accepted: str | None) -> None:
    if found.good or (found.state is State.ROLLED_BACK and accepted is not None):
        return
    if found.state is State.ROLLED_BACK:
        raise LogError(
            f"the backup is older than the checkpoint: {lost} {'entry that was' if lost == 1 else 'entries that were'} in the log {'is' if lost == 1 else 'are'} not in it",
            "Look for a newer backup. If there is none, `--accept-loss REASON` restores what there is and records that it did; whoever holds the "
            "checkpoint will go on seeing that entries are missing.",
        )
    raise LogError(
        f"the backup does not verify: {found.state}: {found.reason}",
        "Take another backup; this one was changed.",
    )


def _event(log: Log, found: Verification, actor: str, accepted: str | None) -> Draft:
    """The ``system_event`` that says what was restored, at the site that put the policies into force."""
    key = key_of("policy_activation", "artifact", ARTIFACT)
    site = next((log.entry(idx).site for _, idx in log.key_scan(key)), None)
    body = {
        "id": f"restore-{secrets.token_hex(8)}",
        "kind": "system_event",
        "occurred_at": format_instant(system_clock()),
        "site": site,
        "actor": actor,
        "activity": "restore",
        "succeeded": True,
        "last_sequence": found.size - 1,
        "root_sha256": found.root.hex(),
        **({} if accepted is None else {"reason": accepted}),
    }
    return Draft.of_command(body, SOURCE)


def backup_url(path: str) -> str:
    """A backup as its URL: it is a SQLite file, wherever the log lived. Raises InputError for a server's URL."""
    url = path if "://" in path else f"sqlite:///{path}"
    if place_of(url).file is None:
        raise InputError("a backup is a file", "Name the file that `compliance db backup` made.")
    return url
