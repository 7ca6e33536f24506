"""One event that a command made: judged first and shown, recorded when the person agrees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import click

from . import asking, output, results
from .application import Call

if TYPE_CHECKING:
    from compliance.bundles import Bundles
    from compliance.intake.drafts import Draft
    from compliance.ledger.log import Log
    from compliance.record import Result

Told: TypeAlias = list[tuple[Any, ...]]

SOURCE: Final = "<keyboard>"

REJECTED: Final = "rejected"
DECLINED: Final = 1
"""The exit code where the person saw the verdict and did not want the event recorded."""


@dataclass(frozen=True, slots=True)
class Entered:
    """What came of an event that a person entered: its verdict, whether it is in the log now (or was before), the exit code that follows,
    and whether the person `declined` to record it."""

    event: str
    verdict: str
    recorded: bool
    exit_code: int
    declined: bool = False


def entered(
    call: Call,
    log: Log,
    body: Mapping[str, Any],
    *,
    sure: bool,
    strict: bool,
    source: str = SOURCE,
    bundles: Bundles | None = None,
) -> Entered:
    """Check an event, show the verdict, ask whether to record it, and record it.

    Nothing is asked, and nothing judged twice, where the caller is `sure` or no person is there. Raises InputError with all that does not
    fit, before anything is written. Standard output holds what was recorded, as `record` prints it; all before that is words for people.
    Whoever enters several events hands over the log's `bundles`, which are then made ready once.
    """
    from compliance.bundles import Bundles
    from compliance.intake.drafts import Draft

    draft = Draft.of_command(body, source)
    bundles = bundles or Bundles(log)
    if sure or not asking.may_ask():
        return _recorded(call, log, bundles, draft, strict=strict)
    verdict, told = _checked(log, bundles, draft)
    with asking.leaving():
        agreed = asking.confirmed("Record this?", default=verdict not in {*results.OBJECTIONS, REJECTED})
    if agreed:
        return _recorded(call, log, bundles, draft, strict=strict, told=told)
    click.echo(asking.NOTHING_WRITTEN, err=True)
    return Entered(draft.event.id, verdict, recorded=False, exit_code=DECLINED, declined=True)


def record_one(call: Call, log: Log, draft: Draft, *, strict: bool) -> int:
    """Record one event that a command made, and show what comes of it; gives the exit code."""
    from compliance.bundles import Bundles

    return _recorded(call, log, Bundles(log), draft, strict=strict).exit_code


def _checked(log: Log, bundles: Bundles, draft: Draft) -> tuple[str, Told]:
    """The verdict that recording would give now, and what was told with it. Nothing is written."""
    from compliance.checking import Checker

    verdict, told = "", []
    click.echo(err=True)
    for batch in Checker(log, bundles.active()).submit([draft]):
        if not verdict:
            verdict = _verdict(batch[0])
            if not results.result_text(batch[0], bundles):
                click.echo(output.headline(verdict, "nothing to object to"), err=True)
        if text := results.results_text(batch, bundles):
            click.echo(text, err=True)
        told += _told(batch)
    return verdict, told


def _recorded(
    call: Call, log: Log, bundles: Bundles, draft: Draft, *, strict: bool, told: Told | None = None
) -> Entered:
    """Record it and show what comes of it; for people, findings that were `told` already are not told again unless they differ."""
    from compliance.record import Recorder

    tally = results.Tally()
    verdict, found = "", []
    for batch in Recorder(log, bundles.active).submit([draft]):
        for result in batch:
            tally.take(result)
            verdict = verdict or _verdict(result)
        found += _told(batch)
        if call.json or told is None or found != told[: len(found)]:
            results.echo_results(batch, bundles, as_json=call.json, written=True)
    if not call.json:
        click.echo(f"{draft.event.kind} {draft.event.id}")
        click.echo(results.summary(tally, written=True))
    recorded = bool(tally.recorded or tally.repeated)
    return Entered(draft.event.id, verdict, recorded=recorded, exit_code=tally.exit_code(strict=strict))


def _verdict(result: Result) -> str:
    from compliance.record import Refused

    return REJECTED if isinstance(result, Refused) else str(result.decision.verdict)


def _told(batch: Iterable[Result]) -> Told:
    """What results say, without the instants in their words, which differ from one moment to the next."""
    from compliance.record import Refused

    return [
        result.problems
        if isinstance(result, Refused)
        else (_verdict(result), *(finding.stands() for finding in result.decision.findings))
        for result in batch
    ]
