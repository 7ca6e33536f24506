"""A rule as a page in plain language (``compliance policy show``)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from compliance.errors import InputError, PolicyError

from . import output, results

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
    "count": "how many {0} there are", "sum": "the sum of {1} over {0}", "uncovered": "how much of a time lies in no {0}",
    "largest_gap": "the longest time without {0}", "balance": "the book stock",
}  # fmt: skip


def find(folder: Path, rule_id: str) -> tuple[Rule, str]:
    """A rule of a folder, read alone, and its file's name; raises InputError where there is none, with the likely name."""
    from compliance.policy.bundle import BUNDLE_FILE, REQUIREMENTS_FILE
    from compliance.policy.documents import read_file
    from compliance.policy.rules import read_rule

    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}", "Name a folder of policies.")
    files = {
        file.stem: file
        for file in sorted(folder.rglob("*.yaml"))
        if file.name not in (BUNDLE_FILE, REQUIREMENTS_FILE)
    }
    file = files.get(rule_id)
    if file is None:
        from difflib import get_close_matches

        near = get_close_matches(rule_id.lower(), files, n=3)
        raise InputError(
            f"there is no rule {rule_id!r} in {folder}",
            f"Did you mean {' or '.join(near)}?" if near else "`compliance policy check` counts them.",
        )
    read = read_file(file)
    if isinstance(read, tuple):
        raise PolicyError(f"{file} cannot be read", "Mend it.", read)
    rule, problems = read_rule(read)
    if rule is None:
        raise PolicyError(f"{file} cannot be read", "Mend it.", problems)
    return rule, str(file)


def as_json(rule: Rule, source: str) -> dict[str, Any]:
    """The rule as one JSON object."""
    from compliance.domain.time import format_date
    from compliance.policy.parameters import value_words

    return {
        "rule": rule.id,
        "title": rule.title,
        "implements": list(rule.implements),
        "cites": [results.cite_json(cite) for cite in rule.cites],
        "in_force": {"from": format_date(rule.in_force.start), "to": None if rule.in_force.end is None else format_date(rule.in_force.end)},
        "owner": rule.owner,
        "review_by": rule.review_by,
        "on": list(rule.on),
        "every": None if rule.each is None else "night",
        "each": None if rule.each is None else rule.each.kind,
        "parameters": [
            {"name": p.name, "tighten": p.tighten, "values": [{"from": format_date(v.start), "value": value_words(p, v.value), "cites": v.cites} for v in p.values]}
            for p in rule.parameters
        ],
        "when": None if rule.when is None else rule.when.text,
        "require": None if rule.require is None else rule.require.text,
        "severity": str(rule.severity),
        "override": rule.override,
        "message": rule.message.text,
        "remedy": rule.remedy.text,
        "cases": [{"name": case.name, "expect": case.expect} for case in rule.cases],
        "policy": {"file": source, "line": rule.place.line},
    }  # fmt: skip


def as_text(rule: Rule, source: str) -> str:
    """The rule for a person."""
    from compliance.domain.time import format_date

    end = (
        "" if rule.in_force.end is None else f" until {format_date(rule.in_force.end)}, that day not included"
    )
    lines = [output.paragraph(f"{rule.id}: {rule.title}", 0, 2), "", "written in"]
    for cite in rule.cites:
        where = f"{cite.source}, {cite.at}" if cite.at else cite.source
        lines.append(output.paragraph(f"{where}{f' (read {cite.read})' if cite.read else ''}", 2, 2))
    lines += [
        "",
        f"in force      from {format_date(rule.in_force.start)}{end}",
        f"keeps         {', '.join(rule.implements)}",
    ]
    lines += [f"owner         {rule.owner}; to be reviewed by {rule.review_by}"]
    if rule.parameters:
        lines += ["", "values"]
        lines += [line for parameter in rule.parameters for line in _parameter(parameter)]
    lines += ["", _judged(rule)]
    if rule.given:
        lines.append("looks up")
        lines += [output.paragraph(f"{given.name}: {_given(given)}", 2, 4) for given in rule.given]
    lines += _conditions(rule)
    lines += [
        "",
        output.paragraph(f"{rule.severity}: {SEVERITIES[str(rule.severity)]}; {OVERRIDES[rule.override]}."),
    ]
    lines += [
        output.paragraph(f"says: {rule.message.text}", 2, 2),
        output.paragraph(f"to do: {rule.remedy.text}", 2, 2),
    ]
    for title, wanted in (("passes", ("pass", "met", "open")), ("does not pass", ("fail", "missed", "met_late")), ("cannot be decided", ("indeterminate",)), ("does not concern it", ("not_applicable", "cancelled"))):  # fmt: skip
        names = [case.name for case in rule.cases if case.expect in wanted]
        if names:
            lines += ["", title, *(output.paragraph(f"- {name}", 2, 2) for name in names)]
    lines += ["", f"{source}:{rule.place.line}"]
    return "\n".join(lines)


def _judged(rule: Rule) -> str:
    from compliance.policy.expression.plain import to_plain

    if rule.each is None:
        return f"judged on     {', '.join(rule.on)}"
    whom = f"judged        every night, for each {rule.each.kind}"
    if rule.each.by:
        whom += f" by {' and '.join(rule.each.by)}"
    return output.paragraph(whom + (f" where {to_plain(rule.each.where.node)}" if rule.each.where is not None else ""), 0, 14)  # fmt: skip


def _conditions(rule: Rule) -> list[str]:
    from compliance.engine.plan import conjuncts
    from compliance.policy.expression.plain import to_plain

    lines: list[str] = []
    if rule.when is not None:
        lines += ["", "it applies where"]
        lines += [output.paragraph(f"- {to_plain(node)}", 2, 2) for node in conjuncts(rule.when.node)]
    if rule.require is not None:
        lines += ["", "it requires that"]
        lines += [output.paragraph(f"- {to_plain(node)}", 2, 2) for node in conjuncts(rule.require.node)]
    if rule.expect is not None:
        lines += ["", "it expects", *_expect(rule.expect, 2)]
    return lines


def _expect(expect: Expect, indent: int) -> list[str]:
    if expect.closing is not None:
        return [output.paragraph(f"- {_closing(expect.closing)}", indent, 2)]
    title = "any of these:" if expect.form == "any_of" else "all of these:"
    return [" " * indent + title, *(line for part in expect.parts for line in _expect(part, indent + 2))]


def _closing(closing: Closing) -> str:
    from compliance.policy.expression.plain import to_plain

    text = f"{' or '.join(closing.kinds)}{_by(closing.by)}"
    if closing.where is not None:
        text += f", where {to_plain(closing.where.node)}"
    counted = f", counted at {to_plain(closing.at.node)}" if closing.at is not None else ""
    return f"{text}{counted}, by {to_plain(closing.due.node)}"


def _given(given: Given) -> str:
    from compliance.policy.expression.plain import to_plain

    text = QUANTIFIERS[given.quantifier].format(" or ".join(given.kinds), given.field or "") + _by(given.by)
    if given.within is not None:
        text += f", within {to_plain(given.within.node)} before"
    if given.after is not None:
        text += f", within {to_plain(given.after.node)} afterwards"
    return f"{text}, where {to_plain(given.where.node)}" if given.where is not None else text


def _by(by: tuple[str, ...]) -> str:
    return f" of the same {' and '.join(by)}" if by else ""


def _parameter(parameter: Parameter) -> list[str]:
    from compliance.domain.time import format_date
    from compliance.policy.parameters import value_words

    tighten = {"up": "a site may raise it", "down": "a site may lower it", "fixed": "fixed"}[
        parameter.tighten
    ]
    if parameter.limit is not None:
        word = "down" if parameter.tighten == "up" else "up"
        tighten += f", and go {word} to {value_words(parameter, parameter.limit)}"
    dated = (
        f"from {format_date(v.start)}: {value_words(parameter, v.value)}  [{v.cites}]"
        for v in parameter.values
    )
    return [f"  {parameter.name} ({tighten})", *(output.paragraph(text, 4, 2) for text in dated)]
