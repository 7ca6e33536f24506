"""``compliance record --watch``: real files, real processes, and what is left of them when one is killed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from cli.watch import _Outcome
from compliance.record import Recorder
from compliance.watching import Taken
from tests.cli.conftest import DAY, DOSE, SITE, command, lines
from tests.dropping import QUICK, drop, names, once, report


def being_written(incoming):
    """Whether a report has something in it, of an input that is being read."""
    with suppress(FileNotFoundError):
        return any(path.stat().st_size for path in (incoming / "taking").glob("*/.report.json"))


def deaths(incoming):
    """How many watchers ended without a word over each input that was taken."""
    return [path.read_text() for path in (incoming / "taking").glob("*/.deaths")]


def until(holds, process=None):
    """Wait until it holds; a process that ended will not make it so."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end and (process is None or process.poll() is None), "it did not come about"
        time.sleep(0.01)


@pytest.fixture
def start(clinic):
    """Start watchers; whichever still runs in the end is killed."""
    started = []

    def begin(*words, python=None):
        call = command() if python is None else [sys.executable, "-c", python]
        words = ["record", "--watch", "incoming", *QUICK, *words]
        process = subprocess.Popen(
            [*call, *words], cwd=clinic.folder, env=clinic.environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def test_a_file_goes_to_done_with_what_record_would_have_said(clinic, incoming):
    """A violation is no problem of the file: its events are recorded. The report has the lines of `record --output json`, then a summary."""
    drop(incoming, "day.ndjson", *DAY)
    done = once(clinic)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == "done/day.ndjson: 3 events recorded; 2 compliant; 1 violation\n"
    assert names(incoming) == ["done", "problems", "taking"] and names(incoming / "done") == ["day.ndjson"]
    told, summary = report(incoming / "done", "day.ndjson")
    again = lines(clinic.run("record", "--output", "json", incoming / "done" / "day.ndjson"))
    assert again == [{**line, "repeated": True} for line in told]
    assert summary == {
        "file": "day.ndjson", "outcome": "done", "recorded": 3, "repeated": 0, "rejected": 0, "rejected_again": 0, "rejudged": 0,
        "verdicts": {"compliant": 2, "violation": 1}, "passed_over": {}, "error": None,
    }  # fmt: skip
    text = (incoming / "done" / "day.ndjson.report.txt").read_text()
    assert "stay-two-hours" in text and "to do: Keep the patient" in text and "\x1b" not in text
    assert text.endswith("3 events recorded\n2 compliant, 1 violation\n")


def test_what_is_wrong_with_an_input_goes_to_problems(clinic, incoming):
    """A line that is no event (those beside it are recorded), none at all, a table of which nobody said what it is; by their own names."""
    drop(incoming, "a.ndjson", SITE, {**DOSE, "dose_mg": "a lot"}, DOSE)
    (incoming / "b.ndjson").write_text("nothing\n")
    (incoming / "c.csv").write_text("a,b\n1,2\n")
    drop(incoming, "d.ndjson", SITE)
    done = once(clinic, "--output", "json")
    assert done.exit_code == 1
    told = lines(done)
    assert [(line["summary"]["file"], line["moved_to"]) for line in told] == [
        ("a.ndjson", "problems/a.ndjson"), ("b.ndjson", "problems/b.ndjson"), ("c.csv", "problems/c.csv"), ("d.ndjson", "done/d.ndjson"),
    ]  # fmt: skip
    _, summary = report(incoming / "problems", "a.ndjson")
    assert (summary["recorded"], summary["rejected"], summary["error"]) == (2, 1, None)
    rejected = report(incoming / "problems", "a.ndjson")[0][1]["rejected"]
    assert (rejected["source"], rejected["line"]) == ("a.ndjson", 2)
    assert (
        report(incoming / "problems", "b.ndjson")[1]["error"]["message"]
        == "there is no valid event in this input"
    )
    error = report(incoming / "problems", "c.csv")[1]["error"]
    assert error["message"] == "c.csv is a table: say what its rows are" and "--kind" in error["remedy"]
    assert "what to do: Name the kind" in (incoming / "problems" / "c.csv.report.txt").read_text()


def test_the_same_name_again_and_the_same_events_again(clinic, incoming):
    """Nothing is written over, and nothing twice into the log."""
    for _ in range(2):
        drop(incoming, "day.ndjson", *DAY)
        assert once(clinic).exit_code == 0
    assert names(incoming / "done") == ["day-2.ndjson", "day.ndjson"]
    assert report(incoming / "done", "day-2.ndjson")[1]["repeated"] == 3


def test_a_ready_folder_is_read_as_one(clinic, incoming):
    """Its files are merged by when things occurred, as `record` merges several; one with a link in it is a problem, and nothing of it is read."""
    for folder, events in (("bulk", DAY), ("bad", [{**SITE, "id": "other"}])):
        (incoming / folder).mkdir()
        for number, event in enumerate(reversed(events)):
            drop(incoming / folder, f"{number}.ndjson", event)
    (incoming / "bad" / "link").symlink_to(clinic.database)
    assert once(clinic).exit_code == 0 and names(incoming / "done") == []
    for folder in ("bulk", "bad"):
        (incoming / folder).rename(incoming / f"{folder}.ready")
    assert once(clinic).exit_code == 1
    told, summary = report(incoming / "done", "bulk.ready")
    assert [line["event"] for line in told] == ["e1", "e2", "e3"] and summary["recorded"] == 3
    assert names(incoming / "done" / "bulk.ready") == ["0.ndjson", "1.ndjson", "2.ndjson"]
    _, summary = report(incoming / "problems", "bad.ready")
    assert summary["recorded"] == 0 and summary["error"]["message"] == "bad.ready/link is no file"


def test_a_ready_folder_with_what_is_hidden_or_unfinished_is_a_problem(clinic, incoming):
    """As rsync leaves it in the middle: nothing of it is recorded, and the report says what is in the way."""
    (incoming / "bulk.ready" / ".sub").mkdir(parents=True)
    for name in ("a.ndjson", ".b.ndjson.Xy12Zz", ".sub/c.ndjson"):
        drop(incoming / "bulk.ready", name, SITE)
    wrong = []
    for name in (".b.ndjson.Xy12Zz", ".sub"):
        assert once(clinic).exit_code == 1
        told, summary = report(incoming / "problems", "bulk.ready")
        assert told == [] and summary["recorded"] == 0
        wrong.append(summary["error"]["message"].split()[0])
        for path in (incoming / "problems").glob("*.report.*"):
            path.unlink()
        back = (incoming / "problems" / "bulk.ready").rename(incoming / "bulk.ready")
        (back / name).rename(back / name.lstrip("."))
    assert wrong == ["bulk.ready/.b.ndjson.Xy12Zz", "bulk.ready/.sub"]
    assert once(clinic).exit_code == 0 and report(incoming / "done", "bulk.ready")[1]["recorded"] == 1


def test_a_file_to_which_somebody_writes_while_it_is_read_is_read_again(clinic, incoming, monkeypatch):
    """It is moved only when it is as it was before it was read."""
    drop(incoming, "day.ndjson", SITE)
    ended = _Outcome.as_text

    def writing(outcome):
        for file in (incoming / "taking").glob("*/day.ndjson") if not outcome.tally.repeated else ():
            file.write_text(file.read_text() + json.dumps(DOSE) + "\n")
        return ended(outcome)

    monkeypatch.setattr(_Outcome, "as_text", writing)
    assert once(clinic).exit_code == 0
    assert [line["event"] for line in report(incoming / "done", "day.ndjson")[0]] == ["e1", "e2"]


def test_an_error_that_comes_late_out_of_the_database_is_waited_for_too(clinic, incoming, monkeypatch):
    """It has no words of ours yet; the input stays this watcher's, and is read from its beginning."""
    drop(incoming, "day.ndjson", *DAY)
    submit, move, tries = Recorder.submit, Taken.move, []

    def failing(recorder, items):
        tries.append(1)
        if len(tries) == 1:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        return submit(recorder, items)

    def moving(taken, place):
        os.kill(os.getpid(), signal.SIGTERM)
        return move(taken, place)

    monkeypatch.setattr(Recorder, "submit", failing)
    monkeypatch.setattr(Taken, "move", moving)
    done = clinic.run("record", "--watch", incoming, *QUICK)
    assert (done.exit_code, done.stderr.count("it is tried again")) == (0, 1)
    assert done.stdout.startswith("done/day.ndjson: 3 events recorded")


@pytest.mark.parametrize("deaths", [4, 5])
def test_an_input_that_ends_its_watchers_is_put_aside(clinic, incoming, deaths):
    """After five ends without a word it is not read once more: no input holds up all others for good."""
    drop(incoming, "day.ndjson", SITE)
    (incoming / "taking" / "old").mkdir(parents=True)
    (incoming / "day.ndjson").rename(incoming / "taking" / "old" / "day.ndjson")
    (incoming / "taking" / "old" / ".deaths").write_text(str(deaths))
    assert once(clinic).exit_code == (deaths == 5)
    assert names(incoming / "problems") == ["day.ndjson"] * (deaths == 5)
    if deaths == 5:
        message = report(incoming / "problems", "day.ndjson")[1]["error"]["message"]
        assert message == "5 times the program ended without a word while it read this input"


def test_once_without_a_database_is_exit_4_and_leaves_the_file(clinic, incoming):
    """It lies where it was dropped; a wrong call is exit 2."""
    drop(incoming, "day.ndjson", SITE)
    clinic.database.rename(clinic.folder / "away")
    done = once(clinic)
    assert (done.exit_code, "Traceback" in done.stderr) == (4, False)
    assert "day.ndjson" in names(incoming)


KILLED_BEFORE_THE_MOVE = """
import os, signal
from compliance.watching import Taken
Taken.move = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from cli.main import main
main()
"""


def test_killed_between_commit_and_move(clinic, incoming, start):
    """The next watcher takes it up: each event is in the log once, the file in ``done`` once, and its report says so."""
    drop(incoming, "day.ndjson", *DAY)
    killed = start(python=KILLED_BEFORE_THE_MOVE)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert deaths(incoming) == ["1"]
    assert names(incoming) == ["done", "problems", "taking"] and names(incoming / "done") == []
    before = clinic.run("log", "verify", "--output", "json").stdout
    assert once(clinic).exit_code == 0
    assert names(incoming / "done") == ["day.ndjson"] and names(incoming / "taking") == []
    _, summary = report(incoming / "done", "day.ndjson")
    assert (summary["recorded"], summary["repeated"]) == (0, 3)
    assert clinic.run("log", "verify", "--output", "json").stdout == before


def test_two_watchers_a_slow_writer_and_a_stop_in_the_middle(clinic, incoming, start):
    """Two processes, thirty files and one that grows: each is taken once, each event is recorded once; SIGTERM and Ctrl-C finish the file at hand,
    and are exit 0."""
    for number in range(30):
        drop(incoming, f"{number:02}.ndjson", {**SITE, "id": f"m{number}"})
    watchers = [start("--output", "json"), start("--output", "json")]
    with (incoming / "slow.ndjson").open("w") as slow:
        for number in range(25):
            slow.write(
                json.dumps({**SITE, "id": f"slow{number}"})[: 100 if number == 24 else None]
                + "\n" * (number < 24)
            )
            slow.flush()
            time.sleep(0.04)
        until(lambda: len(names(incoming / "done")) == 30, watchers[0])
        assert "slow.ndjson" in names(incoming)
        slow.write(json.dumps({**SITE, "id": "slow24"})[100:] + "\n")
    until(lambda: len(names(incoming / "done")) == 31, watchers[0])
    drop(incoming, "long.ndjson", *({**SITE, "id": f"l{number}"} for number in range(1001)))
    until(lambda: being_written(incoming), watchers[0])
    watchers[0].send_signal(signal.SIGTERM)
    watchers[1].send_signal(signal.SIGINT)
    told = []
    for watcher in watchers:
        stdout, stderr = watcher.communicate(timeout=60)
        assert (watcher.returncode, stderr) == (0, "")
        told += [json.loads(line)["summary"] for line in stdout.splitlines()]
    assert sum(one["recorded"] for one in told) == 30 + 25 + 1001
    assert sum(one["repeated"] + one["rejected"] for one in told) == 0
    assert sorted(one["file"] for one in told) == names(incoming / "done")
    assert len(told) == 32 and names(incoming / "taking") == names(incoming / "problems") == []


def test_what_cannot_be_used_is_waited_for_and_told_once(clinic, incoming, start):
    """Without a database a file stays where it was dropped; one that cannot be moved is left, and the next goes on. Both come right in the end, and
    what was left when the watcher is stopped is no end without a word."""
    drop(incoming, "day.ndjson", SITE)
    clinic.database.rename(clinic.folder / "away")
    watcher = start()
    assert watcher.stderr.readline().endswith("; it is tried again\n")
    time.sleep(0.2)
    assert "day.ndjson" in names(incoming)
    (clinic.folder / "away").rename(clinic.database)
    until(lambda: names(incoming / "done") == ["day.ndjson"], watcher)
    (incoming / "problems").rename(incoming / "elsewhere")
    (incoming / "problems").write_text("in the way")
    (incoming / "bad.ndjson").write_text("nothing\n")
    (incoming / "worse.ndjson").write_text("nothing\n")
    drop(incoming, "good.ndjson", SITE)
    until(lambda: names(incoming / "done") == ["day.ndjson", "good.ndjson"], watcher)
    time.sleep(0.1)
    (incoming / "problems").unlink()
    (incoming / "elsewhere").rename(incoming / "problems")
    until(lambda: names(incoming / "problems") == ["bad.ndjson", "worse.ndjson"], watcher)
    (incoming / "problems").rename(incoming / "elsewhere")
    (incoming / "problems").write_text("in the way")
    (incoming / "last.ndjson").write_text("nothing\n")
    told = [watcher.stderr.readline().rstrip() for _ in range(4)]
    watcher.terminate()
    stdout, stderr = watcher.communicate(timeout=60)
    assert (watcher.returncode, stderr, deaths(incoming)) == (0, "", ["0"])
    assert told == [
        "database and folder can be used again", "warning: bad.ndjson is left: Not a directory; it is tried again",
        "warning: worse.ndjson is left: Not a directory; it is tried again",
        "warning: last.ndjson is left: Not a directory; it is tried again",
    ]  # fmt: skip
    assert sorted(line.split(":")[0] for line in stdout.splitlines()) == [
        "done/day.ndjson", "done/good.ndjson", "problems/bad.ndjson", "problems/worse.ndjson",
    ]  # fmt: skip
