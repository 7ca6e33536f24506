"""Headings: what each means, what is told of those that mean nothing, and what stops a file."""

from __future__ import annotations

import pytest

from compliance.errors import InputError
from compliance.intake.sheets.columns import headings, path_name
from tests.tables import ROW, Xml, book, columns, csv_of, one, one_cell, read


@pytest.mark.parametrize(
    ("kind", "heading", "means"),
    [
        ("administration", "dose_mg", "dose_mg"),
        ("administration", "Dose (mg)", "dose_mg"),
        ("administration", "DOSE-MG *", "dose_mg"),
        ("administration", " dose  [MG] ", "dose_mg"),
        ("administration", "dose_mg (mg)", "dose_mg"),
        ("administration", "Dose (mg/kg)", "dose_mg_per_kg"),
        ("administration", "ＤＯＳＥ＿ＭＧ", "dose_mg"),
        ("administration", "Occurred at (local time)", "occurred_at"),
        ("administration", "Occurred Date", "occurred_at (date)"),
        ("administration", "completed time", "completed_at (time)"),
        ("vital_signs", "SpO2 (%)", "spo2_percent"),
        ("vital_signs", "Heart rate (bpm)", "heart_rate_bpm"),
        ("preparation", "Drug", "drug"),
        ("preparation", "Drug (mL)", "drug_ml"),
        ("monitoring_form", "vitals.pre systolic (mmHg)", "vitals.pre_systolic_mmhg"),
        ("monitoring_form", "Lots.2", "lots.2"),
        ("evaluation", "Trials.1.dose (mg)", "trials.1.dose_mg"),
        ("correction", "Fields.1.Name", "fields.1.name"),
    ],
)
def test_a_heading_means_a_field(kind, heading, means):
    """However its words are joined, and with its unit in brackets."""
    (column,) = headings(kind, {1: heading}).columns
    assert path_name(column.meaning) == means


@pytest.mark.parametrize(
    "heading",
    ["Dose", "Notes", "", "(mg)", "dose_mg_", "lots.0", "lots.999", "fields.1", "x" * 5000, "((((" * 2000],
)
def test_a_heading_that_means_nothing_is_unknown(heading):
    """Nothing is guessed from part of a name; and nothing takes long."""
    found = headings("correction", {1: heading})
    assert (found.columns, found.wrong) == ((), ())


@pytest.mark.parametrize(
    ("heading", "said"),
    [
        ("Dose (g)", "is in 'g', and dose_mg is in mg"),
        ("dose_mg (mcg)", "is in 'mcg', and dose_mg is in mg"),
        ("Device number (mL)", "is in 'mL', and device_number is a number without a unit"),
    ],
)
def test_another_unit_stops_the_file(heading, said):
    """A column in grams is none of milligrams."""
    (wrong,) = headings("administration", {1: heading}).wrong
    assert said in wrong.message


def test_columns_stand_in_any_order():
    """And a blank row between rows says nothing."""
    content = csv_of(
        ("POINT", "occurred-at", "patient"),
        ("during", ROW[0], "P1"),
        ("", " ", ""),
        ("pre_dose", ROW[0], "P2"),
    )
    assert [(event.body["point"], event.body["patient"]) for event in read(content).events] == [
        ("during", "P1"),
        ("pre_dose", "P2"),
    ]


def test_a_title_may_stand_above_the_headings():
    """Also one that is called as a field is; its row says nothing."""
    content = csv_of(("Vital signs of March",), (), ("Point",), *columns())
    assert read(content).event.body["patient"] == "P1"


def test_columns_that_are_no_fields_are_told_of_once():
    """With what each may be meant for, by its letter; a heading of somebody's own is not repeated."""
    answer = read(
        csv_of(
            *columns(**{"Remarks of Jane": "a", "Wieght (kg)": "81"}), (*ROW[:1], "P2", "during", "b", "82")
        )
    )
    assert len(answer.events) == 2
    (note,) = answer.notes
    assert (
        note
        == "These columns are not read, since their headings are no fields: D, E (did you mean `weight_kg`?)."
    )


def test_missing_columns_are_named_all_at_once():
    """With the options that can say them for all rows, and the columns that may have been meant."""
    with pytest.raises(InputError) as refused:
        read(csv_of(("Occurred at", "Patiant", "Session"), (ROW[0], "P1", "T1")), site=None, actor=None)
    assert "no column for site, actor, patient, point" in refused.value.message
    assert "--site and --actor can say it for all rows" in refused.value.remedy
    assert "B (did you mean `patient`?)" in refused.value.remedy


def test_a_file_without_headings_is_refused():
    """Rows without them could be anything."""
    for content in (csv_of(ROW, ROW), b"", b"\n\n", book(ROW)):
        with pytest.raises(InputError, match=r"has no (headings of vital_signs|sheet)"):
            read(content)


def test_two_columns_of_one_field_are_refused():
    """Both are named."""
    with pytest.raises(InputError) as refused:
        read(csv_of(*columns(**{"weight_kg": "81", "Weight (kg)": "82"})))
    (problem,) = refused.value.problems
    assert problem.message == "columns D and E both say weight_kg"


@pytest.mark.parametrize("kind", ["vital_signs", "Vital Signs", ""])
def test_a_column_may_say_the_kind(kind):
    """It must be the kind that the call says."""
    assert one(kind=kind).event.kind == "vital_signs"


def test_a_row_of_another_kind_is_refused():
    """It has its own columns."""
    assert "of another kind than vital_signs" in one(Kind="administration").problem.message


def test_site_and_actor_come_from_the_row_before_the_call():
    """What a row says counts; an empty cell says nothing."""
    answer = read(csv_of(*columns(Site="S2", Actor=""), (ROW[0], "P2", "during", "", "A2")))
    assert [(event.body["site"], event.body["actor"]) for event in answer.events] == [
        ("S2", "A1"),
        ("S1", "A2"),
    ]


def test_a_row_without_an_id_gets_the_same_one_every_time():
    """From what it says, whichever file it is in and whoever records it; other content is another event."""
    first = one(weight_kg="81").event.id
    assert first.startswith("row-") and len(first) == 36
    assert one_cell(weight_kg="81").event.id == first
    assert read(csv_of(*columns(weight_kg="81")), actor="A9").event.id == first
    assert read(csv_of(*columns(weight_kg="81")), site="S9").event.id != first
    assert one(weight_kg="82").event.id != first
    assert one(id="mine").event.id == "mine"


def test_equal_rows_are_told_not_merged():
    """Both rows are named; with ids they are two events."""
    answer = read(csv_of(*columns(), ROW))
    assert len(answer.events) == 1
    assert answer.problem.message == "row 3 says the same as row 2"
    assert len(read(csv_of(*columns(id="a"), (*ROW, "b"))).events) == 2


CORRECTION = {
    "Occurred at": ROW[0], "Corrects": "E1", "Reason": "typed wrongly", "Reason code": "typing", "Resign required": "no",
}  # fmt: skip


def corrected(**fields):
    """A correction with these columns besides."""
    said = CORRECTION | fields
    return read(csv_of(tuple(said), tuple(said.values())), "correction")


def change(number, name, old="1"):
    """The columns of one changed field."""
    return {f"fields.{number}.name": name, f"Fields.{number}.old": old, f"fields.{number}.new": "2"}


def test_records_have_columns_of_their_own():
    """Those of a list are numbered; one that is empty in a row is none."""
    fields = {**change(1, "lot"), "fields.2.name": "", **change(3, "dose_mg")}
    assert [one["name"] for one in corrected(**fields).event.body["fields"]] == ["lot", "dose_mg"]


def test_a_problem_within_a_list_is_at_its_cell():
    """By the number that its column has, whichever item it became; of a cell that cannot be read nothing is told to be missing."""
    answer = corrected(**change(2, "lot"), **change(3, "a\vb"))
    assert str(answer.problem.place) == "t.csv:2:9: fields.3.name (I2)"
    assert str(corrected(**change(2, "")).problem.place) == "t.csv:2:6: fields.2.name (F2)"


def test_a_record_is_said_once():
    """As JSON in one cell, or in columns of its own."""
    problems = corrected(Fields="[]", **change(1, "lot")).problems
    assert "is said in one cell and in columns of its own" in problems[0].message


def test_a_row_longer_than_its_headings_may_have_shifted():
    """An unquoted comma moves all values that follow; a workbook cannot shift, and a value beside the table is told of."""
    head = ("Occurred at", "Patient", "Point", "Equipment")
    answer = read(csv_of(head, (*ROW, "cuff", " large")))
    assert "more fields than there are headings" in answer.problem.message
    assert answer.problem.place.field == "E2"
    answer = read(book(head, (*ROW, "cuff", "large")))
    assert answer.event and answer.notes == ["values that stand under no heading are not read (columns E)"]


def test_a_column_without_a_heading_before_the_last_is_left_alone():
    """As programs write it that number rows."""
    assert read(csv_of(("", *columns()[0]), ("0", *ROW))).event.body["patient"] == "P1"


def test_a_heading_that_cannot_be_read_is_no_field():
    """Its column is told of like that of any other heading of somebody's own."""
    rows = columns()
    answer = read(book((*rows[0], Xml('<c r="{ref}" t="e"><v>#REF!</v></c>')), (*rows[1], "a")))
    assert answer.event and "no fields: D." in answer.notes[0]


def test_an_unknown_kind_is_refused():
    """With the one that may be meant."""
    with pytest.raises(InputError, match="there is no kind of event 'vital_sings'") as refused:
        read(csv_of(ROW), "vital_sings")
    assert refused.value.remedy == "Did you mean `vital_signs`?"
