"""Decisions too large for one entry: the findings that do not fit go on in the entries right after it (audit-log.md, "Entry").

An act that was performed is never refused for size. The decision in the first entry says how many of its findings are ``continued``; each
``continuation`` entry names the entry that it goes on from in ``of`` and holds the next findings. All are written in one batch, so
that none can be there without the others, and with consecutive indices, so that reading them needs no search.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from compliance.domain.canonical import encode
from compliance.domain.findings import Decision, decision_json, decision_of
from compliance.errors import LogError
from compliance.ledger.batch import Batch
from compliance.ledger.log import Log

ROOM: Final = 30 * 1024
"""Bytes of findings in one entry: an event of 32 KiB stands beside them, and 2 KiB are left for the rest (65,535 in all)."""

LEFT_OUT: Final = "values left out"
"""The name under which a finding that is too large by itself says how many of its deciding values were not kept."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A decision as the log keeps it: what stands in its own entry, and the findings of each entry that goes on from it."""

    decision: dict[str, Any]
    more: tuple[list[dict[str, Any]], ...]

    def append_more(self, batch: Batch, idx: int) -> None:
        """Append what did not fit into the entry `idx`, right after it."""
        for findings in self.more:
            batch.append("continuation", {"of": idx, "findings": findings})


def parts_of(decision: Decision) -> Parts:
    """A decision, divided where its findings need more than one entry."""
    kept = decision_json(decision)
    if len(kept["findings"]) == 0 or len(encode(kept["findings"])) <= ROOM:
        return Parts(kept, ())
    first, *more = _divided(kept["findings"])
    return Parts({**kept, "findings": first, "continued": sum(map(len, more))}, tuple(more))


def decision_at(log: Log, idx: int) -> Decision:
    """The whole decision of an entry. Raises LogError where an entry that it goes on in is not there."""
    kept = log.entry(idx).document()["decision"]
    findings, continued, at = kept["findings"], kept.get("continued", 0), idx
    while continued > 0:
        at += 1
        more = log.entry(at).document()
        if more["type"] != "continuation" or more["of"] != idx:
            raise LogError(
                f"entry {idx} goes on in entry {at}, which is another one's", "Run `compliance log verify`."
            )
        findings += more["findings"]
        continued -= len(more["findings"])
    return decision_of(kept)


def _divided(findings: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The findings in their order, in lists that fit an entry each."""
    part: list[dict[str, Any]] = []
    used = 2  # the brackets
    for whole in findings:
        finding = _fitting(whole)
        size = len(encode(finding)) + 1  # and a comma
        if part and used + size > ROOM:
            yield part
            part, used = [], 2
        part.append(finding)
        used += size
    yield part


def _fitting(finding: dict[str, Any]) -> dict[str, Any]:
    """A finding with as many of its deciding values as fit into an entry of its own."""
    if len(encode(finding)) + 3 <= ROOM:
        return finding
    because: dict[str, str] = {}
    used = len(encode({**finding, "because": {LEFT_OUT: str(len(finding["because"]))}})) + 3
    for name, value in finding["because"].items():
        used += len(encode({name: value}))
        if used > ROOM:
            break
        because[name] = value
    because[LEFT_OUT] = str(len(finding["because"]) - len(because))
    return {**finding, "because": because}
