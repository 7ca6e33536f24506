"""Running cases: the examples beside a rule, and the timelines of case files (policy-language.md).

A timeline is judged as the log would stand at its end: each event as it stands, on all that it sees, which by the law of engine.md does
not depend on the order of arrival; duties and standing rules as of the case's `now`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compliance.domain.event import Event
from compliance.domain.findings import Outcome
from compliance.domain.making import make_event, stamp
from compliance.domain.time import parse_instant
from compliance.domain.values import UNKNOWN
from compliance.engine.duties import Duty, DutyState, duties, duties_of, duty_subject
from compliance.engine.history import MemoryHistory
from compliance.engine.judging import Judge
from compliance.engine.nights import Standing, standing, standing_of, subject_key
from compliance.engine.sight import Sight
from compliance.engine.signed import signable
from compliance.errors import Problem
from compliance.policy.case_files import CaseEvent, Timeline
from compliance.policy.fill import fill
from compliance.policy.model import Case, Rule


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case of a rule: the outcome expected and the one that came, with the values that decided."""

    rule: Rule
    case: Case
    got: str
    because: Mapping[str, str]
    problems: tuple[Problem, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether what was expected came out."""
        return not self.problems and self.got == self.case.expect


@dataclass(frozen=True, slots=True)
class Found:
    """A finding at the end of a timeline, once for each requirement that its rule implements."""

    requirement: str
    rule: str
    event: str
    outcome: str
    severity: str


@dataclass(frozen=True, slots=True)
class TimelineResult:
    """One timeline: requirements that were expected and not found, and those found that were not wanted."""

    timeline: Timeline
    findings: tuple[Found, ...]
    missing: tuple[str, ...]
    unwanted: tuple[Found, ...]
    verdict: str
    problems: tuple[Problem, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether all that was expected was found, and nothing unwanted, and the last event's verdict is the one named."""
        wrong = self.timeline.verdict is not None and self.timeline.verdict != self.verdict
        return not (self.problems or self.missing or self.unwanted or wrong)


def run_case(rule: Rule, case: Case, judge: Judge, *, told: bool = True) -> CaseResult:
    """Judge the example of a rule. `judge` is for the rule's bundle and takes a site without profile at the event's own offset.

    With what decided it, unless that need not be `told`.
    """
    events, problems = prepared([*case.history, case.event])
    if problems:
        return CaseResult(rule, case, "invalid", {}, problems)
    history = MemoryHistory(events)
    judged = events[-1]
    if rule.expect is not None:
        return _deadline(rule, case, judge, history, events)
    if rule.each is not None:
        return _nightly(rule, case, judge, history, events, told=told)
    stands = history.stands(judged.id) or judged
    outcome, because = judge.judge_alone(
        rule, stands, Sight(history, stands), told=tuple(Outcome) if told else ()
    )
    return CaseResult(rule, case, str(outcome), because)


def as_of(case: Case | Timeline, events: Sequence[Event]) -> int:
    """The instant as of which duties and standing rules are judged: the case's own, else the latest recording."""
    if case.now:
        return parse_instant(case.now)
    return max((e.recorded_at or e.occurred_at for e in events), default=0)


def _nightly(
    rule: Rule, case: Case, judge: Judge, history: MemoryHistory, events: list[Event], *, told: bool
) -> CaseResult:
    """What the night says of the subject that the case's event defines."""
    one = night_of(rule, judge, history, events[-1], as_of(case, events), told=told)
    if one is None:
        return CaseResult(rule, case, str(Outcome.NOT_APPLICABLE), {})
    return CaseResult(rule, case, str(one.outcome), one.because)


def night_of(
    rule: Rule, judge: Judge, history: MemoryHistory, event: Event, until: int, *, told: bool = True
) -> Standing | None:
    """What the night of an instant says of the subject that an event defines; None where there is no such subject then."""
    mine = subject_key(rule, event)
    every = standing_of(rule, judge, history, until, told=told)
    return next((one for one in every if one.key == mine), None)


def _deadline(
    rule: Rule, case: Case, judge: Judge, history: MemoryHistory, events: list[Event]
) -> CaseResult:
    duty = duty_of(rule, judge, history, events[-1], as_of(case, events))
    if duty is None:
        return CaseResult(rule, case, str(Outcome.NOT_APPLICABLE), {})
    return CaseResult(rule, case, _as_expected(duty, case.expect), duty.because)


def duty_of(rule: Rule, judge: Judge, history: MemoryHistory, event: Event, until: int) -> Duty | None:
    """The duty that an event opens, or that is kept for the same subject, as it stands at an instant; None where there is none."""
    mine = duty_subject(rule, event)
    found = duties_of(rule, judge, history, until)
    return next((duty for duty in found if duty_subject(rule, duty.opened_by) == mine), None)


def _as_expected(duty: Duty, expected: str) -> str:
    """A duty's state, or the outcome it amounts to where the case speaks of outcomes."""
    if expected in {str(state) for state in DutyState}:
        return str(duty.state)
    return str(duty.outcome or Outcome.PASS)


def run_timeline(timeline: Timeline, judge: Judge) -> TimelineResult:
    """Judge a day or more of events and compare what stands at its end with what the file expects."""
    events, problems = prepared(timeline.events)
    if problems:
        return TimelineResult(timeline, (), (), (), "invalid", problems)
    history = MemoryHistory(events)
    until = as_of(timeline, events)
    findings: list[Found] = []
    verdict = ""
    for event in events:
        stands = history.stands(event.id)
        verdict = "voided"
        if stands is not None:
            decision = judge.judge(stands, history).decision
            verdict = str(decision.verdict)
            for finding in decision.findings:
                _, outcome, severity = finding.stands()
                implements = judge.bundle.rule(finding.rule).implements
                findings += [
                    Found(requirement, finding.rule, event.id, outcome, severity)
                    for requirement in implements
                ]
    for duty in duties(judge, history, until):
        if duty.outcome is not None:
            about = (duty.rule.id, duty.opened_by.id, str(duty.outcome), str(duty.severity))
            findings += [Found(requirement, *about) for requirement in duty.rule.implements]
    for one in standing(judge, history, until, told=False):
        if one.failing:
            about = (one.rule.id, one.subject.id, str(one.outcome), str(one.severity))
            findings += [Found(requirement, *about) for requirement in one.rule.implements]
    named = {found.requirement for found in findings}
    missing = tuple(wanted for wanted in timeline.findings if wanted not in named)
    unwanted = tuple(found for found in findings if found.requirement in timeline.clear)
    return TimelineResult(timeline, tuple(findings), missing, unwanted, verdict)


def prepared(bodies: Iterable[Mapping[str, Any] | CaseEvent]) -> tuple[list[Event], tuple[Problem, ...]]:
    """The events of a case, filled in, numbered where they have no id, recorded when they occurred unless the case says otherwise.

    A signature that leaves out what was signed is of the event that it names, where that comes before it.
    """
    events: list[Event] = []
    problems: list[Problem] = []
    sent: dict[str, Event] = {}
    for number, written in enumerate(bodies):
        given = written.body if isinstance(written, CaseEvent) else written
        signed = sent.get(given.get("target_event", "")) if given["kind"] == "signature" else None
        if signed is not None and "target_sha256" not in given:
            given = {**given, "target_sha256": signable(signed.body)}
        body = fill({"id": f"case-{number:05d}", **given})
        recorded = written.recorded_at if isinstance(written, CaseEvent) else None
        made = make_event(body)
        if not isinstance(made, Event):
            problems += made
            continue
        recorded_at = made.occurred_at if recorded is None else parse_instant(recorded)
        events.append(stamp(made, recorded_at, len(events)))
        sent[made.id] = made
    return events, tuple(problems)


def own_offset(event: Event) -> Any:
    """The zone of an event's own offset, for examples that leave the site's profile out; only whole hours have a name."""
    text = str(event.body["occurred_at"])
    if text[-1] in "zZ":
        return "UTC"
    sign, hours, minutes = text[-6], int(text[-5:-3]), text[-2:]
    if minutes != "00":
        return UNKNOWN
    return f"Etc/GMT{'-' if sign == '+' else '+'}{hours}" if hours else "UTC"
