"""How far a session has come: tables of events, and where that leaves each step. Minutes count from the first device."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain.vocabulary import KINDS
from compliance.session_offers import Session, body_of
from compliance.session_progress import MINUTE
from compliance.session_steps import ESKETAMINE, INFUSION, OTHER_KETAMINE, STOP, Seen, State, steps_for
from compliance.settings import shipped_folder
from tests.sessions import (
    AT_40,
    BEFORE,
    BOLUS,
    BOTH,
    ENDED,
    FIRST,
    GIVEN,
    LAST,
    LEFT,
    ONE,
    READY,
    RECOVERED,
    RUNNING,
    SPRAY,
    STOPPED,
    UNENDED,
    VIAL,
    clock,
    seen,
    told,
)


@pytest.mark.parametrize(
    ("rows", "now", "step", "where"),
    [
        ((), -90, "check", ("next", None, None)),
        ((), -90, "order", ("waiting", None, None)),
        (BEFORE, 0, "device-1", ("next", None, None)),
        (BEFORE, 0, "device-2", ("waiting", None, None)),
        ((*BEFORE, ONE), 3, "device-2", ("waiting", 5, None)),
        ((*BEFORE, ONE), 5, "device-2", ("next", 5, None)),
        ((*BEFORE, ONE), 3, "pressure-40", ("waiting", None, None)),
        ((*BEFORE, ONE), 3, "look", ("waiting", None, 30)),
        ((*BEFORE, ONE), 31, "look", ("overdue", None, 30)),
        ((*BOTH, ("observation", 20, {"phase": "check"})), 31, "look", ("waiting", None, 50)),
        ((*BOTH, AT_40), 60, "look", ("waiting", None, 78)),
        (BOTH, 10, "pressure-40", ("waiting", 38, 58)),
        (BOTH, 40, "pressure-40", ("next", 38, 58)),
        (BOTH, 58, "pressure-40", ("next", 38, 58)),
        (BOTH, 59, "pressure-40", ("overdue", 38, 58)),
        ((*BOTH, ("vital_signs", 20, {"point": "about_40_min"})), 40, "pressure-40", ("next", 38, 58)),
        ((*BOTH, ("vital_signs", 70, {"point": "about_40_min"})), 71, "pressure-40", ("done", 38, 58)),
        ((*BOTH, AT_40), 60, "discharge", ("waiting", 128, None)),
        ((*BOTH, AT_40, ("assessment", 60)), 70, "ready", ("waiting", 128, None)),
        ((*BOTH, AT_40, LAST, READY), 130, "watched", ("next", 128, None)),
        ((*BOTH, AT_40, LAST, READY, ENDED), 132, "discharge", ("next", 128, None)),
        ((*BOTH, AT_40, LAST, READY, ENDED), 132, "look", ("done", None, 161)),
        ((*BOTH, AT_40, LAST, READY, ENDED, LEFT), 140, "form", ("next", None, None)),
        ((*BOTH, ("discharge", 60)), 61, "discharge", ("done", 128, None)),
        ((*BOTH, ("discharge", 60)), 61, "ready", ("overdue", 128, None)),
        ((*BOTH, ("discharge", 60, {"disposition": "higher_level_care"})), 61, "ready", ("dropped", 128, None)),
        ((*BOTH[1:],), 10, "check", ("overdue", None, None)),
        ((("session_stop", -20, {"stage": "cancelled_before_dose"}),), -10, "check", ("dropped", None, None)),
        ((*BEFORE, ONE, ("session_stop", 4, {"stage": "stopped_during"})), 10, "device-2", ("dropped", 5, None)),
        ((*BEFORE, ONE, ("session_stop", 4, {"stage": "stopped_during"})), 40, "pressure-40", ("next", 32, 52)),
    ],
)  # fmt: skip
def test_where_an_esketamine_session_stands(rows, now, step, where):
    """A step is done by its event, in its time; it waits for its turn, for its time, and is overdue after it."""
    assert told(seen(*rows, now=now))[step] == where


@pytest.mark.parametrize(
    ("upper", "lower", "asked"), [(140, 90, False), (141, 80, True), (120, 91, True), (150, None, True)]
)
def test_a_decision_is_a_step_where_the_pressure_is_high(upper, lower, asked):
    """Above either figure of the rule in force, not at it."""
    reading = {"point": "pre_dose", "systolic_mmhg": upper, "diastolic_mmhg": lower or 80}
    assert ("decision" in told(seen(("vital_signs", -30, reading)))) is asked


@pytest.mark.parametrize(
    ("decision", "pressure", "decided"),
    [("proceed", "done", "done"), ("delay", "next", "done"), ("cancel", "done", "done")],
)
def test_after_a_delay_the_pressure_is_taken_again(decision, pressure, decided):
    """The prescriber lets the patient rest: the reading is to be repeated."""
    high = ("vital_signs", -30, {"point": "pre_dose", "systolic_mmhg": 160})
    rows = (("pre_session_check", -60), ("order", -50), high)
    found = told(
        seen(*rows, ("clinical_decision", -20, {"concerns_event": "e2", "decision": decision}), now=-10)
    )
    assert (found["pressure"][0], found["decision"][0]) == (pressure, decided)
    again = told(seen(*rows, ("vital_signs", -5, {"point": "pre_dose"}), now=-4))
    assert again["pressure"][0] == "done"
    assert "decision" not in again


def test_more_devices_than_ordered_are_steps_too():
    """What was given is shown, whatever was ordered."""
    third = ("administration", 12, {"completed_at": clock(14)})
    assert told(seen(*BOTH, third, now=15))["device-3"] == ("done", 11, None)


def test_a_duty_says_by_when_the_form_is_owed():
    """What the log's duties ask for is the step's due time."""
    due = FIRST + 7 * 24 * 60 * MINUTE
    rows = (*BOTH, AT_40, LAST, READY, ENDED, LEFT)
    assert told(seen(*rows, now=200, deadlines={"monitoring_form": due}))["form"][0] == "next"
    assert told(seen(*rows, now=10081, deadlines={"monitoring_form": due}))["form"][0] == "overdue"


def test_without_rules_nothing_has_a_time():
    """No figure stands in the steps: a library without these rules sets no times."""
    bare = Seen(seen(*BOTH, now=500).events, FIRST + 500 * MINUTE, lambda _rule, _parameter: None)
    assert all(where[1:] == (None, None) for where in told(bare).values())


@pytest.mark.parametrize(
    ("rows", "now", "step", "where"),
    [
        (RUNNING[:3], -20, "preparation", ("next", None, None)),
        (RUNNING[:4], -5, "infusion", ("next", None, None)),
        (RUNNING, 5, "infused", ("next", None, None)),
        (RUNNING, 5, "reading", ("waiting", None, 10)),
        (RUNNING, 11, "reading", ("overdue", None, 10)),
        ((*RUNNING, ("vital_signs", 10, {"point": "during"})), 11, "reading", ("waiting", None, 20)),
        ((*RUNNING, STOPPED), 42, "dose", ("next", None, None)),
        (RUNNING, 31, "discharge", ("waiting", None, None)),
        ((*RUNNING, STOPPED), 42, "discharge", ("waiting", 70, None)),
        ((*RUNNING, STOPPED, ("infusion", 50, {"phase": "start"})), 55, "infused", ("next", None, None)),
        ((*RUNNING, STOPPED, ("infusion", 50, {"phase": "start"})), 85, "discharge", ("waiting", None, None)),
        ((*RUNNING, UNENDED), 85, "discharge", ("waiting", None, None)),
        ((*RUNNING[:4], UNENDED), 85, "discharge", ("waiting", None, None)),
        ((*RUNNING, GIVEN), 45, "discharge", ("waiting", 70, None)),
        ((*RUNNING, STOPPED, BOLUS), 45, "dose-2", ("next", None, None)),
        ((("assessment", -90, RECOVERED), *RUNNING, STOPPED, GIVEN), 45, "recovery", ("waiting", None, None)),
        ((*RUNNING, ("assessment", 30, RECOVERED), STOPPED, GIVEN), 45, "recovery", ("waiting", None, None)),
        ((*RUNNING, STOPPED, GIVEN, ("assessment", 60, RECOVERED)), 61, "recovery", ("done", None, None)),
        (
            (("vital_signs", -90, {"point": "pre_discharge"}), *RUNNING, STOPPED, GIVEN),
            45,
            "pressure-leaving",
            ("next", None, None),
        ),
        (
            (("vital_signs", -90, {"point": "pre_discharge"}),),
            -80,
            "pressure-leaving",
            ("waiting", None, None),
        ),
        ((*RUNNING, STOPPED, GIVEN), 45, "discharge", ("waiting", 70, None)),
    ],
)
def test_where_an_infusion_stands(rows, now, step, where):
    """Its start is the dose, until the dose is entered; the patient stays for so long from its end."""
    assert told(seen(*rows, now=now), INFUSION, doses=1)[step] == where


@pytest.mark.parametrize(
    ("drug", "route", "table"),
    [
        (SPRAY, None, ESKETAMINE), (VIAL, None, INFUSION), (VIAL, "iv_infusion", INFUSION), (VIAL, "im", OTHER_KETAMINE),
        ("ketamine_troche_compounded", None, OTHER_KETAMINE), ("ketamine_nasal_compounded", "intranasal", OTHER_KETAMINE),
    ],
)  # fmt: skip
def test_drug_and_route_choose_the_steps(drug, route, table):
    """Esketamine under the REMS, an infusion, any other dose of ketamine."""
    assert steps_for(drug, route, lambda _rule: True) == table


def test_steps_that_no_rule_in_force_asks_for_are_left_out():
    """Only the library says whether the enrolment is looked up."""
    names = [step.name for step in steps_for(SPRAY, None, lambda rule: rule == "uspi-conmed")]
    assert "medicines" in names
    assert "enrolment" not in names


def test_an_infusion_is_offered_as_the_dose_that_the_pump_says():
    """Times, milligrams and millilitres come from the pump's entries."""
    about = Session("P1", "T1", VIAL, "S1", "America/Chicago", 1)
    dose = next(step for step in INFUSION if step.name == "dose")
    body = body_of(dose, about, seen(*RUNNING, STOPPED, now=45), "RN-1", "x1")
    told_of = ("occurred_at", "completed_at", "dose_mg", "quantity")
    assert tuple(body[name] for name in told_of) == (clock(0), clock(40), "38", "3.8")


@pytest.mark.parametrize("table", [ESKETAMINE, INFUSION, OTHER_KETAMINE, (STOP,)])
def test_every_step_names_fields_of_its_kind(table):
    """A table with a misspelt field would ask for nothing, or be refused at the desk."""
    for step in table:
        named = {*step.asks, *step.tells, *step.usual, *step.by_actor, *step.carries}
        assert named <= set(KINDS[step.kind].fields), step.name


def test_every_wait_is_a_parameter_of_the_library():
    """Rule and parameter of each wait exist in the shipped policies, and so does every rule that wants a step."""
    for step in (*ESKETAMINE, *INFUSION, *OTHER_KETAMINE):
        for wait in (*step.opens, *step.closes):
            assert wait.parameter in written(wait.rule)["parameters"], (step.name, wait)
        assert all(map(written, step.wanted_by))


@cache
def written(rule):
    """A rule of the library as its file says it."""
    (file,) = shipped_folder("policies").glob(f"*/{rule}.yaml")
    return yaml.load(file.read_text(), yaml.CSafeLoader)


def test_the_page_for_nurses_names_every_step_and_state():
    """docs/session.md lists what the tables hold."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "session.md").read_text()
    named = {step.name for step in (*ESKETAMINE, *INFUSION, *OTHER_KETAMINE)} | set(State)
    assert {name for name in named if f"`{name}`" not in page} == set()


@given(st.permutations((*BOTH, AT_40, LAST, READY, ENDED, LEFT)), st.integers(0, 11))
def test_the_order_of_arrival_does_not_matter(rows, many):
    """Events in the order in which they came give the same session."""
    some = rows[:many]
    assert told(seen(*some, now=140)) == told(seen(*reversed(some), now=140))
