"""Values that are not known yet: what an expression gives where fields are variables of the solver.

As in `compliance.domain.values`, and three-valued as in `compliance.engine.exact`: a `Sym` has a condition under which it is known. Whatever is
constant stays a plain Python value, so that most of a formula is folded away before the solver sees it. Texts are integers (`Texts`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final, TypeAlias

import z3

Formula: TypeAlias = Any
"""A truth value: a Python bool, or a formula of the solver. (z3 has no types of its own for a checker to see.)"""


@dataclass(frozen=True, slots=True)
class Sym:
    """A value and the condition under which it is known. Numbers, instants, dates, durations and texts are integers."""

    known: Formula
    value: Any


@dataclass(frozen=True, slots=True)
class Lines:
    """A list: each element with the condition under which it is there, in order."""

    items: tuple[tuple[Formula, Sym], ...]


class Group:
    """A record or an event: its fields by name, each made when it is first asked for. A field that is missing is not known."""

    __slots__ = ("_get", "_made", "name")

    def __init__(self, name: str, get: Callable[[str], Sym]) -> None:
        self.name = name
        self._get = get
        self._made: dict[str, Sym] = {}

    def get(self, field: str) -> Sym:
        """The field."""
        made = self._made.get(field)
        if made is None:
            made = self._made[field] = self._get(field)
        return made


@dataclass(frozen=True, slots=True)
class Fact:
    """What a look-up gives that may find no event: whether it is known, whether there is none, and the event."""

    known: Formula
    null: Formula
    event: Group


class OutOfTime(Exception):
    """Writing the formulas takes longer than there is time for the answer."""


class Unseen(Exception):
    """An expression that is not seen through, with what it is."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """A fact that is not seen through, and why: no expression that names it is."""

    why: str


MISSING: Final = Sym(False, 0)


def sym(value: Any) -> Sym:
    """A value that is known."""
    return Sym(True, value)


def both(*parts: Formula) -> Formula:
    """Conjunction."""
    left = [part for part in parts if part is not True]
    if any(part is False for part in left):
        return False
    return True if not left else left[0] if len(left) == 1 else z3.And(*left)


def either(*parts: Formula) -> Formula:
    """Disjunction."""
    left = [part for part in parts if part is not False]
    if any(part is True for part in left):
        return True
    return False if not left else left[0] if len(left) == 1 else z3.Or(*left)


def no(part: Formula) -> Formula:
    """Negation."""
    if isinstance(part, bool):
        return not part
    return z3.Not(part)


def holds(condition: Sym) -> Formula:
    """When a condition is known to hold."""
    return False if condition.known is False else both(condition.known, condition.value)


def fails(condition: Sym) -> Formula:
    """When a condition is known not to hold."""
    return False if condition.known is False else both(condition.known, no(condition.value))


def same(one: Any, other: Any) -> Formula:
    """Equality of two scalar values."""
    if isinstance(one, bool) and isinstance(other, bool):
        return one is other
    if isinstance(one, bool) or isinstance(other, bool):
        constant, formula = (one, other) if isinstance(one, bool) else (other, one)
        return formula if constant else no(formula)
    return one == other


def equal(one: Sym, other: Sym) -> Formula:
    """Whether two values are known and equal."""
    known = both(one.known, other.known)
    return False if known is False else both(known, same(one.value, other.value))


def choose(condition: Formula, then: Any, otherwise: Any) -> Any:
    """One of two scalar values, or of two truth values."""
    if isinstance(condition, bool):
        return then if condition else otherwise
    if then is otherwise or (isinstance(then, int) and isinstance(otherwise, int) and then == otherwise
                             and isinstance(then, bool) is isinstance(otherwise, bool)):  # fmt: skip
        return then
    return z3.If(condition, _term(then), _term(otherwise))


def _term(value: Any) -> Any:
    if isinstance(value, bool):
        return z3.BoolVal(value)
    return z3.IntVal(value) if isinstance(value, int) else value


def chosen(alternatives: Sequence[tuple[Formula, Sym]]) -> Sym:
    """Of several values the one whose condition holds; not known where none does. No two conditions hold together."""
    alternatives = [
        (condition, one)
        for condition, one in alternatives
        if condition is not False and one.known is not False
    ]
    if not alternatives:
        return MISSING
    known = either(*(both(condition, one.known) for condition, one in alternatives))
    first = alternatives[0][1].value
    if isinstance(first, Lines):
        return Sym(
            known,
            Lines(
                tuple((both(c, there), item) for c, one in alternatives for there, item in one.value.items)
            ),
        )
    if isinstance(first, Group):
        name = "|".join(one.value.name for _, one in alternatives)
        return Sym(
            known, Group(name, lambda field: chosen([(c, one.value.get(field)) for c, one in alternatives]))
        )
    if isinstance(first, tuple):  # a calendar period: its unit does not depend on the case
        return Sym(known, (first[0], chosen([(c, sym(one.value[1])) for c, one in alternatives]).value))
    value = reduce(
        lambda rest, one: choose(one[0], one[1].value, rest),
        reversed(alternatives[:-1]),
        alternatives[-1][1].value,
    )
    return Sym(known, value)


def floored(value: Any, step: int) -> Any:
    """How many whole steps are in a value, rounded down."""
    return (
        value // step if isinstance(value, int) else value / step
    )  # of the solver's integers, / is the quotient rounded down


def total(values: Iterable[tuple[Formula, Any]]) -> Any:
    """The sum of the values whose condition holds."""
    return sum((choose(condition, value, 0) for condition, value in values), 0)


class Texts:
    """Texts as integers: known words from 0 upwards; whatever other number a solver chooses stands for a word of its own."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._words: list[str] = []

    def code(self, word: str) -> int:
        """The number of a word."""
        code = self._codes.get(word)
        if code is None:
            code = self._codes[word] = len(self._words)
            self._words.append(word)
        return code

    def word(self, code: int) -> str | None:
        """The word of a number, None where it stands for none of the known ones."""
        return self._words[code] if 0 <= code < len(self._words) else None

    @property
    def words(self) -> tuple[str, ...]:
        """All known words, each at its number."""
        return tuple(self._words)
