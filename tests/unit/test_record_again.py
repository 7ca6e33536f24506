"""Judging again: what a late event, a correction, a void or a naming event changes, and nothing else (engine.md, step 5)."""

from __future__ import annotations

import random

import pytest

from compliance.domain.findings import Severity
from compliance.ledger.history import LogHistory
from compliance.ledger.verify import State
from compliance.policy.model import Bundle
from compliance.record import Recorded, Refused, Rejudged
from compliance.standing import last_decision
from compliance.verifying import verify_log
from tests.recording import (
    CONSENTED,
    DAY,
    MONITORED,
    PRESSURE,
    body,
    bundle,
    correction,
    drafts,
    fresh_log,
    judge,
    record,
    rule,
    standing,
    types,
    void,
)

pytestmark = pytest.mark.usefixtures("on_each_database")
JUDGE = judge("MONITORED", "PRESSURE", "CONSENTED")
PRESSURE_ONLY = judge("PRESSURE")


def dose(at="09:00", **fields):
    return body("administration", at, **fields)


def vitals(at="08:50", systolic=120, **fields):
    return body("vital_signs", at, systolic_mmhg=systolic, **{"session": "T1", **fields})


def consent(action="given", at="08:00", **fields):
    return body("consent", at, consent="C1", action=action, **fields)


def test_a_late_event_that_changes_a_verdict_writes_a_rejudgement():
    """It names the first entry, the cause, and both bundles; the first decision stays as what was known then."""
    one, late = dose(), vitals()
    with fresh_log() as log:
        (first,) = record(log, PRESSURE_ONLY, one)
        recorded, again = record(log, PRESSURE_ONLY, late)
        assert isinstance(recorded, Recorded) and isinstance(again, Rejudged)
        assert (first.decision.verdict, again.decision.verdict) == ("flagged", "compliant")
        assert (again.event.id, again.cause) == (one["id"], late["id"])
        document = log.entry(again.idx).document()
        assert (document["target"], document["of"], document["cause"]) == (one["id"], first.idx, late["id"])
        assert document["first_bundle"] == document["decision"]["bundle"] == PRESSURE_ONLY.bundle.digest
        assert log.entry(first.idx).document()["decision"]["verdict"] == "flagged"
        assert last_decision(log, first.idx) == again.decision
        assert verify_log(log).state is State.SELF_CONSISTENT


def test_a_rejudgement_under_a_newer_bundle_names_both():
    """The active bundle judges; the first one is named beside it."""
    one = dose()
    stricter = judge_of(bundle({**PRESSURE, "require": "vitals != null && vitals.systolic_mmhg <= 100"}))
    with fresh_log() as log:
        record(log, PRESSURE_ONLY, vitals(), one)
        (_, again) = record(log, stricter, vitals("08:55", 110))
        document = log.entry(again.idx).document()
        assert document["first_bundle"] == PRESSURE_ONLY.bundle.digest
        assert document["decision"]["bundle"] == stricter.bundle.digest
        assert again.decision.verdict == "flagged"


def judge_of(made: Bundle):
    from compliance.engine.judging import Judge

    return Judge(made)


@pytest.mark.parametrize(
    "later",
    [
        lambda one: vitals("08:55", 130),  # another pressure, the same answer
        lambda one: vitals("09:30", 180),  # after the dose
        lambda one: vitals("08:55", 180, session="T9"),  # another session
        lambda one: correction(one, "C-1", ("lot", None, "L1")),  # a field that no rule reads
        lambda one: body("discharge", "12:00"),
    ],
)
def test_what_changes_nothing_writes_no_rejudgement(later):
    """Only where the verdict or a (rule, outcome, severity) differs."""
    one = dose()
    with fresh_log() as log:
        record(log, PRESSURE_ONLY, vitals(), one)
        results = record(log, PRESSURE_ONLY, later(one))
        assert [type(result) for result in results] == [Recorded]
        assert types(log) == ["event"] * 3


def test_the_same_verdict_by_another_rule_is_a_rejudgement():
    """A finding goes, another comes: the verdict is the same, what stands is not."""
    one = dose()
    swapped = judge_of(
        bundle(
            PRESSURE,
            {**CONSENTED, "otherwise": {**CONSENTED["otherwise"], "severity": "warn", "override": "never"}},
        )
    )
    with fresh_log() as log:
        record(log, swapped, consent(), one)
        results = record(log, swapped, vitals(), consent("withdrawn", "08:30"))
        again = [result for result in results if isinstance(result, Rejudged)]
        assert [[f.rule for f in result.decision.findings] for result in again] == [[], ["consented"]]


def test_the_same_rule_with_another_outcome_is_a_rejudgement():
    """Indeterminate and fail are different things."""
    one = dose()
    unread = body("vital_signs", "08:50", session="T1")
    with fresh_log() as log:
        record(log, PRESSURE_ONLY, one)
        (_, again) = record(log, PRESSURE_ONLY, unread)
        assert [(f.rule, f.outcome) for f in again.decision.findings] == [("pressure-first", "indeterminate")]


def test_the_same_rule_with_another_severity_is_a_rejudgement():
    """A rule that was sharpened by a newer bundle."""
    one = dose()
    sharper = judge_of(bundle({**PRESSURE, "otherwise": {**PRESSURE["otherwise"], "severity": "deny"}}))
    with fresh_log() as log:
        record(log, PRESSURE_ONLY, one)
        (_, again) = record(log, sharper, vitals("08:50", 180))
        assert again.decision.verdict == "violation"
        assert again.decision.findings[0].severity is Severity.DENY


def test_a_correction_judges_the_old_and_the_new_place_again():
    """A pressure that was entered for the wrong session: one dose loses it, the other has it now (engine.md, "Corrections")."""
    right, wrong = dose(session="T1"), dose(session="T2", at="09:10")
    taken = vitals(session="T2")
    with fresh_log() as log:
        record(log, PRESSURE_ONLY, taken, right, wrong)
        before = standing(log)
        results = record(log, PRESSURE_ONLY, correction(taken, "C-1", ("session", "T2", "T1")))
        verdicts = {r.event.id: r.decision.verdict for r in results if isinstance(r, Rejudged)}
        assert verdicts == {right["id"]: "compliant", wrong["id"]: "flagged"}
        assert (before[right["id"]][0], before[wrong["id"]][0]) == ("flagged", "compliant")


def test_a_correction_judges_its_target_again():
    """The event as it now stands."""
    one = body("discharge", "10:30")
    with fresh_log() as log:
        record(log, JUDGE, dose(completed_at=f"{DAY}09:05:00-06:00"), one)
        (_, again) = record(
            log, JUDGE, correction(one, "C-1", ("occurred_at", one["occurred_at"], f"{DAY}11:10:00-06:00"))
        )
        assert (again.event.id, again.decision.verdict) == (one["id"], "compliant")


def test_corrections_chain_and_voiding_one_restores_what_was_before():
    """Twice corrected, the second correction voided: the first one's value stands."""
    one = vitals(systolic=180)
    first = correction(one, "C-1", ("systolic_mmhg", 180, 120))
    second = correction(one, "C-2", ("systolic_mmhg", 120, 170), at="20:05")
    given = dose()
    with fresh_log() as log:
        verdicts = []
        for each in (one, given, first, second, void(second, "V-1", at="20:10")):
            record(log, PRESSURE_ONLY, each)
            if log.by_event_id(given["id"]) is not None:
                verdicts.append(str(standing(log)[given["id"]][0]))
        assert verdicts == ["flagged", "compliant", "flagged", "compliant"]
        assert LogHistory(log).stands(one["id"]).body["systolic_mmhg"] == 120


def test_a_correction_of_a_correction_judges_the_first_target_again():
    """A correction that named the wrong value is itself corrected."""
    one = vitals(systolic=180)
    first = correction(one, "C-1", ("systolic_mmhg", 180, 170))
    changes = first["fields"]
    second = correction(first, "C-2", ("fields", changes, [{**changes[0], "new": "120"}]), at="20:05")
    given = dose()
    with fresh_log() as log:
        record(log, PRESSURE_ONLY, one, given, first)
        assert standing(log)[given["id"]][0] == "flagged"
        record(log, PRESSURE_ONLY, second)
        assert standing(log)[given["id"]][0] == "compliant"


def test_a_void_clears_what_was_held_against_its_target_and_judges_what_it_supported():
    """Nothing is held against what did not happen, and nothing rests on it."""
    taken, one = vitals(), dose()
    with fresh_log() as log:
        record(log, PRESSURE_ONLY, taken, one)
        results = record(log, PRESSURE_ONLY, void(taken, "V-1"))
        verdicts = {r.event.id: r.decision.verdict for r in results if isinstance(r, Rejudged)}
        assert verdicts == {taken["id"]: "voided", one["id"]: "flagged"}
        results = record(log, PRESSURE_ONLY, void(one, "V-2"))
        assert standing(log)[one["id"]] == ("voided", frozenset())


def test_a_correction_that_comes_before_its_target_is_applied_when_that_comes():
    """The target is judged and found as it stands, in the end as if they had come in order."""
    one, given = vitals(systolic=180), dose()
    early = correction(one, "C-1", ("systolic_mmhg", 180, 120))
    with fresh_log() as log:
        record(log, PRESSURE_ONLY, given)
        assert [type(r) for r in record(log, PRESSURE_ONLY, early)] == [Recorded]
        results = record(log, PRESSURE_ONLY, one)
        assert [(r.event.id, r.decision.verdict) for r in results if isinstance(r, Rejudged)] == [
            (given["id"], "compliant")
        ]
        assert log.entry(log.by_event_id(one["id"])).document()["event"]["systolic_mmhg"] == 180
        assert verify_log(log).state is State.SELF_CONSISTENT


def test_a_correction_of_when_it_happened_that_comes_first_makes_the_target_found_there():
    """The index has the event where it stands, not only where it was sent."""
    one, given = vitals("09:30"), dose()
    early = correction(one, "C-1", ("occurred_at", one["occurred_at"], f"{DAY}08:30:00-06:00"))
    with fresh_log() as log:
        record(log, PRESSURE_ONLY, early, given)
        assert standing(log)[given["id"]][0] == "flagged"
        record(log, PRESSURE_ONLY, one)
        assert standing(log)[given["id"]][0] == "compliant"


def test_an_early_correction_that_does_not_fit_is_written_and_has_no_effect():
    """Its target was not known, so it could not be refused."""
    one = vitals()
    early = correction(one, "C-1", ("no_such_field", None, "x"))
    with fresh_log() as log:
        results = record(log, PRESSURE_ONLY, early, one, dose())
        assert [type(result) for result in results] == [Recorded] * 3
        assert LogHistory(log).stands(one["id"]).body == log.entry(2).document()["event"]


def test_a_void_that_comes_before_its_target():
    """The target is written when it comes, and void from the first."""
    one = dose()
    with fresh_log() as log:
        (_, late) = record(log, JUDGE, void(one, "V-1"), one)
        assert isinstance(late, Recorded) and late.decision.verdict == "voided"


def test_a_refused_line_judges_nothing_again():
    """What is not in the log has no effect on it."""
    one = dose()
    with fresh_log() as log:
        record(log, PRESSURE_ONLY, one)
        results = record(log, PRESSURE_ONLY, *drafts([{**vitals(), "systolic_mmhg": "high"}]))
        assert [type(result) for result in results] == [Refused]


def test_a_proposed_event_supports_nothing():
    """A pressure that is only proposed was not taken."""
    with fresh_log() as log:
        record(log, PRESSURE_ONLY, vitals(intent="proposed"), one := dose())
        assert standing(log)[one["id"]][0] == "flagged"


# ---- what it costs


def heard(monkeypatch):
    """The ids of the events that are judged from now on, as they come."""
    from compliance.engine.judging import Judge

    judged: list[str] = []
    judge_one = Judge.judge
    monkeypatch.setattr(
        Judge,
        "judge",
        lambda self, event, history: judged.append(event.id) or judge_one(self, event, history),
    )
    return judged


@pytest.mark.parametrize("kind", ["sqlite"])
def test_judging_again_reads_what_it_concerns_and_not_the_log():
    """Candidates are found through the index of look-up keys, never by scanning (engine.md, step 5): ten times the log, the same work."""

    def steps(patients: int) -> int:
        rng = random.Random(patients)
        with fresh_log() as log:
            bodies = []
            for number in range(patients):
                about = {"patient": f"P{number}", "session": f"T{number}"}
                bodies += [consent(**about), dose(**about), body("discharge", "12:00", **about)]
            rng.shuffle(bodies)
            record(log, JUDGE, *drafts(bodies))
            log.driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            count = [0]

            def step() -> int:
                count[0] += 1
                return 0

            log.driver.raw.set_progress_handler(step, 100)  # every 100 steps of SQLite's machine
            results = record(log, JUDGE, vitals(patient="P7", session="T7"))
            log.driver.raw.set_progress_handler(None, 0)
            assert [r.event.kind for r in results if isinstance(r, Rejudged)] == ["administration"]
            return count[0]

    small, large = steps(30), steps(600)
    assert large <= small * 2 + 5, (small, large)


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("table", ["event_key", "asked_key"])
def test_the_indexes_of_keys_are_searched_not_scanned(table):
    """SQLite says how it answers: a search by the key."""
    with fresh_log() as log:
        statement = log.statements.event_keys if table == "event_key" else log.statements.asked_keys
        plan = " ".join(row[3] for row in log.driver.execute(f"EXPLAIN QUERY PLAN {statement}", (1, 2, 3)))
        assert (
            f"SEARCH {table} USING PRIMARY KEY (key=?" in plan
            and "SCAN" not in plan
            and "TEMP B-TREE" not in plan
        )


def test_every_key_that_a_judgement_asked_is_in_the_index():
    """Without the row a late event would not find what it changes: the rows are exactly those of the judgement."""
    from compliance.domain.lookup import key_of

    one = dose()
    with fresh_log() as log:
        record(log, JUDGE, one)
        history = LogHistory(log)
        judged = JUDGE.judge(history.stands(one["id"]), history)
        wanted = {(key_of(a.kind, a.field, a.value), a.until, 1) for a in judged.asked}
        assert set(log.driver.execute("SELECT key, until_us, idx FROM asked_key")) == wanted
        assert any(a.kind == "vital_signs" and a.field == "session" for a in judged.asked)


def test_a_rule_asked_for_the_first_time_when_judged_again_is_in_the_index():
    """A newer bundle looks elsewhere: what comes later under those keys finds the event, too."""
    one = dose()
    both = judge("PRESSURE", "CONSENTED")
    with fresh_log() as log:
        record(log, PRESSURE_ONLY, one)
        record(log, both, vitals())
        assert standing(log)[one["id"]][1] == {("consented", "fail", "deny")}
        record(log, both, consent())
        assert standing(log)[one["id"]] == ("compliant", frozenset())


def test_the_rules_of_these_tests_object_to_something():
    """So that a verdict without findings means something."""
    with fresh_log() as log:
        results = record(log, JUDGE, dose(), body("discharge", "10:00"))
        assert {f.rule for r in results for f in r.decision.findings} == {
            r["id"] for r in (MONITORED, PRESSURE, CONSENTED)
        }


def test_an_event_after_every_window_that_looks_ahead_judges_nothing_again(monkeypatch):
    """A rule may look at what comes later, for so long: what comes after that finds none of the past (engine.md, step 5)."""
    from compliance.engine.judging import Judge

    called_within = rule(
        "called", "discharge", "called != null", severity="warn",
        given={"called": {"any": "follow_up", "by": ["patient"], "after": "24h"}},
    )  # fmt: skip
    own = Judge(bundle(called_within))
    left = [body("discharge", f"2026-03-{day:02}T12:00:00-06:00", patient="P1") for day in range(2, 12)]
    judged = heard(monkeypatch)
    with fresh_log() as log:
        record(log, own, *left)
        judged.clear()
        record(log, own, body("follow_up", "2026-03-20T09:00:00-06:00", patient="P1", id="late"))
        assert judged == ["late"]
        record(log, own, body("follow_up", "2026-03-12T09:00:00-06:00", patient="P1", id="in-time"))
        assert set(judged) == {"late", "in-time", left[-1]["id"]}
        assert standing(log)[left[-1]["id"]][0] == "compliant"


def test_a_new_site_profile_judges_again_only_what_comes_after_it(monkeypatch):
    """An event that has a profile in force keeps it; only those before the first profile wait for the earliest there is."""

    judged = heard(monkeypatch)
    with fresh_log() as log:
        record(
            log, JUDGE, dose("07:00", id="before"), body("site_profile", "08:00", time_zone="America/Chicago")
        )
        record(log, JUDGE, dose("09:00", id="early"), dose("15:00", id="late"))
        judged.clear()
        record(log, JUDGE, body("site_profile", "12:00", time_zone="America/Denver", id="moved"))
        assert set(judged) == {"moved", "before", "late"}
