"""Overrides: a performed act that names its proposal may go on against a denial (engine.md, step 4).

Nothing is rewritten: the finding stands as ``overridden``. What may be overridden is said by the rule; ``never`` is the default.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

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
    proposed = sight.history.sent(proposal)
    marked = []
    for finding in findings:
        found = None
        if finding in denials:
            rule = bundle.rule(finding.rule)
            found = next((o for o in overrides if _covers(o, rule, proposed)), None)
        marked.append(finding if found is None else replace(finding, overridden_by=found.id))
    return tuple(marked)


def _in_time(override: Event, event: Event) -> bool:
    expires = override.values.get("expires_at")
    return expires is None or event.occurred_at <= expires


def _covers(override: Event, rule: Rule, proposed: Event | None) -> bool:
    if rule.override == "never" or not set(rule.implements) & set(override.values["requirements"]):
        return False
    if rule.override == "with_reason":
        return True
    approver = override.values["approved_by"]
    asking = None if proposed is None else proposed.values["actor"]
    return approver not in (override.values["actor"], asking)
