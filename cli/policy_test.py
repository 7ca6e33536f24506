"""``compliance policy test``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compliance.errors import InputError

from . import output
from .application import Call, Command, pass_call

if TYPE_CHECKING:
    from compliance.workbench.junit import Ran as Reported

    from .policy_cases import Ran


@click.command(
    cls=Command,
    examples=(
        "compliance policy test",
        "compliance policy test my-policies -k monitor",
        "compliance policy test my-policies/clinic-monitor.yaml",
        "compliance policy test --cases my-cases.yaml --output json",
        "compliance policy test my-policies --junit cases.xml",
    ),
)
@click.argument("named", nargs=-1, metavar="[DIR|FILE|REVISION]...")
@click.option("-k", "word", metavar="WORD", help="Only cases whose name, or rule's id, holds this word.")
@click.option(
    "--cases",
    "case_files",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE_OR_DIR",
    help="Timelines of case files, not the rules' own cases.",
)
@click.option(
    "--junit",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what came out as JUnit XML too, a suite for each rule or case file.",
)
@pass_call
def test(
    call: Call, named: tuple[str, ...], word: str | None, case_files: tuple[Path, ...], junit: Path | None
) -> int:
    """Run the cases of the rules, or of case files, and say what decided each. Exits 1 where one does not come out as it says.

    Names policies as `compliance policy check` does: folders, files, git revisions.
    """
    counted = {True: 0, False: 0}
    reported: list[Reported] = []
    for result, seconds in _timed(_cases(named, word, case_files)):
        if word is not None and not result.matches(word):
            continue
        counted[result.passed] += 1
        if junit is not None:
            reported.append(result.as_junit(seconds))
        if call.json:
            output.echo_json(result.as_json())
        else:
            click.echo(result.as_text())
    passed, failed = counted[True], counted[False]
    if not passed + failed:
        raise InputError("there is no such case", "Leave out -k to run all.")
    if junit is not None:
        from compliance.workbench.junit import document

        junit.write_bytes(document(reported, datetime.now(UTC)))
    if not call.json:
        click.echo(
            f"\n{passed:,} passed, {click.style(f'{failed:,} failed', fg='red') if failed else 'none failed'}"
        )
    return int(bool(failed))


def _cases(named: tuple[str, ...], word: str | None, case_files: tuple[Path, ...]) -> Iterator[Ran]:
    from compliance.settings import shipped_folder
    from compliance.workbench.sources import folder_of, policies_of

    from . import policy_cases

    for one in named or (shipped_folder("policies"),):
        with ExitStack() as stack:
            if case_files:
                yield from policy_cases.timelines(stack.enter_context(folder_of(one)), case_files)
            else:
                yield from policy_cases.rule_cases(stack.enter_context(policies_of(one)), word)


def _timed(cases: Iterator[Ran]) -> Iterator[tuple[Ran, float]]:
    """Each case with the seconds that it took; the first took the reading of the policies too."""
    begun = time.perf_counter()
    for case in cases:
        yield case, time.perf_counter() - begun
        begun = time.perf_counter()
