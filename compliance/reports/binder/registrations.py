"""Registrations and credentials in force in the period, of the site, its practitioners and those it dealt with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from compliance.domain.time import parse_date
from compliance.domain.vocabulary import KINDS
from compliance.ledger.entry import microseconds
from compliance.reports.binder.period import Period, Version
from compliance.reports.binder.sheets import Column, Sheets, Table

_IN_FORCE: Final = "In force in the period"

REGISTRATIONS: Final = Table(
    "10-registrations/registrations.csv", "DEA registrations",
    "The registrations of this site, of its practitioners, and of those it received from or sent to. The certificate itself hangs at the registered "
    "place. Names and addresses stand here as the handles that the records use.",
    "21 CFR 1301.11(a), 1301.12, 1301.13(e)(1), 1301.35", "No registration is on record that was in force or changed in the period.",
    (
        Column("Registration", "event.registration", law=True), Column("DEA number", "event.dea_number", law=True),
        Column("Suffix", "event.dea_suffix", page=False), Column("Whose", "event.holder_kind"), Column("Holder", "event.holder", law=True),
        Column("Registered address", "event.registered_address_ref", law=True), Column("State", "event.state"),
        Column("Business activity", "event.business_activity", law=True), Column("Schedules", "event.schedules", law=True),
        Column("Status", "event.status", law=True), Column("First day", "event.effective_on", law=True), Column("Last day", "event.expires_on", law=True),
        Column("Renewal filed", "event.renewal_filed_at"), Column("Looked up", "event.checked_at"), Column("From", "event.occurred_at"), Column(_IN_FORCE),
    ),
)  # fmt: skip
CREDENTIALS: Final = Table(
    "10-registrations/credentials.csv", "Licences, state permits and other credentials",
    "State licences and controlled-substance permits of the site and of those who acted here, with proofs of competence and clearances.",
    "21 USC 802(21), 21 CFR 1301.13(e)(1), 1301.17; state law", "No credential is on record that was in force or changed in the period.",
    (
        Column("Person or facility", "event.person", law=True), Column("What", "event.credential_type", law=True), Column("Issued by", "event.jurisdiction"),
        Column("Number", "event.number"), Column("Profession", "event.profession"), Column("Status", "event.status", law=True),
        Column("First day", "event.valid_from_on", law=True), Column("Last day", "event.valid_until_on"),
        Column("May prescribe Schedule III", "event.may_prescribe_c3"), Column("From", "event.occurred_at", page=False), Column(_IN_FORCE),
    ),
)  # fmt: skip
EMPLOYMENT: Final = Table(
    "10-registrations/employment.csv", "Who works under which registration",
    "Employees and agents, who act under the registration that is named (21 CFR 1301.22), with their roles.",
    "21 CFR 1301.22(a) to (c), 1301.76(a)", "Nobody's employment is on record for this site.",
    (
        Column("Person", "event.person", law=True), Column("Registration", "event.registration", law=True), Column("Relation", "event.relation"),
        Column("Role", "event.role"), Column("From", "event.started_at"), Column("Until", "event.ended_at"),
        Column("Internal code", "event.internal_code"),
    ),
)  # fmt: skip


def write(sheets: Sheets) -> None:
    """The tables of this part."""
    period = sheets.period
    named, acted = _named(period)
    with sheets.sheet(REGISTRATIONS) as sheet:
        for version in current(
            period, "registration", ("registration",), lambda one: one.event["site"] == period.site or one.event["registration"] in named
        ):  # fmt: skip
            sheet.row(
                version,
                {
                    _IN_FORCE: _held(
                        period, version, "effective_on", "expires_on", ("active", "renewal_pending")
                    )
                },
            )
    with sheets.sheet(CREDENTIALS) as sheet:
        for version in current(
            period, "credential", ("person", "credential_type", "jurisdiction"),
            lambda one: one.event["site"] == period.site or one.event["person"] in acted,
        ):  # fmt: skip
            sheet.row(
                version, {_IN_FORCE: _held(period, version, "valid_from_on", "valid_until_on", ("active",))}
            )
    with sheets.sheet(EMPLOYMENT) as sheet:
        for version in current(
            period, "employment", ("person", "registration", "role"), lambda one: one.event["site"] == period.site or one.event["person"] in acted
        ):  # fmt: skip
            sheet.row(version)


def current(
    period: Period, kind: str, key: tuple[str, ...], wanted: Callable[[Version], bool]
) -> Iterator[Version]:
    """Of a kind that says how something stands: what stood when the period began, and all that changed in it, by its key and then in time."""
    standing: dict[tuple[str, ...], list[Version]] = {}
    for version in period.until(kind, everywhere=True):
        if wanted(version):
            these = standing.setdefault(tuple(str(version.event.get(name, "")) for name in key), [])
            if microseconds(version.event["occurred_at"]) < period.begins and version.counts:
                these.clear()
            these.append(version)
    for _, versions in sorted(standing.items()):
        yield from versions


def _named(period: Period) -> tuple[set[str], set[str]]:
    """The registrations that events of the period name, and who acted in it."""
    registrations: set[str] = set()
    people = {period.site}
    for kind in (
        "receipt",
        "transfer_out",
        "administration",
        "dispense",
        "wastage",
        "destruction",
        "inventory_count",
        "prescription",
    ):
        assert kind in KINDS
        for version in period.of(kind):
            event = version.event
            registrations |= {
                event[name]
                for name in ("registration", "source_registration", "recipient_registration")
                if name in event
            }
            people |= {
                event[name]
                for name in (
                    "actor",
                    "observer",
                    "supervisor",
                    "witness",
                    "prescriber",
                    "counted_by",
                    "verified_by",
                )
                if name in event
            }
    return registrations, people


def _held(period: Period, version: Version, first: str, last: str, good: tuple[str, ...]) -> str:
    """Whether what a version says was in force in the period; dates are the site's own."""
    event = version.event
    if event["status"] not in good:
        return f"no: {event['status']}"
    begins, ends = parse_date(event[first]), parse_date(event[last]) if last in event else None
    if begins > period.last or (ends is not None and ends < period.first):
        return "no"
    if begins > period.first or (ends is not None and ends < period.last):
        return "for a part of it"
    return "yes"
