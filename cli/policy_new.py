"""``compliance policy new``."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from compliance.errors import InputError

from . import files, output
from .application import Call, Command, pass_call


@click.command(
    cls=Command,
    examples=(
        "compliance policy new clinic-monitor-3h --requirement REMS-MONITOR-2H --dir my-policies",
        "compliance policy new clinic-form --requirement REMS-PMF-7D --on administration --deadline --print",
    ),
)
@click.argument("rule")
@click.option("--requirement", required=True, metavar="ID", help="The requirement that the rule will keep.")
@click.option(
    "--on", metavar="KIND", help="The kind of event that is judged; else what its other rules judge."
)
@click.option("--deadline", "form", flag_value="deadline", help="A duty with a due date.")
@click.option("--standing", "form", flag_value="standing", help="Judged every night.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=".",
    metavar="DIR",
    help="Where the file goes; else this folder.",
)
@click.option("--print", "only_print", is_flag=True, help="Print the file instead of writing it.")
@pass_call
def new(
    call: Call,
    rule: str,
    requirement: str,
    on: str | None,
    form: str | None,
    folder: Path,
    only_print: bool,
) -> None:
    """Begin a rule: a file with title, citations, dates and cases of a requirement, and marks where a person has to write.

    Title and form are the requirement's; citations, dates and owner those of the folder's other rules that keep it.
    `policy check` refuses the file until every mark is replaced.
    """
    from compliance.domain.time import parse_date
    from compliance.workbench.scaffold import scaffold

    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}", "Make it, or name another with --dir.")
    today = parse_date(date.today().isoformat())  # noqa: DTZ011 - a review is due by the calendar on the wall
    made = scaffold(rule, requirement, folder, today, on=on, form=form)
    if only_print:
        click.echo(made.text, nl=False)
        return
    files.write(str(made.path), [made.text.encode()])
    if call.json:
        output.echo_json({"file": str(made.path), "rule": made.rule, "implements": made.implements})
        return
    click.echo(made.path)
    click.echo(
        f"Replace the {output.counted(made.to_write, 'mark')} TO WRITE in it, then run: compliance policy check {made.path}",
        err=True,
    )
