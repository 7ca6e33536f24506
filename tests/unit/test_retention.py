"""How long a person is kept: periods, states, minors, holds; each reached, each with its last day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from compliance.domain.making import event_from_log
from compliance.domain.values import SCALE
from compliance.retention import MINORS, PERIODS, add_years, kept_by_holds, kept_by_periods
from tests.recording import body, bundle, shipped

DAY = date(2015, 3, 2)


def event(kind="administration", number=1, **fields):
    return event_from_log(body(kind, "2015-03-02T09:00:00-06:00", **fields), 0, number)


def kept(today, *events, state=None, majority=None, policies=None):
    records = [(one, DAY, state) for one in events]
    found = kept_by_periods(records, majority, policies or bundle(), today)
    return {one.why.split(" are kept")[0]: one.until for one in found}


def test_the_table_says_what_the_policies_say():
    """Each period that names a rule has the numbers, the dates and the kinds of that rule's parameter."""
    for period in PERIODS:
        if not period.rule:
            continue
        rule = shipped().bundle.rule(period.rule)
        (parameter,) = (one for one in rule.parameters if one.name == period.parameter)
        said = [(date.fromordinal(one.start), one.value // SCALE) for one in parameter.values if one.value]
        assert said == [(one.start, one.years) for one in period.values], period.name
        kinds = [one for one in rule.parameters if one.name in ("records", "kinds")]
        if kinds:
            assert period.kinds == set(kinds[0].values[-1].value), period.name


def test_every_number_has_a_date_and_a_source():
    """The table is nothing but dated, cited parameters."""
    for period in (*PERIODS, MINORS):
        assert period.values == tuple(sorted(period.values, key=lambda one: one.start))
        assert all(one.cites and one.years > 0 for one in period.values)


@pytest.mark.parametrize(
    ("kind", "name", "years"),
    [
        ("administration", "records of controlled drugs", 2),
        ("prescription", "electronic prescriptions", 2),
        ("follow_up", "documentation that HIPAA asks for", 6),
        ("monitoring_form", "records of the REMS", 7),
        ("follow_up", "medical records", 7),
    ],
)
def test_each_period_runs_to_its_last_day_and_no_longer(kind, name, years):
    """On the last day it is still kept, on the next it is not."""
    last = add_years(DAY, years)
    assert kept(last, event(kind))[name] == last
    assert name not in kept(last + timedelta(days=1), event(kind))


def test_a_kind_that_a_period_does_not_name_is_not_kept_by_it():
    """A follow-up is no drug record."""
    assert "records of controlled drugs" not in kept(DAY, event("follow_up"))


def test_the_state_may_ask_for_longer():
    """New York's five years are one of the periods; the years come from the policies in force."""
    assert kept(date(2019, 1, 1), event(), state="NY", policies=shipped().bundle)["records in NY"] == date(
        2020, 3, 2
    )
    assert kept(date(2019, 1, 1), event(), policies=shipped().bundle).keys() == {
        "documentation that HIPAA asks for", "medical records",
    }  # fmt: skip


def test_minors_are_kept_past_majority():
    """From the day they come of age, whatever the records' age."""
    last = add_years(date(2024, 5, 4), 7)
    assert kept(last, event(), majority=date(2024, 5, 4)) == {MINORS.name: last}
    assert kept(last + timedelta(days=1), event(), majority=date(2024, 5, 4)) == {}


def test_looking_at_somebody_keeps_nobody():
    """Access to records and requests of the patient do not put an erasure off for ever."""
    assert (
        kept(DAY, event("record_access"), event("patient_request"), event("system_event", activity="purge"))
        == {}
    )
    assert kept(DAY, majority=date(2099, 1, 1)) == {}


def test_a_site_that_asks_for_longer_is_heard():
    """A greater number of the policies in force counts, a smaller one does not."""
    from tests.recording import rule

    def policies(years):
        one = rule(
            "rems-records-audit-purge", "system_event", "1 < param.keep_years",
            parameters={"keep_years": {"tighten": "up", "unit": "year", "values": [{"from": "2000-01-01", "value": years, "cites": "x"}]}},
        )  # fmt: skip
        return bundle(one)

    form = event("monitoring_form")
    assert kept(date(2020, 1, 1), form, policies=policies(11))["records of the REMS"] == add_years(DAY, 11)
    assert "records of the REMS" not in kept(add_years(DAY, 8), form, policies=policies(3))
    assert kept(DAY + timedelta(days=2000), form, policies=policies(3))["records of the REMS"] == add_years(
        DAY, 7
    )


def hold(activity, number, **fields):
    return event_from_log(
        body(
            "system_event",
            f"2016-01-{number:02}T09:00:00-06:00",
            id=f"h{number}",
            activity=activity,
            **fields,
        ),
        0,
        number,
    )


@pytest.mark.parametrize(
    ("events", "standing"),
    [
        ([], []),
        ([hold("legal_hold_on", 1)], ["h1"]),
        ([hold("legal_hold_on", 1), hold("legal_hold_off", 2)], []),
        ([hold("legal_hold_off", 1), hold("legal_hold_on", 2)], ["h2"]),
        ([hold("legal_hold_on", 1), hold("legal_hold_on", 2), hold("legal_hold_off", 3)], ["h1"]),
        ([hold("legal_hold_on", 1, site="S2"), hold("legal_hold_off", 2)], ["h1"]),
        ([hold("legal_hold_on", 1, record_kinds=["wastage"])], ["h1"]),
        ([hold("legal_hold_on", 1, record_kinds=["receipt"])], []),
        (
            [
                hold("legal_hold_on", 1, record_kinds=["wastage"]),
                hold("legal_hold_off", 2, record_kinds=["wastage"]),
            ],
            [],
        ),
        (
            [
                hold("legal_hold_on", 1, record_kinds=["wastage"]),
                hold("legal_hold_off", 2, record_kinds=["receipt"]),
            ],
            ["h1"],
        ),
        ([hold("legal_hold_on", 1), hold("legal_hold_off", 2, record_kinds=["wastage"])], ["h1"]),
        ([hold("backup", 1)], []),
    ],
)
def test_a_hold_stands_until_it_is_lifted(events, standing):
    """By site and kinds, whatever the order in which the events are given."""
    for given in (events, events[::-1]):
        found = [one.why.split()[3] for one in kept_by_holds(given, frozenset({"wastage"}))]
        assert found == standing


def test_29_february_ends_on_1_march():
    """A day that a year does not have is the next one."""
    assert add_years(date(2024, 2, 29), 6) == date(2030, 3, 1)
    assert add_years(date(2024, 2, 29), 4) == date(2028, 2, 29)
