"""Inventories: the initial and biennial ones, and every count of the period (21 CFR 1304.11)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compliance.ledger.entry import microseconds
from compliance.reports.binder.lookups import Lookups
from compliance.reports.binder.period import Period, Version
from compliance.reports.binder.sheets import Column, Sheets, Table
from compliance.reports.binder.verify_cells import NUMBER, SHOWN_IN

_COUNT: Final = (
    Column("Taken", "event.occurred_at", law=True),
    Column("Kind", "event.count_type", law=True),
    Column("Count", "event.count"),
)
INVENTORIES: Final = Table(
    SHOWN_IN["inventory_count"][0], "Inventories",
    "Complete inventories: the last before the period, with which an audit begins, and each in it; and the counts between them.",
    "21 USC 827(a)(1); 21 CFR 1304.11(a) to (e)", "No inventory is on record for this site, in the period or before.",
    (
        *_COUNT, Column("Registration", "event.registration", law=True), Column("Everything on hand", "event.complete"),
        Column("Opening or close", "event.business_point", law=True), Column("Form of the record", "event.medium", law=True),
        Column("Counted by", "event.counted_by"), Column("Second counter", "event.verified_by"), Column("Nothing on hand", "event.nothing_on_hand"),
        Column("Lines"), Column("Entered", "event.entered_at", page=False), Column("Reason for late entry", "event.reason", page=False),
    ),
)  # fmt: skip
LINES: Final = Table(
    "20-inventories/inventory-lines.csv", "What was counted",
    "Each line of each inventory: drug, form and strength, containers, content of each, total, and how it was counted.",
    "21 CFR 1304.11(e)(1)(iii) and (iv), 1304.11(e)(3)", "No inventory has a line.",
    (
        *_COUNT, Column(NUMBER), Column("Drug code", "event.lines.#.drug", page=False), Column("Drug, form and strength", law=True),
        Column("Lot", "event.lines.#.lot"), Column("Container", "event.lines.#.container"), Column("Sealed containers", "event.lines.#.containers", law=True),
        Column("In each", "event.lines.#.quantity_per_container", law=True), Column("Opened containers", "event.lines.#.opened_containers"),
        Column("Total", "event.lines.#.quantity", law=True), Column("Unit", "event.lines.#.quantity_unit", law=True),
        Column("How counted", "event.lines.#.count_method"), Column("State", "event.lines.#.state"),
        Column("Capacity", "event.lines.#.capacity", page=False),
    ),
)  # fmt: skip


def write(sheets: Sheets, lookups: Lookups) -> None:
    """The tables of this part."""
    with sheets.sheet(INVENTORIES) as sheet:
        for version in _wanted(sheets.period):
            sheet.row(version, {"Lines": str(len(version.event["lines"]))})
    with sheets.sheet(LINES) as sheet:
        for version in _wanted(sheets.period):
            for number, line in enumerate(version.event["lines"], 1):
                given = {NUMBER: str(number), "Drug, form and strength": lookups.drug(line["drug"])}
                sheet.row(version, given, number=number)


def _wanted(period: Period) -> Iterator[Version]:
    """The last complete inventory before the period of each registration that has one, then all counts of the period."""
    last: dict[str, list[Version]] = {}
    for version in period.until("inventory_count"):
        event = version.event
        if (
            microseconds(event["occurred_at"]) < period.begins
            and event["complete"]
            and event["count_type"] not in ("cycle", "shift")
        ):
            before = last.setdefault(event["registration"], [])
            if version.counts and before and before[0].idx != version.idx:
                before.clear()
            before.append(version)
    shown = {version.idx for versions in last.values() for version in versions}
    for versions in last.values():
        yield from versions
    for version in period.of("inventory_count"):
        if version.idx not in shown:
            yield version
