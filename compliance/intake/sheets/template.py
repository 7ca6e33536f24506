"""An empty table for a kind of event: headings with units, those that every event needs first and with a star; for a workbook also choices to pick
from, formats that keep a spreadsheet from changing what is typed, and a sheet that says what each column means."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from compliance.domain.drugs import DRUGS
from compliance.domain.sheet_text import disarmed
from compliance.domain.vocabulary import FieldSpec
from compliance.intake.sheets.columns import Meaning, heading, path_name, sent
from compliance.intake.sheets.xlsx_rows import FIELDS_SHEET

_RECORDS: Final = 3
"""So many records of a list get columns; more are added by hand."""

_CHOICES: Final = "Choices"
_LAST: Final = 10_000
"""Rows for which there are choices to pick from."""

_FORMATS: Final = {
    "instant": "yyyy-mm-dd hh:mm:ss",
    "date": "yyyy-mm-dd",
    "decimal": "General",
    "integer": "General",
}
_TEXT: Final = "@"
_SAID: Final = {
    "id": "id: letters, digits and . _ : -", "text": "text", "enum": "one of the choices", "integer": "whole number", "decimal": "number",
    "boolean": "yes or no", "instant": "date and time by the site's clock", "date": "date", "list": "several, with ; between them",
}  # fmt: skip
_HEAD: Final = Font(name="Calibri", size=11, bold=True)
_NEEDED: Final = PatternFill("solid", fgColor="FFE699")
_SHADE: Final = PatternFill("solid", fgColor="E8ECF0")
_WRAP: Final = Alignment(vertical="top", wrap_text=True)


def template_columns(kind: str) -> tuple[Meaning, ...]:
    """What the columns of a kind's empty table say, those first that every event needs."""
    fields = [spec for spec in sent(kind).values() if spec.name not in {"id", "kind"}]
    needed = [meaning for spec in fields if spec.required for meaning in _columns_of(spec)]
    others = [meaning for spec in fields if not spec.required for meaning in _columns_of(spec)]
    return (*needed, Meaning(("id",), sent(kind)["id"]), *others)


def _columns_of(spec: FieldSpec) -> Iterator[Meaning]:
    """The columns of a field: of a record, one for each of its fields; of a list of records, those for the first few."""
    if spec.fields is not None:
        yield from (Meaning((spec.name, name), inner) for name, inner in spec.fields.items())
    elif spec.element is not None and spec.element.fields is not None:
        for number in range(1, _RECORDS + 1):
            yield from (
                Meaning((spec.name, number, name), inner) for name, inner in spec.element.fields.items()
            )
    else:
        yield Meaning((spec.name,), spec)


def _needed(kind: str, meaning: Meaning) -> bool:
    """Whether an event cannot be understood without it; an id is made where there is none, and of a list one record will do."""
    above = sent(kind)[str(meaning.path[0])]
    return (
        above.required
        and meaning.spec.required
        and meaning.path[0] != "id"
        and meaning.path[1:2] not in {(2,), (3,)}
    )


def _heading(kind: str, meaning: Meaning) -> str:
    return heading(meaning) + (" *" if _needed(kind, meaning) else "")


def template_csv(kind: str) -> bytes:
    """The headings of a kind's table as CSV: UTF-8 with a byte-order mark, so that a spreadsheet reads it as such."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([disarmed(_heading(kind, meaning)) for meaning in template_columns(kind)])
    return text.getvalue().encode("utf-8-sig")


def template_xlsx(kind: str) -> bytes:
    """An empty table for a kind as a workbook: a sheet of the kind's name, one of what its columns mean, and a hidden one of choices."""
    book = Workbook()
    sheet = book.active
    sheet.title = kind[:31]
    fields, choices = book.create_sheet(FIELDS_SHEET), book.create_sheet(_CHOICES)
    choices.sheet_state = "hidden"
    sheet.freeze_panes = "A2"
    fields.append(["Heading", "Field", "Needed", "Type", "Unit", "Choices", "What it says"])
    lists: dict[tuple[str, ...], str] = {}
    for number, meaning in enumerate(template_columns(kind), 1):
        letter, spec = get_column_letter(number), meaning.spec
        needed = _needed(kind, meaning)
        cell = sheet.cell(1, number, _heading(kind, meaning))
        cell.font, cell.fill, cell.alignment = _HEAD, _NEEDED if needed else _SHADE, _WRAP
        column = sheet.column_dimensions[letter]
        column.width = max(12, min(len(cell.value) + 2, 28))
        column.number_format = _FORMATS.get(spec.type, _TEXT)
        one_of = _one_of(spec)
        if one_of:
            _pick(sheet, letter, lists.setdefault(one_of, "") or _listed(choices, lists, one_of))
        fields.append(
            [
                _heading(kind, meaning), path_name(meaning), "yes" if needed else "", _SAID[spec.type], spec.unit or "",
                "; ".join(one_of or (spec.element.values if spec.element else ())), spec.says,
            ]
        )  # fmt: skip
    for cell in fields[1]:
        cell.font, cell.fill = _HEAD, _SHADE
    for letter, width in zip("ABCDEFG", (30, 30, 9, 32, 16, 60, 80), strict=True):
        fields.column_dimensions[letter].width = width
    for row in fields.iter_rows(min_row=2):
        for cell in row:
            cell.alignment, cell.data_type = _WRAP, "s"
    fields.freeze_panes = "A2"
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _one_of(spec: FieldSpec) -> tuple[str, ...]:
    """What a cell can be picked from; a list can hold several, and nothing is picked."""
    if spec.type == "boolean":
        return ("yes", "no")
    return tuple(DRUGS) if spec.listed == "drug" else spec.values


def _listed(choices: Any, lists: dict[tuple[str, ...], str], one_of: tuple[str, ...]) -> str:
    """Writes choices down one column of their sheet; where they stand. (In the rule itself they could be 255 characters at most.)"""
    column = len(lists)
    for row, choice in enumerate(one_of, 1):
        cell = choices.cell(row, column, choice)
        cell.number_format, cell.data_type = _TEXT, "s"
    letter = get_column_letter(column)
    lists[one_of] = f"={_CHOICES}!${letter}$1:${letter}${len(one_of)}"
    return lists[one_of]


def _pick(sheet: Any, letter: str, where: str) -> None:
    rule = DataValidation(type="list", formula1=where, allow_blank=True, showErrorMessage=True)
    rule.error, rule.errorTitle = (
        "Pick one from the list; the sheet Fields says what each means.",
        "Not one of the choices",
    )
    sheet.add_data_validation(rule)
    rule.add(f"{letter}2:{letter}{_LAST}")
