"""``bundle.yaml``: the tables that all rules share, and the list of requirements that rules may name.

State rows have the columns that `state_rule` knows, each with its type; a row says from which date it holds (`from`), and, for people, what the
reading rests on (`verified`). A state whose law changed has a list of rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from compliance.domain.time import format_date
from compliance.domain.values import Value
from compliance.domain.vocabulary import KINDS
from compliance.errors import Problem
from compliance.policy.expression.functions import DRUG, STATE_RULES
from compliance.policy.expression.tree import Type
from compliance.policy.fields import Fields, Reading, kind_of
from compliance.policy.located import Document
from compliance.policy.model import Requirement, SoftwareProperty, Tables
from compliance.policy.nearest import did_you_mean
from compliance.policy.parameters import infer

BUNDLE_FIELDS: Final = ("name", "version", "holidays", "drugs", "states", "permissions")
HOLIDAY_FIELDS: Final = ("date", "name", "source")
STATES_FIELDS: Final = ("defaults", "rows")
REQUIREMENTS_FIELDS: Final = ("version", "requirements", "properties")
REQUIREMENT_FIELDS: Final = ("id", "tier", "form", "area", "title")
PROPERTY_FIELDS: Final = ("requirement", "says", "tests")
TIERS: Final = (1, 2, 3)
StateRows: TypeAlias = tuple[tuple[int, Mapping[str, Value]], ...]
FORMS: Final = ("rule", "deadline", "standing", "system", "attestation")
DRUG_TYPES: Final[dict[str, Type]] = {
    **dict(DRUG.fields),
    "units_per_dose": Type("list", element=Type("number")),
    "indications": Type("list", element=Type("text")),
    "ndc_examples": Type("list", element=Type("text")),
    "note": Type("text"),
}
DRUG_REQUIRED: Final = (
    "generic",
    "form",
    "route",
    "schedule",
    "dea_code",
    "is_rems",
    "is_compounded",
    "stock_unit",
)
_STATE_FIELDS: Final = (*STATE_RULES, "from", "verified")


def read_tables(document: Document) -> tuple[tuple[str, str, Tables] | None, tuple[Problem, ...]]:
    """Name, version and tables of a ``bundle.yaml``, or everything that is wrong with it."""
    reading = Reading(document, [])
    fields = reading.fields((), BUNDLE_FIELDS, "bundle.yaml")
    if fields is None:
        return None, tuple(reading.problems)
    name = fields.text("name", "name the library: name: clinic-library")
    version = fields.text("version", "write a version: version: '2026.11'")
    defaults, states = _states(fields)
    tables = Tables(_drugs(fields), _holidays(fields), states, defaults, _permissions(fields))
    return (None if reading.problems else (name, version, tables)), tuple(reading.problems)


def read_requirements(document: Document) -> tuple[tuple[Requirement, ...], tuple[Problem, ...]]:
    """The requirements that a library knows (``requirements.yaml``)."""
    reading = Reading(document, [])
    fields = reading.fields((), REQUIREMENTS_FIELDS, "requirements.yaml")
    if fields is None:
        return (), tuple(reading.problems)
    found: dict[str, Requirement] = {}
    for row in _rows(fields, "requirements", REQUIREMENT_FIELDS, "a requirement"):
        requirement_id = row.text("id", "write its id")
        tier = row.value.get("tier")
        if tier not in TIERS:
            row.wrong("tier", "'tier' must be 1, 2 or 3", "1 mattered from the first day")
            tier = 3
        if requirement_id in found:
            row.wrong("id", f"requirement '{requirement_id}' stands here twice", "keep one of the two")
        title, area = row.text("title", "say what it asks"), row.text("area", required=False)
        found[requirement_id] = Requirement(
            requirement_id, tier, row.one_of("form", FORMS, "say how it is kept"), area, title
        )
    if fields.has("properties"):
        _properties(fields, found)
    return tuple(found.values()), tuple(reading.problems)


def _properties(fields: Fields, found: dict[str, Requirement]) -> None:
    """What the software keeps of itself, added to the requirements that it keeps."""
    for row in _rows(fields, "properties", PROPERTY_FIELDS, "a property"):
        name = row.text("requirement", "name the requirement that it keeps")
        says = row.text("says", "say what the software does")
        tests = row.names("tests", "name the tests that prove it: tests: ['tests/unit/test_log.py::test_it']")
        if name and name not in found:
            row.wrong(
                "requirement",
                f"there is no requirement '{name}'",
                did_you_mean(name, found) or "name one of the list",
            )
        elif name and tests:
            kept = found[name]
            found[name] = replace(kept, properties=(*kept.properties, SoftwareProperty(says, tests)))


def _rows(fields: Fields, name: str, known: tuple[str, ...], what: str) -> list[Fields]:
    """The groups of a list."""
    if not fields.required(name, f"write {name}: and a list"):
        return []
    written = fields.value[name]
    if not isinstance(written, list):
        fields.wrong(name, f"'{name}' must be a list, not {kind_of(written)}", "begin each row with '- '")
        return []
    rows = (fields.reading.fields((*fields.at(name), i), known, what) for i in range(len(written)))
    return [row for row in rows if row is not None]


def _group_of(fields: Fields, name: str) -> dict[str, Any]:
    """What stands below a name, by name."""
    if not fields.required(name, f"write {name}: and its rows by name"):
        return {}
    written = fields.value[name]
    if isinstance(written, dict):
        return written
    fields.wrong(
        name,
        f"'{name}' must be a group of named rows, not {kind_of(written)}",
        "write each row below its name",
    )
    return {}


def _holidays(fields: Fields) -> frozenset[int]:
    days: set[int] = set()
    for row in _rows(fields, "holidays", HOLIDAY_FIELDS, "a holiday"):
        day = row.date("date", "write its date: date: 2026-07-03")
        row.text("name", "name the holiday")
        row.text("source", "say where it is written: source: 5 USC 6103(a)")
        if day is not None and day in days:
            row.wrong("date", f"{format_date(day)} stands here twice", "keep one of the two")
        if day is not None:
            days.add(day)
    return frozenset(days)


def _drugs(fields: Fields) -> dict[str, Mapping[str, Value]]:
    drugs: dict[str, Mapping[str, Value]] = {}
    for row in _rows(fields, "drugs", tuple(DRUG_TYPES), "a drug"):
        code = row.text("code", "write its code, which events name")
        for name in DRUG_REQUIRED:
            row.required(name, "write it as in the other rows")
        if code in drugs:
            row.wrong("code", f"drug '{code}' stands here twice", "keep one of the two")
        drugs[code] = _typed(row, DRUG_TYPES)
    return drugs


def _states(fields: Fields) -> tuple[dict[str, Value], dict[str, StateRows]]:
    if not fields.required("states", "write states: {defaults: {...}, rows: {...}}"):
        return {}, {}
    states = fields.reading.fields(fields.at("states"), STATES_FIELDS, "'states'")
    if states is None or not states.required("defaults", "write the federal floor: defaults: {...}"):
        return {}, {}
    floor = states.reading.fields(states.at("defaults"), tuple(STATE_RULES), "'defaults'")
    rows = _group_of(states, "rows")
    return (_typed(floor, STATE_RULES) if floor is not None else {}), {
        state: _state_rows(states, state, written) for state, written in rows.items()
    }


def _state_rows(states: Fields, state: str, written: Any) -> StateRows:
    """The rows of one state, each from its date on."""
    path = (*states.at("rows"), state)
    paths = [(*path, i) for i in range(len(written))] if isinstance(written, list) else [path]
    found: list[tuple[int, Mapping[str, Value]]] = []
    for each in paths:
        row = states.reading.fields(each, _STATE_FIELDS, f"state '{state}'")
        if row is None:
            continue
        start = row.date("from", "say from which date the row holds: from: 2026-01-01")
        row.text("verified", "say what the row rests on")
        if start is not None and found and start <= found[-1][0]:
            row.wrong("from", "these dates overlap", "write the rows of a state in the order of their dates")
        found.append((start or 0, _typed(row, STATE_RULES)))
    return tuple(found)


def _typed(row: Fields, types: Mapping[str, Type]) -> dict[str, Value]:
    """The engine values of a row; what is not of its column's type is noted."""
    values: dict[str, Value] = {}
    for name, written in row.value.items():
        if name not in types or written is None:
            continue
        wanted = types[name]
        if wanted.name == "text" and isinstance(written, str):
            values[name] = written
            continue
        read = infer(written)
        empty = written == [] and wanted.name == "list"
        if read is None or (read[0].name != wanted.name and not empty):
            row.wrong(
                name,
                f"'{name}' cannot be {kind_of(written)}",
                f"it is of type {wanted.name}, as in the other rows",
            )
        elif (
            wanted.element is not None
            and not empty
            and read[0].element is not None
            and read[0].element.name != wanted.element.name
        ):
            row.wrong(
                name, f"'{name}' is a list of {wanted.element.name}", "write each item as in the other rows"
            )
        else:
            values[name] = read[1]
    return values


def _permissions(fields: Fields) -> dict[str, frozenset[str]]:
    roles = KINDS["access_change"].fields["role"].values
    if not fields.required("permissions", "say which kinds each role may record"):
        return {}
    written: Any = fields.value["permissions"]
    group = fields.reading.fields(fields.at("permissions"), roles, "'permissions'")
    if group is None:
        return {}
    found: dict[str, frozenset[str]] = {}
    for role in written:
        kinds = group.names(role, "name the kinds of event that this role may record", required=False)
        for kind in kinds:
            if kind not in KINDS:
                group.wrong(role, f"there is no kind of event '{kind}'", did_you_mean(kind, KINDS))
        found[role] = frozenset(kinds)
    return found
