"""``compliance policy check``."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date
from typing import TYPE_CHECKING

import click

from . import output
from .application import WITH_SARIF, Call, Command, pass_call
from .policy import problem_json

if TYPE_CHECKING:
    from compliance.errors import Problem
    from compliance.workbench.examining import Examination


@click.command(
    cls=Command,
    outputs=WITH_SARIF,
    examples=(
        "compliance policy check",
        "compliance policy check my-policies",
        "compliance policy check my-policies/clinic-monitor.yaml",
        "compliance policy check HEAD~1:my-policies",
        "compliance policy check my-policies --output sarif > policies.sarif",
    ),
)
@click.argument("named", nargs=-1, metavar="[DIR|FILE|REVISION]...")
@click.option(
    "--policies-only",
    is_flag=True,
    help="Pass over files that are no policies: below no bundle.yaml, and without our schema in their first line.",
)
@click.option("--no-cache", is_flag=True, help="Look at everything, also at what was found in order before.")
@pass_call
def check(call: Call, named: tuple[str, ...], policies_only: bool, no_cache: bool) -> int:
    """Parse, type-check, look at citations and dates, and run every case. Exits 1 where anything is wrong.

    Files are checked among the rules of their folder. A git revision (HEAD, v1.2, main~3:my-policies) is read as it was
    committed. What was found in order before and has not changed is not looked at again.

    --output json prints an object for each problem, so that nothing is printed where there is none; sarif prints
    one SARIF 2.1.0 log, whatever was found.
    """
    from compliance.settings import shipped_folder
    from compliance.workbench.examining import examine
    from compliance.workbench.remembered import Memory, cache_file
    from compliance.workbench.sources import is_policy, policies_of

    today = date.today().isoformat()  # noqa: DTZ011 - a review is overdue by the calendar on the wall
    memory = Memory(None if no_cache else cache_file())
    problems: list[Problem] = []
    with ExitStack() as stack:
        every = [stack.enter_context(policies_of(one)) for one in named or (shipped_folder("policies"),)]
        chosen = [one for one in every if not policies_only or is_policy(one.path)]
        for found in examine(chosen, today, memory):
            problems += found.problems
            if call.output == "text":
                _tell(found)
    if call.json:
        output.echo_json(*(problem_json(problem) for problem in problems))
    elif call.output == "sarif":
        from compliance.workbench import sarif

        output.echo_json(sarif.document(problems))
    return int(bool(problems))


def _tell(found: Examination) -> None:
    for problem in found.problems:
        click.echo(f"{problem}\n")
    count = len(found.problems)
    word = click.style("in order", fg="green") if not count else output.counted(count, "problem")
    told = ""
    if not found.judged:
        told = "; no case was run"
    elif found.rules or not count:
        told = f"; {output.counted(found.rules, 'rule')}, {found.passed:,} of {output.counted(found.cases, 'case')} as they say"
        told += f" ({found.remembered:,} unchanged since the last check)" if found.remembered else ""
    click.echo(f"{found.name}: {word}{told}")
