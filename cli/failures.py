"""What goes wrong, as words on standard error and an exit code. No traceback reaches a user unless asked for with ``-vv``.

========= ==================================================================================================
0, 1      done: nothing to object to, or something (the command says which)
2 to 4    see `compliance.errors`
70        a fault of this software (sysexits.h, EX_SOFTWARE)
130, 141  interrupted from the keyboard; the reader of a pipe went away (128 and the signal's number, as shells say it)
========= ==================================================================================================
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from compliance.errors import ComplianceError, DatabaseError, InputError, LogError

FAULT: Final = 70
INTERRUPTED: Final = 130
READER_GONE: Final = 141
MOST_PROBLEMS: Final = 200
"""No more problems than this are listed; the rest is counted."""


class Interrupted(Exception):
    """Ctrl-C."""


class ReaderGone(Exception):
    """Nobody reads standard output any more."""


def exit_code_of(run: Callable[[], Any]) -> int:
    """Run a command line and say how it ended."""
    try:
        code = run()
        sys.stdout.flush()
    except ComplianceError as error:
        tell(error)
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        error.show()
        return 2
    except (Interrupted, KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except (ReaderGone, BrokenPipeError):
        _close_quietly()
        return READER_GONE
    except Exception as error:  # noqa: BLE001 - the one place where nothing may get past
        return _unexpected(error)
    return code if isinstance(code, int) else 0


def tell(error: ComplianceError) -> None:
    """An error in words: what is wrong, every detail with its place, what to do."""
    lines = [click.style("error: ", fg="red", bold=True) + error.message]
    lines += [_indented(str(problem)) for problem in error.problems[:MOST_PROBLEMS]]
    if len(error.problems) > MOST_PROBLEMS:
        lines.append(f"  and {len(error.problems) - MOST_PROBLEMS} more")
    if error.remedy:
        lines.append(f"  what to do: {error.remedy}")
    click.echo("\n".join(lines), err=True, color=_color())


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


@contextmanager
def worded() -> Iterator[None]:
    """Errors of the database that come up late, as those of `compliance.errors`; all others go on as they are."""
    try:
        yield
    except Exception as error:
        known = None if isinstance(error, (ComplianceError, OSError)) else _translated(error)
        if known is None:
            raise
        raise known from error


def _unexpected(error: Exception) -> int:
    """What the software did not foresee: a driver's error and damaged bytes have a meaning, the rest is a fault of ours."""
    known = _translated(error)
    if known is not None:
        tell(known)
    else:
        click.echo(
            f"error: a fault of this software ({type(error).__name__} at {_origin(error)}). {_ADVICE}",
            err=True,
        )
    if {"-vv", "-vvv"} & set(sys.argv) or sys.argv.count("-v") > 1:
        import traceback

        traceback.print_exception(error)
    return FAULT if known is None else known.exit_code


_ADVICE: Final = (
    "Nothing half-done was written; please report it with what `-vv` says, after a look that it names nobody."
)


def _translated(error: Exception) -> ComplianceError | None:
    """Errors that come up late, out of a cursor or a stored document."""
    if type(error).__module__.split(".")[0] in ("sqlite3", "sqlalchemy", "psycopg"):
        from compliance.ledger.database import in_words

        return in_words(error, "the database")
    if type(error).__name__ == "JSONDecodeError":
        return LogError("an entry or a bundle of the log is not JSON", "Run `compliance log verify`.")
    if isinstance(error, OSError):
        reason = error.strerror or type(error).__name__
        where = f"{error.filename}: " if error.filename else ""
        remedy = "Check the name, the permissions and the free space."
        return (
            DatabaseError(f"{where}{reason}", remedy)
            if error.filename is None
            else InputError(f"{where}{reason}", remedy)
        )
    return None


def _origin(error: Exception) -> str:
    """Module and line where it happened; a message could name a patient."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "nowhere" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"


def _close_quietly() -> None:
    """Python flushes standard output at exit, and would complain about the closed pipe."""
    try:
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, sys.stdout.fileno())
    except (OSError, ValueError):
        return


def _color() -> bool | None:
    return False if os.environ.get("NO_COLOR") else None
