"""The plan: orders, prescriptions, the course of treatment, its reviews and decisions."""

from typing import ClassVar, Literal

from compliance.domain.events.declaring import (
    AboutDrug,
    AboutPatient,
    Amount,
    Day,
    Envelope,
    Id,
    IndicationClass,
    Instant,
    Integer,
    MayNameDrug,
    OutcomeInstrument,
    Route,
    Text,
    YesNo,
    may,
    must,
)


class Order(AboutPatient, AboutDrug, Envelope):
    """A practitioner's order to give a drug at the site."""

    kind: ClassVar[str] = "order"
    group: ClassVar[str] = "plan"
    key: ClassVar[tuple[str, ...]] = ("order",)

    order: Text = must("Handle")
    prescriber: Text = must("Staff id")
    indication_code: Text = may("ICD-10-CM code")
    indication_class: IndicationClass = must("Indication")
    off_label: YesNo = may("Outside the label")
    product_type: Literal["approved_labelled", "approved_off_label", "compounded_503a", "compounded_503b"] = (
        must("Product standing")
    )
    route: Route = must("Route")
    dose_mg: Amount = must("Dose ordered", unit="mg")
    dose_mg_per_kg: Amount = may("Weight-based dose", unit="mg/kg")
    planned_min: Integer = may("Planned infusion time", unit="min")
    weight_kg: Amount = may("Weight used", unit="kg")
    weight_basis: Literal["actual", "ideal", "adjusted"] = may("Weight basis")
    rationale: Text = may("Why off label, out of band or off schedule")
    evidence_note: Text = may("Limits of the evidence")
    evaluation_event: Id = may("Supporting evaluation")
    course: Text = may("Treatment course")
    expires_at: Instant = may("Order ends")
    signed_at: Instant = may("Signed")
    age_years: Integer = may("Age at order", unit="year")


class Prescription(AboutPatient, AboutDrug, Envelope):
    """A prescription to be filled by a pharmacy."""

    kind: ClassVar[str] = "prescription"
    group: ClassVar[str] = "plan"
    key: ClassVar[tuple[str, ...]] = ("prescription",)

    prescription: Text = must("Handle")
    prescriber: Text = must("Staff id")
    registration: Text = may("DEA registration relied on")
    issued_on: Day = must("Issue date on its face")
    signed_at: Instant = may("Signed")
    signing_factors: list[Literal["knowledge", "biometric", "hard_token"]] = may(
        "Factors used, if electronic"
    )
    transmission: Literal["electronic", "written", "oral", "fax"] = must("How sent")
    patient_identity_ref: Text = may("Name and address as of that date")
    destination: Literal["to_patient", "to_site"] = must("Where the drug goes")
    quantity: Amount = must("Units prescribed", unit="per quantity_unit")
    refills: Integer = must("Refills authorised")
    dose_mg: Amount = may("Dose each time", unit="mg")
    route: Literal["intranasal", "oral", "sublingual", "im", "sc"] = must("Route")
    directions: Text = may("Directions, incl. swallow or spit, sprays, daily maximum")
    mg_per_unit: Amount = may("Active drug per troche or spray", unit="mg/unit")
    strength_mg_per_ml: Amount = may("Strength of a liquid or spray", unit="mg/mL")
    ml_per_spray: Amount = may("Volume per spray", unit="mL/spray")
    max_units_per_day: Amount = may("Most troches or sprays a day", unit="unit/day")
    tele_basis: Literal["not_needed", "prior_in_person", "flexibility", "special_registration", "other"] = (
        must("Ground for remote prescribing")
    )
    order: Text = may("Order with indication and rationale")


class TreatmentPlan(AboutPatient, MayNameDrug, Envelope):
    """The planned course of treatment."""

    kind: ClassVar[str] = "treatment_plan"
    group: ClassVar[str] = "plan"
    key: ClassVar[tuple[str, ...]] = ("course",)

    course: Text = must("Handle")
    indication_class: Literal[
        "trd", "mdd_acute_si", "mdd", "bipolar", "anxiety", "ptsd", "ocd", "sud", "pain", "other"
    ] = must("Indication")
    course_start_on: Day = must("Day 1")
    phase: Literal["induction", "optimization", "maintenance", "booster"] = must("Phase now")
    planned_doses: Integer = may("Doses in the first series")
    interval_days: Amount = may("Planned interval", unit="day")
    end_point: Text = may("Goal")
    stop_rule: Text = may("When to stop")
    outcome_instrument: OutcomeInstrument = may("Measure followed")
    booster_trigger: Literal["symptom_return", "planned_prevention"] = may("Why a booster")
    next_review_on: Day = may("Next review")
    home_use: YesNo = may("Includes unsupervised doses")
    sitter_plan: YesNo = may("Adult sitter arranged")
    storage_plan: YesNo = may("Locked storage at home agreed")
    intensive_bp_monitoring: YesNo = may("Closer pressure monitoring planned")


class TreatmentReview(AboutPatient, Envelope):
    """A review of benefit that decides on going on."""

    kind: ClassVar[str] = "treatment_review"
    group: ClassVar[str] = "plan"

    course: Text = must("Course")
    review_type: Literal[
        "week_4_benefit", "series_response", "consecutive_weeks", "periodic", "booster", "missed_dose"
    ] = must("Occasion")
    instrument: OutcomeInstrument = may("Measure")
    baseline_total: Integer = may("Score at start")
    current_total: Integer = may("Score now")
    decision: Literal["continue", "change_frequency", "change_dose", "stop"] = must("Decision")
    new_interval_days: Amount = may("New interval", unit="day")
    symptoms: Literal["better", "same", "worse"] = may("Symptom course")
    rationale: Text = must("Reasons")
    decided_by: Text = must("Prescriber")
    face_to_face: YesNo = may("Held face to face")


class ClinicalDecision(AboutPatient, Envelope):
    """A prescriber's recorded decision on a flagged matter."""

    kind: ClassVar[str] = "clinical_decision"
    group: ClassVar[str] = "plan"

    about: Literal[
        "elevated_bp",
        "contraindication",
        "hepatic",
        "pregnancy",
        "drug_interaction",
        "uds_result",
        "pdmp_result",
        "suicide_risk",
        "adverse_event",
        "dose_out_of_band",
        "dose_reduction",
        "off_schedule",
        "product_switch",
        "urinary_symptoms",
        "food_or_nasal",
        "bladder_or_liver",
        "ecg_or_lab",
        "discharge",
    ] = must("Matter")
    concerns_event: Id = must("Event decided upon")
    decision: Literal[
        "proceed",
        "proceed_with_monitoring",
        "delay",
        "cancel",
        "refer",
        "stop_treatment",
        "report",
        "no_report",
    ] = must("Decision")
    rationale: Text = must("Reasons")
    decided_by: Text = must("Prescriber")
    safety_plan: YesNo = may("Safety plan made")
    reports_considered: list[Literal["medwatch", "compounder", "rems", "state"]] = may("Reports weighed")
