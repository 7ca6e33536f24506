"""The indication of an order by the codes of its reason, and what that says of an approved product's standing.

Only codes that say it: treatment-resistant depression has no code of its own in ICD-10-CM, so for esketamine the code of a major depression leaves
open which of its indications was meant, and the field stays open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, get_args

from compliance.domain.codes import Code
from compliance.domain.drugs import Drug
from compliance.domain.events.declaring import IndicationClass
from compliance.intake.fhir.sketch import Resource, Sketch
from compliance.intake.fhir.view import SNOMED, View, codes_of, reference_text

ICD_10_CM: Final = "http://hl7.org/fhir/sid/icd-10-cm"

OURS: Final = "urn:compliance-engine:indication"
"""The system whose codes are the vocabulary's own indication classes, for those that no other system has, such as ``trd``."""

SUICIDAL: Final = "suicidal"
"""Suicidal ideation or behaviour; with a major depression it makes `mdd_acute_si`."""

BY_ICD: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("F320", "F321", "F322", "F323", "F324", "F325", "F329"), "mdd"
    ),  # F32.8-, F32.A: other depressions
    **dict.fromkeys(("F330", "F331", "F332", "F333", "F334", "F339"), "mdd"),  # F33.8: other recurrent ones
    "F31": "bipolar",
    **dict.fromkeys(("F40", "F41"), "anxiety"),
    "F431": "ptsd",
    "F42": "ocd",
    **dict.fromkeys(("F10", "F11", "F12", "F13", "F14", "F15", "F16", "F17", "F18", "F19"), "sud"),
    **dict.fromkeys(("G89", "R52", "G905"), "pain"),  # pain, and complex regional pain syndrome
    **dict.fromkeys(("R45851", "T1491"), SUICIDAL),
}
"""Beginnings of ICD-10-CM codes, without the point (tabular list, chapters 5, 6, 18, 19)."""

BY_SNOMED: Final[Mapping[str, str]] = {
    "370143000": "mdd",  # Major depressive disorder
    "36923009": "mdd",  # Major depression, single episode
    "66344007": "mdd",  # Recurrent major depression
    "13746004": "bipolar",
    "197480006": "anxiety",
    "21897009": "anxiety",  # Generalized anxiety disorder
    "47505003": "ptsd",
    "191736004": "ocd",
    "82423001": "pain",  # Chronic pain
    "6471006": SUICIDAL,  # Suicidal thoughts
}


def put_indication(sketch: Sketch, view: View, drug: Drug | None) -> None:
    """Set `indication_class`, `indication_code` and `product_type` of an order."""
    codes = list(_reasons(sketch.resource, view))
    told = told_by(codes)
    said = next(iter(told)) if len(told) == 1 else None
    if len(told) > 1:
        sketch.wrong(
            "reasonCode", "its codes name several indications", "Send the one that the drug is ordered for."
        )
    elif said is None:
        sketch.wrong("reasonCode", "no code of it names an indication", "Send an ICD-10-CM code that does.")
    elif said == "mdd" and drug is not None and drug.generic == "esketamine":
        said = None
        message = "major depression, and not told whether treatment-resistant or with acute suicidal ideation"
        remedy = f"Send R45.851 beside it where that is meant, or the code trd of {OURS}."
        sketch.wrong("reasonCode", message, remedy)
    sketch.put("indication_class", said, "reasonCode")
    icd = [code.code for code in codes if code.system == ICD_10_CM]
    sketch.put("indication_code", icd[0] if len(icd) == 1 else None, "reasonCode")
    _put_product(sketch, drug, said)


def told_by(codes: Iterable[Code]) -> set[str]:
    """The indication classes that codes name."""
    told = {found for code in codes if (found := _class_of(code)) is not None}
    if {"mdd", SUICIDAL} <= told:
        told = (told - {"mdd", SUICIDAL}) | {"mdd_acute_si"}
    return told - {SUICIDAL}  # by itself no indication


def _put_product(sketch: Sketch, drug: Drug | None, indication: str | None) -> None:
    if drug is not None and drug.is_compounded:
        sketch.put("product_type", None, "medication")
        said = "a compounded product, and not told whether by a pharmacy (503A) or an outsourcing facility (503B)"
        sketch.wrong("medication", said, "Record it with `compliance events add order`.")
        return
    sketch.put("product_type", None, "reasonCode")
    if drug is not None and indication is not None:
        standing = "approved_labelled" if indication in drug.indications else "approved_off_label"
        sketch.put("product_type", standing, "reasonCode")


def _reasons(resource: Resource, view: View) -> Iterator[Code]:
    for concept in resource.get("reasonCode") or ():
        yield from codes_of(concept)
    for reference in resource.get("reasonReference") or ():
        text = reference_text(reference)
        found = None if text is None else view.resolve(text)
        if found is not None and found["resourceType"] == "Condition":
            yield from codes_of(found.get("code"))


def _class_of(code: Code) -> str | None:
    if code.system == OURS:
        return code.code if code.code in get_args(IndicationClass) else None
    if code.system == SNOMED:
        return BY_SNOMED.get(code.code)
    if code.system != ICD_10_CM:
        return None
    plain = code.code.strip().upper().replace(".", "")
    return next(
        (BY_ICD[plain[:length]] for length in range(len(plain), 2, -1) if plain[:length] in BY_ICD), None
    )
