"""`record` and `check` of tables, and the empty tables of `schema template`."""

from __future__ import annotations

import io
import json

import pytest
from openpyxl import load_workbook

from tests.cli.conftest import DOSE, SITE, lines
from tests.tables import book, csv_of, packed

HEADINGS = (
    "Occurred at", "Completed at", "Site", "Patient", "Session", "Drug", "Encounter class", "Route", "Dose (mg)", "Quantity", "Quantity unit", "Lot",
)  # fmt: skip
FIRST = (
    "2026-03-02 9:00 AM",
    "2026-03-02 9:05 AM",
    "S1",
    "P1",
    "T1",
    "esketamine_nasal_28mg",
    "outpatient",
    "intranasal",
    "28",
    "1",
    "device",
    "L1",
)
SECOND = ("2026-03-02 10:00", "", "S1", "P2", "T2", *FIRST[5:])


@pytest.fixture
def site(clinic):
    """A clinic whose clock the log knows."""
    clinic.record(SITE)
    return clinic


def table(clinic, *rows, name="doses.csv", headings=HEADINGS):
    path = clinic.folder / name
    path.write_bytes(book(headings, *rows) if name.endswith(".xlsx") else csv_of(headings, *rows))
    return path


@pytest.mark.parametrize("name", ["doses.csv", "doses.xlsx", "doses.tsv"])
def test_a_table_is_recorded_once(site, name):
    """Its times are those of the site's clock; the same rows again, from a file of another kind, are the same events."""
    result = site.run(
        "record", "--kind", "administration", "--output", "json", table(site, FIRST, SECOND, name=name)
    )
    assert [line["kind"] for line in lines(result)] == ["administration", "administration"]
    assert "2026-03-02T09:00:00-06:00" in site.run("events", "show", lines(result)[0]["event"]).stdout
    again = site.run("record", "--kind", "administration", table(site, SECOND, FIRST, name="again.csv"))
    assert "0 events recorded, 2 already recorded" in again.stdout
    assert "nothing new was written" in again.stdout


def test_a_bad_row_stops_nothing_and_is_kept(site):
    """With sheet, row, column and what to do."""
    bad = ("03/04/2026 9:00", *FIRST[1:8], "1,500", *FIRST[9:])
    result = site.run(
        "record", "--kind", "administration", "--output", "json", table(site, bad, SECOND, name="doses.xlsx")
    )
    assert result.exit_code == 1
    rejected, recorded = lines(result)
    about = rejected["rejected"]
    assert (about["source"], about["line"]) == (f"{site.folder / 'doses.xlsx'}[Sheet1]", 2)
    assert [(problem["place"].rpartition("]")[2], problem["field"]) for problem in about["problems"]] == [
        (":2:9", "dose_mg (I2)"), (":2:1", "occurred_at (A2)"),
    ]  # fmt: skip
    assert recorded["kind"] == "administration"
    kept = json.loads(site.run("log", "show", str(rejected["entry"]), "--raw").stdout)
    assert "occurred_at (A2)" in json.dumps(kept)


def test_options_say_what_a_file_leaves_open(site):
    """The order of dates, decimal commas, site and actor; `check` writes nothing."""
    headings = tuple(name for name in HEADINGS if name != "Site")
    row = ("03/02/2026 9:00", "", "P1", "T1", *FIRST[5:8], "28,5", *FIRST[9:])
    path = table(site, row, headings=headings)
    words = (
        "check",
        "--kind",
        "administration",
        "--site",
        "S1",
        "--date-order",
        "mdy",
        "--decimal-comma",
        path,
    )
    assert "1 event would be recorded" in site.run(*words).stdout
    refused = site.run("check", "--kind", "administration", path, actor=None)
    assert refused.exit_code == 2
    assert "has no column for site, actor" in refused.stderr


def test_a_site_without_a_profile_has_no_clock(clinic):
    """A time without an offset is then no time."""
    result = clinic.run("check", "--kind", "administration", table(clinic, FIRST))
    assert "no profile of the site that says its time zone" in result.stdout


def test_what_is_left_out_is_said_on_standard_error(site):
    """Once for the file."""
    result = site.run(
        "check",
        "--kind",
        "administration",
        table(site, (*FIRST, "a"), (*SECOND, "b"), headings=(*HEADINGS, "Lott")),
    )
    assert result.stderr.count("M (did you mean `lot`?)") == 1
    assert result.exit_code in {0, 1}


def test_json_and_a_table_may_be_recorded_together(clinic):
    """Merged by when things occurred, each file in its format; the clock is that which the log had before."""
    clinic.record(SITE)
    day = clinic.file({**DOSE, "id": "other"})
    result = clinic.run("record", "--kind", "administration", "--output", "json", day, table(clinic, SECOND))
    assert [line["event"] == "other" for line in lines(result)] == [True, False]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("record", "doses.csv"), "say what its rows are"),
        (("record", "--kind", "administration", "doses.xls"), "tables of the kind .xls are not read"),
        (("record", "--kind", "administration", "doses.ods"), "tables of the kind .ods are not read"),
        (("record", "--kind", "administratoin", "doses.csv"), "there is no kind of event 'administratoin'"),
        (("record", "--kind", "administration", "--format", "xlsx", "doses.csv"), "is no .xlsx workbook"),
        (("schema", "template", "administratoin"), "there is no kind of event 'administratoin'"),
        (("schema", "template", "administration", "--out", "doses.csv"), "there is a file"),
        (("schema", "template", "administration", "--out", "no/where.csv"), "cannot be written"),
    ],
)
def test_a_call_that_cannot_be_meant_is_refused(site, words, said):
    """Nothing is written, and what to do is told."""
    for name in ("doses.csv", "doses.xls", "doses.ods"):
        table(site, FIRST, name=name)
    result = site.run(*(site.folder / word if word.partition(".")[2] else word for word in words))
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_a_workbook_comes_from_standard_input_too(site):
    """Where its format is said."""
    result = site.run(
        "check", "--kind", "administration", "--format", "xlsx", "-", stdin=book(HEADINGS, FIRST)
    )
    assert "1 event would be recorded" in result.stdout


def test_no_traceback_reaches_a_person(site):
    """Whatever the file is."""
    path = site.folder / "doses.xlsx"
    for content in (b"", b"PK", packed({"a": "b"}), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        path.write_bytes(content)
        result = site.run("record", "--kind", "administration", path)
        assert result.exit_code == 2 and "Traceback" not in result.output
        assert "what to do:" in result.stderr


def test_an_empty_workbook_has_headings_choices_and_meanings(clinic, monkeypatch):
    """It is never written over another; what is typed into its columns of text stays text."""
    monkeypatch.chdir(clinic.folder)
    assert clinic.run("schema", "template", "administration").exit_code == 0
    assert clinic.run("schema", "template", "administration").exit_code == 2
    book_ = load_workbook(io.BytesIO((clinic.folder / "administration.xlsx").read_bytes()))
    assert [(sheet.title, sheet.sheet_state) for sheet in book_] == [
        ("administration", "visible"),
        ("Fields", "visible"),
        ("Choices", "hidden"),
    ]
    sheet = book_["administration"]
    head = {cell.value: cell.column_letter for cell in sheet[1]}
    assert list(head)[:3] == ["Occurred at *", "Site *", "Actor *"]
    assert sheet.column_dimensions[head["Lot"]].number_format == "@"
    rules = {str(rule.sqref): rule.formula1 for rule in sheet.data_validations.dataValidation}
    where = rules[f"{head['Route *']}2:{head['Route *']}10000"]
    assert [cell.value for (cell,) in book_["Choices"][where.partition("!")[2].replace("$", "")]][:2] == [
        "iv_infusion",
        "iv_bolus",
    ]
    meanings = {row[1].value: [cell.value for cell in row] for row in book_["Fields"].iter_rows(min_row=2)}
    assert meanings["dose_mg"][2:5] == ["yes", "number", "mg"]
    assert not [cell for one in book_ for row in one.iter_rows() for cell in row if cell.data_type == "f"]


def test_an_empty_table_goes_to_standard_output_where_it_is_piped(clinic):
    """As CSV, with a mark by which a spreadsheet knows the encoding."""
    result = clinic.run("schema", "template", "vital_signs", "--format", "csv")
    assert result.stdout_bytes.startswith(b"\xef\xbb\xbfOccurred at *,Site *,Actor *,Patient *,Point *,")
