"""Recording: one entry per event, nothing twice, nothing lost; what is no event is kept beside the log (engine.md, audit-log.md)."""

from __future__ import annotations

import io
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.domain.canonical import digest, encode
from compliance.errors import ComplianceError
from compliance.intake.drafts import Rejected
from compliance.intake.json_lines import read_json
from compliance.ledger.log import Log
from compliance.ledger.verify import State
from compliance.record import BATCH, Recorded, Recorder, Refused
from compliance.verifying import verify_log
from tests.logs import BEGAN
from tests.recording import (
    body,
    correction,
    draft,
    drafts,
    fresh_log,
    judge,
    record,
    rule,
    since,
    standing,
    types,
    void,
)
from tests.recording import bundle as bundle_of

pytestmark = pytest.mark.usefixtures("on_each_database")
JUDGE = judge("MONITORED", "PRESSURE", "CONSENTED")


def read(raw: bytes, source="day.ndjson"):
    return list(read_json(source, io.BytesIO(raw)))


def test_each_event_has_one_entry_with_its_decision_and_the_log_verifies():
    """Event and decision stand in one entry, in the order of the file; the decision names the bundle."""
    bodies = [body("vital_signs", systolic_mmhg=120), body("administration"), body("discharge", "10:00")]
    with fresh_log() as log:
        results = record(log, JUDGE, *bodies)
        assert [type(result) for result in results] == [Recorded] * 3
        assert [result.idx for result in results] == [1, 2, 3]
        assert types(log) == ["event"] * 3
        for result, document, sent in zip(results, since(log, 1), bodies, strict=True):
            assert document["event"] == draft(sent).event.body
            assert document["decision"]["verdict"] == result.decision.verdict
            assert document["decision"]["bundle"] == JUDGE.bundle.digest
        assert verify_log(log).state is State.SELF_CONSISTENT


def test_a_second_run_writes_nothing_and_gives_the_first_receipts():
    """The id is the caller's idempotency key (audit-log.md, "Entry")."""
    bodies = [body("administration"), body("discharge", "10:00")]
    with fresh_log() as log:
        first = record(log, JUDGE, *bodies)
        size, root = log.size, log.root
        again = record(log, JUDGE, *bodies)
        assert (log.size, log.root) == (size, root)
        assert [(r.idx, r.decision, r.repeated) for r in again] == [(r.idx, r.decision, True) for r in first]


def test_an_event_that_stands_twice_in_one_batch_is_written_once():
    """The batch sees what it has appended itself."""
    one = body("administration")
    with fresh_log() as log:
        first, second = record(log, JUDGE, *drafts([one, one]))
        assert (first.repeated, second.repeated, second.idx) == (False, True, first.idx)
        assert types(log) == ["event"]


def test_a_repeated_event_still_gives_its_first_decision_after_it_was_judged_again():
    """The receipt is the first one, whatever came later."""
    dose = body("administration")
    with fresh_log() as log:
        (first,) = record(log, JUDGE, dose)
        record(log, JUDGE, body("vital_signs", "08:50", session="T1", systolic_mmhg=120))
        (again,) = record(log, JUDGE, dose)
        assert again.decision == first.decision


def test_the_same_id_with_other_content_is_refused_naming_both_digests_and_kept():
    """An error that names both; the bytes wait in quarantine; the events around it are written."""
    one = body("administration", id="A-1", dose_mg="28")
    other = {**one, "dose_mg": "56"}
    with fresh_log() as log:
        results = record(log, JUDGE, *drafts([one, other, body("discharge", "10:00")]))
        good, refused, after = results
        assert isinstance(refused, Refused) and isinstance(after, Recorded)
        (problem,) = refused.problems
        for each in (one, other):
            assert digest(draft(each).event.body) in problem.message
        assert f"entry {good.idx}" in problem.message and problem.remedy and problem.place.field == "id"
        assert types(log) == ["event", "rejected", "event"]
        raw, source = log.quarantined(refused.idx)
        assert raw == encode(draft(other).event.body) and source == "day.ndjson"
        document = log.entry(refused.idx).document()
        assert document["sha256"] == sha256(raw).hexdigest()
        assert verify_log(log).state is State.SELF_CONSISTENT


def test_the_same_event_written_otherwise_is_the_same_event():
    """Order of members, white space and the digits' form do not make another event."""
    one = body("administration", id="A-1", dose_mg="56")
    other = dict(reversed(list({**one, "dose_mg": 56}.items())))
    with fresh_log() as log:
        record(log, JUDGE, one)
        (again,) = record(log, JUDGE, other)
        assert again.repeated


BAD_LINES = [
    b'{"id": "x"\n',
    b"not json\n",
    b'{"id": "x", "kind": "administration"}\n',
    b'{"kind": "nothing of the sort"}\n',
    b"[1, 2]\n",
    b"\xff\xfe\n",
    b'{"id": "\\ud800", "kind": "vital_signs"}\n',
    b'{"\\ud800": 1, "kind": "vital_signs", "id": "x"}\n',
    b'{"' + b"long" * 20_000 + b'": 1, "kind": "vital_signs"}\n',
    b'{"kind": "vital_signs", ' + b", ".join(b'"f%05d-\xc3\xa4": 1' % n for n in range(2_000)) + b"}\n",
    b'{"kind": "' + b"k" * 100_000 + b'"}\n',
    b'{"id": 1e999999, "kind": "vital_signs"}\n',
    b'"' + b"x" * 1_100_000 + b'"\n',
]


@pytest.mark.parametrize("bad", BAD_LINES, ids=[str(number) for number in range(len(BAD_LINES))])
def test_a_bad_line_never_costs_a_good_one(bad):
    """It is kept as a `rejected` entry with its bytes in quarantine; the lines around it are recorded."""
    good = [encode(body("vital_signs", systolic_mmhg=120)) + b"\n" for _ in range(2)]
    with fresh_log() as log:
        results = record(log, JUDGE, *read(good[0] + bad + good[1]))
        assert sum(isinstance(result, Recorded) for result in results) == 2
        refused = [result for result in results if isinstance(result, Refused)]
        assert refused
        for one in refused:
            assert one.problems and all(problem.message and problem.remedy for problem in one.problems)
            document = log.entry(one.idx).document()
            assert document["source"] == "day.ndjson" and document["problems"]
            assert log.quarantined(one.idx) is not None


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=200), max_size=4), st.integers(0, 3))
def test_whatever_bytes_stand_between_them_the_good_events_are_recorded(noise, where):
    """No input makes recording raise."""
    good = [encode(body("vital_signs", systolic_mmhg=120)) for _ in range(2)]
    # A bracket that is never closed takes what follows with it: one object may stand on several lines.
    lines = [line.replace(b"\n", b" ").replace(b"{", b"(").replace(b"[", b"(") for line in noise]
    lines[where:where] = [good[0]]
    raw = b"\n".join([*lines, good[1]])
    with fresh_log() as log:
        results = record(log, JUDGE, *read(raw))
        assert sum(isinstance(result, Recorded) for result in results) == 2


def test_the_same_bad_line_is_written_once():
    """A file that is sent again adds nothing, its bad lines neither; the answer still names what is wrong."""
    raw = b'{"id": "x"}\n{"id": "x"}\n'
    with fresh_log() as log:
        first = record(log, JUDGE, *read(raw))
        assert types(log) == ["rejected"]
        again = record(log, JUDGE, *read(raw))
        assert types(log) == ["rejected"]
        assert [result.repeated for result in first + again] == [False, True, True, True]
        assert {result.idx for result in first + again} == {1}
        assert all(result.problems for result in again)


def test_a_rejected_entry_holds_no_bytes_of_the_input():
    """They may name people; the entry has their digest, the quarantine the bytes, until somebody discards them."""
    with fresh_log() as log:
        (refused,) = record(log, JUDGE, *read(b'{"kind": "vital_signs", "narrative": "Jane Doe fainted"}\n'))
        assert b"Jane" not in log.entry(refused.idx).body
        log.discard_quarantined(refused.idx)
        assert log.quarantined(refused.idx) is None
        assert verify_log(log).state is State.SELF_CONSISTENT


class BreakingDown(Exception):
    """Something that nobody foresaw, in the middle of a batch."""


def test_a_batch_that_raises_leaves_nothing():
    """All of it or none of it (audit-log.md, "Sequencing and durability")."""

    def items():
        yield draft(body("administration"))
        yield Rejected("x", 1, b"x", sha256(b"x").hexdigest(), ())
        raise BreakingDown

    with fresh_log() as log:
        before = [entry.body for entry in log.entries()]
        with pytest.raises(BreakingDown):
            list(Recorder(log, JUDGE).submit(items()))
        assert [entry.body for entry in log.entries()] == before
        assert log.driver.execute("SELECT count(*) FROM event_key").fetchone() == (0,)
        assert log.driver.execute("SELECT count(*) FROM asked_key").fetchone() == (0,)
        assert log.driver.execute("SELECT count(*) FROM quarantine").fetchone() == (0,)
        assert len(record(log, JUDGE, body("administration"))) == 1


def test_results_are_given_batch_by_batch_each_after_its_commit():
    """A receipt that was seen is in the log, whoever looks."""
    bodies = [body("vital_signs", systolic_mmhg=n % 100 + 50) for n in range(BATCH + 5)]
    with fresh_log() as log, Log.open(log.url) as other:
        sizes = []
        for results in Recorder(log, JUDGE).submit(map(draft, bodies)):
            sizes.append(len(results))
            for result in results:
                assert other.entry(result.idx).event_id == result.draft.event.id
        assert sizes == [BATCH, 5]


def test_recorded_at_never_stands_still_and_never_goes_back():
    """Even when the clock does (engine.md: it comes from the log, never from the caller)."""
    ticks = iter(
        [BEGAN + 5_000_000, BEGAN + 1_000_000, BEGAN + 1_000_000, BEGAN - 9_000_000, BEGAN + 4_000_000] * 20
    )
    with fresh_log() as made, Log.open(made.url, write=True, clock=lambda: next(ticks)) as log:
        for _ in range(3):
            dose = body("administration")
            record(
                log, JUDGE, dose, body("vital_signs", "08:00", session="T1", systolic_mmhg=120), *read(b"x\n")
            )
        instants = [entry.recorded_us for entry in log.entries()]
        assert all(earlier < later for earlier, later in pairwise(instants))
        assert verify_log(log).state is State.SELF_CONSISTENT


def test_recorded_at_from_the_caller_is_refused():
    """Only the log says when it took an event."""
    with fresh_log() as log:
        (refused,) = record(
            log, JUDGE, *drafts([{**body("vital_signs"), "recorded_at": "2026-03-02T09:00:00Z"}])
        )
        assert isinstance(refused, Refused)
        assert "recorded_at" in str(refused.problems[0])


# ---- corrections and voids that do not fit


def test_a_void_of_a_void_is_refused():
    """The remedy is to enter the event again."""
    dose = body("administration")
    first = void(dose, "V-1")
    with fresh_log() as log:
        record(log, JUDGE, dose, first)
        (refused,) = record(log, JUDGE, void(first, "V-2"))
        assert isinstance(refused, Refused)
        assert refused.problems[0].code == "void-of-void" and "again" in refused.problems[0].remedy
        assert standing(log)[dose["id"]] == ("voided", frozenset())


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        (("dose", "1", "2"), "unknown-field", "fields[0].name"),
        (("id", "A-1", "A-2"), "fixed-field", "fields[0].name"),
        (("kind", "administration", "dispense"), "fixed-field", "fields[0].name"),
        (("recorded_at", None, "2026-03-02T09:00:00Z"), "fixed-field", "fields[0].name"),
        (("dose_mg", "28", "much"), None, "fields: dose_mg"),
        (("dose_mg", "28", None), None, "fields: dose_mg"),
        (("occurred_at", "2026-03-02T09:00:00-06:00", "yesterday"), None, "fields: occurred_at"),
    ],
)
def test_a_correction_that_cannot_be_is_refused_where_the_target_is_known(change, code, field):
    """An unknown field, a field that cannot be corrected, a new value that no event can have."""
    dose = body("administration", id="A-1", dose_mg="28")
    with fresh_log() as log:
        record(log, JUDGE, dose)
        (refused,) = record(log, JUDGE, correction(dose, "C-1", change))
        assert isinstance(refused, Refused), refused
        (problem,) = refused.problems
        assert problem.place.field == field and problem.remedy
        assert code is None or problem.code == code
        assert types(log) == ["event", "rejected"]


def test_a_correction_with_a_wrong_old_value_is_recorded_and_has_no_effect():
    """It is an act of a person, so it is written and judged; the target stands as it did (engine.md, "Corrections")."""
    vitals = body("vital_signs", "08:50", session="T1", systolic_mmhg=120)
    dose = body("administration")
    with fresh_log() as log:
        record(log, JUDGE, vitals, dose)
        stood = standing(log)
        results = record(log, JUDGE, correction(vitals, "C-1", ("systolic_mmhg", 130, 180)))
        assert [type(result) for result in results] == [Recorded]
        assert {key: standing(log)[key] for key in stood} == stood


def test_a_correction_of_a_void_event_is_recorded_and_has_no_effect():
    """The event stays void."""
    dose = body("administration", dose_mg="28")
    with fresh_log() as log:
        record(log, JUDGE, dose, void(dose, "V-1"))
        (recorded,) = record(log, JUDGE, correction(dose, "C-1", ("dose_mg", "28", "56")))
        assert isinstance(recorded, Recorded)
        assert standing(log)[dose["id"]] == ("voided", frozenset())


def test_events_may_be_refused_and_come_right_later_under_the_same_id():
    """A refused event has taken no id."""
    with fresh_log() as log:
        (refused,) = record(log, JUDGE, *drafts([{**body("administration", id="A-1"), "dose_mg": "much"}]))
        (recorded,) = record(log, JUDGE, body("administration", id="A-1"))
        assert isinstance(refused, Refused) and isinstance(recorded, Recorded)


def test_an_evaluator_at_odds_makes_the_finding_a_deny_and_loses_nothing(monkeypatch):
    """The event is written with an indeterminate deny (engine.md, "Evaluators")."""
    from compliance.engine.durable import DurableRules
    from compliance.engine.judging import Judge

    own = Judge(bundle_of(rule("always", "discharge", "true", severity="warn")))
    evaluate = DurableRules.evaluate
    monkeypatch.setattr(
        DurableRules, "evaluate", lambda self, scope: [type(o)("fail") for o in evaluate(self, scope)]
    )
    with fresh_log() as log:
        (recorded,) = record(log, own, body("discharge"))
        (finding,) = recorded.decision.findings
        assert (finding.outcome, finding.severity, recorded.decision.verdict) == (
            "indeterminate",
            "deny",
            "violation",
        )


def test_a_draft_is_judged_as_sent_not_as_its_source_says():
    """Where an event stood in a file does not change its entry."""
    one = draft(body("administration"))
    with fresh_log() as log, fresh_log() as other:
        (first,) = record(log, JUDGE, one)
        (second,) = record(other, JUDGE, replace(one, source="elsewhere.ndjson", line=99))
        assert first.decision == second.decision
        assert log.entry(1).digest == other.entry(1).digest


def test_errors_are_compliance_errors():
    """A log that is open for reading says so in words."""
    with fresh_log() as log, Log.open(log.url) as reader, pytest.raises(ComplianceError) as refused:
        record(reader, JUDGE, body("administration"))
    assert refused.value.remedy


def test_a_line_too_long_to_keep_whole_leaves_a_log_that_verifies():
    """Only the beginning of a very long line waits in quarantine; the entry names the digest of that, and of the whole."""
    line = b'{"id":"' + b"x" * 2_000_000 + b'"}'
    with fresh_log() as log:
        (result,) = record(log, JUDGE, *read(line + b"\n"))
        entry = log.entry(result.idx).document()
        kept, _ = log.quarantined(result.idx)
        assert len(kept) < len(line)
        assert (entry["sha256"], entry["kept_sha256"]) == (sha256(line).hexdigest(), sha256(kept).hexdigest())
        assert verify_log(log).state is State.SELF_CONSISTENT
