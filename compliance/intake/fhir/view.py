"""What a mapper sees around a resource: what it refers to, who and where that is, what the site's codes mean.

References are resolved within the input only; nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from compliance.domain.codes import Code, Codes
from compliance.domain.reading import Unreadable
from compliance.domain.time import parse_instant
from compliance.intake.fhir.ndcs import LISTED, Ndcs
from compliance.intake.fhir.sketch import Resource, Sketch

NDC: Final = "http://hl7.org/fhir/sid/ndc"
LOINC: Final = "http://loinc.org"
SNOMED: Final = "http://snomed.info/sct"
RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM: Final = "http://unitsofmeasure.org"
ATC: Final = "http://www.whocc.no/atc"

_SYSTEMS: Final = {
    **{uri.removeprefix("http://"): uri for uri in (NDC, LOINC, SNOMED, RXNORM, UCUM, ATC)},
    "2.16.840.1.113883.6.69": NDC,
    "2.16.840.1.113883.6.73": ATC,
    "2.16.840.1.113883.6.88": RXNORM,
    "2.16.840.1.113883.6.96": SNOMED,
}
"""Code systems by what is left of the ways to write them: the HL7 OID of a system is as good as its URI."""

_REMEMBERED: Final = 8192
"""Of so many references it is remembered whom or what place they mean."""

UNMAPPED: Final = (
    "the place that is named is no site that is known",
    "Say under codes.locations of policies/sites/<site>.yaml which site it is; --site is for where no place is named.",
)


@dataclass(frozen=True, slots=True)
class View:
    """What lies around the resource that is looked at.

    `resolve` gives the resource that a reference names (``Encounter/3``, ``#med1``, ``urn:uuid:...``), None where the input does not hold it;
    `pseudonym` the pseudonym of a patient reference; `first_dose` when (microseconds) the first dose of ours was given at an encounter,
    None where the input tells of none; `sites` the sites that policies or log know by id; `site` is what ``--site`` said; `ndcs` are those of
    the drug list and of the products that the log knows.
    """

    codes: Codes
    resolve: Callable[[str], Resource | None]
    pseudonym: Callable[[str], str | None]
    first_dose: Callable[[str], int | None]
    sites: frozenset[str] = frozenset()
    site: str | None = None
    ndcs: Ndcs = LISTED
    _staff: dict[str, str | None] = field(default_factory=dict, init=False, repr=False, compare=False)
    _sites: dict[str, str | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def staff(self, reference: Any) -> str | None:
        """The staff id behind a Practitioner or PractitionerRole reference: by the site's codes, else the logical id. None where it names nobody."""
        text = reference_text(reference)
        if text is None or "#" in text:  # what is contained means something within one resource only
            return self._person(reference, ())
        if text not in self._staff:
            _remember(self._staff, text, self._person(reference, ()))
        return self._staff[text]

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
        if text is None or "#" in text:
            return self._site_of(text)
        if text not in self._sites:
            _remember(self._sites, text, self._site_of(text))
        return self._sites[text]

    def _site_of(self, encounter: str | None) -> str | None:
        resource = None if encounter is None else self.resolve(encounter)
        return self.site_at(stay.get("location") for stay in (resource or {}).get("location", ()))

    def site_at(self, places: Iterable[Any]) -> str | None:
        """The site of the first of some Location references that is known; what ``--site`` said where none is named, None where none is known."""
        named = [place for place in places if place]
        if not named:
            return self.site
        return next((site for place in named if (site := self.place(place)) is not None), None)

    def drugs(self, code: Code) -> frozenset[str]:
        """The codes in the drug list that a code may mean: what the site's codes say, else the drugs that have it as their NDC."""
        plain = canonical(code)
        known = self.codes.drugs.get(code) or self.codes.drugs.get(plain)
        if known is not None:
            return frozenset({known})
        return self.ndcs.drugs(plain.code) if plain.system == NDC else frozenset()

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


def _remember(known: dict[str, str | None], text: str, found: str | None) -> None:
    if len(known) >= _REMEMBERED:
        known.clear()
    known[text] = found


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
        code = coding.get("code")
        if isinstance(code, str):
            yield Code(coding.get("system", ""), code)


def canonical(code: Code) -> Code:
    """A code with its system as FHIR R4 writes it, where it is one of those above: by OID, with https, a slash at the end, in capitals."""
    said = code.system.strip().casefold().rstrip("/")
    for scheme in ("https://", "http://", "urn:oid:"):
        said = said.removeprefix(scheme)
    return Code(_SYSTEMS.get(said, code.system), code.code.strip())


def shown(code: Code) -> str:
    """A code as people may see it: ``system|code``. What has spaces may be prose, and is counted instead."""
    return "|".join(
        text
        if text.isprintable() and " " not in text and len(text) <= 80
        else f"text of {len(text)} characters"
        for text in code
    )


def instant_of(said: Any) -> int | None:
    """A FHIR dateTime as an instant in microseconds; None where it is absent or names less than a second (a day is no instant)."""
    return _instant(said) if isinstance(said, str) else None


@lru_cache(maxsize=4096)  # the same moments are read by both passes, and for several events
def _instant(said: str) -> int | None:
    try:
        return parse_instant(said)
    except Unreadable:
        return None


def _identifier(identifier: Resource) -> Code:
    return Code(identifier.get("system", ""), identifier.get("value", ""))
