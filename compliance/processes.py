"""Processes that answer tasks side by side: the one way in which work is spread over the cores.

They are started anew (``spawn``): a SQLite connection must not be carried through a fork, and its locks are kept per process
(sqlite.org/howtocorrupt.html, 2.6). A process that ends without an answer is an error. Ctrl-C is for the one who started them to notice.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Final, Generic, Protocol, Self, TypeVar, cast

from compliance.errors import ComplianceError

Orders = TypeVar("Orders")
Task = TypeVar("Task")
Answer = TypeVar("Answer")
_Asked = TypeVar("_Asked", contravariant=True)
_Answered = TypeVar("_Answered", covariant=True)


class Answering(Protocol[_Asked, _Answered]):
    """What lives in each process and answers its tasks."""

    def answer(self, task: _Asked) -> _Answered:
        """The answer to one task; what it raises is raised where the task was asked."""

    def close(self) -> None:
        """Give back what was opened."""


def processors() -> int:
    """How many this process may use, where the system says so."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable is not None else os.cpu_count() or 1


class Processes(Generic[Task, Answer]):
    """So many processes; use it in a ``with``, at the end of which they are gone.

    `make` gives what answers, from `orders`, in each of them; both must be what another process can import. Where a process ends before it
    was done, an error of the family `ended` says so; `doing` says in it what was done.
    """

    def __init__(
        self,
        count: int,
        make: Callable[[Orders], Answering[Task, Answer]],
        orders: Orders,
        *,
        doing: str,
        ended: type[ComplianceError],
    ) -> None:
        self._count = count
        self._work = (make, orders)
        self._doing, self._family = doing, ended
        self._busy: dict[Connection, tuple[int, Task]] = {}
        self._processes: list[SpawnProcess] = []
        self._idle: list[Connection] = []

    def answers(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Answer]]:
        """Each task with its answer, in the order in which they are done; tasks are asked for when there is somebody to do them.

        Raises what answering a task raised, and an error of the family that was named where a process ended without an answer.
        """
        return ((task, answer) for _, task, answer in self._done(tasks, None))

    def in_order(self, tasks: Iterable[Task], ahead: int | None = None) -> Iterator[tuple[Task, Answer]]:
        """The same in the order of the tasks. With `ahead`, no task is begun that many after one that is still being done."""
        early: dict[int, tuple[Task, Answer]] = {}
        following = 0
        for number, task, answer in self._done(tasks, ahead):
            early[number] = (task, answer)
            while following in early:
                yield early.pop(following)
                following += 1

    def _done(self, tasks: Iterable[Task], ahead: int | None) -> Iterator[tuple[int, Task, Answer]]:
        waiting = enumerate(tasks)
        following = next(waiting, None)
        while following is not None or self._busy:
            while following is not None and self._idle and self._near(following[0], ahead):
                pipe = self._idle.pop()
                self._busy[pipe] = following
                self._send(pipe, following[1])
                following = next(waiting, None)
            for ready in wait(list(self._busy)):
                pipe = cast(Connection, ready)
                (number, task), answer = self._busy.pop(pipe), self._receive(pipe)
                self._idle.append(pipe)
                yield number, task, answer

    def _near(self, number: int, ahead: int | None) -> bool:
        return ahead is None or not self._busy or number - min(n for n, _ in self._busy.values()) < ahead

    def _send(self, pipe: Connection, task: Task) -> None:
        try:
            pipe.send(task)
        except OSError as problem:
            raise self._ended() from problem

    def _receive(self, pipe: Connection) -> Answer:
        try:
            answer: Answer | _Failure = pipe.recv()
        except (EOFError, OSError) as problem:
            raise self._ended() from problem
        if isinstance(answer, _Failure):
            raise answer.problem
        return answer

    def __enter__(self) -> Self:
        resource_tracker.ensure_running()  # `start` would start it, and let interruptions through again
        try:
            # They inherit that an interruption waits, from their first instruction on; here it arrives once they are started.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                self._start()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        except OSError as problem:
            self._stop()
            raise self._ended() from problem
        except BaseException:
            self._stop()
            raise
        return self

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        for _ in range(self._count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, *self._work), daemon=True)
            process.start()
            theirs.close()  # so that its end is the end of the pipe
            self._processes.append(process)
            self._idle.append(ours)

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _stop(self) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.join()

    def _ended(self) -> ComplianceError:
        return self._family(
            f"a process that {self._doing} ended before it was done, so that there is no answer",
            "Run the command again; if memory was short, when there is more of it.",
        )


@dataclass(frozen=True, slots=True)
class _Failure:
    """Instead of an answer: what was raised, with a note of where."""

    problem: Exception


_COLLECTED_AFTER: Final = 100_000


def _work(pipe: Any, make: Callable[[Any], Answering[Any, Any]], orders: Any) -> None:
    """What a process does until its pipe is closed."""
    gc.freeze()
    gc.set_threshold(_COLLECTED_AFTER)
    worker: Answering[Any, Any] | None = None
    try:
        while True:
            task = pipe.recv()
            try:
                worker = make(orders) if worker is None else worker
                answer = worker.answer(task)
            except Exception as problem:  # noqa: BLE001 - whoever asked knows what to do about it
                problem.add_note(traceback.format_exc())
                answer = _Failure(problem)
            pipe.send(answer)
    except (EOFError, OSError):
        return
    finally:
        if worker is not None:
            worker.close()
