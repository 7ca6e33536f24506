"""What the nightly run writes into the log, and reads back (audit-log.md, "Entry"): entries of three types beside those of events.

=============  ====================================================================================================================
``missed``     a duty that was not met in time: ``finding`` (its id), ``rule``, ``about`` (the event that opened it), ``due_at``, ``night``
``standing``   a standing rule began or ceased to fail: ``finding``, ``rule``, ``key`` (of the subject), ``about`` (the event that defines it),
               ``since`` (the first night), ``state`` (``began`` or ``ended``), ``night`` (the first on which it was so)
``nightly``    a report: ``date``, ``site`` where it is of one, ``edition``, ``size``, ``root``, ``bundle``, ``new_from``, ``report``
               (SHA-256 of its JSON form) and ``checkpoint``, the signed note of that size
=============  ====================================================================================================================

So what was so on a night is seen afterwards, too, and the id of a failure stays the same until it has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from compliance.domain.lookup import EVERY, key_of
from compliance.domain.time import format_date, local_date, parse_date
from compliance.engine.nights import Begun
from compliance.ledger.batch import Batch
from compliance.ledger.log import Log

MISSED: Final = "missed"
STANDING: Final = "standing"
NIGHTLY: Final = "nightly"
LAST_ZONE: Final = "Etc/GMT+12"
"""Where a day ends last: by a night of this date, every site's is over."""
TYPES: Final = (MISSED, STANDING, NIGHTLY)


def keys_of(document: Mapping[str, Any]) -> list[int]:
    """The look-up keys under which an entry of these types is found."""
    kind = document["type"]
    if kind == NIGHTLY:
        return [key_of(NIGHTLY, EVERY, ""), key_of(NIGHTLY, document.get("site", EVERY), document["date"])]
    if kind == MISSED:
        return [key_of(MISSED, "finding", document["finding"])]
    return [key_of(STANDING, EVERY, ""), key_of(STANDING, "finding", document["finding"])]


def append(batch: Batch, kind: str, members: Mapping[str, Any]) -> int:
    """Append one of these entries; returns its idx."""
    return batch.append(kind, members, keys=keys_of({"type": kind, **members}))


def _found(
    log: Log, kind: str, field: str, value: str, before: int | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Entries of a type under a key, the newest first, each with its idx; with `before`, only those before that idx."""
    for idx in sorted({idx for _, idx in log.key_scan(key_of(kind, field, value))}, reverse=True):
        if before is None or idx < before:
            document = log.entry(idx).document()
            if document["type"] == kind:
                yield idx, document


def told_missed(log: Log, finding: str, before: int | None = None) -> int | None:
    """The entry that tells that a duty was missed, or None."""
    found = (
        idx
        for idx, document in _found(log, MISSED, "finding", finding, before)
        if document["finding"] == finding
    )
    return next(found, None)


@dataclass(frozen=True, slots=True)
class Episode:
    """A standing rule that fails for a subject: since which night (``2026-03-05``), until which it was told (None: it has not ended).

    `key` is the subject's as JSON; `event` the id of the event that defined it when it was first told.
    """

    finding: str
    rule: str
    key: str
    event: str
    since: str
    ended: str | None


def episodes(log: Log, before: int | None = None) -> dict[str, Episode]:
    """Every failure of a standing rule that was told, by the id of its finding, the oldest first."""
    found: dict[str, Episode] = {}
    for _, told in reversed(list(_found(log, STANDING, EVERY, "", before))):
        ended = told["night"] if told["state"] == "ended" else None
        found[told["finding"]] = Episode(
            told["finding"], told["rule"], told["key"], told["about"], told["since"], ended
        )
    return found


def begun_by(log: Log, as_of: int) -> Begun:
    """Since when a failure goes on at an instant (microseconds) that was told, by rule and subject: what ended before, or began after, is another."""
    latest = format_date(local_date(as_of, LAST_ZONE))
    going = [
        one
        for one in episodes(log).values()
        if one.since <= latest and (one.ended is None or one.ended > latest)
    ]
    return begun_of(going)


def begun_of(going: Iterable[Episode]) -> Begun:
    """The first nights (ordinal dates) of some failures, by rule and subject."""
    known = {(one.rule, one.key): parse_date(one.since) for one in going}
    return lambda rule, key: known.get((rule.id, key_text(key)))


def key_text(key: tuple[Any, ...]) -> str:
    """A subject's key as JSON."""
    return orjson.dumps(key).decode()


@dataclass(frozen=True, slots=True)
class Printed:
    """A report that was made: entry `idx`; the other fields are those of the entry."""

    idx: int
    date: str
    site: str | None
    edition: int
    size: int
    root: str
    bundle: str
    new_from: int
    report: str
    checkpoint: str


def printed(log: Log, before: int | None = None) -> Iterator[Printed]:
    """Every report that was made, the newest first."""
    return (_printed(*one) for one in _found(log, NIGHTLY, EVERY, "", before))


def printed_on(log: Log, date: str, site: str | None) -> Printed | None:
    """The newest edition of the report of a day, of all sites or of one; None where there is none."""
    for idx, told in _found(log, NIGHTLY, site or EVERY, date):
        if told["date"] == date and told.get("site") == site:
            return _printed(idx, told)
    return None


def _printed(idx: int, told: Mapping[str, Any]) -> Printed:
    return Printed(
        idx, told["date"], told.get("site"), told["edition"], told["size"], told["root"], told["bundle"],
        told["new_from"], told["report"], told["checkpoint"],
    )  # fmt: skip
