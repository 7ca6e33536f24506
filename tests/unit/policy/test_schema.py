"""The JSON Schemas of policy files that editors use."""

import json
from pathlib import Path

import jsonschema
import pytest

from compliance.domain.vocabulary import KINDS
from compliance.policy.documents import read_file, read_text
from compliance.policy.file_kinds import FILE_KINDS, file_kind
from compliance.policy.scalars import Digits
from compliance.policy.schema import SCHEMAS

ROOT = Path(__file__).parents[3]
TESTS = ROOT / "tests" / "policies"
SHIPPED = ROOT / "policies" / "schema"
FILES = [
    *sorted((ROOT / "policies").rglob("*.yaml")), *sorted((TESTS / "valid").glob("*.yaml")),
    *sorted((TESTS / "timelines").glob("*.yaml")),
]  # fmt: skip
SEEN_BY_SCHEMA = [
    "broken-parameter", "case-expects-nonsense", "case-without-offset", "citation-unread", "closing-without-due", "date-in-words",
    "empty-cases", "fact-without-kind", "missing-citation", "misspelt-field", "misspelt-nested-field", "no-cases", "no-quantifier",
    "no-require", "number-in-quotes", "recorded-at-in-case", "require-and-expect", "several-mistakes", "standing-and-judged",
    "standing-every-week", "standing-of-an-unknown-kind", "standing-without-subjects", "sum-without-field", "two-quantifiers",
    "unknown-field-in-case", "unknown-kind", "unknown-kind-judged", "wrong-severity", "wrong-word-in-case",
]  # fmt: skip


def plain(value):
    """Values as an editor sees them."""
    if isinstance(value, Digits):
        return float(value)
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def by_kind(validator, branches, instance, schema):
    """`allOf` of branches that each ask for one kind, taken at once: the others say nothing. It spares 56 comparisons for each event."""
    for branch in branches:
        kind = branch.get("if", {}).get("properties", {}).get("kind", {}).get("const")
        if kind is None:
            yield from validator.descend(instance, branch)
        elif isinstance(instance, dict) and instance.get("kind") == kind:
            yield from validator.descend(instance, branch["then"])


FAST = jsonschema.validators.extend(jsonschema.Draft7Validator, {"allOf": by_kind})
VALIDATORS = {name: FAST(make()) for name, make in SCHEMAS.items()}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_shipped_schema_is_the_generated_one(name):
    """Whoever changes the language ships its schemas with it."""
    shipped = (SHIPPED / f"{name}.v1.json").read_text(encoding="utf-8")
    assert json.loads(shipped) == SCHEMAS[name]()
    assert len(shipped) < 300_000


@pytest.mark.parametrize("kind", FILE_KINDS, ids=lambda kind: kind.name)
def test_a_schema_is_a_schema_and_names_every_field(kind):
    """Valid draft 7, complete, in the order of the language."""
    schema = SCHEMAS[kind.name]()
    jsonschema.Draft7Validator.check_schema(schema)
    assert tuple(schema["properties"]) == kind.fields


def parts(schema):
    """A schema and every schema within it, but not the conditions."""
    yield schema
    for below in (*schema.get("properties", {}).values(), *schema.get("definitions", {}).values()):
        yield from parts(below)
    for below in (schema.get("items"), schema.get("additionalProperties"), schema.get("then")):
        yield from parts(below) if isinstance(below, dict) else ()
    for word in ("oneOf", "anyOf", "allOf"):
        for below in schema.get(word, ()):
            yield from parts(below)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_is_described(name):
    """An editor shows what a field means, everywhere."""
    schema = SCHEMAS[name]()

    def described(part):
        shared = schema.get("definitions", {}).get(part.get("$ref", "").removeprefix("#/definitions/"), {})
        return bool(part.get("description") or shared.get("description"))

    for part in parts(schema):
        assert [field for field, below in part.get("properties", {}).items() if not described(below)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_valid_files_are_valid_by_their_schema(path):
    """An editor does not underline what the reader accepts, by the schema that the first line names."""
    document = read_file(path)
    kind = file_kind(document.value)
    assert not list(VALIDATORS[kind.name].iter_errors(plain(document.value)))
    address = document.lines[0].removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / address).resolve() == SHIPPED / kind.schema


def test_a_site_is_valid_by_its_schema():
    """As the documentation writes it."""
    text = "site: S\nowner: o\nreview_by: 2027-11-22\nparameters:\n  a-b:\n    x: [{from: 2026-03-01, value: 2h30m, cites: c}]\n"
    validator = jsonschema.Draft7Validator(SCHEMAS["site"]())
    assert not list(validator.iter_errors(read_text(text, "S.yaml").value))
    assert list(validator.iter_errors(read_text(text.replace("cites", "cite"), "S.yaml").value))


def test_the_codes_of_a_site_are_valid_by_its_schema():
    """As the documentation writes them; their mistakes of form are underlined, and neither values nor codes is one."""
    text = (ROOT / "docs" / "policy-authors.md").read_text(encoding="utf-8")
    documented = (
        text[text.index("### What a site's systems call things") :].split("```")[1].removeprefix("yaml\n")
    )
    validator = jsonschema.Draft7Validator(SCHEMAS["site"]())
    assert not list(validator.iter_errors(read_text(documented, "S.yaml").value))
    for right, wrong in (
        ("KET50", "5"), ("is: RN-A1", "is: RN A1"), ("pre_dose", "predose"), ("locations", "location"), ("'12345'", "12345"),
        ("{code: Location/12}", "{code: Location/12, is: X}"), ("codes:", "other:"),
    ):  # fmt: skip
        assert list(validator.iter_errors(read_text(documented.replace(right, wrong), "S.yaml").value)), wrong
    for path in sorted((TESTS / "broken_sites").glob("*.yaml")):
        seen = list(validator.iter_errors(read_file(path).value))
        assert bool(seen) is (path.stem != "two-meanings"), path.stem


@pytest.mark.parametrize("name", SEEN_BY_SCHEMA)
def test_the_schema_sees_mistakes_of_form(name):
    """What needs no type checker is underlined while typing."""
    document = plain(read_file(TESTS / "broken" / f"{name}.yaml").value)
    assert list(jsonschema.Draft7Validator(SCHEMAS["policy"]()).iter_errors(document))


@pytest.mark.parametrize("name", ["policy", "cases"])
def test_each_kind_of_event_has_its_own_fields(name):
    """The kind chooses the fields, their types and their words; the branches of all kinds are there."""
    schema = SCHEMAS[name]()
    event = {"$ref": "#/definitions/event", "definitions": schema["definitions"]}
    validator = jsonschema.Draft7Validator(event)
    assert [
        branch["if"]["properties"]["kind"]["const"] for branch in schema["definitions"]["event"]["allOf"]
    ] == list(KINDS)
    good = {"kind": "discharge", "occurred_at": "2026-03-02T11:06-06:00", "disposition": "home"}
    assert not list(validator.iter_errors(good))
    for wrong in (
        {"disposition": "hme"}, {"dose_mg": 28}, {"occurred_at": "2026-03-02T11:06"}, {"kind": "dischrge"}, {"noted_at": good["occurred_at"]},
    ):  # fmt: skip
        assert list(validator.iter_errors(good | wrong)), wrong
        assert bool(list(FAST(event).iter_errors(good | wrong)))
    assert bool(list(validator.iter_errors(good | {"recorded_at": good["occurred_at"]}))) is (
        name == "policy"
    )
