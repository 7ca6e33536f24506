"""Overrides: a performed act that names its proposal may go on against a denial (engine.md, step 4).

Nothing is rewritten: the finding stands as ``overridden``. What may be overridden is said by the rule; ``never`` is the default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from compliance.domain.event import Event
from compliance.domain.findings import Finding, Severity
from compliance.domain.lookup import NAMES
from compliance.engine.sight import FOREVER, Sight
from compliance.policy.model import Bundle, Rule

FAULT: Final = "engine fault"
"""Under this name a finding tells of evaluators at odds; what nobody could judge, nobody can let go on."""


def lifted(findings: tuple[Finding, ...], event: Event, sight: Sight, bundle: Bundle) -> tuple[Finding, ...]:
    """The findings, those denials marked that a valid override of the event's proposal covers."""
    proposal = event.values.get("proposal")
    denials = [f for f in findings if f.severity is Severity.DENY and FAULT not in f.because]
    if not isinstance(proposal, str) or not denials:
        return findings
    # An override of the performed act itself, which its own sight shows whenever it comes, permits nothing: it was not asked before.
    overrides = [
        o
        for o in sight.candidates("override", NAMES, proposal, event.occurred_at, None)
        if o.values["overrides_event"] == proposal and _in_time(o, event)
    ]
    sight.ask(event.kind, "id", proposal, FOREVER)
    proposed = sight.history.stands(proposal)
    before = [
        one
        for one in sight.candidates(event.kind, "proposal", proposal, event.occurred_at, None)
        if one.values.get("proposal") == proposal
    ]
    if proposed is None or not is_carried_out_by(proposed, event, before):
        return findings
    marked = []
    for finding in findings:
        found = None
        if finding in denials:
            rule = bundle.rule(finding.rule)
            found = next((o for o in overrides if not objection(rule, o.values, proposed)), None)
        marked.append(finding if found is None else replace(finding, overridden_by=found.id))
    return tuple(marked)


def _in_time(override: Event, event: Event) -> bool:
    expires = override.values.get("expires_at")
    return expires is None or event.occurred_at <= expires


def is_carried_out_by(proposed: Event, performed: Event, before: Sequence[Event] = ()) -> bool:
    """Whether an act is the one that was proposed: of the same kind, at the same site, on the same patient with the same drug, and, with what
    was done `before` on the same proposal, no more of it. What was allowed once is not allowed twice."""
    asked, done = proposed.values, performed.values
    amounts = [name for name in ("dose_mg", "quantity") if name in done]
    if before and not amounts:
        return False
    return (
        proposed.proposed
        and proposed.kind == performed.kind
        and all(asked.get(name) == done.get(name) for name in ("site", "patient", "session", "drug"))
        and all(
            done[name] + sum(one.values.get(name, 0) for one in before) <= asked.get(name, 0)
            for name in amounts
        )
    )


def objection(rule: Rule, override: Mapping[str, Any], proposed: Event) -> str:
    """Why an override does not set a rule aside, in words; empty where it does. `override` are its values: who gives it (`actor`), who
    approves it (`approved_by`), and the `requirements` that it names."""
    if rule.override == "never":
        return f"{rule.id} may never be set aside"
    if not set(rule.implements) & set(override["requirements"]):
        return f"it does not name {' or '.join(rule.implements)}, which {rule.id} keeps"
    if rule.override == "two_person" and override["approved_by"] in (
        override["actor"],
        proposed.values["actor"],
    ):
        return f"{rule.id} wants a second person: neither who proposed the act nor who enters the override may approve it"
    return ""
