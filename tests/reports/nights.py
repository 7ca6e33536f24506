"""A night of a log, for tests of sections: what the nightly run would hand to them."""

from __future__ import annotations

from functools import lru_cache

from compliance.bundles import Bundles
from compliance.domain.time import parse_date
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.reports.night import Night, days_of, known_sites


def night_of(log: Log, date: str, *sites: str, new_from: int | None = None) -> Night:
    """The day at these sites (else at all with a profile), as all of the log knows it; nothing is news but what occurred then."""
    bundles, day, size = _bundles(log), parse_date(date), log.size
    history = LogHistory(log, before=size)
    days = days_of(history, day, sites or known_sites(history, day))
    return Night(log, bundles, bundles.active(), day, size, size if new_from is None else new_from, days)


@lru_cache(maxsize=4)
def _bundles(log: Log) -> Bundles:
    """A log's policies, made ready once."""
    return Bundles(log, written=False)
