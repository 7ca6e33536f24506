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
from compliance.engine.history import History
from compliance.engine.sight import FOREVER, Sight


def matches_target(signature: Event, sight: Sight) -> bool | None:
    """Whether ``target_sha256`` is the digest of the event that a signature names; None where the log has no such event yet."""
    target = signature.values["target_event"]
    sent = sight.history.sent(target)
    if sent is None:
        sight.ask("", ARRIVES, target, FOREVER)
        return None
    signed = str(signature.values["target_sha256"]).lower()
    taken = _as_in_the_log(signed, signature, sent, sight.history)
    if signable(sent.body) in taken:
        return True
    sight.ask("correction", "corrects", target, signature.occurred_at)
    sight.ask("void", "corrects", target, signature.occurred_at)
    stood = stood_for(signature, sent, sight.history)
    return stood is not None and stood is not sent and signable(stood.body) in taken


def stood_for(signature: Event, sent: Event, history: History) -> Event | None:
    """How an event stood when it was signed."""
    before = [one for one in history.amendments(sent.id) if one.order < signature.order]
    return standing(sent, lambda name: before if name == sent.id else history.amendments(name))


def _as_in_the_log(signed: str, signature: Event, sent: Event, history: History) -> set[str]:
    """The digest that was signed, and those that the log says the same event has there, its texts being in the vault.

    Whichever of signature, event and amendments came last could say it (docs/decisions/0009).
    """
    taken, seen = {signed}, set[str]()
    waiting = [signature, sent, *history.amendments(sent.id)]
    while waiting:
        one = waiting.pop()
        if one.id in seen:
            continue
        seen.add(one.id)
        if one.signing is not None and signed in one.signing:
            taken.add(one.signing[signed])
        if one.kind in ("correction", "void"):
            waiting += history.amendments(one.id)
    return taken


def signable(body: Mapping[str, Any]) -> str:
    """The SHA-256 (hex) that a signature of an event holds.

    >>> signable({"b": 1, "a": "x", "entered_at": "2026-03-02T09:00:00Z"}) == signable({"a": "x", "b": 1})
    True
    """
    return digest({name: value for name, value in body.items() if name != "entered_at"}).removeprefix(
        "sha256:"
    )
