"""Entries for the benchmarks of the log: one administration of some 600 bytes with its decision, under another id each time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert

from compliance.ledger import schema
from compliance.ledger.database import connect, driver_of
from compliance.ledger.log import Log
from compliance.ledger.note import Signer
from compliance.ledger.roles import Role
from compliance.ledger.tables import ENTRY, EVENT_KEY
from tests.homes import Home

ORIGIN = "example.com/log"
SIGNER = Signer(ORIGIN, bytes(range(32)))
PATIENTS = 500
KEYS = 8

DECISION = {
    "verdict": "violation", "bundle": "sha256:" + "a" * 64, "case": "sha256:" + "b" * 64, "engine": "durable",
    "findings": [{"rule": "rems-monitor-2h", "outcome": "fail", "severity": "deny", "because": {}}],
}  # fmt: skip


def event(number: int) -> dict[str, Any]:
    return {
        "id": f"e-{number:08}", "kind": "administration", "occurred_at": "2026-03-02T09:00:00-06:00",
        "site": "site-1", "actor": "staff-77", "patient": f"p-{number % PATIENTS}", "session": f"t-{number // 9}",
        "drug": "esketamine_nasal_28mg", "dose_mg": "56", "completed_at": "2026-03-02T09:05:00-06:00",
    }  # fmt: skip


def keys_of(document: Mapping[str, Any]) -> list[int]:
    """Eight look-up keys; what `verify` asks for when the entries were appended with them."""
    if "event" not in document:
        return []
    patient = int(document["event"]["patient"][2:])
    return [hash((patient, key)) for key in range(KEYS)]


def create(path: str) -> Log:
    return create_at(f"sqlite:///{path}")


def create_at(url: str) -> Log:
    return Log.create(url, ORIGIN, str(SIGNER.verifier))


def append(log: Log, start: int, stop: int, *, keys: bool = False) -> None:
    """One batch."""
    with log.writing() as batch:
        for number in range(start, stop):
            document = {"event": event(number), "decision": DECISION}
            batch.append("event", document, keys=keys_of(document) if keys else ())


def bare_database(home: Home) -> Connection:
    """The same tables with nothing that protects them: no trigger, no authorizer; commits are as durable."""
    schema.upgrade(home.url, create=home.dialect == "sqlite")
    home.without_guards().close()
    return connect(home.url, Role.OWNER)


def bare_rows(log: Log, start: int, stop: int, *, keys: bool = False) -> tuple[list[Any], list[Any]]:
    """The rows that `append` wrote, as SQLAlchemy takes them; numbered from 0, since the first entry names the log."""
    entries, rows = [], []
    for entry in log.entries(start + 1, stop + 1):
        entries.append({**entry._asdict(), "idx": entry.idx - 1})
        if keys:
            rows += [
                {"key": key, "occurred_us": entry.occurred_us, "idx": entry.idx - 1}
                for key in keys_of(entry.document())
            ]
    return entries, rows


def insert_bare(connection: Connection, entries: list[Any], rows: list[Any]) -> None:
    """SQLAlchemy Core's executemany, in one transaction."""
    driver = driver_of(connection)
    driver.begin_writing()
    connection.execute(insert(ENTRY), entries)
    if rows:
        connection.execute(insert(EVENT_KEY), rows)
    driver.commit()


def copy_bare(connection: Connection, entries: list[Any], rows: list[Any]) -> None:
    """The way the log itself takes rows in: binary COPY on PostgreSQL."""
    driver = driver_of(connection)
    driver.begin_writing()
    driver.add(ENTRY, [tuple(one.values()) for one in entries])
    if rows:
        driver.add(EVENT_KEY, [tuple(one.values()) for one in rows], once=True)
    driver.commit()
