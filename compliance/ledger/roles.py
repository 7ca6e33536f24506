"""Who connects, as the database sees it (audit-log.md, "Append-only enforcement")."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a connection may do: read; read and append; make and migrate the schema."""

    READER = "reader"
    WRITER = "writer"
    OWNER = "owner"


def database_role(role: Role) -> str:
    """The role of a PostgreSQL server that ``compliance db roles`` makes for it."""
    return f"compliance_{role.value}"
