"""The patients, and how they are taken on in the week before their first treatment.

In this file they are called after trees and desert plants; in the events only their pseudonyms stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from compliance.demo.journal import Journal, Site, minutes, paper
from compliance.demo.opening import ESKETAMINE, KETAMINE_IM, KETAMINE_IV
from compliance.demo.staff import LAKE, LAKE_DOCTOR, LAKE_NURSE, MESA, MESA_DOCTOR, MESA_NURSE, Person

ELEMENTS: Final = (
    "off_label", "evidence_limits", "alternatives", "approved_alternative", "acute_risks", "long_term_risks", "abuse_dependence",
    "pregnancy_lactation", "no_driving", "planned_doses", "booster_no_standard", "voluntary_withdrawal",
)  # fmt: skip
"""What the practice's consent form asks to be initialled, line by line."""

_TOPICS: Final = (
    "enrollment", "monitoring_2h", "sedation", "dissociation", "respiratory_depression", "vital_signs", "safe_departure", "no_driving",
    "abuse_misuse", "pregnancy", "suicidality",
)  # fmt: skip


VERSIONS: Final = {"audit_c": "AUDIT-C", "phq9": "PHQ-9", "pcl5": "PCL-5"}


@dataclass(frozen=True, slots=True)
class Patient:
    """Someone in treatment. `pressure` is the usual one; weight (kg) and height (cm) are as first measured."""

    name: str
    site: Site
    doctor: Person
    nurse: Person
    drug: str
    route: str
    indication: str
    diagnosis: str
    age: int
    pressure: tuple[int, int]
    weight: str
    height: str
    instrument: str = "phq9"
    items: tuple[int, ...] = (3, 2, 3, 3, 2, 2, 2, 1, 0)
    reproductive: bool = False
    initialled: tuple[str, ...] = ELEMENTS

    @property
    def esketamine(self) -> bool:
        """Whether this one is treated under the REMS."""
        return self.drug == ESKETAMINE

    @property
    def course(self) -> str:
        """Handle of the course of treatment."""
        return f"COURSE-{self.name}"


def _at_lake(
    name: str, age: int, pressure: tuple[int, int], weight: str, height: str, **more: Any
) -> Patient:
    known: dict[str, Any] = {"indication": "trd", "diagnosis": "F33.2"} | more
    return Patient(
        name,
        LAKE,
        LAKE_DOCTOR,
        LAKE_NURSE,
        ESKETAMINE,
        "intranasal",
        age=age,
        pressure=pressure,
        weight=weight,
        height=height,
        **known,
    )


def _at_mesa(
    name: str, drug: str, age: int, pressure: tuple[int, int], weight: str, height: str, **more: Any
) -> Patient:
    route = "im" if drug == KETAMINE_IM else "iv_infusion"
    return Patient(
        name,
        MESA,
        MESA_DOCTOR,
        MESA_NURSE,
        drug,
        route,
        age=age,
        pressure=pressure,
        weight=weight,
        height=height,
        **more,
    )


ALDER: Final = _at_lake("PT-4821", 44, (124, 78), "71.5", "168")
BIRCH: Final = _at_lake("PT-5077", 58, (131, 82), "84.0", "178")
LARCH: Final = _at_lake("PT-6139", 37, (118, 74), "63.5", "165", reproductive=True)
SPRUCE: Final = _at_lake("PT-7702", 51, (127, 80), "78.0", "172", indication="mdd_acute_si")

AGAVE: Final = _at_mesa(
    "PT-2210", KETAMINE_IV, 46, (122, 76), "74.0", "175", indication="trd", diagnosis="F33.2"
)
YUCCA: Final = _at_mesa(
    "PT-2356", KETAMINE_IV, 39, (128, 79), "82.0", "181", indication="mdd", diagnosis="F33.1"
)
# The scanned form shows every line initialled but the one on boosters, which stands alone at the top of its second page.
CHOLLA: Final = _at_mesa(
    "PT-2489", KETAMINE_IM, 34, (120, 77), "68.0", "170", indication="ptsd", diagnosis="F43.12", instrument="pcl5",
    items=(3, 3, 2, 3, 2, 3, 3, 2, 2, 2, 3, 2, 1, 2, 2, 1, 3, 2, 2, 3),
    initialled=tuple(element for element in ELEMENTS if element != "booster_no_standard"),
)  # fmt: skip


def take_on(journal: Journal, patient: Patient, day: str, hour: str, start_on: str, doses: int) -> None:
    """A first visit: diagnosis, examination, screening, consent, plan; for esketamine the counselling and the REMS enrolment too."""
    site, doctor, nurse = patient.site, patient.doctor.name, patient.nurse.name
    times = _visit(site.at(day, hour))

    def write(kind: str, actor: str, **fields: Any) -> str:
        return journal.note(site, kind, next(times), actor, patient=patient.name, **fields)

    write(
        "patient_enrollment", nurse, program="clinic", step="enrolled", program_patient_ref=f"CL-{patient.name}", patient_identity_ref=f"ID-{patient.name}-v1",
        state=site.state, reproductive_potential=patient.reproductive, treating_clinician_ref=f"REF-{patient.name}",
    )  # fmt: skip
    for instrument, items in (
        ("abuse_risk", None),
        ("audit_c", [1, 0, 0]),
        (patient.instrument, list(patient.items)),
    ):
        write(
            "assessment", nurse, instrument=instrument, mode="clinician" if items is None else "self", assessor=nurse, item_scores=items,
            version=VERSIONS.get(instrument), total=sum(items) if items else None, risk_level="low" if items is None else None,
        )  # fmt: skip
    write(
        "vital_signs", nurse, point="screening", systolic_mmhg=patient.pressure[0], diastolic_mmhg=patient.pressure[1], heart_rate_bpm=72,
        spo2_percent="98", weight_kg=patient.weight, height_cm=patient.height, weight_measured=True, acceptable=True, equipment=f"SCALE-{site.name}",
    )  # fmt: skip
    _examine(patient, write)
    consent(journal, patient, next(times), f"CONSENT-{patient.name}", patient.initialled)
    write(
        "treatment_plan", doctor, course=patient.course, indication_class=patient.indication, course_start_on=start_on, phase="induction",
        planned_doses=doses, interval_days="3", end_point="Remission, or half the first score", stop_rule="No response after the first series",
        outcome_instrument=patient.instrument, next_review_on="2026-04-01", home_use=False,
    )  # fmt: skip
    if patient.esketamine:
        _enrol(journal, patient, times, write)


def _visit(first: datetime) -> Iterator[datetime]:
    at = first
    while True:
        yield at
        at += minutes(5)


def _examine(patient: Patient, write: Any) -> None:
    doctor, nurse = patient.doctor.name, patient.nurse.name
    write(
        "evaluation", doctor, evaluation_type="diagnostic", modality="in_person", evaluator=doctor, evaluator_qualified=True,
        diagnosis_code=patient.diagnosis, indication_class=patient.indication, approved_option_considered=True,
        reason_not_used=None if patient.esketamine else "Patient lives too far away for the weekly two hours", psychosis_mania_screened=True,
        trials=[
            {"treatment": "sertraline", "kind": "drug", "dose_mg": "150", "weeks": "10", "adequate": True, "outcome": "partial"},
            {"treatment": "venlafaxine", "kind": "drug", "dose_mg": "225", "weeks": "9", "adequate": True, "outcome": "none"},
        ],
    )  # fmt: skip
    write(
        "evaluation", doctor, evaluation_type="medical", modality="in_person", evaluator=doctor, evaluator_qualified=True, history_done=True,
        psychosis_mania_screened=True, airway_class="2", asa_class=2, ecg_decision="not_indicated", lab_decision="done", child_pugh_class="none",
        allergies_reviewed=True, patient_state=patient.site.state,
    )  # fmt: skip
    no = dict.fromkeys(
        ("aneurysmal_disease", "arteriovenous_malformation", "intracerebral_haemorrhage", "hypersensitivity", "serious_bp_hazard",
         "other_cardiovascular", "unstable_cardiac", "uncontrolled_hypertension", "pregnant", "lactating", "psychotic_disorder", "mania",
         "dementia_or_delirium", "hypertensive_encephalopathy", "hepatic_disease"), "no",
    )  # fmt: skip
    write(
        "contraindication_screen",
        doctor,
        product_family="esketamine" if patient.esketamine else "ketamine",
        **no,
    )
    if patient.reproductive:
        at = patient.site.at("02-23", "12:40")
        write("lab_result", nurse, test="pregnancy", collected_at=at, result="negative")
        write("assessment", nurse, instrument="pregnancy_status", mode="clinician", assessor=nurse, pregnant="no", lactating=False)  # fmt: skip


def consent(journal: Journal, patient: Patient, at: datetime, handle: str, elements: tuple[str, ...]) -> str:
    """The practice's form is gone through, initialled line by line, signed by both, and a copy handed over."""
    return journal.note(
        patient.site, "consent", at, patient.doctor.name, patient=patient.name, drug=patient.drug, consent=handle, action="given", form_version="2026-01",
        document_sha256=paper(handle), route_covered=[patient.route], indication_covered=patient.indication, max_dose_mg="84", home_use_covered=False,
        elements=list(elements), signed_by_patient_at=at - minutes(2), signed_by_clinician_at=at - minutes(1), clinician=patient.doctor.name,
        capacity_confirmed=True, copy_given=True, interpreter_used=False,
    )  # fmt: skip


def _enrol(journal: Journal, patient: Patient, times: Iterator[datetime], write: Any) -> None:
    doctor, nurse = patient.doctor.name, patient.nurse.name
    write(
        "counseling",
        nurse,
        topics=list(_TOPICS),
        counselled_by=nurse,
        counsellor_licensed=True,
        medication_guide_given=True,
        patient_understood=True,
    )
    signed = next(times)
    journal.note(
        patient.site, "patient_enrollment", signed + minutes(4), doctor, patient=patient.name, program="spravato_rems", step="enrolled",
        program_patient_ref=f"RP-{patient.name}", patient_identity_ref=f"ID-{patient.name}-v1", patient_signed_at=signed,
        prescriber_signed_at=signed + minutes(1), submitted_at=signed + minutes(3), confirmed_at=signed + minutes(4), state=patient.site.state,
        reproductive_potential=patient.reproductive,
    )  # fmt: skip


def laboratory(journal: Journal, patient: Patient, day: str) -> None:
    """What the laboratory and the monitoring programme say of a patient before ketamine, on the day after the first visit."""
    site, at = patient.site, patient.site.at(day, "11:10")
    for number, (test, result) in enumerate((("urine_drug_screen", "negative"), ("liver_panel", "normal"))):
        journal.note(
            site, "lab_result", at + minutes(2 * number), patient.nurse.name, patient=patient.name, test=test, collected_at=at - minutes(1440),
            result=result, panel_includes_ketamine=True if test == "urine_drug_screen" else None, unexpected=False,
        )  # fmt: skip
    journal.note(
        site, "pdmp_query", at + minutes(8), patient.doctor.name, patient=patient.name, state=site.state, queried_by=patient.doctor.name,
        lookback_months=12, findings="none",
    )  # fmt: skip
