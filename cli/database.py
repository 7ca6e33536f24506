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
    return LogError.exit_code if found.broken_guards or found.foreign_triggers else 0


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
            "foreign_triggers": list(found.foreign_triggers),
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
    for name in found.foreign_triggers:
        click.echo(f"the trigger {name} was not made by this software")
    for name in found.broken_guards:
        click.echo(f"the guard {name} is missing or was changed")


@database.command(
    cls=Command,
    examples=(
        "compliance --database postgresql+psycopg://admin@db/clinic db roles",
        "compliance --database postgresql+psycopg://admin@db/clinic db roles --apply",
    ),
)
@click.option("--apply", "run", is_flag=True, help="Do it, in one transaction; else it is only printed.")
@pass_call
def roles(call: Call, run: bool) -> None:
    """The three roles of a log in PostgreSQL: owner, writer, reader, and what each may do, as SQL.

    The roles cannot log in; grant them to logins, such as `GRANT compliance_writer TO recorder`. A command takes the least it needs.
    """
    from compliance.ledger.grants import statements_for

    statements = statements_for(call.database, run=run)
    if call.json:
        output.echo_json({"statements": statements, "applied": run})
        return
    if run:
        click.echo(
            "done: compliance_owner, compliance_writer and compliance_reader have their rights on this log",
            err=True,
        )
        click.echo("now grant them to logins, for example: GRANT compliance_writer TO recorder;", err=True)
        return
    for statement in statements:
        click.echo(f"{statement};")


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


@database.command(cls=Command, examples=("compliance db rebuild",))
@pass_call
def rebuild(call: Call) -> None:
    """Make the look-up indexes anew from the entries. What is recorded and decided stays as it is; verify first.

    Writers wait meanwhile. Every event is judged again to find out what it looks at, so this takes as long as recording took.
    """
    from compliance.rebuilding import rebuild_indexes

    entries = rebuild_indexes(call.database)
    if call.json:
        output.echo_json({"entries": entries})
    else:
        click.echo(f"indexes made anew from {output.counted(entries, 'entry', 'entries')}", err=True)


@database.command(
    cls=Command,
    examples=(
        "compliance --database restored.db --actor MD-1 db restore 2026-03-02.db --against last-week.txt",
        "compliance --actor MD-1 db restore 2026-03-02.db --against last-week.txt --accept-loss 'disk lost on 3 March'",
    ),
)
@click.argument("backup_file", metavar="BACKUP")
@click.option(
    "--against",
    "checkpoints",
    multiple=True,
    metavar="CHECKPOINT",
    help="The newest checkpoint that is kept elsewhere; may be repeated.",
)
@click.option(
    "--without-checkpoint",
    is_flag=True,
    help="Nobody kept a checkpoint: nothing shows whether the backup is the last state.",
)
@click.option(
    "--accept-loss",
    metavar="REASON",
    help="Restore although entries that a checkpoint knows are missing; recorded with the reason.",
)
@pass_call
def restore(
    call: Call,
    backup_file: str,
    checkpoints: tuple[str, ...],
    without_checkpoint: bool,
    accept_loss: str | None,
) -> int:
    """Make a log from a backup, where none is yet, and record that it was restored.

    The backup is verified whole and held against checkpoints first. One that is older than a checkpoint would silently take back what
    was recorded since: it is refused. The signing key is not in a backup; put its copy beside the restored log.
    """
    from compliance.ledger.keys import key_path
    from compliance.restoring import backup_url
    from compliance.restoring import restore as restored_from

    from .log import note_of

    if bool(checkpoints) == without_checkpoint:
        raise click.UsageError("name the newest checkpoint with --against, or say --without-checkpoint.")
    notes = [note_of(name) for name in checkpoints]
    done = restored_from(
        backup_url(backup_file), call.database, notes, actor=opening.acting(call), accepted=accept_loss
    )
    found = done.verification
    key = key_path(call.database)
    if call.json:
        output.echo_json({
            "answer": str(found.state), "entries": found.size, "root": found.root.hex(), "lost": done.lost,
            "database": opening.name(call), "key_present": key.is_file(),
        })  # fmt: skip
        return 0
    click.echo(
        f"{opening.name(call)}: {output.counted(found.size, 'entry', 'entries')} restored, {found.state}"
    )
    if done.lost:
        click.echo(
            f"{output.counted(done.lost, 'entry', 'entries')} missing that a checkpoint knows; this is recorded with your reason"
        )
    if not key.is_file():
        click.echo(
            f"the signing key {key} is not there: put its copy in its place before the next checkpoint",
            err=True,
        )
    return 0
