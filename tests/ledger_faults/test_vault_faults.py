"""Two recorders with one vault, and a process killed between the vault's commit and the log's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.ledger.vault import reach
from compliance.ledger.verify import State
from compliance.verifying import verify_log
from tests.logs import url
from tests.recording import body, judge, record
from tests.vaults import traces, vaulted_log

ROOT = Path(__file__).resolve().parents[2]
CHILD = """
import os, signal, sys
from compliance.ledger.log import Log
from compliance.ledger.vault import Vault
from compliance.record import Recorder
from compliance.intake.json_lines import read_json
from tests.recording import judge

path, source, moment = sys.argv[1:]
commit = Vault.commit
def killed(self, also=None):
    if moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    commit(self, also)
    if moment == "after":
        os.kill(os.getpid(), signal.SIGKILL)
Vault.commit = killed
import compliance.record
if moment == "together":
    compliance.record.BATCH = 7
with Log.open(f"sqlite:///{path}", write=True) as log, open(source, "rb") as stream:
    for _ in Recorder(log, judge("CONSENTED")).submit(read_json("x", stream)):
        pass
"""


@pytest.fixture
def path(tmp_path):
    vaulted_log(tmp_path / "log.db").close()
    return tmp_path / "log.db"


def wasted(number, who):
    return body(
        "wastage",
        id=f"{who}-{number}",
        patient=f"P-{number % 5}",
        narrative=f"said by {who} in number {number} of many",
    )


def child(path, bodies, moment):
    source = path.with_name(f"{bodies[0]['id']}.ndjson")
    source.write_text("".join(json.dumps(one) + "\n" for one in bodies))
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(source), moment],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def said(log, bodies):
    """Whether the log's commitment of each event opens to its words."""
    history = LogHistory(log)
    with reach(log, write=False) as way:
        vault = way.vault
        vault.persons.refresh()
        vault.texts.begin([one["id"] for one in bodies])
        return [vault.texts.clear(one["id"], history.sent(one["id"]).body["narrative"]) for one in bodies]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_around_the_vaults_commit_nothing_is_lost_or_clear(path, tmp_path, moment):
    """The log is as it was; recording again goes on, each commitment opens, and no orphan is a second text."""
    bodies = [wasted(number, "one") for number in range(20)]
    process = child(path, bodies, moment)
    assert process.wait(60) == -signal.SIGKILL
    next(tmp_path.glob("*.ndjson")).unlink()
    with Log.open(url(path), write=True) as log:
        assert log.size == 1
        with reach(log) as way:
            orphans = [one.pseudonym for one in way.vault.persons.known()]
        assert bool(orphans) == (moment == "after")
        record(log, judge("CONSENTED"), *bodies)
        assert said(log, bodies) == [one["narrative"] for one in bodies]
        assert verify_log(log).state is State.SELF_CONSISTENT
    assert list(traces(tmp_path, [bodies[3]["narrative"]])) == []


def test_an_orphan_does_not_bind_what_is_recorded_then(path, tmp_path):
    """After a kill another event may come under the same id: the orphan's words are not its own."""
    first, other = (
        wasted(1, "one"),
        {**wasted(1, "one"), "narrative": "quite another thing happened", "patient": "P-9"},
    )
    assert child(path, [first], "after").wait(60) == -signal.SIGKILL
    with Log.open(url(path), write=True) as log:
        record(log, judge("CONSENTED"), other)
        assert said(log, [other]) == [other["narrative"]]
        (again,) = record(log, judge("CONSENTED"), other)
        assert again.repeated
        with reach(log) as way:
            assert way.vault.texts.owner("one-1") == "P-9"


def test_two_recorders_at_once_share_keys_and_lose_nothing(path):
    """Batches of both come in turns; persons that both speak of have one key, and every commitment opens."""
    ones, others = ([wasted(number, who) for number in range(60)] for who in ("one", "two"))
    processes = [child(path, bodies, "together") for bodies in (ones, others)]
    assert [process.wait(120) for process in processes] == [0, 0]
    with Log.open(url(path), write=True) as log:
        kept = [entry.event_id for entry in log.entries(1)]
        assert sorted(kept) == sorted(one["id"] for one in (*ones, *others))
        assert said(log, ones + others) == [one["narrative"] for one in (*ones, *others)]
        with reach(log) as way:
            assert [one.pseudonym for one in way.vault.persons.known()] == [
                f"P-{number}" for number in range(5)
            ]
        assert verify_log(log).state is State.SELF_CONSISTENT
