"""A disk that is full, broken or read-only under a SQLite log: exit 4 with words about the disk, a log that verifies, and the rest recorded afterwards.

The disk fails in a layer of C between the process and libc (`disk.c`), byte by byte where it is told to.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from compliance.ledger.checkpoint import checkpoint
from tests.homes import SqliteHome
from tests.ledger_faults.clinic import EVENTS, ROOT, contents, day, in_force, receipts
from tests.logs import SIGNER

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD and /proc")
POLICIES = ROOT / "tests/cli/policies"
WORKS = (-1, 0, 0, 0, "")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The layer, compiled."""
    made = tmp_path_factory.mktemp("disk") / "disk.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", made, ROOT / "tests/ledger_faults/disk.c", "-ldl"], check=True
    )  # fmt: skip
    return made


class Machine:
    """Runs commands on a disk that fails."""

    def __init__(self, library) -> None:
        self.environment = {
            **os.environ,
            "LD_PRELOAD": str(library),
            "PYTHONPATH": str(ROOT),
            "NO_COLOR": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.ledger_faults.disk_driver"], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=self.environment,
        )  # fmt: skip

    def __call__(self, fails, *words, user=0):
        """Exit status, standard output, standard error."""
        self.process.stdin.write(json.dumps([fails, [str(word) for word in words], user]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def machine(library):
    running = Machine(library)
    yield running
    running.close()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A log with policies in force and some events, at rest; and the day's file."""
    folder = tmp_path_factory.mktemp("prepared")
    in_force(SqliteHome(folder)).save("whole")
    (folder / "day.ndjson").write_bytes(day())
    return folder


@pytest.fixture
def home(prepared, tmp_path):
    shutil.copy(prepared / "log.whole", tmp_path / "log.db")
    return SqliteHome(tmp_path)


def record(machine, home, prepared, fails):
    """Record the day; exit status, receipts, words."""
    status, out, err = machine(
        fails, "--database", home.url, "record", "--output", "json", prepared / "day.ndjson"
    )
    assert "Traceback" not in err
    return status, receipts(out), err


def total_written(machine, home, prepared) -> int:
    """How many bytes recording the day writes when nothing fails: the limit below which it must fail."""
    low, high = 1 << 16, 1 << 26
    while high - low > 4096:
        middle = (low + high) // 2
        home.restore("fresh")
        low, high = (
            (middle, high)
            if record(machine, home, prepared, (middle, errno.ENOSPC, 0, 0, "log.db"))[0]
            else (low, middle)
        )
    return high


STEPS = 11


def test_a_disk_that_is_full_after_so_many_bytes(machine, home, prepared):
    """At many places in the write-ahead log, the main file while it is brought up to date, and the index of both: each time all or nothing of a
    batch is there, the words name the disk, and with room again recording goes on to the end."""
    home.save("fresh")
    whole = total_written(machine, home, prepared)
    met = set()
    for step in range(STEPS):
        home.restore("fresh")
        limit = whole * step // STEPS + step * 7  # not only at the edges of pages
        status, acknowledged, said = record(machine, home, prepared, (limit, errno.ENOSPC, 0, 0, "log.db"))
        if status == 0:
            continue
        assert status == 4, said
        assert "disk" in said
        assert "what to do" in said
        assert acknowledged.items() <= contents(home).items()
        met.add(len(contents(home)))
        status, again, said = record(machine, home, prepared, WORKS)
        assert status == 0, said
        assert acknowledged.items() <= again.items()
        assert again == contents(home)
        assert len(again) == EVENTS
    assert len(met) >= 6, f"the failures met too few batches: {met}"


@pytest.mark.parametrize(
    "part", ["log.db-wal", "log.db-shm", "log.db"], ids=["write-ahead log", "its index", "all"]
)
@pytest.mark.parametrize("limit", [0, 1, 100, 5000, 50_000])
def test_a_disk_that_fails_when_it_is_written_to(machine, home, prepared, part, limit):
    """EIO instead of ENOSPC: the words say that the disk failed, and what to look at."""
    status, acknowledged, said = record(machine, home, prepared, (limit, errno.EIO, 0, 0, part))
    if part == "log.db-shm" and status == 0:
        return  # its index is smaller than the limit
    assert status == 4, said
    assert "disk failed" in said
    assert acknowledged.items() <= contents(home).items()
    assert record(machine, home, prepared, WORKS)[0] == 0
    assert len(contents(home)) == EVENTS


def test_a_disk_that_cannot_sync(machine, home, prepared):
    """Where fsync fails no receipt is given, for nobody knows what is on the disk."""
    status, acknowledged, said = record(machine, home, prepared, (-1, 0, errno.EIO, 0, "log.db"))
    assert (status, acknowledged) == (4, {}), said
    assert "disk failed" in said
    contents(home)
    status, again, _ = record(machine, home, prepared, WORKS)
    assert (status, again) == (0, contents(home))


def test_without_full_synchronisation_a_failing_sync_goes_unseen(machine, home, prepared, tmp_path):
    """The mutant: SQLite asks for no fsync at a commit then, and receipts are given for what may never reach the disk."""
    (tmp_path / "fails").write_text(f"-1 0 {errno.EIO} 0 log.db")
    done = subprocess.run(
        [sys.executable, "-c", LOOSE, "--database", home.url, "record", "--output", "json", prepared / "day.ndjson"],
        env={**machine.environment, "DISK_FAILS": str(tmp_path / "fails")}, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert len(receipts(done.stdout)) == EVENTS, done.stderr


LOOSE = """
import compliance.ledger.on_sqlite as on_sqlite
opened = on_sqlite.open_file
def loose(*words, **more):
    connection = opened(*words, **more)
    connection.set_authorizer(None)
    connection.execute("PRAGMA synchronous = OFF")
    return connection
on_sqlite.open_file = loose
from cli.main import main
main()
"""
READING = [("log", "verify"), ("findings",), ("events", "list"), ("log", "show", "1"), ("db", "status")]


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_reading_from_a_read_only_file_system(machine, home, words):
    """A log at rest can be read where nothing can be written."""
    home.save("rest")
    status, _, said = machine((-1, 0, 0, errno.EROFS, "log.db"), "--database", home.url, *words)
    assert status == 0, said


@pytest.mark.parametrize("suffixes, code", [(("", "-wal", "-shm"), 0), (("", "-wal"), 4)])
def test_reading_what_a_killed_recorder_left_on_a_read_only_file_system(machine, home, suffixes, code):
    """The newest entries still lie in the write-ahead log and are read from there; a copy that lost its index is refused, for without it they
    would seem not to be there."""
    with home.open(write=True) as log:
        with log.writing() as batch:
            batch.append("other", {"digest": "sha256:0"})
        size = log.size
        for suffix in suffixes:
            shutil.copy(f"{home.path}{suffix}", f"{home.path}.left{suffix}")
    words = ("--database", f"sqlite:///{home.path}.left", "log", "verify", "--output", "json")
    status, out, said = machine((-1, 0, 0, errno.EROFS, "log.db"), *words)
    assert status == code, said
    if code == 0:
        assert json.loads(out)["size"] == size
    else:
        assert "ends in -wal" in said
    status, out, _ = machine(WORKS, *words)
    assert (status, json.loads(out)["size"]) == (0, size)


def test_recording_on_a_read_only_file_system(machine, home, prepared):
    """Exit 4, and the remedy names what is needed; the log is as it was."""
    with home.open() as log:
        before = checkpoint(log, SIGNER)
    status, acknowledged, said = record(machine, home, prepared, (-1, 0, 0, errno.EROFS, "log.db"))
    assert (status, acknowledged) == (4, {})
    assert "cannot be written" in said
    assert "write access" in said
    with home.open() as log:
        assert checkpoint(log, SIGNER) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_recording_without_the_right_to_write(machine, home, prepared):
    """The same for somebody whom the file system does not let write; reading works."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders let nobody else in
        for file in (home.path, prepared / "day.ndjson"):
            shutil.copy(file, folder)
        Path(folder).chmod(0o555)
        url = f"sqlite:///{folder}/log.db"
        status, _, said = machine(WORKS, "--database", url, "record", f"{folder}/day.ndjson", user=65_534)
        assert status == 4, said
        assert "write access" in said
        status, _, said = machine(WORKS, "--database", url, "log", "verify", user=65_534)
        assert status == 0, said


@pytest.mark.parametrize("limit", [0, 1, 5000, 60_000, 120_000])
@pytest.mark.parametrize("problem", [errno.ENOSPC, errno.EIO], ids=["full", "broken"])
def test_init_on_a_failing_disk_leaves_nothing(machine, tmp_path, problem, limit):
    """A log is made as a whole, with its key, or not at all; afterwards the same command makes it."""
    folder = tmp_path / "new"
    folder.mkdir()
    words = (
        "--database",
        f"sqlite:///{folder}/log.db",
        "--actor",
        "MD-1",
        "init",
        "--site",
        "S1",
        "--policies",
        POLICIES,
    )
    status, _, said = machine((limit, problem, 0, 0, str(folder)), *words)
    assert status == 4, said
    assert "Traceback" not in said
    assert list(folder.iterdir()) == []
    status, _, said = machine(WORKS, *words)
    assert status == 0, said
    assert {one.name for one in folder.iterdir()} >= {"log.db", "log.db.key"}
