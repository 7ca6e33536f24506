"""Judging what is in a log again under other policies, a part at a time: what differs from how it stands.

A rule that means the same in the new policies and in all that the log holds keeps its outcome: how an event stands is what that rule says of it now,
whoever judged it last. The other rules are judged, by the reference evaluator alone, on the event and the history as they stand at a size of the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

import orjson

from compliance.bundles import Bundles
from compliance.continuation import decision_at
from compliance.domain.corrections import standing
from compliance.domain.event import Event
from compliance.domain.findings import Decision, Finding, decision_of
from compliance.domain.making import event_from_log
from compliance.domain.time import local_date
from compliance.engine.duties import Duty, duties_of
from compliance.engine.judging import Judge, verdict
from compliance.engine.nights import standing_of
from compliance.engine.sight import Sight
from compliance.ledger.entry import Entry
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.policy.bundle import bundle_from_documents
from compliance.policy.model import Rule

Form: TypeAlias = Literal["event", "duty", "night"]
Subjects: TypeAlias = "dict[Any, tuple[Event, Stand]]"
"""Duties by their ids, or subjects of a standing rule by their keys: the event that each is about, and how it stands."""

EVERY_KIND: Final = "any"


@dataclass(frozen=True, slots=True)
class Stand:
    """What a rule says: `outcome` and `severity` of its finding, None where it has nothing to say against it; of a deadline also the duty's `state` and when
    it is due (microseconds)."""

    outcome: str | None
    severity: str | None
    state: str | None = None
    due_at: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What a rule says under the policies that judged, and under the new ones; None where it says nothing."""

    rule: str
    old: Stand | None
    new: Stand | None

    @property
    def direction(self) -> Literal["objects", "lets_go", "otherwise"]:
        """Whether it objects now and did not, did and does not, or objects otherwise than before (or wants something else, of a duty)."""
        before, after = (stand is not None and stand.outcome is not None for stand in (self.old, self.new))
        return "otherwise" if before == after else "objects" if after else "lets_go"


@dataclass(frozen=True, slots=True)
class Difference:
    """An event that would be decided otherwise, or a duty or standing rule that would stand otherwise: `event` is then the one that opened the duty, or that
    defines the rule's subject. `week` is the ISO week of its occurrence at its site; of a standing rule, that of the night."""

    form: Form
    entry: int
    event: str
    kind: str
    site: str
    week: str
    occurred_at: str
    verdicts: tuple[str, str] | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which events and subjects are asked about: of a site, that occurred from an instant on, or up to one (microseconds)."""

    site: str | None = None
    since: int | None = None
    until: int | None = None

    def in_time(self, occurred_us: int) -> bool:
        """Whether an instant is asked about."""
        return (self.since is None or self.since <= occurred_us) and (
            self.until is None or occurred_us <= self.until
        )

    def takes(self, event: Event) -> bool:
        """Whether an event, as it stands, is asked about."""
        return (self.site is None or event.values["site"] == self.site) and self.in_time(event.occurred_at)


@dataclass(frozen=True, slots=True)
class Orders:
    """What all parts share: the log up to a `size`, the new policies as JSON, the digest of those in force, what is asked; the rules that are `judged` again,
    the kinds of events on which they may be (`EVERY_KIND` for all), the bundles whose other rules mean the same, and the instant of duties and nights."""

    url: str
    size: int
    documents: bytes
    active: str
    judged: frozenset[str]
    kinds: frozenset[str]
    same: frozenset[str]
    asked: Asked
    as_of: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """The events of the entries from `start` up to `stop`."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class OfRule:
    """The duties, or the nights, of one rule as of the instant."""

    form: Form
    rule: str


Part: TypeAlias = Stretch | OfRule


@dataclass(frozen=True, slots=True)
class Found:
    """What differs in a part, in its order, and how many events, duties or subjects were judged."""

    judged: int
    differences: tuple[Difference, ...]


class Worker:
    """Answers parts over a connection of its own, with a reader's rights."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._log = Log.open(orders.url)
        self._history = LogHistory(self._log, before=orders.size)
        self._old = Bundles(self._log, written=False)

    @cached_property
    def _documents(self) -> Mapping[str, Any]:
        documents: Mapping[str, Any] = orjson.loads(self._orders.documents)
        return documents

    @cached_property
    def _whole(self) -> Judge:
        """All rules of the new policies."""
        return Judge(bundle_from_documents(self._documents), written=False)

    @cached_property
    def _partial(self) -> Judge:
        """The rules that are judged again."""
        rules = {name: rule for name, rule in self._documents["rules"].items() if name in self._orders.judged}
        return Judge(bundle_from_documents({**self._documents, "rules": rules}), written=False)

    def answer(self, part: Part) -> Found | None:
        """What differs; None where something went wrong: whoever asked then does it and says what."""
        try:
            return self.found(part)
        except Exception:  # noqa: BLE001 - see above
            return None

    def found(self, part: Part) -> Found:
        """What differs; raises what reading the log raises."""
        with self._log.rehearsing():
            if isinstance(part, Stretch):
                judged = list(self._events(part))
                return Found(len(judged), tuple(one for one in judged if one is not None))
            return self._duties(part.rule) if part.form == "duty" else self._nights(part.rule)

    def close(self) -> None:
        """Close the connection."""
        self._log.close()

    # ---- events

    def _events(self, part: Stretch) -> Iterator[Difference | None]:
        kinds, asked = self._orders.kinds, self._orders.asked
        every = EVERY_KIND in kinds
        for entry in self._log.entries(part.start, part.stop):
            if entry.type != "event" or not (every or entry.kind in kinds):
                continue
            if not asked.in_time(entry.occurred_us or 0) and not self._log.naming(entry.event_id or ""):
                continue
            document = entry.document()
            event = event_from_log(document["event"], entry.recorded_us, entry.idx, document.get("signing"))
            stands = standing(event, self._history.amendments)
            self._history.take(event, stands)
            if stands is not None and asked.takes(stands):
                yield self._compared(stands, self._stood(entry, document["decision"]))

    def _stood(self, entry: Entry, first: Mapping[str, Any]) -> Decision:
        """How an event was last judged."""
        later = self._log.last_judgement(entry.event_id or "")
        if later is not None and later >= self._orders.size:  # recorded since we began
            again = [idx for idx in self._log.naming(entry.event_id or "") if idx < self._orders.size]
            later = next((idx for idx in reversed(again) if self._log.entry(idx).type == "rejudgement"), None)
        if later is None and not first.get("continued"):
            return decision_of(first)
        return decision_at(self._log, entry.idx if later is None else later)

    def _compared(self, event: Event, stood: Decision) -> Difference | None:
        same = stood.bundle in self._orders.same
        kept = [one for one in stood.findings if one.rule not in self._orders.judged] if same else []
        judge = self._partial if same else self._whole
        findings = (*kept, *judge.findings(event, self._history))
        now = verdict(event, findings)
        changes = _changes(stood.findings, findings)
        if not changes and now is stood.verdict:
            return None
        week = self._week(event, event.occurred_at)
        return _difference("event", event, week, (str(stood.verdict), str(now)), changes)

    def _week(self, event: Event, instant: int) -> str:
        zone = self._partial.zone(event, Sight(self._history, event))
        day = local_date(instant, zone if isinstance(zone, str) else "UTC")
        year, week, _ = date.fromordinal(day).isocalendar()
        return f"{year}-W{week:02}"

    # ---- duties and nights

    def _duties(self, rule_id: str) -> Found:
        def stood(judge: Judge) -> Subjects:
            rule = _rule(judge, rule_id)
            if rule is None or rule.expect is None:
                return {}
            found = duties_of(rule, judge, self._history, self._orders.as_of)
            return {duty.id: (duty.opened_by, _duty_stand(duty)) for duty in found}

        return self._both("duty", rule_id, stood)

    def _nights(self, rule_id: str) -> Found:
        def stood(judge: Judge) -> Subjects:
            rule = _rule(judge, rule_id)
            if rule is None or rule.each is None:
                return {}
            found = standing_of(rule, judge, self._history, self._orders.as_of, told=False)
            failing = ((one, Stand(str(one.outcome), str(one.severity))) for one in found if one.failing)
            return {one.key: (one.subject, stand) for one, stand in failing}

        return self._both("night", rule_id, stood)

    def _both(self, form: Form, rule_id: str, stood: Callable[[Judge], Subjects]) -> Found:
        """One rule under the policies in force and under the new ones."""
        old, new = stood(self._old.judge(self._orders.active)), stood(self._partial)
        return Found(len(old.keys() | new.keys()), tuple(self._differing(form, rule_id, old, new)))

    def _differing(self, form: Form, rule_id: str, old: Subjects, new: Subjects) -> Iterator[Difference]:
        asked, as_of = self._orders.asked, self._orders.as_of
        nobody = (None, None)
        for key in sorted(old.keys() | new.keys(), key=repr):
            (before, was), (after, becomes) = old.get(key, nobody), new.get(key, nobody)
            event = after or before
            if was == becomes or event is None:
                continue
            if form == "night":
                if asked.site is None or event.values["site"] == asked.site:
                    yield _difference(
                        form, event, self._week(event, as_of), None, (Change(rule_id, was, becomes),)
                    )
            elif asked.takes(event):
                week = self._week(event, event.occurred_at)
                yield _difference(form, event, week, None, (Change(rule_id, was, becomes),))


def _rule(judge: Judge, rule_id: str) -> Rule | None:
    try:
        return judge.bundle.rule(rule_id)
    except KeyError:
        return None


def _duty_stand(duty: Duty) -> Stand:
    outcome = None if duty.outcome is None else str(duty.outcome)
    return Stand(outcome, str(duty.severity), str(duty.state), duty.due_at)


def _changes(old: Iterable[Finding], new: Iterable[Finding]) -> tuple[Change, ...]:
    """What differs rule by rule, in the order of the rules' ids."""
    before, after = _by_rule(old), _by_rule(new)
    return tuple(
        Change(rule, before.get(rule), after.get(rule))
        for rule in sorted(before.keys() | after.keys())
        if before.get(rule) != after.get(rule)
    )


def _by_rule(findings: Iterable[Finding]) -> dict[str, Stand]:
    return {rule: Stand(outcome, severity) for rule, outcome, severity in (one.stands() for one in findings)}


def _difference(
    form: Form, event: Event, week: str, verdicts: tuple[str, str] | None, changes: tuple[Change, ...]
) -> Difference:
    body = event.body
    return Difference(
        form, event.position, event.id, event.kind, body["site"], week, body["occurred_at"], verdicts, changes
    )
