"""Overrides in a log: what they cover, what they do not, and that nothing is rewritten (engine.md, step 4)."""

from __future__ import annotations

import pytest

from compliance.record import Rejudged
from tests.recording import (
    DAY,
    body,
    correction,
    fresh_log,
    judge,
    record,
    standing,
    void,
)


def dose(at="09:00", **fields):
    return body("administration", at, **fields)


def proposal_and_override(requirements=("CONSENT",), approver="A9", **fields):
    asked = dose("08:30", id="P-1", intent="proposed", dose_mg="28")
    allowed = body(
        "override", "08:40", id="O-1", overrides_event="P-1", requirements=list(requirements), justification="life at risk",
        approved_by=approver, emergency=True, **fields,
    )  # fmt: skip
    return asked, allowed, dose("09:00", id="D-1", proposal="P-1", dose_mg="28")


OVERRIDING = judge("CONSENTED")


def test_an_override_makes_the_finding_stand_as_overridden():
    """The act goes on: flagged, not a violation; nothing is rewritten (engine.md, step 4)."""
    with fresh_log() as log:
        asked, allowed, done = record(log, OVERRIDING, *proposal_and_override())
        assert (asked.decision.verdict, done.decision.verdict) == ("denied", "flagged")
        (finding,) = done.decision.findings
        assert (finding.overridden_by, finding.outcome) == ("O-1", "fail")
        (kept,) = log.entry(done.idx).document()["decision"]["findings"]
        assert kept["overridden_by"] == "O-1"
        assert standing(log)["D-1"] == ("flagged", frozenset({("consented", "overridden", "deny")}))
        assert allowed.decision.verdict == "compliant"


@pytest.mark.parametrize(
    "fields",
    [
        {"requirements": ["SOMETHING-ELSE"]},
        {"approver": "A1"},  # the one who asks: two persons are wanted
        {"expires_at": f"{DAY}08:59:59-06:00"},
    ],
)
def test_an_override_that_does_not_cover_it_lifts_nothing(fields):
    """Another requirement, the same person, a permission that has run out."""
    with fresh_log() as log:
        *_, done = record(log, OVERRIDING, *proposal_and_override(**fields))
        assert done.decision.verdict == "violation"
        assert done.decision.findings[0].overridden_by is None


@pytest.mark.parametrize(
    ("proposed", "performed"),
    [
        ({}, {"dose_mg": "28.5"}),  # more than was allowed
        ({}, {"quantity": "2"}),
        ({}, {"patient": "P2"}),
        ({}, {"session": "T2"}),
        ({}, {"site": "S2"}),
        ({}, {"proposal": "P-NONE"}),
        ({"intent": "performed"}, {}),  # nobody asked
    ],
)
def test_an_override_covers_the_act_that_was_proposed_and_no_other(proposed, performed):
    """Not more of it, not for another patient, drug or place, and only what was proposed."""
    asked, allowed, done = proposal_and_override()
    with fresh_log() as log:
        *_, result = record(log, OVERRIDING, {**asked, **proposed}, allowed, {**done, **performed})
        assert result.decision.findings
        assert all(finding.overridden_by is None for finding in result.decision.findings)


def test_what_was_allowed_once_is_not_allowed_twice():
    """A second dose on the same proposal is more than was proposed, unless both together are not; whichever comes first."""
    asked, allowed, done = proposal_and_override()
    with fresh_log() as log:
        *_, second = record(
            log,
            OVERRIDING,
            asked,
            allowed,
            done,
            {**done, "id": "D-2", "occurred_at": f"{DAY}09:10:00-06:00"},
        )
        assert second.decision.findings[0].overridden_by is None
        assert standing(log)["D-1"][0] == "flagged"
    halves = [{**done, "id": name, "dose_mg": "14", "quantity": "0.5", "occurred_at": f"{DAY}{at}:00-06:00"} for name, at in (("H-1", "09:00"), ("H-2", "09:10"), ("H-3", "09:20"))]  # fmt: skip
    with fresh_log() as log:
        record(log, OVERRIDING, asked, allowed, *reversed(halves))
        assert [standing(log)[one["id"]][0] for one in halves] == ["flagged", "flagged", "violation"]


def test_less_than_was_proposed_is_covered():
    """Half a dose of what was allowed is the act that was allowed."""
    asked, allowed, done = proposal_and_override()
    with fresh_log() as log:
        *_, result = record(log, OVERRIDING, asked, allowed, {**done, "dose_mg": "14"})
        assert result.decision.findings[0].overridden_by == "O-1"


def test_the_void_or_correction_of_a_proposal_judges_the_act_again():
    """An override of what was not proposed, or of less, covers nothing; which of the two comes first does not matter."""
    asked, allowed, done = proposal_and_override()
    with fresh_log() as log:
        record(log, OVERRIDING, allowed, done)
        assert standing(log)["D-1"][0] == "violation"
        record(log, OVERRIDING, asked)
        assert standing(log)["D-1"][0] == "flagged"
        less = correction(asked, "C-1", ("dose_mg", "28", "14"))
        record(log, OVERRIDING, less)
        assert standing(log)["D-1"][0] == "violation"
        record(log, OVERRIDING, void(less, "V-1"))
        assert standing(log)["D-1"][0] == "flagged"
        record(log, OVERRIDING, void(asked, "V-2"))
        assert standing(log)["D-1"][0] == "violation"


def test_an_override_that_is_entered_late_judges_the_act_again():
    """And its void again."""
    asked, allowed, done = proposal_and_override()
    with fresh_log() as log:
        record(log, OVERRIDING, asked, done)
        assert standing(log)["D-1"][0] == "violation"
        results = record(log, OVERRIDING, allowed)
        assert [(r.event.id, r.decision.verdict) for r in results if isinstance(r, Rejudged)] == [
            ("D-1", "flagged")
        ]
        record(log, OVERRIDING, void(allowed, "V-1"))
        assert standing(log)["D-1"][0] == "violation"
