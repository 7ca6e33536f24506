"""``compliance policy fmt``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import files, output
from .application import Call, Command, pass_call
from .policy import problem_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from compliance.workbench.formatting import LaidOut


@click.command(
    cls=Command,
    examples=(
        "compliance policy fmt my-policies",
        "compliance policy fmt --check my-policies",
        "compliance policy fmt --diff my-policies/clinic-monitor.yaml",
        "compliance policy fmt - < clinic-monitor.yaml",
    ),
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="FILE|DIR|-...")
@click.option("--check", is_flag=True, help="Write nothing; list the files that would change, and exit 1.")
@click.option("--diff", is_flag=True, help="As --check, and show what would change.")
@click.option(
    "--policies-only",
    is_flag=True,
    help="Pass over files that are no policies: below no bundle.yaml, and without one of our schemas in their first line.",
)
@click.option("--no-cache", is_flag=True, help="Look at everything, also at what was in the layout before.")
@pass_call
def fmt(
    call: Call, paths: tuple[Path, ...], check: bool, diff: bool, policies_only: bool, no_cache: bool
) -> int:
    """Put policy files into the one layout. Comments are kept, and what a file says is never changed.

    Rules, bundle.yaml, requirements.yaml, what a site asks, and case files. A file that does not parse is
    left alone and reported; exits 1 then. `-` reads standard input and writes standard output.
    """
    if not paths:
        raise click.UsageError("Name the files or folders to lay out, or - for standard input.")
    if "-" in map(str, paths):
        if len(paths) > 1 or check or diff:
            raise click.UsageError("- stands alone: it reads standard input and writes standard output.")
        return _standard_input(call)
    from compliance.workbench.formatting import laid_out
    from compliance.workbench.remembered import Memory, cache_file

    memory = Memory(None if no_cache else cache_file())
    every = laid_out(paths, memory, policies_only=policies_only)
    return _files(call, every, write=not (check or diff), diff=diff)


def _standard_input(call: Call) -> int:
    from compliance.workbench.formatting import laid_out_text

    one = laid_out_text(files.read("-"), "<stdin>")
    if one.after is None:
        _tell(call, one, err=True)
        return 1
    click.echo(one.after, nl=False)
    return 0


def _files(call: Call, every: Iterable[LaidOut], *, write: bool, diff: bool) -> int:
    changed = broken = same = 0
    for one in every:
        if one.after is None:
            broken += 1
            _tell(call, one, err=False)
            continue
        changed += one.changed
        same += not one.changed
        if one.changed and write:
            files.write(one.source, [one.after])
        if call.json:
            output.echo_json({"file": one.source, "changed": one.changed})
        elif one.changed:
            click.echo(one.difference() if diff else one.source, nl=not diff)
    if not call.json:
        did = "laid out" if write else "to be laid out"
        left = f", {broken:,} left alone" if broken else ""
        click.echo(f"{output.counted(changed, 'file')} {did}, {same:,} in order already{left}", err=True)
    return int(bool(broken or (changed and not write)))


def _tell(call: Call, one: LaidOut, *, err: bool) -> None:
    """What is wrong with a file, as `policy check` says it."""
    for problem in one.problems:
        if call.json:
            click.echo(output.json_line(problem_json(problem)), nl=False, err=err)
        else:
            click.echo(f"{problem}\n", err=err)
