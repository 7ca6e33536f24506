"""The policies of a log: stored whole, by digest, and put into force by an event (policy-language.md, "What a bundle is").

What judges is decided by when it judges: the bundle in force at an instant is the one that, of all `policy_activation` of the artifact `ARTIFACT`
whose ``effective_at`` has come, was recorded last. One that was voided before it came into force was withdrawn. Decisions name their bundle,
so an old one is never needed to judge anew, and never lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson

from compliance.domain.lookup import key_of
from compliance.domain.time import format_instant, parse_instant
from compliance.engine.judging import Judge
from compliance.errors import InputError, LogError
from compliance.ledger.batch import Batch
from compliance.ledger.log import Log
from compliance.policy.bundle import ARTIFACT, bundle_from_documents
from compliance.policy.model import Bundle

ENGINE_AUTHOR: Final = "compliance-engine"
"""Who wrote the policies that a log begins with."""
_PASSING: Final = frozenset({"pass", "met"})
_OBJECTING: Final = frozenset({"fail", "missed", "met_late"})


@dataclass(frozen=True, slots=True)
class Activation:
    """A bundle put into force from an instant (microseconds), by the event `event_id` in the entry `idx`, at a site."""

    idx: int
    event_id: str
    site: str
    digest: str
    effective_at: int


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
        """The bundle in force now, by the log's clock. Raises InputError where there is none."""
        now = self._log.now()
        waiting = None
        for activation in self.activations():
            if activation.effective_at <= now:
                return self.judge(activation.digest)
            waiting = activation
        if waiting is not None:
            raise InputError(
                f"this log has no policies in force before {format_instant(waiting.effective_at)}",
                "Wait until then; what is recorded before would be judged by nothing.",
            )
        raise InputError("this log has no policies in force", "Make one with `compliance init`.")

    def activations(self) -> Iterator[Activation]:
        """What was put into force, or will be, the one that was recorded last first; without what was withdrawn."""
        key = key_of("policy_activation", "artifact", ARTIFACT)
        for idx in sorted({idx for _, idx in self._log.key_scan(key)}, reverse=True):
            event = self._log.entry(idx).document().get("event", {})
            if event.get("artifact") != ARTIFACT or event.get("intent") == "proposed":
                continue
            effective_at = parse_instant(event["effective_at"])
            if not self._withdrawn(event["id"], effective_at):
                yield Activation(idx, event["id"], event["site"], f"sha256:{event['sha256']}", effective_at)

    def _withdrawn(self, event_id: str, effective_at: int) -> bool:
        """Whether an activation was voided in time. What was in force once cannot be undone: there are decisions under it, and the log
        would be left with nothing to judge by."""
        naming = (self._log.entry(idx) for idx in self._log.naming(event_id))
        return any(entry.kind == "void" and entry.recorded_us < effective_at for entry in naming)

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


def as_stored(bundle: Bundle) -> Bundle:
    """The bundle as the database will give it back, each rule typed once from that form: what comes into force must be readable."""
    stored = bundle_from_documents(orjson.loads(orjson.dumps(bundle.documents)))
    tuple(stored.rules)
    return stored


def activation(
    bundle: Bundle,
    *,
    event_id: str,
    at: str,
    site: str,
    actor: str,
    reason: str,
    cases: tuple[int, int],
    effective_at: str | None = None,
    author: str = ENGINE_AUTHOR,
    approved_by: str | None = None,
) -> dict[str, Any]:
    """The event that puts a bundle into force; `at` and `effective_at` (else the same) are RFC 3339, `cases` how many passed and failed.

    Who acts approves, unless somebody else is named.
    """
    reviews = {"next_review_on": min(rule.review_by for rule in bundle.rules)} if bundle.rules else {}
    return {
        "id": event_id, "kind": "policy_activation", "occurred_at": at, "site": site, "actor": actor, "artifact": ARTIFACT,
        "artifact_type": "policy", "version": bundle.version, "sha256": bundle.digest.removeprefix("sha256:"),
        "effective_at": effective_at or at, **reviews, "author": author, "approved_by": approved_by or actor, "change_reason": reason,
        "tests_passed": cases[0], "tests_failed": cases[1], "untested_rules": _untested(bundle), "adoption_status": "adopted",
    }  # fmt: skip


def _untested(bundle: Bundle) -> int:
    """How many rules have no example that passes, or none that is objected to."""
    expected = ({case.expect for case in rule.cases} for rule in bundle.rules)
    return sum(not (said & _PASSING and said & _OBJECTING) for said in expected)
