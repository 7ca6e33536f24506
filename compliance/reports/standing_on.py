"""What stands at the end of a night: findings of events, duties, and what the standing rules find; which of it is new.

New is a finding of an event that occurred on the day, or that the log took since the report before; a duty whose time ran out on the day, or of
which that was not told yet; a standing failure that began.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from compliance.continuation import decision_at
from compliance.domain.event import Event
from compliance.domain.findings import Decision
from compliance.domain.lookup import EVERY, key_of
from compliance.domain.time import format_date, local_date
from compliance.domain.vocabulary import KINDS
from compliance.engine.duties import Duty, DutyState, finding_id
from compliance.engine.nights import Standing, standing_of
from compliance.night_entries import Episode, begun_of, episodes, key_text, told_missed
from compliance.policy.model import Rule
from compliance.reports.agenda import Agenda, Progress, Seal
from compliance.reports.night import Night
from compliance.standing import Explained, explained, resolved

TOGETHER = 256
"""Entries that are read together."""


@dataclass(frozen=True, slots=True)
class OnEvent:
    """A finding of an event as it was last judged: `entry` is the event's, `resolved` whether a person has closed the finding since."""

    id: str
    event: Event
    entry: int
    told: Explained
    overridden: bool
    resolved: bool


@dataclass(frozen=True, slots=True)
class OldFindings:
    """Findings of one rule that stand from before: how many, and on which day the oldest and the newest event occurred."""

    rule: Rule
    count: int
    oldest: str
    newest: str


class Stands:
    """What stands at the end of a night, at all sites; the sections show what concerns theirs."""

    def __init__(
        self, night: Night, whole: Night, progress: Progress = lambda *_: None, seal: Seal = bytes
    ) -> None:
        """`night` is of the sites that are reported, `whole` of all that the log knows; `seal` is the agenda's (see `Agenda`)."""
        self._seal = seal
        self.night = night
        self.whole = whole
        self._progress = progress

    def look(self) -> None:
        """Find out what has to be found out before anything is shown; brings the agenda forward, in transactions of its own."""
        _ = self._duties
        with self.night.log.reading():
            _ = self.failing

    # ---- findings of events

    def decision(self, idx: int, event_id: str) -> tuple[Decision, int]:
        """How an event was last judged by the time of the report, and in which entry."""
        log = self.night.log
        later = [
            one
            for one in log.naming(event_id)
            if one < self.night.size and log.entry(one).type == "rejudgement"
        ]
        judged = later[-1] if later else idx
        return decision_at(log, judged), judged

    def on_events(self) -> list[OnEvent]:
        """New findings of events, in the order in which they occurred."""
        found = [one for event in self._news() for one in self._of_event(event)]
        return sorted(found, key=lambda one: (one.event.occurred_at, one.entry, one.told.rule.id))

    def _news(self) -> Iterator[Event]:
        night, seen = self.night, set[int]()
        for event in self._new_events():
            if event.position in seen or not night.covers(event.values["site"]):
                continue
            seen.add(event.position)
            if event.occurred_at < night.of(event.values["site"]).ends:
                yield event

    def _new_events(self) -> Iterator[Event]:
        night = self.night
        for kind in KINDS:
            rows = night.log.key_scan(key_of(kind, EVERY, ""), night.ends - 1, night.begins)
            # Proposals, too, which the history's look-ups leave out.
            for event in night.history.at([idx for _, idx in rows if idx < night.size]):
                if event.occurred_at >= night.day_at(event.values["site"]).begins:
                    yield event
        for entry in night.log.entries(night.new_from, night.size):
            target = entry.event_id or (entry.target if entry.type == "rejudgement" else None)
            known = None if target is None else night.history.stands(target)
            if known is not None:
                yield known

    def _of_event(self, event: Event) -> Iterator[OnEvent]:
        decision, judged = self.decision(event.position, event.id)
        bundle = None
        for finding in decision.findings:
            bundle = bundle or self.night.bundles.bundle(decision.bundle)
            name = finding_id(finding.rule, event.id, "event")
            yield OnEvent(
                name, event, event.position, explained(finding, bundle), finding.overridden_by is not None, self._closed(name, judged),
            )  # fmt: skip

    def _closed(self, finding: str, judged: int) -> bool:
        """Whether a person resolved a finding that was last judged in an entry; one that was found anew since then is open again."""
        return self.resolved.get(finding, -1) > judged

    def from_before(self, new: frozenset[str]) -> list[OldFindings]:
        """Findings of events that still stand, beside the new ones, by rule: neither overridden nor resolved."""
        night = self.night
        days: dict[str, Counter[str]] = defaultdict(Counter)
        rules: dict[str, Rule] = {}
        every = [idx for idx in night.log.with_findings() if idx < night.size]
        for start in range(0, len(every), TOGETHER):
            for event in night.history.at(every[start : start + TOGETHER]):
                site = event.values["site"]
                if not night.covers(site) or event.occurred_at >= night.of(site).ends:
                    continue
                decision, judged = self.decision(event.position, event.id)
                for finding in decision.findings:
                    name = finding_id(finding.rule, event.id, "event")
                    if name not in new and not self._closed(name, judged) and not finding.overridden_by:
                        day = format_date(local_date(event.occurred_at, night.of(site).zone))
                        days[finding.rule][day] += 1
                        rules.setdefault(
                            finding.rule, night.bundles.bundle(decision.bundle).rule(finding.rule)
                        )
        return [
            OldFindings(rules[rule], sum(found.values()), min(found), max(found))
            for rule, found in sorted(days.items())
        ]

    @cached_property
    def resolved(self) -> Mapping[str, int]:
        """The findings that a person resolved, and did not reopen, each with the entry of that."""
        return resolved(self.night.history, self.whole.ends - 1)

    # ---- duties

    @cached_property
    def _duties(self) -> list[Duty]:
        found = Agenda(self.whole, self._progress, self._seal).duties()
        return sorted(
            found,
            key=lambda duty: (duty.due_at is None, duty.due_at or 0, duty.rule.id, duty.opened_by.order),
        )

    def duties(self, *states: DutyState) -> list[Duty]:
        """Duties of the reported sites in some states, the earliest due first."""
        return [duty for duty in self._duties if duty.state in states and self._ours(duty.opened_by)]

    def _ours(self, event: Event) -> bool:
        return self.night.covers(event.values["site"])

    @cached_property
    def untold(self) -> list[Duty]:
        """Duties of all sites that were missed, of which the log does not tell yet."""
        missed = [duty for duty in self._duties if duty.state is DutyState.MISSED]
        return [duty for duty in missed if told_missed(self.night.log, duty.id, self.night.size) is None]

    # ---- standing rules

    @cached_property
    def _episodes(self) -> Mapping[tuple[str, str], Episode]:
        """Failures that had begun and not ended, by rule and subject."""
        told = episodes(self.night.log, self.night.size)
        return {(one.rule, one.key): one for one in told.values() if one.ended is None}

    @cached_property
    def failing(self) -> list[Standing]:
        """What the standing rules find at all sites, by rule, in the order in which the subjects became known."""
        ends: dict[int, set[str]] = defaultdict(set)
        for day in self.whole.sites:
            ends[day.ends].add(day.site)
        found: list[Standing] = []
        rules = tuple(self.night.judge.bundle.standing())
        for number, rule in enumerate(rules):
            self._progress(number, len(rules))
            for end, sites in sorted(ends.items()):
                found += standing_of(
                    rule, self.night.judge, self.night.history, end - 1, sites=sites, begun=begun_of(self._episodes.values()), passed=self.night.last, only_failing=True,
                )  # fmt: skip
        return found

    def failures(self) -> list[Standing]:
        """Those of the reported sites."""
        return [one for one in self.failing if self._ours(one.subject)]

    @cached_property
    def begun(self) -> list[Standing]:
        """Failures at all sites that were not told yet."""
        return [one for one in self.failing if (one.rule.id, key_text(one.key)) not in self._episodes]

    @cached_property
    def ended(self) -> list[Episode]:
        """Failures that were told, and are none any more."""
        now = {(one.rule.id, key_text(one.key)) for one in self.failing}
        return [told for name, told in self._episodes.items() if name not in now]
