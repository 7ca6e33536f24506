"""Figures that lie suspiciously well: pressures and doses just within a limit, waits that are always the shortest allowed, round times.

Limits are parameters of the rules in force, so a site's own count, and a limit that no rule has is not looked at.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from statistics import median
from typing import Final, NamedTuple

from compliance.domain.drugs import DRUGS
from compliance.domain.event import Event
from compliance.domain.time import MINUTE
from compliance.domain.values import SCALE
from compliance.reports.limits import limit
from compliance.reports.night import Night
from compliance.reports.page import Item
from compliance.reports.questions.asking import NEWEST, question
from compliance.reports.questions.peers import LEAST_PERSONS, percent, shown
from compliance.reports.window import Seen

JUST: Final = 3
"""Values a limit's own included (138, 139, 140 mmHg) that count as just within it; as many above and below are its neighbours."""

LEAST_JUST: Final = 8
"""Readings just within a limit; fewer come together by chance."""

TIMES: Final = 4
"""How many times as many they must be as their neighbours on either side."""

_TEN: Final = 10

LEAST_OF_A_KIND: Final = 12
"""Orders, waits or times of one person, and of each who is compared: below, one more or less turns the share over."""

CLOSE: Final = Fraction(95, 100)
"""From so much of a limit a dose counts as just within it."""

MOST: Final = Fraction(8, 10)
"""A share from which on it is nearly always so."""

HALF: Final = Fraction(1, 2)
"""Of the person's share: what the median of the others must stay below."""

SHORTEST: Final = 2 * MINUTE
"""Beyond the least time of observation: who leaves by the clock leaves within it."""

_PRESSURES: Final = (
    ("uspi-bp-140-90", "systolic", "systolic_mmhg"),
    ("uspi-bp-140-90", "diastolic", "diastolic_mmhg"),
    ("off-monitor-pressure", "max_systolic_mmhg", "systolic_mmhg"),
    ("off-monitor-pressure", "max_diastolic_mmhg", "diastolic_mmhg"),
)
"""Rule, its parameter, and the field of a reading before a dose that it limits."""

_DOSES: Final = {
    "iv_infusion": ("off-iv-dose-band", "high_mg_per_kg", "dose_mg_per_kg"),
    "iv_bolus": ("off-iv-dose-band", "high_mg_per_kg", "dose_mg_per_kg"),
    "im": ("off-im-dose", "high_mg_per_kg", "dose_mg_per_kg"),
    "oral": ("off-oral-dose", "high_mg", "dose_mg"),
    "sublingual": ("off-oral-dose", "high_mg", "dose_mg"),
}
"""By route of an order or prescription: rule, its parameter, and the field that it limits."""

_WAIT: Final = ("rems-monitor-2h", "minimum_observation")


class Share(NamedTuple):
    """How many of a person's entries are of a kind, the newest of them, and how many there are in all."""

    some: int
    all: int
    newest: tuple[int, ...]


class Tally:
    """Shares by person."""

    def __init__(self) -> None:
        self._all: Counter[str] = Counter()
        self._some: Counter[str] = Counter()
        self._newest: defaultdict[str, deque[int]] = defaultdict(lambda: deque(maxlen=NEWEST))

    def add(self, person: str, idx: int, *, is_one: bool) -> None:
        """Count one entry."""
        self._all[person] += 1
        if is_one:
            self._some[person] += 1
            self._newest[person].append(idx)

    def standing_out(self) -> Iterator[tuple[str, Share, Fraction, int]]:
        """Persons with whom it is nearly always so though with others it is not: with the median share of the others, and how many these are."""
        shares = {
            person: Fraction(self._some[person], count)
            for person, count in self._all.items()
            if count >= LEAST_OF_A_KIND
        }
        if len(shares) < LEAST_PERSONS:
            return
        for person, share in sorted(shares.items()):
            others = sorted(other for name, other in shares.items() if name != person)
            usual = median(others)
            if share >= MOST and usual <= HALF * share:
                yield (
                    person,
                    Share(self._some[person], self._all[person], tuple(self._newest[person])),
                    usual,
                    len(others),
                )


class Readings:
    """Readings, orders, waits and times, as figures by person."""

    kinds = frozenset({"vital_signs", "order", "prescription", "administration", "discharge"})

    def __init__(self, night: Night) -> None:
        self._night = night
        self.pressures: defaultdict[tuple[str, str, str], Counter[int]] = defaultdict(Counter)
        """By person, rule and parameter: how often a reading before a dose lay so many mmHg above the limit, or below it (negative)."""
        self.newest: defaultdict[tuple[str, str, str], deque[int]] = defaultdict(lambda: deque(maxlen=NEWEST))
        """The entries of the newest readings just within it."""
        self.doses: defaultdict[tuple[str, str], Tally] = defaultdict(Tally)
        """By rule and parameter, by prescriber: orders close to the limit."""
        self.round = Tally()
        """By person: vital signs taken at full five minutes."""
        self._over: dict[str, int] = {}
        self._left: dict[str, tuple[str, str, int, int]] = {}

    def take(self, seen: Seen) -> None:
        """Count one event."""
        event, values = seen.event, seen.event.values
        if event.proposed:
            return
        if event.kind == "vital_signs":
            self._reading(event)
        elif event.kind in ("order", "prescription"):
            self._dose(event)
        elif event.kind == "discharge":
            self._left[values["session"]] = (
                values.get("released_by", values["actor"]), values["site"], event.occurred_at, event.position,
            )  # fmt: skip
        elif DRUGS[values["drug"]].is_rems:
            over = values.get("completed_at", event.occurred_at)
            self._over[values["session"]] = max(over, self._over.get(values["session"], over))

    def _reading(self, event: Event) -> None:
        values = event.values
        self.round.add(values["actor"], event.position, is_one=event.occurred_at % (5 * MINUTE) == 0)
        if values["point"] not in ("screening", "pre_dose"):
            return
        for rule, parameter, field in _PRESSURES:
            allowed = limit(self._night, rule, parameter, values["site"])
            if field in values and allowed is not None:
                beyond = (values[field] - allowed) // SCALE
                if abs(beyond) <= _TEN + JUST:
                    key = (values["actor"], rule, parameter)
                    self.pressures[key][beyond] += 1
                    if -JUST < beyond <= 0:
                        self.newest[key].append(event.position)

    def _dose(self, event: Event) -> None:
        values = event.values
        rule, parameter, field = _DOSES.get(values["route"], ("", "", ""))
        allowed = limit(self._night, rule, parameter, values["site"]) if rule else None
        if allowed is not None and field in values and values.get("indication_class") != "anaesthesia":
            close = CLOSE * allowed <= values[field] <= allowed
            self.doses[rule, parameter].add(values["prescriber"], event.position, is_one=close)

    def waits(self) -> Tally:
        """By who released the patient: how often that was within `SHORTEST` of the least time of observation."""
        tally = Tally()
        for session, (person, site, left, idx) in self._left.items():
            least = limit(self._night, *_WAIT, site)
            if session in self._over and least is not None:
                tally.add(person, idx, is_one=0 <= left - self._over[session] - least <= SHORTEST)
        return tally


def asked(readings: Readings) -> Iterator[Item]:
    """What lies too well with one person, and not with others."""
    for key, beyond in sorted(readings.pressures.items()):
        yield from _pressures(*key, beyond, readings.newest[key])
    for (rule, parameter), tally in sorted(readings.doses.items()):
        for person, share, usual, others in tally.standing_out():
            yield question(
                f"Why are {share.some} of {share.all} doses that {person} ordered just within the limit of {rule}, against "
                f"{shown(100 * usual, 0)} % with {others} colleagues?",
                f"just within: from {shown(100 * CLOSE, 0)} % of {parameter}",
                "one protocol with one dose, patients who were raised to it step by step, or a product of one strength",
                _values(person, share, usual, others, limit=f"{rule}, {parameter}"), share.newest,
            )  # fmt: skip
    for person, share, usual, others in readings.waits().standing_out():
        yield question(
            f"Why did {share.some} of {share.all} patients whom {person} released leave within {SHORTEST // MINUTE} minutes of the least time "
            f"of observation, against {shown(100 * usual, 0)} % with {others} colleagues?",
            "from the end of the last device to the discharge",
            "a clock or an alarm that is set to the time, or transport that waits at the door",
            _values(person, share, usual, others), share.newest,
        )  # fmt: skip
    for person, share, usual, others in readings.round.standing_out():
        yield question(
            f"Why were {share.some} of {share.all} vital signs by {person} taken at full five minutes, against {shown(100 * usual, 0)} % with "
            f"{others} colleagues?",
            "by chance one in five is",
            "times that are rounded when they are written down, or a monitor that measures every five minutes",
            _values(person, share, usual, others), share.newest,
        )  # fmt: skip


def _pressures(
    person: str, rule: str, parameter: str, beyond: Counter[int], newest: Iterable[int]
) -> Iterator[Item]:
    """Readings crowd just within a limit, not just above it nor just below, and not likewise ten lower or higher, as they do where somebody
    prefers certain last digits."""

    def between(first: int, last: int) -> int:
        return sum(beyond[value] for value in range(first, last + 1))

    just, above, below = between(1 - JUST, 0), between(1, JUST), between(1 - 2 * JUST, -JUST)
    tens = max(between(1 - JUST - _TEN, -_TEN), between(1 - JUST + _TEN, _TEN))
    if just >= LEAST_JUST and just >= TIMES * max(above, below) and just >= 2 * tens:
        yield question(
            f"Why did {just} readings by {person} before a dose lie within {JUST - 1} mmHg of the limit of {rule}, and {above} in the "
            f"{JUST} above it?",
            f"in the {JUST} below them {below}; ten lower or higher at most {tens}",
            "rounding, a cuff or monitor that shows even numbers only, or readings that were repeated after a rest",
            {"person": person, "limit": f"{rule}, {parameter}", "just within": str(just), "just above": str(above), "below": str(below)},
            newest,
        )  # fmt: skip


def _values(person: str, share: Share, usual: Fraction, others: int, **more: str) -> dict[str, str]:
    return {
        "person": person, "of them": f"{share.some} of {share.all} ({percent(share.some, share.all)})",
        "median of colleagues": f"{shown(100 * usual, 0)} %", "colleagues": str(others), **more,
    }  # fmt: skip
