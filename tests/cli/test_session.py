"""``compliance session``: a nurse at a terminal goes through a session in order, and through one in which each step goes wrong."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager

import pytest

from compliance.ledger.log import Log
from compliance.policy.bundle import load_folder
from compliance.session_steps import ESKETAMINE, STOP
from compliance.settings import shipped_folder
from tests.cli.conftest import SITE, Clinic, command
from tests.recording import put_in_force
from tests.terminal import terminal

RULES = (
    "uspi-5min", "uspi-bp-40min", "rems-monitor-2h", "rems-monitor-2h-first-device", "rems-monitor-2h-observation", "uspi-bp-pre",
    "uspi-bp-140-90", "uspi-no-drive", "uspi-no-drive-discharge", "rems-monitor-resolution", "uspi-bp-decline", "uspi-device-math",
    "rems-pmf-7d", "rems-observer-continuity-checks",
)  # fmt: skip
DRUG = "esketamine_nasal_28mg"
NINE = "2026-03-02T09:00:00-06:00"
CALL = ("session", "--patient", "P1", "--drug", DRUG, "--as-of", NINE)
GOOD = {
    "nasal_product_used": "n", "acutely_impaired": "n", "history_changed": "n", "transport_type": "escort", "no_driving_explained": "y",
    "acceptable": "y", "dots_before": "2", "dots_after": "0", "sedation": "absent", "dissociation": "resolved",
    "respiratory_depression": "absent", "oriented": "y", "gait_steady": "y", "ready_to_leave": "y", "disposition": "home",
    "departure_mode": "escort", "instructions_given": "y", "devices_taken": "0", "first_treatment": "n", "enrolled": "y",
    "serious_adverse_event_seen": "n", "identity_complete": "y",
}  # fmt: skip
"""What a nurse answers where all is well."""

PARTS = {"concomitant": ("benzodiazepine", "sedative_hypnotic", "opioid", "psychostimulant", "maoi")}
"""Records of which the log says nothing, and that are asked part by part."""

MENU = "(? lists them): "


@pytest.fixture(scope="module")
def practice(initialised, tmp_path_factory):
    """A log of one site under the shipped rules about a session's times, pressures and way home."""
    folder = tmp_path_factory.mktemp("practice")
    policies, library = folder / "policies", shipped_folder("policies")
    policies.mkdir()
    shutil.copy(library / "bundle.yaml", policies)
    for rule in RULES:
        shutil.copy(library / "spravato-rems" / f"{rule}.yaml", policies)
    bundle, problems = load_folder(policies)
    assert bundle is not None, problems
    for file in initialised.folder.iterdir():
        shutil.copy2(file, folder / file.name)
    clinic = Clinic(folder)
    with Log.open(f"sqlite:///{clinic.database}", write=True) as log:
        put_in_force(log, bundle)
    clinic.record(SITE)
    return clinic


@pytest.fixture
def clinic(practice, tmp_path):
    """A copy of it for one test."""
    for file in practice.folder.glob("*.*"):
        shutil.copy2(file, tmp_path / file.name)
    return Clinic(tmp_path)


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


def where(clinic, as_of="2026-03-02T12:30:00-06:00"):
    result = clinic.run("session", "--patient", "P1", "--as-of", as_of, "--drug", DRUG, "--output", "json")
    return result.exit_code, json.loads(result.stdout)


def states(standing):
    """Each step with its state and verdict."""
    return {step["step"]: (step["state"], step["verdict"]) for step in standing["steps"]}


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
    code, standing = where(clinic)
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


# ---- without a terminal


def told(clinic, *words):
    """What the command prints where nobody can be asked."""
    result = clinic.run("session", "--as-of", NINE, *words)
    return result.exit_code, result.stdout + result.stderr


def test_without_a_terminal_it_says_where_the_session_stands(clinic):
    """Nothing is asked and nothing written; the steps stand in a table."""
    code, words = told(clinic, "--patient", "P1", "--drug", DRUG)
    assert code == 0
    assert "next     check " in words
    assert "Device 1 now would be denied:" in words
    assert "Last one: missing." in words


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), 2, "Name the patient with --patient."),
        (("--patient", "P1"), 2, "Name it with --drug."),
        (("--patient", "P1", "--drug", "aspirin"), 2, "aspirin"),
        (("--patient", "P1", "--drug", DRUG, "--site", "S9"), 2, "there is no profile of a site S9"),
        (("--patient", "not an id", "--drug", DRUG), 2, "Invalid value for '--patient'"),
    ],
)
def test_what_cannot_be_known_is_asked_for_by_option(clinic, words, code, says):
    """A wrong or missing word of the call is an error of the call."""
    result = told(clinic, *words)
    assert result[0] == code
    assert says in result[1]
    assert "Traceback" not in result[1]


def event(kind, at, **fields):
    """An event of the session, entered elsewhere."""
    day = "2026-03-02T"
    return {
        "id": f"{kind}-{at}".replace(":", ""), "kind": kind, "occurred_at": f"{day}{at}:00-06:00", "site": "S1", "actor": "RN-2",
        "patient": "P1", "session": "T1", **fields,
    }  # fmt: skip


ORDERED = event(
    "order", "08:40", drug=DRUG, order="O1", prescriber="MD-1", indication_class="trd", product_type="approved_labelled", route="intranasal",
    dose_mg="56",
)  # fmt: skip
CHECKED = event(
    "pre_session_check", "08:45", nasal_product_used=False, acutely_impaired=False, history_changed=False, transport_type="escort",
    no_driving_explained=True,
)  # fmt: skip
HIGH = event("vital_signs", "08:50", point="pre_dose", systolic_mmhg=150, diastolic_mmhg=80)
WATCHED = event("observation", "08:55", phase="start", observer="RN-2", in_person=True)


def test_what_was_entered_elsewhere_counts(clinic):
    """Events of a file belong to the session like typed ones; the session that is going on is found, with its drug."""
    order = {name: value for name, value in ORDERED.items() if name != "session"}
    clinic.record(order, CHECKED)
    code, standing = where(clinic, NINE)
    assert code == 0
    assert standing["session"] == "T1"
    assert standing["next"] == "pressure"
    assert states(standing)["order"] == ("done", "compliant")
    assert standing["steps"][0]["events"] == [CHECKED["id"]]


def test_a_high_pressure_blocks_the_device(clinic):
    """The decision is asked for; where a prescriber wants to go on and may not, the device is denied, with the rule."""
    clinic.record(ORDERED, CHECKED, HIGH)
    assert where(clinic, NINE)[1]["next"] == "decision"
    decided = event(
        "clinical_decision",
        "08:52",
        about="elevated_bp",
        concerns_event=HIGH["id"],
        decision="proceed",
        rationale="usual",
        decided_by="MD-9",
    )
    clinic.record(decided, WATCHED)
    code, standing = where(clinic, NINE)
    assert code == 1
    assert states(standing)["device-1"] == ("blocked", "denied")
    (finding,) = next(step for step in standing["steps"] if step["step"] == "device-1")["findings"]
    assert (finding["rule"], finding["severity"]) == ("uspi-bp-140-90", "deny")
    assert finding["remedy"]


def test_nothing_is_written_by_asking(clinic):
    """Judging ahead leaves the log as it is."""
    clinic.record(ORDERED, CHECKED, HIGH)
    before = clinic.database.read_bytes()
    where(clinic, NINE)
    told(clinic, "--patient", "P1")
    assert clinic.database.read_bytes() == before


def test_a_session_of_somebody_else_is_not_gone_on_with(clinic):
    """Patient, drug and site of a named session are those on record."""
    clinic.record(ORDERED, CHECKED)
    code, words = told(clinic, "--patient", "P2", "--session", "T1", "--drug", DRUG)
    assert code == 2
    assert "is one of another patient" in words
    code, words = told(clinic, "--patient", "P1", "--session", "T1", "--drug", "ketamine_inj_50mg_ml")
    assert code == 2


LEFT = event("discharge", "12:20", disposition="home", departure_mode="escort", devices_taken=0)
STOPPED = event("session_stop", "09:20", stage="cancelled_before_dose", cause="no_transport")
BROKEN_OFF = event("session_stop", "10:20", stage="stopped_during", cause="adverse_event")
GIVEN = event(
    "administration", "10:00", drug=DRUG, encounter_class="outpatient", route="intranasal", dose_mg="28", quantity="1", quantity_unit="device"
)  # fmt: skip


@pytest.mark.parametrize(
    ("events", "goes_on"),
    [((STOPPED,), False), ((LEFT,), False), ((GIVEN, LEFT), True), ((GIVEN, BROKEN_OFF), True)],
)
def test_a_session_goes_on_until_nothing_is_owed(clinic, events, goes_on):
    """A session given up is over; so is one whose patient left, unless a device was used: then the form is still to come."""
    clinic.record(ORDERED, CHECKED, *events)
    assert (where(clinic)[1]["session"] == "T1") is goes_on


def test_a_new_day_is_a_new_session(clinic):
    """What was left open yesterday is gone on with only by its name."""
    clinic.record(ORDERED, CHECKED)
    _code, standing = where(clinic, "2026-03-03T09:00:00-06:00")
    assert standing["session"] == "S-20260303-P1"
