"""The books: what came, what left and what was counted, for each registration, drug and lot.

The engine's `balance` is the meaning (`compliance.engine.stock`): the last complete count, plus what came and less what went since, from
zero where nothing was ever counted; a count does not see itself. `Account.closing` is that balance at the end of the span, for all
goods of a registration at once: each registration is read from its last complete count before the span on, never from the beginning.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from compliance.domain.lookup import EVERY
from compliance.engine.history import History
from compliance.engine.stock import MOVEMENTS
from compliance.holdings.account import Account, Compared, Count, Goods, Span, Spans, Step, count_of, step_of

BEGINNING: Final = frozenset({"initial", "newly_scheduled"})
"""Counts that begin the books, of the site or of a drug (21 CFR 1304.11(b) and (d))."""


def steps(history: History, by: str, value: str, until: int, since: int | None) -> Iterator[Step]:
    """The movements under a look-up key, kind by kind and newest first."""
    for kind in MOVEMENTS:
        for event in history.newest_first(kind, by, value, until, since):
            step = step_of(event)
            if step is not None:
                yield step


def accounts(history: History, spans: Spans) -> Iterator[Account]:
    """The accounts of every book whose site is asked about, by registration, drug and lot.

    There is a book where something ever came or was counted, and where something moved in the span. What names no registration stands in
    accounts of its own, for its site.
    """
    books = _counted(history, spans)
    for event in history.newest_first("receipt", EVERY, "", spans.last, None):
        registration = event.values.get("registration")
        if registration is not None and event.values["accepted"]:
            books.setdefault(registration, _Book(event.values["site"])).delivered(event.values["site"])
    loose = defaultdict[str, list[Step]](list)
    for step in _since_counted(history, books, spans):
        if step.goods.registration is None:
            loose[step.site].append(step)
        else:
            books.setdefault(step.goods.registration, _Book(step.site))
    for registration, book in sorted(books.items()):
        span = spans.of(book.site)
        if span is not None:
            yield from _accounts(history, registration, book, span)
    for site, moved in sorted(loose.items()):
        yield from _unbooked(site, moved)


def accounts_of(history: History, registration: str, site: str, span: Span) -> Iterator[Account]:
    """The accounts of one book; `site` is where it is."""
    book = _Book(site, counted=True)
    for event in history.newest_first("inventory_count", "registration", registration, span.ends - 1, None):
        book.take(count_of(event), span)
        if book.base is not None:
            break
    yield from _accounts(history, registration, book, span)


def counts(history: History, spans: Spans) -> list[Count]:
    """Every count in the span of its site, the oldest first."""
    found = map(count_of, history.newest_first("inventory_count", EVERY, "", spans.last, spans.first))
    return [count for count in found if spans.cover(count.site, count.at)][::-1]


@dataclass(slots=True)
class _Book:
    """A registration: where it is, the last complete count before its span, and the counts within, newest first."""

    site: str
    base: Count | None = None
    within: list[Count] = field(default_factory=list)
    counted: bool = False

    def delivered(self, site: str) -> None:
        """An earlier delivery: where nothing was counted, the first one says where the book is."""
        if not self.counted:
            self.site = site

    def take(self, count: Count, span: Span) -> None:
        """One more count, older than all before."""
        if count.at >= span.ends or self.base is not None:
            return
        begun = span.begins is not None or any(one.complete for one in self.within)
        before = count.at < span.begins if span.begins is not None else begun
        if not before:
            self.within.append(count)
        elif count.complete:
            self.base = count

    def begins(self, span: Span) -> int | None:
        """When its span begins: that of the site, or the last complete count."""
        if span.begins is not None:
            return span.begins
        return next((count.at for count in self.within if count.complete), None)


def _counted(history: History, spans: Spans) -> dict[str, _Book]:
    books: dict[str, _Book] = {}
    for event in history.newest_first("inventory_count", EVERY, "", spans.last, None):
        book = books.setdefault(event.values["registration"], _Book(event.values["site"], counted=True))
        span = spans.of(book.site)
        if span is not None and book.base is None:
            book.take(count_of(event), span)
    return books


def _since_counted(history: History, books: Mapping[str, _Book], spans: Spans) -> Iterator[Step]:
    """The movements in each site's span, whatever registration they name: what stands in no book, or in one that was never counted."""
    since: dict[str, int | None] = {}
    for book in books.values():
        span = spans.of(book.site)
        if span is not None:
            begins = book.begins(span)
            earlier = since.get(book.site, begins)
            since[book.site] = None if begins is None or earlier is None else min(begins, earlier)
    known = [begins for begins in since.values() if begins is not None]
    first = min(known) if spans.first is None and known and len(known) == len(since) else spans.first
    for step in steps(history, EVERY, "", spans.last, first):
        begins = since.get(step.site)
        if spans.cover(step.site, step.at) and (begins is None or step.at >= begins):
            yield step


def _unbooked(site: str, moved: Iterable[Step]) -> Iterator[Account]:
    by_goods = defaultdict[Goods, list[Step]](list)
    for step in moved:
        by_goods[step.goods].append(step)
    for goods, those in sorted(by_goods.items(), key=_by_goods):
        ordered = tuple(sorted(those, key=_order))
        yield Account(goods, site, 0, None, 0, ordered, (), sum(step.amount for step in ordered), None)


@dataclass(slots=True)
class _Page:
    """One account while it is made."""

    opening: int = 0
    before: int = 0
    balance: int = 0
    steps: list[Step] = field(default_factory=list)
    compared: list[Compared] = field(default_factory=list)
    drawn: dict[str, int] = field(default_factory=dict)

    def move(self, step: Step) -> None:
        self.balance += step.amount
        if step.container is not None and step.unit == "ml":  # what is counted in pieces has no overfill
            self.drawn[step.container] = self.drawn.get(step.container, 0) - step.amount


def _accounts(history: History, registration: str, book: _Book, span: Span) -> Iterator[Account]:
    pages = defaultdict[Goods, _Page](_Page)
    base, begins = book.base, book.begins(span)
    for line in base.lines if base is not None else ():
        pages[line.goods].balance += line.quantity
    if begins is not None:
        for step in steps(
            history, "registration", registration, begins - 1, None if base is None else base.at
        ):
            if base is None or step.order > base.order:
                pages[step.goods].move(step)
                pages[step.goods].before += 1
    for page in pages.values():
        page.opening = page.balance
    start = base
    timeline: list[Step | Count] = [*book.within]
    timeline += steps(history, "registration", registration, span.ends - 1, begins)
    for one in sorted(timeline, key=_order):
        if isinstance(one, Step):
            pages[one.goods].move(one)
            pages[one.goods].steps.append(one)
            continue
        _compare(one, pages, start)
        if one.complete:
            start = one
    for goods, page in sorted(pages.items(), key=_by_goods):
        moved, compared = tuple(page.steps), tuple(page.compared)
        yield Account(goods, book.site, page.opening, base, page.before, moved, compared, page.balance, start)


def _compare(count: Count, pages: defaultdict[Goods, _Page], since: Count | None) -> None:
    """Set a count beside the books; a complete one begins them anew."""
    named = dict.fromkeys(line.goods for line in count.lines)
    # A part of the stock, container by container, says nothing of the lot.
    whole = {
        goods for goods in named if count.complete or any(line.container is None for line in count.of(goods))
    }
    held = {goods for goods, page in pages.items() if page.balance and goods.lot is not None}
    for goods in sorted(whole | (held if count.complete else set()), key=_key):
        first = count.type in BEGINNING and (since is None or goods not in pages)
        page = pages[goods]
        entries = tuple(step.entry for step in page.steps if since is None or step.order > since.order)
        page.compared.append(
            Compared(goods, count, count.of(goods), page.balance, since, dict(page.drawn), first, entries)
        )
    if count.complete:
        for page in pages.values():
            page.balance, page.drawn = 0, {}
        for line in count.lines:
            pages[line.goods].balance += line.quantity


def _order(one: Step | Count) -> tuple[int, int, int]:
    return one.order


def _key(goods: Goods) -> tuple[str, str, str]:
    return goods.registration or "", goods.drug, goods.lot or ""


def _by_goods(item: tuple[Goods, Any]) -> tuple[str, str, str]:
    return _key(item[0])
