"""Checking: what recording would give, with nothing written and a reader's rights (``compliance check``).

The same `Submission` that records runs over a batch that is never written; so a check says what recording would, the events see each other,
and earlier events are judged again as they would be. Where the log has an identity vault, texts become commitments as in recording, and
none is stored. Its judge may ask the reference alone (`Judge`, `written`): where the evaluators are at odds, a fault
of the software, recording denies what a check let pass.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from itertools import islice
from typing import Final

from compliance.engine.judging import Judge
from compliance.intake.drafts import Draft, Rejected
from compliance.ledger.log import Log
from compliance.ledger.vault import reach
from compliance.record import Result, Submission

AT_ONCE: Final = 100
"""Results given together: there is no commit to wait for."""


class Checker:
    """Judges events on top of a log, as recording them there would."""

    def __init__(self, log: Log, judge: Judge) -> None:
        self._log = log
        self._judge = judge

    def submit(self, items: Iterable[Draft | Rejected]) -> Generator[tuple[Result, ...], None, None]:
        """Judge; yields results some at a time. The indices of new entries are those that they would get now."""
        with reach(self._log, write=False) as way, self._log.rehearsing() as batch:
            submission = Submission(self._log, batch, self._judge, way=way)
            results = (result for item in items for result in submission.results_of(item))
            while some := tuple(islice(results, AT_ONCE)):
                yield some
