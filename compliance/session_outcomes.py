"""What the events of a step say beside that somebody did it: an outcome that says no, what that holds back, what contradicts itself.

A look that finds the patient asleep is done and judged, and does not end the looking. A rule may object or not: nothing that waits for
such an outcome, or for an infusion to end, is told to be permitted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from compliance.domain.event import Event
from compliance.session_steps import Progress, Seen, Step

_SIGNS: Final = {
    "sedation": "sedation",
    "dissociation": "dissociation",
    "respiratory_depression": "respiratory depression",
}
_STATES: Final = {"oriented": "not oriented", "gait_steady": "does not walk safely", "ready_to_leave": "not ready to leave"}  # fmt: skip


def objections(event: Event) -> tuple[str, ...]:
    """What an event says against what its step is for, in words; nothing where it says yes, or does not say."""
    said = event.values
    if event.kind == "patient_enrollment" and said.get("result", "active") != "active":
        return (f"the enrolment is {said['result'].replace('_', ' ')}",)
    if event.kind == "vital_signs" and said.get("acceptable") is False:
        return ("not acceptable",)
    if event.kind == "assessment" and said["instrument"] in ("readiness", "recovery"):
        signs = (
            f"{words} {said[name].replace('_', ' ')}"
            for name, words in _SIGNS.items()
            if said.get(name) in ("present", "not_assessed")
        )
        return (*signs, *(words for name, words in _STATES.items() if said.get(name) is False))
    return ()


def held_back(step: Step, rows: Iterable[Progress], seen: Seen) -> bool:
    """Whether a dose or the patient's leaving waits for another outcome, or leaving for the end of an infusion and its dose."""
    if step.kind == "discharge":
        return seen.running or seen.unentered or any(row.but and not row.step.gate for row in rows)
    return any(row.but and row.step.gate for row in rows)


def contradictions(seen: Seen) -> tuple[str, ...]:
    """What is on record that cannot be so, or that something is missing from, in sentences, with the remedy."""
    told = [
        f"Event {event.id} says that no dose was given ({event.values['stage']}), and one was: the session goes on. "
        "Correct its stage with compliance events correct if it was mistyped."
        for event in seen.of("session_stop")
        if event.values["stage"] != "stopped_during" and seen.doses
    ]
    if seen.running:
        told.append(
            "The infusion runs: its stop is not on record. How long the patient stays counts from there."
        )
    elif seen.unentered:
        told.append(
            "The infusion is not entered as a dose yet; until it is, nobody can say that the patient may leave."
        )
    return tuple(told)
