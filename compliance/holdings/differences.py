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
from compliance.holdings.account import Compared
from compliance.holdings.containers import Container, Life, lives, named_in
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
    """A comparison judged: what was found less the books less `overfill` is `amount`, of which `unexplained` is in no discrepancy that is
    `reported`. None: nobody can say."""

    state: State
    amount: int | None = None
    overfill: int = 0
    tolerance: int = 0
    unexplained: int | None = None
    reported: tuple[Discrepancy, ...] = ()


class Reconciling:
    """Comparisons judged under policies, as the history stood at the last instant that is asked about at a site (`last_of`, microseconds).

    What a discrepancy accounts for, it accounts for once.
    """

    def __init__(
        self,
        history: History,
        bundle: Bundle,
        zone_of: Callable[[str], str],
        last_of: Callable[[str], int],
    ) -> None:
        self._history = history
        self._bundle = bundle
        self._zone_of = zone_of
        self._last_of = last_of
        self._known: dict[tuple[str, int], tuple[Discrepancy, ...]] = {}
        self._left: dict[tuple[str, str, bool], int] = {}

    def terms(self, site: str, at: int) -> Terms:
        """The terms of the local day of an instant at a site."""
        return terms(self._bundle, local_date(at, self._zone_of(site)), site)

    def of_lot(self, compared: Compared) -> Difference:
        """What a count of some goods amounts to."""
        count, goods = compared.count, compared.goods
        raw = compared.counted - compared.book
        # Where nothing was counted before, what was there before the first entry is not known: it can only have been more.
        if compared.first or (compared.since is None and raw > 0):
            return Difference(State.FIRST)
        if goods.registration is None or goods.lot is None:
            return Difference(State.UNKNOWN)
        allowed = self.terms(count.site, count.at)
        least, most = self._overfill(compared, allowed.overfill_percent)
        amount = raw - min(max(raw, least), most)
        tolerance = allowed.tolerance if compared.opened else 0
        about = (
            one
            for one in self._discrepancies(goods.registration, count.site)
            if _about_count(one, compared, self._day(count.site, count.at)[1])
        )
        return self._settled(goods.registration, amount, raw - amount, tolerance, about, contained=False)

    def of_container(self, account: Container) -> Difference | None:
        """What a container's account amounts to; None where nobody said what is in it, and no more came out than it can have held."""
        at = account.steps[-1].at if account.steps else None
        opened = False
        if account.reading is not None:
            at, opened = account.reading.at, account.reading.opened and account.reading.found > 0
        if at is None:
            return None
        allowed = self.terms(account.life.site, at)
        amount = account.difference(allowed.overfill_percent)
        if amount is None:
            return None
        registration = None if account.life.goods is None else account.life.goods.registration
        day = self._day(account.life.site, at)
        about = (
            one
            for one in (() if registration is None else self._discrepancies(registration, account.life.site))
            if _about_container(one, account, day)
        )
        overfill, tolerance = account.overfill(allowed.overfill_percent), allowed.tolerance if opened else 0
        return self._settled(registration or "", amount, overfill, tolerance, about, contained=True)

    def _settled(
        self,
        registration: str,
        amount: int,
        overfill: int,
        tolerance: int,
        about: Iterable[Discrepancy],
        *,
        contained: bool,
    ) -> Difference:
        """A difference with what accounts for it. A lot and its containers are looked at apart, and each by all discrepancies."""
        if abs(amount) <= tolerance:
            return Difference(State.WITHIN if amount else State.AGREES, amount, overfill, tolerance, 0)
        rest, reported = amount, []
        for one in about:
            if rest and one.amount * amount > 0:
                left = self._left.setdefault((registration, one.handle, contained), abs(one.amount))
                taken = min(left, abs(rest))
                self._left[registration, one.handle, contained] -= taken
                rest += taken if amount < 0 else -taken
                reported.append(one)
        if abs(rest) > tolerance:
            state = State.SHORT if amount < 0 else State.OVER
        else:
            rest, state = 0, State.EXPLAINED if all(one.concluded for one in reported) else State.OPEN
        return Difference(state, amount, overfill, tolerance, rest, tuple(reported))

    def _overfill(self, compared: Compared, percent: int) -> tuple[int, int]:
        """The least and the most that overfill, used or seen since the count before, adds to what is found beyond the books.

        A container that was drawn from before that count may have shown its overfill to it already; nobody can say.
        """
        wanted = {*compared.drawn, *(line.container for line in compared.lines if line.container is not None)}
        if compared.goods.unit != "ml" or not percent:
            return 0, 0
        least = most = 0
        for life in lives(self._history, wanted, self._last_of(compared.count.site)):
            used, certain = _overfill_of(life, compared, percent)
            most += used
            least += used if certain else 0
        return least, most

    def _discrepancies(self, registration: str, site: str) -> tuple[Discrepancy, ...]:
        key = registration, self._last_of(site)
        if key not in self._known:
            self._known[key] = discrepancies(self._history, *key)
        return self._known[key]

    def _day(self, site: str, at: int) -> tuple[int, int]:
        """The beginning and the end of the local day of an instant."""
        zone = self._zone_of(site)
        day = local_date(at, zone)
        return end_of_local_day(day - 1, zone), end_of_local_day(day, zone)


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


def _about_count(one: Discrepancy, compared: Compared, day_ends: int) -> bool:
    """Whether a discrepancy is about a count of some goods: it names the count; or it names the lot and no count, and was found since the
    count before, up to the end of the day of this one."""
    goods, since = compared.goods, compared.since
    if one.drug not in (None, goods.drug) or one.lot not in (None, goods.lot):
        return False
    if one.count_event is not None:
        return one.count_event == compared.count.event
    return (
        one.lot is not None
        and (since is None or since.at < one.discovered_at)
        and one.discovered_at < day_ends
    )


def _about_container(one: Discrepancy, account: Container, day: tuple[int, int]) -> bool:
    """Whether a discrepancy that was found on the day is about a container: it names it, or its lot and no container."""
    lot = None if account.life.goods is None else account.life.goods.lot
    named = one.container == account.life.name or (
        one.container is None and one.lot is not None and one.lot == lot
    )
    return named and day[0] <= one.discovered_at < day[1]
