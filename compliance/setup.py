"""Making a log: database, signing key, first policies in force, first person in charge.

All of it or nothing: the database is made under another name and takes its own only when it is complete. What is recorded is
recorded like every other event, judged by the policies that come into force: who acts first, the site where its standing facts are
given, and the activation of the policies.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from compliance.bundles import activation, store
from compliance.domain.event import Event
from compliance.domain.making import make_event
from compliance.domain.time import format_instant
from compliance.engine.judging import Judge
from compliance.errors import DatabaseError, InputError
from compliance.intake.json_lines import Draft
from compliance.ledger.database import database_path
from compliance.ledger.keys import create_key, key_path
from compliance.ledger.log import Log, system_clock
from compliance.library import Checked, check_folder, usable
from compliance.policy.bundle import bundle_from_documents
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

    database: Path
    key: Path
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
    path, key = database_path(url), key_path(url)
    _require_absent(path, key)
    drafts = _drafts(wanted, None)
    checked = check_folder(wanted.policies, sites=wanted.sites)
    bundle = usable(checked)
    stored = bundle_from_documents(orjson.loads(orjson.dumps(bundle.documents)))
    tuple(
        stored.rules
    )  # each rule is typed once from its stored form: what comes into force must be readable
    drafts = _drafts(wanted, checked)
    making = path.with_name(f".{path.name}.{os.getpid()}.init")
    signer = create_key(key, wanted.origin)
    complete = False
    try:
        with Log.create(f"sqlite:///{making}", wanted.origin, str(signer.verifier)) as log:
            with log.writing() as batch:
                store(batch, bundle)
            results = tuple(
                result for recorded in Recorder(log, Judge(stored)).submit(drafts) for result in recorded
            )
        _take_name(making, path)
        complete = True
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            making.with_name(making.name + suffix).unlink(missing_ok=True)
        if not complete:
            key.unlink(missing_ok=True)
    return Made(path, key, wanted.origin, str(signer.verifier), bundle, len(checked.results), results)


def _require_absent(path: Path, key: Path) -> None:
    for file in (path, key):
        if file.exists() or file.is_symlink():
            raise InputError(
                f"{file} exists already; nothing was touched",
                "Name another database with --database, or go on with this one: `compliance record FILE`.",
            )
    if not path.parent.is_dir():
        raise DatabaseError(f"the folder {path.parent} does not exist", "Make it first, or name another one.")
    if not os.access(path.parent, os.W_OK):
        raise DatabaseError(
            f"nothing can be written to the folder {path.parent}",
            "Choose another folder, or mend its permissions.",
        )


def _take_name(making: Path, path: Path) -> None:
    try:
        os.link(making, path)  # unlike a rename, never replaces a file
    except FileExistsError:
        raise InputError(
            f"{path} exists already; nothing was touched", "Name another database with --database."
        ) from None


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
    return [_draft(body, number) for number, body in enumerate(bodies, 1)]


def _draft(body: dict[str, Any], line: int) -> Draft:
    made = make_event(body, source=SOURCE, line=line)
    if isinstance(made, Event):
        return Draft(made, SOURCE, line)
    raise InputError(
        f"the first {body['kind']} cannot be recorded", "Mend the options of `compliance init`.", made
    )
