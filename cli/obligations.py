"""``compliance obligations``: what must still be done, what was done, and what was missed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import click

from . import opening, output
from .application import Call, Command, pass_call
from .types import DURATION, as_of_option, now

if TYPE_CHECKING:
    from compliance.engine.duties import Duty

STATES: Final = ("open", "met", "met_late", "missed", "cancelled")
USUAL_STATES: Final = ("open", "missed")
DUE: Final = "due"
"""Not a state of its own: open, and due soon."""

SOON: Final = 7 * 24 * 3600 * 1_000_000
"""How far ahead `DUE` looks unless told, in microseconds."""


@click.command(
    cls=Command,
    examples=(
        "compliance obligations",
        "compliance obligations --due-within 24h",
        "compliance obligations --state due --state missed",
        "compliance obligations --state met_late --state missed --output json",
    ),
)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(["open", DUE, *STATES[1:], "all"]),
    help="May be repeated; open and missed unless said otherwise. due: open, and due within 7 days or what --due-within says.",
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
        if (str(duty.state) in wanted or (DUE in wanted and _due_soon(duty, instant + (due_within or SOON))))
        and site in (None, duty.opened_by.values["site"])
        and rule in (None, duty.rule.id)
        and (due_within is None or (duty.due_at is not None and duty.due_at <= instant + due_within))
    ]  # fmt: skip
    if call.json:
        output.echo_json(*(duty_json(duty) for duty in found))
    else:
        _show_duties(found)
    return int(any(duty.state == "missed" for duty in found))


def _due_soon(duty: Duty, until: int) -> bool:
    return duty.state == "open" and duty.due_at is not None and duty.due_at <= until


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
