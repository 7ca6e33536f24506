"""Standing rules: what must hold every night for each subject (policy-language.md, "Standing"; engine.md, "Findings").

A subject is defined by events of one kind; the night sees all that had occurred. A standing failure is one finding from the first
night it fails until it passes: a night ends with its local day, so the rule is looked at in the last instant of each day of the subject's site.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final, NamedTuple, TypeAlias

from compliance.domain.event import Event
from compliance.domain.findings import Outcome, Severity
from compliance.domain.lookup import EVERY
from compliance.domain.time import end_of_local_day, local_date
from compliance.domain.values import UNKNOWN
from compliance.domain.vocabulary import KINDS
from compliance.engine.binding import subject, subject_fields
from compliance.engine.duties import finding_id
from compliance.engine.history import History, SearchKey
from compliance.engine.judging import Judge
from compliance.engine.overrides import FAULT
from compliance.engine.plan import ValueOf
from compliance.engine.sight import Sight, search_values
from compliance.errors import EngineFault
from compliance.policy.model import Rule

NIGHT: Final = "night"
"""Stands for the kind of the event that a night judges: there is none, so no look-up takes the subject for the judged event."""
_LAST: Final = 2**62

FAILING: Final = (Outcome.FAIL, Outcome.INDETERMINATE)
"""What does not pass."""

TOGETHER: Final = 256
"""Subjects whose look-ups are made together."""

Key: TypeAlias = tuple[Any, ...]
Order: TypeAlias = tuple[int, int, int]
Begun: TypeAlias = Callable[[Rule, Key], int | None]


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
        return self.outcome in FAILING


class NightSight(Sight):
    """What a night sees: all that had occurred by then, the subject's own event too."""

    def _before(self, events: Iterator[Event], later: bool) -> Iterator[Event]:  # noqa: ARG002
        return events


def standing(
    judge: Judge, history: History, as_of: int, *, told: bool = True, begun: Begun | None = None
) -> Iterator[Standing]:
    """Every subject of every standing rule as of an instant (microseconds), in the order of the rules' ids."""
    for rule in judge.bundle.standing():
        yield from standing_of(rule, judge, history, as_of, told=told, begun=begun)


def standing_of(
    rule: Rule,
    judge: Judge,
    history: History,
    as_of: int,
    *,
    told: bool = True,
    sites: Container[str] | None = None,
    begun: Begun | None = None,
    passed: int | None = None,
    only_failing: bool = False,
) -> list[Standing]:
    """One rule's subjects, in the order in which they became known; with `sites`, only those whose event is at one of them, and
    with `only_failing` those that are findings, so that no more is held than is found.

    Why and since when is found out where it is to be `told`; else the row of nights is taken to begin now. `begun` knows the first night of rows
    of nights that were told before, and had not ended; `passed` is a night (an ordinal date) on which all others were looked at, and passed.
    """
    assert rule.each is not None
    tell = FAILING if only_failing else tuple(Outcome)
    first: dict[Key, Order] = {}
    found: list[Standing] = []
    events = history.newest_first(rule.each.kind, EVERY, "", as_of, None)
    for some in _together(_chosen_subjects(rule, judge, history, events, as_of, first)):
        history.ahead({key for one in some for key in _keys_ahead(rule, judge, history, one.event, as_of)})
        for one in some:
            if sites is not None and one.event.values["site"] not in sites:
                continue
            standing = _looked_at(rule, judge, history, one, as_of, tell if told else ())
            if told and standing.failing:
                known = None if begun is None else begun(rule, one.key)
                standing = _dated(standing, judge, history, as_of, known, passed)
            if standing.failing or not only_failing:
                found.append(standing)
    return sorted(found, key=lambda one: first.get(one.key, one.subject.order))


class _Subject(NamedTuple):
    """A subject, with the event that defines it at an instant; `certain` is false where the data does not say whether it is one."""

    key: Key
    event: Event
    certain: bool


def _chosen_subjects(
    rule: Rule,
    judge: Judge,
    history: History,
    events: Iterable[Event],
    as_of: int,
    first: dict[Key, Order],
) -> Iterator[_Subject]:
    """The subjects that events define, newest first, up to an instant; `first` takes where in history's order each was first told of."""
    assert rule.each is not None
    settled: set[Key] = set()
    seen: set[tuple[Any, ...]] = set()
    where = judge.planner.compiled(rule.each.where, judge.planner.plan(rule))
    keyed, single = bool(KINDS[rule.each.kind].key), not rule.each.by and not KINDS[rule.each.kind].key
    for event in events:
        key = subject_key(rule, event)
        if not single:
            first[key] = event.order
            if key in settled or (keyed and (key, subject(event)) in seen):
                continue
            seen.add((key, subject(event)))
        chosen = where is None or _chosen(where, judge, rule, *_night(history, event, as_of))
        if chosen is False:
            if not rule.each.by and not single:
                settled.add(key)  # of what defines it only the newest counts
            continue
        if not single:
            settled.add(key)
        yield _Subject(key, event, chosen is not UNKNOWN)


def _together(subjects: Iterator[_Subject]) -> Iterator[tuple[_Subject, ...]]:
    """So many at a time that their look-ups can be made together."""
    while some := tuple(islice(subjects, TOGETHER)):
        yield some


def _keys_ahead(rule: Rule, judge: Judge, history: History, event: Event, as_of: int) -> Iterator[SearchKey]:
    """The look-up keys that the rule will ask for a subject, as far as that can be said before anything is looked up."""
    sight, night = _night(history, event, as_of)
    yield "site_profile", "site", event.values["site"]  # its zone
    yield from judge.keys_ahead(judge.planner.plan(rule), night, sight)


def subject_key(rule: Rule, event: Event) -> Key:
    """Which subject of a standing rule an event defines."""
    assert rule.each is not None
    if rule.each.by:
        return tuple(event.values.get(field) for field in rule.each.by)
    return subject(event) if KINDS[event.kind].key else (event.id,)


def _looked_at(
    rule: Rule, judge: Judge, history: History, one: _Subject, as_of: int, told: Container[Outcome]
) -> Standing:
    """The rule on one subject at an instant; why, where the outcome is one of those that are to be `told`."""
    sight, night = _night(history, one.event, as_of)
    try:
        outcome, because = judge.judge_alone(rule, night, sight, told=told)
    except EngineFault as fault:
        outcome, because = Outcome.INDETERMINATE, {FAULT: fault.message}
    return Standing(rule, one.event, one.key, _unless_unknown(one, outcome), because, None, as_of)


def _unless_unknown(one: _Subject, outcome: Outcome) -> Outcome:
    """What is certain of the rule is not certain of a subject that may be none."""
    return outcome if one.certain or outcome is Outcome.NOT_APPLICABLE else Outcome.INDETERMINATE


def _night(history: History, event: Event, as_of: int) -> tuple[Sight, Event]:
    """The subject as the night sees it: what its event says, at the night's instant."""
    values = {**event.values, "noted_at": as_of}
    night = Event(event.id, NIGHT, event.body, values, as_of, event.recorded_at, _LAST)
    return NightSight(history, night), night


def _chosen(where: ValueOf, judge: Judge, rule: Rule, sight: Sight, night: Event) -> Any:
    scope = judge.scope_alone(rule, night, sight)
    return False if scope is None else where({**scope, "it": night.values})


def _dated(
    standing: Standing, judge: Judge, history: History, as_of: int, known: int | None, passed: int | None
) -> Standing:
    """With the first night of the row of nights that did not pass up to now, and the midnight that begins that day: the same whenever it is asked."""
    zone = zone_at(judge, history, standing.subject, as_of)
    if known is not None:
        return replace(standing, since=known, at=end_of_local_day(known - 1, zone))
    rule, first = standing.rule, local_date(as_of, zone)
    events = [] if first - 1 == passed else list(_events_of(rule, standing, history, as_of))
    while True:
        begins = end_of_local_day(first - 1, zone)
        before = begins - 1
        if first - 1 == passed or before < events[-1].occurred_at:
            return replace(standing, since=first, at=begins)
        then = [event for event in events if event.occurred_at <= before]
        found = next(_chosen_subjects(rule, judge, history, then, before, {}), None)
        if found is None or not _failed(rule, judge, history, found, before):
            return replace(standing, since=first, at=begins)
        first -= 1


def _failed(rule: Rule, judge: Judge, history: History, one: _Subject, as_of: int) -> bool:
    sight, night = _night(history, one.event, as_of)
    return _unless_unknown(one, judge.outcome_alone(rule, night, sight)) in FAILING


def _events_of(rule: Rule, standing: Standing, history: History, as_of: int) -> Iterator[Event]:
    """The events that define a subject, newest first."""
    assert rule.each is not None
    kind = rule.each.kind
    if not rule.each.by and not KINDS[kind].key:
        yield standing.subject
        return
    fields = rule.each.by or subject_fields(kind)
    keys = {field: standing.subject.values.get(field) for field in fields}
    for event in history.newest_first(kind, *search_values(kind, keys), as_of, None):
        if subject_key(rule, event) == standing.key:
            yield event


def zone_at(judge: Judge, history: History, event: Event, as_of: int) -> str:
    """The zone by which an instant has its date at the site of an event, UTC where the site's is not known."""
    sight, night = _night(history, event, as_of)
    zone = judge.zone(night, sight)
    return zone if isinstance(zone, str) else "UTC"
