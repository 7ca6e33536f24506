"""Standing rules: what must hold every night for each subject (policy-language.md, "Standing"; engine.md, "Findings").

A subject is defined by events of one kind; the night sees all that had occurred. A standing failure is one finding from the first
night it fails until it passes: a night ends with its local day, so the rule is looked at in the last instant of each day of the subject's site.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from compliance.domain.event import Event
from compliance.domain.findings import Outcome, Severity
from compliance.domain.lookup import EVERY
from compliance.domain.time import end_of_local_day, local_date
from compliance.domain.values import UNKNOWN
from compliance.domain.vocabulary import KINDS
from compliance.engine.binding import subject
from compliance.engine.duties import finding_id
from compliance.engine.history import History
from compliance.engine.judging import Judge
from compliance.engine.overrides import FAULT
from compliance.engine.plan import ValueOf
from compliance.engine.sight import Sight
from compliance.errors import EngineFault
from compliance.policy.model import Rule

NIGHT: Final = "night"
"""Stands for the kind of the event that a night judges: there is none, so no look-up takes the subject for the judged event."""
_LAST: Final = 2**62

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """One subject of a standing rule as of an instant: `subject` is the event that gives its state, `since` the first night
    (an ordinal, a date at its site) of an unbroken row that does not pass, None where it passes."""

    rule: Rule
    subject: Event
    key: Key
    outcome: Outcome
    because: Mapping[str, str]
    since: int | None
    at: int

    @property
    def id(self) -> str:
        """The same from the first night it fails until it passes: digest of rule, subject and first night."""
        return finding_id(self.rule.id, "\x1f".join(map(str, self.key)), f"night:{self.since}")

    @property
    def severity(self) -> Severity:
        """The rule's severity; what the evaluators cannot agree on denies."""
        return Severity.DENY if FAULT in self.because else self.rule.severity

    @property
    def failing(self) -> bool:
        """Whether it is a finding."""
        return self.outcome in (Outcome.FAIL, Outcome.INDETERMINATE)


class NightSight(Sight):
    """What a night sees: all that had occurred by then, the subject's own event too."""

    def _before(self, events: Iterator[Event], later: bool) -> Iterator[Event]:  # noqa: ARG002
        return events


def standing(judge: Judge, history: History, as_of: int, *, told: bool = True) -> Iterator[Standing]:
    """Every subject of every standing rule as of an instant (microseconds), in the order of the rules' ids."""
    for rule in judge.bundle.standing():
        yield from standing_of(rule, judge, history, as_of, told=told)


def standing_of(
    rule: Rule, judge: Judge, history: History, as_of: int, *, told: bool = True
) -> Iterator[Standing]:
    """One rule's subjects, in the order in which they became known. Why and since when is found out where it is to be `told`; else the
    row of nights is taken to begin now."""
    for key, events in sorted(_subjects(rule, history, as_of).items(), key=lambda item: item[1][-1].order):
        found = _looked_at(rule, judge, history, events, as_of, told=told)
        if found is None:
            continue
        event, outcome, because = found
        since, at = None, as_of
        if told and outcome in (Outcome.FAIL, Outcome.INDETERMINATE):
            since, at = _since(rule, judge, history, events, as_of)
        yield Standing(rule, event, key, outcome, because, since, at)


def _subjects(rule: Rule, history: History, as_of: int) -> dict[Key, list[Event]]:
    """The events that define each subject, newest first."""
    assert rule.each is not None
    found: dict[Key, list[Event]] = {}
    for event in history.newest_first(rule.each.kind, EVERY, "", as_of, None):
        found.setdefault(subject_key(rule, event), []).append(event)
    return found


def subject_key(rule: Rule, event: Event) -> Key:
    """Which subject of a standing rule an event defines."""
    assert rule.each is not None
    if rule.each.by:
        return tuple(event.values.get(field) for field in rule.each.by)
    return subject(event) if KINDS[event.kind].key else (event.id,)


def _looked_at(
    rule: Rule, judge: Judge, history: History, events: list[Event], as_of: int, *, told: bool = True
) -> tuple[Event, Outcome, Mapping[str, str]] | None:
    """The rule on one subject at an instant, None where there is no such subject then; why, where that is to be `told`."""
    assert rule.each is not None
    plan = judge.planner.plan(rule)
    where = judge.planner.compiled(rule.each.where, plan)
    keyed, seen = bool(KINDS[rule.each.kind].key), set()
    for event in events:
        if event.occurred_at > as_of or (keyed and subject(event) in seen):
            continue
        seen.add(subject(event))
        sight, night = _night(history, event, as_of)
        chosen = where is None or _chosen(where, judge, rule, night, sight)
        if chosen is False:
            if rule.each.by:
                continue  # another event may still define the subject
            return None
        try:
            outcome, because = judge.judge_alone(rule, night, sight, told=told)
        except EngineFault as fault:
            return event, Outcome.INDETERMINATE, {FAULT: fault.message}
        if chosen is UNKNOWN and outcome is not Outcome.NOT_APPLICABLE:
            outcome = Outcome.INDETERMINATE
        return event, outcome, because
    return None


def _night(history: History, event: Event, as_of: int) -> tuple[Sight, Event]:
    """The subject as the night sees it: what its event says, at the night's instant."""
    values = {**event.values, "noted_at": as_of}
    night = Event(event.id, NIGHT, event.body, values, as_of, event.recorded_at, _LAST)
    return NightSight(history, night), night


def _chosen(where: ValueOf, judge: Judge, rule: Rule, night: Event, sight: Sight) -> Any:
    scope = judge.scope_alone(rule, night, sight)
    return False if scope is None else where({**scope, "it": night.values})


def _since(rule: Rule, judge: Judge, history: History, events: list[Event], as_of: int) -> tuple[int, int]:
    """The first night of the row of nights that did not pass up to now, and the midnight that begins that day: the same whenever it is asked."""
    zone = zone_at(judge, history, events[0], as_of)
    first = local_date(as_of, zone)
    while True:
        begins = end_of_local_day(first - 1, zone)
        before = begins - 1
        if before < events[-1].occurred_at:
            return first, begins
        found = _looked_at(rule, judge, history, events, before, told=False)
        if found is None or found[1] not in (Outcome.FAIL, Outcome.INDETERMINATE):
            return first, begins
        first -= 1


def zone_at(judge: Judge, history: History, event: Event, as_of: int) -> str:
    """The zone by which an instant has its date at the site of an event, UTC where the site's is not known."""
    sight, night = _night(history, event, as_of)
    zone = judge.zone(night, sight)
    return zone if isinstance(zone, str) else "UTC"
