"""Which drug of ours a MedicationAdministration, MedicationDispense or MedicationRequest is about, and what its Medication says besides.

Codes decide: the site's own (``codes.drugs``) and NDCs of the drug list. Words only ever raise a hand: a medication that calls itself
ketamine or esketamine and has no code that is known is kept as rejected, so that nothing of ours is passed over for want of a mapping.
Neither a strength nor a product is taken from words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from compliance.domain.codes import Code
from compliance.domain.drugs import DRUGS, Drug
from compliance.intake.fhir.sketch import NotOurs, Resource, Sketch
from compliance.intake.fhir.view import RXNORM, View, codes_of, reference_text

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

_NAMED: Final = re.compile(r"ketamin|(?<![a-z])(?:spravato|ketalar)(?![a-z])")
_DEPTH: Final = 4  # a Medication whose ingredient is a Medication ... : no real one is nested deeper
_MAP_IT: Final = (
    "Map the code that this system sends for the product in policies/sites/<site>.yaml, under codes.drugs."
)

ANOTHER: Final = NotOurs("another drug")


@dataclass(frozen=True, slots=True)
class Meant:
    """A medication that is ours, or may be: the drug, None where `problem` (message, remedy) says why it is not known; the Medication, where
    there is one; all codes that were sent."""

    drug: Drug | None
    medication: Resource | None
    codes: tuple[Code, ...]
    problem: tuple[str, str] | None = None

    def put(self, sketch: Sketch) -> None:
        """Set the drug of a sketch, and the lot where the Medication has its batch."""
        sketch.put("drug", None if self.drug is None else self.drug.code, "medication")
        if self.problem is not None:
            sketch.wrong("medication", *self.problem)
        batch = (self.medication or {}).get("batch") or {}
        if sketch.kind in {"administration", "dispense"}:
            sketch.put("lot", batch.get("lotNumber"), "medication")


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
        return Meant(DRUGS.get(listed), medication, ())
    said = "the Medication that is referred to is not in the input"
    return Meant(None, None, (), (said, f"Send the Medication in the same input. {_MAP_IT}"))


def _by_concepts(concepts: list[Any], medication: Resource | None, view: View) -> Meant | NotOurs:
    codes = tuple(code for concept in concepts for code in codes_of(concept))
    known = view.drug(concepts[0]) if concepts else None
    if known is not None:
        return Meant(DRUGS[known], medication, codes)
    if any(code in RECALL for code in codes) or any(_names_ours(text) for text in _words(concepts)):
        said = "this names ketamine or esketamine, and no code of it is known"
        return Meant(None, medication, codes, (said, _MAP_IT))
    if codes or any(_words(concepts)):
        return ANOTHER
    return Meant(None, medication, (), ("neither code nor text says which medication this is", _MAP_IT))


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


def _names_ours(text: str) -> bool:
    return _NAMED.search(unicodedata.normalize("NFKC", text).casefold()) is not None
