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
* At most 32 compiled rules and 200 fields in a ruleset.
* A firing counts only if it carries the very fact that was asserted.
* A ruleset in which anything went wrong may hold remains of it, and is registered anew before it is used again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from operator import itemgetter
from typing import Any, Final

import durable_rules_engine as _engine

from compliance.domain.findings import Outcome
from compliance.engine.clause import Clause, Scope
from compliance.engine.conditions import Conditions
from compliance.engine.flat_fact import FlatFact, code_pieces, field_name, quoted
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

MAX_RULES: Final = 32
"""Compiled rules per ruleset: a fan-out above 64 fails with code 303, above 512 rules registration hangs."""

MAX_FIELDS: Final = 200
"""Fields per ruleset: a fact of 255 or more fails with code 302."""

_MAX_REGISTRATIONS: Final = 16
"""Each registration of a ruleset retains about 144 KiB for ever."""

_REMEDY: Final = "The event is decided as indeterminate. Report this as a fault of the software, with the bundle's digest."

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
        return {name for _, branches in self.answers for branch in branches for each in branch for name in _fields(each)}


class DurableRules:
    """A set of clauses, compiled and registered once. `name` says which (a bundle's digest and a kind of event).

    Registered rulesets are never freed: keep one instance per bundle and set.
    """

    def __init__(self, name: str, clauses: Sequence[Clause], tables: Tables) -> None:
        self._rules = [clause.rule for clause in clauses]
        self._fact = FlatFact(tables)
        conditions, forms = Conditions(self._fact), NormalForm(self._fact.reserve)
        targets: list[_Target] = []
        for slot, clause in enumerate(clauses):
            when = TRUE if clause.when is None else conditions.of(clause.when)
            outcomes, layer = forms.outcomes(when, conditions.of(clause.require))
            targets.append(_Target(slot, layer, tuple(outcomes.items())))
        for slot, step in enumerate(forms.steps, len(clauses)):
            false, unknown, true = code_pieces(step.field)
            senses = ((true, step.senses.true), (false, step.senses.false), (unknown, step.senses.unknown))
            targets.append(_Target(slot, step.layer, senses))
        layers = range(max((target.layer for target in targets), default=-1) + 1)
        self._layers = [_packed(name, [target for target in targets if target.layer == layer]) for layer in layers]
        self._steps = [  # per layer: the slots of steps, and the fields that their answers become
            [(slot, step.field) for slot, step in enumerate(forms.steps, len(clauses)) if step.layer == layer]
            for layer in layers
        ]
        self._slots = len(targets)

    def evaluate(self, scope: Scope) -> list[Outcome]:
        """The outcome of each clause, in the order given.

        Raises EngineFault for any result code of the engine but 0 and 1, for a clause of which no outcome or more than one
        fired, and for values that are not of their type or beyond bounds.
        """
        pieces = self._fact.pieces(scope)
        answers: list[Any] = [None] * self._slots
        for rulesets, steps in zip(self._layers, self._steps, strict=True):
            for ruleset in rulesets:
                for slot, answer in ruleset.fired(pieces):
                    if answers[slot] is None:
                        answers[slot] = answer
                    elif answers[slot] is not answer:
                        raise EngineFault(f"{self._subject(slot)}: the rules engine gave two answers", _REMEDY)
            for slot, name in steps:
                if answers[slot] is None:
                    raise self._silent(slot)
                pieces[name] = answers[slot]
        outcomes = answers[: len(self._rules)]
        if None in outcomes:
            raise self._silent(outcomes.index(None))
        return outcomes

    def _silent(self, slot: int) -> EngineFault:
        return EngineFault(f"{self._subject(slot)}: the rules engine gave no answer", _REMEDY)

    def _subject(self, slot: int) -> str:
        return f"rule {self._rules[slot]}" if slot < len(self._rules) else "part of a rule"


class _Ruleset:
    """One ruleset of the C module: driven by hand, without the package's host, threads, timers and closures."""

    def __init__(self, name: str, targets: Sequence[_Target]) -> None:
        self._name = name
        self._answers: dict[str, tuple[int, Any]] = {}
        definition: dict[str, Any] = {}
        for target in targets:
            for answer, branches in target.answers:
                for branch in branches:
                    rule = str(len(definition))
                    self._answers[rule] = (target.slot, answer)
                    definition[rule] = {"all": [{"m": {"$and": _conjuncts(branch)}}]}
        self._definition = json.dumps(definition)
        fields = sorted(set().union(*(target.fields for target in targets)))
        self._project: Callable[[list[str]], Any] = itemgetter(*fields) if fields else lambda _: ""
        self._registrations = 0
        self._handle = self._register()

    def _register(self) -> int:
        self._registrations += 1
        if self._registrations > _MAX_REGISTRATIONS:
            raise EngineFault(f"ruleset {self._name} failed too often and is out of use", _REMEDY)
        try:
            handle: int = _engine.create_ruleset(self._name, self._definition)
        except _engine.error as error:
            raise EngineFault(f"ruleset {self._name} was refused: {error}", _REMEDY) from error
        return handle

    def fired(self, pieces: list[str]) -> Iterable[tuple[int, Any]]:
        """What the rules that fire on the projected fact say: (slot, answer), each firing once."""
        fact = f'{{"k":1,"id":{next(_ids)}{"".join(self._project(pieces))}}}'
        if self._handle == 0:
            self._handle = self._register()
        handle, self._handle = self._handle, 0  # given back only if all goes well
        try:
            messages = self._firings(handle, fact)
        except _engine.error as error:
            raise EngineFault(f"ruleset {self._name}: {error}", _REMEDY) from error
        ending = f'":{{"m":{fact}}}}}'
        cut = -len(ending)
        answers = []
        for message in messages:
            answer = self._answers.get(message[2:cut])
            if answer is None or not message.endswith(ending):
                raise EngineFault(f"ruleset {self._name}: something fired that was not asserted", _REMEDY)
            answers.append(answer)
        self._handle = handle
        return answers

    def _firings(self, handle: int, fact: str) -> list[str]:
        result, state = _engine.assert_fact(handle, fact)
        messages: list[str] = []
        if result == 0:
            started = _engine.start_action_for_state(handle, state)
            message = started[1] if started else None
            while message and len(messages) <= MAX_RULES:
                messages.append(message)
                message = _engine.complete_and_start_action(handle, state)
            if message:
                raise EngineFault(f"ruleset {self._name} does not stop firing", _REMEDY)
        elif result != 1:
            raise EngineFault(f"ruleset {self._name}: asserting the case gave result code {result}", _REMEDY)
        result, _ = _engine.retract_fact(handle, fact)
        if result not in {0, 1}:
            raise EngineFault(f"ruleset {self._name}: retracting the case gave result code {result}", _REMEDY)
        return messages


def _packed(name: str, targets: Sequence[_Target]) -> list[_Ruleset]:
    """The targets in as few rulesets as their limits allow, in order."""
    groups: list[list[_Target]] = []
    for target in targets:
        for group in groups:
            together = [*group, target]
            if sum(one.size for one in together) <= MAX_RULES and len(set().union(*(one.fields for one in together))) <= MAX_FIELDS:
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
    codes = sorted((one for one in branch if isinstance(one, Code)), key=lambda one: (one.field, sorted(one.allowed)))
    absences = sorted(one.field for one in branch if isinstance(one, Missing))
    tests = sorted((one for one in branch if isinstance(one, Test)), key=lambda one: (one.field, one.op, repr(one.right)))
    needed = sorted({name for test in tests for name in _fields(test)})
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
