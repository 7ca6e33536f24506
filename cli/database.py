"""``compliance db``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compliance.errors import DatabaseError, LogError

from . import opening, output
from .application import Call, Command, Group, pass_call

if TYPE_CHECKING:
    from compliance.ledger.schema import Status


@click.group(name="db", cls=Group, examples=("compliance db status",))
def database() -> None:
    """The database behind the log."""


@database.command(
    cls=Command, examples=("compliance db status", "compliance --database clinic.db db status --output json")
)
@pass_call
def status(call: Call) -> int:
    """Which schema the database has, which one this version wants, and whether its guards are as they were made."""
    from compliance.ledger.schema import status as status_of

    found = status_of(call.database)
    _print(call, found)
    if not found.current:
        return DatabaseError.exit_code
    return LogError.exit_code if found.broken_guards else 0


@database.command(cls=Command, examples=("compliance db upgrade",))
@pass_call
def upgrade(call: Call) -> int:
    """Bring the database to the schema that this version wants, all steps or none. Make a backup first."""
    from compliance.ledger import schema

    before = schema.status(call.database)
    if before.version is None:
        raise DatabaseError(
            "this database holds no audit log",
            "Run `compliance init` with a new file name, or name another database with --database.",
        )
    _print(call, before if before.current else schema.upgrade(call.database))
    return 0


def _print(call: Call, found: Status) -> None:
    if call.json:
        about: dict[str, Any] = {
            "version": found.version, "wanted": found.wanted, "current": found.current, "broken_guards": list(found.broken_guards),
        }  # fmt: skip
        output.echo_json(about)
        return
    word = (
        "up to date"
        if found.current
        else "needs `compliance db upgrade`"
        if found.version
        else "holds no audit log"
    )
    click.echo(f"schema {found.version or 'none'}, {word}")
    for name in found.broken_guards:
        click.echo(f"the guard {name} is missing or was changed")


@database.command(cls=Command, examples=("compliance db backup /mnt/backup/2026-03-02.db",))
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path))
@pass_call
def backup(call: Call, target: Path) -> None:
    """Copy the database as it is at one moment, while others may write. The signing key is not copied."""
    from compliance.ledger.upkeep import backup as copy

    with opening.reading(call) as log:
        size = log.size
        copy(log, target)
    if call.json:
        output.echo_json({"out": str(target), "entries": size})
    else:
        click.echo(
            f"{target}: {output.counted(size, 'entry', 'entries')}. Keep the signing key's copy apart from it.",
            err=True,
        )
