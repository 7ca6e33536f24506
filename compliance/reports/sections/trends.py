"""Trends: what the events and decisions of ninety days come to, week by week."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from compliance.domain.drugs import DRUGS
from compliance.domain.quantity import format_decimal
from compliance.domain.time import format_date
from compliance.reports.night import Night
from compliance.reports.page import Cell, Chart, Column, Level, Section, Table
from compliance.reports.quarter import quarter
from compliance.reports.weeks import OVERSIGHT, VERDICTS, Week, monday
from compliance.reports.window import DAYS, first_day

_WEEK: Final = (Column("week", "Week from Monday", "date"), Column("days", "Days"))
_NOTE: Final = (
    "A week runs from Monday to Sunday in each site's own zone, and an event counts in the week in which it occurred, a late entry in the week in "
    "which it came. Events count as they now stand: what was voided does not count, and a verdict is that of the last judgement."
)


def trends(night: Night) -> Section:
    """The figures of the last ninety days by week, each table with its drawing."""
    weeks = quarter(night).weeks
    if weeks.first is None:
        return Section(
            "trends", "Trends", Level.GOOD, f"Nothing occurred in the {DAYS} days up to {night.date}."
        )
    first, last = max(weeks.first, first_day(night)), night.day
    mondays = range(monday(first), last + 1, 7)
    rows = [(one, _days(one, first, last), weeks.weeks.get(one, Week())) for one in mondays]
    drugs = sorted({drug for _, _, week in rows for drug in week.doses})
    wasted = sorted({drug for _, _, week in rows for drug in week.wasted})

    def table(
        table_id: str, caption: str, columns: Iterable[Column], cells: Callable[[Week], tuple[Cell, ...]]
    ) -> Table:
        made = tuple((format_date(one), days, *cells(week)) for one, days, week in rows)
        return Table(table_id, caption, (*_WEEK, *columns), made)

    tables = (
        table(
            "trend-sessions", "Sessions in which a drug was given",
            [Column("sessions", "Sessions", "count"), Column("doses", "Doses", "count")],
            lambda week: (len(week.sessions), week.doses.total()),
        ),
        table(
            "trend-doses", "Doses given, by drug", [Column(drug, drug, "count") for drug in drugs],
            lambda week: tuple(week.doses[drug] for drug in drugs),
        ),
        table(
            "trend-verdicts", "What was decided on the events of each week",
            [Column(verdict, verdict.capitalize(), "count") for verdict in VERDICTS],
            lambda week: tuple(week.counts[verdict] for verdict in VERDICTS),
        ),
        table(
            "trend-wastage", "Wastage by drug, in the unit that stock is kept in",
            [Column(drug, f"{drug}, {_unit(drug)}", "quantity") for drug in wasted],
            lambda week: tuple(format_decimal(week.wasted[drug]) for drug in wasted),
        ),
        table(
            "trend-oversight", "Late entries, corrections, voids, overrides and adverse events",
            [Column(key, heading, "count") for key, heading in OVERSIGHT.items()],
            lambda week: tuple(week.counts[key] for key in OVERSIGHT),
        ),
    )  # fmt: skip
    told = tuple(table for table in tables if len(table.columns) > len(_WEEK))
    return Section(
        "trends", "Trends", Level.GOOD, _summary(rows), tables=told, charts=tuple(_charts(drugs, wasted)), notes=(_NOTE, _about(first, night)),
    )  # fmt: skip


def _days(week: int, first: int, last: int) -> str:
    held = min(last, week + 6) - max(first, week) + 1
    if held == 7:
        return "whole week"
    which = f"from {format_date(first)}" if first > week else f"until {format_date(last)}"
    return f"incomplete: {held} of 7 days, {which}"


def _charts(drugs: list[str], wasted: list[str]) -> Iterable[Chart]:
    yield Chart("chart-sessions", "Sessions a week", "trend-sessions", "week", ("sessions",))
    if drugs:
        yield Chart("chart-doses", "Doses a week, by drug", "trend-doses", "week", tuple(drugs))
    yield Chart(
        "chart-verdicts", "Flagged, in violation and denied, a week", "trend-verdicts", "week", VERDICTS[1:], "lines"
    )  # fmt: skip
    for unit in sorted({_unit(drug) for drug in wasted}):
        of_unit = tuple(drug for drug in wasted if _unit(drug) == unit)
        yield Chart(f"chart-wastage-{unit}", f"Wastage a week, {unit}", "trend-wastage", "week", of_unit)
    yield Chart(
        "chart-oversight", "Late entries, corrections and the like, a week", "trend-oversight", "week", tuple(OVERSIGHT), "lines"
    )  # fmt: skip


def _unit(drug: str) -> str:
    return DRUGS[drug].stock_unit


def _summary(rows: list[tuple[int, str, Week]]) -> str:
    """The last whole week against the one before it."""
    whole = [(one, week) for one, days, week in rows if days == "whole week"]
    if not whole:
        return "No whole week lies in the log yet; the figures below are of a beginning."
    at, week = whole[-1]
    text = f"In the week from {format_date(at)}: {_figures(week)}"
    return f"{text}; in the week before, {_figures(whole[-2][1])}." if len(whole) > 1 else f"{text}."


def _figures(week: Week) -> str:
    sessions, violations, late = len(week.sessions), week.counts["violation"], week.counts["late"]
    return f"sessions {sessions}, violations {violations}, late entries {late}"


def _about(first: int, night: Night) -> str:
    if first > first_day(night):
        return f"The {DAYS} days begin on {format_date(first_day(night))}; nothing occurred before {format_date(first)}."
    return f"The {DAYS} days begin on {format_date(first)}."
