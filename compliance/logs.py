"""The program's own log, on standard error: structlog, JSON where nobody looks (architecture.md, "Choices already made").

It tells of the program, never of patients: callers pass ids of events, entry numbers and counts, no field of an event. structlog is
imported when the first line is written; most commands write none.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Final, Literal

LogFormat = Literal["text", "json"]

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}


@dataclass
class _Settings:
    """How lines are written; one per process."""

    level: int = LEVELS["warning"]
    format: LogFormat | None = None
    ready: bool = False


_SETTINGS: Final = _Settings()


def configure(verbosity: int, log_format: LogFormat | None) -> None:
    """Choose what is written: warnings, from 1 on what is done, from 2 on everything; None is text on a terminal, else JSON."""
    _SETTINGS.level = {0: LEVELS["warning"], 1: LEVELS["info"]}.get(verbosity, LEVELS["debug"])
    _SETTINGS.format = log_format
    _SETTINGS.ready = False


def debug(message: str, **members: Any) -> None:
    """What only helps to find out how the program works."""
    _write("debug", message, members)


def info(message: str, **members: Any) -> None:
    """What was done."""
    _write("info", message, members)


def warning(message: str, **members: Any) -> None:
    """What an operator should look at."""
    _write("warning", message, members)


def error(message: str, **members: Any) -> None:
    """What should never happen."""
    _write("error", message, members)


def _write(level: str, message: str, members: dict[str, Any]) -> None:
    if LEVELS[level] < _SETTINGS.level:
        return
    import structlog  # noqa: PLC0415 - takes longer than the rest of most commands

    if not _SETTINGS.ready:
        as_json = _SETTINGS.format == "json" or (_SETTINGS.format is None and not sys.stderr.isatty())
        renderer: Any = (
            structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
        )
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                renderer,
            ],
            logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
            cache_logger_on_first_use=False,
        )
        _SETTINGS.ready = True
    getattr(structlog.get_logger(), level)(message, **members)
