"""``compliance events add``: at a terminal what is missing is asked and the verdict comes first; elsewhere nothing is asked."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import command, lines
from tests.terminal import terminal

COLUMNS = 60
GTIN = "00350458028027"
SYMBOL = f"(01){GTIN}(17)270131(10)AB123(21)SN1"
LEAVES = (
    "discharge",
    "patient=P1",
    "session=T1",
    "disposition=home",
    "departure_mode=escort",
    "devices_taken=0",
)
SHELVED = ("container_status", "status=in_stock", "storage_place=SAFE", "registration=R1")


def at_terminal(clinic, *words, **environment):
    return terminal(
        command("events", "add", *words),
        {**clinic.environment(), **environment},
        folder=str(clinic.folder),
        columns=COLUMNS,
    )


def listed(clinic, *words):
    return lines(clinic.run("events", "list", "--output", "json", *words))


def test_what_would_be_denied_is_shown_first_and_not_recorded_by_the_enter_key(day):
    """Wrong answers are told why and asked again, what was said can be changed, and all fits the terminal."""
    before = listed(day)
    with at_terminal(day, "disch", "patient=P1") as at:
        at.answers(
            ("occurred_at [", "half past ten"),
            ("not an RFC 3339 date-time", "2026-03-02 10:10"),
            ("session: ", ""),
            ("cannot be left out", "1"),
            ("= T1", ""),
            ("cannot be left out", "9"),
            ("there is no choice 9", "a"),
            ("may be admitted or against_advice", "ho"),
            ("departure_mode: ", "?"),
            ("first letters", "escrot"),
            ("did you mean `escort`?", "1"),
            ("devices_taken: ", "none"),
            ("no whole number", "0"),
            ("Add which (? lists them, empty ends): ", "instr"),
            ("instructions_given: ", "perhaps"),
            ("neither yes nor no", "y"),
            ("Add which (? lists them, empty ends): ", ""),
        )
        at.sees("2026-03-02 10:10 CST")
        at.sees("stay-two-hours")
        at.answers(
            ("Record this? [y/N] ", ""),
            ("Nothing was written. Change which", "occ"),
            ("occurred_at [2026-03-02 10:10 CST]: ", "2026-03-02 11:06"),
            ("Change which", ""),
            ("nothing to object to Record this? [Y/n] ", "n"),
            ("Change which", ""),
        )
        assert at.ends() == 1
        assert max(map(len, at.screen.splitlines())) <= COLUMNS
        assert "\x1b[31m" in at.raw
    assert listed(day) == before


def test_a_scanner_fills_fields_and_json_is_what_record_gives(day):
    """The separator GS comes through a terminal as it is."""
    with at_terminal(day, *SHELVED, "--output", "json", NO_COLOR="1") as at:
        at.answers(
            ("occurred_at [", ""),
            ("container: ", f"]d201{GTIN[:-1]}9"),
            ("check digit", f"]d201{GTIN}1727013110AB123\x1d21SN1"),
            ("Add which (? lists them, empty ends): ", ""),
        )
        at.sees("nothing to object to")
        at.answers(("Record this? [Y/n] ", ""))
        assert at.ends() == 0
        assert "\x1b" not in at.raw
        answer = json.loads(at.screen.splitlines()[-1])
    assert answer.keys() == {"event", "kind", "entry", "verdict", "findings", "bundle"}
    (found,) = listed(day, "--kind", "container_status")
    assert found["event"] == answer["event"]
    assert found["actor"] == "MD-1"
    assert found["site"] == "S1"
    said = day.run("events", "show", answer["event"], "--output", "json").stdout
    for value in ("SN1", "AB123", "2027-01-31", "esketamine_nasal_28mg"):
        assert value in said


@pytest.mark.parametrize(("key", "code"), [("c", 130), ("d", 2)])
def test_who_leaves_is_told_that_nothing_was_written(day, key, code):
    with at_terminal(day, "vital_signs") as at:
        at.sees("occurred_at [")
        at.presses(key)
        at.sees("Nothing was written.")
        assert at.ends() == code
        assert "Traceback" not in at.screen
    assert not listed(day, "--kind", "vital_signs")


def test_without_a_terminal_it_is_recorded_as_record_does(day):
    found = lines(
        day.run(
            "events", "add", *LEAVES, "id=e9", "occurred_at=2026-03-02T12:00:00-06:00", "--output", "json"
        )
    )
    (recorded,) = day.record({**{name: value for name, _, value in (word.partition("=") for word in LEAVES[1:])},
        "devices_taken": 0, "id": "e10", "kind": "discharge", "occurred_at": "2026-03-02T12:00:00-06:00", "site": "S1", "actor": "MD-1"})  # fmt: skip
    assert [line.keys() for line in found] == [recorded.keys()]
    assert found[0]["event"] == "e9"
    assert found[0]["verdict"] == recorded["verdict"]


def test_what_is_made_up_is_the_id_the_time_and_the_site(day):
    answer = day.run("events", "add", *LEAVES)
    assert answer.exit_code == 0, answer.output
    (found,) = listed(day, "--kind", "discharge", "--limit", "1")
    assert found["event"].startswith("discharge-")
    assert (found["site"], found["actor"]) == ("S1", "MD-1")


def test_without_a_terminal_all_that_is_missing_is_listed_at_once(day):
    answer = day.run("events", "add", "administration", "route=intranasal")
    assert answer.exit_code == 2
    for said in (
        "dose_mg is missing (Active drug given, in mg)",
        "patient is missing",
        "encounter_class is missing",
        "one of outpatient",
    ):
        assert said in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["vital_sings"], "did you mean `vital_signs`?"),
        (["re"], "re may be registration, receipt, record_access"),
        (["correction"], "`compliance events correct`"),
        (["void"], "`compliance events void`"),
        (["discharge", "dispo=home"], "did you mean `disposition`?"),
        (["discharge", "disposition=hmoe"], "did you mean `home`?"),
        (["discharge", "devices_taken=1e2"], "devices_taken: '1e2' is no whole number"),
        (["discharge", "occurred_at=half past ten"], "write 10:32 (today at the site)"),
        (["vital_signs", "symptoms=chest_pain"], "symptoms: this is no list"),
        ([*LEAVES, "id=e3"], "id e3 is already recorded with other content: entry"),
        (["discharge", "patient=Jane Doe"], "a space at position 5"),
        (["discharge", "patient"], "does not say which field"),
        (["discharge", "patient=P1", "patient=P2"], "named twice"),
        (["discharge", "actor=RN-2"], "--actor"),
        (["discharge", "kind=void"], "Name it first"),
        (["discharge", "recorded_at=2026-03-02T10:00:00Z"], "set by the log"),
        (["discharge", "--scan", SYMBOL], "has no field for what the symbol says"),
        (["container_status", "--scan", SYMBOL, "lot=AB124"], "the symbol says lot 'AB123'"),
        (["container_status", "--scan", SYMBOL, "drug=ketamine_inj_10mg_ml"], "the symbol says drug"),
        (["container_status", "--scan", f"(01){GTIN[:-1]}1"], "check digit"),
        (["container_status", "--scan", ""], "neither NDC"),
    ],
)
def test_a_wrong_call_says_what_is_wrong_and_writes_nothing(day, words, said):
    before = listed(day)
    answer = day.run("events", "add", *words)
    assert answer.exit_code == 2
    assert said in answer.stderr.replace("\n", " ")
    assert listed(day) == before


def test_who_acts_must_be_named(day):
    assert "who acts is not known" in day.run("events", "add", *LEAVES, actor=None).stderr


def test_a_product_event_makes_an_ndc_known(day):
    """Its own package, GTIN and all, is unknown before."""
    scanned = ["events", "add", *SHELVED, "--scan", "(01)00399990010015(17)200200(10)K1(21)V7"]
    answer = day.run(*scanned)
    assert "neither on the drug list nor in a product event" in answer.stderr
    day.record({
        "id": "p1", "kind": "product", "occurred_at": "2026-03-02T08:00:00-06:00", "site": "S1", "actor": "MD-1",
        "drug_code": "ketamine_inj_10mg_ml", "ndc_raw": "99990-010-01", "ndc_format": "5-3-2", "schedule": "III", "dea_code": "7285",
        "is_narcotic": False, "schedule_effective_on": "1999-08-12", "strength_mg_per_ml": "10", "expressed_as": "base", "is_rems": False,
    })  # fmt: skip
    answer = day.run(*scanned)
    assert "It has expired: 2020-02-29 was its last day." in answer.stderr.replace("\n", " ")
    (found,) = listed(day, "--kind", "container_status")
    assert "ketamine_inj_10mg_ml" in day.run("events", "show", found["event"], "--output", "json").stdout


def test_what_the_call_says_is_read_as_an_answer_is(day):
    """A time is one of the site's clock; a choice may be shortened; a list is JSON."""
    answer = day.run(
        "events", "add", *LEAVES[:3], "disposition=ho", *LEAVES[4:], "id=e9", "occurred_at=2026-03-02 12:00"
    )
    assert answer.exit_code == 0, answer.output
    said = day.run("events", "show", "e9", "--output", "json").stdout
    assert "2026-03-02T12:00:00-06:00" in said and '"home"' in said


def test_the_same_event_again_is_no_other(day):
    """It is told as recorded before; only other content is refused, with the entry, and nothing is kept of it."""
    words = ("events", "add", *LEAVES, "id=e9", "occurred_at=2026-03-02T12:00:00-06:00")
    first, again = day.run(*words), day.run(*words)
    assert (first.exit_code, again.exit_code) == (0, 0), again.output
    before = day.run("log", "verify").stdout
    other = day.run(*words[:-1], "occurred_at=2026-03-02T12:01:00-06:00")
    assert other.exit_code == 2 and "compliance events correct e9" in other.stderr.replace("\n", " ")
    assert day.run("log", "verify").stdout == before


def test_a_site_without_a_profile_is_told_of(day):
    """The log has profiles, so it may be misspelt; the site that has one is no news."""
    assert "no profile of a site NOPE" in day.run("events", "add", *LEAVES, "site=NOPE").stderr
    assert "profile" not in day.run("events", "add", *LEAVES, "site=S1").stderr


def test_with_yes_a_terminal_is_asked_nothing(day):
    with at_terminal(day, *LEAVES, "--yes") as at:
        assert at.ends() == 0
        assert "Add which" not in at.screen


def test_at_a_terminal_a_wrong_word_of_the_call_is_told_and_asked_again(day):
    """A site that is not known is asked about."""
    with at_terminal(day, *LEAVES[:5], "devices_taken=none", "site=NOPE", "occurred_at=now", "instr=y") as at:
        at.sees("'none' is no whole number")
        at.sees("instr is not a field of discharge")
        at.answers(
            ("Is it meant? [y/N] ", ""),
            ("site: ", "S1"),
            ("devices_taken: ", "0"),
            ("Add which (? lists them, empty ends): ", ""),
            ("Record this? [Y/n] ", ""),
        )
        assert at.ends() == 0
    (found,) = listed(day, "--kind", "discharge", "--limit", "1")
    assert found["site"] == "S1"
