"""Putting a checked bundle into force from an instant, as an event of the log: who, why, from when (policy-language.md, "What a bundle is").

The bundle is stored and activated in one transaction, or nothing is. An activation never reaches back: what was decided names the bundle it
was decided under. All that it depends on (what is in force, who may) is looked at with the write lock held, so of two activations at once the second
sees the first.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import partial
from typing import Final

from compliance.bundles import Activation, Bundles, activation, as_stored, store
from compliance.continuation import decision_at
from compliance.domain.time import format_instant
from compliance.errors import InputError
from compliance.intake.drafts import Draft
from compliance.ledger.batch import Batch
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.library import Checked, usable
from compliance.permissions import may_enter
from compliance.policy.model import Bundle
from compliance.record import Recorded, Recorder, Result
from compliance.standing import require_known

SOURCE: Final = "<command line>"
PATIENCE: Final = 60_000_000
"""Microseconds: who names the present minute means now."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who puts a bundle into force, who approves it (else the same), why, from which instant (microseconds; else from now), and at which site it is
    written down (else that of the activation before)."""

    actor: str
    reason: str
    approved_by: str | None = None
    start: int | None = None
    site: str | None = None


@dataclass(frozen=True, slots=True)
class Activated:
    """A bundle that is in force from `effective_at` (microseconds), with what was recorded; `repeated` where it was already, and nothing was written."""

    bundle: Bundle
    effective_at: int
    results: tuple[Result, ...]
    repeated: bool


def activate(log: Log, bundles: Bundles, checked: Checked, wanted: Wanted) -> Activated:
    """Store a bundle and put it into force.

    Raises PolicyError where its check found anything; InputError where the instant lies back or before the activation that was recorded last,
    or where somebody has no right to this. Nothing is written then.
    """
    bundle = as_stored(usable(checked))
    counts = (checked.passed, len(checked.failed))
    found: list[Activation] = []
    make = partial(_made, log, bundles, checked.bundle or bundle, counts, wanted, found)
    results = tuple(result for of_item in Recorder(log, bundles.active).made(make) for result in of_item)
    if results:
        return Activated(bundle, next(bundles.activations()).effective_at, results, repeated=False)
    (before,) = found
    event = LogHistory(log).recorded(before.idx)
    again = Recorded(Draft(event, SOURCE, 1), before.idx, decision_at(log, before.idx), repeated=True)
    return Activated(bundle, before.effective_at, (again,), repeated=True)


def _made(
    log: Log,
    bundles: Bundles,
    bundle: Bundle,
    counts: tuple[int, int],
    wanted: Wanted,
    found: list[Activation],
    batch: Batch,
) -> tuple[Draft, ...]:
    """The event, with the bundle stored beside it; nothing, and in `found` its activation, where the bundle is in force by then already."""
    now = log.now()
    start = _start(now, wanted.start)
    last = next(bundles.activations(), None)
    if last is not None and last.digest == bundle.digest and last.effective_at <= start:
        found.append(last)
        return ()
    if last is not None and start < last.effective_at:
        raise InputError(
            f"other policies are to come into force on {format_instant(last.effective_at)} (event {last.event_id}), and these would take their place",
            f"Name an instant from then on, or withdraw the others first: `compliance events void {last.event_id}`.",
        )
    site = wanted.site or (None if last is None else last.site)
    if site is None:
        raise InputError("this log has no policies in force", "Make one with `compliance init`.")
    require_known(log, bundles, site, None)
    approver = wanted.approved_by or wanted.actor
    for person, does in ((wanted.actor, "put policies into force"), (approver, "approve policies")):
        if not may_enter(log, bundles.active().bundle, person, "policy_activation", now):
            raise InputError(
                f"{person} has no account whose role may {does}",
                "Have it done by a person with that right (permissions in bundle.yaml; `access_change` gives roles).",
            )
    store(batch, bundle)
    about = activation(
        bundle, event_id=f"policies-{secrets.token_hex(8)}", at=format_instant(now), site=site, actor=wanted.actor, reason=wanted.reason,
        cases=counts, effective_at=format_instant(start), author=wanted.actor, approved_by=approver,
    )  # fmt: skip
    return (Draft.of_command(about, SOURCE),)


def _start(now: int, wanted: int | None) -> int:
    """From when: an instant that lies back is refused."""
    if wanted is not None and wanted < now - PATIENCE:
        raise InputError(
            f"policies cannot come into force on {format_instant(wanted)}: that has passed, and what was decided names the policies it was decided under",
            "Leave out --from, and they are in force from now on; `compliance policy impact` says what they would have decided before.",
        )
    return now if wanted is None else max(now, wanted)
