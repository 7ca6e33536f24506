"""Scores of rating scales, and whether a patient is pregnant: one `assessment` event for each Observation.

LOINC codes, names and answer lists are those of loinc.org. Scales without a LOINC code for their total that could be confirmed (QIDS-SR16,
MADRS) are not taken: docs/fhir.md says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from compliance.domain.codes import Code
from compliance.domain.quantity import parse_decimal
from compliance.domain.reading import Unreadable
from compliance.domain.values import SCALE
from compliance.intake.fhir.quantities import number_text
from compliance.intake.fhir.sketch import NotOurs, Resource, Sketch
from compliance.intake.fhir.view import LOINC, SNOMED, View, codes_of, reference_text
from compliance.intake.fhir.visits import staff_among, type_of, when

MEMBERS: Final = NotOurs("a scale whose total is a resource of its own")
ITEM: Final = NotOurs("an item of a scale, whose total is taken")
NOT_RATED: Final = NotOurs("a scale that was not rated")
NULL_FLAVOR: Final = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"


@dataclass(frozen=True, slots=True)
class Scale:
    """An instrument of the vocabulary by the LOINC codes of its total, its panel and its items in order.

    `mode` is set where the scale is by definition filled in by the patient, whoever is responsible for the Observation.
    """

    instrument: str
    total: str
    panel: str | None = None
    items: tuple[str, ...] = ()
    answers: Mapping[str, int] | None = None
    mode: Literal["self"] | None = None


Part: TypeAlias = tuple[Resource, str]
"""What holds a value, and what stands before the value's name in its path."""

_FREQUENCY: Final = {"LA6568-5": 0, "LA6569-3": 1, "LA6570-1": 2, "LA6571-9": 3}
"""Answer list LL358-3: not at all, several days, more than half the days, nearly every day."""

SCALES: Final = (
    Scale(  # Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]; panel 44249-1 [Reported.PHQ]
        "phq9",
        total="44261-6",
        panel="44249-1",
        items=(
            "44250-9",
            "44255-8",
            "44259-0",
            "44254-1",
            "44251-7",
            "44258-2",
            "44252-5",
            "44253-3",
            "44260-8",
        ),
        answers=_FREQUENCY,
        mode="self",
    ),
    Scale(  # Generalized anxiety disorder 7 item (GAD-7) total score [Reported.PHQ]
        "gad7",
        total="70274-6",
        panel="69737-5",
        items=("69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7"),
        answers=_FREQUENCY,
        mode="self",
    ),
    Scale("pcl5", total="101698-9", mode="self"),  # PTSD PCL-5 score [PCL-5]
    Scale("audit_c", total="75626-2"),  # Total score [AUDIT-C]
    Scale("dast10", total="82667-7"),  # Total score [DAST-10]
)
IDEATION: Final = "93293-9"
"""Most severe suicidal ideation 1 month (C-SSRS). That of a lifetime (93294-7) is not how the patient is now, and is not taken."""
_IDEATION: Final = {"LA30370-3": 1, "LA30371-1": 2, "LA30372-9": 3, "LA30373-7": 4, "LA30374-5": 5}
"""Answer list LL5434-7: from the wish to be dead to ideation with plan and intent."""

PREGNANCY: Final = "82810-3"
_PREGNANT: Final[Mapping[Code, str]] = {
    Code(SNOMED, "77386006"): "yes",  # Pregnant
    Code(SNOMED, "60001007"): "no",  # Not pregnant
    Code(SNOMED, "261665006"): "unknown",  # Unknown
    Code(LOINC, "LA15173-0"): "yes",  # Pregnant
    Code(LOINC, "LA26683-5"): "no",  # Not pregnant
    Code(LOINC, "LA4489-6"): "unknown",  # Unknown
    Code(NULL_FLAVOR, "UNK"): "unknown",  # US Core, pregnancy status
}

_BY_CODE: Final = {code: scale for scale in SCALES for code in (scale.total, scale.panel) if code is not None}
ITEMS: Final = frozenset(item for scale in SCALES for item in scale.items)
CODES: Final = frozenset((*_BY_CODE, *ITEMS, IDEATION, PREGNANCY))


def score(resource: Resource, code: str, view: View) -> list[Sketch] | NotOurs:
    """The assessment of an Observation whose LOINC code is one of `CODES`."""
    if code in ITEMS:
        return ITEM
    sketch = Sketch("assessment", resource)
    when(sketch)
    if "dataAbsentReason" in resource and not resource.get("component"):
        return NOT_RATED
    if code == PREGNANCY:
        _pregnancy(sketch)
    elif code == IDEATION:
        sketch.put("instrument", "cssrs", "code")
        sketch.put(
            "suicidal_ideation_level", _points(sketch, resource, "", _IDEATION), "valueCodeableConcept"
        )
    elif not _scale(sketch, _BY_CODE[code], code, view):
        return MEMBERS
    _mode(sketch, _BY_CODE.get(code), view)
    return [sketch]


def _pregnancy(sketch: Sketch) -> None:
    sketch.put("instrument", "pregnancy_status", "code")
    said = codes_of(sketch.resource.get("valueCodeableConcept"))
    found = next((_PREGNANT[code] for code in said if code in _PREGNANT), None)
    sketch.put("pregnant", found, "valueCodeableConcept")
    if found is None:
        sketch.wrong(
            "valueCodeableConcept",
            "no answer that is known",
            "Send SNOMED CT 77386006 (pregnant) or 60001007 (not pregnant).",
        )


def _scale(sketch: Sketch, scale: Scale, code: str, view: View) -> bool:
    """Total and items of a scale; False for a panel whose total is a member, which comes by itself, or of which not all members are known."""
    resource = sketch.resource
    sketch.put("instrument", scale.instrument, "code")
    own, members = _components(resource), _members(resource, view)
    parts = {**members, **own}
    if code == scale.total:
        parts[code] = (resource, "")
    elif resource.get("hasMember") and (
        scale.total in members or any(one not in parts for one in scale.items)
    ):
        return False
    if scale.total in parts:
        holder, prefix = parts[scale.total]
        sketch.put("total", _points(sketch, holder, prefix, {}), f"{prefix}valueInteger")
    answers = [parts[item] for item in scale.items if item in parts]
    points = [_points(sketch, holder, prefix, scale.answers) for holder, prefix in answers]
    if points and len(points) == len(scale.items) and None not in points:
        sketch.put("item_scores", points, "component" if own else "hasMember")
    elif scale.total not in parts:
        sketch.wrong("component", "neither a total nor all items of the scale", "Send the total score.")
    return True


def _components(resource: Resource) -> dict[str, Part]:
    return {
        code.code: (component, f"component[{i}].")
        for i, component in enumerate(resource.get("component", ()))
        for code in codes_of(component.get("code"))
        if code.system == LOINC
    }


def _members(resource: Resource, view: View) -> dict[str, Part]:
    named = ((i, reference_text(one)) for i, one in enumerate(resource.get("hasMember", ())))
    found = ((i, view.resolve(said)) for i, said in named if said is not None)
    return {
        code.code: (member, f"hasMember[{i}].")
        for i, member in found if member is not None
        for code in codes_of(member.get("code")) if code.system == LOINC
    }  # fmt: skip


def _points(sketch: Sketch, holder: Resource, prefix: str, answers: Mapping[str, int] | None) -> int | None:
    """A whole number of points: valueInteger, valueQuantity, or an answer of the scale's LOINC answer list; None where it was not answered."""

    def path(name: str) -> str:
        """What is wrong in a member is shown at the reference to it: it is a resource of its own."""
        return prefix.removesuffix(".") if prefix.startswith("hasMember") else prefix + name

    if "valueInteger" in holder:
        return _whole(sketch, holder["valueInteger"], path("valueInteger"))
    if "valueQuantity" in holder:
        quantity = holder["valueQuantity"]
        if "value" in quantity and "comparator" not in quantity:
            return _whole(sketch, quantity["value"], path("valueQuantity"))
    for code in codes_of(holder.get("valueCodeableConcept")):
        if answers and code.system == LOINC and code.code in answers:
            return answers[code.code]
    if "dataAbsentReason" not in holder:
        sketch.wrong(
            path("valueInteger"),
            "no number of points",
            "Send the points as valueInteger, or dataAbsentReason.",
        )
    return None


def _whole(sketch: Sketch, said: Any, path: str) -> int | None:
    try:
        number = parse_decimal(number_text(said))
    except Unreadable as error:
        sketch.wrong(path, error.message, error.remedy)
        return None
    if number % SCALE:
        sketch.wrong(path, "points are whole numbers", "Send the total as the scale gives it.")
        return None
    return number // SCALE


def _mode(sketch: Sketch, scale: Scale | None, view: View) -> None:
    """Who rated: by definition of the scale; else the patient, or one of the staff, as performer."""
    performers = sketch.resource.get("performer", ())
    rater = staff_among(performers, view)
    if scale is not None and scale.mode is not None:
        mode: str | None = scale.mode
    elif any(type_of(one, view) == "Patient" for one in performers):
        mode = "self"
    else:
        mode = None if rater is None else "clinician"
    sketch.put("mode", mode, "performer")
    if mode == "clinician":
        sketch.put("assessor", view.staff(rater), "performer")
