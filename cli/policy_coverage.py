"""``compliance policy coverage --requirements``: each requirement and what keeps it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compliance.errors import InputError

from . import output

if TYPE_CHECKING:
    from compliance.accounting import Account
    from compliance.errors import Problem
    from compliance.policy.model import Rule


def account(
    folder: Path, shown: Callable[[Path], str] = str
) -> tuple[tuple[Account, ...], tuple[Problem, ...]]:
    """The requirements of a folder of policies with what keeps them, or what is wrong with its files, as they are `shown`."""
    from compliance.accounting import accounts
    from compliance.policy.bundle import load_folder, load_requirements
    from compliance.policy.files import REQUIREMENTS_FILE

    bundle, problems = load_folder(folder, shown=shown)
    if bundle is None:
        return (), problems
    requirements, _ = load_requirements(folder)
    if not requirements:
        raise InputError(
            f"{shown(folder)} has no list of requirements",
            f"Write one, {REQUIREMENTS_FILE}, or leave the folder out for the shipped library.",
        )
    return accounts(requirements, bundle.rules), ()


def as_json(one: Account) -> dict[str, Any]:
    """A requirement as one JSON object."""
    from compliance.accounting import form_of

    return {
        "requirement": one.requirement.id, "title": one.requirement.title, "area": one.requirement.area, "tier": one.requirement.tier,
        "form": one.requirement.form, "kept": one.kept,
        "rules": [{"rule": rule.id, "form": form_of(rule), "severity": str(rule.severity), "cases": len(rule.cases)} for rule in one.rules],
        "properties": [{"says": kept.says, "tests": list(kept.tests)} for kept in one.properties],
    }  # fmt: skip


def show(every: tuple[Account, ...]) -> None:
    """The table, what is missing, and the numbers."""
    from compliance.accounting import form_of

    for one in every:
        mark = "      " if one.kept else click.style("none  ", fg="red")
        click.echo(f"{mark}{one.requirement.id}  tier {one.requirement.tier}")
        click.echo(output.paragraph(one.requirement.title, 6, 2))
        for rule in one.rules:
            click.echo(
                f"        {form_of(rule)} {rule.id}, {rule.severity}, {output.counted(len(rule.cases), 'case')}"
            )
        for kept in one.properties:
            click.echo(
                output.paragraph(f"software: {kept.says} ({output.counted(len(kept.tests), 'test')})", 8, 2)
            )
    missing = [one.requirement.id for one in every if not one.kept]
    rules = {rule.id: rule for one in every for rule in one.rules}
    of_software = output.counted(sum(len(one.properties) for one in every), "property", "properties")
    click.echo(
        f"\n{output.counted(len(every), 'requirement')}, {len(every) - len(missing):,} kept by "
        f"{output.counted(len(rules), 'rule')} and {of_software} of the software"
    )
    for title, counts in _counts(every, tuple(rules.values())).items():
        click.echo(f"  {title:<14}" + ", ".join(f"{count:,} {name}" for name, count in counts.items()))
    if missing:
        click.echo(click.style(f"nothing keeps {', '.join(missing)}", fg="red"))


def _counts(every: tuple[Account, ...], rules: tuple[Rule, ...]) -> dict[str, dict[str, int]]:
    from compliance.accounting import form_of

    lowest: dict[str, int] = {}
    for one in every:
        for rule in one.rules:
            lowest[rule.id] = min(lowest.get(rule.id, 3), one.requirement.tier)
    tiers = Counter(one.requirement.tier for one in every)
    return {
        "rules by form": _ordered(Counter(form_of(rule) for rule in rules), ("rule", "deadline", "standing", "attestation")),
        "by severity": _ordered(Counter(str(rule.severity) for rule in rules), ("deny", "warn", "report")),
        "by tier": {f"in tier {tier}": sum(low == tier for low in lowest.values()) for tier in sorted(tiers)},
        "requirements": {f"in tier {tier}": count for tier, count in sorted(tiers.items())},
    }  # fmt: skip


def _ordered(counts: Counter[Any], names: tuple[str, ...]) -> dict[str, int]:
    return {name: counts[name] for name in names if counts[name]}
