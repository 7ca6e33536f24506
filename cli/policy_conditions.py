"""``compliance policy coverage``: which conditions of the rules their cases show to decide, and a ready case for those that they do not."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from compliance.errors import InputError

from . import files, output
from .progress import Progress

if TYPE_CHECKING:
    from compliance.policy.located import Document
    from compliance.policy.model import Bundle, Case, Rule
    from compliance.workbench.covering import Decided
    from compliance.workbench.outlook import Offer, Outlook

ENOUGH: Final = 75.0
"""Percent of conditions below which the command fails unless `--fail-under` says otherwise."""
_JUDGE_YOURSELF: Final = "`expect` is what the rule says now. Whether that is right is for a person to decide: compare it with the source, then accept or reject."


def named(words: Sequence[str]) -> tuple[Path, tuple[str, ...]]:
    """The folder, where the first word names one, and the ids of rules."""
    from compliance.settings import shipped_folder

    if words and Path(words[0]).is_dir():
        return Path(words[0]), tuple(words[1:])
    return shipped_folder("policies"), tuple(words)


def run(
    folder: Path, rules: tuple[str, ...], fail_under: float, *, offering: bool, asking: bool, as_json: bool
) -> int:
    """Looks at each rule, tells what is lacking, and whether all together are covered enough."""
    from compliance.workbench.chosen import chosen
    from compliance.workbench.outlook import percentage

    if offering:
        solver("--no-offer")
    bundle = chosen(folder, rules)
    outlooks = _outlooks(bundle, offering)
    told = []
    for one in outlooks:
        document = _document(one.coverage.rule)
        if as_json:
            output.echo_json(_rule_json(one, document))
        elif one.open or one.offers:
            click.echo(_rule_text(one, document))
            one = _asked(one, document, bundle) if asking else _printed(one)
        told.append(one)
    reached = percentage(told)
    if as_json:
        output.echo_json(_summary(told, reached, fail_under))
    else:
        click.echo(_summary_text(told, reached))
        if reached < fail_under:
            click.echo(f"below {fail_under:g} %", err=True)
    return int(reached < fail_under)


def solver(without: str) -> None:
    """Raises InputError where the solver is not installed; `without` is the option that does without."""
    from importlib.util import find_spec

    if find_spec("z3") is None:
        raise InputError(
            "the solver is not installed",
            f"Install it with `pip install 'compliance-engine[analysis]'`, or do without: {without}.",
        )


def _outlooks(bundle: Bundle, offering: bool) -> list[Outlook]:
    from compliance.workbench.crew import answers
    from compliance.workbench.outlook import outlook

    progress = Progress()
    found: dict[str, Outlook] = {}
    asked = [(rule.id, offering) for rule in bundle.rules]
    for (rule_id, _), one in answers(bundle, outlook, asked):
        found[rule_id] = one
        progress.walked(len(found), len(asked), "looked at")
    progress.clear()
    return [found[rule.id] for rule in bundle.rules]


def _document(rule: Rule) -> Document:
    from compliance.policy.documents import read_file
    from compliance.policy.located import Document

    read = read_file(Path(rule.place.source))
    if not isinstance(read, Document):
        raise InputError(f"{rule.place.source} cannot be read any more", "Run the command again.")
    return read


def _rule_text(one: Outlook, document: Document) -> str:
    from compliance.workbench.outlook import percentage

    coverage = one.coverage
    counts = f"{one.covered} of {output.counted(coverage.conditions, 'condition')}, {percentage([one]):.0f} %"
    lines = [f"{click.style(coverage.rule.id, bold=True)}  {counts}"]
    lines += (str(_objection(side, one.offer_of(side), document)) for side in coverage.lacking)
    return "\n".join(lines)


def _objection(side: Decided, offer: Offer | None, document: Document) -> Any:
    from compliance.workbench.conditions import objection

    came = "holds" if side.value else "does not hold"
    if side.condition.timely:
        came = "is kept" if side.value else "is not kept"
    if offer is not None and offer.status == "never":
        message, remedy = (
            f"it never decides anything that this {came}",
            "delete it, or mend it; no case can show it",
        )
    elif offer is not None and offer.status == "unknown":
        message, remedy = (
            f"no case shows what comes of it where this {came}",
            f"write one; none was found ({offer.reason})",
        )
    else:
        message, remedy = f"no case shows what comes of it where this {came}", ""
    return objection(document, side.condition, message, remedy, "coverage")


def _printed(one: Outlook) -> Outlook:
    """The cases, each once."""
    from compliance.workbench.case_text import case_yaml

    cases = _cases(one)
    if cases:
        click.echo(f"\n  to accept or reject, for {one.coverage.rule.place.source}:")
        click.echo("".join(case_yaml(case) for case in cases))
        click.echo(output.paragraph(_JUDGE_YOURSELF, 2))
    click.echo()
    return one


def _cases(one: Outlook) -> list[Case]:
    found = {offer.case.name: offer.case for offer in one.offers if offer.case is not None}
    return list(found.values())


def _asked(one: Outlook, document: Document, bundle: Bundle) -> Outlook:
    """Each case in turn; one that is accepted goes into the rule's file, and what it shows is covered."""
    from compliance.workbench.case_text import case_yaml, with_case
    from compliance.workbench.covering import shows

    rule, name = one.coverage.rule, document.source
    accepted: list[Case] = []
    for case in _cases(one):
        click.echo(f"\n{case_yaml(case)}")
        click.echo(output.paragraph(_JUDGE_YOURSELF, 2))
        answer = click.prompt(
            "  a accept, r reject", type=click.Choice(["a", "r"]), show_choices=False, err=True
        )
        if answer == "a":
            text = files.text(name)
            files.write(name, [with_case(text, name, case).encode()])
            accepted.append(case)
            click.echo(f"  added to {name}", err=True)
    click.echo()
    if not accepted:
        return one
    sides = tuple(
        replace(side, shown_by=next((case for case in accepted if side.shown_by is None and shows(rule, side.condition, side.value, case, bundle)), side.shown_by))
        for side in one.coverage.sides
    )  # fmt: skip
    return replace(one, coverage=replace(one.coverage, sides=sides))


def may_ask() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and output.on_terminal()


def _rule_json(one: Outlook, document: Document) -> dict[str, Any]:
    coverage = one.coverage
    return {
        "rule": coverage.rule.id, "file": coverage.rule.place.source, "conditions": coverage.conditions, "covered": one.covered,
        "uncovered": [_side_json(side, one.offer_of(side), document) for side in coverage.lacking],
    }  # fmt: skip


def _side_json(side: Decided, offer: Offer | None, document: Document) -> dict[str, Any]:
    place = _objection(side, offer, document).place
    told = {
        "where": place.field, "text": side.condition.text, "line": place.line, "column": place.column, "value": side.value,
    }  # fmt: skip
    if offer is None:
        return told
    if offer.case is None:
        return {**told, offer.status: True if offer.status == "never" else offer.reason}
    return {**told, "case": case_json(offer.case)}


def case_json(case: Case) -> dict[str, Any]:
    """A case as it would stand in a rule's file."""
    now = {} if case.now is None else {"now": case.now}
    return {
        "name": case.name,
        "history": list(case.history),
        "event": case.event,
        **now,
        "expect": case.expect,
    }


def _summary(told: Sequence[Outlook], reached: float, fail_under: float) -> dict[str, Any]:
    return {
        "rules": len(told), "cases": sum(len(one.coverage.rule.cases) for one in told),
        "conditions": sum(one.coverage.conditions for one in told), "covered": sum(one.covered for one in told),
        "percent": round(reached, 2), "fail_under": fail_under,
        **{status: sum(offer.status == status for one in told for offer in one.offers) for status in ("never", "unknown")},
    }  # fmt: skip


def _summary_text(told: Sequence[Outlook], reached: float) -> str:
    conditions, covered = sum(one.coverage.conditions for one in told), sum(one.covered for one in told)
    cases = sum(len(one.coverage.rule.cases) for one in told)
    whole = sum(not one.open for one in told)
    text = (
        f"{output.counted(len(told), 'rule')}, {whole:,} covered wholly; {covered:,} of {output.counted(conditions, 'condition')} "
        f"({reached:.1f} %) shown to decide both ways by {output.counted(cases, 'case')}"
    )
    never, unknown = (
        sum(offer.status == status for one in told for offer in one.offers) for status in ("never", "unknown")
    )
    if never:
        text += f"; {output.counted(never, 'side')} never decide{'s' if never == 1 else ''}"
    if unknown:
        text += f"; for {output.counted(unknown, 'side')} no case was found"
    return text
