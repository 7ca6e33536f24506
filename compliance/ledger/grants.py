"""Three roles of a log in PostgreSQL, and what each may do (audit-log.md, "Append-only enforcement").

=========== ==============================================================================================================
``owner``   owns the tables, and so may change them: for migrations, never for daily work
``writer``  SELECT and INSERT; DELETE on the table of input that could not be read, which may have to go; UPDATE and DELETE on the
            agenda of the nightly run, which can be made again
``reader``  SELECT
=========== ==============================================================================================================

In the identity vault, whose rows change and go, the writer has UPDATE and DELETE, too.

None of them can log in: they are granted to logins. A login of several roles takes the least that a command needs (`on_postgresql.prepare`).
They are roles of the whole server; each log says for itself what they may do in its schema.
"""

from __future__ import annotations

from typing import Final

from compliance.errors import InputError
from compliance.ledger import schema
from compliance.ledger.database import connect, driver_of, place_of, translated
from compliance.ledger.driver import Driver, transaction
from compliance.ledger.guards import FUNCTIONS
from compliance.ledger.roles import Role, database_role
from compliance.ledger.tables import AGENDA, DUTY, DUTY_KEY, METADATA, QUARANTINE
from compliance.ledger.vault.tables import METADATA as VAULT_TABLES
from compliance.ledger.vault.tables import vault_schema

OWNER: Final = database_role(Role.OWNER)
WRITER: Final = database_role(Role.WRITER)
READER: Final = database_role(Role.READER)


_BEYOND_READING: Final = {
    QUARANTINE.name: "INSERT, DELETE",
    **dict.fromkeys((AGENDA.name, DUTY.name, DUTY_KEY.name), "INSERT, UPDATE, DELETE"),
}
"""What the writer may do with tables of which rows go or change."""


def make_roles() -> list[str]:
    """The statements that make the roles where they are missing; whoever runs them needs the right to make roles."""
    made = [
        f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        for role in (OWNER, WRITER, READER)
    ]
    return [*made, f"GRANT {OWNER} TO CURRENT_USER"]


def grant_rights(in_schema: str) -> list[str]:
    """The statements that give each role its rights on a log, and take away all others; `in_schema` is a quoted identifier."""
    statements = [
        f"REVOKE ALL ON SCHEMA {in_schema} FROM PUBLIC, {WRITER}, {READER}",
        f"GRANT USAGE, CREATE ON SCHEMA {in_schema} TO {OWNER}",
        f"GRANT USAGE ON SCHEMA {in_schema} TO {WRITER}, {READER}",
    ]
    for name in (*METADATA.tables, "alembic_version"):
        table = f"{in_schema}.{name}"
        statements.append(f"ALTER TABLE {table} OWNER TO {OWNER}")
        statements.append(f"REVOKE ALL ON {table} FROM PUBLIC, {WRITER}, {READER}")
        statements.append(f"GRANT SELECT ON {table} TO {WRITER}, {READER}")
        if name in METADATA.tables:
            rights = _BEYOND_READING.get(name, "INSERT")
            statements.append(f"GRANT {rights} ON {table} TO {WRITER}")
    statements += [f"ALTER FUNCTION {in_schema}.{name}() OWNER TO {OWNER}" for name in FUNCTIONS]
    return statements


def statements_for(url: str, *, run: bool = False) -> list[str]:
    """All that `compliance db roles` prints, for the log at a URL; with `run`, it is also done, in one transaction.

    Raises InputError for a SQLite file, which has no roles; DatabaseError where the login may not do this.
    """
    place = place_of(url)
    if place.file is not None:
        raise InputError(
            "a SQLite file has no roles of its own",
            "Give the file's owner the right to write it and everybody else at most the right to read it; `--database postgresql+psycopg://...` names a PostgreSQL log.",
        )
    connection = connect(url, Role.OWNER)
    driver = driver_of(connection)
    try:
        with translated(place.name):
            schema.require_current(driver, place.name)
            statements = [*make_roles(), *grant_rights(_schema(driver)), *vault_rights(driver)]
            if run:
                _run(driver, statements)
            return statements
    finally:
        connection.close()


def renew_rights(driver: Driver) -> None:
    """After a migration: what it made belongs to the owner's role and is granted, where ``compliance db roles`` was run before."""
    owned = driver.execute(
        "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = to_regclass('entry')"
    ).fetchone()
    if owned is not None and owned[0] == OWNER:
        for statement in [*grant_rights(_schema(driver)), *vault_rights(driver)]:
            driver.execute(statement)


def vault_rights(driver: Driver) -> list[str]:
    """The statements that give each role its rights on the log's identity vault, where there is one: its rows may change and go."""
    (in_log,) = driver.execute("SELECT current_schema()").fetchone()
    name = '"' + vault_schema(in_log).replace('"', '""') + '"'
    if driver.execute("SELECT to_regnamespace(%s)", (name,)).fetchone()[0] is None:
        return []
    statements = [
        f"REVOKE ALL ON SCHEMA {name} FROM PUBLIC, {WRITER}, {READER}",
        f"GRANT USAGE, CREATE ON SCHEMA {name} TO {OWNER}",
        f"GRANT USAGE ON SCHEMA {name} TO {WRITER}, {READER}",
    ]
    for table in VAULT_TABLES.tables:
        statements.append(f"ALTER TABLE {name}.{table} OWNER TO {OWNER}")
        statements.append(f"REVOKE ALL ON {name}.{table} FROM PUBLIC, {WRITER}, {READER}")
        statements.append(f"GRANT SELECT ON {name}.{table} TO {WRITER}, {READER}")
        statements.append(f"GRANT INSERT, UPDATE, DELETE ON {name}.{table} TO {WRITER}")
    return statements


def _schema(driver: Driver) -> str:
    return str(driver.execute("SELECT quote_ident(current_schema())").fetchone()[0])


def _run(driver: Driver, statements: list[str]) -> None:
    driver.execute("RESET ROLE")
    with transaction(driver):
        for statement in statements:
            driver.execute(statement)
