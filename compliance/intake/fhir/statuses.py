"""What is wrong with a status, or another code of a closed list, that leaves open what happened."""

from __future__ import annotations

from typing import Any

from compliance.domain.reading import echo


def unclear(said: Any, element: str, what: str) -> str:
    """That a status is missing (R4 lets ``_status`` stand in its place), else that it does not say `what` it should."""
    return f"{echo(said)} {what}" if isinstance(said, str) else f"the {element} is missing"
