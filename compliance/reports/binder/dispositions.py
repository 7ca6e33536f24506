"""Receipts and dispositions by drug, as 21 CFR 1304.21 and 1304.22(c) ask for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from compliance.reports.binder.lookups import Lookups
from compliance.reports.binder.people import People
from compliance.reports.binder.period import Version
from compliance.reports.binder.sheets import Column, Sheets, Table
from compliance.reports.binder.verify_cells import NOT_ON_RECORD, SHOWN_IN, TOTALED, TOTALS

_DATED: Final = (
    Column("Date and time", "event.occurred_at", law=True),
    Column("Drug code", "event.drug", page=False),
    Column("Drug, form and strength", law=True),
)
_AMOUNT: Final = (
    Column("Quantity", "event.quantity", law=True),
    Column("Unit", "event.quantity_unit", law=True),
)
_GOODS: Final = (Column("Lot", "event.lot"), Column("Container", "event.container"))
_REGISTERED: Final = (
    Column("Registration", "event.registration", law=True),
    Column("Own DEA number", "event.dea_number", of="Own registration entry", page=False),
    Column("Own registration entry", page=False),
)
_SUPPLIER: Final = "Supplier's registration entry"
_RECIPIENT: Final = "Recipient's registration entry"
_OWN: Final = "Own registration entry"


def _partner(who: str, entry: str, member: str) -> tuple[Column, ...]:
    """Who goods came from or went to: name, address and DEA number."""
    return (
        Column(f"{who}'s registration", member, law=True, page=False),
        Column(f"{who}", "event.holder", of=entry, law=True),
        Column(f"{who}'s address", "event.registered_address_ref", of=entry, law=True),
        Column(f"{who}'s DEA number", "event.dea_number", of=entry, law=True),
        Column(entry, page=False),
    )


def _patient(people: People) -> tuple[Column, ...]:
    """Whose dose it was. Name and address stand in columns of their own, and only where they were asked for."""
    named = (
        (Column("Patient's name", law=True), Column("Patient's address", law=True)) if people.named else ()
    )
    identity = Column("Identity on that date", "event.patient_identity_ref", page=not people.named)
    return (Column("Patient", "event.patient", law=True), *named, identity)


def _tables(people: People) -> dict[str, Table]:
    by = (Column("Name of who gave or watched it", law=True),) if people.named else ()
    return {
        "receipt": Table(
            SHOWN_IN["receipt"][0], "Receipts",
            "Every controlled drug that arrived: when, what, how much, from whom. Schedule III moves on an invoice; no DEA Form 222 is needed for it "
            "(21 CFR 1305.03 asks for one for Schedules I and II only).",
            "21 CFR 1304.22(c), 1304.22(a)(2)(iv), 1304.21(d)", "No receipt was recorded at this site in the period.",
            (
                *_DATED, Column("NDC", "event.ndc11"), Column("Containers", "event.containers", law=True),
                Column("In each", "event.quantity_per_container", law=True), *_AMOUNT, Column("Taken into custody", "event.accepted"),
                *_partner("Supplier", _SUPPLIER, "event.source_registration"), Column("Kind of supplier", "event.source_type", page=False),
                Column("Invoice", "event.invoice_no"), Column("Order paper", "event.order_document", page=False),
                Column("Containers invoiced", "event.invoiced_containers", page=False), Column("Lot", "event.lot"),
                Column("Expires", "event.expires_on"), Column("Office or patient's", "event.stock_type"), Column("Patient", "event.patient", page=False),
                Column("Prescription", "event.prescription", page=False), Column("Received by", "event.actor", law=True), *_REGISTERED,
            ),
        ),
        "administration": Table(
            SHOWN_IN["administration"][0], "Administrations",
            "Every dose that was given here: what, how much, to whom, when, by whom.",
            "21 CFR 1304.22(c), 1304.21(a)", "No administration was recorded at this site in the period.",
            (
                *_DATED, *_AMOUNT, Column("mg", "event.dose_mg"), *_patient(people), *by, Column("Given or watched by", "event.observer", law=True),
                Column("Entered by", "event.actor", law=True), Column("Whose hand", "event.given_by", page=False),
                Column("Supervisor", "event.supervisor", page=False), Column("Route", "event.route"), *_GOODS,
                Column("Device in session", "event.device_number", page=False), Column("Ended", "event.completed_at", page=False),
                Column("Order", "event.order", page=False), Column("Prescription", "event.prescription", page=False),
                Column("Session", "event.session", page=False), *_REGISTERED,
            ),
        ),
        "dispense": Table(
            SHOWN_IN["dispense"][0], "Drugs handed out for use elsewhere", "Every controlled drug that left with or for a patient.",
            "21 CFR 1304.22(c), 1306.24", "Nothing was handed out for use elsewhere at this site in the period.",
            (
                *_DATED, *_AMOUNT, *_patient(people), Column("Prescription", "event.prescription", law=True), Column("Handed to", "event.recipient_type"),
                Column("Days", "event.days_supply"), Column("Fill", "event.fill_number"), Column("Partial fill", "event.is_partial", page=False),
                Column("Lot", "event.lot"), *by, Column("Dispensed by", "event.actor", law=True), *_REGISTERED,
            ),
        ),
        "wastage": Table(
            SHOWN_IN["wastage"][0], "Wastage",
            "Drug left from a dose, spilled or primed, that was written off and rendered unusable. It stays in these records and does not go on DEA Form 41.",
            "21 CFR 1304.22(c); 79 FR 53520, 53521", "No wastage was recorded at this site in the period.",
            (
                *_DATED, *_AMOUNT, Column("mg", "event.amount_mg"), Column("Cause", "event.cause", law=True), Column("Method", "event.method"),
                Column("Wasted by", "event.actor", law=True), Column("Witness", "event.witness", law=True),
                Column("Other observer", "event.second_observer", page=False), *_GOODS, Column("Patient", "event.patient"),
                Column("From the dose", "event.administration_event", page=False), Column("Measured", "event.measured"),
                Column("What happened", "event.narrative"), *_REGISTERED,
            ),
        ),
        "transfer_out": Table(
            SHOWN_IN["transfer_out"][0], "Transfers to other registrants",
            "Stock that left for another registrant, a reverse distributor among them. Schedule III moves on an invoice; no DEA Form 222 is needed for it.",
            "21 CFR 1304.22(c), 1304.22(a)(2)(vii), 1307.11(a), 1317.05(a)(2)", "No transfer was recorded at this site in the period.",
            (
                *_DATED, *_AMOUNT, Column("Manner", "event.manner", law=True),
                *_partner("Recipient", _RECIPIENT, "event.recipient_registration"), Column("NDC", "event.ndc11"), Column("Lot", "event.lot"),
                Column("Containers", "event.containers", law=True), Column("Dosage units", "event.dosage_units", page=False),
                Column("Invoice", "event.invoice_no"), Column("Manifest", "event.manifest_no"), Column("Watched by", "event.observers"),
                Column("Recipient confirmed", "event.recipient_confirmed_quantity"), Column("Done by", "event.actor", law=True), *_REGISTERED,
            ),
        ),
        "destruction": Table(
            SHOWN_IN["destruction"][0], "Destruction on site",
            "Own stock that was destroyed here. The data of DEA Form 41 stand under 40-losses-and-destruction.",
            "21 CFR 1304.21(e), 1317.90, 1317.95(d)", "No destruction was recorded at this site in the period.",
            (
                *_DATED, *_AMOUNT, Column("Method", "event.method", law=True), Column("Non-retrievable", "event.non_retrievable", law=True),
                Column("Place", "event.place", law=True), Column("First witness", "event.witness_1", law=True),
                Column("Second witness", "event.witness_2", law=True), Column("Cause", "event.cause"), Column("NDC", "event.ndc11"),
                Column("Lot", "event.lot"), Column("Full packages", "event.containers_full"), Column("Form 41", "event.form41"),
                Column("Done by", "event.actor", law=True), *_REGISTERED,
            ),
        ),
    }  # fmt: skip


BY_DRUG: Final = Table(
    TOTALS, "Received and gone, by drug",
    "The sums of the tables beside it, of what stands: what was corrected counts as corrected, what was voided or refused on arrival not at all. "
    "Between two inventories, the first plus what was received less what went should be the second.",
    "21 CFR 1304.11, 1304.21(a), 1304.22(c)", "Nothing was received and nothing went at this site in the period.",
    (Column("Registration"), Column("Drug"), Column("Drug, form and strength"), *(Column(one) for one in TOTALED), Column("Unit")), tail=(),
)  # fmt: skip


def write(sheets: Sheets, lookups: Lookups) -> None:
    """All tables of this part. Rows stand by drug, then in the order of time."""
    people = sheets.people
    sums: dict[tuple[str, str, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    columns = dict(zip(_tables(people), TOTALED, strict=True))
    for kind, table in _tables(people).items():
        with sheets.sheet(table) as sheet:
            for version in _by_drug(sheets, kind):
                event = version.event
                given = {"Drug, form and strength": lookups.drug(event.get("drug")), **people.of_row(version)}
                sheet.row(version, given, _others(kind, version, lookups))
                if version.counts and "quantity" in event and event.get("accepted", True):
                    what = (event.get("registration", NOT_ON_RECORD), event["drug"], event["quantity_unit"])
                    sums[what][columns[kind]] += Decimal(event["quantity"])
    with sheets.sheet(BY_DRUG) as sheet:
        for (registration, drug, unit), by in sorted(sums.items()):
            given = {
                "Registration": registration,
                "Drug": drug,
                "Drug, form and strength": lookups.drug(drug),
                "Unit": unit,
            }
            sheet.plain(given | {column: str(by.get(column, Decimal(0))) for column in TOTALED})


def _by_drug(sheets: Sheets, kind: str) -> Iterator[Version]:
    """The versions of a kind in the period by drug; of each only its entry is kept in memory."""
    period = sheets.period
    entries: dict[int, tuple[str, int]] = {}
    for version in period.of(kind):
        entries.setdefault(version.idx, (version.event.get("drug", ""), len(entries)))
    for idx in sorted(entries, key=entries.__getitem__):
        yield from period.performed(period.versions(idx))


def _others(kind: str, version: Version, lookups: Lookups) -> dict[str, Version | None]:
    event = version.event
    found = {_OWN: lookups.registration(event.get("registration"), version)}
    if kind == "receipt":
        found[_SUPPLIER] = lookups.registration(event.get("source_registration"), version)
    if kind == "transfer_out":
        found[_RECIPIENT] = lookups.registration(event.get("recipient_registration"), version)
    return found
