"""The declared kinds hold the published vocabulary, word for word."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from compliance.domain import drugs
from compliance.domain.vocabulary import ENVELOPE, KINDS, FieldSpec, event_reference_fields

PUBLISHED: dict[str, Any] = YAML(typ="safe").load(Path(__file__).parents[2] / "vectors" / "vocabulary.yaml")
USE: dict[str, list[str]] = PUBLISHED["envelope_use"]


def _published(spec: FieldSpec) -> dict[str, Any]:
    """A field as the published vocabulary would write it."""
    written: dict[str, Any] = {"type": spec.type, "required": spec.required, "says": spec.says}
    inner = spec
    if spec.element is not None:
        inner = spec.element
        written["type"] = f"list[{inner.type}]"
    if spec.unit:
        written["unit"] = spec.unit
    if inner.values:
        written["values"] = list(inner.values)
    if inner.fields is not None:
        written["fields"] = {name: _published(field) for name, field in inner.fields.items()}
    return written


def test_kinds_are_those_published_in_their_order() -> None:
    """There is no kind more or less than in the published vocabulary."""
    assert list(KINDS) == list(PUBLISHED["kinds"])


@pytest.mark.parametrize("kind", PUBLISHED["kinds"])
def test_a_kind_is_as_published(kind: str) -> None:
    """Group, description, key and every field with its type, unit, values and description are equal."""
    published = PUBLISHED["kinds"][kind]
    spec = KINDS[kind]
    own = {name: _published(field) for name, field in spec.fields.items() if name in published["fields"]}
    assert (spec.group, spec.says, list(spec.key)) == (
        published["group"],
        published["says"],
        published.get("key", []),
    )
    assert own == published["fields"]
    assert list(own) == list(published["fields"])
    assert {name for name in set(spec.fields) - set(own) if not spec.fields[name].derived} <= set(ENVELOPE)


@pytest.mark.parametrize("kind", PUBLISHED["kinds"])
def test_a_kind_uses_the_envelope_as_published(kind: str) -> None:
    """Patient, session, drug, corrects and reason are required, allowed or absent as the vocabulary says."""
    fields = KINDS[kind].fields
    assert KINDS[kind].about_patient == fields["patient"].required == (kind in USE["patient_required"])
    assert fields["session"].required == (kind in USE["session_required"])
    assert fields["reason"].required == (kind in USE["reason_required"])
    assert ("drug" in fields) == (kind in USE["drug_required"] or kind in USE["drug_allowed"])
    assert "drug" not in fields or fields["drug"].required == (kind in USE["drug_required"])
    assert ("corrects" in fields) == (kind in USE["corrects_required"])
    assert fields["recorded_at"].derived and fields["noted_at"].derived


@pytest.mark.parametrize("name", PUBLISHED["envelope"])
def test_the_envelope_is_as_published(name: str) -> None:
    """Every envelope field has the published type, values and description."""
    published = PUBLISHED["envelope"][name]
    spec = ENVELOPE[name]
    assert (spec.type, spec.says, list(spec.values)) == (
        published["type"],
        published["says"],
        published.get("values", []),
    )
    assert spec.required == published["required"]
    assert spec.derived == (published.get("assigned") == "log")


def test_references_are_the_id_fields_that_end_in_event() -> None:
    """A reference to one event is an id field whose name ends in _event; a handle is not."""
    assert event_reference_fields("discrepancy") == ("count_event", "receipt_event", "explanation_event")
    assert event_reference_fields("presence") == ()


def test_the_drug_list_is_as_published() -> None:
    """Every product of the published list stands in the reference list with the same facts."""

    def tidy(row: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in row.items() if value not in (None, "", [], ())}

    ours = [
        tidy({n: list(v) if isinstance(v := getattr(drug, n), tuple) else v for n in drug.__slots__})
        for drug in drugs.REFERENCE_LIST
    ]
    assert ours == [tidy(row) for row in PUBLISHED["drugs"]]
    assert all(
        Decimal(d.strength_mg_per_ml or d.strength_mg_per_unit or "1") > 0 for d in drugs.REFERENCE_LIST
    )


def test_the_vocabulary_loads_without_pydantic() -> None:
    """Commands that validate nothing do not pay for a validator: the import brings in no pydantic."""
    code = "import sys, compliance.domain.vocabulary; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
