"""``compliance report nightly``: made once, the same again, caught up, and loud where the log is not whole."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from compliance.domain.time import end_of_local_day, parse_date
from compliance.ledger.agenda import AgendaTables
from compliance.ledger.log import Log
from compliance.night_entries import printed
from tests.cli.conftest import DROVE_AWAY, LEFT_EARLY, LEFT_IN_TIME, Clinic, command, lines

DATE = "2026-03-02"
FORMS = {"html", "pdf", "xlsx", "json", "txt", "checkpoint"}


def nightly(clinic: Clinic, *words: str, date: str = DATE):
    return clinic.run("report", "nightly", "--date", date, "--out", clinic.folder / "out", *words)


def made(clinic: Clinic, *words: str, date: str = DATE):
    """What a run answers, as JSON, and its exit code."""
    result = nightly(clinic, "--output", "json", *words, date=date)
    return [json.loads(line) for line in result.stdout.splitlines()], result.exit_code


def report(clinic: Clinic, name: str = f"nightly-{DATE}"):
    return json.loads((clinic.folder / "out" / f"{name}.json").read_text())


def entries(clinic: Clinic, kind: str = "nightly"):
    with Log.open(f"sqlite:///{clinic.database}") as log:
        return [entry.document() for entry in log.entries() if entry.type == kind]


def test_a_night_is_written_in_every_form_and_into_the_log(day):
    """The violation is in it, the log tells of it, and it still verifies."""
    (told,), code = made(day)
    assert code == 1
    assert {Path(name).suffix[1:] for name in told["files"]} == FORMS | {"csv"}
    assert all(Path(name).stat().st_size for name in told["files"])
    (entry,) = entries(day)
    assert (entry["date"], entry["edition"], entry["size"]) == (DATE, 1, told["size"])
    assert entry["checkpoint"] == (day.folder / "out" / f"nightly-{DATE}.checkpoint").read_text()
    sections = {section["id"]: section for section in report(day)["sections"]}
    assert [item["event"] for item in sections["violations"]["items"]] == ["e3"]
    assert sections["log"]["verbatim"] == entry["checkpoint"]
    assert (
        day.run("log", "verify", "--checkpoint", day.folder / "out" / f"nightly-{DATE}.checkpoint").exit_code
        == 0
    )


def test_the_summary_fits_a_lock_screen(day):
    result = nightly(day)
    assert result.exit_code == 1
    assert "1 new finding" in result.stdout.splitlines()[0]
    assert max(len(line) for line in result.stdout.splitlines()[:-1]) <= 70
    assert result.stdout.splitlines()[-1].endswith(f"nightly-{DATE}.html")


def test_twice_it_is_the_same_whatever_came_since_and_refresh_makes_a_new_edition(day):
    """Byte for byte in each form; the log gets no second entry; what came since is in the next edition."""
    made(day)
    before = {path.name: path.read_bytes() for path in (day.folder / "out").rglob("*") if path.is_file()}
    day.record(
        {
            **LEFT_EARLY,
            "id": "e9",
            "session": "T9",
            "patient": "P9",
            "occurred_at": "2026-03-02T12:00:00-06:00",
        }
    )
    (again,), _ = made(day)
    assert (again["new"], again["same"]) == (False, True)
    after = {path.name: path.read_bytes() for path in (day.folder / "out").rglob("*") if path.is_file()}
    assert after == before
    (fresh,), _ = made(day, "--refresh")
    assert (fresh["edition"], fresh["new"]) == (2, True)
    assert [entry["edition"] for entry in entries(day)] == [1, 2]
    assert (day.folder / "out" / f"nightly-{DATE}.json").read_bytes() == before[f"nightly-{DATE}.json"]
    assert report(day, f"nightly-{DATE}.edition-2")["log"]["size"] > again["size"]
    (last,), _ = made(day)
    assert last["edition"] == 2


def test_missed_nights_are_caught_up_in_order(day):
    """The next report is of four days later: those between are made first, once."""
    made(day)
    found, _ = made(day, date="2026-03-05")
    assert [one["date"] for one in found] == ["2026-03-03", "2026-03-04", "2026-03-05"]
    assert [one["date"] for one in made(day, date="2026-03-05")[0]] == ["2026-03-05"]
    with Log.open(f"sqlite:///{day.database}") as log:
        assert [one.date for one in printed(log)] == ["2026-03-05", "2026-03-04", "2026-03-03", DATE]


def test_what_came_late_is_news_of_the_night_it_came(day):
    """An event of the day before, recorded after its report, is new in the next one, and only there."""
    made(day)
    day.record(DROVE_AWAY)
    made(day, date="2026-03-03")
    sections = {section["id"]: section for section in report(day, "nightly-2026-03-03")["sections"]}
    assert [item["event"] for item in sections["violations"]["items"]] == ["e5"]
    assert [row["findings"] for row in tables(sections["violations"])["findings-before"]] == [1]


def tables(section):
    return {table["id"]: table["rows"] for table in section["tables"]}


def test_two_at_once_make_one_report(day):
    """Whoever comes second gives the first one's report."""
    words = command("report", "nightly", "--date", DATE, "--out", "out", "--output", "json")
    both = [
        subprocess.Popen(words, cwd=day.folder, env=day.environment(), stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    answers = [json.loads(process.communicate(timeout=120)[0]) for process in both]
    assert [process.returncode for process in both] == [1, 1]
    assert len(entries(day)) == 1
    assert answers[0]["entry"] == answers[1]["entry"]
    assert answers[0]["same"] and answers[1]["same"]
    assert sorted(answer["new"] for answer in answers) == [False, True]


def test_without_a_date_it_is_the_last_day_that_is_over(day):
    """By the sites' clocks, not the machine's: never a day that is still going on somewhere."""
    result = day.run("report", "nightly", "--out", day.folder / "out", "--output", "json")
    (told,) = lines(result)
    with Log.open(f"sqlite:///{day.database}") as log:
        now = log.now()
    assert end_of_local_day(parse_date(told["date"]), "America/Chicago") <= now
    assert end_of_local_day(parse_date(told["date"]) + 1, "America/Chicago") > now


def test_a_site_has_a_report_of_its_own(day):
    (told,), _ = made(day, "--site", "S1")
    assert (told["site"], told["sites"]) == ("S1", ["S1"])
    assert (day.folder / "out" / f"nightly-{DATE}-S1.html").exists()
    (told,), _ = made(day)
    assert (told["site"], told["new"]) == (None, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--date", "2026-03-02", "--site", "S9"], "the log has no event of a site 'S9'"),
        (["--date", "2999-01-01"], "is not over yet"),
        (["--date", "2026-02-30"], "there is no such day"),
        (["--date", "2026-03-02", "--out", "day.ndjson/out"], "cannot be made"),
        (["--date", "2026-03-02", "--checkpoint", "nowhere.txt"], "cannot be read"),
    ],
)
def test_wrong_calls_say_what_is_wrong(day, monkeypatch, words, said):
    monkeypatch.chdir(day.folder)
    day.file(LEFT_IN_TIME)
    result = day.run("report", "nightly", *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_without_the_key_nothing_is_made(day):
    """The report's checkpoint must be signed."""
    (day.folder / "clinic.db.key").unlink()
    result = nightly(day)
    assert result.exit_code == 2
    assert not (day.folder / "out").exists()
    assert entries(day) == []


def tampered(path: Path) -> None:
    connection = sqlite3.connect(path)
    for (name,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'entry'"
    ).fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(
        "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), 'escort', 'drives') AS BLOB) WHERE event_id = 'e3'"
    )
    connection.commit()
    connection.close()


def test_a_log_that_does_not_verify_is_told_before_all_else(day):
    """Exit 3; the report says so at the top, nothing goes into the log, and no checkpoint of it is kept."""
    tampered(day.database)
    (told,), code = made(day)
    assert code == 3
    assert (told["verified"], told["entry"]) == (False, None)
    assert told["headline"].startswith("The log does not verify")
    assert report(day, f"nightly-{DATE}.not-verified")["sections"][0]["level"] == "alarm"
    assert not (day.folder / "out" / f"nightly-{DATE}.checkpoint").exists()
    assert entries(day) == []


def test_a_log_with_entries_missing_is_told_of(day):
    """What cannot even be read: exit 3 and a report that says so, not a wrong call."""
    connection = sqlite3.connect(day.database)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("DELETE FROM entry WHERE idx > 3")
    connection.commit()
    connection.close()
    (told,), code = made(day)
    assert (code, told["verified"]) == (3, False)
    assert list(told["sections"]) == ["log"]


def test_the_agenda_is_sealed_with_the_logs_key(day):
    """Whoever changes its rows cannot seal them again: what is stored is not the digest, which anybody can make."""
    made(day)
    with Log.open(f"sqlite:///{day.database}") as log:
        agenda = AgendaTables(log)
        reached = agenda.reached()
        assert len(reached.seal) == 32
        assert reached.seal != agenda.digest(reached)


def test_a_log_that_was_set_back_is_found_by_the_checkpoint_in_the_folder(day, tmp_path):
    """A backup from before the report is put back: nothing in the database shows it, the last printed checkpoint does."""
    kept = tmp_path / "kept.db"
    shutil.copyfile(day.database, kept)
    day.record({**LEFT_IN_TIME, "session": "T9", "patient": "P9"})
    made(day)
    for name in ("clinic.db-wal", "clinic.db-shm"):
        (day.folder / name).unlink(missing_ok=True)
    shutil.copyfile(kept, day.database)
    (told,), code = made(day, date="2026-03-03")
    assert (code, told["verified"]) == (3, False)
    assert entries(day) == []


def test_findings_and_the_report_name_the_same(day):
    """What the report shows can be looked at, and resolved, by its id; the next night says so."""
    made(day)
    sections = {section["id"]: section for section in report(day)["sections"]}
    (item,) = sections["violations"]["items"]
    assert item["id"] in {one["id"] for one in lines(day.run("findings", "--output", "json"))}
    day.record({
        "id": "r1", "kind": "finding_action", "occurred_at": "2026-03-02T18:00:00-06:00", "site": "S1", "actor": "MD-1",
        "finding": item["id"], "action": "resolve", "justification": "the patient was called",
    })  # fmt: skip
    made(day, "--refresh")
    sections = {section["id"]: section for section in report(day, f"nightly-{DATE}.edition-2")["sections"]}
    assert [(one["level"], "resolved" in one["where"]) for one in sections["violations"]["items"]] == [
        ("notice", True)
    ]
