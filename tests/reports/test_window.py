"""The window: every event of ninety days as it stands, read in stretches, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compliance.continuation import parts_of
from compliance.domain.findings import Decision, Finding, Outcome, Severity, Verdict
from compliance.domain.lookup import EVERY, key_of
from compliance.engine.judging import Judge
from compliance.reports import window
from compliance.reports.quarter import quarter
from compliance.reports.window import first_day, older, seen
from compliance.standing import last_decision
from tests.recording import body, bundle, correction, fresh_log, put_in_force, record, rule, void
from tests.reports.nights import night_of

PROFILE = body("site_profile", "2025-10-01T09:00:00-06:00", id="profile", state="TX")
HEART = rule("heart", "vital_signs", "has(event.heart_rate_bpm) && event.heart_rate_bpm > 40")
JUDGE = Judge(bundle(HEART))


def vitals(event_id, at, rate=71, **fields):
    return body("vital_signs", at, id=event_id, heart_rate_bpm=rate, **fields)


@pytest.fixture(scope="module")
def log():
    """Some vital signs at the edges of a window, corrected, voided and at another site; the window of 2026-03-05 begins on 2025-12-06."""
    moved_in, moved_out = (
        vitals("moved-in", "2025-11-01T09:00:00-06:00"),
        vitals("moved-out", "2026-03-01T09:00:00-06:00"),
    )
    wrong, twice = (
        vitals("wrong", "2026-03-02T09:00:00-06:00", 17),
        vitals("twice", "2026-03-02T09:05:00-06:00"),
    )
    bad = vitals("bad", "2026-03-03T09:05:00-06:00", 30)
    with fresh_log() as made:
        put_in_force(made, bundle(HEART))
        record(
            made, JUDGE, PROFILE,
            vitals("before", "2025-12-05T23:59:59-06:00"), vitals("first", "2025-12-06T00:00:00-06:00"),
            vitals("last", "2026-03-05T23:59:59-06:00"), vitals("after", "2026-03-06T00:00:00-06:00"),
            vitals("elsewhere", "2026-03-02T09:00:00-06:00", site="S2"),
            vitals("night-there", "2026-03-05T18:30:00-06:00", site="S2"), vitals("early-there", "2025-12-05T18:30:00-06:00", site="S2"), vitals("asked", "2026-03-02T10:00:00-06:00", intent="proposed"),
            moved_in, moved_out, wrong, twice, bad,
            correction(wrong, "C1", ("heart_rate_bpm", 17, 71)), void(twice, "V1"),
            correction(moved_in, "C2", ("occurred_at", moved_in["occurred_at"], "2026-03-01T09:30:00-06:00")),
            correction(moved_out, "C3", ("occurred_at", moved_out["occurred_at"], "2025-11-01T09:30:00-06:00")),
        )  # fmt: skip
        yield made


EXPECTED = {"first", "last", "asked", "moved-in", "wrong", "bad", "C1", "V1", "C2", "C3"}


def found(night):
    return {one.event.id: one for one in seen(night) if not one.event.id.startswith("activation")}


def test_the_window_holds_what_stands_in_ninety_days(log):
    """From midnight to midnight by the site's clock; what was voided, moved out by a correction or happened elsewhere is not in it."""
    night = night_of(log, "2026-03-05", "S1")
    assert found(night).keys() == EXPECTED
    assert night.day - first_day(night) == 89


def test_each_site_has_its_own_ninety_days(log):
    """Where there is no profile the day is that of UTC, which ends six hours before that of Chicago."""
    assert found(night_of(log, "2026-03-05", "S1", "S2")).keys() == EXPECTED | {"elsewhere", "early-there"}


def test_events_stand_as_corrected_with_their_last_judgement(log):
    """A corrected value is the one that is seen, and the verdict is that of the judgement after the correction."""
    here = found(night_of(log, "2026-03-05", "S1"))
    assert here["wrong"].event.values["heart_rate_bpm"] == 71_000_000
    assert (here["wrong"].verdict, here["bad"].verdict, here["asked"].verdict) == (
        "compliant",
        "violation",
        "permitted",
    )
    assert [finding["rule"] for finding in here["bad"].findings] == ["heart"]
    assert here["moved-in"].event.occurred_at > here["first"].event.occurred_at


def test_a_night_does_not_know_what_was_recorded_after_it(log):
    """With the size that it had before the corrections, the log shows the events as they stood then, judged as they were."""
    night = night_of(log, "2026-03-05", "S1")
    then = replace(night, size=log.by_event_id("C1"))
    assert found(then).keys() == (EXPECTED | {"moved-out", "twice"}) - {"moved-in", "C1", "V1", "C2", "C3"}
    assert found(then)["wrong"].verdict == "violation"


@pytest.mark.parametrize(("stretch", "gap"), [(1, 0), (3, 1), (2000, 1000)])
def test_however_it_is_read_the_same_is_seen(log, monkeypatch, stretch, gap):
    """Stretches and gaps change the cost only."""
    monkeypatch.setattr(window, "_STRETCH", stretch)
    monkeypatch.setattr(window, "_GAP", gap)
    assert found(night_of(log, "2026-03-05", "S1")).keys() == EXPECTED


def test_what_is_older_is_seen_where_it_is_news(log):
    """Events from before the window that were recorded since the last report; none where there was none, and none twice."""
    night = night_of(log, "2026-03-05", "S1")
    since = replace(night, new_from=log.by_event_id("first"))
    assert [one.event.id for one in older(since)] == ["moved-out"]
    everything = replace(night, new_from=1)
    assert {one.event.id for one in older(everything)} == {"profile", "before", "moved-out"}
    assert list(older(replace(night, new_from=0))) == []


@pytest.mark.parametrize("date", ["2026-03-06", "2026-03-13"])
def test_the_window_agrees_with_the_history(clinic, date):
    """On the demonstration's fortnight: the same events, kind by kind, with the verdicts that stand."""
    night = night_of(clinic, date)
    here = {one.event.id: one for one in seen(night)}
    performed = {name: one for name, one in here.items() if not one.event.proposed}
    kinds = {one.event.kind for one in performed.values()}
    begins = window._begins(night)
    there = {
        event.id: event
        for kind in kinds
        for event in night.events(kind, min(begins.values()))
        if event.occurred_at >= begins[event.values["site"]]
    }
    assert performed.keys() == there.keys()
    assert all(performed[name].event.values == event.values for name, event in there.items())
    assert all(one.verdict == last_decision(clinic, one.event.position).verdict for one in here.values())


def test_ninety_days_are_read_once_for_all_sections(clinic):
    """Asked again for the same night, the same is given without another reading; for another night, another."""
    night = night_of(clinic, "2026-03-06")
    assert quarter(night) is quarter(replace(night))
    assert quarter(night_of(clinic, "2026-03-07")) is not quarter(night)


def test_a_decision_that_needs_several_entries_shows_all_its_findings():
    """Findings that did not fit into the event's entry are read from the entries behind it."""
    findings = tuple(
        Finding(f"rule-{number}", Outcome.FAIL, Severity.WARN, {"value": "x" * 900}) for number in range(40)
    )
    parts = parts_of(Decision(Verdict.FLAGGED, findings, "sha256:0", "sha256:1", "durable"))
    assert parts.more
    one = vitals("many", "2026-03-02T09:00:00-06:00")
    with fresh_log() as log:
        put_in_force(log, bundle(HEART))
        record(log, JUDGE, PROFILE)
        with log.writing() as batch:
            keys = [key_of("vital_signs", EVERY, "")]
            idx = batch.append("event", {"event": one, "decision": parts.decision}, keys=keys)
            parts.append_more(batch, idx)
        (many,) = (one for one in seen(night_of(log, "2026-03-05", "S1")) if one.event.id == "many")
    assert [finding["rule"] for finding in many.findings] == [finding.rule for finding in findings]
