"""What changes the meaning of a resource and is not known here: a system that reads it may not pass over it (FHIR R4, "Modifier Extensions";
``Resource.implicitRules``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from compliance.intake.fhir.sketch import Resource

NOT_KNOWN: Final = (
    "this changes what the resource means, and is not known here",
    "Enter the event by hand, or have the source say the same without it.",
)
"""What is wrong with such an element, and what to do."""

_RULES: Final = "implicitRules"
_MODIFIER: Final = "modifierExtension"
_ESCAPE: Final = rb"\u"


def modifiers(resource: Resource, raw: bytes) -> Iterator[str]:
    """The places of all such elements, below the resource; a resource within it speaks for itself. `raw` are the bytes that it was read from:
    where they neither have a name of these nor an escape that could spell one, there is none."""
    if _RULES.encode() not in raw and _MODIFIER.encode() not in raw and _ESCAPE not in raw:
        return
    if _RULES in resource:
        yield _RULES
    yield from _within(resource, "")


def _within(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for position, one in enumerate(value):
            yield from _within(one, f"{path}[{position}]")
    elif isinstance(value, dict):
        for name, inner in value.items():
            here = f"{path}.{name}" if path else name
            if name == _MODIFIER:
                yield here
            elif name != "contained" and isinstance(inner, dict | list):
                yield from _within(inner, here)
