"""Cells to values: forgiving about how a thing is written, unforgiving about what it could mean."""

from __future__ import annotations

import pytest

from tests.tables import (
    DATE_STYLE,
    LONG_STYLE,
    MONEY_STYLE,
    OTHER_UNIT_STYLE,
    PERCENT_STYLE,
    TEXT_STYLE,
    THOUSANDS_STYLE,
    UNIT_STYLE,
    Stored,
    Xml,
    columns,
    csv_of,
    one,
    one_cell,
    read,
)

COMMA = {"decimal_comma": True}


@pytest.mark.parametrize(
    ("heading", "text", "more", "value"),
    [
        ("weight_kg", "81.50", {}, "81.50"),
        ("weight_kg", " 81 ", {}, "81"),
        ("weight_kg", "81,5", COMMA, "81.5"),
        ("weight_kg", "1,500", COMMA, "1.500"),
        ("weight_kg", "81", COMMA, "81"),
        ("Systolic (mmHg)", "128", {}, 128),
        ("Systolic (mmHg)", "128.0", {}, 128),
        *[("Acceptable", text, {}, True) for text in ("yes", "YES", "y", "true", "True", "1", "x", "X")],
        *[("Acceptable", text, {}, False) for text in ("no", "No", "N", "false", "FALSE", "0")],
        ("Point", "Pre-Dose", {}, "pre_dose"),
        ("Point", " about 40 MIN ", {}, "about_40_min"),
        ("Symptoms", "chest pain; Severe-Headache", {}, ["chest_pain", "severe_headache"]),
        ("Symptoms", "chest_pain|none|", {}, ["chest_pain", "none"]),
        ("Symptoms", "none", {}, ["none"]),
        ("Symptoms", '["none"]', {}, ["none"]),
        ("Symptoms", "[]", {}, []),
        ("symptoms.1", "none", {}, ["none"]),
        ("Equipment", "cuff\nlarge", {}, "cuff\nlarge"),
        ("Equipment", "=1+1", {}, "=1+1"),
        ("Equipment", "cafe\u0301", {}, "caf\u00e9"),
    ],
)
def test_what_is_clear_is_taken(heading, text, more, value):
    """In any case, with spaces, with the comma that the call says."""
    body = one(**{heading: text}, **more).event.body
    assert value in body.values() and type(value) in {
        type(found) for found in body.values() if found == value
    }


@pytest.mark.parametrize(
    ("heading", "text", "more", "said"),
    [
        ("weight_kg", "1,500", {}, "can stand for thousands or for the decimal point"),
        ("weight_kg", "81,5", {}, "can stand for thousands or for the decimal point"),
        ("weight_kg", "1.500,5", COMMA, "both a comma and a point"),
        ("weight_kg", "1,500.5", {}, "both a comma and a point"),
        ("weight_kg", "81.5", COMMA, "has a point, and --decimal-comma"),
        ("weight_kg", "1,500,000", COMMA, "is not a decimal number"),
        ("weight_kg", "81 kg", {}, "is not a decimal number"),
        ("weight_kg", "0.1234567", {}, "more than 6 digits"),
        ("weight_kg", "1e400", {}, "not below 10^9"),
        ("weight_kg", "NaN", {}, "is not a number"),
        ("systolic_mmhg", "128.5", {}, "is not a whole number"),
        ("Acceptable", "maybe", {}, "neither yes nor no"),
        ("Point", "pre_dos", {}, "is not one of its values"),
        ("Symptoms", "none; sneezing", {}, "'sneezing' is not one of its values"),
        ("Symptoms", "none;chest_pain|seizure", {}, "both ; and |"),
        ("Symptoms", "[1,", {}, "the JSON breaks off"),
        ("session", "3.00E+05", {}, "has taken a text for a number"),
        ("Patient", "P 1", {}, "a space at position 2 of an id"),
        ("Equipment", "a\vb", {}, "a control character"),
    ],
)
def test_what_is_not_clear_is_refused(heading, text, more, said):
    """With the cell and what to do."""
    problem = one(**{heading: text}, **more).problem
    assert said in problem.message
    assert problem.remedy
    assert f"({'ABCD'[problem.place.column - 1]}2)" in str(problem.place)


@pytest.mark.parametrize(
    ("heading", "cell", "value"),
    [
        ("weight_kg", Stored("81.5"), "81.5"),
        ("weight_kg", Stored("28.100000000000001"), "28.1"),
        ("weight_kg", Stored("1.0000000000000001E-5"), "0.00001"),
        ("weight_kg", Stored("1500", LONG_STYLE), "1500"),
        ("weight_kg", Stored("81.5", UNIT_STYLE), "81.5"),
        ("weight_kg", "81.5", "81.5"),
        ("systolic_mmhg", 128, 128),
        ("acceptable", True, True),
        ("acceptable", 1, True),
        ("acceptable", "x", True),
        ("session", 300000, "300000"),
        ("session", Stored("123456789012345", TEXT_STYLE), "123456789012345"),
        ("weight_kg", Xml('<c r="{ref}"><f>B2*2</f><v>56</v></c>'), "56"),
        ("weight_kg", Xml('<c r="{ref}"><f t="shared" si="0"/><v>56</v></c>'), "56"),
        ("equipment", Xml('<c r="{ref}" t="str"><f>A1&amp;"x"</f><v>cuff</v></c>'), "cuff"),
        ("session", Xml('<c r="{ref}" t="s"><v>0</v></c>'), "P1"),
        (
            "equipment",
            Xml('<c r="{ref}" t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r><rPh><t>no</t></rPh></is></c>'),
            "ab",
        ),
    ],
)
def test_what_a_workbook_stores_is_what_was_typed(heading, cell, value):
    """The shortest decimal of a double; digits in a column of text where nothing can have been lost."""
    body = one_cell(**{heading: cell}).event.body
    assert value in body.values()


@pytest.mark.parametrize(
    ("heading", "cell", "said"),
    [
        ("weight_kg", Stored("0.30000000000000004"), "more than 6 digits after the point"),
        ("weight_kg", Stored("1e300"), "not below 10^9"),
        ("weight_kg", Stored("81", 99), "does not say its format"),
        ("weight_kg", Stored("nan"), "a number that is none"),
        ("weight_kg", Stored("1_0"), "a number that is none"),
        ("spo2_percent", Stored("0.98", PERCENT_STYLE), "shown as a percentage"),
        ("weight_kg", Stored("81", MONEY_STYLE), "shown as an amount of money"),
        ("weight_kg", Stored("81500", THOUSANDS_STYLE), "shown divided by thousands, by its format '0.0,'"),
        ("weight_kg", Stored("81", OTHER_UNIT_STYLE), "shown with a text that is not the field's own unit"),
        ("height_cm", Stored("81", UNIT_STYLE), "shown with a text that is not the field's own unit"),
        ("weight_kg", Stored("46085", DATE_STYLE), "a date, where a number is expected"),
        ("weight_kg", True, "TRUE or FALSE, where a number"),
        ("session", Stored("300000", LONG_STYLE), "a number, where text is expected"),
        ("session", Stored("3.5"), "a number, where text is expected"),
        ("session", Stored("1234567890123456"), "a number, where text is expected"),
        ("session", Stored("46085", DATE_STYLE), "a date, where text is expected"),
        ("session", False, "TRUE or FALSE, where text is expected"),
        ("weight_kg", Xml('<c r="{ref}"><f>B2*2</f></c>'), "a formula that was never calculated"),
        ("weight_kg", Xml('<c r="{ref}" t="e"><f>B2</f><v>#REF!</v></c>'), "the cell shows the error #REF!"),
        ("session", Xml('<c r="{ref}" t="s"><v>7</v></c>'), "a text that the workbook does not have"),
        ("session", Xml('<c r="{ref}" t="inlineStr"><is><t>_xD800_</t></is></c>'), "half of a character"),
    ],
)
def test_what_a_spreadsheet_may_have_changed_is_refused(heading, cell, said):
    """Lots that became numbers, NDCs that became dates, noise of binary arithmetic, errors."""
    problem = one_cell(**{heading: cell}).problem
    assert said in problem.message
    assert problem.remedy


def test_all_problems_of_a_row_are_told_at_once():
    """Those of cells, and what the event then lacks; not what follows from a cell that was told of."""
    answer = read(
        csv_of(
            *columns(
                **{"Occurred at": "03/04/2026", "Point": "", "Systolic (mmHg)": "high", "Weight (kg)": "1,5"}
            )
        )
    )
    assert [str(problem.place) for problem in answer.problems] == [
        "t.csv:2:4: systolic_mmhg (D2)", "t.csv:2:5: weight_kg (E2)", "t.csv:2:1: occurred_at (A2)", "t.csv:2:3: point (C2)",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["Jane Doe was here", "Jane"])
def test_no_text_is_repeated_in_a_message(text):
    """What was typed into an id or a text stays out of messages, which go into the log."""
    answer = one(Patient=f"{text} 1", Equipment=f"{text}\v{text}")
    assert len(answer.problems) == 2
    assert not any("Jane" in str(problem) for problem in answer.problems)


def test_formulas_are_told_of_once():
    """That the values last calculated were taken, and how many."""
    cell = Xml('<c r="{ref}"><f>1+1</f><v>2</v></c>')
    answer = one_cell(weight_kg=cell, height_cm=cell)
    assert answer.notes == ["2 cells hold formulas: the values that were last calculated were taken"]
