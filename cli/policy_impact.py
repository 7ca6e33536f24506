"""``compliance policy impact``."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from compliance.errors import InputError

from . import opening, output
from .application import Call, Command, pass_call
from .progress import Progress
from .types import INSTANT, as_of_option, now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from compliance.ledger.log import Log
    from compliance.policy.model import Bundle
    from compliance.workbench.impact import Impact
    from compliance.workbench.judging_again import Change, Difference, Stand

LISTED: Final = 20
"""So many differences are listed one by one for people, unless they say how many."""
HOLDS: Final = "-"


@click.command(
    cls=Command,
    examples=(
        "compliance policy impact my-policies",
        "compliance policy impact my-policies/rems-monitor-2h.yaml --since 2026-03-01 --site S1",
        "compliance policy impact my-policies --rule rems-monitor-2h --limit 0 --output json",
    ),
)
@click.argument("new", metavar="NEW")
@click.option("--site", metavar="ID", help="Only what occurred there.")
@click.option(
    "--rule", "rules", metavar="RULE", multiple=True, help="Only what this rule says; may be repeated."
)
@click.option(
    "--since",
    type=INSTANT,
    metavar="TIME",
    help="Occurred then or later: RFC 3339, or a date (midnight UTC).",
)
@click.option("--until", type=INSTANT, metavar="TIME", help="Occurred then or earlier.")
@as_of_option
@click.option(
    "--limit",
    type=click.IntRange(min=0, max=1_000_000_000),
    metavar="N",
    help=f"List at most so many one by one; {LISTED} as text, all as json, unless said otherwise.",
)
@click.option(
    "--sites",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with what single sites ask beyond the policies: a file for each, SITE.yaml.",
)
@click.option(
    "--all-rules",
    is_flag=True,
    help="Judge also by rules that mean the same; slower, and finds what a change of the software did.",
)
@pass_call
def impact(
    call: Call, new: str, site: str | None, rules: tuple[str, ...], since: int | None, until: int | None, as_of: int | None,
    limit: int | None, sites: Path | None, all_rules: bool,
) -> int:  # fmt: skip
    """What other policies would have decided on what is in the log. Nothing is written.

    NEW is a folder of policies, or one rule's file, which is taken among the rules in force. How each event stands is compared with what NEW says of it on the history as
    it is now; deadlines and standing rules as of --as-of. Exits 1 where anything differs.
    """
    from compliance.bundles import Bundles
    from compliance.standing import require_known
    from compliance.workbench.impact import Impact, Scope
    from compliance.workbench.judging_again import Asked
    from compliance.workbench.named import named_bundle

    progress = Progress()
    with opening.reading(call) as log:
        bundles = Bundles(log, written=False)
        bundle = named_bundle(new, bundles.active().bundle, sites)
        require_known(log, bundles, site, None)
        _require_rules(rules, bundle, bundles.active().bundle)
        scope = Scope(
            Asked(site, since, until), now() if as_of is None else as_of, frozenset(rules), all_rules
        )
        found = Impact(log, bundles, bundle, scope)
        with closing(found.differences(progress=partial(progress.walked, what="judged"))) as differences:
            if call.json:
                _echo(differences, progress, limit)
                output.echo_json({"summary": _summary(found, bundle, scope.as_of)})
            else:
                _tell(log, found, bundle, _first(differences, LISTED if limit is None else limit), progress)
    return int(bool(found.tally.differ))


def _require_rules(rules: Iterable[str], new: Bundle, active: Bundle) -> None:
    from compliance.domain.objections import did_you_mean

    known = {*new.documents["rules"], *active.documents["rules"]}
    for rule in rules:
        if rule not in known:
            raise InputError(
                f"neither the policies in force nor the new ones have a rule {rule!r}",
                did_you_mean(rule, sorted(known)) or "Give the rule's id.",
            )


def _echo(differences: Iterable[Difference], progress: Progress, limit: int | None) -> None:
    for number, one in enumerate(differences):
        if limit is None or number < limit:
            progress.clear()
            output.echo_json(_as_json(one))
    progress.clear()


def _first(differences: Iterable[Difference], limit: int) -> list[Difference]:
    """The first of them, after all were found."""
    return [one for number, one in enumerate(differences) if number < limit]


def _as_json(one: Difference) -> dict[str, Any]:
    old, new = one.verdicts or (None, None)
    return {
        "form": one.form, "event": one.event, "kind": one.kind, "site": one.site, "week": one.week, "occurred_at": one.occurred_at,
        "entry": one.entry, "verdict": None if one.verdicts is None else {"old": old, "new": new},
        "rules": [{"rule": change.rule, "old": _stand_json(change.old), "new": _stand_json(change.new)} for change in one.changes],
    }  # fmt: skip


def _stand_json(stand: Stand | None) -> dict[str, Any] | None:
    if stand is None:
        return None
    told: dict[str, Any] = {"outcome": stand.outcome, "severity": stand.severity}
    if stand.state is not None:
        due = None if stand.due_at is None else output.instant(stand.due_at)
        told |= {"state": stand.state, "due_at": due}
    return told


def _summary(found: Impact, bundle: Bundle, as_of: int) -> dict[str, Any]:
    tally = found.tally
    return {
        "policies": {"name": bundle.name, "version": bundle.version, "bundle": bundle.digest}, "entries": found.size,
        "as_of": output.instant(as_of), "changed": sorted(found.changed),
        "judged": {form: tally.judged[form] for form in ("event", "duty", "night")},
        "differ": {form: tally.differ[form] for form in ("event", "duty", "night")},
        "by": [
            {"rule": rule, "site": site, "week": week, "objects": count["objects"], "lets_go": count["lets_go"], "otherwise": count["otherwise"]}
            for (rule, site, week), count in sorted(tally.by.items())
        ],
    }  # fmt: skip


def _tell(log: Log, found: Impact, bundle: Bundle, listed: list[Difference], progress: Progress) -> None:
    progress.clear()
    tally = found.tally
    if not tally.differ:
        changed = output.counted(len(found.changed), "rule")
        click.echo(
            f"{bundle.name} {bundle.version}: {changed} of another meaning; nothing in {log.name} would have been decided otherwise"
        )
        return
    rows = [
        (rule, site, week, *(str(count[way] or "") for way in ("objects", "lets_go", "otherwise")))
        for (rule, site, week), count in sorted(tally.by.items())
    ]
    output.table(("rule", "site", "week", "objects", "lets go", "otherwise"), rows, ("site", "week"))
    if listed:
        click.echo()
        columns = ("occurred", "event", "kind", "was", "becomes", "rules")
        output.table(columns, (_row(one) for one in listed), ("occurred",))
    click.echo(
        f"\n{bundle.name} {bundle.version}: {output.counted(tally.differ['event'], 'event')}, {output.counted(tally.differ['duty'], 'duty', 'duties')} "
        f"and {output.counted(tally.differ['night'], 'subject')} of standing rules would stand otherwise"
    )
    more = sum(tally.differ.values()) - len(listed)
    if more:
        click.echo(
            f"{output.counted(more, 'difference')} not listed one by one; --limit N lists more, --output json all.",
            err=True,
        )


def _row(one: Difference) -> tuple[str, ...]:
    if one.verdicts is None:
        (change,) = one.changes
        was, becomes = _word(change.old), _word(change.new)
    else:
        was, becomes = one.verdicts
    rules = ", ".join(_marked(change) for change in one.changes)
    return (one.occurred_at[:16].replace("T", " "), one.event, one.kind, was, becomes, rules)


def _word(stand: Stand | None) -> str:
    return HOLDS if stand is None else stand.state or stand.outcome or HOLDS


_MARKS: Final = {"objects": "+", "lets_go": "-", "otherwise": "~"}


def _marked(change: Change) -> str:
    return f"{_MARKS[change.direction]}{change.rule}"
