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
from compliance.ledger.database import connect, driver_of, place_of, translated
from compliance.ledger.driver import Driver, transaction
from compliance.ledger.guards import FUNCTIONS, GUARDS
from compliance.ledger.roles import Role

HEAD: Final = "0003"
"""The newest migration; a test compares it with the files."""


@dataclass(frozen=True, slots=True)
class Status:
    """The version a database has and the one that this software wants, and the guards that are missing or changed."""

    version: str | None
    wanted: str
    broken_guards: tuple[str, ...]
    foreign_triggers: tuple[str, ...] = ()
    """Triggers that this software did not make: they may drop or change what is written."""

    @property
    def current(self) -> bool:
        """Whether this software can use the database as it is."""
        return self.version == self.wanted


def status(url: str) -> Status:
    """The status of a database; raises DatabaseError or LogError where it cannot be read."""
    connection = connect(url, Role.READER)
    try:
        with translated(place_of(url).name):
            return status_of(driver_of(connection))
    finally:
        connection.close()


def status_of(driver: Driver) -> Status:
    """The status, over a connection that is open."""
    version, kept = _kept_in_sqlite(driver) if driver.dialect == "sqlite" else _kept_in_postgresql(driver)
    if version is None:
        return Status(version, HEAD, ())
    guards = GUARDS[driver.dialect]
    broken = tuple(name for name, guard in guards.items() if kept.get(name) != guard.stored)
    foreign = tuple(
        sorted(name for (name,) in driver.execute(_TRIGGERS[driver.dialect]) if name not in guards)
    )
    return Status(version, HEAD, broken, foreign)


_TRIGGERS: Final = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
    "WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal",
}
"""All triggers of a log's tables."""


def _kept_in_sqlite(driver: Driver) -> tuple[str | None, dict[str, str]]:
    """The version, and the triggers as they are."""
    kept = {
        str(name): str(sql)
        for kind, name, sql in driver.execute("SELECT type, name, sql FROM sqlite_master")
        if kind == "trigger" or name == "alembic_version"
    }
    return (_version(driver) if "alembic_version" in kept else None), kept


def _kept_in_postgresql(driver: Driver) -> tuple[str | None, dict[str, str]]:
    """The same. A trigger that is not always on, or whose function was changed, is not the guard: it is left out."""
    visible, log = driver.execute("SELECT current_schema(), to_regclass('alembic_version')").fetchone()
    if visible is None:
        raise DatabaseError(
            "this login may not look into the schema of the log",
            "Grant it a role of `compliance db roles`, such as compliance_reader, or name the right schema.",
        )
    if log is None:
        return None, {}
    rows = driver.execute(
        "SELECT t.tgname, pg_get_triggerdef(t.oid, true), t.tgenabled = 'A', p.proname, p.prosrc, "
        "p.proconfig = ARRAY['search_path=' || quote_ident(n.nspname) || ', pg_temp'] "
        "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_proc p ON p.oid = t.tgfoid AND p.pronamespace = c.relnamespace "
        "WHERE n.nspname = current_schema() AND NOT t.tgisinternal"
    )
    kept = {
        str(name): str(definition)
        for name, definition, always, function, body, own_tables in rows
        if always and own_tables and FUNCTIONS.get(function) == body
    }
    return _version(driver), kept


def _version(driver: Driver) -> str | None:
    row = driver.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def require_current(driver: Driver, name: str) -> None:
    """Raise DatabaseError unless the database has the version that this software wants, with its remedy."""
    found = status_of(driver)
    if found.current:
        return
    if found.version is None:
        raise DatabaseError(
            f"{name} is a database, but holds no audit log",
            "Make one with `compliance init` (a file needs a new name), or name another database with --database.",
        )
    if found.version > found.wanted:
        raise DatabaseError(
            f"{name} was written by a newer version of this software (schema {found.version}, this one knows {found.wanted})",
            "Update this software.",
        )
    raise DatabaseError(
        f"{name} has schema {found.version}, this version needs {found.wanted}",
        "Make a backup with `compliance db backup`, then run `compliance db upgrade`.",
    )


def upgrade(url: str, *, create: bool = False) -> Status:
    """Bring the schema to the newest version, all steps in one transaction; returns the status afterwards."""
    connection = connect(url, Role.OWNER, create=create)
    driver = driver_of(connection)
    try:
        with translated(place_of(url).name):
            with transaction(driver):
                migrate(connection)
                _renew_rights(driver)
            return status_of(driver)
    finally:
        connection.close()


def _renew_rights(driver: Driver) -> None:
    if driver.dialect == "postgresql":
        from compliance.ledger.grants import renew_rights  # noqa: PLC0415  (it asks for the schema's version)

        renew_rights(driver)


def migrate(connection: Connection) -> None:
    """Run the migrations that are missing, within the transaction that the connection is in."""
    from alembic import command  # noqa: PLC0415  (takes a tenth of a second, and most commands never migrate)
    from alembic.config import Config  # noqa: PLC0415

    configuration = Config()
    configuration.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    if not connection.in_transaction():
        connection.begin()  # only a note to alembic that the transaction is not its own to end
    command.upgrade(configuration, "head")


def migrations_folder() -> Path:
    """Below the package in an installed wheel, beside it in the repository (architecture.md, "The house")."""
    package = Path(compliance.__file__).parent
    below = package / "migrations"
    return below if below.is_dir() else package.parent / "migrations"
