"""What is asked of ninety days about counts, access to storage, readings, doses, waits and times; and what is just short of it."""

from __future__ import annotations

import pytest

from compliance.reports.questions import access, counts, readings
from compliance.reports.questions.access import Access
from compliance.reports.questions.counts import Counts
from compliance.reports.questions.readings import Readings
from compliance.reports.questions.shifts import Shifts
from tests.recording import fresh_log
from tests.reports.gathering import CREW, a_night, day, gathered, require_harmless, seen, shift, shifts_of


@pytest.fixture(scope="module")
def log():
    """It is never read: a night has to have one."""
    with fresh_log() as made:
        yield made


def harmless(items):
    found = list(items)
    require_harmless(found)
    return found


# ---- counts


def count(person, number, differs=False, **fields):
    findings = [{"rule": "s3-rec-balance-26"}] if differs else [{"rule": "another"}]
    return seen("inventory_count", day(number, "17:00"), findings, counted_by=person, **fields)


def about_counts(log, *events):
    return harmless(counts.asked(gathered(Counts(a_night(log, "2026-03-20")), events)))


def test_counts_that_always_agree_are_asked_about(log):
    """Where others at the same site find differences so often that it can hardly be chance."""
    perfect = [count("P-01", number) for number in range(30)]
    others = [count("P-02", number, differs=number % 4 == 0) for number in range(40)]
    (item,) = about_counts(log, *perfect, *others)
    assert (
        item.title
        == "Why did none of 30 counts by P-01 differ from the books, against 10 of 40 by others at S1?"
    )
    for fewer in (
        [
            *perfect[:12],
            *(count("P-02", number, differs=number % 2 == 0) for number in range(40)),
        ],  # twelve are few
        [
            *perfect,
            *(count("P-02", number, differs=number % 20 < 2) for number in range(40)),
        ],  # that may be chance
        [
            *(count("P-01", number) for number in range(150)),
            *(count("P-02", number, differs=number < 2) for number in range(40)),
        ],
        [*perfect, *others[:12]],  # too few others
        [*perfect, count("P-01", 50, differs=True), *others],
        [*perfect, *(count("P-02", number, differs=number % 4 == 0, site="S2") for number in range(40))],
    ):
        assert about_counts(log, *fewer) == []


def test_a_discrepancy_that_names_a_count_says_that_it_differed(log):
    """Whether or not a rule objected."""
    perfect = [count("P-01", number) for number in range(30)]
    others = [count("P-02", number, id=f"count-{number}") for number in range(40)]
    opened = [
        seen("discrepancy", day(number, "18:00"), discrepancy=f"D-{number}", count_event=f"count-{number}")
        for number in range(0, 40, 4)
    ]
    assert len(about_counts(log, *perfect, *others, *opened)) == 1
    own = seen("discrepancy", day(3, "18:00"), discrepancy="D-own", count_event=perfect[3].event.id)
    assert about_counts(log, *perfect, *others, *opened, own) == []


# ---- access


def opened(person, number, time, purpose="dose"):
    return seen("storage_access", day(number, time), person=person, purpose=purpose)


def sessions(days=10):
    return [
        seen(kind, day(number, time))
        for number in range(days)
        for kind, time in (("administration", "09:30"), ("discharge", "15:30"))
    ]


def about_access(log, *events, date="2026-01-12", shifts=None):
    night = a_night(log, date)
    worked = gathered(Shifts(), shifts_of() if shifts is None else shifts)
    return harmless(access.asked(gathered(Access(night), events), worked, night))


def test_storage_opened_out_of_hours_is_asked_about(log):
    """Outside the hours of sessions and shifts with an hour's grace, by somebody who is not at work then."""
    (item,) = about_access(log, *sessions(), opened("P-01", 9, "20:51"))
    assert (
        item.title
        == "Why did P-01 open storage at 2026-01-10T20:51:00-06:00, when S1 is closed and P-01 not at work?"
    )
    assert (
        item.where == "S1: sessions and shifts lie between 08:00 and 16:00; opened for: dose"
        and item.site == "S1"
    )
    several = [opened("P-01", number, "05:00", "count") for number in (1, 2, 3)]
    (item,) = about_access(log, *sessions(), *several, date="2026-03-20")
    assert (
        item.title
        == "Why did P-01 open storage 3 times out of hours, the last time at 2026-01-04T05:00:00-06:00?"
    )


@pytest.mark.parametrize(
    ("events", "shifts"),
    [
        ([opened("P-01", 9, "17:00")], None),
        ([opened("P-01", 9, "07:00")], None),
        ([opened("P-01", 12, "12:00", "count")], None),  # a closed day, by day
        ([opened("P-01", 9, "20:51")], [*shifts_of(days=20), shift("P-01", 9, "19:00", "20:30")]),
        ([opened("P-01", 1, "20:51")], None),  # asked about a week ago
    ],
    ids=["an hour after", "an hour before", "a closed day", "on a shift", "long ago"],
)
def test_storage_opened_in_hours_is_not(log, events, shifts):
    """Nor on a shift of one's own, nor one that was asked about already."""
    assert about_access(log, *sessions(20), *events, shifts=shifts) == []


def test_hours_are_those_that_are_usual(log):
    """One late evening in twenty days does not make hours; a site without sessions has none."""
    late = [seen("discharge", day(5, "22:00"))]
    assert len(about_access(log, *sessions(20), *late, opened("P-01", 9, "21:30"))) == 1
    assert about_access(log, opened("P-01", 9, "21:30")) == []


# ---- readings


def reading(person, systolic, number=0, point="pre_dose", time="09:00"):
    return seen("vital_signs", day(number, time), actor=person, systolic_mmhg=systolic, point=point)


def about_readings(log, *events):
    return harmless(readings.asked(gathered(Readings(a_night(log, "2026-03-20")), events)))


def odd(person, values, point="pre_dose"):
    """Readings at odd minutes."""
    return [
        reading(person, value, number, point, f"09:{1 + number % 4:02}")
        for number, value in enumerate(values)
    ]


def test_pressures_just_within_the_limit_are_asked_about(log):
    """Many at 138 to 140 and hardly any beside them, where 140 is the limit of the policies."""
    (item,) = about_readings(log, *odd("P-01", [140] * 5 + [139] * 4 + [120, 125, 131, 144, 150]))
    assert (
        item.title
        == "Why did 9 readings by P-01 before a dose lie within 2 mmHg of the limit of uspi-bp-140-90, and 0 in the 3 above it?"
    )
    assert item.values["limit"] == "uspi-bp-140-90, systolic" and len(item.entries) == 9


@pytest.mark.parametrize(
    "values",
    [
        [140] * 7,
        [140] * 8 + [142] * 3,
        [140] * 8 + [136] * 3,
        [140] * 10 + [130] * 8 + [120] * 6 + [150] * 4,  # somebody who rounds to tens
        list(range(115, 165)),
    ],
    ids=["seven", "above as well", "below as well", "rounded to tens", "spread"],
)
def test_pressures_as_they_come_are_not(log, values):
    """Few, with neighbours, or rounded everywhere alike."""
    assert about_readings(log, *odd("P-01", values)) == []


def test_pressures_during_the_session_are_not_looked_at(log):
    """No limit decides about them."""
    assert about_readings(log, *odd("P-01", [140] * 12, point="during")) == []


def order(person, number, per_kg, **fields):
    return seen(
        "order", day(number), prescriber=person, order=f"{person}-{number}", dose_mg_per_kg=per_kg, **fields
    )


def test_doses_just_within_the_limit_are_asked_about(log):
    """Nearly all of one prescriber's, where colleagues order otherwise."""
    close = [order("P-01", number, "0.75") for number in range(12)]
    usual = [order(person, number, "0.5") for person in CREW[1:] for number in range(12)]
    (item,) = about_readings(log, *close, *usual)
    assert (
        item.title
        == "Why are 12 of 12 doses that P-01 ordered just within the limit of off-iv-dose-band, against 0 % with 4 colleagues?"
    )
    everybody = [order(person, number, "0.75") for person in CREW for number in range(12)]
    above = [order("P-01", number, "0.8") for number in range(12)]
    anaesthesia = [order("P-01", number, "0.75", indication_class="anaesthesia") for number in range(12)]
    for other in (
        everybody,
        [*above, *usual],
        [*anaesthesia, *usual],
        [*close[:11], *usual],
        [*close, *usual[:24]],
    ):
        assert about_readings(log, *other) == []


def visit(person, number, waited):
    """A session whose patient leaves so many minutes after the last device."""
    name = f"{person}-{number}"
    hours, minutes = divmod(9 * 60 + waited, 60)
    return [
        seen(
            "administration",
            day(number, "08:50"),
            session=name,
            drug="esketamine_nasal_28mg",
            completed_at=day(number, "09:00"),
        ),
        seen("discharge", day(number, f"{hours:02}:{minutes:02}"), session=name, released_by=person),
    ]


def test_waits_that_are_always_the_shortest_are_asked_about(log):
    """Within two minutes of the time that the policies ask for, where colleagues let patients stay as long as it takes."""
    quick = [one for number in range(12) for one in visit("P-01", number, 120 + number % 3)]
    usual = [
        one for person in CREW[1:] for number in range(12) for one in visit(person, number, 124 + number)
    ]
    (item,) = about_readings(log, *quick, *usual)
    assert item.title.startswith(
        "Why did 12 of 12 patients whom P-01 released leave within 2 minutes of the least time of observation, against 0 %"
    )
    too_early = [one for number in range(12) for one in visit("P-01", number, 119)]
    assert about_readings(log, *too_early, *usual) == [], "that is a violation, not a question"


def test_times_that_are_always_round_are_asked_about(log):
    """Vital signs at full five minutes, where those of colleagues are not."""
    round_ones = [reading("P-01", 120, number, time=f"09:{5 * (number % 12):02}") for number in range(12)]
    usual = [one for person in CREW[1:] for one in odd(person, [120] * 12)]
    (item,) = about_readings(log, *round_ones, *usual)
    assert (
        item.title
        == "Why were 12 of 12 vital signs by P-01 taken at full five minutes, against 0 % with 4 colleagues?"
    )
    assert about_readings(log, *round_ones) == []
