"""People and places: registrations, sites, certifications, credentials, work, training, presence, equipment, access."""

from typing import ClassVar, Literal

from compliance.domain.events.declaring import (
    Amount,
    Day,
    Envelope,
    Instant,
    Integer,
    Route,
    Text,
    YesNo,
    ZoneName,
    may,
    must,
)


class Registration(Envelope):
    """A DEA registration as it stands, of the clinic, a practitioner or a trading partner."""

    kind: ClassVar[str] = "registration"
    group: ClassVar[str] = "people_and_places"
    key: ClassVar[tuple[str, ...]] = ("registration",)

    registration: Text = must("Our handle for the registration; other events name it")
    dea_number: Text = must("DEA number as printed")
    dea_suffix: Text = may("Internal code after an institutional number")
    holder_kind: Literal[
        "own_site",
        "own_practitioner",
        "practitioner",
        "distributor",
        "manufacturer",
        "pharmacy",
        "outsourcing_facility",
        "reverse_distributor",
    ] = must("Whose registration it is")
    holder: Text = may("Site, staff or partner id")
    business_activity: Literal[
        "individual_practitioner",
        "mid_level",
        "hospital_clinic",
        "pharmacy",
        "distributor",
        "manufacturer",
        "reverse_distributor",
        "researcher",
    ] = must("Activity on the certificate")
    is_institution: YesNo = may("Institutional practitioner, not an individual")
    schedules: list[Literal["2", "2N", "3", "3N", "4", "5"]] = must("Authorised schedules; ketamine needs 3N")
    status: Literal["active", "renewal_pending", "lapsed", "suspended", "surrendered", "revoked", "ended"] = (
        must("Status from occurred_at on")
    )
    effective_on: Day = must("First day in force")
    expires_on: Day = must("Last day in force")
    renewal_filed_at: Instant = may("When the renewal was submitted")
    modification_approved_on: Day = may("DEA approval of a changed name, address or schedule")
    registered_address_ref: Text = may("Normalised address of the registered place")
    state: Text = must("Two-letter state")
    checked_at: Instant = may("When the standing was looked up at its source")
    fda_registered_until_on: Day = may("End of an outsourcing facility's FDA registration")
    is_collector: YesNo = may("Authorised to collect drugs from the public")
    handling_from_on: Day = may("Day handling under it first begins")
    last_renewed_on: Day = may("Last application or renewal granted")


class SiteProfile(Envelope):
    """Standing facts about one physical site."""

    kind: ClassVar[str] = "site_profile"
    group: ClassVar[str] = "people_and_places"
    key: ClassVar[tuple[str, ...]] = ("site",)

    address_ref: Text = must("Normalised street address handle")
    state: Text = must("Two-letter state")
    time_zone: ZoneName = must("IANA zone that fixes local dates")
    holds_stock: YesNo = must("Stock is kept or doses are given here")
    charges_patients: YesNo = may("Charges for doses, alone or bundled")
    regularly_administers: YesNo = may("Giving controlled drugs is regular practice")
    exemption_claimed: YesNo = may("Claims relief from administering records")
    exemption_basis: Text = may("Why, and who approved")
    central_records_notice_on: Day = may("Date DEA received notice of central records")
    central_record_classes: list[Literal["shipping", "financial"]] = may("What is kept centrally")
    change_kind: Literal["opened", "moved", "renamed", "closed", "sold"] = may(
        "What changed, if this reports a change"
    )
    change_effective_on: Day = may("Day the change takes effect")
    dea_notice_on: Day = may("Written notice to DEA of the change")
    state_rows_reviewed_on: Day = may("Last review of this state's parameter rows")


class SiteCertification(Envelope):
    """A REMS certification of a setting, pharmacy or distributor, and who answers for it."""

    kind: ClassVar[str] = "site_certification"
    group: ClassVar[str] = "people_and_places"
    key: ClassVar[tuple[str, ...]] = (
        "party",
        "setting_class",
    )

    party: Text = must("Site, pharmacy or distributor id")
    party_type: Literal["healthcare_setting", "pharmacy", "distributor"] = must(
        "Who is certified or qualified"
    )
    setting_class: Literal["outpatient", "inpatient", "not_applicable"] = must("Enrolment form used")
    status: Literal["pending", "certified", "suspended", "withdrawn"] = must("Status from occurred_at on")
    certified_at: Instant = may("Start of certification")
    decertified_at: Instant = may("End, if ended")
    rems_number: Text = may("Number given by the REMS")
    authorized_representative: Text = may("Staff id of the one answerable person")
    representative_started_at: Instant = may("Start of that person's charge")
    representative_ended_at: Instant = may("End of that person's charge")
    form_signed_at: Instant = may("Enrolment form signed")
    form_submitted_at: Instant = may("Enrolment form sent")
    confirmed_at: Instant = may("REMS confirmation")
    address_ref: Text = may("Address on the enrolment")
    acquisition_routes: list[Literal["bulk_distributor", "patient_specific_pharmacy"]] = may(
        "Supply routes declared"
    )


class Credential(Envelope):
    """An authority, certificate, clearance or proof that a person or facility holds."""

    kind: ClassVar[str] = "credential"
    group: ClassVar[str] = "people_and_places"
    key: ClassVar[tuple[str, ...]] = (
        "person",
        "credential_type",
        "jurisdiction",
    )

    person: Text = must("Staff id, or site id for a facility permit")
    credential_type: Literal[
        "state_licence",
        "state_csr",
        "facility_permit",
        "pharmacy_licence",
        "acls",
        "bls",
        "anaesthesia_privilege",
        "mental_health_qualification",
        "ketamine_competency",
        "mate_attestation",
        "background_screen",
        "identity_proofing",
        "signing_token",
        "fda_signature_letter",
        "professional_scope",
    ] = must("What it is")
    jurisdiction: Text = may("State or issuing body")
    number: Text = may("Number or handle, no names")
    profession: Literal[
        "physician", "np", "pa", "crna", "rn", "pharmacist", "psychologist", "technician", "other", "none"
    ] = may("Profession it licenses")
    may_prescribe_c3: YesNo = may("Allows prescribing Schedule III")
    may_administer_routes: list[Route] = may("Routes within scope")
    status: Literal["active", "lapsed", "suspended", "revoked", "withdrawn"] = must(
        "Standing from occurred_at on"
    )
    valid_from_on: Day = must("First valid day")
    valid_until_on: Day = may("Last valid day")
    hours: Amount = may("Training hours attested", unit="hour")
    basis: Literal["training", "board_certification", "recent_graduate", "other"] = may(
        "Ground for the attestation"
    )
    disqualifying_history: YesNo = may(
        "A screen found a felony or DEA denial, revocation or for-cause surrender"
    )
    waiver_ref: Text = may("DEA employment waiver on file")
    last_tested_on: Day = may("Last test of a token or code")


class Employment(Envelope):
    """A person works for a registrant, as employee or agent, in a role."""

    kind: ClassVar[str] = "employment"
    group: ClassVar[str] = "people_and_places"
    key: ClassVar[tuple[str, ...]] = (
        "person",
        "registration",
        "role",
    )

    person: Text = must("Staff id")
    registration: Text = must("Registrant acted for")
    relation: Literal["employee", "agent", "contractor", "owner"] = must("Legal relation")
    role: Literal[
        "prescriber", "nurse", "pharmacist", "technician", "therapist", "front_desk", "manager", "it", "other"
    ] = must("Job")
    started_at: Instant = must("Start")
    ended_at: Instant = may("End")
    internal_code: Text = may("Institution's code for this prescriber; never reused")


class Training(Envelope):
    """A person completed training or accepted a duty in writing."""

    kind: ClassVar[str] = "training"
    group: ClassVar[str] = "people_and_places"

    person: Text = must("Staff id")
    topic: Literal[
        "spravato_rems",
        "controlled_substances",
        "system_use",
        "signature_accountability",
        "privacy_security",
        "emergency",
        "procedure",
    ] = must("Subject")
    procedure: Text = may("Policy or procedure handle")
    material_version: Text = must("Version taught")
    trainer: Text = may("Who taught")
    evidence_sha256: Text = may("Digest of the proof")


class Presence(Envelope):
    """A person is at a site over an interval; a later event with the same shift closes it."""

    kind: ClassVar[str] = "presence"
    group: ClassVar[str] = "people_and_places"
    key: ClassVar[tuple[str, ...]] = ("shift",)

    shift: Text = must("Handle of this stretch")
    person: Text = must("Staff id")
    duty: Literal[
        "prescriber",
        "supervising_practitioner",
        "monitoring_provider",
        "acls_responder",
        "anaesthesia_provider",
        "observer",
        "other",
    ] = must("Capacity")
    on_premises: YesNo = must("Physically in the building, not on call or by video")
    arrived_at: Instant = must("Arrived")
    left_at: Instant = may("Left; absent while still there")


class EquipmentCheck(Envelope):
    """A check or reading of equipment, emergency items, storage or its temperature."""

    kind: ClassVar[str] = "equipment_check"
    group: ClassVar[str] = "people_and_places"
    key: ClassVar[tuple[str, ...]] = ("equipment",)

    equipment: Text = must("Equipment or storage place id")
    item: Literal[
        "pulse_oximeter",
        "blood_pressure_monitor",
        "oxygen",
        "positive_pressure_device",
        "suction",
        "airway_adjuncts",
        "defibrillator",
        "emergency_drugs",
        "infusion_pump",
        "scale",
        "storage_cabinet",
        "storage_temperature",
        "scanner",
    ] = must("What was checked")
    passed: YesNo = must("Fit for use")
    in_service_count: Integer = may("Working units of this item")
    expires_on: Day = may("Earliest expiry found; usable through that day")
    calibrated_until_on: Day = may("Calibration due")
    storage_class: Literal["locked_cabinet", "safe", "automated_cabinet", "dispersed", "open"] = may(
        "Class of a storage place"
    )
    substantially_constructed: YesNo = may("Judged robust enough to resist theft")
    temp_c: Amount = may("Temperature read", unit="degC")
    temp_min_c: Amount = may("Lowest since last reading", unit="degC")
    temp_max_c: Amount = may("Highest since last reading", unit="degC")


class AccessChange(Envelope):
    """An account, role, device or signing secret is granted, changed or taken away."""

    kind: ClassVar[str] = "access_change"
    group: ClassVar[str] = "people_and_places"
    key: ClassVar[tuple[str, ...]] = (
        "subject",
        "role",
    )

    subject: Text = must("Staff, service or device id")
    subject_kind: Literal["human", "service", "device"] = must("What the account is for")
    action: Literal["grant", "revoke", "suspend", "restore", "issue_token", "replace_token"] = must(
        "Change made"
    )
    role: Literal[
        "clinician",
        "prescriber",
        "witness",
        "stock_handler",
        "corrector",
        "policy_author",
        "policy_approver",
        "auditor",
        "administrator",
        "service",
    ] = must("Role affected")
    responsible_human: Text = may("Person answerable for a service account")
    set_by: list[Text] = must("Who set it; two for prescribing rights")
    approved_by: Text = may("Who approved")
    starts_at: Instant = must("Start")
    ends_at: Instant = may("End")
    stock_access: YesNo = may("Gives access to controlled stock")
    identity_key_ref: Text = may("Public key or certificate handle")
    app_certified_until_on: Day = may("End of the prescribing application's audit certificate")
