"""Group commit: callers on several threads share transactions, and each gets its own receipts."""

from __future__ import annotations

from threading import Barrier, Thread
from time import sleep

import pytest

from compliance.errors import DatabaseError
from compliance.group import GroupRecorder
from compliance.ledger.log import Log
from compliance.ledger.verify import State
from compliance.record import Recorded, Recorder
from compliance.verifying import verify_log
from tests.recording import body, draft, judge

CALLERS, EACH = 8, 12


def drafts(caller):
    return [
        draft(body("consent", "08:00", id=f"c{caller}-{number}", patient=f"P{caller}", consent=f"C{number}", action="given"))
        for number in range(EACH)
    ]  # fmt: skip


def at_once(work):
    """Run `work(caller)` on as many threads as there are callers; what each returned or raised."""
    start, found = Barrier(CALLERS), {}

    def run(caller):
        start.wait()
        try:
            found[caller] = work(caller)
        except Exception as problem:  # noqa: BLE001 - looked at by the test
            found[caller] = problem

    threads = [Thread(target=run, args=(caller,)) for caller in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_callers_share_commits_and_get_their_own_receipts(home):
    """Eight threads record one event at a time: every receipt is right, nothing is lost or there twice, and there are fewer commits than events."""
    with home.empty_log() as log:
        recorder = GroupRecorder(Recorder(log, judge("CONSENTED")))
        found = at_once(lambda caller: [recorder.submit([one]) for one in drafts(caller)])
        for caller, results in found.items():
            for number, (result,) in enumerate(results):
                assert isinstance(result, Recorded)
                assert log.entry(result.idx).event_id == f"c{caller}-{number}"
        assert log.size == 1 + CALLERS * EACH
        (commits,) = log.driver.execute("SELECT count(*) FROM head").fetchone()
        assert commits < CALLERS * EACH
        assert verify_log(log).state is State.SELF_CONSISTENT


def test_a_receipt_comes_after_the_commit(home):
    """When submit returns, another connection sees the event."""
    with home.empty_log() as log, Log.open(log.url) as other:
        recorder = GroupRecorder(Recorder(log, judge("CONSENTED")))
        (result,) = recorder.submit(drafts(0)[:1])
        assert other.entry(result.idx).event_id == "c0-0"


def all_in_one_group(recorder):
    """Eight callers arrive while somebody else writes, so that the next one takes them all along; the fourth sends what nobody can record."""
    found = {}

    def run(caller):
        try:
            found[caller] = recorder.submit([object()] if caller == 3 else drafts(caller))
        except (Exception, KeyboardInterrupt) as problem:  # noqa: BLE001 - looked at by the test
            found[caller] = problem

    threads = [Thread(target=run, args=(caller,)) for caller in range(CALLERS)]
    with recorder._writing:
        for thread in threads:
            thread.start()
        while len(recorder._waiting) < CALLERS:
            sleep(0.001)
    for thread in threads:
        thread.join()
    return found


def test_one_caller_s_fault_costs_the_others_nothing(home):
    """An item that cannot be recorded at all raises for its caller alone; what the others sent is in the log."""
    with home.empty_log() as log:
        found = all_in_one_group(GroupRecorder(Recorder(log, judge("CONSENTED"))))
        assert isinstance(found.pop(3), AttributeError)
        assert sum(len(results) for results in found.values()) == (CALLERS - 1) * EACH
        assert log.size == 1 + (CALLERS - 1) * EACH


def test_without_the_second_try_one_fault_costs_all(home, monkeypatch):
    """The mutant: without recording each alone, everybody in the group gets the fault."""

    def only_once(self, group):
        try:
            self._record_together(group)
        except Exception as failure:  # noqa: BLE001 - the mutant
            for request in group:
                request.failure, request.done = failure, True

    monkeypatch.setattr(GroupRecorder, "_record", only_once)
    with home.empty_log() as log:
        found = all_in_one_group(GroupRecorder(Recorder(log, judge("CONSENTED"))))
        assert all(isinstance(one, AttributeError) for one in found.values())
        assert log.size == 1


def test_a_failing_database_is_waited_for_once(home, monkeypatch):
    """A lock or a full disk would meet each caller again: all are told after one attempt, and nothing is written."""
    attempts = []

    def locked(self, group):
        attempts.append(len(group))
        raise DatabaseError("the database is locked", "Try again.")

    monkeypatch.setattr(GroupRecorder, "_record_together", locked)
    with home.empty_log() as log:
        found = all_in_one_group(GroupRecorder(Recorder(log, judge("CONSENTED"))))
        assert attempts == [CALLERS]
        assert all(isinstance(one, DatabaseError) for one in found.values())
        assert log.size == 1


def test_an_interrupted_writer_leaves_the_others_to_themselves(home, monkeypatch):
    """Ctrl-C hits the thread that writes for all: it alone is interrupted, and what the others sent is recorded by them."""
    together, struck = GroupRecorder._record_together, []

    def interrupted(self, group):
        if not struck:
            struck.append(len(group))
            raise KeyboardInterrupt
        together(self, group)

    monkeypatch.setattr(GroupRecorder, "_record_together", interrupted)
    with home.empty_log() as log:
        found = all_in_one_group(GroupRecorder(Recorder(log, judge("CONSENTED"))))
        assert struck == [CALLERS]
        done = [one for one in found.values() if isinstance(one, tuple)]
        assert len(done) >= CALLERS - 2
        assert all(len(one) == EACH for one in done)
        assert log.size == 1 + len(done) * EACH


@pytest.mark.parametrize("size", [0, 1, 3])
def test_empty_and_small_submissions(home, size):
    """A caller gets one result for each item, and none for none."""
    with home.empty_log() as log:
        recorder = GroupRecorder(Recorder(log, judge("CONSENTED")))
        assert len(recorder.submit(drafts(0)[:size])) == size
