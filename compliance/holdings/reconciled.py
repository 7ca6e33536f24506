"""Lots and containers in a span of time with what their counts amount to: what the nightly report and ``compliance inventory`` are made from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from compliance.domain.lookup import EVERY
from compliance.engine.history import History
from compliance.holdings.account import Account, Compared, Count, Spans
from compliance.holdings.books import accounts, counts
from compliance.holdings.containers import (
    Container,
    Life,
    container,
    counted_only,
    last_counted,
    lives,
    named_in,
)
from compliance.holdings.differences import Difference, Reconciling


@dataclass(frozen=True, slots=True)
class Lot:
    """Some goods, and each count of them with what it amounts to."""

    account: Account
    judged: tuple[tuple[Compared, Difference], ...]

    @property
    def last(self) -> tuple[Compared, Difference] | None:
        """The last count."""
        return self.judged[-1] if self.judged else None


@dataclass(frozen=True, slots=True)
class Vessel:
    """A container, with what its account amounts to (None where there is nothing to compare) and the overfill drawn from it in the span."""

    account: Container
    judged: Difference | None
    overfill: int


def lots(history: History, spans: Spans, reconciling: Reconciling) -> Iterator[Lot]:
    """Every account of the books asked about."""
    for account in accounts(history, spans):
        yield Lot(account, tuple((one, reconciling.of_lot(one)) for one in account.compared))


def vessels(
    history: History, spans: Spans, names: Iterable[str], reconciling: Reconciling
) -> Iterator[Vessel]:
    """These containers, those at a site that is not asked about left out."""
    within = defaultdict[str, list[Count]](list)
    for count in counts(history, spans):
        for name in named_in(count):
            within[name].append(count)
    by_site = defaultdict[str, list[Life]](list)
    for life in lives(history, names, spans.last):
        if not life.site and within[life.name]:  # known from counts alone
            life = counted_only(life, within[life.name][-1])
        by_site[life.site].append(life)
    for site, those in sorted(by_site.items()):
        span = spans.of(site)
        if span is None:
            continue
        before = last_counted(history, (life.name for life in those), span)
        percent = reconciling.terms(site, span.ends - 1).overfill_percent
        for life in those:
            account = container(life, before.get(life.name), within[life.name], span)
            yield Vessel(account, reconciling.of_container(account), account.drawn_above(percent))


def touched(history: History, spans: Spans, those: Iterable[Lot]) -> set[str]:
    """The containers that something was taken from in the span, that were counted by themselves, or of which a status was entered."""
    names = {step.container for lot in those for step in lot.account.steps}
    names |= {name for count in counts(history, spans) for name in named_in(count)}
    for event in history.newest_first("container_status", EVERY, "", spans.last, spans.first):
        if spans.cover(event.values["site"], event.occurred_at):
            names.add(event.values["container"])
    return {name for name in names if name is not None}
