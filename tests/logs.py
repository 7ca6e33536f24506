"""Small logs for the tests, copied from one template: making a schema takes a tenth of a second, copying a file does not."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from compliance.ledger.log import Log
from compliance.ledger.note import Signer

ORIGIN = "clinic.example/log"
SIGNER = Signer(ORIGIN, bytes(range(32)))
BEGAN = 1_772_460_000_000_000


def clock() -> int:
    """An instant that stands still: the log must count on by itself."""
    return BEGAN


def url(path: Path) -> str:
    return f"sqlite:///{path}"


@lru_cache
def template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "template.db")
        Log.create(url(path), ORIGIN, str(SIGNER.verifier), clock=clock).close()
        return path.read_bytes()


def empty_log(path: Path) -> Log:
    """A log of one entry, open for writing."""
    path.write_bytes(template())
    return Log.open(url(path), write=True, clock=clock)


def event(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"e-{number}", "kind": "administration", "occurred_at": f"2026-03-02T09:00:{number % 60:02}-06:00",
        "site": "site-1", "actor": "staff-7", "patient": f"p-{number % 3}", "session": f"t-{number % 5}", "dose_mg": "56",
        **fields,
    }  # fmt: skip


def decision(verdict: str = "compliant") -> dict[str, Any]:
    return {
        "verdict": verdict, "bundle": "sha256:" + "a" * 64, "case": "sha256:" + "b" * 64, "engine": "durable", "findings": [],
    }  # fmt: skip


def keys_of(document: Any) -> list[int]:
    """Look-up keys for the tests: one per patient, one for all."""
    if "event" not in document:
        return []
    return [int(document["event"]["patient"][2:]), 1000]


def add(log: Log, *numbers: int, **fields: Any) -> None:
    """Append events in one batch."""
    with log.writing() as batch:
        for number in numbers:
            document = {"event": event(number, **fields), "decision": decision()}
            batch.append("event", document, keys=keys_of(document), asked=[(1000, BEGAN)])


def copy(log: Log, path: Path) -> Path:
    """The database file as a backup holds it."""
    log.driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(log.name, path)
    return path


def stranger(path: Path) -> sqlite3.Connection:
    """A connection of somebody who knows nothing of us: no authorizer, no recursive triggers."""
    return sqlite3.connect(path, isolation_level=None)


def without_guards(path: Path) -> sqlite3.Connection:
    """The same, after dropping every trigger: what the owner of the machine can do."""
    connection = stranger(path)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    return connection


def put_guards_back(connection: sqlite3.Connection) -> None:
    from compliance.ledger.guards import GUARDS

    for guard in GUARDS["sqlite"].values():
        for statement in guard.statements:
            connection.execute(statement)
    connection.close()
