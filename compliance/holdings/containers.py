"""Containers: what each vial or device should still hold, from its label or its last count on.

By the label a container holds `labelled_quantity` from when it was entered (``container_status``); what was given and wasted from it leaves
it. Deliveries, transfers, destruction and dispensing name no container (vocabulary), so they move lots alone. A complete count that names
the container begins its account anew, as in the engine's `balance` by container; what nobody ever wrote is not known, and never zero.

A vial may give a little more than its label says. Up to the permitted share that is overfill: no stock to account for, and no surplus.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, Literal

from compliance.domain.event import Event
from compliance.domain.lookup import EVERY
from compliance.domain.values import SCALE
from compliance.engine.history import History
from compliance.holdings.account import Count, Goods, Span, Step, count_of, step_of

DRAWING: Final = ("administration", "wastage")
"""What takes from a container that it names."""

_START: Final = (-(2**62), 0, 0)
_TOGETHER: Final = 64
"""Containers whose entries are looked up at once."""


@dataclass(frozen=True, slots=True)
class Status:
    """An entry about a container: its state, and how much it said was left."""

    order: tuple[int, int, int]
    entry: int
    event: str
    at: int
    actor: str
    status: str
    left: int | None


@dataclass(frozen=True, slots=True)
class Life:
    """All that the log says of one container up to an instant: statuses and withdrawals in their order. `goods` is None where nobody named the drug."""

    name: str
    goods: Goods | None
    site: str
    label: int | None
    labelled_by: int | None
    statuses: tuple[Status, ...]
    draws: tuple[Step, ...]

    @property
    def status(self) -> str | None:
        """Its present state."""
        return self.statuses[-1].status if self.statuses else None

    def drawn(self, until: tuple[int, int, int]) -> int:
        """How much was taken from it up to a place in history's order."""
        return -sum(step.amount for step in self.draws if step.order <= until)

    def allowance(self, percent: int) -> int:
        """How much more than its label it may give, `percent` being scaled; none where goods are counted in pieces, or there is no label."""
        if self.label is None or self.goods is None or self.goods.unit != "ml":
            return 0
        return self.label * percent // (100 * SCALE)


@dataclass(frozen=True, slots=True)
class Reading:
    """How much a container was said to hold, by a count or by its status, and what the books said then (None: nobody can say)."""

    at: int
    entry: int
    by: Literal["count", "status"]
    found: int
    book: int | None
    opened: bool


@dataclass(frozen=True, slots=True)
class Container:
    """A container in a span: `opening` is what it held when the span began or when it was first entered, `steps` what was taken in the span.

    `closing` is what it should hold at the end: `held`, which the entry `begun` says, less `running`. None: nobody ever wrote what it held.
    """

    life: Life
    opening: int | None
    steps: tuple[Step, ...]
    reading: Reading | None
    held: int | None
    begun: int | None
    running: tuple[Step, ...]
    closing: int | None

    def overfill(self, percent: int) -> int:
        """What was got out of it, or seen in it, beyond what it is accounted for, up to its allowance."""
        return min(max(self._beyond, 0), self.life.allowance(percent))

    def difference(self, percent: int) -> int | None:
        """What is there less what should be, overfill left out; what it cannot have held, where it was not looked at. None: nobody can say."""
        if self.reading is None:
            beyond = self._beyond - self.overfill(percent)
            return beyond if self.closing is not None and beyond > 0 else None
        return None if self.reading.book is None else self._beyond - self.overfill(percent)

    def drawn_above(self, percent: int) -> int:
        """How much of its allowance was drawn in the span."""
        if self.opening is None or self.closing is None:
            return 0
        allowance = self.life.allowance(percent)
        return min(max(-self.closing, 0), allowance) - min(max(-self.opening, 0), allowance)

    @property
    def _beyond(self) -> int:
        if self.reading is not None:
            return 0 if self.reading.book is None else self.reading.found - self.reading.book
        return -self.closing if self.closing is not None and self.closing < 0 else 0

    def taken(self, kind: str) -> int:
        """How much was given (``administration``) or wasted from it in the span."""
        return -sum(step.amount for step in self.steps if step.kind == kind)

    @property
    def entries(self) -> tuple[int, ...]:
        """What its figures are made of: the entry that says what it held, what was taken, and who said what is left."""
        begun = () if self.begun is None else (self.begun,)
        read = () if self.reading is None or self.reading.entry == self.begun else (self.reading.entry,)
        return (*begun, *(step.entry for step in self.steps), *read)

    @property
    def gone(self) -> bool:
        """Whether it is empty or was handed over, and nothing is left to account for."""
        return self.life.status == "transferred" or (self.life.status == "empty" and not self.closing)


def lives(history: History, names: Iterable[str], last: int) -> Iterator[Life]:
    """What the log says of these containers up to an instant."""
    waiting = iter(sorted(set(names)))
    while some := list(islice(waiting, _TOGETHER)):
        history.ahead((kind, "container", name) for name in some for kind in ("container_status", *DRAWING))
        for name in some:
            yield _life(history, name, last)


def _life(history: History, name: str, last: int) -> Life:
    entered = list(history.newest_first("container_status", "container", name, last, None))
    entered.reverse()
    taken = [event for kind in DRAWING for event in history.newest_first(kind, "container", name, last, None)]
    taken.sort(key=lambda event: event.order)
    labelled = next((event for event in entered if "labelled_quantity" in event.values), None)
    draws = tuple(step for step in map(step_of, taken) if step is not None)
    about = [*taken, *entered]
    return Life(
        name,
        _goods(about),
        about[-1].values["site"] if about else "",
        None if labelled is None else labelled.values["labelled_quantity"],
        None if labelled is None else labelled.position,
        tuple(_status(event) for event in entered),
        draws,
    )


def _goods(about: list[Event]) -> Goods | None:
    """What is in it: as its last status says, and where that leaves something out, as the last entry that does not."""
    said = {
        name: next((event.values[name] for event in reversed(about) if name in event.values), None)
        for name in ("registration", "drug", "lot")
    }
    return None if said["drug"] is None else Goods(said["registration"], said["drug"], said["lot"])


def _status(event: Event) -> Status:
    values = event.values
    return Status(
        event.order, event.position, event.id, event.occurred_at, values["actor"], values["status"], values.get("quantity_left")
    )  # fmt: skip


def last_counted(history: History, names: Iterable[str], span: Span) -> dict[str, tuple[Count, int]]:
    """For each container the last complete count before the span that names it, and what it found."""
    wanted, found = set(names), dict[str, tuple[Count, int]]()
    if span.begins is None:
        return found
    for event in history.newest_first("inventory_count", EVERY, "", span.begins - 1, None):
        if len(found) == len(wanted):
            break
        count = count_of(event)
        for name, quantity in named_in(count).items() if count.complete else ():
            if name in wanted:
                found.setdefault(name, (count, quantity))
    return found


def named_in(count: Count) -> dict[str, int]:
    """The containers that a count names, with what it found of each."""
    named: dict[str, int] = {}
    for line in count.lines:
        if line.container is not None:
            named[line.container] = named.get(line.container, 0) + line.quantity
    return named


def counted_only(life: Life, count: Count) -> Life:
    """A container of which nothing is known but that a count names it: it is where, and what, that count says."""
    line = next(line for line in count.lines if line.container == life.name)
    return replace(life, site=count.site, goods=line.goods)


def container(life: Life, before: tuple[Count, int] | None, within: Iterable[Count], span: Span) -> Container:
    """A container's account in a span. `before` is its last complete count before the span, `within` are the counts of the span that name it."""
    held, begun, mark = life.label, life.labelled_by, _START
    if before is not None:
        held, begun, mark = before[1], before[0].entry, before[0].order
    running = [step for step in life.draws if step.order > mark and step.at < span.ends]
    begins = -(2**62) if span.begins is None else span.begins
    taken = [step for step in running if step.at >= begins]
    opening = closing = _less(held, running[: len(running) - len(taken)])
    reading = None
    timeline: list[Step | Count | Status] = [*taken, *within]
    timeline += (one for one in life.statuses if begins <= one.at < span.ends)
    for one in sorted(timeline, key=lambda one: one.order):
        if isinstance(one, Step):
            closing = _less(closing, [one])
        elif isinstance(one, Count):
            found = named_in(one)[life.name]
            reading = Reading(one.at, one.entry, "count", found, closing, opened=_opened(one, life.name))
            if one.complete:
                held, begun, mark, closing = found, one.entry, one.order, found
                opening = found if opening is None else opening
        elif one.left is not None:
            # Nothing is taken from what is empty: what is entered behind it was wasted before.
            rest = [step for step in taken if step.order > one.order] if one.status == "empty" else []
            opened = one.status != "in_stock"
            reading = Reading(one.at, one.entry, "status", one.left, _less(closing, rest), opened=opened)
    after = tuple(step for step in running if step.order > mark)
    return Container(life, opening, tuple(taken), reading, held, begun, after, closing)


def _less(held: int | None, those: Iterable[Step]) -> int | None:
    """What is left after some was taken."""
    return None if held is None else held + sum(step.amount for step in those)


def _opened(count: Count, name: str) -> bool:
    return any(line.opened for line in count.lines if line.container == name)
