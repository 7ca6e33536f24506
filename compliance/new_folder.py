"""A folder that is made under another name until it is whole, for its owner's eyes only: what an inspector is handed, what goes out as data.

A run that is broken off leaves nothing under the wanted name. What it leaves beside it (only where it was killed) is removed by the next run.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, TextIO

from compliance.errors import InputError
from compliance.ledger.keys import sync_folder


class Folder:
    """The files of a folder that is being made."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def text(self, name: str, *, bom: bool = False) -> TextIO:
        """A new text file; with `bom` one that spreadsheets know for UTF-8."""
        return os.fdopen(self._new(name), "w", encoding="utf-8-sig" if bom else "utf-8", newline="")

    def binary(self, name: str) -> BinaryIO:
        """A new file of bytes, to be written bit by bit."""
        return os.fdopen(self._new(name), "wb")

    def bytes(self, name: str, content: bytes) -> None:
        """A new file."""
        with self.binary(name) as file:
            file.write(content)

    def _new(self, name: str) -> int:
        path = self.path / name
        for folder in reversed(path.relative_to(self.path).parents[:-1]):
            (self.path / folder).mkdir(mode=0o700, exist_ok=True)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def files(self) -> list[str]:
        """Every file, in order."""
        return sorted(one.relative_to(self.path).as_posix() for one in self.path.rglob("*") if one.is_file())

    def digest(self, name: str) -> str:
        """The SHA-256 of a file, in hexadecimal."""
        found = sha256()
        with (self.path / name).open("rb") as file:
            for part in iter(lambda: file.read(1 << 20), b""):
                found.update(part)
        return found.hexdigest()


@contextmanager
def waiting_beside(wanted: Path, *others: Path) -> Iterator[Path]:
    """An empty folder beside what is to be made, which only this process uses and which is gone afterwards.

    Raises InputError where `wanted` or one of the others is there already, another process makes it just now, or it cannot be written.
    """
    require_free(wanted, *others)
    waiting = wanted.with_name(f".{wanted.name}.making")
    lock = _locked(waiting)
    try:
        yield waiting
        sync_folder(wanted)
    except OSError as problem:
        raise InputError(
            f"{wanted} cannot be written: {problem.strerror}",
            "Check the folder, its permissions and the free space.",
        ) from problem
    finally:
        shutil.rmtree(waiting, ignore_errors=True)
        os.close(lock)


@contextmanager
def making(wanted: Path) -> Iterator[Folder]:
    """A new folder that becomes `wanted` where all goes well; otherwise nothing is left. Raises as `waiting_beside` does."""
    with waiting_beside(wanted) as waiting:
        content = waiting / "folder"
        content.mkdir(mode=0o700)
        yield Folder(content)
        sync(content)
        require_free(wanted)
        content.rename(wanted)


def require_free(*paths: Path) -> None:
    """Raise InputError where there is something under one of the names."""
    for path in paths:
        if path.exists() or path.is_symlink():
            raise InputError(
                f"{path} exists already", "Name another one, or move that one away: it is never overwritten."
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
            f"{waiting} is in use: another process is making it",
            "Wait until it is done, or name another one.",
        ) from problem
    return lock


def sync(folder: Path) -> None:
    """Everything in a folder is on disk when this returns: its new name must not be there before its content."""
    for one in folder.rglob("*"):
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
