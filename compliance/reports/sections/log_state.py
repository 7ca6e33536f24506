"""The log: whether it is whole, since when that was looked at, which past decisions were judged again, and its checkpoint in print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compliance.reports.night import Night
from compliance.reports.page import Column, Item, Level, Section, Table
from compliance.reports.sampling import Again
from compliance.reports.words import counted


@dataclass(frozen=True, slots=True)
class Verified:
    """What verifying the log gave: `good`, else the `state` and the `reason` in words; compared with the checkpoint of the report of `since` (a date),
    None where there was none."""

    good: bool
    state: str
    reason: str
    since: str | None


@dataclass(frozen=True, slots=True)
class LogState:
    """What was found out about the log: whether it verifies, the past decisions that were judged again, and its signed checkpoint."""

    night: Night
    verified: Verified
    again: tuple[Again, ...]
    checkpoint: str


def log_state(state: LogState) -> Section:
    """The section ``log``."""
    night, verified, again, checkpoint = state.night, state.verified, state.again, state.checkpoint
    differ = [one for one in again if not one.agrees]
    items = [*_broken(night.log.name, verified), *_differing(differ)]
    judged = f"{counted(len(again), 'past decision')} judged again: {'all agree' if not differ else counted(len(differ), 'differs', 'differ')}"
    if verified.good:
        compared = (
            ""
            if verified.since is None
            else f", and goes on from the checkpoint of the report of {verified.since}"
        )
        summary = f"The log is whole: {counted(night.size, 'entry', 'entries')}{compared}. {judged[0].upper()}{judged[1:]}."
    else:
        summary = _does_not_verify(verified)
    notes: tuple[str, ...] = (
        "Keep this checkpoint where nobody who can change the log can change it: whoever has it can tell whether anything before it was changed.",
    )
    if again:
        notes = (
            *notes,
            f"Judged again, drawn by the log's root: entries {', '.join(str(one.idx) for one in again)}.",
        )
    return Section(
        "log", "The log", Level.ALARM if items else Level.GOOD, summary, tuple(items), (_again(differ),), notes=notes, verbatim=checkpoint,
    )  # fmt: skip


def broken_log(name: str, verified: Verified) -> Section:
    """The section ``log`` of a log of which nothing else can be read."""
    note = "So much is missing or changed that nothing else could be read."
    return Section(
        "log",
        "The log",
        Level.ALARM,
        _does_not_verify(verified),
        tuple(_broken(name, verified)),
        notes=(note,),
    )


def _does_not_verify(verified: Verified) -> str:
    return f"The log does not verify: {verified.state}. {verified.reason[:1].upper()}{verified.reason[1:]}."


def _broken(name: str, verified: Verified) -> list[Item]:
    if verified.good:
        return []
    todo = (
        "Stop recording into it, keep the file as it is, and compare it with the last backup and the checkpoints that lie elsewhere "
        "(`compliance log verify --checkpoint FILE`)."
    )
    return [Item(Level.ALARM, _does_not_verify(verified), f"log {name}", todo)]


def _differing(differ: Sequence[Again]) -> list[Item]:
    todo = "Find out whether the log, the stored policies or the software was changed: `compliance policy explain` shows the decision, `compliance log verify` the log."
    return [
        Item(
            Level.ALARM,
            f"A past decision does not come out again: {one.why}.",
            f"entry {one.idx}",
            todo,
            entries=(one.idx,),
        )
        for one in differ
    ]


def _again(differ: Sequence[Again]) -> Table:
    return Table(
        "judged-again", "Past decisions that do not come out again", (Column("entry", "Entry", "entries"), Column("answer", "Why")),
        tuple((str(one.idx), one.why) for one in differ), "all that were drawn come out again",
    )  # fmt: skip
