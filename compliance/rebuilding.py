"""The look-up indexes made anew from the entries (cli.md, ``db rebuild``): which events have a key, and which judgements looked at one.

The first follows from the entries alone. The second is found by judging every event again as it now stands, under the policies of its last
decision and under those in force: what a judgement would look at now is where a later event would change it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from compliance.bundles import Bundles
from compliance.continuation import decision_at
from compliance.domain.lookup import key_of, lookup_keys
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.ledger.upkeep import rebuild
from compliance.record import asked_keys
from compliance.verifying import keys_of_entry

AMENDMENTS = ("correction", "void")
Rows = Iterator[tuple[int, int, int]]


def rebuild_indexes(url: str, progress: Callable[[int, int], None] = lambda *_: None) -> int:
    """Put both indexes of a log in order; returns how many entries they were made from.

    `progress` is told how many entries were gone through, and of how many (each is gone through twice). Raises LogError where an entry cannot
    be read: a log that does not verify is not mended by this.
    """
    rebuild(url, event_keys=_event_keys(url, progress))
    rebuild(url, asked_keys=_asked_keys(url, progress))  # what is judged again is found through the first
    with Log.open(url) as log:
        return log.size


def _event_keys(url: str, progress: Callable[[int, int], None]) -> Rows:
    """Rows (key, occurred_us, idx): as each event was sent, and as it stood after each of its amendments."""
    with Log.open(url) as log, log.reading():
        size = log.size
        for entry in log.entries():
            progress(entry.idx, 2 * size)
            for key in keys_of_entry(entry.document()):
                yield key, entry.occurred_us or 0, entry.idx
            if entry.kind in AMENDMENTS and entry.target is not None:
                yield from _keys_of_amended(LogHistory(log, before=entry.idx + 1), entry.target)
            if entry.event_id is not None and any(idx < entry.idx for idx in log.naming(entry.event_id)):
                # It was amended before it came.
                yield from _keys_of_amended(LogHistory(log, before=entry.idx + 1), entry.event_id)


def _keys_of_amended(history: LogHistory, event_id: str) -> Rows:
    """The rows of an event as it then stood; where it is itself a correction, also of what that names."""
    target = history.sent(event_id)
    while target is not None:
        now = history.stands(target.id)
        if now is not None:
            for name in lookup_keys(now.kind, now.values):
                yield key_of(*name), now.occurred_at, target.position
        target = history.sent(target.values["corrects"]) if "corrects" in target.values else None


def _asked_keys(url: str, progress: Callable[[int, int], None]) -> Rows:
    """Rows (key, until_us, idx) of what judging each event looks at."""
    with Log.open(url) as log, log.reading():
        size = log.size
        bundles, history = Bundles(log, written=False), LogHistory(log)
        active = bundles.active()
        for entry in log.entries():
            progress(size + entry.idx, 2 * size)
            event = (
                None if entry.type != "event" or entry.event_id is None else history.stands(entry.event_id)
            )
            if event is None:
                continue
            last = log.last_judgement(event.id)
            decided = bundles.judge(decision_at(log, entry.idx if last is None else last).bundle)
            for judge in (decided,) if decided is active else (decided, active):
                for key, until in asked_keys(judge.judge(event, history).asked):
                    yield key, until, entry.idx
