"""MedicationRequest (FHIR R4) to `order` or `prescription`."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

from compliance.domain.drugs import Drug
from compliance.domain.reading import Unreadable
from compliance.intake.fhir.amounts import (
    MINUTES,
    dose_mg,
    given,
    has_rate,
    mg_per_kg,
    mg_per_minute,
    value_of,
)
from compliance.intake.fhir.indications import put_indication
from compliance.intake.fhir.routes import put_route
from compliance.intake.fhir.sketch import NotOurs, Resource, Sketch
from compliance.intake.fhir.statuses import unclear
from compliance.intake.fhir.view import View, codes_of, instant_of, put_entered_at
from compliance.intake.fhir.visits import type_of
from compliance.intake.fhir.which_drug import Meant, which_drug

CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/medicationrequest-category"

ORDERED: Final = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
"""Intents that authorise somebody to act."""

NOT_YET: Final = frozenset({"proposal", "plan", "option"})

_BY_HAND: Final = "Record it with `compliance events add prescription`, which asks for what is missing."


def is_prescription(resource: Resource) -> bool:
    """Whether a request is one to a pharmacy: by its category, else by whether it authorises a supply.

    An inpatient order stays one when a pharmacy supplies the ward.
    """
    categories = {
        code.code
        for concept in resource.get("category") or ()
        for code in codes_of(concept)
        if code.system == CATEGORY
    }
    if categories & {"community", "discharge"}:
        return True
    return "inpatient" not in categories and resource.get("dispenseRequest") is not None


def request(resource: Resource, view: View) -> list[Sketch] | NotOurs:
    """The order to give a drug at the site, or the prescription that a pharmacy fills."""
    meant = which_drug(resource, view)
    if isinstance(meant, NotOurs):
        return meant
    if resource.get("doNotPerform") is True:
        return NotOurs("a request that the drug be not given")
    if resource.get("intent") in NOT_YET:
        return NotOurs("a request that is only proposed")
    if resource.get("status") == "draft":
        return NotOurs("a request that is a draft")
    sketch = (
        _prescription(resource, view, meant) if is_prescription(resource) else _order(resource, view, meant)
    )
    if resource.get("intent") not in ORDERED:
        said = unclear(resource.get("intent"), "intent", "is no intent of R4")
        sketch.wrong("intent", said, "Send order, or what it is.")
    return [sketch]


def _sketch(kind: str, resource: Resource, view: View, meant: Meant) -> Sketch:
    sketch = Sketch(kind, resource)
    signed_in = "recorder" if view.staff(resource.get("recorder")) is not None else "requester"
    view.envelope(
        sketch, patient="subject", encounter="encounter", actor=resource.get(signed_in), actor_path=signed_in
    )
    put_entered_at(sketch)
    meant.put(sketch)
    sketch.put(kind, resource.get("id"), "id")
    sketch.put("prescriber", view.staff(resource.get("requester")), "requester")
    sketch.put("occurred_at", resource.get("authoredOn"), "authoredOn")
    return sketch


def _order(resource: Resource, view: View, meant: Meant) -> Sketch:
    sketch = _sketch("order", resource, view, meant)
    put_indication(sketch, view, meant.drug)
    dosage = _put_dosage(sketch, meant)
    if sketch.fields.get("route") == "iv_infusion":
        _put_planned_min(sketch, dosage)
    ends = ((_repeat(dosage)).get("boundsPeriod") or {}).get("end")
    sketch.put("expires_at", ends, "dosageInstruction.timing")
    _put_end(sketch, ends)
    return sketch


def _put_end(sketch: Sketch, ends: Any) -> None:
    """The end of an order that was withdrawn, stopped or put on hold.

    R4 calls cancelled what was withdrawn before any dose, so such an order never held. When another was halted is not told; at the server's
    last change it was, so no dose after it was under the order.
    """
    resource, status = sketch.resource, sketch.resource.get("status")
    if status in {"active", "completed"}:
        return
    if status == "cancelled":
        sketch.put("expires_at", resource.get("authoredOn"), "authoredOn")
    elif status in {"stopped", "on-hold"}:
        updated = (resource.get("meta") or {}).get("lastUpdated")
        halted, bound = instant_of(updated), instant_of(ends)
        if halted is None:
            sketch.wrong("status", "nothing tells by when the order was halted", "Send meta.lastUpdated.")
        elif bound is None or halted < bound:
            sketch.put("expires_at", updated, "meta.lastUpdated")
    else:
        said = unclear(status, "status", "does not say whether the order stands")
        sketch.wrong("status", said, "Send it again once its status is known.")


def _prescription(resource: Resource, view: View, meant: Meant) -> Sketch:
    """Ours, and always incomplete: R4 has no element for three things that a controlled prescription must show."""
    sketch = _sketch("prescription", resource, view, meant)
    for name in ("transmission", "destination", "tele_basis"):
        sketch.put(name, None, "dispenseRequest")
    said = "a MedicationRequest does not say how it was sent, where the drug goes and on what ground it was prescribed at a distance"
    sketch.wrong("dispenseRequest", said, _BY_HAND)
    sketch.put("issued_on", _day(resource.get("authoredOn")), "authoredOn")
    supply = resource.get("dispenseRequest") or {}
    sketch.put("refills", supply.get("numberOfRepeatsAllowed"), "dispenseRequest.numberOfRepeatsAllowed")
    sketch.put("quantity", None, "medication" if meant.drug is None else "dispenseRequest.quantity")
    if meant.drug is not None:
        try:
            amount = given(supply.get("quantity"), meant.drug, meant.strength, is_kit=meant.is_kit)
            sketch.put("quantity", amount.quantity, "dispenseRequest.quantity")
        except Unreadable as error:
            sketch.wrong("dispenseRequest.quantity", error.message, error.remedy)
    dosage = _put_dosage(sketch, meant)
    sketch.put("directions", dosage.get("text"), "dosageInstruction.text")
    for reference in resource.get("basedOn") or ():
        if type_of(reference, view) == "MedicationRequest":
            sketch.put("order", view.handle(reference), "basedOn")
    if resource.get("status") not in {"active", "completed"}:
        said = unclear(resource.get("status"), "status", "is no status of a prescription that has a place")
        sketch.wrong("status", said, "If it was recorded before, void it with `compliance events void`.")
    return sketch


def _day(said: Any) -> str | None:
    """The day on the face of a prescription, by the clock where it was written; a time in UTC does not show it."""
    if not isinstance(said, str) or said.upper().endswith(("Z", "+00:00", "-00:00")):
        return None
    return said[: len("2026-03-02")]


def _put_dosage(sketch: Sketch, meant: Meant) -> Any:
    """Set route and dose by the one instruction there is, and give it."""
    instructions: Any = sketch.resource.get("dosageInstruction") or ({},)
    if len(instructions) > 1:
        sketch.wrong(
            "dosageInstruction",
            "several instructions, and an event has one dose",
            "Send a request for each dose.",
        )
    dosage: Any = instructions[0]
    flows = any(has_rate(part) for part in dosage.get("doseAndRate") or ())
    put_route(sketch, dosage, "dosageInstruction", has_rate=flows)
    path = "dosageInstruction.doseAndRate"
    sketch.put("dose_mg", None, "medication" if meant.drug is None else path)
    if meant.drug is not None:
        try:
            _put_doses(sketch, dosage, meant.drug, meant)
        except Unreadable as error:
            sketch.wrong(path, error.message, error.remedy)
    return dosage


def _put_doses(sketch: Sketch, dosage: Any, drug: Drug, meant: Meant) -> None:
    path = "dosageInstruction.doseAndRate"
    for name, said in _doses(dosage, drug, meant.strength):
        if sketch.fields.get(name, said) != said:
            raise Unreadable("it says two doses", "Send one dose.")
        if not (name == "dose_mg_per_kg" and sketch.kind == "prescription"):
            sketch.put(name, said, path)


def _doses(dosage: Any, drug: Drug, strength: Fraction | None) -> Iterator[tuple[str, str]]:
    for part in dosage.get("doseAndRate") or ():
        quantity = part.get("doseQuantity")
        if part.get("doseRange") is not None:
            raise Unreadable("a range is no dose", "Send doseQuantity.")
        if quantity is None:
            continue
        by_weight = mg_per_kg(quantity)
        if by_weight is not None:
            yield "dose_mg_per_kg", by_weight
        elif (said := dose_mg(quantity, drug, strength)) is not None:
            yield "dose_mg", said


def _put_planned_min(sketch: Sketch, dosage: Any) -> None:
    """How long the infusion is to run: by its duration, else by dose and rate, where that comes to whole minutes."""
    repeat = _repeat(dosage)
    try:
        minutes = _minutes(sketch, dosage, repeat)
    except Unreadable as error:
        sketch.wrong("dosageInstruction", error.message, error.remedy)
        return
    if minutes is not None and minutes.denominator == 1:
        sketch.put("planned_min", minutes.numerator, "dosageInstruction.timing")


def _minutes(sketch: Sketch, dosage: Any, repeat: Any) -> Fraction | None:
    if repeat.get("duration") is not None and repeat.get("durationUnit") in MINUTES:
        return value_of({"value": repeat["duration"]}) * MINUTES[repeat["durationUnit"]]
    rates = (mg_per_minute(part) for part in dosage.get("doseAndRate") or ())
    rate = next((one for one in rates if one is not None), None)
    dose = sketch.fields.get("dose_mg")
    return None if rate is None or dose is None else Fraction(dose) / rate


def _repeat(dosage: Any) -> Any:
    return (dosage.get("timing") or {}).get("repeat") or {}
