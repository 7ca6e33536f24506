"""A case as text: what is written reads as the same case, and the rest of the file stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.errors import InputError, Place
from compliance.policy.documents import read_text
from compliance.policy.layout import formatted
from compliance.policy.located import Document
from compliance.policy.model import Case
from compliance.policy.rules import read_rule
from compliance.workbench.case_text import case_yaml, shortened, with_case

HEAD = """# a comment that stays
id: r
title: A rule of the tests
implements: [X]
cites: [{source: none, read: 2026-11-22}]
in_force: {from: 2019-01-01}
owner: tests
review_by: 2099-11-22
on: discharge
require: event.devices_taken <= 3
"""
OTHERWISE = "otherwise: {severity: deny, message: No., remedy: None.}\n"
FIRST = "- name: first\n    event: {kind: discharge, devices_taken: 1, occurred_at: '2026-03-02T11:00-06:00'}\n    expect: pass\n"
ADDED = Case(
    "four: 'too many'", ({"kind": "administration", "occurred_at": "2026-03-02T10:00:00-06:00", "dose_mg": "28.5", "lot": "007"},),
    {"kind": "discharge", "devices_taken": 4, "occurred_at": "2026-03-02T11:00:30-06:00"}, "fail", None, Place("r.yaml"),
)  # fmt: skip
WRITTEN = """  - name: "four: 'too many'"
    history:
      - {kind: administration, dose_mg: 28.5, lot: '007', occurred_at: '2026-03-02T10:00-06:00'}
    event: {kind: discharge, devices_taken: 4, occurred_at: '2026-03-02T11:00:30-06:00'}
    expect: fail
"""


def cases_of(text):
    document = read_text(text, "r.yaml")
    assert isinstance(document, Document), document
    read, problems = read_rule(document)
    assert read is not None, [str(problem) for problem in problems]
    return read.cases


def test_a_case_is_written_like_those_of_the_library():
    """Kind first, instants last and quoted, seconds only where there are any."""
    assert case_yaml(ADDED) == WRITTEN


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HEAD + OTHERWISE + "cases:\n  " + FIRST, ""),
        (HEAD + OTHERWISE + "cases:\n  " + FIRST, "# the end\n"),
        (HEAD + "cases:\n  " + FIRST, "\n" + OTHERWISE),
        (HEAD + OTHERWISE + "cases:\n  " + FIRST.rstrip() + "  # so it is\n", "\n\n# more\n"),
        (HEAD + OTHERWISE + "cases:\n  " + FIRST.replace("    expect: pass\n", "    expect: >-\n      pass\n"), ""),
        (HEAD + OTHERWISE + "cases:\n  " + "- expect: pass\n    name: first\n    event: {kind: discharge, devices_taken: 1,\n      occurred_at: '2026-03-02T11:00-06:00'\n    }\n", ""),
        (HEAD + OTHERWISE + "cases:\n      " + FIRST.replace("\n    ", "\n        "), ""),
    ],
    ids=["last", "comment below", "more fields below", "comment on the line", "folded", "brackets over lines", "deeper"],
)  # fmt: skip
def test_a_case_goes_behind_the_last_one_and_all_else_stays(before, after):
    """Byte for byte, wherever the cases stand."""
    made = with_case(before + after, "r.yaml", ADDED)
    assert made.startswith(before)
    assert made.endswith(after)
    indent = made[len(before) :].index("-")
    assert made[len(before) : len(made) - len(after)] == case_yaml(ADDED, indent)
    first, second = cases_of(made)
    assert (first.name, second.name, second.expect) == ("first", ADDED.name, "fail")
    assert second.history[0]["dose_mg"] == "28.5"
    assert second.history[0]["lot"] == "007"


def test_what_is_laid_out_stays_laid_out():
    """A case is written in the one layout of all policy files."""
    laid_out = formatted((HEAD + OTHERWISE + "cases:\n  " + FIRST).encode(), "r.yaml")
    assert isinstance(laid_out, str), laid_out
    added = with_case(laid_out, "r.yaml", ADDED)
    assert formatted(added.encode(), "r.yaml") == added


def test_a_file_without_a_last_line_break_gets_one():
    """So that the case begins on a line of its own."""
    text = (HEAD + OTHERWISE + "cases:\n  " + FIRST).rstrip("\n")
    assert with_case(text, "r.yaml", ADDED) == text + "\n" + WRITTEN


@pytest.mark.parametrize(
    "cases",
    [
        "cases: [{name: a, event: {kind: discharge}, expect: pass}]\n",
        "cases:\n  [\n  {name: a, event: {kind: discharge}, expect: pass}]\n",
        "",
        "cases: [\n",
    ],
)
def test_cases_that_are_not_one_below_the_other_are_left_alone(cases):
    """The case is to be pasted by hand."""
    with pytest.raises(InputError):
        with_case(HEAD + OTHERWISE + cases, "r.yaml", ADDED)


def test_what_is_filled_in_need_not_be_written():
    """But what the rule looks at stays, and an id that another event names."""
    body = {
        "id": "E1",
        "kind": "discharge",
        "occurred_at": "2026-03-02T11:00:00-06:00",
        "site": "S1",
        "session": "T1",
        "devices_taken": 1,
        "disposition": "home",
    }
    signed = {
        "id": "E2",
        "kind": "signature",
        "occurred_at": "2026-03-02T11:00:00-06:00",
        "target_event": "E1",
    }
    made = Case("a", (body,), signed, "pass", None, Place("r.yaml"))
    short = shortened(made, {"session"})
    assert short.history[0] == {
        "id": "E1",
        "kind": "discharge",
        "occurred_at": body["occurred_at"],
        "session": "T1",
    }
    assert short.event == {"kind": "signature", "occurred_at": signed["occurred_at"], "target_event": "E1"}


NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1
).filter(str.strip)


@given(NAMES, NAMES)
def test_every_text_is_read_as_it_was(name, reason):
    """Quotes, colons, words that mean something in YAML, letters of any script."""
    body = {
        "kind": "discharge",
        "devices_taken": 1,
        "occurred_at": "2026-03-02T11:00:00-06:00",
        "reason": reason,
    }
    made = Case(name, (), body, "pass", "2026-03-02T12:00:00-06:00", Place("r.yaml"))
    text = with_case(HEAD + OTHERWISE + "cases:\n  " + FIRST, "r.yaml", made)
    read = read_text(text, "r.yaml")
    assert isinstance(read, Document)
    added = read.value["cases"][-1]
    assert (added["name"], added["event"]["reason"], added["now"]) == (name, reason, "2026-03-02T12:00-06:00")
