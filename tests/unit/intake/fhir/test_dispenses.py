"""MedicationDispense: what was handed over, to whom, which fill."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.intake.fhir.dispenses import FILLS, NOT_OVER, dispense
from tests.fhir_doses import ACT, AT, SUPPLY, concept, event, quantity, reason, view, wrong

PLACE = "MedicationDispense"
WAITING = {key: value for key, value in SUPPLY.items() if key != "whenHandedOver"}


def test_what_was_handed_over_becomes_a_dispense() -> None:
    """Element by element."""
    assert event(dispense(SUPPLY, view())) == {
        "id": "MedicationDispense-MD1", "kind": "dispense", "occurred_at": AT, "site": "SITE-A", "actor": "PH-A9", "patient": "PT-1",
        "drug": "esketamine_nasal_28mg", "prescription": "RX1", "recipient_type": "patient", "quantity": "2", "quantity_unit": "device",
        "days_supply": 7, "fill_number": 0, "is_partial": False, "source": "FHIR MedicationDispense",
    }  # fmt: skip


@pytest.mark.parametrize("status", NOT_OVER)
def test_what_was_not_handed_over_is_passed_over(status: str) -> None:
    """With its status in words; and objected to where a time says otherwise."""
    assert reason(dispense(WAITING | {"status": status}, view())) == NOT_OVER[status]
    assert list(wrong(dispense(SUPPLY | {"status": status}, view()))) == [f"{PLACE}.status"]


@pytest.mark.parametrize("status", ["unknown", None])
def test_a_status_that_tells_nothing_is_objected_to(status: str | None) -> None:
    """A controlled drug may have left."""
    assert f"{PLACE}.status" in wrong(dispense(WAITING | {"status": status}, view()))


def test_when_it_was_prepared_is_not_when_it_was_handed_over() -> None:
    """The moment of handing over is needed."""
    assert list(wrong(dispense(WAITING | {"whenPrepared": AT}, view()))) == [f"{PLACE}.whenHandedOver"]


@pytest.mark.parametrize("code", FILLS)
def test_fills(code: str) -> None:
    """The first is number 0; which refill it is, no code says."""
    number, partial = FILLS[code]
    said = dispense(SUPPLY | {"type": concept(ACT, code)}, view())
    if number is None:
        assert list(wrong(said)) == [f"{PLACE}.type"]
    else:
        body = event(said)
        assert (body["fill_number"], body.get("is_partial")) == (number, partial)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"type": concept(ACT, "EM")}, "type"), ({"type": concept("urn:x", "FF")}, "type"),
        ({"type": {"coding": concept(ACT, "FFC")["coding"] + concept(ACT, "RFP")["coding"]}}, "type"),
        ({"receiver": [{"reference": "Practitioner/X"}]}, "receiver"), ({"receiver": []}, "receiver"),
        ({"receiver": [], "destination": {"reference": "Location/L9"}}, "receiver"),
        ({"authorizingPrescription": []}, "authorizingPrescription"),
        ({"authorizingPrescription": [{"reference": "MedicationRequest/1"}] * 2}, "authorizingPrescription"),
        ({"quantity": quantity(2, "TAB")}, "quantity"), ({"quantity": quantity(50, "mg")}, "quantity"),
        ({"daysSupply": quantity(1, "mo")}, "daysSupply"), ({"daysSupply": {"unit": "d"}}, "daysSupply"),
        ({"performer": []}, "performer.actor"),
    ],
)  # fmt: skip
def test_what_is_not_told_is_objected_to(change: dict[str, Any], place: str) -> None:
    """At its element."""
    assert list(wrong(dispense(SUPPLY | change, view()))) == [f"{PLACE}.{place}"]


def test_sent_to_a_site_of_ours() -> None:
    """The destination is a Location that the site's codes know; the place of handing over is the site."""
    sent = SUPPLY | {
        "receiver": [],
        "destination": {"reference": "Location/L1"},
        "location": {"reference": "Location/L1"},
    }
    body = event(dispense(sent, view(site=None)))
    assert (body["recipient_type"], body["site"]) == ("site", "SITE-A")


def test_weeks_are_days() -> None:
    """Units of whole days only."""
    assert event(dispense(SUPPLY | {"daysSupply": quantity(2, "wk")}, view()))["days_supply"] == 14


def test_another_drug_is_passed_over() -> None:
    """Before anything else is asked."""
    assert (
        reason(
            dispense(
                {
                    "resourceType": PLACE,
                    "status": "completed",
                    "medicationCodeableConcept": {"text": "aspirin"},
                },
                view(),
            )
        )
        == "another drug"
    )
