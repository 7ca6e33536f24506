"""A rule as a page in plain language (``compliance policy show``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from compliance.errors import InputError, PolicyError

from . import output, results

if TYPE_CHECKING:
    from compliance.policy.model import Rule
    from compliance.workbench.sources import PolicyFolder


def find(folder: PolicyFolder, rule_id: str) -> tuple[Rule, str]:
    """A rule of a folder, read alone, and its file's name; raises InputError where there is none, with the likely name."""
    from compliance.policy.documents import read_file
    from compliance.policy.files import SHARED_FILES, policy_files
    from compliance.policy.rules import read_rule

    files = {file.stem: file for file in policy_files(folder.path) if file.name not in SHARED_FILES}
    file = files.get(rule_id)
    if file is None:
        from difflib import get_close_matches

        near = get_close_matches(rule_id.lower(), files, n=3)
        raise InputError(
            f"there is no rule {rule_id!r} in {folder}",
            f"Did you mean {' or '.join(near)}?" if near else "`compliance policy check` counts them.",
        )
    source = folder.shown(file)
    read = read_file(file, source)
    if isinstance(read, tuple):
        raise PolicyError(f"{source} cannot be read", "Mend it.", read)
    rule, problems = read_rule(read)
    if rule is None:
        raise PolicyError(f"{source} cannot be read", "Mend it.", problems)
    return rule, source


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
    from . import policy_words as words

    lines = [output.paragraph(f"{rule.id}: {rule.title}", 0, 2), "", "written in"]
    lines += [output.paragraph(place, 2, 2) for place in words.written(rule)]
    lines += ["", f"in force      {words.in_force(rule)}", f"keeps         {', '.join(rule.implements)}"]
    lines += [f"owner         {rule.owner}; to be reviewed by {rule.review_by}"]
    if rule.parameters:
        lines += ["", "values"]
    for parameter in rule.parameters:
        lines.append(f"  {parameter.name} ({words.leeway(parameter)})")
        lines += [output.paragraph(text, 4, 2) for text in words.dated(parameter)]
    lines += [
        "",
        output.paragraph(
            f"{'judged on' if rule.each is None else 'judged   '}     {words.judged(rule)}", 0, 14
        ),
    ]
    if rule.given:
        lines.append("looks up")
        lines += [output.paragraph(f"{given.name}: {words.fact(given)}", 2, 4) for given in rule.given]
    for title, clauses in words.conditions(rule):
        lines += ["", title, *(output.paragraph(f"- {clause}", 2, 2) for clause in clauses)]
    lines += ["", output.paragraph(words.consequence(rule))]
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
