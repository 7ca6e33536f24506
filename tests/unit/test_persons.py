"""Persons on both databases: entered, imported, looked up, erased; and what refuses an erasure."""

from __future__ import annotations

import io

import pytest

from compliance.bundles import Bundles
from compliance.domain.canonical import canonical
from compliance.erasing import erase
from compliance.errors import InputError, Place
from compliance.ledger.vault import reach
from compliance.ledger.vault.site_key import VARIABLE
from compliance.ledger.verify import State
from compliance.person_files import read_table
from compliance.persons import (
    Acting,
    Wanted,
    access_event,
    begin,
    enter,
    enter_all,
    identity_of,
    look_up,
    recorded,
)
from compliance.verifying import verify_log
from tests.recording import body, put_in_force, record, rule
from tests.recording import bundle as bundle_of
from tests.vaults import vaulted

WHO = Acting("A1", "S1")
JANE = {"name": "Jane Quimby-Doe", "birth_date": "1961-04-05", "record_numbers": ["MRN-0041788"]}
NO_PURGE = rule("no-purge", "system_event", "event.activity != 'purge'", message="not in this house")


@pytest.fixture
def log(home, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "site.key"))
    with vaulted(home.url) as log:
        put_in_force(log, bundle_of(rule("any", "wastage", "true")))
        yield log


def judge(log):
    return Bundles(log).active()


def shown(log, **how):
    return look_up(log, lambda: judge(log), lambda: WHO, **how)


def entered(log, pseudonym="P-1", clear=JANE, **more):
    return enter(log, judge(log), WHO, Wanted("patient", clear, "2026-01-01", pseudonym), **more)


def gone(log, pseudonym="P-1"):
    return erase(log, Bundles(log), WHO, pseudonym, request="R-1", reason="asked for")


def test_what_the_log_refuses_is_not_done(log):
    """An access under an id that says something else already is refused, and whoever wanted it is told instead of shown anything."""
    view = {"mode": "view", "filter": "P-1", "row_count": 1, "formats": ["screen"], "leaves_site": False}
    accesses = [
        access_event(WHO, {**view, "purpose": purpose}, event_id="access-1")
        for purpose in ("treatment", "operations")
    ]
    recorded(log, judge(log), accesses[:1])
    with pytest.raises(InputError, match="could not be recorded"):
        recorded(log, judge(log), accesses[1:])


def test_the_log_gets_a_commitment_and_no_value(log):
    """The event names pseudonym and handle; its digest is the one that the vault computes from what it holds."""
    made = entered(log)
    document = log.entry(made.results[0].idx).document()["event"]
    assert document["sha256"] == made.commitment
    assert document["patient"] == "P-1"
    assert not any(b"Quimby" in entry.body or b"0041788" in entry.body for entry in log.entries())
    with reach(log) as way:
        way.vault.persons.refresh()
        (version,) = way.vault.persons.versions("P-1")
    assert (version.commitment, dict(version.clear)) == (made.commitment, JANE)


def test_pseudonyms_are_random(log):
    """The same identity gives another pseudonym and another commitment each time (ER-DEID-26)."""
    made = [entered(log, None, even_if_known=True) for _ in range(3)]
    assert len({one.pseudonym for one in made}) == len({one.commitment for one in made}) == 3
    assert all(one.pseudonym.startswith("P-") and len(one.pseudonym) == 22 for one in made)


def test_somebody_who_is_there_is_not_entered_again_by_mistake(log):
    """A record number, or name and birth date, in common is told with the pseudonym; saying so enters a second person."""
    entered(log)
    for clear in (
        JANE,
        {"name": "DOE Jane, Quimby", "birth_date": "1961-04-05"},
        {"name": "X", "record_numbers": ["mrn0041788"]},
    ):
        with pytest.raises(InputError, match="P-1"):
            entered(log, None, clear)
    assert entered(log, "P-2", even_if_known=True).pseudonym == "P-2"
    with pytest.raises(InputError, match="several persons"):
        shown(log, record_number="MRN-0041788")


def test_a_person_has_versions(log):
    """A later version stands beside the first; who is found by either."""
    entered(log)
    enter(log, judge(log), WHO, Wanted("patient", {**JANE, "name": "Jane Smith"}, "2026-05-01", "P-1"))
    found = shown(log, pseudonym="P-1")
    assert [one.clear["name"] for one in found.versions] == ["Jane Quimby-Doe", "Jane Smith"]
    assert found.known.versions == 2


def test_a_look_at_clear_values_is_recorded_and_a_look_at_dates_is_not(log):
    """By record number it always is: it says who somebody is."""
    entered(log)
    size = log.size
    shown(log, pseudonym="P-1")
    assert log.size == size
    shown(log, pseudonym="P-1", purpose="treatment")
    shown(log, record_number="mrn 0041788")
    events = [entry.document()["event"] for entry in log.entries(size)]
    assert [(one["mode"], one["purpose"]) for one in events] == [
        ("view", "treatment"),
        ("search", "operations"),
    ]
    assert not any(b"0041788" in canonical(one) for one in events)


def test_an_unknown_person_is_told(log):
    """Nothing is recorded for nobody."""
    size = log.size
    for how in ({"pseudonym": "P-9"}, {"record_number": "1"}):
        with pytest.raises(InputError, match="nobody"):
            shown(log, **how, purpose="legal")
    assert log.size == size


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "name"),
        ({"name": "A", "birth_date": "05/04/61"}, "birth_date"),
        ({"name": "A", "diagnosis": "x"}, "diagnosis"),
        ({"name": 7}, "name"),
        ({"name": "A", "record_numbers": ["1", 2]}, "record_numbers"),
    ],
)
def test_what_is_wrong_with_an_identity_is_told_by_field(values, field):
    """And no value is repeated."""
    problems = identity_of(values, Place("x"))
    assert [problem.place.field for problem in problems] == [field]
    assert not any(problem.message == "05/04/61" for problem in problems)


TABLE = """First Name;Last Name;DOB;MRN;Phone
Jane;Quimby-Doe;4/25/1961;MRN-1;555 01
John;Other;1970-02-30;MRN-2;
;;1970-01-01;MRN-3;
Ann;Third;1971-01-01;MRN-4 | LAB-9;555 03
Jane;Again;1961-04-25;mrn1;
"""


def read(log, text=TABLE):
    with reach(log) as way:
        way.vault.persons.refresh()
        return read_table("p.csv", io.BytesIO(text.encode("utf-8-sig")), way.vault, "2026-11-22")


def test_a_table_gives_good_rows_and_every_problem_with_its_place(log):
    """Columns go by many names, dates by two forms; bad rows do not stop good ones."""
    table = read(log)
    assert [one.clear["name"] for one in table.wanted] == ["Jane Quimby-Doe", "Ann Third"]
    assert table.wanted[0].clear["birth_date"] == "1961-04-25"
    assert table.wanted[1].clear["record_numbers"] == ["MRN-4", "LAB-9"]
    assert [(p.place.line, p.place.column, p.place.field) for p in table.problems] == [
        (3, 3, "birth_date"), (4, 2, "name"), (6, None, None),
    ]  # fmt: skip


def test_the_second_import_writes_nothing(log):
    """Who is there as he or she stands is passed over; who differs is told."""
    enter_all(log, judge(log), WHO, read(log).wanted)
    size = log.size
    again = read(log)
    assert (again.wanted, again.known, log.size) == ((), 2, size)
    changed = read(log, TABLE.replace("555 03", "555 04"))
    assert [problem.place.line for problem in changed.problems] == [3, 4, 5, 6]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("a,b\n1,2\n", "header"),
        ("dob\n1\n", "no column for the name"),
        ("name,name\nA,B\n", "header"),
        ('name\n"A\n', "not a table"),
    ],
)
def test_what_is_no_table_is_refused(log, text, says):
    """Before anything is entered."""
    with pytest.raises(InputError, match=says):
        read(log, text)


def test_bytes_that_are_no_text_are_refused(log):
    """UTF-8 only."""
    with reach(log) as way, pytest.raises(InputError, match="UTF-8"):
        read_table("p.csv", io.BytesIO(b"name\n\xff\n"), way.vault, "2026-11-22")


# ---- erasing, on both databases


def test_a_person_without_records_is_erased(log):
    """Nothing is kept of somebody who was entered by mistake; the log verifies."""
    entered(log)
    done = gone(log)
    assert not done.kept
    assert [one.draft.event.kind for one in done.results] == ["patient_request", "record_access"]
    with pytest.raises(InputError, match="was erased"):
        shown(log, pseudonym="P-1")
    with pytest.raises(InputError, match="nobody"):
        shown(log, record_number="MRN-0041788")
    assert verify_log(log).state is State.SELF_CONSISTENT


def test_a_recent_record_refuses_the_erasure(log):
    """The reasons have their dates, nothing is written, and the person is still there."""
    entered(log)
    record(
        log, judge(log), body("wastage", "2026-03-02T09:00:00-06:00", patient="P-1", narrative="spilt by her")
    )
    size = log.size
    done = gone(log)
    assert {one.until.year for one in done.kept} == {2028, 2032, 2033}
    assert log.size == size
    assert shown(log, pseudonym="P-1").versions[0].clear == JANE


def test_a_legal_hold_refuses_the_erasure_until_it_is_lifted(log):
    """Of old records, too."""
    entered(log)
    old = "2011-03-02T09:00:00-06:00"
    record(
        log,
        judge(log),
        body("wastage", old, patient="P-1"),
        body("system_event", id="h1", activity="legal_hold_on"),
    )
    (kept,) = gone(log).kept
    assert "h1" in kept.why
    assert kept.until is None
    record(log, judge(log), body("system_event", "21:00", activity="legal_hold_off"))
    assert not gone(log).kept


def test_a_minors_record_is_kept_past_majority(log):
    """However old it is."""
    entered(log)
    old = "2011-03-02T09:00:00-06:00"
    record(log, judge(log), body("patient_enrollment", old, patient="P-1", majority_on="2024-05-04"))
    (kept,) = gone(log).kept
    assert "minors" in kept.why


def test_the_policies_in_force_are_asked_before_anything_is_written(log):
    """A rule that denies the purge refuses the erasure with its words."""
    put_in_force(log, bundle_of(NO_PURGE))
    entered(log)
    record(log, judge(log), body("wastage", "2011-03-02T09:00:00-06:00", patient="P-1"))
    size = log.size
    (kept,) = gone(log).kept
    assert kept.why == "no-purge: not in this house"
    assert log.size == size


def test_staff_are_kept_by_what_they_did_and_erased_without_a_request_of_a_patient(log):
    """Whoever acts in a record is part of it."""
    enter(log, judge(log), WHO, Wanted("staff", {"name": "Nora Nurse"}, "2026-01-01", "RN-4"))
    record(log, judge(log), body("wastage", "2026-03-02T09:00:00-06:00", patient="P-2", witness="RN-4"))
    assert gone(log, "RN-4").kept
    enter(log, judge(log), WHO, Wanted("staff", {"name": "Nick Nurse"}, "2026-01-01", "RN-5"))
    assert [one.draft.event.kind for one in gone(log, "RN-5").results] == ["record_access"]


def test_a_log_without_a_vault_says_so(home, tmp_path, monkeypatch):
    """With the command that makes one; a second one is refused."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "site.key"))
    with home.empty_log() as log:
        put_in_force(log, bundle_of(rule("any", "wastage", "true")))
        with pytest.raises(InputError, match="no identity vault"):
            shown(log, pseudonym="P-1")
        begin(log)
        entered(log)
        with pytest.raises(InputError, match="already"):
            begin(log)
        assert verify_log(log).state is State.SELF_CONSISTENT


@pytest.mark.parametrize(
    "written, kept",
    [("12/25/1980", "1980-12-25"), ("25/12/1980", "1980-12-25"), ("4/4/1980", "1980-04-04"), ("03/04/1980", None), ("2999-01-01", None)],
)  # fmt: skip
def test_dates_that_can_mean_one_day_only(log, written, kept):
    """Month or day first is taken where it cannot be the other; 03/04/1980 is refused with its place, and so is a birth in the future."""
    table = read(log, f"name,dob\nAmb Iguous,{written}\n")
    assert [one.clear["birth_date"] for one in table.wanted] == ([] if kept is None else [kept])
    assert [problem.place.field for problem in table.problems] == ([] if kept else ["birth_date"])
