"""The session: doses, infusions, vital signs, observation, stops and discharge."""

from typing import ClassVar, Literal

from compliance.domain.events.declaring import (
    AboutDrug,
    AboutPatient,
    Amount,
    Day,
    Envelope,
    InSession,
    Instant,
    Integer,
    MayNameDrug,
    Route,
    StockUnit,
    Text,
    YesNo,
    may,
    must,
)


class Administration(AboutPatient, InSession, AboutDrug, Envelope):
    """One device, injection, infusion or oral dose was given; occurred_at is its start."""

    kind: ClassVar[str] = "administration"
    group: ClassVar[str] = "session"

    registration: Text = may("DEA registration")
    order: Text = may("Order")
    prescription: Text = may("Prescription of a patient-named dose")
    encounter_class: Literal["outpatient", "emergency_department", "inpatient", "home", "other"] = must(
        "Where given"
    )
    route: Route = must("Route")
    dose_mg: Amount = must("Active drug given", unit="mg")
    dose_mg_per_kg: Amount = may("Per kg of the weight used", unit="mg/kg")
    quantity: Amount = must(
        "Amount given to the patient, in the stock unit; what was drawn and not given is wastage",
        unit="per quantity_unit",
    )
    quantity_unit: StockUnit = must("Stock unit")
    lot: Text = may("Lot")
    container: Text = may("Vial or device")
    device_number: Integer = may("1, 2 or 3 within the session")
    dots_before: Integer = may("Green dots before use")
    dots_after: Integer = may("Green dots after use")
    given_by: Literal["patient_self", "staff"] = may("Whose hand")
    observer: Text = may("Provider who gave or directly watched it")
    supervisor: Text = may("Practitioner answerable on site")
    completed_at: Instant = may("End of the dose")
    patient_identity_ref: Text = may("Name and address as of that date")


class Infusion(AboutPatient, InSession, AboutDrug, Envelope):
    """An infusion started, changed, paused or ended."""

    kind: ClassVar[str] = "infusion"
    group: ClassVar[str] = "session"

    order: Text = must("Order")
    preparation: Text = must("Preparation running")
    phase: Literal["start", "rate_change", "pause", "resume", "stop"] = must("What happened")
    rate_mg_per_min: Amount = may("Rate from now on", unit="mg/min")
    rate_ml_per_hour: Amount = may("Pump rate", unit="mL/h")
    volume_infused_ml: Amount = may("Volume so far", unit="mL")
    delivered_mg: Amount = may("Drug so far", unit="mg")
    equipment: Text = may("Pump")
    run_by: Text = must("Staff id")


class VitalSigns(AboutPatient, Envelope):
    """Measurements at one time."""

    kind: ClassVar[str] = "vital_signs"
    group: ClassVar[str] = "session"

    point: Literal["screening", "pre_dose", "during", "about_40_min", "pre_discharge", "follow_up"] = must(
        "Point in the session"
    )
    systolic_mmhg: Integer = may("Systolic pressure", unit="mmHg")
    diastolic_mmhg: Integer = may("Diastolic pressure", unit="mmHg")
    heart_rate_bpm: Integer = may("Heart rate", unit="beats/min")
    spo2_percent: Amount = may("Oxygen saturation", unit="%")
    respiratory_rate_per_min: Integer = may("Breaths", unit="/min")
    etco2_mmhg: Amount = may("End-tidal CO2", unit="mmHg")
    weight_kg: Amount = may("Weight", unit="kg")
    height_cm: Amount = may("Height", unit="cm")
    weight_measured: YesNo = may("Weighed, not reported")
    supplemental_o2: YesNo = may("On oxygen")
    continuous_oximetry: YesNo = may("Oximeter stays on")
    acceptable: YesNo = may("Clinician judged acceptable")
    equipment: Text = may("Device used")
    symptoms: list[
        Literal[
            "chest_pain",
            "dyspnoea",
            "severe_headache",
            "visual_disturbance",
            "seizure",
            "reduced_consciousness",
            "focal_deficit",
            "none",
        ]
    ] = may("Alarm symptoms")


class Observation(AboutPatient, InSession, Envelope):
    """A named provider starts, takes over or ends watching the patient."""

    kind: ClassVar[str] = "observation"
    group: ClassVar[str] = "session"

    phase: Literal["start", "handover", "check", "end"] = must("Step")
    observer: Text = must("Provider now watching")
    continues_from: Text = may("Observer relieved")
    in_person: YesNo = must("With the patient, not by video")
    concurrent_patients: Integer = may("Patients watched at once")


class SessionStop(AboutPatient, MayNameDrug, Envelope):
    """A planned session was missed, cancelled or broken off."""

    kind: ClassVar[str] = "session_stop"
    group: ClassVar[str] = "session"

    stage: Literal["missed", "cancelled_before_dose", "stopped_during"] = must("When")
    planned_on: Day = may("Planned day")
    cause: Literal[
        "patient_no_show",
        "patient_request",
        "site_closed",
        "vital_signs",
        "adverse_event",
        "device_failure",
        "no_transport",
        "contraindication",
        "supply",
        "other",
    ] = must("Why")
    devices_prepared: Integer = may("Devices opened")
    devices_used: Integer = may("Devices used")
    decided_by: Text = may("Who decided")


class Discharge(AboutPatient, InSession, Envelope):
    """The patient leaves the session."""

    kind: ClassVar[str] = "discharge"
    group: ClassVar[str] = "session"

    disposition: Literal["home", "higher_level_care", "admitted", "against_advice", "eloped"] = must(
        "Where to"
    )
    departure_mode: Literal[
        "escort", "ride_service", "public_transport", "self_drive", "ambulance", "not_leaving"
    ] = must("How")
    escort_ref: Text = may("Pseudonymous escort handle")
    released_by: Text = may("Provider")
    instructions_given: YesNo = may("Written no-driving advice given")
    devices_taken: Integer = must("Devices that left with the patient")
    destination: Text = may("Receiving facility")
