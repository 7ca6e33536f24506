"""``compliance session`` where nobody can be asked: where a session stands, and which one is meant."""

from __future__ import annotations

import pytest

from tests.cli.treatment import DRUG, NINE, copied, practice_in, states, where


@pytest.fixture(scope="module")
def practice(initialised, tmp_path_factory):
    """A log of one site under the shipped rules about a session."""
    return practice_in(tmp_path_factory.mktemp("practice"), initialised)


@pytest.fixture
def clinic(practice, tmp_path):
    """A copy of it for one test."""
    return copied(practice, tmp_path)


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


def stood(standing, name):
    """A step of it."""
    return next(step for step in standing["steps"] if step["step"] == name)


KETAMINE = "ketamine_inj_10mg_ml"
PUMP = {"drug": KETAMINE, "order": "O1", "preparation": "PR1", "run_by": "RN-2"}
STARTED = event("infusion", "10:00", phase="start", rate_mg_per_min="1", **PUMP)
ENDED = event("infusion", "10:50", phase="stop", delivered_mg="50", **PUMP)


def test_a_running_infusion_keeps_the_patient(clinic):
    """No time and no permission while it runs; from its stop on a time, and still none before the dose is entered."""
    clinic.record(STARTED)
    _code, standing = where(clinic, "2026-03-02T10:31:00-06:00", "P1", KETAMINE)
    leaving = stood(standing, "discharge")
    assert (leaving["state"], leaving["not_before"], leaving["verdict"]) == ("waiting", None, "denied")
    assert "The infusion runs" in standing["contradictions"][0]
    clinic.record(ENDED)
    _code, standing = where(clinic, "2026-03-02T11:30:00-06:00", "P1", KETAMINE)
    leaving = stood(standing, "discharge")
    assert (leaving["not_before"], leaving["verdict"]) == ("2026-03-02T17:20:00Z", "denied")
    assert "not entered as a dose" in standing["contradictions"][0]


@pytest.mark.parametrize("acceptable", [True, False])
def test_what_waits_for_an_outcome_is_not_called_permitted(clinic, acceptable):
    """No rule of this log asks whether a pressure was acceptable; the device is not shown as permitted all the same."""
    reading = event(
        "vital_signs", "08:50", point="pre_dose", systolic_mmhg=120, diastolic_mmhg=80, acceptable=acceptable
    )
    clinic.record(ORDERED, CHECKED, WATCHED, reading)
    _code, standing = where(clinic, NINE)
    device = stood(standing, "device-1")
    assert standing["next"] == ("device-1" if acceptable else "pressure")
    assert (device["verdict"] is None) is not acceptable


ASLEEP = event(
    "assessment", "12:12", instrument="readiness", mode="clinician", sedation="present", ready_to_leave=False
)


def test_who_is_not_ready_is_looked_at_again(clinic):
    """The outcome is told, and the step is the next one again."""
    clinic.record(
        {**ORDERED, "dose_mg": "28"},
        CHECKED,
        WATCHED,
        GIVEN,
        event("vital_signs", "12:11", point="pre_discharge", systolic_mmhg=120, diastolic_mmhg=80),
        ASLEEP,
    )
    _code, standing = where(clinic)
    ready = stood(standing, "ready")
    assert (standing["next"], ready["state"]) == ("ready", "next")
    assert ready["but"] == ["sedation present", "not ready to leave"]
    _code, words = told(clinic, "--patient", "P1", "--as-of", "2026-03-02T12:30:00-06:00")
    assert "but: sedation present, not ready to leave; look again" in " ".join(words.split())


def test_what_was_late_is_told(clinic):
    """A pressure after its window is done and late, in the text, in JSON and in the exit code."""
    before = event("vital_signs", "09:30", point="pre_dose", systolic_mmhg=120, diastolic_mmhg=80)
    clinic.record(
        ORDERED,
        CHECKED,
        WATCHED,
        before,
        GIVEN,
        {**GIVEN, "id": "second", "occurred_at": "2026-03-02T10:08:00-06:00"},
    )
    clinic.record(event("observation", "10:30", phase="check", observer="RN-2", in_person=True))
    clinic.record(event("vital_signs", "11:40", point="about_40_min", systolic_mmhg=120, diastolic_mmhg=80))
    code, standing = where(clinic, "2026-03-02T11:41:00-06:00")
    reading = stood(standing, "pressure-40")
    assert (code, reading["state"], reading["late"]) == (1, "done", True)
    assert (reading["not_before"], reading["due_at"]) == ("2026-03-02T16:38:00Z", "2026-03-02T16:58:00Z")
    _code, words = told(clinic, "--patient", "P1", "--as-of", "2026-03-02T11:41:00-06:00")
    assert "11:40, late: window from 10:38 to 10:58" in " ".join(words.split())


def test_a_mistyped_stop_does_not_drop_the_patient(clinic):
    """The session goes on, and what cannot be so is told."""
    clinic.record(
        ORDERED, CHECKED, GIVEN, {**STOPPED, "id": "late-stop", "occurred_at": "2026-03-02T10:05:00-06:00"}
    )
    _code, standing = where(clinic, "2026-03-02T10:35:00-06:00")
    assert (standing["session"], standing["next"], stood(standing, "form")["state"]) == (
        "T1",
        "pressure-40",
        "waiting",
    )
    assert "late-stop" in standing["contradictions"][0]


@pytest.mark.parametrize(
    ("events", "drug"), [((STOPPED,), DRUG), ((GIVEN,), KETAMINE), ((LEFT,), DRUG)]
)  # fmt: skip
def test_a_second_session_of_a_day_has_its_own_id(clinic, events, drug):
    """Where the made-up id is one of a session that is over, or of another drug, the next one is numbered, and the nurse told."""
    first = "S-20260302-P1"
    clinic.record(*({**one, "session": first} for one in (CHECKED, ORDERED, *events)))
    _code, standing = where(clinic, "2026-03-02T14:00:00-06:00", "P1", drug)
    assert standing["session"] == f"{first}-2"
    assert stood(standing, "check")["state"] == "next"
    _code, words = told(clinic, "--patient", "P1", "--drug", drug, "--as-of", "2026-03-02T14:00:00-06:00")
    assert f"{first}-2 is a new one. Name the other with --session {first}" in " ".join(words.split())
    again = {**CHECKED, "id": "again", "session": f"{first}-2", "occurred_at": "2026-03-02T14:05:00-06:00"}
    clinic.record(again)
    assert where(clinic, "2026-03-02T14:10:00-06:00", "P1", drug)[1]["session"] == f"{first}-2"


def test_two_patients_never_share_a_made_up_id(clinic):
    """A long id of a patient is told by its digest; an id that is another patient's is left to that patient."""
    long = ["PATIENT-" + "A" * 48 + f"-000{number}" for number in (1, 2)]
    ids = [where(clinic, NINE, patient)[1]["session"] for patient in long]
    assert ids[0] != ids[1]
    assert max(map(len, ids)) <= 56
    clinic.record({**CHECKED, "patient": "P2", "session": "S-20260302-P1"})
    assert where(clinic, NINE)[1]["session"] == "S-20260302-P1-2"


def test_past_midnight_what_was_asked_before_still_counts(clinic):
    """Medicines asked without a session at 22:30, a device at 23:30: the day is that of the session's begin."""
    thoughts = event("assessment", "22:30", instrument="cssrs", mode="clinician", suicidal_ideation_level=0)
    decided = event(
        "clinical_decision",
        "22:45",
        about="elevated_bp",
        concerns_event="high",
        decision="proceed",
        rationale="usual",
        decided_by="MD-1",
    )
    del thoughts["session"], decided["session"]
    high = {**HIGH, "id": "high", "occurred_at": "2026-03-02T22:40:00-06:00"}
    clinic.record(thoughts, high, decided, {**GIVEN, "occurred_at": "2026-03-02T23:30:00-06:00"})
    for as_of in ("2026-03-02T23:59:00-06:00", "2026-03-03T00:01:00-06:00"):
        assert states(where(clinic, as_of)[1])["decision"][0] == "done"


def test_the_session_before_midnight_is_the_last_day(clinic):
    """What was said to another session's day is no answer for this one."""
    decided = event(
        "clinical_decision",
        "07:00",
        about="elevated_bp",
        concerns_event="high",
        decision="proceed",
        rationale="usual",
        decided_by="MD-1",
    )
    del decided["session"]
    high = {**HIGH, "id": "high", "occurred_at": "2026-03-03T08:00:00-06:00"}
    clinic.record(decided, high)
    assert states(where(clinic, "2026-03-03T09:00:00-06:00")[1])["decision"][0] != "done"
