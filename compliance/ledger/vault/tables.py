"""The tables of the identity vault. Nothing in them is clear but pseudonyms, handles, event ids and dates.

`PERSON` has one row for each person with a key. `VERSION` holds what is known of a person from a date on, `BLIND` the keyed digests by which a
person is found, `TEXT` the free texts of one event. `ERASED` remembers pseudonyms whose key was destroyed. What is ``sealed`` is a nonce of 12
bytes and AES-256-GCM of the rest, bound to its row (see `crypto`). Instants are microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

VERSION_NUMBER: Final = 1
"""The version of these tables; `STATE` holds the one that a vault was made with."""

METADATA: Final = MetaData()


def vault_schema(of_log: str) -> str:
    """In which schema the vault of a log lies, by the log's own."""
    return "compliance_vault" if of_log == "public" else f"{of_log}_vault"


_INT64: Final = BigInteger().with_variant(Integer(), "sqlite")

STATE: Final = Table(
    "state",
    METADATA,
    Column("one", _INT64, primary_key=True, autoincrement=False),  # always 1
    Column("version", _INT64, nullable=False),
    Column("vault", Text, nullable=False),  # its name, which the log knows
    Column("made_us", _INT64, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # opens only with the right site key
    Column("erasures", _INT64, nullable=False),  # counts on: whoever keeps keys in memory looks here first
    Column("unscrubbed", _INT64, nullable=False),  # 1 from an erasure until no byte of it is left
    sqlite_strict=True,
)

PERSON: Final = Table(
    "person",
    METADATA,
    Column("pseudonym", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # patient, staff, or other: only texts are kept of it
    Column("wrapped", LargeBinary, nullable=False),  # the person's key under the wrapping key
    Column("made_us", _INT64, nullable=False),
    Column("erasing", Text),  # the event that says that this person is being erased
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

VERSION: Final = Table(
    "version",
    METADATA,
    Column("handle", Text, primary_key=True),
    Column("pseudonym", Text, nullable=False),
    Column("valid_from", Text, nullable=False),  # a date
    Column("made_us", _INT64, nullable=False),
    Column("event", Text, nullable=False),  # the record_access that holds its commitment
    Column("sealed", LargeBinary, nullable=False),
    Index("version_pseudonym", "pseudonym", "valid_from"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

BLIND: Final = Table(
    "blind",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("pseudonym", Text, primary_key=True),
    Index("blind_pseudonym", "pseudonym"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

TEXT: Final = Table(
    "text",
    METADATA,
    Column("event", Text, primary_key=True),
    Column("owner", Text),  # whose key seals it; null once that was destroyed
    Column("sealed", LargeBinary),
    Column(
        "sent", LargeBinary
    ),  # keyed digest of the event as it was sent, and of what a signature of it signs
    Column("signing", LargeBinary),
    Index("text_owner", "owner"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

ERASED: Final = Table(
    "erased",
    METADATA,
    Column("pseudonym", Text, primary_key=True),
    Column("event", Text, nullable=False),
    Column("erased_us", _INT64, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
