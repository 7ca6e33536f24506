"""Free texts in the vault: one row for each event that holds some, sealed under the key of the person it is about.

Within a batch the rows wait in memory; `Texts.flush` writes them, before the log's batch commits. What a crash in between leaves is an event's
secret and its texts without an entry, which the same event finds again when it is sent once more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from sqlalchemy import delete, insert, select

from compliance.domain.free_text import PREFIX, commitment_text
from compliance.ledger.vault.crypto import SiteKeys, new_key, opened, seal, text_commitment
from compliance.ledger.vault.persons import Persons
from compliance.ledger.vault.store import Store
from compliance.ledger.vault.tables import TEXT

AT_ONCE: Final = 500
"""Rows asked for in one query."""


@dataclass(slots=True)
class Row:
    """What the vault holds of one event. `secret` is None where it has nothing to read, or no longer; `texts` is by commitment: path and words."""

    owner: str | None = None
    secret: bytes | None = None
    texts: dict[str, tuple[str, str]] = field(default_factory=dict)
    sent: bytes | None = None
    signing: bytes | None = None
    stored: bool = False
    changed: bool = False


class Texts:
    """The texts of one vault, for one batch at a time."""

    def __init__(self, store: Store, keys: SiteKeys, persons: Persons) -> None:
        self._store = store
        self._site = keys
        self._persons = persons
        self._rows: dict[str, Row] = {}

    def begin(self, event_ids: Iterable[str] = ()) -> None:
        """Forget what waits, and read the rows of these events at once."""
        self._rows.clear()
        wanted = list(dict.fromkeys(event_ids))
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start : start + AT_ONCE]
            for row in self._store.rows(select(TEXT).where(TEXT.c.event.in_(some))):
                self._rows[row.event] = self._read(row)
            for name in some:
                self._rows.setdefault(name, Row())

    def _read(self, row: Any) -> Row:
        found = Row(
            row.owner, None, {}, row.sent and bytes(row.sent), row.signing and bytes(row.signing), stored=True
        )
        if row.owner is not None:
            key = self._persons.key(row.owner)
            content = orjson.loads(opened(key, bytes(row.sealed), "text", row.event, row.owner))
            found.secret = bytes.fromhex(content["secret"])
            found.texts = {digest: (path, words) for digest, (path, words) in content["texts"].items()}
        return found

    def _row(self, event_id: str) -> Row:
        row = self._rows.get(event_id)
        if row is None:
            stored = self._store.row(select(TEXT).where(TEXT.c.event == event_id))
            row = self._rows[event_id] = Row() if stored is None else self._read(stored)
        return row

    def owner(self, event_id: str) -> str | None:
        """Whose key seals the texts of an event; None where there are none."""
        return self._row(event_id).owner

    def commit(self, event_id: str, owner: str, path: str, words: str) -> str:
        """The commitment to a text of an event, whose body waits to be stored under the owner's key."""
        row = self._row(event_id)
        if row.secret is None:
            row.secret = new_key()
        digest = text_commitment(row.secret, path, words)
        if row.owner != owner or digest.hex() not in row.texts:
            row.owner, row.changed = owner, True
            row.texts[digest.hex()] = (path, words)
        return commitment_text(digest)

    def give(self, event_id: str, owner: str) -> None:
        """Texts that came with corrections before their event are the event's own person's from now on."""
        row = self._row(event_id)
        if row.owner not in (None, owner):
            row.owner, row.changed = owner, True

    def holds(self, event_id: str, commitment: str) -> bool:
        """Whether a commitment is to a text of this event."""
        return commitment.removeprefix(PREFIX) in self._row(event_id).texts

    def clear(self, event_id: str, commitment: str) -> str | None:
        """The words behind a commitment of an event; None where they were erased, or never were here."""
        found = self._row(event_id).texts.get(commitment.removeprefix(PREFIX))
        return None if found is None else found[1]

    def of(self, event_id: str) -> list[str]:
        """The words that the vault holds of an event."""
        return [words for _, words in self._row(event_id).texts.values()]

    def owned(self, pseudonym: str) -> list[str]:
        """The words that lie under a person's key."""
        names = [name for (name,) in self._store.rows(select(TEXT.c.event).where(TEXT.c.owner == pseudonym))]
        return [words for name in names for words in self.of(name)]

    # ---- the event as it was sent

    def remember_sent(self, event_id: str, digest: str, signing: str) -> None:
        """Keep keyed digests of an event as it was sent and of what a signature of it signs."""
        row = self._row(event_id)
        sent, signed = (
            self._site.sent(event_id, "sent", digest),
            self._site.sent(event_id, "signing", signing),
        )
        if (row.sent, row.signing) != (sent, signed):
            row.sent, row.signing, row.changed = sent, signed, True

    def was_sent_as(self, event_id: str, digest: str) -> bool:
        """Whether an event was sent with this digest."""
        return self._row(event_id).sent == self._site.sent(event_id, "sent", digest)

    def signs(self, event_id: str, signing: str) -> bool:
        """Whether this is what a signature of the event, as sent, signs."""
        return self._row(event_id).signing == self._site.sent(event_id, "signing", signing)

    # ---- writing

    def flush(self) -> None:
        """Store what waits; within the vault's transaction. The keys that were made for it are to be flushed after."""
        waiting = {name: row for name, row in self._rows.items() if row.changed}
        replaced = [name for name, row in waiting.items() if row.stored]
        for start in range(0, len(replaced), AT_ONCE):
            self._store.run(delete(TEXT).where(TEXT.c.event.in_(replaced[start : start + AT_ONCE])))
        self._store.run(insert(TEXT), [self._sealed(name, row) for name, row in waiting.items()])
        for row in waiting.values():
            row.stored, row.changed = True, False

    def _sealed(self, event_id: str, row: Row) -> dict[str, Any]:
        sealed = None
        if row.owner is not None and row.secret is not None:
            content = orjson.dumps({"secret": row.secret.hex(), "texts": row.texts})
            sealed = seal(self._persons.key(row.owner), content, "text", event_id, row.owner)
        return {
            "event": event_id, "owner": row.owner, "sealed": sealed, "sent": row.sent, "signing": row.signing,
        }  # fmt: skip
