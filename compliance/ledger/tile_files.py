"""The log as a directory that any reader of tiled logs can use over a plain web server (C2SP tlog-tiles, tlog-checkpoint).

::

    checkpoint                    the signed state
    tile/<L>/<N>[.p/<W>]          hashes: 256 to a full tile of level L, W to a partial one
    tile/entries/<N>[.p/<W>]      entries, each after its length in two bytes, big-endian

Full tiles never change. The checkpoint is replaced last, in one step, after everything it covers is on disk, so a reader never meets one
whose tiles are missing. Who holds the checkpoint that is there from before can follow the log: the directory is brought up to date only
where that checkpoint is a beginning of this log.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compliance.errors import InputError, LogError
from compliance.ledger.batch import TILE_WIDTH
from compliance.ledger.checkpoint import Checkpoint, unverified_checkpoint
from compliance.ledger.export import entry_bundle
from compliance.ledger.log import Log
from compliance.ledger.note import NoteError, Signer
from compliance.ledger.rotation import WrongKeyError, key_history, require_beginning

CHECKPOINT: Final = "checkpoint"
OWNER: Final = ".log"
"""A file that says whose tiles a directory holds, from before its first checkpoint on; it is also the lock of whoever writes there."""

ENTRIES: Final = "entries"


@dataclass(frozen=True, slots=True)
class Exported:
    """What the directory now holds, and what this call wrote: full and partial hash tiles, full and partial entry bundles."""

    origin: str
    size: int
    root: bytes
    before: int
    tiles: int
    bundles: int


def tile_path(level: int | str, n: int, width: int = TILE_WIDTH) -> str:
    """The path of a tile of a level, or of ``entries``: 1234067 is ``x001/x234/067`` (tlog-tiles, "Merkle Tree")."""
    groups = [f"{n % 1000:03d}"]
    while n := n // 1000:
        groups.insert(0, f"x{n % 1000:03d}")
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def export_tiles(log: Log, folder: Path, signer: Signer) -> Exported:
    """Write the log as it is at one moment, or bring a directory of its tiles up to date; holds one tile in memory at a time.

    Raises InputError for a directory that holds anything else, LogError where it holds a longer or another history of this log.
    """
    with log.reading():
        head, origin = log.head, log.identity.origin
        with _held(folder, origin):
            before = _size_there(log, folder)
            tiles = sum(1 for _ in _write_tiles(log, folder, before, head.size))
            bundles = sum(1 for _ in _write_bundles(log, folder, before, head.size))
            # One call for all files: a checkpoint must never be on disk before the tiles that it covers.
            os.sync()
            _replace(folder / CHECKPOINT, signer.sign(Checkpoint(origin, head.size, head.root).text).encode())
            _remove_obsolete(folder, before, head.size)
    return Exported(origin, head.size, head.root, before, tiles, bundles)


@contextmanager
def _held(folder: Path, origin: str) -> Iterator[None]:
    """The directory, for this log and this process alone."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        owner = folder / OWNER
        if not owner.exists():
            _require_ours(folder, origin)
        with owner.open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            said = file.read()
            if not said:
                file.write(origin + "\n")
                file.flush()
            elif said != origin + "\n":
                raise _of_another(folder, said.strip(), origin)
            yield
    except OSError as problem:
        raise InputError(
            f"{folder} cannot be written to: {problem.strerror}",
            "Check the folder, its permissions and the free space; what is there already stays good.",
        ) from problem


def _require_ours(folder: Path, origin: str) -> None:
    """A directory that says nothing of whose it is: an empty one, or one with a checkpoint of this log."""
    note = _note_there(folder)
    if note is not None:
        said = _said_there(folder, note)
        if said.origin != origin:
            raise _of_another(folder, said.origin, origin)
    elif any(folder.iterdir()):
        raise InputError(
            f"{folder} is not empty, and holds no checkpoint of a log",
            "Name a new folder, or one that an earlier export made.",
        )


def _note_there(folder: Path) -> bytes | None:
    try:
        return (folder / CHECKPOINT).read_bytes()
    except FileNotFoundError:
        return None


def _said_there(folder: Path, note: bytes) -> Checkpoint:
    try:
        return unverified_checkpoint(note)
    except NoteError as problem:
        raise _no_checkpoint(folder, problem) from problem


def _no_checkpoint(folder: Path, problem: NoteError) -> InputError:
    return InputError(
        f"{folder / CHECKPOINT} is no checkpoint of this log: {problem.message}",
        "Name another folder; this one was changed by something else.",
    )


def _of_another(folder: Path, theirs: str, ours: str) -> InputError:
    return InputError(
        f"{folder} holds tiles of the log {theirs[:200]!r}, and this is the log {ours!r}",
        "Name another folder, or the other database.",
    )


def _size_there(log: Log, folder: Path) -> int:
    """How much of this log the directory holds for certain: the size of its checkpoint, 0 where there is none yet."""
    note = _note_there(folder)
    if note is None:
        return 0
    history = key_history(log)
    said = _said_there(folder, note)
    if said.origin != history.origin:
        raise _of_another(folder, said.origin, history.origin)
    try:
        there = history.open(note)
    except NoteError as problem:
        raise _no_checkpoint(folder, problem) from problem
    except WrongKeyError as problem:
        raise LogError(f"{folder}: {problem.message}", problem.remedy) from problem
    try:
        require_beginning(log, there)
    except LogError as problem:
        raise LogError(
            f"{folder} holds another state of this log: {problem.message}",
            "Nothing was written; keep both. Run `compliance log verify --checkpoint` with the checkpoint in that folder.",
        ) from problem
    return there.size


def _write_tiles(log: Log, folder: Path, before: int, size: int) -> Iterator[None]:
    """The tiles of all levels that `before` entries did not fill, and full ones that somebody took away."""
    level, count, filled = 0, size, before
    while count:
        full, width = divmod(count, TILE_WIDTH)
        for n in range(full):
            path = folder / tile_path(level, n)
            if n >= filled // TILE_WIDTH or not path.exists():
                _replace(path, log.subtrees.tile(level, n, TILE_WIDTH))
                yield
        if width:
            _replace(folder / tile_path(level, full, width), log.subtrees.tile(level, full, width))
            yield
        level, count, filled = level + 1, full, filled // TILE_WIDTH


def _write_bundles(log: Log, folder: Path, before: int, size: int) -> Iterator[None]:
    full, width = divmod(size, TILE_WIDTH)
    for n in range(full):
        path = folder / tile_path(ENTRIES, n)
        if n >= before // TILE_WIDTH or not path.exists():
            _replace(path, entry_bundle(log, n))
            yield
    if width:
        _replace(folder / tile_path(ENTRIES, full, width), entry_bundle(log, full))
        yield


def _remove_obsolete(folder: Path, before: int, size: int) -> None:
    """Partial tiles go once the full one is there (tlog-tiles, "Partial Tiles")."""
    level, count, filled = 0, size, before
    while filled:
        n = filled // TILE_WIDTH
        if count // TILE_WIDTH > n:
            for name in (level, ENTRIES) if level == 0 else (level,):
                shutil.rmtree((folder / tile_path(name, n, 1)).parent, ignore_errors=True)
        level, count, filled = level + 1, count // TILE_WIDTH, filled // TILE_WIDTH


def _replace(path: Path, content: bytes) -> None:
    """Put a file in place in one step."""
    making = path.with_name(f".{path.name}.new")
    path.parent.mkdir(parents=True, exist_ok=True)
    with making.open("wb") as file:
        file.write(content)
        if path.name == CHECKPOINT:
            file.flush()
            os.fsync(file.fileno())
    making.replace(path)
