"""Reading and writing whole files that a call names, with errors in words."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from compliance.errors import InputError

MOST_BYTES = 64_000_000
"""No checkpoint, key, proof or list of cases comes near; a device never ends."""


def read(name: str) -> bytes:
    """The bytes of a file, or of standard input for ``-``; raises InputError."""
    try:
        if name == "-":
            content = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "that is no file name"
        raise InputError(f"{name} cannot be read: {reason}", "Check the name and its permissions.") from error
    if len(content) > MOST_BYTES:
        raise InputError(
            f"{name} is longer than {MOST_BYTES:,} bytes", "Check that it is the file that you meant."
        )
    return content


def text(name: str) -> str:
    """The text of a file, or of standard input for ``-``; raises InputError where it is not UTF-8."""
    try:
        return read(name).decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 text", "Check that it is the file that you meant.") from error


def write(name: str, parts: Iterable[bytes]) -> None:
    """Write a file whole or not at all, with the permissions that it had; ``-`` is standard output.

    Raises InputError where it cannot be written.
    """
    if name == "-":
        for part in parts:
            click.echo(part, nl=False)
        return
    path = Path(name)
    try:
        if path.exists() and not path.is_file():  # a device or a pipe takes bytes; it is not replaced
            with path.open("wb") as file:
                file.writelines(parts)
            return
        path = path.resolve()  # a link stays, and what it points to is written
        making = path.with_name(f".{path.name}.{os.getpid()}.new")
        try:
            with making.open("xb") as file:
                file.writelines(parts)
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                making.chmod(stat.S_IMODE(path.stat().st_mode))
            making.replace(path)
        finally:
            making.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "that is no file name"
        raise InputError(
            f"{name} cannot be written: {reason}", "Check the folder, its permissions and the free space."
        ) from error
