"""Case files: timelines with preludes, every mistake with its place; and the filling of fields that do not matter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain.event import Event
from compliance.domain.making import make_event
from compliance.domain.vocabulary import KINDS
from compliance.policy.case_files import load_cases, read_cases_file
from compliance.policy.documents import read_text
from compliance.policy.fill import fill

FILE = """
version: 1
preludes:
  clinic:
    - {kind: site_profile, site: S1, actor: A1, occurred_at: '2026-01-05T08:00-06:00', time_zone: America/Chicago}
  enrolled:
    - {kind: patient_enrollment, site: S1, actor: A1, patient: PT1, occurred_at: '2026-01-06T08:00:00-06:00'}
cases:
  - name: form eight days late
    prelude: [clinic, enrolled]
    events:
      - {kind: administration, session: T1, dose_mg: 28.50, occurred_at: '2026-03-02T09:00:00-06:00',
         recorded_at: '2026-03-02T09:10-06:00'}
    now: '2026-03-11T08:00-06:00'
    findings: [REMS-PMF-7D]
    clear: [REMS-MONITOR-2H]
    verdict: compliant
"""
KNOWN = {"REMS-PMF-7D", "REMS-MONITOR-2H"}


def problems_of(old, new, text=FILE):
    assert old in text
    cases, problems = read_cases_file(read_text(text.replace(old, new, 1), "c.yaml"), KNOWN)
    assert cases == ()
    return [f"{problem.place.line}: {problem.message}" for problem in problems]


def test_a_timeline_starts_with_its_preludes():
    """Events in the order in which they are recorded, instants with their seconds, decimals as text, recorded_at apart."""
    cases, problems = read_cases_file(read_text(FILE, "c.yaml"), KNOWN)
    assert problems == ()
    (case,) = cases
    assert [event.body["kind"] for event in case.events] == [
        "site_profile",
        "patient_enrollment",
        "administration",
    ]
    assert case.events[0].body["occurred_at"] == "2026-01-05T08:00:00-06:00"
    assert (case.events[0].recorded_at, case.events[2].recorded_at) == (None, "2026-03-02T09:10:00-06:00")
    assert "recorded_at" not in case.events[2].body
    assert case.events[2].body["dose_mg"] == "28.50"
    assert (case.now, case.verdict) == ("2026-03-11T08:00:00-06:00", "compliant")
    assert (case.findings, case.clear) == (("REMS-PMF-7D",), ("REMS-MONITOR-2H",))
    assert (case.place.line, case.events[2].place.line) == (9, 12)


@pytest.mark.parametrize(
    "old,new,message",
    [
        ("version: 1", "version: 2", "2: this version of case files is not known"),
        ("version: 1\n", "", "2: a case file has no 'version'"),
        ("[clinic, enrolled]", "[clinic, enroled]", "10: there is no prelude 'enroled' in this file"),
        ("[REMS-PMF-7D]", "[REMS-PMF-7]", "15: there is no requirement 'REMS-PMF-7'"),
        ("verdict: compliant", "verdict: fine", "17: 'verdict' cannot be 'fine'"),
        (
            "clear: [REMS-MONITOR-2H]",
            "clear: [REMS-PMF-7D]",
            "16: 'REMS-PMF-7D' is named under 'findings', too",
        ),
        ("kind: administration", "kind: administraton", "12: there is no kind of event 'administraton'"),
        ("dose_mg: 28.50", "dose: 28.50", "12: administration has no field 'dose'"),
        ("dose_mg: 28.50", "dose_mg: true", "12: this is true or false, where a number in mg is needed"),
        ("time_zone: America", "noted_at: America", "5: 'noted_at' is set by the log"),
        (
            "occurred_at: '2026-03-02T09:00:00-06:00'",
            "occurred_at: '2026-03-02 09:00'",
            "12: '2026-03-02 09:00:00': the letter T must stand between date and time",
        ),
        (" occurred_at: '2026-01-05T08:00-06:00',", "", "5: this event has no 'occurred_at'"),
        ("now: '2026-03-11T08:00-06:00'", "now: 2026", "14: 'now' must be an instant, not a number"),
    ],
)
def test_each_mistake_is_placed(old, new, message):
    """All mistakes have their line; nothing of a wrong file is used."""
    assert problems_of(old, new)[0] == message


def test_a_case_must_expect_something_and_have_events():
    """A case that cannot fail shows nothing."""
    text = "version: 1\ncases:\n  - {name: empty}\n"
    _, problems = read_cases_file(read_text(text, "c.yaml"))
    assert [problem.message for problem in problems] == ["a case has no 'events'", "a case has no 'findings'"]


def test_two_cases_of_one_name_are_refused():
    """The runner's report names cases."""
    again = FILE[FILE.index("  - name:") :]
    _, problems = read_cases_file(read_text(FILE + again, "c.yaml"), KNOWN)
    assert [problem.message for problem in problems] == ["two cases are called 'form eight days late'"]


def test_a_folder_of_case_files_is_read_whole(tmp_path):
    """Files in the order of their names; the good ones beside the problems of the others."""
    (tmp_path / "b.yaml").write_text(FILE)
    (tmp_path / "a.yaml").write_text("version: [1\n")
    cases, problems = load_cases(tmp_path, KNOWN)
    assert [case.name for case in cases] == ["form eight days late"]
    assert [problem.place.source for problem in problems] == [str(tmp_path / "a.yaml")]
    cases, problems = load_cases(tmp_path / "none.yaml")
    assert (cases, len(problems)) == ((), 1)


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_of_any_kind_is_valid_once_it_is_filled(kind):
    """Only the kind is needed; what is filled is plausible and always the same."""
    event = make_event(fill({"kind": kind}))
    assert isinstance(event, Event), event
    assert fill({"kind": kind}) == fill({"kind": kind})


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_filling_keeps_what_is_there_and_is_idempotent(kind, data):
    """Law: what the case says stays; filling twice is filling once."""
    body = fill({"kind": kind})
    kept = {name: value for name, value in body.items() if name == "kind" or data.draw(st.booleans())}
    filled = fill(kept)
    assert {name: filled[name] for name in kept} == kept
    assert fill(filled) == filled


def test_lines_of_a_count_are_filled_too():
    """Records inside an event have required fields of their own."""
    filled = fill({"kind": "inventory_count", "lines": [{"drug": "esketamine_nasal_28mg", "quantity": "4"}]})
    assert filled["lines"][0]["quantity_unit"] == "device"
    assert filled["lines"][0]["quantity"] == "4"
    assert isinstance(make_event(filled), Event)
