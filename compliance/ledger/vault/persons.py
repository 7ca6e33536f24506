"""Persons in the vault: their keys, the versions of their identity, the blind index by which they are found."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson
from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from compliance.domain.canonical import canonical
from compliance.ledger.vault.crypto import SiteKeys, identity_commitment, new_key, opened, seal
from compliance.ledger.vault.store import Store
from compliance.ledger.vault.tables import BLIND, ERASED, PERSON, STATE, TEXT, VERSION

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

OTHER: Final = "other"
"""The kind of a person of whom the vault has texts and no identity."""

_VERSIONS: Final = (
    select(func.count())
    .select_from(VERSION)
    .where(VERSION.c.pseudonym == PERSON.c.pseudonym)
    .scalar_subquery()
)
_EVERYBODY: Final = select(
    PERSON.c.pseudonym, PERSON.c.kind, PERSON.c.made_us, _VERSIONS, PERSON.c.erasing
).order_by(PERSON.c.pseudonym)
_SOMEBODY: Final = _EVERYBODY.where(PERSON.c.pseudonym == bindparam("pseudonym"))
_FOUND: Final = (
    select(BLIND.c.pseudonym).where(BLIND.c.digest == bindparam("digest")).order_by(BLIND.c.pseudonym)
)


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of a person from a date on (``2026-03-02``). `clear` holds the values; `commitment` is what the log holds of them."""

    handle: str
    pseudonym: str
    valid_from: str
    made_us: int
    event: str
    clear: Mapping[str, Any]
    commitment: str


@dataclass(frozen=True, slots=True)
class Known:
    """A person of the vault as anybody may know of them: no clear value."""

    pseudonym: str
    kind: str
    made_us: int
    versions: int
    erasing: str | None


class Persons:
    """The persons of one vault. Keys are kept in memory until an erasure is seen."""

    def __init__(self, store: Store, keys: SiteKeys) -> None:
        self._store = store
        self._site = keys
        self._keys: dict[str, AESGCM] = {}
        self._new: dict[str, bytes] = {}
        self._erasures = -1

    # ---- keys

    def refresh(self) -> None:
        """Forget the keys in memory where somebody was erased since."""
        (erasures,) = self._store.row(select(STATE.c.erasures))
        if erasures != self._erasures:
            self._keys.clear()
        for pseudonym in self._new:
            self._keys.pop(pseudonym, None)
        self._new.clear()
        self._erasures = erasures

    def key(self, pseudonym: str) -> AESGCM:
        """The key of a person, made where there is none yet; a new one is stored by `flush`."""
        key = self._keys.get(pseudonym)
        if key is None:
            row = self._store.row(select(PERSON.c.wrapped).where(PERSON.c.pseudonym == pseudonym))
            if row is not None:
                wrapped = row[0]
            else:
                wrapped = self._new[pseudonym] = self._site.wrap(new_key(), pseudonym)
            key = self._keys[pseudonym] = self._site.unwrapped(wrapped, pseudonym)
        return key

    def flush(self, made_us: int) -> None:
        """Store the keys that were made; within the vault's transaction."""
        rows = [
            {"pseudonym": name, "kind": OTHER, "wrapped": wrapped, "made_us": made_us, "erasing": None}
            for name, wrapped in self._new.items()
        ]
        self._store.run(insert(PERSON), rows)
        self._new.clear()

    # ---- identities

    def new_version(
        self, pseudonym: str, clear: Mapping[str, Any], valid_from: str, made_us: int, event: str
    ) -> tuple[Identity, bytes]:
        """A version of an identity under a random handle, with its salt; nothing is stored yet."""
        salt = new_key()
        commitment = identity_commitment(salt, canonical(clear)).hex()
        handle = f"ID-{secrets.token_hex(10)}"
        return Identity(handle, pseudonym, valid_from, made_us, event, dict(clear), commitment), salt

    def store(self, version: Identity, salt: bytes, kind: str, found_by: Iterable[tuple[str, str]]) -> None:
        """Store a version and what it is found by; within the vault's transaction."""
        pseudonym = version.pseudonym
        key = self.key(pseudonym)
        self.flush(version.made_us)
        self._store.run(
            update(PERSON).where(PERSON.c.pseudonym == pseudonym, PERSON.c.kind == OTHER).values(kind=kind)
        )
        sealed = seal(
            key, orjson.dumps({"salt": salt.hex(), "identity": version.clear}),
            "version", version.handle, pseudonym, version.valid_from,
        )  # fmt: skip
        row = {
            "handle": version.handle, "pseudonym": pseudonym, "valid_from": version.valid_from, "made_us": version.made_us,
            "event": version.event, "sealed": sealed,
        }  # fmt: skip
        self._store.run(insert(VERSION), [row])
        there = {
            bytes(digest)
            for (digest,) in self._store.rows(select(BLIND.c.digest).where(BLIND.c.pseudonym == pseudonym))
        }
        wanted = {self._site.blind(what, value) for what, value in found_by} - there
        self._store.run(
            insert(BLIND), [{"digest": digest, "pseudonym": pseudonym} for digest in sorted(wanted)]
        )

    def versions(self, pseudonym: str) -> list[Identity]:
        """What is known of a person, in the order of the dates from which it holds. Raises SealBroken."""
        statement = (
            select(VERSION)
            .where(VERSION.c.pseudonym == pseudonym)
            .order_by(VERSION.c.valid_from, VERSION.c.made_us)
        )
        return [self._identity(row) for row in self._store.rows(statement)]

    def _identity(self, row: Any) -> Identity:
        sealed = opened(
            self.key(row.pseudonym), bytes(row.sealed), "version", row.handle, row.pseudonym, row.valid_from
        )
        content = orjson.loads(sealed)
        commitment = identity_commitment(bytes.fromhex(content["salt"]), canonical(content["identity"])).hex()
        return Identity(
            row.handle, row.pseudonym, row.valid_from, row.made_us, row.event, content["identity"], commitment
        )

    # ---- who there is

    def known(self, pseudonym: str | None = None) -> list[Known]:
        """Everybody, or one, by pseudonym."""
        if pseudonym is None:
            return [Known(*row) for row in self._store.rows(_EVERYBODY)]
        return [Known(*row) for row in self._store.rows(_SOMEBODY, pseudonym=pseudonym)]

    def found(self, what: str, value: str) -> list[str]:
        """The pseudonyms that a value leads to, through its keyed digest."""
        digest = self._site.blind(what, value)
        return [pseudonym for (pseudonym,) in self._store.rows(_FOUND, digest=digest)]

    def erased(self, pseudonym: str) -> tuple[str, int] | None:
        """The event by which a person was erased last, and when, in microseconds."""
        row = self._store.row(
            select(ERASED.c.event, ERASED.c.erased_us).where(ERASED.c.pseudonym == pseudonym)
        )
        return None if row is None else (row[0], row[1])

    # ---- erasing

    def mark_erasing(self, pseudonym: str, event: str) -> None:
        """Note that an event says that this person is being erased; whoever runs the command again goes on from there."""
        self._store.run(update(PERSON).where(PERSON.c.pseudonym == pseudonym).values(erasing=event))

    def destroy(self, pseudonym: str, event: str, at_us: int, texts_of: Iterable[str]) -> None:
        """Delete key, versions and index rows of a person, and the texts that the person owns or that belong to some events.

        Within the vault's transaction. The keyed digests of events stay; nobody can read anything from them.
        """
        self._store.run(delete(VERSION).where(VERSION.c.pseudonym == pseudonym))
        self._store.run(delete(BLIND).where(BLIND.c.pseudonym == pseudonym))
        events = sorted(texts_of)
        owned = TEXT.c.owner == pseudonym
        for start in range(0, max(len(events), 1), 500):
            concerned = or_(owned, TEXT.c.event.in_(events[start : start + 500]))
            self._store.run(update(TEXT).where(concerned).values(owner=None, sealed=None))
        self._store.run(delete(PERSON).where(PERSON.c.pseudonym == pseudonym))
        self._store.run(delete(ERASED).where(ERASED.c.pseudonym == pseudonym))
        self._store.run(insert(ERASED), [{"pseudonym": pseudonym, "event": event, "erased_us": at_us}])
        self._store.run(update(STATE).values(erasures=STATE.c.erasures + 1, unscrubbed=1))
        self._keys.pop(pseudonym, None)

    def scrubbed(self) -> bool:
        """Whether no byte of an erased person is left."""
        (waiting,) = self._store.row(select(STATE.c.unscrubbed))
        return not waiting

    def scrub(self) -> None:
        """Rewrite the vault so that nothing of what was deleted is left; raises DatabaseError while others use it."""
        self._store.scrub()
        with self._store.writing():
            self._store.run(update(STATE).values(unscrubbed=0))
        self._store.scrub()


def record_number_key(number: str) -> str:
    """A record number as it is looked up: letters and digits, in capitals."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", number).upper() if letter.isalnum())


def name_key(name: str, birth_date: str) -> str:
    """Name and birth date as they are looked up: words without marks, in any order."""
    plain = "".join(
        letter if letter.isalnum() else " "
        for letter in unicodedata.normalize("NFKD", name).casefold()
        if not unicodedata.combining(letter)
    )
    return " ".join([*sorted(plain.split()), birth_date])
