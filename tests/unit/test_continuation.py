"""Decisions that do not fit one entry (audit-log.md, "Entry"): no act is refused for size, and reading gives the whole decision."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.continuation import LEFT_OUT, ROOM, decision_at, parts_of
from compliance.domain.canonical import MAX_BYTES, encode
from compliance.domain.findings import Decision, Finding, Outcome, Severity, Verdict
from compliance.domain.making import MAX_EVENT_BYTES
from compliance.engine.judging import Judge
from compliance.errors import LogError
from compliance.ledger.verify import State
from compliance.record import Recorded, Rejudged
from compliance.standing import last_decision
from compliance.verifying import verify_log
from tests.recording import (
    PRESSURE,
    body,
    bundle,
    correction,
    drafts,
    fresh_log,
    record,
    rule,
    since,
    standing,
    types,
    void,
)

MANY = 160
LONG = " + ".join(["{event.occurred_at}"] * 3 + ["{'" + "long " * 60 + "'}"])
JUDGE = Judge(
    bundle(*(
        rule(f"rule-{number:03d}", "administration", "vitals != null", given=PRESSURE["given"], message=LONG, severity="warn")
        for number in range(MANY)
    ))
)  # fmt: skip


def long_body(at="09:00"):
    """An administration of nearly 32 KiB: texts as long as they may be."""
    one = body("administration", at)
    one.update(
        dict.fromkeys(
            ("reason", "source", "order", "prescription", "lot", "container", "observer", "supervisor"),
            "x" * 4000,
        )
    )
    assert MAX_EVENT_BYTES - 1000 < len(encode(one)) <= MAX_EVENT_BYTES
    return one


def test_an_event_with_more_findings_than_an_entry_holds_is_recorded_whole():
    """The first entry says how many findings are continued; the entries after it hold them and name it."""
    one = long_body()
    with fresh_log() as log:
        (recorded,) = record(log, JUDGE, one)
        assert isinstance(recorded, Recorded) and len(recorded.decision.findings) == MANY
        first, *more = since(log, recorded.idx)
        assert len(more) >= 2 and all(document["type"] == "continuation" for document in more)
        assert {document["of"] for document in more} == {recorded.idx}
        assert first["decision"]["continued"] == sum(len(document["findings"]) for document in more)
        assert len(first["decision"]["findings"]) + first["decision"]["continued"] == MANY
        assert all(len(entry.body) <= MAX_BYTES for entry in log.entries())
        assert decision_at(log, recorded.idx) == last_decision(log, recorded.idx) == recorded.decision
        assert verify_log(log).state is State.SELF_CONSISTENT


def test_the_events_after_it_are_recorded_and_a_second_run_writes_nothing():
    """Entries that go on take places in the log, and confuse nothing."""
    bodies = [
        long_body(),
        body("vital_signs", "08:00", patient="P9", session="T9"),
        body("administration", "10:00"),
    ]
    with fresh_log() as log:
        first = record(log, JUDGE, *drafts(bodies))
        size = log.size
        again = record(log, JUDGE, *drafts(bodies))
        assert log.size == size
        assert [(r.idx, r.decision, True) for r in first] == [(r.idx, r.decision, r.repeated) for r in again]
        assert [log.entry(r.idx).event_id for r in first] == [b["id"] for b in bodies]


def test_a_rejudgement_goes_on_likewise_and_what_stands_is_read_whole():
    """Cleared by a late event, and back with its void."""
    one, late = long_body(), body("vital_signs", "08:50", session="T1")
    with fresh_log() as log:
        record(log, JUDGE, one)
        stood = standing(log)[one["id"]]
        (_, cleared) = record(log, JUDGE, late)
        assert isinstance(cleared, Rejudged) and standing(log)[one["id"]] == ("compliant", frozenset())
        results = record(log, JUDGE, void(late, "V-1"))
        assert [r.event.id for r in results if isinstance(r, Rejudged)] == [one["id"], late["id"]]
        assert "continuation" in types(log)[-3:]
        assert standing(log)[one["id"]] == stood and len(stood[1]) == MANY
        # Nothing differs from the last judgement, continued or not: no entry but the correction's own.
        size = log.size
        record(log, JUDGE, correction(one, "C-1", ("route", "iv_infusion", "im")))
        assert log.size == size + 1
        assert verify_log(log).state is State.SELF_CONSISTENT


def test_a_few_findings_stay_in_one_entry():
    """Nothing says `continued` where nothing is."""
    with fresh_log() as log:
        (recorded,) = record(log, Judge(bundle(PRESSURE)), body("administration"))
        assert types(log) == ["event"]
        assert "continued" not in log.entry(recorded.idx).document()["decision"]


def test_an_entry_that_goes_on_in_another_ones_is_told():
    """The log was changed: an error in words, not half a decision."""
    with fresh_log() as log:
        with log.writing() as batch:
            kept = {**parts_of(decision([finding(0, 10)])).decision, "continued": 1}
            idx = batch.append("event", {"event": body("administration"), "decision": kept})
            batch.append("continuation", {"of": idx + 7, "findings": []})
        with pytest.raises(LogError) as refused:
            decision_at(log, idx)
        assert refused.value.remedy


def finding(number, size, names=1):
    because = {f"value {n} {number}": "x" * size for n in range(names)}
    return Finding(f"rule-{number}", Outcome.FAIL, Severity.WARN, because)


def decision(findings):
    return Decision(Verdict.FLAGGED, tuple(findings), "sha256:" + "a" * 64, "sha256:" + "b" * 64, "durable")


@settings(max_examples=60)
@given(st.lists(st.integers(0, ROOM - 200), max_size=12))
def test_parts_fit_and_join_to_the_same_decision(sizes):
    """Every part fits an entry beside the largest event; together they are the decision, in its order."""
    whole = decision(finding(number, size) for number, size in enumerate(sizes))
    parts = parts_of(whole)
    event = {"id": "x" * 64, "text": "y" * (MAX_EVENT_BYTES - 100)}
    assert all(len(encode(part)) <= ROOM for part in (parts.decision["findings"], *parts.more))
    assert len(encode({"event": event, "decision": parts.decision})) < MAX_BYTES - 500
    with fresh_log() as log:
        with log.writing() as batch:
            idx = batch.append("event", {"event": body("administration"), "decision": parts.decision})
            parts.append_more(batch, idx)
        assert decision_at(log, idx) == whole


def test_a_finding_too_large_by_itself_keeps_what_fits_and_says_how_much_it_left_out():
    """The rule, its outcome and its severity are never lost."""
    huge = finding(1, 500, names=200)
    parts = parts_of(decision([finding(0, 10), huge, finding(2, 10)]))
    kept = [one for part in (parts.decision["findings"], *parts.more) for one in part]
    assert [one["rule"] for one in kept] == ["rule-0", "rule-1", "rule-2"]
    assert all(len(encode(part)) <= ROOM for part in (parts.decision["findings"], *parts.more))
    because = kept[1]["because"]
    assert int(because[LEFT_OUT]) == 200 - (len(because) - 1) > 0
    assert len(because) > 50
