"""Processes that append to one log at once: ``URL PROCESSES BATCHES [without-lock]``.

Each appends batches of three entries as fast as it can, and prints a line for each: ``receipt PROCESS NUMBER IDX``, or ``refused PROCESS WORDS`` where
the database did not take a batch. With ``without-lock`` the write lock is not taken at a batch's beginning: the mutant.
"""

from __future__ import annotations

import os
import sys

from compliance.errors import ComplianceError
from compliance.ledger.log import Log
from compliance.ledger.on_postgresql import PostgresDriver
from compliance.ledger.on_sqlite import SqliteDriver
from tests.logs import decision, event

EACH = 3


def append(url: str, process: int, batches: int) -> None:
    """One process's part."""
    with Log.open(url, write=True) as log:
        for start in range(0, batches * EACH, EACH):
            numbers = [process * 1_000_000 + start + number for number in range(EACH)]
            try:
                with log.writing() as batch:
                    made = [
                        batch.append("event", {"event": event(number), "decision": decision()})
                        for number in numbers
                    ]
            except ComplianceError as problem:
                os.write(1, f"refused {process} {problem.message[:200]}\n".encode())
                continue
            for number, idx in zip(numbers, made, strict=True):
                os.write(1, f"receipt {process} {number} {idx}\n".encode())


def main() -> None:
    """Fork, and wait for all."""
    url, processes, batches, *without = sys.argv[1:]
    if without:
        SqliteDriver.begin_writing = lambda driver: driver.raw.execute("BEGIN")  # type: ignore[method-assign, assignment, return-value]
        PostgresDriver.begin_writing = lambda driver: driver.raw.execute("BEGIN")  # type: ignore[method-assign, assignment, return-value]
    children = []
    for process in range(1, int(processes) + 1):
        child = os.fork()
        if child == 0:
            append(url, process, int(batches))
            os._exit(0)
        children.append(child)
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))


if __name__ == "__main__":
    main()
