"""The log as static tiles: what any client of tiled logs reads, and what the export refuses."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from compliance.errors import InputError, LogError
from compliance.ledger import tile_files
from compliance.ledger.checkpoint import checkpoint
from compliance.ledger.keys import read_key
from compliance.ledger.log import Log
from compliance.ledger.note import Signer
from compliance.ledger.rotation import rotate
from compliance.ledger.tile_files import export_tiles, tile_path
from tests.logs import SIGNER, add, empty_log, url
from tests.tile_reader import Client, from_folder

TESSERA = Path(__file__).parents[2] / "vectors" / "tessera-log" / "testdata" / "log"
TESSERA_VKEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"


def grow(log: Log, size: int) -> None:
    add(log, *range(log.size, size))


def read(folder: Path) -> Client:
    return Client(from_folder(folder), str(SIGNER.verifier))


@pytest.fixture
def log(tmp_path):
    with empty_log(tmp_path / "log.db") as made:
        yield made


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_reader_reads_a_log_that_other_software_wrote():
    """The test's own client verifies a real tiled log, so that what it says about ours means something."""
    client = Client(from_folder(TESSERA), TESSERA_VKEY)
    entries = client.entries()
    assert len(entries) == 15
    for index, entry in enumerate(entries):
        client.check_inclusion(index, entry)
    client.check_continues(15, client.root)
    with pytest.raises(AssertionError):
        client.check_inclusion(3, entries[4])


@pytest.mark.parametrize(
    "n, path",
    [
        (0, "000"), (67, "067"), (999, "999"), (1000, "x001/000"), (1234067, "x001/x234/067"), (10**9, "x001/x000/x000/000"),
    ],
)  # fmt: skip
def test_the_number_of_a_tile_in_its_path(n, path):
    """Three digits to a folder, an x before all but the last (tlog-tiles, "Merkle Tree")."""
    assert tile_path(0, n) == f"tile/0/{path}"
    assert tile_path("entries", n, 7) == f"tile/entries/{path}.p/7"


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 512, 700])
def test_every_entry_is_found_and_proved_from_the_files_alone(log, tmp_path, size):
    """A client that knows nothing but the verifier key reads every entry, and proves each of them."""
    grow(log, size)
    done = export_tiles(log, tmp_path / "tiles", SIGNER)
    client = read(tmp_path / "tiles")
    assert (client.origin, client.size, client.root) == (done.origin, size, log.root)
    entries = client.entries()
    assert entries == [entry.body for entry in log.entries()]
    for index in {0, size // 2, size - 1}:
        client.check_inclusion(index, entries[index])


def test_seventy_thousand_entries_have_the_tiles_of_the_specifications_example(log, tmp_path):
    """273 full tiles, one of 112 at level 0; one full, one of 17 at level 1; one of width 1 at level 2 (tlog-tiles, "Partial Tiles")."""
    grow(log, 70_000)
    folder = tmp_path / "tiles"
    export_tiles(log, folder, SIGNER)
    found = {name for name in files(folder) if name.startswith("tile/") and "entries" not in name}
    assert found == {
        *(f"tile/0/{n:03d}" for n in range(273)), "tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1",
    }  # fmt: skip
    client = read(folder)
    for index in (0, 65_535, 65_536, 69_999):
        client.check_inclusion(index, log.body(index))


def test_a_directory_is_brought_up_to_date(log, tmp_path):
    """Full tiles stay untouched, partial ones make way for full ones, and the later state continues the earlier one."""
    folder = tmp_path / "tiles"
    grow(log, 300)
    first = export_tiles(log, folder, SIGNER)
    kept = folder / "tile/0/000"
    inode = kept.stat().st_ino
    grow(log, 600)
    second = export_tiles(log, folder, SIGNER)
    assert (second.before, second.size) == (300, 600)
    assert kept.stat().st_ino == inode
    assert not (folder / "tile/0/001.p").exists()
    assert not (folder / "tile/entries/001.p").exists()
    assert (folder / "tile/1/000.p/2").exists()
    client = read(folder)
    client.check_continues(300, first.root)
    client.entries()
    before = files(folder)
    export_tiles(log, folder, SIGNER)
    assert files(folder) == before, "a second run changes nothing"


def test_a_directory_goes_on_after_a_change_of_key(log, tmp_path):
    """The checkpoint there is by the old key, the new one by the new; the directory is the same log's."""
    key = tmp_path / "log.db.key"
    key.write_text(SIGNER.private_text() + "\n")
    key.chmod(0o600)
    folder = tmp_path / "tiles"
    first = export_tiles(log, folder, SIGNER)
    done = rotate(log, key)
    export_tiles(log, folder, read_key(key))
    client = Client(from_folder(folder), str(done.new))
    assert len(client.entries()) == 2
    client.check_continues(1, first.root)
    (folder / "checkpoint").write_text(checkpoint(log, SIGNER))
    with pytest.raises(LogError, match="retired key"):
        export_tiles(log, folder, read_key(key))


def test_a_tile_that_was_taken_away_is_written_again(log, tmp_path):
    """Bringing a directory up to date also mends what is missing in it."""
    folder = tmp_path / "tiles"
    grow(log, 600)
    export_tiles(log, folder, SIGNER)
    (folder / "tile/0/001").unlink()
    (folder / "tile/entries/000").unlink()
    done = export_tiles(log, folder, SIGNER)
    assert (done.tiles, done.bundles) == (1 + 2, 1 + 1)
    read(folder).entries()


@pytest.mark.parametrize("calls", range(8))
def test_whatever_interrupts_it_the_checkpoint_there_is_good(log, tmp_path, monkeypatch, calls):
    """An export that breaks off anywhere leaves the earlier state readable, and the next run completes it."""
    folder = tmp_path / "tiles"
    grow(log, 300)
    export_tiles(log, folder, SIGNER)
    grow(log, 800)
    replace, left = tile_files._replace, [calls]

    def breaking(path, content):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        replace(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(tile_files, "_replace", breaking)
        with pytest.raises(InputError, match="No space left"):
            export_tiles(log, folder, SIGNER)
    assert read(folder).size == 300
    read(folder).entries()
    export_tiles(log, folder, SIGNER)
    assert read(folder).size == 800
    read(folder).entries()


def test_an_interrupted_first_export_goes_on(log, tmp_path, monkeypatch):
    """Before its first checkpoint a directory is known by the log that it was begun for."""
    folder = tmp_path / "tiles"
    with monkeypatch.context() as patched:
        patched.setattr(os, "sync", lambda: (_ for _ in ()).throw(OSError(5, "Input/output error")))
        with pytest.raises(InputError, match="Input/output error"):
            export_tiles(log, folder, SIGNER)
    assert not (folder / "checkpoint").exists()
    export_tiles(log, folder, SIGNER)
    read(folder).entries()
    (folder / "checkpoint").unlink()
    (folder / ".log").write_text("other.example/log\n")
    with pytest.raises(InputError, match=r"other\.example/log"):
        export_tiles(log, folder, SIGNER)


def test_the_checkpoint_is_there_only_after_its_tiles(log, tmp_path, monkeypatch):
    """The checkpoint is the last file that is put in place, and the disk was waited for before."""
    seen = []
    replace = tile_files._replace
    monkeypatch.setattr(
        tile_files, "_replace", lambda path, content: (seen.append(path.name), replace(path, content))
    )
    monkeypatch.setattr(os, "sync", lambda: seen.append("sync"))
    grow(log, 300)
    export_tiles(log, tmp_path / "tiles", SIGNER)
    assert seen[-2:] == ["sync", "checkpoint"]
    assert seen.count("checkpoint") == 1


def test_it_writes_into_nobody_elses_directory(log, tmp_path):
    """A directory with other files, another log's tiles, a damaged checkpoint or a file of that name is left as it is."""
    filled = tmp_path / "filled"
    filled.mkdir()
    (filled / "letter.txt").write_text("Dear")
    theirs = tmp_path / "theirs"
    shutil.copytree(TESSERA, theirs)
    damaged = tmp_path / "damaged"
    export_tiles(log, damaged, SIGNER)
    note = (damaged / "checkpoint").read_text()
    (damaged / "checkpoint").write_text(note.replace("\n1\n", "\n2\n"))
    file = tmp_path / "file"
    file.write_text("x")
    for folder in (filled, theirs, damaged):
        before = files(folder)
        with pytest.raises(InputError):
            export_tiles(log, folder, SIGNER)
        assert files(folder) == before
    with pytest.raises(InputError, match="cannot be written"):
        export_tiles(log, file, SIGNER)


def test_a_longer_or_forked_history_is_not_overwritten(log, tmp_path):
    """An older copy of the log, one that went on differently, and one with another key exit 3 and write nothing."""
    backup = tmp_path / "backup.db"
    grow(log, 300)
    log.driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(tmp_path / "log.db", backup)
    grow(log, 310)
    folder = tmp_path / "tiles"
    export_tiles(log, folder, SIGNER)
    before = files(folder)
    with Log.open(url(backup), write=True) as older:
        with pytest.raises(LogError, match="entries at its end are missing"):
            export_tiles(older, folder, SIGNER)
        add(older, *range(5000, 5020))
        with pytest.raises(LogError, match="forked"):
            export_tiles(older, folder, SIGNER)
    (folder / "checkpoint").write_text(checkpoint(log, Signer(SIGNER.name, bytes(32))))
    with pytest.raises(LogError, match="another key"):
        export_tiles(log, folder, SIGNER)
    (folder / "checkpoint").write_bytes(before["checkpoint"])
    assert files(folder) == before


def test_without_the_comparison_a_fork_would_be_published(log, tmp_path, monkeypatch):
    """The mutant: where the checkpoint that is there is not compared, the directory ends up with tiles of two histories."""
    grow(log, 300)
    log.driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(tmp_path / "log.db", tmp_path / "backup.db")
    grow(log, 600)
    folder = tmp_path / "tiles"
    export_tiles(log, folder, SIGNER)
    monkeypatch.setattr(tile_files, "require_beginning", lambda *_: None)
    with Log.open(url(tmp_path / "backup.db"), write=True) as older:
        add(older, *range(5000, 5400))
        export_tiles(older, folder, SIGNER)
    with pytest.raises(AssertionError):
        read(folder).entries()


def test_one_tile_is_in_memory_at_a_time(log, tmp_path):
    """Ten times the log does not need ten times the memory."""
    import tracemalloc

    peaks = []
    for size in (2_000, 20_000):
        grow(log, size)
        tracemalloc.start()
        export_tiles(log, tmp_path / str(size), SIGNER)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 1_000_000
