"""How far a long input is read, or a long log verified or judged again, on a terminal only."""

from __future__ import annotations

import os
import stat
import sys
import time
from typing import BinaryIO, Final, cast

import click

_EVERY_SECONDS: Final = 0.2
_PATIENCE_SECONDS: Final = 1.0
"""A call that is done sooner shows no bar."""


class Progress:
    """One line on standard error that says how much of the input was read; it is taken away before anything else is printed."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._total = 0
        self._read = 0
        self._visible = False
        self._next = time.monotonic() + _PATIENCE_SECONDS

    def watched(self, stream: BinaryIO) -> BinaryIO:
        """The stream; on a terminal, one that counts what is read from it."""
        if not self._shown:
            return stream
        try:
            status = os.fstat(stream.fileno())
        except OSError:
            return stream
        self._total += status.st_size if stat.S_ISREG(status.st_mode) else 0
        return cast(BinaryIO, _Counting(stream, self))

    def took(self, length: int) -> None:
        """So many more bytes were read."""
        self._read += length
        if not self._due():
            return
        if self._total:
            self._show(f"{_bar(self._read / self._total)} read")
        else:
            self._show(f"{self._read / 1_000_000:.1f} MB read")

    def walked(self, done: int, total: int, what: str = "verified") -> None:
        """So many entries of so many were verified, or so many of something else done."""
        if self._shown and self._due():
            self._show(f"{_bar(done / total)} {what}")

    def _due(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + _EVERY_SECONDS
        return True

    def _show(self, text: str) -> None:
        click.echo(f"\r{text}", err=True, nl=False)
        self._visible = True

    def clear(self) -> None:
        """Take the line away."""
        if self._visible:
            click.echo("\r" + " " * 50 + "\r", err=True, nl=False)
            self._visible = False


def _bar(part: float) -> str:
    return f"[{'#' * int(min(1.0, part) * 30):30}] {min(1.0, part):4.0%}"


class _Counting:
    """A stream whose lines are counted."""

    def __init__(self, stream: BinaryIO, progress: Progress) -> None:
        self._stream = stream
        self._progress = progress

    def readline(self, limit: int = -1) -> bytes:
        """See `io.IOBase.readline`."""
        line = self._stream.readline(limit)
        self._progress.took(len(line))
        return line
