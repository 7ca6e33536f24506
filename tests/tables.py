"""Tables for the tests: CSV and workbooks made of rows, part by part where a test asks for what no program would write; and reading them."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from compliance.domain.event import Event
from compliance.domain.sheet_text import disarmed
from compliance.errors import Problem
from compliance.intake.drafts import Draft, Rejected
from compliance.intake.sheets.cells import letters
from compliance.intake.sheets.filling import Table
from compliance.intake.sheets.table import read_csv, read_xlsx
from compliance.intake.sheets.values import Style

KIND = "vital_signs"
HEADINGS = ("Occurred at", "Patient", "Point")
AT = "2026-03-04T09:05:00-06:00"
ROW = (AT, "P1", "pre_dose")
BODY = {
    "kind": KIND, "occurred_at": AT, "patient": "P1", "point": "pre_dose", "site": "S1", "actor": "A1",
}  # fmt: skip
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DATE_STYLE, DATE_TIME_STYLE, TIME_STYLE, TEXT_STYLE, PERCENT_STYLE, MONEY_STYLE, LONG_STYLE = range(1, 8)
OTHER_UNIT_STYLE, THOUSANDS_STYLE, UNIT_STYLE, SHORT_STYLE, ELAPSED_STYLE, RED_STYLE = range(8, 14)
FORMATS = (
    "General",
    "yyyy\\-mm\\-dd",
    "yyyy-mm-dd hh:mm",
    "h:mm AM/PM",
    "@",
    "0.00%",
    '"$"#,##0.00',
    "0.00E+00",
    '0" g"',
    "0.0,",
    '0.0" kg"',
    "d-mmm hh:mm",
    "[h]:mm",
    '[Red]hh:mm" dy"',
)


class Xml(NamedTuple):
    """A cell as it stands in the file, with ``{ref}`` for where it is."""

    text: str


class Stored(NamedTuple):
    """A number in a format."""

    digits: str
    style: int = 0


def chicago(_site: str, _local: datetime) -> str | None:
    return "America/Chicago"


def nowhere(_site: str, _local: datetime) -> str | None:
    return None


class Answer(NamedTuple):
    items: list[Draft | Rejected]
    notes: list[str]

    @property
    def events(self) -> list[Event]:
        return [item.event for item in self.items if isinstance(item, Draft)]

    @property
    def problems(self) -> list[Problem]:
        return [problem for item in self.items if isinstance(item, Rejected) for problem in item.problems]

    @property
    def event(self) -> Event:
        (item,) = self.items
        assert isinstance(item, Draft), [str(problem) for problem in self.problems]
        return item.event

    @property
    def problem(self) -> Problem:
        (problem,) = self.problems
        return problem


def read(content: bytes | str, kind: str = KIND, *, name: str = "", **more: Any) -> Answer:
    """What a file gives; a workbook is told by its first bytes."""
    content = content.encode() if isinstance(content, str) else content
    of_book = content.startswith(b"PK")
    notes: list[str] = []
    style = Style(more.pop("date_order", None), more.pop("decimal_comma", False))
    table = replace(Table(kind, chicago, notes.append, "S1", "A1", style), **more)
    reader = read_xlsx if of_book else read_csv
    return Answer(list(reader(name or ("t.xlsx" if of_book else "t.csv"), io.BytesIO(content), table)), notes)


def csv_of(*rows: Sequence[str], separator: str = ",") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator).writerows([[disarmed(cell) for cell in row] for row in rows])
    return text.getvalue().encode()


def columns(**fields: Any) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """Headings and a row: what every event of the kind needs, and these fields besides."""
    said = dict(zip(HEADINGS, ROW, strict=True)) | fields
    return tuple(said), tuple(said.values())


def one(**fields: Any) -> Answer:
    """A CSV file of one row with these fields besides; what it gives. Names may hold any characters: ``one(**{"Dose (mg)": "28"})``."""
    more = {name: fields.pop(name) for name in ("date_order", "decimal_comma", "zone") if name in fields}
    return read(csv_of(*columns(**fields)), **more)


def one_cell(**fields: Any) -> Answer:
    """The same in a workbook."""
    more = {name: fields.pop(name) for name in ("date_order", "decimal_comma", "zone") if name in fields}
    return read(book(*columns(**fields)), **more)


_UNWRITABLE = re.compile("[\0-\b\v\f\r\x0e-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def xml_text(text: str) -> str:
    """A text as a workbook stores it."""
    return escape(_UNWRITABLE.sub(lambda match: f"_x{ord(match.group()):04X}_", text))


def _cell(value: Any, ref: str) -> str:
    if value is None:
        return ""
    if isinstance(value, Xml):
        return value.text.replace("{ref}", ref)
    if isinstance(value, Stored):
        return f'<c r="{ref}" s="{value.style}"><v>{value.digits}</v></c>'
    if isinstance(value, bool):
        return f'<c r="{ref}" t="b"><v>{value:d}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{ref}"><v>{value!r}</v></c>'
    return f'<c r="{ref}" t="inlineStr"><is><t xml:space="preserve">{xml_text(value)}</t></is></c>'


def sheet_xml(rows: Iterable[Sequence[Any]], after: str = "") -> str:
    made = "".join(
        f'<row r="{number}">{"".join(_cell(value, f"{letters(column)}{number}") for column, value in enumerate(row, 1))}</row>'
        for number, row in enumerate(rows, 1)
    )
    return f'<worksheet xmlns="{MAIN}"><sheetData>{made}</sheetData>{after}</worksheet>'


def book_parts(
    sheets: Mapping[str, str], hidden: Sequence[str] = (), since_1904: bool = False
) -> dict[str, str]:
    """The parts of a workbook, by name."""
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{i}" r:id="rId{i}"{" state=" + quoteattr("hidden") if name in hidden else ""}/>'
        for i, name in enumerate(sheets, 1)
    )
    related = "".join(
        f'<Relationship Id="rId{i}" Type="{KINDS}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i, _ in enumerate(sheets, 1)
    )
    formats = "".join(
        f'<numFmt numFmtId="{164 + i}" formatCode={quoteattr(code)}/>' for i, code in enumerate(FORMATS) if i
    )
    used = "".join(f'<xf numFmtId="{164 + i if i else 0}"/>' for i, _ in enumerate(FORMATS))
    return {
        "_rels/.rels": f'<Relationships xmlns="{RELATIONS}"><Relationship Id="r" Type="{KINDS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{KINDS}"><workbookPr date1904="{since_1904:d}"/><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELATIONS}">{related}'
        f'<Relationship Id="s" Type="{KINDS}/styles" Target="styles.xml"/>'
        f'<Relationship Id="t" Type="{KINDS}/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts>{formats}</numFmts><cellXfs>{used}</cellXfs></styleSheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}"><si><t>P1</t></si></sst>',
        **{f"xl/worksheets/sheet{i}.xml": xml for i, xml in enumerate(sheets.values(), 1)},
    }


def packed(parts: Mapping[str, str | bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def book(*rows: Sequence[Any], after: str = "", since_1904: bool = False) -> bytes:
    """A workbook of one sheet."""
    return packed(book_parts({"Sheet1": sheet_xml(rows, after)}, since_1904=since_1904), zipfile.ZIP_STORED)
