"""The folder of a binder and its zip: whole or not there, for their owner alone, the same bytes from the same files."""

from __future__ import annotations

import io
import os
import shutil
import signal
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from compliance.errors import InputError
from compliance.reports.binder.folder import Folder, making, write_zip

ROOT = Path(__file__).resolve().parents[2]


def permissions(path):
    return stat.S_IMODE(path.stat().st_mode)


def everything(folder):
    return sorted(one.relative_to(folder).as_posix() for one in folder.rglob("*"))


def test_only_the_owner_can_read_it(binders):
    """Folders 0700, files 0600, in the zip as well, whatever the umask is."""
    folder, zipped = binders["LAKE"].folder, binders["LAKE"].zipped
    assert {permissions(one) for one in [folder, *folder.rglob("*")] if one.is_dir()} == {0o700}
    assert {permissions(one) for one in [zipped, *folder.rglob("*")] if one.is_file()} == {0o600}
    with zipfile.ZipFile(zipped) as held:
        assert {one.external_attr >> 16 for one in held.infolist()} == {0o100600}


def test_the_zip_is_the_folder(binders):
    """Every file, byte for byte, in order, below the folder's name, and of no time."""
    folder = binders["LAKE"].folder
    with zipfile.ZipFile(binders["LAKE"].zipped) as held:
        names = [one.filename for one in held.infolist()]
        assert (
            names
            == sorted(names)
            == [f"LAKE/{name}" for name in everything(folder) if (folder / name).is_file()]
        )
        assert {one.date_time for one in held.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        for name in names:
            assert held.read(name) == (folder.parent / name).read_bytes()


def test_the_same_files_make_the_same_zip(binders, tmp_path):
    """Whenever, and from wherever they lie."""
    copy = tmp_path / "copy"
    shutil.copytree(binders["LAKE"].folder, copy, copy_function=shutil.copyfile)
    for one in copy.rglob("*"):
        os.utime(one, (1, 1))
    made = io.BytesIO()
    write_zip(copy, made, "LAKE")
    assert made.getvalue() == binders["LAKE"].zipped.read_bytes()


def test_nothing_is_under_the_name_before_all_is_there(tmp_path):
    """While it is made, there is one folder beside, that nobody else can enter."""
    with making(tmp_path / "b") as folder:
        folder.bytes("deep/er/file", b"1")
        assert everything(tmp_path)[0] == ".b.making"
        assert not (tmp_path / "b").exists()
        assert permissions(tmp_path / ".b.making") == 0o700
    assert everything(tmp_path) == ["b", "b.zip", "b/deep", "b/deep/er", "b/deep/er/file"]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, ValueError, OSError(28, "No space left on device")])
def test_a_run_that_is_broken_off_leaves_nothing(tmp_path, fault):
    """Ctrl-C, a fault, a full disk; the disk in words."""
    with pytest.raises(InputError if isinstance(fault, OSError) else fault), making(tmp_path / "b") as folder:
        folder.bytes("file", b"1")
        raise fault
    assert everything(tmp_path) == []


KILLED = """
import sys, time
from pathlib import Path
from compliance.reports.binder.folder import making
with making(Path(sys.argv[1])) as folder:
    folder.bytes("names.csv", b"Jane")
    print("there", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path):
    """And while it lives, nobody else makes the same binder."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, tmp_path / "b"], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )  # fmt: skip
    try:
        assert process.stdout.readline() == b"there\n"
        with pytest.raises(InputError, match="another process is making it"), making(tmp_path / "b"):
            pass
        assert (tmp_path / ".b.making/folder/names.csv").exists()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert everything(tmp_path)[0] == ".b.making"
    with making(tmp_path / "b"):
        assert everything(tmp_path) == [".b.making", ".b.making/folder"]
    assert everything(tmp_path) == ["b", "b.zip"]


@pytest.mark.parametrize("there", ["b", "b.zip"])
def test_nothing_is_ever_overwritten(tmp_path, there):
    """Neither folder nor zip, nor where one comes in between."""
    (tmp_path / there).mkdir()
    with pytest.raises(InputError, match=f"{there} exists already"), making(tmp_path / "b"):
        pass
    (tmp_path / there).rmdir()
    with pytest.raises(InputError, match="exists already"), making(tmp_path / "b") as folder:
        folder.bytes("file", b"1")
        (tmp_path / there).write_text("mine")
    assert (tmp_path / there).read_text() == "mine"
    assert everything(tmp_path) == [there]


def test_a_folder_that_is_not_there_is_told(tmp_path):
    """Before anything is made."""
    with pytest.raises(InputError, match="cannot be written to"), making(tmp_path / "no" / "b"):
        pass


def test_a_file_is_made_once(tmp_path):
    """Two parts of a binder cannot write the same file."""
    folder = Folder(tmp_path)
    folder.bytes("a", b"1")
    with pytest.raises(FileExistsError):
        folder.text("a")
