"""PostgreSQL itself refuses every change of the log: to a writer, to the tables' owner, to a superuser; and each guard is what stops it.

Every attempt runs in a transaction that is rolled back, so that all of them meet one log. For each there is the mutant: with its guards dropped,
the same attempt succeeds.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

import psycopg
import pytest

from compliance.ledger.guards import FUNCTIONS, GUARDS, create_function
from compliance.ledger.log import Log
from compliance.ledger.on_postgresql import PostgresDriver
from compliance.ledger.schema import status_of
from compliance.ledger.tables import ENTRY
from compliance.ledger.transfer import TABLES
from tests.logs import ORIGIN, SIGNER, add, clock
from tests.servers import shared

COLUMNS = ", ".join(ENTRY.columns.keys())
SCHEMA = f"guarded_{os.getpid()}"
OWNER, WRITER = f"owner_{os.getpid()}", f"writer_{os.getpid()}"
SIZE = 301
GUARDED = sorted({guard.statements[1].split()[2] for guard in GUARDS["postgresql"].values()})


def another(*places):
    """Entries like entry 2, of another site, under other idx and event ids."""
    chosen = (
        COLUMNS.replace("idx", "place", 1)
        .replace("event_id", "'new ' || place", 1)
        .replace("site", "'elsewhere'")
    )
    listed = ", ".join(f"({place}::bigint)" for place in places)
    return f"INSERT INTO entry ({COLUMNS}) SELECT {chosen} FROM entry, (VALUES {listed}) AS p(place) WHERE idx = 2"


NEXT = ["entry_next_idx"]
ATTEMPTS = [
    *((f"UPDATE {table} SET {column} = {column}", [f"{table}_no_update"]) for table, column in (
        ("entry", "site"), ("tile", "hashes"), ("head", "root"), ("bundle", "documents"), ("event_key", "key"), ("asked_key", "key"),
        ("witnessed", "note"),
    )),
    *((f"DELETE FROM {table}", [f"{table}_no_delete"]) for table in GUARDED),
    *((f"TRUNCATE {table}", [f"{table}_no_truncate"]) for table in GUARDED),
    ("TRUNCATE entry, quarantine CASCADE", ["entry_no_truncate"]),
    ("UPDATE entry SET verdict = 'denied' WHERE idx = 2", ["entry_no_update"]),
    ("UPDATE entry SET idx = 900 WHERE idx = 2", ["entry_no_update"]),
    (f"{another(2)} ON CONFLICT (idx) DO UPDATE SET site = 'elsewhere'", ["entry_no_update"]),
    ("MERGE INTO entry USING (SELECT 2 AS at) ON idx = at WHEN MATCHED THEN UPDATE SET site = 'elsewhere'", ["entry_no_update"]),
    ("MERGE INTO entry USING (SELECT 2 AS at) ON idx = at WHEN MATCHED THEN DELETE", ["entry_no_delete"]),
    ("WITH gone AS (DELETE FROM entry WHERE idx = 2 RETURNING *) SELECT * FROM gone", ["entry_no_delete"]),
    (another(-1), NEXT),
    (another(SIZE + 1), NEXT),
    (another(SIZE, SIZE + 2), NEXT),
    (another(SIZE + 2, SIZE + 1), NEXT),
    (another(-1, SIZE), NEXT),
    (another(2), [*NEXT, "entry_pkey"]),
    (another(SIZE).replace("'new ' || place", "event_id"), ["entry_event_id"]),
    ("INSERT INTO head SELECT 300, root, frontier, recorded_us FROM head WHERE size = 301", ["head_grows"]),
    ("INSERT INTO head SELECT size, root, frontier, 0 FROM head WHERE size = 301", ["head_grows", "head_pkey"]),
    ("INSERT INTO tile SELECT level, n, root, hashes FROM tile", ["tile_pkey"]),
    ("INSERT INTO bundle SELECT digest, documents FROM bundle", ["bundle_pkey"]),
    ("INSERT INTO witnessed SELECT origin, size - 1, root, note, 0 FROM witnessed", ["witnessed_forward"]),
    ("INSERT INTO witnessed SELECT origin, size, root, 'other', 0 FROM witnessed", ["witnessed_pkey"]),
]  # fmt: skip
KEYS = {"entry_pkey", "entry_event_id", "head_pkey", "tile_pkey", "bundle_pkey", "witnessed_pkey"}
IDS = [attempt[0][:60] for attempt in ATTEMPTS]


@pytest.fixture(scope="module")
def guarded():
    """A log that an owner made, and a writer who may do what a writer needs."""
    server = shared()
    with server.connect() as superuser:
        for name in (OWNER, WRITER):
            superuser.execute(f"CREATE ROLE {name} LOGIN")
        superuser.execute(f"CREATE SCHEMA {SCHEMA} AUTHORIZATION {OWNER}")
    with Log.create(server.url(SCHEMA, user=OWNER), ORIGIN, str(SIGNER.verifier), clock=clock) as log:
        add(log, *range(300))
        with log.writing() as batch:
            batch.put_bundle("sha256:1", b"[]")
            batch.witness("other.example/log", 7, bytes(32), "a note")
    with server.connect() as superuser:
        superuser.execute(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {WRITER}")
        superuser.execute(f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA {SCHEMA} TO {WRITER}")
    yield server
    with server.connect() as superuser:
        superuser.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
        superuser.execute(f"DROP OWNED BY {WRITER}, {OWNER}; DROP ROLE {WRITER}; DROP ROLE {OWNER}")


@contextmanager
def session(server, user):
    """A connection in a transaction of which nothing stays."""
    with server.connect(SCHEMA, user=user) as connection:
        connection.execute("BEGIN")
        yield connection
        connection.execute("ROLLBACK")


def content(connection):
    return {
        table.name: connection.execute(f"SELECT * FROM {table.name} ORDER BY 1, 2").fetchall()
        for table in TABLES
    }


def refused(connection, words, *statements):
    """The last statement is refused with these words, and nothing is different afterwards."""
    before = content(connection)
    for statement in statements[:-1]:
        connection.execute(statement)
    with pytest.raises(psycopg.Error, match=words), connection.transaction():
        connection.execute(statements[-1])
    assert content(connection) == before


def drop(connection, *guards):
    """The guards and keys are gone."""
    for guard in guards:
        if guard == "entry_event_id":
            connection.execute(f"DROP INDEX {guard}")
        elif guard in KEYS:
            connection.execute(f"ALTER TABLE {guard.removesuffix('_pkey')} DROP CONSTRAINT {guard}")
        else:
            table = GUARDS["postgresql"][guard].statements[1].split()[2]
            connection.execute(f"DROP TRIGGER {guard} ON {table}")


@pytest.mark.parametrize("statement, guards", ATTEMPTS, ids=IDS)
@pytest.mark.parametrize("user", [OWNER, "postgres"], ids=["owner", "superuser"])
def test_refused(guarded, user, statement, guards):
    """Even owner and superuser are refused, by the guard with its reason or by a key."""
    words = "the audit log|a witness|duplicate key" if KEYS & set(guards) else "the audit log|a witness"
    with session(guarded, user) as connection:
        refused(connection, words, statement)


@pytest.mark.parametrize("statement, guards", ATTEMPTS, ids=IDS)
def test_a_writer_is_refused(guarded, statement, guards):
    """A writer's login lacks the right, or meets the same guard."""
    with session(guarded, WRITER) as connection:
        refused(connection, "permission denied|the audit log|a witness|duplicate key", statement)


@pytest.mark.parametrize("statement, guards", ATTEMPTS, ids=IDS)
def test_without_its_guard_it_succeeds(guarded, statement, guards):
    """The mutant: with the guard dropped the same statement goes through, so the guard is what stops it."""
    with session(guarded, OWNER) as connection:
        drop(connection, *guards)
        connection.execute(statement)


def test_every_guard_has_its_attempt():
    """No trigger is without a test that would miss it."""
    assert {guard for _, guards in ATTEMPTS for guard in guards} - KEYS == set(GUARDS["postgresql"])


def test_rows_of_one_statement_have_no_order(guarded):
    """The next two entries in one statement, the second first: what is there afterwards has no gap, and that is all there is to see."""
    with session(guarded, WRITER) as connection:
        connection.execute(another(SIZE + 1, SIZE))
        assert connection.execute("SELECT count(*), max(idx) FROM entry").fetchone() == (SIZE + 2, SIZE + 1)


COPIED = f"COPY entry ({COLUMNS}) FROM STDIN"


def copy_row(connection, place):
    row = list(connection.execute(f"SELECT {COLUMNS} FROM entry WHERE idx = 2").fetchone())
    row[0], row[3] = place, "copied"
    with connection.cursor().copy(COPIED) as copying:
        copying.write_row(row)


@pytest.mark.parametrize("user", [OWNER, WRITER, "postgres"], ids=["owner", "writer", "superuser"])
def test_copy_with_a_gap(guarded, user):
    """COPY meets the same guard; the next entry goes in."""
    with session(guarded, user) as connection:
        before = content(connection)
        with pytest.raises(psycopg.errors.IntegrityError, match="no gaps"), connection.transaction():
            copy_row(connection, SIZE + 1)
        assert content(connection) == before
        copy_row(connection, SIZE)


def test_copy_with_a_gap_without_the_guard(guarded):
    """The mutant."""
    with session(guarded, OWNER) as connection:
        drop(connection, "entry_next_idx")
        copy_row(connection, SIZE + 1)


REPLICA = ("SET LOCAL session_replication_role = replica", "DELETE FROM entry WHERE idx = 2")


def test_a_replica_s_session_is_refused(guarded):
    """Triggers that are ENABLE ALWAYS fire for a session that says it only replays what another server has checked."""
    with session(guarded, "postgres") as connection:
        refused(connection, "the audit log is append-only", *REPLICA)


def test_a_replica_s_session_walks_past_an_ordinary_trigger(guarded):
    """The mutant: PostgreSQL skips a trigger that is merely enabled."""
    with session(guarded, "postgres") as connection:
        connection.execute("ALTER TABLE entry ENABLE TRIGGER entry_no_delete")
        before = content(connection)
        for statement in REPLICA:
            connection.execute(statement)
        assert content(connection) != before


def shadow(table, values):
    return (
        f"CREATE TEMPORARY TABLE {table} (LIKE {SCHEMA}.{table})",
        f"INSERT INTO pg_temp.{table} {values}",
    )


SHADOWS = {
    "entry": (
        (*shadow("entry", f"SELECT {COLUMNS.replace('idx', '897 + idx', 1)} FROM {SCHEMA}.entry WHERE idx IN (2, 3)"),
         another(900).replace("INSERT INTO entry", f"INSERT INTO {SCHEMA}.entry").replace("FROM entry", f"FROM {SCHEMA}.entry")),
        "compliance_next_idx",
    ),
    "head": (
        (*shadow("head", "VALUES (1, '', '', 0)"),
         f"INSERT INTO {SCHEMA}.head SELECT 300, root, frontier, 0 FROM {SCHEMA}.head WHERE size = 301"),
        "compliance_head_grows",
    ),
    "witnessed": (
        (*shadow("witnessed", "VALUES ('x', 1, '', '', 0)"),
         f"INSERT INTO {SCHEMA}.witnessed SELECT origin, 6, root, note, 0 FROM {SCHEMA}.witnessed"),
        "compliance_forward",
    ),
}  # fmt: skip


@pytest.mark.parametrize("table", SHADOWS)
@pytest.mark.parametrize("user", [WRITER, "postgres"], ids=["writer", "superuser"])
def test_a_temporary_table_does_not_stand_before_the_log_s(guarded, user, table):
    """The guards look at the log's own tables, whatever the session has under the same names."""
    statements, _ = SHADOWS[table]
    with session(guarded, user) as connection:
        for statement in statements[:-1]:
            connection.execute(statement)
        with pytest.raises(psycopg.errors.IntegrityError, match=r"the audit log|a witness"):
            connection.execute(statements[-1])


@pytest.mark.parametrize("table", SHADOWS)
def test_without_a_fixed_search_path_it_does(guarded, table):
    """The mutant: a function that looks where the session looks is led astray."""
    statements, function = SHADOWS[table]
    with session(guarded, "postgres") as connection:
        connection.execute(f"ALTER FUNCTION {function}() RESET search_path")
        for statement in statements:
            connection.execute(statement)


NEVER_FIRES = """
    DROP TRIGGER entry_no_delete ON entry;
    CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION compliance_refuse('no');
    ALTER TABLE entry ENABLE ALWAYS TRIGGER entry_no_delete
"""
ANOTHER_BODY = f"""
    CREATE OR REPLACE FUNCTION compliance_head_grows() RETURNS trigger LANGUAGE plpgsql SET search_path = {SCHEMA}, pg_temp
    AS 'BEGIN RETURN NULL; END'
"""
CHANGED = {
    "a dropped trigger": ("DROP TRIGGER entry_no_delete ON entry", {"entry_no_delete"}),
    "a trigger set to ORIGIN": ("ALTER TABLE entry ENABLE TRIGGER entry_no_delete", {"entry_no_delete"}),
    "a disabled trigger": ("ALTER TABLE entry DISABLE TRIGGER entry_no_delete", {"entry_no_delete"}),
    "all triggers disabled": ("ALTER TABLE head DISABLE TRIGGER USER", {"head_no_update", "head_no_delete", "head_no_truncate", "head_grows"}),
    "a replica's trigger": ("ALTER TABLE entry ENABLE REPLICA TRIGGER entry_next_idx", {"entry_next_idx"}),
    "a trigger under another name": ("ALTER TRIGGER head_grows ON head RENAME TO head_grew", {"head_grows"}),
    "a trigger that never fires": (NEVER_FIRES, {"entry_no_delete"}),
    "another body": (ANOTHER_BODY, {"head_grows"}),
    "another search path": ("ALTER FUNCTION compliance_next_idx() SET search_path = public", {"entry_next_idx"}),
    "no search path": ("ALTER FUNCTION compliance_next_idx() RESET search_path", {"entry_next_idx"}),
    "pg_temp first": (f"ALTER FUNCTION compliance_forward() SET search_path = pg_temp, {SCHEMA}", {"witnessed_forward"}),
    "one more setting": ("ALTER FUNCTION compliance_forward() SET row_security = off", {"witnessed_forward"}),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGED)
def test_the_status_names_a_guard_that_was_changed(guarded, change):
    """`db status` and verify compare each trigger, its mode, and its function with what they were made as."""
    statement, names = CHANGED[change]
    with session(guarded, OWNER) as connection:
        driver = PostgresDriver(connection)
        assert status_of(driver).broken_guards == ()
        connection.execute(statement)
        assert set(status_of(driver).broken_guards) == names


def test_every_function_is_one_that_a_trigger_calls():
    """What is compared is what is made."""
    called = {guard.stored.rsplit("FUNCTION ", 1)[1].split("(")[0] for guard in GUARDS["postgresql"].values()}
    assert called == set(FUNCTIONS)
    assert all("pg_temp" in create_function(name, SCHEMA) for name in FUNCTIONS)
