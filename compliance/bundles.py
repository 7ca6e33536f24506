"""The policies of a log: stored whole, by digest, and put into force by an event (policy-language.md, "What a bundle is").

The bundle in force is the one that the last `policy_activation` of the artifact `ARTIFACT` names. Decisions name their bundle, so an old
one is never needed to judge anew, and never lost.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from compliance.domain.lookup import key_of
from compliance.engine.judging import Judge
from compliance.errors import InputError, LogError
from compliance.ledger.batch import Batch
from compliance.ledger.log import Log
from compliance.policy.bundle import ARTIFACT, bundle_from_documents
from compliance.policy.model import Bundle


class Bundles:
    """The bundles that a log holds, made ready on first use; `written` says whether their decisions are (see `Judge`)."""

    def __init__(self, log: Log, *, written: bool = True) -> None:
        self._log = log
        self._written = written
        self.judge = lru_cache(maxsize=16)(self._made)

    def bundle(self, digest: str) -> Bundle:
        """The bundle with this digest; raises InputError where the log does not hold it."""
        return self.judge(digest).bundle

    def active(self) -> Judge:
        """The bundle in force: the one that was activated last, in the order of the log."""
        key = key_of("policy_activation", "artifact", ARTIFACT)
        for idx in sorted((idx for _, idx in self._log.key_scan(key)), reverse=True):
            event = self._log.entry(idx).document().get("event", {})
            if event.get("artifact") == ARTIFACT:
                return self.judge(f"sha256:{event['sha256']}")
        raise InputError("this log has no policies in force", "Make one with `compliance init`.")

    def _made(self, digest: str) -> Judge:
        bundle = bundle_from_documents(orjson.loads(self._log.bundle(digest)))
        if bundle.digest != digest:
            raise LogError(
                f"the stored policies {digest} were changed: they now are {bundle.digest}",
                "Run `compliance log verify`.",
            )
        return Judge(bundle, written=self._written)


def store(batch: Batch, bundle: Bundle) -> None:
    """Keep a bundle in the database, once; members in their order, since a fact may name those before it."""
    batch.put_bundle(bundle.digest, orjson.dumps(bundle.documents))


def activation(
    bundle: Bundle, *, event_id: str, at: str, site: str, actor: str, reason: str, cases: tuple[int, int]
) -> dict[str, Any]:
    """The event that puts a bundle into force; `at` is RFC 3339, `cases` how many passed and failed."""
    reviews = {"next_review_on": min(rule.review_by for rule in bundle.rules)} if bundle.rules else {}
    return {
        "id": event_id, "kind": "policy_activation", "occurred_at": at, "site": site, "actor": actor, "artifact": ARTIFACT,
        "artifact_type": "policy", "version": bundle.version, "sha256": bundle.digest.removeprefix("sha256:"), "effective_at": at,
        **reviews, "author": "compliance-engine", "approved_by": actor, "change_reason": reason,
        "tests_passed": cases[0], "tests_failed": cases[1], "untested_rules": 0, "adoption_status": "adopted",
    }  # fmt: skip
