"""A visit with ketamine, off label: by infusion over forty minutes, or as one injection into the muscle.

A vial is opened for one patient. What is left of it is made unusable before a second person, who signs for it.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from compliance.demo.cabinet import Lot
from compliance.demo.days import Day
from compliance.demo.journal import minutes
from compliance.demo.patients import Patient
from compliance.demo.staff import Person
from compliance.demo.visit import Visit, arrival, begun, discharge

MG_PER_KG: Final = Decimal("0.5")
"""The reference dose (Sanacora et al. 2017)."""

INFUSION_MINUTES: Final = 40
BAG_ML: Final = 100


def infusion_session(
    day: Day,
    patient: Patient,
    time: str,
    lot: str,
    *,
    stopped_after: int | None = None,
    witnessed: bool = True,
    mistyped_heart_rate: bool = False,
) -> Visit:
    """An infusion that begins at `time`. `stopped_after` breaks it off so many minutes on; `witnessed` says whether a second person
    looked on when the rest of the vial was wasted; with `mistyped_heart_rate` one figure is typed wrongly and mended."""
    (nurse, second), (visit, stock, vial) = day.nurses, _begun(day, patient, time, lot)
    order, dose, strength = _order(visit), MG_PER_KG * Decimal(patient.weight), Decimal(10)
    drawn = dose / strength
    preparation = _prepared(visit, order, stock, vial, drawn, strength, second)
    ran = stopped_after or INFUSION_MINUTES
    rate = dose / INFUSION_MINUTES
    given_mg = rate * ran
    end = visit.first + minutes(ran)

    def pump(phase: str, at: datetime, **fields: Any) -> None:
        visit.write(
            "infusion",
            at,
            drug=stock.drug,
            order=order,
            preparation=preparation,
            phase=phase,
            equipment="PUMP-MESA",
            run_by=nurse.name,
            **fields,
        )

    pump("start", visit.first, rate_mg_per_min=plain(rate), rate_ml_per_hour="150")
    _readings(visit, 10, ran - 1, mistyped_at=30 if mistyped_heart_rate else None)
    _responsiveness(visit, visit.first + minutes(ran // 2))
    pump(
        "stop",
        end,
        volume_infused_ml=plain(Decimal(BAG_ML * ran) / INFUSION_MINUTES),
        delivered_mg=plain(given_mg),
    )
    if stopped_after is not None:
        _broken_off(visit, end)
    given = _given(visit, order, stock, vial, visit.first, end, given_mg, given_mg / strength)
    _readings(visit, ran - ran % 10 + (10 if ran % 10 else 0), 100)
    left = [drawn - given_mg / strength] if stopped_after is not None else []
    left.append(stock.each - drawn)
    for number, rest in enumerate(left):
        _wasted(
            visit,
            stock,
            vial,
            end + minutes(3 + 4 * number),
            rest,
            strength,
            given,
            second if witnessed else None,
        )
    _emptied(visit, stock, vial, end + minutes(12))
    _leaving(visit, visit.first + minutes(110))
    return visit


def injection_session(day: Day, patient: Patient, time: str, lot: str) -> Visit:
    """One injection into the muscle."""
    (_, second), (visit, stock, vial) = day.nurses, _begun(day, patient, time, lot)
    order, dose, strength = _order(visit), MG_PER_KG * Decimal(patient.weight), Decimal(50)
    _prepared(visit, order, stock, vial, dose / strength, strength, second)
    end = visit.first + minutes(1)
    given = _given(visit, order, stock, vial, visit.first, end, dose, dose / strength)
    _wasted(visit, stock, vial, end + minutes(4), stock.each - dose / strength, strength, given, second)
    _emptied(visit, stock, vial, end + minutes(11))
    _readings(visit, 10, 120)
    _responsiveness(visit, visit.first + minutes(22))
    _leaving(visit, visit.first + minutes(130))
    return visit


def plain(amount: Decimal) -> str:
    """A decimal as people write it: no exponent, no zeros behind it."""
    return f"{amount.normalize():f}"


def _begun(day: Day, patient: Patient, time: str, lot: str) -> tuple[Visit, Lot, str]:
    visit, first = begun(day, patient, day.nurses[0], time), day.at(time)
    arrival(visit, first - minutes(60))
    visit.vital_signs(
        "pre_dose",
        first - minutes(50),
        visit.raised(0),
        weight_kg=patient.weight,
        height_cm=patient.height,
        weight_measured=True,
    )
    stock, (vial,) = day.cabinet.take(lot)
    return visit, stock, vial


def _order(visit: Visit) -> str:
    patient, order, at = visit.patient, f"ORD-{visit.session[2:]}", visit.first - minutes(40)
    infusion = patient.route == "iv_infusion"
    visit.write(
        "order", at, patient.doctor.name, drug=patient.drug, order=order, prescriber=patient.doctor.name, indication_code=patient.diagnosis,
        indication_class=patient.indication, off_label=True, product_type="approved_off_label", route=patient.route,
        dose_mg=plain(MG_PER_KG * Decimal(patient.weight)), dose_mg_per_kg=plain(MG_PER_KG), planned_min=INFUSION_MINUTES if infusion else None,
        weight_kg=patient.weight, weight_basis="actual", rationale="Two adequate trials without remission; consented to off-label use",
        evidence_note="Trials were small and short" if patient.indication == "ptsd" else None, evaluation_event=f"{patient.name}.evaluation",
        course=patient.course, signed_at=at, expires_at=at + minutes(480), age_years=patient.age,
    )  # fmt: skip
    return order


def _prepared(
    visit: Visit, order: str, stock: Lot, vial: str, drawn: Decimal, strength: Decimal, second: Person
) -> str:
    """The vial is taken out and opened, and the dose drawn up; for an infusion into a bag of 100 mL."""
    at, infusion = visit.first - minutes(30), visit.patient.route == "iv_infusion"
    visit.write(
        "storage_access", at, drug=stock.drug, storage_place=visit.patient.site.cabinet, person=visit.nurse.name, containers=[vial],
        quantity=plain(stock.each), purpose="dose",
    )  # fmt: skip
    _container(visit, at + minutes(2), "opened", stock, vial, stock.each)
    preparation = f"PREP-{visit.session[2:]}"
    visit.write(
        "preparation", at + minutes(5), drug=stock.drug, preparation=preparation, order=order, container=vial, lot=stock.lot,
        source_strength_mg_per_ml=plain(strength), drug_ml=plain(drawn), diluent="sodium_chloride_0_9" if infusion else "none",
        diluent_ml=plain(BAG_ML - drawn) if infusion else "0", final_mg_per_ml=plain(drawn * strength / BAG_ML if infusion else strength),
        prepared_by=visit.nurse.name, checked_by=second.name,
    )  # fmt: skip
    visit.watch("start", visit.first - minutes(3), visit.nurse)
    return preparation


def _container(visit: Visit, at: datetime, status: str, stock: Lot, vial: str, left: Decimal) -> None:
    visit.write(
        "container_status", at, drug=stock.drug, container=vial, status=status, storage_place=visit.patient.site.cabinet,
        registration=visit.patient.site.registration, lot=stock.lot, expires_on=stock.expires_on, labelled_quantity=plain(stock.each),
        quantity_left=plain(left), quantity_unit=stock.unit, cause="normal",
    )  # fmt: skip


def _given(
    visit: Visit,
    order: str,
    stock: Lot,
    vial: str,
    start: datetime,
    end: datetime,
    given_mg: Decimal,
    given_ml: Decimal,
) -> str:
    patient = visit.patient
    visit.last = end
    return visit.write(
        "administration", start, drug=stock.drug, registration=patient.site.registration, order=order, encounter_class="outpatient",
        route=patient.route, dose_mg=plain(given_mg), dose_mg_per_kg=plain((given_mg / Decimal(patient.weight)).quantize(Decimal("0.001"))),
        quantity=plain(given_ml), quantity_unit="ml", lot=stock.lot, container=vial, given_by="staff", observer=visit.nurse.name,
        supervisor=patient.doctor.name, completed_at=end, patient_identity_ref=f"ID-{patient.name}-v1",
    )  # fmt: skip


def _readings(visit: Visit, start: int, until: int, *, mistyped_at: int | None = None) -> None:
    """The monitor shows a full set every ten minutes; it is typed in."""
    for elapsed in range(start, until + 1, 10):
        at, pressure = visit.first + minutes(elapsed), visit.raised(12 if elapsed <= INFUSION_MINUTES else 6)
        if elapsed == mistyped_at:
            _mended(visit, visit.vital_signs("during", at, pressure, heart_rate_bpm=17), at + minutes(6))
        else:
            visit.vital_signs("during", at, pressure)


def _mended(visit: Visit, reading: str, at: datetime) -> None:
    """17 stands there for 71; the nurse sees it in the table and has it corrected."""
    visit.write(
        "correction", at, visit.patient.doctor.name, corrects=reading, reason="Digits changed over while typing", reason_code="typing",
        resign_required=False, fields=[{"name": "heart_rate_bpm", "old": "17", "new": "71"}],
    )  # fmt: skip


def _responsiveness(visit: Visit, at: datetime) -> None:
    """MOAA/S: 5 answers readily to the name, 4 slowly."""
    visit.write(
        "assessment", at, instrument="moaas", version="MOAA/S", mode="clinician", assessor=visit.nurse.name, item_scores=[4], total=4
    )  # fmt: skip


def _broken_off(visit: Visit, at: datetime) -> None:
    visit.write(
        "session_stop", at, drug=visit.patient.drug, stage="stopped_during", planned_on=f"{at:%Y-%m-%d}", cause="patient_request",
        decided_by=visit.patient.doctor.name, reason="Felt sick and wished to stop",
    )  # fmt: skip
    visit.write(
        "adverse_event", at - minutes(4), drug=visit.patient.drug, episode=f"AE-{visit.session[2:]}", term="Nausea", known_at=at - minutes(4),
        resolved_at=at + minutes(25), severity="mild", serious=False, category="other", intervention="Infusion stopped", outcome="recovered",
        reviewed_by=visit.patient.doctor.name, reviewed_at=at + minutes(30), entered=at + minutes(31),
    )  # fmt: skip


def _wasted(
    visit: Visit,
    stock: Lot,
    vial: str,
    at: datetime,
    rest: Decimal,
    strength: Decimal,
    given: str,
    witness: Person | None,
) -> None:
    wasted = visit.write(
        "wastage", at, drug=stock.drug, registration=visit.patient.site.registration, cause="residue", administration_event=given, container=vial,
        lot=stock.lot, quantity=plain(rest), quantity_unit=stock.unit, amount_mg=plain(rest * strength), measured=True,
        method="chemical_sequestration", witness=None if witness is None else witness.name,
    )  # fmt: skip
    if witness is not None:
        visit.journal.sign(visit.patient.site, wasted, at + minutes(2), witness.name, "witness")


def _emptied(visit: Visit, stock: Lot, vial: str, at: datetime) -> None:
    _container(visit, at, "empty", stock, vial, Decimal(0))


def _leaving(visit: Visit, at: datetime) -> None:
    nurse = visit.nurse.name
    visit.vital_signs("pre_discharge", at - minutes(5), visit.raised(1))
    visit.write(
        "assessment", at - minutes(4), instrument="recovery", mode="clinician", assessor=nurse, sedation="absent", dissociation="absent",
        respiratory_depression="absent", oriented=True, gait_steady=True, ready_to_leave=True,
    )  # fmt: skip
    visit.watch("end", at - minutes(2), visit.nurse)
    discharge(visit, at, visit.nurse)
