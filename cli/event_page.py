"""All that ``compliance events show`` tells of one event."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from . import output, results

if TYPE_CHECKING:
    from compliance.bundles import Bundles
    from compliance.domain.event import Event
    from compliance.domain.findings import Decision
    from compliance.ledger.entry import Entry
    from compliance.ledger.log import Log
    from compliance.persons import Words
    from compliance.rebinding import Fact, Rebound
    from compliance.standing import Explained


@dataclass(frozen=True)
class Page:
    """An event: as sent and as it stands, its first and last decision, the entries that name it, the facts of the last case."""

    sent: Event
    stands: Event | None
    first: Decision
    first_findings: list[Explained]
    last: Rebound
    last_findings: list[Explained]
    naming: list[Entry]
    facts: list[Fact]


def gather(log: Log, bundles: Bundles, idx: int) -> Page:
    """Read all of it from the log."""
    from compliance.continuation import decision_at
    from compliance.ledger.history import LogHistory
    from compliance.rebinding import facts, rebound

    history = LogHistory(log)
    sent = history.recorded(idx)
    first = decision_at(log, idx)
    later = log.last_judgement(sent.id)
    last = rebound(log, bundles, idx if later is None else later)
    naming = [log.entry(number) for number in log.naming(sent.id)]
    return Page(
        sent, history.stands(sent.id), first, results.explained_all(first, bundles), last,
        results.explained_all(last.decision, bundles), naming, facts(last),
    )  # fmt: skip


def spoken(page: Page, words: Words) -> Page:
    """The page with the words that lie in the vault."""
    sent = page.sent if words.sent is None else replace(page.sent, body=words.sent)
    stands = page.stands
    if stands is not None and words.stands is not None:
        stands = replace(stands, body=words.stands)
    return replace(page, sent=sent, stands=stands)


def as_json(page: Page) -> dict[str, Any]:
    """The page as one JSON object."""
    return {
        "event": page.sent.id,
        "kind": page.sent.kind,
        "entry": page.sent.position,
        "recorded_at": output.instant(page.sent.recorded_at or 0),
        "void": page.stands is None,
        "sent": page.sent.body,
        "stands": None if page.stands is None else page.stands.body,
        "first": _decision_json(page.first, page.sent.position, page.first_findings),
        "last": _decision_json(page.last.decision, page.last.idx, page.last_findings),
        "named_by": [_naming_json(entry) for entry in page.naming],
        "facts": [{"name": fact.name, "asked": fact.asked, "found": fact.found} for fact in page.facts],
        "case_agrees": page.last.agrees,
    }


def _decision_json(decision: Decision, entry: int, found: list[Explained]) -> dict[str, Any]:
    findings = [results.finding_json(one) for one in found]
    return {
        "entry": entry, "verdict": str(decision.verdict), "findings": findings, "bundle": decision.bundle,
        "case": decision.case, "engine": decision.engine,
    }  # fmt: skip


def _naming_json(entry: Entry) -> dict[str, Any]:
    return {
        "entry": entry.idx, "type": entry.type, "event": entry.event_id, "kind": entry.kind, "verdict": entry.verdict,
        "recorded_at": output.instant(entry.recorded_us),
    }  # fmt: skip


def as_text(page: Page) -> str:
    """The page for a person."""
    body = page.sent.body if page.stands is None else page.stands.body
    state = "void" if page.stands is None else "corrected" if body != page.sent.body else "as it was sent"
    lines = [
        f"{page.sent.id}  {page.sent.kind}, entry {page.sent.position}, recorded {output.instant(page.sent.recorded_at or 0)}, {state}",
        "",
    ]
    lines += [
        _field(name, value, page.sent.body.get(name))
        for name, value in body.items()
        if name not in ("id", "kind")
    ]
    lines += [
        f"  {name}: removed (was {shown(value)})"
        for name, value in page.sent.body.items()
        if name not in body
    ]
    if page.last.idx != page.sent.position:
        verdict = str(page.first.verdict)
        lines += ["", f"at first      {output.colored(verdict)}  (entry {page.sent.position})"]
    verdict = str(page.last.decision.verdict)
    lines += [
        "",
        f"decision      {output.colored(verdict)}  (entry {page.last.idx}, policies {page.last.decision.bundle[:19]})",
    ]
    lines += [results.finding_text(one) for one in page.last_findings]
    if page.naming:
        lines += ["", "named by"]
        for entry in page.naming:
            what = entry.kind or entry.type
            lines.append(
                f"  {what} {entry.event_id or ''}, entry {entry.idx}, {output.instant(entry.recorded_us)}".replace(
                    " ,", ","
                )
            )
    if page.facts:
        lines += ["", "judged on"]
        for fact in page.facts:
            lines.append(output.paragraph(f"{fact.name}: {fact.found}  ({fact.asked})", 2, 4))
    if page.last.case is not None and page.last.agrees:
        lines += ["", "The case was bound again from the log: its digest is the one in the entry."]
    elif not page.last.agrees:
        lines += [
            "",
            "The case was bound again from the log, and its digest is NOT the one in the entry; run `compliance log verify`.",
        ]
    return "\n".join(lines)


def _field(name: str, value: Any, sent: Any) -> str:
    changed = "" if value == sent else f"   (was {shown(sent)})" if sent is not None else "   (was missing)"
    return output.paragraph(f"{name}: {shown(value)}{changed}", 2, 4)


def shown(value: Any) -> str:
    """A value of an event for people; a text that lies in the vault is not there to be shown."""
    from compliance.domain.free_text import IN_THE_VAULT, is_commitment

    if isinstance(value, str) and is_commitment(value):
        return IN_THE_VAULT
    return value if isinstance(value, str) else output.json_line({"v": value})[5:-2].decode()
