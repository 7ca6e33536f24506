"""Practitioner to `credential`: a licence for each qualification that is one. Names, addresses and birth dates stay behind.

A licence is told from a degree by where it is valid (the Plan-Net extension) or by the type of its number (HL7 v2 table 0203); nothing is read
from words. A DEA number alone says nothing of schedules, activity or term: it makes no `registration`. A PractitionerRole says neither
in which legal relation nor for which registration somebody works: it makes no `employment`, and only helps to find who is meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from compliance.intake.fhir.sketch import NotOurs, Resource, Sketch
from compliance.intake.fhir.view import View, codes_of, instant_of, put_entered_at

NO_LICENCE: Final = NotOurs("a practitioner without a licence by a code that is known")
A_ROLE: Final = NotOurs("a role without the legal relation and the registration that an employment needs")

LICENCES: Final = "http://terminology.hl7.org/CodeSystem/v2-0360"
NUMBERS: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
PLAN_NET: Final = (
    "http://hl7.org/fhir/us/davinci-pdex-plan-net/StructureDefinition/practitioner-qualification"
)
STATES: Final = frozenset(
    ("https://www.usps.com/", "http://hl7.org/fhir/us/core/ValueSet/us-core-usps-state")
)

_PROFESSION: Final[Mapping[str, str]] = {
    "MD": "physician",  # Doctor of Medicine
    "DO": "physician",  # Doctor of Osteopathy
    "NP": "np",  # Nurse Practitioner
    "CNP": "np",  # Certified Nurse Practitioner
    "CANP": "np",  # Certified Adult Nurse Practitioner
    "FPNP": "np",  # Family Practice Nurse Practitioner
    "PA": "pa",  # Physician Assistant
    "RN": "rn",  # Registered Nurse
    "RPH": "pharmacist",  # Registered Pharmacist
}
"""HL7 v2 table 0360 (degree, licence, certificate); others leave the profession open."""
_LICENCE_NUMBERS: Final = frozenset(("LN", "SL", "MD", "DO", "NP", "PA", "RPH"))
"""HL7 v2 table 0203: licence number, state licence, and the licence numbers of professions."""
_STATUS: Final[Mapping[str, str]] = {"active": "active", "revoked": "revoked"}
_PASSED_STATUS: Final = frozenset(("pending", "issued-in-error"))


def practitioner(resource: Resource, view: View) -> list[Sketch] | NotOurs:
    """The licences of a Practitioner, as they stood when the resource was last changed.

    Each state of the resource makes events of its own: a licence that was renewed does not change what stood before. No element says who
    entered them; it is whoever sends the resource (`mappers.Mapped`).
    """
    changed = (resource.get("meta") or {}).get("lastUpdated")
    own = resource.get("id")
    person = None if own is None else view.staff({"reference": f"Practitioner/{own}"})
    sketches = []
    for i, one in enumerate(resource.get("qualification", ())):
        state, status = _plan_net(one)
        number, typed = _number(one)
        if (state is None and not typed) or status in _PASSED_STATUS:
            continue
        moment = instant_of(changed)
        sketch = Sketch("credential", resource, f"-{i + 1}" if moment is None else f"-{i + 1}-{moment}")
        at = f"qualification[{i}]"
        view.envelope(sketch, patient=None, encounter=None, actor=None, actor_path=at)
        sketch.put("site", view.site, at)
        sketch.put("occurred_at", changed, "meta.lastUpdated")
        put_entered_at(sketch)
        sketch.put("person", person, "id")
        sketch.put("credential_type", "state_licence", f"{at}.code")
        sketch.put("jurisdiction", state or view.handle(one.get("issuer")), f"{at}.issuer")
        sketch.put("number", number, f"{at}.identifier")
        sketch.put("profession", _profession(one), f"{at}.code")
        _validity(sketch, one, at, status, moment)
        sketches.append(sketch)
    return sketches or NO_LICENCE


def practitioner_role(_resource: Resource, _view: View) -> list[Sketch] | NotOurs:
    """None of ours: see the module."""
    return A_ROLE


def _plan_net(qualification: Resource) -> tuple[str | None, str | None]:
    """Where a qualification is valid (two letters) and how it stands, by the Plan-Net extension."""
    state = status = None
    for extension in qualification.get("extension", ()):
        for part in extension.get("extension", ()) if extension.get("url") == PLAN_NET else ():
            if part.get("url") == "whereValid":
                said = codes_of(part.get("valueCodeableConcept"))
                state = state or next((code.code for code in said if code.system in STATES), None)
            elif part.get("url") == "status":
                status = part.get("valueCode")
    return state, status


def _number(qualification: Resource) -> tuple[str | None, bool]:
    """The licence's number, and whether its type says that it is one."""
    identifiers = qualification.get("identifier", ())
    for one in identifiers:
        if any(
            code.system == NUMBERS and code.code in _LICENCE_NUMBERS for code in codes_of(one.get("type"))
        ):
            return one.get("value"), True
    return (identifiers[0].get("value") if len(identifiers) == 1 else None), False


def _profession(qualification: Resource) -> str | None:
    """The table is published under its plain URI and, by older servers, with its version behind it."""
    return next(
        (
            _PROFESSION[code]
            for system, code in codes_of(qualification.get("code"))
            if code in _PROFESSION and system.partition("|")[0].removesuffix("/2.7") == LICENCES
        ),
        None,
    )


def _validity(
    sketch: Sketch, qualification: Resource, at: str, status: str | None, moment: int | None
) -> None:
    """First and last day, and the standing: what the extension says, else whether the last day was past when the resource was changed."""
    period: Any = qualification.get("period") or {}
    first, last = _day(period.get("start")), _day(period.get("end"))
    sketch.put("valid_from_on", first or None, f"{at}.period.start")
    sketch.put("valid_until_on", last or None, f"{at}.period.end")
    sketch.put("status", None if status is None else _STATUS.get(status), f"{at}.extension")
    if status is None and moment is not None:
        past = len(last) == 10 and last < sketch.fields["occurred_at"][:10]
        sketch.put("status", "lapsed" if past else "active", f"{at}.period")


def _day(said: Any) -> str:
    """The day of a FHIR dateTime; a month or a year stays as it is, and is then no day; empty where nothing is said."""
    return said[:10] if isinstance(said, str) else ""
