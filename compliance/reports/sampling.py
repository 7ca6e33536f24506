"""Past decisions judged again: a sample of them each night, chosen by the log's root, so that nobody knows beforehand which.

Each is bound from the log as it then was, and judged by the policies that it names. Where the case has another digest, or the decision comes out
otherwise, the log, the policies or the software is not what it was when it was written (docs/decisions/0013).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from compliance.bundles import Bundles
from compliance.domain.findings import Verdict
from compliance.errors import ComplianceError
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.rebinding import rebound

SAMPLE: Final = 100
"""Entries drawn each night; those that hold no decision are passed over."""


@dataclass(frozen=True, slots=True)
class Again:
    """One decision judged again: `agrees` with what is written, else `why` it does not."""

    idx: int
    agrees: bool
    why: str = ""


def drawn(size: int, seed: bytes) -> list[int]:
    """Indices below a size, by a seed: the same whenever they are drawn, each once, in order."""
    numbers = (sha256(seed + n.to_bytes(4, "big")).digest() for n in range(SAMPLE))
    return sorted({int.from_bytes(number[:8], "big") % size for number in numbers}) if size else []


def judged_again(log: Log, bundles: Bundles, size: int, seed: bytes) -> Iterator[Again]:
    """The decisions among the entries drawn, each judged again."""
    for idx in drawn(size, seed):
        if log.entry(idx).verdict is not None:
            yield _again(log, bundles, idx)


def _again(log: Log, bundles: Bundles, idx: int) -> Again:
    try:
        bound = rebound(log, bundles, idx)
        if not bound.agrees:
            return Again(idx, agrees=False, why="the facts it was made on are not found any more")
        if bound.decision.verdict is Verdict.VOIDED:
            return Again(idx, agrees=True)
        now = bound.judge.judge(bound.event, LogHistory(log, before=idx)).decision
    except ComplianceError as problem:
        return Again(idx, agrees=False, why=problem.message)
    if now.stands() != bound.decision.stands():
        return Again(
            idx,
            agrees=False,
            why=f"it comes out as {now.verdict} now, and {bound.decision.verdict} is written",
        )
    return Again(idx, agrees=True)
