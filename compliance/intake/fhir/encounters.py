"""Encounter (FHIR R4): the class of a visit; what it says of a session that was called off, or of how the patient left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from compliance.domain.codes import Code
from compliance.domain.reading import echo
from compliance.intake.fhir.sketch import NotOurs, Resource, Sketch
from compliance.intake.fhir.view import View, codes_of, put_entered_at, put_site, reference_text
from compliance.intake.fhir.visits import is_coded_treatment, staff_among

V3_ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/medication-admin-category"
DISPOSITION: Final = "http://terminology.hl7.org/CodeSystem/discharge-disposition"
CANCELLED: Final = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"

CLASSES: Final[Mapping[Code, str]] = {
    Code(V3_ACT_CODE, "AMB"): "outpatient",
    Code(V3_ACT_CODE, "EMER"): "emergency_department",
    Code(V3_ACT_CODE, "IMP"): "inpatient",
    Code(V3_ACT_CODE, "ACUTE"): "inpatient",
    Code(V3_ACT_CODE, "NONAC"): "inpatient",
    Code(V3_ACT_CODE, "HH"): "home",
    Code(V3_ACT_CODE, "FLD"): "other",  # outside a facility, neither at home
    Code(V3_ACT_CODE, "OBSENC"): "other",  # observed in a hospital, admitted or not
    Code(V3_ACT_CODE, "SS"): "other",  # short stay
    Code(CATEGORY, "inpatient"): "inpatient",
    Code(CATEGORY, "outpatient"): "outpatient",
}
"""Where a visit, or a dose, was. A virtual visit (VR) and one before admission (PRENC) do not say; nor does ``community``, which is homes of
all kinds."""

DISPOSITIONS: Final[Mapping[Code, str]] = {
    Code(DISPOSITION, "home"): "home",
    Code(DISPOSITION, "alt-home"): "home",
    Code(DISPOSITION, "aadvice"): "against_advice",
}
"""Where the patient went. Another facility (``other-hcf``, ``psy``, ``rehab`` ...) need be no higher level of care; a hospice (``hosp``) and death
have no place."""

CALLED_OFF: Final[Mapping[Code, str]] = {Code(CANCELLED, "pat"): "patient_request"}
"""Why an appointment was cancelled, as far as the vocabulary has a word. Any other is `other`."""

_BY_HAND: Final = "Record it with `compliance events add discharge`, which asks for both."


def encounter_class(resource: Resource) -> str | None:
    """Where a visit was, as `administration` says it, by ``Encounter.class`` (HL7 v3 ActCode). None where its code does not tell."""
    return next(
        (CLASSES[code] for code in codes_of({"coding": [resource.get("class") or {}]}) if code in CLASSES),
        None,
    )


def put_encounter_class(sketch: Sketch, view: View) -> None:
    """Set `encounter_class` of a MedicationAdministration: by the class of its Encounter, else by its category.

    The site alone tells nothing: at one address doses are given to outpatients and to people in a hospital's beds.
    """
    text = reference_text(sketch.resource.get("context"))
    visit = (None if text is None else view.resolve(text)) or {}
    by_category = (CLASSES[code] for code in codes_of(sketch.resource.get("category")) if code in CLASSES)
    said = encounter_class(visit) or next(by_category, None)
    sketch.put("encounter_class", said, "context")
    if said is None:
        message = (
            "neither the class of an Encounter in the input nor the category says where the dose was given"
        )
        remedy = "Send the Encounter with its class, such as AMB, in the same input, or category outpatient or inpatient."
        sketch.wrong("context", message, remedy)


def encounter(resource: Resource, view: View) -> list[Sketch] | NotOurs:
    """A session that was called off, or how the patient left, where the visit is one at which a drug of ours is given."""
    dosed = view.first_dose(f"Encounter/{resource.get('id')}") is not None
    if not dosed and not is_coded_treatment(resource, view):
        return NotOurs("a visit that is no treatment session")
    status = resource.get("status")
    if status == "cancelled":
        return [_called_off(resource, view, dosed=dosed)]
    if status == "finished":
        left = (resource.get("hospitalization") or {}).get("dischargeDisposition")
        return (
            NotOurs("a visit without a discharge disposition")
            if left is None
            else [_left(resource, view, left)]
        )
    if status in {"planned", "arrived", "triaged", "in-progress", "onleave"}:
        return NotOurs("a visit that is not over")
    sketch = _sketch("session_stop", resource, view)
    sketch.put("stage", None, "status")
    sketch.put("cause", None, "status")
    sketch.wrong(
        "status",
        f"{echo(str(status))} does not say what became of the visit",
        "Send it again once its status is known.",
    )
    return [sketch]


def _sketch(kind: str, resource: Resource, view: View) -> Sketch:
    sketch = Sketch(kind, resource)
    actor = staff_among([one.get("individual") for one in resource.get("participant") or ()], view)
    view.envelope(sketch, patient="subject", encounter=None, actor=actor, actor_path="participant.individual")
    stays = (stay.get("location") for stay in resource.get("location") or ())
    put_site(sketch, view.site_at(stays), "location", view)
    put_entered_at(sketch)
    sketch.put("session", resource.get("id"), "id")
    period = resource.get("period") or {}
    sketch.put("occurred_at", period.get("end"), "period")
    return sketch


def _called_off(resource: Resource, view: View, *, dosed: bool) -> Sketch:
    """R4: a cancelled visit has ended before it began. Whether the patient stayed away is on the Appointment, not on the Encounter."""
    sketch = _sketch("session_stop", resource, view)
    period = resource.get("period") or {}
    booked: Any = next(_appointments(resource, view), {})
    sketch.put("occurred_at", period.get("end") or period.get("start") or booked.get("start"), "period")
    stayed_away = booked.get("status") == "noshow"
    sketch.put("stage", "missed" if stayed_away else "cancelled_before_dose", "status")
    if dosed:
        sketch.wrong(
            "status",
            "cancelled before it began, and a dose was given at it",
            "Correct the visit or the dose.",
        )
    why = booked.get("cancelationReason")
    known = (CALLED_OFF[code] for code in codes_of(why) if code in CALLED_OFF)
    cause = "patient_no_show" if stayed_away else next(known, "other" if why is not None else None)
    sketch.put("cause", cause, "appointment")
    if cause is None:
        said = "an Encounter does not say why it was cancelled"
        sketch.wrong(
            "appointment",
            said,
            "Send its Appointment, with status noshow or its cancelationReason, in the same input.",
        )
    return sketch


def _appointments(resource: Resource, view: View) -> Iterator[Resource]:
    for reference in resource.get("appointment") or ():
        text = reference_text(reference)
        found = None if text is None else view.resolve(text)
        if found is not None and found["resourceType"] == "Appointment":
            yield found


def _left(resource: Resource, view: View, left: Any) -> Sketch:
    """How the patient left: ours, and always incomplete, since R4 has no element for how they travelled and what they took with them."""
    path = "hospitalization.dischargeDisposition"
    sketch = _sketch("discharge", resource, view)
    sketch.put(
        "disposition",
        next((DISPOSITIONS[code] for code in codes_of(left) if code in DISPOSITIONS), None),
        path,
    )
    sketch.put("departure_mode", None, "hospitalization")
    sketch.put("devices_taken", None, "hospitalization")
    said = "an Encounter does not say how the patient left and how many devices went along"
    sketch.wrong("hospitalization", said, _BY_HAND)
    return sketch
