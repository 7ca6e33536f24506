"""Three-valued conditions in disjunctive normal form, for an engine that can only say "all of these hold" (engine.md).

A condition has three *senses*: it is true, it is false, it is unknown. Each sense is a set of *branches*, each branch a
conjunction of *literals* about numbered fields of one flat fact; the sense holds where any branch holds. For every fact
exactly one sense of a condition holds: nothing is ever inferred from a sense that does not hold.

Literals are comparisons of a field that is there (`Test`), absence of a field (`Missing`), and the value of a *code*: a field
that is always there and says 0 for false, 1 for unknown, 2 for true.

The unknown sense of ``a && b && ...`` grows exponentially with comparisons (each is true or missing), but only linearly with
codes (``not false`` is one literal: at least 1). So where a condition has more than `LIMIT` branches, `NormalForm.fit` moves
parts of it into earlier *steps*, whose answers enter as codes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations, count
from math import prod
from typing import Any, Final, Literal, TypeAlias

from compliance.domain.findings import Outcome

LIMIT: Final = 24
"""Most branches of one condition in its three senses, or of one clause in its four outcomes."""

FALSE_CODE, UNKNOWN_CODE, TRUE_CODE = 0, 1, 2

_ALL: Final = frozenset({FALSE_CODE, UNKNOWN_CODE, TRUE_CODE})
_BITS: Final[defaultdict[Any, int]] = defaultdict(count().__next__)
"""A number for each thing that a branch may forbid."""
_FAN: Final = 3  # operands that one `&&` or `||` may keep: wider ones cost more to normalise than a further step to judge
_EXPLODED: Final = 32  # branches on the way to a normal form at which it is given up

Op: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">="]
OPPOSITE: Final[dict[Op, Op]] = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


@dataclass(frozen=True, slots=True)
class Sum:
    """Fields added (sign 1) or subtracted (sign -1), and a constant: ``b + 7200``."""

    terms: tuple[tuple[int, int], ...]  # (sign, field)
    constant: int


@dataclass(frozen=True, slots=True)
class Test:
    """A comparison of a field with a constant or a sum of fields. It holds only where all its fields are there."""

    field: int
    op: Op
    right: int | str | Sum

    @property
    def needs(self) -> tuple[int, ...]:
        """The fields on the right, whose presence must be asked first."""
        return tuple(name for _, name in self.right.terms) if isinstance(self.right, Sum) else ()


@dataclass(frozen=True, slots=True)
class Missing:
    """The field is not there."""

    field: int


@dataclass(frozen=True, slots=True)
class Code:
    """The code is one of `allowed` (never all three)."""

    field: int
    allowed: frozenset[int]


Literal_: TypeAlias = Test | Missing | Code
Branch: TypeAlias = frozenset[Literal_]
Branches: TypeAlias = tuple[Branch, ...]

ALWAYS: Final[Branches] = (frozenset(),)
NEVER: Final[Branches] = ()


@dataclass(frozen=True, slots=True)
class Leaf:
    """A condition given by its senses."""

    true: Branches
    false: Branches
    unknown: Branches


@dataclass(frozen=True, slots=True)
class Every:
    """``&&``"""

    operands: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """``||``"""

    operands: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Opposite:
    """``!``"""

    operand: Condition


@dataclass(frozen=True, slots=True)
class Choice:
    """``c ? a : b``"""

    condition: Condition
    then: Condition
    otherwise: Condition


Condition: TypeAlias = Leaf | Every | Some | Opposite | Choice

TRUE: Final = Leaf(ALWAYS, NEVER, NEVER)
FALSE: Final = Leaf(NEVER, ALWAYS, NEVER)


def code(name: int) -> Leaf:
    """The condition that a code field stands for."""
    false, unknown, true = (
        (frozenset([Code(name, frozenset([value]))]),) for value in (FALSE_CODE, UNKNOWN_CODE, TRUE_CODE)
    )
    return Leaf(true, false, unknown)


class TooManyBranches(Exception):
    """A normal form grew past what is worth simplifying; the condition is to be split."""


@dataclass(frozen=True, slots=True)
class Step:
    """A condition judged before others: its answer is the code `field`, in a fact of the layer after its own."""

    field: int
    layer: int
    senses: Leaf


@dataclass(slots=True)
class NormalForm:
    """Brings conditions and clauses to at most `LIMIT` branches; `new_code` reserves a field for a step's answer."""

    new_code: Callable[[], int]
    steps: list[Step] = field(default_factory=list)
    _codes: dict[Leaf, Leaf] = field(default_factory=dict)
    _layers: dict[int, int] = field(default_factory=dict)  # step's field -> first layer that may read it

    def outcomes(self, when: Condition, require: Condition) -> tuple[dict[Outcome, Branches], int]:
        """The branches of each outcome of a rule, and the layer it can be judged in (engine.md, "Evaluate")."""
        applies, holds = self.fit(when), self.fit(require)
        while True:
            try:
                found = _outcomes(applies, holds)
                if sum(map(len, found.values())) <= LIMIT:
                    return found, max(self._layer(applies), self._layer(holds))
            except TooManyBranches:
                pass
            if _size(applies) > _size(holds):
                applies = self._step(applies)
            else:
                holds = self._step(holds)

    def fit(self, condition: Condition) -> Leaf:
        """The condition's three senses in at most `LIMIT` branches, with parts of it moved into steps where needed."""
        match condition:
            case Leaf():
                return condition
            case Opposite(operand):
                senses = self.fit(operand)
                return Leaf(senses.false, senses.true, senses.unknown)
            case Every(operands) | Some(operands):
                join = _every if isinstance(condition, Every) else _some
                fitted = [self.fit(operand) for operand in operands]
                while len(fitted) > _FAN:
                    fitted = [self._fit(join, fitted[i : i + _FAN]) for i in range(0, len(fitted), _FAN)]
                return self._fit(join, fitted)
            case Choice(which, then, otherwise):
                return self._fit(_choice, [self.fit(which), self.fit(then), self.fit(otherwise)])

    def _fit(self, join: Callable[[Sequence[Leaf]], Leaf], parts: list[Leaf]) -> Leaf:
        while True:
            try:
                joined = join(parts)
                if _size(joined) <= LIMIT:
                    return joined
            except TooManyBranches:
                pass
            largest = max(range(len(parts)), key=lambda index: _weight(parts[index]))
            parts[largest] = self._step(parts[largest])

    def _step(self, senses: Leaf) -> Leaf:
        """The code of an earlier step that answers the condition; the same condition is judged once."""
        known = self._codes.get(senses)
        if known is None:
            layer = self._layer(senses)
            name = self.new_code()
            self.steps.append(Step(name, layer, senses))
            self._layers[name] = layer + 1
            known = self._codes[senses] = code(name)
            self._codes[known] = known
        return known

    def _layer(self, senses: Leaf) -> int:
        return max(
            (
                self._layers.get(literal.field, 0)
                for sense in _parts(senses)
                for branch in sense
                for literal in branch
            ),
            default=0,
        )


def _parts(senses: Leaf) -> tuple[Branches, Branches, Branches]:
    return senses.true, senses.false, senses.unknown


def _size(senses: Leaf) -> int:
    return sum(map(len, _parts(senses)))


def _weight(senses: Leaf) -> tuple[int, int]:
    """How much a part adds to what it is part of: least for a code, whose ``not false`` and ``not true`` are one literal each.

    Only what is heavier than a code is made a step, so splitting comes to an end: `_FAN` codes always fit.
    """
    negated = len(either(senses.true, senses.unknown)) + len(either(senses.false, senses.unknown))
    return negated, _size(senses)


def _outcomes(when: Leaf, require: Leaf) -> dict[Outcome, Branches]:
    return {
        Outcome.NOT_APPLICABLE: when.false,
        Outcome.PASS: both(when.true, require.true),
        Outcome.FAIL: both(when.true, require.false),
        Outcome.INDETERMINATE: either(when.unknown, both(when.true, require.unknown)),
    }


def _every(parts: Sequence[Leaf]) -> Leaf:
    not_false = [either(part.true, part.unknown) for part in parts]
    return Leaf(
        both(*(part.true for part in parts)),
        either(*(part.false for part in parts)),
        either(
            *(
                both(part.unknown, *not_false[:i], *not_false[i + 1 :])
                for i, part in enumerate(parts)
                if part.unknown
            )
        ),
    )


def _some(parts: Sequence[Leaf]) -> Leaf:
    opposite = _every([Leaf(part.false, part.true, part.unknown) for part in parts])
    return Leaf(opposite.false, opposite.true, opposite.unknown)


def _choice(parts: Sequence[Leaf]) -> Leaf:
    which, then, otherwise = parts
    return Leaf(
        either(both(which.true, then.true), both(which.false, otherwise.true)),
        either(both(which.true, then.false), both(which.false, otherwise.false)),
        either(which.unknown, both(which.true, then.unknown), both(which.false, otherwise.unknown)),
    )


def both(*conjuncts: Branches) -> Branches:
    """All of them hold: every combination of branches that does not contradict itself. Raises TooManyBranches."""
    if prod(map(len, conjuncts)) > _EXPLODED:
        raise TooManyBranches
    found: Branches = ALWAYS
    for conjunct in conjuncts:
        found = either(
            joined for one in found for other in conjunct if (joined := _joined(one, other)) is not None
        )
    return found


def either(*alternatives: Iterable[Branch]) -> Branches:
    """Any of them holds: branches that another one covers are left out, and codes that differ alone are united.

    Raises TooManyBranches.
    """
    branches: list[Branch] = []
    waiting = [branch for alternative in alternatives for branch in alternative]
    if len(waiting) > _EXPLODED:
        raise TooManyBranches
    waiting.reverse()
    while waiting:
        new = waiting.pop()
        for index, old in enumerate(branches):
            merged = _merged(old, new)
            if merged == old:
                break
            if merged is not None:
                del branches[index]
                waiting.append(merged)
                break
        else:
            branches.append(new)
    return tuple(branches)


def _merged(one: Branch, other: Branch) -> Branch | None:
    """One branch that says what both say, if there is one: the wider of two of which one forbids only what the other forbids too."""
    forbidden, others = _forbidden(one), _forbidden(other)
    if not forbidden & ~others:
        return one
    if not others & ~forbidden:
        return other
    if len(one) != len(other):
        return None
    shared = one & other
    if len(shared) != len(one) - 1:
        return None
    (left,), (right,) = one - shared, other - shared
    if isinstance(left, Code) and isinstance(right, Code) and left.field == right.field:
        allowed = left.allowed | right.allowed
        return shared if len(allowed) == 3 else shared | {Code(left.field, allowed)}
    return None


@lru_cache(maxsize=65_536)
def _forbidden(branch: Branch) -> int:
    """What a branch forbids, as a set of bits: one for each value of a code that it does not allow, one for each other literal (that it
    be false). Each branch is compared with many, and integers compare fast."""
    bits = 0
    for literal in branch:
        if isinstance(literal, Code):
            for value in _ALL - literal.allowed:
                bits |= 1 << _BITS[literal.field, value]
        else:
            bits |= 1 << _BITS[literal]
    return bits


def _joined(one: Branch, other: Branch) -> Branch | None:
    """The conjunction of two branches, or None where they contradict each other."""
    if one <= other:
        return other
    joined: set[Literal_] = set()
    codes: dict[int, frozenset[int]] = {}
    missing: set[int] = set()
    there: set[int] = set()
    for literal in one | other:
        if isinstance(literal, Code):
            allowed = codes.get(literal.field, literal.allowed) & literal.allowed
            if not allowed:
                return None
            codes[literal.field] = allowed
            continue
        if isinstance(literal, Missing):
            missing.add(literal.field)
        else:
            if Test(literal.field, OPPOSITE[literal.op], literal.right) in joined:
                return None
            there.add(literal.field)
            there.update(literal.needs)
        joined.add(literal)
    if missing & there:
        return None
    values = [literal for literal in joined if isinstance(literal, Test) and literal.op == "=="]
    if any(a.field == b.field and _constants_differ(a, b) for a, b in combinations(values, 2)):
        return None
    joined.update(Code(name, allowed) for name, allowed in codes.items())
    return frozenset(joined)


def _constants_differ(one: Test, other: Test) -> bool:
    return not isinstance(one.right, Sum) and not isinstance(other.right, Sum) and one.right != other.right
