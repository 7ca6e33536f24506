"""What the log says of a binder: that identities were read for it, that it was made, and to whom it goes (45 CFR 164.528; audit-log.md).

A look at clear values is in the log before anything is read. The export names the digest of the manifest, so the log itself seals the binder; it and
the disclosures are in the log before the binder stands under its name.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from compliance.bundles import Bundles
from compliance.domain.time import format_date, format_instant
from compliance.errors import InputError
from compliance.intake.drafts import Draft
from compliance.ledger.log import Log, system_clock
from compliance.ledger.note import Signer
from compliance.ledger.proof import prove
from compliance.permissions import may_enter
from compliance.persons import SOURCE, Acting, access_event, recorded
from compliance.record import Recorded
from compliance.reports.binder.folder import Folder
from compliance.reports.binder.proofs import between
from compliance.reports.binder.verify_cells import CONTINUES, RELEASE

GROUNDS: Final[Mapping[str, str]] = {
    "inspection": "health_oversight", "legal": "legal_process", "drill": "operations", "operations": "operations",
}  # fmt: skip
"""What a binder may be for, with the ground on which patients' data then leave, unless another is named (45 CFR 164.512(d) and (e), 164.506)."""

NOT_COUNTED: Final = ("treatment", "payment", "operations", "authorization")
"""Grounds that stand in no accounting of disclosures (45 CFR 164.528(a)(1))."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A binder that is asked for: of a site, from `first` to `last` (ordinal dates, both in it), into `folder`.

    `purpose` is one of `GROUNDS`; with a `recipient` it leaves the clinic, on `ground`, and that is logged as a disclosure. With `identities` it has
    names, addresses and the words of free texts. `since` is a checkpoint that was kept before.
    """

    site: str
    first: int
    last: int
    folder: Path
    actor: str
    purpose: str = "inspection"
    recipient: str | None = None
    ground: str | None = None
    identities: bool = False
    since: bytes | None = None

    @property
    def legal_ground(self) -> str:
        """The ground on which it goes out."""
        return self.ground or GROUNDS[self.purpose]

    @property
    def filter(self) -> str:
        """The selection, in words."""
        return f"binder of {self.site}, {format_date(self.first)} to {format_date(self.last)}"


def require_permitted(log: Log, bundles: Bundles, wanted: Wanted) -> None:
    """Raise InputError where none of the person's roles may enter what making the binder enters, or a disclosure to this recipient is no event."""
    kinds = ["record_access"]
    if wanted.recipient is not None:
        kinds.append("disclosure")
        _disclosure(Acting(wanted.actor, wanted.site), wanted, new_id(), None)
    for kind in kinds:
        if not may_enter(log, bundles.active().bundle, wanted.actor, kind, log.now()):
            raise InputError(
                f"{wanted.actor} has no account whose role may enter a {kind}, which making this binder is",
                "Have it made by a person with that right (permissions in bundle.yaml; `access_change` gives roles).",
            )


def new_id() -> str:
    """The id of the event that will say that a binder was made; the binder names it."""
    return f"binder-{secrets.token_hex(8)}"


def record_look(log: Log, bundles: Bundles, wanted: Wanted, people: int) -> tuple[Recorded, ...]:
    """Record that identities and words are about to be read for a binder."""
    access = {
        "mode": "view", "purpose": wanted.purpose, "filter": f"identities and texts for a {wanted.filter}", "row_count": people,
        "formats": ["csv"], "leaves_site": wanted.recipient is not None, "deid_method": "none",
    }  # fmt: skip
    return recorded(log, bundles.active(), [access_event(Acting(wanted.actor, wanted.site), access)])


@dataclass(frozen=True, slots=True)
class Count:
    """What is in a binder, in numbers: events given, events there are by a walk through the log, and how long it took (ms)."""

    given: int
    expected: int
    took_ms: int


def record_release(
    log: Log, bundles: Bundles, wanted: Wanted, event_id: str, manifest: str, count: Count, formats: Iterable[str], patients: Iterable[str]
) -> tuple[Recorded, ...]:  # fmt: skip
    """Record that the binder was made and, where it goes out, the disclosure: where it has names, one of each patient in it; else one of the binder."""
    acting = Acting(wanted.actor, wanted.site)
    made = access_event(
        acting,
        {
            "mode": "export", "purpose": wanted.purpose, "filter": wanted.filter, "row_count": count.given, "expected_rows": count.expected,
            "duration_ms": count.took_ms, "formats": list(formats), "sha256": manifest, "includes_audit_trail": True, "includes_signatures": True,
            "deid_method": "none", "leaves_site": wanted.recipient is not None, "period_from_on": format_date(wanted.first),
            "period_until_on": format_date(wanted.last),
        },
        event_id,
    )  # fmt: skip
    drafts = [made]
    if wanted.recipient is not None:
        whose = sorted(patients) if wanted.identities else []
        drafts += [_disclosure(acting, wanted, event_id, patient) for patient in whose or (None,)]
    return recorded(log, bundles.active(), drafts)


def _disclosure(acting: Acting, wanted: Wanted, event_id: str, patient: str | None) -> Draft:
    what = (
        "records under pseudonyms"
        if patient is None
        else "records, with names and addresses of those who got a drug"
    )
    about = {} if patient is None else {"patient": patient}
    return Draft.of_command({
        "id": f"disclosure-{secrets.token_hex(8)}", "kind": "disclosure", "occurred_at": format_instant(system_clock()), "site": acting.site,
        "actor": acting.actor, **about, "recipient": wanted.recipient, "description": f"{what}: {wanted.filter}",
        "legal_ground": wanted.legal_ground, "concerns_event": event_id, "accountable": wanted.legal_ground not in NOT_COUNTED,
    }, SOURCE)  # fmt: skip


def seal(log: Log, idx: int, size: int, signer: Signer, folder: Folder) -> str:
    """Put the proof of the entry that names the manifest into the folder, with the proof that the log there continues the one at `size`; gives the
    checkpoint that it was proved against."""
    proof = prove(log, idx, signer)
    folder.bytes(RELEASE, proof.text.encode())
    folder.bytes(
        CONTINUES, orjson.dumps({"hashes": between(log, size, proof.size)}, option=orjson.OPT_APPEND_NEWLINE)
    )
    return proof.note
