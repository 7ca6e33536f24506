"""What holds for each mapper of clinical records and people, whatever a resource says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.errors import Place
from compliance.intake.fhir import labs, scores, vitals
from compliance.intake.fhir.adverse_events import adverse_event
from compliance.intake.fhir.consents import consent
from compliance.intake.fhir.indications import OURS
from compliance.intake.fhir.observations import observation
from compliance.intake.fhir.people import LICENCES, NUMBERS, PLAN_NET, practitioner, practitioner_role
from compliance.intake.fhir.sketch import Mapper, NotOurs
from compliance.intake.fhir.view import LOINC, SNOMED, UCUM
from tests.clinical_records import CODES, view

fhir = pytest.importorskip("fhir.resources.R4B")

MAPPERS: dict[str, Mapper] = {
    "Observation": observation,
    "Consent": consent,
    "AdverseEvent": adverse_event,
    "Practitioner": practitioner,
    "PractitionerRole": practitioner_role,
}
PRIVATE = "Mrs Erewhon"
_REFERENCES = (
    "Patient/1",
    "Encounter/9",
    "Encounter/8",
    "Practitioner/x",
    "Observation/o",
    "Medication/m",
    "Location/room-1",
    "#c",
    "urn:uuid:1",
)


def some(**elements: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of the elements: all of them are optional."""
    return st.fixed_dictionaries({}, optional=elements)


def coded(*pairs: tuple[str, str]) -> st.SearchStrategy[dict[str, Any]]:
    known = st.sampled_from(pairs).map(lambda pair: {"system": pair[0], "code": pair[1]})
    coding = st.one_of(
        known,
        known,
        st.just({"display": PRIVATE}),
        st.just({"system": LOINC, "code": "1-8", "display": "Another"}),
    )
    return st.one_of(
        st.fixed_dictionaries({"coding": st.lists(coding, min_size=1, max_size=2)}),
        st.just({"text": PRIVATE}),
    )


def lists(one: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(one, min_size=1, max_size=2)


REFERENCE = st.one_of(
    st.sampled_from(_REFERENCES).map(lambda said: {"reference": said}), st.just({"display": PRIVATE})
)
TIME = st.sampled_from(
    [
        "2026",
        "2026-03",
        "2026-03-02",
        "2026-03-02T09:00:00-06:00",
        "2026-03-02T10:40:00.123456789Z",
        "2026-03-02T10:40:00Z",
    ]
)
INSTANT = st.sampled_from(["2026-03-02T10:40:00Z", "2026-03-02T10:40:00.1-06:00"])
PERIOD = some(start=TIME, end=TIME)
NUMBER = st.one_of(st.integers(-5, 300), st.decimals(-5, 300, places=2).map(float))
QUANTITY = some(
    value=NUMBER,
    system=st.sampled_from([UCUM, "urn:x"]),
    code=st.sampled_from(["mm[Hg]", "kg", "[lb_av]", "/min", "U/L", "x"]),
    comparator=st.just("<"),
)
ABSENT = coded((labs.ABSENT, "asked-declined"), (labs.ABSENT, "error"))
ANSWER = coded((LOINC, "LA6570-1"), (LOINC, "LA30372-9"), (SNOMED, "77386006"), (SNOMED, "10828004"))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "valueQuantity": QUANTITY,
    "valueInteger": st.integers(-5, 300),
    "valueString": st.just(PRIVATE),
    "valueCodeableConcept": ANSWER,
}
OBSERVED = coded(*((LOINC, code) for code in sorted(vitals.CODES | scores.CODES | labs.CODES)))
POINT = coded(*((code.system, code.code) for code in CODES.points))


def valued(**more: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An element with one value[x], or none."""
    return st.one_of(some(**more), *(some(**more, **{name: value}) for name, value in VALUES.items()))


def merged(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(
        lambda several: {name: value for one in several for name, value in one.items()}
    )


COMPONENT = merged(st.fixed_dictionaries({"code": OBSERVED}), valued(dataAbsentReason=ABSENT))
OBSERVATION = merged(
    st.fixed_dictionaries({"status": st.sampled_from(["final", "preliminary", "cancelled", "unknown"]), "code": OBSERVED}),
    valued(
        id=st.just("o"), subject=REFERENCE, encounter=REFERENCE, issued=INSTANT, performer=lists(REFERENCE), category=lists(POINT),
        method=POINT, dataAbsentReason=ABSENT, component=lists(COMPONENT), hasMember=lists(REFERENCE), specimen=REFERENCE,
        interpretation=lists(coded((labs.INTERPRETATION, "H"), (labs.INTERPRETATION, "POS"))),
        extension=lists(st.sampled_from([{"url": "urn:ehr", "valueCode": "DC"}, {"url": "urn:e", "valueCoding": {"code": "DC"}}])),
    ),
    st.one_of(
        some(effectiveDateTime=TIME), some(effectivePeriod=PERIOD), some(effectiveInstant=INSTANT),
        st.just({"effectiveTiming": {"event": ["2026-03-02"]}}),
    ),
)  # fmt: skip
SCOPE = coded(("http://terminology.hl7.org/CodeSystem/consentscope", "treatment"))
COVERED = coded(
    ("urn:ehr", "KET50"),
    ("urn:ehr", "SPR"),
    (OURS, "trd"),
    (SNOMED, "47625008"),
    ("http://hl7.org/fhir/sid/icd-10-cm", "F33.1"),
)
CONSENT = merged(
    st.fixed_dictionaries({"status": st.sampled_from(["active", "inactive", "rejected"]), "scope": SCOPE, "category": lists(POINT)}),
    some(
        id=st.just("c"), patient=REFERENCE, dateTime=TIME, performer=lists(REFERENCE), organization=lists(REFERENCE),
        meta=some(lastUpdated=INSTANT), policy=lists(some(uri=st.sampled_from(["urn:form:1", "urn:form:2"]))),
        sourceAttachment=some(data=st.just("c2lnbmVk"), title=st.just(PRIVATE)),
        provision=some(type=st.sampled_from(["permit", "deny"]), period=PERIOD, code=lists(COVERED), provision=lists(some(type=st.just("deny")))),
    ),
)  # fmt: skip
_AE = "http://terminology.hl7.org/CodeSystem/adverse-event-"
ADVERSE = merged(
    st.fixed_dictionaries({"actuality": st.sampled_from(["actual", "potential"]), "subject": REFERENCE}),
    some(
        id=st.just("a"), encounter=REFERENCE, date=TIME, detected=TIME, recordedDate=TIME, recorder=REFERENCE, location=REFERENCE,
        event=coded((SNOMED, "271782001")), seriousness=coded((f"{_AE}seriousness", "SeriousResultsInDeath"), (f"{_AE}seriousness", "Non-serious")),
        severity=coded((f"{_AE}severity", "mild")), outcome=coded((f"{_AE}outcome", "fatal"), (f"{_AE}outcome", "resolved")),
        suspectEntity=lists(st.fixed_dictionaries({"instance": REFERENCE})),
    ),
)  # fmt: skip
WHERE = {
    "url": "whereValid",
    "valueCodeableConcept": {"coding": [{"system": "https://www.usps.com/", "code": "TX"}]},
}
QUALIFICATION = merged(
    st.fixed_dictionaries({"code": coded((LICENCES, "MD"), (LICENCES, "BS"))}),
    some(
        period=PERIOD, issuer=REFERENCE, identifier=lists(some(type=coded((NUMBERS, "LN")), value=st.just("7"))),
        extension=st.sampled_from(["active", "inactive", "pending"]).map(
            lambda said: [{"url": PLAN_NET, "extension": [{"url": "status", "valueCode": said}, WHERE]}]
        ),
    ),
)  # fmt: skip
PERSON = some(
    id=st.just("x"),
    meta=some(lastUpdated=INSTANT),
    name=st.just([{"family": PRIVATE}]),
    birthDate=st.just("1980-01-01"),
    qualification=lists(QUALIFICATION),
)


def named(name: str, body: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return body.map(lambda one: {"resourceType": name, **one})


RESOURCES = st.one_of(
    named("Observation", OBSERVATION),
    named("Consent", CONSENT),
    named("AdverseEvent", ADVERSE),
    named("Practitioner", PERSON),
)
AROUND = view(
    {"resourceType": "Practitioner", "id": "x", "identifier": [{"value": "7"}]},
    {
        "resourceType": "Observation",
        "id": "o",
        "code": {"coding": [{"system": LOINC, "code": "44261-6"}]},
        "valueInteger": 4,
    },
    {"resourceType": "Medication", "id": "m", "code": {"coding": [{"system": "urn:ehr", "code": "KET50"}]}},
)


@given(RESOURCES)
def test_no_resource_is_too_odd(resource: dict[str, Any]) -> None:
    """A mapper gives events or objections, each at an element that R4B has, and repeats nobody's name."""
    mapper = MAPPERS[resource["resourceType"]]
    made = mapper(resource, AROUND)
    if isinstance(made, NotOurs):
        assert PRIVATE not in made.reason
        return
    for sketch in made:
        finished = sketch.finished(Place("in.json", 1))
        if not isinstance(finished, tuple):
            assert PRIVATE not in str(finished.body)
            continue
        for problem in finished:
            assert is_element(problem.place.field or ""), problem
            assert PRIVATE not in f"{problem.message} {problem.remedy}"


@pytest.mark.parametrize(
    "path",
    ["Observation.systolic", "Observation.component.valueQuantity.unity", "Observation (point)", "Consent"],
)
def test_what_is_no_element_is_found(path: str) -> None:
    """The guard of the law above."""
    assert not is_element(path)


@given(RESOURCES)
def test_the_resources_at_random_are_r4b(resource: dict[str, Any]) -> None:
    """What the law is tried on is what passes for structure, as far as it must not have more."""
    fhir.get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def test_every_code_is_in_the_documentation() -> None:
    """docs/fhir.md names each LOINC code that is taken."""
    text = (Path(__file__).parents[4] / "docs" / "fhir.md").read_text(encoding="utf-8")
    codes = vitals.CODES | scores.CODES | labs.CODES | set(vitals.OXYGEN)
    assert not [code for code in sorted(codes) if code not in text]


def is_element(path: str) -> bool:
    """Whether a path names an element of an R4B class, through references to the element of what they refer to."""
    name, *steps = path.split(".")
    if not name.isalpha() or not steps:
        return False
    model = fhir.get_fhir_model_class(name)
    for step in steps:
        if model is None:
            return False
        found = {field.alias or key: field for key, field in model.model_fields.items()}.get(
            re.sub(r"\[[0-9]+\]$", "", step)
        )
        if found is None:
            return False
        model = (
            fhir.get_fhir_model_class("Encounter")
            if step == "encounter"
            else _model(found.annotation) or model
        )
    return True


def _model(annotation: Any) -> Any:
    """The class of an element; None for a primitive."""
    for inner in (annotation, *get_args(annotation)):
        if hasattr(inner, "get_model_klass"):
            return inner.get_model_klass()
        deeper = _model(inner) if inner is not annotation and get_args(inner) else None
        if deeper is not None:
            return deeper
    return None
