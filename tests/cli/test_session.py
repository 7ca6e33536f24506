"""``compliance session``: a nurse at a terminal goes through a session in order, and through one in which each step goes wrong."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from compliance.session_steps import ESKETAMINE, STOP
from tests.cli.conftest import command
from tests.cli.treatment import DRUG, NINE, copied, practice_in, states, where
from tests.terminal import terminal

CALL = ("session", "--patient", "P1", "--drug", DRUG, "--as-of", NINE)
GOOD = {
    "nasal_product_used": "n", "acutely_impaired": "n", "history_changed": "n", "transport_type": "escort", "no_driving_explained": "y",
    "acceptable": "y", "dots_before": "2", "dots_after": "0", "sedation": "absent", "dissociation": "resolved",
    "respiratory_depression": "absent", "oriented": "y", "gait_steady": "y", "ready_to_leave": "y", "disposition": "home",
    "departure_mode": "escort", "instructions_given": "y", "devices_taken": "0", "first_treatment": "n", "enrolled": "y",
    "in_person": "y", "serious_adverse_event_seen": "n", "identity_complete": "y",
}  # fmt: skip
"""What a nurse answers where all is well."""

PARTS = {"concomitant": ("benzodiazepine", "sedative_hypnotic", "opioid", "psychostimulant", "maoi")}
"""Records of which the log says nothing, and that are asked part by part."""

MENU = "(? lists them): "


@pytest.fixture(scope="module")
def practice(initialised, tmp_path_factory):
    """A log of one site under the shipped rules about a session."""
    return practice_in(tmp_path_factory.mktemp("practice"), initialised)


@pytest.fixture
def clinic(practice, tmp_path):
    """A copy of it for one test."""
    return copied(practice, tmp_path)


class Nurse:
    """Somebody who types the answers of a step by the names of its fields."""

    def __init__(self, at):
        self.at = at

    def picks(self, name):
        """Choose from the list of what can be done; nothing is what is offered."""
        self.at.sees(MENU)
        self.at.types(name)

    def does(self, name, /, record="", step="", **answers):
        """Choose a step, answer what it asks, and say whether it is to be recorded; `step` says which one is expected to be offered."""
        self.picks(name)
        self.fills_in(step or name, record, **answers)

    def mistypes(self, field, *answers):
        """Type answers to one question, each with the words that come back."""
        self.at.sees(field)
        for typed, told in answers:
            self.at.types(typed)
            self.at.sees(told)

    def confirms(self, told, answer):
        """Something is done out of its turn: see why not, and say whether to go on."""
        self.at.sees(told)
        self.at.sees("Enter it all the same?")
        self.at.types(answer)

    def waits(self, until):
        """Let the time come."""
        self.picks("wait")
        self.at.sees("until")
        self.at.types(until)

    def fills_in(self, step, record="", skip=0, **answers):
        """The questions of a step after the first `skip`; what is not answered is taken as offered."""
        for field in asks(step)[skip:]:
            if field in PARTS:
                self.at.answers(*((f"{field}.{part}", "n") for part in PARTS[field]))
                continue
            self.at.sees(field)
            self.at.types(answers.get(field, GOOD.get(field, "")))
        self.at.sees("Record this?")
        self.at.types(record)


def asks(step):
    """The fields that a step asks for; devices are numbered."""
    table = {one.name: one.asks for one in (*ESKETAMINE, STOP)}
    return table[step] if step in table else table[step.rpartition("-")[0]]


@contextmanager
def nurse(clinic, *words):
    with terminal(command(*words), clinic.environment(), folder=str(clinic.folder), columns=100) as at:
        yield Nurse(at)


def test_a_session_in_order(clinic):
    """Every step in its turn, as offered: nothing is left, and nothing is held against any of it."""
    vitals = {"heart_rate_bpm": "70", "spo2_percent": "98"}
    with nurse(clinic, *CALL) as one:
        one.does("check", last_food_at="06:30", last_liquid_at="08:00", escort_ref="ESC-1")
        one.does("order", prescriber="MD-1", indication_class="trd", dose_mg="56", occurred_at="09:05")
        one.does("pressure", systolic_mmhg="128", diastolic_mmhg="78", occurred_at="09:30", **vitals)
        one.does("watching", occurred_at="09:55")
        one.does("device-1", occurred_at="10:00", completed_at="10:02", lot="L1")
        one.at.sees("waiting for: Device 2, not before 10:05 (in 3 min)")
        one.at.sees("begun 2 min after the one before; 5 min")
        one.waits("10:06")
        one.does("device-2", lot="L1", completed_at="10:08")
        one.does("look", occurred_at="10:20")
        one.at.sees("about 10:48 (in 28 min), window from 10:38 to 10:58")
        one.does("look", occurred_at="10:45")
        one.does("pressure-40", systolic_mmhg="139", diastolic_mmhg="85", occurred_at="10:48", **vitals)
        for at in ("11:15", "11:40", "12:00"):
            one.does("look", occurred_at=at)
        one.at.sees("waiting for: Blood pressure before leaving, not before 12:08 (in 8 min)")
        one.at.sees("Left 1 h 52 min after the last device")
        one.waits("12:09")
        one.does("pressure-leaving", systolic_mmhg="126", diastolic_mmhg="80", **vitals)
        one.does("ready", occurred_at="12:10")
        one.does("watched", occurred_at="12:12")
        one.does("discharge", occurred_at="12:15")
        one.does("form", confirmation="PMF-1", form_version="12/2024", submitted_at="12:20")
        one.at.sees("nothing is left to be done in this session")
        assert one.at.ends() == 0
    code, standing = where(clinic, session="S-20260302-P1")
    assert code == 0
    names = "check order pressure watching device-1 device-2 look pressure-40 pressure-leaving ready watched discharge form"
    assert states(standing) == dict.fromkeys(names.split(), ("done", "compliant"))
    assert [(duty["rule"], duty["state"]) for duty in standing["duties"]] == [("rems-pmf-7d", "met")]


def test_each_step_goes_wrong(clinic):
    """Wrong answers are asked again, what is refused is not written, what was done is; Ctrl-C loses nothing, and another call goes on."""
    with nurse(clinic, *CALL) as one:
        one.picks("check")
        one.mistypes(
            "last_food_at",
            ("half past six", "is not an RFC 3339"),
            ("06:75", "there is no time 06:75"),
            ("06:30", "= 2026-03-02 06:30"),
        )
        one.fills_in("check", "y", skip=1, transport_type="self_drive", no_driving_explained="n")
        one.does("stop", "n", cause="no_transport", reason="No way home")
        one.at.sees("Nothing was written.")
        one.picks("order")
        one.at.sees("order [")
        one.at.presses("c")
        one.at.sees("What was recorded is in the log; the same call goes on from there.")
        assert one.at.ends() == 130
    with nurse(clinic, "session", "--patient", "P1", "--drug", DRUG, "--as-of", NINE) as one:
        one.does(
            "", step="order", prescriber="MD-1", indication_class="trd", dose_mg="84", occurred_at="09:05"
        )
        one.does("", step="pressure", systolic_mmhg="152", diastolic_mmhg="95", occurred_at="09:30")
        one.does("", step="decision", decision="delay", rationale="Came up the stairs", decided_by="MD-1")
        one.at.sees("a prescriber must have decided")
        one.does("", step="pressure", systolic_mmhg="136", diastolic_mmhg="84", occurred_at="09:50")
        one.picks("device-1")
        one.confirms("Device 1 comes after: Somebody begins to watch.", "n")
        one.picks("device-1")
        one.confirms("the patient may not drive until the next day", "y")
        one.fills_in("device-1", "", occurred_at="10:00", completed_at="10:02", observer="RN-1")
        one.at.sees("Nothing was written.")
        one.does("check", no_driving_explained="y")
        one.does("watching", occurred_at="09:58")
        one.does("", step="device-1", occurred_at="10:00", completed_at="10:02")
        one.waits("10:06")
        one.does("", step="device-2", completed_at="10:08")
        one.picks("device-3")
        one.confirms("Device 3: not before 10:11 (in 3 min).", "y")
        one.fills_in("device-3", "y", occurred_at="10:09", completed_at="10:11")
        one.waits("11:05")
        one.at.sees("overdue  look")
        one.at.sees("overdue  pressure-40")
        one.does("", step="pressure-40", systolic_mmhg="150", diastolic_mmhg="88")
        one.picks("discharge")
        one.confirms("Left 54 min after the last device", "y")
        one.fills_in("discharge", "y", departure_mode="self_drive")
        one.at.sees("violation")
        one.picks("leave")
        assert one.at.ends() == 1
    code, standing = where(clinic)
    assert code == 1
    assert states(standing) == {
        "check": ("done", "compliant"), "order": ("done", "compliant"), "pressure": ("done", "compliant"), "watching": ("done", "compliant"),
        "device-1": ("done", "compliant"), "device-2": ("done", "compliant"), "device-3": ("done", "flagged"), "look": ("done", None),
        "pressure-40": ("done", "compliant"), "pressure-leaving": ("overdue", None), "ready": ("overdue", None), "watched": ("overdue", None),
        "discharge": ("done", "violation"), "form": ("next", None),
    }  # fmt: skip
    found = {finding["rule"] for step in standing["steps"] for finding in step["findings"]}
    assert {"uspi-5min", "uspi-bp-40min", "rems-monitor-2h", "uspi-no-drive-discharge"} <= found
