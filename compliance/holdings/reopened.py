"""Counts that late entries set in another light: a movement, a count, a correction or a void that was recorded after the day's report.

A late entry re-opens the balance between when it occurred and the next complete count (S3-REC-CURRENT-25); what was compared there is
compared again, not patched.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from compliance.domain.event import Event
from compliance.engine.stock import MOVEMENTS
from compliance.holdings.account import Compared, Goods, Span, step_of
from compliance.holdings.books import accounts_of
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log

_STOCK: Final = frozenset({*MOVEMENTS, "inventory_count"})
_AMENDING: Final = frozenset({"correction", "void"})


@dataclass(frozen=True, slots=True)
class Reopened:
    """A comparison of an earlier day, and the entries since the last report that bear on it."""

    compared: Compared
    entries: tuple[int, ...]


@dataclass(slots=True)
class _Late:
    """What came late under one registration: when it occurred and its entry, by goods; None stands for a count, which is about all of them."""

    site: str
    begins: int
    by_goods: defaultdict[Goods | None, list[tuple[int, int]]] = field(
        default_factory=lambda: defaultdict[Goods | None, list[tuple[int, int]]](list)
    )

    def bearing(self, compared: Compared) -> tuple[int, ...]:
        """The entries that lie between the count before and this one."""
        first = (-(2**62) if compared.since is None else compared.since.at, -1)
        found: set[int] = set()
        for goods in (compared.goods, None):
            those = self.by_goods.get(goods, [])
            found.update(entry for at, entry in those[bisect_left(those, first) :] if at <= compared.count.at)
        return tuple(sorted(found))


def reopened(
    log: Log, history: LogHistory, reported: int, size: int, begins_of: Callable[[str], int | None]
) -> Iterator[Reopened]:
    """The comparisons before a site's day begins on which entries from `reported` on bear; none where nothing was ever reported.

    `begins_of` gives the beginning of the day at a site (microseconds), None where the site is not asked about.
    """
    late: dict[str, _Late] = {}
    before = LogHistory(log, before=reported)
    for entry in log.entries(reported, size) if reported else ():
        if entry.event_id is None or entry.kind is None:
            continue
        for event in _touched(entry.kind, entry.event_id, entry.target, before, history):
            registration, begins = event.values.get("registration"), begins_of(event.values["site"])
            if registration is not None and begins is not None and event.occurred_at < begins:
                of = late.setdefault(registration, _Late(event.values["site"], begins))
                insort(of.by_goods[_goods(event)], (event.occurred_at, entry.idx))
    for registration, of in sorted(late.items()):
        first = min(those[0][0] for those in of.by_goods.values())
        for account in accounts_of(history, registration, of.site, Span(first, of.begins)):
            for compared in account.compared:
                entries = of.bearing(compared)
                if entries:
                    yield Reopened(compared, entries)


def _touched(
    kind: str, event_id: str, target: str | None, before: LogHistory, history: LogHistory
) -> Iterator[Event]:
    """The events of stock that an entry is or amends, as they stood and as they stand."""
    seen: set[str] = set()
    while kind in _AMENDING and target is not None and target not in seen:
        seen.add(target)
        sent = history.sent(target)
        if sent is None:
            return
        kind, event_id, target = sent.kind, sent.id, sent.values.get("corrects")
    if kind in _STOCK:
        for event in (before.stands(event_id), history.stands(event_id)):
            if event is not None and not event.proposed:
                yield event


def _goods(event: Event) -> Goods | None:
    if event.kind == "inventory_count":
        return None
    step = step_of(event)
    return None if step is None else step.goods
