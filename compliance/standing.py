"""What stands: findings and duties as of an instant, read from the log and rendered from the bundles it names.

A finding of an event stands as its last judgement left it; duties and standing rules are derived again from the events. Nothing here
writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from compliance.bundles import Bundles
from compliance.continuation import decision_at
from compliance.domain.event import Event
from compliance.domain.findings import Decision, Finding
from compliance.domain.lookup import key_of
from compliance.domain.vocabulary import KINDS
from compliance.engine.duties import Duty, duties, finding_id
from compliance.engine.nights import Standing
from compliance.engine.nights import standing as nights
from compliance.engine.wording import rendered
from compliance.errors import InputError
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.night_entries import begun_by
from compliance.policy.model import Bundle, Rule

State = Literal["open", "overridden", "resolved"]


@dataclass(frozen=True, slots=True)
class Explained:
    """A finding in words: the rule's own, with the values that decided it."""

    rule: Rule
    implements: tuple[str, ...]
    severity: str
    outcome: str
    message: str
    remedy: str
    because: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StandingFinding:
    """One finding that stands. `at` is when the event occurred, when the duty was due, or the midnight that began the first day that failed
    (microseconds); `event` the one judged, that opened the duty, or that defines the standing rule's subject. `actions` are what people did
    about it, the oldest first (events of the kind ``finding_action``); `since` the first night of a standing rule's, a date (ordinal)."""

    id: str
    state: State
    explained: Explained
    event: Event
    at: int
    actions: tuple[Event, ...] = ()
    since: int | None = None

    @property
    def assignment(self) -> Event | None:
        """The action that says who is to see to it now, if anybody is."""
        return next((one for one in reversed(self.actions) if one.values["action"] == "assign"), None)

    @property
    def assigned_to(self) -> str | None:
        """Whom that names."""
        return None if self.assignment is None else self.assignment.values.get("assignee")


def explained(finding: Finding, bundle: Bundle) -> Explained:
    """A finding of a decision, rendered from the bundle that the decision names."""
    outcome = "overridden" if finding.overridden_by else str(finding.outcome)
    return _told(bundle.rule(finding.rule), str(finding.severity), outcome, finding.because)


def last_decision(log: Log, idx: int) -> Decision:
    """How the event of an entry was last judged."""
    entry = log.entry(idx)
    later = None if entry.event_id is None else log.last_judgement(entry.event_id)
    return decision_at(log, idx if later is None else later)


def findings(log: Log, bundles: Bundles, as_of: int) -> Iterator[StandingFinding]:
    """Every finding that stands as of an instant: those of events in the order of the log, those of duties, those of the night."""
    history = LogHistory(log)
    actions = _actions(history, as_of)
    for idx in log.with_findings():
        event = history.stands(history.recorded(idx).id)
        if event is None or event.occurred_at > as_of:
            continue
        decision = last_decision(log, idx)
        for finding in decision.findings:
            found = explained(finding, bundles.bundle(decision.bundle))
            name = finding_id(finding.rule, event.id, "event")
            done = actions.get(name, ())
            state = _state(finding.overridden_by, done)
            if state == "resolved" and _found_anew(log, idx, finding, done):
                state = _state(finding.overridden_by, ())
            yield StandingFinding(name, state, found, event, event.occurred_at, done)
    for duty in duties(bundles.active(), history, as_of):
        if duty.outcome is not None:
            done = actions.get(duty.id, ())
            at = duty.due_at or duty.opened_by.occurred_at
            yield StandingFinding(duty.id, _state(None, done), explained_duty(duty), duty.opened_by, at, done)
    for one in nights(bundles.active(), history, as_of, begun=begun_by(log, as_of)):
        if one.failing:
            done = actions.get(one.id, ())
            state = _state(None, done)
            yield StandingFinding(one.id, state, explained_night(one), one.subject, one.at, done, one.since)


def explained_duty(duty: Duty) -> Explained:
    """The finding of a duty in words."""
    outcome = str(duty.outcome) if duty.outcome is not None else str(duty.state)
    return _told(duty.rule, str(duty.severity), outcome, duty.because)


def explained_night(one: Standing) -> Explained:
    """What a standing rule finds, in words."""
    return _told(one.rule, str(one.severity), str(one.outcome), one.because)


def _told(rule: Rule, severity: str, outcome: str, because: Mapping[str, str]) -> Explained:
    message, remedy = rendered(rule.message, because), rendered(rule.remedy, because)
    return Explained(rule, rule.implements, severity, outcome, message, remedy, because)


def obligations(log: Log, bundles: Bundles, as_of: int) -> list[Duty]:
    """Every duty as it stands at an instant, the earliest due first."""
    found = duties(bundles.active(), LogHistory(log), as_of)
    return sorted(found, key=lambda duty: (duty.due_at is None, duty.due_at or 0, duty.rule.id))


def resolved(history: LogHistory, as_of: int) -> Mapping[str, int]:
    """The findings that a person had resolved, and not reopened, by an instant: by id, the entry in which that was said."""
    said = ((name, _closing(done)) for name, done in _actions(history, as_of).items())
    return {
        name: last.position for name, last in said if last is not None and last.values["action"] == "resolve"
    }


def _actions(history: LogHistory, as_of: int) -> Mapping[str, tuple[Event, ...]]:
    """What people did about each finding, the oldest first."""
    done: dict[str, list[Event]] = {}
    for event in history.newest_first("finding_action", "*", "", as_of, None):
        done.setdefault(event.values["finding"], []).append(event)
    return {name: tuple(reversed(events)) for name, events in done.items()}


def _closing(actions: tuple[Event, ...]) -> Event | None:
    """The last action that resolved or reopened."""
    return next((one for one in reversed(actions) if one.values["action"] in ("resolve", "reopen")), None)


def _state(overridden_by: str | None, actions: tuple[Event, ...]) -> State:
    last = _closing(actions)
    if last is not None and last.values["action"] == "resolve":
        return "resolved"
    return "overridden" if overridden_by else "open"


def _found_anew(log: Log, idx: int, finding: Finding, actions: tuple[Event, ...]) -> bool:
    """Whether a judgement of the event since a person resolved the finding had it otherwise than it stands now, or had it not at all:
    what that person saw is over, and this is another episode (engine.md, "Findings")."""
    entry, resolved = log.entry(idx), _closing(actions)
    assert entry.event_id is not None
    assert resolved is not None
    judged = [idx, *(at for at in log.naming(entry.event_id) if log.entry(at).type == "rejudgement")]
    seen = max(sum(at < resolved.position for at in judged) - 1, 0)
    return any(finding.stands() not in decision_at(log, at).stands()[1] for at in judged[seen:])


def require_known(log: Log, bundles: Bundles, site: str | None, rule: str | None) -> None:
    """Raise InputError where a filter names a site or rule that nobody knows: "nothing is open" would be a false comfort."""
    if site is not None and not any(
        next(log.key_scan(key_of(kind, "site", site)), None) is not None for kind in KINDS
    ):
        raise InputError(
            f"the log has no event of a site {site!r}",
            "Check the name; `compliance events list` shows the sites.",
        )
    if rule is not None:
        ids = [one.id for one in bundles.active().bundle.rules]
        if rule not in ids:
            near = get_close_matches(rule, ids, 1)
            raise InputError(
                f"the policies in force have no rule {rule!r}",
                f"Did you mean {near[0]}?" if near else "Give the rule's id.",
            )
