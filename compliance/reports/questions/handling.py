"""Wastage and shortages by person: how much in an hour of work, against others who handle the same drug; who watched."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Final, NamedTuple

from compliance.domain.drugs import DRUGS
from compliance.domain.quantity import parse_decimal
from compliance.domain.time import DAY
from compliance.domain.values import SCALE
from compliance.reports.page import Item
from compliance.reports.questions.asking import question
from compliance.reports.questions.peers import LEAST_PERSONS, apart, percent, shown
from compliance.reports.questions.shifts import Shifts
from compliance.reports.window import Seen

ENOUGH_HOURS: Final = 40
"""A week's work: with less, one bad day is the whole figure."""

LEAST_WASTAGES: Final = 5
"""Of a drug by one person; fewer are single events, which the log explains one by one."""

LEAST_SPILLS: Final = 3
LEAST_SHORTAGES: Final = 3
"""The third is the first that makes a row."""

LEAST_UNWATCHED: Final = 3
LEAST_WATCHED: Final = 8
"""Wastages at which another person could have watched: where two are equally likely, one of them comes eight times running less than once in
a hundred."""

_ACCIDENTS: Final = frozenset({"spillage", "breakage", "device_failure"})
_CONCLUDED_OTHERWISE: Final = frozenset({"explained"})


class Wasted(NamedTuple):
    """One wastage; `quantity` in millionths of the stock unit."""

    person: str
    witness: str | None
    drug: str
    quantity: int
    cause: str
    at: int
    site: str
    idx: int


class Short(NamedTuple):
    """The newest state of a discrepancy."""

    order: tuple[int, int, int]
    short: bool
    finding: str
    at: int
    site: str
    idx: int


class Handling:
    """Doses, wastage and discrepancies, as far as persons have to do with them."""

    kinds = frozenset({"administration", "wastage", "discrepancy"})

    def __init__(self) -> None:
        self.wasted: list[Wasted] = []
        self.handlers: defaultdict[str, set[str]] = defaultdict(set)
        """By drug: who gave or wasted it."""
        self._short: dict[str, Short] = {}

    def take(self, seen: Seen) -> None:
        """Keep one event's figures."""
        event, values = seen.event, seen.event.values
        if event.proposed:
            return
        if event.kind == "discrepancy":
            known = self._short.get(values["discrepancy"])
            if known is None or known.order < event.order:
                self._short[values["discrepancy"]] = Short(
                    event.order, values["direction"] == "short", values["finding"], values["discovered_at"], values["site"], event.position
                )  # fmt: skip
            return
        self.handlers[values["drug"]].add(values["actor"])
        if event.kind == "wastage":
            self.wasted.append(
                Wasted(
                    values["actor"], values.get("witness"), values["drug"], values["quantity"], values["cause"], event.occurred_at,
                    values["site"], event.position,
                )
            )  # fmt: skip

    @property
    def shortages(self) -> list[Short]:
        """What was found short and is not explained."""
        return [one for one in self._short.values() if one.short and one.finding not in _CONCLUDED_OTHERWISE]


def asked(handling: Handling, shifts: Shifts, notes: list[str]) -> Iterator[Item]:
    """What is to be asked; where there is too little to compare, a sentence for `notes` instead."""
    hours = {person: worked for person, worked in shifts.hours.items() if worked >= ENOUGH_HOURS}
    for drug, handlers in sorted(handling.handlers.items()):
        yield from _wastage(drug, handlers, handling.wasted, hours, notes)
    handlers = set().union(*handling.handlers.values())
    yield from _spills(handlers, handling.wasted, hours)
    yield from _shortages(handling.shortages, handlers, shifts, hours, notes)
    yield from _unwatched(handling.wasted)
    yield from _pairs(handling.wasted, shifts)


def _wastage(
    drug: str, handlers: set[str], wasted: Iterable[Wasted], hours: Mapping[str, Fraction], notes: list[str]
) -> Iterator[Item]:
    own: defaultdict[str, list[Wasted]] = defaultdict(list)
    for one in wasted:
        if one.drug == drug:
            own[one.person].append(one)
    if not own:
        return
    compared = sorted(handlers & hours.keys())
    if len(compared) < LEAST_PERSONS:
        notes.append(
            f"Wastage of {drug} by the hour was not compared: {LEAST_PERSONS} persons who gave or wasted it and have {ENOUGH_HOURS} hours at "
            f"work on record are needed, and there are {len(compared)}."
        )
        return
    unit, factor = _milligrams(drug)
    rates = {
        person: Fraction(sum(one.quantity for one in own[person]), SCALE) * factor / hours[person]
        for person in compared
    }
    for far in apart(rates):
        mine = own[far.person]
        if len(mine) < LEAST_WASTAGES:
            continue
        causes = Counter(each.cause for each in mine)
        yield question(
            f"Why was {shown(far.own)} {unit} of {drug} an hour wasted while {far.person} worked, against {shown(far.median)} for "
            f"{far.others} colleagues?",
            f"{len(mine)} wastages in {shown(hours[far.person])} hours; colleagues between {shown(far.least)} and {shown(far.most)} {unit} an hour",
            "other vial sizes or smaller doses at one site, more first doses, a protocol that wastes the rest of each vial, hours at work "
            "that were not entered",
            {
                "person": far.person, "wasted an hour": f"{shown(far.own)} {unit}", "median of colleagues": f"{shown(far.median)} {unit}",
                "colleagues": str(far.others), "wastages": str(len(mine)), "hours": shown(hours[far.person]),
                "causes": ", ".join(f"{cause} {count}" for cause, count in causes.most_common()),
            },
            [each.idx for each in mine],
        )  # fmt: skip


def _milligrams(drug: str) -> tuple[str, Fraction]:
    """The unit in which amounts of a drug are told, and what a stock unit is in it."""
    strength = DRUGS[drug].strength_mg_per_ml or DRUGS[drug].strength_mg_per_unit
    return (
        (DRUGS[drug].stock_unit, Fraction(1))
        if strength is None
        else ("mg", Fraction(parse_decimal(strength), SCALE))
    )


def _spills(handlers: set[str], wasted: Iterable[Wasted], hours: Mapping[str, Fraction]) -> Iterator[Item]:
    own: defaultdict[str, list[Wasted]] = defaultdict(list)
    for one in wasted:
        if one.cause in _ACCIDENTS:
            own[one.person].append(one)
    for far in apart(
        {person: 100 * Fraction(len(own[person])) / hours[person] for person in handlers & hours.keys()}
    ):
        mine = own[far.person]
        if len(mine) >= LEAST_SPILLS:
            yield question(
                f"Why were there {len(mine)} spills, breakages or failed devices while {far.person} worked, {shown(far.own)} in a hundred hours "
                f"against {shown(far.median)} for {far.others} colleagues?",
                f"{shown(hours[far.person])} hours; colleagues between {shown(far.least)} and {shown(far.most)} in a hundred hours",
                "a faulty lot or pump, training, or somebody who writes down what others let pass",
                {"person": far.person, "accidents": str(len(mine)), "hours": shown(hours[far.person]), "median of colleagues": shown(far.median)},
                [each.idx for each in mine],
            )  # fmt: skip


def _shortages(
    shortages: list[Short],
    handlers: set[str],
    shifts: Shifts,
    hours: Mapping[str, Fraction],
    notes: list[str],
) -> Iterator[Item]:
    """A shortage has no name to it: it is put to everybody who handles drugs and was at work in the day before it was found."""
    own: defaultdict[str, list[Short]] = defaultdict(list)
    for short in shortages:
        for person in shifts.at_work(short.site, short.at - DAY, short.at):
            own[person].append(short)
    compared = handlers & hours.keys()
    if shortages and len(compared) < LEAST_PERSONS:
        notes.append(
            f"Shortages were not compared by the hour: {LEAST_PERSONS} persons who handle drugs and have {ENOUGH_HOURS} hours at work on record "
            f"are needed, and there are {len(compared)}."
        )
    for far in apart({person: 100 * Fraction(len(own[person])) / hours[person] for person in compared}):
        mine = own[far.person]
        if len(mine) >= LEAST_SHORTAGES:
            yield question(
                f"Why were {len(mine)} shortages found after days on which {far.person} worked, {shown(far.own)} in a hundred hours against "
                f"{shown(far.median)} for {far.others} colleagues?",
                f"{shown(hours[far.person])} hours; colleagues between {shown(far.least)} and {shown(far.most)} in a hundred hours",
                "who works when counts are made finds more, and a shortage may be older than the day before it was found",
                {"person": far.person, "shortages": str(len(mine)), "hours": shown(hours[far.person]), "median of colleagues": shown(far.median)},
                [each.idx for each in mine],
            )  # fmt: skip


def _unwatched(wasted: Iterable[Wasted]) -> Iterator[Item]:
    """Wastage that nobody else watched; where nobody has a witness, that is how the site works (some states ask for none)."""
    alone: defaultdict[str, list[Wasted]] = defaultdict(list)
    total: Counter[str] = Counter()
    for one in wasted:
        total[one.person] += 1
        if one.witness in (None, one.person):
            alone[one.person].append(one)
    for person, mine in sorted(alone.items()):
        others = total.total() - total[person]
        others_alone = sum(map(len, alone.values())) - len(mine)
        if (
            len(mine) >= LEAST_UNWATCHED
            and others >= LEAST_WASTAGES
            and 2 * Fraction(others_alone, others) <= Fraction(len(mine), total[person])
        ):
            yield question(
                f"Why did nobody watch {len(mine)} of {total[person]} wastages by {person}, against {others_alone} of {others} by others?",
                f"{percent(len(mine), total[person])} without a witness; others {percent(others_alone, others)}",
                "shifts on which nobody else was there, or a witness whose name was not entered",
                {"person": person, "without a witness": str(len(mine)), "wastages": str(total[person]), "others without": f"{others_alone} of {others}"},
                [each.idx for each in mine],
            )  # fmt: skip


def _pairs(wasted: Iterable[Wasted], shifts: Shifts) -> Iterator[Item]:
    """Always the same witness, though others who watch at other times were at work."""
    watched = [one for one in wasted if one.witness not in (None, one.person)]
    watchers: defaultdict[str, set[str]] = defaultdict(set)
    for one in watched:
        watchers[one.site].add(str(one.witness))
    chosen: defaultdict[str, list[Wasted]] = defaultdict(list)
    for one in watched:
        free = watchers[one.site].intersection(shifts.at_work(one.site, one.at, one.at))
        if free - {one.person, one.witness}:
            chosen[one.person].append(one)
    always = {person: _always(mine) for person, mine in chosen.items() if len(mine) >= LEAST_WATCHED}
    for person, witness in sorted(always.items()):
        # Where most people have one witness, that is how the site works.
        like = sum(other is not None for name, other in always.items() if name != person)
        if witness is None or 2 * like >= len(always) > 1:
            continue
        times = len(chosen[person])
        yield question(
            f"Why did {witness} watch all {times} wastages by {person} at which somebody else could have?",
            f"others who watch wastage were at work each of the {times} times",
            "two people who work side by side in one room, or a rota that pairs them",
            {"person": person, "witness": witness, "wastages": str(times), "others with one witness": f"{like} of {len(always) - 1}"},
            [each.idx for each in chosen[person]],
        )  # fmt: skip


def _always(wasted: Iterable[Wasted]) -> str | None:
    """The one who watched every time, None where there are several."""
    witnesses = {one.witness for one in wasted}
    return witnesses.pop() if len(witnesses) == 1 else None
