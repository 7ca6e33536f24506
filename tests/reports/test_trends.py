"""Trends: figures by week from Monday to Sunday in each site's zone, and weeks that are incomplete said to be so."""

from __future__ import annotations

import pytest

from compliance.engine.judging import Judge
from compliance.reports.page import Level
from compliance.reports.sections.trends import trends
from tests.recording import body, bundle, fresh_log, put_in_force, record, rule, void
from tests.reports.nights import night_of

HEART = rule("heart", "vital_signs", "has(event.heart_rate_bpm) && event.heart_rate_bpm > 40")
ASKED = rule("asked", "administration", "event.intent == 'performed'")
JUDGE = Judge(bundle(HEART, ASKED))
KETAMINE, SPRAY = "ketamine_inj_50mg_ml", "esketamine_nasal_28mg"


def dose(at, session="T1", drug=KETAMINE, **fields):
    return body("administration", at, session=session, drug=drug, entered_at=at, **fields)


def waste(at, quantity, drug=KETAMINE):
    return body(
        "wastage",
        at,
        quantity=quantity,
        drug=drug,
        quantity_unit="ml" if drug == KETAMINE else "device",
        entered_at=at,
    )


TWICE = dose("2026-02-25T10:10:00-06:00", id="twice")
EVENTS = (
    body("site_profile", "2025-10-01T09:00:00-06:00"),
    body("site_profile", "2025-10-01T09:00:00-06:00", site="S2", time_zone="Pacific/Auckland"),
    # Sunday 22 February to Monday 23 February by the clocks of Chicago and of Auckland
    dose("2026-02-22T23:59:00-06:00"), dose("2026-02-23T00:01:00-06:00"), dose("2026-02-22T05:30:00-06:00", site="S2", session="T2"),
    dose("2026-02-25T10:00:00-06:00"), dose("2026-02-25T10:05:00-06:00", drug=SPRAY), TWICE, void(TWICE, "V", at="2026-02-25T10:20:00-06:00", entered_at="2026-02-25T10:20:00-06:00"),
    dose("2026-02-26T10:00:00-06:00", session="T3", intent="proposed"),
    waste("2026-02-24T10:00:00-06:00", "0.25"), waste("2026-02-25T10:00:00-06:00", "1.5"), waste("2026-02-26T10:00:00-06:00", "1", SPRAY),
    body("vital_signs", "2026-02-24T10:00:00-06:00", heart_rate_bpm=30, entered_at="2026-02-24T10:00:00-06:00"),
    body("vital_signs", "2026-02-20T10:00:00-06:00", heart_rate_bpm=60, entered_at="2026-02-24T10:00:00-06:00"),
    body("adverse_event", "2026-02-24T10:00:00-06:00", episode="AE-1", entered_at="2026-02-24T10:05:00-06:00"),
    body("adverse_event", "2026-02-25T10:00:00-06:00", episode="AE-1", outcome="recovered", entered_at="2026-02-25T10:05:00-06:00"),
    dose("2026-03-06T10:00:00-06:00", session="T4"),  # after the night
)  # fmt: skip


@pytest.fixture(scope="module")
def log():
    with fresh_log() as made:
        put_in_force(made, JUDGE.bundle)
        record(made, JUDGE, *EVENTS)
        yield made


@pytest.fixture(scope="module")
def section(log):
    return trends(night_of(log, "2026-03-03", "S1", "S2"))


def figures(section, table_id):
    (table,) = (one for one in section.tables if one.id == table_id)
    return {str(row[0]): row[2:] for row in table.rows}


def test_weeks_run_from_monday_by_the_site_s_clock(section):
    """What is Sunday in Chicago is Monday in Auckland."""
    assert figures(section, "trend-sessions") == {
        "2026-02-16": (1, 1),
        "2026-02-23": (2, 4),
        "2026-03-02": (0, 0),
    }


def test_incomplete_weeks_are_said_to_be_so(section):
    """The first from the first day on which anything occurred, the last up to the night's day."""
    days = {row[0]: row[1] for row in section.tables[0].rows}
    assert days == {
        "2026-02-16": "incomplete: 3 of 7 days, from 2026-02-20", "2026-02-23": "whole week",
        "2026-03-02": "incomplete: 2 of 7 days, until 2026-03-03",
    }  # fmt: skip


def test_doses_and_wastage_are_by_drug_in_its_unit(section):
    """What was voided or only proposed does not count; quantities are exact."""
    assert figures(section, "trend-doses")["2026-02-23"] == (1, 3)
    assert figures(section, "trend-wastage")["2026-02-23"] == ("1", "1.75")
    headings = {table.id: [column.heading for column in table.columns[2:]] for table in section.tables}
    assert headings["trend-wastage"] == [f"{SPRAY}, device", f"{KETAMINE}, ml"]


def test_verdicts_and_oversight_are_counted(section):
    """A violation, a denial, a void, a late entry in the week in which it came, an episode once."""
    verdicts = figures(section, "trend-verdicts")["2026-02-23"]
    assert verdicts[2:] == (1, 1)
    assert figures(section, "trend-oversight")["2026-02-23"] == (1, 0, 1, 0, 1)
    assert section.summary == "In the week from 2026-02-23: sessions 2, violations 1, late entries 1."


def test_each_drawing_is_of_a_table_s_numbers(section):
    """Its columns are there, and what is drawn together has one unit."""
    tables = {table.id: {column.key for column in table.columns} for table in section.tables}
    for chart in section.charts:
        assert {chart.x, *chart.series} <= tables[chart.table]
    wastage = [chart.series for chart in section.charts if chart.table == "trend-wastage"]
    assert wastage == [(SPRAY,), (KETAMINE,)]
    assert len({chart.id for chart in section.charts}) == len(section.charts)


def test_before_anything_occurred_there_is_nothing_to_tell(log):
    """No tables of zeros."""
    section = trends(night_of(log, "2025-03-03", "S1", "S2"))
    assert (section.level, section.tables, section.charts) == (Level.GOOD, (), ())
    assert section.summary == "Nothing occurred in the 90 days up to 2025-03-03."


def test_the_demonstration_s_fortnight_in_figures(clinic):
    """Two whole weeks with sessions, the void of the double entry, the correction and the reading that waited."""
    section = trends(night_of(clinic, "2026-03-15"))
    sessions = figures(section, "trend-sessions")
    assert list(sessions)[-2:] == ["2026-03-02", "2026-03-09"] and all(
        sessions[week][0] for week in list(sessions)[-2:]
    )
    oversight = figures(section, "trend-oversight")
    assert [oversight[week][:3] for week in ("2026-03-02", "2026-03-09")] == [(1, 1, 0), (0, 0, 1)]
    assert [row[1] for row in section.tables[0].rows][-2:] == ["whole week", "whole week"]
