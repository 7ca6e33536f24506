"""What a judgement says: outcomes of rules, findings, verdicts (engine.md, "How a decision is made")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What one rule says of one event."""

    PASS = "pass"
    FAIL = "fail"
    INDETERMINATE = "indeterminate"
    NOT_APPLICABLE = "not_applicable"


class Severity(StrEnum):
    """What a finding does: stop the act, flag it, or appear in the nightly report."""

    DENY = "deny"
    WARN = "warn"
    REPORT = "report"


class Verdict(StrEnum):
    """The decision on an event. Performed events were done and are always written; proposed ones ask permission."""

    COMPLIANT = "compliant"
    FLAGGED = "flagged"
    VIOLATION = "violation"
    PERMITTED = "permitted"
    PERMITTED_WITH_WARNINGS = "permitted_with_warnings"
    DENIED = "denied"
    VOIDED = "voided"  # only in a rejudgement: the event was voided, so nothing is held against it


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that did not pass. `because` maps what was asked (as written in the rule) to the value found, or to
    ``missing``. `overridden_by` is the id of the override event that lets a denied act go on."""

    rule: str
    outcome: Outcome
    severity: Severity
    because: Mapping[str, str]
    overridden_by: str | None = None

    def stands(self) -> tuple[str, str, str]:
        """The part that a later judgement is compared by: rule, outcome and severity."""
        outcome = "overridden" if self.overridden_by else str(self.outcome)
        return (self.rule, outcome, str(self.severity))


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with its findings, the bundle it was made under, and the digest of the case it was made on."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    bundle: str
    case: str
    engine: str

    def stands(self) -> tuple[Verdict, frozenset[tuple[str, str, str]]]:
        """The part by which two judgements of one event are compared."""
        return (self.verdict, frozenset(finding.stands() for finding in self.findings))


def decision_json(decision: Decision) -> dict[str, Any]:
    """A decision as the log keeps it: plain JSON, messages and citations left out (they are rendered from the bundle)."""
    return {
        "verdict": str(decision.verdict),
        "bundle": decision.bundle,
        "case": decision.case,
        "engine": decision.engine,
        "findings": [_finding_json(finding) for finding in decision.findings],
    }


def _finding_json(finding: Finding) -> dict[str, Any]:
    kept = {
        "rule": finding.rule,
        "outcome": str(finding.outcome),
        "severity": str(finding.severity),
        "because": dict(finding.because),
    }
    return {**kept, "overridden_by": finding.overridden_by} if finding.overridden_by else kept


def decision_of(kept: Mapping[str, Any]) -> Decision:
    """The decision that the log keeps; the inverse of `decision_json`."""
    findings = tuple(
        Finding(
            f["rule"], Outcome(f["outcome"]), Severity(f["severity"]), f["because"], f.get("overridden_by")
        )
        for f in kept["findings"]
    )
    return Decision(Verdict(kept["verdict"]), findings, kept["bundle"], kept["case"], kept["engine"])
