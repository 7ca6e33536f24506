"""How a balance came about: entry by entry, each with the balance behind it, from the complete count before the last one on.

The last count so stands beside what led to it. Where there was no count before, the trail begins with the first entry; that of a container
takes in its whole life.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from compliance.domain.lookup import EVERY
from compliance.engine.history import History
from compliance.holdings.account import Account, Count, Goods, Span, Step, count_of
from compliance.holdings.books import accounts_of
from compliance.holdings.containers import Life, Status, lives, named_in
from compliance.holdings.inventory import Row

_BEGINNING: Final = -(2**62)


@dataclass(frozen=True, slots=True)
class Mark:
    """One entry of a trail: `amount` is what it changed, `found` what a count or an entry about a container (then with its `status`) said,
    `balance` what is held behind it. None: it changed or said nothing, or nobody can say. A count of a part of the stock changes nothing."""

    entry: int
    event: str
    at: int
    site: str
    kind: str
    status: str | None
    actor: str
    container: str | None
    amount: int | None
    found: int | None
    balance: int | None


def trail(history: History, row: Row, ends: int) -> tuple[Mark, ...]:
    """How the balance of a row of the inventory came about, up to an instant (microseconds)."""
    if row.container is not None:
        return tuple(_of_container(history, row.container, ends))
    if not row.booked or row.registration is None:
        return tuple(_moved(step, None) for step in row.steps)
    return tuple(_of_book(history, row, row.registration, ends))


def _of_book(history: History, row: Row, registration: str, ends: int) -> Iterator[Mark]:
    counts: list[Count] = []
    complete: list[Count] = []
    for event in history.newest_first("inventory_count", "registration", registration, ends - 1, None):
        counts.append(count_of(event))
        complete += [counts[-1]] if counts[-1].complete else []
        if len(complete) == 2:
            break
    begins = complete[1].at if len(complete) == 2 else _BEGINNING

    def asked(goods: Goods) -> bool:
        return goods.drug == row.drug and row.lot in (None, goods.lot)

    found = accounts_of(history, registration, row.site, Span(begins, ends))
    accounts: list[Account] = [account for account in found if asked(account.goods)]
    left = sum(account.opening for account in accounts)
    timeline: list[Step | Count] = [*counts, *(step for account in accounts for step in account.steps)]
    for one in sorted(timeline, key=lambda one: one.order):
        if isinstance(one, Step):
            left += one.amount
            yield _moved(one, left)
            continue
        lines = [line for line in one.lines if asked(line.goods)]
        total = sum(line.quantity for line in lines)
        if one.complete:
            yield _counted(one, total - left, total, total)
            left = total
        elif lines:
            yield _counted(one, None, total, left)


def _of_container(history: History, name: str, ends: int) -> Iterator[Mark]:
    life = next(lives(history, (name,), ends - 1))
    counts = (count_of(event) for event in history.newest_first("inventory_count", EVERY, "", ends - 1, None))
    timeline: list[Step | Status | Count] = [*life.draws, *life.statuses]
    timeline += (count for count in counts if name in named_in(count))
    left = life.label
    for one in sorted(timeline, key=lambda one: one.order):
        if isinstance(one, Step):
            left = None if left is None else left + one.amount
            yield _moved(one, left)
        elif isinstance(one, Status):
            yield _said(one, life, left)
        else:
            found = named_in(one)[name]
            changed = None if left is None or not one.complete else found - left
            left = found if one.complete else left
            yield _counted(one, changed, found, left)


def _moved(step: Step, left: int | None) -> Mark:
    return Mark(
        step.entry, step.event, step.at, step.site, step.kind, None, step.actor, step.container, step.amount, None, left
    )  # fmt: skip


def _said(status: Status, life: Life, left: int | None) -> Mark:
    return Mark(
        status.entry, status.event, status.at, life.site, "container_status", status.status, status.actor, life.name, None, status.left, left
    )  # fmt: skip


def _counted(count: Count, changed: int | None, found: int, left: int | None) -> Mark:
    return Mark(
        count.entry, count.event, count.at, count.site, "inventory_count", None, count.actor, None, changed, found, left
    )  # fmt: skip
