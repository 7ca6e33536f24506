"""Events of treatment sessions, so many minutes after the first dose, and where a session with them stands."""

from __future__ import annotations

from compliance.domain.making import make_event, stamp
from compliance.domain.time import parse_instant
from compliance.domain.values import SCALE
from compliance.session_progress import MINUTE, progress
from compliance.session_steps import ESKETAMINE, Seen

FIRST = parse_instant("2026-03-02T10:00:00-06:00")
LENGTHS = {
    ("uspi-5min", "shortest_rest"): 5 * MINUTE, ("uspi-bp-40min", "earliest"): 30 * MINUTE, ("uspi-bp-40min", "latest"): 50 * MINUTE,
    ("rems-monitor-2h", "minimum_observation"): 120 * MINUTE, ("rems-monitor-2h-first-device", "minimum_observation"): 120 * MINUTE,
    ("uspi-bp-140-90", "systolic"): 140 * SCALE, ("uspi-bp-140-90", "diastolic"): 90 * SCALE,
    ("rems-observer-continuity-checks", "longest"): 30 * MINUTE, ("off-monitor-interval", "parenteral_min"): 10 * SCALE,
    ("off-discharge-wait", "after_iv"): 30 * MINUTE, ("off-discharge-wait", "after_other"): 60 * MINUTE,
}  # fmt: skip
SPRAY, VIAL = "esketamine_nasal_28mg", "ketamine_inj_10mg_ml"
ALL = {
    "pre_session_check": {"nasal_product_used": False, "acutely_impaired": False, "history_changed": False, "transport_type": "escort", "no_driving_explained": True},
    "order": {"drug": SPRAY, "order": "O1", "prescriber": "MD-1", "indication_class": "trd", "product_type": "approved_labelled", "route": "intranasal", "dose_mg": "56"},
    "vital_signs": {"systolic_mmhg": 128, "diastolic_mmhg": 78},
    "clinical_decision": {"about": "elevated_bp", "rationale": "seen", "decided_by": "MD-1"},
    "observation": {"observer": "RN-1", "in_person": True},
    "administration": {"drug": SPRAY, "encounter_class": "outpatient", "route": "intranasal", "dose_mg": "28", "quantity": "1", "quantity_unit": "device", "lot": "L1"},
    "infusion": {"drug": VIAL, "order": "O1", "preparation": "PR1", "run_by": "RN-1"},
    "preparation": {"drug": VIAL, "preparation": "PR1", "order": "O1", "source_strength_mg_per_ml": "10", "drug_ml": "4", "final_mg_per_ml": "1", "prepared_by": "RN-1"},
    "assessment": {"instrument": "readiness", "mode": "clinician"},
    "discharge": {"disposition": "home", "departure_mode": "escort", "devices_taken": 0},
    "session_stop": {"cause": "other"},
    "patient_enrollment": {"program": "spravato_rems", "step": "verified"},
    "container_status": {"container": "C1", "status": "opened", "storage_place": "CAB", "registration": "R1"},
}  # fmt: skip


def event(position, kind, minute, **fields):
    """One event of the session, so many minutes after the first device."""
    at = FIRST + minute * MINUTE
    body = {
        "id": f"e{position}", "kind": kind, "occurred_at": clock(minute), "site": "S1", "actor": "RN-1", "patient": "P1", "session": "T1",
        **ALL[kind], **fields,
    }  # fmt: skip
    made = make_event(body)
    assert not isinstance(made, tuple), made
    return stamp(made, at, position)


def clock(minute):
    """A time of day, so many minutes after the first device."""
    return f"2026-03-02T{10 + minute // 60:02}:{minute % 60:02}:00-06:00"


def seen(*rows, now=0, deadlines=None):
    """What is known of a session, `now` in minutes."""
    events = tuple(
        sorted(
            (event(number, *row[:2], **(row[2] if row[2:] else {})) for number, row in enumerate(rows)),
            key=lambda one: one.order,
        )
    )
    return Seen(
        events, FIRST + now * MINUTE, lambda rule, parameter: LENGTHS.get((rule, parameter)), deadlines or {}
    )


def told(found, table=ESKETAMINE, doses=2):
    """Each step's state, with the minutes before which it is not to be done and by which it is."""
    steps = tuple(step for step in table if not step.wanted_by)
    minutes = {None: None}
    return {
        row.step.name: (
            str(row.state),
            *(minutes.get(at, at and (at - FIRST) // MINUTE) for at in (row.not_before, row.due_at)),
        )
        for row in progress(steps, found, doses)
    }


BEFORE = (
    ("pre_session_check", -60), ("order", -50), ("vital_signs", -30, {"point": "pre_dose"}), ("observation", -5, {"phase": "start"}),
)  # fmt: skip
ONE = ("administration", 0, {"completed_at": clock(2)})
TWO = ("administration", 6, {"completed_at": clock(8)})
BOTH = (*BEFORE, ONE, TWO)
AT_40 = ("vital_signs", 48, {"point": "about_40_min"})
LAST = ("vital_signs", 129, {"point": "pre_discharge"})
READY = ("assessment", 130, {"ready_to_leave": True})
ENDED = ("observation", 131, {"phase": "end"})
LEFT = ("discharge", 135)

RUNNING = (
    ("pre_session_check", -60), ("order", -50, {"drug": VIAL, "route": "iv_infusion", "product_type": "approved_off_label", "dose_mg": "40"}),
    ("vital_signs", -30, {"point": "pre_dose"}), ("preparation", -10), ("infusion", 0, {"phase": "start"}),
)  # fmt: skip
STOPPED = ("infusion", 40, {"phase": "stop", "delivered_mg": "38"})
GIVEN = (
    "administration",
    0,
    {
        "drug": VIAL,
        "route": "iv_infusion",
        "dose_mg": "38",
        "quantity": "3.8",
        "quantity_unit": "ml",
        "completed_at": clock(40),
    },
)
UNENDED = (*GIVEN[:2], {name: value for name, value in GIVEN[2].items() if name != "completed_at"})
BOLUS = ("administration", -5, {**UNENDED[2], "route": "iv_bolus"})
RECOVERED = {"instrument": "recovery", "ready_to_leave": True}
