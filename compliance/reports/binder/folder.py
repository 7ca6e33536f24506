"""The folder of a binder while it is made, and its zip: for the owner's eyes only, under another name until it is whole.

A run that is broken off leaves nothing under the wanted names. What it leaves beside them (only where it was killed) is removed by the next run.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Final, TextIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from compliance.errors import InputError
from compliance.ledger.keys import sync_folder
from compliance.reports.binder.verify_cells import CONTINUES, MANIFEST, RELEASE

_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can say: when its files were made is in the log."""
_ZIP64: Final = 2**31 - 1


class Folder:
    """The files of a binder that is being made."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def text(self, name: str, *, bom: bool = False) -> TextIO:
        """A new text file; with `bom` one that spreadsheets know for UTF-8."""
        return os.fdopen(self._new(name), "w", encoding="utf-8-sig" if bom else "utf-8", newline="")

    def bytes(self, name: str, content: bytes) -> None:
        """A new file."""
        with os.fdopen(self._new(name), "wb") as file:
            file.write(content)

    def _new(self, name: str) -> int:
        path = self.path / name
        for folder in reversed(path.relative_to(self.path).parents[:-1]):
            (self.path / folder).mkdir(mode=0o700, exist_ok=True)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def files(self) -> list[str]:
        """Every file, in order."""
        return sorted(one.relative_to(self.path).as_posix() for one in self.path.rglob("*") if one.is_file())

    def write_manifest(self) -> str:
        """List every file with its digest, as ``sha256sum -c`` reads it, but for the seal that is to come; gives the manifest's own digest."""
        lines = [
            f"{_digest(self.path / name)}  {name}\n"
            for name in self.files()
            if name not in (MANIFEST, RELEASE, CONTINUES)
        ]
        content = "".join(lines).encode()
        self.bytes(MANIFEST, content)
        return sha256(content).hexdigest()


def write_zip(folder: Path, zipped: IO[bytes], name: str) -> None:
    """Everything in a folder as a zip, below `name`; the same files give the same bytes."""
    with ZipFile(zipped, "w", ZIP_DEFLATED) as made:
        for one in sorted(path for path in folder.rglob("*") if path.is_file()):
            info = ZipInfo(f"{name}/{one.relative_to(folder).as_posix()}", _NO_TIME)
            info.compress_type, info.create_system, info.external_attr = ZIP_DEFLATED, 3, 0o100600 << 16
            with (
                one.open("rb") as source,
                made.open(info, "w", force_zip64=one.stat().st_size > _ZIP64) as target,
            ):
                shutil.copyfileobj(source, target, 1 << 20)


@contextmanager
def making(wanted: Path) -> Iterator[Folder]:
    """A new folder that becomes `wanted`, with ``wanted.zip`` beside it, where all goes well; otherwise nothing is left.

    Raises InputError where either is there already, another process makes it just now, or it cannot be written.
    """
    zipped = wanted.with_name(f"{wanted.name}.zip")
    _require_free(wanted, zipped)
    waiting = wanted.with_name(f".{wanted.name}.making")
    lock = _locked(waiting)
    try:
        content = waiting / "folder"
        content.mkdir(mode=0o700)
        yield Folder(content)
        _sync(content)
        with os.fdopen(os.open(waiting / "zip", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            write_zip(content, file, wanted.name)
            file.flush()
            os.fsync(file.fileno())
        _require_free(wanted, zipped)
        os.link(waiting / "zip", zipped)  # unlike a renaming, this never replaces anything
        try:
            content.rename(wanted)
        except BaseException:
            zipped.unlink()
            raise
        sync_folder(wanted)
    except OSError as problem:
        raise InputError(
            f"{wanted} cannot be written: {problem.strerror}",
            "Check the folder, its permissions and the free space.",
        ) from problem
    finally:
        shutil.rmtree(waiting, ignore_errors=True)
        os.close(lock)


def _require_free(*paths: Path) -> None:
    for path in paths:
        if path.exists() or path.is_symlink():
            raise InputError(
                f"{path} exists already",
                "Name another folder, or move that one away: a binder is never overwritten.",
            )


def _locked(waiting: Path) -> int:
    """A new folder that only this process uses; what a killed process left there is removed."""
    try:
        waiting.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(waiting, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as problem:
        raise InputError(
            f"{waiting.parent} cannot be written to: {problem.strerror}",
            "Make the folder first, or name another one.",
        ) from problem
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        waiting.chmod(0o700)
        for one in waiting.iterdir():
            shutil.rmtree(one) if one.is_dir() and not one.is_symlink() else one.unlink()
    except OSError as problem:
        os.close(lock)
        raise InputError(
            f"{waiting} is in use: another process is making this binder",
            "Wait until it is done, or name another folder.",
        ) from problem
    return lock


def _sync(folder: Path) -> None:
    """Everything in a folder is on disk when this returns: its new name must not be there before its content."""
    for one in folder.rglob("*"):
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _digest(path: Path) -> str:
    found = sha256()
    with path.open("rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            found.update(part)
    return found.hexdigest()
