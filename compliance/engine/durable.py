"""Rules judged by durable_rules 2.0.28, within the limits that engine.md, "Using durable_rules 2.0.28 safely", measured.

Each clause becomes one compiled rule per branch of each of its four outcomes (`normal_form`), over one flat fact (`flat_fact`). Of
every clause exactly one outcome must fire for every case; silence or contradiction is an `EngineFault`, never a pass.

>>> rules = DurableRules("sha256:ab12.../discharge", clauses, tables)      # doctest: +SKIP
>>> rules.evaluate({"event": {...}, "f0": None, "param": {...}})           # doctest: +SKIP
[<Outcome.PASS: 'pass'>, <Outcome.NOT_APPLICABLE: 'not_applicable'>]

Invariants, each held by a test that fails without it:

* Facts (`assert_fact`), never events; one per evaluation and ruleset, with a fresh id, under the default sid, retracted at the end.
* Every compiled rule begins with a positive match on the fact's kind, and asks for the presence of every field on the right of a
  comparison before it compares. No joins, no ``$or``, no ``$mul``, no ``$div``, no arithmetic of constants alone.
* At most 60 compiled rules and 200 fields in a ruleset.
* A firing counts only if it carries the very fact that was asserted.
* A ruleset in which anything went wrong may hold remains of it, and is registered anew before it is used again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from operator import itemgetter
from typing import Any, Final

import durable_rules_engine as _engine

from compliance.domain.findings import Outcome
from compliance.engine.clause import Clause, Scope
from compliance.engine.conditions import Conditions
from compliance.engine.flat_fact import REMEDY, FlatFact, code_pieces, field_name, quoted
from compliance.engine.normal_form import (
    FALSE_CODE,
    TRUE,
    TRUE_CODE,
    UNKNOWN_CODE,
    Branch,
    Branches,
    Code,
    Literal_,
    Missing,
    NormalForm,
    Sum,
    Test,
)
from compliance.errors import EngineFault
from compliance.policy.model import Tables

MAX_RULES: Final = 60
"""Compiled rules per ruleset: a fan-out above 64 fails with code 303, above 512 rules registration hangs. The matcher's stack holds
nodes of which each leads to rules of its own, so 60 rules never fill its 64 places; fewer, fuller rulesets cost less."""

MAX_FIELDS: Final = 200
"""Fields per ruleset: a fact of 255 or more fails with code 302."""

_MAX_REGISTRATIONS: Final = 16
"""Each registration of a ruleset retains about 144 KiB for ever."""


_OPERATORS: Final = {"==": "$eq", "!=": "$neq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
_CODES: Final = {
    frozenset([FALSE_CODE]): ("$eq", FALSE_CODE),
    frozenset([UNKNOWN_CODE]): ("$eq", UNKNOWN_CODE),
    frozenset([TRUE_CODE]): ("$eq", TRUE_CODE),
    frozenset([FALSE_CODE, UNKNOWN_CODE]): ("$lte", UNKNOWN_CODE),
    frozenset([UNKNOWN_CODE, TRUE_CODE]): ("$gte", UNKNOWN_CODE),
    frozenset([FALSE_CODE, TRUE_CODE]): ("$neq", UNKNOWN_CODE),
}
_ids = count(1)

_assert_fact: Final = _engine.assert_fact
_start_action: Final = _engine.start_action_for_state
_next_action: Final = _engine.complete_and_start_action
_retract_fact: Final = _engine.retract_fact


@dataclass(frozen=True, slots=True)
class _Target:
    """Something to be answered, with the branches of each answer: a clause, or a step whose answer is a field later on."""

    slot: int
    layer: int
    answers: tuple[tuple[Any, Branches], ...]

    @property
    def size(self) -> int:
        return sum(len(branches) for _, branches in self.answers)

    @property
    def fields(self) -> set[int]:
        return {
            name
            for _, branches in self.answers
            for branch in branches
            for each in branch
            for name in _fields(each)
        }


class DurableRules:
    """A set of clauses, compiled and registered once. `name` says which (a bundle's digest and a kind of event).

    Registered rulesets are never freed: keep one instance per bundle and set.
    """

    def __init__(self, name: str, clauses: Sequence[Clause], tables: Tables) -> None:
        self._rules = [clause.rule for clause in clauses]
        fact = FlatFact(tables)
        conditions, forms = Conditions(fact), NormalForm(fact.reserve)
        targets: list[_Target] = []
        for slot, clause in enumerate(clauses):
            when = TRUE if clause.when is None else conditions.of(clause.when)
            outcomes, layer = forms.outcomes(when, conditions.of(clause.require))
            targets.append(_Target(slot, layer, tuple(outcomes.items())))
        for slot, step in enumerate(forms.steps, len(clauses)):
            false, unknown, true = code_pieces(step.field)
            senses = ((true, step.senses.true), (false, step.senses.false), (unknown, step.senses.unknown))
            targets.append(_Target(slot, step.layer, senses))
        self._layers = []
        for layer in range(max((target.layer for target in targets), default=-1) + 1):
            rulesets = _packed(f"{name}/{layer}", [target for target in targets if target.layer == layer])
            # Steps answer for the layers behind them: their slots, and the fields that their answers become.
            steps = [
                (slot, each.field)
                for slot, each in enumerate(forms.steps, len(clauses))
                if each.layer == layer
            ]
            self._layers.append((rulesets, steps))
        self._pieces = fact.compiled()
        self._slots = len(targets)

    def evaluate(self, scope: Scope) -> list[Outcome]:
        """The outcome of each clause, in the order given.

        Raises EngineFault for any result code of the engine but 0 and 1, for a clause of which no outcome or more than one
        fired, and for values that are not of their type or beyond bounds.
        """
        pieces = self._pieces(scope)
        answers: list[Any] = [None] * self._slots
        for rulesets, steps in self._layers:
            for ruleset in rulesets:
                ruleset.judge(pieces, answers)
            for slot, field in steps:
                if answers[slot] is None:
                    raise self._silent(slot)
                pieces[field] = answers[slot]
        if None in answers:
            raise self._silent(answers.index(None))
        return answers[: len(self._rules)]

    def _silent(self, slot: int) -> EngineFault:
        subject = f"rule {self._rules[slot]}" if slot < len(self._rules) else "part of a rule"
        return EngineFault(f"{subject}: the rules engine gave no answer", REMEDY)


class _Ruleset:
    """One ruleset of the C module: driven by hand, without the package's host, threads, timers and closures."""

    def __init__(self, name: str, targets: Sequence[_Target]) -> None:
        self._name = name
        self._answers: dict[str, tuple[int, Any]] = {}  # by what precedes the fact in the message of a firing
        definition: dict[str, Any] = {}
        for target in targets:
            for answer, branches in target.answers:
                for branch in branches:
                    rule = str(len(definition))
                    self._answers[f'{{"{rule}'] = (target.slot, answer)
                    definition[rule] = {"all": [{"m": {"$and": _conjuncts(branch)}}]}
        self._definition = json.dumps(definition)
        fields = sorted(set().union(*(target.fields for target in targets)))
        self._project: Callable[[list[str]], Any] = itemgetter(*fields) if fields else lambda _: ""
        self._registrations = 0
        self._handle = self._registered()

    def _registered(self) -> int:
        if self._registrations == _MAX_REGISTRATIONS:
            raise self._fault("it failed too often and is out of use")
        self._registrations += 1
        try:
            handle: int = _engine.create_ruleset(self._name, self._definition)
        except _engine.error as error:
            raise self._fault(f"it was refused: {error}") from error
        return handle

    def judge(self, pieces: list[str], answers: list[Any]) -> None:
        """Asserts the fact, notes in `answers` what the rules that fire say, and retracts the fact.

        Raises EngineFault for everything that is not plainly in order.
        """
        fact = f'{{"k":1,"id":{next(_ids)}{"".join(self._project(pieces))}}}'
        ending = f'":{{"m":{fact}}}}}'
        known = self._answers
        handle = self._handle or self._registered()
        self._handle = 0  # until all has gone well: a lease of 30 seconds or a fact may remain otherwise
        try:
            result, state = _assert_fact(handle, fact)
            if result == 0:
                started = _start_action(handle, state)
                message = started[1] if started else None
                left = MAX_RULES
                while message:
                    answer = known.get(message.removesuffix(ending))
                    if answer is None:
                        raise self._fault("something fired that was not asserted")
                    slot, said = answer
                    if answers[slot] is None:
                        answers[slot] = said
                    elif answers[slot] is not said:
                        raise self._fault("two outcomes of one clause fired")
                    left -= 1
                    if left < 0:
                        raise self._fault("it does not stop firing")
                    message = _next_action(handle, state)
            elif result != 1:
                raise self._fault(f"asserting the case gave result code {result}")
            result, _ = _retract_fact(handle, fact)
        except (_engine.error, MemoryError) as error:  # its code 101 comes as MemoryError
            raise self._fault(str(error) or "it is out of memory") from error
        if result not in {0, 1}:
            raise self._fault(f"retracting the case gave result code {result}")
        self._handle = handle

    def _fault(self, what: str) -> EngineFault:
        return EngineFault(f"ruleset {self._name}: {what}", REMEDY)


def _packed(name: str, targets: Sequence[_Target]) -> list[_Ruleset]:
    """The targets in as few rulesets as their limits allow, in order."""
    groups: list[list[_Target]] = []
    for target in targets:
        for group in groups:
            together = [*group, target]
            if (
                sum(one.size for one in together) <= MAX_RULES
                and len(set().union(*(one.fields for one in together))) <= MAX_FIELDS
            ):
                group.append(target)
                break
        else:
            groups.append([target])
    return [_Ruleset(f"{name}/{number}", group) for number, group in enumerate(groups)]


def _fields(literal: Literal_) -> tuple[int, ...]:
    return (literal.field, *literal.needs) if isinstance(literal, Test) else (literal.field,)


def _conjuncts(branch: Branch) -> list[dict[str, Any]]:
    """A branch as the engine's ``$and``: the fact's kind, codes, absences, then each comparison behind the presences it needs.

    The order is the same in every branch, so that branches share the nodes of a common beginning.
    """
    codes = sorted(
        (one for one in branch if isinstance(one, Code)), key=lambda one: (one.field, sorted(one.allowed))
    )
    absences = sorted(one.field for one in branch if isinstance(one, Missing))
    tests = sorted(
        (one for one in branch if isinstance(one, Test)), key=lambda one: (one.field, one.op, repr(one.right))
    )
    needed = sorted({name for test in tests for name in test.needs})
    return [
        {"k": 1},
        *(_compared(one.field, *_CODES[one.allowed]) for one in codes),
        *({"$nex": {field_name(name): 1}} for name in absences),
        *({"$ex": {field_name(name): 1}} for name in needed),
        *(_compared(one.field, _OPERATORS[one.op], _operand(one.right)) for one in tests),
    ]


def _compared(name: int, operator: str, right: Any) -> dict[str, Any]:
    # {name: value} is how the package itself writes equality.
    return {field_name(name): right} if operator == "$eq" else {operator: {field_name(name): right}}


def _operand(right: int | str | Sum) -> Any:
    if isinstance(right, str):
        return json.loads(quoted(right))
    if isinstance(right, int):
        return right
    added = [{"$m": field_name(name)} for sign, name in right.terms if sign > 0]
    taken = [{"$m": field_name(name)} for sign, name in right.terms if sign < 0]
    # Never an operation of two constants: those give wrong answers.
    if added:
        total: Any = added.pop(0)
        if right.constant:
            total = {"$add": {"$l": total, "$r": right.constant}}
    else:
        total = right.constant
    for operand in added:
        total = {"$add": {"$l": total, "$r": operand}}
    for operand in taken:
        total = {"$sub": {"$l": total, "$r": operand}}
    return total
