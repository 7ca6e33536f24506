"""Signed notes: text with signatures that other people's software can check (C2SP signed-note v1).

A note is UTF-8 text that ends in a newline, an empty line, and one or more signature lines ``— <name> <base64>``, whose bytes begin with
the big-endian key ID. Invariants: text is only ever used after a signature by a known key was verified; signatures by unknown keys are
ignored, even where name or ID (but not both) is that of a known one; one wrong signature by a known key rejects the note.

Ed25519 (signature type 1) only. ``cryptography`` is imported when a key is first used: most commands never use one.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from compliance.errors import InputError

ED25519: Final = 1
"""The signature type's identifier byte (C2SP signed-note, "Signature types")."""

COSIGNATURE: Final = 4
"""That of cosignature/v1, a time-stamped Ed25519 signature by a witness (C2SP tlog-cosignature)."""

MAX_SIGNATURES: Final = 100
"""More are refused unread; the specification asks for at least 16."""

MAX_BYTES: Final = 1_000_000

PRIVATE: Final = "PRIVATE+KEY+"
"""What a signing key's line begins with."""

_DASH: Final = "— "


class NoteError(InputError):
    """A note or key that is malformed, or that no known key signed."""

    def __init__(
        self, message: str, remedy: str = "Get the file again from where it came; it must not be edited."
    ) -> None:
        super().__init__(message, remedy)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who says to have signed, with which key, and the bytes after the key ID."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A note that was parsed, not verified: its text with the final newline, and its signature lines."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under a name; `key_id` is the big-endian start of a hash over both (C2SP signed-note, "Signatures")."""

    name: str
    key_id: bytes
    public: bytes

    @classmethod
    def of(cls, name: str, public: bytes) -> Verifier:
        """The verifier for an Ed25519 public key of 32 bytes."""
        require_name(name)
        return cls(name, key_id_of(name, public), public)

    @classmethod
    def parse(cls, vkey: str) -> Verifier:
        """Read ``<name>+<key ID in hex>+<base64 of type and key>``; raises NoteError where it is not one or its ID is wrong."""
        return cls.of(*parse_key(vkey))

    def __str__(self) -> str:
        return key_text(self.name, self.public)

    def verifies(self, text: bytes, signature: bytes) -> bool:
        """Whether this key signed the text (RFC 8032)."""
        return is_signed(self.public, text, signature)


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key under a name."""

    name: str
    seed: bytes

    @classmethod
    def generate(cls, name: str) -> Signer:
        """A new key."""
        return cls(name, new_seed(name))

    @classmethod
    def parse(cls, skey: str) -> Signer:
        """Read ``PRIVATE+KEY+<name>+<key ID>+<base64>``; raises NoteError, whose message never repeats the key."""
        return cls(*parse_private(skey))

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier.of(self.name, public_of(self.seed))

    def private_text(self) -> str:
        """The form that `parse` reads."""
        return private_text(self.name, self.seed)

    def sign(self, text: str) -> str:
        """The note with this text and one signature; the text must end in a newline."""
        return f"{text}\n{self.line(text)}"

    def line(self, text: str) -> str:
        """The signature line alone, to be added to a note with this text."""
        _require_text(text)
        return signature_line(self.name, self.verifier.key_id, signed(self.seed, text.encode()))


def parse_note(note: str | bytes) -> Note:
    """Take a note apart, strictly, without verifying anything; raises NoteError."""
    if isinstance(note, bytes):
        try:
            note = note.decode("utf-8")
        except UnicodeDecodeError as problem:
            raise NoteError("the note is not UTF-8 text") from problem
    if len(note) > MAX_BYTES:
        raise NoteError(f"the note is longer than {MAX_BYTES:,} characters")
    _require_text(note)
    text, separator, block = note.rpartition("\n\n")
    if not separator or not block:
        raise NoteError("the note has no signatures after an empty line")
    lines = block.removesuffix("\n").split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError(f"the note has more than {MAX_SIGNATURES} signatures")
    return Note(text + "\n", tuple(map(_signature, lines)))


def open_note(note: str | bytes, verifiers: Iterable[Verifier]) -> tuple[Note, tuple[Verifier, ...]]:
    """The note and the known keys that signed it, at least one; raises NoteError otherwise."""
    parsed = parse_note(note)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    text = parsed.text.encode()
    verified: dict[tuple[str, bytes], Verifier] = {}
    for line in parsed.signatures:
        verifier = known.get((line.name, line.key_id))
        if verifier is None:
            continue
        if not verifier.verifies(text, line.signature):
            raise NoteError(
                f"the signature of {line.name} does not verify: the note was changed, or was not signed by that key"
            )
        verified[line.name, line.key_id] = verifier
    if not verified:
        names = ", ".join(sorted({line.name for line in parsed.signatures}))
        raise NoteError(
            f"no known key signed the note; it says that {names} did",
            "Name the verifier key of the log that it comes from.",
        )
    return parsed, tuple(verified.values())


def signature_line(name: str, key_id: bytes, signature: bytes) -> str:
    """A signature as the line that stands below the text, with its newline."""
    return f"{_DASH}{name} {b64encode(key_id + signature).decode()}\n"


def key_id_of(name: str, public: bytes, kind: int = ED25519) -> bytes:
    """SHA-256(name || 0x0A || signature type || public key)[:4]."""
    return sha256(name.encode() + bytes([0x0A, kind]) + public).digest()[:4]


def parse_key(key: str, kind: int = ED25519) -> tuple[str, bytes]:
    """Name and public key of ``<name>+<key ID in hex>+<base64 of type and key>``, for keys of one signature type.

    Raises NoteError where the text is not one, is of another type, or has an ID that is not that of its key.
    """
    name, key_id, encoded = _three_parts(key)
    require_name(name)
    public = _key_bytes(encoded, key, kind)
    if key_id_of(name, public, kind).hex() != key_id:
        raise NoteError(
            f"the key ID of the verifier key {key!r} is not that of its key",
            "Copy the verifier key again, whole.",
        )
    return name, public


def parse_private(skey: str, kind: int = ED25519) -> tuple[str, bytes]:
    """Name and seed of ``PRIVATE+KEY+<name>+<key ID>+<base64>``; raises NoteError, whose message never repeats the key."""
    remedy = "Restore the key file from its backup."
    if not skey.startswith(PRIVATE):
        raise NoteError(f"this is no signing key: it does not begin with {PRIVATE}", remedy)
    try:
        name, key_id, encoded = _three_parts(skey.removeprefix(PRIVATE))
        require_name(name)
        seed = _key_bytes(encoded, "", kind)
    except NoteError:
        raise NoteError("the signing key is damaged", remedy) from None
    if key_id_of(name, public_of(seed), kind).hex() != key_id:
        raise NoteError("the signing key is damaged: its key ID is not that of its key", remedy)
    return name, seed


def private_text(name: str, seed: bytes, kind: int = ED25519) -> str:
    """The form that `parse_private` reads."""
    key_id = key_id_of(name, public_of(seed), kind).hex()
    return f"{PRIVATE}{name}+{key_id}+{b64encode(bytes([kind]) + seed).decode()}"


def key_text(name: str, public: bytes, kind: int = ED25519) -> str:
    """A public key in the form that `parse_key` reads."""
    return f"{name}+{key_id_of(name, public, kind).hex()}+{b64encode(bytes([kind]) + public).decode()}"


def new_seed(name: str) -> bytes:
    """A new Ed25519 private key (RFC 8032) for a name that can be one."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    require_name(name)
    return Ed25519PrivateKey.generate().private_bytes_raw()


def public_of(seed: bytes) -> bytes:
    """The public key of a private one."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def signed(seed: bytes, message: bytes) -> bytes:
    """The Ed25519 signature of a message."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a key signed a message (RFC 8032)."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def require_name(name: str) -> None:
    """A key's name is not empty and has neither Unicode spaces nor plus (C2SP signed-note, "Format")."""
    if not name or "+" in name or any(one.isspace() or ord(one) < 0x20 for one in name):
        raise NoteError(
            f"{name!r} cannot name a key",
            "Use a name without spaces and plus signs, such as clinic.example/log.",
        )


def decode_base64(text: str) -> bytes:
    """Standard base64 (RFC 4648, section 4), only in its one canonical spelling; raises ValueError otherwise."""
    try:
        content = b64decode(text, validate=True)
    except Base64Error as problem:
        raise ValueError(str(problem)) from problem
    if b64encode(content).decode() != text:
        raise ValueError("the base64 is not in its canonical form")
    return content


def _signature(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise NoteError(f"this is no signature line: {line[:60]!r}")
    require_name(name)
    try:
        content = decode_base64(encoded)
    except ValueError as problem:
        raise NoteError(f"the signature of {name} is not base64") from problem
    if len(content) < 5:
        raise NoteError(f"the signature of {name} is too short")
    return Signature(name, content[:4], content[4:])


def _three_parts(key: str) -> tuple[str, str, str]:
    parts = key.split("+", 2)
    if len(parts) != 3 or len(parts[1]) != 8:
        raise NoteError(
            f"{key[:80]!r} is no verifier key", "It looks like clinic.example/log+1a2b3c4d+AbC..."
        )
    return parts[0], parts[1], parts[2]


_KINDS: Final = {
    ED25519: "an Ed25519 key that signs checkpoints (type 1)",
    COSIGNATURE: "an Ed25519 key that cosigns checkpoints (type 4)",
}


def _key_bytes(encoded: str, key: str, kind: int = ED25519) -> bytes:
    try:
        content = decode_base64(encoded)
    except ValueError:
        raise NoteError(f"the key in {key!r} is not base64", "Copy the verifier key again, whole.") from None
    if len(content) != 33 or content[0] != kind:
        raise NoteError(f"the key in {key!r} is not an Ed25519 key of type {kind}", f"Give {_KINDS[kind]}.")
    return content[1:]


def _require_text(text: str) -> None:
    if not text.endswith("\n"):
        raise NoteError("the note does not end in a newline")
    if any(ord(one) < 0x20 and one != "\n" for one in text):
        raise NoteError("the note has control characters")
    try:
        text.encode()
    except UnicodeEncodeError as problem:
        raise NoteError("the note is not UTF-8 text") from problem
