"""What the clinical resources share: at which visit something was, when, and who made it."""

from __future__ import annotations

from typing import Any

from compliance.intake.fhir.sketch import Resource, Sketch
from compliance.intake.fhir.view import View, codes_of, reference_text


def is_treatment(encounter: Any, view: View) -> bool:
    """Whether an encounter reference names a treatment session: a dose of ours was given there, or the site's codes say so of its type."""
    said = reference_text(encounter)
    if said is None:
        return False
    if view.first_dose(said) is not None:
        return True
    return is_coded_treatment(view.resolve(said) or {}, view)


def is_coded_treatment(visit: Resource, view: View) -> bool:
    """Whether a site's codes say of an Encounter's type, service or class that a drug of ours is given at such visits."""
    concepts = (
        *(visit.get("type") or ()), visit.get("serviceType"), {"coding": [visit.get("class") or {}]},
    )  # fmt: skip
    return any(code in view.codes.encounters for concept in concepts for code in codes_of(concept))


def type_of(reference: Any, view: View) -> str | None:
    """The type of resource that a reference names, as far as the input or the reference itself says."""
    said = reference_text(reference)
    resource = None if said is None else view.resolve(said)
    if resource is not None:
        return str(resource["resourceType"])
    if said is None or "/" not in said:
        return reference.get("type") if isinstance(reference, dict) else None
    return said.split("/")[-2]


def staff_among(references: Any, view: View) -> Any:
    """The first of several references that names one of the staff."""
    for one in references or ():
        if view.staff(one) is not None:
            return one
    return None


def when(sketch: Sketch, name: str = "occurred_at") -> None:
    """Set an instant from ``effective[x]`` of an Observation. Of a period it is the end: only then was the reading known, and what ended
    after a dose was not measured before it. A day, or a schedule, is no instant."""
    resource: Resource = sketch.resource
    if "effectiveTiming" in resource:
        sketch.wrong("effectiveTiming", "a schedule and not a moment", "Send effectiveDateTime.")
    elif "effectivePeriod" in resource:
        sketch.put(name, resource["effectivePeriod"].get("end"), "effectivePeriod.end")
        return
    elif "effectiveInstant" in resource:
        sketch.put(name, resource["effectiveInstant"], "effectiveInstant")
        return
    sketch.put(name, resource.get("effectiveDateTime"), "effectiveDateTime")
