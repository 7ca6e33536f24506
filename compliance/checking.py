"""Checking: what recording would give, with nothing written and a reader's rights (``compliance check``).

The same `Submission` that records runs over a log with entries above it that exist in memory only; so a check cannot say anything else than
recording would (held by a test), the events see each other, and earlier events are judged again as they would be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from itertools import islice
from typing import Any, cast

from compliance.domain.canonical import encode
from compliance.engine.judging import Judge
from compliance.intake.json_lines import Draft, Rejected
from compliance.ledger.batch import Batch
from compliance.ledger.entry import VERSION, Entry, columns_of, rfc3339
from compliance.ledger.log import EARLIEST, LATEST, Log, system_clock
from compliance.record import Result, Submission

AT_ONCE = 100
"""Results given together: there is no commit to wait for."""


class Checker:
    """Judges events on top of a log, as recording them there would."""

    def __init__(self, log: Log, judge: Judge) -> None:
        above = _Above(log)
        self._submission = Submission(cast("Log", above), cast("Batch", above), judge)

    def submit(self, items: Iterable[Draft | Rejected]) -> Iterator[tuple[Result, ...]]:
        """Judge; yields results some at a time. The indices of new entries are those that they would get now."""
        results = self._submission.results(items)
        while some := tuple(islice(results, AT_ONCE)):
            yield some


class _Above:
    """A log and an open batch in one, as far as a submission uses them; what is appended stays in memory."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._base = log.size
        self._noted_us = log.head.recorded_us
        self._entries: list[Entry] = []
        self._ids: dict[str, int] = {}
        self._judged: dict[str, int] = {}
        self._keys: dict[int, set[tuple[int, int]]] = defaultdict(set)
        self._asked: dict[int, dict[int, int]] = defaultdict(dict)

    # ---- what a submission asks of a batch

    @property
    def size(self) -> int:
        """See `Batch.size`."""
        return self._base + len(self._entries)

    def next_recorded_at(self) -> int:
        """See `Batch.next_recorded_at`."""
        self._noted_us = max(system_clock(), self._noted_us + 1)
        return self._noted_us

    def append(
        self,
        type: str,  # noqa: A002 - the member's name
        members: Mapping[str, Any],
        *,
        recorded_us: int | None = None,
        keys: Iterable[int] = (),
        asked: Iterable[tuple[int, int]] = (),
    ) -> int:
        """See `Batch.append`; nothing is hashed."""
        recorded = self.next_recorded_at() if recorded_us is None else recorded_us
        document = {"v": VERSION, "type": type, "recorded_at": rfc3339(recorded), **members}
        entry = Entry(self.size, *columns_of(document), b"", encode(document))
        self._entries.append(entry)
        if entry.type == "event" and entry.event_id is not None:
            self._ids[entry.event_id] = entry.idx
        elif entry.type == "rejudgement" and entry.target is not None:
            self._judged[entry.target] = entry.idx
        self.add_keys((key, entry.occurred_us or 0, entry.idx) for key in keys)
        self.add_asked((key, until, entry.idx) for key, until in asked)
        return entry.idx

    def add_keys(self, rows: Iterable[tuple[int, int, int]]) -> None:
        """See `Batch.add_keys`."""
        for key, occurred, idx in rows:
            self._keys[key].add((occurred, idx))

    def add_asked(self, rows: Iterable[tuple[int, int, int]]) -> None:
        """See `Batch.add_asked`."""
        for key, until, idx in rows:
            known = self._asked[key]
            known[idx] = max(until, known.get(idx, EARLIEST))

    def quarantine(self, idx: int, raw: bytes, source: str) -> None:
        """See `Batch.quarantine`; nothing is kept."""

    # ---- what it asks of a log

    def entry(self, idx: int) -> Entry:
        """See `Log.entry`."""
        return self._log.entry(idx) if idx < self._base else self._entries[idx - self._base]

    def by_event_id(self, event_id: str) -> int | None:
        """See `Log.by_event_id`."""
        above = self._ids.get(event_id)
        return self._log.by_event_id(event_id) if above is None else above

    def last_judgement(self, event_id: str) -> int | None:
        """See `Log.last_judgement`."""
        above = self._judged.get(event_id)
        return self._log.last_judgement(event_id) if above is None else above

    def key_scan(
        self, key: int, until_us: int | None = None, since_us: int | None = None
    ) -> Iterator[tuple[int, int]]:
        """See `Log.key_scan`."""
        below = self._log.key_scan(key, until_us, since_us)
        rows = self._keys.get(key)
        if not rows:
            return below
        until, since = LATEST if until_us is None else until_us, EARLIEST if since_us is None else since_us
        above = sorted((row for row in rows if since <= row[0] <= until), reverse=True)
        return _each_once(merge(below, above, reverse=True))

    def asked_scan(self, key: int, from_us: int) -> Iterator[int]:
        """See `Log.asked_scan`."""
        yield from self._log.asked_scan(key, from_us)
        yield from (idx for idx, until in self._asked.get(key, {}).items() if until >= from_us)


def _each_once(rows: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Sorted rows; an event of the log that was corrected above it may stand in both halves."""
    last: tuple[int, int] | None = None
    for row in rows:
        if row != last:
            yield row
        last = row
