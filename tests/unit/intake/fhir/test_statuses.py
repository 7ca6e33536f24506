"""A status that is missing is said to be."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.intake.fhir.administrations import administration
from compliance.intake.fhir.dispenses import dispense
from compliance.intake.fhir.requests import request
from compliance.intake.fhir.sketch import Mapper
from tests.fhir_doses import DOSE, ORDER, SUPPLY, view, wrong

ABSENT = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    ]
}


@pytest.mark.parametrize(
    ("mapper", "one", "element"),
    [
        (administration, DOSE, "status"),
        (dispense, SUPPLY, "status"),
        (request, ORDER, "status"),
        (request, ORDER, "intent"),
        (request, ORDER | {"dispenseRequest": {}}, "status"),
    ],
)
def test_what_stands_in_the_place_of_a_status(mapper: Mapper, one: dict[str, Any], element: str) -> None:
    """``_status`` with a reason why there is none is allowed by R4, and leaves open what happened."""
    without = {name: value for name, value in one.items() if name != element} | {f"_{element}": ABSENT}
    assert wrong(mapper(without, view()))[f"{one['resourceType']}.{element}"] == f"the {element} is missing"
