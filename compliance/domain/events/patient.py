"""The patient: enrolment, consent, evaluations, screens, laboratory, counselling, and the check before a session."""

from typing import ClassVar, Literal

from compliance.domain.events.declaring import (
    AboutPatient,
    Amount,
    Day,
    DoneOrNot,
    EffectState,
    Envelope,
    IndicationClass,
    InSession,
    Instant,
    Integer,
    MayNameDrug,
    Record,
    Route,
    Text,
    YesNo,
    YesNoUnknown,
    may,
    must,
)


class PatientEnrollment(AboutPatient, Envelope):
    """A patient is registered, enrolled, re-verified or withdrawn in a programme."""

    kind: ClassVar[str] = "patient_enrollment"
    group: ClassVar[str] = "patient"
    key: ClassVar[tuple[str, ...]] = ("program",)

    program: Literal["clinic", "spravato_rems", "va_care"] = must("Programme")
    step: Literal["enrolled", "verified", "suspended", "withdrawn"] = must("What was done")
    program_patient_ref: Text = may("Programme's patient or authorisation number")
    patient_identity_ref: Text = may("Key into the separate identity store, fixed at that date")
    result: Literal["active", "not_found", "mismatch", "inactive"] = may("Outcome of a verification")
    patient_signed_at: Instant = may("Patient or guardian signature")
    prescriber_signed_at: Instant = may("Prescriber signature")
    submitted_at: Instant = may("Sent to the programme")
    confirmed_at: Instant = may("Programme's confirmation")
    valid_from_on: Day = may("Start of authorisation")
    valid_until_on: Day = may("End of authorisation")
    state: Text = may("State of residence")
    reproductive_potential: YesNo = may("Can become pregnant")
    majority_on: Day = may("Day a minor comes of age, for retention")
    treating_clinician_ref: Text = may("Outside clinician to inform")


class Consent(AboutPatient, MayNameDrug, Envelope):
    """A patient's informed consent, or its withdrawal."""

    kind: ClassVar[str] = "consent"
    group: ClassVar[str] = "patient"
    key: ClassVar[tuple[str, ...]] = ("consent",)

    consent: Text = must("Handle")
    action: Literal["given", "withdrawn"] = must("Given or withdrawn")
    form_version: Text = must("Text version signed")
    document_sha256: Text = may("Digest of what was signed")
    route_covered: list[Route] = must("Routes covered")
    indication_covered: Text = must("Indication class covered")
    max_dose_mg: Amount = may("Highest dose covered", unit="mg")
    home_use_covered: YesNo = may("Covers unsupervised doses")
    elements: list[
        Literal[
            "off_label",
            "evidence_limits",
            "alternatives",
            "approved_alternative",
            "acute_risks",
            "long_term_risks",
            "abuse_dependence",
            "pregnancy_lactation",
            "no_driving",
            "planned_doses",
            "booster_no_standard",
            "voluntary_withdrawal",
            "compounded_not_reviewed",
            "unsupervised_risk",
            "cost",
        ]
    ] = may("Elements acknowledged")
    signed_by_patient_at: Instant = may("Patient or surrogate signature")
    signed_by_clinician_at: Instant = may("Clinician signature")
    clinician: Text = may("Staff id")
    surrogate_ref: Text = may("Who consented instead, with authority")
    assent_given: YesNo = may("Assent of a minor")
    capacity_confirmed: YesNo = may("Clinician found capacity")
    copy_given: YesNo = may("Copy handed over")
    interpreter_used: YesNo = may("Interpreter took part")


class EarlierTreatment(Record):
    """An earlier treatment and how it went."""

    treatment: Text = must("Drug or therapy")
    kind: Literal["drug", "psychotherapy", "device"] = must("Type")
    dose_mg: Amount = may("Dose", unit="mg")
    weeks: Amount = may("Length", unit="week")
    adequate: YesNo = may("Adequate trial")
    outcome: Literal["none", "partial", "response", "intolerant"] = may("Result")


class Evaluation(AboutPatient, Envelope):
    """A clinician's diagnostic or medical evaluation."""

    kind: ClassVar[str] = "evaluation"
    group: ClassVar[str] = "patient"

    evaluation_type: Literal["diagnostic", "medical", "substance_use", "telehealth"] = must("Purpose")
    modality: Literal["in_person", "audio_video", "audio_only"] = must("How held")
    evaluator: Text = must("Staff or outside clinician id")
    evaluator_qualified: YesNo = may("Qualified for this evaluation")
    diagnosis_code: Text = may("ICD-10-CM code")
    indication_class: IndicationClass = may("Indication supported")
    trials: list[EarlierTreatment] = may("Earlier treatments")
    approved_option_considered: YesNo = may("A labelled option was weighed")
    reason_not_used: Text = may("Why not")
    history_done: YesNo = may("History and systems review done")
    psychosis_mania_screened: YesNo = may("Screened for psychosis and mania")
    airway_class: Literal["1", "2", "3", "4", "not_indicated"] = may("Mallampati class")
    asa_class: Integer = may("ASA physical status")
    ecg_decision: DoneOrNot = may("ECG decision")
    lab_decision: DoneOrNot = may("Laboratory decision")
    child_pugh_class: Literal["A", "B", "C", "none"] = may("Liver class")
    allergies_reviewed: YesNo = may("Allergies asked")
    patient_state: Text = may("Where the patient was")


class Assessment(AboutPatient, Envelope):
    """One instrument or bedside state scored at one time."""

    kind: ClassVar[str] = "assessment"
    group: ClassVar[str] = "patient"

    instrument: Literal[
        "phq9",
        "gad7",
        "qids_sr16",
        "madrs",
        "pcl5",
        "cadss",
        "moaas",
        "cssrs",
        "audit_c",
        "dast10",
        "abuse_risk",
        "urinary_symptoms",
        "cognition",
        "pregnancy_status",
        "recovery",
        "readiness",
    ] = must("What was used")
    version: Text = may("Instrument version")
    mode: Literal["self", "clinician"] = must("Who rated")
    assessor: Text = may("Staff id")
    item_scores: list[Integer] = may("Item answers in order")
    total: Integer = may("Total")
    suicidal_ideation_level: Integer = may("C-SSRS level 0-5")
    suicidal_behaviour_days_ago: Integer = may(
        "Days since last behaviour; absent where none is known", unit="day"
    )
    sedation: EffectState = may("Sedation")
    dissociation: EffectState = may("Dissociation")
    respiratory_depression: EffectState = may("Respiratory depression")
    oriented: YesNo = may("Oriented as at baseline")
    gait_steady: YesNo = may("Walks safely")
    ready_to_leave: YesNo = may("Stable and ready to leave")
    pregnant: Literal["yes", "no", "unknown", "not_applicable"] = may("Pregnancy status")
    lactating: YesNo = may("Breastfeeding")
    risk_level: Literal["low", "moderate", "high"] = may("Level for a risk tool")
    counselled: YesNo = may("Advice that goes with the finding was given")


class LabResult(AboutPatient, Envelope):
    """A laboratory, toxicology, pregnancy or ECG result; occurred_at is when it was known."""

    kind: ClassVar[str] = "lab_result"
    group: ClassVar[str] = "patient"

    test: Literal["pregnancy", "urine_drug_screen", "urinalysis", "liver_panel", "ecg", "other"] = must(
        "Test"
    )
    collected_at: Instant = must("Sample time")
    result: Literal["negative", "positive", "normal", "abnormal", "indeterminate", "declined"] = must(
        "Result"
    )
    declined_reason: Text = may("Why not done")
    panel_includes_ketamine: YesNo = may("Screen can detect ketamine")
    unexpected: YesNo = may("Not explained by treatment")
    alt_u_per_l: Amount = may("ALT", unit="U/L")
    ast_u_per_l: Amount = may("AST", unit="U/L")
    alp_u_per_l: Amount = may("Alkaline phosphatase", unit="U/L")
    bilirubin_mg_per_dl: Amount = may("Total bilirubin", unit="mg/dL")


class ContraindicationScreen(AboutPatient, MayNameDrug, Envelope):
    """Answers on conditions that forbid or caution against the drug."""

    kind: ClassVar[str] = "contraindication_screen"
    group: ClassVar[str] = "patient"

    product_family: Literal["esketamine", "ketamine"] = must("List applied")
    aneurysmal_disease: YesNoUnknown = may("Aneurysmal vascular disease")
    arteriovenous_malformation: YesNoUnknown = may("AVM")
    intracerebral_haemorrhage: YesNoUnknown = may("History of bleed in the brain")
    hypersensitivity: YesNoUnknown = must("To drug or excipients")
    serious_bp_hazard: YesNoUnknown = may("Pressure rise would be dangerous")
    other_cardiovascular: YesNoUnknown = may("Other heart, brain-vessel or pressure condition")
    unstable_cardiac: YesNoUnknown = may("Unstable heart disease")
    uncontrolled_hypertension: YesNoUnknown = may("Hypertension not controlled")
    pregnant: YesNoUnknown = may("Pregnancy")
    lactating: YesNoUnknown = may("Breastfeeding")
    psychotic_disorder: YesNoUnknown = may("Schizophrenia spectrum or active psychosis")
    mania: YesNoUnknown = may("Mania")
    dementia_or_delirium: YesNoUnknown = may("Dementia or delirium")
    hypertensive_encephalopathy: YesNoUnknown = may("Such history")
    hepatic_disease: YesNoUnknown = may("Liver disease known or suspected")
    va_exclusion: YesNoUnknown = may("Any exclusion of the VA protocol")


class MedicationReconciliation(AboutPatient, Envelope):
    """What the patient takes, asked afresh."""

    kind: ClassVar[str] = "medication_reconciliation"
    group: ClassVar[str] = "patient"

    benzodiazepine: YesNo = must("In use")
    sedative_hypnotic: YesNo = must("In use")
    opioid: YesNo = must("In use")
    alcohol_today: YesNo = must("Drank today")
    psychostimulant: YesNo = must("In use, modafinil included")
    maoi: YesNo = must("In use")
    theophylline: YesNo = may("Theophylline in use")
    aminophylline: YesNo = may("Aminophylline in use")
    lamotrigine: YesNo = may("In use")
    vasopressor_or_sympathomimetic: YesNo = may("In use")
    oral_antidepressant: YesNo = may("Taken alongside")
    depressant_last_taken_at: Instant = may("Last depressant dose")


class PdmpQuery(AboutPatient, Envelope):
    """A prescription monitoring programme was consulted, or excused."""

    kind: ClassVar[str] = "pdmp_query"
    group: ClassVar[str] = "patient"

    state: Text = must("State queried")
    queried_by: Text = must("Staff id")
    delegate_for: Text = may("Prescriber on whose behalf")
    lookback_months: Integer = may("History asked for", unit="month")
    exemption_code: Text = may("Ground for not querying")
    findings: Literal["none", "expected", "concern", "unavailable"] = may(
        "Reviewer's reading; contents are not kept"
    )


class Counseling(AboutPatient, Envelope):
    """A provider explained something to the patient."""

    kind: ClassVar[str] = "counseling"
    group: ClassVar[str] = "patient"

    topics: list[
        Literal[
            "enrollment",
            "monitoring_2h",
            "sedation",
            "dissociation",
            "respiratory_depression",
            "vital_signs",
            "safe_departure",
            "no_driving",
            "abuse_misuse",
            "pregnancy",
            "suicidality",
            "home_storage",
            "registry",
        ]
    ] = must("Topics covered")
    counselled_by: Text = may("Staff id")
    counsellor_licensed: YesNo = must("A healthcare provider")
    medication_guide_given: YesNo = may("Guide handed over")
    patient_understood: YesNo = may("Understanding confirmed")


class PreSessionCheck(AboutPatient, InSession, Envelope):
    """Answers taken on the day before the first dose, travel home included."""

    kind: ClassVar[str] = "pre_session_check"
    group: ClassVar[str] = "patient"

    last_food_at: Instant = may("Last meal")
    last_liquid_at: Instant = may("Last drink")
    last_nasal_steroid_at: Instant = may("Last nasal corticosteroid")
    last_decongestant_at: Instant = may("Last nasal decongestant")
    nasal_product_used: YesNo = must("Any such product today")
    acutely_impaired: YesNo = must("Intoxicated, delirious or still under effect")
    history_changed: YesNo = must("New illness or medicine since last time")
    transport_type: Literal[
        "escort", "ride_service", "public_transport", "admitted", "self_drive", "none"
    ] = must("Planned way home")
    escort_ref: Text = may("Pseudonymous escort handle")
    no_driving_explained: YesNo = must("Restriction explained")
    stop_criteria_set: YesNo = may("Stop criteria written before start")
    planned_observation_min: Integer = may("Observation planned", unit="min")
