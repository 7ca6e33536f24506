"""Oversight: corrections, voids, overrides, signatures, attestations, policies in force, access, disclosures, incidents."""

from typing import ClassVar, Literal

from compliance.domain.events.declaring import (
    AboutPatient,
    Amount,
    Corrective,
    Day,
    Envelope,
    Id,
    Instant,
    Integer,
    Record,
    Text,
    YesNo,
    may,
    must,
)


class FieldChange(Record):
    """A change of one field; old and new value as JSON text, null for absent."""

    name: Text = must("Field")
    old: Text = must("Value as it stands, as JSON text; null for absent")
    new: Text = must("New value, as JSON text; null removes it")


class Correction(Corrective, Envelope):
    """Replaces named fields of an earlier event; the old one stays."""

    kind: ClassVar[str] = "correction"
    group: ClassVar[str] = "oversight"

    fields: list[FieldChange] = must("Changes")
    reason_code: Literal[
        "typing",
        "wrong_patient",
        "wrong_quantity",
        "wrong_time",
        "missing_value",
        "patient_amendment",
        "other",
    ] = must("Why")
    approved_by: Text = may("Approver of quantity, time or patient changes")
    resign_required: YesNo = must("A fresh signature is needed")


class Void(Corrective, Envelope):
    """Declares that an earlier event did not happen."""

    kind: ClassVar[str] = "void"
    group: ClassVar[str] = "oversight"

    reason_code: Literal["duplicate", "wrong_patient", "never_happened", "test_entry"] = must("Why")
    approved_by: Text = may("Approver")
    replaced_by_event: Id = may("Event entered instead")


class Override(Envelope):
    """An authorised person lets a proposed act go on against a finding."""

    kind: ClassVar[str] = "override"
    group: ClassVar[str] = "oversight"

    overrides_event: Id = must("Proposed event")
    requirements: list[Text] = must("Requirement ids set aside")
    justification: Text = must("Why")
    approved_by: Text = must("Approver")
    expires_at: Instant = may("End of the permission")
    emergency: YesNo = must("Break-glass")
    reviewed_by: Text = may("After-the-fact reviewer")


class FindingAction(Envelope):
    """A person takes on, resolves or reopens a finding."""

    kind: ClassVar[str] = "finding_action"
    group: ClassVar[str] = "oversight"

    finding: Text = must("Finding id")
    action: Literal["assign", "resolve", "reopen", "note"] = must("What was done")
    assignee: Text = may("Staff id")
    due_at: Instant = may("To be done by")
    justification: Text = may("Why; required to resolve or reopen")


class Attestation(Envelope):
    """A person declares that something holds."""

    kind: ClassVar[str] = "attestation"
    group: ClassVar[str] = "oversight"
    key: ClassVar[tuple[str, ...]] = (
        "topic",
        "subject",
    )

    topic: Literal[
        "secure_storage",
        "storage_construction",
        "staff_screening_done",
        "regime_scope",
        "record_separation",
        "central_records",
        "epcs_controls",
        "encryption_or_equivalent",
        "session_controls",
        "password_controls",
        "medical_purpose",
        "sequence_controls",
        "rems_processes",
        "scope_table_reviewed",
        "state_table_reviewed",
        "deid_method",
        "policy_review",
        "identity_uniqueness",
    ] = must("What is declared")
    subject: Text = must("Site, place, system or document")
    statement: Text = must("Wording")
    holds_true: YesNo = must("Yes or no")
    exceptions: Text = may("What does not hold and why")
    valid_until_on: Day = may("Renew by")
    evidence_sha256: Text = may("Digest of proof")


class Signature(Envelope):
    """A person signs an event."""

    kind: ClassVar[str] = "signature"
    group: ClassVar[str] = "oversight"

    target_event: Id = must("Event signed")
    target_sha256: Text = must(
        "SHA-256 (hex) of the RFC 8785 canonical JSON of the signed event as sent, without entered_at"
    )
    signer: Text = must("Staff id")
    printed_name_ref: Text = may("Printed name as of then, in the identity store")
    meaning: Literal["author", "witness", "approve", "review", "responsibility", "prescribe", "verify"] = may(
        "Meaning"
    )
    components: list[Literal["user_id", "password", "token", "biometric", "pin"]] = may("Components used")
    first_in_login: YesNo = must("First signing in this login")
    login: Text = must("Login handle; a witness needs another")
    login_idle_min: Amount = may("Idle minutes before signing", unit="min")
    signature_value: Text = may("Signature bytes")


class PolicyActivation(Envelope):
    """A policy, table, form or software version takes effect."""

    kind: ClassVar[str] = "policy_activation"
    group: ClassVar[str] = "oversight"
    key: ClassVar[tuple[str, ...]] = ("artifact",)

    artifact: Text = must("Handle")
    artifact_type: Literal[
        "policy",
        "state_table",
        "calendar",
        "drug_list",
        "procedure",
        "software",
        "label_text",
        "rems_text",
        "form_template",
        "permission_table",
        "record_class",
    ] = must("What")
    version: Text = must("Version")
    sha256: Text = must("Digest")
    effective_at: Instant = must("Start")
    superseded_at: Instant = may("End")
    author: Text = must("Author")
    approved_by: Text = must("Approver")
    change_reason: Text = must("Why")
    tests_passed: Integer = must("Examples passed")
    tests_failed: Integer = must("Examples failed")
    untested_rules: Integer = may("Rules with no passing or no failing example")
    next_review_on: Day = may("Review due")
    retraining_required: YesNo = may("People must be retrained")
    regimes: list[Literal["dea_1304", "dea_1311", "hipaa", "part_11", "rems", "state"]] = may(
        "Regimes of a record class"
    )
    adoption_status: Literal["proposed", "adopted"] = may("Status of the law behind it")


class RecordAccess(Envelope):
    """Records were viewed, searched, exported or their access log reviewed."""

    kind: ClassVar[str] = "record_access"
    group: ClassVar[str] = "oversight"

    mode: Literal["view", "search", "export", "log_review"] = must("What was done")
    purpose: Literal[
        "treatment",
        "payment",
        "operations",
        "inspection",
        "patient_request",
        "drill",
        "analytics",
        "support",
        "legal",
    ] = must("Why")
    filter: Text = must("Selection used")
    row_count: Integer = must("Rows given")
    expected_rows: Integer = may("Rows by replay")
    duration_ms: Integer = may("Time taken", unit="ms")
    formats: list[Literal["pdf", "csv", "json", "screen"]] = must("Forms given")
    sha256: Text = may("Digest of the export")
    includes_audit_trail: YesNo = may("History included")
    includes_signatures: YesNo = may("Signatures included")
    deid_method: Literal["none", "safe_harbor", "expert", "limited_set"] = may("De-identification")
    leaves_site: YesNo = must("Goes outside the clinic")
    break_glass: YesNo = may("Emergency access")
    period_from_on: Day = may("Period covered")
    period_until_on: Day = may("Period covered")
    findings: Text = may("Result of a log review")


class Disclosure(Envelope):
    """Patient data went to someone outside."""

    kind: ClassVar[str] = "disclosure"
    group: ClassVar[str] = "oversight"

    recipient: Text = must("Who, with address handle")
    description: Text = must("What was given")
    legal_ground: Literal[
        "treatment",
        "payment",
        "operations",
        "required_by_law",
        "health_oversight",
        "public_health",
        "legal_process",
        "authorization",
        "other",
    ] = must("Ground")
    request_ref: Text = may("Request behind it")
    concerns_event: Id = may("Report or export behind it")
    accountable: YesNo = must("Counts in an accounting")
    suspended_until_on: Day = may("Authority asked to withhold from accountings")


class PatientRequest(AboutPatient, Envelope):
    """A patient asks for an accounting, an amendment, access or a copy; later events add the answer."""

    kind: ClassVar[str] = "patient_request"
    group: ClassVar[str] = "oversight"
    key: ClassVar[tuple[str, ...]] = ("request",)

    request: Text = must("Handle")
    request_type: Literal["accounting", "amendment", "access"] = must("What")
    received_on: Day = must("Received")
    status: Literal["open", "extended", "granted", "denied"] = must("State")
    target_events: list[Id] = may("Records concerned")
    extension_notice_on: Day = may("Notice of extension")
    answered_on: Day = may("Answer sent")
    correction_event: Id = may("Amendment made")
    statement_ref: Text = may("Statement of disagreement kept")


class SecurityIncident(Envelope):
    """A suspected breach, lost token, failed logins or misuse."""

    kind: ClassVar[str] = "security_incident"
    group: ClassVar[str] = "oversight"
    key: ClassVar[tuple[str, ...]] = ("incident",)

    incident: Text = must("Handle")
    incident_type: Literal[
        "epcs", "lost_token", "failed_logins", "privacy", "intrusion", "lost_device", "tampering"
    ] = must("Kind")
    discovered_at: Instant = must("When known or knowable")
    reported_internally_at: Instant = may("Told to access setters")
    contained_at: Instant = may("Token or account shut off")
    confirmed: YesNo = may("Judged a real incident")
    factors: list[Literal["nature_of_data", "who_received", "acquired_or_viewed", "mitigation"]] = may(
        "Risk factors weighed"
    )
    is_breach: YesNo = may("Breach of unsecured data")
    affected_count: Integer = may("Patients affected")
    state_max_count: Integer = may("Most in one state")
    failed_count: Integer = may("Failed logins")
    window_min: Integer = may("Over minutes", unit="min")
    decided_by: Text = may("Who judged")


class SystemEvent(Envelope):
    """The system ran, checked, backed up, lost or held records."""

    kind: ClassVar[str] = "system_event"
    group: ClassVar[str] = "oversight"

    activity: Literal[
        "backup",
        "restore_test",
        "restore",
        "chain_check",
        "checkpoint",
        "clock_check",
        "epcs_log_review",
        "retrieval_drill",
        "downtime",
        "legal_hold_on",
        "legal_hold_off",
        "purge",
    ] = must("What")
    ended_at: Instant = may("End")
    succeeded: YesNo = must("Worked")
    last_sequence: Integer = may("Last log number covered")
    first_bad_sequence: Integer = may("First broken entry")
    root_sha256: Text = may("Log root")
    stored_outside: YesNo = may("Kept out of the administrator's reach")
    clock_offset_ms: Integer = may("Clock error", unit="ms")
    recovery_point_min: Integer = may("Data lost, in minutes", unit="min")
    recovery_time_min: Integer = may("Time to restore", unit="min")
    for_on: Day = may("Day reviewed")
    record_kinds: list[Text] = may("Kinds held or purged")
    records_until_on: Day = may("Latest record date purged")
