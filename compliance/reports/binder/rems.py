"""What a REMS auditor asks for: certification, enrolments, monitoring forms, training, adverse events, reports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compliance.ledger.entry import microseconds
from compliance.reports.binder.period import Period, Version
from compliance.reports.binder.registrations import current
from compliance.reports.binder.sheets import Column, Sheets, Table
from compliance.reports.binder.verify_cells import SHOWN_IN

_REMS: Final = "SPRAVATO REMS"

CERTIFICATION: Final = Table(
    "50-rems/certification.csv", "REMS certification",
    "The certification of this site and of the pharmacies and distributors on record, and who answers for it.",
    f"{_REMS}, healthcare settings: become and stay certified", "No certification is on record for this site.",
    (
        Column("Party", "event.party", law=True), Column("What it is", "event.party_type"), Column("Setting", "event.setting_class"),
        Column("Status", "event.status", law=True), Column("REMS number", "event.rems_number", law=True), Column("Certified", "event.certified_at", law=True),
        Column("Ended", "event.decertified_at"), Column("Authorized representative", "event.authorized_representative", law=True),
        Column("From", "event.representative_started_at"), Column("Until", "event.representative_ended_at"),
        Column("Form signed", "event.form_signed_at"), Column("Form sent", "event.form_submitted_at"), Column("Confirmed", "event.confirmed_at"),
        Column("Address", "event.address_ref"), Column("Supply routes", "event.acquisition_routes"),
    ),
)  # fmt: skip
ENROLLMENTS: Final = Table(
    "50-rems/enrollments.csv", "Patients enrolled",
    "Enrolments and verifications of the patients who were treated here in the period or whose enrolment changed in it.",
    f"{_REMS}, before treatment", "No REMS enrolment is on record for a patient of the period.",
    (
        Column("Patient", "event.patient", law=True), Column("Step", "event.step", law=True), Column("Date", "event.occurred_at", law=True),
        Column("REMS patient number", "event.program_patient_ref"), Column("Patient signed", "event.patient_signed_at", law=True),
        Column("Prescriber signed", "event.prescriber_signed_at", law=True), Column("Sent", "event.submitted_at", law=True),
        Column("Confirmed", "event.confirmed_at"), Column("Verification", "event.result"),
        Column("Identity on that date", "event.patient_identity_ref", page=False),
    ),
)  # fmt: skip
FORMS: Final = Table(
    SHOWN_IN["monitoring_form"][0], "Patient monitoring forms",
    "The monitoring form of each session, with what stands on it.", f"{_REMS}, after each treatment, within 7 days",
    "No monitoring form was recorded at this site in the period.",
    (
        Column("Treated", "event.treatment_on", law=True), Column("Patient", "event.patient", law=True), Column("Session", "event.session", page=False),
        Column("State", "event.status", law=True), Column("Sent", "event.submitted_at", law=True), Column("How", "event.channel"),
        Column("Proof", "event.confirmation", law=True), Column("Monitored by", "event.provider", law=True), Column("First ever", "event.first_treatment"),
        Column("Enrolled", "event.enrolled"), Column("mg", "event.dose_mg", law=True), Column("Lots", "event.lots", law=True),
        Column("Minutes in all", "event.total_min"),
        *(
            Column(f"{when} {which}", f"event.vitals.{point}_{name}_mmhg", page=False)
            for point, when in (("pre", "Before:"), ("mid", "At about 40 min:"), ("end", "At the end:"))
            for name, which in (("systolic", "systolic"), ("diastolic", "diastolic"))
        ),
        Column("Sedation", "event.effects.sedation"), Column("Dissociation", "event.effects.dissociation"),
        Column("Respiratory depression", "event.effects.respiratory_depression"),
        Column("Benzodiazepine", "event.concomitant.benzodiazepine", page=False), Column("Stimulant", "event.concomitant.psychostimulant", page=False),
        Column("Serious event seen", "event.serious_adverse_event_seen"), Column("Version of the form", "event.form_version", page=False),
        Column("Name, birth date and sex filled in", "event.identity_complete", page=False),
    ),
)  # fmt: skip
TRAINING: Final = Table(
    "50-rems/training.csv", "Training", "Who of this site was trained in what, and with which material, up to the end of the period.",
    f"{_REMS}, maintain certification: train all relevant staff", "No training is on record for this site.",
    (
        Column("Person", "event.person", law=True), Column("Subject", "event.topic", law=True), Column("Date", "event.occurred_at", law=True),
        Column("Material", "event.material_version"), Column("Procedure", "event.procedure", page=False), Column("Taught by", "event.trainer"),
        Column("Digest of the proof", "event.evidence_sha256", page=False),
    ),
)  # fmt: skip
ADVERSE: Final = Table(
    "50-rems/adverse-events.csv", "Adverse events", "Unwanted events in or after treatment, with their review and outcome.",
    f"{_REMS}, report adverse events; 21 CFR 314.80", "No adverse event was recorded at this site in the period.",
    (
        Column("Onset", "event.occurred_at", law=True), Column("Patient", "event.patient", law=True), Column("Drug", "event.drug"),
        Column("Term", "event.term", law=True), Column("Class", "event.category"), Column("Severity", "event.severity"), Column("Serious", "event.serious", law=True),
        Column("Criteria", "event.criteria"), Column("Known", "event.known_at"), Column("Resolved", "event.resolved_at"), Column("Outcome", "event.outcome"),
        Column("Lot", "event.lot"), Column("What was done", "event.intervention"), Column("Reviewed by", "event.reviewed_by"),
    ),
)  # fmt: skip


def write(sheets: Sheets) -> None:
    """The tables of this part."""
    period = sheets.period
    with sheets.sheet(CERTIFICATION) as sheet:
        for version in current(
            period, "site_certification", ("party", "setting_class"),
            lambda one: one.event["party"] == period.site or one.event["party_type"] != "healthcare_setting",
        ):  # fmt: skip
            sheet.row(version)
    with sheets.sheet(ENROLLMENTS) as sheet:
        for version in _enrolled(period):
            sheet.row(version)
    with sheets.sheet(FORMS) as sheet:
        for version in period.of("monitoring_form"):
            sheet.row(version)
    with sheets.sheet(TRAINING) as sheet:
        for version in period.until("training"):
            sheet.row(version)
    with sheets.sheet(ADVERSE) as sheet:
        for version in period.of("adverse_event"):
            sheet.row(version)


def _enrolled(period: Period) -> Iterator[Version]:
    treated = {
        version.event["patient"]
        for kind in ("administration", "monitoring_form")
        for version in period.of(kind)
        if "patient" in version.event
    }
    for version in period.until("patient_enrollment", everywhere=True):
        event = version.event
        here = event["site"] == period.site and microseconds(event["occurred_at"]) >= period.begins
        if event["program"] == "spravato_rems" and (here or event["patient"] in treated):
            yield version
