"""Which drug of ours a MedicationAdministration, MedicationDispense or MedicationRequest is about, and what its Medication says besides.

Codes decide: the site's own (``codes.drugs``) and NDCs, of the drug list and of products on record. Words only ever raise a hand: what names
ketamine or esketamine anywhere, in itself, its medication or the request that it follows, and has no code that is known, is kept as rejected,
so that nothing of ours is passed over for want of a mapping. Neither a strength nor a product is taken from words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from compliance.domain.codes import Code
from compliance.domain.drugs import DRUGS, Drug
from compliance.domain.reading import Unreadable
from compliance.intake.fhir.amounts import strength_of
from compliance.intake.fhir.names import speaks_of_ours
from compliance.intake.fhir.sketch import NotOurs, Resource, Sketch
from compliance.intake.fhir.strengths import told_strength
from compliance.intake.fhir.view import NDC, View, canonical, codes_of, reference_text, shown

_MAP_IT: Final = (
    "Map the code that this system sends for the product in policies/sites/<site>.yaml, under codes.drugs."
)

_KITS: Final = frozenset(
    {"02", "03"}
)  # packages of 50458-028: two devices, three devices (the drug list's note)

ANOTHER: Final = "another drug"
"""Why a medication is passed over."""

SHOWN: Final = 8
"""So many codes of it are told at most."""


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
        digits = (code.code.replace("-", "") for code in map(canonical, self.codes) if code.system == NDC)
        return any(len(text) >= len("5045802802") and text[-2:] in _KITS for text in digits)

    def put(self, sketch: Sketch) -> None:
        """Set the drug of a sketch."""
        sketch.put("drug", None if self.drug is None else self.drug.code, "medication")
        if self.problem is not None:
            sketch.wrong("medication", *self.problem)

    def put_lot(self, sketch: Sketch) -> None:
        """Set the lot of a sketch, where the Medication has its batch."""
        sketch.put("lot", ((self.medication or {}).get("batch") or {}).get("lotNumber"), "medication")


@dataclass(frozen=True, slots=True)
class _Sent:
    """What a resource sends for its medication: the Medication, where there is one; its own codes; those of its ingredients, each of which may be
    a Medication itself; whether it has one ingredient only; whether it says anything at all."""

    medication: Resource | None
    own: tuple[Code, ...]
    parts: tuple[Code, ...] = ()
    is_simple: bool = False
    says: bool = True


def which_drug(resource: Resource, view: View) -> Meant | NotOurs:
    """The drug that a resource's ``medication[x]`` means."""
    reference = resource.get("medicationReference")
    text = reference_text(reference)
    held = None if text is None else view.resolve(text)
    medication = held if held is not None and held["resourceType"] == "Medication" else None
    listed = None if text is None else view.codes.drugs.get(Code("", text))
    sent = _sent(resource.get("medicationCodeableConcept"), medication, view)
    codes = sent.own + sent.parts
    drugs = frozenset().union(*map(view.drugs, sent.own)) | ({listed} if listed is not None else frozenset())
    inner = frozenset().union(*map(view.drugs, sent.parts))
    if not drugs and sent.is_simple:
        drugs = inner
    if len(drugs | inner) > 1 and drugs:
        said = "its codes mean different drugs of ours"
        return Meant(None, medication, codes, (said, f"Send the code of the product alone. {_MAP_IT}"))
    if drugs:
        return _known(next(iter(drugs)), medication, codes, view)
    if reference is not None and medication is None:
        said = "the Medication that is referred to is not in the input"
        return Meant(None, None, (), (said, f"Send the Medication in the same input. {_MAP_IT}"))
    if inner or _hinted(resource, medication, view):
        said = "this names ketamine or esketamine, and no code of it is known"
        return Meant(None, medication, codes, (said, _MAP_IT))
    if sent.says:
        return NotOurs(ANOTHER, tuple(shown(code) for code in codes[:SHOWN]))
    return Meant(None, medication, (), ("neither code nor text says which medication this is", _MAP_IT))


def _sent(concept: Any, medication: Resource | None, view: View) -> _Sent:
    if medication is None:
        return _Sent(None, tuple(codes_of(concept)), says=_says(concept))
    within = _within(medication, view)
    concepts = [part.get("itemCodeableConcept") for one in (medication, *within) for part in _parts(one)]
    parts = (code for concept in concepts for code in codes_of(concept))
    return _Sent(
        medication,
        tuple(_own_codes(medication)),
        (*parts, *(code for one in within for code in _own_codes(one))),
        all(len(_parts(one)) <= 1 for one in (medication, *within)),
        any(map(_says, concepts)) or any(_says(one.get("code")) for one in (medication, *within)),
    )


def _within(medication: Resource, view: View) -> list[Resource]:
    """What a Medication consists of, as far as its ingredients refer to it: each once, though it may contain itself."""
    found: dict[str, Resource] = {}
    remaining = [medication]
    while remaining:
        for part in _parts(remaining.pop()):
            text = reference_text(part.get("itemReference"))
            inner = None if text is None or text in found else view.resolve(text)
            if inner is not None and text is not None:
                found[text] = inner
                remaining.append(inner)
    return list(found.values())


def _parts(medication: Resource) -> list[Any]:
    return list(medication.get("ingredient") or ())


def _own_codes(medication: Resource) -> Iterator[Code]:
    """The codes of a Medication, and its identifiers: an NDC may be one of them."""
    yield from codes_of(medication.get("code"))
    for one in medication.get("identifier") or ():
        if isinstance(one.get("value"), str):
            yield Code(one.get("system", ""), one["value"])


def _says(concept: Any) -> bool:
    """Whether a concept has a code or a word."""
    holders = (concept or {}, *(concept or {}).get("coding", ()))
    return any(
        isinstance(holder.get(key), str) and holder[key].strip()
        for holder in holders
        for key in ("text", "display", "code")
    )


def _hinted(resource: Resource, medication: Resource | None, view: View) -> bool:
    """Whether a drug of ours is named by the resource, its medication, or what is requested by the requests that it follows."""
    if speaks_of_ours(resource, view.ndcs) or _medication_speaks(medication, view):
        return True
    for reference in (resource.get("request"), *(resource.get("authorizingPrescription") or ())):
        text = reference_text(reference)
        request = None if text is None else view.resolve(text)
        if request is not None and _requested(request, view):
            return True
    return False


def _requested(request: Resource, view: View) -> bool:
    """Whether a request is for a drug of ours."""
    meant = reference_text(request.get("medicationReference"))
    named = {name: request.get(name) for name in ("medicationCodeableConcept", "medicationReference")}
    codes = codes_of(request.get("medicationCodeableConcept"))
    if any(map(view.drugs, codes)) or Code("", meant or "") in view.codes.drugs:
        return True
    medication = None if meant is None else view.resolve(meant)
    return speaks_of_ours(named, view.ndcs) or _medication_speaks(medication, view)


def _medication_speaks(medication: Resource | None, view: View) -> bool:
    """Whether a Medication names a drug of ours, or what it consists of does."""
    if medication is None:
        return False
    return any(
        speaks_of_ours(one, view.ndcs) or any(map(view.drugs, _own_codes(one)))
        for one in (medication, *_within(medication, view))
    )


def _known(listed: str, medication: Resource | None, codes: tuple[Code, ...], view: View) -> Meant:
    drug = DRUGS[listed]
    strength = strength_of(drug)
    try:
        told = None if medication is None else told_strength(medication, drug, view)
    except Unreadable as error:
        return Meant(drug, medication, codes, (f"its strength: {error.message}", error.remedy), strength)
    if strength is not None and told is not None and told != strength:
        said = f"the strength that the Medication tells is not that of {drug.code}"
        remedy = "Correct the Medication, or what its code stands for."
        return Meant(drug, medication, codes, (said, remedy), strength)
    return Meant(drug, medication, codes, None, strength if told is None else told)
