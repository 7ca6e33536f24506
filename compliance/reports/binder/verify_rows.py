"""The tables of a binder against the entries of the log that they name. In a binder it is a part of ``verify.py`` (see `script`)."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from array import array
from bisect import bisect_left
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any, Callable, Iterable

from compliance.reports.binder.verify_cells import (
    AMENDED,
    CORRECTED,
    DECISIONS,
    DISPOSITIONS,
    DOCUMENTS,
    ENTRIES,
    EVENT_ID,
    FINDINGS,
    HEADING,
    IN_THE_VAULT,
    LAST_JUDGED,
    LOG_ENTRY,
    MEMBER,
    NOT_ON_RECORD,
    NUMBER,
    PERIOD,
    REQUIRED,
    SHOWN_IN,
    STANDING,
    STANDS,
    TOTALED,
    TOTALS,
    instant_of,
    member_of,
    shown,
)


class Entries:
    """The entries that were proved, by their index; only where each begins is kept in memory."""

    def __init__(self, folder: Path) -> None:
        self.file, self.about = folder / ENTRIES, folder / PERIOD
        self.indices, self.offsets, self.seen = array("Q"), array("Q"), bytearray()
        self.decided = array("Q")
        self.last: tuple[int, Any] = (-1, None)
        self.period: tuple[str, int, int] | None = None

    def add(self, index: int, offset: int, document: Any) -> None:
        """An entry was proved; they come in the order of the log. One of the site and the period must stand among the decisions."""
        self.indices.append(index)
        self.offsets.append(offset)
        self.seen.append(0)
        if self.period is None:
            said = json.loads(self.about.read_bytes())
            self.period = (said["site"], instant_of(said["from"]), instant_of(said["until"]))
        event, (site, first, end) = document.get("event"), self.period
        if event and event["site"] == site and first <= instant_of(event["occurred_at"]) < end:
            self.decided.append(index)

    def document(self, index: str) -> Any:
        """An entry as JSON, marked as seen; None where there is none of that index."""
        number = int(index) if index.isdigit() else -1
        at = bisect_left(self.indices, number) if number >= 0 else len(self.indices)
        if at == len(self.indices) or self.indices[at] != number:
            return None
        self.seen[at] = 1
        if self.last[0] != number:
            with self.file.open("rb") as entries:
                entries.seek(self.offsets[at])
                self.last = (number, json.loads(entries.readline()))
        return self.last[1]


class Tables:
    """Every table of a binder; `fault` is told what does not hold, `counts` what was looked at."""

    def __init__(
        self, folder: Path, entries: Entries, fault: Callable[[str, str], None], counts: Counter[str]
    ) -> None:
        self.folder, self.entries, self.fault, self.counts = folder, entries, fault, counts
        self.rows_of: dict[str, set[int]] = {}
        self.wanted: list[tuple[str, int]] = []
        self.findings: Counter[int] = Counter()
        self.sums: dict[tuple[str, str, str, str], Decimal] = {}
        self.claimed: list[dict[str, str]] = []

    def check(self) -> None:
        """Each row says what its entry says; no entry, event or finding is without its row; the sums are right."""
        for path in sorted(self.folder.rglob("*.csv")):
            name = path.relative_to(self.folder).as_posix()
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = csv.reader(file, strict=True)
                heads = next(rows, [])
                if name == TOTALS:
                    self.claimed = [dict(zip(heads, row)) for row in rows]
                else:
                    self.table(name, heads, rows)
        for name, index in (*((DECISIONS, index) for index in self.entries.decided), *self.wanted):
            if index not in self.rows_of.get(name, ()):
                self.fault(name, f"has no row for entry {index}, which belongs there")
        for index, number in self.findings.items():
            if number:
                more = "more" if number < 0 else "fewer"
                self.fault(FINDINGS, f"has {abs(number)} finding(s) {more} than entry {index}")
        for index, seen in zip(self.entries.indices, self.entries.seen):
            if not seen:
                self.fault(f"entry {index}", "is proven and stands in no table: a row was taken out")
        self.totals()

    def table(self, name: str, heads: list[str], rows: Iterable[list[str]]) -> None:
        """One table, row by row."""
        matches = [match for match in map(HEADING.fullmatch, heads) if match]
        have = {*heads, *(one.group(2) + (f" of {one.group(3)}" if one.group(3) else "") for one in matches)}
        missing = [one for one in (LOG_ENTRY, *REQUIRED.get(name, (EVENT_ID,))) if one not in have]
        if missing:
            self.fault(name, f"has no column {', '.join(missing)}: it could not be compared")
            return
        for line, row in enumerate(rows, 2):
            where = f"{name}, line {line}"
            if len(row) != len(heads):
                self.fault(where, f"has {len(row)} cells, and there are {len(heads)} columns")
                continue
            cells = {head: cell[1:] if cell.startswith("'") else cell for head, cell in zip(heads, row)}
            for head in heads:
                if head.endswith((" entry", " entries")):
                    for one in filter(None, cells[head].split(", ")):
                        if self.entries.document(one) is None:
                            self.fault(where, f"{head} {one} is not among the proven entries")
            document = self.entries.document(cells[LOG_ENTRY])
            if document is None:
                self.fault(where, "names no proven entry")
            else:
                self.row(name, where, cells, matches, document)

    def row(
        self, name: str, where: str, cells: dict[str, str], matches: list[re.Match[str]], document: Any
    ) -> None:
        """One row against its entry, and against the others that it names."""
        index, number = int(cells[LOG_ENTRY]), int(cells.get(NUMBER) or 0)
        self.counts["rows"] += 1
        self.rows_of.setdefault(name, set()).add(index)
        for match in matches:
            cell, member, of = cells[match.group(0)], match.group(2), match.group(3)
            member = cells[MEMBER] if member == "@" else member
            entry, _, amended = (
                cells[of].partition(", ") if of else (cells[LOG_ENTRY], "", cells.get(AMENDED, ""))
            )
            source = self.entries.document(entry) if of else document
            said = shown(member_of(source, member, number)) if member else cell
            if cell == said or (not said and cell == NOT_ON_RECORD):
                self.counts["cells"] += bool(member)
            elif said == IN_THE_VAULT:
                self.counts["words"] += 1
            elif not (of or cells.get(STANDING) == CORRECTED) or cell not in self.given(
                amended, member, number
            ):
                self.fault(where, f"{match.group(1)} is {cell!r}, and entry {entry} says {said!r}")
        if cells.get(DOCUMENTS):
            digest = hashlib.sha256((self.folder / cells[DOCUMENTS]).read_bytes()).hexdigest()
            if digest != member_of(document, "event.sha256"):
                self.fault(where, f"{cells[DOCUMENTS]} has another digest than the entry names")
        if name == DECISIONS:
            self.expect(index, cells, document)
        elif name == FINDINGS:
            self.findings[index] -= 1
        elif name.startswith(DISPOSITIONS) and cells[STANDING] in (STANDS, CORRECTED):
            self.add_up(name, {match.group(2): cells[match.group(0)] for match in matches})

    def expect(self, index: int, cells: dict[str, str], document: Any) -> None:
        """What other tables must hold of an event that was decided on."""
        kind = document["event"]["kind"]
        if kind in SHOWN_IN and document["event"].get("intent") != "proposed":
            self.wanted.append((SHOWN_IN[kind][0], index))
        for one in {cells[LOG_ENTRY], cells[LAST_JUDGED]}:
            self.findings[int(one)] += len(member_of(self.entries.document(one), "findings") or ())

    def given(self, entries: str, member: str, number: int) -> set[str]:
        """What corrections, and corrections of corrections, give a member."""
        field, found = member.split(".")[1], set()
        for one in filter(None, entries.split(", ")):
            waiting = list(member_of(self.entries.document(one), "event.fields") or ())
            while waiting:
                change = waiting.pop()
                new = json.loads(change["new"], parse_float=str, parse_int=str)
                if change["name"] == "fields":
                    waiting += new
                elif change["name"] == field:
                    found.add(shown(member_of({"event": {field: new}}, member, number)) or NOT_ON_RECORD)
        return found

    def add_up(self, name: str, by: dict[str, str]) -> None:
        """A quantity towards the sum of its drug and registration; goods that were refused never came."""
        if by.get("event.accepted", "yes") == "yes" and by["event.quantity"] != NOT_ON_RECORD:
            what = (name, by["event.registration"], by["event.drug"], by["event.quantity_unit"])
            self.sums[what] = self.sums.get(what, Decimal(0)) + Decimal(by["event.quantity"])

    def totals(self) -> None:
        """The sums by drug are those of the rows."""
        said = {
            (table, row["Registration"], row["Drug"], row["Unit"]): Decimal(row[column])
            for row in self.claimed
            for column, table in TOTALED.items()
        }
        for what in sorted({*said, *self.sums}):
            right = self.sums.get(what, Decimal(0))
            if said.get(what, Decimal(0)) != right:
                table, registration, drug, unit = what
                self.fault(
                    TOTALS,
                    f"{drug} under {registration}: the rows of {table} add up to {right} {unit}, it says {said.get(what)}",
                )
