"""Duties: what is overdue, what is due within the next seven days, what was done on the day."""

from __future__ import annotations

from typing import Final

from compliance.engine.duties import Duty, DutyState
from compliance.reports.night import Night
from compliance.reports.page import Cell, Column, Level, Section, Table, worst
from compliance.reports.standing_on import Stands
from compliance.reports.words import LEVELS, counted, listed
from compliance.standing import explained_duty

SOON_US: Final = 7 * 24 * 3600 * 1_000_000
"""How far ahead is looked, in microseconds."""


def duties(night: Night, stands: Stands) -> Section:
    """The section ``duties``."""
    overdue = [duty for duty in stands.duties(DutyState.MISSED) if duty.id not in stands.resolved]
    still = stands.duties(DutyState.OPEN)
    soon = [duty for duty in still if duty.due_at is not None and duty.due_at <= night.ends + SOON_US]
    unsaid = [duty for duty in still if duty.due_at is None]
    late, met = stands.duties(DutyState.MET_LATE), stands.duties(DutyState.MET)
    levels = [LEVELS[str(duty.severity)] for duty in overdue]
    if soon:
        levels.append(Level.NOTICE)
    if unsaid:
        levels.append(Level.ACTION)
    told = []
    if overdue:
        told.append(f"{counted(len(overdue), 'duty is', 'duties are')} overdue")
    if soon:
        told.append(f"{counted(len(soon), 'is', 'are')} due within 7 days")
    if unsaid:
        told.append(f"of {counted(len(unsaid), 'duty', 'duties')} the data do not say when it is due")
    if late or met:
        told.append(f"{counted(len(late) + len(met), 'was', 'were')} done on the day")
    summary = f"{listed(told)}." if told else "Nothing is overdue, nothing is due within 7 days."
    return Section(
        "duties", "Duties", worst(levels), summary,
        tables=(
            _table(night, "duties-overdue", "Duties that are overdue", overdue, "none is overdue"),
            _table(night, "duties-due", "Duties that are due within 7 days of the end of the day", [*soon, *unsaid], "none is due"),
            _table(night, "duties-done-late", "Duties that were done on the day, too late", late, "none was done too late", done=True),
        ),
    )  # fmt: skip


def _table(
    night: Night, name: str, caption: str, found: list[Duty], empty: str, *, done: bool = False
) -> Table:
    columns = (
        Column("rule", "Rule"), Column("severity", "Severity"), Column("site", "Site"), Column("due_at", "Due", "instant"),
        Column("left", "Time left"), Column("event", "Opened by"), Column("opened_at", "At", "instant"), Column("todo", "To do"),
        Column("entry", "Entry", "entries"), Column("finding", "Finding"),
    )  # fmt: skip
    closed = (Column("closed_by", "Done by"),) if done else ()
    rows = tuple((*_row(night, duty), *([duty.closed_by] if done else [])) for duty in found)
    return Table(name, caption, (*columns, *closed), rows, empty)


def _row(night: Night, duty: Duty) -> tuple[Cell, ...]:
    told, opened = explained_duty(duty), duty.opened_by
    site = opened.values["site"]
    due = None if duty.due_at is None else night.instant(duty.due_at, site)
    left = None if duty.due_at is None else _left(duty.due_at - night.of(site).ends)
    return (
        duty.rule.id, told.severity, site, due, left, f"{opened.kind} {opened.id}", night.instant(opened.occurred_at, site), told.remedy,
        str(opened.position), duty.id,
    )  # fmt: skip


def _left(microseconds: int) -> str:
    """``3 days``, ``5 hours``; with *late* where it is over. Whole days and hours, the part begun not counted."""
    hours = abs(microseconds) // 3_600_000_000
    said = counted(hours // 24, "day") if hours >= 48 else counted(hours, "hour")
    return f"{said} late" if microseconds < 0 else said
