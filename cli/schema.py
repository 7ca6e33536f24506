"""``compliance schema``."""

from __future__ import annotations

from typing import Any

import click

from .application import Command, Group


@click.group(cls=Group, examples=("compliance schema event > event.schema.json",))
def schema() -> None:
    """JSON Schemas of events and of policy files."""


@schema.command(cls=Command, examples=("compliance schema event > event.schema.json",))
def event() -> None:
    """The JSON Schema of an event: every kind with its fields."""
    from compliance.domain.schema import event_schema

    _print(event_schema())


@schema.command(cls=Command, examples=("compliance schema policy > policy.v1.json",))
def policy() -> None:
    """The JSON Schema of a policy file, for editors."""
    from compliance.policy.schema import policy_schema

    _print(policy_schema())


def _print(value: dict[str, Any]) -> None:
    import orjson

    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE), nl=False)
