"""Routes of administration by code (SNOMED CT, HL7 v3 and v2). By vein there are two, infusion and bolus; where the route only says by vein, the
method or a rate must tell which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from compliance.domain.codes import Code
from compliance.intake.fhir.sketch import Sketch
from compliance.intake.fhir.view import SNOMED, codes_of

V3_ROUTE: Final = "http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration"
V2_ROUTE: Final = "http://terminology.hl7.org/CodeSystem/v2-0162"
V2_METHOD: Final = "http://terminology.hl7.org/CodeSystem/v2-0165"

VEIN: Final = "intravenous"
"""By vein, and not told how."""

_V3: Final = {
    "iv_infusion": ("IV", "IVC", "IVCC", "IVCI", "PCA"),  # "Infusion, intravenous" and its kinds
    "iv_bolus": (
        "IVINJ",
        "IVINJBOL",
        "IVPUSH",
        "IVRPUSH",
        "IVSPUSH",
    ),  # "Injection, intravenous" and its kinds
    "im": ("IM", "IMD", "IMZ"),
    "sc": ("SQ", "SQINFUS"),
    "intranasal": ("NASAL", "NASALINSTIL", "NASINHL"),
    "oral": ("PO",),
    "sublingual": ("SL",),
}

ROUTES: Final[Mapping[Code, str]] = {
    Code(SNOMED, "46713006"): "intranasal",
    Code(SNOMED, "47625008"): VEIN,
    Code(SNOMED, "78421000"): "im",
    Code(SNOMED, "34206005"): "sc",
    Code(SNOMED, "26643006"): "oral",
    Code(SNOMED, "37839007"): "sublingual",
    **{Code(V3_ROUTE, code): route for route, codes in _V3.items() for code in codes},
    Code(V2_ROUTE, "NS"): "intranasal",
    Code(V2_ROUTE, "IV"): VEIN,  # in table 0162 any way into the vein, unlike in v3
    Code(V2_ROUTE, "IM"): "im",
    Code(V2_ROUTE, "SC"): "sc",
    Code(V2_ROUTE, "PO"): "oral",
    Code(V2_ROUTE, "SL"): "sublingual",
}
"""What a code says of the route. Others (rectal, oromucosal, a catheter's flush ...) have no place in the vocabulary."""

METHODS: Final[Mapping[Code, str]] = {
    Code(SNOMED, "420620005"): "iv_bolus",  # Push - dosing instruction imperative
    Code(SNOMED, "14152002"): "iv_infusion",  # Intravenous infusion
    Code(V2_METHOD, "IVP"): "iv_bolus",
    Code(V2_METHOD, "IVPB"): "iv_infusion",
}
"""What a method says of the way into the vein."""

_SENT: Final = "Send a SNOMED CT or HL7 v3 code of the route."


def put_route(sketch: Sketch, dosage: Mapping[str, Any], path: str, *, has_rate: bool) -> str | None:
    """Set the route from a dosage at `path`, and give it; None where it is not told. `has_rate`: the dosage has a rate, so something flows."""
    sketch.put("route", None, f"{path}.route")
    sent = list(codes_of(dosage.get("route")))
    known = {ROUTES[code] for code in sent if code in ROUTES}
    if len(known) > 1 and VEIN in known:
        known.discard(VEIN)  # the others say more
    if len(known) > 1:
        sketch.wrong(f"{path}.route", "its codes name different routes", "Send one route.")
        return None
    if not known:
        if sent or dosage.get("route") is not None:
            sketch.wrong(f"{path}.route", "no code of it is a route that is known", _SENT)
        return None
    (route,) = known
    if route == VEIN:
        ways = {METHODS[code] for code in codes_of(dosage.get("method")) if code in METHODS}
        if not ways and has_rate:
            ways = {"iv_infusion"}
        if len(ways) != 1:
            said = "by vein, and not told whether as an infusion or a bolus"
            sketch.wrong(f"{path}.route", said, "Send the rate, the method, or a route that says it.")
            return None
        (route,) = ways
    sketch.put("route", route, f"{path}.route")
    return route
