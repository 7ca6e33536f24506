"""Whether a signature is of the event that it names (21 CFR 11.70; vocabulary: signature.target_sha256).

What is signed is the canonical JSON of the event as it was sent, without ``entered_at``, which the source system adds. Somebody who signs
afresh after a correction signs the event as it then stood; both are taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compliance.domain.canonical import digest
from compliance.domain.corrections import standing
from compliance.domain.event import Event
from compliance.domain.lookup import ARRIVES
from compliance.engine.sight import FOREVER, Sight


def matches_target(signature: Event, sight: Sight) -> bool | None:
    """Whether ``target_sha256`` is the digest of the event that a signature names; None where the log has no such event yet."""
    target = signature.values["target_event"]
    sent = sight.history.sent(target)
    if sent is None:
        sight.ask("", ARRIVES, target, FOREVER)
        return None
    signed = str(signature.values["target_sha256"]).lower()
    if signed == signable(sent.body):
        return True
    sight.ask("correction", "corrects", target, signature.occurred_at)
    sight.ask("void", "corrects", target, signature.occurred_at)
    before = [one for one in sight.history.amendments(target) if one.order < signature.order]
    stood = standing(sent, lambda name: before if name == target else sight.history.amendments(name))
    return stood is not None and stood is not sent and signed == signable(stood.body)


def signable(body: Mapping[str, Any]) -> str:
    """The SHA-256 (hex) that a signature of an event holds.

    >>> signable({"b": 1, "a": "x", "entered_at": "2026-03-02T09:00:00Z"}) == signable({"a": "x", "b": 1})
    True
    """
    return digest({name: value for name, value in body.items() if name != "entered_at"}).removeprefix(
        "sha256:"
    )
