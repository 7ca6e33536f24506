"""Many questions about one bundle, over the cores.

The processes are started anew (``spawn``), each given the bundle once. An interruption is for the one who asked to notice.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from compliance.errors import EngineFault
from compliance.policy.model import Bundle

T = TypeVar("T")
A = TypeVar("A")

_BUNDLE: list[Bundle] = []


def answers(
    bundle: Bundle, ask: Callable[[Bundle, T], A], questions: Sequence[T], *, worth: int = 8
) -> Iterator[tuple[T, A]]:
    """Each question with its answer, in the order in which they are done. Fewer than `worth` questions are answered here.

    Raises EngineFault where a process ended without an answer.
    """
    processes = min(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 8
    )
    if len(questions) < worth or processes == 1:
        for question in questions:
            yield question, ask(bundle, question)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, _begin, (bundle,))
    try:
        asked = {pool.submit(_answer, ask, question): question for question in questions}
        for done in as_completed(asked):
            yield asked[done], done.result()
    except BrokenProcessPool as problem:
        raise EngineFault(
            "a process that answered a part of this ended before it was done",
            "Run the command again; if memory was short, when there is more of it.",
        ) from problem
    finally:
        _stop(pool)


def _stop(pool: ProcessPoolExecutor) -> None:
    """What nobody waits for any more is not finished."""
    working = list((pool._processes or {}).values())  # noqa: SLF001 - Python 3.14 has kill_workers()
    pool.shutdown(wait=False, cancel_futures=True)
    for process in working:
        process.kill()
    pool.shutdown(wait=True)


def _begin(bundle: Bundle) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _BUNDLE.append(bundle)


def _answer(ask: Callable[[Bundle, Any], Any], question: Any) -> Any:
    return ask(_BUNDLE[0], question)
