"""``compliance report binder``."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.cli.conftest import DOSE, SITE, lines

JANE = {"name": "Jane Quimby-Doe", "address": "7 Elm Row, Tulsa"}
MARCH = ("report", "binder", "--from", "2026-03-01", "--to", "2026-03-31", "--site", "S1")
TO = ("--identities", "--purpose", "inspection", "--recipient", "DEA, ADDR-7")


@pytest.fixture
def jane(day):
    """A clinic with a day on record that knows its patient."""
    (day.folder / "jane.json").write_text(json.dumps(JANE))
    result = day.run("person", "add", "--pseudonym", "P1", "--file", day.folder / "jane.json")
    assert result.exit_code == 0, result.output
    return day


def verified(folder):
    return subprocess.run(
        [sys.executable, "-I", "-S", folder / "verify.py"], env={}, capture_output=True, text=True
    )


def everything(folder):
    return b"".join(one.read_bytes() for one in folder.rglob("*") if one.is_file())


def test_a_folder_and_a_zip_that_verify(jane):
    """And it says where they are, what is not on record, with which key they are checked, and what was recorded."""
    out = jane.folder / "march"
    result = jane.run(*MARCH, "--out", out)
    assert result.exit_code == 0, result.output
    for told in (str(out), "march.zip", "not on record", "verifier key", "record_access binder-"):
        assert told in result.stdout
    assert verified(out).returncode == 0
    assert b"Quimby" not in everything(out) + (jane.folder / "march.zip").read_bytes()


def test_the_answer_for_programs(jane):
    """One object with stable keys; the event is that of the log."""
    result = jane.run(*MARCH, "--out", jane.folder / "march", "--output", "json")
    (told,) = lines(result)
    assert {
        "folder",
        "zip",
        "event",
        "manifest_sha256",
        "entries",
        "events_in_period",
        "vkey",
        "checkpoint",
        "files",
        "events",
    } <= set(told)
    assert told["events_in_period"] == 3
    (page,) = lines(jane.run("events", "show", told["event"], "--output", "json"))
    assert (page["sent"]["sha256"], page["sent"]["leaves_site"]) == (told["manifest_sha256"], False)
    doses = next(one for one in told["files"] if one["name"].endswith("administrations.csv"))
    assert doses["rows"] == 1
    assert doses["missing"]["Given or watched by"] == 1


def test_names_only_with_the_option_and_then_a_disclosure(jane):
    """With purpose and recipient, or not at all; the log has the look, the export and the disclosure."""
    out = jane.folder / "dea"
    for words in (TO[:1], TO[:3], (TO[0], *TO[3:])):
        assert jane.run(*MARCH, "--out", out, *words).exit_code == 2
        assert not out.exists()
    assert jane.run(*MARCH, "--out", out, "--ground", "public_health").exit_code == 2
    result = jane.run(*MARCH, "--out", out, *TO)
    assert result.exit_code == 0, result.output
    assert b"Jane Quimby-Doe" in everything(out)
    (disclosure,) = lines(jane.run("events", "list", "--kind", "disclosure", "--output", "json"))
    assert disclosure["patient"] == "P1"
    assert verified(out).returncode == 0


def test_a_drill_needs_no_recipient(jane):
    """Whether records come out in time can be tried without anybody outside."""
    assert jane.run(*MARCH, "--out", jane.folder / "drill", "--purpose", "drill").exit_code == 0
    (event,) = [
        one
        for one in lines(jane.run("events", "list", "--kind", "record_access", "--output", "json"))
        if one["event"].startswith("binder-")
    ]
    (page,) = lines(jane.run("events", "show", event["event"], "--output", "json"))
    assert (page["sent"]["purpose"], page["sent"]["duration_ms"] >= 0) == ("drill", True)


def test_a_checkpoint_of_before(jane):
    """--since-checkpoint takes what `log checkpoint` printed."""
    kept = jane.folder / "kept.txt"
    assert jane.run("log", "checkpoint", "--out", kept).exit_code == 0
    jane.record({**DOSE, "id": "e9", "session": "T2"})
    out = jane.folder / "march"
    assert jane.run(*MARCH, "--out", out, "--since-checkpoint", kept).exit_code == 0
    assert "The log continues the earlier checkpoint" in verified(out).stdout


@pytest.mark.parametrize(
    ("words", "actor", "says"),
    [
        (("--from", "2026-13-01"), "MD-1", "no such day"),
        (("--from", "last week"), "MD-1", "not an RFC 3339 date"),
        (("--to", "2026-02-01"), "MD-1", "before it begins"),
        (("--site", "S9"), "MD-1", "no event of a site"),
        (("--since-checkpoint", "none.txt"), "MD-1", "cannot be read"),
        (("--purpose", "curiosity"), "MD-1", "curiosity"),
        ((), None, "who acts is not known"),
    ],
)
def test_what_is_wrong_with_a_call_is_told(day, words, actor, says):
    """Exit 2, before anything is made."""
    result = day.run(*MARCH, "--out", day.folder / "b", *words, actor=actor)
    assert result.exit_code == 2, result.output
    assert says in result.stderr
    assert not list(day.folder.glob("*b.zip")) + list(day.folder.glob(".b*"))


def test_a_binder_is_never_overwritten(day):
    """Exit 2; the first one stays as it is."""
    out = day.folder / "b"
    assert day.run(*MARCH, "--out", out).exit_code == 0
    before = everything(out)
    result = day.run(*MARCH, "--out", out)
    assert result.exit_code == 2
    assert "exists already" in result.stderr
    assert everything(out) == before


def test_without_the_log_s_key_there_is_no_binder(clinic):
    """Nothing could be proved by it."""
    clinic.record(SITE)
    (clinic.folder / "clinic.db.key").rename(clinic.folder / "elsewhere.key")
    result = clinic.run(*MARCH, "--out", clinic.folder / "b")
    assert result.exit_code == 2
    assert "clinic.db.key" in result.stderr
    assert not (clinic.folder / "b").exists()
