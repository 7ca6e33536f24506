"""A visit with esketamine nasal spray: checks, the devices one after the other, two hours of watching, the way home, the form."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from compliance.demo.afterwards import written_to
from compliance.demo.cabinet import Lot
from compliance.demo.days import Day
from compliance.demo.journal import minutes
from compliance.demo.opening import ESKETAMINE, FORM_VERSION
from compliance.demo.patients import Patient
from compliance.demo.staff import LAKE_DOCTOR, MANAGER, Person
from compliance.demo.visit import Visit, arrival, begun, discharge

BETWEEN: Final = 6
"""Minutes from one device to the next; at least five are asked for (SPRAVATO USPI 2.4)."""


def esketamine_session(
    day: Day, patient: Patient, nurse: Person, time: str, lot: str, *,
    before: tuple[int, int] | None = None, asks_first: bool = False, enrolment_checked: bool = True, leaves_after: int = 130,
    middle_typed_in: str | None = None, saved_twice: bool = False, relieved_by: Person | None = None, first_treatment: bool = False,
    form_on: str | None = None,
) -> Visit:  # fmt: skip
    """One visit; `time` is that of the first device, `lot` that of the kit, whose devices are all used.

    Unless said otherwise all is in order. `before` is the last pressure before the dose; with `asks_first` the software is asked about a
    dose on it, and the visit goes on when it has come down. `leaves_after` counts minutes from the last device; `middle_typed_in` is when
    (``16:40`` of the day) the reading at forty minutes, kept on paper until then, is typed in; `form_on` when the form is sent, if not on the day.
    """
    visit, first = begun(day, patient, nurse, time), day.at(time)
    stock, devices = day.cabinet.take(lot)
    _arrival(visit, first - minutes(95 if asks_first else 50), enrolment_checked=enrolment_checked)
    order = _order(visit, first - minutes(70 if asks_first else 20), dose_mg=28 * len(devices))
    proposal = None
    if asks_first:
        proposal = _asks_first(visit, order, stock, devices[0], before or patient.pressure)
    else:
        visit.vital_signs("pre_dose", first - minutes(30), before or visit.raised(0))
        visit.watch("start", first - minutes(4), nurse)
    _from_cabinet(visit, devices)
    _devices(visit, order, stock, devices, proposal=proposal, saved_twice=saved_twice)
    _watching(visit, leaves_after, middle_typed_in, relieved_by)
    _leaving(visit, visit.last + minutes(leaves_after), relieved_by or nurse)
    sent = day.site.at(form_on or day.date, "17:05") + minutes(day.journal.luck.randint(0, 20))
    _form(
        visit,
        sent,
        stock,
        dose_mg=28 * len(devices),
        minutes_watched=leaves_after - 3,
        first_treatment=first_treatment,
    )
    written_to(day.journal, visit, call=first_treatment)
    return visit


def _arrival(visit: Visit, at: datetime, *, enrolment_checked: bool) -> None:
    if enrolment_checked:
        visit.write(
            "patient_enrollment", at, program="spravato_rems", step="verified", result="active", program_patient_ref=f"RP-{visit.patient.name}",
            patient_identity_ref=f"ID-{visit.patient.name}-v1", state="FL", reproductive_potential=visit.patient.reproductive,
        )  # fmt: skip
    arrival(visit, at + minutes(3))


def _order(visit: Visit, at: datetime, dose_mg: int) -> str:
    patient, order = visit.patient, f"ORD-{visit.session[2:]}"
    visit.write(
        "order", at, patient.doctor.name, drug=ESKETAMINE, order=order, prescriber=patient.doctor.name, indication_code=patient.diagnosis,
        indication_class=patient.indication, off_label=False, product_type="approved_labelled", route="intranasal", dose_mg=str(dose_mg),
        evaluation_event=f"{patient.name}.evaluation", course=patient.course, signed_at=at, expires_at=at + minutes(480), age_years=patient.age,
    )  # fmt: skip
    return order


def _asks_first(visit: Visit, order: str, stock: Lot, device: str, high: tuple[int, int]) -> str:
    """The pressure is too high; the nurse asks before opening anything, is refused, and asks again when it has come down."""
    first = visit.first
    reading = visit.vital_signs("pre_dose", first - minutes(78), high, acceptable=False)
    visit.watch("start", first - minutes(68), visit.nurse)
    _proposed(visit, first - minutes(64), order, stock, device)
    visit.write(
        "clinical_decision", first - minutes(60), visit.patient.doctor.name, about="elevated_bp", concerns_event=reading, decision="delay",
        rationale="Came up the stairs in a hurry; rest for half an hour, then measure again", decided_by=visit.patient.doctor.name,
    )  # fmt: skip
    visit.vital_signs("pre_dose", first - minutes(20), (136, 84))
    return _proposed(visit, first - minutes(14), order, stock, device)


def _proposed(visit: Visit, at: datetime, order: str, stock: Lot, device: str) -> str:
    return _administration(
        visit, at, order, stock, device, 1, intent="proposed", under=f"{visit.session}.asked"
    )


def _from_cabinet(visit: Visit, devices: list[str]) -> None:
    visit.write(
        "storage_access", visit.first - minutes(9), drug=ESKETAMINE, storage_place=visit.patient.site.cabinet, person=visit.nurse.name,
        containers=devices, quantity=str(len(devices)), purpose="dose",
    )  # fmt: skip


def _devices(
    visit: Visit, order: str, stock: Lot, devices: list[str], *, proposal: str | None, saved_twice: bool
) -> None:
    for number, device in enumerate(devices, 1):
        at = visit.first + minutes(BETWEEN * (number - 1))
        _container(visit, at - minutes(1), "opened", stock, device)
        _administration(
            visit,
            at,
            order,
            stock,
            device,
            number,
            completed_at=at + minutes(2),
            proposal=proposal if number == 1 else None,
        )
        visit.last = at + minutes(2)
        if saved_twice and number == len(devices):
            _saved_again(visit, at, order, stock, device, number)
        _container(visit, at + minutes(3), "empty", stock, device)


def _administration(
    visit: Visit, at: datetime, order: str, stock: Lot, device: str, number: int, **more: Any
) -> str:
    patient = visit.patient
    return visit.write(
        "administration", at, drug=ESKETAMINE, registration=patient.site.registration, order=order, prescription=stock.prescription,
        encounter_class="outpatient", route="intranasal", dose_mg="28", quantity="1", quantity_unit="device", lot=stock.lot, container=device,
        device_number=number, dots_before=2, dots_after=0, given_by="patient_self", observer=visit.nurse.name, supervisor=LAKE_DOCTOR.name,
        patient_identity_ref=f"ID-{patient.name}-v1", **more,
    )  # fmt: skip


def _saved_again(visit: Visit, at: datetime, order: str, stock: Lot, device: str, number: int) -> None:
    """The screen froze, the nurse pressed Save again: one device stands there twice until somebody voids the second entry."""
    done = at + minutes(2)
    again = _administration(
        visit, at, order, stock, device, number, completed_at=done, entered=done + timedelta(seconds=58)
    )
    visit.write(
        "void", done + minutes(12), MANAGER.name, corrects=again, reason="The same device was saved twice", reason_code="duplicate",
        approved_by=LAKE_DOCTOR.name, replaced_by_event=again.removesuffix(f".{number + 1}") + (f".{number}" if number > 1 else ""),
    )  # fmt: skip


def _container(visit: Visit, at: datetime, status: str, stock: Lot, device: str) -> None:
    visit.write(
        "container_status", at, drug=ESKETAMINE, container=device, status=status, storage_place=visit.patient.site.cabinet,
        registration=visit.patient.site.registration, lot=stock.lot, expires_on=stock.expires_on, labelled_quantity="1",
        quantity_left="1" if status == "opened" else "0", quantity_unit="device", cause="normal",
    )  # fmt: skip


def _watching(
    visit: Visit, leaves_after: int, middle_typed_in: str | None, relieved_by: Person | None
) -> None:
    last = visit.last
    late = {}
    if middle_typed_in is not None:
        late = {
            "entered": visit.patient.site.at(f"{last:%m-%d}", middle_typed_in), "source": "paper",
            "reason": "Tablet was charging; read and written on paper, typed in afterwards",
        }  # fmt: skip
    watcher = relieved_by or visit.nurse
    visit.watch("check", last + minutes(12), visit.nurse)
    visit.watch("check", last + minutes(36), visit.nurse)
    visit.vital_signs("about_40_min", last + minutes(40), visit.raised(14), **late)
    if relieved_by is not None:
        visit.watch("handover", last + minutes(60), relieved_by, relieves=visit.nurse)
    else:
        visit.watch("check", last + minutes(60), visit.nurse)
    visit.vital_signs("during", last + minutes(85), visit.raised(8))
    visit.watch("check", last + minutes(102), watcher)
    visit.vital_signs("pre_discharge", last + minutes(leaves_after - 8), visit.raised(1))


def _leaving(visit: Visit, at: datetime, nurse: Person) -> None:
    """The last look at the patient, and the way home."""
    visit.write(
        "assessment", at - minutes(6), nurse.name, instrument="readiness", mode="clinician", assessor=nurse.name, sedation="absent",
        dissociation="resolved", respiratory_depression="absent", oriented=True, gait_steady=True, ready_to_leave=True,
    )  # fmt: skip
    visit.watch("end", at - minutes(3), nurse)
    discharge(visit, at, nurse)


def _form(
    visit: Visit, sent: datetime, stock: Lot, *, dose_mg: int, minutes_watched: int, first_treatment: bool
) -> None:
    """The REMS patient monitoring form, with the visit's own figures."""
    read = visit.readings
    watched = visit.last + minutes(minutes_watched) - visit.first
    visit.write(
        "monitoring_form", sent, drug=ESKETAMINE, form_version=FORM_VERSION, status="submitted", treatment_on=f"{visit.first:%Y-%m-%d}",
        submitted_at=sent, channel="online", confirmation=f"PMF-{visit.session[2:]}", provider=visit.nurse.name, first_treatment=first_treatment,
        enrolled=True, dose_mg=str(dose_mg), lots=[stock.lot], total_min=int(watched.total_seconds()) // 60,
        vitals={
            "pre_systolic_mmhg": read["pre_dose"][0], "pre_diastolic_mmhg": read["pre_dose"][1],
            "mid_systolic_mmhg": read["about_40_min"][0], "mid_diastolic_mmhg": read["about_40_min"][1],
            "end_systolic_mmhg": read["pre_discharge"][0], "end_diastolic_mmhg": read["pre_discharge"][1],
            "acceptable_before": True, "acceptable_end": True,
        },
        effects={"sedation": False, "dissociation": True, "respiratory_depression": False, "ready_sooner_min": 95},
        concomitant={"benzodiazepine": False, "sedative_hypnotic": False, "opioid": False, "psychostimulant": False, "maoi": False},
        serious_adverse_event_seen=False, identity_complete=True,
    )  # fmt: skip
