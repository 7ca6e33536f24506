"""Look-up keys whose finding ends the process, where it is one that another started: a worker that is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Mapping
from typing import Any


def dies(document: Mapping[str, Any]) -> list[int]:
    if multiprocessing.parent_process() is not None and "event" in document:
        os.kill(os.getpid(), signal.SIGKILL)
    return []
