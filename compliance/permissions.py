"""What a person may enter: the roles that the log gave, and what the bundle permits to each (bundle.yaml, permissions)."""

from __future__ import annotations

from typing import Final

from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.policy.model import Bundle

_GIVES: Final = ("grant", "restore", "issue_token", "replace_token")


def may_enter(log: Log, bundle: Bundle, person: str, kind: str, at: int) -> bool:
    """Whether one of the roles that a person has at an instant may enter events of a kind; where no role is said to, nobody is asked for one."""
    may = {role for role, kinds in bundle.tables.permissions.items() if kind in kinds}
    held: dict[str, bool] = {}
    for event in LogHistory(log).newest_first("access_change", "subject", person, at, None):
        said = event.values
        given = said["action"] in _GIVES and said["starts_at"] <= at < said.get("ends_at", at + 1)
        held.setdefault(said.get("role", ""), given)
    return not may or any(held.get(role) for role in may)
