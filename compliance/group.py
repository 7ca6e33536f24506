"""Group commit: callers on several threads that record at the same time share one transaction (audit-log.md, "Sequencing and durability").

A commit waits for the disk, and costs the same for one event as for a thousand. While one caller's batch is being committed, those who come
meanwhile wait together; the next of them takes all of them along. Nobody waits longer than for the commit that is under way and one more.

>>> recorder = GroupRecorder(Recorder(log, judge))                     # doctest: +SKIP
>>> (recorded,) = recorder.submit([draft])                             # from any thread; returns after the commit   doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from compliance.errors import DatabaseError
from compliance.intake.drafts import Draft, Rejected
from compliance.record import Recorder, Result


@dataclass
class _Request:
    """What one caller wants recorded, and what became of it."""

    items: Sequence[Draft | Rejected]
    results: tuple[Result, ...] = ()
    failure: BaseException | None = None
    done: bool = field(default=False)


class GroupRecorder:
    """A `Recorder` for many threads."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._waiting: list[_Request] = []
        self._arriving = Lock()  # guards the list
        self._writing = Lock()  # held by the one who writes for all

    def submit(self, items: Sequence[Draft | Rejected]) -> tuple[Result, ...]:
        """Judge and append; returns what became of the items once they are committed. Raises what recording them raised."""
        request = _Request(items)
        with self._arriving:
            self._waiting.append(request)
        with self._writing:
            if not request.done:
                with self._arriving:
                    group, self._waiting = self._waiting, []
                try:
                    self._record(group)
                finally:  # whoever writes for all may be interrupted: the others write for themselves then
                    with self._arriving:
                        self._waiting[:0] = [one for one in group if not one.done and one is not request]
        if request.failure is not None:
            raise request.failure
        return request.results

    def _record(self, group: Sequence[_Request]) -> None:
        """One transaction for the whole group; where an event is at fault, one for each, so that nobody pays for another's."""
        try:
            self._record_together(group)
        except DatabaseError as failure:
            # A lock, a disk, a connection: each alone would meet it again, after waiting again.
            self._failed(group, failure)
        except Exception as failure:  # noqa: BLE001 - raised again, to the caller whom it concerns
            if len(group) == 1:
                self._failed(group, failure)
                return
            for request in group:
                self._record([request])

    @staticmethod
    def _failed(group: Sequence[_Request], failure: Exception) -> None:
        for request in group:
            request.failure, request.done = failure, True

    def _record_together(self, group: Sequence[_Request]) -> None:
        results = iter(self._recorder.batch(item for request in group for item in request.items))
        for request in group:
            request.results = tuple(result for _ in request.items for result in next(results))
            request.done = True
