"""Stock: whether the books, the shelves and the containers say the same of a day (S3-REC-BALANCE-26, S3-INV-RECONCILE-38).

Each lot opens with what its book held when the day began at its site, and closes with what it holds at midnight; what was counted stands
beside what the book held at that moment. Behind every figure are the entries that it is made of.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Final

from compliance.domain.quantity import format_decimal
from compliance.holdings.account import Compared, Goods, Span, Spans
from compliance.holdings.differences import UNEXPLAINED, Difference, Reconciling, State
from compliance.holdings.reconciled import Lot, Vessel, lots, touched, vessels
from compliance.holdings.reopened import reopened
from compliance.reports.night import Night
from compliance.reports.page import Item, Level, Section, worst
from compliance.reports.sections.stock_tables import behind, listed, tables

CITES: Final = "21 USC 827(a); 21 CFR 1304.21(a); 21 CFR 1301.76(b)"
"""Complete and accurate records of what came and went; a loss is told upon discovery."""

LEVELS: Final = {
    State.SHORT: Level.ALARM, State.OVER: Level.ACTION, State.UNKNOWN: Level.ACTION, State.OPEN: Level.ACTION,
    State.EXPLAINED: Level.NOTICE,
}  # fmt: skip
"""How urgent a difference is; what is not named here is in order."""

REMEDIES: Final = {
    State.SHORT: "Count again with a second person and look for a dose or wastage that was not entered; open a discrepancy for what stays unexplained.",
    State.OVER: "Count again with a second person and look for a delivery that was not entered, or a dose that was entered twice; open a discrepancy for the rest.",
    State.UNKNOWN: "Read the lot from the containers and correct the count.",
    State.OPEN: "Conclude the discrepancy: explained, not significant, significant loss or theft.",
    State.EXPLAINED: "Nothing, while the conclusion holds.",
}  # fmt: skip
"""What the stock officer must do."""


LOOKED_BACK: Final = 90 * 24 * 3600 * 1_000_000
"""For how long a difference is told that nobody explains, in microseconds."""


def stock(night: Night) -> Section:
    """What there was, what moved, what was counted and what differs, for each lot and each container."""
    if not night.sites:
        return Section("stock", "Stock", Level.GOOD, "No site is known.")
    spans = Spans(lambda site: _span(night, site), night.begins, night.ends - 1)
    reconciling = Reconciling(
        night.history, night.judge.bundle, lambda site: _zone(night, site), lambda site: _last(night, site)
    )
    found = [lot for lot in lots(night.history, spans, reconciling) if not lot.account.idle]
    names = touched(night.history, spans, found)
    held = list(vessels(night.history, spans, names, reconciling))
    items = [
        item
        for lot in found
        for compared, judged in lot.judged
        for item in _count(night, compared, judged, _within(held, compared, judged))
    ]
    told = {(compared.goods, _sign(judged)) for lot in found for compared, judged in lot.judged}
    items += [
        item
        for vessel in held
        if vessel.judged is not None and (vessel.account.life.goods, _sign(vessel.judged)) not in told
        for item in _container(night, vessel, vessel.judged)
    ]
    items += [item for lot in found for item in _book(night, lot)]
    reopen = list(_earlier(night, reconciling))
    items += reopen
    items += _still(night, reconciling, {item.event for item in reopen})
    items.sort(key=lambda item: list(Level).index(item.level))
    return Section(
        "stock", "Stock", worst([item.level for item in items]), _summary(found, items), tuple(items),
        tables(night, found, held), notes=tuple(_notes(night, found, reconciling)),
    )  # fmt: skip


def _span(night: Night, site: str) -> Span | None:
    return Span(night.of(site).begins, night.of(site).ends) if night.covers(site) else None


def _zone(night: Night, site: str) -> str:
    return night.of(site).zone if night.covers(site) else "UTC"


def _last(night: Night, site: str) -> int:
    return (night.of(site).ends if night.covers(site) else night.ends) - 1


def _sign(judged: Difference) -> int:
    """-1 for a shortage, 1 for a surplus, 0 where all is in order."""
    if judged.state not in LEVELS or not judged.amount:
        return 0
    return -1 if judged.amount < 0 else 1


def _within(held: Iterable[Vessel], compared: Compared, judged: Difference) -> str:
    """Which containers of the goods say the same by themselves."""
    about = (compared.goods, _sign(judged))
    names = [
        vessel.account.life.name
        for vessel in held
        if about[1]
        and vessel.judged is not None
        and (vessel.account.life.goods, _sign(vessel.judged)) == about
    ]
    return f" Look at container {', '.join(names)}." if names else ""


def _count(
    night: Night, compared: Compared, judged: Difference, also: str, since: tuple[int, ...] = ()
) -> Iterator[Item]:
    """A count that is not in order; `since` are the entries that came after the report of its day."""
    if judged.state not in LEVELS:
        return
    count, goods = compared.count, compared.goods
    at = night.instant(count.at, count.site)
    title = f"{_named(goods)} {_difference(judged, goods.unit)}: {_held(compared)}{_reported(judged, goods.unit)}.{also}"
    if since:
        title = f"{title} Counted on {at[:10]}; entered since the report of that day: {listed(since)}."
    values = {
        "registration": goods.registration or "", "drug": goods.drug, **({} if goods.lot is None else {"lot": goods.lot}),
        "book": format_decimal(compared.book), "counted": format_decimal(compared.counted), "overfill": format_decimal(judged.overfill),
        "difference": "" if judged.amount is None else format_decimal(judged.amount), "unit": goods.unit,
        "unexplained": "" if judged.unexplained is None else format_decimal(judged.unexplained),
    }  # fmt: skip
    yield Item(
        LEVELS[judged.state], title, f"count {count.handle}, {count.site}, entry {count.entry}", f"Stock officer: {REMEDIES[judged.state]}",
        CITES, site=count.site, event=count.event, at=at, values=values, entries=(*behind(compared, judged), *since),
    )  # fmt: skip


def _container(night: Night, vessel: Vessel, judged: Difference) -> Iterator[Item]:
    """A container of which more or less is there than there should be, where the count of its lot does not say so already."""
    account = vessel.account
    if judged.state not in LEVELS or judged.amount is None or account.life.goods is None:
        return
    life, goods, reading = account.life, account.life.goods, account.reading
    at = reading.at if reading is not None else account.steps[-1].at
    unit = goods.unit
    if reading is None:
        beyond = format_decimal(judged.amount)
        said = f"gave {beyond} {unit} more than its label and overfill allow"
    else:
        book = 0 if reading.book is None else reading.book
        said = f"{_difference(judged, unit)}: {format_decimal(reading.found)} {unit} said to be left, {format_decimal(book)} {unit} by the books"
    yield Item(
        LEVELS[judged.state], f"Container {life.name} of {goods.drug}, lot {goods.lot or 'not recorded'}, {said}{_reported(judged, unit)}.",
        f"container {life.name}, {life.site}", f"Stock officer: {REMEDIES[judged.state]}", CITES, site=life.site, at=night.instant(at, life.site),
        values={
            "registration": goods.registration or "", "drug": goods.drug, "container": life.name, "unit": unit,
            "difference": format_decimal(judged.amount), "overfill": format_decimal(judged.overfill),
        },
        entries=(*account.entries, *(one.entry for one in judged.reported)),
    )  # fmt: skip


def _book(night: Night, lot: Lot) -> Iterator[Item]:
    """What is wrong with a book by itself: it is below zero, or something moved that stands in none."""
    account, goods = lot.account, lot.account.goods
    entries = tuple(step.entry for step in account.steps)
    if goods.booked:
        if account.closing >= 0:
            return
        fell = "fell below zero, to" if account.opening >= 0 else "are below zero, at"
        title = f"The books of {_named(goods)} {fell} {format_decimal(account.closing)} {goods.unit}."
        todo = "Read lot and amount from the containers again and correct them, or enter the delivery that is missing; then count the lot."
    else:
        missing = "registration" if goods.registration is None else "lot"
        moved = sum(abs(step.amount) for step in account.steps)
        if not entries:
            return
        title = f"{format_decimal(moved)} {goods.unit} of {goods.drug} moved, and no {missing} was recorded: no book holds it."
        todo = f"Correct the entries and name the {missing}."
    last = account.steps[-1] if account.steps else None
    yield Item(
        Level.ACTION, title, f"{account.site}, entries {listed(entries)}", f"Stock officer: {todo}", CITES, site=account.site,
        at="" if last is None else night.instant(last.at, last.site),
        values={"registration": goods.registration or "", "drug": goods.drug, "closing": format_decimal(account.closing)}, entries=entries,
    )  # fmt: skip


def _earlier(night: Night, reconciling: Reconciling) -> Iterator[Item]:
    """Counts of earlier days that no longer agree, or that were entered late."""

    def begins_of(site: str) -> int | None:
        return night.of(site).begins if night.covers(site) else None

    for one in reopened(night.log, night.history, night.new_from, night.size, begins_of):
        yield from _count(night, one.compared, reconciling.of_lot(one.compared), "", one.entries)


def _still(night: Night, reconciling: Reconciling, told: Container[str]) -> Iterator[Item]:
    """Differences of the days before that nobody has explained: the next count takes them over, and they are not in order for that."""
    spans = Spans(
        lambda site: Span(night.of(site).begins - LOOKED_BACK, night.of(site).begins) if night.covers(site) else None,
        night.begins - LOOKED_BACK,
        night.ends - 1,
    )  # fmt: skip
    for lot in lots(night.history, spans, reconciling):
        for compared, judged in lot.judged:
            if judged.state in UNEXPLAINED and compared.count.event not in told:
                at = night.instant(compared.count.at, compared.count.site)
                yield from _count(night, compared, judged, f" Counted on {at[:10]}, and not explained since.")


def _named(goods: Goods) -> str:
    return f"{goods.drug} under {goods.registration or 'no registration'}, " + (
        "no lot recorded," if goods.lot is None else f"lot {goods.lot},"
    )


def _difference(judged: Difference, unit: str) -> str:
    if judged.amount is None:
        return "cannot be compared with the books"
    if judged.amount < 0:
        return f"is short by {format_decimal(-judged.amount)} {unit}"
    return f"has {format_decimal(judged.amount)} {unit} too much"


def _held(compared: Compared) -> str:
    unit = compared.goods.unit
    counted = f"{format_decimal(compared.counted)} {unit} counted"
    if not compared.goods.booked:
        return counted
    if not compared.lines:
        counted = "the complete count does not name it"
    return f"{counted}, {format_decimal(compared.book)} {unit} by the books"


def _reported(judged: Difference, unit: str) -> str:
    """The overfill in it, and which discrepancies account for how much."""
    told = ""
    if judged.overfill:
        told = f"; {format_decimal(judged.overfill)} {unit} of overfill are taken into account"
    if judged.reported:
        names = ", ".join(f"{one.handle} ({one.finding.replace('_', ' ')})" for one in judged.reported)
        rest = (
            f"; {format_decimal(abs(judged.unexplained))} {unit} stay unexplained"
            if judged.unexplained
            else ""
        )
        told += f"; told in discrepancy {names}{rest}"
    return told


def _summary(found: list[Lot], items: list[Item]) -> str:
    if not found:
        return "Nothing is on the books."
    books = [lot for lot in found if lot.account.goods.booked]
    counted = sum(lot.last is not None for lot in books)
    of = (
        f"{counted} of {len(books)} lots were counted"
        if counted
        else f"none of {len(books)} lots was counted"
    )
    short = sum(item.level is Level.ALARM for item in items)
    other = sum(item.level is Level.ACTION for item in items)
    if short:
        return f"{short} {'shortage is' if short == 1 else 'shortages are'} unexplained; {of}."
    if other:
        return f"{other} {'thing' if other == 1 else 'things'} about the stock must be cleared up; {of}."
    return f"{'The stock is in order' if counted else 'No difference is known'}; {of}."


def _notes(night: Night, found: list[Lot], reconciling: Reconciling) -> Iterator[str]:
    allowed = dict.fromkeys(reconciling.terms(site.site, site.ends - 1) for site in night.sites)
    for terms in allowed:
        sites = [one.site for one in night.sites if reconciling.terms(one.site, one.ends - 1) == terms]
        yield (
            f"{', '.join(sites)}: what was drawn from a vial above its label is overfill up to {format_decimal(terms.overfill_percent)} percent of the label; "
            f"it is no surplus, and it makes good no shortage. Opened containers may be off by {format_decimal(terms.tolerance)} in the stock unit."
        )
    waiting = [lot.account for lot in found if lot.account.goods.booked and lot.last is None]
    if waiting:
        yield "Not counted on this day: " + "; ".join(
            f"{account.goods.drug} lot {account.goods.lot} ({account.site})" for account in waiting
        )
