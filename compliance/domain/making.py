"""Events from JSON: everything that is wrong with one at once, or the event.

    >>> make_event({"id": "E1", "kind": "vital_sings"})[0].remedy
    'did you mean `vital_signs`?'

`make_event` is the boundary: what it lets through is valid against the vocabulary, for good. `event_from_log` rebuilds what the log
holds and trusts it. `stamp` adds what only the log can say: when it took the event, and where it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from compliance.domain.canonical import CanonicalError, encode
from compliance.domain.conversion import exact_body, values_of
from compliance.domain.event import Event
from compliance.domain.events.models import envelope_model, model_of
from compliance.domain.objections import objections, unknown_kind
from compliance.domain.reading import Unreadable
from compliance.domain.time import parse_instant, with_seconds
from compliance.domain.vocabulary import ENVELOPE, KINDS, KindSpec
from compliance.errors import Place, Problem

MAX_EVENT_BYTES: Final = 32 * 1024
"""An event's canonical JSON is no longer (audit-log.md, "Entry")."""


def make_event(
    body: Any,
    *,
    source: str = "<event>",
    line: int | None = None,
    recorded_at_allowed: bool = False,
) -> Event | tuple[Problem, ...]:
    """The event that this JSON value is, or every problem with it, each placed in `source`, `line` and field.

    Decimals may be text, integers, `Decimal` or `NumberText`; the event's body holds them as text. `recorded_at_allowed` is
    for case files only: there ``recorded_at`` may be given, and instants may leave out ``:00``.
    """
    place = Place(source, line)
    if not isinstance(body, Mapping):
        return (Problem(place, "an event is a JSON object", "send named fields in {}", "wrong_type"),)
    kind = body.get("kind")
    spec = KINDS.get(kind) if isinstance(kind, str) else None
    if spec is None:
        return _of_no_kind(body, place)
    problems: tuple[Problem, ...] = ()
    recorded_at: int | None = None
    exact = exact_body(spec.name, body)
    if recorded_at_allowed:
        recorded_at, problems = _from_case_file(spec, exact, place)
    try:
        model_of(spec.name).__pydantic_validator__.validate_python(exact)
    except ValidationError as error:
        return (*problems, *objections(error, spec.name, spec.fields, place))
    try:
        size = len(encode(exact))
    except CanonicalError as error:
        return (*problems, Problem(place, error.message, error.remedy, "not_canonical"))
    if size > MAX_EVENT_BYTES:
        remedy = "shorten its texts, or split it into several events"
        message = f"the event is {size} bytes long; at most {MAX_EVENT_BYTES} are taken"
        return (*problems, Problem(place, message, remedy, "too_large"))
    if problems:
        return problems
    values = values_of(spec.name, exact)
    event = Event(exact["id"], spec.name, exact, values, values["occurred_at"])
    if recorded_at is not None:
        return stamp(event, recorded_at, event.position)
    if "entered_at" in values:
        values["noted_at"] = values["entered_at"]
    return event


def _of_no_kind(body: Mapping[str, Any], place: Place) -> tuple[Problem, ...]:
    """An event of no known kind: that, and what is wrong with its envelope."""
    problem = unknown_kind(body.get("kind"), "kind" in body, place)
    try:
        envelope_model().__pydantic_validator__.validate_python({**body, "kind": "unknown"})
    except ValidationError as error:
        return (problem, *objections(error, "event", ENVELOPE, place))
    return (problem,)


def _from_case_file(
    spec: KindSpec, exact: dict[str, Any], place: Place
) -> tuple[int | None, tuple[Problem, ...]]:
    """Fills in ``:00`` and takes out `recorded_at`, as case files are read (policy-language.md, "Case files")."""
    for name, field in spec.fields.items():
        if field.type == "instant" and isinstance(exact.get(name), str):
            exact[name] = with_seconds(exact[name])
    if "recorded_at" not in exact:
        return None, ()
    given = exact.pop("recorded_at")
    field_place = Place(place.source, place.line, field="recorded_at")
    if not isinstance(given, str):
        return None, (Problem(field_place, "not a date-time", "write it in quotes", "wrong_type"),)
    try:
        return parse_instant(given), ()
    except Unreadable as error:
        return None, (Problem(field_place, error.message, error.remedy, "bad_value"),)


def stamp(event: Event, recorded_at: int, position: int) -> Event:
    """The event as the log took it: with `recorded_at` (microseconds), `noted_at` and its position."""
    values = dict(event.values)
    values["recorded_at"] = recorded_at
    values["noted_at"] = values.get("entered_at", recorded_at)
    return Event(event.id, event.kind, event.body, values, event.occurred_at, recorded_at, position)


def event_from_log(body: Mapping[str, Any], recorded_at: int, position: int) -> Event:
    """An event from its stored body, which was validated when it was written: converted, not checked again."""
    kind: str = body["kind"]
    values = values_of(kind, body)
    values["recorded_at"] = recorded_at
    values["noted_at"] = values.get("entered_at", recorded_at)
    return Event(body["id"], kind, body, values, values["occurred_at"], recorded_at, position)
