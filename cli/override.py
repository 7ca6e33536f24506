"""``compliance override``."""

from __future__ import annotations

import click

from . import opening, results
from .application import Call, Command, pass_call
from .types import INSTANT


@click.command(
    cls=Command,
    examples=(
        "compliance override p7 --approved-by MD-2 --reason 'no other vein; anaesthetist present' --until 2026-03-02T12:00:00-06:00",
        "compliance override p7 --requirement OFF-CSSRS --approved-by MD-2 --reason 'assessed by phone' --emergency",
    ),
)
@click.argument("event_id", metavar="ID")
@click.option(
    "--requirement",
    "requirements",
    multiple=True,
    metavar="ID",
    help="Set aside only this; may be repeated. All that deny it, unless said otherwise.",
)
@click.option("--reason", required=True, metavar="TEXT", help="Why the act may go on.")
@click.option(
    "--approved-by",
    required=True,
    metavar="ID",
    help="Who approves it; another person where the rule wants two.",
)
@click.option("--until", type=INSTANT, metavar="TIME", help="End of the permission.")
@click.option("--emergency", is_flag=True, help="Break-glass: to be reviewed afterwards.")
@results.strict_option
@pass_call
def override(
    call: Call, event_id: str, requirements: tuple[str, ...], reason: str, approved_by: str, until: int | None,
    emergency: bool, strict: bool,
) -> int:  # fmt: skip
    """Let a proposed act go on against a denial; the finding will stand as overridden.

    Nothing is rewritten. The act, when it is done, names its proposal; no more may be given than was proposed. What a rule calls `never` nobody can
    set aside: a statute, the REMS, a boxed warning.
    """
    from compliance.bundles import Bundles
    from compliance.overriding import override as overriding

    from .entering import record_one
    from .output import instant

    members = {
        "requirements": requirements, "justification": reason, "approved_by": approved_by, "emergency": emergency,
        "expires_at": None if until is None else instant(until),
    }  # fmt: skip
    actor = opening.acting(call)
    with opening.writing(call) as log:
        return record_one(call, log, overriding(log, Bundles(log), event_id, members, actor), strict=strict)
