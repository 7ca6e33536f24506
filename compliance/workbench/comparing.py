"""What only the solver can say of two rules: one makes the other redundant, or no event can satisfy both.

Only rules are compared that can have to do with each other: on the same kind of event, in force on a common day, of one form, and looking
at common fields; where both deny, or one keeps all requirements that the other keeps. Their cases answer most questions: a case of one that the other judges otherwise is an answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Final, Literal

from compliance.domain.event import Event
from compliance.domain.findings import Severity
from compliance.engine.cases import prepared
from compliance.engine.plan import walk
from compliance.policy.expression.tree import IsNull, Ref
from compliance.policy.model import Bundle, Expression, Rule
from compliance.workbench.covering import Board
from compliance.workbench.remarks import NotFoundOut, Redundant, Remark
from compliance.workbench.symbolic import FINDINGS, Found, Nowhere, Side, Unknown, find_case, outcomes_of

_GRAVE: Final = {Severity.DENY: 2, Severity.WARN: 1, Severity.REPORT: 0}
_SECONDS: Final = 3.0
_CROSSED: Final = 5
"""So many cases of each of two rules are laid into one another."""
_ENVELOPE: Final = frozenset({"id", "kind", "site", "actor", "occurred_at", "noted_at"})
"""Fields that every event has: that two rules look at them brings them no nearer."""


def compared(
    bundle: Bundle, pair: tuple[str, str], seconds: float = _SECONDS
) -> tuple[Redundant | Remark | NotFoundOut, ...]:
    """What is found of two rules, whichever of them comes first."""
    one, other = (bundle.rule(name) for name in pair)
    found: list[Redundant | Remark | NotFoundOut] = []
    for rule, wider in ((one, other), (other, one)):
        told = _redundant(bundle, rule, wider, seconds)
        found += [told] if told is not None else []
    clash = _clash(bundle, one, other, seconds)
    return (*found, clash) if clash is not None else tuple(found)


def pairs(bundle: Bundle) -> Iterator[tuple[str, str]]:
    """The rules that can have to do with each other, each pair once."""
    terms = {rule.id: _terms(rule) for rule in bundle.rules}
    for number, one in enumerate(bundle.rules):
        for other in bundle.rules[number + 1 :]:
            asked = _may_clash(one, other) or _may_yield(one, other) or _may_yield(other, one)
            if asked and _form(one) == _form(other) and _meet(one, other) and terms[one.id] & terms[other.id]:
                yield one.id, other.id


def _may_clash(one: Rule, other: Rule) -> bool:
    """Whether both deny on events."""
    return one.severity is other.severity is Severity.DENY and one.expect is None


def _may_yield(rule: Rule, wider: Rule) -> bool:
    """Whether another rule can make a rule redundant: as grave, and keeping all that it keeps. A requirement that only one rule keeps is found
    and cited nowhere else, whatever else objects to the same event."""
    return _GRAVE[wider.severity] >= _GRAVE[rule.severity] and set(rule.implements) <= set(wider.implements)


def _form(rule: Rule) -> tuple[bool, object, object]:
    return rule.expect is not None, rule.per, None if rule.each is None else (rule.each.kind, rule.each.by)


def _meet(one: Rule, other: Rule) -> bool:
    """Whether some event on some day is judged by both."""
    first, second = one.in_force, other.in_force
    apart = (first.end is not None and first.end <= second.start) or (
        second.end is not None and second.end <= first.start
    )
    kinds = one.each is not None or bool({"any"} & {*one.on, *other.on}) or bool({*one.on} & {*other.on})
    return kinds and not apart


def _terms(rule: Rule) -> frozenset[tuple[str, str]]:
    """What a rule asks about: fields of the judged event, and fields of the kinds that are looked up for what it asks."""
    givens = {given.name: given for given in rule.given}
    closings = tuple(rule.closings())
    waiting = [
        one
        for one in (rule.require, *(part for closing in closings for part in (closing.where, closing.at)))
        if one is not None
    ]
    found = {(kind, "") for closing in closings for kind in closing.kinds}
    seen: set[str] = set()
    while waiting:
        expression = waiting.pop()
        for node in walk(expression.node):
            if not isinstance(node, Ref | IsNull):
                continue
            given = givens.get(node.root)
            if given is not None and given.name not in seen:
                seen.add(given.name)
                waiting += [
                    part for part in (given.where, given.within, given.after) if isinstance(part, Expression)
                ]
                found |= {(kind, "") for kind in given.kinds}
            if isinstance(node, Ref) and node.root == "event" and node.path and node.path[0] not in _ENVELOPE:
                found.add(("event", node.path[0]))
    return frozenset(found)


def _redundant(bundle: Bundle, rule: Rule, wider: Rule, seconds: float) -> Redundant | NotFoundOut | None:
    if not _may_yield(rule, wider):
        return None
    came = list(_came(bundle, rule, wider))
    if not any(mine in FINDINGS for mine, _ in came) or any(
        mine in FINDINGS and theirs not in FINDINGS for mine, theirs in came
    ):
        return None
    finds = [name for name in outcomes_of(rule) if name in FINDINGS]
    others = [name for name in outcomes_of(rule) if name not in FINDINGS]
    if _crossed(bundle, (rule, finds), (wider, others)):
        return None
    found = find_case((Side(bundle, rule), Side(bundle, wider)), ((finds, others),), seconds=seconds)
    if isinstance(found, Nowhere):
        return Redundant(rule.id, wider.id)
    if isinstance(found, Unknown):
        return NotFoundOut(rule.id, f"does '{wider.id}' make it redundant", found.reason)
    return None


def _clash(bundle: Bundle, one: Rule, other: Rule, seconds: float) -> Remark | NotFoundOut | None:
    """Two denies each of which can be kept where the other applies, and then never both.

    Where one can never be kept, there is no conflict: it forbids outright what the other sets conditions for, and what both deny should not be.
    """
    if not _may_clash(one, other) or ("pass", "pass") in _came(bundle, one, other):
        return None
    if _crossed(bundle, (one, ("pass",)), (other, ("pass",))):
        return None
    sides = (Side(bundle, one), Side(bundle, other))
    question = f"can an event satisfy it and '{other.id}' together"
    together = find_case(sides, ((("pass",), ("pass",)),), seconds=seconds)
    if isinstance(together, Found):
        return None
    ways = ((("pass",), ("fail",)), (("fail",), ("pass",))) if isinstance(together, Nowhere) else ()
    alone = [find_case(sides, (way,), seconds=seconds) for way in ways]
    if any(isinstance(answer, Nowhere) for answer in alone):
        return None
    for answer in (together, *alone):
        if isinstance(answer, Unknown):
            return NotFoundOut(one.id, question, answer.reason)
    case = next(answer.case for answer in alone if isinstance(answer, Found))
    return Remark(
        one.id, ("require",), "conflict",
        f"no event can satisfy this and '{other.id}' together, and there are events to which both apply: each of these is denied",
        "see which of the two is meant, and say in its 'when' where it does not apply", key=True, case=case,
    )  # fmt: skip


def _came(bundle: Bundle, one: Rule, other: Rule) -> Iterator[tuple[str, str]]:
    """What both rules say of each case of either."""
    for rule in (one, other):
        for number in range(len(rule.cases)):
            yield _said(_Key(bundle, one.id), rule.id, number), _said(_Key(bundle, other.id), rule.id, number)


def _crossed(bundle: Bundle, *wanted: tuple[Rule, Collection[str]]) -> bool:
    """Whether a case of one rule and a case of the other, laid into one, come out as is wanted of each: such a case is as good an answer
    as the solver's, and found sooner."""
    (one, wanted_of_one), (other, wanted_of_other) = wanted
    keys = (_Key(bundle, one.id), _Key(bundle, other.id))
    suited = (
        [case for number, case in enumerate(rule.cases) if _said(key, rule.id, number) in outcomes][:_CROSSED]
        for key, (rule, outcomes) in zip(keys, wanted, strict=True)
    )
    for first, second in product(*suited):
        for one_event, other_event in ((first.event, second.event), (second.event, first.event)):
            case = replace(
                first, history=(*first.history, *second.history), event={**other_event, **one_event}
            )
            events, problems = prepared([*case.history, case.event])
            if problems or len({event.id for event in events}) < len(events):
                continue
            if (
                _board(keys[0]).comes_out(events, case) in wanted_of_one
                and _board(keys[1]).comes_out(events, case) in wanted_of_other
            ):
                return True
    return False


@dataclass(frozen=True)
class _Key:
    """A rule of a bundle, told apart by the bundle's identity: comparing bundles costs more than all else here."""

    bundle: Bundle
    rule: str

    def __hash__(self) -> int:
        return hash((id(self.bundle), self.rule))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.bundle is other.bundle and self.rule == other.rule


@lru_cache(maxsize=65536)
def _said(judging: _Key, rule_id: str, number: int) -> str:
    """What one rule says of a case of another."""
    events = _events(_Key(judging.bundle, rule_id), number)
    if events is None:
        return ""
    return _board(judging).comes_out(events, judging.bundle.rule(rule_id).cases[number])


@lru_cache(maxsize=512)
def _board(key: _Key) -> Board:
    return Board(key.bundle.rule(key.rule), key.bundle)


@lru_cache(maxsize=8192)
def _events(key: _Key, number: int) -> tuple[Event, ...] | None:
    case = key.bundle.rule(key.rule).cases[number]
    events, problems = prepared([*case.history, case.event])
    return None if problems else tuple(events)


def redundancy(found: Sequence[Redundant]) -> Iterator[Remark]:
    """Each redundant rule with one that makes it so; of rules that say the same, all but the first."""
    both = {(one.rule, one.other) for one in found}
    told: set[str] = set()
    for one in sorted(found, key=lambda each: (each.rule, each.other)):
        same = (one.other, one.rule) in both
        if one.rule in told or (same and one.rule < one.other):
            continue
        told.add(one.rule)
        says: Literal["find the same", "finds"] = "find the same" if same else "finds"
        message = (
            f"this rule and '{one.other}' {says}: on every event both, or neither" if same
            else f"whenever this rule finds something, so does '{one.other}', at least as gravely"
        )  # fmt: skip
        yield Remark(
            one.rule,
            ("id",),
            "redundant",
            message,
            "delete it, or say what it adds: in its 'when', its severity or its dates",
        )
