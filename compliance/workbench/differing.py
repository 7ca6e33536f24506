"""What a change of policies changes in meaning (policy-language.md, `diff`).

A rule is *stricter* where some case that it let pass is now found, or found more gravely; *looser* the other way round; *both* where it is both; and
*equivalent* only where the solver has proved that there is no such case. Each direction comes with a case on which the engine itself decides
differently. What could not be found out is *unknown*, never equivalent.

Of the change as a whole the same is asked by requirement: what one rule no longer finds, another that keeps the same requirement may find.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from compliance.domain.findings import Severity
from compliance.policy.model import Bundle, Rule
from compliance.workbench.compared import Compared
from compliance.workbench.meaning import meanings
from compliance.workbench.symbolic import (
    FINDINGS,
    Found,
    Nowhere,
    Side,
    Unknown,
    find_case,
    form_of,
    outcomes_of,
)

SECONDS: Final = 5.0
"""For one question of one rule."""

Answer: TypeAlias = Found | Nowhere | Unknown


class Change(StrEnum):
    """What becomes of a rule, or of all."""

    EQUIVALENT = "equivalent"
    STRICTER = "stricter"
    LOOSER = "looser"
    BOTH = "both"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A rule that was added, removed, changed in what it asks, or only in its words; with a case for each direction."""

    rule: str
    status: Literal["added", "removed", "changed", "reworded"]
    old: Rule | None
    new: Rule | None
    stricter: Answer
    looser: Answer

    @property
    def change(self) -> Change:
        """What becomes of it."""
        return _change([(self.stricter, self.looser)])


@dataclass(frozen=True, slots=True)
class RequirementChange:
    """What several rules together make of a requirement that they keep."""

    requirement: str
    stricter: Answer
    looser: Answer

    @property
    def change(self) -> Change:
        """What becomes of it."""
        return _change([(self.stricter, self.looser)])


@dataclass(frozen=True, slots=True)
class Difference:
    """All that changes between two states of policies; rules of which nothing changed are left out."""

    rules: tuple[RuleChange, ...]
    requirements: tuple[RequirementChange, ...]
    same: int

    @property
    def change(self) -> Change:
        """What becomes of the bundle as a whole."""
        return _change((one.stricter, one.looser) for one in self.requirements)


def _change(directions: Iterable[tuple[Answer, Answer]]) -> Change:
    """What a direction found is certain, whatever is unknown besides; equivalent is only what is proved in both."""
    pairs = list(directions)
    stricter, looser = (any(isinstance(pair[way], Found) for pair in pairs) for way in (0, 1))
    if stricter and looser:
        return Change.BOTH
    if any(isinstance(answer, Unknown) for pair in pairs for answer in pair):
        return Change.UNKNOWN
    return Change.STRICTER if stricter else Change.LOOSER if looser else Change.EQUIVALENT


def consequence(rule: Rule) -> int:
    """How grave a finding of a rule is: report, warn, deny that may be overridden with a reason, by two persons, never."""
    if rule.severity is not Severity.DENY:
        return 1 if rule.severity is Severity.REPORT else 2
    return {"with_reason": 3, "two_person": 4, "never": 5}[rule.override]


def differences(of: Compared, seconds: float = SECONDS) -> Iterator[RuleChange]:
    """What becomes of each rule that is not the same in both, in the order of their ids."""
    before, after = ({rule.id: rule for rule in bundle.rules} for bundle in (of.old, of.new))
    meant, means = meanings(of.old.documents), meanings(of.new.documents)
    for rule_id in sorted({*before, *after}):
        old, new = before.get(rule_id), after.get(rule_id)
        if old is None or new is None:
            yield _one_sided(of, rule_id, old, new, seconds)
        elif meant[rule_id] != means[rule_id]:
            yield RuleChange(
                rule_id, "changed", old, new, *_both_ways(Side(of.old, old), Side(of.new, new), seconds)
            )
        elif rule_id in of.reworded:
            yield RuleChange(rule_id, "reworded", old, new, Nowhere(), Nowhere())


def _one_sided(of: Compared, rule_id: str, old: Rule | None, new: Rule | None, seconds: float) -> RuleChange:
    if new is not None:
        return RuleChange(
            rule_id,
            "added",
            None,
            new,
            find_case([Side(of.new, new)], [[FINDINGS]], seconds=seconds),
            Nowhere(),
        )
    assert old is not None  # it stands in one of the two
    return RuleChange(
        rule_id,
        "removed",
        old,
        None,
        Nowhere(),
        find_case([Side(of.old, old)], [[FINDINGS]], seconds=seconds),
    )


def _both_ways(old: Side, new: Side, seconds: float) -> tuple[Answer, Answer]:
    if form_of(old.rule) != form_of(
        new.rule
    ):  # a duty is no judgement of an event: the one ends, the other begins
        return find_case([new], [[FINDINGS]], seconds=seconds), find_case(
            [old], [[FINDINGS]], seconds=seconds
        )
    return _graver([old], [new], seconds), _graver([new], [old], seconds)


def _graver(before: Sequence[Side], after: Sequence[Side], seconds: float) -> Answer:
    """A case that some rule of `after` finds, more gravely than any rule of `before`."""
    answers = [_found_by(before, side, seconds) for side in after]
    found = next((answer for answer in answers if isinstance(answer, Found)), None)
    return found or next((answer for answer in answers if isinstance(answer, Unknown)), Nowhere())


def _found_by(before: Sequence[Side], side: Side, seconds: float) -> Answer:
    """A case that a rule finds, more gravely than any of `before`.

    The solver looks at one duty, one subject. That is a proof against rules that have the same ones; where only another, which keeps its duties for
    something else, would find as much, nobody has shown that it does so as often.
    """
    alike = [one for one in before if _grouping(one.rule) == _grouping(side.rule)]
    if len(alike) < len(before):
        first = find_case(*_question(alike, side), seconds=seconds)
        if isinstance(first, Nowhere):
            return first
    found = find_case(*_question(before, side), seconds=seconds)
    if isinstance(found, Nowhere) and len(alike) < len(before):
        return Unknown(
            "a duty is kept, or a subject told apart, by other fields than before (`per:`), which is not compared"
        )
    return found


def _grouping(rule: Rule) -> tuple[str, ...]:
    """What tells the duties or subjects of a rule apart."""
    return rule.each.by if rule.each is not None else rule.per


def _question(before: Sequence[Side], side: Side) -> tuple[list[Side], list[list[Collection[str]]]]:
    """The rule finds, and nothing before found as gravely; rules that found less gravely may say what they like."""
    asked = [one for one in before if form_of(one.rule) == form_of(side.rule)]
    allowed: list[Collection[str]] = []
    for one in asked:
        grave = consequence(one.rule) >= consequence(side.rule)
        allowed.append([outcome for outcome in outcomes_of(one.rule) if not (grave and outcome in FINDINGS)])
    return [*asked, side], [[*allowed, FINDINGS]]


def by_requirement(
    of: Compared, rules: Sequence[RuleChange], seconds: float = SECONDS
) -> Iterator[RequirementChange]:
    """What becomes of each requirement that a changed rule keeps or kept, in the order of their ids."""
    touched = {
        name
        for one in rules
        if one.status != "reworded"
        for rule in (one.old, one.new)
        if rule is not None
        and (
            one.change is not Change.EQUIVALENT
            or one.old is None
            or one.new is None
            or set(one.old.implements) != set(one.new.implements)
        )
        for name in rule.implements
    }
    by_id = {one.rule: one for one in rules}
    for name in sorted(touched):
        before, after = (_keeping(name, bundle) for bundle in (of.old, of.new))
        alone = by_id.get(next(iter(before | after)))
        if len(before | after) == 1 and alone is not None and before.keys() == after.keys():
            yield RequirementChange(name, alone.stricter, alone.looser)
            continue
        changed = {
            rule
            for rule in before | after
            if rule not in before
            or rule not in after
            or (rule in by_id and by_id[rule].change is not Change.EQUIVALENT)
        }
        yield RequirementChange(
            name,
            _graver(
                list(before.values()), [side for rule, side in after.items() if rule in changed], seconds
            ),
            _graver(
                list(after.values()), [side for rule, side in before.items() if rule in changed], seconds
            ),
        )


def _keeping(requirement: str, bundle: Bundle) -> dict[str, Side]:
    return {rule.id: Side(bundle, rule) for rule in bundle.rules if requirement in rule.implements}


def same_in(of: Compared, rules: Sequence[RuleChange]) -> int:
    """How many rules are the same in both, to the letter where they were not read."""
    return of.unread + len({rule.id for rule in of.new.rules} - {one.rule for one in rules})
