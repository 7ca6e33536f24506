"""Which events a person asks for: by site, patient, visit, kind, rule, verdict and time, as they now stand, newest first.

Events are found through the index of look-up keys, newest first, and only as many are read as are wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge

from compliance.domain.event import Event
from compliance.domain.findings import Decision
from compliance.domain.lookup import EVERY, indexed_fields, key_of
from compliance.domain.vocabulary import KINDS
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.standing import last_decision


@dataclass(frozen=True, slots=True)
class Asked:
    """What events are asked for; None asks nothing. `since` and `until` are microseconds, `until` itself included."""

    site: str | None = None
    patient: str | None = None
    session: str | None = None
    kinds: tuple[str, ...] = ()
    rule: str | None = None
    verdict: str | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """An event as it now stands (as it was sent, where it is void), with its last decision."""

    event: Event
    decision: Decision
    void: bool


def find_events(log: Log, asked: Asked) -> Iterator[Listed]:
    """The events asked for, the latest to occur first."""
    history = LogHistory(log)
    scans = [_scan(log, asked, kind) for kind in asked.kinds or KINDS]
    seen: set[int] = set()
    for occurred, idx in merge(*scans, reverse=True):
        sent = history.recorded(idx)
        stands = history.stands(sent.id)
        event = sent if stands is None else stands
        # A corrected event has a row for each instant at which it was said to occur; the one that stands counts.
        if idx in seen or event.occurred_at != occurred or not _wanted(event, asked):
            continue
        seen.add(idx)
        decision = last_decision(log, idx)
        if asked.verdict is not None and decision.verdict != asked.verdict:
            continue
        if asked.rule is not None and all(finding.rule != asked.rule for finding in decision.findings):
            continue
        yield Listed(event, decision, stands is None)


def _scan(log: Log, asked: Asked, kind: str) -> Iterator[tuple[int, int]]:
    indexed = indexed_fields(kind)
    for field, value in (("session", asked.session), ("patient", asked.patient), ("site", asked.site)):
        if value is not None and field in indexed:
            return log.key_scan(key_of(kind, field, value), asked.until, asked.since)
    return log.key_scan(key_of(kind, EVERY, ""), asked.until, asked.since)


def _wanted(event: Event, asked: Asked) -> bool:
    values = event.values
    for field, value in (("site", asked.site), ("patient", asked.patient), ("session", asked.session)):
        if value is not None and values.get(field) != value:
            return False
    if asked.kinds and event.kind not in asked.kinds:
        return False
    return (asked.since is None or event.occurred_at >= asked.since) and (
        asked.until is None or event.occurred_at <= asked.until
    )
