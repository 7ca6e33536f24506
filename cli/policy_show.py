"""``compliance policy show`` and ``explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import opening, output
from .application import Call, Command, pass_call

if TYPE_CHECKING:
    from compliance.workbench.sources import PolicyFolder


@click.command(
    cls=Command,
    examples=(
        "compliance policy show rems-monitor-2h",
        "compliance policy show my-rule --policies my-policies",
        "compliance policy show my-rule --policies HEAD~1:my-policies",
        "compliance policy show --all > policies.md",
    ),
)
@click.argument("rule", required=False)
@click.option("--all", "everything", is_flag=True, help="Every rule by requirement, as one Markdown text.")
@click.option(
    "--policies",
    "named",
    metavar="DIR|REVISION",
    help="A folder of policies, here or at a git revision; else those that ship with this software.",
)
@pass_call
def show(call: Call, rule: str | None, everything: bool, named: str | None) -> int:
    """A rule in plain language: what it asks, where that is written, since when, what passes and what does not."""
    from compliance.settings import shipped_folder
    from compliance.workbench.sources import folder_of

    if everything is (rule is not None):
        raise click.UsageError("Name a rule, or ask for --all.")
    with folder_of(shipped_folder("policies") if named is None else named) as folder:
        if rule is None:
            return _show_all(call, folder)
        from . import policy_page

        found, source = policy_page.find(folder, rule)
        if call.json:
            output.echo_json(policy_page.as_json(found, source))
        else:
            click.echo(policy_page.as_text(found, source))
    return 0


def _show_all(call: Call, folder: PolicyFolder) -> int:
    from . import policy_book, policy_coverage, policy_page

    every, problems = policy_coverage.account(folder.path, folder.shown)
    for problem in problems:
        click.echo(f"{problem}\n", err=True)
    if call.json:
        rules = {rule.id: rule for one in every for rule in one.rules}
        output.echo_json(*(policy_page.as_json(rule, rule.place.source) for rule in rules.values()))
    elif every:
        click.echo(policy_book.book(every), nl=False)
    return int(bool(problems))


@click.command(
    cls=Command, examples=("compliance policy explain e3", "compliance policy explain 7 --output json")
)
@click.argument("entry", metavar="ENTRY|EVENT_ID")
@pass_call
def explain(call: Call, entry: str) -> None:
    """A decision down to the clause: the values that decided it, the line of the policy, and where that is written.

    For an event's id the last decision on it; for an entry the one that it holds.
    """
    from compliance.bundles import Bundles

    from . import explanation
    from .log_proof import index_of

    with opening.reading(call) as log, log.reading():
        idx = index_of(log, entry)
        if log.entry(idx).event_id == entry:
            later = log.last_judgement(entry)
            idx = idx if later is None else later
        bundles = Bundles(log)
        if call.json:
            output.echo_json(explanation.as_json(log, bundles, idx))
        else:
            click.echo(explanation.as_text(log, bundles, idx))
