"""An override made from what a person says: a proposed act may go on against a denial (engine.md, step 4).

What cannot have an effect is refused here with its reason, before anything is written: an act that nobody proposed, a finding that there is
not, a rule that may never be set aside, one person where two are wanted, a permission that has run out.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

from compliance.bundles import Bundles
from compliance.domain.event import Event
from compliance.domain.findings import Severity
from compliance.domain.time import format_instant
from compliance.engine.overrides import FAULT, objection
from compliance.errors import InputError
from compliance.intake.drafts import Draft
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log, system_clock
from compliance.permissions import may_enter
from compliance.policy.model import Rule
from compliance.standing import last_decision

SOURCE: Final = "<command line>"


def override(log: Log, bundles: Bundles, event_id: str, members: Mapping[str, Any], actor: str) -> Draft:
    """The override of a proposed event that was denied.

    `members` are its own fields; ``requirements`` may be empty: then all that stand against the act. Raises InputError where it would
    have no effect.
    """
    proposed = _proposed(log, event_id)
    rules = _denying(log, bundles, proposed)
    if not rules:
        raise InputError(f"nothing is held against {event_id}", "It needs no override; nothing was written.")
    named = tuple(members["requirements"]) or tuple(
        dict.fromkeys(name for rule in rules for name in rule.implements)
    )
    stranger = next((name for name in named if all(name not in rule.implements for rule in rules)), None)
    if stranger is not None:
        against = ", ".join(dict.fromkeys(name for rule in rules for name in rule.implements))
        raise InputError(
            f"no denial of {event_id} is about {stranger}", f"These stand against it: {against}."
        )
    at = system_clock()
    body = {
        "id": f"override-{secrets.token_hex(8)}", "kind": "override", "occurred_at": format_instant(at), "actor": actor,
        **{name: proposed.body[name] for name in ("site", "patient", "session") if name in proposed.body},
        "overrides_event": event_id, **{name: value for name, value in members.items() if value is not None}, "requirements": list(named),
    }  # fmt: skip
    draft = Draft.of_command(body, SOURCE)
    made = draft.event
    concerned = [rule for rule in rules if set(rule.implements) & set(named)]
    why = next((why for rule in concerned if (why := objection(rule, made.values, proposed))), "")
    if why:
        raise InputError(f"{event_id}: {why}", "Nothing was written; do not do the act.")
    for person, does in ((actor, "enter"), (made.values["approved_by"], "approve")):
        if not may_enter(log, bundles.active().bundle, person, "override", at):
            raise InputError(
                f"{person} has no account whose role may {does} an override",
                "Have it done by a person with that right (permissions in bundle.yaml; `access_change` gives roles).",
            )
    if made.values.get("expires_at", at + 1) <= at:
        raise InputError("the permission would have run out already", "Name an end that lies ahead.")
    return draft


def _proposed(log: Log, event_id: str) -> Event:
    history = LogHistory(log)
    if history.sent(event_id) is None:
        raise InputError(f"the log has no event {event_id!r}", "Look for it with `compliance events list`.")
    proposed = history.stands(event_id)
    if proposed is None:
        raise InputError(f"{event_id} is void", "Propose the act again.")
    if not proposed.proposed:
        raise InputError(
            f"{event_id} was not proposed, it was done: what happened is not permitted afterwards",
            "Resolve its findings with a finding_action, which says what was done about them.",
        )
    return proposed


def _denying(log: Log, bundles: Bundles, proposed: Event) -> list[Rule]:
    """The rules that deny it as it was last judged; what the evaluators could not agree on nobody can let go on."""
    decision = last_decision(log, proposed.position)
    bundle = bundles.bundle(decision.bundle)
    denials = [found for found in decision.findings if found.severity is Severity.DENY]
    fault = next((found.rule for found in denials if FAULT in found.because), None)
    if fault is not None:
        raise InputError(
            f"the evaluators are at odds on {fault}",
            "Report it to those who keep this software; do not do the act.",
        )
    return [bundle.rule(found.rule) for found in denials]
