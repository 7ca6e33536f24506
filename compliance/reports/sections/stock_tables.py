"""The tables of the section on stock: lots, the entries behind their figures, counts, containers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from compliance.domain.quantity import format_decimal
from compliance.engine.stock import MOVEMENTS
from compliance.holdings.account import Account, Compared, Goods
from compliance.holdings.differences import Difference, State
from compliance.holdings.reconciled import Lot, Vessel
from compliance.reports.night import Night
from compliance.reports.page import Cell, Column, Table

FIGURES: Final[Mapping[str, str]] = {
    "receipt": "received", "administration": "given", "dispense": "dispensed", "transfer_out": "transferred",
    "destruction": "destroyed", "wastage": "wasted",
}  # fmt: skip
"""What each kind of movement is called."""
_LEFT: Final = ("dispense", "transfer_out", "destruction")
_GOODS: Final = (
    Column("site", "Site"), Column("registration", "Registration"), Column("drug", "Drug"), Column("lot", "Lot"),
)  # fmt: skip


def tables(night: Night, lots: Iterable[Lot], vessels: Iterable[Vessel]) -> tuple[Table, ...]:
    """All of them."""
    lots, vessels = tuple(lots), tuple(vessels)
    return _lots(night, lots, vessels), _figures(lots), _counts(night, lots), _containers(night, vessels)


def amount(value: int | None) -> str | None:
    """A quantity as text; None where nobody can say."""
    return None if value is None else format_decimal(value)


def listed(entries: Iterable[int]) -> str:
    """Numbers of entries."""
    return ", ".join(map(str, entries))


def _goods(site: str, goods: Goods) -> tuple[Cell, ...]:
    return site, goods.registration, goods.drug, goods.lot


def _lots(night: Night, lots: Iterable[Lot], vessels: Iterable[Vessel]) -> Table:
    overfill = defaultdict[Goods | None, int](int)
    for vessel in vessels:
        overfill[vessel.account.life.goods] += vessel.overfill
    return Table(
        "stock",
        f"Stock by lot on {night.date}, from midnight to midnight at each site",
        (
            *_GOODS, Column("unit", "Unit"), Column("opening", "Opening", "quantity"), Column("received", "In", "quantity"),
            Column("given", "Given", "quantity"), Column("left", "Sent or destroyed", "quantity"), Column("wasted", "Wasted", "quantity"),
            Column("overfill", "Overfill drawn", "quantity"), Column("closing", "Book at close", "quantity"),
            Column("counted", "Counted last", "quantity"), Column("counted_at", "Counted at", "instant"),
            Column("difference", "Difference", "quantity"), Column("note", "Note"),
        ),
        tuple(_lot(night, lot, overfill[lot.account.goods]) for lot in lots),
        "nothing is on the books",
        headers=4,
    )  # fmt: skip


def _lot(night: Night, lot: Lot, overfill: int) -> tuple[Cell, ...]:
    account, last = lot.account, lot.last
    booked = account.goods.booked
    counted: tuple[Cell, ...] = (None, None, None)
    if last is not None:
        compared, judged = last
        counted = (
            amount(compared.counted),
            night.instant(compared.count.at, compared.count.site),
            amount(judged.amount),
        )
    return (
        *_goods(account.site, account.goods), account.goods.unit, amount(account.opening) if booked else None,
        amount(account.moved("receipt")[0]), amount(account.moved("administration")[0]), amount(account.moved(*_LEFT)[0]),
        amount(account.moved("wastage")[0]), amount(overfill), amount(account.closing) if booked else None, *counted,
        "; ".join(_remarks(account, last)),
    )  # fmt: skip


def _remarks(account: Account, last: tuple[Compared, Difference] | None) -> Iterator[str]:
    """What a reader of the row must know besides."""
    if not account.goods.booked:
        missing = "registration" if account.goods.registration is None else "lot"
        yield f"no {missing} was recorded: stands in no book"
    elif account.start is None:
        yield "never counted completely: from zero"
    if account.goods.booked and account.closing < 0:
        yield "the books are below zero"
    units = {step.unit for step in account.steps} - {account.goods.unit}
    if units:
        yield f"entered in {' and '.join(sorted(units))}, added as they stand"
    elsewhere = {step.site for step in account.steps} - {account.site}
    if elsewhere:
        yield f"moved at {', '.join(sorted(elsewhere))} too"
    if last is not None and last[1].state is State.FIRST:
        yield "first count: nothing to compare with"


def _figures(lots: Iterable[Lot]) -> Table:
    rows = [row for lot in lots for row in _figures_of(lot)]
    return Table(
        "stock-figures",
        "The entries behind each figure of the lots",
        (
            *_GOODS, Column("figure", "Figure"), Column("amount", "Amount", "quantity"), Column("unit", "Unit"),
            Column("movements", "Movements since the count", "count"), Column("entries", "Entries", "entries"),
        ),
        tuple(rows),
        "nothing is on the books",
        headers=5,
    )  # fmt: skip


def _figures_of(lot: Lot) -> Iterator[tuple[Cell, ...]]:
    account = lot.account
    about, unit = _goods(account.site, account.goods), account.goods.unit
    if account.goods.booked:
        counted = "" if account.base is None else str(account.base.entry)
        yield *about, "opening", amount(account.opening), unit, account.before, counted
    for kind in MOVEMENTS:
        moved, entries = account.moved(kind)
        if entries:
            yield *about, FIGURES[kind], amount(moved), unit, None, listed(entries)
    for compared, _ in lot.judged:
        yield *about, "counted", amount(compared.counted), unit, None, str(compared.count.entry)


def _counts(night: Night, lots: Iterable[Lot]) -> Table:
    rows = [
        (
            *_goods(lot.account.site, compared.goods), compared.count.handle, night.instant(compared.count.at, compared.count.site),
            compared.goods.unit, amount(compared.book) if compared.goods.booked else None, amount(compared.counted),
            amount(judged.overfill), amount(judged.amount), amount(judged.tolerance), str(judged.state),
            ", ".join(one.handle for one in judged.reported), listed(behind(compared, judged)),
        )
        for lot in lots
        for compared, judged in lot.judged
    ]  # fmt: skip
    return Table(
        "stock-counts",
        f"What was counted on {night.date}, and what the books held at that moment",
        (
            *_GOODS, Column("count", "Count"), Column("at", "At", "instant"), Column("unit", "Unit"),
            Column("book", "Book then", "quantity"), Column("counted", "Counted", "quantity"),
            Column("overfill", "Overfill since the count before", "quantity"), Column("difference", "Difference", "quantity"),
            Column("tolerance", "Tolerance", "quantity"), Column("state", "Which means"), Column("discrepancies", "Discrepancies"),
            Column("entries", "Entries", "entries"),
        ),
        tuple(rows),
        "nothing was counted",
        headers=5,
    )  # fmt: skip


def behind(compared: Compared, judged: Difference) -> tuple[int, ...]:
    """The count, the one that the books started from, what moved since on the day, and the discrepancies."""
    since = () if compared.since is None else (compared.since.entry,)
    return (compared.count.entry, *since, *compared.entries, *(one.entry for one in judged.reported))


def _containers(night: Night, vessels: Iterable[Vessel]) -> Table:
    return Table(
        "stock-containers",
        f"Containers that were used, opened, emptied or counted on {night.date}",
        (
            *_GOODS, Column("container", "Container"), Column("unit", "Unit"), Column("status", "Status"), Column("label", "Label", "quantity"),
            Column("opening", "Opening", "quantity"), Column("given", "Given", "quantity"), Column("wasted", "Wasted", "quantity"),
            Column("overfill", "Overfill drawn", "quantity"), Column("closing", "Book at close", "quantity"),
            Column("found", "Said to hold", "quantity"), Column("found_at", "Said at", "instant"),
            Column("difference", "Difference", "quantity"), Column("note", "Note"), Column("entries", "Entries", "entries"),
        ),
        tuple(_container(night, vessel) for vessel in vessels),
        "no container was used, opened, emptied or counted",
        headers=5,
    )  # fmt: skip


def _container(night: Night, vessel: Vessel) -> tuple[Cell, ...]:
    account = vessel.account
    life, reading = account.life, account.reading
    goods: tuple[Cell, ...] = (
        (life.site, None, None, None) if life.goods is None else _goods(life.site, life.goods)
    )
    said = (None, None) if reading is None else (amount(reading.found), night.instant(reading.at, life.site))
    note = "" if account.closing is not None else "nobody wrote what it held"
    return (
        *goods, life.name, None if life.goods is None else life.goods.unit, life.status, amount(life.label), amount(account.opening),
        amount(account.taken("administration")), amount(account.taken("wastage")), amount(vessel.overfill), amount(account.closing),
        *said, None if vessel.judged is None else amount(vessel.judged.amount), note, listed(account.entries),
    )  # fmt: skip
