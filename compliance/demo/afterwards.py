"""What happens around the visits: a prescription, a missed visit, letters and calls, and the search for a vial."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from compliance.demo.cabinet import Lot
from compliance.demo.journal import Journal, minutes
from compliance.demo.opening import ESKETAMINE
from compliance.demo.patients import Patient
from compliance.demo.staff import MANAGER, MESA, MESA_DOCTOR, MESA_NURSE
from compliance.demo.visit import Visit

_FACTORS: Final = (
    "quantity_vs_business",
    "drug",
    "persons_or_activity",
    "pattern",
    "diversion_appeal",
    "local_trend",
)


def prescribed_for(journal: Journal, patient: Patient, at: datetime) -> None:
    """Two kits of three devices are prescribed for one patient, to be delivered to the site (21 USC 829a)."""
    site, doctor = patient.site, patient.doctor.name
    journal.note(
        site,
        "pdmp_query",
        at - minutes(12),
        doctor,
        patient=patient.name,
        state=site.state,
        queried_by=doctor,
        lookback_months=12,
        findings="none",
    )
    journal.note(
        site, "prescription", at, doctor, patient=patient.name, drug=ESKETAMINE, prescription=f"RX-{patient.name}", prescriber=doctor,
        registration=site.registration, issued_on=f"{at:%Y-%m-%d}", signed_at=at, transmission="written",
        patient_identity_ref=f"ID-{patient.name}-v1", destination="to_site", quantity="6", refills=0, dose_mg="84", route="intranasal",
        directions="Three devices in the clinic, twice a week", tele_basis="not_needed",
    )  # fmt: skip


def missed(journal: Journal, patient: Patient, at: datetime) -> None:
    """The patient does not come; by telephone the next visit is arranged, and the prescriber reviews the course."""
    journal.note(
        patient.site, "session_stop", at, patient.nurse.name, patient=patient.name, drug=patient.drug, stage="missed", planned_on=f"{at:%Y-%m-%d}",
        cause="patient_no_show", decided_by=patient.doctor.name, reason="Did not come; reached by telephone, a child is ill",
    )  # fmt: skip
    journal.note(
        patient.site, "follow_up", at + minutes(20), patient.nurse.name, patient=patient.name, follow_up_type="rescheduling", method="phone",
        reached=True, suicidality_asked=True, adverse_effects=False, course=patient.course,
    )  # fmt: skip
    journal.note(
        patient.site, "treatment_review", at + minutes(90), patient.doctor.name, patient=patient.name, course=patient.course,
        review_type="missed_dose", decision="continue", symptoms="same", rationale="One visit missed in week 2, no worsening",
        decided_by=patient.doctor.name,
    )  # fmt: skip


def written_to(journal: Journal, visit: Visit, *, call: bool = False) -> None:
    """The treating clinician gets a letter on the evening of the visit; after the first dose the patient is called the next morning."""
    patient, day = visit.patient, visit.first
    journal.note(
        patient.site, "follow_up", day.replace(hour=16, minute=20), patient.doctor.name, patient=patient.name, session=visit.session,
        follow_up_type="summary_to_clinician", method="letter", reached=False, recipient_ref=f"REF-{patient.name}", course=patient.course,
    )  # fmt: skip
    if call:
        journal.note(
            patient.site, "follow_up", (day + minutes(1440)).replace(hour=9, minute=30), patient.nurse.name, patient=patient.name,
            session=visit.session, follow_up_type="patient_contact", method="phone", reached=True, suicidality_asked=True, adverse_effects=False,
            course=patient.course,
        )  # fmt: skip


def vial_missing(journal: Journal, counted: str, lot: Lot) -> None:
    """The count finds one vial too few. It is looked for, and judged a significant loss on the next business day.

    The field office of the DEA is told in writing a day too late; Form 106 is still to be filed (due within 45 days).
    """
    found = MESA.at("03-10", "17:10")
    handle = "DSC-0001"
    known: dict[str, Any] = {
        "under": handle, "drug": lot.drug, "discrepancy": handle, "registration": MESA.registration, "discovered_at": found, "lot": lot.lot,
        "direction": "short", "quantity": str(lot.each), "quantity_unit": lot.unit, "count_event": counted, "custody": "clinic",
    }  # fmt: skip
    journal.note(MESA, "discrepancy", found + minutes(4), MESA_NURSE.name, finding="open", **known)
    decided = MESA.at("03-11", "15:40")
    journal.note(
        MESA, "discrepancy", decided, MANAGER.name, finding="significant_loss", factors=list(_FACTORS), decided_by=MESA_DOCTOR.name,
        decided_at=decided, narrative="Safe, bins and delivery searched; the camera shows nothing. Not found.", **known,
    )  # fmt: skip
    journal.note(
        MESA, "external_report", MESA.at("03-12", "09:20"), MANAGER.name, under=handle, form="dea_theft_loss_notice", concerns_event=f"{handle}.discrepancy",
        recipient="DEA-FIELD-DIVISION", channel="fax", confirmation="FAX-0312-01", accepted=True, discrepancy=handle,
    )  # fmt: skip
