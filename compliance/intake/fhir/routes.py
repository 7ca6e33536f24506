"""Routes of administration by code (SNOMED CT, HL7 v3). By vein there are two, infusion and bolus, and a code for the vein alone tells neither."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from compliance.domain.codes import Code
from compliance.intake.fhir.view import SNOMED, codes_of

V3_ROUTE: Final = "http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration"

VEIN: Final = "intravenous"
"""By vein, and not told how."""

ROUTES: Final[Mapping[Code, str]] = {
    Code(SNOMED, "46713006"): "intranasal",
    Code(SNOMED, "47625008"): VEIN,
    Code(SNOMED, "78421000"): "im",
    Code(SNOMED, "34206005"): "sc",
    Code(SNOMED, "26643006"): "oral",
    Code(SNOMED, "37839007"): "sublingual",
}


def route_of(dosage: Mapping[str, Any]) -> str | None:
    """The route of a Dosage or of a MedicationAdministration's dosage; None where no code of it is known."""
    return next((ROUTES[code] for code in codes_of(dosage.get("route")) if code in ROUTES), None)
