"""What was seen of other logs, for cosignatures; a witness only goes forward."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from compliance.ledger.guards import WITNESS_GUARDS, create_function

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "witnessed",
        sa.Column("origin", sa.Text, primary_key=True),
        sa.Column("size", INT64, primary_key=True),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("recorded_us", INT64, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        schema = op.get_bind().scalar(sa.text("SELECT quote_ident(current_schema())"))
        op.execute(create_function("compliance_forward", schema))
    for guard in WITNESS_GUARDS[dialect].values():
        for statement in guard.statements:
            op.execute(statement)
