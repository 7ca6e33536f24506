"""Policies of a log: what may come into force, and that it stays there."""

from __future__ import annotations

from compliance.bundles import Bundles, activation
from compliance.ledger.verify import State
from compliance.record import Recorded, Refused
from compliance.verifying import verify_log
from tests.homes import unguarded
from tests.recording import DAY, judge, put_in_force, record


def about(name, **fields):
    made = activation(
        judge("CONSENTED").bundle, event_id=name, at=f"{DAY}09:00:00-06:00", site="S1", actor="A1", reason="x", cases=(1, 0)
    )  # fmt: skip
    return {**made, **fields}


def test_policies_that_are_not_stored_cannot_come_into_force(home):
    """An activation of a bundle that the log does not hold is refused: it would leave nothing to judge by. Other artifacts are the clinic's own."""
    with home.empty_log() as log:
        put_in_force(log, judge("MONITORED").bundle)
        (refused,) = record(log, judge("MONITORED"), about("unknown"))
        assert isinstance(refused, Refused)
        assert refused.problems[0].code == "unknown-policies"
        assert Bundles(log).active().bundle.digest == judge("MONITORED").bundle.digest
        (recorded,) = record(log, judge("MONITORED"), about("procedure", artifact="procedure-7"))
        assert isinstance(recorded, Recorded)
        assert verify_log(log).state is State.SELF_CONSISTENT


def test_removed_policies_are_found(home):
    """Policies that were in force once are named by the entry that put them there, also when others are in force now."""
    with home.empty_log() as log:
        put_in_force(log, judge("MONITORED").bundle)
        put_in_force(log, judge("CONSENTED").bundle)
        first = judge("MONITORED").bundle.digest
    with unguarded(home) as connection:
        connection.execute("DELETE FROM bundle WHERE digest = %s", (first,))
    with home.open() as log:
        found = verify_log(log)
        assert (found.state, found.index) == (State.TAMPERED, 1)
        assert "are not there" in found.reason
