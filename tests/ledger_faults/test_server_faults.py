"""PostgreSQL itself in trouble, on a server of its own: killed with kill -9, or its disk full, while somebody records."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import psycopg
import pytest

from tests.homes import PostgresHome
from tests.ledger_faults.clinic import (
    BATCH,
    EVENTS,
    ROOT,
    SMALL_BATCHES,
    contents,
    day,
    in_force,
    receipts,
    recorded_again,
    recording,
)
from tests.servers import Server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD and /proc")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server as PostgreSQL's own settings have it, which waits for its disk; the disk fails as the file `fails` in its folder says."""
    with Server("restart_after_crash=on", "autovacuum=off", "max_wal_size=32MB", "wal_init_zero=on") as own:
        library = own.folder / "disk.so"
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-O1", "-o", library, ROOT / "tests/ledger_faults/disk.c", "-ldl"], check=True
        )  # fmt: skip
        own.start({"LD_PRELOAD": str(library), "DISK_FAILS": str(own.folder / "fails")})
        yield own


@pytest.fixture
def home(server):
    place = PostgresHome(server)
    yield in_force(place)
    place.remove()


@contextmanager
def disk(server, part: str, problem: int):
    """Nothing can be written to the files whose path has this part."""
    made = server.folder / "fails.new"
    made.write_text(f"0 {problem} 0 0 {part}")
    made.chmod(0o644)
    made.rename(server.folder / "fails")
    try:
        yield
    finally:
        (server.folder / "fails").unlink()


class Watched:
    """A recording process; its receipts as they come."""

    def __init__(self, url, folder, events=EVENTS) -> None:
        self.process = recording(url, folder, events)
        self.lines: list[str] = []
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self) -> None:
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def after(self, batches: int) -> None:
        """Wait until so many batches were acknowledged."""
        for _ in range(6000):
            if len(self.lines) >= batches * BATCH or self.process.poll() is not None:
                return
            time.sleep(0.005)
        raise TimeoutError

    def ended(self):
        """Exit status, receipts, words."""
        self.process.wait(60)
        self.thread.join()
        said = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return self.process.returncode, receipts("".join(self.lines)), said


def backend_of_the_recorder(server) -> int:
    """The process that serves it, once it has connected."""
    for _ in range(3000):
        with server.connect() as connection:
            row = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'compliance'"
            ).fetchone()
        if row is not None:
            return row[0]
        time.sleep(0.01)
    raise TimeoutError


@pytest.mark.parametrize("batches", [0, 1, 6])
def test_a_killed_backend(server, home, tmp_path, batches):
    """kill -9 of the process that serves the recorder: PostgreSQL recovers by itself, the recorder ends with exit 4 and a remedy."""
    watched = Watched(home.url, tmp_path)
    backend = backend_of_the_recorder(server)
    watched.after(batches)
    os.kill(backend, signal.SIGKILL)
    status, acknowledged, said = watched.ended()
    assert status == 4, said
    assert "Run the same command again" in said or "run the command again" in said
    server.wait()
    recorded_again(home, acknowledged, tmp_path)


@pytest.mark.parametrize("batches", [1, 5])
def test_a_killed_server(server, home, tmp_path, batches):
    """kill -9 of the whole server; started again, it holds every receipt that was given."""
    watched = Watched(home.url, tmp_path)
    watched.after(batches)
    server.stop(signal.SIGKILL)
    status, acknowledged, said = watched.ended()
    assert status == 4, said
    assert len(acknowledged) >= batches * BATCH
    process = recording(home.url, tmp_path)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 4
    assert "cannot be reached" in said
    server.start(server.environment)
    recorded_again(home, acknowledged, tmp_path)


@pytest.fixture
def hasty(server):
    """The server's owner has set it to answer before a commit is on disk."""
    for setting in ("synchronous_commit = off", "wal_writer_delay = '10s'"):
        with server.connect() as connection:
            connection.execute(f"ALTER SYSTEM SET {setting}")
            connection.execute("SELECT pg_reload_conf()")
    yield server
    with server.connect() as connection:
        connection.execute("ALTER SYSTEM RESET ALL")
        connection.execute("SELECT pg_reload_conf()")


def killed_after_recording(server, home, folder, program):
    """Receipts of a whole day, after which the server was killed at once and started again."""
    (folder / "day.ndjson").write_bytes(day())
    with server.connect() as connection:
        connection.execute("CHECKPOINT")
    done = subprocess.run(
        [sys.executable, "-c", program, "--database", home.url, "record", "--output", "json", folder / "day.ndjson"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    server.stop(signal.SIGKILL)
    server.start(server.environment)
    return receipts(done.stdout)


def test_a_hasty_server_is_told_to_wait_for_its_disk(hasty, home, tmp_path):
    """Every connection asks for commits that are on disk, whatever the server is set to."""
    acknowledged = killed_after_recording(hasty, home, tmp_path, SMALL_BATCHES)
    assert contents(home) == acknowledged
    assert len(acknowledged) == EVENTS


def test_a_hasty_server_that_is_not_told_loses_receipts(hasty, home, tmp_path):
    """The mutant: what was acknowledged is gone after a kill; the log is good, but shorter."""
    mutant = f"import compliance.ledger.on_postgresql as p; p._setting = lambda *_: 'on'; {SMALL_BATCHES}"
    acknowledged = killed_after_recording(hasty, home, tmp_path, mutant)
    assert len(acknowledged) == EVENTS
    assert len(contents(home)) < EVENTS


def test_a_full_disk_under_the_tables(server, home, tmp_path):
    """A table that cannot grow: exit 4, the disk is named, the batch left nothing; with room again the day is completed."""
    with disk(server, "/base/", errno.ENOSPC):
        status, acknowledged, said = Watched(home.url, tmp_path).ended()
    assert status == 4, said
    assert "the disk that holds" in said
    assert "Make room" in said
    assert len(acknowledged) < EVENTS
    recorded_again(home, acknowledged, tmp_path)


def test_a_full_disk_under_the_write_ahead_log(server, home, tmp_path):
    """PostgreSQL stops itself rather than lose a commit; with room again it recovers, and holds what it acknowledged."""
    watched = Watched(home.url, tmp_path)
    watched.after(2)
    with disk(server, "/pg_wal/", errno.ENOSPC):
        status, acknowledged, said = watched.ended()
    assert status == 4, said
    assert "Traceback" not in said
    try:
        server.connect().close()
    except psycopg.OperationalError:  # it gave up while there was no room
        server.stop(signal.SIGQUIT)
        server.start(server.environment)
    recorded_again(home, acknowledged, tmp_path)


def test_the_log_is_whole_before_anything_happens(home):
    """What the other tests find afterwards is not found in any case."""
    assert contents(home) == {}
