"""``compliance schema``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from . import output
from .application import Command, Group


@click.group(cls=Group, examples=("compliance schema event > event.schema.json",))
def schema() -> None:
    """JSON Schemas of events, of policy files and of reports; empty tables of events."""


@schema.command(cls=Command, examples=("compliance schema event > event.schema.json",))
def event() -> None:
    """The JSON Schema of an event: every kind with its fields."""
    from compliance.domain.schema import event_schema

    _print(event_schema())


def _of_file(name: str, words: str) -> None:
    """A command for the schema of one kind of policy file."""

    @schema.command(name, cls=Command, help=words, examples=(f"compliance schema {name} > {name}.v1.json",))
    def command() -> None:
        from compliance.policy.schema import SCHEMAS

        _print(SCHEMAS[name]())


_of_file("policy", "The JSON Schema of a rule's file, for editors.")
_of_file("bundle", "The JSON Schema of bundle.yaml, for editors.")
_of_file("requirements", "The JSON Schema of requirements.yaml, for editors.")
_of_file("site", "The JSON Schema of what a site asks (sites/SITE.yaml), for editors.")
_of_file("cases", "The JSON Schema of a case file, for editors.")


@schema.command(
    cls=Command,
    examples=(
        "compliance schema template administration",
        "compliance schema template administration --out doses.xlsx",
        "compliance schema template vital_signs --format csv > vitals.csv",
    ),
)
@click.argument("kind", metavar="KIND")
@click.option("--format", type=click.Choice(("xlsx", "csv")), help="Else by the name of --out; xlsx.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Else KIND.xlsx or KIND.csv.")
def template(kind: str, format: Literal["xlsx", "csv"] | None, out: Path | None) -> None:
    """An empty table to fill in with events of one kind, for `record --kind KIND`.

    A column for each field, with its unit; those that every event needs come first and bear a star. A workbook has choices to pick from, and a
    sheet that says what each column means. CSV goes to standard output where that is piped. No file is ever overwritten.
    """
    from compliance.intake.sheets.table import known_kind
    from compliance.intake.sheets.template import template_csv, template_xlsx

    known_kind(kind)
    form = format or ("csv" if out is not None and out.suffix.casefold() == ".csv" else "xlsx")
    content = template_csv(kind) if form == "csv" else template_xlsx(kind)
    if out is None and form == "csv" and not output.on_terminal():
        click.echo(content, nl=False)
        return
    path = out or Path(f"{kind}.{form}")
    _write_new(path, content)
    click.echo(f"{path}: fill it in, then `compliance record --kind {kind} {path}`", err=True)


def _write_new(path: Path, content: bytes) -> None:
    """A file that was not there before."""
    from compliance.errors import InputError

    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise InputError(
            f"there is a file {path} already", "Name another with --out; nothing was written."
        ) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"{path} cannot be written: {reason}", "Name another with --out.") from error


@schema.command(cls=Command, examples=("compliance schema report > report.schema.json",))
def report() -> None:
    """The JSON Schema of a report, as `report nightly` writes it in JSON."""
    from compliance.reports.forms.json_form import report_schema

    _print(report_schema())


def _print(value: dict[str, Any]) -> None:
    import orjson

    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE), nl=False)
