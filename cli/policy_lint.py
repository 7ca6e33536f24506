"""``compliance policy lint``: what is odd in rules that are in order otherwise."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from compliance.errors import InputError

from . import output
from .application import WITH_SARIF, Call, Command, pass_call
from .policy import problem_json
from .policy_conditions import case_json, solver
from .progress import Progress

if TYPE_CHECKING:
    from compliance.errors import Problem
    from compliance.policy.model import Case
    from compliance.workbench.linting import Linted
    from compliance.workbench.sources import PolicyFolder


def linted(named: tuple[str, ...], *, with_solver: bool) -> list[Linted]:
    """What is odd in each folder, file or revision, in the order given."""
    from compliance.settings import shipped_folder
    from compliance.workbench.sources import policies_of

    if with_solver:
        solver("--no-solver")
    with ExitStack() as stack:
        every = [stack.enter_context(policies_of(one)) for one in named or (shipped_folder("policies"),)]
        return [_linted(one, with_solver=with_solver) for one in every]


def _linted(named: PolicyFolder, *, with_solver: bool) -> Linted:
    """What is odd in a folder, or in a file among the rules of its folder."""
    from compliance.policy.files import BUNDLE_FILE, folder_around
    from compliance.workbench.chosen import chosen
    from compliance.workbench.linting import lint

    folder = named
    rules: tuple[str, ...] = ()
    if named.path.is_file():
        above = folder_around(named.path)
        if above is None:
            raise InputError(
                f"{named} is in no folder of policies", f"Put it into a folder that holds {BUNDLE_FILE}."
            )
        folder, rules = replace(named, path=above), (named.path.stem,)
    bundle = chosen(folder)
    if {*rules} - {rule.id for rule in bundle.rules}:
        raise InputError(f"{named} is no rule", "Name the file of a rule, or leave it out for the folder.")
    progress = Progress()
    found = lint(
        bundle,
        folder,
        rules,
        solver=with_solver,
        told=lambda done, every: progress.walked(done, every, "asked"),
    )
    progress.clear()
    return found


def as_text(found: Linted) -> str:
    """What was found, what was not found out (a line for each rule), and the numbers."""
    from compliance.workbench.case_text import case_yaml

    parts = []
    for problem, case in found.problems:
        parts.append(
            str(problem) if case is None else f"{problem}\n  for example:\n{case_yaml(case, 4)}".rstrip()
        )
    by_rule: dict[str, list[str]] = {}
    for one in found.unknown:
        by_rule.setdefault(one.rule, []).append(f"{one.question} ({one.reason})")
    if by_rule:
        parts.append("\n".join(f"{rule}: not found out: {'; '.join(told)}" for rule, told in by_rule.items()))
    return "\n\n".join(parts)


def as_json(found: Linted, problem_json: Any) -> list[dict[str, Any]]:
    """Each problem as `policy check` gives it, with its case; then what was not found out, rule by rule."""
    told = [_problem(problem, case, problem_json) for problem, case in found.problems]
    told += ({"rule": one.rule, "question": one.question, "unknown": one.reason} for one in found.unknown)
    return told


def _problem(problem: Problem, case: Case | None, problem_json: Any) -> dict[str, Any]:
    told: dict[str, Any] = problem_json(problem)
    return told if case is None else {**told, "case": case_json(case)}


def summary(found: list[Linted]) -> str:
    """The numbers, in a line."""
    problems, unknown = (
        sum(len(one.problems) for one in found),
        len({(number, one.rule) for number, each in enumerate(found) for one in each.unknown}),
    )
    text = (
        output.counted(problems, "thing to mend", "things to mend")
        if problems
        else click.style("nothing odd", fg="green")
    )
    return (
        text
        if not unknown
        else f"{text}; {output.counted(unknown, 'rule')} of which something was not found out"
    )


@click.command(
    cls=Command,
    outputs=WITH_SARIF,
    examples=(
        "compliance policy lint",
        "compliance policy lint my-policies --no-solver",
        "compliance policy lint my-policies/clinic-monitor.yaml --output json",
        "compliance policy lint HEAD~1:my-policies",
        "compliance policy lint my-policies --output sarif > lint.sarif",
    ),
)
@click.argument("named", nargs=-1, metavar="[DIR|FILE|REVISION]...")
@click.option(
    "--solver/--no-solver", "with_solver", default=True, help="Without the solver, only what is plain to see."
)
@pass_call
def lint(call: Call, named: tuple[str, ...], with_solver: bool) -> int:
    """What is odd in rules that are in order otherwise. Exits 1 where there is something to mend.

    Plain to see: a literal that a parameter names, parameters and facts that nothing uses, gaps and overlaps of dates. Proved by the solver: rules that
    never apply, never fail or always fail, conditions that never decide, rules that another makes redundant, two denies that no event can
    satisfy together. What it does not find out is told as that; sarif, one log of what there is to mend, has no place for it.

    Names policies as `compliance policy check` does: folders, files, git revisions.
    """
    found = linted(named, with_solver=with_solver)
    if call.json:
        output.echo_json(*(told for one in found for told in as_json(one, problem_json)))
    elif call.output == "sarif":
        from compliance.workbench import sarif

        output.echo_json(
            sarif.document((problem for one in found for problem, _ in one.problems), sarif.OF_LINT)
        )
    else:
        for one in found:
            if text := as_text(one):
                click.echo(f"{text}\n")
        click.echo(summary(found))
    return int(any(one.problems for one in found))
