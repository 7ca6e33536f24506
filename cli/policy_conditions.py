"""``compliance policy coverage``: which conditions of the rules their cases show to decide, and a ready case for those that they do not."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from compliance.errors import InputError

from . import files, output
from .application import Call, Command, pass_call
from .policy import problem_json
from .progress import Progress

if TYPE_CHECKING:
    from compliance.policy.located import Document
    from compliance.policy.model import Bundle, Case
    from compliance.workbench.covering import Decided
    from compliance.workbench.outlook import Offer, Outlook
    from compliance.workbench.sources import PolicyFolder

ENOUGH: Final = 75.0
"""Percent of conditions below which the command fails unless `--fail-under` says otherwise."""
_JUDGE_YOURSELF: Final = "`expect` is what the rule says now. Whether that is right is for a person to decide: compare it with the source, then accept or reject."


@contextmanager
def named(words: Sequence[str]) -> Iterator[tuple[PolicyFolder, tuple[str, ...]]]:
    """The folder, where the first word names one (or a revision of one), and the ids of rules.

    What could be both, an id of the library and a revision, is the id.
    """
    from compliance.policy.files import policy_files
    from compliance.policy.names import RULE_ID
    from compliance.settings import shipped_folder
    from compliance.workbench.sources import PolicyFolder, folder_of

    shipped = shipped_folder("policies")
    with ExitStack() as stack:
        first = words[0] if words else ""
        folder: PolicyFolder | None = None
        if first and (Path(first).is_dir() or not RULE_ID.match(first)):
            folder = stack.enter_context(folder_of(first))
        elif first and all(first != file.stem for file in policy_files(shipped)):
            with suppress(InputError):  # then it is meant as a rule, and there is none: that is said
                folder = stack.enter_context(folder_of(first))
        if folder is None:
            yield PolicyFolder(shipped), tuple(words)
        else:
            yield folder, tuple(words[1:])


def run(
    folder: PolicyFolder,
    rules: tuple[str, ...],
    fail_under: float,
    *,
    offering: bool,
    asking: bool,
    as_json: bool,
) -> int:
    """Looks at each rule, tells what is lacking, and whether all together are covered enough."""
    from compliance.workbench.chosen import chosen, document_of
    from compliance.workbench.outlook import percentage

    if offering:
        solver("--no-offer")
    bundle = chosen(folder, rules)
    outlooks = _outlooks(bundle, offering)
    told = []
    for one in outlooks:
        document = document_of(folder, one.coverage.rule.id)
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
        click.echo(f"{folder}: {_summary_text(told, reached)}")
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


def _rule_text(one: Outlook, document: Document) -> str:
    from compliance.workbench.outlook import percentage

    coverage = one.coverage
    counts = f"{one.covered} of {output.counted(coverage.conditions, 'condition')}, {percentage([one]):.0f} %"
    lines = [f"{click.style(coverage.rule.id, bold=True)}  {counts}"]
    lines += (str(_objection(side, one.offer_of(side), document)) for side in coverage.lacking)
    return "\n".join(lines)


def _objection(side: Decided, offer: Offer | None, document: Document) -> Any:
    from compliance.workbench.conditions import objection, rests_on_tables

    came = "holds" if side.value else "does not hold"
    if side.condition.timely:
        came = "is kept" if side.value else "is not kept"
    if offer is not None and offer.status == "never":
        message, remedy = (
            f"it never decides anything that this {came}",
            "no case can show it; delete it, or mend it, unless it is a guard",
        )
        if rests_on_tables(side.condition):
            remedy = "no case can show it with the tables of this bundle as they are"
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


@click.command(
    cls=Command,
    examples=(
        "compliance policy coverage rems-monitor-2h",
        "compliance policy coverage my-policies --fail-under 90",
        "compliance policy coverage my-policies clinic-monitor --offer",
        "compliance policy coverage HEAD~1:my-policies",
        "compliance policy coverage --requirements --output json",
    ),
)
@click.argument("words", nargs=-1, metavar="[DIR|REVISION] [RULE]...")
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Exit 1 where fewer of a hundred conditions are covered; 75 unless it is given.",
)
@click.option(
    "--offer/--no-offer",
    default=None,
    help="Have the solver look for a case for each condition that is not covered; it does where rules are named. "
    "With --offer, on a terminal, each case is accepted or rejected at once.",
)
@click.option("--requirements", is_flag=True, help="Instead: each requirement and what keeps it.")
@pass_call
def coverage(
    call: Call, words: tuple[str, ...], fail_under: float | None, offer: bool | None, requirements: bool
) -> int:
    """Which conditions of the rules their cases show to decide, both ways, and a ready case for each that they do not.

    A condition is covered where some case would come out differently if it did not hold where it does, and some case if it held where it
    does not (condition coverage, MC/DC). Exits 1 below --fail-under.

    With --requirements: what keeps each requirement (rules judged on events, deadlines, standing rules, attestations, the software itself).
    Exits 1 where nothing keeps one, or a rule names one that there is not.
    """
    from compliance.settings import shipped_folder

    with named(words) as (folder, rules):
        if requirements:
            if rules or offer is not None or fail_under is not None:
                raise click.UsageError("--requirements is about all rules of a folder; leave out the rest.")
            return _requirements(call, folder)
        asking = offer is True and not call.json and may_ask()
        if asking and folder.revision is not None:
            raise InputError(
                f"{folder} is a revision: nothing can be written into it",
                "Leave out --offer and name rules: their cases are printed.",
            )
        if asking and folder.path == shipped_folder("policies"):
            raise InputError(
                "the policies that ship with this software are not written into",
                "Copy them, and name the folder of the copy.",
            )
        return run(
            folder,
            rules,
            ENOUGH if fail_under is None else fail_under,
            offering=bool(rules) if offer is None else offer,
            asking=asking,
            as_json=call.json,
        )


def _requirements(call: Call, folder: PolicyFolder) -> int:
    from . import policy_coverage

    every, problems = policy_coverage.account(folder.path, folder.shown)
    if call.json:
        output.echo_json(*(problem_json(problem) for problem in problems))
        output.echo_json(*(policy_coverage.as_json(one) for one in every))
    elif problems:
        click.echo("\n\n".join(str(problem) for problem in problems))
    else:
        policy_coverage.show(every)
    return int(bool(problems) or not all(one.kept for one in every))
