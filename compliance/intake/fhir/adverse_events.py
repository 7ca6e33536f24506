"""AdverseEvent to `adverse_event`: what happened, to a patient who had a drug of ours or was in a treatment session.

Nothing serious is passed over for want of data: where nobody says what is suspected, the resource is kept as rejected. Codes are those of the R4
value sets adverse-event-seriousness, -severity and -outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from compliance.domain.codes import Code
from compliance.intake.fhir.sketch import NotOurs, Resource, Sketch
from compliance.intake.fhir.view import SNOMED, View, codes_of, instant_of, put_entered_at, reference_text
from compliance.intake.fhir.visits import is_treatment
from compliance.intake.fhir.which_drug import Meant, which_drug

POTENTIAL: Final = NotOurs("an adverse event that might have happened and did not")
ANOTHER_CAUSE: Final = NotOurs("an adverse event of another product, outside a treatment session")

_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/adverse-event-"
_CRITERIA: Final[Mapping[str, tuple[str, ...]]] = {
    "serious": (),
    "seriousresultsindeath": ("death",),
    "seriousislifethreatening": ("life_threatening",),
    "seriousresultsinhospitalization": ("hospitalisation",),
    "seriousresultsindisability": ("disability",),
    "seriousisbirthdefect": (),
    "seriousrequirespreventimpairment": ("important_medical",),
}
"""The tests of seriousness that a code says are met (21 CFR 312.32(a)); a birth defect has no word of its own in the vocabulary."""
_NOT_SERIOUS: Final = "non-serious"
_SEVERITY: Final = frozenset(("mild", "moderate", "severe"))
_OUTCOME: Final[Mapping[str, str]] = {
    "resolved": "recovered",
    "recovering": "recovering",
    "ongoing": "not_recovered",
    "resolvedwithsequelae": "not_recovered",  # what remains is not recovered from
    "fatal": "fatal",
    "unknown": "unknown",
}
_CATEGORY: Final[Mapping[Code, str]] = {
    Code(SNOMED, "271782001"): "sedation",  # Drowsy
    Code(SNOMED, "38341003"): "hypertension",  # Hypertensive disorder
    Code(SNOMED, "6471006"): "suicidality",  # Suicidal thoughts
    Code(SNOMED, "82313006"): "suicidality",  # Suicide attempt
    Code(SNOMED, "38822007"): "urinary",  # Cystitis
    Code(SNOMED, "49650001"): "urinary",  # Dysuria
    Code(SNOMED, "34436003"): "urinary",  # Blood in urine
    Code(SNOMED, "18165001"): "hepatic",  # Jaundice
    Code(SNOMED, "128241005"): "hepatic",  # Inflammatory disease of liver
    Code(SNOMED, "59927004"): "hepatic",  # Hepatic failure
}
"""The classes that rules ask for, by the few codes that are plainly of one; all else is ``other``."""


def adverse_event(resource: Resource, view: View) -> list[Sketch] | NotOurs:
    """The event of an AdverseEvent that did happen."""
    if resource.get("actuality") == "potential":
        return POTENTIAL
    suspects = [
        (i, _suspected(one.get("instance"), view)) for i, one in enumerate(resource.get("suspectEntity", ()))
    ]
    ours = next((one for _, one in suspects if isinstance(one, Meant) and one.drug is not None), None)
    unclear = next(
        ((i, one.problem) for i, one in suspects if isinstance(one, Meant) and one.problem is not None), None
    )
    in_session = is_treatment(resource.get("encounter"), view)
    sketch = Sketch("adverse_event", resource)
    if ours is None and not in_session:
        if suspects and unclear is None:
            return ANOTHER_CAUSE
        _nobody_says(sketch, unclear)
    if resource.get("actuality") != "actual":
        sketch.wrong("actuality", "nobody says whether it happened", "Send actual or potential.")
    _who_and_where(sketch, view, in_session)
    _times(sketch)
    _what(sketch)
    _how_bad(sketch)
    if ours is not None and ours.drug is not None:
        sketch.put("drug", ours.drug.code, "suspectEntity")
        sketch.put("lot", ((ours.medication or {}).get("batch") or {}).get("lotNumber"), "suspectEntity")
    return [sketch]


def _suspected(instance: Any, view: View) -> Meant | NotOurs:
    """The drug that a suspected thing is: a Medication, a Substance, or what tells of a medication."""
    said = reference_text(instance)
    found = None if said is None else view.resolve(said)
    if found is None or found["resourceType"] == "Medication":
        return which_drug({"medicationReference": instance}, view)
    if found["resourceType"] == "Substance":
        return which_drug({"medicationCodeableConcept": found.get("code")}, view)
    if found["resourceType"].startswith("Medication"):
        return which_drug(found, view)
    return ANOTHER_CAUSE


def _nobody_says(sketch: Sketch, unclear: tuple[int, tuple[str, str]] | None) -> None:
    if unclear is None:
        remedy = "Name the suspected drug, or the visit at which it was given, in the same input."
        sketch.wrong("suspectEntity", "nobody says which product is suspected", remedy)
    else:
        sketch.wrong(f"suspectEntity[{unclear[0]}].instance", *unclear[1])


def _who_and_where(sketch: Sketch, view: View, in_session: bool) -> None:
    resource = sketch.resource
    view.envelope(
        sketch,
        patient="subject",
        encounter="encounter",
        actor=resource.get("recorder"),
        actor_path="recorder",
    )
    if not in_session:
        sketch.fields.pop("session", None)  # another kind of visit, such as one to an emergency department
    place = view.place(resource.get("location"))
    if place is not None:
        sketch.put("site", place, "location")


def _times(sketch: Sketch) -> None:
    """Onset, and when the clinic learnt of it: when it was detected, else at the latest when it was recorded."""
    resource = sketch.resource
    sketch.put("occurred_at", resource.get("date"), "date")
    known = "detected" if "detected" in resource else "recordedDate"
    sketch.put("known_at", resource.get(known), known)
    if instant_of(resource.get("recordedDate")) is None:
        put_entered_at(sketch)
    else:
        sketch.put("entered_at", resource["recordedDate"], "recordedDate")


def _what(sketch: Sketch) -> None:
    """The term of the first code, by its name in the terminology, else the code itself. Free text stays behind."""
    event = sketch.resource.get("event")
    codings = [one for one in (event or {}).get("coding", ()) if "code" in one]
    sketch.put("episode", sketch.resource.get("id"), "id")
    sketch.put("term", (codings[0].get("display") or codings[0]["code"]) if codings else None, "event")
    sketch.put(
        "category", next((_CATEGORY[code] for code in codes_of(event) if code in _CATEGORY), "other"), "event"
    )


def _how_bad(sketch: Sketch) -> None:
    seriousness, severity, outcome = (_code(sketch, name) for name in ("seriousness", "severity", "outcome"))
    criteria = _CRITERIA.get(seriousness or "", ())
    if outcome == "fatal" and "death" not in criteria:
        criteria = (*criteria, "death")
    serious = None if seriousness not in (*_CRITERIA, _NOT_SERIOUS) else seriousness != _NOT_SERIOUS
    if outcome == "fatal":
        serious = True
    sketch.put("serious", serious, "seriousness")
    sketch.put("criteria", list(criteria) or None, "seriousness")
    worst = "fatal" if "death" in criteria else "life_threatening" if "life_threatening" in criteria else None
    sketch.put("severity", worst or (severity if severity in _SEVERITY else None), "severity")
    sketch.put("outcome", _OUTCOME.get(outcome or ""), "outcome")


def _code(sketch: Sketch, name: str) -> str | None:
    """The code of an element in its own R4 code system; HL7 changed the case of some between releases, which is no other meaning."""
    said = codes_of(sketch.resource.get(name))
    return next((code.code.casefold() for code in said if code.system == f"{_SYSTEM}{name}"), None)
