"""``compliance record --watch``: the files of a folder, each recorded once and moved, until somebody says stop."""

from __future__ import annotations

import errno
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from threading import Event as Flag
from typing import TYPE_CHECKING, Any, Final

import click

from compliance.errors import DatabaseError, InputError

from . import failures, opening, output, results
from .application import Call
from .formats import Form
from .inputs import Inputs
from .progress import Progress

if TYPE_CHECKING:
    from compliance.bundles import Bundles
    from compliance.intake.drafts import PassedOver
    from compliance.ledger.log import Log
    from compliance.record import Result
    from compliance.watching import Taken, Watched

    from .record import Submit

MOST_DEATHS: Final = 5
"""An input with which so many watchers ended without a word is not read once more: it would end this one, too."""
LONGEST_PAUSE: Final = 300.0
"""Seconds between two attempts at most."""


def watch(call: Call, form: Form, folder: Path, *, once: bool, every: float, settle: float) -> int:
    """Record what is dropped in a folder. `every` and `settle` are seconds.

    0 where it was stopped, or `once` found nothing wrong; with `once`, 1 where an input went to ``problems`` or had to be left. Raises
    InputError where no file could be read as `form` says, or the log itself lies in the folder; DatabaseError with `once`, otherwise it waits until the database can be used.
    """
    from compliance.ledger.own_files import own_file_below
    from compliance.watching import Watched

    form.require_usable()
    own = own_file_below(call.database, folder)
    if own is not None:
        raise InputError(
            f"{folder} cannot be watched: {own.path.name}, {own.what}, belongs there",
            "Make a folder for nothing but what is dropped, and watch that.",
        )
    with _stopped_by_signals() as stop:
        watcher = _Watcher(call, form, Watched(folder, settle), every, stop)
        try:
            if once:
                watcher.watched.finished()
                stop.wait(settle)
                watcher.round()
                return int(watcher.objections)
            while not stop.is_set():
                watcher.patient_round()
                stop.wait(every)
            return 0
        finally:
            for taken in watcher.held:
                taken.release()


@contextmanager
def _stopped_by_signals() -> Iterator[Flag]:
    """A flag that Ctrl-C and SIGTERM raise, so that the file at hand is finished; the second of them ends at once."""
    stop = Flag()

    def heard(_: int, __: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {one: signal.signal(one, heard) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


class _Patience:
    """When what failed is tried again: after growing pauses; each reason is told once."""

    def __init__(self, first: float) -> None:
        self._first = first
        self._failed: dict[object, tuple[float, float, str]] = {}

    def due(self, what: object) -> bool:
        return what not in self._failed or time.monotonic() >= self._failed[what][0]

    def failed(self, what: object, reason: str) -> None:
        _, pause, told = self._failed.get(what, (0.0, self._first / 2, ""))
        pause = min(2 * pause, LONGEST_PAUSE)
        self._failed[what] = (time.monotonic() + pause, pause, reason)
        if reason != told:
            click.echo(f"warning: {reason}; it is tried again", err=True)

    def worked(self, what: object) -> bool:
        """Whether it had failed before."""
        return self._failed.pop(what, None) is not None


@dataclass
class _Outcome:
    """What became of one input."""

    tally: results.Tally = field(default_factory=results.Tally)
    valid: int = 0
    passed: results.Passed = field(default_factory=results.Passed)
    error: InputError | None = None

    @property
    def place(self) -> str:
        """``done`` where all of it could be read; what was found in it is no problem of the file."""
        from compliance.watching import DONE, PROBLEMS

        return PROBLEMS if self.wrong or self.tally.rejected or self.tally.rejected_again else DONE

    @property
    def wrong(self) -> str | None:
        """What is wrong with the input as a whole."""
        if self.error is not None:
            return self.error.message
        return None if self.valid or self.passed else "there is no valid event in this input"

    def as_json(self, name: str) -> dict[str, Any]:
        """The last line of the report."""
        remedy, problems = ("", ()) if self.error is None else (self.error.remedy, self.error.problems)
        error = {"message": self.wrong, "remedy": remedy, "problems": [str(one) for one in problems]}
        return {
            "summary": {
                "file": name, "outcome": self.place, "recorded": self.tally.recorded, "repeated": self.tally.repeated,
                "rejected": self.tally.rejected, "rejected_again": self.tally.rejected_again, "rejudged": self.tally.rejudged,
                "verdicts": dict(self.tally.verdicts), "passed_over": dict(self.passed),
                "error": None if self.wrong is None else error,
            }
        }  # fmt: skip

    def as_text(self) -> str:
        """The last lines of the report for people."""
        said = [results.summary(self.tally, written=True, passed=self.passed)]
        said += [] if self.wrong is None else [f"error: {self.wrong}"]
        if self.error is not None:
            said += [f"  {one}" for one in self.error.problems]
            said += [f"  what to do: {self.error.remedy}"] if self.error.remedy else []
        return "\n".join(said) + "\n"


class _Watcher:
    """One watcher: what it has taken, and what it must try again."""

    def __init__(self, call: Call, form: Form, watched: Watched, every: float, stop: Flag) -> None:
        self.watched = watched
        self.held: list[Taken] = []
        """What it has taken and could not finish yet."""
        self.objections = False
        """Whether an input went to ``problems``, or was left."""
        self._call = call
        self._form = form
        self._every = every
        self._patience = _Patience(every)
        self._stop = stop
        self._looked_at = False
        """Whether the log's newest root was compared with its hashes."""

    def patient_round(self) -> None:
        """A round; where database or folder cannot be used, later again."""
        if not self._patience.due("round"):
            return
        try:
            self.round()
        except DatabaseError as error:
            self._patience.failed("round", f"{error.message}. {error.remedy}")
        except OSError as error:
            self._patience.failed("round", f"{self.watched.folder}: {error.strerror}")
        else:
            if self._patience.worked("round"):
                click.echo("database and folder can be used again", err=True)

    def round(self) -> None:
        """Take and record what is finished, and what this watcher or one that died could not finish, in the order of names."""
        from compliance.bundles import Bundles
        from compliance.record import Recorder

        self.held += self.watched.abandoned()
        held = [taken for taken in self.held if self._patience.due(taken)]
        names = [name for name in self.watched.finished() if self._patience.due(name)]
        if not held and not names:
            return
        with failures.worded(), opening.writing(self._call) as log:
            if not self._looked_at:
                log.require_root()
                self._looked_at = True
            bundles = Bundles(log)
            submit = Recorder(log, bundles.active).submit
            for taken in chain(held, (self._taken(name) for name in names)):
                if taken is not None:
                    self._finish(taken, log, submit, bundles)
                if self._stop.is_set():
                    return

    def _taken(self, name: str) -> Taken | None:
        from compliance.ledger.own_files import identities
        from compliance.watching import shown

        try:
            status = (self.watched.folder / name).lstat()
            own = identities(self._call.database).get((status.st_dev, status.st_ino))
            if own is not None:  # a hard link; not even opened, since closing it would drop SQLite's locks
                raise PermissionError(errno.EPERM, f"it is {own}")
            taken = self.watched.take(name)
        except FileNotFoundError:  # another watcher was faster
            return None
        except OSError as error:
            self._leave(name, shown(name), error)
            return None
        if taken is not None:
            self.held.append(taken)
            self._patience.worked(name)
        return taken

    def _leave(self, what: object, name: str, error: OSError) -> None:
        self.objections = True
        self._patience.failed(what, f"{name} is left: {error.strerror or type(error).__name__}")

    def _finish(self, taken: Taken, log: Log, submit: Submit, bundles: Bundles) -> None:
        """Record an input and move it. Where that fails, it stays this watcher's."""
        from compliance import logs
        from compliance.watching import DONE, shown

        name = shown(taken.name)
        try:
            taken.begin()
            outcome = self._recorded(taken, log, submit, bundles)
            called = taken.move(outcome.place)
        except OSError as error:
            self._leave(taken, name, error)
            return
        self.held.remove(taken)
        self._patience.worked(taken)
        self.objections |= outcome.place != DONE
        tally = outcome.tally
        logs.info("input", outcome=outcome.place, events=tally.recorded, repeated=tally.repeated)
        if self._call.json:
            output.echo_json({**outcome.as_json(name), "moved_to": f"{outcome.place}/{shown(called)}"})
            return
        verdicts = [f"{count:,} {output.colored(verdict)}" for verdict, count in tally.verdicts.most_common()]
        head = results.summary(tally, written=True).partition("\n")[0]
        wrong = [] if outcome.wrong is None else [outcome.wrong]
        click.echo("; ".join([f"{outcome.place}/{shown(called)}: {head}", *verdicts, *wrong]))

    def _recorded(self, taken: Taken, log: Log, submit: Submit, bundles: Bundles) -> _Outcome:
        """Record an input, until it is as it was before it was read: somebody may still have written to it."""
        while True:
            before = taken.state()
            outcome = self._once(taken, log, submit, bundles)
            if taken.state() == before:
                return outcome
            if self._stop.wait(self._every):
                raise InterruptedError(errno.EINTR, "it is still being written")

    def _once(self, taken: Taken, log: Log, submit: Submit, bundles: Bundles) -> _Outcome:
        from compliance.watching import REPORTS, shown

        outcome, name = _Outcome(), shown(taken.name)
        with taken.report(REPORTS[0]) as as_json, taken.report(REPORTS[1]) as as_text:

            def passed(piece: PassedOver) -> None:
                as_json.write(output.json_line(results.passed_json(piece)))

            def told(text: str) -> None:
                as_text.write(click.unstyle(text).encode("utf-8", "replace"))

            told(f"{name}\n\n")
            try:
                for batch in self._batches(taken, log, submit, outcome, passed):
                    for result in batch:
                        as_json.write(output.json_line(results.result_json(result, bundles, written=True)))
                        text = results.result_text(result, bundles)
                        told(f"{text}\n\n" if text else "")
            except InputError as error:
                outcome.error = error
            as_json.write(output.json_line(outcome.as_json(name)))
            told(outcome.as_text())
        return outcome

    def _batches(
        self,
        taken: Taken,
        log: Log,
        submit: Submit,
        outcome: _Outcome,
        passed: Callable[[PassedOver], None],
    ) -> Iterator[tuple[Result, ...]]:
        from .record import submitted

        if taken.deaths >= MOST_DEATHS:
            raise InputError(
                f"{taken.deaths} times the program ended without a word while it read this input",
                "Look at the input, and at what the machine says of the program's end; dropped once more, it is read again.",
            )
        files = taken.files()
        names = {str(path): called for called, path in files}
        progress = Progress()
        with Inputs(list(names), progress, self._form, self._call.database, names) as inputs:
            items = inputs.items(log, actor=self._call.actor, written=True, passed=passed)
            try:
                yield from submitted(items, submit, outcome.tally, progress)
            finally:
                outcome.valid, outcome.passed = inputs.valid, inputs.passed
