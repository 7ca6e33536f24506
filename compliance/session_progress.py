"""How far a session has come: a pure function of its steps and of its events as they stand, whoever entered them and in which order.

A step is done when its event is there and does not say no (sedation is still present). One that came before its time (a readiness noted
an hour after the last device) is in the log and judged, and leaves the step open. What had to stand before the first dose, and does not when a dose was given, is overdue from then on; so
is what was not done when the patient left. What was done after its time is done, and late.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

from compliance.domain.event import Event
from compliance.domain.values import SCALE
from compliance.session_outcomes import objections
from compliance.session_steps import HIGH, Progress, Seen, State, Step, Wait

MINUTE: Final = 60 * 1_000_000
OTHER_HANDS: Final = ("higher_level_care", "admitted")
"""Whoever leaves for these is in other hands: what was still to be done here is not waited for."""
_LOOKS: Final = ("observation", "vital_signs", "assessment")
_OUTCOMES: Final = ("enrolment", "pressure", "pressure-leaving", "ready", "recovery")
"""Steps that are done when what they found says yes."""
_LAST_LOOKS: Final = ("readiness", "recovery")
_NOT_EARLY: Final = ("administration", "discharge", "infusion")
"""Done is done, however early: the drug is given, the patient gone."""


def progress(steps: Sequence[Step], seen: Seen, doses: int) -> tuple[Progress, ...]:
    """Where each step stands. `doses` says how many are ordered: so many times comes a step that gives one, and more often where more were given."""
    rows = [_row(step, seen, doses) for step in _with_numbers(steps, seen, doses)]
    turn = next((at for at, row in enumerate(rows) if _may_be_next(row)), None)
    if turn is not None and not _ahead_of_time(rows[turn], seen.now):
        rows[turn] = replace(rows[turn], state=State.NEXT)
    return tuple(rows)


def _with_numbers(steps: Sequence[Step], seen: Seen, doses: int) -> Iterator[Step]:
    """The steps of this session: a device as often as ordered or given; a decision only where a reading asks for one."""
    every = max(doses, len(seen.of("administration")) + seen.unentered)
    for each, group in groupby(steps, key=lambda step: step.each):
        some = tuple(group)
        if each:
            for number in range(1, every + 1):
                yield from (_numbered(step, number, every) for step in some)
            continue
        yield from (
            step for step in some if step.kind != "clinical_decision" or high_reading(seen) is not None
        )


def _numbered(step: Step, number: int, every: int) -> Step:
    if every == 1:
        return replace(step, number=1)
    return replace(step, name=f"{step.name}-{number}", says=f"{step.says} {number}", number=number)


def high_reading(seen: Seen) -> Event | None:
    """The last reading before the (first) dose, where a pressure in it is above what may be without a prescriber's decision."""
    begun = seen.doses[0].occurred_at if seen.doses else None
    before = [e for e in seen.of("vital_signs", point="pre_dose") if begun is None or e.occurred_at <= begun]
    return before[-1] if before and _is_high(before[-1], seen) else None


def _is_high(reading: Event, seen: Seen) -> bool:
    for name, rule, parameter in HIGH:
        value, most = reading.values.get(name), seen.length(rule, parameter)
        if value is not None and most is not None and value > most:
            return True
    return False


def decision_on(seen: Seen, reading: Event) -> Event | None:
    """What the prescriber decided last about a reading."""
    return next(reversed(seen.of("clinical_decision", about="elevated_bp", concerns_event=reading.id)), None)


def _row(step: Step, seen: Seen, doses: int) -> Progress:
    not_before, due_at = _bounds(step, seen, doses)
    events = _events(step, seen, not_before)
    row = Progress(step, State.WAITING, events, not_before, due_at, _but(step, events, seen))
    row = replace(row, state=_state(row, seen))
    bound = _latest(row, seen)
    if row.state is not State.DONE or bound is None or _in_time(step, events, bound, seen):
        return row
    return replace(row, late=True, due_at=bound)


def _latest(row: Progress, seen: Seen) -> int | None:
    """Until when a step counts as done in time: its due time, the first dose for what stands before it, the patient's leaving."""
    step, left = row.step, seen.of("discharge")
    bounds = [] if row.due_at is None or step.again else [row.due_at]
    if step.gate and seen.doses:
        bounds.append(seen.doses[0].occurred_at)
    waited_for = step.kind not in ("monitoring_form", "discharge") and not step.again
    if left and waited_for and left[-1].values["disposition"] not in OTHER_HANDS:
        bounds.append(left[0].occurred_at)
    return min(bounds, default=None)


def _in_time(step: Step, events: Sequence[Event], bound: int, seen: Seen) -> bool:
    """Whether a step was done by then, and did not say no: a reading repeated after the dose was taken before it, too."""
    every = seen.of(step.kind, **step.tells) if step.tells.get("point") == "pre_dose" else events
    return any(event.occurred_at <= bound and not _but(step, (event,), seen) for event in every)


def _but(step: Step, events: Sequence[Event], seen: Seen) -> tuple[str, ...]:
    """What the last of a step's events says against it. About a high pressure before the dose a prescriber decides."""
    if not events or (step.tells.get("point") == "pre_dose" and high_reading(seen) is not None):
        return ()
    return objections(events[-1]) if step.name in _OUTCOMES else ()


def _bounds(step: Step, seen: Seen, doses: int) -> tuple[int | None, int | None]:
    opens = [at for wait in step.opens if (at := _end(wait, step, seen, doses)) is not None]
    closes = [at for wait in step.closes if (at := _end(wait, step, seen, doses)) is not None]
    due = max(closes, default=seen.deadlines.get(step.kind))
    return max(opens, default=None), due


def _end(wait: Wait, step: Step, seen: Seen, doses: int) -> int | None:
    """When a wait ends; None where it has not begun, or no rule in force knows of it."""
    length, given = seen.length(wait.rule, wait.parameter), seen.doses
    if length is None or not given:
        return None
    if step.number:  # of a device: from the one before
        before = given[step.number - 2 : step.number - 1] if step.number > 1 else ()
        rested: int = length
        return before[0].occurred_at + rested if before else None
    if wait.after == "last_ended" and len(given) < doses and not seen.stopped:
        return None  # another dose is still to come
    minutes: int = length if wait.after != "measured" else length // SCALE * MINUTE
    since = _since(wait, seen)
    return None if since is None else since + minutes


def _since(wait: Wait, seen: Seen) -> int | None:
    first, last = seen.doses[0], seen.doses[-1]
    if wait.after == "first_begun":
        return first.occurred_at
    if wait.after == "last_begun":
        return last.occurred_at
    if wait.after == "last_ended":
        return seen.ended
    kinds = _LOOKS if wait.after == "looked" else ("vital_signs",)
    return max(
        [
            first.occurred_at,
            *(e.occurred_at for e in seen.events if e.kind in kinds and e.occurred_at <= seen.now),
        ]
    )


def _events(step: Step, seen: Seen, not_before: int | None) -> tuple[Event, ...]:
    """The events that did a step."""
    found = seen.of(step.kind, **step.tells)
    if step.tells.get("phase") == "stop" and seen.running:
        return ()  # begun again
    if step.number:
        return found[step.number - 1 : step.number]
    if step.kind == "clinical_decision":
        reading = high_reading(seen)
        decided = None if reading is None else decision_on(seen, reading)
        return () if decided is None else (decided,)
    if step.tells.get("point") == "pre_dose" and found:
        return () if _measured_again(seen) else found[-1:]
    if step.kind == "monitoring_form":
        return tuple(event for event in found if event.values["status"] != "draft")
    if step.kind in _NOT_EARLY:
        return found
    least = [at for at in (not_before, _followed(step, seen)) if at is not None]
    return tuple(event for event in found if all(event.occurred_at >= at for at in least))


def _followed(step: Step, seen: Seen) -> int | None:
    """What a step must come after: the begin or the end of the dose, or, while there is none, whatever has happened until now."""
    if not step.follows:
        return None
    begun = seen.doses[0].occurred_at if seen.doses else None
    since = begun if step.follows == "begun" else seen.ended
    if since is None and not seen.running and begun is not None:
        return begun  # nobody noted the end
    return seen.now + 1 if since is None else since


def _measured_again(seen: Seen) -> bool:
    """Whether the pressure is to be taken once more: the last one was too high, and the decision was to wait."""
    reading = high_reading(seen)
    decided = None if reading is None or seen.doses else decision_on(seen, reading)
    return decided is not None and decided.values["decision"] == "delay"


def _state(row: Progress, seen: Seen) -> State:
    step, left = row.step, seen.of("discharge")
    if step.again:
        return _of_rounds(row, seen)
    if row.events and not row.but:
        return State.DONE
    if seen.given_up or (seen.stopped and step.each and not seen.unentered):
        return State.DROPPED
    if left and step.kind != "monitoring_form":
        return State.DROPPED if left[-1].values["disposition"] in OTHER_HANDS else State.OVERDUE
    if step.gate and seen.doses:
        return State.OVERDUE
    if step.kind == "container_status" and len(seen.of("administration")) >= step.number:
        return State.DROPPED  # the device is used; what is missing before it, the device's own verdict says
    return State.OVERDUE if row.due_at is not None and seen.now > row.due_at else State.WAITING


def _of_rounds(row: Progress, seen: Seen) -> State:
    """What comes again and again is done when the watching has ended, unless the patient was not ready to leave then."""
    looked = [e for name in _LAST_LOOKS for e in seen.of("assessment", instrument=name)]
    asleep = bool(looked) and bool(objections(max(looked, key=lambda event: event.order)))
    if seen.of("discharge") or (seen.of("observation", phase="end") and not asleep):
        return State.DONE
    if seen.stopped and not seen.doses:
        return State.DROPPED
    return State.OVERDUE if row.due_at is not None and seen.now > row.due_at else State.WAITING


def _may_be_next(row: Progress) -> bool:
    return row.state is State.WAITING and not row.step.again


def _ahead_of_time(row: Progress, now: int) -> bool:
    return row.not_before is not None and now < row.not_before
