"""Which drug of ours a MedicationAdministration, MedicationDispense or MedicationRequest is about, and what its Medication says besides.

Codes decide: the site's own (``codes.drugs``) and NDCs of the drug list. Words only ever raise a hand: a medication that calls itself
ketamine or esketamine and has no code that is known is kept as rejected, so that nothing of ours is passed over for want of a mapping.
Neither a strength nor a product is taken from words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from compliance.domain.codes import Code
from compliance.domain.drugs import DRUGS, Drug
from compliance.domain.reading import Unreadable
from compliance.intake.fhir.amounts import per_stock_unit, strength_of
from compliance.intake.fhir.names import names_ours
from compliance.intake.fhir.sketch import NotOurs, Resource, Sketch
from compliance.intake.fhir.view import NDC, RXNORM, View, codes_of, reference_text

ATC: Final = "http://www.whocc.no/atc"

RECALL: Final = frozenset(
    {
        Code(RXNORM, "6130"),  # recall: RxNorm, ingredient ketamine
        Code(ATC, "N01AX03"),  # recall: WHO ATC index, ketamine
        Code(ATC, "N01AX14"),  # recall: WHO ATC index, esketamine (anaesthetic)
        Code(ATC, "N06AX27"),  # recall: WHO ATC index, esketamine (antidepressant)
    }
)
"""Codes of the substance, which name no product: whoever sends one means a drug of ours, and which one is not told."""

_DEPTH: Final = 4  # a Medication whose ingredient is a Medication ... : no real one is nested deeper
_MAP_IT: Final = (
    "Map the code that this system sends for the product in policies/sites/<site>.yaml, under codes.drugs."
)

_KITS: Final = frozenset(
    {"02", "03"}
)  # packages of 50458-028: two devices, three devices (the drug list's note)

ANOTHER: Final = NotOurs("another drug")


@dataclass(frozen=True, slots=True)
class Meant:
    """A medication that is ours, or may be: the drug, None where `problem` (message, remedy) says why it is not known; the Medication, where
    there is one; all codes that were sent; milligrams per stock unit, by the drug list or, of a compounded product, by the Medication."""

    drug: Drug | None
    medication: Resource | None
    codes: tuple[Code, ...]
    problem: tuple[str, str] | None = None
    strength: Fraction | None = None

    @property
    def is_kit(self) -> bool:
        """Whether a code names a box of several devices, so that a bare 1 may mean the box."""
        digits = (code.code.replace("-", "") for code in self.codes if code.system == NDC)
        return any(len(text) >= len("5045802802") and text[-2:] in _KITS for text in digits)

    def put(self, sketch: Sketch) -> None:
        """Set the drug of a sketch."""
        sketch.put("drug", None if self.drug is None else self.drug.code, "medication")
        if self.problem is not None:
            sketch.wrong("medication", *self.problem)

    def put_lot(self, sketch: Sketch) -> None:
        """Set the lot of a sketch, where the Medication has its batch."""
        sketch.put("lot", ((self.medication or {}).get("batch") or {}).get("lotNumber"), "medication")


def which_drug(resource: Resource, view: View) -> Meant | NotOurs:
    """The drug that a resource's ``medication[x]`` means."""
    reference = resource.get("medicationReference")
    if reference is None:
        return _by_concepts([resource.get("medicationCodeableConcept")], None, view)
    text = reference_text(reference)
    medication = None if text is None else view.resolve(text)
    listed = None if text is None else view.codes.drugs.get(Code("", text))
    if listed is None and medication is not None and medication["resourceType"] == "Medication":
        return _by_concepts(list(_concepts(medication, view, _DEPTH)), medication, view)
    if listed is not None:
        return _known(listed, medication, ())
    said = "the Medication that is referred to is not in the input"
    return Meant(None, None, (), (said, f"Send the Medication in the same input. {_MAP_IT}"))


def _by_concepts(concepts: list[Any], medication: Resource | None, view: View) -> Meant | NotOurs:
    codes = tuple(code for concept in concepts for code in codes_of(concept))
    known = view.drug(concepts[0]) if concepts else None
    if known is not None:
        return _known(known, medication, codes)
    if any(code in RECALL for code in codes) or any(names_ours(text) for text in _words(concepts)):
        said = "this names ketamine or esketamine, and no code of it is known"
        return Meant(None, medication, codes, (said, _MAP_IT))
    if codes or any(_words(concepts)):
        return ANOTHER
    return Meant(None, medication, (), ("neither code nor text says which medication this is", _MAP_IT))


def _known(listed: str, medication: Resource | None, codes: tuple[Code, ...]) -> Meant:
    drug = DRUGS[listed]
    listed_strength, told = strength_of(drug), _told_strength(drug, medication)
    if listed_strength is not None and told is not None and told != listed_strength:
        said = f"the strength of its ingredient is not that of {drug.code}"
        remedy = "Correct the Medication, or what its code stands for."
        return Meant(drug, medication, codes, (said, remedy), listed_strength)
    return Meant(drug, medication, codes, None, listed_strength if told is None else told)


def _told_strength(drug: Drug, medication: Resource | None) -> Fraction | None:
    """Milligrams per stock unit by ``Medication.ingredient.strength``, where it is the only ingredient that has one."""
    ratios = [part["strength"] for part in (medication or {}).get("ingredient") or () if part.get("strength")]
    if len(ratios) != 1:
        return None
    try:
        return per_stock_unit(ratios[0], drug)
    except Unreadable:
        return None


def _concepts(medication: Resource, view: View, depth: int) -> Iterator[Any]:
    """What a Medication is called, first itself, then its ingredients."""
    yield medication.get("code") or {}
    for ingredient in medication.get("ingredient") or ():
        yield ingredient.get("itemCodeableConcept") or {}
        text = reference_text(ingredient.get("itemReference"))
        inner = None if text is None else view.resolve(text)
        if inner is not None and depth:
            yield from _concepts(inner, view, depth - 1)


def _words(concepts: list[Any]) -> Iterator[str]:
    for concept in concepts:
        for holder in (concept, *(concept or {}).get("coding", ())):
            for key in ("text", "display", "code"):
                said = (holder or {}).get(key)
                if isinstance(said, str) and said.strip():
                    yield said
