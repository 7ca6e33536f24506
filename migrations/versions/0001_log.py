"""The log: entries, tiles, heads, bundles, look-up keys, quarantine, and the guards that keep it append-only.

A log is never downgraded: that would drop entries.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from compliance.ledger.guards import LOG_GUARDS, create_function

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "entry",
        sa.Column("idx", INT64, primary_key=True, autoincrement=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("recorded_us", INT64, nullable=False),
        sa.Column("event_id", sa.Text),
        sa.Column("kind", sa.Text),
        sa.Column("site", sa.Text),
        sa.Column("patient", sa.Text),
        sa.Column("session", sa.Text),
        sa.Column("occurred_us", INT64),
        sa.Column("verdict", sa.Text),
        sa.Column("target", sa.Text),
        sa.Column("digest", sa.LargeBinary),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("entry_event_id", "entry", ["event_id"], unique=True)
    objected = "verdict IN ('flagged', 'violation', 'permitted_with_warnings', 'denied')"
    for name, column, condition in (
        ("entry_target", "target", "target IS NOT NULL"),
        ("entry_objection", "idx", objected),
    ):
        where = sa.text(condition)
        op.create_index(name, "entry", [column], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "tile",
        sa.Column("level", INT64, primary_key=True),
        sa.Column("n", INT64, primary_key=True),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "head",
        sa.Column("size", INT64, primary_key=True, autoincrement=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
        sa.Column("recorded_us", INT64, nullable=False),
        sqlite_strict=True,
    )
    for name, instant in (("event_key", "occurred_us"), ("asked_key", "until_us")):
        op.create_table(
            name,
            sa.Column("key", INT64, primary_key=True),
            sa.Column(instant, INT64, primary_key=True),
            sa.Column("idx", INT64, primary_key=True),
            sqlite_strict=True,
            sqlite_with_rowid=False,
        )
    op.create_table(
        "bundle",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("documents", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "quarantine",
        sa.Column("idx", INT64, primary_key=True, autoincrement=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        schema = op.get_bind().scalar(sa.text("SELECT quote_ident(current_schema())"))
        for name in ("compliance_refuse", "compliance_next_idx", "compliance_head_grows"):
            op.execute(create_function(name, schema))
    for guard in LOG_GUARDS[dialect].values():
        for statement in guard.statements:
            op.execute(statement)
