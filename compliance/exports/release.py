"""What the log says of an export (45 CFR 164.312(b), 164.528): who made it, for what, how much, and the digest of what was made.

Where identities are asked for, the look at them is in the log before one is read, and the export before it stands under its name. With
pseudonyms alone nothing is asked; whoever names a purpose has it recorded all the same, and needs the right to enter it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from compliance.bundles import Bundles
from compliance.domain.time import format_date, local_date
from compliance.errors import InputError
from compliance.exports.walk import Asked
from compliance.ledger.log import Log
from compliance.ledger.vault import reach
from compliance.permissions import may_enter
from compliance.persons import Acting, access_event, recorded, required
from compliance.record import Recorded

Format: TypeAlias = Literal["fhir", "csv", "parquet", "asap"]

_FORMS: Final = {"fhir": ["json"], "csv": ["csv"], "parquet": [], "asap": []}
"""The form that a record_access knows; one that it has no word for stands in ``filter``."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """Who makes an export, for what, and whether it goes outside the clinic; `event_id` is of the event that says so."""

    acting: Acting
    purpose: str
    leaves_site: bool
    event_id: str

    @classmethod
    def new(cls, acting: Acting, purpose: str, *, leaves_site: bool) -> Purpose:
        """One with a new id."""
        return cls(acting, purpose, leaves_site, f"export-{secrets.token_hex(8)}")


def require_permitted(log: Log, bundles: Bundles, purpose: Purpose, *, identities: bool) -> None:
    """Raise InputError where none of the person's roles may enter a record_access, or there is no vault to have identities from."""
    if not may_enter(log, bundles.active().bundle, purpose.acting.actor, "record_access", log.now()):
        raise InputError(
            f"{purpose.acting.actor} has no account whose role may enter a record_access, which this export is",
            "Have it made by a person with that right (permissions in bundle.yaml; `access_change` gives roles).",
        )
    if identities:
        with reach(log, write=False) as way:
            required(way)


def record_look(log: Log, bundles: Bundles, purpose: Purpose, what: str, people: int) -> tuple[Recorded, ...]:
    """Record that the identities of so many people are about to be read."""
    access = {
        "mode": "view", "purpose": purpose.purpose, "filter": f"identities for the {what}", "row_count": people, "formats": [],
        "leaves_site": purpose.leaves_site, "deid_method": "none",
    }  # fmt: skip
    return recorded(log, bundles.active(), [access_event(purpose.acting, access)])


def record_export(
    log: Log, bundles: Bundles, purpose: Purpose, what: str, form: Format, rows: int, sha256: str, took_ms: int, asked: Asked
) -> tuple[Recorded, ...]:  # fmt: skip
    """Record that an export was made; `sha256` is of its manifest, or of the one file that it is."""
    access = {
        "mode": "export", "purpose": purpose.purpose, "filter": what, "row_count": rows, "duration_ms": min(took_ms, 999_999_999),
        "formats": _FORMS[form], "sha256": sha256, "leaves_site": purpose.leaves_site, "deid_method": "none",
    }  # fmt: skip
    for name, instant in (("period_from_on", asked.since), ("period_until_on", asked.until)):
        if instant is not None:
            access[name] = format_date(local_date(instant, "UTC"))
    return recorded(log, bundles.active(), [access_event(purpose.acting, access, purpose.event_id)])
