"""A valid event of any kind, written into a table and read again, is the same event."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from compliance.domain.event import Event
from compliance.domain.making import make_event
from compliance.domain.vocabulary import KINDS, FieldSpec
from compliance.intake.sheets.columns import Meaning, heading, headings
from compliance.intake.sheets.template import template_columns, template_csv, template_xlsx
from tests.tables import Answer, Stored, book, csv_of, read
from tests.valid_events import bodies


def cells(kind: str, body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Headings and cells that say an event."""
    for name, value in body.items():
        spec = KINDS[kind].fields[name]
        if spec.fields and value:
            for inner, part in value.items():
                yield heading(Meaning((name, inner), spec.fields[inner])), plain(spec.fields[inner], part)
        else:
            yield heading(Meaning((name,), spec)), plain(spec, value)


def plain(spec: FieldSpec, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        items = (
            [plain(spec.element, item) for item in value] if spec.element and not spec.element.fields else []
        )
        simple = items and all(item == item.strip() and not {";", "|"} & set(item) for item in items)
        return "; ".join(items) if simple and not items[0].startswith("[") else json.dumps(value)
    return json.dumps(value) if isinstance(value, dict) else str(value)


def stripped(spec: FieldSpec, value: Any) -> Any:
    """The value without white space around texts that stand in cells of their own, which no cell keeps."""
    if isinstance(value, dict):
        return (
            {name: stripped(spec.fields[name], part) for name, part in value.items()}
            if spec.fields
            else value
        )
    return value.strip() if isinstance(value, str) else value


def same(body: Mapping[str, Any], answer: Answer) -> None:
    kind = body["kind"]
    made = make_event({name: stripped(KINDS[kind].fields[name], value) for name, value in body.items()})
    assert isinstance(made, Event)
    assert answer.event == made


@settings(max_examples=settings.default.max_examples // 3)
@given(bodies())
def test_an_event_comes_back_from_a_table(body: dict[str, Any]) -> None:
    """Every field of every kind has a cell that says it: in CSV, and in a workbook with characters that XML does not know."""
    assume(isinstance(make_event(body), Event))
    row = tuple(zip(*cells(body["kind"], body), strict=True))
    same(body, read(csv_of(*row), body["kind"]))
    same(body, read(book(*row), body["kind"]))


@settings(max_examples=settings.default.max_examples // 3)
@given(st.decimals(-999_999, 999_999, places=6))
def test_a_decimal_comes_back_from_a_binary_double(number: Any) -> None:
    """What was typed with 12 digits is stored as a double, and its shortest decimal is what was typed."""
    answer = read(
        book(
            ("Occurred at", "Patient", "Point", "Weight (kg)"),
            ("2026-03-04T09:00:00Z", "P1", "during", Stored(repr(float(number)))),
        )
    )
    assert answer.event.values["weight_kg"] == int(number.scaleb(6))


@pytest.mark.parametrize("kind", KINDS)
def test_each_heading_of_an_empty_table_means_its_column(kind: str) -> None:
    """No heading is unknown, wrong, or taken for another."""
    (texts,) = csv.reader(template_csv(kind).decode("utf-8-sig").splitlines())
    found = headings(kind, dict(enumerate(texts, 1)))
    assert (found.unknown, found.wrong) == ((), ())
    assert tuple(column.meaning for column in found.columns) == template_columns(kind)


def test_a_filled_workbook_of_ours_is_read() -> None:
    """The empty table for a kind, with a row typed below its headings."""
    filled = load_workbook(io.BytesIO(template_xlsx("vital_signs")))
    sheet = filled["vital_signs"]
    column = {cell.value: cell.column for cell in sheet[1]}
    for name, value in {
        "Occurred at *": "2026-03-04 09:05",
        "Site *": "S1",
        "Actor *": "A1",
        "Patient *": "P1",
        "Point *": "during",
    }.items():
        sheet.cell(2, column[name], value)
    sheet.cell(2, column["Spo2 (%)"], 98.5)
    content = io.BytesIO()
    filled.save(content)
    answer = read(content.getvalue())
    assert answer.event.body["spo2_percent"] == "98.5"
    assert answer.event.body["occurred_at"] == "2026-03-04T09:05:00-06:00"
    assert answer.notes == []
