"""What a search knows: the judged event, the past that it may see, and what stands for values that nothing more is said of.

There are two kinds of world. In the *open* one everything is possible that could happen anywhere, and more: calendars are only known to
run forward, what is counted can be any number. What cannot happen there cannot happen. In the *concrete* one the site's clock is UTC, lists and
histories are short, calendars are exact: what can happen there can be written down as a case, and is then shown to the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise
from time import monotonic
from typing import Any, Final

import z3

from compliance.domain.time import DAY
from compliance.workbench.symbolic.events import EPOCH, EventVariable, Rules
from compliance.workbench.symbolic.values import (
    Formula,
    Group,
    OutOfTime,
    Sym,
    Texts,
    Unseen,
    both,
    choose,
    either,
    floored,
)

MOST_COPIES: Final = 40
A_WORD: Final = "X-1"
"""What texts that nobody names look like."""


@dataclass(frozen=True, slots=True)
class Call:
    """A function of integers that the solver knows only by its results: where it guesses wrong it is told.

    `alike` gives the stretch around a first argument in which the result differs from the argument by the same (`sloping`) or is the same.
    """

    function: Any
    arguments: tuple[Any, ...]
    run: Callable[..., Any]
    alike: Callable[[int], tuple[int, int]] | None = None
    sloping: bool = False

    def lesson(self, model: Any) -> Any | None:
        """What the solver must learn, where its model gives this call another result than the function has."""
        values = tuple(
            model.eval(_term(argument), model_completion=True).as_long() for argument in self.arguments
        )
        result = self.run(*values)
        if not isinstance(result, int):
            return z3.Or(
                *(_term(argument) != value for argument, value in zip(self.arguments, values, strict=True))
            )
        applied = self.function(*map(z3.IntVal, values))
        if model.eval(applied, model_completion=True).as_long() == result:
            return None
        if self.alike is None:
            return applied == result
        first, last = self.alike(values[0])
        argument = _term(self.arguments[0])
        rest = map(z3.IntVal, values[1:])
        told = self.function(argument, *rest) == (result + argument - values[0] if self.sloping else result)
        fixed = [_term(one) == value for one, value in zip(self.arguments[1:], values[1:], strict=True)]
        return z3.Implies(z3.And(argument >= first, argument <= last, *fixed), told)


def _term(value: Any) -> Any:
    return z3.IntVal(value) if isinstance(value, int) else value


@dataclass(frozen=True, slots=True)
class Room:
    """How many events of each kind a world has and how many lines a list; which facts (by identity) count events and are only held against
    numbers that this is large enough for; whether a look-up sees several kinds; and whether all that is enough for a proof."""

    events: Mapping[str, int]
    lines: int
    counted: frozenset[int] = frozenset()
    mixed: bool = False
    enough: bool = True


class World:
    """One judged event of a kind, and the events before it for which there is room. `form` is how rules are judged in it (`form_of`).

    `end` is when (on the clock that only runs forward) nothing more is written about it.
    """

    def __init__(self, kind: str, room: Room, *, concrete: bool, form: str, end: float) -> None:
        self._end = end
        self.texts = Texts()
        self.room = room
        self.concrete = concrete
        self.nightly = form == "nightly"
        self.rules = Rules(self.texts, concrete=concrete, longest=room.lines)
        self.judged = EventVariable("event", kind, self.rules, certain=True)
        self.as_of: Any = self.rules.instant("now")
        # A site without a profile has no zone; a case says so by an offset that is no zone's.
        self.zone = Sym(z3.Bool("zone?"), self.texts.code("UTC") if concrete else z3.Int("zone"))
        self.rules.nice.append(self.zone.known)
        self.past: dict[str, tuple[EventVariable, ...]] = {
            name: tuple(
                EventVariable(f"{name}{number}", name, self.rules, certain=False) for number in range(count)
            )
            for name, count in room.events.items()
        }
        self.calls: list[Call] = []
        self.unseen: set[str] = set()
        self.facts: dict[Any, Any] = {}
        self._tables: list[Any] = []
        self._kept: list[Any] = []
        self._opaque: dict[Any, Sym] = {}
        self._forward: dict[str, list[tuple[Any, Any]]] = {}
        self._predicates: dict[str, tuple[Any, Callable[[str], Any], list[Any]]] = {}
        self.now = Sym(True, self.as_of if self.nightly else self.judged.noted)
        self.subject = Sym(True, self._night() if self.nightly else self.judged.group)
        self.start: Any = self.judged.occurred
        if form != "event":
            self.rules.must.append(self.as_of >= self.judged.occurred)
        if form == "deadline" and not concrete:
            # The duty may have been opened by an earlier state of the same thing.
            self.start = self.rules.instant("start")
            self.rules.must.append(self.start <= self.judged.occurred)
        self._in_order()
        self._profiled()

    def _in_order(self) -> None:
        """History's order. Events of one kind may stand as they are numbered; how those of several kinds stand to each other is open."""
        for events in self.past.values():
            for event in events:
                intent = event.group.get("intent")
                if intent.known is True:  # what was only proposed is in nobody's past
                    self.rules.must.append(intent.value == self.texts.code("performed"))
            for later, earlier in pairwise(events):
                self.rules.must += [
                    later.occurred >= earlier.occurred,
                    either(later.there, z3.Not(earlier.there)),
                ]
        every = tuple(self._events())
        for place, event in enumerate(every):
            event.place = z3.Int(f"{event.name}@") if self.room.mixed and not self.concrete else place
        if self.room.mixed and not self.concrete:
            self.rules.must.append(z3.Distinct(*(event.place for event in every)))

    def _profiled(self) -> None:
        """Where a site has a profile, its zone is known."""
        profiles = (event.there for event in self.past.get("site_profile", ()))
        self.rules.must += [z3.Implies(profile, self.zone.known) for profile in profiles]
        if self.judged.kind == "site_profile":
            self.rules.must.append(self.zone.known)

    def _night(self) -> Group:
        """The judged event as a night sees it: known at the night's instant."""
        own = self.judged.group
        return Group("night", lambda name: Sym(True, self.as_of) if name == "noted_at" else own.get(name))

    def number_of(self, one: Any) -> int:
        """A number for an object, the same as long as this world lasts."""
        self._kept.append(one)  # so that no other object is ever taken for it
        return id(one)

    def tables_of(self, tables: Any) -> Any:
        """One object for all tables that say the same."""
        for known in self._tables:
            if known == tables:
                return known
        self._tables.append(tables)
        return tables

    # ---- what nothing more is known of

    def opaque(self, key: Any, kind: str, why: str) -> Sym:
        """A value that is the same wherever the same is asked, and of which nothing else is known."""
        made = self._opaque.get(key)
        if made is None:
            name = f"opaque{len(self._opaque)}"
            value = z3.Bool(name) if kind == "bool" else z3.Int(name)
            made = self._opaque[key] = Sym(z3.Bool(f"{name}?"), value)
        self.unseen.add(why)
        return made

    def keep_time(self) -> None:
        """Raises OutOfTime where there is no more time."""
        if monotonic() > self._end:
            raise OutOfTime

    def counts_lines(self) -> None:
        """Something depends on how many lines a list has: no short list shows what holds of all. Raises Unseen in an open world."""
        if not self.concrete:
            raise Unseen("how many lines a list has")

    # ---- functions

    def forward(
        self,
        name: str,
        day: Any,
        least: Any,
        most: Any,
        run: Callable[..., Any] | None,
        alike: Callable[[int], tuple[int, int]] | None,
    ) -> Any:
        """A function of a date that never runs backwards, with its result between bounds; by `run` where the world is concrete."""
        function = z3.Function(name, z3.IntSort(), z3.IntSort())
        result = function(_term(day))
        self.rules.must += [result >= least, result <= most]
        self._note(name, day, result)
        if run is not None:
            self.calls.append(Call(function, (day,), run, alike, sloping=alike is not None))
        return result

    def function(
        self,
        name: str,
        arguments: tuple[Any, ...],
        least: Any,
        most: Any,
        run: Callable[..., Any] | None,
        alike: Callable[[int], tuple[int, int]] | None = None,
        *,
        sloping: bool = False,
    ) -> Any:
        """A function of integers with its result between bounds; by `run` where the world is concrete."""
        function = z3.Function(name, *[z3.IntSort()] * (len(arguments) + 1))
        result = function(*map(_term, arguments))
        self.rules.must += [result >= least, result <= most]
        if run is not None:
            self.calls.append(Call(function, arguments, run, alike, sloping))
        return result

    def predicate(self, name: str, word: Any, run: Callable[[str], Any], *, truth: bool) -> Any:
        """What a function says of a text: of a known word what it is, of any other text anything (in a concrete world: what it says of `A_WORD`)."""
        if isinstance(word, int) and (known := self.texts.word(word)) is not None:
            return run(known)
        function = z3.Function(name, z3.IntSort(), z3.BoolSort() if truth else z3.IntSort())
        self._predicates.setdefault(name, (function, run, []))[2].append(word)
        return function(word)

    def axioms(self) -> list[Any]:
        """What holds of the functions that were named; asked when everything has been read."""
        found: list[Any] = []
        for pairs in self._forward.values():
            for (one, first), (other, second) in combinations(pairs, 2):
                found += [
                    z3.Implies(_term(one) <= _term(other), first <= second),
                    z3.Implies(_term(other) <= _term(one), second <= first),
                ]
        named = [event.field("id").value for event in self._events() if "id" in event.fields]
        if len(named) > 1:
            found.append(z3.Distinct(*named))  # no two events have one id
        words = self.texts.words
        for function, run, asked in self._predicates.values():
            found += [function(z3.IntVal(code)) == run(word) for code, word in enumerate(words)]
            if self.concrete:
                found += [
                    z3.Implies(z3.Or(word < 0, word >= len(words)), function(word) == run(A_WORD))
                    for word in asked
                ]
        return found

    def _events(self) -> Iterator[EventVariable]:
        yield self.judged
        for events in self.past.values():
            yield from events

    # ---- the calendar at the site

    def local_date(self, instant: Any) -> Any:
        """The date at the site at an instant. In an open world the zone may be any: no clock is more than 15 hours from UTC."""
        if self.concrete:
            return floored(instant, DAY) + EPOCH
        function = z3.Function("local_date", z3.IntSort(), z3.IntSort())
        result = function(_term(instant))
        start = (result - EPOCH) * DAY
        self.rules.must += [start <= instant + 15 * (DAY // 24), start > instant - DAY - 15 * (DAY // 24)]
        self._note("local_date", instant, result)
        return result

    def end_of_day(self, day: Any) -> Any:
        """The site's midnight that ends a day."""
        midnight = (day + 1 - EPOCH) * DAY
        if self.concrete:
            return midnight
        function = z3.Function("end_of_day", z3.IntSort(), z3.IntSort())
        result = function(_term(day))
        self.rules.must += [result >= midnight - 15 * (DAY // 24), result <= midnight + 15 * (DAY // 24)]
        self._note("end_of_day", day, result)
        return result

    def _note(self, name: str, argument: Any, result: Any) -> None:
        known = self._forward.setdefault(name, [])
        if not any(z3.eq(_term(argument), _term(one)) for one, _ in known):
            known.append((argument, result))

    @property
    def day(self) -> Any:
        """The local date by which rules and parameters apply; in an open world where the zone is not known the date in UTC."""
        instant = self.as_of if self.nightly else self.judged.occurred
        return (
            self.local_date(instant)
            if self.concrete
            else choose(self.zone.known, self.local_date(instant), floored(instant, DAY) + EPOCH)
        )


def newer(one: EventVariable, other: EventVariable) -> Formula:
    """Whether an event comes after another in history's order: when it occurred, when it was known, where it stands in the log."""
    before = one.place < other.place  # the smaller, the newer
    known = either(one.noted > other.noted, both(one.noted == other.noted, before))
    return either(one.occurred > other.occurred, both(one.occurred == other.occurred, known))
