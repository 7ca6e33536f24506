"""The command line as a process: exit codes, signals, pipes."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import DAY, LEFT_IN_TIME, ROOT, SITE, Clinic, command


def many(number: int) -> str:
    """So many events, one per line."""
    return "".join(json.dumps({**SITE, "id": f"m{n}"}) + "\n" for n in range(number))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["check", "good.ndjson"], 0),
        (["check", "day.ndjson"], 1),
        (["check", "nowhere"], 2),
        (["log", "verify", "--database", "day.ndjson"], 3),
        (["findings", "--database", "nowhere.db"], 4),
        (["--help"], 0),
        ([], 2),
    ],
)
def test_every_exit_code_is_reached(clinic, words, code):
    """What the shell sees is what the table says; no traceback with any of them."""
    clinic.file(*DAY)
    clinic.file(*DAY[:2], LEFT_IN_TIME, name="good.ndjson")
    done = clinic.process(*words)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def test_events_come_from_standard_input(clinic):
    """- reads a pipe."""
    done = clinic.process(
        "record", "--output", "json", "-", input="".join(json.dumps(event) + "\n" for event in DAY)
    )
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 3


def test_standard_input_that_is_closed_is_told(clinic):
    """An empty pipe holds no valid event."""
    done = clinic.process("record", "-", stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert "no valid event" in done.stderr


@pytest.mark.parametrize(
    ("words", "closed", "code"),
    [("check day.ndjson", ">&-", 1), ("record -", "<&- >&-", 2), ("check nowhere", ">&- 2>&-", 2)],
)
def test_streams_that_are_closed_are_no_fault(clinic, words, closed, code):
    """A caller that closed a stream gets the exit code of the work, not that of a fault."""
    clinic.file(*DAY)
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *command(), *words.split()],
        cwd=clinic.folder, env=clinic.environment(), check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == code


def test_more_files_than_a_process_may_hold_open(clinic):
    """One file per event, and many of them: each is read."""
    for number in range(400):
        clinic.file({**SITE, "id": f"m{number}"}, name=f"m{number}.ndjson")
    done = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -n 256; exec "$@" m*.ndjson', "sh", *command("check")],
        cwd=clinic.folder, env=clinic.environment(), check=False, timeout=60, capture_output=True, text=True,
    )  # fmt: skip
    assert "400 events would be recorded" in done.stdout, done.stderr
    assert done.returncode == 0


def test_a_reader_that_goes_away_is_no_error(day):
    """Quiet, and as shells count it: 128 + SIGPIPE."""
    (day.folder / "many.ndjson").write_text(many(3000))
    for words in (
        ["check", "--output", "json", "many.ndjson"],
        ["record", "--output", "json", "many.ndjson"],
        ["log", "export"],
        ["events", "list"],
    ):
        process = subprocess.Popen(
            command(*words),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=day.folder,
            env=day.environment(),
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read()
        process.stderr.close()
        assert process.wait(60) == 141
        assert told == ""


def test_ctrl_c_is_quiet_and_leaves_whole_batches(clinic):
    """Exit code 130, nothing on standard error, and a log that verifies."""
    (clinic.folder / "many.ndjson").write_text(many(30_000))
    process = subprocess.Popen(
        command("record", "--output", "json", "many.ndjson"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=clinic.folder, env=clinic.environment(),
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told == ""
    assert clinic.run("log", "verify").exit_code == 0


@pytest.mark.parametrize(
    ("words", "later"),
    [
        ("check --no-cache", 0.0),
        ("check --no-cache", 0.15),
        ("check --no-cache", 1.5),
        ("coverage --no-offer", 0.15),
    ],
)
def test_ctrl_c_in_a_terminal_ends_all_processes(clinic, words, later):
    """The terminal interrupts all of them, whatever they are doing: quiet, exit code 130, and nobody is left."""
    process = subprocess.Popen(
        command("policy", *words.split()), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=clinic.folder,
        env=clinic.environment(), start_new_session=True,
    )  # fmt: skip
    started = time.monotonic()
    while len(session(process.pid)) < 3 and time.monotonic() < started + 60:
        time.sleep(0.01)  # the tracker of resources comes first, then those who work
    time.sleep(later)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (130, "")
    started = time.monotonic()
    while session(process.pid) and time.monotonic() < started + 5:
        time.sleep(0.01)
    assert session(process.pid) == []


def session(leader: int) -> list[int]:
    """The processes of a session that have not ended."""
    told = subprocess.run(
        ["ps", "-s", str(leader), "-o", "pid=,stat="], capture_output=True, text=True, check=False
    )
    return [int(line.split()[0]) for line in told.stdout.splitlines() if "Z" not in line]


def test_receipts_that_were_seen_survive_a_kill(clinic):
    """A receipt is printed only after the commit of its batch: kill -9, and every receipt that was read is in the log."""
    (clinic.folder / "many.ndjson").write_text(many(30_000))
    with subprocess.Popen(
        command("record", "--output", "json", "many.ndjson"),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=clinic.folder, env=clinic.environment(),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        first = process.stdout.readline()
        process.kill()
        seen = [json.loads(line) for line in [first, *process.stdout.readlines()] if line.endswith("}\n")]
    assert 1 <= len(seen) < 30_000
    assert clinic.run("log", "verify").exit_code == 0
    last = seen[-1]
    assert (
        json.loads(clinic.run("log", "show", str(last["entry"]), "--raw").stdout)["event"]["id"]
        == last["event"]
    )


def test_the_default_database_is_in_the_current_folder(clinic):
    """Without any configuration every command works on ./compliance.db."""
    environment = {
        name: value for name, value in clinic.environment().items() if name != "COMPLIANCE_DATABASE"
    }
    done = subprocess.run(
        command("findings"), cwd=clinic.folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 4
    assert "compliance.db" in done.stderr
    clinic.database.rename(clinic.folder / "compliance.db")
    done = subprocess.run(
        command("findings"), cwd=clinic.folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def on_terminal(clinic: Clinic, *words: str, no_color: bool = False) -> str:
    """What a person sees in a terminal of 80 columns."""
    leader, follower = pty.openpty()
    environment = {
        **clinic.environment(),
        "COLUMNS": "80",
        "TERM": "xterm",
        **({"NO_COLOR": "1"} if no_color else {}),
    }
    process = subprocess.Popen(
        command(*words),
        stdout=follower,
        stderr=follower,
        stdin=subprocess.DEVNULL,
        cwd=clinic.folder,
        env=environment,
    )
    os.close(follower)
    seen = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            part = os.read(leader, 65536)
        except OSError:  # Linux says EIO where the other end is closed
            break
        if not part:
            break
        seen += part
    os.close(leader)
    process.wait(60)
    return seen.decode()


@pytest.mark.parametrize(
    "words",
    [
        ("events", "list"),
        ("findings",),
        ("obligations",),
        ("policy", "explain", "e3"),
        ("check", "day.ndjson"),
    ],
)
def test_text_fits_the_terminal_and_has_its_colours(day, words):
    """No line is wider than 80 columns; colours are there, and gone with NO_COLOR."""
    day.file(*DAY)
    seen = on_terminal(day, *words)
    assert "\x1b[" in seen
    plain = on_terminal(day, *words, no_color=True)
    assert not any(f"\x1b[{code}m" in plain for code in (31, 32, 33))
    assert max(len(line) for line in plain.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()) <= 80


def test_ctrl_c_is_not_lost_while_python_tidies_up():
    """An interruption within a finaliser, which Python would only print and forget, arrives once more."""
    program = (
        "import sys, time\n"
        "from cli.application import interrupt_again\n"
        "sys.unraisablehook = interrupt_again\n"
        "class Tidied:\n"
        "    def __del__(self): raise KeyboardInterrupt\n"
        "try:\n"
        "    Tidied()\n"
        "    time.sleep(5)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("interrupted\n", "")
