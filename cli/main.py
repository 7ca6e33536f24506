"""The click application: its commands, each imported when it is called."""

from __future__ import annotations

from typing import Any, Final

import click

from .application import Application

COMMANDS: Final = {
    "demo": ("demo", "demo"),
    "init": ("init", "init"),
    "record": ("record", "record"),
    "check": ("record", "check"),
    "events": ("events", "events"),
    "session": ("session", "session"),
    "override": ("override", "override"),
    "person": ("person", "person"),
    "findings": ("findings", "findings"),
    "obligations": ("obligations", "obligations"),
    "inventory": ("inventory", "inventory"),
    "report": ("report", "report"),
    "export": ("export", "export"),
    "log": ("log", "log"),
    "policy": ("policy", "policy"),
    "schema": ("schema", "schema"),
    "db": ("database", "database"),
}


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            number = version("compliance-engine")
        except PackageNotFoundError:  # run from a source tree that was not installed
            number = "0 (not installed)"
        click.echo(f"compliance {number}")
        context.exit()


@click.group(
    cls=Application,
    lazy=COMMANDS,
    name="compliance",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    examples=(
        "compliance init",
        "compliance record day.ndjson",
        "compliance findings --output json",
        "COMPLIANCE_DATABASE=clinic.db compliance log verify --checkpoint last-week.txt",
    ),
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version.",
)
def application(**_: Any) -> None:
    """Judges what a clinic does against dated policies, and keeps event and decision in a log that proves itself.

    Data goes to standard output, words about it to standard error; `-` is standard input.

    \b
    Exit codes: 0 done, nothing to object to; 1 done, and there is something;
    2 the call or its input was wrong; 3 the log does not verify, or the file is
    damaged; 4 the database cannot be used; 70 a fault of this software.
    """  # noqa: D301 - the backspace tells click not to wrap what follows


main = application
"""What the console script runs."""
