"""How a session looks: for a nurse at a terminal, and as JSON for programs. Times are those of the clock at the site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from . import output, results

if TYPE_CHECKING:
    from compliance.session_found import Found
    from compliance.session_standing import Standing, Stood

MINUTE: Final = 60 * 1_000_000
DAY: Final = 24 * 60 * MINUTE
MOST: Final = 3
_IF_NOW: Final = {"denied": "denied now", "permitted_with_warnings": "warned now"}


def standing_json(standing: Standing) -> dict[str, Any]:
    """Where a session stands. A done step has the verdict and the findings of its event, one that is still to be done those that it would
    have now, where it was judged ahead."""
    from .obligations import duty_json

    about = standing.about
    return {
        "session": about.session, "patient": about.patient, "drug": about.drug, "site": about.site,
        "as_of": output.instant(standing.seen.now), "next": None if standing.next is None else standing.next.progress.step.name,
        "finished": standing.finished, "steps": [_step_json(row) for row in standing.steps],
        "duties": [duty_json(duty) for duty in standing.duties], "contradictions": list(standing.contradictions),
    }  # fmt: skip


def _step_json(row: Stood) -> dict[str, Any]:
    at = row.progress
    return {
        "step": at.step.name, "kind": at.step.kind, "state": str(at.state), "but": list(at.but), "late": at.late, "events": [event.id for event in at.events],
        "not_before": None if at.not_before is None else output.instant(at.not_before),
        "due_at": None if at.due_at is None else output.instant(at.due_at),
        "verdict": row.verdict, "findings": [results.finding_json(one) for one in row.findings],
    }  # fmt: skip


def say_new(found: Found) -> None:
    """That a session is a new one, where the patient has another of that time."""
    if found.beside is not None:
        told = f"Session {found.beside} of this patient is over or of another drug; {found.session} is a new one. "
        click.echo(
            output.paragraph(f"{told}Name the other with --session {found.beside}, if that is meant."),
            err=True,
        )


def show(standing: Standing) -> None:
    """The screen: what is done, what is due when, what is next, and what would be held against it now."""
    about, now = standing.about, standing.seen.now
    click.echo()
    click.echo(
        output.paragraph(
            f"session {about.session}, {about.drug}, patient {about.patient}, site {about.site}: "
            f"it is {_clock(now, about.zone)} {_zone_name(now, about.zone)}"
        )
    )
    output.table(
        ("state", "step", "what", "when", "verdict"),
        [_cells(row, now, about.zone) for row in standing.steps],
        whole=("state", "step", "verdict"),
    )
    for told in standing.contradictions:
        click.echo(output.paragraph(told))
    for row in standing.steps:
        if row.progress.but:
            click.echo(output.paragraph(_but(row, about.zone)))
    if standing.next is not None:
        click.echo(f"next: {standing.next.progress.step.says}")
        show_ahead(standing.next)
    elif standing.waits_for is not None:
        row = standing.waits_for
        click.echo(f"waiting for: {row.progress.step.says}, {when(row, now, about.zone)}")
        show_ahead(row)
    elif standing.finished:
        click.echo("nothing is left to be done in this session")
    shown = standing.next or standing.waits_for
    for row in standing.steps:
        if row is not shown and row.progress.open and row.verdict == "denied" and not row.progress.events:
            _show_denied(row)


def _but(row: Stood, zone: str) -> str:
    """A step that was done and whose outcome says no."""
    at = row.progress
    said = f"{at.step.says}: done at {_clock(at.events[-1].occurred_at, zone)}, but: {', '.join(at.but)}"
    return f"{said}; look again" if at.open else said


def show_ahead(row: Stood) -> None:
    """What the policies would say to a step that is not done yet."""
    if row.progress.events or row.verdict is None or not row.findings:
        return
    click.echo(f"done now it would be {output.colored(row.verdict).replace('_', ' ')}:")
    for finding in row.findings:
        click.echo(results.finding_text(finding))


def _show_denied(row: Stood) -> None:
    """What would be denied, without the remedies: whoever chooses the step sees those."""
    waits = {wait.rule for wait in row.progress.step.opens}
    denied = [finding for finding in row.findings if finding.severity == "deny"]
    told = sorted(denied, key=lambda finding: finding.rule.id not in waits)[:MOST]
    head = f"{row.progress.step.says} now would be {output.colored('denied')}"
    if len(denied) > MOST and not any(finding.rule.id in waits for finding in told):
        click.echo(f"{head} by {len(denied)} rules; choose the step to see them")
        return
    click.echo(f"{head}:")
    for finding in told:
        click.echo(output.paragraph(f"- {finding.message}", 2, 2))
    if len(denied) > MOST:
        click.echo(f"  and {len(denied) - MOST} more; choose the step to see them")


def _cells(row: Stood, now: int, zone: str) -> tuple[str, str, str, str, str]:
    at = row.progress
    verdict = row.verdict or ""
    if not at.events:
        verdict = _IF_NOW.get(verdict, "")
    return str(at.state), at.step.name, at.step.says + _figures(row), when(row, now, zone), verdict


def _figures(row: Stood) -> str:
    """The pressure that was read."""
    if not row.progress.events or row.progress.step.kind != "vital_signs":
        return ""
    said = row.progress.events[-1].body
    return f", {said.get('systolic_mmhg', '-')}/{said.get('diastolic_mmhg', '-')}"


def when(row: Stood, now: int, zone: str) -> str:
    """When a step was done, or when it is due, in words."""
    at = row.progress
    if at.events and (not at.open or not at.step.again):
        last = _clock(at.events[-1].occurred_at, zone)
        said = f"{last}, {len(at.events)} times" if len(at.events) > 1 else last
        return f"{said}, late: {_window(row, now, zone)}" if at.late else said
    if not at.open:
        return ""
    if at.not_before is not None and at.due_at is not None:
        about = (at.not_before + at.due_at) // 2
        return f"about {_clock(about, zone)} ({_from(about, now)}), {_window(row, now, zone)}"
    if at.not_before is not None and at.not_before > now:
        return f"not before {_clock(at.not_before, zone)} ({_from(at.not_before, now)})"
    if at.due_at is not None:
        return f"{_window(row, now, zone)} ({_from(at.due_at, now)})"
    return ""


def _window(row: Stood, now: int, zone: str) -> str:
    """When a step was or is to be done: in a window, or by a time; a day's end is the midnight after it."""
    at = row.progress
    if at.due_at is None:
        return ""
    if at.not_before is not None and at.not_before < at.due_at:
        return f"window from {_clock(at.not_before, zone)} to {_clock(at.due_at, zone)}"
    return f"by {_clock(at.due_at, zone) if abs(at.due_at - now) < DAY else _date(at.due_at - 1, zone)}"


def _clock(at: int, zone: str) -> str:
    return output.instant(at, zone)[11:16]


def _date(at: int, zone: str) -> str:
    return output.instant(at, zone)[:10]


def _zone_name(at: int, zone: str) -> str:
    return f"{zone}, {_date(at, zone)}"


def _from(at: int, now: int) -> str:
    """``in 3 min``, ``12 min ago``; a minute that has begun counts."""
    minutes = -(-(at - now) // MINUTE) if at >= now else (now - at) // MINUTE
    told = f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
    if minutes >= 2 * 24 * 60:
        told = f"{minutes // (24 * 60)} d"
    return f"in {told}" if at >= now else f"{told} ago"
