"""The key that signs a log's checkpoints: one line in a file beside the database, for its owner's eyes only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from compliance.errors import InputError
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


def create_key(path: Path, origin: str) -> Signer:
    """A new signing key under the log's origin, written to a file that only its owner can read.

    Raises InputError where the file exists or cannot be made: a key is never overwritten.
    """
    signer = Signer.generate(origin)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError(
            f"the key file {path} exists already",
            "Move it away if it belongs to no log; a key is never overwritten.",
        ) from None
    except OSError as problem:
        raise InputError(
            f"the key file {path} cannot be made: {problem.strerror}", "Check the folder and its permissions."
        ) from problem
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(signer.private_text() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return signer


def read_key(path: Path) -> Signer:
    """The signing key in a file; raises InputError where it is missing or damaged, or where everybody may read it."""
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
            f"Run `chmod 600 {path}`; if strangers use this machine, begin a new log with a new key.",
        )
    try:
        return Signer.parse(text.removesuffix("\n"))
    except NoteError as problem:
        raise InputError(f"{path}: {problem.message}", problem.remedy) from problem


def exposed(path: Path) -> bool:
    """Whether the file's group may read the key: worth a warning, not a refusal."""
    return bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IWGRP))
