"""What a resource of an input has to do with others of it, and must not: the same id at another server, the same dose twice, a visit of another patient.

Each is told at its element; what the log knows besides is a matter of `compliance.fhir_versions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from compliance.intake.fhir.gathering import Gathered, Kept
from compliance.intake.fhir.references import References
from compliance.intake.fhir.servers import SEVERAL
from compliance.intake.fhir.sketch import Resource
from compliance.intake.fhir.view import reference_text

DEEPEST: Final = 20
"""References are followed so far to see whether one is ambiguous."""


class Objection(NamedTuple):
    """What is wrong at an element, and what to do."""

    path: str
    message: str
    remedy: str


class Crossings:
    """Looks around a resource. `given` tells whether something of ours was given, by a MedicationAdministration."""

    def __init__(self, gathered: Gathered, references: References, given: Callable[[Resource], bool]) -> None:
        self._gathered = gathered
        self._references = references
        self._given = given

    def ambiguous(self, kept: Kept, resource: Resource | None) -> Iterator[Objection]:
        """Where this resource, or what it refers to, has an id that the input shows at several servers."""
        if not self._gathered.mixed:
            return
        if kept.key is not None and self._gathered.ambiguous(kept.key):
            yield Objection("id", *SEVERAL)
        seen: set[str] = set()
        for path, said in () if resource is None else _named(resource, ()):
            if self._leads_astray(said, seen, DEEPEST):
                yield Objection(path, *SEVERAL)

    def _leads_astray(self, said: str, seen: set[str], depth: int) -> bool:
        key = self._references.called(said).partition("#")[0]
        if self._gathered.ambiguous(key):
            return True
        if key in seen or not key or not depth:
            return False
        seen.add(key)
        found = self._references.resolve(key)
        further = () if found is None else _named(found, ())
        return any(self._leads_astray(inner, seen, depth - 1) for _, inner in further)


def _named(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Every reference in a resource with the element that holds it."""
    if isinstance(value, dict):
        said = reference_text(value)
        if said is not None:
            yield ".".join(path), said
        for name, inner in value.items():
            if isinstance(inner, dict | list):
                yield from _named(inner, (*path, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner, path)
