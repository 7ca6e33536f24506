"""Recording: each event is judged and appended with its decision, and what it changes is judged again (engine.md).

`Recorder.submit` takes what intake read and gives results batch by batch, each batch only after its commit: a receipt that was seen
is in the log. One bad line never costs a good one: it is kept as a ``rejected`` entry, its bytes in quarantine.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

from compliance import logs
from compliance.continuation import decision_at, parts_of
from compliance.domain.canonical import digest
from compliance.domain.corrections import standing
from compliance.domain.event import Event
from compliance.domain.findings import Decision
from compliance.domain.lookup import ARRIVES, LATER, answering_keys, future_keys, key_of, lookup_keys
from compliance.domain.making import stamp
from compliance.engine.judging import Judge, voided
from compliance.engine.sight import FOREVER, Asked
from compliance.errors import Place, Problem
from compliance.intake.drafts import Draft, Rejected
from compliance.ledger.batch import Batch
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.ledger.vault import Reach, Vault, reach
from compliance.misfits import misfits
from compliance.sealing import Sealing

BATCH: Final = 1000
"""Events per transaction: large enough that the disk is not waited for, small enough that receipts come steadily."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event that is in the log (or, when only checking, would be). `repeated` where it already was: nothing was written."""

    draft: Draft
    idx: int
    decision: Decision
    repeated: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """Input that is no event, with what is wrong with it; `idx` is its ``rejected`` entry. `repeated` where it was already kept."""

    source: str
    line: int
    problems: tuple[Problem, ...]
    idx: int
    repeated: bool


@dataclass(frozen=True, slots=True)
class Rejudged:
    """An earlier event that a new one changed, with how it stands now. `cause` is the new event's id."""

    event: Event
    idx: int
    decision: Decision
    cause: str


Result: TypeAlias = Recorded | Refused | Rejudged
Items: TypeAlias = tuple[Draft | Rejected, ...]


class Recorder:
    """Records into one log: under one bundle, or, where it is told how to find the one in force (`Bundles.active`), each batch under the
    bundle that is in force when the batch begins."""

    def __init__(self, log: Log, judge: Judge | Callable[[], Judge]) -> None:
        self._log = log
        self._judge = judge
        self._memory: Memory | None = None

    def submit(
        self, items: Iterable[Draft | Rejected], beside: Callable[[Vault], None] | None = None
    ) -> Generator[tuple[Result, ...], None, None]:
        """Judge and append; yields the results of each batch after its commit.

        Where the log has an identity vault, free texts go there first: the vault commits before the log, so that a commitment never stands
        without its text. `beside` stores something more in the vault, with the first batch. Raises DatabaseError where the vault cannot be used.
        """
        remaining = iter(items)
        with reach(self._log) as way:
            while chunk := tuple(islice(remaining, BATCH)):
                batch = self._batch(partial(_given, chunk), way, beside)
                yield tuple(result for of_item in batch for result in of_item)
                beside = None

    def batch(self, items: Iterable[Draft | Rejected]) -> list[tuple[Result, ...]]:
        """Judge and append in one transaction; for each item what became of it, and of the earlier events that it changes."""
        return self.made(partial(_given, tuple(items)))

    def made(self, make: Callable[[Batch], Items]) -> list[tuple[Result, ...]]:
        """The same for what `make` gives once the write lock is held: nobody appends between its look at the log and what it makes of it.

        What it writes into the batch is written with its events or not at all; what it raises leaves nothing behind.
        """
        with reach(self._log) as way:
            return self._batch(make, way, None)

    def _batch(
        self, make: Callable[[Batch], Items], way: Reach | None, beside: Callable[[Vault], None] | None
    ) -> list[tuple[Result, ...]]:
        before, self._memory = self._memory, None
        with self._log.writing() as batch:
            items = make(batch)
            judge = self._judge if isinstance(self._judge, Judge) else self._judge()
            submission = Submission(self._log, batch, judge, before, way, items)
            results = [tuple(submission.results_of(item)) for item in items]
            if way is not None and (way.opened or beside is not None):
                way.vault.commit(None if beside is None else partial(beside, way.vault))
        self._memory = submission.memory
        return results


def _given(items: Items, _: Batch) -> Items:
    """What came from outside needs no look at the log."""
    return items


class Memory(NamedTuple):
    """What one batch read, for the next: it holds while the log has `size` entries. No event comes after `latest`."""

    size: int
    history: LogHistory
    latest: tuple[int, int, int]


class Submission:
    """One batch: its history sees what the batch has appended."""

    def __init__(
        self,
        log: Log,
        batch: Batch,
        judge: Judge,
        before: Memory | None = None,
        way: Reach | None = None,
        items: Iterable[Draft | Rejected] = (),
    ) -> None:
        self._log = log
        self._batch = batch
        self._judge = judge
        if before is not None and before.size == batch.size:
            self._history, self._latest = before.history, before.latest
        else:
            self._history = LogHistory(log)
            self._latest = (self._history.latest(), FOREVER, FOREVER)
        self._sealing = None if way is None else Sealing(way, self._history, items)

    @property
    def memory(self) -> Memory:
        """What was read, for the next batch."""
        return Memory(self._batch.size, self._history, self._latest)

    def results_of(self, item: Draft | Rejected) -> Iterator[Result]:
        """What becomes of an item, and of the earlier events that it changes."""
        yield from self._rejected(item) if isinstance(item, Rejected) else self._draft(item)

    def _draft(self, draft: Draft) -> Iterator[Result]:
        event = draft.event
        known = self._history.sent(event.id)
        if known is not None:
            yield from self._again(draft, known)
            return
        # corrections and voids that came before what they name
        early = tuple(self._history.amendments(event.id))
        if self._sealing is not None:
            sealed = self._sealing.seal(draft, spoken_of=bool(early))
            if not isinstance(sealed, Event):
                yield from self._rejected(Rejected.of(draft, sealed))
                return
            event = sealed
        problems = misfits(draft, event, self._history, self._log)
        if problems:
            yield from self._rejected(Rejected.of(draft, problems))
            return
        event = stamp(event, self._batch.next_recorded_at(), self._batch.size)
        if self._sealing is not None:
            event = replace(event, signing=self._sealing.signing(event))
        before = self._standing_targets(event)
        stands = standing(event, self._history.amendments) if early else event
        decision, asked = self._decided(stands)
        idx = self._append_event(event, stands, decision, asked)
        self._history.take(event, stands)
        yield Recorded(draft, idx, decision, repeated=False)
        yield from self._judge_again(event, stands, before, early)

    def _decided(self, stands: Event | None) -> tuple[Decision, tuple[Asked, ...]]:
        """The decision on an event as it stands, with what was asked; an event that is void has nothing held against it."""
        if stands is None:
            return voided(self._judge.bundle), ()
        judgement = self._judge.judge(stands, self._history)
        for fault in judgement.faults:
            logs.error("evaluators disagree", about=stands.id, entry=self._batch.size, fault=fault)
        return judgement.decision, judgement.asked

    def _append_event(
        self, event: Event, stands: Event | None, decision: Decision, asked: tuple[Asked, ...]
    ) -> int:
        parts = parts_of(decision)
        signing = {} if event.signing is None else {"signing": event.signing}
        idx = self._batch.append(
            "event",
            {"event": event.body, "decision": parts.decision, **signing},
            recorded_us=event.recorded_at,
            keys=[key_of(*key) for key in lookup_keys(event.kind, event.values)],
            asked=asked_keys(asked),
        )
        parts.append_more(self._batch, idx)
        if stands is not None and stands is not event:
            self._batch.add_keys(_key_rows(stands))
        return idx

    def _again(self, draft: Draft, before: Event) -> Iterator[Result]:
        """The same id: the same event gives its first receipt, another is an error that names both."""
        idx = before.position
        sealing = self._sealing
        if before.body == draft.event.body or (sealing is not None and sealing.sent_as(before, draft.event)):
            yield Recorded(draft, idx, decision_at(self._log, idx), repeated=True)
            return
        # The digest of words would tell them to whoever can guess them.
        told = sealing is None or not sealing.speaks(draft.event)
        this = f"this has {digest(draft.event.body)}" if told else "this one has texts"
        problem = Problem(
            Place(draft.source, draft.line, field="id"),
            f"id {draft.event.id} is already recorded with other content: entry {idx} has {digest(before.body)}, {this}",
            "Send a correction of the recorded event, or give the new event its own id.",
            "duplicate-id",
        )
        yield from self._rejected(Rejected.of(draft, (problem,)))

    def _rejected(self, rejected: Rejected) -> Iterator[Result]:
        key = key_of("rejected", "sha256", rejected.sha256)
        for _, known in self._log.key_scan(key):
            if self._log.entry(known).document().get("sha256") == rejected.sha256:
                yield Refused(rejected.source, rejected.line, rejected.problems, known, repeated=True)
                return
        wrong = [
            {"field": p.place.field or "", "message": p.message, "code": p.code}
            for p in rejected.problems[:50]
        ]
        members = {
            "sha256": rejected.sha256,
            "kept_sha256": sha256(
                rejected.raw
            ).hexdigest(),  # of what waits in quarantine: very long input is cut
            "source": rejected.source,
            "line": rejected.line,
            "problems": wrong,
        }
        idx = self._batch.append("rejected", members, keys=[key])
        self._batch.quarantine(idx, rejected.raw, rejected.source)
        yield Refused(rejected.source, rejected.line, rejected.problems, idx, repeated=False)

    # ---- judging again

    def _judge_again(
        self,
        event: Event,
        stands: Event | None,
        before: list[tuple[Event, Event | None]],
        early: tuple[Event, ...],
    ) -> Iterator[Rejudged]:
        """Judge again every earlier event that looked where this one now stands, or where what it amends stood or stands."""
        affected = self._asking(event) | {amendment.position for amendment in early}
        if stands is not None and stands is not event:
            affected |= self._asking(stands)
        changed_to = [stands]
        for target, stood in before:
            affected.add(target.position)
            now = self._history.stands(target.id)
            changed_to.append(now)
            for version in (stood, now):
                if version is not None:
                    affected |= self._asking(version)
            if now is not None:
                self._batch.add_keys(_key_rows(now))
        affected.discard(event.position)
        self._latest = max(self._latest, event.order, *(e.order for e in changed_to if e is not None))
        for idx in sorted(affected):
            yield from self._rejudge(idx, event)

    def _asking(self, event: Event) -> set[int]:
        """The judged events that asked a key under which this event is found, and may see it."""
        # After all that was judged, it matters only to those that look into the future.
        keys = future_keys(event) if event.order > self._latest else answering_keys(event)
        keys = (*keys, (event.kind, LATER, ""), ("", ARRIVES, event.id))
        return {idx for key in keys for idx in self._log.asked_scan(key_of(*key), event.occurred_at)}

    def _standing_targets(self, event: Event) -> list[tuple[Event, Event | None]]:
        """What a correction or void names, as sent and as it stood before; where that is itself a correction, also what that names."""
        found: list[tuple[Event, Event | None]] = []
        target = (
            self._history.sent(event.values["corrects"]) if event.kind in ("correction", "void") else None
        )
        while target is not None and all(target.id != seen.id for seen, _ in found):
            found.append((target, self._history.stands(target.id)))
            target = self._history.sent(target.values["corrects"]) if "corrects" in target.values else None
        return found

    def _rejudge(self, idx: int, cause: Event) -> Iterator[Rejudged]:
        sent = self._history.recorded(idx)
        event = self._history.stands(sent.id)
        decision, asked = self._decided(event)
        self._batch.add_asked((key, until, idx) for key, until in asked_keys(asked))
        first = decision_at(self._log, idx)
        last = self._log.last_judgement(sent.id)
        stood = first if last is None else decision_at(self._log, last)
        if decision.stands() == stood.stands():
            return
        parts = parts_of(decision)
        members = {
            "target": sent.id, "of": idx, "cause": cause.id, "first_bundle": first.bundle, "decision": parts.decision,
        }  # fmt: skip
        at = self._batch.append("rejudgement", members)
        parts.append_more(self._batch, at)
        yield Rejudged(sent, at, decision, cause.id)


def asked_keys(asked: Iterable[Asked]) -> list[tuple[int, int]]:
    """What a judgement asked, for the index: (key, until)."""
    return [(key_of(a.kind, a.field, a.value), a.until) for a in asked]


def _key_rows(event: Event) -> list[tuple[int, int, int]]:
    """Rows of the index of look-up keys: (key, occurred_at, entry)."""
    return [
        (key_of(*key), event.occurred_at, event.position) for key in lookup_keys(event.kind, event.values)
    ]
