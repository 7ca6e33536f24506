"""The identity vault: names, addresses, record numbers and free texts, apart from the log (docs/decisions/0009-the-identity-vault.md).

>>> with reach(log) as way:                                                                # doctest: +SKIP
...     way.vault.persons.versions("P-5f0c...")

The log says in an entry that it has a vault; from then on nothing is recorded without it. `Vault.create` makes one, `reach`
opens the one that a log names.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import insert, select

from compliance.domain.lookup import key_of
from compliance.errors import DatabaseError
from compliance.ledger.batch import Batch
from compliance.ledger.log import Log, system_clock
from compliance.ledger.vault.crypto import SiteKeys
from compliance.ledger.vault.persons import Persons
from compliance.ledger.vault.site_key import create_site_key, read_site_key
from compliance.ledger.vault.store import Store, exists, key_file
from compliance.ledger.vault.tables import STATE, VERSION_NUMBER
from compliance.ledger.vault.texts import Texts

MARK = key_of("vault", "*", "")
"""The look-up key of the entry by which a log that began without a vault says that it has one now."""


class Vault:
    """One open vault. `persons` and `texts` are what is in it; `commit` stores what they keep waiting."""

    def __init__(self, store: Store, keys: SiteKeys, name: str) -> None:
        self._store = store
        self.name = name
        self.place = store.place
        self.persons = Persons(store, keys)
        self.texts = Texts(store, keys, self.persons)

    @classmethod
    def create(cls, url: str) -> Vault:
        """Make vault and site key for the log at a URL. Raises InputError where there is one; leaves nothing behind where it fails."""
        file = key_file(url)
        store = Store.create(url)
        made = None
        try:
            site_key = create_site_key(file)
            made = file
            keys = SiteKeys(site_key)
            name = secrets.token_hex(16)
            state = {
                "one": 1, "version": VERSION_NUMBER, "vault": name, "made_us": system_clock(), "sealed": keys.seal_name(name),
                "erasures": 0, "unscrubbed": 0,
            }  # fmt: skip
            with store.writing():
                store.run(insert(STATE), [state])
        except BaseException:
            store.remove()
            if made is not None:
                made.unlink(missing_ok=True)
            raise
        return cls(store, keys, name)

    @classmethod
    def open(cls, url: str, name: str, *, write: bool) -> Vault:
        """The vault of that name at a URL. Raises DatabaseError where it is missing, another one, or the site key does not fit it."""
        store = Store.open(url, write=write)
        try:
            keys = SiteKeys(read_site_key(key_file(url)))
            found, sealed = store.row(select(STATE.c.vault, STATE.c.sealed))
            keys.opens_name(bytes(sealed), found)
            _require_same(found, name, store)
        except BaseException:
            store.close()
            raise
        return cls(store, keys, name)

    def remove(self) -> None:
        """Take vault and site key away again, where making their log failed; closes it."""
        self._store.remove()
        key_file(self._store.url).unlink(missing_ok=True)

    def close(self) -> None:
        """Close it; what was not committed is gone."""
        self._store.close()

    def commit(self, also: Callable[[], Any] | None = None) -> None:
        """Store new keys and texts, and what `also` stores, in one transaction."""
        with self._store.writing():
            self.texts.flush()  # first: sealing them makes the keys that are missing
            self.persons.flush(system_clock())
            if also is not None:
                also()


def _require_same(found: str, name: str, store: Store) -> None:
    if found != name:
        raise DatabaseError(
            f"{store.place} is the vault of another log", "Put back the vault and the site key of this log."
        )


def name_of(log: Log) -> str | None:
    """The name of the log's vault, as the log itself says; None where it has none."""
    first = log.entry(0).document().get("vault")
    if first is not None:
        return str(first)
    for _, idx in log.key_scan(MARK):
        document = log.entry(idx).document()
        if document["type"] == "vault":
            return str(document["vault"])
    return None


def require_vault(log: Log, url: str) -> None:
    """Raise DatabaseError unless the vault that a log names, where it names one, can be used at a URL."""
    name = name_of(log)
    if name is not None:
        Vault.open(url, name, write=False).close()


def unnamed(url: str) -> Vault | None:
    """A vault that lies beside a log without being named by it, as its site key fits it; None where there is none."""
    if not exists(url):
        return None
    store = Store.open(url, write=True)
    try:
        (name,) = store.row(select(STATE.c.vault))
    finally:
        store.close()
    return Vault.open(url, name, write=True)


def mark(batch: Batch, vault: Vault) -> int:
    """The entry by which a log says from where on it has a vault."""
    return batch.append("vault", {"vault": vault.name}, keys=[MARK])


class Reach:
    """The way to a log's vault, which is opened when it is first needed: most events hold no text, and then nobody waits for keys."""

    def __init__(self, log: Log, name: str, *, write: bool) -> None:
        self._log = log
        self._name = name
        self._write = write
        self._vault: Vault | None = None

    @property
    def opened(self) -> bool:
        """Whether it was needed."""
        return self._vault is not None

    @property
    def vault(self) -> Vault:
        """The vault. Raises DatabaseError where it or its site key is missing, damaged or another one."""
        if self._vault is None:
            self._vault = Vault.open(self._log.url, self._name, write=self._write)
        return self._vault

    def close(self) -> None:
        """Close what was opened."""
        if self._vault is not None:
            self._vault.close()


@contextmanager
def reach(log: Log, *, write: bool = True) -> Iterator[Reach | None]:
    """The way to the log's vault, or None where the log has none; closed at the end."""
    name = name_of(log)
    if name is None:
        yield None
        return
    way = Reach(log, name, write=write)
    try:
        yield way
    finally:
        way.close()
