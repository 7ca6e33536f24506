"""``compliance policy activate``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import opening, output, results
from .application import Call, Command, pass_call
from .types import INSTANT

if TYPE_CHECKING:
    from compliance.workbench.activating import Activated


@click.command(
    cls=Command,
    examples=(
        "compliance policy activate my-policies --reason 'label of 2026-03 read' --approved-by MD-2",
        "compliance policy activate my-policies --reason 'new year' --from 2027-01-01T00:00:00-06:00",
    ),
)
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="DIR")
@click.option(
    "--reason", required=True, metavar="TEXT", help="Why. It goes into the log as it is: name no patient."
)
@click.option(
    "--from", "start", type=INSTANT, metavar="TIME", help="From when; from now on, unless said otherwise."
)
@click.option("--approved-by", metavar="ID", help="Who approves it; who acts, unless said otherwise.")
@click.option(
    "--site", metavar="ID", help="Where it is written down; where the last one was, unless said otherwise."
)
@click.option(
    "--sites",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with what single sites ask beyond the policies: a file for each, SITE.yaml.",
)
@results.strict_option
@pass_call
def activate(
    call: Call, folder: Path, reason: str, start: int | None, approved_by: str | None, site: str | None, sites: Path | None, strict: bool
) -> int:  # fmt: skip
    """Put the policies of a folder into force, from now on or from an instant to come.

    They are checked first, as `policy check` does; whatever is wrong is shown, exit 1, and nothing is written. Policies that are in force already are left as
    they are. What was decided stays as it was decided.
    """
    from compliance.bundles import Bundles
    from compliance.library import as_problem, check_folder
    from compliance.workbench.activating import Wanted
    from compliance.workbench.activating import activate as activating

    from .policy import problem_json

    wanted = Wanted(opening.acting(call), reason, approved_by, start, site)
    checked = check_folder(folder, date.today().isoformat(), sites)  # noqa: DTZ011 - as `policy check`
    problems = [*checked.problems, *(as_problem(result) for result in checked.failed)]
    if problems:
        if call.json:
            output.echo_json(*(problem_json(problem) for problem in problems))
        else:
            click.echo("\n\n".join(str(problem) for problem in problems))
        told = output.counted(len(problems), "problem")
        click.echo(f"\n{folder}: {told}; these policies were not put into force", err=True)
        return 1
    with opening.writing(call) as log:
        bundles = Bundles(log)
        done = activating(log, bundles, checked, wanted)
        results.echo_results(done.results, bundles, as_json=call.json, written=True)
    if not call.json:
        click.echo(_told(done))
    tally = results.Tally()
    for result in done.results if not done.repeated else ():
        tally.take(result)
    return tally.exit_code(strict=strict)


def _told(done: Activated) -> str:
    named = f"{done.bundle.name} {done.bundle.version}, {output.counted(len(done.bundle.rules), 'rule')}"
    from_then = f"from {output.instant(done.effective_at)} on"
    if done.repeated:
        return f"{named}: in force {from_then} already; nothing was written\n  {done.bundle.digest}"
    return f"{named}: in force {from_then}\n  {done.bundle.digest}"
