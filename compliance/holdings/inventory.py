"""The inventory: what the books hold at an instant, by lot, by container or by drug, from the last complete count on.

Each row begins with what was counted then (`opening`), and every movement since is in it, so `opening` and the `steps` add up to the `balance`.
Beside it stands the count that differs from the books, or else the last one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from compliance.domain.drugs import DRUGS
from compliance.engine.history import History
from compliance.holdings.account import Goods, Span, Spans, Step
from compliance.holdings.differences import UNEXPLAINED, Difference, Reconciling, State
from compliance.holdings.reconciled import Lot, Vessel, lots, vessels

By: TypeAlias = Literal["lot", "container", "drug"]

_SAID: Final = frozenset({*UNEXPLAINED, State.OPEN, State.UNKNOWN})
"""Differences that are told though nothing is left of the goods."""
_ASIDE: Final = frozenset({"lost", "quarantined", "awaiting_disposal", "sealed_by_order"})
"""States of a container in which its content is accounted for, and cannot be used."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which goods are asked about; None is any."""

    site: str | None = None
    drug: str | None = None
    lot: str | None = None
    container: str | None = None

    def holds(self, goods: Goods) -> bool:
        """Whether goods are among them, at whatever site."""
        return self.drug in (None, goods.drug) and self.lot in (None, goods.lot)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of some goods, when (microseconds) and in which entry, beside what the books held; `judged` is what it amounts to."""

    quantity: int
    at: int
    entry: int
    book: int | None
    judged: Difference


@dataclass(frozen=True, slots=True)
class Row:
    """Some goods, or one container of them; `booked` is whether there is a book that they stand in. `start` is the entry that says what the
    balance begins with (None: from zero, or not known); a balance that nobody can say is None."""

    site: str
    registration: str | None
    drug: str | None
    lot: str | None
    container: str | None
    booked: bool
    opening: int | None
    start: int | None
    steps: tuple[Step, ...]
    balance: int | None
    found: Found | None
    unexplained: bool
    told: bool
    """Whether there is anything to say: something is there, moved outside the books, or differs."""
    overfill: int = 0
    notes: tuple[str, ...] = ()

    @property
    def unit(self) -> str | None:
        """The drug's stock unit."""
        return None if self.drug is None else DRUGS[self.drug].stock_unit


def inventory(history: History, reconciling: Reconciling, ends: int, asked: Asked, by: By) -> list[Row]:
    """What there was before an instant (microseconds), by site, registration, drug, lot and container.

    What is at zero and in order is left out, unless its lot or container is asked for by name.
    """
    spans = Spans(lambda site: Span(None, ends) if asked.site in (None, site) else None, None, ends - 1)
    found = [lot for lot in lots(history, spans, reconciling) if asked.holds(lot.account.goods)]
    if by == "container":
        rows = list(_by_container(history, found, reconciling, ends, asked))
    elif by == "drug":
        rows = list(_by_drug(found))
    else:
        rows = [_of_lot(lot) for lot in found]
    named = asked.lot is not None or asked.container is not None
    return sorted((row for row in rows if named or row.told), key=_place)


def _place(row: Row) -> tuple[str, str, str, str, bool, str]:
    goods = (row.registration or "", row.drug or "", row.lot or "")
    return row.site, *goods, row.container is None, row.container or ""


def _of_lot(lot: Lot) -> Row:
    account, goods, steps = lot.account, lot.account.goods, lot.account.running
    differing = [pair for pair in lot.judged if pair[1].state in UNEXPLAINED]
    shown = differing[-1] if differing else lot.last
    found = None
    if shown is not None:
        compared, judged = shown
        book = compared.book if goods.booked else None
        found = Found(compared.counted, compared.count.at, compared.count.entry, book, judged)
    said = bool(differing) or (found is not None and found.judged.state in _SAID)
    there = account.closing != 0 if goods.booked else bool(steps)
    opening = account.closing - sum(step.amount for step in steps)
    return Row(
        account.site, goods.registration, goods.drug, goods.lot, None, goods.booked, opening if goods.booked else None,
        None if account.start is None else account.start.entry, steps, account.closing if goods.booked else None,
        found, bool(differing) or (goods.booked and account.closing < 0), there or said, notes=tuple(_notes(lot)),
    )  # fmt: skip


def _notes(lot: Lot) -> Iterator[str]:
    account = lot.account
    if not account.goods.booked:
        yield f"no {'registration' if account.goods.registration is None else 'lot'} was recorded: stands in no book"
    elif account.start is None:
        yield "never counted completely: from zero"
    if account.goods.booked and account.closing < 0:
        yield "the books are below zero"


def _by_drug(found: Iterable[Lot]) -> Iterator[Row]:
    """The lots of a drug added up; what names no lot is among them, as in the engine's balance by registration and drug."""
    groups = defaultdict[tuple[str, str | None, str], list[Lot]](list)
    for lot in found:
        account = lot.account
        groups[account.site, account.goods.registration, account.goods.drug].append(lot)
    for (site, registration, drug), those in groups.items():
        rows = [_of_lot(lot) for lot in those]
        steps = tuple(sorted((step for row in rows for step in row.steps), key=lambda step: step.order))
        closing = sum(lot.account.closing for lot in those)
        opening = closing - sum(step.amount for step in steps)
        booked = registration is not None
        yield Row(
            site, registration, drug, None, None, booked, opening if booked else None, rows[0].start, steps, closing if booked else None,
            None, any(row.unexplained for row in rows), closing != 0 or any(row.told for row in rows),
            notes=tuple(
                f"lot {row.lot or 'not recorded'}: {row.found.judged.state}"
                for row in rows
                if row.found is not None and row.found.judged.state in _SAID
            ),
        )  # fmt: skip


def _by_container(
    history: History, found: Iterable[Lot], reconciling: Reconciling, ends: int, asked: Asked
) -> Iterator[Row]:
    """The containers of each lot, and a row for what of the lot is in none of them."""
    by_goods = {lot.account.goods: lot for lot in found if lot.account.goods.booked}
    if asked.container is None:
        yield from (_of_lot(lot) for lot in found if not lot.account.goods.booked)
    spans = Spans(lambda site: Span(None, ends) if asked.site in (None, site) else None, None, ends - 1)
    names = {asked.container} if asked.container is not None else _named(history, by_goods, ends - 1)
    inside = defaultdict[Goods, list[Vessel]](list)
    for vessel in vessels(history, spans, names, reconciling):
        goods = vessel.account.life.goods
        if goods in by_goods:
            inside[goods].append(vessel)
        if goods in by_goods or (asked.container is not None and (goods is None or asked.holds(goods))):
            yield _of_vessel(vessel)
    for goods, lot in by_goods.items() if asked.container is None else ():
        yield _rest(_of_lot(lot), inside[goods])


def _named(history: History, by_goods: Mapping[Goods, Lot], last: int) -> set[str]:
    """The containers of these lots: those of which a status was entered, or that a movement or the last count names."""
    names = set[str | None]()
    for goods, lot in by_goods.items():
        names |= {step.container for step in lot.account.steps}
        names |= {
            line.container for line in (lot.account.start.lines if lot.account.start is not None else ())
        }
        entered = history.newest_first("container_status", "lot", str(goods.lot), last, None)
        names |= {event.values["container"] for event in entered}
    return {name for name in names if name is not None}


def _of_vessel(vessel: Vessel) -> Row:
    account, reading, judged = vessel.account, vessel.account.reading, vessel.judged
    goods = account.life.goods
    registration, lot = (None, None) if goods is None else (goods.registration, goods.lot)
    found = None
    if reading is not None:
        found = Found(
            reading.found, reading.at, reading.entry, reading.book, judged or Difference(State.UNKNOWN)
        )
    unexplained = judged is not None and judged.state in UNEXPLAINED
    notes = [] if account.closing is not None else ["nobody wrote what it held"]
    if account.life.status is not None and account.life.status in _ASIDE:
        notes.append(account.life.status.replace("_", " "))
    return Row(
        account.life.site, registration, None if goods is None else goods.drug, lot, account.life.name, True, account.held, account.begun,
        account.running, account.closing, found, unexplained, unexplained or not (account.gone or account.closing == 0),
        vessel.overfill, tuple(notes),
    )  # fmt: skip


def _rest(lot: Row, those: list[Vessel]) -> Row:
    """What the book of a lot holds besides its containers: amounts that name none."""
    inside = [vessel.account.closing for vessel in those if not vessel.account.gone]
    known = [amount for amount in inside if amount is not None]
    rest = None if lot.balance is None or len(known) < len(inside) else lot.balance - sum(known)
    notes = (*lot.notes, "in no container that is named" if those else "no container is named")
    return replace(lot, opening=None, steps=(), balance=rest, told=rest != 0 or lot.unexplained, notes=notes)
