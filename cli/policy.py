"""``compliance policy``: check, test, coverage, show, explain."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from compliance.errors import Problem

from . import opening, output
from .application import Call, Command, Group, pass_call

if TYPE_CHECKING:
    from compliance.workbench.sources import PolicyFolder

FOLDER: Final = click.Path(path_type=Path)


COMMANDS: Final = {
    "check": ("policy_check", "check"),
    "test": ("policy_test", "test"),
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


@policy.command(
    cls=Command,
    examples=(
        "compliance policy coverage rems-monitor-2h",
        "compliance policy coverage my-policies --fail-under 90",
        "compliance policy coverage my-policies clinic-monitor --offer",
        "compliance policy coverage --requirements --output json",
    ),
)
@click.argument("words", nargs=-1, metavar="[DIR] [RULE]...")
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Exit 1 where fewer of a hundred conditions are covered; 75 unless it is given.",
)
@click.option(
    "--offer/--no-offer",
    default=None,
    help="Have the solver look for a case for each condition that is not covered; it does where rules are named. "
    "With --offer, on a terminal, each case is accepted or rejected at once.",
)
@click.option("--requirements", is_flag=True, help="Instead: each requirement and what keeps it.")
@pass_call
def coverage(
    call: Call, words: tuple[str, ...], fail_under: float | None, offer: bool | None, requirements: bool
) -> int:
    """Which conditions of the rules their cases show to decide, both ways, and a ready case for each that they do not.

    A condition is covered where some case would come out differently if it did not hold where it does, and some case if it held where it
    does not (condition coverage, MC/DC). Exits 1 below --fail-under.

    With --requirements: what keeps each requirement (rules judged on events, deadlines, standing rules, attestations, the software itself).
    Exits 1 where nothing keeps one, or a rule names one that there is not.
    """
    from . import policy_conditions

    folder, rules = policy_conditions.named(words)
    if requirements:
        if rules or offer is not None or fail_under is not None:
            raise click.UsageError("--requirements is about all rules of a folder; leave out the rest.")
        return _requirements(call, folder)
    offering = bool(rules) if offer is None else offer
    return policy_conditions.run(
        folder,
        rules,
        policy_conditions.ENOUGH if fail_under is None else fail_under,
        offering=offering,
        asking=offer is True and not call.json and policy_conditions.may_ask(),
        as_json=call.json,
    )


def _requirements(call: Call, folder: Path) -> int:
    from . import policy_coverage

    every, problems = policy_coverage.account(folder)
    if call.json:
        output.echo_json(*(problem_json(problem) for problem in problems))
        output.echo_json(*(policy_coverage.as_json(one) for one in every))
    elif problems:
        click.echo("\n\n".join(str(problem) for problem in problems))
    else:
        policy_coverage.show(every)
    return int(bool(problems) or not all(one.kept for one in every))


@policy.command(
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


@policy.command(
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


@policy.command(
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
    from compliance.workbench.compared import compared
    from compliance.workbench.differing import Difference, by_requirement, differences, same_in
    from compliance.workbench.sources import folder_of, present_folder

    from . import policy_diff

    with (
        folder_of(old) as before,
        nullcontext(present_folder(before)) if new is None else folder_of(new) as after,
    ):
        pair = compared(before.path, after.path)
        rules = []
        for one in differences(pair, seconds):
            rules.append(one)
            output.echo_json(policy_diff.rule_json(one)) if call.json else click.echo(
                f"{policy_diff.rule_text(one)}\n"
            )
        requirements = tuple(by_requirement(pair, rules, seconds))

        found = Difference(tuple(rules), requirements, same_in(pair, rules))
    if call.json:
        output.echo_json(policy_diff.summary_json(found))
    else:
        for requirement in requirements:
            if policy_diff.says_more(requirement, found):
                click.echo(f"{policy_diff.requirement_text(requirement)}\n")
        click.echo(policy_diff.summary_text(found))
    return int(exit_code and found.change != "equivalent")


@policy.command(
    cls=Command,
    examples=(
        "compliance policy lint",
        "compliance policy lint my-policies --no-solver",
        "compliance policy lint my-policies/clinic-monitor.yaml --output json",
    ),
)
@click.argument("paths", nargs=-1, type=FOLDER, metavar="[DIR|FILE]...")
@click.option(
    "--solver/--no-solver", "with_solver", default=True, help="Without the solver, only what is plain to see."
)
@pass_call
def lint(call: Call, paths: tuple[Path, ...], with_solver: bool) -> int:
    """What is odd in rules that are in order otherwise. Exits 1 where there is something to mend.

    Plain to see: a literal that a parameter names, parameters and facts that nothing uses, gaps and overlaps of dates. Proved by the solver: rules that
    never apply, never fail or always fail, conditions that never decide, rules that another makes redundant, two denies that no event can
    satisfy together. What it does not find out is told as that.
    """
    from . import policy_lint

    found = policy_lint.linted(paths, with_solver=with_solver)
    if call.json:
        output.echo_json(*(told for one in found for told in policy_lint.as_json(one, problem_json)))
    else:
        for one in found:
            if text := policy_lint.as_text(one):
                click.echo(f"{text}\n")
        click.echo(policy_lint.summary(found))
    return int(any(one.problems for one in found))
