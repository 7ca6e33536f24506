"""The rows of exported tables: name of the column to JSON value, as an event holds it (decimals, instants and dates are text); absent where
there is nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from compliance.bundles import Bundles
from compliance.domain.canonical import encode
from compliance.domain.time import format_instant
from compliance.exports.walk import Judged
from compliance.ledger.vault import Vault
from compliance.standing import explained

Row: TypeAlias = dict[str, Any]


def event_row(one: Judged) -> Row:
    """An event as it stands, with its last decision."""
    event = one.event
    return {
        "log_entry": event.position, "intent": event.values["intent"], **event.body, "recorded_at": format_instant(event.values["recorded_at"]),
        "noted_at": format_instant(event.noted_at), "log_state": one.state, "log_verdict": str(one.last_decision.verdict),
        "log_judged_in": one.last_in, "log_bundle": one.last_decision.bundle,
    }  # fmt: skip


def decision_row(one: Judged) -> Row:
    """The decision of an entry."""
    event, decision = one.event, one.decision
    row: Row = {
        "entry": one.entry.idx, "type": one.entry.type, "recorded_at": format_instant(one.entry.recorded_us), "event": event.id,
        "event_entry": event.position, "kind": event.kind, "site": event.values["site"], "verdict": str(decision.verdict), "last": one.last,
        "findings": len(decision.findings), "bundle": decision.bundle, "case": decision.case, "engine": decision.engine,
    }  # fmt: skip
    return row if one.cause is None else {**row, "cause": one.cause}


def finding_rows(one: Judged, bundles: Bundles) -> Iterator[Row]:
    """What the decision of an entry objects to, in the words of the policies that it was made under."""
    event, decision = one.event, one.decision
    for finding in decision.findings:
        said = explained(finding, bundles.bundle(decision.bundle))
        row: Row = {
            "entry": one.entry.idx, "event": event.id, "event_entry": event.position, "kind": event.kind, "site": event.values["site"],
            "last": one.last, "rule": finding.rule, "implements": list(said.implements), "severity": said.severity, "outcome": said.outcome,
            "overridden_by": finding.overridden_by, "message": said.message, "because": encode(dict(said.because)).decode(),
            "policy_file": said.rule.place.source, "policy_line": said.rule.place.line, "bundle": decision.bundle,
        }  # fmt: skip
        yield {name: value for name, value in row.items() if value is not None}


def person_rows(vault: Vault, pseudonym: str) -> Iterator[Row]:
    """The versions of an identity, or that the person was erased; nothing, where the vault knows nobody of that name."""
    versions = vault.persons.versions(pseudonym)
    for version in versions:
        yield {
            "pseudonym": pseudonym,
            "version": version.handle,
            "valid_from": version.valid_from,
            **version.clear,
        }
    gone = None if versions else vault.persons.erased(pseudonym)
    if gone is not None:
        yield {"pseudonym": pseudonym, "erased_by": gone[0]}
