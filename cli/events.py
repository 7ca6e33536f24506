"""``compliance events``: look at events, correct them, void them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

from compliance.errors import InputError

from . import opening, output, person_words
from .application import Call, Command, Group, pass_call
from .entering import record_one
from .results import strict_option
from .types import INSTANT, assigned

if TYPE_CHECKING:
    from compliance.bundles import Bundles
    from compliance.finding_events import Listed
    from compliance.ledger.log import Log
    from compliance.persons import Words

ON_TERMINAL: Final = 50
"""So many events are listed where a person looks and does not say how many."""

LONGEST_WHOLE_ID: Final = 30
"""Longer ids are broken in a table, or nothing else would fit."""

CORRECTION_REASONS: Final = (
    "typing",
    "wrong_patient",
    "wrong_quantity",
    "wrong_time",
    "missing_value",
    "patient_amendment",
    "other",
)
VOID_REASONS: Final = ("duplicate", "wrong_patient", "never_happened", "test_entry")
VERDICTS: Final = (
    "compliant",
    "flagged",
    "violation",
    "permitted",
    "permitted_with_warnings",
    "denied",
    "voided",
)


@click.group(
    cls=Group,
    lazy={"add": ("events_add", "add")},
    examples=(
        "compliance events add vital_signs",
        "compliance events list --verdict violation",
        "compliance events show e3",
    ),
)
def events() -> None:
    """Events with their decisions; one entered at the keyboard; corrections and voids."""


@events.command(
    cls=Command,
    examples=(
        "compliance events show e3",
        "compliance events show e3 --output json",
        "compliance events show e3 --clear --purpose treatment",
    ),
)
@click.argument("event_id", metavar="ID")
@click.option(
    "--clear", is_flag=True, help="Show the texts that lie in the vault; recorded first, with the purpose."
)
@person_words.purpose_option
@person_words.site_option
@pass_call
def show(call: Call, event_id: str, clear: bool, purpose: str | None, site: str | None) -> None:
    """An event as it stands: its decision at first and now, what amends it, the facts it was judged on."""
    from compliance.bundles import Bundles

    from . import event_page

    if clear != (purpose is not None):
        raise click.UsageError("--clear and --purpose belong together: every look has a purpose.")
    with opening.writing(call) if clear else opening.reading(call) as log:
        bundles = Bundles(log)
        idx = log.by_event_id(event_id)
        if idx is None:
            raise InputError(
                f"the log has no event {event_id!r}", "Look for it with `compliance events list`."
            )
        words = None
        if purpose is not None:
            words = _words(call, log, bundles, event_id, purpose, site)
        with log.reading():
            page = event_page.gather(log, bundles, idx)
        if words is not None:
            page = event_page.spoken(page, words)
        if call.json:
            output.echo_json(event_page.as_json(page))
        else:
            click.echo(event_page.as_text(page))


def _words(call: Call, log: Log, bundles: Bundles, event_id: str, purpose: str, site: str | None) -> Words:
    """The bodies of an event with its words, after the look was recorded."""
    from compliance.persons import words_of

    output_form = "json" if call.json else "screen"
    acting = person_words.acting(call, log, site)
    return words_of(log, bundles.active, acting, event_id, purpose=purpose, output=output_form)


@events.command(
    name="list",
    cls=Command,
    examples=(
        "compliance events list --site S1 --since 2026-03-02 --until 2026-03-03",
        "compliance events list --kind administration --verdict violation --limit 10",
        "compliance events list --patient P1 --output json",
    ),
)
@click.option("--site", metavar="ID")
@click.option("--patient", metavar="ID")
@click.option("--session", metavar="ID")
@click.option("--kind", "kinds", metavar="KIND", multiple=True, help="May be repeated.")
@click.option("--rule", metavar="RULE", help="Events that the last decision objects to by this rule.")
@click.option("--verdict", type=click.Choice(VERDICTS), help="The last decision.")
@click.option(
    "--since",
    type=INSTANT,
    metavar="TIME",
    help="Occurred then or later: RFC 3339, or a date (midnight UTC).",
)
@click.option("--until", type=INSTANT, metavar="TIME", help="Occurred then or earlier.")
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=1_000_000_000),
    metavar="N",
    help=f"At most so many; on a terminal {ON_TERMINAL} unless said otherwise.",
)
@pass_call
def list_events(call: Call, /, limit: int | None, kinds: tuple[str, ...], **filters: Any) -> None:
    """Events as they now stand, the latest first."""
    from compliance.finding_events import Asked, find_events

    require_kinds(kinds)
    if limit is None and not call.json and output.on_terminal():
        limit = ON_TERMINAL
    with opening.reading(call) as log, log.reading():
        found = find_events(log, Asked(kinds=kinds, **filters))
        if call.json:
            for listed in islice(found, limit):
                output.echo_json(_listed_json(listed))
            return
        rows = [_listed_row(listed) for listed in islice(found, limit)]
        more = limit is not None and next(found, None) is not None
    if output.on_terminal():
        short = max((len(row[1]) for row in rows), default=0) <= LONGEST_WHOLE_ID
        whole = ("occurred", "verdict", "site", *(("event",) if short else ()))  # an id is there to be copied
        columns = ("occurred", "verdict", "event", "kind", "site", "rules")
        output.table(columns, (_narrow(row) for row in rows), whole)
    else:
        output.table(("occurred", "event", "kind", "site", "patient", "session", "verdict", "rules"), rows)
    if more:
        click.echo(f"There are more than {limit}; --limit N shows more.", err=True)
    if not rows:
        click.echo("No event is like that.", err=True)


def require_kinds(kinds: tuple[str, ...]) -> None:
    """Raise InputError where there is no such kind of event."""
    from compliance.domain.objections import did_you_mean
    from compliance.domain.vocabulary import KINDS

    for kind in kinds:
        if kind not in KINDS:
            raise InputError(
                f"there is no kind of event {kind!r}",
                did_you_mean(kind, KINDS) or "`compliance schema event` lists them.",
            )


def _listed_json(listed: Listed) -> dict[str, Any]:
    event = listed.event
    return {
        "event": event.id, "kind": event.kind, "entry": event.position, "intent": event.values["intent"],
        "occurred_at": event.body["occurred_at"], "recorded_at": output.instant(event.recorded_at or 0),
        "site": event.body["site"], "actor": event.body["actor"], "patient": event.body.get("patient"),
        "session": event.body.get("session"), "verdict": str(listed.decision.verdict),
        "rules": sorted({finding.rule for finding in listed.decision.findings}), "void": listed.void,
    }  # fmt: skip


def _listed_row(listed: Listed) -> tuple[str, ...]:
    body = listed.event.body
    rules = ", ".join(sorted({finding.rule for finding in listed.decision.findings}))
    verdict = str(listed.decision.verdict)
    return (
        str(body["occurred_at"]), listed.event.id, listed.event.kind, str(body["site"]), str(body.get("patient", "")),
        str(body.get("session", "")), verdict, rules,
    )  # fmt: skip


def _narrow(row: tuple[str, ...]) -> tuple[str, ...]:
    """What fits a terminal: the minute, and how many rules object; `events show` names them."""
    occurred, event, kind, site, _, _, verdict, rules = row
    number = len(rules.split(", ")) if rules else 0
    return (occurred[:16].replace("T", " "), verdict, event, kind, site, str(number) if number else "")


@events.command(
    cls=Command,
    examples=(
        "compliance events correct e3 occurred_at=2026-03-02T11:06:00-06:00 --reason 'read 10 for 11' --reason-code wrong_time",
        "compliance events correct e2 lot=L2 container= --reason 'label read again' --reason-code typing --approved-by MD-2",
    ),
)
@click.argument("event_id", metavar="ID")
@click.argument("changes", nargs=-1, required=True, metavar="FIELD=VALUE...")
@click.option("--reason", required=True, metavar="TEXT", help="Why.")
@click.option("--reason-code", required=True, type=click.Choice(CORRECTION_REASONS), help="Why, in one word.")
@click.option("--approved-by", metavar="ID", help="Who approves a change of quantity, time or patient.")
@click.option("--resign-required", is_flag=True, help="A fresh signature is needed.")
@strict_option
@pass_call
def correct(
    call: Call, event_id: str, changes: tuple[str, ...], reason: str, reason_code: str, approved_by: str | None,
    resign_required: bool, strict: bool,
) -> int:  # fmt: skip
    """Replace fields of an event; the old entry stays, and the new one names it.

    FIELD= removes a field. Lists and records are written as JSON. What the change touches is judged again.
    """
    from compliance.amending import correction

    actor = opening.acting(call)
    members = {
        "reason": reason,
        "reason_code": reason_code,
        "approved_by": approved_by,
        "resign_required": resign_required,
    }
    with opening.writing(call) as log:
        return record_one(
            call, log, correction(log, event_id, assigned(changes), members, actor), strict=strict
        )


@events.command(
    cls=Command,
    examples=("compliance events void e7 --reason 'entered twice' --reason-code duplicate --replaced-by e6",),
)
@click.argument("event_id", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why.")
@click.option("--reason-code", required=True, type=click.Choice(VOID_REASONS), help="Why, in one word.")
@click.option("--approved-by", metavar="ID", help="Who approves it.")
@click.option("--replaced-by", metavar="ID", help="The event that was entered instead.")
@strict_option
@pass_call
def void(
    call: Call,
    event_id: str,
    reason: str,
    reason_code: str,
    approved_by: str | None,
    replaced_by: str | None,
    strict: bool,
) -> int:
    """Declare that an event did not happen; its entry stays. A void cannot be taken back."""
    from compliance import amending

    actor = opening.acting(call)
    members = {
        "reason": reason,
        "reason_code": reason_code,
        "approved_by": approved_by,
        "replaced_by_event": replaced_by,
    }
    with opening.writing(call) as log:
        return record_one(call, log, amending.void(log, event_id, members, actor), strict=strict)
