"""A clinic that dispenses, for the tests of reports to a state; and a reader of such reports that knows nothing of the writer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compliance.bundles import Bundles
from compliance.domain.time import parse_instant
from compliance.exports.asap import Made, make
from compliance.exports.asap import Wanted as Asking
from compliance.exports.release import Purpose
from compliance.exports.walk import Asked
from compliance.ledger.log import Log
from compliance.persons import Acting, Wanted, enter_all
from tests.recording import body, bundle, put_in_force, record, rule

JANE = {
    "name": "Quimby-Doe, Jane Ann",
    "birth_date": "1980-12-25",
    "sex": "Female",
    "address": "7 Elm Row, Apt 4, Tulsa, TX 74101-1234",
    "phone": "+1 (918) 555-0100",
}
DOCTOR = {"name": "Zacharias Vontrapp"}
ON = {"site": "S1", "actor": "A1"}
RX = {
    "id": "rx1", "prescription": "RX-1", "prescriber": "MD1", "patient": "P1", "drug": "ketamine_troche_compounded", "registration": "REG-MD",
    "issued_on": "2026-03-01", "refills": 2, "quantity": "30", "transmission": "electronic", **ON,
}  # fmt: skip
DISPENSED = {
    "id": "disp1", "prescription": "RX-1", "patient": "P1", "drug": "ketamine_troche_compounded", "registration": "REG-1", "quantity": "4.5",
    "quantity_unit": "unit", "days_supply": 12, "fill_number": 0, "is_partial": False, **ON,
}  # fmt: skip


def registration(handle: str, number: str, **fields: Any) -> dict[str, Any]:
    return body(
        "registration",
        "06:00",
        id=f"r-{handle}",
        registration=handle,
        dea_number=number,
        state="TX",
        **{"status": "active", **ON, **fields},
    )


def prepare(log: Log) -> None:
    """A log with a vault: a patient, a prescriber, two registrations, a prescription."""
    put_in_force(log, bundle(rule("any", "administration", "true")))
    judge = Bundles(log).active()
    enter_all(
        log,
        judge,
        Acting("A1", "S1"),
        [Wanted("patient", JANE, "2020-01-01", "P1"), Wanted("staff", DOCTOR, "2020-01-01", "MD1")],
    )
    record(
        log, judge, body("site_profile", "05:00", id="profile", state="TX", time_zone="America/Chicago", **ON),
        registration("REG-1", "FC1234563", holder_kind="own_site", holder="S1"),
        registration("REG-MD", "BV7654321", holder_kind="own_practitioner", holder="MD1", dea_suffix="A7"),
        body("prescription", "07:00", **RX),
    )  # fmt: skip


def enter(log: Log, *bodies: Mapping[str, Any]) -> None:
    """Record events under what is in force."""
    record(log, Bundles(log).active(), *bodies)


def dispensed(at: str = "09:00", **fields: Any) -> dict[str, Any]:
    """A dispense; a field that is None is left out."""
    made = body("dispense", at, **{**DISPENSED, **fields})
    return {name: value for name, value in made.items() if value is not None}


def reported(event_id: str, at: str = "18:00", **fields: Any) -> dict[str, Any]:
    """That a dispense was reported."""
    return body(
        "external_report",
        at,
        form="pdmp_dispense",
        concerns_event=event_id,
        recipient="PDMP-TX",
        **{**ON, **fields},
    )


def report(
    log: Log,
    file: Path,
    since: str = "2026-03-02T00:00:00-06:00",
    until: str = "2026-03-02T23:59:59-06:00",
    **more: Any,
) -> Made:
    """Make the report of a day."""
    purpose = Purpose.new(Acting("A1", "S1"), "operations", leaves_site=True)
    asked = Asked(more.pop("sites", ()), (), parse_instant(since), parse_instant(until))
    return make(log, Bundles(log), Asking(asked, file, purpose, **more))


def segments(text: str) -> list[list[str]]:
    """A file as lists: segment name, then its elements. TH09 names the terminator, so the header ends in two."""
    assert text.startswith("TH*")
    terminator = text[text.index("\n") - 1]
    lines = text.split(terminator + "\n")
    assert lines.pop() == ""
    first, *rest = lines
    assert first.endswith("*" + terminator)
    assert not [line for line in rest if terminator in line]
    return [line.split("*") for line in (first, *rest)]


def element(found: list[str], number: int) -> str:
    """An element of a segment by its number; empty where the segment ends before it."""
    return found[number] if number < len(found) else ""
