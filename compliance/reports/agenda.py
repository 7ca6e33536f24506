"""The agenda: every duty as it stands at the end of a night, without finding out again what the night before had settled.

A duty is derived from events alone (`engine.duties`), and derived again each night it would cost what the log holds. So it is kept (in
`ledger.agenda`) how each stood, and under which look-up keys that was found out. The next night looks again at those that time may have changed
(they are open, or were missed and are not yet done) and at those for which an event was recorded since, or occurred since, that lies under a key
they asked or opens them. **Law, held by a property test: what stands is what `engine.duties` says of the whole log.**

Where the agenda cannot be gone on from (rows that were changed, other policies, a log restored from a backup, a site's profile that came late), it is made anew,
in parts, so that memory does not grow with the log. For a night before the one that was reached, it is left alone, and the duties are derived from the log.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Final, TypeAlias, TypeGuard

import orjson

from compliance.domain.event import Event
from compliance.domain.lookup import ARRIVES, EVERY, LATER, answering_keys, key_of
from compliance.domain.time import end_of_local_day
from compliance.domain.vocabulary import KINDS
from compliance.engine.duties import (
    Duty,
    DutyState,
    duty_from,
    duty_subject,
    keys_ahead,
    opening_kinds,
    openings_of,
)
from compliance.engine.sight import Looked
from compliance.ledger.agenda import NONE, AgendaTables, DutyRow, Reached
from compliance.ledger.history import LogHistory
from compliance.ledger.rotation import root_at
from compliance.policy.model import Rule
from compliance.reports.night import Night

TOGETHER: Final = 500
"""Duties that are looked at before what was found is written."""

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how many entries were gone through, and of how many."""

Seal: TypeAlias = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class _Subject:
    """A rule and one subject of it, named by an event that opens the duty, or may."""

    rule: Rule
    opening: Event

    @property
    def id(self) -> int:
        """A signed 64-bit digest of the rule and the subject."""
        about = orjson.dumps([self.rule.id, duty_subject(self.rule, self.opening)])
        return int.from_bytes(blake2b(about, digest_size=8).digest(), "big", signed=True)


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found out about a subject: its duty, by which event it is found again, and where that was looked up."""

    subject: _Subject
    opening: str
    duty: Duty | None
    asked: Looked

    @property
    def state(self) -> str:
        """As the agenda keeps it."""
        return NONE if self.duty is None else str(self.duty.state)


class Agenda:
    """The duties of a log at the end of a night, at all its sites."""

    def __init__(self, night: Night, progress: Progress = lambda *_: None, seal: Seal = bytes) -> None:
        """`seal` makes of a digest what only who holds the log's key can make of it: rows that were changed are not believed."""
        self._seal = seal
        self._night = night
        self._judge = night.judge
        self._history = night.history
        self._progress = progress
        self._tables = AgendaTables(night.log)
        # When the day is over at the first and at the last of all sites; in UTC where a site's zone is not known.
        ends = [end_of_local_day(night.day, "UTC"), *(one.ends for one in night.sites)]
        self._first, self._last = min(ends), max(ends)
        self._rules: dict[str, list[Rule]] = {kind: [] for kind in KINDS}
        for rule in self._judge.planner.duty_rules:
            for kind in opening_kinds(rule):
                self._rules[kind].append(rule)

    def duties(self) -> list[Duty]:
        """Those that are open, those that were missed and are still not done, and those that were closed on this day."""
        reached = self._reached()
        if reached is not None and (reached.day > self._night.day or reached.size > self._night.size):
            return self._derived()
        return self._brought_forward(reached)

    # ---- how far it is

    def _reached(self) -> Reached | None:
        """How far the agenda was brought, or None where it cannot be gone on from."""
        log, reached = self._night.log, self._tables.reached()
        if reached is None or not reached.whole or reached.bundle != self._judge.bundle.digest:
            return None
        if self._seal(self._tables.digest(reached)) != reached.seal:
            return None
        if reached.size > log.size or root_at(log, reached.size) != reached.root:
            return None
        return reached

    def _brought_forward(self, reached: Reached | None) -> list[Duty]:
        """The agenda brought to this night, in parts; where another run takes it over meanwhile, that one goes on, and this one does without."""
        night, log = self._night, self._night.log
        touched = None if reached is None else self._touched(reached)
        mine = Reached(
            secrets.randbits(62), night.day, self._first, night.size, root_at(log, night.size), self._judge.bundle.digest, False,
        )  # fmt: skip
        with log.writing():
            if touched is None:
                self._tables.clear()
            self._tables.reach(mine)
        told: list[Duty] = []
        looked = self._looked_at(self._subjects_of_all() if touched is None else touched.values())
        while some := list(islice(looked, TOGETHER)):
            told += [one.duty for one in some if self._told(one.duty)]
            if not self._write(mine, some):
                return self._derived()
        return told if self._write(mine, (), whole=True) else self._derived()

    def _write(self, mine: Reached, some: Sequence[_Found], *, whole: bool = False) -> bool:
        """Write what was found, unless another run took the agenda over."""
        rows = [DutyRow(one.subject.id, one.subject.rule.id, one.opening, one.state) for one in some]
        keys = [(one.subject.id, key_of(*key), until) for one in some for key, until in one.asked.items()]
        with self._night.log.writing():
            now = self._tables.reached()
            if now is None or now.run != mine.run:
                return False
            self._tables.put(rows, keys)
            if whole:
                seal = self._seal(self._tables.digest(mine))
                self._tables.reach(mine._replace(whole=True, seal=seal))
        return True

    def _derived(self) -> list[Duty]:
        """The duties as the log alone tells them."""
        return [one.duty for one in self._looked_at(self._subjects_of_all()) if self._told(one.duty)]

    def _told(self, duty: Duty | None) -> TypeGuard[Duty]:
        """Whether a duty is one of those that are asked for."""
        if duty is None or duty.state is DutyState.CANCELLED:
            return False
        if duty.state in (DutyState.OPEN, DutyState.MISSED):
            return True
        closing = self._history.stands(duty.closed_by or "")
        day = self._night.day_at(duty.opened_by.values["site"])
        return closing is not None and day.begins <= closing.occurred_at < day.ends

    # ---- which duties

    def _subjects_of_all(self) -> Iterator[_Subject]:
        """Every rule and subject that the log's events name, each once."""
        seen: set[int] = set()
        for event in self._history.stretch(0, self._night.size):
            self._progress(event.position + 1, self._night.size)
            for subject in self._opened_by(event):
                if subject.id not in seen:
                    seen.add(subject.id)
                    yield subject

    def _opened_by(self, event: Event) -> Iterator[_Subject]:
        if not event.proposed:
            yield from (_Subject(rule, event) for rule in self._rules[event.kind])

    def _touched(self, reached: Reached) -> dict[int, _Subject] | None:
        """The subjects of which something may have changed since; None where that is all of them."""
        touched: dict[int, _Subject] = {}
        earlier = LogHistory(self._night.log, before=reached.size)
        for row in self._tables.unsettled():
            self._take(row, earlier, touched)
        for version in self._changed(reached, earlier):
            if version.kind == "site_profile" and version.occurred_at < reached.ends_us:
                return None  # the zone of all that happened there since
            for subject in self._opened_by(version):
                touched.setdefault(subject.id, subject)
            for key in (*answering_keys(version), (version.kind, LATER, ""), ("", ARRIVES, version.id)):
                for duty in self._tables.asking(key_of(*key), version.occurred_at):
                    asking = None if duty in touched else self._tables.row(duty)
                    if asking is not None:
                        self._take(asking, earlier, touched)
        return touched

    def _take(self, row: DutyRow, earlier: LogHistory, touched: dict[int, _Subject]) -> None:
        """The subject of a row, by its opening as that stood when the row was written: a correction since may have made it another subject's."""
        opening = earlier.stands(row.opening)
        if opening is not None:
            touched[row.id] = _Subject(self._judge.bundle.rule(row.rule), opening)

    def _changed(self, reached: Reached, earlier: LogHistory) -> Iterator[Event]:
        """Events that were recorded since, or that occurred since or on the day, and those that were amended since as they stood before and as
        they stand."""
        since = min([reached.ends_us, *(one.begins for one in self._night.sites)])
        for kind in KINDS:
            yield from self._history.newest_first(kind, EVERY, "", self._last, since)
        for entry in self._night.log.entries(reached.size, self._night.size):
            event_id = entry.event_id
            seen: set[str] = set()
            while event_id is not None and event_id not in seen:
                seen.add(event_id)
                versions = (
                    earlier.stands(event_id),
                    self._history.sent(event_id),
                    self._history.stands(event_id),
                )
                yield from (one for one in versions if one is not None)
                amending = self._history.sent(event_id)
                event_id = None if amending is None else amending.values.get("corrects")

    # ---- looking

    def _looked_at(self, subjects: Iterable[_Subject]) -> Iterator[_Found]:
        """Each subject's duty at the end of the day at its site."""
        remaining, judge, history = iter(subjects), self._judge, self._history
        while some := list(islice(remaining, TOGETHER)):
            history.ahead({key for one in some for key in keys_ahead(one.rule, judge, history, one.opening)})
            for one in some:
                yield self._one(one)

    def _one(self, subject: _Subject) -> _Found:
        asked: Looked = {}
        openings = openings_of(subject.rule, subject.opening, self._history, self._last)
        ends = self._night.day_at(openings[0].values["site"]).ends if openings else 0
        openings = [event for event in openings if event.occurred_at < ends]
        duty = duty_from(subject.rule, openings, self._judge, self._history, ends - 1, asked)
        return _Found(subject, openings[-1].id if openings else "", duty, asked)
