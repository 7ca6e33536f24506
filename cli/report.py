"""``compliance report``: its commands."""

from __future__ import annotations

from typing import Final

import click

from .application import Group

COMMANDS: Final = {"nightly": ("report_nightly", "nightly"), "binder": ("report_binder", "binder")}


@click.group(cls=Group, lazy=COMMANDS, examples=("compliance report nightly --out reports",))
def report() -> None:
    """Reports: what a compliance officer reads every morning, and what an inspector is handed."""
