"""Verifying a log with all that this software knows of it: the look-up keys of entries and the digests of stored policies.

The ledger does the work (`ledger.verify`) and knows neither; both are given to it here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from compliance import night_entries
from compliance.domain.lookup import key_of, lookup_keys
from compliance.errors import LogError
from compliance.ledger.log import KEY_ENTRIES, Head, Log
from compliance.ledger.vault import MARK
from compliance.ledger.verify import State, Verification, verify
from compliance.ledger.walk import Progress, Side
from compliance.policy.bundle import ARTIFACT, digest
from compliance.processes import processors


def verify_log(
    log: Log,
    checkpoints: Sequence[bytes] = (),
    since: bytes | None = None,
    progress: Progress | None = None,
) -> Verification:
    """See `ledger.verify.verify`; a long log is walked by as many processes as there are processors for them.

    Beyond that, every bundle that was ever put into force must be there: without it no decision under it can be judged again.
    """
    found = verify(
        log,
        checkpoints,
        since=since,
        keys_of=keys_of_entry,
        bundle_digest=digest_of_stored,
        side=Side(processors()),
        progress=progress,
    )
    return _with_policies(log, found) if found.good else found


def verified_head(log: Log) -> Head:
    """The head of a log that verifies. Call it within the `Log.reading` in which that is read which is handed out.

    Raises LogError where the log does not verify: what it does not prove is not handed out.
    """
    found = verify_log(log)
    if not found.good:
        raise LogError(
            f"the log does not verify, and nothing of it is handed out: {found.reason}",
            "Run `compliance log verify`: it says what to do.",
        )
    return log.head


def _with_policies(log: Log, found: Verification) -> Verification:
    with log.reading():
        for idx in sorted(idx for _, idx in log.key_scan(key_of("policy_activation", "artifact", ARTIFACT))):
            event = log.entry(idx).document().get("event", {})
            if event.get("artifact") == ARTIFACT and not log.has_bundle(f"sha256:{event['sha256']}"):
                reason = f"the policies that entry {idx} put into force are not there: they were removed, or never stored"
                return replace(found, state=State.TAMPERED, reason=reason, index=idx)
    return found


def keys_of_entry(document: Mapping[str, Any]) -> list[int]:
    """The look-up keys under which recording puts an entry."""
    if document["type"] == "event":
        event = document["event"]
        return [key_of(*key) for key in lookup_keys(event["kind"], event)]
    if document["type"] == "rejected":
        return [key_of("rejected", "sha256", document["sha256"])]
    if document["type"] == "key" and "replaces" in document:
        return [KEY_ENTRIES]
    if document["type"] == "vault":
        return [MARK]
    if document["type"] in night_entries.TYPES:
        return night_entries.keys_of(document)
    return []


def digest_of_stored(documents: bytes) -> str:
    """The digest of the documents of a bundle as the database keeps them."""
    return digest(orjson.loads(documents))
