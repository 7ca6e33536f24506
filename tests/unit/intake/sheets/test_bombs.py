"""Files that are made to cost more than they should: each limit has one that it stops, in no time and little memory."""

from __future__ import annotations

import io
import subprocess
import sys
import time
import tracemalloc
import zipfile

import pytest

from compliance.errors import InputError
from compliance.intake.sheets import package, workbook, xlsx_rows
from compliance.intake.sheets.cells import letters
from tests.tables import MAIN, ROW, Xml, book, book_parts, columns, packed, read, sheet_xml

HEAD = columns()[0]
TABLE = sheet_xml([HEAD, ROW])
PARTS = book_parts({"S": TABLE})


def stretched(part: str, begin: bytes, middle: bytes, times: int, end: bytes) -> bytes:
    """A workbook with a part that is packed as it is made, never whole in memory."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in PARTS.items():
            if name != part:
                archive.writestr(name, content)
        with archive.open(part, "w") as stream:
            stream.write(begin)
            for _ in range(times):
                stream.write(middle)
            stream.write(end)
    return file.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
OPEN = f'<worksheet xmlns="{MAIN}"><sheetData>'.encode()
CLOSE = b"</sheetData></worksheet>"


def refused(content: bytes) -> str:
    """Why a file is refused; in a second, and 64 MiB."""
    tracemalloc.start()
    began = time.monotonic()
    with pytest.raises(InputError) as why:
        read(content)
    took, (_, most) = time.monotonic() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 3 and most < 64 * 1024 * 1024
    return why.value.message


def test_a_part_that_unpacks_to_far_more_than_its_length_is_refused():
    """Before a byte of it is unpacked."""
    assert "unpacks to more than 250 times its length" in refused(
        stretched(SHEET, OPEN, b" " * 1_000_000, 20, CLOSE)
    )


def test_a_file_that_says_it_is_very_long_is_refused(monkeypatch):
    """All parts count together, whether they are read or not."""
    monkeypatch.setattr(package, "LONGEST", 1_000_000)
    assert "unpacks to more than" in refused(
        packed({**PARTS, "a.bin": bytes(600_000), "b.bin": bytes(600_000)})
    )


def test_what_is_unpacked_is_counted_again(monkeypatch):
    """The same part may be asked for twice, and what a file says of itself may be a lie."""
    monkeypatch.setattr(package, "LONGEST", 40_000)
    content = packed(book_parts({"S": TABLE.replace("</sheetData>", " " * 30_000 + "</sheetData>")}))
    with pytest.raises(InputError) as answer:
        read(content)
    assert "unpacks to more than" in answer.value.message


def test_a_length_that_is_a_lie_is_no_use():
    """The archive gives no more than it says, and its checksum then does not fit."""
    content = packed(PARTS)
    info = next(entry for entry in zipfile.ZipFile(io.BytesIO(content)).infolist() if entry.filename == SHEET)
    real, said = info.file_size.to_bytes(4, "little"), (info.file_size - 50).to_bytes(4, "little")
    assert "is damaged" in refused(content.replace(real, said))


def test_a_file_of_very_many_parts_is_refused_before_it_is_opened():
    """Each would be an object in memory."""
    many = packed({**PARTS, **{f"{number}": "" for number in range(1001)}})
    assert "has more than 1000 parts" in refused(many)


def test_a_very_long_file_is_refused(monkeypatch):
    """No more of it is read than it may have."""
    monkeypatch.setattr(package, "LONGEST_FILE", 1000)
    assert "is longer than" in refused(packed(PARTS))


@pytest.mark.parametrize(
    "part",
    [
        "_rels/.rels",
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/styles.xml",
        "xl/sharedStrings.xml",
        SHEET,
    ],
)
@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a SYSTEM "http://localhost/a.dtd">',
        "<!DOCTYPE a>",
    ],
    ids=["entities", "file", "fetched", "bare"],
)
def test_document_types_and_entities_are_refused_in_every_part(part, declared):
    """Nothing is expanded, opened or fetched."""
    content = packed({**PARTS, part: declared + PARTS[part].replace("P1", "&a;")})
    assert "document type or entities" in refused(content)


def test_xml_is_never_read_without_defusedxml():
    """Where it is not installed, no workbook is read at all."""
    program = "import sys; sys.modules['defusedxml'] = None\nimport compliance.intake.sheets.package"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 1 and "defusedxml" in run.stderr


def test_a_very_long_tag_is_refused():
    """Parsers of some age begin it anew with every piece (CVE-2023-52425)."""
    content = stretched("xl/workbook.xml", b'<workbook a="', bytes(range(48, 58)) * 20_000, 40, b'"/>')
    assert "a tag of more than 1 MiB" in refused(content)


def test_very_many_texts_are_refused(monkeypatch):
    """Their number, and their length."""
    monkeypatch.setattr(workbook, "MOST_TEXTS", 10)
    content = packed({**PARTS, "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{"<si><t/></si>" * 11}</sst>'})
    assert "more texts than" in refused(content)
    monkeypatch.setattr(workbook, "MOST_TEXTS", 100)
    monkeypatch.setattr(workbook, "LONGEST_TEXTS", 100)
    content = packed(
        {**PARTS, "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}"><si><t>{"x" * 101}</t></si></sst>'}
    )
    assert "more texts than" in refused(content)


def test_a_text_longer_than_any_cell_is_cut_while_it_is_read():
    """A shared one is kept up to what makes it plain that it is too long; one in a cell is a problem of that cell."""
    cell = Xml(f'<c r="{{ref}}" t="inlineStr"><is><t>{"x" * 40_000}</t></is></c>')
    answer = read(book((*HEAD, "Equipment"), (*ROW, cell)))
    assert "more than 32,767 characters" in answer.problem.message


def test_rows_of_blank_cells_are_counted(monkeypatch):
    """Formats without values cost time, and say nothing."""
    monkeypatch.setattr(xlsx_rows, "MOST_BLANK", 1000)
    blank = "".join(f'<row r="{row}"><c r="A{row}" s="1"/></row>' for row in range(3, 1100))
    answer = read(packed(book_parts({"S": TABLE.replace("</sheetData>", blank + "</sheetData>")})))
    assert len(answer.events) == 1
    assert "cells with nothing in them" in answer.problem.message


def test_one_text_in_very_many_cells_makes_no_long_row():
    """A row of references can say far more than it is long."""
    shared = f'<sst xmlns="{MAIN}"><si><t>{"x" * 30_000}</t></si></sst>'
    row = "".join(f'<c r="{letters(column)}3" t="s"><v>0</v></c>' for column in range(1, 16_384))
    sheet = TABLE.replace("</sheetData>", f'<row r="3">{row}</row></sheetData>')
    answer = read(packed({**book_parts({"S": sheet}), "xl/sharedStrings.xml": shared}))
    assert "texts are longer" in answer.problem.message


def test_very_many_merged_cells_are_refused(monkeypatch):
    """They are looked for in all rows."""
    monkeypatch.setattr(workbook, "MOST_MERGED", 10)
    merged = "".join(f'<mergeCell ref="A{row}:B{row}"/>' for row in range(5, 16))
    assert "merged cells" in refused(book(HEAD, ROW, after=f"<mergeCells>{merged}</mergeCells>"))


def test_a_gap_of_a_million_rows_costs_nothing():
    """No row is made that does not stand there."""
    began = time.monotonic()
    sheet = TABLE.replace("</sheetData>", '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')
    answer = read(packed(book_parts({"S": sheet})))
    assert [item.line for item in answer.items] == [2, 1_048_576]
    assert time.monotonic() - began < 2
