"""What a resource of an input has to do with others of it, and must not: the same id at another server, the same dose twice, a visit of another patient.

Each is told at its element; what the log knows besides is a matter of `compliance.fhir_versions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from compliance.intake.fhir.gathering import Gathered, Kept, relative
from compliance.intake.fhir.references import References
from compliance.intake.fhir.servers import PART, SAME, SEVERAL, identifier_text
from compliance.intake.fhir.sketch import Resource, Sketch
from compliance.intake.fhir.view import View, reference_text

DEEPEST: Final = 20
"""References are followed so far to see whether one is ambiguous."""

ANOTHER_S_VISIT: Final = (
    "the visit at which this was is that of another patient",
    "Correct the patient here or at the Encounter.",
)

IN_PARTS: Final = (
    "others in the input are parts of this dose, and tell of what was given themselves",
    "The parts are recorded, since each is a device or a portion of its own; send only them, or only the whole.",
)
TOLD_TWICE: Final = (
    "an earlier dose in the input has this identifier, so this is the same under another id",
    "Send a dose once; if these are two, give each an identifier of its own.",
)


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

    def objections(
        self, kept: Kept, sketch: Sketch, view: View, same: Callable[[str, str], bool]
    ) -> Iterator[Objection]:
        """What else is wrong with what a resource tells of an event."""
        yield from self._twice(kept, sketch)
        path = sketch.places.get("patient")
        patient = None if path is None else reference_text(sketch.resource.get(path))
        if path is not None and patient is not None and "patient" in sketch.fields:
            subject = self._subject(sketch.resource, view)
            if subject is not None and not same(patient, subject):
                yield Objection(path, *ANOTHER_S_VISIT)

    def _twice(self, kept: Kept, sketch: Sketch) -> Iterator[Objection]:
        """Where a dose is told by others of the input, too: by its parts, or under another id."""
        if sketch.kind != "administration":
            return
        names = {name for name in (kept.key, kept.url, relative(kept.url or "")) if name}
        if any(self._given(part) for _, part in self._references.others(kept, PART, names)):
            yield Objection("id", *IN_PARTS)
        said = [text for one in sketch.resource.get("identifier", ()) if (text := identifier_text(one))]
        for other, found in self._references.others(kept, SAME, said) if said else ():
            if (other.at, other.seq) < (kept.at, kept.seq) and self._given(found):
                yield Objection("identifier", *TOLD_TWICE)
                return

    def _subject(self, resource: Resource, view: View) -> str | None:
        """The patient of the visit at which something was; None where the input does not tell."""
        visit = reference_text(resource.get("encounter") or resource.get("context"))
        found = None if visit is None else view.resolve(visit)
        if found is None or found["resourceType"] != "Encounter":
            return None
        subject = reference_text(found.get("subject")) or ""
        return subject if subject.startswith("Patient/") and "#" not in subject else None

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
