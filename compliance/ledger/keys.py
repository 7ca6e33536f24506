"""The keys of a log: one line in a file beside the database, for its owner's eyes only.

====================================== ====================================================================================
``<database>.key``                     signs the log's checkpoints
``<database>.key.next``                there while the key is being changed (`rotation.rotate`)
``<database>.key.<key ID>.retired``    a key that signed before
``<database>.witness.key``             cosigns the checkpoints of other logs (`cosign`)
====================================== ====================================================================================

Which file signs is decided by the log and not by the name: it is the one whose key the log's newest ``key`` entry names.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from compliance.errors import DatabaseError, InputError
from compliance.ledger.database import place_of
from compliance.ledger.note import NoteError, Signer


def key_path(url: str) -> Path:
    """Where the signing key of a log lies: the path in ``COMPLIANCE_KEY``, else ``<database file>.key``, which for a PostgreSQL
    database is ``<database name>.key`` in the current folder."""
    chosen = os.environ.get("COMPLIANCE_KEY")
    if chosen:
        return Path(chosen)
    beside = place_of(url).beside
    return beside.with_name(beside.name + ".key")


def next_path(path: Path) -> Path:
    """Where a new key waits until the log names it."""
    return path.with_name(path.name + ".next")


def create_key(path: Path, origin: str) -> Signer:
    """A new signing key under the log's origin, written to a file that only its owner can read.

    Raises InputError where the file exists or cannot be made: a key is never overwritten. DatabaseError where the disk fails; nothing is left then.
    """
    signer = Signer.generate(origin)
    write_private(path, signer.private_text())
    return signer


def write_private(path: Path, key: str) -> None:
    """A key in a new file that only its owner can read, on disk when this returns. Raises as `create_key` does."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError(
            f"the key file {path} exists already",
            "Move it away if it belongs to no log and no vault; a key is never overwritten.",
        ) from None
    except OSError as problem:
        raise InputError(
            f"the key file {path} cannot be made: {problem.strerror}", "Check the folder and its permissions."
        ) from problem
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key + "\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path)
    except BaseException as problem:
        path.unlink(missing_ok=True)  # a part of a key is of no use, and would be in the way of the whole one
        if isinstance(problem, OSError):
            raise DatabaseError(
                f"the disk failed while the key file {path} was written: {problem.strerror}",
                "Make room or check the disk, then run the command again; nothing was left behind.",
            ) from problem
        raise


def sync_folder(path: Path) -> None:
    """Make what happened to the names in a file's folder survive a power cut."""
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_key(path: Path) -> Signer:
    """The signing key in a file; raises InputError where it is missing or damaged, or where everybody may read it."""
    try:
        return Signer.parse(read_private(path))
    except NoteError as problem:
        raise InputError(f"{path}: {problem.message}", problem.remedy) from problem


def read_private(path: Path) -> str:
    """The text of a key file; raises InputError where it is missing, cannot be read, or everybody may read it."""
    try:
        text = path.read_text(encoding="ascii")
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise InputError(
            f"the signing key {path} is not there",
            "Restore it from its backup; without it no checkpoint can be signed.",
        ) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(
            f"the signing key {path} cannot be read", "Check the file and its permissions."
        ) from problem
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        raise InputError(
            f"the signing key {path} can be read or changed by everybody on this machine",
            f"Run `chmod 600 {path}`; if strangers use this machine, change the key with `compliance log rotate-key`.",
        )
    return text.removesuffix("\n")


def signer_of(path: Path, vkey: str) -> tuple[Signer, Path]:
    """The key that the log names, and the file it was found in: `path`, or the one that waits to take its place.

    Raises InputError where neither holds it: another key's checkpoints would be taken for a fork.
    """
    waiting = next_path(path)
    for file in (path, waiting):
        if file is waiting and not file.exists():
            break
        if file is path and not file.exists() and waiting.exists():
            continue
        signer = read_key(file)
        if str(signer.verifier) == vkey:
            return signer, file
    raise InputError(
        f"the signing key {path} is not the one that the log names, {vkey}",
        "Restore the key file that belongs to this database; after an old copy of the database was restored, restore the newest one.",
    )


def exposed(path: Path) -> bool:
    """Whether the file's group may read the key: worth a warning, not a refusal."""
    return bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IWGRP))
