"""The process that keeps one PostgreSQL server for the tests, and ends it whatever becomes of them.

It starts and stops the server as it is told on standard input, one JSON object per line, and answers each with a line. When standard input ends,
because the tests are done or because they were killed, it stops the server and deletes its folder. It runs in a session of its own, so that
Ctrl-C does not reach it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Arguments: the server's program, its folder, and the user and group to run it as, where it is not ours."""
    program, folder, *ids = sys.argv[1:]
    become: dict[str, Any] = {"user": int(ids[0]), "group": int(ids[1]), "extra_groups": []} if ids else {}
    running: subprocess.Popen[bytes] | None = None
    try:
        for line in sys.stdin:
            asked = json.loads(line)
            if "start" in asked:
                with Path(folder, "log").open("ab") as log:
                    running = subprocess.Popen(
                        [program, *asked["start"]], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder,
                        env={**os.environ, **asked["environment"]}, **become,
                    )  # fmt: skip
                print(json.dumps({"pid": running.pid}), flush=True)
            else:
                print(json.dumps({"status": _ended(running, asked["stop"])}), flush=True)
                running = None
    finally:
        _ended(running, signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)


def _ended(running: subprocess.Popen[bytes] | None, with_signal: int) -> int | None:
    if running is None:
        return None
    if running.poll() is None:
        running.send_signal(with_signal)
    try:
        return running.wait(30)
    except subprocess.TimeoutExpired:
        running.kill()
        return running.wait()


if __name__ == "__main__":
    main()
