"""``compliance policy diff``. Where no file differs, nothing is imported that reads or judges policies."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from . import output
from .application import Call, Command, pass_call

if TYPE_CHECKING:
    from compliance.workbench.sources import PolicyFolder


@click.command(
    cls=Command,
    examples=(
        "compliance policy diff HEAD",
        "compliance policy diff v1.2 HEAD --output json",
        "compliance policy diff old-policies my-policies",
    ),
)
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="[NEW]", required=False)
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 600),
    default=5.0,
    show_default=True,
    help="How long to look for an answer to one question.",
)
@click.option("--exit-code", is_flag=True, help="Exit 1 where the meaning changes, or may change.")
@pass_call
def diff(call: Call, old: str, new: str | None, seconds: float, exit_code: bool) -> int:
    """What a change of policies changes in meaning: which rules become stricter, looser, both, or stay equivalent.

    OLD and NEW are folders or git revisions; without NEW the policies as they are now. Each direction comes with a case that the engine itself decides
    differently before and after. Only what is proved is called equivalent; what could not be found out is called unknown.
    """
    from compliance.workbench.sources import folder_of, present_folder
    from compliance.workbench.unlike import rules_alike

    with (
        folder_of(old) as before,
        nullcontext(present_folder(before)) if new is None else folder_of(new) as after,
    ):
        same = rules_alike(before.path, after.path)
        if same is None:
            return _compared(call, before, after, seconds, exit_code=exit_code)
    if call.json:
        output.echo_json({"change": "equivalent", "changed": 0, "same": same, "requirements": []})
    else:
        click.echo(
            f"as a whole: {click.style('equivalent', fg='green', bold=True)}; 0 rules changed, {same:,} the same"
        )
    return 0


def _compared(
    call: Call, before: PolicyFolder, after: PolicyFolder, seconds: float, *, exit_code: bool
) -> int:
    from compliance.workbench.compared import compared
    from compliance.workbench.differing import Difference, by_requirement, differences, same_in

    from . import policy_diff_words as words

    pair = compared(before, after)
    rules = []
    for one in differences(pair, seconds):
        rules.append(one)
        if call.json:
            output.echo_json(words.rule_json(one))
        else:
            click.echo(f"{words.rule_text(one)}\n")
    requirements = tuple(by_requirement(pair, rules, seconds))
    found = Difference(tuple(rules), requirements, same_in(pair, rules))
    if call.json:
        output.echo_json(words.summary_json(found))
    else:
        for requirement in requirements:
            if words.says_more(requirement, found):
                click.echo(f"{words.requirement_text(requirement)}\n")
        click.echo(words.summary_text(found))
    return int(exit_code and found.change != "equivalent")
