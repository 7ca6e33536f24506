"""``compliance person``, and texts in the clear at the command line."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import DOSE, SITE, Clinic, lines

JANE = {"name": "Jane Quimby-Doe", "birth_date": "1961-04-05", "record_numbers": ["MRN-0041788"]}


def answer(result):
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout)


@pytest.fixture
def jane(clinic):
    """A clinic that knows a person."""
    (clinic.folder / "jane.json").write_text(json.dumps(JANE))
    clinic.record(SITE)
    answer(
        clinic.run(
            "person", "add", "--pseudonym", "P1", "--file", clinic.folder / "jane.json", "--output", "json"
        )
    )
    return clinic


def test_init_makes_a_vault_and_says_where(tmp_path):
    """Vault and key are named, in both forms of the answer."""
    clinic = Clinic(tmp_path)
    from tests.cli.conftest import POLICIES

    made = answer(clinic.run("init", "--policies", POLICIES, "--output", "json"))
    assert made["vault"] == f"{clinic.database}.vault"
    assert made["vault_key"] == f"{clinic.database}.vault.key"


def test_add_answers_with_the_pseudonym_and_the_commitment(jane):
    """And with the event that it recorded; values from standard input are never in the answer."""
    result = jane.run(
        "person", "add", "--file", "-", "--output", "json", stdin=json.dumps({"name": "Ann Third"})
    )
    told = answer(result)
    assert told["person"].startswith("P-")
    assert len(told["sha256"]) == 64
    assert [one["kind"] for one in told["events"]] == ["record_access"]
    assert "Third" not in result.output


def test_add_warns_that_options_are_seen(clinic):
    """The help says what a shell keeps."""
    assert "history" in clinic.run("person", "add", "--help").stdout


def test_somebody_with_the_same_number_is_told(jane):
    """Exit 2, with the pseudonym."""
    result = jane.run("person", "add", "--name", "X", "--record-number", "mrn 0041788")
    assert result.exit_code == 2
    assert "P1" in result.stderr
    assert (
        jane.run(
            "person", "add", "--name", "X", "--record-number", "mrn 0041788", "--even-if-known"
        ).exit_code
        == 0
    )


def test_show_gives_values_only_in_the_clear_and_records_it_first(jane):
    """Without --clear there are versions and dates; with it the event is in the answer."""
    plain = jane.run("person", "show", "P1", "--output", "json")
    assert "Quimby" not in plain.output
    assert answer(plain)["events"] == []
    clear = answer(jane.run("person", "show", "P1", "--clear", "--purpose", "treatment", "--output", "json"))
    assert clear["versions"][0]["identity"] == JANE
    (event,) = clear["events"]
    page = answer(jane.run("events", "show", event["event"], "--output", "json"))
    assert (page["sent"]["purpose"], page["sent"]["formats"]) == ("treatment", ["json"])
    assert jane.run("person", "show", "P1", "--clear").exit_code == 2
    assert jane.run("person", "show").exit_code == 2


def test_a_number_from_a_file_finds_the_person(jane):
    """So that it does not stay in the shell's history."""
    told = answer(
        jane.run("person", "show", "--record-number-file", "-", "--output", "json", stdin="mrn-0041788\n")
    )
    assert told["person"] == "P1"


def test_list_has_pseudonyms_and_nothing_else(jane):
    """Who only has texts in the vault is not listed."""
    jane.record({**DOSE, "patient": "P2", "reason": "late"})
    (one,) = lines(jane.run("person", "list", "--output", "json"))
    assert one.keys() == {"person", "kind", "versions", "entered_at"}
    assert jane.run("person", "list").stdout.split()[4] == "P1"


def test_import_enters_good_rows_and_reports_the_others(jane):
    """Exit 1 with what is wrong, then exit 0 and nothing written."""
    table = jane.folder / "p.csv"
    table.write_text("name,dob,mrn\nAnn Third,1971-01-01,M-4\nBob,1971-13-01,M-5\n")
    result = jane.run("person", "import", table, "--output", "json")
    entered, rejected = lines(result)
    assert result.exit_code == 1
    assert entered["person"].startswith("P-")
    assert (rejected["rejected"]["line"], rejected["rejected"]["column"], rejected["rejected"]["field"]) == (
        3,
        2,
        "birth_date",
    )
    table.write_text("name,dob,mrn\nAnn Third,1971-01-01,M-4\n")
    again = jane.run("person", "import", table)
    assert again.exit_code == 0
    assert "0 persons entered, 1 there already" in again.stdout
    assert jane.run("person", "import", jane.folder / "none.csv").exit_code == 2


def test_erase_refuses_with_dates_and_exit_1(jane):
    """A dose of this year keeps its patient."""
    jane.record(DOSE)
    result = jane.run("person", "erase", "P1", "--request", "R1", "--reason", "asked for", "--output", "json")
    told = answer(result)
    assert result.exit_code == 1
    assert told["erased"] is False
    assert all(one["until"] > "2027" for one in told["kept"])


def test_erase_says_what_it_cannot_reach(jane):
    """Backups are out of reach, and it says so."""
    result = jane.run("person", "erase", "P1", "--request", "R1", "--reason", "asked for")
    assert result.exit_code == 0, result.output
    assert "Backups" in result.stdout
    assert jane.run("person", "erase", "P1", "--request", "R1", "--reason", "again").exit_code == 2
    assert jane.run("person", "show", "P1").exit_code == 2


def test_texts_of_an_event_are_shown_in_the_clear_only_when_asked_for(jane):
    """Otherwise JSON has the commitment, and a person reads where the text lies."""
    jane.record({**DOSE, "reason": "typed in from her chart"})
    plain = jane.run("events", "show", "e2")
    assert "(text in the vault)" in plain.stdout
    assert "chart" not in plain.output
    assert answer(jane.run("events", "show", "e2", "--output", "json"))["sent"]["reason"].startswith(
        "vault:sha256:"
    )
    clear = jane.run("events", "show", "e2", "--clear", "--purpose", "legal")
    assert "typed in from her chart" in clear.stdout
    accesses = list(lines(jane.run("events", "list", "--kind", "record_access", "--output", "json")))
    assert len(accesses) == 2
    assert jane.run("events", "show", "e2", "--clear").exit_code == 2


def test_export_holds_commitments(jane):
    """What leaves the log leaves without words."""
    jane.record({**DOSE, "reason": "typed in from her chart"})
    out = jane.folder / "log.ndjson"
    assert jane.run("log", "export", "--out", out).exit_code == 0
    exported = out.read_text()
    assert "vault:sha256:" in exported
    assert "her chart" not in exported


def test_a_lost_vault_stops_words_with_exit_4(jane):
    """With a remedy, and nothing is written in the clear."""
    (jane.folder / "clinic.db.vault").unlink()
    result = jane.run("record", jane.file({**DOSE, "reason": "typed in from her chart"}))
    assert result.exit_code == 4
    assert "what to do" in result.stderr
    assert jane.run("record", jane.file(DOSE)).exit_code in (0, 1)


def test_an_older_log_gets_its_vault(jane):
    """`person init` on a log that has one is refused."""
    assert jane.run("person", "init").exit_code == 2


def test_a_process_with_a_terminal_is_not_needed(jane):
    """The commands work as processes, from standard input."""
    done = jane.process("person", "show", "P1", "--output", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["person"] == "P1"
