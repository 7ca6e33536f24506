"""Tables (CSV, XLSX) as the input of ``record`` and ``check``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from compliance.errors import InputError

from .formats import Form

if TYPE_CHECKING:
    from compliance.intake.drafts import Read
    from compliance.ledger.log import Log


def read_table(
    source: str, stream: BinaryIO, form: Form, log: Log, *, format: str, actor: str | None
) -> Iterator[Read]:
    """The events of a table's rows."""
    raise InputError("tables cannot be read yet", "Send JSON.")
