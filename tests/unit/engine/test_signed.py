"""Signatures: whether one is of the event that it names (21 CFR 11.70), however the two arrive."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.domain.making import make_event
from compliance.engine.cases import prepared
from compliance.engine.judging import Judge
from compliance.engine.signed import signable
from compliance.record import Recorded, Rejudged
from tests.recording import body, bundle, correction, fresh_log, record, rule

BOUND = Judge(bundle(rule("bound", "signature", "has(event.matches_target) && event.matches_target")))
WASTE = body("wastage", "10:00", id="w1", quantity="0.3", entered_at="2026-03-02T10:01:00-06:00")
MENDED = {**WASTE, "quantity": "0.4"}
READ_AGAIN = correction(WASTE, "c1", ("quantity", "0.3", "0.4"), at="11:00")


def sent(one: dict[str, Any]) -> str:
    """What a person signs who is shown this event."""
    made = make_event(one)
    assert not isinstance(made, tuple)
    return signable(made.body)


def signature(of: dict[str, Any], at: str = "10:05") -> dict[str, Any]:
    return body("signature", at, target_event="w1", target_sha256=sent(of))


def stands(*bodies: dict[str, Any]) -> list[str]:
    """What stands against the signature, after all was recorded in this order."""
    last: list[str] = []
    with fresh_log() as log:
        for result in record(log, BOUND, *bodies):
            about = result.draft.event if isinstance(result, Recorded) else getattr(result, "event", None)
            if about is not None and about.kind == "signature" and isinstance(result, Recorded | Rejudged):
                last = [finding.rule for finding in result.decision.findings]
    return last


@pytest.mark.parametrize(
    ("bodies", "expected"),
    [
        ((WASTE, signature(WASTE)), []),
        ((WASTE, signature(MENDED)), ["bound"]),
        ((signature(WASTE),), ["bound"]),
        ((signature(WASTE), WASTE), []),  # the signature came first
        ((WASTE, signature(WASTE), READ_AGAIN), []),
        ((WASTE, READ_AGAIN, signature(MENDED, "11:05")), []),
        ((WASTE, signature(MENDED, "11:05"), READ_AGAIN), []),  # the correction came last
        ((signature(MENDED, "11:05"), READ_AGAIN, WASTE), []),
        ((WASTE, READ_AGAIN, signature(MENDED, "10:05")), ["bound"]),  # it had not been corrected then
    ],
)
def test_a_signature_is_of_the_event_as_sent_or_as_it_stood(
    bodies: tuple[dict[str, Any], ...], expected: list[str]
) -> None:
    """A digest of something else, or of nothing in the log, is found; what comes late is looked at again."""
    assert stands(*bodies) == expected


def test_a_signature_of_a_case_is_of_what_it_names() -> None:
    """A case that leaves the digest out means the right one; one that gives it means that."""
    named = {"kind": "signature", "target_event": "w1", "occurred_at": "2026-03-02T10:05:00-06:00"}
    events, problems = prepared([WASTE, named, {**named, "target_sha256": "ab"}])
    assert problems == ()
    assert [event.values["target_sha256"] for event in events[1:]] == [sent(WASTE), "ab"]
