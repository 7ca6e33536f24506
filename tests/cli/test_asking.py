"""Questions at a terminal: any answers give a value that the event may hold, or are asked again, and never end in a traceback."""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager, redirect_stderr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli import asking
from compliance.domain.making import field_problems
from compliance.domain.reading import Unreadable
from compliance.domain.vocabulary import KINDS
from compliance.errors import InputError

ZONE = "America/Chicago"
ASKED = [
    spec
    for kind in KINDS.values()
    for spec in kind.fields.values()
    if not spec.derived and spec.name != "kind"
]
DISCHARGE = KINDS["discharge"].fields
VITALS = KINDS["vital_signs"].fields
COUNT = KINDS["inventory_count"].fields


@contextmanager
def typed(*answers):
    """These lines at standard input; gives what is written to standard error."""
    before, said = sys.stdin, io.StringIO()
    sys.stdin = io.StringIO("".join(f"{answer}\n" for answer in answers))
    try:
        with redirect_stderr(said):
            yield said
    finally:
        sys.stdin = before


@pytest.mark.parametrize(
    ("spec", "answers", "value"),
    [
        (DISCHARGE["escort_ref"], [""], None),
        (DISCHARGE["escort_ref"], ["-"], None),
        (DISCHARGE["escort_ref"], ["=-"], "-"),
        (DISCHARGE["disposition"], ["", "home"], "home"),
        (DISCHARGE["disposition"], ["-", "1"], "home"),
        (VITALS["symptoms"], [""], None),
        (VITALS["symptoms"], ["chest_pain", "nonsense", "2", ""], ["chest_pain", "dyspnoea"]),
        (COUNT["lines"], ["n"], []),
        (KINDS["storage_access"].fields["containers"], ["V1", "?", "V2", ""], ["V1", "V2"]),
    ],
)
def test_what_answers_give(spec, answers, value):
    with typed(*answers) as said:
        assert asking.ask(spec, zone=ZONE) == value
    assert "\x1b" not in said.getvalue()


def test_a_record_is_asked_field_by_field():
    line = ["y", "esk", "L1", "", "2", "4", "", "8", "device", "exact", "", "", "n"]
    with typed(*line) as said:
        value = asking.ask(COUNT["lines"], zone=ZONE)
    assert value == [
        {
            "drug": "esketamine_nasal_28mg", "lot": "L1", "quantity_per_container": "2", "containers": 4, "quantity": "8",
            "quantity_unit": "device", "count_method": "exact",
        }
    ]  # fmt: skip
    assert "lines 1.containers: " in said.getvalue()


@pytest.mark.parametrize(
    ("answers", "value"),
    [([""], "A"), (["-"], None), (["2"], "V2"), (["=2"], "2"), (["3"], "3"), (["B"], "B")],
)
def test_a_default_and_what_is_offered(answers, value):
    spec = DISCHARGE["escort_ref"]
    with typed(*answers) as said:
        assert (
            asking.ask(spec, zone=ZONE, default="A", offered=("V1", "V2"), notes={"V2": "opened today"})
            == value
        )
    assert "opened today" in said.getvalue()


def test_an_offered_value_that_is_itself_a_number_is_that_value():
    with typed("2"):
        assert asking.ask(DISCHARGE["escort_ref"], zone=ZONE, offered=("2", "V2")) == "2"


@pytest.mark.parametrize(
    ("answers", "value"), [(["y"], True), (["No"], False), ([""], True), (["perhaps", "n"], False)]
)
def test_yes_or_no(answers, value):
    with typed(*answers):
        assert asking.confirmed("Sure?", default=True) is value


def test_input_that_ends_is_told_with_what_became_of_it():
    with typed(), pytest.raises(InputError) as ended, asking.leaving(lambda: "Two events are recorded."):
        asking.ask(DISCHARGE["disposition"], zone=ZONE)
    assert ended.value.remedy == "Two events are recorded."


def test_bytes_that_are_no_text_are_asked_again(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\nhome\n"), "utf-8"))
    with redirect_stderr(io.StringIO()), pytest.raises((EOFError, UnicodeDecodeError)) as ended:
        asking.ask(DISCHARGE["disposition"], zone=ZONE)
    assert ended.type is EOFError


@settings(max_examples=100, deadline=None)
@given(
    spec=st.sampled_from(ASKED),
    answers=st.lists(
        st.text(st.characters(exclude_characters="\n\r"), max_size=12)
        | st.sampled_from(
            ["", "?", "-", "=", "1", "2", "y", "n", "now", "10:32", "today", "3.5", "]d2", "(01)"]
        ),
        max_size=25,
    ),
)
def test_no_answers_make_a_traceback(spec, answers):
    """Whatever is typed: a value of the field, nothing where it may be left out, or the end of the input."""
    with typed(*answers):
        try:
            value = asking.ask(spec, zone=ZONE, offered=("A", "B"))
        except EOFError:
            return
    if value is None:
        assert not spec.required
    else:
        assert field_problems(spec, value) == ()


def test_a_scan_in_place_of_an_answer_gives_the_value_or_is_asked_again():
    def scan(symbol):
        if "bad" in symbol:
            raise Unreadable("the check digit is wrong", "scan it again")
        return "AB123"

    with typed("]d2bad", "(10)AB123") as said:
        assert asking.ask(DISCHARGE["escort_ref"], zone=ZONE, scan=scan) == "AB123"
    assert "the check digit is wrong; scan it again" in said.getvalue()
    with typed("(10)AB123"):
        assert asking.ask(DISCHARGE["escort_ref"], zone=ZONE) == "(10)AB123"
