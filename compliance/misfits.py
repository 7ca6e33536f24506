"""What is wrong with a valid event in view of the log: a correction or void of what cannot be amended so, an activation of unknown policies."""

from __future__ import annotations

from compliance.domain.corrections import UNCHANGEABLE, changed
from compliance.domain.event import Event
from compliance.domain.making import make_event
from compliance.domain.vocabulary import KINDS
from compliance.errors import Place, Problem
from compliance.intake.drafts import Draft
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.policy.bundle import ARTIFACT


def misfits(draft: Draft, event: Event, history: LogHistory, log: Log) -> tuple[Problem, ...]:
    """What is wrong with a correction or void in view of the event that it names; with an activation, of the policies."""
    if event.kind == "policy_activation" and event.values["artifact"] == ARTIFACT:
        return _unknown_policies(draft, log)
    if event.kind not in ("correction", "void"):
        return ()
    target = history.sent(event.values["corrects"])
    if target is None:
        return ()
    if event.kind == "void":
        return _second_void(draft, target)
    problems = tuple(_unchangeable(draft, event, target))
    stands = history.stands(target.id)
    if problems or stands is None:
        return problems
    body = changed(stands.body, event.body["fields"])
    made = event if body is None else make_event(body)
    if isinstance(made, Event):
        return ()
    return tuple(
        Problem(
            Place(draft.source, draft.line, field=f"fields: {p.place.field}"), p.message, p.remedy, p.code
        )
        for p in made
    )


def _second_void(draft: Draft, target: Event) -> tuple[Problem, ...]:
    if target.kind != "void":
        return ()
    return (
        Problem(
            Place(draft.source, draft.line, field="corrects"),
            f"{target.id} is a void; a void cannot be voided",
            "Enter the event that it voided again, under a new id.",
            "void-of-void",
        ),
    )


def _unchangeable(draft: Draft, event: Event, target: Event) -> list[Problem]:
    problems = []
    fields = KINDS[target.kind].fields
    for position, change in enumerate(event.body["fields"]):
        at = Place(draft.source, draft.line, field=f"fields[{position}].name")
        if change["name"] in UNCHANGEABLE:
            message = f"{change['name']} cannot be corrected"
            problems.append(Problem(at, message, "Void the event and enter it again.", "fixed-field"))
        elif change["name"] not in fields:
            message = f"{target.kind} has no field {change['name']}"
            problems.append(Problem(at, message, "Name a field of the event.", "unknown-field"))
    return problems


def _unknown_policies(draft: Draft, log: Log) -> tuple[Problem, ...]:
    """Policies that are not stored cannot come into force: afterwards nothing could be judged any more."""
    digest_named = draft.event.values["sha256"]
    if log.has_bundle(f"sha256:{digest_named}"):
        return ()
    place = Place(draft.source, draft.line, field="sha256")
    message = f"this log holds no policies with the digest {digest_named}"
    return (
        Problem(
            place,
            message,
            "Give another handle in artifact to what is no bundle of policies.",
            "unknown-policies",
        ),
    )
