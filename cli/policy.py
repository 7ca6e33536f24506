"""``compliance policy``: check, test, coverage, show, explain; others in modules of their own."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from compliance.errors import InputError, Problem

from . import opening, output
from .application import Call, Command, Group, pass_call

if TYPE_CHECKING:
    from compliance.library import Checked

FOLDER: Final = click.Path(path_type=Path)


@click.group(
    cls=Group,
    lazy={"fmt": ("policy_fmt", "fmt"), "new": ("policy_new", "new")},
    examples=("compliance policy check", "compliance policy show rems-monitor-2h"),
)
def policy() -> None:
    """Policies: check them, test them, read them, explain a decision. Those that ship with this software, unless a folder is named."""


@policy.command(
    cls=Command,
    examples=(
        "compliance policy check",
        "compliance policy check my-policies",
        "compliance policy check my-policies/clinic-monitor.yaml",
    ),
)
@click.argument("paths", nargs=-1, type=FOLDER, metavar="[DIR|FILE]...")
@pass_call
def check(call: Call, paths: tuple[Path, ...]) -> int:
    """Parse, type-check, look at citations and dates, and run every case. Exits 1 where anything is wrong.

    A single file is checked among the rules of its folder.
    """
    from compliance.library import as_problem, check_file, check_folder
    from compliance.settings import shipped_folder

    today = date.today().isoformat()  # noqa: DTZ011 - a review is overdue by the calendar on the wall
    objections = 0
    for path in paths or (shipped_folder("policies"),):
        if not path.exists():
            raise InputError(
                f"there is no file or folder {path}",
                "Name a folder that holds bundle.yaml, or a rule's file.",
            )
        checked: Checked = check_folder(path, today) if path.is_dir() else check_file(path, today)
        problems = [*checked.problems, *(as_problem(result) for result in checked.failed)]
        objections += len(problems)
        if call.json:
            output.echo_json(*(problem_json(problem) for problem in problems))
            continue
        for problem in problems:
            click.echo(f"{problem}\n")
        word = (
            click.style("in order", fg="green") if not problems else output.counted(len(problems), "problem")
        )
        rules = len(checked.bundle.rules) if checked.bundle is not None else 0
        told = f"{output.counted(rules, 'rule')}, {checked.passed:,} of {output.counted(len(checked.results), 'case')} as they say"
        click.echo(f"{path}: {word}; {told if checked.bundle is not None else 'no case was run'}")
    return int(bool(objections))


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
        "compliance policy test",
        "compliance policy test my-policies -k monitor",
        "compliance policy test --cases my-cases.yaml --output json",
    ),
)
@click.argument("folder", type=FOLDER, required=False, metavar="[DIR]")
@click.option("-k", "word", metavar="WORD", help="Only cases whose name, or rule's id, holds this word.")
@click.option(
    "--cases",
    "case_files",
    type=FOLDER,
    multiple=True,
    metavar="FILE_OR_DIR",
    help="Timelines of case files, not the rules' own cases.",
)
@pass_call
def test(call: Call, folder: Path | None, word: str | None, case_files: tuple[Path, ...]) -> int:
    """Run the cases of the rules, or of case files, and say what decided each. Exits 1 where one does not come out as it says."""
    from compliance.settings import shipped_folder

    from . import policy_cases

    folder = shipped_folder("policies") if folder is None else folder
    results = (
        policy_cases.timelines(folder, case_files) if case_files else policy_cases.rule_cases(folder, word)
    )
    passed = failed = 0
    for result in results:
        if word is not None and not result.matches(word):
            continue
        if result.passed:
            passed += 1
        else:
            failed += 1
        if call.json:
            output.echo_json(result.as_json())
        else:
            click.echo(result.as_text())
    if not passed + failed:
        raise InputError("there is no such case", "Leave out -k to run all.")
    if not call.json:
        click.echo(
            f"\n{passed:,} passed, {click.style(f'{failed:,} failed', fg='red') if failed else 'none failed'}"
        )
    return int(bool(failed))


@policy.command(
    cls=Command,
    examples=(
        "compliance policy coverage --requirements",
        "compliance policy coverage --requirements --output json",
    ),
)
@click.argument("folder", type=FOLDER, required=False, metavar="[DIR]")
@click.option("--requirements", is_flag=True, required=True, help="Each requirement and what keeps it.")
@pass_call
def coverage(call: Call, folder: Path | None, requirements: bool) -> int:  # noqa: ARG001 - there is no other coverage to ask for
    """What keeps each requirement: rules judged on events, deadlines, standing rules, attestations, or the software itself.

    Exits 1 where nothing keeps a requirement, or a rule names one that there is not.
    """
    from compliance.settings import shipped_folder

    from . import policy_coverage

    every, problems = policy_coverage.account(shipped_folder("policies") if folder is None else folder)
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
        "compliance policy show --all > policies.md",
    ),
)
@click.argument("rule", required=False)
@click.option("--all", "everything", is_flag=True, help="Every rule by requirement, as one Markdown text.")
@click.option(
    "--policies",
    "folder",
    type=FOLDER,
    metavar="DIR",
    help="A folder of policies; else those that ship with this software.",
)
@pass_call
def show(call: Call, rule: str | None, everything: bool, folder: Path | None) -> int:
    """A rule in plain language: what it asks, where that is written, since when, what passes and what does not."""
    from compliance.settings import shipped_folder

    if everything is (rule is not None):
        raise click.UsageError("Name a rule, or ask for --all.")
    folder = shipped_folder("policies") if folder is None else folder
    if rule is None:
        return _show_all(call, folder)
    from . import policy_page

    found, source = policy_page.find(folder, rule)
    if call.json:
        output.echo_json(policy_page.as_json(found, source))
    else:
        click.echo(policy_page.as_text(found, source))
    return 0


def _show_all(call: Call, folder: Path) -> int:
    from . import policy_book, policy_coverage, policy_page

    every, problems = policy_coverage.account(folder)
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
