"""Looking for a case on which rules come out as wanted, or for the proof that there is none.

First in the open world (`World`): what cannot happen there can happen nowhere. Then in the concrete one, whose answer is written down as a
case and shown to the engine; only what the engine confirms is told. What is neither proved nor found is unknown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import contains
from time import monotonic
from typing import Any, Final

import z3

from compliance.domain.time import DAY, HOUR
from compliance.domain.vocabulary import KINDS
from compliance.engine.plan import walk
from compliance.policy.expression.tree import Const, Func, Ref
from compliance.policy.model import Case
from compliance.workbench.symbolic.events import DAYS, EPOCH
from compliance.workbench.symbolic.outcomes import form_of, outcomes
from compliance.workbench.symbolic.replay import Replay, smaller
from compliance.workbench.symbolic.room import copied, room_of, short_room
from compliance.workbench.symbolic.terms import Side
from compliance.workbench.symbolic.values import Formula, OutOfTime, both, either, no
from compliance.workbench.symbolic.world import Room, World
from compliance.workbench.symbolic.writing import Writing

_THIS_YEAR: Final = 739_617
"""The ordinal of 2026-01-01."""
TRIES: Final = 6
"""Cases that are shown to the engine before a search is given up, and rounds of teaching the solver what a calendar says."""
LESSONS: Final = 80
_SHARES: Final = 4
"""One kind of many may take a quarter of the time that is left: most take next to none, and none may take all."""
_NO_TIME: Final = "no answer in the time that was given"

Wanted = Sequence[Sequence[Collection[str]]]


@dataclass(frozen=True, slots=True)
class Found:
    """A case on which the sides come out as wanted; `outcomes` and the values that decided them are the engine's."""

    case: Case
    outcomes: tuple[str, ...]
    because: tuple[Mapping[str, str], ...]
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Nowhere:
    """Proved: no event and no history does that."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Not found out, and why."""

    reason: str


def find_case(sides: Sequence[Side], wanted: Wanted, *, seconds: float = 5.0) -> Found | Nowhere | Unknown:
    """A case that all sides judge and on which they come out as wanted.

    `wanted` are alternatives; each gives for every side the outcomes that are allowed. Rules of unlike form (on events, deadlines, every
    night) share no case: Unknown. `seconds` are for the whole call, for all kinds of event together; what a kind leaves over the others have.
    """
    forms = {form_of(side.rule) for side in sides}
    if len(forms) > 1:
        return Unknown("the rules are judged in unlike ways: on events, as deadlines, every night")
    end = monotonic() + seconds
    reasons: dict[str, None] = {}
    replays = [Replay(side, number) for number, side in enumerate(sides)]
    kinds = _kinds(sides)
    for number, kind in enumerate(kinds):
        left = end - monotonic()
        if left <= 0:
            reasons[_NO_TIME] = None
            break
        share = monotonic() + left / min(len(kinds) - number, _SHARES)
        found = _Search(sides, wanted, replays, kind, share).run()
        if isinstance(found, Found):
            return found
        if isinstance(found, Unknown):
            reasons[found.reason] = None
    if not reasons and any(day >= DAYS[1] for side in sides for day in _dates(side)):
        return Unknown("a date after the year 9989, which is not looked at")
    return Unknown("; ".join(reasons)) if reasons else Nowhere()


def _dates(side: Side) -> Iterator[int]:
    """The dates from which something else holds for a rule (ordinals)."""
    rule = side.rule
    yield from (day for day in (rule.in_force.start, rule.in_force.end) if day is not None)
    yield from (value.start for parameter in rule.parameters for value in parameter.values[1:])
    for said in side.bundle.sites.values():
        for values in said.get(rule.id, {}).values():
            yield from (day for value in values for day in (value.start, value.end) if day is not None)


def _kinds(sides: Sequence[Side]) -> list[str]:
    """The kinds of event that any side judges, in the order in which they are named; of any kind, those of the rules' cases come first."""
    named: dict[str, None] = {}
    for side in sides:
        own = (side.rule.each.kind,) if side.rule.each is not None else side.rule.on
        named |= dict.fromkeys(own)
    if "any" in named:
        del named["any"]
        shown = {case.event.get("kind") for side in sides for case in side.rule.cases}
        named |= dict.fromkeys(sorted(_unlike(sides), key=lambda kind: kind not in shown))
    return list(named)


def _unlike(sides: Sequence[Side]) -> Iterator[str]:
    """Kinds for rules on any kind: of those that are all the same to the rules, one."""
    asked, words, looked_for = set(), set(), set()
    for side in sides:
        looked_for |= {kind for given in side.rule.given for kind in given.kinds}
        asked |= {field for given in side.rule.given for field in given.by} | set(side.rule.per)
        for closing in side.rule.closings():
            looked_for |= set(closing.kinds)
            asked |= set(closing.by)
        words |= {
            word
            for parameter in side.rule.parameters
            for value in parameter.values
            for word in _texts(value.value)
        }
        for expression in side.rule.expressions():
            for node in walk(expression.node):
                if isinstance(node, Ref) and node.root == "event" and node.path:
                    asked.add(node.path[0])
                if isinstance(node, Const):
                    words |= set(_texts(node.value))
        words |= (
            {kind for role in side.bundle.tables.permissions.values() for kind in role}
            if _asks_permits(side)
            else set()
        )
    alike = set()
    for kind, spec in KINDS.items():
        looks = tuple(repr(spec.fields.get(name)) for name in sorted(asked - {"kind"}))
        if kind in words or kind in looked_for or looks not in alike:
            alike.add(looks)
            yield kind


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _texts(item)


def _asks_permits(side: Side) -> bool:
    return any(
        isinstance(node, Func) and node.name == "permits"
        for one in side.rule.expressions()
        for node in walk(one.node)
    )


class _Search:
    """One search on one kind of event."""

    def __init__(
        self, sides: Sequence[Side], wanted: Wanted, replays: Sequence[Replay], kind: str, end: float
    ) -> None:
        self._sides = sides
        self._wanted = wanted
        self._replays = replays
        self._kind = kind
        self._end = end
        self._form = form_of(sides[0].rule)

    def run(self) -> Found | Nowhere | Unknown:
        """Prove that there is none, else look for one."""
        try:
            return self._answer()
        except OutOfTime:
            return Unknown(_NO_TIME)

    def _answer(self) -> Found | Nowhere | Unknown:
        room = room_of(self._sides, self._kind)
        world = World(self._kind, room, concrete=False, form=self._form, end=self._end)
        solver, goal = self._asked(world)
        answer = z3.unsat if goal is False else solver.check()
        if answer == z3.unsat and room.enough:
            return Nowhere()
        timed_out = answer == z3.unknown
        found = self._found(short_room(room, self._sides)) if monotonic() < self._end else None
        if found is not None:
            return found
        if timed_out or monotonic() > self._end:
            return Unknown(_NO_TIME)
        why = sorted(world.unseen) or ["a case that the solver thinks possible comes out otherwise"]
        return Unknown(f"not seen through: {', '.join(why)}")

    def _asked(self, world: World) -> tuple[Any, Formula]:
        """A solver that knows what holds in a world and what is wanted."""
        sides = [outcomes(world, side) for side in self._sides]
        world.rules.nice += [no(side["indeterminate"]) for side in sides if "indeterminate" in side]
        goal = either(*(
            both(*(either(*(side.get(name, False) for name in allowed)) for side, allowed in zip(sides, alternative, strict=True)))
            for alternative in self._wanted
        ))  # fmt: skip
        solver = z3.SimpleSolver()  # on these formulas some fifty times as fast as the solver of many tactics
        solver.set("timeout", max(1, int((self._end - monotonic()) * 1000)))
        solver.add(*world.rules.must, *world.axioms())
        if not isinstance(goal, bool):
            solver.add(goal)
        return solver, goal

    def _found(self, room: Room) -> Found | None:
        """A case that the engine confirms: first one that is pleasant to read, then any."""
        world = World(self._kind, room, concrete=True, form=self._form, end=self._end)
        copied(world, self._sides)
        for word in _words(self._sides):
            world.texts.code(word)
        solver, goal = self._asked(world)
        if goal is False:
            return None
        wishes = {}
        for number, wish in enumerate((*world.rules.nice, *_recent(world, self._sides))):
            wishes[f"wish{number}"] = z3.Bool(f"wish{number}")
            solver.add(z3.Implies(wishes[f"wish{number}"], wish))
        for _ in range(TRIES):
            model = self._model(world, solver, wishes)
            if model is None:
                return None
            case = Writing(world, model).case(with_now=self._form != "event")
            came = self._outcomes(case)
            if any(all(map(contains, alternative, came)) for alternative in self._wanted):
                case = replace(smaller(case, partial(self._same, came)), expect=came[0])
                because = tuple(replay.because(case) for replay in self._replays)
                return Found(case, came, because, tuple(self._sides))
            solver.add(_otherwise(model))
        return None

    def _model(self, world: World, solver: Any, wishes: dict[str, Any]) -> Any | None:
        """A model in which every calendar says what it really says; wishes that cannot be granted are given up."""
        for _ in range(LESSONS):
            left = self._end - monotonic()
            if left <= 0:
                return None
            solver.set("timeout", max(1, int(left * 1000)))
            answer = solver.check(*wishes.values())
            if answer == z3.unsat and (refused := [str(one) for one in solver.unsat_core()]):
                for name in refused:
                    del wishes[name]
                continue
            if answer != z3.sat:
                return None
            model = solver.model()
            lessons = [lesson for one in world.calls if (lesson := one.lesson(model)) is not None]
            if not lessons:
                return model
            solver.add(*lessons)
        return None

    def _same(self, came: tuple[str, ...], case: Case) -> bool:
        return self._outcomes(case) == came

    def _outcomes(self, case: Case) -> tuple[str, ...]:
        """What the engine says of a case."""
        return tuple(replay.outcome(case) for replay in self._replays)


def _otherwise(model: Any) -> Any:
    """Another case than this: the events that are there, or a text, a truth or an instant, must differ."""
    parts = [
        one() != model[one]
        for one in model.decls()
        if one.arity() == 0 and "/" not in one.name() and "wish" not in one.name()
    ]
    return z3.Or(*parts) if parts else z3.BoolVal(False)


def _recent(world: World, sides: Sequence[Side]) -> Iterator[Any]:
    """Wishes for a case as it may happen tomorrow: by day, in a year in which the rules are in force, the past not long ago."""
    start = max((side.rule.in_force.start for side in sides), default=_THIS_YEAR)
    first = (max(start, _THIS_YEAR) - EPOCH) * DAY
    judged = world.judged.occurred
    yield from (
        judged >= first,
        judged <= first + 366 * DAY,
        judged % DAY >= 16 * HOUR,
        world.as_of <= judged + 400 * DAY,
    )
    for events in world.past.values():
        for event in events:
            yield event.occurred >= judged - DAY
            yield event.occurred >= judged - 400 * DAY
            yield event.occurred >= judged - 4000 * DAY
            yield event.copies <= 1
    for event in (world.judged, *(event for events in world.past.values() for event in events)):
        yield no(event.field("entered_at").there)


def _words(sides: Sequence[Side]) -> Iterator[str]:
    """Texts of the rules' own cases, where a rule asks more of a text than whether it is another one."""
    for side in sides:
        nodes = (node for expression in side.rule.expressions() for node in walk(expression.node))
        if any(
            isinstance(node, Func) and node.name in ("matches", "size", "dea_number_ok", "npi_ok", "ndc11")
            for node in nodes
        ):
            for case in side.rule.cases:
                for body in (*case.history, case.event):
                    yield from (value for value in body.values() if isinstance(value, str) and value)
