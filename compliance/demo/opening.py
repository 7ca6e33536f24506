"""February: the practice is founded. What must be on file before the first patient comes, and the first deliveries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import count as numbers
from typing import Any, Final

from compliance.demo.cabinet import Cabinet, Lot, count, delivery
from compliance.demo.journal import Journal, Site, minutes, paper
from compliance.demo.staff import (
    LAKE,
    LAKE_DOCTOR,
    LAKE_NURSE,
    LAKE_SECOND,
    MANAGER,
    MESA,
    MESA_DOCTOR,
    MESA_NURSE,
    MESA_SECOND,
    SERVICE,
    STAFF,
    Person,
)

ESKETAMINE: Final = "esketamine_nasal_28mg"
KETAMINE_IV: Final = "ketamine_inj_10mg_ml"
KETAMINE_IM: Final = "ketamine_inj_50mg_ml"

# Packages of the label (SPRAVATO USPI 16.1); the vials' numbers are invented.
NDC_TWO: Final = "50458002802"
NDC_THREE: Final = "50458002803"
NDC_IV: Final = "99999001020"
NDC_IM: Final = "99999005010"

FIRST_RIGHT: Final = "administrator"
"""What the manager is given before anything else can be typed in; all other rights follow a screening."""

FORM_VERSION: Final = "12/2024"
"""The monitoring form that the practice uses."""

_DEA: Final = {
    "REG-LAKE": "FC2048177", "REG-MESA": "FC5319062", "REG-DIST": "RD1182409", "REG-PHARM": "BP6720317",
}  # fmt: skip


def found(journal: Journal) -> tuple[Cabinet, Cabinet]:
    """Everything from the first account to the opening stock; gives the two cabinets."""
    for site, doctor, nurse in ((LAKE, LAKE_DOCTOR, LAKE_NURSE), (MESA, MESA_DOCTOR, MESA_NURSE)):
        desk = _desk(site.at("02-09", "08:30"))
        _place(journal, site, desk)
        for person in STAFF:
            if person.site is site:
                _hire(journal, person, doctor, desk)
        _safe(journal, site, nurse)
    _certify(journal)
    _documents(journal)
    lake, mesa = Cabinet(LAKE), Cabinet(MESA)
    _stock_lake(journal, lake)
    _stock_mesa(journal, mesa)
    return lake, mesa


def _desk(first: datetime) -> Iterator[datetime]:
    """Times of entries made one after the other at a desk."""
    return (first + minutes(3 * number) for number in numbers())


def _place(journal: Journal, site: Site, desk: Iterator[datetime]) -> None:
    manager = MANAGER.name
    journal.note(
        site, "site_profile", next(desk), manager, under=site.name, address_ref=site.address, state=site.state, time_zone=site.zone.key,
        holds_stock=True, charges_patients=True, regularly_administers=True, exemption_claimed=False, state_rows_reviewed_on="2026-02-06",
    )  # fmt: skip
    if site is LAKE:
        _right(journal, MANAGER, FIRST_RIGHT, LAKE_DOCTOR, next(desk))
    _registration(
        journal, site, next(desk), site.registration, holder_kind="own_site", holder=site.name, business_activity="hospital_clinic",
        is_institution=True, registered_address_ref=site.address, state=site.state, handling_from_on="2026-02-17",
    )  # fmt: skip
    journal.note(
        site, "credential", next(desk), manager, under=site.name, person=site.name, credential_type="facility_permit",
        jurisdiction=site.state, number=f"PERMIT-{site.name}", status="active", valid_from_on="2026-01-12", valid_until_on="2027-12-31",
    )  # fmt: skip
    if site is LAKE:
        _registration(
            journal, site, next(desk), "REG-DIST", holder_kind="distributor", holder="DIST-1", business_activity="distributor",
            registered_address_ref="ADDR-DIST-v1", state="TN",
        )  # fmt: skip
        _registration(
            journal, site, next(desk), "REG-PHARM", holder_kind="pharmacy", holder="PHARM-1", business_activity="pharmacy",
            registered_address_ref="ADDR-PHARM-v1", state="FL",
        )  # fmt: skip


def _safe(journal: Journal, site: Site, nurse: Person) -> None:
    """The safe is tried before anything goes into it."""
    at = site.at("02-11", "09:10")
    journal.note(
        site, "equipment_check", at, nurse.name, under=site.cabinet, equipment=site.cabinet, item="storage_cabinet", passed=True,
        storage_class="safe", substantially_constructed=True,
    )  # fmt: skip
    journal.note(
        site, "attestation", at + minutes(20), MANAGER.name, under=site.name, topic="secure_storage", subject=site.cabinet,
        statement="The safe is bolted down, alarmed, and its code is known to stock handlers only.", holds_true=True,
        valid_until_on="2027-02-08",
    )  # fmt: skip


def _registration(journal: Journal, site: Site, at: datetime, handle: str, **fields: Any) -> None:
    journal.note(
        site, "registration", at, MANAGER.name, under=handle, registration=handle, dea_number=_DEA[handle], schedules=["2", "2N", "3", "3N", "4", "5"],
        status="active", effective_on="2026-01-20", expires_on="2028-12-31", last_renewed_on="2026-01-20", checked_at=at - minutes(1), **fields,
    )  # fmt: skip


def _right(journal: Journal, person: Person, role: str, doctor: Person, at: datetime) -> None:
    journal.note(
        person.site, "access_change", at, MANAGER.name, under=person.name, subject=person.name, subject_kind="human", action="grant", role=role,
        set_by=[MANAGER.name, doctor.name], approved_by=doctor.name, starts_at=at, stock_access=role == "stock_handler",
        identity_key_ref=f"KEY-{person.name}",
    )  # fmt: skip


def _hire(journal: Journal, person: Person, doctor: Person, desk: Iterator[datetime]) -> None:
    """Employment, screening, licence, training, and only then an account."""
    site, manager = person.site, MANAGER.name

    def holds(kind: str, **fields: Any) -> None:
        journal.note(
            site, "credential", next(desk), manager, under=person.name, person=person.name, credential_type=kind, status="active",
            **({"valid_from_on": "2025-06-01", "valid_until_on": "2027-05-31"} | fields),
        )  # fmt: skip

    started = site.at("02-09", "08:00")
    for registration in ("REG-LAKE", "REG-MESA") if person is MANAGER else (site.registration,):
        journal.note(
            site, "employment", next(desk), manager, under=person.name, person=person.name, registration=registration,
            relation=person.relation, role=person.role, started_at=started,
            internal_code=f"IC-{person.name}" if person.prescribes else None,
        )  # fmt: skip
    holds("background_screen", disqualifying_history=False, valid_from_on="2026-01-15", valid_until_on=None)
    holds("identity_proofing", jurisdiction="IDP-1", number=f"IDP-{person.name}")
    if person.routes:
        holds(
            "state_licence", jurisdiction=site.state, number=f"LIC-{person.name}", profession=person.profession,
            may_prescribe_c3=person.prescribes, may_administer_routes=list(person.routes),
        )  # fmt: skip
        holds("ketamine_competency", jurisdiction="practice", hours="16")
    if person.life_support:
        holds("acls", jurisdiction="AHA", number=f"ACLS-{person.name}")
    topics = ["controlled_substances", "system_use", "signature_accountability", "privacy_security"]
    for topic in [*topics, "spravato_rems"] if site is LAKE else topics:
        journal.note(
            site, "training", next(desk), manager, under=person.name, person=person.name, topic=topic,
            material_version="12/2024" if topic == "spravato_rems" else "2026-01", trainer="TRAINER-1", evidence_sha256=paper(f"{person.name} {topic}"),
        )  # fmt: skip
    for role in person.rights:
        if role == FIRST_RIGHT:
            continue
        _right(journal, person, role, doctor, next(desk))


def _certify(journal: Journal) -> None:
    """The REMS certifies the Lake site on 2026-02-12; who delivers to it has long been certified. Mesa gives no SPRAVATO."""
    for party, party_type, setting, number in (
        ("LAKE", "healthcare_setting", "outpatient", "RS-20417"),
        ("DIST-1", "distributor", "not_applicable", "RD-00112"),
        ("PHARM-1", "pharmacy", "not_applicable", "RP-03088"),
    ):
        own = party == "LAKE"
        signed = LAKE.at("02-10", "10:00")
        journal.note(
            LAKE, "site_certification", LAKE.at("02-12", "11:20"), MANAGER.name, under=party, party=party, party_type=party_type,
            setting_class=setting, status="certified", certified_at=LAKE.at("02-12", "11:00") if own else "2024-04-02T09:00:00-05:00",
            rems_number=number, authorized_representative=LAKE_DOCTOR.name if own else None, representative_started_at=signed if own else None,
            form_signed_at=signed + minutes(5) if own else None, form_submitted_at=signed + minutes(30) if own else None,
            confirmed_at=LAKE.at("02-12", "11:00") if own else None, address_ref=LAKE.address if own else None,
            acquisition_routes=["bulk_distributor", "patient_specific_pharmacy"] if own else None,
        )  # fmt: skip


def _documents(journal: Journal) -> None:
    """The texts in use, the service account, and what the practice declares of itself."""
    at = LAKE.at("02-12", "14:00")
    journal.note(
        LAKE, "access_change", at, MANAGER.name, under=SERVICE, subject=SERVICE, subject_kind="service", action="grant", role="service",
        responsible_human=MANAGER.name, set_by=[MANAGER.name], approved_by=LAKE_DOCTOR.name, starts_at=at,
    )  # fmt: skip
    for number, (artifact, kind, version) in enumerate(
        (
            ("REMS-MONITORING-FORM", "form_template", FORM_VERSION),
            ("REMS-DOCUMENT", "rems_text", "12/2024"),
            ("CONSENT-FORM", "form_template", "2026-01"),
            ("FL", "state_table", "2026-01"),
            ("AZ", "state_table", "2026-01"),
        )
    ):
        journal.note(
            LAKE, "policy_activation", at + minutes(5 + 3 * number), MANAGER.name, under=artifact, artifact=artifact, artifact_type=kind,
            version=version, sha256=paper(f"{artifact} {version}"), effective_at=at, author=MANAGER.name, approved_by=LAKE_DOCTOR.name,
            change_reason="In use from the opening on", tests_passed=1, tests_failed=0, untested_rules=0, next_review_on="2027-02-01",
            retraining_required=False, adoption_status="adopted",
        )  # fmt: skip
    journal.note(
        LAKE, "attestation", at + minutes(20), LAKE_DOCTOR.name, under="LAKE", topic="rems_processes", subject="LAKE",
        statement="Enrolment, observation, monitoring and forms follow the written procedure.", holds_true=True, valid_until_on="2027-02-11",
    )  # fmt: skip
    for number, (topic, statement) in enumerate(
        (
            ("session_controls", "Screens lock after ten minutes; sign-in takes a password and a code."),
            (
                "encryption_or_equivalent",
                "Disks and copies are encrypted; everything on the way is under TLS 1.3.",
            ),
            (
                "password_controls",
                "No two people share a password; tokens were tried, and none is unaccounted for.",
            ),
        )
    ):
        declared = at + minutes(26 + 3 * number)
        journal.note(
            LAKE, "attestation", declared, MANAGER.name, under="RECORDS", topic=topic, subject="RECORDS", statement=statement, holds_true=True,
            valid_until_on="2027-02-11", entered=declared + minutes(1),
        )  # fmt: skip


def _product(
    journal: Journal, site: Site, at: datetime, drug: str, raw: str, ndc11: str, **strength: Any
) -> None:
    journal.note(
        site, "product", at, MANAGER.name, under=ndc11, drug_code=drug, ndc_raw=raw, ndc_format="5-3-2", ndc11=ndc11, schedule="III",
        dea_code="7285", is_narcotic=False, schedule_effective_on="1999-08-12", expressed_as="base", is_rems=drug == ESKETAMINE, **strength,
    )  # fmt: skip


def _shift(journal: Journal, person: Person, day: str, arrived: str, left: str) -> None:
    """A short day before the opening, noted when the person left."""
    site = person.site
    journal.note(
        site, "presence", site.at(day, arrived), person.name, shift=f"SHIFT-{day}-{person.name}", person=person.name, duty="other",
        on_premises=True, arrived_at=site.at(day, arrived),
    )  # fmt: skip
    journal.note(
        site, "presence", site.at(day, left), person.name, shift=f"SHIFT-{day}-{person.name}", person=person.name, duty="other",
        on_premises=True, arrived_at=site.at(day, arrived), left_at=site.at(day, left),
    )  # fmt: skip


def _stock_lake(journal: Journal, cabinet: Cabinet) -> None:
    """Handling begins on 2026-02-17: an inventory of nothing at opening (21 CFR 1304.11(b)), then the first kits."""
    _product(
        journal,
        LAKE,
        LAKE.at("02-16", "13:00"),
        ESKETAMINE,
        "50458-028-02",
        NDC_TWO,
        strength_mg_per_unit="28",
        units_per_package=2,
    )
    _product(
        journal,
        LAKE,
        LAKE.at("02-16", "13:05"),
        ESKETAMINE,
        "50458-028-03",
        NDC_THREE,
        strength_mg_per_unit="28",
        units_per_package=3,
    )
    for person in (LAKE_NURSE, LAKE_SECOND):
        _shift(journal, person, "02-17", "08:30", "12:00")
    count(
        journal, cabinet, LAKE.at("02-17", "08:45"), LAKE_NURSE.name, LAKE_SECOND.name, "initial", "opening"
    )
    two = Lot("25KB114", ESKETAMINE, Decimal(2), "device", "2027-08-31")
    three = Lot("25KC207", ESKETAMINE, Decimal(3), "device", "2027-09-30")
    delivery(
        journal, cabinet, two, 8, LAKE.at("02-17", "10:20"), LAKE_NURSE.name, "REG-DIST", NDC_TWO, "INV-70211"
    )
    delivery(
        journal,
        cabinet,
        three,
        6,
        LAKE.at("02-17", "10:28"),
        LAKE_NURSE.name,
        "REG-DIST",
        NDC_THREE,
        "INV-70212",
    )


def _stock_mesa(journal: Journal, cabinet: Cabinet) -> None:
    _product(
        journal, MESA, MESA.at("02-16", "13:00"), KETAMINE_IV, "99999-010-20", NDC_IV, strength_mg_per_ml="10"
    )
    _product(
        journal, MESA, MESA.at("02-16", "13:05"), KETAMINE_IM, "99999-050-10", NDC_IM, strength_mg_per_ml="50"
    )
    for person in (MESA_NURSE, MESA_SECOND):
        _shift(journal, person, "02-17", "08:30", "12:00")
    count(
        journal, cabinet, MESA.at("02-17", "08:45"), MESA_NURSE.name, MESA_SECOND.name, "initial", "opening"
    )
    vials = Lot("KX4471", KETAMINE_IV, Decimal(20), "ml", "2027-05-31")
    small = Lot("KX5120", KETAMINE_IM, Decimal(10), "ml", "2027-04-30")
    delivery(
        journal,
        cabinet,
        vials,
        10,
        MESA.at("02-17", "10:40"),
        MESA_NURSE.name,
        "REG-DIST",
        NDC_IV,
        "INV-70230",
    )
    delivery(
        journal,
        cabinet,
        small,
        3,
        MESA.at("02-17", "10:46"),
        MESA_NURSE.name,
        "REG-DIST",
        NDC_IM,
        "INV-70231",
    )
