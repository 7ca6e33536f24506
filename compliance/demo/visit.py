"""What all visits have in common: questions on arrival, readings, the way home."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from compliance.demo.days import Day
from compliance.demo.journal import Journal, minutes
from compliance.demo.patients import VERSIONS, Patient
from compliance.demo.staff import Person


@dataclass(slots=True)
class Visit:
    """One visit as it goes on. `first` is when the first device is used, `last` when the last one was finished."""

    journal: Journal
    patient: Patient
    nurse: Person
    session: str
    first: datetime
    last: datetime
    readings: dict[str, tuple[int, int]] = field(default_factory=dict)

    def write(self, kind: str, at: datetime, actor: str = "", **fields: Any) -> str:
        """Type in something about this visit; by the nurse, unless said otherwise."""
        site, patient = self.patient.site, self.patient.name
        return self.journal.note(
            site, kind, at, actor or self.nurse.name, patient=patient, session=self.session, **fields
        )

    def vital_signs(self, point: str, at: datetime, pressure: tuple[int, int], **fields: Any) -> str:
        """A full set of readings."""
        self.readings[point] = pressure
        luck = self.journal.luck
        figures: dict[str, Any] = {
            "systolic_mmhg": pressure[0], "diastolic_mmhg": pressure[1], "heart_rate_bpm": luck.randint(66, 82), "spo2_percent": str(luck.randint(96, 99)),
            "respiratory_rate_per_min": luck.randint(13, 17), "supplemental_o2": False, "continuous_oximetry": True, "acceptable": True,
            "symptoms": ["none"], "equipment": f"BPM-{self.patient.site.name}",
        }  # fmt: skip
        return self.write("vital_signs", at, point=point, **(figures | fields))

    def watch(self, phase: str, at: datetime, observer: Person, *, relieves: Person | None = None) -> None:
        """Somebody begins to watch the patient, takes over, or ends it."""
        self.write(
            "observation", at, observer.name, phase=phase, observer=observer.name, in_person=True, concurrent_patients=1,
            continues_from=None if relieves is None else relieves.name,
        )  # fmt: skip

    def raised(self, by: int) -> tuple[int, int]:
        """The patient's usual pressure, raised by so much and a little chance."""
        upper, lower = self.patient.pressure
        more, less = self.journal.luck.randint(-2, 2), self.journal.luck.randint(-2, 2)
        return upper + by + more, lower + by // 2 + less


def begun(day: Day, patient: Patient, nurse: Person, time: str) -> Visit:
    """A visit of a day whose (first) dose is given at `time`."""
    first = day.at(time)
    name = f"S-{day.date.replace('-', '')}-{patient.name[3:]}"
    return Visit(day.journal, patient, nurse, name, first, first)


def arrival(visit: Visit, at: datetime) -> None:
    """What is asked of every patient on the day, whatever the drug."""
    visit.write(
        "pre_session_check", at, last_food_at=at - minutes(170), last_liquid_at=at - minutes(45), nasal_product_used=False, acutely_impaired=False,
        history_changed=False, transport_type="escort", escort_ref=f"ESC-{visit.patient.name[3:]}", no_driving_explained=True, stop_criteria_set=True,
        planned_observation_min=120,
    )  # fmt: skip
    nothing: dict[str, Any] = dict.fromkeys(
        ("benzodiazepine", "sedative_hypnotic", "opioid", "alcohol_today", "psychostimulant", "maoi", "theophylline", "aminophylline",
         "lamotrigine", "vasopressor_or_sympathomimetic"), False,
    )  # fmt: skip
    visit.write("medication_reconciliation", at + minutes(3), **nothing, oral_antidepressant=True)
    visit.write(
        "assessment",
        at + minutes(6),
        instrument="cssrs",
        mode="clinician",
        assessor=visit.nurse.name,
        suicidal_ideation_level=1,
    )
    scored(visit, at + minutes(8))


def scored(visit: Visit, at: datetime) -> None:
    """The patient fills in the questionnaire by which the course is measured."""
    patient = visit.patient
    visit.write(
        "assessment", at, instrument=patient.instrument, version=VERSIONS.get(patient.instrument), mode="self", assessor=visit.nurse.name,
        item_scores=list(patient.items), total=sum(patient.items),
    )  # fmt: skip


def discharge(visit: Visit, at: datetime, nurse: Person) -> None:
    """The patient goes home with an escort."""
    visit.write(
        "discharge", at, nurse.name, disposition="home", departure_mode="escort", escort_ref=f"ESC-{visit.patient.name[3:]}", released_by=nurse.name,
        instructions_given=True, devices_taken=0,
    )  # fmt: skip
