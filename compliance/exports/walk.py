"""What an export is made of: the entries of a log in their order, each event as it now stands, without ever holding more than a stretch.

An event is given once, at its own entry: as it stands where it was corrected, as it was sent where it is void (`events list` shows the same).
`since` and `until` ask by when it occurred as it stands, both included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from compliance.continuation import decision_at
from compliance.domain.corrections import standing
from compliance.domain.event import Event
from compliance.domain.findings import Decision
from compliance.domain.making import event_from_log
from compliance.ledger.entry import Entry
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log

STRETCH: Final = 512
"""Entries that are read at once: at most 32 MB."""

State = Literal["as_sent", "corrected", "void"]
Watch = Callable[[int, int], None]
"""Told how many entries of how many were looked at."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be exported; None and nothing named asks nothing. Instants are microseconds."""

    sites: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None

    def wants(self, kind: str | None, site: str | None, occurred: int | None) -> bool:
        """Whether an event of this kind, site and instant is asked for."""
        return (
            (not self.kinds or kind in self.kinds)
            and (not self.sites or site in self.sites)
            and (self.since is None or (occurred is not None and occurred >= self.since))
            and (self.until is None or (occurred is not None and occurred <= self.until))
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """An entry with a decision: the event, how it stands, the decision of this entry, and the last one on the event with its entry.

    `cause` is the later event because of which it was judged again.
    """

    event: Event
    state: State
    entry: Entry
    decision: Decision
    last_in: int
    last_decision: Decision
    cause: str | None = None

    @property
    def first(self) -> bool:
        """Whether the event itself stands in this entry."""
        return self.entry.type == "event"

    @property
    def last(self) -> bool:
        """Whether no later decision was made on the event."""
        return self.last_in == self.entry.idx


@dataclass(frozen=True, slots=True)
class Other:
    """An entry that holds no decision, with its document."""

    entry: Entry
    document: dict[str, Any]


def walk(log: Log, size: int, asked: Asked, watch: Watch) -> Iterator[Judged | Other]:
    """The entries below `size` that are asked for, in order: an event or a rejudgement with its decision, or another.

    An entry that is about no event is given where no kind and no site is asked for, by when it was recorded. Those in which a decision goes on are
    part of that decision.
    """
    history = LogHistory(log)
    for start in range(0, size, STRETCH):
        for entry, named in log.entries_named(start, min(start + STRETCH, size)):
            if entry.type == "event":
                yield from _event(log, history, entry, asked, named=named)
            elif entry.type == "rejudgement":
                yield from _again(log, history, entry, asked)
            elif entry.type != "continuation" and asked.wants(None, None, entry.recorded_us):
                yield Other(entry, entry.document())
        watch(min(start + STRETCH, size), size)


def _event(log: Log, history: LogHistory, entry: Entry, asked: Asked, *, named: bool) -> Iterator[Judged]:
    if not named and not asked.wants(entry.kind, entry.site, entry.occurred_us):
        return  # as it was sent it stands: nothing need be read
    document = entry.document()
    sent = event_from_log(document["event"], entry.recorded_us, entry.idx, document.get("signing"))
    event, state = _standing(history, sent) if named else (sent, "as_sent")
    if not asked.wants(event.kind, event.values["site"], event.occurred_at):
        return
    yield _judged(log, event, state, entry, log.last_judgement(sent.id) if named else None)


def _again(log: Log, history: LogHistory, entry: Entry, asked: Asked) -> Iterator[Judged]:
    document = entry.document()
    event, state = _standing(history, history.recorded(document["of"]))
    if asked.wants(event.kind, event.values["site"], event.occurred_at):
        yield _judged(log, event, state, entry, log.last_judgement(event.id), document["cause"])


def _judged(
    log: Log, event: Event, state: State, entry: Entry, later: int | None, cause: str | None = None
) -> Judged:
    decision = decision_at(log, entry.idx)
    last_in = entry.idx if later is None else later
    last = decision if last_in == entry.idx else decision_at(log, last_in)
    return Judged(event, state, entry, decision, last_in, last, cause)


def _standing(history: LogHistory, sent: Event) -> tuple[Event, State]:
    stands = standing(sent, history.amendments)
    if stands is None:
        return sent, "void"
    return stands, "as_sent" if stands.body == sent.body else "corrected"
