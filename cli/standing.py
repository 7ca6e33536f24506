"""``compliance findings`` and ``compliance obligations``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import click

from . import opening, output, results
from .application import Call, Command, pass_call
from .types import DURATION, INSTANT, now

if TYPE_CHECKING:
    from compliance.engine.duties import Duty
    from compliance.standing import StandingFinding

STATES: Final = ("open", "met", "met_late", "missed", "cancelled")
USUAL_STATES: Final = ("open", "missed")

FARTHEST = 10 * 366 * 24 * 3600 * 1_000_000
"""How far ahead may be asked, in microseconds: how long something has stood is found night by night."""


def _not_too_far(_: click.Context, __: click.Parameter, instant: int | None) -> int | None:
    if instant is not None and instant > now() + FARTHEST:
        raise click.BadParameter("more than ten years ahead; name an instant of the past or the near future")
    return instant


as_of_option = click.option(
    "--as-of",
    type=INSTANT,
    metavar="TIME",
    callback=_not_too_far,
    help="By what had occurred then; now, unless said otherwise.",
)


@click.command(
    cls=Command,
    examples=(
        "compliance findings",
        "compliance findings --site S1 --severity deny --output json",
        "compliance findings --all --as-of 2026-03-31T23:59:59-05:00",
    ),
)
@click.option("--all", "everything", is_flag=True, help="Also what was overridden or resolved.")
@click.option("--site", metavar="ID")
@click.option("--rule", metavar="RULE")
@click.option("--severity", type=click.Choice(["deny", "warn", "report"]))
@as_of_option
@pass_call
def findings(
    call: Call, everything: bool, site: str | None, rule: str | None, severity: str | None, as_of: int | None
) -> int:
    """What is open: findings that stand after the last judgement, duties that were missed or met late, and what the night finds.

    Exits 1 where a finding that denies is open, or a duty was missed.
    """
    from compliance.bundles import Bundles
    from compliance.standing import findings as standing
    from compliance.standing import obligations as due
    from compliance.standing import require_known

    instant = now() if as_of is None else as_of
    with opening.reading(call) as log, log.reading():
        bundles = Bundles(log)
        require_known(log, bundles, site, rule)
        every = list(standing(log, bundles, instant))
        duties = [] if all(one.explained.rule.expect is None for one in every) else due(log, bundles, instant)
    missed = {duty.id for duty in duties if duty.state == "missed"}
    found = [
        one for one in every
        if (everything or one.state == "open")
        and site in (None, one.event.values["site"])
        and rule in (None, one.explained.rule.id)
        and severity in (None, one.explained.severity)
    ]  # fmt: skip
    if call.json:
        output.echo_json(*(finding_json(one) for one in found))
    else:
        _show_findings(found)
    return int(
        any(one.state == "open" and (one.explained.severity == "deny" or one.id in missed) for one in found)
    )


def finding_json(one: StandingFinding) -> dict[str, Any]:
    """A finding that stands; for a duty with the instant at which it was due."""
    explained = one.explained
    line: dict[str, Any] = {
        "id": one.id, "rule": explained.rule.id, "implements": list(explained.implements), "event": one.event.id,
        "severity": explained.severity, "outcome": explained.outcome, "site": one.event.body["site"], "at": output.instant(one.at),
        "message": explained.message, "remedy": explained.remedy, "state": one.state,
    }  # fmt: skip
    if explained.rule.expect is not None:
        line["due_at"] = output.instant(one.at) if explained.outcome == "fail" else None
    return line


def _show_findings(found: list[StandingFinding]) -> None:
    for one in found:
        explained = one.explained
        due = "due" if explained.rule.expect is not None else "at" if explained.rule.each is None else "since"
        state = "" if one.state == "open" else f", {one.state}"
        where = f"{one.event.kind} {one.event.id}, site {one.event.body['site']}, {due} {output.instant(one.at)}{state}"
        click.echo(output.headline(explained.severity, f"{explained.rule.id}  {where}"))
        click.echo(output.paragraph(explained.message, 6))
        click.echo(output.paragraph(f"to do: {explained.remedy}", 6))
        click.echo(output.paragraph(f"written: {results.cited(explained.rule)}; finding {one.id}", 6) + "\n")
    if not found:
        click.echo("nothing is open")
        return
    counts = {
        severity: sum(one.explained.severity == severity for one in found)
        for severity in ("deny", "warn", "report")
    }
    told = ", ".join(f"{count:,} {output.colored(severity)}" for severity, count in counts.items() if count)
    click.echo(f"{output.counted(len(found), 'finding')}: {told}")


@click.command(
    cls=Command,
    examples=(
        "compliance obligations",
        "compliance obligations --due-within 24h",
        "compliance obligations --state met_late --state missed --output json",
    ),
)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([*STATES, "all"]),
    help="May be repeated; open and missed unless said otherwise.",
)
@click.option(
    "--due-within",
    type=DURATION,
    metavar="TIME",
    help="Due by then, such as 24h or 7d; what was missed is among it.",
)
@click.option("--site", metavar="ID")
@click.option("--rule", metavar="RULE")
@as_of_option
@pass_call
def obligations(
    call: Call,
    states: tuple[str, ...],
    due_within: int | None,
    site: str | None,
    rule: str | None,
    as_of: int | None,
) -> int:
    """What must still be done and by when, and what was missed; the earliest first.

    Exits 1 where a duty among them was missed.
    """
    from compliance.bundles import Bundles
    from compliance.standing import obligations as standing
    from compliance.standing import require_known

    wanted = STATES if "all" in states else states or USUAL_STATES
    instant = now() if as_of is None else as_of
    with opening.reading(call) as log, log.reading():
        bundles = Bundles(log)
        require_known(log, bundles, site, rule)
        every = standing(log, bundles, instant)
    found = [
        duty for duty in every
        if str(duty.state) in wanted
        and site in (None, duty.opened_by.values["site"])
        and rule in (None, duty.rule.id)
        and (due_within is None or (duty.due_at is not None and duty.due_at <= instant + due_within))
    ]  # fmt: skip
    if call.json:
        output.echo_json(*(duty_json(duty) for duty in found))
    else:
        _show_duties(found)
    return int(any(duty.state == "missed" for duty in found))


def duty_json(duty: Duty) -> dict[str, Any]:
    """A duty as it stands."""
    from compliance.standing import explained_duty

    explained = explained_duty(duty)
    due_at = None if duty.due_at is None else output.instant(duty.due_at)
    return {
        "id": duty.id, "rule": duty.rule.id, "implements": list(duty.rule.implements), "event": duty.opened_by.id,
        "severity": explained.severity, "outcome": None if duty.outcome is None else str(duty.outcome),
        "site": duty.opened_by.body["site"], "at": output.instant(duty.opened_by.occurred_at), "due_at": due_at,
        "state": str(duty.state), "closed_by": duty.closed_by, "message": explained.message, "remedy": explained.remedy,
    }  # fmt: skip


def _show_duties(found: list[Duty]) -> None:
    from compliance.standing import explained_duty

    if not found:
        click.echo("nothing is due")
        return
    for duty in found:
        due = "cannot be said" if duty.due_at is None else output.instant(duty.due_at)
        about = f"{duty.opened_by.kind} {duty.opened_by.id}, site {duty.opened_by.body['site']}"
        click.echo(output.headline(str(duty.state), f"{duty.rule.id}  {about}, due {due}"))
        click.echo(output.paragraph(duty.rule.title, 6))
        if duty.state in ("open", "missed"):
            click.echo(output.paragraph(f"to do: {explained_duty(duty).remedy}", 6))
        click.echo()
    counts = Counter(str(duty.state) for duty in found)
    told = ", ".join(f"{count:,} {output.colored(state)}" for state, count in counts.items())
    click.echo(f"{output.counted(len(found), 'duty', 'duties')}: {told}")
