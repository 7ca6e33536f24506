"""Where a session stands in a log: its events, by hand or from files, whoever entered them; what is next, what is due, and what the
policies in force would say to a step that were done now.

Nothing is stored beside the log. A step ahead is judged as a proposed event by `compliance.checking.Checker`, which writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from compliance.bundles import Bundles
from compliance.checking import Checker
from compliance.domain.drugs import DRUGS
from compliance.domain.event import Event
from compliance.domain.making import make_event
from compliance.domain.quantity import millionths
from compliance.domain.time import end_of_local_day, local_date
from compliance.domain.vocabulary import KINDS
from compliance.engine.duties import Duty, duty_from, opening_kinds, openings_of
from compliance.engine.judging import Judge
from compliance.intake.drafts import Draft
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.record import Recorded
from compliance.session_found import events_of, first_said
from compliance.session_offers import Session, body_of
from compliance.session_outcomes import contradictions, held_back
from compliance.session_progress import progress
from compliance.session_steps import Progress, Seen, State, Step, steps_for
from compliance.site_zones import site_zone
from compliance.standing import Explained, explained, last_decision

NOBODY: Final = "nobody"
"""Who acts in a step judged ahead, where the caller did not say who they are, and nobody has done anything yet."""
_OF_THE_DAY: Final = ("patient_enrollment", "medication_reconciliation", "assessment", "clinical_decision")
"""Kinds that count for the session of the day though they do not name it."""


@dataclass(frozen=True, slots=True)
class Stood:
    """A step, with what was decided on its event, or would be if it were done now; no verdict where nothing was judged."""

    progress: Progress
    verdict: str | None = None
    findings: tuple[Explained, ...] = ()

    @property
    def objectionable(self) -> bool:
        """Whether something is denied, overdue or was done too late."""
        at = self.progress
        return (
            at.state in (State.OVERDUE, State.BLOCKED)
            or at.late
            or bool(at.events and self.verdict == "violation")
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """A session as of an instant: its steps in order, and the duties that its events opened."""

    about: Session
    seen: Seen
    steps: tuple[Stood, ...]
    duties: tuple[Duty, ...]

    @property
    def next(self) -> Stood | None:
        """What to do now: the next step, else one that is overdue and can still be done; None where one waits, or nothing is left."""
        if self.over and not any(row.progress.state is State.NEXT for row in self.steps):
            return None
        rows = [row for row in self.steps if row.progress.state in (State.NEXT, State.BLOCKED)]
        late = [
            row for row in self.steps if row.progress.state is State.OVERDUE and not row.progress.step.gate
        ]
        late.sort(
            key=lambda row: row.progress.step.again
        )  # whoever takes the pressure looks at the patient, too
        return next(iter([*rows, *late]), None)

    @property
    def waits_for(self) -> Stood | None:
        """The step whose turn it is, where its time has not come."""
        waiting = (
            row for row in self.steps if row.progress.state is State.WAITING and not row.progress.step.again
        )
        row = next(waiting, None)
        return row if self.next is None and row is not None and row.progress.not_before is not None else None

    @property
    def over(self) -> bool:
        """Whether the patient has left, or the session was given up."""
        return bool(self.seen.of("discharge")) or self.seen.given_up

    @property
    def finished(self) -> bool:
        """Whether nothing is left to be done."""
        return not any(row.progress.open for row in self.steps)

    @property
    def contradictions(self) -> tuple[str, ...]:
        """What is on record that cannot be so, and what keeps the patient here, in sentences."""
        return contradictions(self.seen)

    def step(self, name: str) -> Stood:
        """The step with this name."""
        return next(row for row in self.steps if row.progress.step.name == name)


def standing(
    log: Log,
    bundles: Bundles,
    now: int,
    *,
    patient: str,
    session: str,
    drug: str,
    site: str,
    actor: str | None,
) -> Standing:
    """Where the session stands at an instant (microseconds), by what had occurred then."""
    judge, history = bundles.active(), LogHistory(log)
    with log.reading():
        zone = site_zone(history, site, now)
        events = events_of(history, session, now)
        began = min((event.occurred_at for event in events), default=now)
        events += _of_the_day(history, patient, now, local_date(began, zone), zone)
        order = _order(history, patient, session, drug, now)
        if order is not None:
            events.append(order)
        once = {event.id: event for event in events}
        in_order = tuple(sorted(once.values(), key=lambda event: event.order))
        about = Session(patient, session, drug, site, zone, _doses(drug, order))
        length = _Lengths(judge, local_date(now, zone), site)
        opened = tuple(_duties(judge, history, in_order, now))
        seen = Seen(in_order, now, length, _deadlines(opened))
        route = first_said(list(reversed(in_order)), "route")
        rows = progress(steps_for(drug, route, length.known), seen, about.doses)
        return Standing(
            about,
            seen,
            tuple(_stood(rows, about, seen, log, bundles, actor or _last_actor(in_order))),
            opened,
        )


def _last_actor(events: tuple[Event, ...]) -> str:
    """Who did the session's last step."""
    return str(events[-1].values["actor"]) if events else NOBODY


class _Lengths:
    """The parameters in force on a day at a site."""

    def __init__(self, judge: Judge, day: int, site: str) -> None:
        self._bundle, self._day, self._site = judge.bundle, day, site

    def known(self, rule: str) -> bool:
        """Whether a rule is in force."""
        try:
            return self._bundle.rule(rule).in_force.holds(self._day)
        except KeyError:
            return False

    def __call__(self, rule: str, parameter: str) -> Any:
        """A parameter's value; None where there is no such rule in force."""
        if not self.known(rule):
            return None
        return self._bundle.parameters(self._bundle.rule(rule), self._day, self._site).get(parameter)


def _of_the_day(history: LogHistory, patient: str, now: int, day: int, zone: str) -> list[Event]:
    """What was asked of the patient without naming a session, on the day on which the session began or, past midnight, since."""
    midnight = end_of_local_day(day - 1, zone)
    found = (history.newest_first(kind, "patient", patient, now, midnight) for kind in _OF_THE_DAY)
    return [event for some in found for event in some if "session" not in event.values]


def _order(history: LogHistory, patient: str, session: str, drug: str, now: int) -> Event | None:
    """The order that stands for this session: its own, else the patient's last for the drug that names no session and has not ended."""
    for event in history.newest_first("order", "patient", patient, now, None):
        mine = event.values.get("session")
        ends = event.values.get("expires_at")
        if event.values["drug"] == drug and (
            mine == session or (mine is None and (ends is None or ends > now))
        ):
            return event
    return None


def _doses(drug: str, order: Event | None) -> int:
    """How many doses are ordered: devices of the drug's strength; as many as the label's smallest dose has, where no order says."""
    row = DRUGS[drug]
    if row.strength_mg_per_unit is None or not row.units_per_dose:
        return 1
    if order is None:
        return min(row.units_per_dose)
    ordered: int = order.values["dose_mg"]
    return max(1, -(-ordered // millionths(row.strength_mg_per_unit)))


def _duties(judge: Judge, history: LogHistory, events: tuple[Event, ...], now: int) -> Iterator[Duty]:
    """The duties that the session's events opened, each once."""
    seen: set[str] = set()
    for rule in judge.planner.duty_rules:
        kinds = opening_kinds(rule)
        for event in events:
            if event.kind not in kinds:
                continue
            openings = openings_of(rule, event, history, now)
            duty = duty_from(rule, openings, judge, history, now) if openings else None
            if duty is not None and duty.id not in seen:
                seen.add(duty.id)
                yield duty


def _deadlines(opened: tuple[Duty, ...]) -> Mapping[str, int]:
    """By when a monitoring form is owed."""
    due = [
        duty.due_at
        for duty in opened
        if duty.due_at is not None
        and duty.rule.expect is not None
        and any("monitoring_form" in closing.kinds for closing in duty.rule.expect.closings())
    ]
    return {"monitoring_form": min(due)} if due else {}


def _stood(
    rows: tuple[Progress, ...], about: Session, seen: Seen, log: Log, bundles: Bundles, actor: str
) -> Iterator[Stood]:
    ahead = _judged_ahead(rows, about, seen, log, bundles, actor)
    for row in rows:
        if row.events:
            decision = last_decision(log, row.events[-1].position)
            bundle = bundles.bundle(decision.bundle)
            yield Stood(
                row, str(decision.verdict), tuple(explained(one, bundle) for one in decision.findings)
            )
        elif row.step.name in ahead:
            verdict, findings = ahead[row.step.name]
            if verdict != "denied" and held_back(row.step, rows, seen):
                verdict, findings = None, ()
            denied = row.state is State.NEXT and verdict == "denied"
            yield Stood(replace(row, state=State.BLOCKED) if denied else row, verdict, findings)
        else:
            yield Stood(row)


def _judged_ahead(
    rows: tuple[Progress, ...], about: Session, seen: Seen, log: Log, bundles: Bundles, actor: str
) -> dict[str, tuple[str | None, tuple[Explained, ...]]]:
    """What the policies would say to each step that may be denied, were it done now: of several doses the next alone."""
    drafts: dict[str, Draft] = {}
    for row in rows:
        step = row.step
        if not step.judged_ahead or not row.open or any(step.kind == d.event.kind for d in drafts.values()):
            continue
        body = body_of(step, about, seen, actor, f"ahead-{step.name}", intent="proposed")
        made = make_event(_completed(step, body), source="<ahead>")
        if isinstance(made, Event):
            drafts[step.name] = Draft(made, "<ahead>", 1)
    if not drafts:
        return {}
    found: dict[str, tuple[str | None, tuple[Explained, ...]]] = {}
    results = (one for batch in Checker(log, bundles.active()).submit(drafts.values()) for one in batch)
    for result in results:
        if isinstance(result, Recorded):
            bundle = bundles.bundle(result.decision.bundle)
            told = tuple(explained(one, bundle) for one in result.decision.findings)
            found[result.draft.event.id.removeprefix("ahead-")] = (str(result.decision.verdict), told)
    return found


def _completed(step: Step, body: dict[str, Any]) -> dict[str, Any]:
    """Only fields of the kind; a device asked about is not used up yet."""
    fields = KINDS[step.kind].fields
    return {name: value for name, value in body.items() if name in fields and name != "completed_at"}
