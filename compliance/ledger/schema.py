"""The schema's version: make it, ask for it, bring it up to date.

alembic runs the migrations, and is imported only when one has to run. What a command needs at every start is two short
queries: the version, and whether the guards are in place as they were written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

import compliance
from compliance.errors import DatabaseError
from compliance.ledger.database import Role, connect, database_path, translated
from compliance.ledger.guards import GUARDS

HEAD: Final = "0001"
"""The newest migration; a test compares it with the files."""


@dataclass(frozen=True, slots=True)
class Status:
    """The version a database has and the one that this software wants, and the guards that are missing or changed."""

    version: str | None
    wanted: str
    broken_guards: tuple[str, ...]

    @property
    def current(self) -> bool:
        """Whether this software can use the database as it is."""
        return self.version == self.wanted


def status(url: str) -> Status:
    """The status of a database; raises DatabaseError or LogError where it cannot be read."""
    connection = connect(url, Role.READER)
    try:
        with translated(database_path(url)):
            return status_of(connection)
    finally:
        connection.close()


def status_of(connection: Connection) -> Status:
    """The status, over a connection that is open."""
    kept = {
        str(name): str(sql)
        for kind, name, sql in connection.exec_driver_sql("SELECT type, name, sql FROM sqlite_master")
        if kind == "trigger" or name == "alembic_version"
    }
    version = None
    if "alembic_version" in kept:
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    guards = GUARDS[connection.dialect.name]
    broken = tuple(name for name, sql in guards.items() if kept.get(name) != sql)
    return Status(version, HEAD, broken)


def require_current(connection: Connection, path: Path) -> None:
    """Raise DatabaseError unless the database has the version that this software wants, with its remedy."""
    found = status_of(connection)
    if found.current:
        return
    if found.version is None:
        raise DatabaseError(
            f"{path} is a database, but holds no audit log",
            "Run `compliance init` with a new file name, or name another database with --database.",
        )
    if found.version > found.wanted:
        raise DatabaseError(
            f"{path} was written by a newer version of this software (schema {found.version}, this one knows {found.wanted})",
            "Update this software.",
        )
    raise DatabaseError(
        f"{path} has schema {found.version}, this version needs {found.wanted}",
        "Make a backup with `compliance db backup`, then run `compliance db upgrade`.",
    )


def upgrade(url: str, *, create: bool = False) -> Status:
    """Bring the schema to the newest version, all steps in one transaction; returns the status afterwards."""
    connection = connect(url, Role.OWNER, create=create)
    try:
        with translated(database_path(url)):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                migrate(connection)
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")
            return status_of(connection)
    finally:
        connection.close()


def migrate(connection: Connection) -> None:
    """Run the migrations that are missing, within the transaction that the connection is in."""
    from alembic import command  # noqa: PLC0415  (takes a tenth of a second, and most commands never migrate)
    from alembic.config import Config  # noqa: PLC0415

    configuration = Config()
    configuration.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, "head")


def migrations_folder() -> Path:
    """Below the package in an installed wheel, beside it in the repository (architecture.md, "The house")."""
    package = Path(compliance.__file__).parent
    below = package / "migrations"
    return below if below.is_dir() else package.parent / "migrations"
