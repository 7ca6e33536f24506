"""Reports as JSON say everything that a report holds, and are valid by the schema, which refuses everything else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from compliance.reports.forms.json_form import SCHEMA_ID, json_form, report_schema
from compliance.reports.page import VERSION, Level, Report, Section
from tests.reports.random_reports import reports
from tests.reports.sample import CHECKPOINT, NASTY, SAMPLE, STOCK, WEEKS

SCHEMA = report_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
ONE = Section(
    "one", "Everything in one section", Level.ALARM, "2 findings.", SAMPLE.section("violations").items, (STOCK, WEEKS),
    SAMPLE.section("trends").charts, ("A note.",), CHECKPOINT,
)  # fmt: skip


def document(report: Report = SAMPLE) -> dict[str, Any]:
    """A report as a program reads it."""
    read: dict[str, Any] = json.loads(json_form(report))
    return read


def of_one_section() -> dict[str, Any]:
    """A report of which every list begins with something."""
    return document(replace(SAMPLE, sections=(ONE,)))


def test_the_schema_is_a_schema_and_describes_every_field() -> None:
    """Valid draft 2020-12, versioned, closed, and with words for each field."""
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == SCHEMA_ID and SCHEMA_ID.endswith(f":v{VERSION}")
    objects = [SCHEMA, SCHEMA["properties"]["log"], *SCHEMA["$defs"].values()]
    objects.append(SCHEMA["$defs"]["table"]["properties"]["columns"]["items"])
    for one in objects:
        assert one["additionalProperties"] is False
        assert one["required"] == list(one["properties"])
        assert one["description"] and all(field["description"] for field in one["properties"].values())


def test_a_report_is_valid_and_says_what_it_holds() -> None:
    """Values as they are, whatever they would do elsewhere; rows by key; a line feed at the end."""
    read = document()
    VALIDATOR.validate(read)
    assert (read["version"], read["date"], read["level"], read["sites"]) == (
        1,
        "2026-03-05",
        "alarm",
        ["SITE-A", "SITE-B"],
    )
    assert read["log"] == {"origin": "clinic.example/log", "size": 1636, "root": "0a" * 32}
    log, violations, stock, trends, late = read["sections"]
    assert log["verbatim"] == CHECKPOINT
    assert violations["items"][0]["values"] == {"left": "1h 40m", "asked": "2h"}
    assert violations["items"][0]["entries"] == [812, 790]
    assert violations["items"][1]["title"] == NASTY
    assert stock["tables"][0]["rows"][1] == {
        "site": "SITE-A", "drug": NASTY, "lot": "=1+1", "opening": "0", "out": None, "difference": "0", "entries": "",
    }  # fmt: skip
    assert stock["notes"] == ["Overfill is not stock."]
    assert trends["charts"][0]["series"] == ["sessions", "flagged"]
    assert trends["tables"][0]["rows"][1]["sessions"] == 23
    assert late["tables"][0]["empty"] == "no entry came late"
    assert json_form(SAMPLE).endswith(b"}\n")


@settings(max_examples=25)
@given(reports())
def test_every_report_is_valid_and_keeps_every_value(report: Report) -> None:
    """Any text, any number: valid, and read back as it was; the same report gives the same bytes."""
    made = json_form(report)
    read = json.loads(made)
    VALIDATOR.validate(read)
    assert made == json_form(report)
    for section, said in zip(report.sections, read["sections"], strict=True):
        assert [item.title for item in section.items] == [item["title"] for item in said["items"]]
        for table, its in zip(section.tables, said["tables"], strict=True):
            assert [list(row) for row in table.rows] == [list(row.values()) for row in its["rows"]]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where fields stand in a document whose schema names each of them."""
    found: list[tuple[Any, ...]] = []
    if isinstance(value, dict):
        for name, below in value.items():
            found += [(*path, name)] if path[-1:] != ("values",) and path[-2:-1] != ("rows",) else []
            found += places(below, (*path, name))
    elif isinstance(value, list):
        for index, below in enumerate(value[:1]):
            found += places(below, (*path, index))
    return found


@pytest.mark.parametrize("path", places(of_one_section()), ids=lambda path: ".".join(map(str, path)))
def test_a_changed_report_is_invalid(path: tuple[Any, ...]) -> None:
    """A field that is missing, that nobody knows, or of another type is refused."""
    for change in ("missing", "another beside it", "other type"):
        read = of_one_section()
        VALIDATOR.validate(read)
        holder: Any = read
        for step in path[:-1]:
            holder = holder[step]
        value = holder.pop(path[-1])
        if change == "another beside it":
            holder |= {path[-1]: value, f"{path[-1]}_": value}
        elif change == "other type":
            holder[path[-1]] = 1.5
        assert not VALIDATOR.is_valid(read), change


@pytest.mark.parametrize(
    ("name", "value"),
    [("version", 2), ("level", "grave"), ("date", "5 March"), ("edition", 0), ("log", {"origin": "x", "size": -1, "root": "0a" * 32}), ("log", {"origin": "x", "size": 1, "root": "0A"})],
)  # fmt: skip
def test_values_out_of_bounds_are_invalid(name: str, value: Any) -> None:
    """The schema says more than types."""
    assert not VALIDATOR.is_valid(document() | {name: value})


@pytest.mark.parametrize("value", [1.5, True, [], {}])
def test_a_cell_is_text_or_a_whole_number_or_nothing(value: Any) -> None:
    """No fraction that a reader would round."""
    read = document()
    read["sections"][2]["tables"][0]["rows"][0]["out"] = value
    assert not VALIDATOR.is_valid(read)
