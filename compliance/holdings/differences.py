"""Differences: what counts found against what the books held, with overfill, tolerance and discrepancies taken into account (S3-INV-RECONCILE-38).

Less than the books is a shortage, more a surplus; both are told, and neither is set off against the other. Three things put a difference in
order. Opened containers are measured: what measuring may be off by is the policies' to say. Vials hold a little more than their label: what
was drawn above it, up to the permitted share, left the books without ever having been in them. And a discrepancy that is about the count accounts
for as much as it says, and for no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from compliance.domain.event import Event
from compliance.domain.time import end_of_local_day, local_date
from compliance.engine.history import History
from compliance.holdings.account import Account, Compared, Count
from compliance.holdings.containers import Life, lives, named_in
from compliance.policy.model import Bundle

TOLERANCE: Final = ("s3-rec-balance-26", "opened_tolerance")
"""The rule and the parameter that say what measuring opened containers may be off by, in the stock unit."""
OVERFILL: Final = ("s3-rec-vial-27", "overfill_percent")
"""The rule and the parameter that say how much more than its label a container may give."""


class State(StrEnum):
    """What is to be said of a difference."""

    AGREES = "agrees"
    WITHIN = "within tolerance"
    EXPLAINED = "explained"
    OPEN = "discrepancy open"
    SHORT = "short"
    OVER = "over"
    UNKNOWN = "cannot be compared"
    FIRST = "first count"


UNEXPLAINED: Final = frozenset({State.SHORT, State.OVER})
"""What nobody has accounted for."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the policies in force allow: `tolerance` in the stock unit and `overfill_percent` of the label, both scaled."""

    tolerance: int = 0
    overfill_percent: int = 0


def terms(bundle: Bundle, day: int, site: str) -> Terms:
    """The terms of a day (ordinal) at a site; nothing is allowed where the policies do not speak of it."""
    return Terms(_parameter(bundle, TOLERANCE, day, site), _parameter(bundle, OVERFILL, day, site))


def _parameter(bundle: Bundle, named: tuple[str, str], day: int, site: str) -> int:
    try:
        value = bundle.parameters(bundle.rule(named[0]), day, site).get(named[1], 0)
    except KeyError:  # other policies are in force
        return 0
    return value if isinstance(value, int) else 0


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A discrepancy as it stands: `amount` is signed, a shortage being negative; `concluded` is whether somebody came to a conclusion."""

    handle: str
    entry: int
    finding: str
    drug: str | None
    lot: str | None
    container: str | None
    amount: int
    count_event: str | None
    discovered_at: int

    @property
    def concluded(self) -> bool:
        """Whether it is more than open."""
        return self.finding != "open"


@dataclass(frozen=True, slots=True)
class Difference:
    """One comparison judged: counted less book less `overfill` is `amount`, of which `unexplained` is in no discrepancy that is
    `reported`. None: nobody can say."""

    compared: Compared
    amount: int | None
    overfill: int
    tolerance: int
    unexplained: int | None
    reported: tuple[Discrepancy, ...]
    state: State


class Reconciling:
    """Comparisons judged under policies, over a history up to an instant (`last`); what a discrepancy accounts for, it accounts for once."""

    def __init__(self, history: History, bundle: Bundle, zone_of: Callable[[str], str], last: int) -> None:
        self._history = history
        self._bundle = bundle
        self._zone_of = zone_of
        self._last = last
        self._known: dict[str, tuple[Discrepancy, ...]] = {}
        self._left: dict[tuple[str, str], int] = {}

    def terms(self, site: str, at: int) -> Terms:
        """The terms of the local day of an instant at a site."""
        return terms(self._bundle, local_date(at, self._zone_of(site)), site)

    def differences(self, account: Account) -> tuple[Difference, ...]:
        """What the counts of an account amount to, in their order."""
        return tuple(self.difference(one) for one in account.compared)

    def difference(self, compared: Compared) -> Difference:
        """What one comparison amounts to."""
        allowed = self.terms(compared.count.site, compared.count.at)
        tolerance = allowed.tolerance if compared.opened else 0
        raw = compared.counted - compared.book
        # Where nothing was counted before, what was there before the first entry is not known: it can only have been more.
        if compared.first or (compared.since is None and raw > 0):
            return Difference(compared, None, 0, tolerance, None, (), State.FIRST)
        if not compared.goods.booked:
            return Difference(compared, None, 0, tolerance, None, (), State.UNKNOWN)
        least, most = self._overfill(compared, allowed.overfill_percent)
        amount = raw - min(max(raw, least), most)
        overfill = raw - amount
        if abs(amount) <= tolerance:
            state = State.WITHIN if amount else State.AGREES
            return Difference(compared, amount, overfill, tolerance, 0, (), state)
        unexplained, reported = self._explained(compared, amount)
        if abs(unexplained) > tolerance:
            state = State.SHORT if amount < 0 else State.OVER
        else:
            unexplained = 0
            state = State.EXPLAINED if all(one.concluded for one in reported) else State.OPEN
        return Difference(compared, amount, overfill, tolerance, unexplained, reported, state)

    def _overfill(self, compared: Compared, percent: int) -> tuple[int, int]:
        """The least and the most that overfill, used or seen since the count before, adds to what is found beyond the books.

        A container that was drawn from before that count may have shown its overfill to it already; nobody can say.
        """
        named = {name for line in compared.lines if (name := line.container) is not None}
        wanted = named | set(compared.drawn)
        if compared.goods.unit != "ml" or not percent or not wanted:
            return 0, 0
        least = most = 0
        for life in lives(self._history, wanted, self._last):
            used, certain = _overfill_of(life, compared, percent)
            most += used
            least += used if certain else 0
        return least, most

    def _explained(self, compared: Compared, amount: int) -> tuple[int, tuple[Discrepancy, ...]]:
        """What of a difference no discrepancy accounts for, and the discrepancies that are about it."""
        reported = []
        for one in self._discrepancies(compared):
            if one.amount * amount <= 0:
                continue
            key = (str(compared.goods.registration), one.handle)
            left = self._left.setdefault(key, abs(one.amount))
            taken = min(left, abs(amount))
            self._left[key] -= taken
            amount += taken if amount < 0 else -taken
            reported.append(one)
            if not amount:
                break
        return amount, tuple(reported)

    def _discrepancies(self, compared: Compared) -> Iterable[Discrepancy]:
        registration = str(compared.goods.registration)
        if registration not in self._known:
            self._known[registration] = discrepancies(self._history, registration, self._last)
        day = end_of_local_day(
            local_date(compared.count.at, self._zone_of(compared.count.site)),
            self._zone_of(compared.count.site),
        )
        return (one for one in self._known[registration] if _about(one, compared, day))


def _overfill_of(life: Life, compared: Compared, percent: int) -> tuple[int, bool]:
    """How much overfill of one container lies between the count before and this one, and whether that is certain."""
    allowance = life.allowance(percent)
    drawn = compared.drawn.get(life.name, 0)
    found = named_in(compared.count).get(life.name)
    earlier = None if compared.since is None else named_in(compared.since).get(life.name)
    held, before = earlier, 0
    if held is None:
        held, before = life.label, 0 if compared.since is None else life.drawn(compared.since.order)
    if held is None:
        return 0, True

    def above(taken: int, there: int) -> int:
        return min(max(taken + there - held, 0), allowance)

    used = above(before + drawn, found or 0) - above(before, 0)
    return used, before == 0


def discrepancies(history: History, registration: str, last: int) -> tuple[Discrepancy, ...]:
    """The discrepancies of a registration as they stand at an instant, the oldest first; those of a delivery are about no count."""
    present: dict[str, Event] = {}
    for event in history.newest_first("discrepancy", "registration", registration, last, None):
        present.setdefault(event.values["discrepancy"], event)
    found = [_discrepancy(event) for event in present.values() if "receipt_event" not in event.values]
    return tuple(sorted(found, key=lambda one: (one.discovered_at, one.entry)))


def _discrepancy(event: Event) -> Discrepancy:
    values = event.values
    amount = abs(values["quantity"])
    return Discrepancy(
        values["discrepancy"], event.position, values["finding"], values.get("drug"), values.get("lot"), values.get("container"),
        -amount if values["direction"] == "short" else amount, values.get("count_event"), values["discovered_at"],
    )  # fmt: skip


def _about(one: Discrepancy, compared: Compared, day_ends: int) -> bool:
    """Whether a discrepancy is about a comparison: it names the count; or it names the lot and no count, and was found since the count
    before, up to the end of the day of this one."""
    goods, count = compared.goods, compared.count
    if one.drug not in (None, goods.drug) or one.lot not in (None, goods.lot):
        return False
    if one.count_event is not None:
        return one.count_event == count.event
    return one.lot is not None and _since(compared.since) < one.discovered_at < day_ends


def _since(count: Count | None) -> int:
    return -(2**62) if count is None else count.at
