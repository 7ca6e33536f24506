"""Many questions about one thing (a bundle, what a folder's rules rest on), over the cores: each process is given the thing once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Generic, TypeVar

from compliance.errors import EngineFault
from compliance.processes import Processes, processors

S = TypeVar("S")
T = TypeVar("T")
A = TypeVar("A")

MOST: Final = 8
"""Processes that are started at most, however many cores there are."""


def answers(
    shared: S, ask: Callable[[S, T], A], questions: Sequence[T], *, worth: int = 4, in_order: bool = False
) -> Iterator[tuple[T, A]]:
    """Each question with its answer, `in_order` of the questions or else as they are done.

    So many questions are `worth` a process; where there are too few for two, they are answered here. Raises what asking raises, and
    EngineFault where a process ended without an answer.
    """
    processes = min(processors(), MOST, len(questions) // worth)
    if processes < 2:
        for question in questions:
            yield question, ask(shared, question)
        return
    with Processes[T, A](
        processes, _Asker, (shared, ask), doing="answered a part of this", ended=EngineFault
    ) as crew:
        yield from crew.in_order(questions) if in_order else crew.answers(questions)


class _Asker(Generic[S, T, A]):
    """What asks, in each process."""

    def __init__(self, orders: tuple[S, Callable[[S, T], A]]) -> None:
        self._shared, self._ask = orders

    def answer(self, question: T) -> A:
        """The answer to one question."""
        return self._ask(self._shared, question)

    def close(self) -> None:
        """Nothing was opened."""
