"""The steps of one treatment session as data, and how far a session has come.

A table of steps for esketamine under the REMS (SPRAVATO USPI 2.4, 2.5; REMS Document, healthcare settings) and two for ketamine off label,
by infusion and by any other way. A step is one event of the vocabulary: which kind, by which fields it is told from others of its
kind, what is usual in it, what is asked. What somebody must look at or ask the patient is never offered as an answer. No figure of the law stands here: a step's times are named by rule and parameter, and those
in force on the day, at the site, are looked up (`Seen.length`).

How far a session has come, `session_progress` says, from the events alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Literal

from compliance.domain.drugs import DRUGS
from compliance.domain.event import Event

INFUSED: Final = "iv_infusion"
Anchor = Literal["first_begun", "last_begun", "last_ended", "looked", "measured"]


class State(StrEnum):
    """Where a step stands. *blocked* is said by whoever asked the rules: the next step would be denied now. *dropped*: the session was
    stopped, and nobody waits for it."""

    DONE = "done"
    NEXT = "next"
    WAITING = "waiting"
    OVERDUE = "overdue"
    BLOCKED = "blocked"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Wait:
    """A length of time of the policies, from something in the session on: begin of the first or last dose, end of the last one (its begin,
    where nobody noted the end), the last look at the patient, the last reading. A parameter that is a plain number counts minutes."""

    rule: str
    parameter: str
    after: Anchor


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `tells` are the values by which its event is known, `usual` what is offered beside them, `expected` what a session that
    goes well would say and nobody is offered (it is assumed where the step is judged ahead), `carries` the fields that are taken
    over from earlier events of the session, `by_actor` those in which whoever acts is offered, `asks` the fields that a person is asked for.

    `follows` says what it must come after to count: the begin of the first dose, or the end of the last one.
    It is not due before all of `opens`, and overdue after the last of `closes`. A step with `wanted_by` belongs to a session only where one
    of these rules is in force. A `gate` stands before the first dose; `again` comes again and again while the patient is watched; what may
    be denied is `judged_ahead`. Steps for `each` dose come once for every dose, `number` says for which.
    """

    name: str
    says: str
    kind: str
    asks: tuple[str, ...]
    tells: Mapping[str, Any] = field(default_factory=dict)
    usual: Mapping[str, Any] = field(default_factory=dict)
    expected: Mapping[str, Any] = field(default_factory=dict)
    carries: tuple[str, ...] = ()
    by_actor: tuple[str, ...] = ()
    opens: tuple[Wait, ...] = ()
    closes: tuple[Wait, ...] = ()
    wanted_by: tuple[str, ...] = ()
    follows: Literal["", "begun", "ended"] = ""
    gate: bool = False
    again: bool = False
    judged_ahead: bool = False
    each: bool = False
    number: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a session: its performed events as they stand, in history's order, with the patient's order for the drug; the instant
    (microseconds) as of which is asked; the value in force of a rule's parameter, None where there is no such rule; by when the duties that
    the session opened ask for an event of a kind."""

    events: tuple[Event, ...]
    now: int
    length: Callable[[str, str], Any]
    deadlines: Mapping[str, int] = field(default_factory=dict)

    def of(self, kind: str, **values: Any) -> tuple[Event, ...]:
        """The events of a kind that have these values."""
        return tuple(
            event
            for event in self.events
            if event.kind == kind and all(event.values.get(name) == value for name, value in values.items())
        )

    @property
    def doses(self) -> tuple[Event, ...]:
        """The doses given; of an infusion that nobody entered as a dose yet, its start."""
        return self.of("administration") or self.of("infusion", phase="start")[:1]

    @property
    def stopped(self) -> bool:
        """Whether the session was broken off or given up; what was said before a dose does not hold after it was given."""
        begun = self.doses[0].occurred_at if self.doses else None
        return any(
            begun is None or event.values["stage"] == "stopped_during" or event.occurred_at >= begun
            for event in self.of("session_stop")
        )

    @property
    def given_up(self) -> bool:
        """Whether it ended before a dose: some stop says so, and no dose was given."""
        stages = {event.values["stage"] for event in self.of("session_stop")}
        return not self.doses and bool(stages - {"stopped_during"})

    @property
    def pump(self) -> Event | None:
        """The last entry of an infusion's pump."""
        return next(reversed(self.of("infusion")), None)

    @property
    def running(self) -> bool:
        """Whether an infusion runs, or nobody noted that it ended: neither the pump's stop is there nor a dose's end after its last entry."""
        return (
            self.pump is not None
            and self.pump.values["phase"] != "stop"
            and not any(
                dose.values.get("completed_at", self.pump.occurred_at - 1) >= self.pump.occurred_at
                for dose in self.of("administration", route=INFUSED)
            )
        )

    @property
    def unentered(self) -> bool:
        """Whether an infusion was begun that nobody entered as a dose yet."""
        return self.pump is not None and not self.of("administration", route=INFUSED)

    @property
    def ended(self) -> int | None:
        """When the last dose had ended, infusion or not; None where none was given, an infusion runs, or nobody noted the end of one."""
        if self.running or not self.doses:
            return None
        stops = [event.occurred_at for event in self.of("infusion", phase="stop")]
        last = self.doses[-1]
        if not stops and last.values.get("route") == INFUSED and "completed_at" not in last.values:
            return None
        ended: int = max([last.values.get("completed_at", last.occurred_at), *stops])
        return ended


@dataclass(frozen=True, slots=True)
class Progress:
    """A step and how it stands: the events that did it; not before and until when it is to be done, as far as that can be said; what the last
    of its events says against it, where it must be done again; whether it was done after its time."""

    step: Step
    state: State
    events: tuple[Event, ...] = ()
    not_before: int | None = None
    due_at: int | None = None
    but: tuple[str, ...] = ()
    late: bool = False

    @property
    def open(self) -> bool:
        """Whether it is still to be done."""
        return self.state not in (State.DONE, State.DROPPED)


PRESSURE: Final = (
    "systolic_mmhg",
    "diastolic_mmhg",
    "heart_rate_bpm",
    "spo2_percent",
    "acceptable",
    "occurred_at",
)
HIGH: Final = (
    ("systolic_mmhg", "uspi-bp-140-90", "systolic"),
    ("diastolic_mmhg", "uspi-bp-140-90", "diastolic"),
)
"""The pressures of a reading before the dose above which a prescriber decides: field, rule, parameter."""

_STAY: Final = (
    Wait("rems-monitor-2h", "minimum_observation", "last_ended"),
    Wait("rems-monitor-2h-first-device", "minimum_observation", "first_begun"),
    Wait("rems-monitor-2h-observation", "minimum_observation", "first_begun"),
)

_BEFORE: Final = (
    Step(
        "check", "Questions before the dose", "pre_session_check", gate=True,
        asks=("last_food_at", "last_liquid_at", "nasal_product_used", "acutely_impaired", "history_changed", "transport_type",
              "escort_ref", "no_driving_explained", "stop_criteria_set"),
    ),
    Step(
        "medicines", "Medicines of today", "medication_reconciliation", gate=True, wanted_by=("uspi-conmed", "off-conmed"),
        asks=("benzodiazepine", "sedative_hypnotic", "opioid", "alcohol_today", "psychostimulant", "maoi", "theophylline",
              "aminophylline", "oral_antidepressant"),
    ),
    Step(
        "suicidality", "Suicidal thoughts", "assessment", gate=True, wanted_by=("uspi-abuse-suicide-session", "off-cssrs"),
        tells={"instrument": "cssrs"}, usual={"mode": "clinician"}, by_actor=("assessor",), asks=("mode", "suicidal_ideation_level"),
    ),
    Step(
        "order", "Order", "order", gate=True,
        asks=("order", "prescriber", "indication_class", "indication_code", "dose_mg", "evaluation_event", "course", "age_years", "signed_at",
              "expires_at", "occurred_at"),
    ),
    Step(
        "pressure", "Blood pressure before the dose", "vital_signs", gate=True, tells={"point": "pre_dose"}, asks=PRESSURE,
    ),
)  # fmt: skip

_DECISION: Final = Step(
    "decision", "Decision on the high pressure", "clinical_decision", gate=True, tells={"about": "elevated_bp"},
    asks=("decision", "rationale", "decided_by", "occurred_at"),
)  # fmt: skip

_LEAVING: Final = Step(
    "pressure-leaving", "Blood pressure before leaving", "vital_signs", tells={"point": "pre_discharge"}, asks=PRESSURE, follows="ended",
)  # fmt: skip

ESKETAMINE: Final[tuple[Step, ...]] = (
    Step(
        "enrolment", "Enrolment looked up", "patient_enrollment", gate=True, wanted_by=("rems-enroll-verify",),
        tells={"program": "spravato_rems", "step": "verified"}, asks=("result", "program_patient_ref", "patient_identity_ref"),
    ),
    *_BEFORE,
    _DECISION,
    Step(
        "watching", "Somebody begins to watch", "observation", gate=True, tells={"phase": "start"},
        by_actor=("observer",), asks=("observer", "in_person", "concurrent_patients", "occurred_at"),
    ),
    Step(
        "open", "Package opened: device", "container_status", each=True, wanted_by=("er-sequence-12-opened",), tells={"status": "opened"},
        usual={"labelled_quantity": "1", "quantity_left": "1", "quantity_unit": "device", "cause": "normal"},
        carries=("storage_place", "registration", "lot"), asks=("container", "lot", "expires_on", "storage_place", "registration", "occurred_at"),
    ),
    Step(
        "device", "Device", "administration", each=True, judged_ahead=True, opens=(Wait("uspi-5min", "shortest_rest", "last_begun"),),
        usual={"encounter_class": "outpatient", "route": "intranasal", "quantity": "1", "quantity_unit": "device", "given_by": "patient_self"},
        expected={"dots_before": 2, "dots_after": 0},
        carries=("order", "observer", "registration", "prescription", "supervisor", "lot", "container", "patient_identity_ref"),
        asks=("occurred_at", "completed_at", "dots_before", "dots_after", "given_by", "observer", "supervisor", "lot", "container",
              "encounter_class", "registration",
              "patient_identity_ref"),
    ),
    Step(
        "look", "Look at the patient", "observation", again=True, tells={"phase": "check"},
        by_actor=("observer",), asks=("observer", "in_person", "occurred_at"),
        closes=(Wait("rems-observer-continuity-checks", "longest", "looked"),),
    ),
    Step(
        "pressure-40", "Blood pressure at about 40 minutes", "vital_signs", tells={"point": "about_40_min"}, asks=PRESSURE, follows="begun",
        opens=(Wait("uspi-bp-40min", "earliest", "last_ended"),), closes=(Wait("uspi-bp-40min", "latest", "last_ended"),),
    ),
    replace(_LEAVING, opens=(Wait("uspi-bp-decline", "after", "last_ended"), *_STAY)),
    Step(
        "ready", "Sedation, dissociation, breathing; ready to leave", "assessment", tells={"instrument": "readiness"}, follows="ended",
        usual={"mode": "clinician"},
        by_actor=("assessor",), asks=("assessor", "sedation", "dissociation", "respiratory_depression", "oriented", "gait_steady", "ready_to_leave", "occurred_at"),
        opens=(
            Wait("uspi-discharge-assess", "earliest", "last_ended"), Wait("rems-monitor-resolution", "earliest", "last_ended"), *_STAY,
        ),
    ),
    Step(
        "watched", "Watching ends", "observation", tells={"phase": "end"}, by_actor=("observer",), follows="ended",
        asks=("observer", "in_person", "occurred_at"), opens=_STAY,
    ),
    Step(
        "discharge", "Patient leaves", "discharge", judged_ahead=True, opens=_STAY,
        expected={"disposition": "home", "departure_mode": "escort", "instructions_given": True, "devices_taken": 0},
        carries=("escort_ref",), by_actor=("released_by",),
        asks=("disposition", "departure_mode", "escort_ref", "instructions_given", "devices_taken", "released_by", "occurred_at"),
    ),
    Step(
        "form", "REMS patient monitoring form", "monitoring_form", usual={"status": "submitted", "channel": "online"},
        by_actor=("provider",),
        asks=("form_version", "status", "submitted_at", "channel", "confirmation", "provider", "first_treatment", "enrolled", "dose_mg", "lots",
              "total_min", "vitals", "effects", "concomitant", "serious_adverse_event_seen", "identity_complete"),
    ),
)  # fmt: skip

_MORE_OF_KETAMINE: Final[Mapping[str, tuple[str, ...]]] = {
    "order": ("route", "dose_mg_per_kg", "weight_kg", "planned_min", "rationale"),
    "vital_signs": ("continuous_oximetry",),
}
_BEFORE_KETAMINE: Final = tuple(
    replace(step, asks=(*step.asks[:-1], *_MORE_OF_KETAMINE.get(step.kind, ()), step.asks[-1]))
    for step in _BEFORE
)
_PREPARATION: Final = Step(
    "preparation", "Drawn up", "preparation", gate=True, carries=("order",), by_actor=("prepared_by",),
    asks=("preparation", "container", "lot", "source_strength_mg_per_ml", "drug_ml", "diluent", "diluent_ml", "final_mg_per_ml",
          "prepared_by", "checked_by", "occurred_at"),
)  # fmt: skip
_PUMP: Final = Step(
    "infusion", "Infusion starts", "infusion", judged_ahead=True, tells={"phase": "start"}, carries=("order", "preparation", "equipment"),
    by_actor=("run_by",), asks=("rate_mg_per_min", "rate_ml_per_hour", "equipment", "run_by", "occurred_at"),
)  # fmt: skip
_GIVEN: Final = (
    "dose_mg", "quantity", "observer", "supervisor", "lot", "container", "registration", "encounter_class", "patient_identity_ref",
)  # fmt: skip


def _ketamine_end(stay: Wait) -> tuple[Step, ...]:
    """What comes after the dose, however it was given; `stay` says how long the patient stays."""
    return (
        Step(
            "reading", "Pressure and oxygen during recovery", "vital_signs", again=True, tells={"point": "during"}, asks=(*PRESSURE, "continuous_oximetry"),
            closes=(
                Wait("off-monitor-interval", "parenteral_min" if stay.parameter == "after_iv" else "other_min", "measured"),
            ),
        ),
        Step(
            "responsiveness", "Responsiveness", "assessment", wanted_by=("off-monitor-interval",), tells={"instrument": "moaas"},
            usual={"mode": "clinician"}, follows="begun", by_actor=("assessor",), asks=("total", "occurred_at"),
        ),
        _LEAVING,
        Step(
            "recovery", "Recovered", "assessment", tells={"instrument": "recovery"}, follows="ended",
            usual={"mode": "clinician"}, by_actor=("assessor",),
            asks=("assessor", "oriented", "gait_steady", "ready_to_leave", "occurred_at"),
        ),
        Step(
            "discharge", "Patient leaves", "discharge", judged_ahead=True, opens=(stay,),
            expected={"disposition": "home", "departure_mode": "escort", "instructions_given": True, "devices_taken": 0},
            carries=("escort_ref",), by_actor=("released_by",),
            asks=("disposition", "departure_mode", "escort_ref", "instructions_given", "devices_taken", "released_by", "occurred_at"),
        ),
    )  # fmt: skip


INFUSION: Final[tuple[Step, ...]] = (
    *_BEFORE_KETAMINE,
    _PREPARATION,
    _PUMP,
    replace(
        _PUMP, name="infused", says="Infusion stops", tells={"phase": "stop"}, judged_ahead=False,
        asks=("volume_infused_ml", "delivered_mg", "run_by", "occurred_at"),
    ),
    Step(
        "dose", "Dose entered", "administration", each=True, judged_ahead=True,
        usual={"encounter_class": "outpatient", "route": INFUSED, "quantity_unit": "ml", "given_by": "staff"},
        carries=("order", "lot", "container", "registration"), by_actor=("observer",), asks=("occurred_at", "completed_at", *_GIVEN),
    ),
    *_ketamine_end(Wait("off-discharge-wait", "after_iv", "last_ended")),
)  # fmt: skip

OTHER_KETAMINE: Final[tuple[Step, ...]] = (
    *_BEFORE_KETAMINE,
    replace(_PREPARATION, wanted_by=("off-conc-100",)),
    Step(
        "dose", "Dose", "administration", each=True, judged_ahead=True, usual={"encounter_class": "outpatient", "given_by": "staff"},
        carries=("order", "lot", "container", "registration"), by_actor=("observer",), asks=("occurred_at", "completed_at", *_GIVEN),
    ),
    *_ketamine_end(Wait("off-discharge-wait", "after_other", "last_ended")),
)  # fmt: skip

STOP: Final = Step(
    "stop", "Session stopped", "session_stop", by_actor=("decided_by",),
    asks=("stage", "cause", "devices_prepared", "devices_used", "decided_by", "reason", "occurred_at"),
)  # fmt: skip
"""What ends a session before its time; no step of any table."""


def steps_for(drug: str, route: str | None, wanted: Callable[[str], bool]) -> tuple[Step, ...]:
    """The steps of a session with a drug (a code of the drug list) by a route (None: not known yet), in order.

    `wanted` says whether a rule is in force: what only some rules ask for is left out where none of them is.
    """
    if DRUGS[drug].is_rems:
        table = ESKETAMINE
    else:
        infused = DRUGS[drug].route == "iv_im" if route is None else route == INFUSED
        table = INFUSION if infused else OTHER_KETAMINE
    return tuple(step for step in table if not step.wanted_by or any(map(wanted, step.wanted_by)))
