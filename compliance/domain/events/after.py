"""After the session: the REMS monitoring form, adverse events, reports to others, follow-up."""

from typing import ClassVar, Literal

from compliance.domain.events.declaring import (
    AboutDrug,
    AboutPatient,
    Amount,
    Day,
    Envelope,
    Id,
    InSession,
    Instant,
    Integer,
    MayNameDrug,
    Record,
    Text,
    YesNo,
    may,
    must,
)


class FormVitals(Record):
    """Readings on the monitoring form."""

    pre_systolic_mmhg: Integer = must("Before", unit="mmHg")
    pre_diastolic_mmhg: Integer = must("Before", unit="mmHg")
    mid_systolic_mmhg: Integer = may("About 40 min", unit="mmHg")
    mid_diastolic_mmhg: Integer = may("About 40 min", unit="mmHg")
    end_systolic_mmhg: Integer = must("At the end", unit="mmHg")
    end_diastolic_mmhg: Integer = must("At the end", unit="mmHg")
    acceptable_before: YesNo = must("Acceptable before")
    acceptable_end: YesNo = must("Acceptable at end")


class FormEffects(Record):
    """Effects on the monitoring form."""

    sedation: YesNo = must("Seen")
    dissociation: YesNo = must("Seen")
    respiratory_depression: YesNo = must("Seen")
    ready_sooner_min: Integer = may("Minutes until fit to leave absent the rule", unit="min")


class FormMedicines(Record):
    """Medicines on the monitoring form."""

    benzodiazepine: YesNo = must("Yes or no")
    sedative_hypnotic: YesNo = must("Yes or no")
    opioid: YesNo = may("Yes or no")
    psychostimulant: YesNo = must("Yes or no")
    maoi: YesNo = may("Yes or no")


class MonitoringForm(AboutPatient, InSession, AboutDrug, Envelope):
    """The REMS patient monitoring form for one session."""

    kind: ClassVar[str] = "monitoring_form"
    group: ClassVar[str] = "after"

    form_version: Text = may("Version")
    status: Literal["draft", "submitted", "amended"] = must("State")
    treatment_on: Day = must("Session date")
    submitted_at: Instant = may("First submission")
    channel: Literal["online", "fax"] = may("How")
    confirmation: Text = may("Proof")
    provider: Text = must("Monitoring provider")
    first_treatment: YesNo = must("First ever dose")
    enrolled: YesNo = must("Enrolled")
    dose_mg: Amount = must("Total dose", unit="mg")
    other_dose_reason: Text = may("If not 56 or 84")
    lots: list[Text] = must("Lots")
    total_min: Integer = may("First device to end of monitoring", unit="min")
    vitals: FormVitals = must("Readings on the form")
    effects: FormEffects = must("Effects on the form")
    concomitant: FormMedicines = must("Medicines on the form")
    serious_adverse_event_seen: YesNo = must("Any serious event")
    identity_complete: YesNo = may("Name, birth date, sex and setting filled in from the identity store")


class AdverseEvent(AboutPatient, MayNameDrug, Envelope):
    """An unwanted event in or after treatment; occurred_at is its onset; later events with the same episode add review and outcome."""

    kind: ClassVar[str] = "adverse_event"
    group: ClassVar[str] = "after"
    key: ClassVar[tuple[str, ...]] = ("episode",)

    episode: Text = must("Handle of the episode")
    term: Text = must("Medical term")
    resolved_at: Instant = may("End")
    known_at: Instant = must("When the clinic learnt of it")
    severity: Literal["mild", "moderate", "severe", "life_threatening", "fatal"] = must("Severity")
    serious: YesNo = must("Meets a seriousness test")
    criteria: list[
        Literal["death", "life_threatening", "hospitalisation", "disability", "important_medical"]
    ] = may("Tests met")
    category: Literal[
        "sedation",
        "dissociation",
        "respiratory_depression",
        "hypertension",
        "suicidality",
        "urinary",
        "hepatic",
        "other",
    ] = must("Class")
    intervention: Text = may("What was done")
    escalated_at: Instant = may("Emergency help called")
    destination: Text = may("Where sent")
    outcome: Literal["recovered", "recovering", "not_recovered", "fatal", "unknown"] = must("Outcome")
    lot: Text = may("Lot")
    reviewed_by: Text = may("Clinician who reviewed")
    reviewed_at: Instant = may("When reviewed")


class ExternalReport(Envelope):
    """A report, notice or form went to someone outside."""

    kind: ClassVar[str] = "external_report"
    group: ClassVar[str] = "after"

    form: Literal[
        "dea_theft_loss_notice",
        "dea_106",
        "dea_registration_notice",
        "dea_suspicious_order",
        "dea_epcs_incident",
        "epcs_token_loss",
        "supplier_shortage",
        "pdmp_dispense",
        "pdmp_zero",
        "rems_adverse_event",
        "rems_transfer_notice",
        "medwatch",
        "compounder_notice",
        "breach_patient",
        "breach_hhs",
        "breach_media",
        "state_loss_report",
        "central_records_notice",
    ] = must("What")
    concerns_event: Id = may("Event reported")
    recipient: Text = must("Authority or body")
    channel: Literal["online", "email", "fax", "letter", "phone", "portal"] = may("How")
    confirmation: Text = may("Proof")
    accepted: YesNo = may("Accepted by the recipient")
    amends_event: Id = may("Report it amends")
    state: Text = may("State")
    discrepancy: Text = may("Discrepancy reported")
    to_site: Text = may("Next setting, for a transfer notice")
    document_sha256: Text = may("Digest of the copy kept")


class FollowUp(AboutPatient, Envelope):
    """A contact, referral or letter after treatment."""

    kind: ClassVar[str] = "follow_up"
    group: ClassVar[str] = "after"

    follow_up_type: Literal["patient_contact", "summary_to_clinician", "referral", "rescheduling"] = must(
        "What"
    )
    method: Literal["in_person", "video", "phone", "message", "letter"] = must("How")
    reached: YesNo = must("Two-way contact made")
    suicidality_asked: YesNo = may("Asked about")
    adverse_effects: YesNo = may("Any reported")
    concerns_event: Id = may("Event that led to it")
    recipient_ref: Text = may("Outside clinician handle")
    course: Text = may("Course")
