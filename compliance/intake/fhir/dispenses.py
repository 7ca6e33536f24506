"""MedicationDispense (FHIR R4) to `dispense`: a drug that was handed over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from compliance.domain.reading import Unreadable, echo
from compliance.intake.fhir.amounts import given, unit_of, value_of
from compliance.intake.fhir.encounters import V3_ACT_CODE
from compliance.intake.fhir.sketch import NotOurs, Resource, Sketch
from compliance.intake.fhir.statuses import unclear
from compliance.intake.fhir.view import View, codes_of, put_entered_at, put_site
from compliance.intake.fhir.visits import staff_among, type_of
from compliance.intake.fhir.which_drug import Meant, which_drug

NOT_OVER: Final[Mapping[str, str]] = {
    "preparation": "a supply that is being prepared",
    "in-progress": "a supply that waits to be fetched",
    "on-hold": "a supply that is on hold",
    "cancelled": "a supply that was cancelled",
    "declined": "a supply that was declined",
    "stopped": "a supply that was stopped",
}
"""Statuses in which nothing was handed over yet, or ever, unless ``whenHandedOver`` says otherwise."""

FILLS: Final[Mapping[str, tuple[int | None, bool | None]]] = {
    "FF": (0, None),
    "FFC": (0, False),
    "FFP": (0, True),
    "FFPS": (0, True),
    "FFCS": (0, False),
    "FFSS": (0, None),
    "RF": (None, None),
    "RFC": (None, False),
    "RFCS": (None, False),
    "RFF": (None, None),
    "RFP": (None, True),
    "RFPS": (None, True),
    "TF": (0, True),  # part of a first fill, to see whether the drug is borne
}
"""Number and partiality of a fill by HL7 v3 ActPharmacySupplyType, as far as they are told; which refill it is, none of the codes says."""

DAYS: Final[Mapping[str, int]] = {"d": 1, "wk": 7}
"""UCUM units of time that are whole days."""


def dispense(resource: Resource, view: View) -> list[Sketch] | NotOurs:
    """The drug that was handed over; a supply in which nothing was is passed over, with its status as the reason."""
    meant = which_drug(resource, view)
    if isinstance(meant, NotOurs):
        return meant
    status, handed = str(resource.get("status")), resource.get("whenHandedOver")
    if status in NOT_OVER and handed is None:
        return NotOurs(NOT_OVER[status])
    sketch = _handed_over(resource, view, meant)
    if status in NOT_OVER:
        said = f"{echo(status)}, and yet handed over at a time"
        sketch.wrong("status", said, "Correct the status, or take the time out.")
    elif status != "completed":
        said = unclear(resource.get("status"), "status", "does not say whether anything was handed over")
        sketch.wrong("status", said, "Send it again once its status is known.")
    return [sketch]


def _handed_over(resource: Resource, view: View, meant: Meant) -> Sketch:
    sketch = Sketch("dispense", resource)
    actor = staff_among([one.get("actor") for one in resource.get("performer") or ()], view)
    view.envelope(sketch, patient="subject", encounter=None, actor=actor, actor_path="performer.actor")
    put_entered_at(sketch)
    put_site(sketch, view.site_at([resource.get("location")]), "location", view)
    sketch.put("occurred_at", resource.get("whenHandedOver"), "whenHandedOver")
    meant.put(sketch)
    meant.put_lot(sketch)
    _put_prescription(sketch, view)
    _put_recipient(sketch, view)
    _put_fill(sketch)
    _put_amount(sketch, meant)
    _put_days(sketch)
    return sketch


def _put_prescription(sketch: Sketch, view: View) -> None:
    path = "authorizingPrescription"
    named: Any = sketch.resource.get(path) or ()
    sketch.put("prescription", view.handle(named[0]) if len(named) == 1 else None, path)
    if len(named) > 1:
        sketch.wrong(
            path, "several prescriptions, and an event has one", "Send a MedicationDispense for each."
        )


def _put_recipient(sketch: Sketch, view: View) -> None:
    """Who took it: the patient, where one is the receiver; the site, where it was sent to a Location of ours."""
    receivers = sketch.resource.get("receiver") or ()
    took = None
    if any(type_of(one, view) == "Patient" for one in receivers):
        took = "patient"
    elif not receivers and view.place(sketch.resource.get("destination")) is not None:
        took = "site"
    sketch.put("recipient_type", took, "receiver")
    if took is None:
        said = "neither a Patient who received it nor a Location of a known site as its destination"
        sketch.wrong(
            "receiver",
            said,
            "Send the receiver, or map the destination in policies/sites/<site>.yaml under codes.locations.",
        )


def _put_fill(sketch: Sketch) -> None:
    codes = [code for code in codes_of(sketch.resource.get("type")) if code.system == V3_ACT_CODE]
    known = {FILLS[code.code] for code in codes if code.code in FILLS}
    number, partial = known.pop() if len(known) == 1 else (None, None)
    sketch.put("fill_number", number, "type")
    sketch.put("is_partial", partial, "type")
    if number is None:
        said = "the type of supply does not say which fill it is"
        sketch.wrong(
            "type",
            said,
            "Send FF for a first fill; record a refill with `compliance events add dispense`, which asks for its number.",
        )


def _put_amount(sketch: Sketch, meant: Meant) -> None:
    quantity = sketch.resource.get("quantity")
    sketch.put("quantity", None, "medication" if meant.drug is None else "quantity")
    sketch.put("quantity_unit", None if meant.drug is None else meant.drug.stock_unit, "medication")
    if meant.drug is None:
        return
    try:
        amount = given(quantity, meant.drug, meant.strength, is_kit=meant.is_kit)
    except Unreadable as error:
        sketch.wrong("quantity", error.message, error.remedy)
        return
    sketch.put("quantity", amount.quantity, "quantity")


def _put_days(sketch: Sketch) -> None:
    supply = sketch.resource.get("daysSupply")
    if supply is None:
        return
    try:
        days = value_of(supply) * DAYS.get(unit_of(supply), 0)
    except Unreadable as error:
        sketch.wrong("daysSupply", error.message, error.remedy)
        return
    if days <= 0 or days.denominator != 1:
        sketch.wrong("daysSupply", "no whole number of days", "Send a whole number with the UCUM unit 'd'.")
        return
    sketch.put("days_supply", days.numerator, "daysSupply")
