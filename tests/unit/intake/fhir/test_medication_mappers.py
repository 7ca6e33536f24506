"""What holds of every mapper of medications and visits, whatever the resource says."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.domain.event import Event
from compliance.errors import Place
from compliance.intake.fhir.administrations import administration
from compliance.intake.fhir.dispenses import dispense
from compliance.intake.fhir.encounters import encounter
from compliance.intake.fhir.requests import request
from compliance.intake.fhir.sketch import Mapper, NotOurs
from compliance.intake.fhir.view import NDC
from tests.fhir_doses import DOSE, ORDER, SPRAVATO, SUPPLY, VIAL_50, VISIT, view

MAPPERS: dict[str, tuple[Mapper, dict[str, Any]]] = {
    "MedicationAdministration": (administration, DOSE),
    "MedicationDispense": (dispense, SUPPLY),
    "MedicationRequest": (request, ORDER),
    "Encounter": (
        encounter,
        VISIT | {"period": {}, "appointment": [], "hospitalization": {}, "participant": [], "location": []},
    ),
}
AROUND = {
    "Medication/1": {"resourceType": "Medication", "code": VIAL_50, "ingredient": [{"itemReference": {"reference": "Medication/1"}}]},
    "Encounter/1": VISIT, "Patient/1": {"resourceType": "Patient"}, "Practitioner/1": {"resourceType": "Practitioner", "id": "1"},
    "Appointment/1": {"resourceType": "Appointment", "status": "noshow"}, "Condition/1": {"resourceType": "Condition"},
}  # fmt: skip

_words = st.sampled_from(
    ["", "x", "ketamine", "completed", "stopped", "mg", "2026-03-02", "2026-03-02T10:20:00Z", "#m"]
)
_reference = st.one_of(
    st.just({}), st.fixed_dictionaries({"display": _words}),
    st.fixed_dictionaries({"reference": st.sampled_from([*AROUND, "#m", "Patient/9", "urn:uuid:1", "https://x.org/Practitioner/7"])}),
)  # fmt: skip
_concept = st.one_of(
    st.just({}), st.just(SPRAVATO), st.just(VIAL_50), st.fixed_dictionaries({"text": st.text(min_size=1, max_size=5)}),
    st.fixed_dictionaries({"coding": st.lists(st.sampled_from(
        [{}, {"display": "Spravato"}, {"code": "AMB"}, {"system": NDC, "code": "-"}, {"system": "http://snomed.info/sct", "code": "47625008"},
         {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "RF"}]), max_size=2)}),
)  # fmt: skip
_quantity = st.fixed_dictionaries({}, optional={
    "value": st.one_of(st.integers(-1, 10**12), st.just(28)), "code": st.sampled_from(["mg", "mL", "1", "{device}", "d", "mg/kg", "mg/min", "min", "TAB"]),
    "system": st.sampled_from(["http://unitsofmeasure.org", "urn:x"]), "comparator": st.just("<"),
})  # fmt: skip
_ratio = st.fixed_dictionaries({}, optional={"numerator": _quantity, "denominator": _quantity})
_period = st.fixed_dictionaries({}, optional={"start": _words, "end": _words})
_dosage = st.fixed_dictionaries({}, optional={
    "route": _concept, "method": _concept, "dose": _quantity, "rateRatio": _ratio, "rateQuantity": _quantity, "text": st.just("daily"),
    "timing": st.fixed_dictionaries({}, optional={"repeat": st.fixed_dictionaries({}, optional={
        "boundsPeriod": _period, "duration": st.integers(0, 90), "durationUnit": st.sampled_from(["min", "h", "wk"])})}),
    "doseAndRate": st.lists(st.fixed_dictionaries({}, optional={
        "doseQuantity": _quantity, "doseRange": st.just({}), "rateRatio": _ratio, "rateQuantity": _quantity}), max_size=2),
})  # fmt: skip
_BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    "status": st.sampled_from(["active", "completed", "stopped", "not-done", "on-hold", "cancelled", "finished", "unknown", "?"]),
    "intent": st.sampled_from(["order", "plan", "?"]), "id": st.sampled_from(["1", "x" * 64]), "doNotPerform": st.booleans(),
    "medicationCodeableConcept": _concept, "medicationReference": _reference, "subject": _reference, "context": _reference,
    "encounter": _reference, "requester": _reference, "recorder": _reference, "request": _reference, "destination": _reference,
    "effectivePeriod": _period, "effectiveDateTime": _words, "authoredOn": _words, "whenHandedOver": _words, "period": _period,
    "performer": st.lists(st.fixed_dictionaries({"actor": _reference}, optional={"function": _concept}), max_size=2),
    "dosage": _dosage, "dosageInstruction": st.lists(_dosage, max_size=2), "category": _concept, "type": _concept,
    "statusReason": st.lists(_concept, max_size=2), "reasonCode": st.lists(_concept, max_size=2), "reasonReference": st.lists(_reference, max_size=2),
    "basedOn": st.lists(_reference, max_size=1), "receiver": st.lists(_reference, max_size=2), "authorizingPrescription": st.lists(_reference, max_size=2),
    "quantity": _quantity, "daysSupply": _quantity, "appointment": st.lists(_reference, max_size=2),
    "dispenseRequest": st.fixed_dictionaries({}, optional={"quantity": _quantity, "numberOfRepeatsAllowed": st.integers(0, 9)}),
    "participant": st.lists(st.fixed_dictionaries({"individual": _reference}), max_size=2),
    "location": st.lists(st.fixed_dictionaries({"location": _reference}), max_size=2), "class": st.sampled_from([{}, {"code": "AMB"}]),
    "hospitalization": st.fixed_dictionaries({}, optional={"dischargeDisposition": _concept}), "meta": st.fixed_dictionaries({"lastUpdated": _words}),
}  # fmt: skip


def _model(name: str) -> Any:
    return getattr(importlib.import_module(f"fhir.resources.R4B.{name.lower()}"), name)


def _elements(name: str) -> set[str]:
    """The elements of a resource as FHIRPath names them: ``medication`` for ``medicationReference``."""
    model = _model(name)
    plain = {field.alias or field_name for field_name, field in model.model_fields.items()}
    choices = {(field.json_schema_extra or {}).get("one_of_many") for field in model.model_fields.values()}
    return plain | {choice for choice in choices if choice}


ELEMENTS = {name: _elements(name) for name in MAPPERS}


@st.composite
def resources(draw: st.DrawFn) -> dict[str, Any]:
    """A resource near one that is mapped: some elements are gone, some say something else."""
    name = draw(st.sampled_from(sorted(MAPPERS)))
    whole = MAPPERS[name][1]
    kept = {key: value for key, value in whole.items() if key == "resourceType" or draw(st.booleans())}
    changeable = sorted(ELEMENTS[name] & set(_BY_NAME))
    changed = {
        key: draw(_BY_NAME[key])
        for key in draw(st.lists(st.sampled_from(changeable), unique=True, max_size=6))
    }
    for key in ("category", "type"):
        if key in changed and (name, key) in {("MedicationRequest", "category"), ("Encounter", "type")}:
            changed[key] = [changed[key]]
    if name == "MedicationDispense" and isinstance(changed.get("location"), list):
        del changed["location"]
    return kept | changed


def _look(resource: dict[str, Any]) -> None:
    name = resource["resourceType"]
    for dosed in (frozenset[str](), frozenset({"Encounter/V1", "Encounter/1"})):
        said = MAPPERS[name][0](resource, view(AROUND, dosed=dosed))
        if isinstance(said, NotOurs):
            assert said.reason
            continue
        assert said
        assert len({sketch.suffix for sketch in said}) == len(said)
        for sketch in said:
            done = sketch.finished(Place("x.json", 1))
            if isinstance(done, Event):
                continue
            assert done
            for problem in done:
                first, _, rest = str(problem.place.field).partition(".")
                assert first == name
                assert rest.partition(".")[0] in ELEMENTS[name], problem
                assert problem.message
                assert problem.remedy


@given(resources())
@settings(max_examples=150)
def test_a_mapper_never_raises(resource: dict[str, Any]) -> None:
    """Every sketch becomes an event, or problems with a remedy at elements that the resource type has; also of what R4 itself would refuse."""
    _look(resource)


@pytest.mark.soak
@given(resources())
@settings(max_examples=5000, deadline=None)
def test_a_mapper_never_raises_for_long(resource: dict[str, Any]) -> None:
    """The same, many times over."""
    _look(resource)


@pytest.mark.parametrize("name", MAPPERS)
def test_every_path_of_a_whole_resource_is_an_element(name: str) -> None:
    """Also of fields with which nothing is wrong; and the resources of these tests are valid themselves."""
    mapper, whole = MAPPERS[name]
    if name != "Encounter":
        numbers = whole | {"id": "x"}
        _model(name).model_validate(numbers)
    said = mapper(whole, view(dosed=frozenset({"Encounter/V1"})))
    for sketch in [] if isinstance(said, NotOurs) else said:
        assert {path.partition(".")[0] for path in sketch.places.values()} <= ELEMENTS[name]
