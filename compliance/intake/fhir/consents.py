"""Consent to treatment with a drug of ours, to `consent`. Consents to privacy, research and advance directives are not about treatment.

A Consent of R4 has no signature, no elements that were acknowledged and no highest dose: those fields stay open, and the rules that ask for
them say so.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from compliance.domain.codes import Code
from compliance.domain.drugs import DRUGS
from compliance.intake.fhir.indications import OURS, told_by
from compliance.intake.fhir.routes import ROUTES, VEIN
from compliance.intake.fhir.sketch import NotOurs, Resource, Sketch
from compliance.intake.fhir.view import View, codes_of, put_entered_at
from compliance.intake.fhir.visits import staff_among
from compliance.intake.fhir.which_drug import Meant, which_drug

ANOTHER_SCOPE: Final = NotOurs("a consent to something other than treatment")
ANOTHER_TREATMENT: Final = NotOurs("a consent to another treatment")
NOT_GIVEN: Final = NotOurs("a consent that was not given")

TREATMENT: Final = Code("http://terminology.hl7.org/CodeSystem/consentscope", "treatment")
_NOT_GIVEN: Final = frozenset(("draft", "proposed", "rejected"))
_WITHDRAWN: Final = "-withdrawn"
_LISTED_ROUTES: Final[Mapping[str, str]] = {"intranasal": "intranasal", "sublingual": "sublingual"}
"""Routes of the drug list that are one route; an injection has several."""


def consent(resource: Resource, view: View) -> list[Sketch] | NotOurs:
    """A consent given or withdrawn. What ended is an event of its own, so that what was given before its end still stands."""
    if TREATMENT not in codes_of(resource.get("scope")):
        return ANOTHER_SCOPE
    meant = [which_drug({"medicationCodeableConcept": one}, view) for one in _codes(resource)]
    ours = [one for one in meant if isinstance(one, Meant)]
    if not ours:
        return ANOTHER_TREATMENT
    status = resource.get("status")
    if status in _NOT_GIVEN:
        return NOT_GIVEN
    ended = status == "inactive"
    sketch = Sketch("consent", resource, suffix=_WITHDRAWN if ended else "")
    view.envelope(
        sketch,
        patient="patient",
        encounter=None,
        actor=staff_among(resource.get("performer"), view),
        actor_path="performer",
    )
    site = next((site for one in resource.get("organization", ()) if (site := view.place(one))), view.site)
    sketch.put("site", site, "organization")
    _when(sketch, ended)
    _action(sketch, ended)
    _drug(sketch, ours)
    _covered(sketch)
    _document(sketch)
    put_entered_at(sketch)
    return [sketch]


def _codes(resource: Resource) -> list[Any]:
    found: list[Any] = (resource.get("provision") or {}).get("code", [])
    return found


def _when(sketch: Sketch, ended: bool) -> None:
    """When it was given; of one that ended, the end of its period, else when the server learnt of it."""
    resource = sketch.resource
    if not ended:
        sketch.put("occurred_at", resource.get("dateTime"), "dateTime")
        return
    end = ((resource.get("provision") or {}).get("period") or {}).get("end")
    learnt = (resource.get("meta") or {}).get("lastUpdated")
    sketch.put("occurred_at", end or learnt, "provision.period.end" if end else "meta.lastUpdated")


def _action(sketch: Sketch, ended: bool) -> None:
    resource = sketch.resource
    provision = resource.get("provision") or {}
    sketch.put("consent", resource.get("id"), "id")
    sketch.put("action", "withdrawn" if ended or provision.get("type") == "deny" else "given", "status")
    if resource.get("status") not in ("active", "inactive"):
        sketch.wrong("status", "nobody says whether it is in force", "Send active or inactive.")
    if "provision" in provision:
        sketch.wrong(
            "provision.provision",
            "a consent with exceptions",
            "Send a Consent whose one provision says what it covers.",
        )


def _drug(sketch: Sketch, ours: list[Meant]) -> None:
    drugs = {one.drug.code for one in ours if one.drug is not None}
    problem = next((one.problem for one in ours if one.problem is not None), None)
    sketch.put("drug", next(iter(drugs), None), "provision.code")
    if not drugs and problem is not None:
        sketch.wrong("provision.code", *problem)
    if len(drugs) > 1:
        sketch.wrong("provision.code", "more than one drug of ours", "Send a Consent for each.")


def _covered(sketch: Sketch) -> None:
    """Routes and indication by code; the route also of the drug itself, where it has one alone."""
    codes = [code for concept in _codes(sketch.resource) for code in codes_of(concept)]
    said = [route for code in codes if code in ROUTES for route in _routes(ROUTES[code])]
    drug = DRUGS.get(sketch.fields.get("drug", ""))
    own = None if drug is None else _LISTED_ROUTES.get(drug.route)
    routes = said or ([] if own is None else [own])
    sketch.put("route_covered", list(dict.fromkeys(routes)) or None, "provision.code")
    indications = told_by(codes)
    sketch.put(
        "indication_covered", next(iter(indications)) if len(indications) == 1 else None, "provision.code"
    )
    if len(indications) > 1:
        sketch.wrong("provision.code", "more than one indication", "Send a Consent for each.")
    elif indications == {"mdd"} and drug is not None and drug.generic == "esketamine":
        message = "major depression, and not told whether treatment-resistant or with acute suicidal ideation"
        sketch.wrong(
            "provision.code",
            message,
            f"Send R45.851 beside it where that is meant, or the code trd of {OURS}.",
        )


def _routes(route: str) -> tuple[str, ...]:
    """A consent to the vein is one to infusion and bolus."""
    return ("iv_infusion", "iv_bolus") if route == VEIN else (route,)


def _document(sketch: Sketch) -> None:
    """The text that was agreed to, and the digest of what was signed where it is enclosed (``Attachment.hash`` is a SHA-1, and is not taken)."""
    resource = sketch.resource
    uris = dict.fromkeys(one["uri"] for one in resource.get("policy", ()) if isinstance(one.get("uri"), str))
    sketch.put("form_version", next(iter(uris), None), "policy[0].uri" if uris else "policy")
    if len(uris) > 1:
        sketch.wrong("policy", "more than one text", "Send the one that was signed.")
    enclosed = (resource.get("sourceAttachment") or {}).get("data")
    if isinstance(enclosed, str):
        try:
            sketch.put(
                "document_sha256",
                sha256(b64decode(enclosed, validate=True)).hexdigest(),
                "sourceAttachment.data",
            )
        except (binascii.Error, ValueError):
            sketch.wrong("sourceAttachment.data", "no base64", "Send the document as base64, or its url.")
