"""A change of policies in meaning, for people and for programs: the words of ``compliance policy diff``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import click

from compliance.engine.plan import walk
from compliance.policy.expression import to_text
from compliance.policy.expression.tree import Node, Ref
from compliance.policy.fill import USUAL
from compliance.policy.model import Rule
from compliance.workbench.case_text import case_yaml
from compliance.workbench.conditions import conditions_of
from compliance.workbench.differing import (
    Answer,
    Difference,
    RequirementChange,
    RuleChange,
)
from compliance.workbench.symbolic import Found, Unknown

from . import output

_COLORS: Final = {
    "stricter": "yellow",
    "looser": "red",
    "both": "red",
    "unknown": "magenta",
    "equivalent": "green",
}
_WORDS: Final = {
    "pass": "passes", "not_applicable": "is not judged", "open": "is open", "met": "is met in time", "met_late": "is met late",
    "missed": "is missed", "cancelled": "is cancelled",
}  # fmt: skip
_PAST: Final = {
    "pass": "passed", "not_applicable": "was not judged", "open": "was open", "met": "was met in time", "met_late": "was met late",
    "missed": "was missed", "cancelled": "was cancelled",
}  # fmt: skip
_FOUND: Final = {"deny": "denied", "warn": "flagged", "report": "reported"}
_OVERRIDES: Final = {
    "never": "no override",
    "with_reason": "override with a reason",
    "two_person": "override by two persons",
}
_SHOWN: Final = 4
_EVENT: Final = re.compile(r"case-\d+\Z")
"""How a fact that is an event is told: by its id, which says nothing to a reader here."""


def rule_text(one: RuleChange) -> str:
    """A rule with what becomes of it, and a case for each direction."""
    lines = [f"{_colored(one.change)}  {click.style(one.rule, bold=True)} ({one.status})"]
    rule = one.new or one.old
    if rule is not None:
        lines.append(output.paragraph(rule.title, 2))
    for word, answer in (("stricter", one.stricter), ("looser", one.looser)):
        lines += _direction(word, answer, one.old, one.new)
    return "\n".join(lines)


def _direction(word: str, answer: Answer, old: Rule | None, new: Rule | None) -> Iterator[str]:
    if isinstance(answer, Unknown):
        yield output.paragraph(f"whether it is {word} somewhere was not found out: {answer.reason}", 2, 2)
    if isinstance(answer, Found):
        yield output.paragraph(f"{click.style(word, fg=_COLORS[word])}: {sentence(answer, old, new)}", 2, 2)
        case = replace(answer.case, name=f"{word} than before", expect=outcomes(answer, old, new)[1])
        yield case_yaml(case, 4).rstrip("\n")


def sentence(answer: Found, old: Rule | None, new: Rule | None) -> str:
    """What decided, what was said of it and what is said now: ``systolic_mmhg 141 mmHg was flagged, now passes``."""
    before, after = _said(answer, old, new)
    values = ", ".join(f"{name} {value}" for name, value in _values(answer, old, new))
    return f"{_where(answer)}{values or 'this'}: {before}, now {after}"


def _where(answer: Found) -> str:
    """The site, where the rule has values of that site's own: elsewhere the case comes out otherwise."""
    site = answer.case.event.get("site", USUAL["site"])
    own = any(side.rule.id in side.bundle.sites.get(site, {}) for side in answer.sides)
    return f"at {site}, " if own else ""


def _said(answer: Found, old: Rule | None, new: Rule | None) -> tuple[str, str]:
    """In words what the case was before the change and what it is now."""
    before, after = outcomes(answer, old, new)
    if (
        old is not None
        and new is not None
        and before not in _PAST
        and after not in _WORDS
        and old.severity is new.severity
    ):
        return (
            f"was {_finding(before, old)} ({_OVERRIDES[old.override]})",
            f"is {_finding(after, new)} ({_OVERRIDES[new.override]})",
        )
    was = (
        f"was {_finding(before, old)}"
        if before not in _PAST and old is not None
        else _PAST.get(before, "was not judged")
    )
    now = (
        f"is {_finding(after, new)}"
        if after not in _WORDS and new is not None
        else _WORDS.get(after, "is not judged")
    )
    return was, now


def outcomes(answer: Found, old: Rule | None, new: Rule | None) -> tuple[str, str]:
    """How the case came out under the old rule and how it does under the new one; a rule that is not there judges nothing."""
    by_rule = dict(zip((id(side.rule) for side in answer.sides), answer.outcomes, strict=True))
    return by_rule.get(id(old), "not_applicable"), by_rule.get(id(new), "not_applicable")


def _finding(outcome: str, rule: Rule) -> str:
    word = _FOUND[str(rule.severity)]
    return f"{word} (undecided)" if outcome == "indeterminate" else word


def _values(answer: Found, old: Rule | None, new: Rule | None) -> list[tuple[str, str]]:
    """The values that the change turns on: those that stand in a condition of one side only; else the first that decided."""
    because = _both_sides(answer, old, new)
    mine, theirs = (
        set() if rule is None else {one.node for one in conditions_of(rule)} for rule in (old, new)
    )
    changed = {to_text(part) for node in mine ^ theirs for part in walk(node) if isinstance(part, Ref)}
    changed |= _with_changed_parameters(mine | theirs, old, new)
    chosen = [(name, value) for name, value in because.items() if name in changed]
    return (chosen or list(because.items()))[:_SHOWN]


def _both_sides(answer: Found, old: Rule | None, new: Rule | None) -> dict[str, str]:
    """The values that decided; one that the change itself makes another, with both: ``found, now missing``."""
    by_rule = dict(zip((id(side.rule) for side in answer.sides), answer.because, strict=True))
    before, after = by_rule.get(id(old), {}), by_rule.get(id(new), {})
    found = {}
    for name in {**before, **after}:
        was, now = (_EVENT.sub("found", side[name]) if name in side else "" for side in (before, after))
        if name.startswith("param.") or (was or now) == (now or was) == "found":
            continue
        found[name] = f"{was}, now {now}" if was and now and was != now else was or now
    return found


def _with_changed_parameters(conditions: set[Node], old: Rule | None, new: Rule | None) -> set[str]:
    if old is None or new is None:
        return set()
    before, after = ({one.name: one.values for one in rule.parameters} for rule in (old, new))
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    named = (
        node
        for node in conditions
        if any(
            isinstance(part, Ref) and part.root == "param" and part.path[0] in changed for part in walk(node)
        )
    )
    return {to_text(part) for node in named for part in walk(node) if isinstance(part, Ref)}


def says_more(one: RequirementChange, found: Difference) -> bool:
    """Whether what becomes of a requirement is not plain from its rules, each taken alone."""
    alone = [
        rule.change
        for rule in found.rules
        if any(one.requirement in side.implements for side in (rule.old, rule.new) if side is not None)
    ]
    return any(change != one.change for change in alone)


def requirement_text(one: RequirementChange) -> str:
    """A requirement that several rules keep, with what becomes of it."""
    lines = [f"{_colored(one.change)}  {one.requirement}, by all rules that keep it"]
    for word, answer in (("stricter", one.stricter), ("looser", one.looser)):
        if isinstance(answer, Unknown):
            lines.append(
                output.paragraph(f"whether it is {word} somewhere was not found out: {answer.reason}", 2, 2)
            )
    return "\n".join(lines)


def summary_text(found: Difference) -> str:
    """What becomes of the policies as a whole."""
    counted = output.counted(len(found.rules), "rule")
    return f"as a whole: {_colored(found.change)}; {counted} changed, {found.same:,} the same"


def _colored(change: str) -> str:
    return click.style(change, fg=_COLORS[change], bold=True)


def rule_json(one: RuleChange) -> dict[str, Any]:
    """A rule's change as a JSON object."""
    return {
        "rule": one.rule, "status": one.status, "change": str(one.change),
        **{word: _answer_json(answer, one.old, one.new) for word, answer in (("stricter", one.stricter), ("looser", one.looser))},
    }  # fmt: skip


def _answer_json(answer: Answer, old: Rule | None, new: Rule | None) -> dict[str, Any] | None:
    if isinstance(answer, Unknown):
        return {"unknown": answer.reason}
    if not isinstance(answer, Found):
        return None
    case = answer.case
    before, after = outcomes(answer, old, new)
    return {
        "history": list(case.history), "event": case.event, "now": case.now, "old": before, "new": after, "says": sentence(answer, old, new),
    }  # fmt: skip


def summary_json(found: Difference) -> dict[str, Any]:
    """What becomes of the whole, as the last JSON object."""
    return {
        "change": str(found.change), "changed": len(found.rules), "same": found.same,
        "requirements": [{"requirement": one.requirement, "change": str(one.change)} for one in found.requirements],
    }  # fmt: skip
