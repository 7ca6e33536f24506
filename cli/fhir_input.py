"""FHIR resources as the input of ``record`` and ``check``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

from compliance.errors import InputError

from .formats import Form

if TYPE_CHECKING:
    from compliance.intake.drafts import Read
    from compliance.ledger.log import Log


def read_fhir(
    files: Sequence[tuple[str, BinaryIO]], form: Form, log: Log, *, actor: str | None, written: bool
) -> Iterator[Read]:
    """All files as one input, so that references between them are resolved; events in the order in which they occurred."""
    raise InputError("FHIR cannot be read yet", "Send JSON.")
