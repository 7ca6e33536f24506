"""Laboratory results: pregnancy tests and the liver panel, one `lab_result` event for each Observation.

LOINC codes and names are those of loinc.org, interpretations those of HL7 v3 ObservationInterpretation. A drug screen of urine is many LOINC codes,
none of which says what the whole screen can detect: it is not taken from FHIR.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from compliance.domain.codes import Code
from compliance.intake.fhir.quantities import Measure, take
from compliance.intake.fhir.sketch import NotOurs, Resource, Sketch
from compliance.intake.fhir.view import LOINC, SNOMED, View, codes_of, reference_text
from compliance.intake.fhir.visits import when

MEMBERS: Final = NotOurs("a panel whose members are resources of their own")
NOT_MADE: Final = NotOurs("a laboratory test without a result")
ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
INTERPRETATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"

PREGNANCY_TESTS: Final = frozenset(
    (
        "2106-3",  # Choriogonadotropin (pregnancy test) [Presence] in Urine
        "2118-8",  # Choriogonadotropin (pregnancy test) [Presence] in Serum or Plasma
    )
)
LIVER_PANEL: Final = "24325-3"
"""Hepatic function 2000 panel - Serum or Plasma."""
_ENZYME: Final = {"U/L": Fraction(1)}
LIVER: Final[Mapping[str, Measure]] = {
    "1742-6": Measure("alt_u_per_l", _ENZYME),  # Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma
    "1920-8": Measure("ast_u_per_l", _ENZYME),  # Aspartate aminotransferase [Enzymatic activity/volume] in Serum or Plasma
    "6768-6": Measure("alp_u_per_l", _ENZYME),  # Alkaline phosphatase [Enzymatic activity/volume] in Serum or Plasma
    "1975-2": Measure("bilirubin_mg_per_dl", {"mg/dL": Fraction(1)}),  # Bilirubin.total [Mass/volume] in Serum or Plasma
}  # fmt: skip
CODES: Final = frozenset((*PREGNANCY_TESTS, LIVER_PANEL, *LIVER))

_PRESENCE: Final[Mapping[Code, str]] = {
    Code(SNOMED, "10828004"): "positive",  # Positive
    Code(SNOMED, "260385009"): "negative",  # Negative
    Code(SNOMED, "260373001"): "positive",  # Detected
    Code(SNOMED, "260415000"): "negative",  # Not detected
    Code(SNOMED, "82334004"): "indeterminate",  # Indeterminate
    Code(LOINC, "LA6576-8"): "positive",  # Positive
    Code(LOINC, "LA6577-6"): "negative",  # Negative
    Code(INTERPRETATION, "POS"): "positive",
    Code(INTERPRETATION, "NEG"): "negative",
    Code(INTERPRETATION, "DET"): "positive",
    Code(INTERPRETATION, "ND"): "negative",
    Code(INTERPRETATION, "IND"): "indeterminate",
}
_LEVEL: Final[Mapping[Code, str]] = {
    Code(INTERPRETATION, "N"): "normal",
    **{Code(INTERPRETATION, code): "abnormal" for code in ("A", "AA", "H", "HH", "HU", "L", "LL", "LU")},
}
"""What is not among these is an abnormal result as little as a normal one."""


def lab_result(resource: Resource, code: str, view: View) -> list[Sketch] | NotOurs:
    """The result of an Observation whose LOINC code is one of `CODES`. `occurred_at` is when it was known (``issued``)."""
    if code == LIVER_PANEL and not resource.get("component"):
        return MEMBERS
    sketch = Sketch("lab_result", resource)
    sketch.put("occurred_at", resource.get("issued"), "issued")
    _collected(sketch, view)
    sketch.put("test", "pregnancy" if code in PREGNANCY_TESTS else "liver_panel", "code")
    if "dataAbsentReason" in resource:
        if Code(ABSENT, "asked-declined") not in codes_of(resource["dataAbsentReason"]):
            return NOT_MADE
        sketch.put("result", "declined", "dataAbsentReason")
        return [sketch]
    if code in PREGNANCY_TESTS:
        _result(sketch, _PRESENCE, ("valueCodeableConcept", "interpretation"))
        return [sketch]
    _values(sketch, code)
    _result(sketch, _LEVEL, ("interpretation",))
    return [sketch]


def _values(sketch: Sketch, code: str) -> None:
    resource = sketch.resource
    if code in LIVER:
        take(sketch, LIVER[code], resource, "valueQuantity")
    for i, component in enumerate(resource.get("component", ())):
        for one in codes_of(component.get("code")):
            if one.system == LOINC and one.code in LIVER and "dataAbsentReason" not in component:
                take(sketch, LIVER[one.code], component, f"component[{i}].valueQuantity")


def _result(sketch: Sketch, meanings: Mapping[Code, str], names: tuple[str, ...]) -> None:
    """The result by code; two that contradict each other, or none, is something to object to."""
    found = {
        meanings[code]: path for name in names for path, concept in _concepts(sketch.resource, name)
        for code in codes_of(concept) if code in meanings
    }  # fmt: skip
    if len(found) == 1:
        ((result, path),) = found.items()
        sketch.put("result", result, path)
        return
    sketch.put("result", None, names[0])
    said = "results that contradict each other" if found else "no result by a code that is known"
    sketch.wrong(
        names[0], said, "Send the laboratory's own verdict as a code; it is not worked out from the figure."
    )


def _concepts(resource: Resource, name: str) -> list[tuple[str, Any]]:
    said = resource.get(name)
    return [(f"{name}[{i}]", one) for i, one in enumerate(said)] if isinstance(said, list) else [(name, said)]


def _collected(sketch: Sketch, view: View) -> None:
    """The time of the sample: of the Specimen where the input holds it, else the ``effective[x]`` of a laboratory Observation, which is the same time."""
    said = reference_text(sketch.resource.get("specimen"))
    specimen = None if said is None else view.resolve(said)
    taken = (specimen or {}).get("collection", {}).get("collectedDateTime")
    if taken is None:
        when(sketch, "collected_at")
    else:
        sketch.put("collected_at", taken, "specimen")
