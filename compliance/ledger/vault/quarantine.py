"""Discarding quarantined input that speaks of an erased person, and scrubbing the log's file of what was discarded.

Rejected input waits outside the tree, as it came (audit-log.md, "Entry"); its entry with its digest stays. Only the owner's role may do this: on SQLite
it deletes with ``secure_delete`` on, empties the write-ahead log, and rewrites the file; on PostgreSQL it rewrites the table.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from sqlalchemy import delete, select

from compliance.errors import DatabaseError
from compliance.ledger.database import connect, driver_of, place_of, translated
from compliance.ledger.driver import transaction
from compliance.ledger.roles import Role
from compliance.ledger.tables import QUARANTINE
from compliance.ledger.vault.store import empty_wal

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_WORD = re.compile(r"\w+")


def require_owner(url: str) -> None:
    """Raise DatabaseError where this login may not rewrite the tables: what is deleted would stay in their files.

    On SQLite whoever may write the file may rewrite it.
    """
    place = place_of(url)
    if place.file is not None:
        return
    connection = connect(url, Role.OWNER)
    try:
        with translated(place.name):
            driver = driver_of(connection)
            row = driver.execute(
                "SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('entry')"
            ).fetchone()
    finally:
        connection.close()
    if row is None or not row[0]:
        raise DatabaseError(
            "erasing rewrites tables, so that no byte is left in their files, and this login does not own them; nothing was changed",
            "Erase with a login that has the role compliance_owner.",
        )


def discard_speaking_of(url: str, texts: Iterable[str], names: Iterable[str]) -> list[int]:
    """Discard the input that holds any of the texts, and give the entries that it belonged to. Nothing of it is in the file afterwards.

    Case, marks and what stands between words do not matter, and of `names` the order of the words neither. Raises DatabaseError while
    others read.
    """
    phrases = [f" {' '.join(words)} " for text in texts if (words := _words(text))]
    bags = [frozenset(words) for name in names if (words := _words(name))]
    place = place_of(url)
    connection = connect(url, Role.OWNER)
    try:
        with translated(place.name):
            if place.file is not None:
                connection.exec_driver_sql("PRAGMA secure_delete = ON").fetchall()
            rows = connection.execute(select(QUARANTINE.c.idx, QUARANTINE.c.raw).order_by(QUARANTINE.c.idx))
            found = [idx for idx, raw in rows.fetchall() if _speaks(bytes(raw), phrases, bags)]
            if found:
                with transaction(driver_of(connection)):
                    for idx in found:
                        connection.execute(delete(QUARANTINE).where(QUARANTINE.c.idx == idx))
            if place.file is None:
                connection.exec_driver_sql("VACUUM FULL quarantine")
        if place.file is not None:
            empty_wal(connection, place.name)
            with translated(place.name):
                connection.exec_driver_sql("VACUUM")
            empty_wal(connection, place.name)
    finally:
        connection.close()
    return found


def _speaks(raw: bytes, phrases: list[str], bags: list[frozenset[str]]) -> bool:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "latin-1"):
        text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), raw.decode(encoding, "ignore"))
        words = _words(text)
        running, there = f" {' '.join(words)} ", frozenset(words)
        if any(phrase in running for phrase in phrases) or any(bag <= there for bag in bags):
            return True
    return False


def _words(text: str) -> list[str]:
    """The words of a text without case and marks."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return _WORD.findall("".join(letter for letter in decomposed if not unicodedata.combining(letter)))
