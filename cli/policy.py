"""``compliance policy``: its commands, and what they share."""

from __future__ import annotations

from typing import Any, Final

import click

from compliance.errors import Problem

from .application import Group

COMMANDS: Final = {
    "new": ("policy_new", "new"),
    "check": ("policy_check", "check"),
    "fmt": ("policy_fmt", "fmt"),
    "test": ("policy_test", "test"),
    "coverage": ("policy_conditions", "coverage"),
    "lint": ("policy_lint", "lint"),
    "diff": ("policy_diff", "diff"),
    "impact": ("policy_impact", "impact"),
    "activate": ("policy_activate", "activate"),
    "show": ("policy_show", "show"),
    "explain": ("policy_show", "explain"),
}


@click.group(
    cls=Group, lazy=COMMANDS, examples=("compliance policy check", "compliance policy show rems-monitor-2h")
)
def policy() -> None:
    """Policies: check them, test them, read them, explain a decision. Those that ship with this software, unless a folder is named."""


def problem_json(problem: Problem) -> dict[str, Any]:
    """One problem with its place."""
    place = problem.place
    return {
        "file": place.source, "line": place.line, "column": place.column, "field": place.field, "code": problem.code,
        "message": problem.message, "remedy": problem.remedy,
    }  # fmt: skip
