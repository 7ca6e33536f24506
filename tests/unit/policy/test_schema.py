"""The JSON Schema of policy files that editors use."""

import json
from pathlib import Path

import jsonschema
import pytest

from compliance.policy.documents import read_file
from compliance.policy.rules import FIELDS
from compliance.policy.scalars import Digits
from compliance.policy.schema import policy_schema

ROOT = Path(__file__).parents[3]
TESTS = ROOT / "tests" / "policies"
SHIPPED = ROOT / "policies" / "schema" / "policy.v1.json"
RULES = [*sorted((ROOT / "policies").glob("*/*.yaml")), *sorted((TESTS / "valid").glob("*.yaml"))]
SEEN_BY_SCHEMA = [
    "misspelt-field", "misspelt-nested-field", "wrong-severity", "missing-citation", "citation-unread", "unknown-kind",
    "unknown-kind-judged", "no-cases", "empty-cases", "no-require", "require-and-expect", "no-quantifier", "two-quantifiers",
    "sum-without-field", "case-expects-nonsense", "date-in-words",
]  # fmt: skip


def plain(value):
    """Values as an editor sees them."""
    if isinstance(value, Digits):
        return float(value)
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def test_the_shipped_schema_is_the_generated_one():
    """Whoever changes the language ships its schema with it."""
    assert json.loads(SHIPPED.read_text(encoding="utf-8")) == policy_schema()


def test_the_schema_is_a_schema_and_names_every_field():
    """Valid draft 7, and complete."""
    jsonschema.Draft7Validator.check_schema(policy_schema())
    assert set(policy_schema()["properties"]) == set(FIELDS)


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_valid_rules_are_valid_by_the_schema(path):
    """An editor does not underline what the loader accepts."""
    assert not list(jsonschema.Draft7Validator(policy_schema()).iter_errors(plain(read_file(path).value)))


@pytest.mark.parametrize("name", SEEN_BY_SCHEMA)
def test_the_schema_sees_mistakes_of_form(name):
    """What needs no type checker is underlined while typing."""
    document = plain(read_file(TESTS / "broken" / f"{name}.yaml").value)
    assert list(jsonschema.Draft7Validator(policy_schema()).iter_errors(document))
