"""What was found in order is remembered, so that a check of policies looks only at what has changed.

Remembered is never a fault, only that something was in order, under a key that is a digest over all that the answer depends on: the
bytes that were read and every source file of this software with the packages that are installed beside it. Whatever changes
there makes another key, and is looked at again. What concerns several files, or today's date, is decided anew each time.

The memory is one file in the user's cache folder: ``COMPLIANCE_CACHE``, else ``$XDG_CACHE_HOME/compliance-engine``, else
``~/.cache/compliance-engine``. It is only ever a shorter way: damaged, unwritable, another user's, writable by others, or gone, the check
takes the long way and says nothing of it but in the debug log. What puts policies into force never asks it.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import sys
import sysconfig
import tempfile
import time
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from compliance import logs

FILE: Final = "checked-policies"
MOST: Final = 5_000
"""So many answers are kept, those used last; the shipped library is some 360."""
OLDEST: Final = 60
"""Days after which an answer that nobody used is dropped."""
_BYTES: Final = 8 * 1024 * 1024
_DAY: Final = 86_400
_PACKAGE: Final = Path(__file__).resolve().parents[1]
_PATIENCE: Final = 1.0


class Memory:
    """Answers by key. Without a file it remembers nothing beyond the process."""

    def __init__(self, file: Path | None) -> None:
        self._software = software() if file is not None else ""
        self._file = file if self._software else None
        self._today = int(time.time()) // _DAY
        self._known = _read(self._file) if self._file is not None else {}
        self._told: dict[str, tuple[int, Any]] = {}

    def key(self, *parts: str | bytes) -> str:
        """The name of an answer that depends on these, and on this software."""
        return digest(self._software, *parts)

    def recall(self, key: str) -> Any:
        """The answer that was kept under a key, or None."""
        used, answer = self._known.get(key, (0, None))
        if answer is not None and used != self._today:
            self._told[key] = (self._today, answer)
        return answer

    def keep(self, key: str, answer: Any) -> None:
        """Remember an answer: plain JSON, not null, of something that was found in order."""
        self._told[key] = self._known[key] = (self._today, answer)

    def save(self) -> None:
        """Write what was learnt, beside what others have written meanwhile. A memory that cannot be written is none."""
        if self._file is None or not self._told:
            return
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _alone(self._file.parent):
                _write(self._file, {**_read(self._file), **self._told}, self._today)
        except OSError as error:
            logs.debug("nothing was remembered", reason=str(error))


def digest(*parts: str | bytes) -> str:
    """SHA-256 over texts and bytes, each with its length before it, so that no two lists look alike."""
    whole = sha256()
    for part in parts:
        content = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        whole.update(b"%d:" % len(content))
        whole.update(content)
    return whole.hexdigest()


def cache_file() -> Path | None:
    """Where the memory lies; None where a user has no place for it."""
    named = os.environ.get("COMPLIANCE_CACHE")
    if named:
        return Path(named) / FILE
    shared = os.environ.get("XDG_CACHE_HOME", "")
    try:
        folder = Path(shared) if shared.startswith("/") else Path.home() / ".cache"
    except RuntimeError:  # a user without a home
        return None
    return folder / "compliance-engine" / FILE


def software() -> str:
    """A digest over what decides: this package's source, Python, the installed packages by name and version, the time zones.

    Empty where that cannot be told: the source cannot be read, or is not there as files.
    """
    sources: list[str | bytes] = []
    try:
        installed = _installed()
        for folder, below, files in os.walk(_PACKAGE):
            below.sort()
            for name in sorted(files):
                if name.endswith(".py"):
                    path = Path(folder) / name
                    sources += [str(path.relative_to(_PACKAGE)), path.read_bytes()]
    except OSError as error:
        logs.debug("this software cannot read itself", reason=str(error))
        return ""
    return digest(sys.version, *installed, _zones(), *sources) if sources else ""


def _installed() -> list[str]:
    """The packages that are installed; the folder's name says which version."""
    with os.scandir(sysconfig.get_path("purelib")) as found:
        return sorted(one.name for one in found if one.name.endswith(".dist-info"))


def _zones() -> bytes:
    """The version of the system's time zone rules, where it says one."""
    for folder in zoneinfo.TZPATH:
        with suppress(OSError), (Path(folder) / "tzdata.zi").open("rb") as file:
            return file.readline(200)
    return b""


def _read(file: Path) -> dict[str, tuple[int, Any]]:
    """What a file remembers; nothing where it is not wholly as this software wrote it for this user."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as opened:
            status = os.fstat(opened.fileno())
            if not _own(status) or status.st_size > _BYTES:
                logs.debug("the memory of checks is not this user's own", file=str(file))
                return {}
            said, _, content = opened.read(_BYTES).partition(b"\n")
        if said.decode("ascii", "replace") != sha256(content).hexdigest():
            logs.debug("the memory of checks is damaged", file=str(file))
            return {}
        return {key: (used, answer) for key, (used, answer) in json.loads(content).items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        logs.debug("the memory of checks cannot be read", reason=str(error))
        return {}


def _own(status: os.stat_result) -> bool:
    return (
        stat.S_ISREG(status.st_mode)
        and status.st_uid == os.geteuid()
        and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else writes meanwhile; after a second without an answer the one who waits goes without (OSError)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def _write(file: Path, answers: dict[str, tuple[int, Any]], today: int) -> None:
    """Replaces the file in one step, readable by its owner only; never one that is another user's."""
    with suppress(FileNotFoundError):
        if file.lstat().st_uid != os.geteuid():
            raise PermissionError(f"{file} is another user's")
    recent = [(key, one) for key, one in answers.items() if one[0] >= today - OLDEST]
    recent.sort(key=lambda one: -one[1][0])
    content = json.dumps(dict(recent[:MOST]), separators=(",", ":")).encode("ascii")
    descriptor, made = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(sha256(content).hexdigest().encode("ascii") + b"\n" + content)
        Path(made).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(made).unlink()
        raise
