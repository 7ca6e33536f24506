"""An event as far as one FHIR resource tells it, before it is checked against the vocabulary.

A mapper (`observations.py`, `medications.py` ...) takes a resource whose structure was checked and gives sketches, or says why it is not ours.
What the resource leaves open stays open: a field that the vocabulary requires and the resource does not give becomes a problem at the
element where it should stand, and the resource is kept as ``rejected``; one that only rules ask for becomes an event with that gap.
Nothing is filled in from a name that people read.

    sketch = Sketch("administration", resource)
    sketch.put("dose_mg", amount, "dosage.dose")        # None: not given, and the place is known
    sketch.wrong("dosage.dose.unit", "a dose in 'TAB'", "Send milligrams.")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from compliance.domain.event import Event
from compliance.domain.making import make_event
from compliance.errors import Place, Problem

if TYPE_CHECKING:
    from compliance.intake.fhir.view import View

Resource: TypeAlias = Mapping[str, Any]
"""A resource as JSON, its numbers as `NumberText` or int, so that a decimal keeps its digits."""


@dataclass(frozen=True, slots=True)
class NotOurs:
    """Why a resource is passed over; the same words for the same reason, without data of the resource. `codes` are those of its drug, where
    that is the reason (`PassedOver.codes`)."""

    reason: str
    codes: tuple[str, ...] | None = None


@dataclass(slots=True)
class Sketch:
    """Fields of one event of a `kind`, each with the element that it comes from. `suffix` tells apart several events of one resource."""

    kind: str
    resource: Resource
    suffix: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    problems: list[tuple[str, str, str]] = field(default_factory=list)

    def put(self, name: str, value: Any, path: str) -> None:
        """Set a field from an element; `path` is below the resource, such as ``dosage.dose``. None leaves the field out."""
        self.places[name] = path
        if value is not None:
            self.fields[name] = value

    def wrong(self, path: str, message: str, remedy: str) -> None:
        """Note what cannot be taken at an element. The resource is then kept as rejected, with all its problems at once."""
        self.problems.append((path, message, remedy))

    def finished(self, place: Place) -> Event | tuple[Problem, ...]:
        """The event, or everything that is wrong, each problem at its element: ``MedicationAdministration.dosage.dose``."""
        name = self.resource["resourceType"]
        own = tuple([
            Problem(Place(place.source, place.line, field=f"{name}.{path}"), message, remedy, "fhir")
            for path, message, remedy in self.problems
        ])  # fmt: skip
        made = make_event({"kind": self.kind, **self.fields}, source=place.source, line=place.line)
        if isinstance(made, Event):
            return own or made
        told = {problem.place.field for problem in own}
        moved = (self._moved(problem, name) for problem in made)
        return own + tuple(problem for problem in moved if problem.place.field not in told)

    def _moved(self, problem: Problem, name: str) -> Problem:
        """A problem of a field, at the element that the field comes from."""
        at = problem.place
        field_name = (at.field or "").partition(".")[0].partition("[")[0]
        path = self.places.get(field_name)
        element = f"{name} ({at.field})" if path is None else f"{name}.{path}"
        return Problem(
            Place(at.source, at.line, field=element), problem.message, problem.remedy, problem.code
        )


Mapper: TypeAlias = Callable[[Resource, "View"], "list[Sketch] | NotOurs"]
"""The events that a resource tells of, or why it is none of ours. It never raises for what a resource says."""
