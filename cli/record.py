"""``compliance record`` and ``compliance check``."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from . import formats, opening, output, results
from .application import Call, Command, pass_call
from .formats import Form
from .inputs import Inputs
from .progress import Progress
from .types import PAUSE

if TYPE_CHECKING:
    from compliance.bundles import Bundles
    from compliance.intake.drafts import Draft, PassedOver, Rejected
    from compliance.ledger.log import Log
    from compliance.record import Result

    Submit = Callable[[Iterable[Draft | Rejected]], Generator[tuple[Result, ...], None, None]]


LOOKS: Final = 2.0
"""How often (seconds) a folder is looked at, and for how long a file must not have changed."""


@click.command(
    cls=Command,
    examples=(
        "compliance record day.ndjson",
        "compliance record --kind administration doses.xlsx",
        "compliance record --format fhir bulk/*.ndjson",
        "compliance record --output json site-1.ndjson site-2.ndjson > verdicts.ndjson",
        "export-from-source | compliance record -",
        "compliance record --watch /srv/compliance/incoming",
    ),
)
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option(
    "--watch",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Record every file that is dropped there, until Ctrl-C; move it to DIR/done or DIR/problems.",
)
@click.option("--once", is_flag=True, help="With --watch: take what is there, and end.")
@click.option("--every", type=PAUSE, help="With --watch: how often to look; 2s.")
@click.option(
    "--settle",
    type=PAUSE,
    help="With --watch: a file is finished when it has not changed for so long; 2s.",
)
@formats.options
@results.strict_option
@pass_call
def record(
    call: Call,
    files: tuple[str, ...],
    folder: Path | None,
    once: bool,
    every: int | None,
    settle: int | None,
    form: Form,
    strict: bool,
) -> int:
    """Judge the events of files and append them to the log.

    A file holds JSON (one event per line, one event, or a list of events), a table of one kind of event (--kind), or FHIR R4 resources
    (--format fhir); - is standard input. One file is taken in its own order, several are merged by when things occurred. A bad line
    stops nothing: it is reported and kept. The same event twice is written once.
    """
    if folder is not None:
        if files or strict:
            raise click.UsageError("--watch takes no FILE and no --strict.")
        from .watch import watch

        return watch(call, form, folder, once=once, every=_seconds(every), settle=_seconds(settle))
    if once or every is not None or settle is not None:
        raise click.UsageError("--once, --every and --settle belong to --watch.")
    if not files:
        raise click.UsageError("Missing argument 'FILE...'.")
    from compliance.bundles import Bundles
    from compliance.record import Recorder

    progress = Progress()
    with Inputs(files, progress, form, call.database) as inputs, opening.writing(call) as log:
        bundles = Bundles(log)
        submit = Recorder(log, bundles.active).submit
        return _run(call, log, inputs, submit, bundles, progress, strict=strict, written=True)


def _seconds(microseconds: int | None) -> float:
    return LOOKS if microseconds is None else max(0.01, microseconds / 1_000_000)


@click.command(
    cls=Command,
    examples=("compliance check day.ndjson", "compliance check --output json - < proposal.json"),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@formats.options
@results.strict_option
@pass_call
def check(call: Call, files: tuple[str, ...], form: Form, strict: bool) -> int:
    """Judge the events of files as `record` would, and write nothing.

    The events see what is in the log, and each other. A reader's rights suffice.
    """
    from compliance.bundles import Bundles
    from compliance.checking import Checker

    progress = Progress()
    with Inputs(files, progress, form, call.database) as inputs, opening.reading(call) as log, log.reading():
        bundles = Bundles(log, written=False)
        submit = Checker(log, bundles.active()).submit
        return _run(call, log, inputs, submit, bundles, progress, strict=strict, written=False)


def _run(
    call: Call,
    log: Log,
    inputs: Inputs,
    submit: Submit,
    bundles: Bundles,
    progress: Progress,
    *,
    strict: bool,
    written: bool,
) -> int:
    tally = results.Tally()
    items = inputs.items(log, actor=call.actor, written=written, passed=partial(_passed, call))
    for batch in submitted(items, submit, tally, progress):
        results.echo_results(batch, bundles, as_json=call.json, written=written)
    if not call.json:
        click.echo(results.summary(tally, written=written, passed=inputs.passed))
    if not inputs.valid and not inputs.passed:
        click.echo("error: there is no valid event in this input", err=True)
        return 2
    return tally.exit_code(strict=strict)


def submitted(
    items: Iterable[Draft | Rejected], submit: Submit, tally: results.Tally, progress: Progress
) -> Iterator[tuple[Result, ...]]:
    """What becomes of an input, batch by batch (of what is written, each after its commit), counted in `tally`; no bar is in the way."""
    from compliance import logs

    with closing(submit(items)) as batches:
        for batch in batches:
            progress.clear()
            for result in batch:
                tally.take(result)
            yield batch
            logs.info("batch", events=tally.recorded, repeated=tally.repeated, rejected=tally.rejected)
    progress.clear()


def _passed(call: Call, piece: PassedOver) -> None:
    if call.json:
        output.echo_json(results.passed_json(piece))
