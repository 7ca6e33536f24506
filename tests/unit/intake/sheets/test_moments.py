"""Dates and times as people write them: what means one thing is taken, what could mean two is refused with both."""

from __future__ import annotations

import pytest

from tests.tables import (
    DATE_STYLE,
    DATE_TIME_STYLE,
    ELAPSED_STYLE,
    RED_STYLE,
    SHORT_STYLE,
    TIME_STYLE,
    Stored,
    book,
    nowhere,
    one,
    one_cell,
    read,
)

LIKE = {"date_order": None}


@pytest.mark.parametrize(
    ("text", "more", "instant"),
    [
        ("2026-03-04T09:05:00-06:00", {}, "2026-03-04T09:05:00-06:00"),
        ("2026-03-04t15:05:00z", {}, "2026-03-04t15:05:00z"),
        ("2026-03-04 09:05", {}, "2026-03-04T09:05:00-06:00"),
        ("2026-03-04T09:05", {}, "2026-03-04T09:05:00-06:00"),
        ("2026-03-04 09:05:30.25", {}, "2026-03-04T09:05:30.25-06:00"),
        ("2026-03-04 09:05-05:00", {}, "2026-03-04T09:05:00-05:00"),
        ("2026-03-04 15:05Z", {}, "2026-03-04T15:05:00Z"),
        ("2026-03-04 0905", {}, None),
        ("2026/3/4 9:05", {}, "2026-03-04T09:05:00-06:00"),
        ("4 Mar 2026 9:05 AM", {}, "2026-03-04T09:05:00-06:00"),
        ("4-Mar-2026 9:05 pm", {}, "2026-03-04T21:05:00-06:00"),
        ("Mar 4, 2026 9:05 a.m.", {}, "2026-03-04T09:05:00-06:00"),
        ("March 4, 2026, 12:05 AM", {}, "2026-03-04T00:05:00-06:00"),
        ("4 Sept 2026 12:05 PM", {}, "2026-09-04T12:05:00-05:00"),
        ("25/12/2026 9 pm", {}, "2026-12-25T21:00:00-06:00"),
        ("12/25/2026 09:05", {}, "2026-12-25T09:05:00-06:00"),
        ("04/04/2026 09:05", {}, "2026-04-04T09:05:00-05:00"),
        ("03/04/2026 09:05", {"date_order": "mdy"}, "2026-03-04T09:05:00-06:00"),
        ("03.04.2026 09:05", {"date_order": "dmy"}, "2026-04-03T09:05:00-05:00"),
    ],
)
def test_what_means_one_thing_is_taken(text, more, instant):
    """As the site's clock shows it, unless an offset is written."""
    answer = one(**{"Occurred at": text}, **more)
    if instant is None:
        assert answer.problems
    else:
        assert answer.event.body["occurred_at"] == instant


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        ("03/04/2026 9:05", {}, "can be 4 March 2026 or 3 April 2026"),
        ("25/12/2026 9:05", {"date_order": "mdy"}, "there is no such day"),
        ("12/25/2026 9:05", {"date_order": "dmy"}, "there is no such day"),
        ("03/04/2026 9:05", {"date_order": "ymd"}, "does not begin with the year"),
        ("3/4/26 9:05", {}, "two digits"),
        ("4 Mar 26 9:05", {}, "two digits"),
        ("Mar 4, 26 9:05", {}, "two digits"),
        ("30 Feb 2026 9:05", {}, "there is no such day"),
        ("4 Foo 2026 9:05", {}, "no such month"),
        ("2026-03-04", {}, "a date without its time"),
        ("9:05", {}, "a time without its date"),
        ("2026-03-04 13:05 PM", {}, "there is no 13 o'clock PM"),
        ("2026-03-04 0:05 AM", {}, "there is no 0 o'clock AM"),
        ("2026-03-04 24:05", {}, "there is no such time"),
        ("2026-03-04 9:05 CST", {}, "is not a time"),
        ("20260304", {}, "is not a date"),
        ("46085.5", {}, "is not a date"),
        ("yesterday at nine", {}, "is not a date"),
        ("2026-03-08 02:30", {}, "they never showed 02:30"),
        ("2026-11-01 01:30", {}, "they showed 01:30 twice"),
        ("2026-03-04 09:05", {"zone": nowhere}, "no profile of the site"),
    ],
)
def test_what_could_mean_two_things_is_refused(text, more, said):
    """The problem is at the cell and says what to do."""
    problem = one(**{"Occurred at": text}, **more).problem
    assert said in problem.message
    assert problem.remedy
    assert str(problem.place) == "t.csv:2:1: occurred_at (A2)"


def test_both_readings_of_a_wall_clock_are_told():
    """Where clocks change, an offset says which is meant; and each reading told is taken."""
    twice = one(**{"Occurred at": "2026-11-01 01:30"}).problem.remedy
    assert twice == "write 2026-11-01T01:30:00-05:00 or 2026-11-01T01:30:00-06:00"
    never = one(**{"Occurred at": "2026-03-08 02:30"}).problem.remedy
    assert never == "write 2026-03-08T03:30:00-05:00 or 2026-03-08T01:30:00-06:00"


@pytest.mark.parametrize(
    "names",
    [
        ("occurred_on", "Occurred time"),
        ("Occurred date", "occurred_at time"),
        ("Occurred at", "Occurred time"),
    ],
)
def test_a_point_in_time_may_have_two_columns(names):
    """A date and a time, however they are called."""
    answer = read(f"{names[0]},{names[1]},Patient,Point\n4 Mar 2026,9:05 AM,P1,during\n")
    assert answer.event.body["occurred_at"] == "2026-03-04T09:05:00-06:00"


@pytest.mark.parametrize(
    ("day", "clock", "said"),
    [
        ("4 Mar 2026 9:05", "9:05", "said in two columns"),
        ("9:05", "9:06", "the date is missing"),
        ("4 Mar 2026", "4 Mar 2026", "the time is missing"),
        ("4 Mar 2026", "", "a date without its time"),
    ],
)
def test_two_columns_of_a_point_in_time_must_fit(day, clock, said):
    """Neither is guessed from the other."""
    problem = read(f"occurred_on,Occurred time,Patient,Point\n{day},{clock},P1,during\n").problem
    assert said in problem.message


def test_two_columns_of_one_point_in_time_are_not_mistaken_for_a_field_of_their_own():
    """`treatment_on` is a date of the monitoring form, whatever a time of treatment may be called."""
    from compliance.intake.sheets.columns import headings

    (column,) = headings("monitoring_form", {1: "Treatment on"}).columns
    assert column.meaning.path == ("treatment_on",)
    assert column.meaning.part == ""


@pytest.mark.parametrize(
    ("stored", "since_1904", "instant"),
    [
        (Stored("46085.378472222219", DATE_TIME_STYLE), False, "2026-03-04T09:05:00-06:00"),
        (Stored("44623.378472222219", DATE_TIME_STYLE), True, "2026-03-04T09:05:00-06:00"),
        (Stored("46085", DATE_TIME_STYLE), False, "2026-03-04T00:00:00-06:00"),
    ],
)
def test_a_date_of_a_workbook_is_typed(stored, since_1904, instant):
    """By the calendar that the workbook says, to the second that people see."""
    content = book(("Occurred at", "Patient", "Point"), (stored, "P1", "during"), since_1904=since_1904)
    assert read(content).event.body["occurred_at"] == instant


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (Stored("46085", DATE_STYLE), "a date without its time"),
        (Stored("46085.378"), "a number, where a date or time is expected"),
        (Stored("60", DATE_TIME_STYLE), "a number that is shown as a date, and is none"),
        (Stored("-1", DATE_TIME_STYLE), "a number that is shown as a date, and is none"),
        (Stored("1e300", DATE_TIME_STYLE), "a number that is shown as a date, and is none"),
        (Stored("0.5", TIME_STYLE), "a time without its date"),
        (
            Stored("46085.378472222219", DATE_STYLE),
            "the cell shows 2026-03-04, but holds 2026-03-04 09:05:00",
        ),
        (
            Stored("46085.378472222219", TIME_STYLE),
            "shows 09:05, and not the whole date, but holds 2026-03-04",
        ),
        (
            Stored("46085.378472222219", RED_STYLE),
            "shows 09:05, and not the whole date, but holds 2026-03-04",
        ),
        (
            Stored("46085.378472222219", SHORT_STYLE),
            "shows 09:05, and not the whole date, but holds 2026-03-04",
        ),
        (Stored("46085.378472222219", ELAPSED_STYLE), "shows a length of time, but holds 2026-03-04 09:05"),
        (Stored("0.5", DATE_STYLE), "shows no time of day, but holds 12:00"),
        (True, "TRUE or FALSE, where a date"),
    ],
)
def test_what_a_workbook_does_not_show_as_a_date_is_none(stored, said):
    """A number in a column of dates may be anything."""
    assert said in one_cell(**{"Occurred at": stored}).problem.message


def test_a_workbook_may_split_a_point_in_time():
    """A cell with a date beside one with a time."""
    rows = (
        ("Occurred at", "Occurred at time", "Patient", "Point"),
        (Stored("46085", DATE_STYLE), Stored("0.378472222222", TIME_STYLE), "P1", "during"),
    )
    assert read(book(*rows)).event.body["occurred_at"] == "2026-03-04T09:05:00-06:00"
