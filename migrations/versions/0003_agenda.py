"""The agenda: what became of each duty up to the last night that was looked at, and where that was looked up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "agenda",
        sa.Column("number", INT64, primary_key=True, autoincrement=False),
        sa.Column("day", INT64, nullable=False),
        sa.Column("ends_us", INT64, nullable=False),
        sa.Column("size", INT64, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("bundle", sa.Text, nullable=False),
        sa.Column("whole", INT64, nullable=False),
        sa.Column("seal", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "duty",
        sa.Column("id", INT64, primary_key=True, autoincrement=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("opening", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    unsettled = sa.text("state IN ('open', 'missed')")
    op.create_index("duty_unsettled", "duty", ["id"], sqlite_where=unsettled, postgresql_where=unsettled)
    op.create_table(
        "duty_key",
        sa.Column("duty", INT64, primary_key=True),
        sa.Column("key", INT64, primary_key=True),
        sa.Column("until_us", INT64, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("duty_key_until", "duty_key", ["key", "until_us"])
