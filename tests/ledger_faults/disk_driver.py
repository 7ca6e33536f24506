"""A process whose disk can fail (`disk.c` was loaded before libc): everything is imported once, then one child per line of standard input.

A line is JSON: what fails, as `disk_fails` takes it, the words of a command line, which the child runs, and the user to run it as (0: ours).
The answer is JSON: exit status, standard output, standard error.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import tempfile

import compliance.record
from cli.main import main
from compliance.ledger import log, verify  # noqa: F401 - read once, for every child
from tests.ledger_faults.clinic import BATCH


def run(fails: list[object], words: list[str], user: int, out: int, err: int) -> None:
    """Be the command, on a disk that fails."""
    os.dup2(out, 1)
    os.dup2(err, 2)
    sys.argv = ["compliance", *words]
    if user:
        os.setgid(user)
        os.setuid(user)
    bytes_left, on_write, on_sync, on_open, part = fails
    ctypes.CDLL(os.environ["LD_PRELOAD"]).disk_fails(
        ctypes.c_long(bytes_left), on_write, on_sync, on_open, str(part).encode()  # type: ignore[arg-type]
    )  # fmt: skip
    main()


def serve() -> None:
    """Answer line by line."""
    compliance.record.BATCH = BATCH  # type: ignore[misc]
    for line in sys.stdin:
        fails, words, user = json.loads(line)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = os.fork()
            if child == 0:
                status = 70
                try:
                    run(fails, words, user, out.fileno(), err.fileno())
                except SystemExit as done:
                    status = int(done.code or 0)
                finally:
                    sys.stdout.flush()
                    sys.stderr.flush()
                    os._exit(status)
            _, status = os.waitpid(child, 0)
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode())
        sys.__stdout__.write(json.dumps([os.waitstatus_to_exitcode(status), *texts]) + "\n")  # type: ignore[union-attr]
        sys.__stdout__.flush()  # type: ignore[union-attr]


if __name__ == "__main__":
    serve()
