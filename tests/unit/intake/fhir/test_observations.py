"""Observation: which become vital signs, with what in them, and at which point of a session."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain.quantity import format_decimal, millionths
from compliance.domain.values import SCALE
from compliance.intake.fhir.observations import observation
from compliance.intake.fhir.quantities import Measure, amount
from compliance.intake.fhir.sketch import Sketch
from compliance.intake.fhir.vitals import READINGS
from tests.clinical_records import concept, observed, outcome, quantity, reading, view

PRESSURE = [reading("8480-6", "142", "mm[Hg]"), reading("8462-4", "88.0", "mm[Hg]")]
NOT_TAKEN = {
    "coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "not-performed"}
    ]
}


def test_a_blood_pressure_is_one_event() -> None:
    """Both figures of a panel in one event, with who, where and when."""
    assert outcome(observation, observed("85354-9", component=PRESSURE)) == {
        "id": "Observation-o1", "kind": "vital_signs", "site": "SITE-A", "actor": "RN-1", "patient": "PT-1", "session": "9",
        "occurred_at": "2026-03-02T10:40:00-06:00", "entered_at": "2026-03-02T10:42:00-06:00", "source": "FHIR Observation",
        "point": "about_40_min", "systolic_mmhg": 142, "diastolic_mmhg": 88,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "value", "unit", "field", "expected"),
    [
        ("8480-6", "142", "mm[Hg]", "systolic_mmhg", 142),
        ("8462-4", "8.8e1", "mm[Hg]", "diastolic_mmhg", 88),
        ("8867-4", "72", "/min", "heart_rate_bpm", 72),
        ("8867-4", "72", "{beats}/min", "heart_rate_bpm", 72),
        ("9279-1", "15", "{breaths}/min", "respiratory_rate_per_min", 15),
        ("2708-6", "97.5", "%", "spo2_percent", "97.5"),
        ("59408-5", "98", "%", "spo2_percent", "98"),
        ("29463-7", "81.25", "kg", "weight_kg", "81.25"),
        ("29463-7", "81250", "g", "weight_kg", "81.25"),
        ("29463-7", "100", "[lb_av]", "weight_kg", "45.359237"),
        ("29463-7", "180", "[lb_av]", "weight_kg", "81.646627"),
        ("8302-2", "1.72", "m", "height_cm", "172"),
        ("8302-2", "68", "[in_i]", "height_cm", "172.72"),
        ("19891-1", "38.5", "mm[Hg]", "etco2_mmhg", "38.5"),
    ],
)  # fmt: skip
def test_each_reading_in_its_units(code: str, value: str, unit: str, field: str, expected: Any) -> None:
    """LOINC code, UCUM unit, and what the field holds."""
    assert outcome(observation, observed(code, valueQuantity=quantity(value, unit)))[field] == expected


@pytest.mark.parametrize(("code", "weighed"), [("29463-7", None), ("3141-9", True), ("3142-7", False)])
def test_a_weight_is_weighed_or_told(code: str, weighed: bool | None) -> None:
    """Only the codes that say so say so."""
    body = outcome(observation, observed(code, valueQuantity=quantity("80", "kg")))
    assert (body["weight_kg"], body.get("weight_measured")) == ("80", weighed)


@pytest.mark.parametrize(
    ("component", "expected"),
    [
        ([], None),
        ([reading("3151-8", "0", "L/min")], False),
        ([reading("3151-8", "2", "L/min")], True),
        ([reading("3150-6", "21", "%")], False),
        ([reading("3150-6", "28", "%")], True),
        ([reading("3151-8", "2", "L/min"), reading("3150-6", "21", "%")], True),
    ],
)
def test_a_saturation_on_oxygen(component: list[dict[str, Any]], expected: bool | None) -> None:
    """A saturation that oxygen holds up is not taken for one in air."""
    said = observed(
        "59408-5",
        valueQuantity=quantity("97", "%"),
        component=component,
        device={"reference": "Device/OXI-1"},
    )
    body = outcome(observation, said)
    assert (body.get("supplemental_o2"), body["equipment"]) == (expected, "OXI-1")


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (quantity("142.5", "mm[Hg]"), "valueQuantity.value"),
        (quantity("19", "kPa"), "valueQuantity.code"),
        (quantity("142", "mmHg"), "valueQuantity.code"),
        ({"value": 142}, "valueQuantity.code"),
        ({"value": 142, "unit": "mmHg"}, "valueQuantity.code"),
        (quantity("142", "mm[Hg]", system="urn:ours"), "valueQuantity.system"),
        (quantity("142", "mm[Hg]", comparator=">"), "valueQuantity.comparator"),
        ({"system": "http://unitsofmeasure.org", "code": "mm[Hg]"}, "valueQuantity.value"),
        (quantity("1e12", "mm[Hg]"), "valueQuantity.value"),
    ],
)
def test_what_is_no_pressure_is_shown_at_its_element(wrong: dict[str, Any], place: str) -> None:
    """Nothing is rounded, no unit is supposed; the good reading beside it does not save the event."""
    component = [PRESSURE[0], {"code": concept("8462-4"), "valueQuantity": wrong}]
    assert outcome(observation, observed("85354-9", component=component)) == [
        f"Observation.component[1].{place}"
    ]
    assert outcome(observation, observed("8480-6", valueQuantity=wrong)) == [f"Observation.{place}"]


@given(st.sampled_from(sorted(READINGS)), st.data(), st.integers(0, 300 * SCALE))
def test_conversion_is_exact(code: str, data: st.DataObject, value: int) -> None:
    """What comes out is the exact product, to the sixth digit; in the field's own unit, every digit of it."""
    measure: Measure = READINGS[code]
    unit, factor = data.draw(st.sampled_from(sorted(measure.units.items())))
    sketch = Sketch("vital_signs", {"resourceType": "Observation"})
    found = amount(sketch, measure, quantity(format_decimal(value), unit), "valueQuantity")
    exact = value * factor
    if found is None:
        assert measure.whole
        assert exact % SCALE
        return
    off = abs(Fraction(millionths(str(found))) - exact)
    assert off <= Fraction(1, 2)
    assert not (off and factor == 1)


def test_a_reading_that_was_not_taken_is_a_gap_and_no_zero() -> None:
    """With a reason; beside another reading there is an event without it, alone there is none."""
    absent = {"code": concept("8462-4"), "dataAbsentReason": NOT_TAKEN}
    body = outcome(observation, observed("85354-9", component=[PRESSURE[0], absent]))
    assert (body["systolic_mmhg"], "diastolic_mmhg" in body) == (142, False)
    assert (
        outcome(observation, observed("8480-6", dataAbsentReason=NOT_TAKEN))
        == "vital signs that were not taken"
    )
    assert outcome(observation, observed("8480-6")) == ["Observation.valueQuantity"]
    assert outcome(observation, observed("85354-9")) == ["Observation.component"]


def test_a_panel_does_not_double_its_members() -> None:
    """The members are resources of their own."""
    panel = observed("85353-1", hasMember=[{"reference": "Observation/2"}])
    assert outcome(observation, panel) == "a panel whose members are resources of their own"


def test_one_reading_given_twice_is_refused() -> None:
    """Nobody could say which holds."""
    twice = observed("85354-9", component=[PRESSURE[0], PRESSURE[0]])
    assert outcome(observation, twice) == ["Observation.component[1].code"]


@pytest.mark.parametrize(
    ("at", "point"),
    [
        ("09:59:59", "pre_dose"),
        ("10:00:00", "during"),
        ("10:29:59", "during"),
        ("10:30:00", "about_40_min"),
        ("10:50:00", "about_40_min"),
        ("10:50:01", "during"),
        ("12:15:00", "during"),
    ],
)
def test_the_point_by_time(at: str, point: str) -> None:
    """Measured from the first dose at the visit."""
    said = observed(
        "8867-4", valueQuantity=quantity("72", "/min"), effectiveDateTime=f"2026-03-02T{at}-06:00"
    )
    assert outcome(observation, said)["point"] == point


@pytest.mark.parametrize(
    "holder",
    [
        {"category": [concept("vital-signs", "urn:other"), concept("DC", "urn:ehr")]},
        {"method": concept("DC", "urn:ehr")},
        {"code": {"coding": [*concept("8867-4")["coding"], {"system": "urn:ehr", "code": "DC"}]}},
        {"extension": [{"url": "urn:x", "valueCoding": {"system": "urn:ehr", "code": "DC"}}]},
        {"extension": [{"url": "urn:ehr", "valueCode": "DC"}]},
    ],
)
def test_a_code_of_the_sites_says_the_point(holder: dict[str, Any]) -> None:
    """Wherever it stands, it goes before the time; and no dose need be known."""
    said = observed("8867-4", valueQuantity=quantity("72", "/min"), **holder)
    assert outcome(observation, said)["point"] == "pre_discharge"
    assert outcome(observation, said, view(dose=None))["session"] == "9"


def test_two_points_are_one_too_many() -> None:
    """Which holds is not guessed."""
    both = [concept("DC", "urn:ehr"), concept("SCR", "urn:ehr")]
    said = observed("8867-4", valueQuantity=quantity("72", "/min"), category=both)
    assert outcome(observation, said) == ["Observation.category[0]"]


def test_a_session_without_a_dose_in_the_input() -> None:
    """A visit that the site calls a treatment: before and after cannot be told apart. Another visit is none of ours."""
    said = observed("8867-4", valueQuantity=quantity("72", "/min"))
    visit = {"resourceType": "Encounter", "id": "9", "type": [concept("TREAT", "urn:ehr")]}
    assert outcome(observation, said, view(visit, dose=None)) == ["Observation.encounter"]
    outside = "vital signs outside a treatment session"
    assert outcome(observation, said, view(visit | {"type": []}, dose=None)) == outside
    assert (
        outcome(observation, observed("8867-4", valueQuantity=quantity("72", "/min"), encounter=None))
        == outside
    )


def test_a_screening_visit_is_no_session() -> None:
    """What was measured before treatment began is kept without a session."""
    said = observed("8867-4", valueQuantity=quantity("72", "/min"), category=[concept("SCR", "urn:ehr")])
    body = outcome(observation, said, view(dose=None))
    assert (body["point"], "session" in body) == ("screening", False)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("final", "event"),
        ("amended", "event"),
        ("corrected", "event"),
        ("registered", "an observation that is not final; a later version comes"),
        ("preliminary", "an observation that is not final; a later version comes"),
        ("cancelled", "an observation that was cancelled"),
        ("unknown", ["Observation.status"]),
        (None, ["Observation.status"]),
    ],
)
def test_each_status(status: str | None, expected: Any) -> None:
    """Only what is a result is one."""
    found = outcome(observation, observed("8867-4", valueQuantity=quantity("72", "/min"), status=status))
    assert ("event" if isinstance(found, dict) else found) == expected


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({"effectiveDateTime": "2026-03-02"}, "Observation.effectiveDateTime"),
        ({"effectiveDateTime": None}, "Observation.effectiveDateTime"),
        ({"effectiveDateTime": None, "effectiveInstant": "2026-03-02T10:40:00-06:00"}, "about_40_min"),
        ({"effectiveDateTime": None, "effectivePeriod": {"start": "2026-03-02T09:58:00-06:00"}}, "Observation.effectivePeriod.end"),
        (
            {"effectiveDateTime": None, "effectivePeriod": {"start": "2026-03-02T09:58:00-06:00", "end": "2026-03-02T10:01:00-06:00"}},
            "during",
        ),
        ({"effectiveDateTime": None, "effectiveTiming": {"event": ["2026-03-02T10:40:00-06:00"]}}, "Observation.effectiveTiming"),
    ],
)  # fmt: skip
def test_when_it_was(when: dict[str, Any], expected: str) -> None:
    """A day is no instant; a period counts from its end, so that nothing passes for measured before the dose that was not."""
    found = outcome(observation, observed("8867-4", valueQuantity=quantity("72", "/min"), **when))
    assert (found["point"] if isinstance(found, dict) else found[0]) == expected


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"code": concept("2339-0")}, "an observation of another kind"),
        ({"code": concept("8867-4", "urn:other")}, "an observation of another kind"),
        ({"code": {"text": "Blood pressure"}}, "an observation of another kind"),
        ({"subject": {"reference": "Device/3"}}, "an observation that is not about a patient"),
        ({"focus": [{"reference": "RelatedPerson/2"}]}, "an observation that is not about a patient"),
    ],
)
def test_what_is_passed_over(more: dict[str, Any], reason: str) -> None:
    """Codes decide, not names; and it must be the patient who was measured."""
    assert outcome(observation, observed("8867-4", valueQuantity=quantity("72", "/min"), **more)) == reason


def test_who_did_it_is_the_first_of_the_staff() -> None:
    """By the site's number; nobody is made up."""
    staff = {"resourceType": "Practitioner", "id": "x", "identifier": [{"system": "urn:staff", "value": "7"}]}
    said = observed(
        "8867-4",
        valueQuantity=quantity("72", "/min"),
        performer=[{"reference": "Patient/1"}, {"reference": "Practitioner/x"}],
    )
    assert outcome(observation, said, view(staff))["actor"] == "RN-A3"
    said["performer"] = [{"reference": "Organization/4"}]
    assert outcome(observation, said) == ["Observation.performer"]
