"""``compliance schema``."""

from __future__ import annotations

from typing import Any

import click

from .application import Command, Group


@click.group(cls=Group, examples=("compliance schema event > event.schema.json",))
def schema() -> None:
    """JSON Schemas of events, of policy files and of reports."""


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


@schema.command(cls=Command, examples=("compliance schema report > report.schema.json",))
def report() -> None:
    """The JSON Schema of a report, as `report nightly` writes it in JSON."""
    from compliance.reports.forms.json_form import report_schema

    _print(report_schema())


def _print(value: dict[str, Any]) -> None:
    import orjson

    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE), nl=False)
