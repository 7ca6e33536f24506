"""Erasing a person: key, salts, identity and texts are destroyed, the log stays, and every proof with it (audit-log.md, "Entry").

It is refused while a retention period runs or a legal hold stands. Otherwise the events that say so are recorded first; then what waits in quarantine
about the person is discarded, the vault's rows are deleted, and both files are scrubbed. Who is interrupted runs the command again: the vault knows
whose erasure was recorded and how far it came.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from compliance.bundles import Bundles
from compliance.checking import Checker
from compliance.domain.event import Event
from compliance.domain.findings import Severity
from compliance.domain.free_text import replaced
from compliance.domain.lookup import EVERY
from compliance.domain.time import format_instant
from compliance.errors import InputError
from compliance.intake.drafts import Draft
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log, system_clock
from compliance.ledger.vault import Vault, reach
from compliance.ledger.vault.persons import Known
from compliance.ledger.vault.quarantine import discard_speaking_of, require_owner
from compliance.persons import SOURCE, Acting, access_event, recorded, required
from compliance.record import Recorded
from compliance.retention import NOT_COUNTED, Kept, kept_by_holds, kept_by_periods
from compliance.sealing import owner_of
from compliance.standing import explained

WHAT: Final = "person_identity"
"""The kind of record that the purge event names."""

BACKUPS: Final = "Backups of the vault that were made before still hold this person: destroy them, or the copies of the site key that open them."


_SHORTEST: Final = 3
"""Values no longer than this, such as a sex, are in many texts that speak of others."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What came of it. `kept` says why nothing was erased; `clear_entries` are entries that hold texts in the clear, since they were recorded
    before the log had a vault, or values of this person where a handle belongs: no erasure reaches those."""

    pseudonym: str
    event: str = ""
    kept: tuple[Kept, ...] = ()
    discarded: tuple[int, ...] = ()
    clear_entries: tuple[int, ...] = ()
    results: tuple[Recorded, ...] = ()


@dataclass(slots=True)
class _Found:
    """What the log holds of a person."""

    records: list[tuple[Event, date, str | None]] = field(default_factory=list)
    about: set[str] = field(default_factory=set)
    clear_entries: list[int] = field(default_factory=list)
    majority: date | None = None


def erase(log: Log, bundles: Bundles, acting: Acting, pseudonym: str, *, request: str, reason: str) -> Erased:
    """Erase a person, or say why not. Raises InputError for an unknown one, DatabaseError where something still reads what is to go."""
    require_owner(log.url)
    with reach(log) as way:
        vault = required(way)
        vault.persons.refresh()
        known = next(iter(vault.persons.known(pseudonym)), None)
        gone = vault.persons.erased(pseudonym)
        if known is None:
            if gone is None:
                raise InputError(f"{pseudonym} is not in the vault", "`compliance person list` lists who is.")
            if vault.persons.scrubbed():
                raise InputError(
                    f"{pseudonym} was erased already (event {gone[0]})", "Nothing is to be done."
                )
            vault.persons.scrub()
            return Erased(pseudonym, gone[0])
        needles, names = _needles(vault, pseudonym)
    found = _found(log, pseudonym, needles)
    results: tuple[Recorded, ...] = ()
    event = known.erasing
    if event is None:
        kept = tuple(_kept(log, bundles, found))
        if kept:
            return Erased(pseudonym, kept=kept)
        drafts = _events(acting, known, found, request, reason)
        denied = tuple(_denied(log, bundles, drafts))
        if denied:
            return Erased(pseudonym, kept=denied)
        event = drafts[0].event.id
        marked = event
        results = recorded(
            log, bundles.active(), drafts, lambda vault: vault.persons.mark_erasing(pseudonym, marked)
        )
    discarded = discard_speaking_of(log.url, [pseudonym, *needles], names)
    with reach(log) as way:
        vault = required(way)
        vault.persons.refresh()
        at, last = system_clock(), event
        with log.writing():  # nobody records a text of this person meanwhile
            vault.commit(lambda: vault.persons.destroy(pseudonym, last, at, found.about))
        vault.persons.scrub()
    return Erased(pseudonym, event, (), tuple(discarded), tuple(sorted(set(found.clear_entries))), results)


def _needles(vault: Vault, pseudonym: str) -> tuple[list[str], list[str]]:
    """Every clear value of a person, which must not be left anywhere, and among them the names."""
    vault.texts.begin()
    needles, names = vault.texts.owned(pseudonym), []
    for version in vault.persons.versions(pseudonym):
        names.append(version.clear["name"])
        for value in version.clear.values():
            needles += value if isinstance(value, list) else [value]
    return list(dict.fromkeys(needle for needle in needles if len(needle) > _SHORTEST)), names


def _found(log: Log, pseudonym: str, needles: list[str]) -> _Found:
    """All events about a person, or in which one takes part, as sent and as they stand; one walk through the log."""
    history = LogHistory(log)
    found = _Found()
    named, values = pseudonym.encode(), [needle.encode() for needle in needles]
    with log.reading():
        states = {
            event.values["site"]: event.values["state"] for event in _latest_last(history, "site_profile")
        }
        for entry in log.entries(1):
            if entry.type != "event":
                continue
            if any(value in entry.body for value in values):
                found.clear_entries.append(entry.idx)
            if named in entry.body:
                for event in _versions(history, history.recorded(entry.idx)):
                    _note(found, event, pseudonym, states)
        _note_amendments(found, history)
    return found


def _note(found: _Found, event: Event, pseudonym: str, states: dict[str, str]) -> None:
    if not _takes_part(event.body, pseudonym):
        return
    found.records.append((event, _day(event), states.get(event.values["site"])))
    if owner_of(event.body) == pseudonym:
        found.about.add(event.id)
        if _in_the_clear(event):
            found.clear_entries.append(event.position)
    if (
        event.kind == "patient_enrollment"
        and event.values.get("patient") == pseudonym
        and "majority_on" in event.values
    ):
        found.majority = date.fromordinal(event.values["majority_on"])


def _note_amendments(found: _Found, history: LogHistory) -> None:
    """What a correction says of a person's event is the person's, whoever the correction names."""
    waiting = list(found.about)
    while waiting:
        for amendment in history.amendments(waiting.pop()):
            if amendment.id not in found.about:
                found.about.add(amendment.id)
                waiting.append(amendment.id)


def _versions(history: LogHistory, sent: Event) -> Iterator[Event]:
    """An event as sent and as it stands; where it is a correction, also how that stands to which it may have given this person's pseudonym."""
    yield sent
    seen: set[str] = set()
    one: Event | None = sent
    while one is not None and one.id not in seen:
        seen.add(one.id)
        stands = history.stands(one.id)
        if stands is not None and stands is not sent:
            yield stands
        one = history.sent(one.values["corrects"]) if "corrects" in one.values else None


def _latest_last(history: LogHistory, kind: str) -> list[Event]:
    return list(history.newest_first(kind, EVERY, "", None, None))[::-1]


def _takes_part(value: Any, pseudonym: str) -> bool:
    if isinstance(value, str):
        return value == pseudonym
    if isinstance(value, dict):
        return any(_takes_part(item, pseudonym) for item in value.values())
    return isinstance(value, list) and any(_takes_part(item, pseudonym) for item in value)


def _in_the_clear(event: Event) -> bool:
    """Whether free text stands in the log as it was sent."""
    body = replaced(
        event.kind, event.id, event.body,
        lambda said: said.text if said.text.startswith("vault:sha256:") else f"{said.text}!", lambda _: None,
    )  # fmt: skip
    return body is not None


def _day(event: Event) -> date:
    """The day of a record: the later of the local one, as it was written, and that in UTC."""
    local = date.fromisoformat(event.body["occurred_at"][:10])
    return max(local, (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=event.occurred_at)).date())


def _today() -> date:
    """The earliest date that it now is anywhere in the country: a period has run out everywhere, or it has not."""
    now = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=system_clock())
    return (now - timedelta(hours=12)).date()


def _kept(log: Log, bundles: Bundles, found: _Found) -> Iterator[Kept]:
    yield from kept_by_periods(found.records, found.majority, bundles.active().bundle, _today())
    kinds = frozenset(event.kind for event, _, _ in found.records)
    yield from kept_by_holds(_latest_last(LogHistory(log), "system_event"), kinds | {WHAT})


def _denied(log: Log, bundles: Bundles, drafts: list[Draft]) -> Iterator[Kept]:
    """What the policies in force have against the purge; asked before anything is written."""
    judge = bundles.active()
    for results in Checker(log, judge).submit(drafts):
        for result in results:
            if isinstance(result, Recorded) and result.draft.event.kind == "system_event":
                for finding in result.decision.findings:
                    if finding.severity is Severity.DENY:
                        told = explained(finding, judge.bundle)
                        yield Kept(f"{told.rule.id}: {told.message}", None)


def _events(acting: Acting, known: Known, found: _Found, request: str, reason: str) -> list[Draft]:
    """What says that a person is erased. The reason stands in an event of the one who acts: in the patient's own it would be erased, too."""
    at = format_instant(system_clock())
    common = {"occurred_at": at, "site": acting.site, "actor": acting.actor}
    today = at[:10]
    days = [day for event, day, _ in found.records if event.kind not in NOT_COUNTED]
    drafts = []
    if known.kind == "patient":
        drafts.append(Draft.of_command({
            **common, "id": f"erasure-{secrets.token_hex(8)}", "kind": "patient_request", "patient": known.pseudonym, "request": request,
            "request_type": "amendment", "received_on": today, "status": "granted", "answered_on": today,
        }, SOURCE))  # fmt: skip
    if days:
        drafts.append(Draft.of_command({
            **common, "id": f"purge-{secrets.token_hex(8)}", "kind": "system_event", "activity": "purge", "succeeded": True,
            "record_kinds": [WHAT], "records_until_on": max(days).isoformat(), "reason": reason,
        }, SOURCE))  # fmt: skip
    if known.kind != "patient" or not days:
        access = {
            "mode": "search", "purpose": "operations", "filter": f"erasure of {known.pseudonym}, request {request}", "row_count": 0,
            "formats": ["screen"], "leaves_site": False, "reason": reason,
        }  # fmt: skip
        drafts.append(access_event(acting, access))
    return drafts
