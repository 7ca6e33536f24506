"""Making a binder, from the first look at the log to the folder under its name."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from compliance.bundles import Bundles
from compliance.domain.time import SECOND, format_date
from compliance.errors import InputError
from compliance.ledger.log import Log
from compliance.ledger.note import Signer
from compliance.ledger.rotation import root_at
from compliance.ledger.vault import Vault, name_of, reach
from compliance.night_entries import printed
from compliance.persons import required
from compliance.record import Recorded
from compliance.reports.binder import (
    changes,
    decisions,
    dispositions,
    index,
    inventories,
    losses,
    policies,
    proofs,
    registrations,
    rems,
)
from compliance.reports.binder.folder import making
from compliance.reports.binder.in_print import Printer
from compliance.reports.binder.lookups import Lookups
from compliance.reports.binder.people import People
from compliance.reports.binder.period import Period
from compliance.reports.binder.release import (
    Count,
    Wanted,
    new_id,
    record_look,
    record_release,
    require_permitted,
    seal,
)
from compliance.reports.binder.script import script
from compliance.reports.binder.sheets import Sheets, Written
from compliance.standing import require_known

FORMATS = ("pdf", "csv", "json")
"""The forms of a binder: tables in print and as data, entries as JSON. Its pages are HTML, for which the vocabulary has no word."""


@dataclass(frozen=True, slots=True)
class Made:
    """A binder that was made: what is in it, the events that say so, and the key that its proofs need. `manifest` is the digest of its manifest."""

    event_id: str
    manifest: str
    entries: int
    events: int
    vkey: str
    checkpoint: str
    written: tuple[Written, ...]
    results: tuple[Recorded, ...]


def make(log: Log, bundles: Bundles, signer: Signer, wanted: Wanted) -> Made:
    """Make a binder; the log must be open for writing.

    Raises InputError where the site is unknown, the period ends before it begins, something is there under the name, the person has no right to this,
    or identities are asked for and the log has no vault; LogError where the log contradicts itself. Nothing is left then.
    """
    started = time.monotonic_ns()
    if wanted.last < wanted.first:
        raise InputError(
            f"the period ends on {format_date(wanted.last)}, before it begins",
            "Name the days in their order.",
        )
    require_known(log, bundles, wanted.site, None)
    require_permitted(log, bundles, wanted)
    with making(wanted.folder) as folder:
        head = log.head
        period = Period(log, bundles, head.size, wanted.site, wanted.first, wanted.last)
        since = wanted.since or _last_printed(log, period.size)
        continues = None if since is None else proofs.write_since(log, period.size, since, folder)
        event_id = new_id()
        looked: tuple[Recorded, ...] = ()
        patients: set[str] = set()
        if wanted.identities:
            with reach(log) as way:
                required(way)
            patients = {patient for idx in period.marks if (patient := log.entry(idx).patient) is not None}
            looked = record_look(log, bundles, wanted, len(patients))
        with _vault(log, wanted) as vault:
            printer = Printer(folder, period, log.identity.origin, root_at(log, period.size))
            sheets = Sheets(period, folder, printer, People(period, vault))
            _write_tables(sheets)
            printer.close()
        note = proofs.write(period, sheets.listed, signer, folder)
        entries, vkey = len(sheets.listed), str(signer.verifier)
        about = index.About(
            wanted,
            event_id,
            log.now() // SECOND * SECOND,
            note,
            vkey,
            entries,
            log.identity.origin,
            name_of(log) is not None,
            continues,
        )
        index.write(folder, printer, period, about, sheets.written)
        folder.bytes("verify.py", script())
        manifest = folder.write_manifest()
        count = Count(len(period.marks), period.counted(), (time.monotonic_ns() - started) // 1_000_000)
        results = record_release(log, bundles, wanted, event_id, manifest, count, FORMATS, patients)
        seal(log, results[0].idx, period.size, signer, folder)
    return Made(
        event_id, manifest, entries, len(period.marks), vkey, note, tuple(sheets.written), (*looked, *results)
    )


def _write_tables(sheets: Sheets) -> None:
    """Every table, part by part."""
    lookups = Lookups(sheets.period)
    registrations.write(sheets)
    inventories.write(sheets, lookups)
    dispositions.write(sheets, lookups)
    losses.write(sheets, lookups)
    rems.write(sheets)
    decisions.write(sheets)
    policies.write(sheets)
    changes.write(sheets)


def _last_printed(log: Log, size: int) -> bytes | None:
    """The checkpoint of the newest nightly report, which is in print somewhere; None where there is none."""
    newest = next(printed(log, size), None)
    return None if newest is None else newest.checkpoint.encode()


@contextmanager
def _vault(log: Log, wanted: Wanted) -> Iterator[Vault | None]:
    """The vault, where identities are wanted."""
    if not wanted.identities:
        yield None
        return
    with reach(log, write=False) as way:
        vault = required(way)
        vault.persons.refresh()
        yield vault
