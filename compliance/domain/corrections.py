"""How an event stands after its corrections and voids (engine.md, "Corrections").

A pure function of the set of events, whatever the order in which they came: corrections are applied in history's order; one whose
``old`` is not the value that then stands, or that would make the event invalid, has no effect; so has a correction or void that was
only proposed, or that was itself voided. A void cannot be voided.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from compliance.domain.event import Event
from compliance.domain.making import make_event, stamp
from compliance.domain.quantity import NumberText

UNCHANGEABLE: Final = ("id", "kind", "intent", "corrects", "recorded_at", "noted_at")
"""Fields that a correction may not name."""

Amendments = Callable[[str], Iterable[Event]]
"""Gives the corrections and voids that name an event id."""


def standing(event: Event, amendments: Amendments, _seen: frozenset[str] = frozenset()) -> Event | None:
    """The event as it now stands, or None where it is void.

    `amendments` gives the corrections and voids that name an id, in any order.
    """
    naming = [a for a in amendments(event.id) if not a.proposed and a.id not in _seen]
    if not naming:
        return event
    if event.kind != "void" and any(a.kind == "void" for a in naming):
        return None
    seen = _seen | {event.id}
    for correction in sorted((a for a in naming if a.kind == "correction"), key=lambda a: a.order):
        now = standing(correction, amendments, seen)
        if now is not None and now.values["corrects"] == event.id:
            event = _applied(event, now) or event
    return event


def takes_effect(amendment: Event, target: Event | None, amendments: Amendments) -> bool:
    """Whether a correction or void changes the event that it names, given everything before it (engine.md, "Corrections").

    It does not where there is no such event, where that was void already, or where an ``old`` is not the value that then stood.
    """
    if target is None or amendment.proposed:
        return False
    before = [
        a
        for a in amendments(target.id)
        if not a.proposed and a.order < amendment.order and a.id != amendment.id
    ]
    if any(a.kind == "void" for a in before) or (amendment.kind == "void" and target.kind == "void"):
        return False
    if amendment.kind == "void":
        return True
    stood = standing(target, lambda event_id: before if event_id == target.id else amendments(event_id))
    return stood is not None and _applied(stood, amendment) is not None


def _applied(event: Event, correction: Event) -> Event | None:
    """The event with the correction's changes, or None where it has no effect."""
    body = changed(event.body, correction.body["fields"])
    made = None if body is None else make_event(body)
    if not isinstance(made, Event):
        return None
    if event.recorded_at is None:
        return made
    return replace(stamp(made, event.recorded_at, event.position), signing=event.signing)


def changed(body: Mapping[str, Any], changes: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The body with each change made, for `make_event`; None where an ``old`` is not what stands or a field cannot be corrected."""
    result = dict(body)
    for change in changes:
        name = change["name"]
        try:
            old, new = (json.loads(change[side], parse_float=NumberText) for side in ("old", "new"))
        except (ValueError, RecursionError):
            return None
        if name in UNCHANGEABLE or not _same(body, name, result.get(name), old):
            return None
        if new is None:
            result.pop(name, None)
        else:
            result[name] = new
    return result


def _same(body: Mapping[str, Any], name: str, stands: Any, old: Any) -> bool:
    """Whether ``old`` is the value that stands, however it is written: 28.5 for "28.50", an instant with another offset."""
    if stands is None or old is None:
        return stands is old
    one, other = (make_event({**body, name: value}) for value in (stands, old))
    return (
        isinstance(one, Event) and isinstance(other, Event) and one.values.get(name) == other.values.get(name)
    )
