"""Corrections and voids made from what a person says: the event that names the old one (engine.md, "Corrections").

Whatever can be known to be wrong is refused here with its reason, before anything is written.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Final

from compliance.domain.corrections import UNCHANGEABLE, changed
from compliance.domain.event import Event
from compliance.domain.making import make_event
from compliance.domain.objections import did_you_mean
from compliance.domain.time import format_instant
from compliance.domain.vocabulary import KINDS, FieldSpec
from compliance.errors import InputError
from compliance.intake.drafts import Draft
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log, system_clock

SOURCE: Final = "<command line>"
_JSON_TYPES: Final = ("integer", "boolean", "list", "record")


def correction(
    log: Log, event_id: str, changes: Mapping[str, str], members: Mapping[str, Any], actor: str
) -> Draft:
    """The correction that sets fields of an event; an empty text removes the field.

    `members` are the correction's own fields, such as ``reason``. Raises InputError for an unknown or void event, a field that it does not
    have or that cannot be corrected, a value that does not fit, and where nothing would change.
    """
    target, stands = _target(log, event_id)
    if stands is None:
        raise InputError(
            f"{event_id} is void: there is nothing to correct", "Enter the event again, under a new id."
        )
    if not changes:
        raise InputError(
            "no change is named", "Name the fields that change, as field=value; field= removes one."
        )
    fields = [_change(stands, name, text) for name, text in changes.items()]
    if all(change["old"] == change["new"] for change in fields):
        raise InputError(
            f"{event_id} stands like this already", "Name a value that differs; nothing was written."
        )
    body = changed(stands.body, fields)
    made = None if body is None else make_event(body, source=SOURCE)
    if not isinstance(made, Event):
        raise InputError(
            f"{event_id} would not be valid with this change",
            "Mend the values; nothing was written.",
            made or (),
        )
    return _draft({**_envelope(target, stands, "correction", actor), "fields": fields, **members})


def void(log: Log, event_id: str, members: Mapping[str, Any], actor: str) -> Draft:
    """The void of an event. Raises InputError for an unknown event, for one that is void already, and for a void."""
    target, stands = _target(log, event_id)
    if stands is None:
        raise InputError(f"{event_id} is void already", "Nothing is to be done; nothing was written.")
    return _draft({**_envelope(target, stands, "void", actor), **members})


def _target(log: Log, event_id: str) -> tuple[Event, Event | None]:
    history = LogHistory(log)
    target = history.sent(event_id)
    if target is None:
        raise InputError(f"the log has no event {event_id!r}", "Look for it with `compliance events list`.")
    if target.kind == "void":
        raise InputError(
            f"{event_id} is a void, which cannot be taken back",
            "Enter the voided event again, under a new id.",
        )
    return target, history.stands(event_id)


def _envelope(target: Event, stands: Event, kind: str, actor: str) -> dict[str, Any]:
    where = {name: stands.body[name] for name in ("site", "patient", "session") if name in stands.body}
    at = format_instant(system_clock())
    return {
        "id": f"{kind}-{secrets.token_hex(8)}",
        "kind": kind,
        "occurred_at": at,
        "actor": actor,
        "corrects": target.id,
        **where,
    }


def _change(stands: Event, name: str, text: str) -> dict[str, str]:
    if name in UNCHANGEABLE:
        raise InputError(f"{name} cannot be corrected", "Void the event and enter it again.")
    spec = KINDS[stands.kind].fields.get(name)
    if spec is None:
        remedy = (
            did_you_mean(name, KINDS[stands.kind].fields) or "`compliance schema event` lists its fields."
        )
        raise InputError(f"{stands.kind} has no field {name!r}", remedy)
    return {"name": name, "old": json.dumps(stands.body.get(name)), "new": json_text(name, spec, text)}


def json_text(name: str, spec: FieldSpec, text: str) -> str:
    """A value as a person writes it, as JSON text: lists and records are JSON themselves; empty is null. Raises InputError."""
    if text == "":
        return "null"
    if spec.type not in _JSON_TYPES:
        return json.dumps(text)
    try:
        return json.dumps(json.loads(text, parse_float=str))
    except ValueError:
        example = {"integer": "3", "boolean": "true", "list": '["a","b"]', "record": '{"a":1}'}[spec.type]
        raise InputError(
            f"{name}: this is no {spec.type}", f"Write it as JSON, such as {name}='{example}'."
        ) from None


def _draft(body: Mapping[str, Any]) -> Draft:
    return Draft.of_command(_given(body.items()), SOURCE)


def _given(members: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in members if value is not None}
