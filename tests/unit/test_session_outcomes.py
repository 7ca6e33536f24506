"""What the outcome of a step, its time, a running infusion and a mistyped stop do to a session."""

from __future__ import annotations

import pytest

from compliance.session_outcomes import contradictions, held_back
from compliance.session_progress import MINUTE, progress
from compliance.session_standing import Stood
from compliance.session_steps import ESKETAMINE, INFUSION, STOP, Progress, State
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
    RUNNING,
    STOPPED,
    TWO,
    seen,
    told,
)


@pytest.mark.parametrize(
    ("rows", "held"),
    [(RUNNING, True), ((*RUNNING, STOPPED), True), ((*RUNNING, STOPPED, BOLUS), True), ((*RUNNING, GIVEN), False), ((*RUNNING, STOPPED, GIVEN), False)],
)  # fmt: skip
def test_nobody_may_leave_a_running_infusion(rows, held):
    """Not while it runs, nor before it is entered as a dose, whatever the rules say; and it is told."""
    found = seen(*rows, now=45)
    rows = progress(INFUSION, found, 1)
    assert held_back(rows[-1].step, rows, found) is held
    assert bool(contradictions(found)) is held


ASLEEP = {
    "ready_to_leave": False,
    "sedation": "present",
    "dissociation": "not_assessed",
    "oriented": False,
    "gait_steady": True,
}
TOO_HIGH = {"point": "pre_discharge", "systolic_mmhg": 190, "diastolic_mmhg": 110, "acceptable": False}
AFTER = (*BOTH, AT_40)


@pytest.mark.parametrize(
    ("rows", "step", "state", "but", "held"),
    [
        ((*AFTER, LAST, ("assessment", 130, ASLEEP)), "ready", "next", ("sedation present", "dissociation not assessed", "not oriented", "not ready to leave"), True),
        ((*AFTER, LAST, ("assessment", 130, ASLEEP)), "watched", "waiting", (), True),
        ((*AFTER, LAST, ("assessment", 130, ASLEEP), ("assessment", 135, {"ready_to_leave": True})), "ready", "done", (), False),
        ((*AFTER, LAST, READY, ("assessment", 135, ASLEEP)), "watched", "waiting", (), True),
        ((*AFTER, LAST, ("assessment", 130, {"gait_steady": False}), LEFT), "ready", "overdue", ("does not walk safely",), True),
        ((*AFTER, ("vital_signs", 129, TOO_HIGH)), "pressure-leaving", "next", ("not acceptable",), True),
        ((*AFTER, ("vital_signs", 129, TOO_HIGH)), "ready", "waiting", (), True),
        ((*AFTER, ("vital_signs", 129, TOO_HIGH), ("vital_signs", 135, {"point": "pre_discharge"})), "pressure-leaving", "done", (), False),
    ],
)  # fmt: skip
def test_an_outcome_that_says_no_leaves_its_step_open(rows, step, state, but, held):
    """Who looked and found the patient asleep looks again; what comes after waits, and leaving is never called permitted."""
    found = seen(*rows, now=140)
    rows = progress(tuple(one for one in ESKETAMINE if not one.wanted_by), found, 2)
    row, leaving = (next(row for row in rows if row.step.name == name) for name in (step, "discharge"))
    assert (str(row.state), row.but) == (state, but)
    assert held_back(leaving.step, rows, found) is held


@pytest.mark.parametrize(
    ("result", "state"),
    [("active", "done"), ("not_found", "next"), ("mismatch", "next"), ("inactive", "next")],
)
def test_who_is_not_enrolled_is_looked_up_again(result, state):
    """A look-up that found nobody holds the dose back."""
    found = seen(("patient_enrollment", -70, {"result": result}), now=-65)
    rows = progress(ESKETAMINE, found, 1)
    device = next(row.step for row in rows if row.step.name == "device")
    assert str(rows[0].state) == state
    assert held_back(device, rows, found) is (state == "next")


@pytest.mark.parametrize(
    ("reading", "state"),
    [({"acceptable": False}, "next"), ({"acceptable": False, "systolic_mmhg": 160}, "done"), ({"acceptable": True}, "done")],
)  # fmt: skip
def test_a_pressure_that_is_not_acceptable_is_taken_again(reading, state):
    """Before the dose; about one above the limit the prescriber decides."""
    found = told(seen(*BEFORE[:2], ("vital_signs", -30, {"point": "pre_dose", **reading}), now=-20))
    assert found["pressure"][0] == state


@pytest.mark.parametrize(
    ("rows", "step", "late"),
    [
        ((*BEFORE, ONE, TWO, AT_40), "pressure-40", None),
        ((*BOTH, ("vital_signs", 58, {"point": "about_40_min"})), "pressure-40", None),
        ((*BOTH, ("vital_signs", 100, {"point": "about_40_min"})), "pressure-40", 58),
        ((*BOTH, AT_40, ("vital_signs", 100, {"point": "about_40_min"})), "pressure-40", None),
        (BOTH, "pressure", None),
        ((*BOTH, ("vital_signs", 20, {"point": "pre_dose"})), "pressure", None),
        ((*BEFORE[:2], ("vital_signs", 20, {"point": "pre_dose"}), *BOTH[3:]), "pressure", 0),
        ((*BEFORE[:2], ("vital_signs", -9, {"point": "pre_dose", "acceptable": False}), ("vital_signs", 20, {"point": "pre_dose"}), ONE), "pressure", 0),
        ((*BEFORE[:3], ("observation", 1, {"phase": "start"}), ONE), "watching", 0),
        ((("pre_session_check", 3), ONE), "check", 0),
        ((("pre_session_check", 3),), "check", None),
        ((*BOTH, AT_40, LAST, READY, ENDED, LEFT), "ready", None),
        ((*BOTH, AT_40, LAST, ENDED, LEFT, ("assessment", 136)), "ready", 135),
        ((*BOTH, ("discharge", 130, {"disposition": "higher_level_care"}), ("assessment", 136)), "ready", None),
        ((*BOTH, ("observation", 90, {"phase": "check"}), AT_40, LAST, READY, ENDED, LEFT), "look", None),
    ],
)  # fmt: skip
def test_what_was_done_after_its_time_is_late(rows, step, late):
    """It is done, with the time until when it was to be done; a second one in time, or before it, changes nothing."""
    steps = tuple(one for one in ESKETAMINE if not one.wanted_by)
    row = next(row for row in progress(steps, seen(*rows, now=140), 2) if row.step.name == step)
    assert str(row.state) == "done"
    assert (row.late, row.late and (row.due_at - FIRST) // MINUTE) == (
        late is not None,
        late is not None and late,
    )


@pytest.mark.parametrize(
    ("row", "objectionable"),
    [
        (Stood(Progress(STOP, State.DONE), "compliant"), False),
        (Stood(Progress(STOP, State.DONE, late=True), "compliant"), True),
        (
            Stood(Progress(STOP, State.NEXT, seen(READY).events, but=("not ready to leave",)), "compliant"),
            False,
        ),
        (
            Stood(Progress(STOP, State.NEXT, seen(READY).events, but=("not ready to leave",)), "violation"),
            True,
        ),
        (Stood(Progress(STOP, State.WAITING), "violation"), False),
    ],
)
def test_what_is_late_is_objected_to(row, objectionable):
    """Like what is a violation; an outcome that says no is none."""
    assert row.objectionable is objectionable


CANCELLED = {"stage": "cancelled_before_dose"}


@pytest.mark.parametrize(
    ("rows", "told_of", "states"),
    [
        ((*BEFORE, ONE, ("session_stop", 5, CANCELLED)), True, {"device-2": "dropped", "pressure-40": "next", "discharge": "waiting", "form": "waiting"}),
        ((*BEFORE, ONE, ("session_stop", 5, {"stage": "missed"})), True, {"device-2": "dropped", "pressure-40": "next"}),
        ((*BEFORE, ("session_stop", -2, CANCELLED), ONE), True, {"device-2": "next", "pressure-40": "waiting"}),
        ((*BEFORE, ("session_stop", -2, CANCELLED)), False, {"device-1": "dropped", "form": "dropped", "look": "dropped"}),
        ((*BEFORE, ONE, ("session_stop", 5, {"stage": "stopped_during"})), False, {"device-2": "dropped", "pressure-40": "next"}),
    ],
)  # fmt: skip
def test_a_stop_that_says_no_dose_was_given_does_not_end_a_session_with_one(rows, told_of, states):
    """The patient is watched on, and what cannot be so is told; what was said before the dose does not hold the next device up."""
    found = seen(*rows, now=40)
    where = told(found)
    assert {name: where[name][0] for name in states} == states
    assert any("no dose was given" in one for one in contradictions(found)) is told_of


def test_what_is_dropped_when_a_session_is_broken_off():
    """No further package is opened; an infusion that ran until then is still to be entered as a dose."""
    broken = ("session_stop", 41, {"stage": "stopped_during"})
    rows = progress(ESKETAMINE, seen(*BEFORE, ONE, broken, now=45), 2)
    assert {str(row.state) for row in rows if row.step.number == 2} == {"dropped"}
    assert told(seen(*RUNNING, STOPPED, broken, now=45), INFUSION, doses=1)["dose"][0] == "next"


@pytest.mark.parametrize(
    ("rows", "look"),
    [
        ((("assessment", 130, ASLEEP), ENDED), "waiting"),
        ((("assessment", 130, ASLEEP), ("assessment", 140, {"ready_to_leave": True}), ENDED), "done"),
        ((("assessment", 130, ASLEEP), ENDED, LEFT), "done"),
        ((ENDED,), "done"),
    ],
)
def test_who_is_not_ready_is_watched_on(rows, look):
    """An end of the watching that was noted too soon does not end the looks at the patient."""
    assert told(seen(*AFTER, LAST, *rows, now=145))["look"][0] == look
