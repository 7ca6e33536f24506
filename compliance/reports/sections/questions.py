"""Questions: what in ninety days somebody should be able to explain, with the figures that raise it."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from compliance.domain.time import format_date
from compliance.reports.night import Night
from compliance.reports.page import Column, Item, Level, Section, Table
from compliance.reports.quarter import Quarter, quarter
from compliance.reports.questions import access, counts, handling, readings
from compliance.reports.questions.peers import LEAST_PERSONS, shown
from compliance.reports.window import DAYS, first_day

_COLUMNS: Final = (
    Column("person", "Person"),
    Column("hours", "Hours at work", "quantity"),
    Column("wastages", "Wastages", "count"),
    Column("unwatched", "Without a witness", "count"),
    Column("counts", "Counts", "count"),
    Column("differed", "Counts that differed", "count"),
    Column("out_of_hours", "Storage opened out of hours", "count"),
)
_NOTE: Final = (
    "These are questions, not findings. Persons are compared by the median of the others and how far these lie apart, where at least "
    f"{LEAST_PERSONS} have enough to compare; a person's figures stand in the table whether or not anything is asked."
)


def questions(night: Night) -> Section:
    """What is to be asked about the ninety days, and the figures by person."""
    found = quarter(night)
    notes = [_NOTE]
    items: list[Item] = [
        *handling.asked(found.handling, found.shifts, notes),
        *access.asked(found.access, found.shifts, night),
        *readings.asked(found.readings),
        *counts.asked(found.counts),
    ]
    table = _people(found)
    without = [str(row[0]) for row in table.rows if row[1] is None]
    if without:
        notes.append(
            f"No hours at work are on record for {', '.join(without)}; nothing is reckoned by the hour for them."
        )
    since = f"{format_date(first_day(night))} to {night.date}"
    summary = (
        f"{len(items)} {'question' if len(items) == 1 else 'questions'} to look into, from the {DAYS} days {since}."
        if items
        else f"Nothing to ask today, from the {DAYS} days {since}; what happened once is asked about for {access.RECENT} days."
    )
    return Section(
        "questions", "Questions to look into", Level.NOTICE if items else Level.GOOD, summary, tuple(items), (table,), notes=tuple(notes)
    )  # fmt: skip


def _people(found: Quarter) -> Table:
    """Everybody who handled drugs, counted or opened storage out of hours."""
    wasted = found.handling.wasted
    opened = found.access.out_of_hours(found.shifts)
    people = set().union(*found.handling.handlers.values(), (who for _, who in found.counts.made), opened)
    rows = []
    for person in sorted(people):
        mine, counted = [one for one in wasted if one.person == person], found.counts.of_person(person)
        rows.append(
            (
                person, _hours(found.shifts.hours.get(person)), len(mine), sum(one.witness in (None, person) for one in mine),
                len(counted), found.counts.differed(counted), len(opened.get(person, ())),
            )
        )  # fmt: skip
    return Table(
        "questions-people",
        "The figures of ninety days by person",
        _COLUMNS,
        tuple(rows),
        "nobody handled drugs",
    )


def _hours(worked: Fraction | None) -> str | None:
    return None if worked is None else shown(worked)
