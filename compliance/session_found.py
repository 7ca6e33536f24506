"""Which session of a patient is meant: one that is named, the one going on, or a new one with a made-up id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import count
from typing import Final

from compliance.domain.drugs import DRUGS
from compliance.domain.event import Event
from compliance.domain.time import local_date
from compliance.errors import InputError
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.recent import sites as known_sites
from compliance.site_zones import site_zone

LONG_AGO: Final = 20 * 3600 * 1_000_000
"""A session whose last event is older than this (microseconds) is not gone on with unless it is named."""
LONGEST: Final = 56
"""Characters of a made-up id, before the number of a second one on the same day; with the prefix of an order's handle it still is an id."""
_ITS_KINDS: Final = (
    "patient_enrollment", "pre_session_check", "medication_reconciliation", "assessment", "order", "vital_signs", "clinical_decision",
    "observation", "container_status", "preparation", "infusion", "administration", "session_stop", "discharge", "monitoring_form",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A session: its id, drug and site as far as they are said or on record (None: nobody knows yet). `beside` is the patient's other session,
    over or of another drug, because of which this one is a new one."""

    session: str
    drug: str | None
    site: str | None
    beside: str | None = None


def find_session(
    log: Log, now: int, *, patient: str, session: str | None, drug: str | None, site: str | None
) -> Found:
    """Which session is meant at an instant (microseconds).

    Without an id it is the patient's last session, if it is going on and of that drug; else a new one, called by its day and patient, and
    numbered where that id is taken. Raises InputError where the session is of another patient, drug or site, or the site is unknown.
    """
    history = LogHistory(log)
    sites = known_sites(history)
    known, beside = session, None
    if known is None:
        known, beside = _going_on(history, patient, drug, now)
    events = [] if known is None else events_of(history, known, now)
    place = site or first_said(events, "site") or (sites[0] if len(sites) == 1 else None)
    if known is None:
        day = local_date(now, site_zone(history, place, now))
        known, events, taken = _made_up(history, patient, drug, day, now)
        beside = beside or taken
    for name, said in (("patient", patient), ("drug", drug), ("site", site)):
        on_record = first_said(events, name) if name != "drug" else _drug(events) or first_said(events, name)
        if said is not None and on_record not in (None, said):
            raise InputError(
                f"session {known} is one of another {name}",
                f"Name the session that is meant, or an id for a new one, with --session, or leave --{name} out.",
            )
    if place is not None and sites and place not in sites:
        raise InputError(
            f"there is no profile of a site {place} in this log", f"Its sites: {', '.join(sites)}."
        )
    return Found(known, drug or _drug(events), place, beside)


def _going_on(history: LogHistory, patient: str, drug: str | None, now: int) -> tuple[str | None, str | None]:
    """The patient's last session, where it began not long ago and the patient has not left; else None, and that session if it is of today."""
    found = [
        event
        for kind in _ITS_KINDS
        for event in history.newest_first(kind, "patient", patient, now, now - LONG_AGO)
        if "session" in event.values
    ]
    last = max(found, key=lambda event: event.order, default=None)
    if last is None:
        return None, None
    known: str = last.values["session"]
    mine = [event for event in found if event.values["session"] == known]
    return (None, known) if _is_over(mine) or _of_another(mine, drug) else (known, None)


def _is_over(events: Sequence[Event]) -> bool:
    """Whether nothing more is to come: given up before the dose, or the patient gone, with the form where one is owed."""
    given = any(e.kind in ("administration", "infusion") for e in events)
    if not given and any(e.kind == "session_stop" and e.values["stage"] != "stopped_during" for e in events):
        return True
    form_owed = any(e.kind == "administration" and DRUGS[e.values["drug"]].is_rems for e in events)
    gone, form = (any(e.kind == kind for e in events) for kind in ("discharge", "monitoring_form"))
    return gone and (form or not form_owed)


def _of_another(events: Sequence[Event], drug: str | None) -> bool:
    """Whether a session is about another drug than the one that was said."""
    return drug is not None and _drug(events) not in (None, drug)


def _made_up(
    history: LogHistory, patient: str, drug: str | None, day: int, now: int
) -> tuple[str, list[Event], str | None]:
    """An id for a session of a patient on a day, with its events; and the last one that could have had it, were it not over, of another
    drug, or of another patient (who is not named)."""
    name, taken = named(f"S-{date.fromordinal(day):%Y%m%d}-", patient, LONGEST), None
    for number in count(1):
        known = name if number == 1 else f"{name}-{number}"
        events = events_of(history, known, now)
        mine = first_said(events, "patient") in (None, patient)
        if mine and not _is_over(events) and not _of_another(events, drug):
            break
        taken = known if mine else taken
    return known, events, taken


def named(prefix: str, handle: str, longest: int) -> str:
    """A handle after a prefix; where that is too long, a digest stands for it, so that two handles never become one."""
    name = prefix + handle
    return name if len(name) <= longest else prefix + sha256(handle.encode()).hexdigest()[:24]


def first_said(events: Sequence[Event], name: str) -> str | None:
    """A field's value in the first of the events that has it."""
    return next((event.values[name] for event in events if event.values.get(name) is not None), None)


def _drug(events: Sequence[Event]) -> str | None:
    """The drug of the session's doses, else of its order."""
    for kinds in (("administration", "infusion", "preparation"), ("order",)):
        drug = first_said([event for event in events if event.kind in kinds], "drug")
        if drug is not None:
            return drug
    return None


def events_of(history: LogHistory, session: str, now: int) -> list[Event]:
    """The performed events of a session up to an instant, in order."""
    found = (history.newest_first(kind, "session", session, now, None) for kind in _ITS_KINDS)
    return sorted((event for some in found for event in some), key=lambda event: event.order)
