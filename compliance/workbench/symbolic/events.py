"""Events that are not known yet: every field of a kind as a variable, made when an expression first names it.

What the boundary lets through is what the variables may be (`compliance.domain.events.checks`): the words of an enum, codes of the drug list,
whole numbers, numbers below 10^9. No field restricts another, so that whatever the solver chooses can be written down as a valid event.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import z3

from compliance.domain.drugs import DRUGS
from compliance.domain.time import DAY
from compliance.domain.values import SCALE
from compliance.domain.vocabulary import KINDS, FieldSpec
from compliance.workbench.symbolic.values import Formula, Group, Lines, Sym, Texts, choose, either, same, sym

LARGEST: Final = 10**9 * SCALE
"""Numbers lie below this in absolute value (engine.md, "Exactness")."""
EPOCH: Final = 719_163
"""The ordinal of 1970-01-01."""
DAYS: Final = (date(1900, 1, 1).toordinal(), date(9990, 1, 1).toordinal())
"""Instants and dates are looked for between these (ordinals, UTC): nearly all that an event may name."""
MINUTE: Final = 60_000_000
_AFTERWARDS: Final = frozenset({"completed_at", "ended_at", "left_at", "resolved_at"})
"""What comes after an event's own instant in any case that makes sense to a person."""
CENT: Final = SCALE // 100


@dataclass(frozen=True, slots=True)
class Field:
    """A field that an expression named: its specification, whether it is there, and its value (a `Group` or `Lines` for records and lists)."""

    spec: FieldSpec
    there: Formula
    value: Any


class Rules:
    """What the variables of a search must satisfy, and what they should, so that a person can read the case."""

    def __init__(self, texts: Texts, *, concrete: bool, longest: int) -> None:
        self.texts = texts
        self.concrete = concrete
        self.longest = longest
        self.must: list[Any] = []
        self.nice: list[Any] = []

    def variable(self, spec: FieldSpec, name: str) -> Sym:
        """A variable for a scalar field that is there."""
        match spec.type:
            case "boolean":
                return sym(z3.Bool(name))
            case "enum":
                value = z3.Int(name)
                self.must.append(either(*(value == self.texts.code(word) for word in spec.values)))
                return sym(value)
            case "text" | "id":
                return sym(self._text(spec, name))
            case "integer":
                whole = z3.Int(name)
                self._between(whole, -LARGEST // SCALE + 1, LARGEST // SCALE - 1)
                self.nice += [whole >= 0, whole <= 10_000]
                return sym(whole * SCALE)
            case "decimal":
                value = z3.Int(name)
                self._between(value, -LARGEST + 1, LARGEST - 1)
                self._nicely(value, CENT, name)
                self.nice += [value >= 0, value <= 10_000 * SCALE]
                return sym(value)
            case "date":
                value = z3.Int(name)
                self._between(value, *DAYS)
                return sym(value)
            case "instant":
                return sym(self.instant(name))
            case _:  # a duration
                value = z3.Int(name)
                self._between(value, 0, 36_600 * DAY)
                self._whole(value, SCALE, name)
                self._nicely(value, MINUTE, name)
                return sym(value)

    def instant(self, name: str) -> Any:
        """A variable for an instant."""
        value = z3.Int(name)
        self._between(value, (DAYS[0] - EPOCH) * DAY, (DAYS[1] - EPOCH) * DAY)
        self._nicely(value, MINUTE, name)
        return value

    def _text(self, spec: FieldSpec, name: str) -> Any:
        value = z3.Int(name)
        if not spec.listed:
            self.nice.append(value < 0)  # a word of its own, rather than one that happens to be known
        if spec.listed == "drug":
            self.must.append(either(*(value == self.texts.code(code) for code in DRUGS)))
        elif spec.listed == "zone" and self.concrete:
            self.must.append(value == self.texts.code("UTC"))
        return value

    def _between(self, value: Any, least: int, most: int) -> None:
        self.must += [value >= least, value <= most]

    def _whole(self, value: Any, step: int, name: str) -> None:
        self.must.append(value == step * z3.Int(f"{name}/{step}"))

    def _nicely(self, value: Any, step: int, name: str) -> None:
        self.nice.append(value == step * z3.Int(f"{name}/{step}"))


class EventVariable:
    """An event of one kind of which nothing is known but that it is valid.

    `there` says whether it is in the history at all, `copies` how many like it there are (for what is counted or summed), `place` where it
    stands among events of the same instant (the smaller, the newer).
    """

    def __init__(self, name: str, kind: str, rules: Rules, *, certain: bool) -> None:
        self.name = name
        self.kind = kind
        self.there: Formula = True if certain else z3.Bool(f"{name}!")
        self.copies: Any = 1
        self.place: Any = 0
        self.fields: dict[str, Field] = {}
        self._rules = rules
        self._specs = KINDS[kind].fields
        self.occurred = rules.instant(f"{name}.occurred_at")
        self.recorded: Any = self.occurred
        if not rules.concrete:  # whenever: an event may be entered years later
            self.recorded = rules.instant(f"{name}.recorded_at")
        self.group = Group(name, self._get)

    @property
    def noted(self) -> Any:
        """When it was known."""
        entered = self.field("entered_at")
        return choose(entered.there, entered.value, self.recorded)

    def field(self, name: str) -> Field:
        """A field that may be sent."""
        self.group.get(name)
        return self.fields[name]

    def _get(self, name: str) -> Sym:
        spec = self._specs.get(name)
        texts = self._rules.texts
        if name == "kind":
            return sym(texts.code(self.kind))
        if name == "occurred_at":
            return sym(self.occurred)
        if name == "recorded_at":
            return sym(self.recorded)
        if name == "noted_at":
            return sym(self.noted)
        if spec is None:
            return Sym(False, 0)  # kinds differ in their fields; this one does not have it
        if name == "intent":  # filled in where it is not sent
            value = self._rules.variable(spec, f"{self.name}.intent")
            self.fields[name] = Field(spec, same(value.value, texts.code("proposed")), value.value)
            return value
        if spec.derived:
            return self._derived(name)
        field = self._made(spec, f"{self.name}.{name}")
        self.fields[name] = field
        return Sym(field.there, field.value)

    def _derived(self, name: str) -> Sym:
        """What the log says of the judged event: whether an amendment takes effect, whether a signature is of what it names. In a concrete
        world what they name is not there, so that they do nothing."""
        if self._rules.concrete:
            return Sym(name == "effective", False)
        return Sym(
            True if name == "effective" else z3.Bool(f"{self.name}.{name}?"), z3.Bool(f"{self.name}.{name}")
        )

    def _made(self, spec: FieldSpec, name: str) -> Field:
        there: Formula = True if spec.required else z3.Bool(f"{name}?")
        if spec.type == "record":
            return Field(spec, there, self._record(spec, name))
        if spec.type == "list":
            return Field(spec, there, self._list(spec, name))
        value = self._rules.variable(spec, name).value
        if name.rpartition(".")[2] in _AFTERWARDS:
            self._rules.nice.append(value >= self.occurred)
        return Field(spec, there, value)

    def _record(self, spec: FieldSpec, name: str) -> Group:
        fields = spec.fields or {}

        def get(below: str) -> Sym:
            if below not in fields:
                return Sym(False, 0)
            made = self._made(fields[below], f"{name}.{below}")
            self.fields[f"{name.removeprefix(self.name + '.')}.{below}"] = made
            return Sym(made.there, made.value)

        return Group(name, get)

    def _list(self, spec: FieldSpec, name: str) -> Lines:
        assert spec.element is not None  # every list has one
        length = z3.Int(f"{name}#")
        self._rules.must += [length >= 0, length <= self._rules.longest]
        items = []
        for number in range(self._rules.longest):
            own = f"{name}[{number}]"
            value = (
                self._record(spec.element, own)
                if spec.element.type == "record"
                else self._rules.variable(spec.element, own).value
            )
            items.append((length > number, sym(value)))
        return Lines(tuple(items))
