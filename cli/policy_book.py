"""The whole library as one Markdown text (``compliance policy show --all``): by requirement, what is asked, where it is written, since when,
who reviews it next."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from . import policy_words as words
from .output import counted

if TYPE_CHECKING:
    from compliance.accounting import Account
    from compliance.policy.model import Rule

_MARKS = re.compile(r"[\\`*\[\]<>|#]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")
"""What Markdown would read as its own; an underscore within a word is none."""

HEAD = """# The policies

Every requirement of the shipped library and what keeps it. Made by `compliance policy show --all` from the files in `policies/`; a change belongs
there. This is not legal advice: `read` says when a source was last read, `review by` when its owner reads it again.
"""


def book(every: tuple[Account, ...]) -> str:
    """The text, ending with a line's end."""
    return (
        "\n".join((HEAD, *_numbers(every), *(line for area in _areas(every) for line in _area(area, every))))
        + "\n"
    )


def _areas(every: tuple[Account, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.requirement.area for one in every))


def _numbers(every: tuple[Account, ...]) -> Iterator[str]:
    from compliance.accounting import form_of

    forms = ("rule", "deadline", "standing", "attestation")
    yield "| | requirements | on events | deadlines | every night | attestations | deny | warn | report |"
    yield "| --- " * 9 + "|"
    for area in _areas(every):
        mine = [one for one in every if one.requirement.area == area]
        rules = tuple({rule.id: rule for one in mine for rule in one.rules}.values())
        kinds = Counter(str(form_of(rule)) for rule in rules) + Counter(str(rule.severity) for rule in rules)
        figures = " | ".join(str(kinds[name]) for name in (*forms, "deny", "warn", "report"))
        yield f"| {area} | {len(mine)} | {figures} |"
    yield ""


def _area(area: str, every: tuple[Account, ...]) -> Iterator[str]:
    yield f"## {area}\n"
    shown: dict[str, str] = {}
    for one in every:
        if one.requirement.area != area:
            continue
        yield f"### {one.requirement.id}\n"
        yield f"{_escaped(one.requirement.title)} (tier {one.requirement.tier}).\n"
        for kept in one.properties:
            yield f"Kept by the software: {_escaped(kept.says)}\n"
        for rule in one.rules:
            if rule.id in shown:
                yield f"See `{rule.id}` under {shown[rule.id]}.\n"
            else:
                shown[rule.id] = one.requirement.id
                yield from _rule(rule)


def _rule(rule: Rule) -> Iterator[str]:
    yield f"#### `{rule.id}`\n"
    yield f"{_escaped(rule.title)}.\n"
    yield f"- **{_escaped(words.consequence(rule))}**"
    yield f"- judged {'' if rule.each is not None else 'on '}{_escaped(words.judged(rule))}"
    yield f"- written in {_escaped('; '.join(words.written(rule)))}"
    yield f"- in force {words.in_force(rule)}; owner {_escaped(rule.owner)}; review by {rule.review_by}; {counted(len(rule.cases), 'example')}"
    for parameter in rule.parameters:
        yield f"- value `{parameter.name}`, {words.leeway(parameter)}: {_escaped('; '.join(words.dated(parameter)))}"
    for given in rule.given:
        yield f"- looks up `{given.name}`: {_escaped(words.fact(given))}"
    for title, clauses in words.conditions(rule):
        yield f"- {title}: {_escaped('; '.join(clauses))}"
    yield f"- says: {_escaped(rule.message.text)}"
    yield f"- to do: {_escaped(rule.remedy.text)}\n"


def _escaped(text: str) -> str:
    """Text of a policy as text of Markdown: no emphasis, tables, links or HTML of its own."""
    return _MARKS.sub(r"\\\g<0>", text).replace("\n", " ")
