"""Keys and what is made with them: sealing, blind digests, commitments.

From the site key (32 bytes) come three keys by HKDF-SHA-256 (RFC 5869): one that wraps the keys of persons, one for blind look-ups, one for digests
of events as they were sent. A person's key is 32 random bytes; everything of the person is sealed under it with AES-256-GCM (NIST SP 800-38D), a
fresh nonce of 96 random bits each time, and associated data that names the row and the field, so that what is copied elsewhere does not open.

A commitment is SHA-256 over a salt of 32 bytes and the UTF-8 text, with its purpose before them. The salts of an event's texts come from a secret
of 32 random bytes that lies sealed beside them: salt = HMAC-SHA-256(secret, path, text). So one text at one place of one event has one commitment,
however often and in whatever order it comes (docs/decisions/0009).
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from compliance.errors import DatabaseError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_TEXT: Final = b"compliance vault text v1\0"
_IDENTITY: Final = b"compliance vault identity v1\0"


class SealBroken(DatabaseError):
    """What is stored does not open: it was changed or copied from elsewhere, or the key is another one."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"the identity vault's {what} does not open: it was changed, or its key is another one",
            "Put back the vault and its site key from backups of the same time; nothing was written.",
        )


class SiteKeys:
    """What comes from the site key."""

    def __init__(self, site_key: bytes) -> None:
        if len(site_key) != KEY_BYTES:
            raise ValueError("a site key has 32 bytes")
        self._wrapping = aes_gcm(_derived(site_key, b"compliance vault wrapping v1"))
        self._blind = _derived(site_key, b"compliance vault index v1")
        self._sent = _derived(site_key, b"compliance vault sent v1")

    def seal_name(self, vault: str) -> bytes:
        """A witness of the site key, stored in the vault."""
        return seal(self._wrapping, vault.encode(), "state", vault)

    def opens_name(self, sealed: bytes, vault: str) -> None:
        """Raise SealBroken unless this is the site key of the vault."""
        if opened(self._wrapping, sealed, "state", vault) != vault.encode():
            raise SealBroken("name")

    def wrap(self, key: bytes, pseudonym: str) -> bytes:
        """A person's key for storage."""
        return seal(self._wrapping, key, "person", pseudonym)

    def unwrapped(self, wrapped: bytes, pseudonym: str) -> AESGCM:
        """A person's key for use; raises SealBroken."""
        return aes_gcm(opened(self._wrapping, wrapped, "person", pseudonym))

    def blind(self, what: str, value: str) -> bytes:
        """The keyed digest under which something is found without being readable."""
        return hmac.digest(self._blind, f"{what}\0{value}".encode(), sha256)

    def sent(self, event_id: str, purpose: str, digest: str) -> bytes:
        """The keyed digest of an event's digest: tells whether another is the same, and nothing else."""
        return hmac.digest(self._sent, f"{purpose}\0{event_id}\0{digest}".encode(), sha256)


def new_key() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(KEY_BYTES)


def aes_gcm(key: bytes) -> AESGCM:
    """A key ready for use."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  (slow to import)

    return AESGCM(key)


def seal(key: AESGCM, clear: bytes, *place: str) -> bytes:
    """Nonce and ciphertext, bound to a place: the table, the row, the owner."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + key.encrypt(nonce, clear, _bound(place))


def opened(key: AESGCM, sealed: bytes, *place: str) -> bytes:
    """What was sealed at a place; raises SealBroken."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415

    try:
        return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound(place))
    except (InvalidTag, ValueError) as problem:
        raise SealBroken(f"{place[0]} {place[1]}") from problem


def text_commitment(secret: bytes, path: str, text: str) -> bytes:
    """The commitment to a free text at a place of the event whose secret this is."""
    said = text.encode()
    salt = hmac.digest(secret, path.encode() + b"\0" + said, sha256)
    return sha256(_TEXT + salt + said).digest()


def identity_commitment(salt: bytes, canonical: bytes) -> bytes:
    """The commitment to a version of an identity, over its canonical JSON."""
    return sha256(_IDENTITY + salt + canonical).digest()


def _bound(place: tuple[str, ...]) -> bytes:
    """Lengths stand before the parts, so that no two places read alike."""
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in place)


def _derived(site_key: bytes, purpose: bytes) -> bytes:
    """HKDF-SHA-256 without salt, one block (RFC 5869, 2.2 and 2.3)."""
    extracted = hmac.digest(bytes(32), site_key, sha256)
    return hmac.digest(extracted, purpose + b"\x01", sha256)
