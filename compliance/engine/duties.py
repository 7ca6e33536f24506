"""Duties: what a deadline rule opens, and what becomes of it (policy-language.md, "Three forms of rule").

A duty is derived from the events alone, as of an instant: nothing is stored that could disagree with them. Where the opening kind
has a key, the duty follows the present state of its subject, and is cancelled when the rule no longer applies to that state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from heapq import merge
from typing import Any, Final

from compliance.domain.event import Event
from compliance.domain.findings import Outcome, Severity
from compliance.domain.lookup import EVERY
from compliance.domain.values import UNKNOWN
from compliance.domain.vocabulary import KINDS
from compliance.engine.binding import search_key, shares, subject, subject_fields
from compliance.engine.exact import exact
from compliance.engine.explained import undecided
from compliance.engine.history import History, SearchKey
from compliance.engine.judging import Judge
from compliance.engine.plan import RulePlan, renamed
from compliance.engine.sight import FOREVER, Looked, Sight, by_order, search_values
from compliance.engine.wording import MISSING, because
from compliance.policy.expression.tree import Conditional, Func, Node
from compliance.policy.model import Closing, Expect, Expression, Rule


class DutyState(StrEnum):
    """What became of a duty. A miss is a finding from the instant it was due; *met_late* keeps it."""

    OPEN = "open"
    MET = "met"
    MET_LATE = "met_late"
    MISSED = "missed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Duty:
    """One duty as of an instant. `due_at` in microseconds, None where the data does not say; `closed_by` the event that met it;
    `certain` false where the data does not say whether the rule applies at all."""

    rule: Rule
    opened_by: Event
    state: DutyState
    due_at: int | None
    closed_by: str | None
    because: dict[str, str]
    certain: bool = True

    @property
    def id(self) -> str:
        """Digest of rule, subject and start: the same duty has the same id whenever it is asked for."""
        return finding_id(self.rule.id, self.opened_by.id, "duty")

    @property
    def outcome(self) -> Outcome | None:
        """The finding that the duty amounts to, if any; what was done in time is none, whether it had to be done or not."""
        if not self.certain:
            return None if self.state is DutyState.MET else Outcome.INDETERMINATE
        if self.state in (DutyState.MISSED, DutyState.MET_LATE):
            return Outcome.FAIL
        if self.due_at is None and self.state is DutyState.OPEN:
            return Outcome.INDETERMINATE
        return None

    @property
    def severity(self) -> Severity:
        """The rule's severity."""
        return self.rule.severity


@dataclass(frozen=True, slots=True)
class _Part:
    """How one closing, or several together, stand: state, the instant due, and what closed it."""

    state: DutyState
    due_at: int | None
    closed_by: str | None


def finding_id(rule_id: str, about: str, start: str) -> str:
    """A finding's id: digest of rule, subject (event or key) and start of the episode (engine.md, "Findings")."""
    return sha256(f"{rule_id}\x1f{about}\x1f{start}".encode()).hexdigest()[:16]


def duties(judge: Judge, history: History, as_of: int) -> Iterator[Duty]:
    """Every duty that the history's events open, as it stands at `as_of` (microseconds)."""
    for rule in judge.planner.duty_rules:
        yield from duties_of(rule, judge, history, as_of)


def duties_of(rule: Rule, judge: Judge, history: History, as_of: int) -> Iterator[Duty]:
    """The duties of one rule: one for each subject (`per:`, the kind's key, or the opening event itself)."""
    for openings in _subjects(rule, _opening_events(rule, history, as_of)):
        duty = duty_from(rule, openings, judge, history, as_of)
        if duty is not None:
            yield duty


def duty_from(
    rule: Rule, openings: list[Event], judge: Judge, history: History, as_of: int, asked: Looked | None = None
) -> Duty | None:
    """The duty that the events of one subject open, oldest first; None where the rule does not apply to any of them.

    In `asked` is noted which look-up keys were looked at and up to when: whatever later stands under none of them changes nothing of the answer.
    """
    plan = judge.planner.plan(rule)
    looked = {} if asked is None else asked
    applied = [(event, _applies(plan, event, judge, history, looked)) for event in openings]
    first = next(((event, scope) for event, scope in applied if scope is not None), None)
    if first is None:
        return None
    start = first[0]
    state, scope = applied[-1] if _keyed(rule, start) else first
    if scope is None:
        return Duty(rule, start, DutyState.CANCELLED, None, state.id, {})
    return _judged(plan, start, scope, judge, Sight(history, state, looked), as_of)


def opening_kinds(rule: Rule) -> tuple[str, ...]:
    """The kinds of events that may open a duty of a rule."""
    return tuple(KINDS) if "any" in rule.on else rule.on


def _opening_events(rule: Rule, history: History, as_of: int) -> Iterator[Event]:
    """Events that may open a duty, oldest first."""
    streams = [history.newest_first(kind, EVERY, "", as_of, None) for kind in opening_kinds(rule)]
    return reversed(list(merge(*streams, key=by_order, reverse=True)))


def keys_ahead(rule: Rule, judge: Judge, history: History, about: Event) -> Iterator[SearchKey]:
    """The look-up keys that finding out about the duty of one subject will ask, as far as that can be said before."""
    kinds, keys = _search_of_openings(rule, about)
    yield from ((kind, *search_values(kind, keys)) for kind in kinds if keys)
    yield from judge.keys_ahead(judge.planner.plan(rule), about, Sight(history, about))


def openings_of(rule: Rule, about: Event, history: History, until: int) -> list[Event]:
    """The events that open the duty that is kept for the same subject as `about` would open it for, oldest first."""
    mine = duty_subject(rule, about)
    if mine == about.id:
        stands = history.stands(about.id)
        return [stands] if stands is not None and not stands.proposed and stands.occurred_at <= until else []
    kinds, keys = _search_of_openings(rule, about)
    streams = [history.newest_first(kind, *search_values(kind, keys), until, None) for kind in kinds]
    found = [
        event for event in merge(*streams, key=by_order, reverse=True) if duty_subject(rule, event) == mine
    ]
    return found[::-1]


def _search_of_openings(rule: Rule, about: Event) -> tuple[tuple[str, ...], dict[str, Any]]:
    """By which kinds and field values the openings of a subject are found; no values where the event is a subject by itself."""
    if duty_subject(rule, about) == about.id:
        return (about.kind,), {}
    fields = rule.per or subject_fields(about.kind)
    kinds = opening_kinds(rule) if rule.per else (about.kind,)
    return kinds, {field: about.values.get(field) for field in fields}


def _keyed(rule: Rule, event: Event) -> bool:
    return not rule.per and bool(KINDS[event.kind].key)


def _subjects(rule: Rule, openings: Iterable[Event]) -> list[list[Event]]:
    grouped: dict[Any, list[Event]] = {}
    for event in openings:
        grouped.setdefault(duty_subject(rule, event), []).append(event)
    return list(grouped.values())


def duty_subject(rule: Rule, event: Event) -> Any:
    """What a duty of a rule is kept for, as an opening event names it: `per:`, the kind's key, or the event itself."""
    if rule.per:
        key = tuple(event.values.get(field) for field in rule.per)
        return event.id if None in key else key
    return (event.kind, subject(event)) if KINDS[event.kind].key else event.id


def _applies(
    plan: RulePlan, event: Event, judge: Judge, history: History, asked: Looked
) -> dict[str, Any] | None:
    """The bound scope where the rule applies to this event, or may; None where it does not."""
    scope = judge.bind_alone(plan, event, Sight(history, event, asked))
    if scope is None:
        return None
    return None if plan.when is not None and plan.when(scope) is False else scope


def _judged(
    plan: RulePlan,
    start: Event,
    scope: dict[str, Any],
    judge: Judge,
    sight: Sight,
    as_of: int,
) -> Duty:
    def evaluate(expression: Expression) -> Any:
        value_of = judge.planner.compiled(expression, plan)
        return UNKNOWN if value_of is None else value_of(scope)

    assert plan.rule.expect is not None
    part = _part(plan.rule.expect, plan, start, dict(scope), judge, sight, as_of)
    certain = plan.when is None or plan.when(scope) is True
    decided_by = because(plan, scope, evaluate)
    if part.due_at is None and part.state is DutyState.OPEN:
        for closing in plan.rule.expect.closings():
            due = renamed(closing.due.node, plan.rule.id, plan.names)
            lacking = undecided(due, scope, judge.bundle.tables)
            own = {lookup: name for name, lookup in plan.names.items()}
            decided_by |= {_as_written(text, own): MISSING for text in lacking}
    return Duty(plan.rule, start, part.state, part.due_at, part.closed_by, decided_by, certain)


def _as_written(text: str, own: dict[str, str]) -> str:
    """A reference in the rule's names: ``f3.completed_at`` was written ``dose.completed_at``."""
    root, dot, path = text.partition(".")
    return own.get(root, root) + dot + path


def _part(
    expect: Expect,
    plan: RulePlan,
    start: Event,
    scope: dict[str, Any],
    judge: Judge,
    sight: Sight,
    as_of: int,
) -> _Part:
    if expect.closing is not None:
        return _closing(expect.closing, plan, start, scope, judge, sight, as_of)
    parts = [_part(part, plan, start, scope, judge, sight, as_of) for part in expect.parts]
    if expect.form == "any_of":  # of several that may still be met, the one that leaves most time
        return min(
            parts,
            key=lambda part: (_ANY.index(part.state), -(_NEVER if part.due_at is None else part.due_at)),
        )
    return min(
        parts, key=lambda part: (_ALL.index(part.state), _NEVER if part.due_at is None else part.due_at)
    )


_NEVER: Final = -(2**62)
"""Sorts before every instant: in all_of a part of which nobody can say when it is due comes first, in any_of last."""
_ANY = (DutyState.MET, DutyState.OPEN, DutyState.MET_LATE, DutyState.MISSED)
_ALL = (DutyState.MISSED, DutyState.MET_LATE, DutyState.OPEN, DutyState.MET)


def _closing(
    closing: Closing,
    plan: RulePlan,
    start: Event,
    scope: dict[str, Any],
    judge: Judge,
    sight: Sight,
    as_of: int,
) -> _Part:
    planner = judge.planner
    due_of, where, at = (
        planner.compiled(closing.due, plan),
        planner.compiled(closing.where, plan),
        planner.compiled(closing.at, plan),
    )
    due: Any = UNKNOWN if due_of is None else due_of(scope)
    closed: list[tuple[int, str]] = []
    for kind, keys in planner.closing_keys(closing, plan).items():
        field, value = search_key(keys, scope)
        sight.ask(kind, field, value, FOREVER)
        for event in sight.history.newest_first(kind, field, value, as_of, None):
            if event.order < start.order or not shares(closing.by, event, sight.judged):
                continue
            scope["it"] = event.values
            if where is not None and where(scope) is not True:
                continue
            instant: Any = event.occurred_at if at is None else at(scope)
            if instant is not UNKNOWN and instant <= as_of:
                closed.append((instant, event.id))
    first = min(closed, default=None)
    if due is UNKNOWN:
        return _Part(DutyState.OPEN, None, None)
    # A day's end is the local midnight after it: what happens at that instant belongs to the next day.
    end = due - 1 if _ends_with_day(closing.due.node, scope, plan, judge) else due
    if first is not None:
        return _Part(DutyState.MET if first[0] <= end else DutyState.MET_LATE, due, first[1])
    return _Part(DutyState.MISSED if as_of > end else DutyState.OPEN, due, None)


def _ends_with_day(due: Node, scope: dict[str, Any], plan: RulePlan, judge: Judge) -> bool:
    """Whether `due` is the end of a day, not a length of time; of a choice, the arm that was taken."""
    while isinstance(due, Conditional):
        condition = exact(renamed(due.condition, plan.rule.id, plan.names), judge.bundle.tables)
        due = due.then if condition(scope) else due.otherwise
    return isinstance(due, Func) and due.name.startswith("end_of_day")
