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
from compliance.domain.events.models import answer_model, envelope_model, model_of, quick_model_of
from compliance.domain.objections import objections, unknown_kind
from compliance.domain.reading import Unreadable
from compliance.domain.time import parse_instant, with_seconds
from compliance.domain.vocabulary import ENVELOPE, KINDS, FieldSpec, KindSpec
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
    if not isinstance(body, Mapping):
        place = Place(source, line)
        return (Problem(place, "an event is a JSON object", "send named fields in {}", "wrong_type"),)
    kind = body.get("kind")
    spec = KINDS.get(kind) if isinstance(kind, str) else None
    if spec is None:
        return _of_no_kind(body, Place(source, line))
    exact = exact_body(spec.name, body)
    problems: tuple[Problem, ...] = ()
    recorded_at: int | None = None
    if recorded_at_allowed:
        recorded_at, problems = _from_case_file(spec, exact, Place(source, line))
    values = _quickly(spec.name, exact)
    if values is None:
        problems += _what_is_wrong(spec, exact, Place(source, line))
    if problems:
        return problems
    if values is None:
        values = values_of(spec.name, exact)
    event = Event(exact["id"], spec.name, exact, values, values["occurred_at"])
    if recorded_at is not None:
        return stamp(event, recorded_at, event.position)
    if "entered_at" in values:
        values["noted_at"] = values["entered_at"]
    return event


def field_problems(spec: FieldSpec, value: Any, source: str = "<answer>") -> tuple[Problem, ...]:
    """All that is wrong with the JSON value of one field, in the words of `make_event`; decimals are plain digits in text."""
    try:
        answer_model(spec).__pydantic_validator__.validate_python({spec.name: value})
    except ValidationError as error:
        return objections(error, "event", {spec.name: spec}, Place(source))
    return ()


def _quickly(kind: str, exact: dict[str, Any]) -> dict[str, Any] | None:
    """The engine values of a body with which plainly nothing is wrong; None where a closer look is needed.

    In canonical bytes that are ASCII without a backslash, no text holds a control character (DEL apart), a surrogate or anything not in NFC.
    """
    try:
        quick_model_of(kind).__pydantic_validator__.validate_python(exact)
        encoded = encode(exact)
        if len(encoded) > MAX_EVENT_BYTES or not encoded.isascii() or b"\\" in encoded or b"\x7f" in encoded:
            return None
        return values_of(kind, exact)
    except (ValueError, CanonicalError):  # pydantic's ValidationError is a ValueError
        return None


def _what_is_wrong(spec: KindSpec, exact: dict[str, Any], place: Place) -> tuple[Problem, ...]:
    """All that is wrong with a body; nothing, where it only was not plain."""
    try:
        model_of(spec.name).__pydantic_validator__.validate_python(exact)
        size = len(encode(exact))
    except ValidationError as error:
        return objections(error, spec.name, spec.fields, place)
    except CanonicalError as error:
        return (Problem(place, error.message, error.remedy, "not_canonical"),)
    if size > MAX_EVENT_BYTES:
        message = f"the event is {size} bytes long; at most {MAX_EVENT_BYTES} are taken"
        return (Problem(place, message, "shorten its texts, or split it into several events", "too_large"),)
    return ()


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
    return Event(
        event.id, event.kind, event.body, values, event.occurred_at, recorded_at, position, event.signing
    )


def event_from_log(
    body: Mapping[str, Any], recorded_at: int, position: int, signing: Mapping[str, str] | None = None
) -> Event:
    """An event from its stored body, which was validated when it was written: converted, not checked again."""
    kind: str = body["kind"]
    values = values_of(kind, body)
    values["recorded_at"] = recorded_at
    values["noted_at"] = values.get("entered_at", recorded_at)
    return Event(body["id"], kind, body, values, values["occurred_at"], recorded_at, position, signing)


def with_body(event: Event, body: Mapping[str, Any]) -> Event:
    """An event that is not recorded yet, with texts of its body replaced by others that are as valid."""
    values = values_of(event.kind, body)
    values.update((name, event.values[name]) for name in ("noted_at", "recorded_at") if name in event.values)
    return Event(event.id, event.kind, body, values, event.occurred_at, event.recorded_at, event.position)
