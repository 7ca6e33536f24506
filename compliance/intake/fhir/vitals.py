"""Vital signs: one `vital_signs` event for each Observation that holds readings (HL7 vital signs profile, R4).

LOINC codes and their names are those of loinc.org; the profile's table of required codes and units is that of hl7.org/fhir/R4/observation-vitalsigns.html.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

from compliance.domain.codes import Code
from compliance.domain.quantity import parse_decimal
from compliance.domain.time import MINUTE
from compliance.domain.values import SCALE
from compliance.intake.fhir.quantities import ONE, Measure, amount, take
from compliance.intake.fhir.sketch import NotOurs, Resource, Sketch
from compliance.intake.fhir.view import LOINC, View, codes_of, instant_of, reference_text
from compliance.intake.fhir.visits import is_treatment, when

OUTSIDE: Final = NotOurs("vital signs outside a treatment session")
NOT_TAKEN: Final = NotOurs("vital signs that were not taken")
MEMBERS: Final = NotOurs("a panel whose members are resources of their own")

ABOUT_40_MIN: Final = (30 * MINUTE, 50 * MINUTE)
"""After the first dose, a reading in this window is the one "at about 40 minutes" (SPRAVATO USPI, sections 2.5 and 5.7, read 2026-11-22: approximately 40
minutes). The same window as the rule ``uspi-bp-40min``, which reads the times itself and does not rest on this word."""

_PRESSURE: Final = {"mm[Hg]": ONE}
_RATE: Final = {"/min": ONE, "1/min": ONE, "min-1": ONE}
_WEIGHT: Final = {"kg": ONE, "g": Fraction(1, 1000), "[lb_av]": Fraction("0.45359237")}
_LENGTH: Final = {"cm": ONE, "m": Fraction(100), "[in_i]": Fraction("2.54")}

PANELS: Final[Mapping[str, str]] = {
    "85353-1": "Vital signs, weight, height, head circumference, oxygen saturation and BMI panel",
    "85354-9": "Blood pressure panel with all children optional",
}
READINGS: Final[Mapping[str, Measure]] = {
    "8480-6": Measure("systolic_mmhg", _PRESSURE, whole=True),  # Systolic blood pressure
    "8462-4": Measure("diastolic_mmhg", _PRESSURE, whole=True),  # Diastolic blood pressure
    "8867-4": Measure("heart_rate_bpm", _RATE, whole=True),  # Heart rate
    "9279-1": Measure("respiratory_rate_per_min", _RATE, whole=True),  # Respiratory rate
    "2708-6": Measure("spo2_percent", {"%": ONE}),  # Oxygen saturation in Arterial blood
    "59408-5": Measure("spo2_percent", {"%": ONE}),  # Oxygen saturation in Arterial blood by Pulse oximetry
    "29463-7": Measure("weight_kg", _WEIGHT),  # Body weight
    "3141-9": Measure("weight_kg", _WEIGHT),  # Body weight Measured
    "3142-7": Measure("weight_kg", _WEIGHT),  # Body weight Stated
    "8302-2": Measure("height_cm", _LENGTH),  # Body height
    "19891-1": Measure("etco2_mmhg", _PRESSURE),  # Carbon dioxide [Partial pressure] in Exhaled gas --at end expiration
    "19890-3": Measure("etco2_mmhg", _PRESSURE),  # the same, by Calculated
    "19889-5": Measure("etco2_mmhg", _PRESSURE),  # Carbon dioxide/Gas.total at end expiration: only where it is sent as a pressure
}  # fmt: skip
CODES: Final = frozenset((*PANELS, *READINGS))
OXYGEN: Final[Mapping[str, tuple[Measure, int]]] = {
    "3151-8": (Measure("supplemental_o2", {"L/min": ONE}), 0),  # Inhaled oxygen flow rate
    "3150-6": (Measure("supplemental_o2", {"%": ONE}), 21),  # Inhaled oxygen concentration; 21 % is air
}
"""Components of an oxygen saturation (US Core pulse oximetry), and above which figure the patient is on oxygen."""
_WEIGHED: Final = {"3141-9": True, "3142-7": False}


def vital_signs(resource: Resource, view: View) -> list[Sketch] | NotOurs:
    """The readings of an Observation whose code is one of `PANELS` or `READINGS`; `NotOurs` outside a session and where nothing was measured."""
    parts = list(_parts(resource))
    if not parts and resource.get("hasMember"):
        return MEMBERS
    sketch = Sketch("vital_signs", resource)
    when(sketch)
    if not _point(sketch, view):
        return OUTSIDE
    for code, holder, prefix in parts:
        _read(sketch, code, holder, prefix)
    _oxygen(sketch)
    sketch.put("equipment", view.handle(resource.get("device")), "device")
    if not parts and "dataAbsentReason" not in resource:
        sketch.wrong("component", "a panel without readings", "Give the readings as components or members.")
    if not sketch.problems and not any(measure.field in sketch.fields for measure in READINGS.values()):
        return NOT_TAKEN
    return [sketch]


def _parts(resource: Resource) -> Iterator[tuple[str, Resource, str]]:
    """The readings of an Observation: its own and its components', each with LOINC code and path."""
    own = loinc(resource.get("code"), READINGS)
    if own is not None:
        yield own, resource, ""
    for i, component in enumerate(resource.get("component", ())):
        code = loinc(component.get("code"), READINGS)
        if code is not None:
            yield code, component, f"component[{i}]."


def loinc(concept: Any, known: Container[str]) -> str | None:
    """The first LOINC code of a CodeableConcept that a table holds."""
    for coding in concept.get("coding", ()) if isinstance(concept, dict) else ():
        code = coding.get("code")
        if code in known and coding.get("system") == LOINC:
            return str(code)
    return None


def _read(sketch: Sketch, code: str, holder: Resource, prefix: str) -> None:
    measure = READINGS[code]
    if "valueQuantity" not in holder and "dataAbsentReason" in holder:
        return
    if measure.field in sketch.places:
        sketch.wrong(
            f"{prefix}code",
            "the same reading twice in one Observation",
            "Send each reading as its own Observation.",
        )
        return
    take(sketch, measure, holder, f"{prefix}valueQuantity")
    if code in _WEIGHED:
        sketch.put("weight_measured", _WEIGHED[code], f"{prefix}code")


def _oxygen(sketch: Sketch) -> None:
    """Whether the saturation was measured on oxygen; where several say so, any of them."""
    for i, component in enumerate(sketch.resource.get("component", ())):
        code = loinc(component.get("code"), OXYGEN)
        if code is not None and "valueQuantity" in component:
            measure, air = OXYGEN[code]
            path = f"component[{i}].valueQuantity"
            found = amount(sketch, measure, component["valueQuantity"], path)
            if found is not None:
                on_it = parse_decimal(found) > air * SCALE or sketch.fields.get("supplemental_o2", False)
                sketch.put("supplemental_o2", on_it, path)


def _point(sketch: Sketch, view: View) -> bool:
    """Set the point in the session; False where the Observation belongs to none."""
    resource = sketch.resource
    points = view.codes.points
    places = [(points[code], path) for code, path in _codings(resource) if code in points] if points else []
    if places:
        said, place = dict.fromkeys(point for point, _ in places), places[0][1]
        if len(said) > 1:
            sketch.wrong(place, "codes for more than one point in the session", "Send one.")
        sketch.put("point", next(iter(said)), place)
        return True
    encounter = reference_text(resource.get("encounter"))
    if encounter is None:
        return False
    first = view.first_dose(encounter)
    if first is not None:
        moment = instant_of(sketch.fields.get("occurred_at"))
        sketch.put(
            "point", None if moment is None else _by_time(moment - first), sketch.places["occurred_at"]
        )
        return True
    if not is_treatment(resource.get("encounter"), view):
        return False
    sketch.put("point", None, "encounter")
    sketch.wrong(
        "encounter",
        "a treatment session of which no dose is in this input, so that before and after cannot be told apart",
        "Send the visit's MedicationAdministration in the same input, or say the point by a code of the site's.",
    )
    return True


def _by_time(since: int) -> str:
    if since < 0:
        return "pre_dose"
    return "about_40_min" if ABOUT_40_MIN[0] <= since <= ABOUT_40_MIN[1] else "during"


def _codings(resource: Resource) -> Iterator[tuple[Code, str]]:
    """Where a site may say the point by a code of its own, with the path of each."""
    for i, concept in enumerate(resource.get("category", ())):
        yield from ((code, f"category[{i}]") for code in codes_of(concept))
    yield from ((code, "method") for code in codes_of(resource.get("method")))
    yield from ((code, "code") for code in codes_of(resource.get("code")))
    for i, extension in enumerate(resource.get("extension", ())):
        coding = extension.get("valueCoding", {})
        if isinstance(coding.get("code"), str):
            yield Code(coding.get("system", ""), coding["code"]), f"extension[{i}]"
        if isinstance(extension.get("valueCode"), str):
            yield Code(extension.get("url", ""), extension["valueCode"]), f"extension[{i}]"
