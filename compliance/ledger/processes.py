"""Processes that each answer tasks over a database connection of their own.

They are started anew (``spawn``): a SQLite connection must not be carried through a fork, and its locks are kept per process
(sqlite.org/howtocorrupt.html, 2.6). A process that ends without an answer is an error.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any, Final, Generic, Protocol, Self, TypeVar, cast

from compliance.errors import DatabaseError

Orders = TypeVar("Orders")
Task = TypeVar("Task")
Answer = TypeVar("Answer")
_Asked = TypeVar("_Asked", contravariant=True)
_Answered = TypeVar("_Answered", covariant=True)


class Answering(Protocol[_Asked, _Answered]):
    """What lives in each process and answers its tasks."""

    def answer(self, task: _Asked) -> _Answered:
        """The answer to one task; it raises nothing."""

    def close(self) -> None:
        """Give back what was opened."""


def processors() -> int:
    """How many this process may use, where the system says so."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable is not None else os.cpu_count() or 1


class Processes(Generic[Task, Answer]):
    """So many processes; use it in a ``with``, at the end of which they are gone.

    `make` gives what answers, from `orders`, in each of them; both must be what another process can import. `doing` says in an error what was done.
    """

    def __init__(
        self, count: int, make: Callable[[Orders], Answering[Task, Answer]], orders: Orders, doing: str
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._doing = doing
        self._busy: dict[Connection, tuple[int, Task]] = {}
        self._processes = []
        self._idle: list[Connection] = []
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, make, orders), daemon=True)
            process.start()
            theirs.close()  # so that its end is the end of the pipe
            self._processes.append(process)
            self._idle.append(ours)

    def answers(self, tasks: Iterable[Task], ahead: int | None = None) -> Iterator[tuple[Task, Answer]]:
        """Each task with its answer, in the order in which they are done; tasks are asked for when there is somebody to do them.

        With `ahead`, no task is begun that many after one that is still being done. Raises DatabaseError where a process ended without an answer.
        """
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
                (_, task), answer = self._busy.pop(pipe), self._receive(pipe)
                self._idle.append(pipe)
                yield task, answer

    def _near(self, number: int, ahead: int | None) -> bool:
        return ahead is None or not self._busy or number - min(n for n, _ in self._busy.values()) < ahead

    def _send(self, pipe: Connection, task: Task) -> None:
        try:
            pipe.send(task)
        except OSError as problem:
            raise self._ended() from problem

    def _receive(self, pipe: Connection) -> Answer:
        try:
            answer: Answer = pipe.recv()
        except (EOFError, OSError) as problem:
            raise self._ended() from problem
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.join()

    def _ended(self) -> DatabaseError:
        return DatabaseError(
            f"a process that {self._doing} a part of the log ended before it was done, so that there is no answer",
            "Run the command again; if memory was short, when there is more of it.",
        )


_COLLECTED_AFTER: Final = 100_000


def _work(pipe: Any, make: Callable[[Any], Answering[Any, Any]], orders: Any) -> None:
    """What a process does until its pipe is closed. An interruption is for the one who started it to notice."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    gc.set_threshold(_COLLECTED_AFTER)
    worker = make(orders)
    try:
        while True:
            pipe.send(worker.answer(pipe.recv()))
    except (EOFError, OSError):
        return
    finally:
        worker.close()
