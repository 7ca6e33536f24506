"""The JSON Schema of events says what the engine does, as far as JSON Schema can."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from compliance.domain.conversion import exact_body
from compliance.domain.event import Event
from compliance.domain.making import make_event
from compliance.domain.schema import SCHEMA_ID, event_schema
from compliance.domain.vocabulary import KINDS
from tests.valid_events import bodies

SCHEMA = event_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
VOID: dict[str, Any] = {
    "id": "E-2", "kind": "void", "site": "S", "actor": "A", "occurred_at": "2026-03-02T09:00:00Z", "corrects": "E-1", "reason": "twice",
    "reason_code": "duplicate",
}  # fmt: skip


def test_the_schema_is_a_schema() -> None:
    """It is valid draft 2020-12, versioned, and has every kind with its words, key and units."""
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == SCHEMA_ID and SCHEMA_ID.endswith(":v1")
    assert list(SCHEMA["$defs"]) == list(KINDS)
    dose = SCHEMA["$defs"]["administration"]["properties"]["dose_mg"]
    assert (dose["description"], dose["x-unit"]) == ("Active drug given", "mg")
    assert SCHEMA["$defs"]["order"]["x-key"] == ["order"]


@given(bodies())
def test_events_that_are_let_in_are_valid_by_the_schema(body: dict[str, Any]) -> None:
    """The engine takes no event that the schema refuses."""
    if isinstance(make_event(body), Event):
        VALIDATOR.validate(body)
        VALIDATOR.validate(exact_body(body["kind"], body))


@pytest.mark.parametrize("number", [28, 28.5, "28.50", "2.85e1"])
def test_decimals_may_be_numbers_or_text(number: Any) -> None:
    """Both ways in which JSON can write a decimal are valid."""
    body = VOID | {"kind": "vital_signs", "patient": "P", "point": "pre_dose", "weight_kg": number}
    for name in ("corrects", "reason_code"):
        del body[name]
    VALIDATOR.validate(body)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "voids"}, {"kind": None}, {"id": ""}, {"id": "a b"}, {"id": 3}, {"occurred_at": "2026-03-02T09:00:00"}, {"occurred_at": "2026-13-02T09:00:00Z"},
        {"recorded_at": "2026-03-02T09:00:00Z"}, {"noted_at": "2026-03-02T09:00:00Z"}, {"drug": "ketamine_inj_10mg_ml"}, {"reason": " "}, {"reason": "x" * 4001},
        {"reason_code": "other"}, {"approved_by": None}, {"colour": "red"}, {"intent": "planned"},
    ],
)  # fmt: skip
def test_broken_events_are_invalid_by_the_schema(change: dict[str, Any]) -> None:
    """What the engine refuses for its shape, the schema refuses too."""
    VALIDATOR.validate(VOID)
    assert not VALIDATOR.is_valid(VOID | change)
    assert not isinstance(make_event(VOID | change), Event)


@pytest.mark.parametrize(
    "name", ["id", "kind", "occurred_at", "site", "actor", "corrects", "reason", "reason_code"]
)
def test_required_fields_are_required_by_the_schema(name: str) -> None:
    """Leaving one out is invalid."""
    assert not VALIDATOR.is_valid({field: value for field, value in VOID.items() if field != name})
