"""What is asked of ninety days about wastage, spills, shortages and witnesses; the section; and the orderly clinic, of which nothing is."""

from __future__ import annotations

from fractions import Fraction

import pytest

from compliance.reports.page import Level
from compliance.reports.questions import handling
from compliance.reports.questions.handling import Handling
from compliance.reports.questions.peers import apart, shown
from compliance.reports.questions.shifts import Shifts
from compliance.reports.sections.questions import questions
from tests.recording import body, judge, put_in_force, record
from tests.reports.gathering import CREW, day, gathered, require_harmless, seen, shift, shifts_of, titles
from tests.reports.nights import night_of


def waste(person, number, quantity="0.1", **fields):
    return seen(
        "wastage", day(number, "12:00"), actor=person, quantity=quantity, **{"witness": "W-1"} | fields
    )


def dose(person, number=0, **fields):
    return seen("administration", day(number, "11:00"), actor=person, **fields)


def about_handling(*events, shifts=None):
    """What is asked of these events and shifts, with the notes on what is not."""
    worked = shifts_of() if shifts is None else shifts
    notes = []
    items = list(handling.asked(gathered(Handling(), events), gathered(Shifts(), worked), notes))
    require_harmless(items)
    return items, notes


# ---- against others


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ([8, 2, 2, 2, 2], [0]),
        ([8, 2, 2], []),  # too few to compare
        ([4, 2, 2, 2, 2], [0]),
        ([3, 2, 2, 2, 2], []),  # not twice as much
        ([7, 1, 3, 2, 4], []),  # the others are far apart themselves
        ([20, 1, 3, 2, 4], [0]),
        ([9, 9, 1, 1, 1, 1, 1], [0, 1]),  # a second one does not hide the first
        ([5, 5, 5, 5, 0, 0, 0, 0], []),  # half of them do a kind of work
        ([1, 0, 0, 0], [0]),
        ([0, 0, 0, 0], []),
    ],
)
def test_who_stands_out_is_far_above_the_others(figures, expected):
    """By median, median absolute deviation and upper quartile of the others."""
    people = {f"P-{number}": Fraction(figure) for number, figure in enumerate(figures)}
    assert [one.person for one in apart(people)] == [f"P-{number}" for number in expected]


def test_figures_are_told_exactly_enough():
    """One digit after the point, rounded to the nearest; no binary floating point."""
    assert [shown(Fraction(*one)) for one in ((31, 10), (1, 3), (2, 1), (999, 1000), (0, 1))] == [
        "3.1",
        "0.3",
        "2",
        "1",
        "0",
    ]


# ---- wastage, spills, shortages, witnesses

USUAL = [waste(person, number) for person in CREW[1:] for number in range(6)]


def test_wastage_by_the_hour_is_asked_about():
    """How much, against whom, in how many hours, by which causes; never more than a notice."""
    items, notes = about_handling(*USUAL, *(waste("P-01", number, "0.8") for number in range(6)))
    (item,) = items
    assert (
        item.title
        == "Why was 3 mg of ketamine_inj_50mg_ml an hour wasted while P-01 worked, against 0.4 for 4 colleagues?"
    )
    assert item.where == "6 wastages in 80 hours; colleagues between 0.4 and 0.4 mg an hour"
    assert item.values["causes"] == "residue 6" and len(item.entries) == 6 and item.level is Level.NOTICE
    assert "It may be harmless" in item.todo and notes == []


@pytest.mark.parametrize(
    ("events", "shifts"),
    [
        ([waste("P-01", number, "0.1") for number in range(6)], None),  # as the others
        ([waste("P-01", number, "3") for number in range(4)], None),  # four single events
        ([waste("P-01", number, "0.8") for number in range(6)], shifts_of(CREW[1:]) + [shift("P-01", number) for number in range(4)]),  # 32 hours
        ([waste("P-01", number, "0.8") for number in range(6)], shifts_of(days=10) + [shift("P-01", number) for number in range(10, 60)]),  # more hours
        ([waste("P-01", number, "0.8", drug="ketamine_inj_10mg_ml") for number in range(6)], None),  # another drug
    ],
    ids=["as others", "few", "few hours", "many hours", "another drug"],
)  # fmt: skip
def test_wastage_that_is_not_beyond_the_usual_is_not(events, shifts):
    """By the hour, by drug, and with enough of both."""
    assert about_handling(*USUAL, *events, shifts=shifts)[0] == []


def test_too_few_to_compare_are_said_to_be():
    """Three people are no group; who has no hours on record is not divided by."""
    wasted = [waste(person, number, "9") for person in CREW[:4] for number in range(6)]
    items, notes = about_handling(*wasted, shifts=shifts_of(CREW[:3]))
    assert items == []
    assert notes == [
        "Wastage of ketamine_inj_50mg_ml by the hour was not compared: 4 persons who gave or wasted it and have 40 hours at work on record are needed, and there are 3."
    ]


def test_hours_are_those_on_record():
    """Overlapping stretches count once; without a departure, off the premises or of more than a day, not at all; the newest state holds."""
    events = [
        shift("A", 0), shift("A", 1), seen("presence", day(1), person="A", shift="A-again", arrived_at=day(1, "12:00"), left_at=day(1, "18:00")),
        seen("presence", day(0), person="B", shift="B-0", arrived_at=day(0)), seen("presence", day(0, "17:00"), person="B", shift="B-0", arrived_at=day(0), left_at=day(0, "17:00")),
        seen("presence", day(0), person="C", shift="C-0", arrived_at=day(0)), shift("D", 0, on_premises=False),
        seen("presence", day(3), person="E", shift="E-0", arrived_at=day(0), left_at=day(3)),
    ]  # fmt: skip
    assert gathered(Shifts(), events).hours == {"A": 18, "B": 9}


def test_repeated_spills_are_asked_about():
    """By the hour against others who handle drugs; two are single events."""
    doses = [dose(person) for person in CREW]
    spills = [
        waste("P-01", number, cause=cause)
        for number, cause in enumerate(("spillage", "breakage", "device_failure"))
    ]
    (item,) = about_handling(*doses, *spills)[0]
    assert item.title.startswith(
        "Why were there 3 spills, breakages or failed devices while P-01 worked, 3.8 in a hundred hours against 0 for 4"
    )
    assert about_handling(*doses, *spills[:2])[0] == []
    everybody = [waste(person, number, cause="spillage") for person in CREW for number in range(3)]
    assert about_handling(*doses, *everybody)[0] == []


def short(number, handle, time="18:00", **fields):
    return seen(
        "discrepancy", day(number, time), discrepancy=handle, discovered_at=day(number, time), **fields
    )


def test_shortages_are_put_to_who_was_at_work_the_day_before():
    """Against the hours of others; what is explained or over is none."""
    doses = [dose(person) for person in CREW]
    worked = [shift(person, 5 * number + offset) for offset, person in enumerate(CREW) for number in range(6)]
    found = [short(5 * number, f"D-{number}") for number in range(4)]
    (item,) = about_handling(*doses, *found, shifts=worked)[0]
    assert item.title.startswith(
        "Why were 4 shortages found after days on which P-01 worked, 8.3 in a hundred hours against 0 for 4 colleagues"
    )
    explained = [short(5 * number, f"D-{number}", "19:00", finding="explained") for number in range(2)]
    over = [short(5 * number, f"O-{number}", direction="over") for number in range(4)]
    assert about_handling(*doses, *found, *explained, shifts=worked)[0] == []
    assert about_handling(*doses, *over, shifts=worked)[0] == []
    nobody = about_handling(*found, shifts=worked)
    assert nobody[0] == [] and "Shortages were not compared" in nobody[1][0]


def test_wastage_without_a_witness_is_asked_about():
    """Three times by one person, where others have one; where nobody has, that is how the site works."""
    alone = [waste("P-01", number, witness="P-01") for number in range(3)]
    (item,) = about_handling(*USUAL, *alone)[0]
    assert item.title == "Why did nobody watch 3 of 3 wastages by P-01, against 0 of 24 by others?"
    assert about_handling(*USUAL, *alone[:2])[0] == []
    nobody = [waste(person, number, witness=person) for person in CREW for number in range(3)]
    assert about_handling(*nobody)[0] == []


def test_the_same_witness_every_time_is_asked_about():
    """Where others who watch were at work, and where most people do not have one witness."""
    always = [waste("P-01", number, witness="P-02") for number in range(8)]
    varied = [
        waste(person, number, witness=CREW[1 + (number + offset) % 2])
        for offset, person in enumerate(CREW[3:])
        for number in range(8)
    ]
    (item,) = about_handling(*always, *varied)[0]
    assert item.title == "Why did P-02 watch all 8 wastages by P-01 at which somebody else could have?"
    assert about_handling(*always[:7], *varied)[0] == [], "seven may be chance"
    once = waste("P-01", 8, witness="P-03")
    assert about_handling(*always, once, *varied)[0] == []
    two_at_work = shifts_of(("P-01", "P-02"))
    assert about_handling(*always, *varied, shifts=two_at_work)[0] == [], "nobody else was there"
    pairs = [waste("P-03", number, witness="P-04") for number in range(8)]
    assert about_handling(*always, *pairs)[0] == [], "a site that works in pairs"


# ---- the section


def test_the_section_asks_and_shows_the_figures_of_everybody(own_clinic):
    """Through a log: the question, the table with who has no hours on record, and what was not compared."""
    events = [
        body(
            "storage_access",
            "2026-03-04T21:30:00-05:00",
            site="LAKE",
            person="P-3121",
            purpose="dose",
            id="night-access",
        )
    ]
    events += [
        body(
            "wastage",
            "2026-03-04T12:00:00-07:00",
            site="MESA",
            actor="P-9999",
            drug="ketamine_inj_10mg_ml",
            id="stranger",
        )
    ]
    put_in_force(own_clinic, judge("CONSENTED").bundle)
    record(own_clinic, judge("CONSENTED"), *events)
    section = questions(night_of(own_clinic, "2026-03-05"))
    assert titles(section.items) == [
        "Why did P-3121 open storage at 2026-03-04T21:30:00-05:00, when LAKE is closed and P-3121 not at work?"
    ]
    assert (section.level, section.items[0].entries) == (
        Level.NOTICE,
        (own_clinic.by_event_id("night-access"),),
    )
    people = {row[0]: row[1:] for row in section.tables[0].rows}
    assert people["P-9999"] == (None, 1, 1, 0, 0, 0) and people["P-3121"][-1] == 1
    assert any("No hours at work are on record for P-9999" in note for note in section.notes)


@pytest.mark.parametrize("date", ["2026-03-02", "2026-03-13"])
def test_of_the_orderly_clinic_nothing_is_asked(clinic, date):
    """Two weeks of two small sites: too little to compare, and that is said."""
    section = questions(night_of(clinic, date))
    assert (section.level, section.items) == (Level.GOOD, ())
    assert section.notes[0].startswith("These are questions, not findings")
