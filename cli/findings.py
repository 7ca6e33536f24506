"""``compliance findings``: what is open, one finding with all that is known of it, and what a person does about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from . import opening, output, results
from .application import Call, Command, Group, pass_call
from .types import DAY, as_of_option, now

if TYPE_CHECKING:
    from compliance.bundles import Bundles
    from compliance.domain.event import Event
    from compliance.intake.drafts import Draft
    from compliance.ledger.log import Log
    from compliance.standing import StandingFinding


def listing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What the list is asked for; a bare ``compliance findings`` is asked the same."""
    for option in reversed((
        click.option("--all", "everything", is_flag=True, help="Also what was overridden or resolved."),
        click.option("--site", metavar="ID"),
        click.option("--rule", metavar="RULE"),
        click.option("--severity", type=click.Choice(["deny", "warn", "report"])),
        as_of_option,
    )):  # fmt: skip
        command = option(command)
    return command


@click.group(
    cls=Group,
    invoke_without_command=True,
    examples=(
        "compliance findings",
        "compliance findings --site S1 --severity deny --output json",
        "compliance findings show 3f2a90c1",
        "compliance findings resolve 3f2a90c1 --reason 'patient was phoned; the form was sent'",
    ),
)
@listing_options
@click.pass_context
def findings(context: click.Context, /, **asked: Any) -> int | None:
    """What is open, and what is done about it; without a command it lists.

    A finding has an id, of which the first characters will do. It is one finding from its first night or judgement until it
    is cleared, by a later judgement, event or night. Who resolves it says how it was settled, as it is then: what is
    found of the event by another rule, or by the same rule once it was cleared or came out otherwise, is open, and so is
    a standing rule that fails again after a night on which it held.
    """
    if context.invoked_subcommand is None:
        listing = click.Context(list_findings, parent=context, info_name="list")
        listing.params = asked
        exit_code: int = list_findings.invoke(listing)
        return exit_code
    given = [name for name in asked if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if given:
        option = next(one.opts[0] for one in context.command.params if one.name == given[0])
        raise click.UsageError(
            f"{option} stands after the command, as in `findings list {option} ...`.", context
        )
    return None


@findings.command(
    name="list",
    cls=Command,
    examples=(
        "compliance findings list",
        "compliance findings list --all --as-of 2026-03-31T23:59:59-05:00",
    ),
)
@listing_options
@pass_call
def list_findings(
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


@findings.command(
    cls=Command,
    examples=("compliance findings show 3f2a90c1", "compliance findings show 3f2a90c1d2e4b5a6 --output json"),
)
@click.argument("finding", metavar="ID")
@as_of_option
@pass_call
def show(call: Call, finding: str, as_of: int | None) -> None:
    """One finding: the rule and where it is written, what decided it, the event behind it, and what was done about it."""
    from compliance.bundles import Bundles
    from compliance.domain.time import format_date, local_date
    from compliance.engine.nights import zone_at
    from compliance.finding_actions import find
    from compliance.ledger.history import LogHistory

    instant = now() if as_of is None else as_of
    with opening.reading(call) as log, log.reading():
        bundles = Bundles(log)
        one = find(log, bundles, finding, instant)
        nights = None
        if one.since is not None:
            last = local_date(instant, zone_at(bundles.active(), LogHistory(log), one.event, instant))
            nights = (format_date(one.since), format_date(last))
    if call.json:
        output.echo_json(_page_json(one, nights))
    else:
        click.echo(_page_text(one, nights))


@findings.command(
    cls=Command,
    examples=(
        "compliance findings assign 3f2a90c1 RN-2",
        "compliance findings assign 3f2a90c1 RN-2 --due 2026-03-31 --note 'the form is in the blue folder'",
    ),
)
@click.argument("finding", metavar="ID")
@click.argument("person", metavar="PERSON")
@click.option("--due", "due_on", type=DAY, metavar="DATE", help="To be seen to by the end of that day.")
@click.option("--note", metavar="TEXT", help="What the person should know.")
@results.strict_option
@pass_call
def assign(call: Call, finding: str, person: str, due_on: int | None, note: str | None, strict: bool) -> int:
    """Give a finding to a person to see to; it stays open. Who is assigned last has it."""
    from compliance import finding_actions

    def make(log: Log, bundles: Bundles, actor: str) -> Draft:
        return finding_actions.assign(log, bundles, finding, actor, person, due_on=due_on, note=note)

    return _act(call, make, strict=strict)


@findings.command(
    cls=Command,
    examples=("compliance findings resolve 3f2a90c1 --reason 'patient was phoned; the form was sent'",),
)
@click.argument("finding", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="How it was settled.")
@results.strict_option
@pass_call
def resolve(call: Call, finding: str, reason: str, strict: bool) -> int:
    """Resolve a finding, saying how it was settled; it is listed with --all only. Nothing is rewritten.

    It covers this episode: what comes up anew has to be resolved anew.
    """
    from compliance import finding_actions

    def make(log: Log, bundles: Bundles, actor: str) -> Draft:
        return finding_actions.resolve(log, bundles, finding, actor, reason)

    return _act(call, make, strict=strict)


@findings.command(
    cls=Command,
    examples=("compliance findings reopen 3f2a90c1 --reason 'the form never arrived'",),
)
@click.argument("finding", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why it is not settled.")
@results.strict_option
@pass_call
def reopen(call: Call, finding: str, reason: str, strict: bool) -> int:
    """Open a finding again that was resolved."""
    from compliance import finding_actions

    def make(log: Log, bundles: Bundles, actor: str) -> Draft:
        return finding_actions.reopen(log, bundles, finding, actor, reason)

    return _act(call, make, strict=strict)


def _act(call: Call, make: Callable[[Log, Bundles, str], Draft], *, strict: bool) -> int:
    """Record what a person does about a finding, and show what comes of it."""
    from compliance.bundles import Bundles

    from .entering import record_one

    actor = opening.acting(call)
    with opening.writing(call) as log:
        draft = make(log, Bundles(log), actor)
        if not call.json:
            click.echo(f"{draft.event.values['action']} finding {draft.event.values['finding']}")
        return record_one(call, log, draft, strict=strict)


# ---- how a finding is shown


def finding_json(one: StandingFinding) -> dict[str, Any]:
    """A finding that stands, with who is to see to it; for a duty with the instant at which it was due."""
    explained, given = one.explained, one.assignment
    line: dict[str, Any] = {
        "id": one.id, "rule": explained.rule.id, "implements": list(explained.implements), "event": one.event.id,
        "severity": explained.severity, "outcome": explained.outcome, "site": one.event.body["site"], "at": output.instant(one.at),
        "message": explained.message, "remedy": explained.remedy, "state": one.state,
        "assigned_to": one.assigned_to,
        "assigned_due_at": None if given is None else _due(given),
    }  # fmt: skip
    if explained.rule.expect is not None:
        line["due_at"] = output.instant(one.at) if explained.outcome == "fail" else None
    return line


def _page_json(one: StandingFinding, nights: tuple[str, str] | None) -> dict[str, Any]:
    first, last = nights or (None, None)
    told = results.finding_json(one.explained)
    return {
        **finding_json(one), "title": one.explained.rule.title,
        **{name: told[name] for name in ("cites", "policy", "because")},
        "kind": one.event.kind, "entry": one.event.position, "occurred_at": one.event.body["occurred_at"],
        "first_night": first, "last_night": last, "actions": [_action_json(event) for event in one.actions],
    }  # fmt: skip


def _action_json(event: Event) -> dict[str, Any]:
    return {
        "event": event.id, "entry": event.position, "action": event.values["action"], "actor": event.body["actor"],
        "at": output.instant(event.occurred_at), "assignee": event.values.get("assignee"), "due_at": _due(event),
        "justification": event.body.get("justification"),
    }  # fmt: skip


def _due(action: Event) -> str | None:
    due_at = action.values.get("due_at")
    return None if due_at is None else output.instant(due_at)


def _show_findings(found: list[StandingFinding]) -> None:
    for one in found:
        click.echo("\n".join(_finding_text(one)) + "\n")
    if not found:
        click.echo("nothing is open")
        return
    counts = {
        severity: sum(one.explained.severity == severity for one in found)
        for severity in ("deny", "warn", "report")
    }
    told = ", ".join(f"{count:,} {output.colored(severity)}" for severity, count in counts.items() if count)
    click.echo(f"{output.counted(len(found), 'finding')}: {told}")


def _finding_text(one: StandingFinding) -> list[str]:
    """The few lines that a list has of a finding."""
    explained = one.explained
    due = "due" if explained.rule.expect is not None else "at" if explained.rule.each is None else "since"
    state = "" if one.state == "open" else f", {one.state}"
    given = f", {_assigned(one.assignment)}" if one.assignment is not None and one.assigned_to else ""
    where = f"{one.event.kind} {one.event.id}, site {one.event.body['site']}, {due} {output.instant(one.at)}{state}{given}"
    return [
        output.headline(explained.severity, f"{explained.rule.id}  {where}"),
        output.paragraph(explained.message, 6),
        output.paragraph(f"to do: {explained.remedy}", 6),
        output.paragraph(f"written: {explained.rule.cited()}; finding {one.id}", 6),
    ]


def _assigned(action: Event) -> str:
    due_at = action.body.get("due_at")
    return f"assigned to {action.values.get('assignee', 'nobody')}" + (
        f", due {due_at[:10]}" if due_at else ""
    )


def _page_text(one: StandingFinding, nights: tuple[str, str] | None) -> str:
    from .event_page import shown

    rule, event = one.explained.rule, one.event
    lines = [
        *_finding_text(one),
        output.paragraph(f"rule: {rule.title} ({rule.place.source}:{rule.place.line})", 6),
        output.paragraph(
            f"event: {event.kind} {event.id}, entry {event.position}, {event.body['occurred_at']}", 6
        ),
    ]
    if nights is not None:
        lines.append(f"      nights: first {nights[0]}, last {nights[1]}")
    if one.explained.because:
        lines += ["", "decided by"]
        lines += [
            output.paragraph(f"{name} is {value}", 2, 4) for name, value in one.explained.because.items()
        ]
    if one.actions:
        lines += ["", "done about it"]
    for action in one.actions:
        what = _assigned(action) if action.values["action"] == "assign" else action.values["action"]
        words = action.body.get("justification")
        said = "" if words is None else f": {shown(words)}"
        when = f"{output.instant(action.occurred_at)}  {action.body['actor']}"
        lines.append(
            output.paragraph(f"{when}  {what}, event {action.id}, entry {action.position}{said}", 2, 4)
        )
    return "\n".join(lines)
