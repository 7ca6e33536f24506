"""Workbooks: which sheet is read, what of it, and what files are refused as a whole."""

from __future__ import annotations

import pytest

from compliance.errors import InputError
from compliance.intake.drafts import Draft
from tests.tables import KIND, MAIN, ROW, Xml, book, book_parts, columns, packed, read, sheet_xml

HEAD = columns()[0]
TABLE = sheet_xml([HEAD, ROW])
OTHER = sheet_xml([HEAD, (ROW[0], "P9", "during")])


def patients(content: bytes) -> list[str]:
    return [event.body["patient"] for event in read(content).events]


@pytest.mark.parametrize(
    ("sheets", "hidden", "found"),
    [
        ({"Sheet1": TABLE, "Vital Signs": OTHER}, [], ["P9"]),
        ({"Sheet1": TABLE, "vital_signs": OTHER}, ["vital_signs"], ["P9"]),
        ({"Empty": sheet_xml([]), "Sheet2": TABLE, "Sheet3": OTHER}, [], ["P1"]),
        ({"Hidden": OTHER, "Sheet2": TABLE}, ["Hidden"], ["P1"]),
        ({"Fields": OTHER, "Sheet2": TABLE}, [], ["P1"]),
        ({"vital_signs": sheet_xml([]), "Sheet2": TABLE}, [], None),
        ({"Hidden": OTHER}, ["Hidden"], None),
    ],
)
def test_the_sheet_that_is_read(sheets, hidden, found):
    """That of the kind's name, else the first that people see and that holds something."""
    content = packed(book_parts(sheets, hidden))
    if found is not None:
        assert patients(content) == found
        return
    with pytest.raises(InputError, match="has no sheet with a filled row"):
        read(content)


def test_sheets_that_are_not_read_are_told_of():
    """How many; the name of the one that is read stands in every place."""
    answer = read(packed(book_parts({"A": sheet_xml([HEAD, (*ROW[:2], "no")]), "B": OTHER})))
    assert answer.notes == ["only the sheet 'A' is read; 1 other is not"]
    assert str(answer.problem.place) == "t.xlsx[A]:2:3: point (C2)"


def test_both_kinds_of_workbook_are_read():
    """The strict kind has other namespaces, prefixes and names for relationships (ECMA-376, part 1)."""
    strict = {
        name: text.replace("http://schemas.openxmlformats.org/officeDocument/2006/relationships", "http://purl.oclc.org/ooxml/officeDocument/relationships")
        .replace("http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/spreadsheetml/main")
        for name, text in book_parts({"S": TABLE}).items()
    }  # fmt: skip
    assert patients(packed(strict)) == ["P1"]


def test_a_date_of_the_strict_kind_is_typed():
    """It is stored as ISO 8601."""
    cell = Xml('<c r="{ref}" t="d"><v>2026-03-04T09:05:00</v></c>')
    assert read(book(HEAD, (cell, "P1", "during"))).event.body["occurred_at"] == ROW[0]


def test_rows_without_numbers_are_counted():
    """The numbers of rows and cells may be left out (ECMA-376, part 1, 18.3.1.73)."""
    bare = TABLE.replace(' r="1"', "").replace(' r="2"', "")
    for letter in "ABC":
        bare = bare.replace(f' r="{letter}1"', "").replace(f' r="{letter}2"', "")
    assert patients(packed(book_parts({"S": bare}))) == ["P1"]


def test_hidden_rows_are_read():
    """A filter that somebody left on decides nothing."""
    assert patients(packed(book_parts({"S": TABLE.replace('<row r="2">', '<row r="2" hidden="1">')}))) == [
        "P1"
    ]


@pytest.mark.parametrize(
    ("ref", "bad"),
    [
        ("A2:A3", [2, 3]),
        ("B3:C3", [3]),
        ("D2:D4", [2, 3, 4]),
        ("A1:C1", None),
        ("A9:B9", []),
        ("$A$4:$A$1048576", [4]),
    ],
)
def test_rows_of_merged_cells_are_refused(ref, bad):
    """Which row a merged value is of, nobody can say; in other columns, too, since a row may be meant as two."""
    rows = [(ROW[0], f"P{number}", "during", "x") for number in (2, 3, 4)]
    content = book((*HEAD, "Mine"), *rows, after=f'<mergeCells><mergeCell ref="{ref}"/></mergeCells>')
    if bad is None:
        with pytest.raises(InputError, match="headings"):
            read(content)
        return
    answer = read(content)
    assert [problem.place.line for problem in answer.problems] == bad
    assert all(problem.code == "merged" and ref in problem.message for problem in answer.problems)
    assert all(b"P" in item.raw for item in answer.items if not isinstance(item, Draft))


def test_of_a_row_that_is_merged_into_one_cell_that_alone_is_told():
    """What it lacks stands in the merged cells, or nowhere: nobody can say."""
    content = book(HEAD, ("a title", None, None), after='<mergeCells><mergeCell ref="A2:C2"/></mergeCells>')
    assert read(content).problem.code == "merged"


def test_a_merged_title_is_no_matter():
    """It stands above the headings."""
    content = book(("Vital signs",), HEAD, ROW, after='<mergeCells><mergeCell ref="A1:C1"/></mergeCells>')
    assert patients(content) == ["P1"]


@pytest.mark.parametrize(
    ("tail", "said"),
    [
        ('<row r="1"><c r="A1"><v>1</v></c></row>', "not in their order"),
        ('<row r="99999999"/>', "not in their order"),
        ('<row r="1048577"/>', "not in their order"),
        ('<row r="٣"/>', "not in their order"),
        ('<row r="3"><c r="B3"><v>1</v></c><c r="A3"><v>1</v></c></row>', "not in their order"),
        ('<row r="3"><c r="XFE3"><v>1</v></c></row>', "not in their order"),
        ('<row r="3"><c r="A4"><v>1</v></c></row>', "not in their order"),
        ('<row r="3"><c r="3"><v>1</v></c></row>', "not in their order"),
        ("<row", "not well-formed"),
        ("</nothing>", "not well-formed"),
        ("&nbsp;", "not well-formed"),
    ],
)
def test_a_sheet_that_breaks_off_is_told_of_after_its_good_rows(tail, said):
    """No half of a sheet is taken for the whole."""
    answer = read(packed(book_parts({"S": TABLE.replace("</sheetData>", f"{tail}</sheetData>")})))
    assert len(answer.events) <= 1
    assert said in answer.problems[-1].message
    assert answer.items[-1].line in {3, 4}


@pytest.mark.parametrize(
    ("rows", "at"), [("<", 1), ('<row r="9"><c', 9), ('<row r="3"><c r="A3"><v>1</v></c></row><', 4)]
)
def test_a_sheet_that_breaks_off_before_its_headings_says_so(rows, at):
    """That there are no headings is then no news."""
    with pytest.raises(InputError) as refused:
        read(packed(book_parts({"S": f'<worksheet xmlns="{MAIN}"><sheetData>{rows}'})))
    assert f"t.xlsx[S] is damaged at row {at}, and no headings" in refused.value.message
    assert (
        "not well-formed" in refused.value.message
        and "save the workbook again" in refused.value.remedy.lower()
    )


PARTS = book_parts({"S": TABLE})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04" + b"\0" * 100, "is no .xlsx workbook"),
        (packed({"a.txt": "a"}), "is no .xlsx workbook"),
        (packed({**PARTS, "_rels/.rels": "<Relationships/>"}), "is no .xlsx workbook"),
        (packed({**PARTS, "xl/workbook.xml": "<workbook>"}), "not well-formed"),
        (packed({name: text for name, text in PARTS.items() if "sheet1" not in name}), "has no sheet"),
        (packed({**PARTS, "xl/styles.xml": "\ufeff<a>"}), "not well-formed"),
        (packed({**PARTS, "xl/workbook.xml": PARTS["xl/workbook.xml"].encode("utf-16")}), "not well-formed"),
        (packed({**PARTS, "xl/workbook.xml": '<?xml version="1.0" encoding="utf-7"?><a/>'}), "has no sheet"),
        (packed({**PARTS, "XL/WORKBOOK.XML": "<a/>"}), "two parts of one name"),
    ],
    ids=range(9),
)  # fmt: skip
def test_what_is_no_workbook_is_refused(content, said):
    """With the file's name and what to do."""
    with pytest.raises(InputError) as refused:
        read(content)
    assert said in refused.value.message and refused.value.message.startswith("t.xlsx")
    assert refused.value.remedy


def test_a_locked_workbook_is_refused_by_what_it_is():
    """A password makes another kind of file of it, which old workbooks are, too."""
    import io

    from compliance.intake.sheets.package import Package

    with pytest.raises(InputError, match="locked with a password, or a workbook of before 2007"):
        Package("t.xlsx", io.BytesIO(bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 512))
    locked = bytearray(packed(PARTS))
    for sign, flags in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = locked.find(sign)
        while at >= 0:
            locked[at + flags] |= 1
            at = locked.find(sign, at + 4)
    with pytest.raises(InputError, match="parts that are locked"):
        read(bytes(locked))


def test_a_damaged_sheet_gives_no_event():
    """It is unpacked to its end before a row is taken."""
    content = bytearray(book(HEAD, ROW, *[(ROW[0], f"P{i}", "during") for i in range(2, 9)]))
    content[content.find(b"P8</t>")] ^= 1  # stored, not packed: only the checksum can tell
    with pytest.raises(InputError, match="is damaged"):
        read(bytes(content), KIND)
