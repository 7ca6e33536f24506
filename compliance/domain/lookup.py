"""Look-up keys: by what an event can be found, and by what a judged event looked.

A key is the triple (kind, field, value). Two pseudo-fields stand beside the real ones: ``*`` (every event of the kind) and
``names`` (any ``*_event`` field of it holds this event id). Under ``id``, every log finds an event without a row of the index. The log indexes both the keys an event has and the keys a judged event
asked for, so that a look-up costs what it finds, and a late event finds those it changes without a scan (engine.md, step 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any, Final

from compliance.domain.event import Event
from compliance.domain.vocabulary import KINDS, event_reference_fields

EVERY: Final = "*"
NAMES: Final = "names"
ID: Final = "id"
LATER: Final = "later"
"""Asked only: a look-up that also sees events after the judged one is found by every later event of the kind."""

ARRIVES: Final = "arrives"
"""Asked only, under no kind: the event with this id, of whatever kind, found by it when it comes."""

# Handles that other kinds share ("other references use a handle of the same name in another kind", vocabulary.yaml), most
# selective first: a look-up that could use several takes the first.
_BY_SELECTIVITY: Final = (
    "corrects", "overrides_event", "proposal", "session", "preparation", "discrepancy", "request", "incident", "episode", "count",
    "shift", "consent", "order", "prescription", "container", "kit", "login", "finding", "invoice_no",
    "course", "patient", "equipment", "storage_place", "subject", "person", "signer", "observer", "artifact",
    "party", "registration", "source_registration", "recipient_registration", "lot", "ndc11", "drug_code", "site", "drug",
)  # fmt: skip
_TEXTS: Final = ("id", "text", "enum")
_RANK: Final = {field: rank for rank, field in enumerate(_BY_SELECTIVITY)}


@cache
def indexed_fields(kind: str) -> tuple[str, ...]:
    """Fields of a kind that are look-up keys: shared handles, the kind's own key, references to events."""
    spec = KINDS[kind]
    fields = [name for name in spec.fields if name in _RANK or name in spec.key or name.endswith("_event")]
    return tuple(sorted(fields, key=selectivity))


def selectivity(field: str) -> tuple[int, str]:
    """Sort key: the field that narrows a look-up most comes first."""
    if field == ID:
        return (-2, "")
    if field.endswith("_event"):
        return (-1, field)
    return (_RANK.get(field, _RANK["person"]), "" if field in _RANK else field)


def lookup_keys(kind: str, values: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """The keys under which an event of this kind with these values is found. Text is the same in an event's body, which will do, too."""
    keys = [(kind, EVERY, "")]
    for field, name in _names_of_keys(kind):
        value = values.get(field)
        if value is not None:
            keys.append((kind, name, value))
    return tuple(dict.fromkeys(keys))


@cache
def _names_of_keys(kind: str) -> tuple[tuple[str, str], ...]:
    """The fields of a kind whose values are keys, each with the name of the key; only text makes one."""
    fields = KINDS[kind].fields
    own = [(field, field) for field in indexed_fields(kind) if fields[field].type in _TEXTS]
    return (*own, *((field, NAMES) for field in event_reference_fields(kind)))


def answering_keys(event: Event) -> tuple[tuple[str, str, str], ...]:
    """The keys by which a look-up may have asked for this event: those under which it is found, and its own id."""
    return (*lookup_keys(event.kind, event.values), (event.kind, ID, event.id))


def future_keys(event: Event) -> tuple[tuple[str, str, str], ...]:
    """Those among them by which an event that came before may have asked for it: an event is seen by those that it names, and the
    zone of a site by all that happened there."""
    if event.kind == "site_profile":
        return answering_keys(event)
    values = (event.values.get(field) for field in event_reference_fields(event.kind))
    return tuple((event.kind, NAMES, value) for value in values if isinstance(value, str))


def under_id(event: Event | None, kind: str, until: int | None, since: int | None) -> Iterator[Event]:
    """What is found under an event's own id: the event as it stands, where it is one of those that are looked for."""
    if event is None or event.kind != kind or event.proposed:
        return
    if (until is None or event.occurred_at <= until) and (since is None or event.occurred_at >= since):
        yield event


def names_event(event: Event, event_id: str) -> bool:
    """Whether an event refers to another in a ``*_event`` field; such events are visible whenever they come."""
    return any(event.values.get(field) == event_id for field in event_reference_fields(event.kind))


@lru_cache(maxsize=65_536)
def key_of(kind: str, field: str, value: str) -> int:
    """The key as a signed 64-bit integer for the index. A collision costs a look, never an answer: values are compared again."""
    digest = blake2b(f"{kind}\x1f{field}\x1f{value}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
