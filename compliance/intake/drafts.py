"""What reading an input gives, whatever its format: valid events, pieces that are none, pieces that are not ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, TypeAlias

from compliance.domain.canonical import encode
from compliance.domain.event import Event
from compliance.domain.making import make_event
from compliance.errors import InputError, Place, Problem

KEPT: Final = 64 * 1024
"""So much of a piece that is no event is kept."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A valid event, not yet judged, and where it stood."""

    event: Event
    source: str
    line: int

    @classmethod
    def of_command(cls, body: Mapping[str, Any], source: str, line: int = 1) -> Draft:
        """The event that a command made of what a person said; raises InputError with all that does not fit, before anything is written."""
        made = make_event(body, source=source, line=line)
        if isinstance(made, Event):
            return cls(made, source, line)
        raise InputError(
            f"this {body['kind']} cannot be recorded",
            "Mend what the command was given; nothing was written.",
            made,
        )


@dataclass(frozen=True, slots=True)
class Rejected:
    """A piece of input that is no valid event: its first bytes, the SHA-256 (hex) of all of them, and all that is wrong."""

    source: str
    line: int
    raw: bytes
    sha256: str
    problems: tuple[Problem, ...]

    @classmethod
    def of_bytes(cls, place: Place, raw: bytes, problems: tuple[Problem, ...]) -> Rejected:
        """Some bytes of an input in which something is wrong."""
        return cls(place.source, place.line or 1, raw[:KEPT], sha256(raw).hexdigest(), problems)

    @classmethod
    def of(cls, draft: Draft, problems: tuple[Problem, ...]) -> Rejected:
        """A draft that turned out not to fit what is in the log; its bytes are the event's canonical JSON."""
        raw = encode(draft.event.body)
        return cls.of_bytes(Place(draft.source, draft.line), raw, problems)


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A piece of input that is well formed and not about what this log keeps, such as another drug: named, counted, never written.

    `what` names the piece without saying who it is about (``MedicationAdministration``); `reason` is for people, and the same
    for all pieces passed over for the same reason, so that they can be counted. `codes` are those (``system|code``) by which a drug was
    found to be another, never a text or a person; None where the reason is no drug's.
    """

    source: str
    line: int
    what: str
    reason: str
    codes: tuple[str, ...] | None = None


Item: TypeAlias = Draft | Rejected
"""What a log takes."""

Read: TypeAlias = Item | PassedOver
"""What reading gives."""
