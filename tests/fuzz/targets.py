"""What is fuzzed: each reader of input from outside, as a function of bytes that must return whatever the bytes are.

A reader may raise InputError, which is its answer to a file that cannot be read as a whole. Everything else that it raises is a fault.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from compliance.domain.codes import Codes
from compliance.errors import InputError
from compliance.intake.drafts import Draft, PassedOver, Rejected
from compliance.intake.fhir.gathering import Gathered
from compliance.intake.fhir.reading import Reading, Told, Untold
from compliance.intake.json_lines import read_json
from tests.fhir import dose, in_bundle, ndjson, pressure, visit
from tests.tables import MAIN, ROW, book_parts, columns, csv_of, packed, read, sheet_xml

PARTS = book_parts({"S": sheet_xml([columns(Session="T1")[0], columns(Session="T1")[1]])})
HEADINGS = csv_of(
    columns(
        Session="T1", **{"Weight (kg)": "81", "Acceptable": "yes", "Symptoms": "none", "Occurred time": ""}
    )[0]
)
_SHEET_BEGINS = (
    sheet_xml([columns(**{"Weight (kg)": "81", "Entered at": "", "Symptoms": ""})[0]])
    .removesuffix("</sheetData></worksheet>")
    .encode()
)
_SHEET_ENDS = b"</sheetData></worksheet>"


def _sound(items: Iterable[Any]) -> None:
    """Every answer is an event, or bytes with what is wrong with them; nothing is longer than it may be."""
    for item in items:
        assert isinstance(item, Draft | Rejected), item
        if isinstance(item, Rejected):
            assert item.problems and len(item.problems) <= 60
            assert all(problem.message and len(str(problem)) < 4_000 for problem in item.problems)


def _table(content: bytes) -> None:
    with suppress(InputError):
        _sound(read(content).items)


def csv_file(content: bytes) -> None:
    """A whole CSV file, or rows below good headings."""
    _table(content[1:] if content[:1] == b"\0" else HEADINGS + content)


def xlsx_file(content: bytes) -> None:
    """A workbook of which one part is what was made up: the first byte says which, and how."""
    which, rest = content[:1], content[1:]
    names = [*PARTS, "", "rows"]
    name = names[(which[0] if which else 0) % len(names)]
    if name == "":
        _table(b"PK" + rest)
    elif name == "rows":
        _table(packed({**PARTS, "xl/worksheets/sheet1.xml": _SHEET_BEGINS + rest + _SHEET_ENDS}, how=0))
    else:
        _table(packed({**PARTS, name: rest}, how=0))


def json_file(content: bytes) -> None:
    """A file of JSON."""
    _sound(read_json("in.json", io.BytesIO(content)))


class _Everybody:
    """Every patient is P1."""

    def pseudonym(self, reference: str) -> str | None:
        return "P1"

    def trouble(self, reference: str) -> tuple[str, str] | None:
        return None

    def same(self, one: str, other: str) -> bool:
        return one == other


def fhir_file(content: bytes) -> None:
    """A file of FHIR resources, as far as it is read without a log."""
    try:
        read = Gathered([("in.json", io.BytesIO(content))])
    except InputError:  # it begins as no JSON does
        return
    with read as gathered:
        reading = Reading(gathered, Codes(), frozenset({"S1"}), "S1", "AD-1", lambda _: ())
        for heard in reading.heard(_Everybody()):
            assert isinstance(heard, Told | Untold | Rejected | PassedOver), heard
            if isinstance(heard, Told):
                _sound([heard.draft])
            elif isinstance(heard, Rejected):
                _sound([heard])


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "csv": csv_file,
    "fhir": fhir_file,
    "json": json_file,
    "xlsx": xlsx_file,
}
"""What there is to fuzz, by the name that run.py takes."""

_ROW = f'<row r="2"><c r="A2" t="inlineStr"><is><t>{ROW[0]}</t></is></c><c r="B2"><v>1.5</v></c><c r="C2" t="s"><v>0</v></c></row>'.encode()
SEEDS: Mapping[str, tuple[bytes, ...]] = {
    "csv": (
        b"2026-03-04 9:05 PM,P1,pre_dose,T1,81.5,yes,none;chest_pain,\r\n",
        b'4 Mar 2026,"P\n1",during,"=1",1e3,x,"[""none""]",9:05\n',
        b"\0sep=;\nOccurred at;Patient;Point\n03/04/2026 9:05;P1;during\n",
        "\0\ufefftitle\n\nPoint\tPatient\tOccurred at\nduring\tP1\t2026-11-01 01:30\n".encode(),
    ),
    "fhir": (
        ndjson(dose(), pressure(), visit()),
        json.dumps(in_bundle(visit(), dose(), pressure()), indent=1).encode(),
        ndjson(
            dose(status="not-done"),
            dose(status="entered-in-error"),
            dose(medicationCodeableConcept={"text": "ketamine"}),
        ),
        ndjson(pressure(effectiveDateTime="2026"), visit(status="cancelled")),
    ),
    "json": (
        b'{"id":"E-1","kind":"void"}\n',
        b'[{"id":"E-1","weight_kg":1e5},\n{}]',
        b'{\n"id": "a\\u00e9"\n}',
    ),
    "xlsx": (
        *(bytes([number]) + text.encode() for number, text in enumerate(PARTS.values())),
        bytes([len(PARTS)]) + packed(PARTS, how=0)[2:],
        bytes([len(PARTS) + 1]) + _ROW,
        bytes([len(PARTS) + 1])
        + b'<row r="3"><c r="A3" s="2"><v>46085.37</v></c><c r="D3" s="5"><f>1</f><v>2E5</v></c></row>',
        bytes([4]) + f'<sst xmlns="{MAIN}"><si><r><t>a_x000D_</t></r><rPh><t>b</t></rPh></si></sst>'.encode(),
    ),
}
"""What fuzzing begins with."""
