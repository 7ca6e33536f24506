"""``compliance demo``: a clinic's fortnight in a fresh directory."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import count, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from compliance.errors import InputError

from . import files, output, results
from .application import Call, Command, pass_call

if TYPE_CHECKING:
    from compliance.bundles import Bundles
    from compliance.intake.drafts import Draft
    from compliance.ledger.log import Log
    from compliance.record import Result

ACTOR: Final = "demo"
SITE: Final = "DEMO"
ORIGIN: Final = "compliance/demo"
REPORTED: Final = date(2026, 3, 10).toordinal()
"""The day whose nightly report is made."""
MOST_FINDINGS: Final = 2
"""Findings shown of one event; the rest is counted."""

PACE_SECONDS: Final = 0.05
"""On a terminal, a pause after each day, so that a person can follow."""


@click.command(cls=Command, examples=("compliance demo", "compliance demo --dir /tmp/clinic"))
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="An empty or new directory; else this one if it is empty, else ./demo-1.",
)
@pass_call
def demo(call: Call, folder: Path | None) -> None:
    """Record an invented clinic's fortnight, show the verdicts as they come, verify the log, write the nightly report.

    Everything lies in one fresh directory, to be looked at with the other commands and thrown away. The mistakes in it are
    planted; so the exit code is 0.
    """
    from compliance.bundles import Bundles
    from compliance.ledger.log import Log
    from compliance.settings import shipped_folder
    from compliance.setup import Wanted, initialise

    chosen = _fresh(folder)
    url = f"sqlite:///{chosen / 'compliance.db'}"
    _say(call, f"directory     {chosen}")
    _say(call, "policies      checking every rule and every case of the shipped library ...")
    made = initialise(url, Wanted(SITE, ACTOR, ORIGIN, shipped_folder("policies")))
    _say(
        call,
        f"              {len(made.bundle.rules)} rules, all {made.cases:,} cases as they say; {made.bundle.digest[:23]}",
    )
    with Log.open(url, write=True) as log:
        bundles = Bundles(log)
        tally = _record(call, log, bundles)
        _standing(call, log, bundles)
        told = _proofs(call, log, url, chosen, tally)
        told["report"] = _report(call, log, url, chosen)
        last, shown = output.instant(_end(log)), str(log.entry(told["proved"]).event_id)
    if call.json:
        output.echo_json({"directory": str(chosen), "bundle": made.bundle.digest, **told})
    else:
        _next_steps(chosen, last, shown)


def _fresh(folder: Path | None) -> Path:
    """The directory, made if it was not there; raises InputError where it holds anything but hidden files."""
    if folder is None:
        here = Path.cwd()
        folder = (
            here
            if _empty(here)
            else next(path for path in (here / f"demo-{n}" for n in count(1)) if not path.exists())
        )
    if folder.exists() and not (folder.is_dir() and _empty(folder)):
        raise InputError(
            f"{folder} is not an empty directory; nothing was touched", "Name a new one with --dir."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be made: {error.strerror}", "Name another one with --dir."
        ) from error
    return folder


def _empty(folder: Path) -> bool:
    return all(path.name.startswith(".") for path in folder.iterdir())


def _say(call: Call, text: str) -> None:
    if not call.json:
        click.echo(text)


def _drafts() -> list[Draft]:
    """The fortnight's events, in the order in which they were entered."""
    from compliance.demo import events
    from compliance.domain.event import Event
    from compliance.domain.making import make_event
    from compliance.intake.drafts import Draft

    drafts = []
    for line, body in enumerate(events(), 1):
        made = make_event(body, source="fortnight", line=line)
        if not isinstance(made, Event):
            raise InputError(
                "the fortnight that ships with this software is damaged", "Install it again.", made
            )
        drafts.append(Draft(made, "fortnight", line))
    return drafts


def _day(draft: Draft) -> str:
    return str(draft.event.body.get("entered_at", draft.event.body["occurred_at"]))[:10]


def _record(call: Call, log: Log, bundles: Bundles) -> results.Tally:
    """Record day by day, and tell of each day what a person must see."""
    from compliance.record import Recorder

    drafts = _drafts()
    recorder = Recorder(log, bundles.active())
    total, quiet = results.Tally(), results.Tally()
    _say(call, f"events        {len(drafts):,}, in the order in which they were entered\n")
    first = last = ""
    for day, group in groupby(drafts, key=_day):
        tally = results.Tally()
        lines: list[str] = []
        for batch in recorder.submit(group):
            for result in batch:
                tally.take(result)
                total.take(result)
                lines += _lines(result, bundles)
        if not lines:  # days without anything to see are told together
            quiet.recorded += tally.recorded
            first, last = first or day, day
            continue
        _quiet_days(call, quiet, first, last)
        quiet, first = results.Tally(), ""
        _say(call, click.style(f"{day}  {_told(tally)}", bold=True))
        for line in lines:
            _say(call, line)
        if not call.json and sys.stdout.isatty():
            time.sleep(PACE_SECONDS * len(lines))
    _quiet_days(call, quiet, first, last)
    _say(call, "\n" + results.summary(total, written=True))
    return total


def _quiet_days(call: Call, tally: results.Tally, first: str, last: str) -> None:
    if tally.recorded:
        days = first if first == last else f"{first} to {last}"
        _say(call, f"{days}  {output.counted(tally.recorded, 'event')}, all in order")


def _told(tally: results.Tally) -> str:
    kinds = Counter(tally.verdicts)
    in_order = kinds.pop("compliant", 0) + kinds.pop("permitted", 0)
    parts = [
        f"{in_order:,} in order",
        *(f"{number:,} {word.replace('_', ' ')}" for word, number in kinds.items()),
    ]
    if tally.rejudged:
        parts.append(f"{tally.rejudged:,} judged again")
    return f"{output.counted(tally.recorded, 'event')}: {', '.join(parts)}"


def _lines(result: Result, bundles: Bundles) -> Iterator[str]:
    """One event that something is held against: verdict, event, the first findings with their citations."""
    from compliance.record import Recorded, Refused

    if isinstance(result, Refused):
        yield output.headline("rejected", f"{result.source}:{result.line}", 2)
        return
    again = not isinstance(result, Recorded)
    event = result.draft.event if isinstance(result, Recorded) else result.event
    found = results.explained_all(result.decision, bundles)
    if not found and not again:
        return
    verdict = str(result.decision.verdict)
    because = f", judged again because of {result.cause}" if not isinstance(result, Recorded) else ""
    yield output.headline(verdict, f"{event.id}  {event.kind} at {event.body['site']}{because}", 2)
    for one in found[:MOST_FINDINGS]:
        yield output.paragraph(f"{one.rule.id}: {one.message}", 4, 2)
        yield output.paragraph(f"[{one.rule.cited()}]", 6, 1)
    if len(found) > MOST_FINDINGS:
        yield f"    and {len(found) - MOST_FINDINGS} more: {', '.join(one.rule.id for one in found[MOST_FINDINGS:])}"


def _standing(call: Call, log: Log, bundles: Bundles) -> None:
    """What is open, in short."""
    from compliance.standing import findings, obligations

    if call.json:
        return
    as_of = _end(log)
    opened = [one for one in findings(log, bundles, as_of) if one.state == "open"]
    duties = Counter(str(duty.state) for duty in obligations(log, bundles, as_of))
    by_severity = Counter(one.explained.severity for one in opened)
    told = ", ".join(
        f"{by_severity[severity]} {severity}"
        for severity in ("deny", "warn", "report")
        if by_severity[severity]
    )
    click.echo(f"\nopen findings at the end of the fortnight: {len(opened)} ({told})")
    click.echo(
        f"duties: {', '.join(f'{number:,} {state.replace(chr(95), chr(32))}' for state, number in duties.most_common())}"
    )


def _end(log: Log) -> int:
    """The instant of the last event of the fortnight: the demonstration is judged as of then, whenever it is run."""
    return max(
        (
            entry.occurred_us
            for entry in log.entries()
            if entry.occurred_us is not None and entry.site != SITE
        ),
        default=0,
    )


def _proofs(call: Call, log: Log, url: str, folder: Path, tally: results.Tally) -> dict[str, Any]:
    """Verify the log, write a checkpoint, verify against it, prove the first violation."""
    from compliance.ledger.checkpoint import checkpoint
    from compliance.ledger.keys import key_path, read_key
    from compliance.ledger.proof import prove
    from compliance.verifying import verify_log

    signer = read_key(key_path(url))
    answer = verify_log(log)
    files.write(str(folder / "checkpoint.txt"), [checkpoint(log, signer).encode()])
    shown = next(iter(log.with_findings()), 0)
    files.write(str(folder / "entry.proof"), [prove(log, shown, signer).text.encode()])
    _say(
        call,
        f"\nlog           {click.style(str(answer.state), bold=True)}: {answer.size:,} entries, root {answer.root.hex()[:16]}...",
    )
    _say(call, "checkpoint    checkpoint.txt (in real life a copy of it lies elsewhere)")
    _say(
        call,
        f"proof         entry.proof: entry {shown} is in the log, for anyone to check with other software",
    )
    return {
        "entries": answer.size, "answer": str(answer.state), "verdicts": dict(tally.verdicts), "checkpoint": "checkpoint.txt",
        "proof": "entry.proof", "proved": shown,
    }  # fmt: skip


def _report(call: Call, log: Log, url: str, folder: Path) -> str:
    """The nightly report of the day on which most goes wrong, in all its forms; returns the page's name."""
    from compliance.ledger.keys import key_path, read_key
    from compliance.reports.nightly import Nightly

    from .report_files import written

    (made,) = Nightly(log, read_key(key_path(url))).run(REPORTED)
    page = written(made, folder / "reports")[0].relative_to(folder)
    _say(call, f"report        {page}: {made.report.headline}")
    return str(page)


def _next_steps(folder: Path, last: str, shown: str) -> None:
    steps: Sequence[str] = (
        f"compliance findings --as-of {last}",
        "compliance events list --verdict violation",
        f"compliance policy explain {shown}",
        "compliance log verify --checkpoint checkpoint.txt",
        "compliance report nightly --date 2026-03-12",
    )
    click.echo("\nnow try")
    if folder != Path.cwd():
        click.echo(f"  cd {folder}")
    for step in steps:
        click.echo(f"  {step}")
