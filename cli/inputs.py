"""The input of ``record`` and ``check``: files in their order, or several merged by when things occurred (engine.md, "Order")."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, Final, Self

from compliance.errors import InputError

from .formats import Form
from .progress import Progress
from .results import Passed

if TYPE_CHECKING:
    from compliance.intake.drafts import Item, PassedOver, Read
    from compliance.ledger.log import Log

STDIN: Final = "-"

HELD_OPEN: Final = 64
"""How many files stay open until they are read; systems allow a process 256 and more, and the database needs some."""


class Inputs:
    """The files of one call; opened all before anything is read, so that a misspelt name stops the call before it writes. `called` is how a
    file is called in answers and in the log, where that is not its name. A file that the log at `database` is made of is none, nor is any
    key or database: InputError."""

    def __init__(
        self,
        names: Sequence[str],
        progress: Progress,
        form: Form,
        database: str,
        called: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        from compliance.ledger.own_files import identities

        self.valid = 0
        """How many valid events were read so far."""
        self.passed = Passed()
        """What is not about what the log keeps: how many pieces were passed over for which reason."""
        self._progress = progress
        self._form = form
        self._called = {STDIN: "<stdin>", **called}
        self._own = identities(database)
        self._stack = ExitStack()
        self._streams: list[tuple[str, BinaryIO]]
        with ExitStack() as opened:
            self._streams = []
            for name in _once(names):
                form.of(self._name(name))
                stream = self._open(name, opened)
                if (
                    len(self._streams) >= HELD_OPEN and Path(name).is_file()
                ):  # a pipe could not be opened again
                    stream.close()
                self._streams.append((name, stream))
            self._stack = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def items(
        self,
        log: Log,
        *,
        actor: str | None,
        written: bool,
        passed: Callable[[PassedOver], None] = lambda _: None,
    ) -> Iterator[Item]:
        """Every event and every piece that is none: one file in its own order, several merged by `occurred_at` (ties: file, line).

        `written` says whether they are to be recorded. `passed` is told of each piece that is not ours.
        """
        from compliance.intake.drafts import Draft, PassedOver

        for item in self._all(log, actor, written=written):
            if isinstance(item, PassedOver):
                self.passed.take(item)
                passed(item)
                continue
            self.valid += isinstance(item, Draft)
            yield item

    def _all(self, log: Log, actor: str | None, *, written: bool) -> Iterator[Read]:
        formats = {self._form.of(self._name(name)) for name, _ in self._streams}
        if "fhir" in formats:
            yield from self._fhir(log, actor, written=written)
            return
        if len(self._streams) == 1:
            yield from self._read(*self._streams[0], log, actor)
            return
        ordered: list[tuple[int, int, int, Read]] = []
        for number, (name, stream) in enumerate(self._streams):
            occurred = -(2**63)  # what cannot be read stays behind what stands before it in its file
            for position, item in enumerate(self._read(name, stream, log, actor)):
                event = getattr(item, "event", None)
                occurred = occurred if event is None else event.occurred_at
                ordered.append((occurred, number, position, item))
        ordered.sort(key=lambda row: row[:3])
        yield from (item for *_, item in ordered)

    def _name(self, name: str) -> str:
        return self._called.get(name, name)

    def _fhir(self, log: Log, actor: str | None, *, written: bool) -> Iterator[Read]:
        from .fhir_input import read_fhir

        with ExitStack() as again:
            files = [(self._name(name), self._begun(name, stream, again)) for name, stream in self._streams]
            yield from read_fhir(files, self._form, log, actor=actor, written=written)

    def _read(self, name: str, stream: BinaryIO, log: Log, actor: str | None) -> Iterator[Read]:
        source = self._name(name)
        try:
            with ExitStack() as again:
                yield from self._of_format(source, self._begun(name, stream, again), log, actor)
        except IsADirectoryError:
            raise _not_a_file(source) from None

    def _begun(self, name: str, stream: BinaryIO, again: ExitStack) -> BinaryIO:
        """The stream, to be read from its beginning, which has been looked at."""
        from compliance.ledger.own_files import BEGINNING, kind_of_content

        stream = self._open(name, again) if stream.closed else stream
        looked_at = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)  # type: ignore[type-var]
        what = kind_of_content(looked_at.peek(BEGINNING))
        if what is not None:
            raise _no_input(self._name(name), what)
        return self._progress.watched(looked_at)

    def _open(self, name: str, opened: ExitStack) -> BinaryIO:
        """Open a file, unless it is the log's own: to close a database's file would drop the locks that SQLite holds on it."""
        if name == STDIN:
            with suppress(OSError):  # a program's stand-in for standard input is no file
                self._require_foreign(name, os.fstat(sys.stdin.fileno()))
            return sys.stdin.buffer
        path = Path(name)
        try:
            if path.is_dir():
                raise _not_a_file(name)
            self._require_foreign(name, path.stat())
            return opened.enter_context(path.open("rb"))
        except FileNotFoundError:
            raise InputError(f"there is no file {name}", "Check the name; nothing was read.") from None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise InputError(
                f"{name} cannot be read: {reason}", "Check the file and its permissions; nothing was read."
            ) from error
        except ValueError:  # a NUL byte in the name
            raise InputError(
                "a file's name cannot hold a NUL byte", "Check the name; nothing was read."
            ) from None

    def _require_foreign(self, name: str, status: os.stat_result) -> None:
        what = self._own.get((status.st_dev, status.st_ino))
        if what is not None:
            raise _no_input(self._name(name), what)

    def _of_format(self, source: str, stream: BinaryIO, log: Log, actor: str | None) -> Iterator[Read]:
        found = self._form.of(source)
        if found == "json":
            from compliance.intake.json_lines import read_json

            return read_json(source, stream)
        from .sheet_input import read_table

        return read_table(source, stream, self._form, log, format=found, actor=actor)


def _once(names: Sequence[str]) -> list[str]:
    """The names; standard input can be read once only."""
    if list(names).count(STDIN) > 1:
        raise InputError("standard input is named twice", "Name - once.")
    return list(names)


def _not_a_file(name: str) -> InputError:
    return InputError(f"{name} is a folder", "Name the files in it.")


def _no_input(name: str, what: str) -> InputError:
    return InputError(f"{name} is {what}, not events", "Nothing of it was read or kept; check the name.")
