"""The look-up indexes made anew: the same rows, and the same judgements afterwards."""

from __future__ import annotations

import random

import pytest

from compliance.errors import ComplianceError
from compliance.ledger.history import LogHistory
from compliance.ledger.verify import State
from compliance.rebuilding import rebuild_indexes
from compliance.verifying import verify_log
from tests.ledger_faults.recording_driver import RULES, events
from tests.recording import body, correction, draft, fresh_log, judge, put_in_force, record, standing

PATIENTS = 30
DRAFTS = random.Random(7).sample(events(7, PATIENTS), k=len(events(7, PATIENTS)))
HALF = len(DRAFTS) // 2


@pytest.fixture
def log(home):
    """Half of a day, in any order: vitals after the dose, corrections before what they correct."""
    with home.empty_log() as made:
        put_in_force(made, judge(*RULES).bundle)
        record(made, judge(*RULES), *DRAFTS[:HALF])
        yield made


@pytest.fixture(scope="module")
def undisturbed():
    """How all stands where nothing was lost."""
    with fresh_log() as whole:
        record(whole, judge(*RULES), *DRAFTS)
        return standing(whole)


def rows(log, table):
    return set(log.driver.execute(f"SELECT * FROM {table}").fetchall())


def lose(home):
    """Every row of both indexes is gone, as after a damage."""
    connection = home.without_guards()
    for table in ("event_key", "asked_key"):
        connection.execute(f"DELETE FROM {table}")
    home.put_guards_back(connection)


def of_the_day(log):
    return {event: how for event, how in standing(log).items() if not event.startswith("activation")}


def test_lost_indexes_are_made_anew(home, log):
    """After a rebuild the log verifies, and has the rows that recording had written."""
    found, asked = rows(log, "event_key"), rows(log, "asked_key")
    lose(home)
    assert verify_log(log).state is State.TAMPERED
    assert rebuild_indexes(log.url) == log.size
    assert verify_log(log).state is State.SELF_CONSISTENT
    assert rows(log, "event_key") == found
    assert rows(log, "asked_key") <= asked
    assert len(rows(log, "asked_key")) > len(asked) * 0.9


def test_what_comes_later_is_judged_as_if_nothing_had_happened(home, log, undisturbed):
    """Indexes lost and made anew in the middle of a day: in the end everything stands as it would have stood."""
    lose(home)
    rebuild_indexes(log.url)
    record(log, judge(*RULES), *DRAFTS[HALF:])
    assert of_the_day(log) == undisturbed


def test_rows_of_amended_events(home):
    """An event is found again under the patient it was corrected to, whether the correction came after it or before."""
    with home.empty_log() as log:
        put_in_force(log, judge(*RULES).bundle)
        for name, order in (("after", 1), ("before", -1)):
            dose = body("administration", id=f"dose-{name}", patient="P1", session="T1")
            amended = correction(dose, f"correction-{name}", ("patient", "P1", f"P-{name}"))
            record(log, judge(*RULES), *(draft(one) for one in (dose, amended)[::order]))
        found = rows(log, "event_key")
        for name in ("after", "before"):
            history = LogHistory(log)
            (seen,) = history.newest_first("administration", "patient", f"P-{name}", None, None)
            assert seen.id == f"dose-{name}"
        lose(home)
        rebuild_indexes(log.url)
        assert rows(log, "event_key") == found


def test_without_the_rebuild_late_events_do_not_reach_what_they_change(home, log, undisturbed):
    """The mutant: with the indexes left empty, things stand differently in the end."""
    lose(home)
    record(log, judge(*RULES), *DRAFTS[HALF:])
    assert of_the_day(log) != undisturbed


def test_a_log_without_policies_is_left_alone(home):
    """Where nobody could judge, the rebuild says so and changes nothing."""
    with home.empty_log() as log:
        record(log, judge(*RULES), *DRAFTS[:5])
        before = rows(log, "event_key"), rows(log, "asked_key")
        with pytest.raises(ComplianceError, match="no policies"):
            rebuild_indexes(log.url)
        assert (rows(log, "event_key"), rows(log, "asked_key")) == before
