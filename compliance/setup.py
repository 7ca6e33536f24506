"""Making a log: database, signing key, identity vault, first policies in force, first person in charge.

All of it or nothing (`ledger.creation`). What is recorded is recorded like every other event, judged by the policies that come into force: who acts first, the site where its standing facts are
given, and the activation of the policies.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.bundles import activation, as_stored, store
from compliance.domain.time import format_instant
from compliance.engine.judging import Judge
from compliance.errors import InputError
from compliance.intake.drafts import Draft
from compliance.ledger.creation import created, require_absent
from compliance.ledger.database import place_of
from compliance.ledger.keys import create_key, key_path
from compliance.ledger.log import system_clock
from compliance.ledger.vault import Vault
from compliance.ledger.vault.store import key_file, require_no_vault
from compliance.library import Checked, check_folder, usable
from compliance.policy.model import Bundle
from compliance.record import Recorder, Result

SOURCE = "<init>"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new log is made of. `time_zone` (IANA) and `state` (two letters) together give the site's profile; `sites` is a folder with the
    values of single sites."""

    site: str
    actor: str
    origin: str
    policies: Path
    time_zone: str | None = None
    state: str | None = None
    sites: Path | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What was made, and the decisions on its first events."""

    database: str
    key: Path
    vault: str
    vault_key: Path
    origin: str
    vkey: str
    bundle: Bundle
    cases: int
    results: tuple[Result, ...]


def default_origin(site: str) -> str:
    """A name for a log that no other log has."""
    return f"compliance/{site}/{secrets.token_hex(4)}"


def initialise(url: str, wanted: Wanted) -> Made:
    """Make a log. Raises InputError where one exists, PolicyError where the policies do not pass their check; leaves nothing then."""
    key = key_path(url)
    require_absent(url)
    _require_no_key(key)
    require_no_vault(url)
    drafts = _drafts(wanted, None)
    checked = check_folder(wanted.policies, sites=wanted.sites)
    bundle = usable(checked)
    stored = as_stored(bundle)
    drafts = _drafts(wanted, checked)
    signer = create_key(key, wanted.origin)
    vault = None
    complete = False
    try:
        vault = Vault.create(url)
        vault.close()
        with created(url, wanted.origin, str(signer.verifier), vault=vault.name) as log:
            with log.writing() as batch:
                store(batch, bundle)
            results = tuple(
                result for recorded in Recorder(log, Judge(stored)).submit(drafts) for result in recorded
            )
        complete = True
    finally:
        if not complete:
            key.unlink(missing_ok=True)
            if vault is not None:
                vault.remove()
    return Made(
        place_of(url).name,
        key,
        vault.place,
        key_file(url),
        wanted.origin,
        str(signer.verifier),
        bundle,
        len(checked.results),
        results,
    )


def _require_no_key(key: Path) -> None:
    if key.exists() or key.is_symlink():
        raise InputError(
            f"{key} exists already; nothing was touched",
            "Name another database with --database, or another place for the key in COMPLIANCE_KEY.",
        )


def _drafts(wanted: Wanted, checked: Checked | None) -> list[Draft]:
    """The first events; without a checked bundle only those that need none, to find out what is wrong with site and actor early."""
    at = format_instant(system_clock())
    common = {"occurred_at": at, "site": wanted.site, "actor": wanted.actor}
    name = secrets.token_hex(4)
    bodies: list[dict[str, Any]] = [
        {
            **common, "id": f"init-{name}-access", "kind": "access_change", "subject": wanted.actor, "subject_kind": "human",
            "action": "grant", "role": "administrator", "set_by": [wanted.actor], "approved_by": wanted.actor, "starts_at": at,
        }
    ]  # fmt: skip
    if wanted.time_zone is not None:
        bodies.append({
            **common, "id": f"init-{name}-site", "kind": "site_profile", "address_ref": f"ADDR-{wanted.site}", "state": wanted.state or "",
            "time_zone": wanted.time_zone, "holds_stock": True,
        })  # fmt: skip
    if checked is not None and checked.bundle is not None:
        cases = (checked.passed, len(checked.failed))
        about = activation(
            checked.bundle, event_id=f"init-{name}-policies", at=at, site=wanted.site, actor=wanted.actor,
            reason="first policies of this log", cases=cases,
        )  # fmt: skip
        bodies.append(about)
    return [Draft.of_command(body, SOURCE, number) for number, body in enumerate(bodies, 1)]
