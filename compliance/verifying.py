"""Verifying a log with all that this software knows of it: the look-up keys of entries and the digests of stored policies.

The ledger does the work (`ledger.verify`) and knows neither; both are given to it here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from compliance.domain.lookup import key_of, lookup_keys
from compliance.domain.making import event_from_log
from compliance.ledger.log import Log
from compliance.ledger.verify import Verification, verify
from compliance.policy.bundle import digest


def verify_log(log: Log, checkpoints: Sequence[bytes] = (), since: bytes | None = None) -> Verification:
    """See `ledger.verify.verify`."""
    return verify(log, checkpoints, since=since, keys_of=keys_of_entry, bundle_digest=digest_of_stored)


def keys_of_entry(document: Mapping[str, Any]) -> list[int]:
    """The look-up keys under which recording puts an entry."""
    if document["type"] == "event":
        event = event_from_log(document["event"], 0, 0)
        return [key_of(*key) for key in lookup_keys(event.kind, event.values)]
    if document["type"] == "rejected":
        return [key_of("rejected", "sha256", document["sha256"])]
    return []


def digest_of_stored(documents: bytes) -> str:
    """The digest of the documents of a bundle as the database keeps them."""
    return digest(orjson.loads(documents))
