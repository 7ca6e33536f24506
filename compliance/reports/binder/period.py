"""What a binder is about: a site, from a day to a day, as the log knew it when it had a size.

An event belongs to the period where it occurred in it at the site, as it was sent or as it now stands: an inspector sees both. Days are those of the
site's own zone. Everything is read below one size of the log, so that what others record meanwhile changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from compliance.bundles import Bundles
from compliance.domain.lookup import EVERY, key_of
from compliance.domain.time import format_date, format_instant
from compliance.domain.vocabulary import KINDS
from compliance.errors import InputError, LogError
from compliance.ledger.entry import Entry, microseconds
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.reports.binder.verify_cells import CORRECTED, REPLACED, STANDS, VOID
from compliance.reports.night import days_of

_AMENDING: Final = ("correction", "void")


@dataclass(frozen=True, slots=True)
class Version:
    """One row's worth of an event: the entry, what is shown of it (as sent, or with the event as corrections leave it), and how that stands."""

    idx: int
    document: Mapping[str, Any]
    standing: str = STANDS
    amended: tuple[int, ...] = ()

    @property
    def event(self) -> Mapping[str, Any]:
        """The event's body in this version."""
        event: Mapping[str, Any] = self.document["event"]
        return event

    @property
    def counts(self) -> bool:
        """Whether it is what now holds."""
        return self.standing in (STANDS, CORRECTED)


class Marks:
    """A set of entries, a bit for each of the log's: a year of them costs 50 KB."""

    def __init__(self, size: int) -> None:
        self._bits = bytearray(size // 8 + 1)

    def add(self, idx: int) -> bool:
        """Put an entry in; false where it was in already."""
        byte, bit = idx >> 3, 1 << (idx & 7)
        fresh = not self._bits[byte] & bit
        self._bits[byte] |= bit
        return fresh

    def __contains__(self, idx: int) -> bool:
        return bool(self._bits[idx >> 3] & 1 << (idx & 7))

    def __iter__(self) -> Iterator[int]:
        for byte, bits in enumerate(self._bits):
            if bits:
                yield from (byte * 8 + bit for bit in range(8) if bits >> bit & 1)

    def __len__(self) -> int:
        return sum(bits.bit_count() for bits in self._bits)


class Period:
    """The events of a site from `first` to `last` (ordinal dates, both in it), known at a size of the log."""

    def __init__(self, log: Log, bundles: Bundles, size: int, site: str, first: int, last: int) -> None:
        self.log, self.bundles, self.size, self.site = log, bundles, size, site
        self.first, self.last = first, last
        self.history = LogHistory(log, before=size)
        (begin,), (end,) = days_of(self.history, first, (site,)), days_of(self.history, last, (site,))
        if end.begins > log.now():
            raise InputError(
                f"{format_date(last)} is still to come at {site}",
                "Let the period end today, or before: it says of which days the records are.",
            )
        self.zone, self.zone_known = end.zone, end.zone_known
        self.begins, self.ends = begin.begins, end.ends
        self._amended = {
            entry.target
            for kind in _AMENDING
            for _, idx in log.key_scan(key_of(kind, EVERY, ""))
            if idx < size and (entry := log.entry(idx)).kind == kind
        }
        self.marks = Marks(size)
        for kind in KINDS:
            for _, idx in self._found(kind):
                self.marks.add(idx)

    @property
    def words(self) -> str:
        """``2026-03-01 to 2026-03-31``."""
        return f"{format_date(self.first)} to {format_date(self.last)}"

    def instant(self, microseconds_: int) -> str:
        """An instant in the site's zone."""
        return format_instant(microseconds_, self.zone)

    def of(self, kind: str) -> Iterator[Version]:
        """The versions of the performed events of a kind in the period, in the order of time."""
        for _, idx in sorted(self._found(kind)):
            yield from self.performed(self.versions(idx))

    def until(self, kind: str, *, everywhere: bool = False) -> Iterator[Version]:
        """Those of all performed events of a kind up to the end of the period, at the site or at all sites."""
        key = key_of(kind, EVERY, "") if everywhere else key_of(kind, "site", self.site)
        seen = {idx: occurred for occurred, idx in self.log.key_scan(key, self.ends - 1) if idx < self.size}
        for idx in sorted(seen, key=lambda idx: (seen[idx], idx)):
            entry = self.log.entry(idx)
            if entry.kind == kind and (everywhere or entry.site == self.site):
                yield from self.performed(self.versions(idx))

    def performed(self, versions: list[Version]) -> Iterator[Version]:
        """Those of what happened: what was only proposed is a decision, and no record of anything."""
        return (one for one in versions if one.event.get("intent") != "proposed")

    def versions(self, idx: int) -> list[Version]:
        """An event as it was recorded and, where that was corrected, as it now stands."""
        document = self.log.entry(idx).document()
        event_id = document["event"]["id"]
        if event_id not in self._amended:
            return [Version(idx, document)]
        stands = self.history.stands(event_id)
        amended = tuple(self._chain(event_id, set()))
        if stands is None:
            return [Version(idx, document, VOID, amended)]
        if stands.body == document["event"]:
            return [Version(idx, document, STANDS, amended)]
        return [
            Version(idx, document, REPLACED, amended),
            Version(idx, {**document, "event": stands.body}, CORRECTED, amended),
        ]

    def _chain(self, event_id: str, seen: set[str]) -> Iterator[int]:
        """The entries of the performed corrections and voids of an event, and of those of these."""
        for one in sorted(self.history.amendments(event_id), key=lambda one: one.order):
            if not one.proposed and one.id not in seen:
                seen.add(one.id)
                yield one.position
                yield from self._chain(one.id, seen)

    def naming(self, event_id: str) -> list[int]:
        """The entries that name an event, as known at the size."""
        return [idx for idx in self.log.naming(event_id) if idx < self.size]

    def counted(self) -> int:
        """How many events belong to the period, by a walk over all entries that asks no index.

        Raises LogError where the index found others: what it does not find would be missing from the binder.
        """
        found = Marks(self.size)
        with self.log.reading():
            for entry in self.log.entries(1, self.size):
                if entry.type == "event" and self._inside(entry):
                    found.add(entry.idx)
        if list(found) != list(self.marks):
            raise LogError(
                f"{self.log.name}: the index of look-up keys and the entries disagree about what happened at {self.site}",
                "Run `compliance log verify`, then `compliance db rebuild`.",
            )
        return len(found)

    def _found(self, kind: str) -> set[tuple[int, int]]:
        """When each event of a kind occurred, as the version that is in the period says it, and its entry."""
        found: dict[int, int] = {}
        for occurred, idx in self.log.key_scan(key_of(kind, "site", self.site), self.ends - 1, self.begins):
            if idx >= self.size or idx in found:
                continue
            entry = self.log.entry(idx)
            if entry.kind == kind and self._inside(entry):
                found[idx] = occurred
        return {(occurred, idx) for idx, occurred in found.items()}

    def _inside(self, entry: Entry) -> bool:
        if entry.site == self.site and self.begins <= (entry.occurred_us or 0) < self.ends:
            return True
        if entry.event_id not in self._amended:
            return False
        stands = self.history.stands(str(entry.event_id))
        return (
            stands is not None
            and stands.values["site"] == self.site
            and self.begins <= stands.occurred_at < self.ends
        )


def noted_us(version: Version) -> int:
    """When the event of a version was known, in microseconds: when the source system took it, as it claims, else when the log did."""
    return microseconds(version.event.get("entered_at") or version.document["recorded_at"])
