"""What a mapper sees around a resource: what it refers to, who and where that is, what the site's codes mean.

References are resolved within the input only; nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from compliance.domain.codes import Code, Codes
from compliance.domain.drugs import DRUGS
from compliance.domain.identifiers import NDC_LAYOUTS, ndc11
from compliance.domain.reading import Unreadable
from compliance.domain.time import parse_instant
from compliance.intake.fhir.sketch import Resource, Sketch

NDC: Final = "http://hl7.org/fhir/sid/ndc"
LOINC: Final = "http://loinc.org"
SNOMED: Final = "http://snomed.info/sct"
RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM: Final = "http://unitsofmeasure.org"

UNMAPPED: Final = (
    "the place that is named is no site that is known",
    "Say under codes.locations of policies/sites/<site>.yaml which site it is; --site is for where no place is named.",
)


@dataclass(frozen=True, slots=True)
class View:
    """What lies around the resource that is looked at.

    `resolve` gives the resource that a reference names (``Encounter/3``, ``#med1``, ``urn:uuid:...``), None where the input does not hold it;
    `pseudonym` the pseudonym of a patient reference; `first_dose` when (microseconds) the first dose of ours was given at an encounter,
    None where the input tells of none; `sites` the sites that policies or log know by id; `site` is what ``--site`` said.
    """

    codes: Codes
    resolve: Callable[[str], Resource | None]
    pseudonym: Callable[[str], str | None]
    first_dose: Callable[[str], int | None]
    sites: frozenset[str] = frozenset()
    site: str | None = None

    def staff(self, reference: Any) -> str | None:
        """The staff id behind a Practitioner or PractitionerRole reference: by the site's codes, else the logical id. None where it names nobody."""
        return self._person(reference, ())

    def _person(self, reference: Any, seen: tuple[str, ...]) -> str | None:
        text = reference_text(reference)
        if text is None or text in seen:
            identifier = reference.get("identifier") if isinstance(reference, dict) else None
            return None if identifier is None else self.codes.practitioners.get(_identifier(identifier))
        known = self.codes.practitioners.get(Code("", text))
        if known is not None:
            return known
        resource = self.resolve(text)
        for identifier in (resource or {}).get("identifier", ()):
            known = self.codes.practitioners.get(_identifier(identifier))
            if known is not None:
                return known
        if resource is not None and resource["resourceType"] == "PractitionerRole":
            return self._person(resource.get("practitioner"), (*seen, text))
        return text.rpartition("/")[2] if text.partition("/")[0] == "Practitioner" else None

    def handle(self, reference: Any) -> str | None:
        """The id by which events name what a reference means: the resource's own, where the input holds it, else the reference's last part.
        None where nothing is referred to, and for what is contained: its id means something within one resource only."""
        text = reference_text(reference)
        if text is None or "#" in text:
            return None
        own = (self.resolve(text) or {}).get("id")
        return own if isinstance(own, str) else text.partition("/_history/")[0].rpartition("/")[2]

    def place(self, reference: Any) -> str | None:
        """The site of a Location reference: by the site's codes, or where the id is a site's own; else of the place that it is part of."""
        seen: set[str] = set()
        text = reference_text(reference)
        if text is None and isinstance(reference, dict) and "identifier" in reference:
            return self.codes.locations.get(_identifier(reference["identifier"]))
        while text is not None and text not in seen:
            seen.add(text)
            site = self.codes.locations.get(Code("", text))
            resource = self.resolve(text)
            for identifier in (resource or {}).get("identifier", ()):
                site = site or self.codes.locations.get(_identifier(identifier))
            own = text.rpartition("/")[2]
            if site is not None or own in self.sites:
                return site or own
            text = reference_text((resource or {}).get("partOf"))
        return None

    def site_of(self, encounter: Any) -> str | None:
        """The site of an encounter reference by its location; what ``--site`` said where it names none."""
        text = reference_text(encounter)
        resource = None if text is None else self.resolve(text)
        return self.site_at(stay.get("location") for stay in (resource or {}).get("location", ()))

    def site_at(self, places: Iterable[Any]) -> str | None:
        """The site of the first of some Location references that is known; what ``--site`` said where none is named, None where none is known."""
        named = [place for place in places if place]
        if not named:
            return self.site
        return next((site for place in named if (site := self.place(place)) is not None), None)

    def drug(self, concept: Any) -> str | None:
        """The code in the drug list of a CodeableConcept: by the site's codes, else by NDC. None where no code of it is known."""
        for code in codes_of(concept):
            known = self.codes.drugs.get(code) or (_by_ndc(code.code) if code.system == NDC else None)
            if known is not None:
                return known
        return None

    def envelope(
        self, sketch: Sketch, *, patient: str | None, encounter: str | None, actor: Any, actor_path: str
    ) -> None:
        """Set id, site, actor, patient and session of a sketch. `patient` and `encounter` name the elements that hold those references."""
        resource = sketch.resource
        name = resource["resourceType"]
        sketch.put("id", event_id(resource, sketch.suffix), "id")
        if patient is not None:
            said = reference_text(resource.get(patient))
            sketch.put("patient", None if said is None else self.pseudonym(said), patient)
        if encounter is not None:
            sketch.put("session", self.handle(resource.get(encounter)), encounter)
            put_site(sketch, self.site_of(resource.get(encounter)), f"{encounter}.location", self)
        else:
            sketch.put("site", self.site, "location")
        sketch.put("actor", self.staff(actor), actor_path)
        sketch.put("source", f"FHIR {name}", "id")


def event_id(resource: Resource, suffix: str = "") -> str | None:
    """The id of the event of a resource, always the same for the same resource, so that it is recorded once; None without an id."""
    said = resource.get("id")
    if not isinstance(said, str):
        return None
    made = f"{resource['resourceType']}-{said}{suffix}"
    if len(made) <= 64:
        return made
    from hashlib import sha256  # noqa: PLC0415 - rarely needed: ids are short

    return f"{resource['resourceType'][:20]}-{sha256(made.encode()).hexdigest()[:40]}"


def put_site(sketch: Sketch, site: str | None, path: str, view: View) -> None:
    """Set the site; where a place is named and nobody knows it, it is not taken for the one that ``--site`` names."""
    sketch.put("site", site, path)
    if site is None and view.site is not None:
        sketch.wrong(path, *UNMAPPED)


def put_entered_at(sketch: Sketch) -> None:
    """Set `entered_at` to ``meta.lastUpdated``, for resources without an element of their own that says when they were entered.

    The server's last change is never before the first entry, so lateness is not judged too mildly by it, and less harshly than by the
    moment at which somebody reads the file in. What is no instant is left out.
    """
    updated = (sketch.resource.get("meta") or {}).get("lastUpdated")
    sketch.put("entered_at", None if instant_of(updated) is None else updated, "meta.lastUpdated")


def reference_text(reference: Any) -> str | None:
    """What a Reference names (``Patient/3``), None where it names nothing by reference."""
    said = reference.get("reference") if isinstance(reference, dict) else None
    return said if isinstance(said, str) and said else None


def codes_of(concept: Any) -> Iterator[Code]:
    """The codings of a CodeableConcept, as far as they have a code."""
    for coding in concept.get("coding", ()) if isinstance(concept, dict) else ():
        if isinstance(coding.get("code"), str):
            yield Code(coding.get("system", ""), coding["code"])


def instant_of(said: Any) -> int | None:
    """A FHIR dateTime as an instant in microseconds; None where it is absent or names less than a second (a day is no instant)."""
    try:
        return parse_instant(said) if isinstance(said, str) else None
    except Unreadable:
        return None


def _identifier(identifier: Resource) -> Code:
    return Code(identifier.get("system", ""), identifier.get("value", ""))


def _by_ndc(said: str) -> str | None:
    product = _ndc_product(said.strip())
    return None if product is None else _PRODUCTS.get(product)


def _ndc_product(said: str) -> str | None:
    """Labeler and product of an NDC as the first nine of its 11 digits, whether the package is named or not; None for what is no NDC.

    Ten digits without hyphens do not show where the segments lie. Each labeler keeps to one layout (21 CFR 207.33(b)), so they are
    read in those of the drug list.
    """
    segments = said.split("-")
    layout = "-".join(str(len(segment)) for segment in segments)
    if len(segments) == 2 and f"{layout}-2" in (*NDC_LAYOUTS, "5-4-2"):
        return _ndc_product(f"{said}-00")
    if len(segments) == 1 and len(said) == 9:  # as claims shorten the 11 digits
        return said
    for tried in (layout,) if layout in NDC_LAYOUTS else _LAYOUTS:
        try:
            return ndc11(said, tried)[:9]
        except Unreadable:
            continue
    return None


_EXAMPLES: Final = {
    ndc: "-".join(str(len(segment)) for segment in ndc.split("-"))
    for drug in DRUGS.values()
    for ndc in drug.ndc_examples
}
_LAYOUTS: Final = tuple(dict.fromkeys(_EXAMPLES.values()))
_PRODUCTS: Final = {
    ndc11(ndc, _EXAMPLES[ndc])[:9]: drug.code for drug in DRUGS.values() for ndc in drug.ndc_examples
}
"""The drugs by labeler and product; the package says only how many are in the box."""
