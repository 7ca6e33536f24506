"""What a rule says, in words: the pieces of which a rule's page and the book of all rules are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from compliance.domain.time import format_date
from compliance.engine.plan import conjuncts
from compliance.policy.expression.plain import to_plain
from compliance.policy.parameters import value_words

if TYPE_CHECKING:
    from compliance.policy.model import Closing, Expect, Given, Parameter, Rule

SEVERITIES: Final = {
    "deny": "a proposed act is refused, a performed one is a violation",
    "warn": "the act is flagged",
    "report": "it stands in the findings and the nightly report",
}
OVERRIDES: Final = {
    "never": "nobody may set it aside",
    "with_reason": "a person with that right may set it aside for a proposed act, with a reason",
    "two_person": "may be set aside for a proposed act by a second person",
}
QUANTIFIERS: Final = {
    "latest": "the latest {0}", "earliest": "the earliest {0}", "any": "any {0}", "none": "whether there is no {0}",
    "count": "the number of events {0}", "sum": "the sum of {1} over {0}", "uncovered": "how much of a time lies in no {0}",
    "largest_gap": "the longest time without {0}", "balance": "the book stock",
}  # fmt: skip


def consequence(rule: Rule) -> str:
    """What follows where it does not hold, and who may set it aside."""
    if rule.each is not None:
        return f"{rule.severity}: it stands in the findings every night until it holds."
    return f"{rule.severity}: {SEVERITIES[str(rule.severity)]}; {OVERRIDES[rule.override]}."


def judged(rule: Rule) -> str:
    """On which events, or every night for whom."""
    if rule.each is None:
        return ", ".join(rule.on)
    whom = f"every night, for each {rule.each.kind}" + (
        f" by {' and '.join(rule.each.by)}" if rule.each.by else ""
    )
    return whom + (f" where {to_plain(rule.each.where.node)}" if rule.each.where is not None else "")


def conditions(rule: Rule) -> list[tuple[str, list[str]]]:
    """When it applies, what it requires or expects; each with its clauses."""
    found = []
    if rule.when is not None:
        found.append(("it applies where", [to_plain(node) for node in conjuncts(rule.when.node)]))
    if rule.require is not None:
        found.append(("it requires that", [to_plain(node) for node in conjuncts(rule.require.node)]))
    if rule.expect is not None:
        found.append(("it expects", expected(rule.expect)))
    return found


def expected(expect: Expect) -> list[str]:
    """What closes a duty; of several, each below what binds them."""
    if expect.closing is not None:
        return [closing(expect.closing)]
    title = "any of these:" if expect.form == "any_of" else "all of these:"
    return [title, *(line for part in expect.parts for line in expected(part))]


def closing(one: Closing) -> str:
    """An event that closes a duty, and by when."""
    text = f"{' or '.join(one.kinds)}{_by(one.by)}"
    if one.where is not None:
        text += f", where {to_plain(one.where.node)}"
    counted = f", counted at {to_plain(one.at.node)}" if one.at is not None else ""
    return f"{text}{counted}, by {to_plain(one.due.node)}"


def fact(given: Given) -> str:
    """What is looked up."""
    text = QUANTIFIERS[given.quantifier].format(" or ".join(given.kinds), given.field or "") + _by(given.by)
    if given.within is not None:
        text += f", within {to_plain(given.within.node)} before"
    if given.after is not None:
        text += f", within {to_plain(given.after.node)} afterwards"
    return f"{text}, where {to_plain(given.where.node)}" if given.where is not None else text


def _by(by: tuple[str, ...]) -> str:
    return f" of the same {' and '.join(by)}" if by else ""


def in_force(rule: Rule) -> str:
    """From when to when."""
    end = (
        "" if rule.in_force.end is None else f" until {format_date(rule.in_force.end)}, that day not included"
    )
    return f"from {format_date(rule.in_force.start)}{end}"


def written(rule: Rule) -> list[str]:
    """Its sources, each with when it was last read."""
    places = ((f"{cite.source}, {cite.at}" if cite.at else cite.source, cite.read) for cite in rule.cites)
    return [f"{where}{f' (read {read})' if read else ''}" for where, read in places]


def leeway(parameter: Parameter) -> str:
    """What a site may do with a parameter."""
    words = {"up": "a site may raise it", "down": "a site may lower it", "fixed": "fixed"}[parameter.tighten]
    if parameter.limit is None:
        return words
    way = "down" if parameter.tighten == "up" else "up"
    return f"{words}, and go {way} to {value_words(parameter, parameter.limit)}"


def dated(parameter: Parameter) -> list[str]:
    """Its values, each with its date and source."""
    values = parameter.values
    return [f"from {format_date(v.start)}: {value_words(parameter, v.value)}  [{v.cites}]" for v in values]
