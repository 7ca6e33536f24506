"""What is new: findings of events, duties that were missed, standing rules that began to fail; and what stands from before."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.engine.duties import DutyState
from compliance.reports.night import Night
from compliance.reports.page import Column, Item, Level, Section, Table, worst
from compliance.reports.standing_on import OldFindings, Stands
from compliance.reports.words import LEVELS, WAS_DUE, counted, item, listed
from compliance.standing import explained_duty, explained_night

_ORDER = list(Level)


def violations(night: Night, stands: Stands) -> Section:
    """The section ``violations``: most urgent first."""
    new = [*_events(night, stands), *_missed(night, stands), *_began(night, stands)]
    items = sorted(new, key=lambda one: (_ORDER.index(one.level), one.at, one.rule, one.event))
    old = stands.from_before(frozenset(one.id for one in items))
    failing = _failing(night, stands)
    ended = _ended(night, stands)
    denying = sum(one.severity == "deny" and one.level is Level.ALARM for one in items)
    stood = sum(one.count for one in old)
    before = [f"{counted(stood, 'finding')} of events"] if stood else []
    before += [counted(len(failing.rows), "standing failure")] if failing.rows else []
    told = counted(len(items), "new finding") if items else "Nothing new"
    told += f", {denying:,} of them denying." if denying else "."
    if before:
        told += f" From before there {'is' if before[0].startswith('1 ') else 'are'} {listed(before)}."
    return Section(
        "violations", "New findings", worst([one.level for one in items]), told, tuple(items), (failing, ended, _old(old)),
    )  # fmt: skip


def _events(night: Night, stands: Stands) -> Iterator[Item]:
    for one in stands.on_events():
        level = (
            Level.NOTICE
            if one.overridden or one.event.proposed or one.resolved
            else LEVELS[one.told.severity]
        )
        when = _when(one.overridden, one.event.proposed, one.resolved)
        yield item(night, one.told, one.event, one.id, level, one.event.occurred_at, when)


def _when(overridden: bool, proposed: bool, resolved: bool) -> str:
    words = [
        word
        for word, so in (("overridden", overridden), ("only proposed", proposed), ("resolved", resolved))
        if so
    ]
    return f"{', '.join(words)}, at" if words else "at"


def _missed(night: Night, stands: Stands) -> Iterator[Item]:
    """Duties whose time ran out on the day, or of which nobody was told yet."""
    untold = {duty.id for duty in stands.untold}
    for duty in stands.duties(DutyState.MISSED):
        day = night.of(duty.opened_by.values["site"])
        due = duty.due_at or day.begins
        if duty.id in untold or due > day.begins:
            told = explained_duty(duty)
            yield item(night, told, duty.opened_by, duty.id, LEVELS[told.severity], due, WAS_DUE)


def _began(night: Night, stands: Stands) -> Iterator[Item]:
    new = {one.id for one in stands.begun}
    for one in stands.failures():
        if one.id in new:
            told = explained_night(one)
            level = Level.NOTICE if one.id in stands.resolved else LEVELS[told.severity]
            yield item(night, told, one.subject, one.id, level, one.at, "since")


def _failing(night: Night, stands: Stands) -> Table:
    new = {one.id for one in stands.begun}
    rows = []
    for one in stands.failures():
        if one.id not in new and one.id not in stands.resolved:
            site = one.subject.values["site"]
            told = explained_night(one)
            rows.append((
                one.rule.id, told.severity, site, one.subject.id, night.instant(one.at, site)[:10], night.day - (one.since or night.day) + 1,
                told.message, told.remedy, one.id,
            ))  # fmt: skip
    return Table(
        "standing-failures", "Standing rules that fail since an earlier night",
        (
            Column("rule", "Rule"), Column("severity", "Severity"), Column("site", "Site"), Column("event", "Event"),
            Column("since", "Since", "date"), Column("nights", "Nights", "count"), Column("message", "What"), Column("todo", "To do"),
            Column("finding", "Finding"),
        ),
        tuple(rows), "no standing rule fails since an earlier night",
    )  # fmt: skip


def _ended(night: Night, stands: Stands) -> Table:
    rows = tuple(
        (one.rule, one.since, night.date, one.event, one.finding)
        for one in stands.ended
        if (event := night.history.sent(one.event)) is not None and night.covers(event.values["site"])
    )
    columns = (
        Column("rule", "Rule"), Column("since", "Failed since", "date"), Column("until", "Passes on", "date"), Column("event", "Event"),
        Column("finding", "Finding"),
    )  # fmt: skip
    return Table(
        "standing-ended", "Standing rules that pass again", columns, rows, "none began to pass again"
    )


def _old(old: list[OldFindings]) -> Table:
    columns = (
        Column("rule", "Rule"), Column("severity", "Severity"), Column("findings", "Findings", "count"), Column("oldest", "Oldest", "date"),
        Column("newest", "Newest", "date"), Column("title", "What is asked"),
    )  # fmt: skip
    rows = tuple(
        (one.rule.id, str(one.rule.severity), one.count, one.oldest, one.newest, one.rule.title)
        for one in old
    )
    caption = "Findings of events from before that nobody resolved (`compliance findings` lists them)"
    return Table("findings-before", caption, columns, rows, "none stands from before")
