"""A decision down to the clause (``compliance policy explain``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import output, results

if TYPE_CHECKING:
    from compliance.bundles import Bundles
    from compliance.domain.findings import Finding
    from compliance.ledger.log import Log
    from compliance.rebinding import Clause, Rebound

MARKS = {True: "holds", False: "does not hold", None: "cannot be decided"}


def as_json(log: Log, bundles: Bundles, idx: int) -> dict[str, Any]:
    """The decision as one JSON object."""
    from compliance.rebinding import facts, rebound

    bound = rebound(log, bundles, idx)
    explained = results.explained_all(bound.decision, bundles)
    return {
        "entry": idx,
        "event": bound.event.id,
        "kind": bound.event.kind,
        "verdict": str(bound.decision.verdict),
        "bundle": bound.decision.bundle,
        "case": bound.decision.case,
        "case_agrees": bound.agrees,
        "findings": [
            {
                **results.finding_json(words),
                "clauses": [_clause_json(clause) for clause in _clauses(bound, finding)],
            }
            for words, finding in zip(explained, bound.decision.findings, strict=True)
        ],
        "passed": _others(bound, applied=True),
        "not_applicable": _others(bound, applied=False),
        "facts": [{"name": fact.name, "asked": fact.asked, "found": fact.found} for fact in facts(bound)],
    }


def _clause_json(clause: Clause) -> dict[str, Any]:
    return {
        "text": clause.text,
        "holds": clause.holds,
        "values": clause.values,
        "lacking": list(clause.lacking),
    }


def _clauses(bound: Rebound, finding: Finding) -> list[Clause]:
    from compliance.rebinding import clauses, plan_of

    return list(clauses(bound, plan_of(bound, finding.rule)))


def _others(bound: Rebound, *, applied: bool) -> list[str]:
    """The rules without a finding: those that applied, or those that did not."""
    if bound.case is None:
        return []
    found = {finding.rule for finding in bound.decision.findings}
    rules = []
    for plan in bound.case.rules:
        holds = plan.when is None or plan.when(bound.case.scope) is True
        if plan.rule.id not in found and holds is applied:
            rules.append(plan.rule.id)
    return rules


def as_text(log: Log, bundles: Bundles, idx: int) -> str:
    """The decision for a person."""
    from compliance.rebinding import rebound

    bound = rebound(log, bundles, idx)
    verdict = str(bound.decision.verdict)
    bundle = bound.judge.bundle
    lines = [
        output.headline(
            verdict, f"{bound.event.id}  {bound.event.kind}, {bound.event.body['occurred_at']}, entry {idx}"
        ),
        f"under {bundle.name} {bundle.version}, {bound.decision.bundle[:19]}",
    ]
    for words, finding in zip(
        results.explained_all(bound.decision, bundles), bound.decision.findings, strict=True
    ):
        lines += ["", output.paragraph(f"{words.severity}  {words.rule.id}: {words.rule.title}", 0, 2)]
        lines.append(output.paragraph(words.message, 2))
        for clause in _clauses(bound, finding):
            lines.append(output.paragraph(f"{_mark(clause)}: {clause.text}", 4, 4))
            lines += (
                [f"        {name} is {value}" for name, value in clause.values.items()]
                if clause.holds is not True
                else []
            )
            if clause.lacking:
                lines.append(output.paragraph(f"would be decided by {', '.join(clause.lacking)}", 8))
        if not _clauses(bound, finding):
            lines += [f"    {name} is {value}" for name, value in words.because.items()]
        lines.append(f"  policy: {words.rule.place.source}:{words.rule.place.line}")
        lines.append(output.paragraph(f"written in: {words.rule.cited()}", 2, 2))
        lines.append(output.paragraph(f"to do: {words.remedy}", 2, 2))
    for title, names in (
        ("passed", _others(bound, applied=True)),
        ("did not concern it", _others(bound, applied=False)),
    ):
        if names:
            lines += ["", output.paragraph(f"{title}: {', '.join(names)}", 0, 2)]
    if not bound.agrees:
        lines += [
            "",
            "The case was bound again from the log, and its digest is NOT the one in the entry; run `compliance log verify`.",
        ]
    return "\n".join(lines)


def _mark(clause: Clause) -> str:
    return click.style(MARKS[clause.holds], fg={True: "green", False: "red", None: "yellow"}[clause.holds])
