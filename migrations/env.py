"""Runs the migrations on the connection that `compliance.ledger.schema` gives; there is no alembic.ini and no other way in."""

from __future__ import annotations

from alembic import context

from compliance.ledger.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
