"""A folder into which other programs drop files: which of them are finished, whose they are, where they go.

``DIR``
    what is dropped: a file, or a folder whose name ends in ``.ready``, which is one input of all files in it
``DIR/taking/<claim>``
    an input that a watcher has taken, with ``.lock``, which it holds locked (flock), and the reports that it is writing
``DIR/done``, ``DIR/problems``
    inputs that were read, each with its reports beside it

What holds for any interleaving of writers and watchers, on one machine or on a disk that several share:

* An input is moved by renaming alone, and never onto anything: it is in exactly one of the four places.
* One watcher has it. Taking is a rename, of which one succeeds; a claim is its watcher's as long as that lives and holds the lock.
* What a watcher that died had taken is taken up by the next one that looks. Reading it again is harmless: an event is recorded once.

An input is finished when it has not changed for a while, and, where the system can tell (a lease, fcntl(2), "F_SETLEASE"), nobody has it open for
writing. A writer that pauses for longer writes under another name and renames: see `UNFINISHED`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import IO, Any, Final, TypeAlias

from compliance.errors import InputError

TAKING: Final = "taking"
DONE: Final = "done"
PROBLEMS: Final = "problems"
READY: Final = ".ready"
UNFINISHED: Final = (".part", ".partial", ".filepart", ".tmp", ".crdownload")
"""Endings of files that are still being written; neither are names that begin with a dot or ``~$``, or end with ``~``, taken."""
REPORTS: Final = (".report.json", ".report.txt")

_LONGEST: Final = 255
"""Bytes of a file's name (limits.h, NAME_MAX, of all common file systems)."""
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
_Signature: TypeAlias = tuple[Any, ...]


class Watched:
    """A folder that is watched. `settle` is for how long (seconds) an input must not have changed; `clock` is monotonic.

    Raises InputError where the folder is none, cannot be written, or lies on a disk without locks.
    """

    def __init__(self, folder: Path, settle: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder = folder
        self._settle = settle
        self._clock = clock
        self._seen: dict[str, tuple[_Signature, float]] = {}
        if not folder.is_dir():
            raise InputError(f"there is no folder {folder}", "Make it, or name another.")
        try:
            for name in (TAKING, DONE, PROBLEMS):
                (folder / name).mkdir(mode=0o700, exist_ok=True)
                if (folder / name).stat().st_dev != folder.stat().st_dev:
                    raise InputError(
                        f"{folder / name} lies on another disk than {folder}", "Files are moved by renaming."
                    )
            self._locked().dissolve()
        except OSError as error:
            raise InputError(
                f"{folder} cannot be watched: {error.strerror}",
                "The account needs the right to write in it, and its disk must know locks (flock).",
            ) from error

    def finished(self) -> list[str]:
        """The inputs that have not changed since they were seen, `settle` ago or longer, in the order of their names. An empty file is not
        finished: who made it will write it."""
        now = self._clock()
        before, self._seen = self._seen, {}
        with os.scandir(self.folder) as entries:
            for entry in entries:
                signature = _signature(Path(entry.path)) if _is_input(entry) else None
                if signature is not None:
                    known, since = before.get(entry.name, (None, now))
                    self._seen[entry.name] = (signature, since if known == signature else now)
        return sorted(name for name, (_, since) in self._seen.items() if now - since >= self._settle)

    def take(self, name: str) -> Taken | None:
        """A finished input as this watcher's own; None where another has it, or it is being written after all.

        Raises OSError where it cannot be read or moved; then it is where it was.
        """
        path = self.folder / name
        known = self._seen.get(name)
        with suppress(FileNotFoundError):  # another watcher was faster
            if known is None or _signature(path) != known[0] or _is_written(path):
                return None
            claim = self._locked()
            try:
                path.rename(claim.folder / name)
            except OSError:
                claim.dissolve()
                raise
            return Taken(claim, name)
        return None

    def abandoned(self) -> Iterator[Taken]:
        """What watchers had taken that are no more, as this watcher's own."""
        for folder in sorted((self.folder / TAKING).iterdir()):
            claim = _Claim.locked(folder, self.folder) if folder.is_dir() else None
            if claim is None:
                continue
            held = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
            if held:
                yield Taken(claim, held[0])
            else:
                claim.dissolve()

    def _locked(self) -> _Claim:
        while True:
            folder = self.folder / TAKING / token_hex(8)
            folder.mkdir(mode=0o700)
            claim = _Claim.locked(folder, self.folder)
            if claim is not None:  # else another watcher took it for a dead one's, and cleared it away
                return claim


class _Claim:
    """A folder below ``taking`` whose lock this process holds."""

    def __init__(self, folder: Path, watched: Path, lock: int) -> None:
        self.folder = folder
        self.watched = watched
        self._lock = lock

    @classmethod
    def locked(cls, folder: Path, watched: Path) -> _Claim | None:
        """The claim, locked; None where somebody holds it, or it is gone."""
        try:
            lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Locked, but perhaps taken away between opening and locking.
            if os.fstat(lock).st_ino == (folder / ".lock").stat().st_ino:
                return cls(folder, watched, lock)
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError:
            os.close(lock)
            raise
        os.close(lock)
        return None

    def dissolve(self) -> None:
        """Take the folder away, unless it holds an input."""
        for path in self.folder.glob(".*"):
            path.unlink(missing_ok=True)
        self.unlock()  # before the folder goes: NFS keeps an open file in it under another name
        with suppress(OSError):  # another watcher that locked it in this moment clears it away
            self.folder.rmdir()

    def unlock(self) -> None:
        os.close(self._lock)


class Taken:
    """An input that this watcher alone has. `name` is what it was dropped as, `path` where it lies now."""

    def __init__(self, claim: _Claim, name: str) -> None:
        self._claim = claim
        self.name = name
        self.path = claim.folder / name
        self._count = claim.folder / ".deaths"
        self.deaths = int(self._count.read_text() or 0) if self._count.exists() else 0
        """How many watchers ended while they had it, without a word."""

    def begin(self) -> None:
        """Note that reading begins: should this process end in the middle, the next one sees it."""
        self._count.write_text(str(self.deaths + 1))

    def files(self) -> list[tuple[str, Path]]:
        """The files of the input in the order of their names, each with what it is called. Raises InputError where a folder holds anything under
        a hidden or unfinished name, or what is no file: nothing of it would be read. OSError where a folder in it cannot be looked into."""
        if not self.path.is_dir():
            return [(shown(self.name), self.path)]
        found: list[tuple[str, Path]] = []
        for folder, folders, names in os.walk(self.path, onerror=_raised):
            folders.sort()
            for name in sorted((*folders, *names)):
                path = Path(folder) / name
                called, mode = shown(f"{self.name}/{path.relative_to(self.path)}"), path.lstat().st_mode
                if _is_unfinished(name):
                    raise InputError(
                        f"{called} has the name of what is hidden or not finished",
                        "Take it out of the folder, or wait until it has its own name; then drop the folder again.",
                    )
                if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                    raise InputError(f"{called} is no file", "Take it out of the folder.")
                if stat.S_ISREG(mode):
                    found.append((called, path))
        if not found:
            raise InputError(f"there is no file in {self.name}", "Put the files in before it is renamed.")
        return sorted(found)

    def report(self, ending: str) -> IO[bytes]:
        """One of its reports (`REPORTS`), to write it anew; only its owner may read it."""
        path = self._claim.folder / ending
        return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb")  # noqa: PTH123 - of a descriptor

    def state(self) -> object:
        """What changes where somebody goes on writing it."""
        return _signature(self.path)

    def move(self, place: str) -> str:
        """Move it and its reports to ``done`` or ``problems``, under the first name that is free; what it is called there.

        The reports go first: a watcher that is killed in between leaves reports that are true, and an input that is taken again.
        """
        for number in count(1):
            called = _numbered(self.name, number)
            folder = self._claim.watched / place
            targets = [folder / f"{called}{ending}" for ending in (*REPORTS, "")]
            if not any(os.path.lexists(target) for target in targets) and self._moved(targets):
                self._claim.dissolve()
                return called
        raise AssertionError("numbers do not end")

    def _moved(self, targets: list[Path]) -> bool:
        sources = [*(self._claim.folder / ending for ending in REPORTS), self.path]
        for i, (source, target) in enumerate(zip(sources, targets, strict=True)):
            if not _move_onto_nothing(source, target):
                for back, there in zip(sources[:i], targets[:i], strict=True):
                    there.rename(back)
                return False
        return True

    def release(self) -> None:
        """Leave it to the next watcher."""
        self._count.write_text(str(self.deaths))
        self._claim.unlock()


def shown(name: str) -> str:
    """A file's name as it may be shown and kept: one that is no text, or holds what moves a terminal's cursor, with its odd characters
    replaced."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(one if one.isprintable() else "\ufffd" for one in text)


def _is_input(entry: os.DirEntry[str]) -> bool:
    """Whether this is, or will be, an input: a file under a finished name or a folder that is said to be ready, never a link."""
    if entry.is_dir(follow_symlinks=False):
        return entry.name.endswith(READY) and not entry.name.startswith(".")
    is_place = entry.name in (TAKING, DONE, PROBLEMS)  # a file that was put in the way of a folder of ours
    return entry.is_file(follow_symlinks=False) and not is_place and not _is_unfinished(entry.name)


def _raised(error: OSError) -> None:
    raise error


def _is_unfinished(name: str) -> bool:
    return name.startswith((".", "~$")) or name.endswith("~") or name.casefold().endswith(UNFINISHED)


def _signature(path: Path) -> _Signature | None:
    """What changes when an input is written; None where there is none, or nothing in it yet."""
    try:
        found = path.lstat()
        if stat.S_ISREG(found.st_mode):
            return (found.st_ino, found.st_size, found.st_mtime_ns) if found.st_size else None
        below = sorted(path.rglob("*")) if stat.S_ISDIR(found.st_mode) else []
        states = [(str(one), one.lstat()) for one in below]
    except FileNotFoundError:
        return None
    return (found.st_ino, *((name, one.st_ino, one.st_size, one.st_mtime_ns) for name, one in states))


def _is_written(path: Path) -> bool:
    """Whether a file is open for writing, as far as the system can tell. Raises OSError where it cannot be read."""
    if not stat.S_ISREG(path.lstat().st_mode):
        return False
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        # Who opens it while the lease is held is told of by a signal that is ignored unless somebody asks for it.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)  # type: ignore[attr-defined,unused-ignore]
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)  # type: ignore[attr-defined,unused-ignore]
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)  # type: ignore[attr-defined,unused-ignore]
    except (OSError, AttributeError) as error:  # no leases on this disk, for this account, on this system
        return isinstance(error, OSError) and error.errno == errno.EAGAIN
    else:
        return False
    finally:
        os.close(file)


def _numbered(name: str, number: int) -> str:
    """``day.ndjson``, ``day-2.ndjson``; cut, where a report's name would be too long."""
    suffix = Path(name).suffix if len(Path(name).suffix) < 16 else ""
    stem, more = os.fsencode(name.removesuffix(suffix)), f"-{number}" if number > 1 else ""
    room = _LONGEST - len(os.fsencode(suffix)) - len(more) - max(map(len, REPORTS))
    if len(stem) > room:
        return stem[:room].decode("utf-8", "ignore") + more + suffix
    return os.fsdecode(stem) + more + suffix


def _move_onto_nothing(source: Path, target: Path) -> bool:
    """Whether a file or folder was moved to where nothing was; rename(2) alone would write over what came there in between."""
    try:
        if source.is_dir():
            target.mkdir()
            source.rename(target)  # onto the empty folder, which is ours
            return True
        try:
            os.link(source, target)
            source.unlink()
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            source.replace(target)
    except FileExistsError:
        return False
    return True
