"""What the books are made of: goods, movements, counts, and the account of some goods in a span of time.

A book is of a registration, and 21 CFR 1304.21(b) has one for each registered place; its site is where it was last counted, or where its first
delivery came. Amounts are in the drug's stock unit, scaled by 10^6; instants are microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from compliance.domain.drugs import DRUGS
from compliance.domain.event import Event
from compliance.engine.stock import MOVEMENTS


@dataclass(frozen=True, slots=True)
class Goods:
    """What an account is of. A registration or a lot that was not recorded is None: such amounts stand in no book."""

    registration: str | None
    drug: str
    lot: str | None

    @property
    def booked(self) -> bool:
        """Whether there is a book that they stand in."""
        return self.registration is not None and self.lot is not None

    @property
    def unit(self) -> str:
        """The drug's stock unit."""
        return DRUGS[self.drug].stock_unit


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, from `begins` (None: from the last complete count before its end) up to but not including `ends` (microseconds)."""

    begins: int | None
    ends: int


@dataclass(frozen=True, slots=True)
class Spans:
    """The span `of` each site, None where it is not asked about; none begins before `first` (None: nobody can say), none goes beyond `last`."""

    of: Callable[[str], Span | None]
    first: int | None
    last: int

    def cover(self, site: str, at: int) -> bool:
        """Whether an instant lies in a site's span."""
        span = self.of(site)
        return span is not None and (span.begins is None or span.begins <= at) and at < span.ends


@dataclass(frozen=True, slots=True)
class Step:
    """A movement: the entry and the event, when and by whom, and by how much the book changed."""

    order: tuple[int, int, int]
    entry: int
    event: str
    kind: str
    at: int
    site: str
    actor: str
    goods: Goods
    container: str | None
    amount: int
    unit: str


@dataclass(frozen=True, slots=True)
class Line:
    """What a count found of some goods, or of one container of them."""

    goods: Goods
    container: str | None
    quantity: int
    opened: bool


@dataclass(frozen=True, slots=True)
class Count:
    """A count: its entry, and what it found. A complete one begins the books anew."""

    order: tuple[int, int, int]
    entry: int
    event: str
    handle: str
    at: int
    site: str
    actor: str
    registration: str
    type: str
    complete: bool
    lines: tuple[Line, ...]

    def of(self, goods: Goods) -> tuple[Line, ...]:
        """Its lines about some goods."""
        return tuple(line for line in self.lines if line.goods == goods)


@dataclass(frozen=True, slots=True)
class Compared:
    """What a count found of some goods, beside what the books held at that moment; where it is the `first` of them, there is nothing to compare with.

    `since` is the complete count that the book started from, `drawn` what left each container since then. A complete count that has no
    line about goods found none of them.
    """

    goods: Goods
    count: Count
    lines: tuple[Line, ...]
    book: int
    since: Count | None
    drawn: Mapping[str, int]
    first: bool
    entries: tuple[int, ...]
    """The movements of the span between `since` and the count."""

    @property
    def counted(self) -> int:
        """The total of its lines."""
        return sum(line.quantity for line in self.lines)

    @property
    def opened(self) -> bool:
        """Whether an opened container is among what was counted."""
        return any(line.opened for line in self.lines)


@dataclass(frozen=True, slots=True)
class Account:
    """Some goods in a span: `opening` is what the books held when it began, from the count `base` and `before` movements since; `steps` moved
    them; `compared` are the counts of the span; `closing` is what they hold at its end, from the count `start`."""

    goods: Goods
    site: str
    opening: int
    base: Count | None
    before: int
    steps: tuple[Step, ...]
    compared: tuple[Compared, ...]
    closing: int
    start: Count | None

    def moved(self, *kinds: str) -> tuple[int, tuple[int, ...]]:
        """How much was moved by these kinds of movements, and the entries."""
        steps = [step for step in self.steps if step.kind in kinds]
        return abs(sum(step.amount for step in steps)), tuple(step.entry for step in steps)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to say of it: nothing there, nothing moved, nothing counted."""
        counted = any(one.book or one.counted for one in self.compared)
        return not (self.opening or self.closing or self.steps or counted)

    @property
    def running(self) -> tuple[Step, ...]:
        """The movements that the closing balance is made of, in their order."""
        return tuple(step for step in self.steps if self.start is None or step.order > self.start.order)


def step_of(event: Event) -> Step | None:
    """A movement, or None where goods were refused: they never came (vocabulary: `accepted`)."""
    values = event.values
    if event.kind == "receipt" and not values["accepted"]:
        return None
    goods = Goods(values.get("registration"), values["drug"], values.get("lot"))
    amount = MOVEMENTS[event.kind] * values["quantity"]
    return Step(
        event.order, event.position, event.id, event.kind, event.occurred_at, values["site"], values["actor"],
        goods, values.get("container"), amount, values["quantity_unit"],
    )  # fmt: skip


def count_of(event: Event) -> Count:
    """A count."""
    values = event.values
    lines = tuple(_line(values["registration"], line) for line in values["lines"])
    return Count(
        event.order, event.position, event.id, values["count"], event.occurred_at, values["site"], values["actor"],
        values["registration"], values["count_type"], values["complete"], lines,
    )  # fmt: skip


def _line(registration: str, line: Mapping[str, Any]) -> Line:
    goods = Goods(registration, line["drug"], line.get("lot"))
    return Line(goods, line.get("container"), line["quantity"], line.get("opened_containers", 0) > 0)
