"""What an entry is: its document, and the columns that repeat parts of it for look-ups (audit-log.md, "Entry").

The canonical bytes are the truth. `columns_of` is the one place that says which column comes from which member; appending
writes what it gives, and verifying compares with what it gives, so a changed column is always found.

=============== ===========================================================================
column          member of the document
=============== ===========================================================================
``type``        ``type``
``recorded_us`` ``recorded_at``
``event_id``    ``event.id``
``kind``        ``event.kind``; likewise ``site``, ``patient``, ``session``
``occurred_us`` ``event.occurred_at``
``verdict``     ``decision.verdict``
``target``      ``target`` (a rejudgement and the like), else ``event.corrects``, else ``event.overrides_event``
``digest``      SHA-256 of the canonical bytes of ``event``
=============== ===========================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

from compliance.domain.canonical import encode
from compliance.domain.time import EPOCH, parse_instant
from compliance.domain.time import microseconds as since_epoch

VERSION: Final = 1
"""The member ``v``: which reading of the document applies."""

Text: TypeAlias = str | None
Columns: TypeAlias = tuple[str, int, Text, Text, Text, Text, Text, int | None, Text, Text, bytes | None]


class Entry(NamedTuple):
    """One row of the log. Instants are microseconds since the epoch; `body` holds the canonical bytes."""

    idx: int
    type: str
    recorded_us: int
    event_id: str | None
    kind: str | None
    site: str | None
    patient: str | None
    session: str | None
    occurred_us: int | None
    verdict: str | None
    target: str | None
    digest: bytes | None
    leaf: bytes
    body: bytes

    def document(self) -> dict[str, Any]:
        """The entry as JSON; a new dict at every call."""
        document: dict[str, Any] = orjson.loads(self.body)
        return document


def columns_of(document: Mapping[str, Any]) -> Columns:
    """The columns from ``type`` to ``digest`` of a document.

    Raises KeyError, TypeError, AttributeError or ValueError where the document is not one that this software appends.
    """
    return _columns(document["type"], microseconds(document["recorded_at"]), document)


def new_entry(type: str, recorded_us: int, members: Mapping[str, Any]) -> tuple[dict[str, Any], Columns]:  # noqa: A002
    """The document of a new entry, and its columns as `columns_of` would give them."""
    document = {"v": VERSION, "type": type, "recorded_at": rfc3339(recorded_us), **members}
    return document, _columns(type, recorded_us, document)


def _columns(type: str, recorded_us: int, document: Mapping[str, Any]) -> Columns:  # noqa: A002
    member = document.get
    event, decision, target = member("event"), member("decision"), member("target")
    verdict = None if decision is None else decision["verdict"]
    if event is None:
        return (type, recorded_us, None, None, None, None, None, None, verdict, target, None)
    member = event.get
    return (
        type,
        recorded_us,
        event["id"],
        event["kind"],
        event["site"],
        member("patient"),
        member("session"),
        microseconds(event["occurred_at"]),
        verdict,
        target or member("corrects") or member("overrides_event"),
        sha256(encode(event)).digest(),
    )


def rfc3339(instant: int) -> str:
    """Microseconds since the epoch as ``2026-11-22T14:03:11.412000Z``: always six digits, so that texts sort as instants do."""
    seconds, fraction = divmod(instant, 1_000_000)
    return "%s.%06dZ" % (_second(seconds), fraction)  # noqa: UP031  (half the time of a format specification)


@lru_cache(maxsize=8)
def _second(seconds: int) -> str:
    """Many entries are recorded within one second."""
    return (EPOCH + timedelta(seconds=seconds)).isoformat()[:19]


def microseconds(text: str) -> int:
    """An RFC 3339 instant that was validated before it was appended, as microseconds since the epoch; raises ValueError."""
    if len(text) == 27 and text[19] == "." and text[26] == "Z":  # as `rfc3339` writes it
        whole, fraction = _whole_second(text[:19]), text[20:26]
        if whole is not None and fraction.isascii() and fraction.isdigit():
            return whole + int(fraction)
    return _microseconds(text)


@lru_cache(maxsize=4096)
def _microseconds(text: str) -> int:
    """Events that belong together occur within a minute, which is as fine as most clocks that are written down."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:  # what Python does not read, such as a lower-case "t" (RFC 3339 5.6)
        return parse_instant(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC")
    return since_epoch(moment)


@lru_cache(maxsize=64)
def _whole_second(text: str) -> int | None:
    """``2026-11-22T14:03:11`` in UTC as microseconds since the epoch; None for any other text, though it may name an instant."""
    try:
        moment = datetime.fromisoformat(text + "+00:00")
    except ValueError:
        return None
    return since_epoch(moment) if moment.isoformat()[:19] == text and not moment.microsecond else None
