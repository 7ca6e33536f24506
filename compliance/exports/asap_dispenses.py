"""Which dispenses a report to a state is about, and what it says of each: new, revised or void (DSP01).

What was reported before is what the log says: an `external_report` of the form ``pdmp_dispense`` that names the dispense and was not refused
(``accepted`` is not false). The state has, then, the dispense as it stood in the log when that report was recorded. A dispense is

=========  ====================================================================================================================
``00``     new, where it stands, lies in the period, and was not reported
``01``     revised, where it stands, was reported, and was corrected since; where it lies or was corrected in the period
``02``     void, where it was reported and voided since, with the values that were reported: the state finds the record by them
nothing    where it was reported and stands as it did, or is void and was never reported
=========  ====================================================================================================================

A dose that was given at the site is no dispense (`administration`), and only what was performed is one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from compliance.domain.event import Event
from compliance.domain.lookup import EVERY, key_of
from compliance.exports.walk import Asked
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log

NEW, REVISED, VOID = "00", "01", "02"


@dataclass(frozen=True, slots=True)
class Dispensed:
    """A dispense as it is to be reported, with DSP01."""

    event: Event
    status: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a report is about, in the log's order; how many are left out and why; whether anything was dispensed in the period at all."""

    dispensed: tuple[Dispensed, ...]
    left_out: Counter[str]
    any_in_period: bool


def dispenses(log: Log, asked: Asked) -> Found:
    """The dispenses to be reported at the sites and for the period that are asked for."""
    history = LogHistory(log)
    found: list[Dispensed] = []
    left_out: Counter[str] = Counter()
    inside = False
    for idx in sorted({idx for _, idx in log.key_scan(key_of("dispense", EVERY, ""))}):
        sent = history.recorded(idx)
        if sent.kind != "dispense" or sent.proposed:
            continue
        stands, reported = history.stands(sent.id), _reported(history, sent.id)
        known = None if reported is None else LogHistory(log, before=reported).stands(sent.id)
        event = stands or known or sent
        if asked.sites and event.values["site"] not in asked.sites:
            continue
        lies = asked.wants("dispense", event.values["site"], event.occurred_at)
        inside |= lies and stands is not None
        amended = any(_within(asked, one) for one in history.amendments(sent.id))
        if not lies and not amended:
            continue
        status = _status(stands, reported, known, lies=lies)
        if status is None:
            left_out[_why(stands, reported)] += 1
        else:
            found.append(Dispensed(event, status))
    return Found(tuple(found), left_out, inside)


def _status(stands: Event | None, reported: int | None, known: Event | None, *, lies: bool) -> str | None:
    """DSP01, or None where there is nothing to report: `known` is the dispense as the state has it."""
    if stands is None:
        return None if known is None else VOID
    if reported is None:
        return NEW if lies else None
    return None if known is not None and known.body == stands.body else REVISED


def _why(stands: Event | None, reported: int | None) -> str:
    if reported is not None:
        return "reported already"
    return "of another period" if stands is not None else "void, and never reported"


def _reported(history: LogHistory, event_id: str) -> int | None:
    """The entry of the newest report of a dispense that stands and was not refused."""
    reports = history.newest_first("external_report", "concerns_event", event_id, None, None)
    told = (one.position for one in reports if _counts(one))
    return max(told, default=None)


def _counts(report: Event) -> bool:
    return report.values["form"] == "pdmp_dispense" and report.values.get("accepted") is not False


def _within(asked: Asked, amendment: Event) -> bool:
    at = amendment.recorded_at or 0
    return (asked.since is None or at >= asked.since) and (asked.until is None or at <= asked.until)


def own_registrations(log: Log, asked: Asked, state: str, at: int) -> Iterator[Event]:
    """The clinic's own registrations in a state as they stood at an instant, by handle: whose zero report it is."""
    seen: set[str] = set()
    newest = LogHistory(log).newest_first("registration", EVERY, "", at, None)
    standing = []
    for one in newest:
        if one.values["registration"] not in seen:
            seen.add(one.values["registration"])
            standing.append(one)
    for one in sorted(standing, key=lambda event: event.values["registration"]):
        said = one.values
        site = said.get("holder", said["site"])
        here = said["state"] == state and site in asked.sites
        if here and said["holder_kind"] == "own_site" and said["status"] in ("active", "renewal_pending"):
            yield one
